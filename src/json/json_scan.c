/* SPDX-License-Identifier: MIT */
/*
 * json_scan.c - check a text against RFC 8259 and leave its tape
 *
 * ROLE        The only place that decides whether bytes are JSON.  Everything
 *             else in src/json trusts the tape: spans lie inside the text,
 *             strings are valid UTF-8 with valid escapes, numbers are numbers.
 *
 * LIFE        count_nodes() bounds the tape, so that one allocation serves;
 *             scan_document() fills it in one pass without recursion; the
 *             rest of the allocation goes back to the arena.
 *
 * INVARIANTS  1. Every node but the first is introduced by its own '[', '{',
 *                ',' or ':', and a whole value takes two bytes with it, so
 *                the tape never needs more than count_nodes() nodes.
 *             2. depth == number of open containers <= JSON_DEPTH_MAX; their
 *                chain runs from `open` through the nodes' next.
 *             3. After success each node's next is the node behind its value.
 *             4. An object with a repeated key carries NODE_DOUBT (the
 *                reverse does not hold: it only says "look").
 *
 * FAILURE     The first offence ends the scan; nothing is written to *out.
 * LIMITS      JSON_DEPTH_MAX, JSON_TEXT_MAX, the arena's ceiling.
 * TESTS       tests/unit/test_json_scan.c, test_json_oracle.c, fuzz/fuzz_json.c
 */
#include "json/json_int.h"
#include "base/panic.h"
#include <endian.h>

#define NO_NODE UINT32_MAX

struct scan {
	const unsigned char *text;
	const unsigned char *end;
	struct json_node *nodes;
	uint32_t count;
	uint32_t room; /* nodes there is place for */
	uint32_t open; /* innermost open container, or NO_NODE */
	uint32_t depth;
	bool doubt; /* some object carries NODE_DOUBT */
	const char *reason; /* of the offence, with where it is */
	const unsigned char *offence;
	struct signatures *seen; /* one per depth: inv. 4 */
};

/* Which of 256 signatures the keys of an open object had. */
struct signatures {
	uint64_t bits[4];
};

static const unsigned char *refuse(struct scan *s, const unsigned char *at, const char *reason)
{
	s->reason = reason;
	s->offence = at;
	return NULL;
}

static const unsigned char *skip_blanks(const struct scan *s, const unsigned char *p)
{
	while (p < s->end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static bool is_digit(const struct scan *s, const unsigned char *p)
{
	return p < s->end && *p >= '0' && *p <= '9';
}

static struct json_node *add_node(struct scan *s, const unsigned char *at, enum json_type type)
{
	struct json_node *n = &s->nodes[s->count];

	ASSERT(s->count < s->room); /* inv. 1 */
	n->at = (uint32_t)(at - s->text);
	n->next = ++s->count;
	n->info = type;
	return n;
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/*
 * Eight bytes at once (SWAR): the lowest flagged byte of the result is the
 * first that is a quote, a backslash, a control character or not ASCII.
 * Borrows run upwards only, so flags above the lowest may be wrong.
 */
static uint64_t find_special(const unsigned char *p)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t v = load64(p), quote = v ^ ones * '"', slash = v ^ ones * '\\';

	return ((quote - ones) | (slash - ones) | (v - ones * 0x20) | v) & tops;
}

/*
 * The first special byte at or behind p; within the last 15 bytes of the text
 * just p.  Two words at once, since most strings end within sixteen bytes and
 * a branch for each word would be guessed wrong half of the time.
 */
static inline const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
	for (; end - p >= 16; p += 16) {
		uint64_t one = find_special(p), two = find_special(p + 8);
		uint64_t first = one != 0 ? one : two;

		if (first != 0)
			return p + ((unsigned)__builtin_ctzll(first) >> 3) + (one != 0 ? 0 : 8);
	}
	return p;
}

static bool is_hex4(const unsigned char *p)
{
	for (int i = 0; i < 4; i++) {
		unsigned c = p[i], low = c | 0x20;

		if ((c < '0' || c > '9') && (low < 'a' || low > 'f'))
			return false;
	}
	return true;
}

/* p is at a backslash; returns what is behind the escape. */
static const unsigned char *scan_escape(struct scan *s, const unsigned char *p)
{
	if (s->end - p < 2)
		return refuse(s, p, "a string without its closing quote");
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return p + 2;
	case 'u':
		if (s->end - p < 6 || !is_hex4(p + 2))
			return refuse(s, p, "\\u without four hexadecimal digits");
		return p + 6;
	default: return refuse(s, p, "an unknown escape");
	}
}

