/* SPDX-License-Identifier: MIT */
/*
 * customer_say.c - a customer writes
 *
 * Shapes: cloud-api.md 5.2 and 5.3 with the business-scoped ids of 6.9, read
 * 2026-11: `from` and `wa_id` are left out when the phone is hidden.
 * TESTS  tests/unit/test_sandbox_world.c
 */
#include "sandbox/customer_int.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "sandbox/media.h"

#define SAY_ARENA_MAX (1U << 20) /* a text of 4096 characters, scanned once */

size_t customers_inbound_count(const struct customers *c)
{
	return (size_t)c->inbound_count;
}

bool customers_knows_wamid(const struct customers *c, struct str wamid)
{
	return map_get(c->inbound, wamid) != NULL;
}

static void remember(struct customers *all, const char *wamid)
{
	char **slot = &all->ring[all->ring_at];

	if (*slot != NULL) {
		(void)map_remove(all->inbound, str_from(*slot));
		free(*slot);
	}
	*slot = xstrdup(wamid);
	(void)map_set(all->inbound, str_from(*slot), *slot);
	all->ring_at = (all->ring_at + 1) % SANDBOX_INBOUND_MAX;
	all->inbound_count++;
}

void customer_name(const struct customer *c, char *out, size_t cap)
{
	size_t len = strlen(c->phone);

	if (c->name != NULL)
		(void)snprintf(out, cap, "%s", c->name);
	else
		(void)snprintf(out, cap, "Customer %s", c->phone + (len > 4 ? len - 4 : 0));
}

void customer_write_contact(const struct world *w, const struct customer *c, struct json_writer *jw)
{
	char name[256];

	customer_name(c, name, sizeof(name));
	json_w_object(jw);
	json_w_key(jw, STR("profile"));
	json_w_object(jw);
	json_w_kv_text(jw, "name", name);
	if (c->mode != CUSTOMER_PHONE && c->username != NULL)
		json_w_kv_text(jw, "username", c->username);
	json_w_end(jw);
	if (customer_shows_phone(w, c))
		json_w_kv_text(jw, "wa_id", c->phone);
	json_w_kv_text(jw, "user_id", c->user_id);
	json_w_end(jw);
}

/* The id the script gave, or a new one. */
static gw_status pick_wamid(struct world *w, const struct customer *c, struct json_val message,
			    char wamid[WAMID_MAX], struct gw_error *err)
{
	struct json_val given = json_member(message, STR("id"));
	struct str id;

	if (!json_exists(given)) {
		world_wamid(w, WAMID_INBOUND, str_from(c->phone), wamid);
		return GW_OK;
	}
	if (!json_str(given, WAMID_MAX - 1, &id) || id.len == 0)
		return gw_error_set(err, GW_EARG, "message.id: want 1 to %d characters",
				    WAMID_MAX - 1);
	(void)str_copy(id, wamid, WAMID_MAX);
	return GW_OK;
}

/* A file of this message: what the script said of it, then what the sandbox knows. */
static void write_media(const struct world *w, struct json_val content, const struct media *file,
			struct json_writer *jw)
{
	char sum[B64_LEN(SHA256_BYTES) + 1], url[MEDIA_URL_MAX];
	struct json_iter it;
	struct json_val v;
	bool has_type = false;

	json_w_object(jw);
	for (it = json_iter(content); json_next(&it, &v);) {
		if (str_eq(it.key, STR("data")) || str_eq(it.key, STR("sha256")) ||
		    str_eq(it.key, STR("url")))
			continue;
		has_type = has_type || str_eq(it.key, STR("mime_type"));
		json_w_key(jw, it.key);
		json_w_raw(jw, json_bytes(v));
	}
	if (!has_type)
		json_w_kv_text(jw, "mime_type", file->rule->mime);
	(void)b64_encode(file->sha, SHA256_BYTES, sum);
	json_w_kv_text(jw, "sha256", sum);
	json_w_kv_text(jw, "id", file->id);
	if (w->settings.media_url && w->host[0] != '\0') {
		media_url(w, file, str_from(w->host), url);
		json_w_kv_text(jw, "url", url);
	}
	json_w_end(jw);
}

