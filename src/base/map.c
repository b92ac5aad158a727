/* SPDX-License-Identifier: MIT */
/*
 * map.c - hash maps: open addressing, Robin Hood order, backward-shift removal
 *
 *   home = hash & mask; an entry lies at home or behind it, cyclically, and
 *   its distance is how far.  No tombstones.
 *
 * INVARIANTS  1. Between an entry's home and its place no slot is empty.
 *             2. Along a run distances grow by at most one from a slot to the
 *                next, so a search ends at the first entry that is nearer to
 *                its home than the wanted one would be.
 *             3. count <= 4/5 of the slots: there is always an empty one.
 *             4. A map holds string keys or integers, never both.
 *
 * WALK        map_next() starts below an empty slot E and goes *down*,
 *             cyclically, to the slot above E.  Removing the entry just
 *             returned, at I, pulls entries from above I one down; they are
 *             all between I and E, thus seen already, and they land at I or
 *             above it, where the walk does not come again.  A removal never
 *             fills E and nothing is pulled across it, so no entry that waits
 *             in front of the walk moves: each is seen once.  *at keeps E and
 *             the number of steps made, 32 bits each.
 *
 * The hash is SipHash-1-3 (Aumasson, Bernstein; the variant of Rust and
 * Python) with a random key per map: keys are numbers and ids that strangers
 * choose.  Integers keep their eight bytes in the slot; strings are copied.
 * LIMITS      2^31 slots (ASSERT)
 * TESTS       tests/unit/test_map.c
 */
#include "base/map.h"

#include "base/mem.h"
#include "base/panic.h"
#include "base/rnd.h"

#define FIRST_SLOTS 8
#define SLOTS_MAX (UINT64_C(1) << 31)

struct slot {
	void *value; /* NULL: empty */
	uint64_t hash;
	union {
		char *text; /* ours */
		uint64_t number;
	} key;
	size_t len; /* of text */
};

enum map_kind { MAP_UNDECIDED, MAP_TEXT, MAP_NUMBER };

struct map {
	struct slot *slots; /* NULL before the first entry */
	size_t mask; /* slots - 1; a power of two less one */
	size_t count;
	uint64_t seed[2];
	enum map_kind kind; /* inv. 4: decided by the first entry */
};

/* What to look for: the hash, and the key in either form. */
struct wanted {
	uint64_t hash;
	struct str text;
	uint64_t number;
	enum map_kind kind;
};

static inline uint64_t rotl(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static uint64_t sip13(const uint64_t seed[2], const void *bytes, size_t len)
{
	uint64_t v[4] = {
		seed[0] ^ UINT64_C(0x736f6d6570736575),
		seed[1] ^ UINT64_C(0x646f72616e646f6d),
		seed[0] ^ UINT64_C(0x6c7967656e657261),
		seed[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = bytes;
	uint64_t last = 0;
	uint64_t word;
	size_t left;

	/* Words in the machine's byte order: the hash never leaves the process. */
	for (left = len; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sip_word(v, word);
	}
	if (left > 0)
		memcpy(&last, at, left);
	sip_word(v, last ^ (uint64_t)len << 56); /* at most 7 bytes are in use */
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline struct wanted want_text(const struct map *m, struct str key)
{
	return (struct wanted){ sip13(m->seed, key.ptr, key.len), key, 0, MAP_TEXT };
}

static inline struct wanted want_number(const struct map *m, uint64_t key)
{
	return (struct wanted){ sip13(m->seed, &key, sizeof(key)), STR_EMPTY, key, MAP_NUMBER };
}

struct map *map_new(void)
{
	struct map *m = xcalloc(1, sizeof(*m));
	struct rnd r;

	rnd_init_system(&r);
	rnd_bytes(&r, m->seed, sizeof(m->seed));
	return m;
}

void map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; m->kind == MAP_TEXT && i <= m->mask; i++) {
		if (m->slots[i].value != NULL)
			free(m->slots[i].key.text);
	}
	free(m->slots);
	free(m);
}

size_t map_count(const struct map *m)
{
	return m->count;
}

static inline size_t distance(const struct map *m, size_t place)
{
	return (place - (size_t)m->slots[place].hash) & m->mask;
}

static inline bool is_key(const struct slot *s, const struct wanted *w)
{
	if (s->hash != w->hash)
		return false;
	if (w->kind == MAP_NUMBER)
		return s->key.number == w->number;
	return s->len == w->text.len && (s->len == 0 || !memcmp(s->key.text, w->text.ptr, s->len));
}

static struct slot *find(const struct map *m, const struct wanted *w)
{
	size_t place, steps;

	if (m->count == 0)
		return NULL;
	ASSERT(m->kind == w->kind); /* inv. 4 */
	place = (size_t)w->hash & m->mask;
	for (steps = 0;; steps++, place = (place + 1) & m->mask) {
		struct slot *s = &m->slots[place];

		if (s->value == NULL || distance(m, place) < steps) /* inv. 1, 2 */
			return NULL;
		if (is_key(s, w))
			return s;
	}
}

/* Put in an entry whose key is not there: whoever is nearer to its home makes room. */
static void insert(struct map *m, struct slot entry)
{
	size_t place = (size_t)entry.hash & m->mask;
	size_t steps = 0;

	while (m->slots[place].value != NULL) {
		size_t theirs = distance(m, place);

		if (theirs < steps) { /* inv. 2 */
			struct slot poorer = m->slots[place];

			m->slots[place] = entry;
			entry = poorer;
			steps = theirs;
		}
		place = (place + 1) & m->mask;
		steps++;
	}
	m->slots[place] = entry;
}

/* Room for one more entry (inv. 3). */
static void make_room(struct map *m)
{
	struct slot *old = m->slots;
	size_t old_slots = old == NULL ? 0 : m->mask + 1;
	size_t slots = old == NULL ? FIRST_SLOTS : old_slots * 2;

	if ((m->count + 1) * 5 <= old_slots * 4)
		return;
	ASSERT(slots <= SLOTS_MAX);
	m->slots = xcalloc(slots, sizeof(*m->slots));
	m->mask = slots - 1;
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i].value != NULL)
			insert(m, old[i]);
	}
	free(old);
}