/* The rest of scan_string(), from the first byte that is special or near the end. */
static const unsigned char *scan_specials(struct scan *s, const unsigned char *p, uint32_t *info)
{
	const unsigned char *end = s->end;
	uint32_t len;

	for (;; p = skip_plain(p, end)) {
		if (p == end)
			return refuse(s, p, "a string without its closing quote");
		if (*p == '"')
			return p;
		if (*p < 0x20)
			return refuse(s, p, "a control character in a string");
		if (*p != '\\' && *p < 0x80)
			p++; /* the last 15 bytes are read one by one */
		while (p < end && *p == '\\') {
			*info |= NODE_ESCAPED;
			if ((p = scan_escape(s, p)) == NULL)
				return NULL;
		}
		while (p < end && *p >= 0x80) {
			if ((len = json_utf8_len(p, end)) == 0)
				return refuse(s, p, "bytes that are not UTF-8");
			p += len;
		}
	}
}

/*
 * p is behind the opening quote; returns where the closing quote is, and adds
 * NODE_ESCAPED to *info when a backslash was met.
 */
static inline const unsigned char *scan_string(struct scan *s, const unsigned char *p,
					       uint32_t *info)
{
	p = skip_plain(p, s->end);
	return p < s->end && *p == '"' ? p : scan_specials(s, p, info);
}

/* p is at '-' or a digit; returns what is behind the number. */
static const unsigned char *scan_number(struct scan *s, const unsigned char *p)
{
	if (*p == '-')
		p++;
	if (!is_digit(s, p))
		return refuse(s, p, "a number without digits");
	if (*p++ == '0') {
		if (is_digit(s, p))
			return refuse(s, p - 1, "a leading zero");
	} else {
		while (is_digit(s, p))
			p++;
	}
	if (p < s->end && *p == '.') {
		if (!is_digit(s, ++p))
			return refuse(s, p, "a fraction without digits");
		while (is_digit(s, p))
			p++;
	}
	if (p < s->end && (*p | 0x20) == 'e') {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		if (!is_digit(s, p))
			return refuse(s, p, "an exponent without digits");
		while (is_digit(s, p))
			p++;
	}
	return p;
}

static const unsigned char *scan_word(struct scan *s, const unsigned char *p, struct str word)
{
	if ((size_t)(s->end - p) < word.len || memcmp(p, word.ptr, word.len) != 0)
		return refuse(s, p, "an unknown word");
	return p + word.len;
}

/* p is at the first byte of a value that is no container; returns what is behind it. */
static const unsigned char *scan_scalar(struct scan *s, const unsigned char *p)
{
	const unsigned char *from = p;
	enum json_type type = JSON_NUMBER;
	struct json_node *n;
	uint32_t flags = 0;

	switch (*p) {
	case '"':
		type = JSON_STRING;
		p = scan_string(s, p + 1, &flags);
		if (p != NULL)
			p++;
		break;
	case 't':
		type = JSON_TRUE;
		p = scan_word(s, p, STR("true"));
		break;
	case 'f':
		type = JSON_FALSE;
		p = scan_word(s, p, STR("false"));
		break;
	case 'n':
		type = JSON_NULL;
		p = scan_word(s, p, STR("null"));
		break;
	default:
		if (*p != '-' && !is_digit(s, p))
			return refuse(s, p, "expected a value");
		p = scan_number(s, p);
	}
	if (p == NULL)
		return NULL;
	n = add_node(s, from, type);
	n->len = (uint32_t)(p - from);
	n->info |= flags;
	return p;
}

