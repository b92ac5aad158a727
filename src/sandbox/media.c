/* SPDX-License-Identifier: MIT */
/*
 * media.c - keep files, forget them in time
 *
 * ROLE        cloud-api.md 2.2 and 3, read 2026-11.  The bytes themselves are
 *             not looked at: a text that calls itself image/png is taken.
 * LIMITS      settings.media_bytes_max, SANDBOX_MEDIA_MAX: the oldest go first.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_media.c, tests/system/test_sandbox_media.py
 */
#include "sandbox/media.h"

#include "base/hexb64.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/panic.h"

#define LINK_LIFE_S 300 /* cloud-api.md 3 */
#define MEDIA_STREAM UINT64_C(0x6d65646961000003)
#define DAY_NS (INT64_C(86400) * NS_PER_S)
#define KIB 1024U
#define MIB (1024U * KIB)
#define OFFICE "application/vnd.openxmlformats-officedocument."

struct media_all {
	TAILQ_HEAD(, media) files; /* oldest first */
	struct map *by_id;
	size_t count, bytes;
	struct rnd ids; /* a stream of its own */
};

/* The first of a kind is what a customer sends when nothing else is said. */
static const struct media_rule rules[] = {
	{ "image/png", "image", 5 * MIB },
	{ "image/jpeg", "image", 5 * MIB },
	{ "image/webp", "sticker", 500 * KIB },
	{ "audio/ogg", "audio", 16 * MIB },
	{ "audio/aac", "audio", 16 * MIB },
	{ "audio/amr", "audio", 16 * MIB },
	{ "audio/mpeg", "audio", 16 * MIB },
	{ "audio/mp4", "audio", 16 * MIB },
	{ "video/mp4", "video", 16 * MIB },
	{ "video/3gpp", "video", 16 * MIB },
	{ "text/plain", "document", MEDIA_FILE_MAX },
	{ "application/pdf", "document", MEDIA_FILE_MAX },
	{ "application/msword", "document", MEDIA_FILE_MAX },
	{ "application/vnd.ms-excel", "document", MEDIA_FILE_MAX },
	{ "application/vnd.ms-powerpoint", "document", MEDIA_FILE_MAX },
	{ OFFICE "wordprocessingml.document", "document", MEDIA_FILE_MAX },
	{ OFFICE "spreadsheetml.sheet", "document", MEDIA_FILE_MAX },
	{ OFFICE "presentationml.presentation", "document", MEDIA_FILE_MAX },
};

/* What a customer sends: picture and sticker of one point, else the first bytes of such a file. */
static const struct {
	const char *kind;
	const char *b64;
} samples[] = {
	{ "image",
	  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAA"
	  "BJRU5ErkJggg==" },
	{ "sticker", "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA" },
	{ "audio", "T2dnUwACAAAAAAAAAAA=" },
	{ "video", "AAAAGGZ0eXBtcDQyAAAAAG1wNDJpc29t" },
	{ "document", "QSBkb2N1bWVudCBvZiB0aGUgc2FuZGJveC4K" },
};

struct media_all *media_new(uint64_t seed)
{
	struct media_all *all = xcalloc(1, sizeof(*all));

	TAILQ_INIT(&all->files);
	all->by_id = map_new();
	rnd_init_seed(&all->ids, seed ^ MEDIA_STREAM);
	return all;
}

static void drop(struct media_all *all, struct media *m)
{
	TAILQ_REMOVE(&all->files, m, link);
	(void)map_remove(all->by_id, str_from(m->id));
	all->count--;
	all->bytes -= m->len;
	free(m->bytes);
	free(m);
}

void media_free(struct media_all *all)
{
	struct media *m;

	if (all == NULL)
		return;
	while ((m = TAILQ_FIRST(&all->files)) != NULL)
		drop(all, m);
	map_free(all->by_id);
	free(all);
}

size_t media_total_bytes(const struct media_all *all)
{
	return all->bytes;
}

const struct media_rule *media_rule_of(struct str mime)
{
	size_t at;

	if (str_find_char(mime, ';', &at))
		mime = str_slice(mime, 0, at);
	mime = str_trim(mime);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (str_eq_nocase(mime, str_from(rules[i].mime)))
			return &rules[i];
	}
	return NULL;
}

const struct media_rule *media_rule_of_kind(struct str kind)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (str_eq(kind, str_from(rules[i].kind)))
			return &rules[i];
	}
	return NULL;
}

/* Make room: the oldest go. */
static void evict(struct media_all *all, size_t len, size_t max)
{
	while (all->count > 0 && (all->count >= SANDBOX_MEDIA_MAX || all->bytes + len > max))
		drop(all, TAILQ_FIRST(&all->files));
}