static void *set(struct map *m, const struct wanted *w, void *value)
{
	struct slot *s = find(m, w);
	struct slot entry = { .value = value, .hash = w->hash };
	void *before;

	ASSERT(value != NULL);
	if (s != NULL) {
		before = s->value;
		s->value = value;
		return before;
	}
	ASSERT(m->kind == w->kind || m->kind == MAP_UNDECIDED); /* inv. 4 */
	if (w->kind == MAP_NUMBER) {
		entry.key.number = w->number;
	} else {
		entry.key.text = xstrndup(w->text);
		entry.len = w->text.len;
	}
	make_room(m);
	m->kind = w->kind;
	insert(m, entry);
	m->count++;
	return NULL;
}

static void *take_out(struct map *m, const struct wanted *w)
{
	struct slot *s = find(m, w);
	size_t place, next;
	void *value;

	if (s == NULL)
		return NULL;
	value = s->value;
	if (w->kind == MAP_TEXT)
		free(s->key.text); /* may be w->text: not read from here on */
	place = (size_t)(s - m->slots);
	for (;; place = next) {
		next = (place + 1) & m->mask;
		if (m->slots[next].value == NULL || distance(m, next) == 0)
			break;
		m->slots[place] = m->slots[next];
	}
	m->slots[place] = (struct slot){ 0 };
	m->count--;
	return value;
}

void *map_get(const struct map *m, struct str key)
{
	struct wanted w;
	struct slot *s;

	if (m->count == 0)
		return NULL;
	w = want_text(m, key);
	s = find(m, &w);
	return s == NULL ? NULL : s->value;
}

void *map_set(struct map *m, struct str key, void *value)
{
	struct wanted w = want_text(m, key);

	return set(m, &w, value);
}

void *map_remove(struct map *m, struct str key)
{
	struct wanted w = want_text(m, key);

	return take_out(m, &w);
}

void *map_get_u64(const struct map *m, uint64_t key)
{
	struct wanted w;
	struct slot *s;

	if (m->count == 0)
		return NULL;
	w = want_number(m, key);
	s = find(m, &w);
	return s == NULL ? NULL : s->value;
}

void *map_set_u64(struct map *m, uint64_t key, void *value)
{
	struct wanted w = want_number(m, key);

	return set(m, &w, value);
}

void *map_remove_u64(struct map *m, uint64_t key)
{
	struct wanted w = want_number(m, key);

	return take_out(m, &w);
}

static size_t empty_slot(const struct map *m)
{
	size_t place = 0;

	while (m->slots[place].value != NULL) /* inv. 3 */
		place++;
	return place;
}

bool map_next(const struct map *m, size_t *at, struct str *out_key, void **out_value)
{
	size_t empty, steps;

	if (m->count == 0)
		return false;
	if (*at == 0)
		*at = empty_slot(m) << 32;
	empty = *at >> 32;
	steps = *at & UINT32_MAX;
	while (steps < m->mask) { /* mask steps pass every slot but the empty one */
		const struct slot *s = &m->slots[(empty - ++steps) & m->mask];

		if (s->value == NULL)
			continue;
		*at = empty << 32 | steps;
		if (m->kind == MAP_NUMBER)
			*out_key = str_make((const char *)&s->key.number, sizeof(s->key.number));
		else
			*out_key = str_make(s->key.text, s->len);
		*out_value = s->value;
		return true;
	}
	*at = empty << 32 | steps;
	return false;
}