/*
 * A hash of 8 bits over the length and the first and last eight bytes of a
 * key; of a shorter one all bytes, wherever in the text it stands.
 */
static uint32_t sign_key(const struct scan *s, const unsigned char *key, size_t len)
{
	unsigned char end[8] = { 0 };
	uint64_t mixed = len;

	if (len >= 8) {
		mixed ^= load64(key) ^ load64(key + len - 8) << 7;
	} else if (len > 0) {
		if (s->end - key < 8)
			key = memcpy(end, key, len); /* not beyond the text */
		mixed ^= load64(key) << 8 * (8 - len);
	}
	return (uint32_t)(mixed * 0x9E3779B97F4A7C15 >> 56); /* Knuth's multiplicative hash */
}

/* Note that a key was seen: inv. 4. */
static void note_key(struct scan *s, const unsigned char *key, size_t len)
{
	uint32_t sign = sign_key(s, key, len);
	uint64_t *word = &s->seen[s->depth - 1].bits[sign >> 6];

	if ((*word >> (sign & 63) & 1) != 0)
		s->nodes[s->open].info |= NODE_DOUBT;
	*word |= UINT64_C(1) << (sign & 63);
}

/* p is where a key is due; returns what is behind the colon. */
static const unsigned char *scan_key(struct scan *s, const unsigned char *p)
{
	const unsigned char *from = p, *quote;
	struct json_node *n;
	uint32_t flags = 0;

	if (p == s->end || *p != '"')
		return refuse(s, p, "expected a key");
	quote = scan_string(s, p + 1, &flags);
	if (quote == NULL)
		return NULL;
	n = add_node(s, from, JSON_STRING);
	n->len = (uint32_t)(quote + 1 - from);
	n->info |= flags;
	if (flags != 0) /* its signature is not that of the decoded key */
		s->nodes[s->open].info |= NODE_DOUBT;
	else
		note_key(s, from + 1, n->len - 2);
	p = skip_blanks(s, quote + 1);
	if (p == s->end || *p != ':')
		return refuse(s, p, "expected a colon");
	return p + 1;
}

static bool open_container(struct scan *s, const unsigned char *p)
{
	uint32_t self = s->count;
	struct json_node *n;

	if (s->depth == JSON_DEPTH_MAX) {
		(void)refuse(s, p, "nested deeper than 64");
		return false;
	}
	n = add_node(s, p, *p == '{' ? JSON_OBJECT : JSON_ARRAY);
	n->next = s->open; /* inv. 2 */
	s->open = self;
	s->seen[s->depth++] = (struct signatures){ { 0 } };
	return true;
}

/* p is at the closing bracket of the innermost container. */
static void close_container(struct scan *s, const unsigned char *p)
{
	struct json_node *n = &s->nodes[s->open];

	s->open = n->next;
	n->next = s->count; /* inv. 3 */
	n->len = (uint32_t)(p + 1 - s->text) - n->at;
	if ((n->info & NODE_DOUBT) != 0)
		s->doubt = true;
	s->depth--;
}

/*
 * A value ended before p: close what ends here, and step over the comma (and
 * the next key) to where the next value is due.  *done when the root ended.
 */
static const unsigned char *scan_between(struct scan *s, const unsigned char *p, bool *done)
{
	while (s->depth > 0) {
		struct json_node *n = &s->nodes[s->open];
		bool is_object = (n->info & NODE_TYPE) == JSON_OBJECT;

		n->info += NODE_COUNT_ONE;
		p = skip_blanks(s, p);
		if (p == s->end)
			return refuse(s, p, "the text ends too early");
		if (*p == ',')
			return is_object ? scan_key(s, skip_blanks(s, p + 1)) : p + 1;
		if (*p != (is_object ? '}' : ']'))
			return refuse(s, p,
				      is_object ? "expected a comma or }"
						: "expected a comma or ]");
		close_container(s, p);
		p++;
	}
	*done = true;
	return p;
}