static void new_id(struct media_all *all, char out[GRAPH_ID_MAX])
{
	do {
		uint64_t id = UINT64_C(1000000000000000) +
			      rnd_below(&all->ids, UINT64_C(9000000000000000));

		(void)snprintf(out, GRAPH_ID_MAX, "%llu", (unsigned long long)id);
	} while (map_get(all->by_id, str_from(out)) != NULL);
}

bool media_add(struct world *w, const struct number *n, enum media_origin origin,
	       const struct media_rule *rule, struct str bytes, struct media **out,
	       struct metaerr *err)
{
	size_t max = (size_t)w->settings.media_bytes_max;
	struct media_all *all = w->media;
	struct media *m;

	if (bytes.len > rule->max)
		return metaerr_set(err, 131053, "a file of type %s has at most %zu bytes, got %zu",
				   rule->mime, rule->max, bytes.len);
	if (bytes.len > max)
		return metaerr_set(err, 131053,
				   "the sandbox keeps at most %zu bytes of media (setting "
				   "media_bytes_max), got %zu",
				   max, bytes.len);
	evict(all, bytes.len, max);
	m = xcalloc(1, sizeof(*m));
	new_id(all, m->id);
	(void)str_copy(str_from(n->id), m->number, sizeof(m->number));
	m->rule = rule;
	m->bytes = xmalloc(bytes.len + 1);
	memcpy(m->bytes, bytes.ptr, bytes.len);
	m->len = bytes.len;
	sha256(bytes, m->sha);
	m->expires_ns = world_now_ns(w) + (origin == MEDIA_UPLOADED ? 30 : 7) * DAY_NS;
	TAILQ_INSERT_TAIL(&all->files, m, link);
	(void)map_set(all->by_id, str_from(m->id), m);
	all->count++;
	all->bytes += m->len;
	*out = m;
	return true;
}

struct media *media_get(struct world *w, struct str id)
{
	struct media *m = map_get(w->media->by_id, id);

	if (m != NULL && m->expires_ns <= world_now_ns(w)) {
		drop(w->media, m);
		m = NULL;
	}
	return m;
}

void media_drop(struct world *w, struct media *m)
{
	drop(w->media, m);
}

void media_proof(const struct world *w, struct str id, int64_t until_s, char out[MEDIA_PROOF_MAX])
{
	unsigned char sum[SHA256_BYTES];
	char text[96];
	int len = snprintf(text, sizeof(text), "%llu/%.*s/%lld", (unsigned long long)w->seed,
			   STR_ARG(str_slice(id, 0, GRAPH_ID_MAX)), (long long)until_s);

	sha256(str_make(text, (size_t)len), sum);
	hex_encode(sum, (MEDIA_PROOF_MAX - 1) / 2, out);
}

void media_url(const struct world *w, const struct media *m, struct str host,
	       char out[MEDIA_URL_MAX])
{
	int64_t until = clock_wall_s(w->clock) + LINK_LIFE_S;
	char proof[MEDIA_PROOF_MAX];

	media_proof(w, str_from(m->id), until, proof);
	(void)snprintf(out, MEDIA_URL_MAX,
		       "http://%.*s/whatsapp_business/attachments/?mid=%s&ext=%lld&hash=%s",
		       STR_ARG(str_slice(host, 0, 255)), m->id, (long long)until, proof);
}

static const char *sample_of(struct str kind)
{
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		if (str_eq(kind, str_from(samples[i].kind)))
			return samples[i].b64;
	}
	PANIC("no sample of %.*s", STR_ARG(kind));
}

gw_status media_receive(struct world *w, const struct number *n, struct str kind,
			struct json_val content, const struct media **out, struct gw_error *err)
{
	const struct media_rule *rule = media_rule_of_kind(kind);
	struct str mime, data = str_from(sample_of(kind));
	struct media *m = NULL;
	struct metaerr why;
	char *bytes;
	size_t len;
	bool ok;

	if (json_get_str(content, STR("mime_type"), 128, &mime)) {
		rule = media_rule_of(mime);
		if (rule == NULL)
			return gw_error_set(err, GW_EARG, "mime_type: %.*s is no type of media",
					    STR_ARG(mime));
	}
	if (json_exists(json_member(content, STR("data"))) &&
	    !json_get_str(content, STR("data"), SANDBOX_BODY_MAX, &data))
		return gw_error_set(err, GW_EARG, "data: want the file in base64");
	bytes = xmalloc(data.len + 1);
	if (!b64_decode(data, bytes, data.len, &len)) {
		free(bytes);
		return gw_error_set(err, GW_EARG, "data: want the file in base64");
	}
	ok = media_add(w, n, MEDIA_RECEIVED, rule, str_make(bytes, len), &m, &why);
	free(bytes);
	if (!ok)
		return gw_error_set(err, GW_ELIMIT, "%s", why.details);
	*out = m;
	return GW_OK;
}