/* A message of media without an id brings its own file; *out is NULL for all others. */
static gw_status receive(struct world *w, const struct number *n, struct json_val message,
			 const struct media **out, struct gw_error *err)
{
	struct json_val content;
	struct str type;

	*out = NULL;
	if (!json_get_str(message, STR("type"), 32, &type) || media_rule_of_kind(type) == NULL)
		return GW_OK;
	content = json_member(message, type);
	if (json_type(content) != JSON_OBJECT || json_exists(json_member(content, STR("id"))))
		return GW_OK;
	return media_receive(w, n, type, content, out, err);
}

static void write_message(const struct world *w, const struct customer *c, struct json_val message,
			  const char *wamid, const struct media *file, struct json_writer *jw)
{
	struct json_iter it;
	struct json_val v;
	struct str type = STR_EMPTY;
	char stamp[24];

	(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)clock_wall_s(w->clock));
	(void)json_get_str(message, STR("type"), 32, &type);
	json_w_object(jw);
	if (!json_exists(json_member(message, STR("from"))) && customer_shows_phone(w, c))
		json_w_kv_text(jw, "from", c->phone);
	if (!json_exists(json_member(message, STR("from_user_id"))))
		json_w_kv_text(jw, "from_user_id", c->user_id);
	json_w_kv_text(jw, "id", wamid);
	if (!json_exists(json_member(message, STR("timestamp"))))
		json_w_kv_text(jw, "timestamp", stamp);
	for (it = json_iter(message); json_next(&it, &v);) {
		if (str_eq(it.key, STR("id")))
			continue;
		json_w_key(jw, it.key);
		if (file != NULL && str_eq(it.key, type))
			write_media(w, v, file, jw);
		else
			json_w_raw(jw, json_bytes(v));
	}
	json_w_end(jw);
}

gw_status customer_say(struct world *w, struct customer *c, struct number *n,
		       struct json_val message, char wamid[WAMID_MAX], struct gw_error *err)
{
	const struct media *file;
	struct json_writer jw;
	gw_status st;

	if (json_type(message) != JSON_OBJECT || !json_exists(json_member(message, STR("type"))))
		return gw_error_set(err, GW_EARG, "message: want an object with a type");
	st = pick_wamid(w, c, message, wamid, err);
	if (st == GW_OK)
		st = receive(w, n, message, &file, err);
	if (st != GW_OK)
		return st;
	customer_pair(c, n)->window_until_ns = world_now_ns(w) + WINDOW_NS;
	world_count_inbound(w, n);
	remember(w->customers, wamid);
	world_begin_change(w, &jw, n);
	json_w_key(&jw, STR("contacts"));
	json_w_array(&jw);
	customer_write_contact(w, c, &jw);
	json_w_end(&jw);
	json_w_key(&jw, STR("messages"));
	json_w_array(&jw);
	write_message(w, c, message, wamid, file, &jw);
	json_w_end(&jw);
	world_end_change(w, &jw);
	return GW_OK;
}

gw_status customer_say_text(struct world *w, struct customer *c, struct number *n, struct str text,
			    char wamid[WAMID_MAX], struct gw_error *err)
{
	struct arena *arena = arena_new(SAY_ARENA_MAX);
	const struct json_doc *doc;
	struct json_writer jw;
	struct buf b;
	gw_status st;

	buf_init(&b, SAY_ARENA_MAX / 8);
	json_w_init(&jw, &b);
	json_w_object(&jw);
	json_w_kv_text(&jw, "type", "text");
	json_w_key(&jw, STR("text"));
	json_w_object(&jw);
	json_w_kv_str(&jw, "body", text);
	json_w_end(&jw);
	json_w_end(&jw);
	if (arena == NULL || buf_failed(&b))
		st = gw_error_set(err, GW_ELIMIT, "text: too long");
	else
		st = json_scan(buf_str(&b), arena, &doc, err);
	if (st == GW_OK)
		st = customer_say(w, c, n, json_root(doc), wamid, err);
	buf_release(&b);
	arena_free(arena);
	return st;
}

void customers_say_hello(struct world *w)
{
	struct customer *ana = customer_by_phone(w, STR(SEEDED_PHONE), true);
	char wamid[WAMID_MAX];

	if (customer_say_text(w, ana, w->numbers[0], STR("Hi! Is this the sandbox?"), wamid,
			      NULL) != GW_OK)
		log_error(w->log, "sandbox: the seeded customer could not write");
}