/* The whole text; false with reason and offence. */
static bool scan_document(struct scan *s)
{
	const unsigned char *p = s->text;
	bool done = false;

	while (!done) {
		p = skip_blanks(s, p);
		if (p == s->end)
			return refuse(s, p, "the text ends too early") != NULL;
		if (*p != '{' && *p != '[') {
			p = scan_scalar(s, p);
		} else {
			bool is_object = *p == '{';

			if (!open_container(s, p))
				return false;
			p = skip_blanks(s, p + 1);
			if (p < s->end && *p == (is_object ? '}' : ']')) {
				close_container(s, p);
				p++;
			} else {
				if (is_object && (p = scan_key(s, p)) == NULL)
					return false;
				continue;
			}
		}
		if (p == NULL || (p = scan_between(s, p, &done)) == NULL)
			return false;
	}
	p = skip_blanks(s, p);
	return p == s->end || refuse(s, p, "bytes after the value") != NULL;
}

/*
 * An upper bound of the nodes (inv. 1): one more than there are '[', '{', ','
 * and ':', wherever they stand, and no more than half the bytes but for the
 * containers that never close.  Sixteen bytes at once; a lane of the sum holds
 * 255, hence the rounds.
 */
static uint32_t count_nodes(const unsigned char *p, size_t len)
{
	typedef unsigned char lanes __attribute__((vector_size(16)));
	size_t found = 1, half = len / 2 + JSON_DEPTH_MAX;

	while (len >= 16) {
		lanes sum = { 0 };

		for (int round = 0; round < 255 && len >= 16; round++) {
			lanes v;

			memcpy(&v, p, 16);
			sum -= (lanes)(v == ',') | (lanes)(v == ':') | (lanes)((v | 0x20) == '{');
			p += 16;
			len -= 16;
		}
		for (int i = 0; i < 16; i++)
			found += sum[i];
	}
	for (; len > 0; len--, p++)
		found += *p == ',' || *p == ':' || (*p | 0x20) == '{';
	return (uint32_t)(found < half ? found : half);
}

static gw_status refuse_text(const struct scan *s, struct gw_error *err)
{
	const char *reason = s->reason;
	size_t at = (size_t)(s->offence - s->text);

	if (s->text == s->end)
		reason = "an empty text";
	else if (at == 0 && s->end - s->text >= 3 && memcmp(s->text, "\xEF\xBB\xBF", 3) == 0)
		reason = "a byte order mark";
	return gw_error_set(err, GW_EPARSE, "not JSON at byte %zu: %s", at, reason);
}

gw_status json_scan(struct str text, struct arena *a, const struct json_doc **out,
		    struct gw_error *err)
{
	struct signatures seen[JSON_DEPTH_MAX];
	struct scan s = { .open = NO_NODE, .seen = seen };
	struct json_doc *doc;
	size_t size;

	if (text.len > JSON_TEXT_MAX)
		return gw_error_set(err, GW_ELIMIT, "a JSON text of %zu bytes, the limit is %u",
				    text.len, JSON_TEXT_MAX);
	s.text = (const unsigned char *)(text.len == 0 ? "" : text.ptr);
	s.end = s.text + text.len;
	s.room = count_nodes(s.text, text.len);
	size = s.room * sizeof(struct json_node);
	doc = arena_alloc(a, sizeof(*doc));
	s.nodes = doc == NULL ? NULL : arena_alloc(a, size);
	if (s.nodes == NULL)
		return gw_error_set(err, GW_ELIMIT, "no memory left to read %zu bytes of JSON",
				    text.len);
	if (!scan_document(&s)) {
		arena_shrink(a, s.nodes, size, 0);
		return refuse_text(&s, err);
	}
	arena_shrink(a, s.nodes, size, s.count * sizeof(struct json_node));
	*doc = (struct json_doc){ .text = text, .arena = a, .nodes = s.nodes, .count = s.count };
	if (s.doubt)
		json_count_duplicates(doc);
	*out = doc;
	return GW_OK;
}
