/* SPDX-License-Identifier: MIT */
/*
 * api_tables.c - destinations, keys, numbers, version and configuration
 *
 * A change is committed first, then taken over in memory, then answered.
 *
 * THREADS  The loop's.
 * TESTS    tests/system/test_cli.py, tests/system/test_access.py
 */
#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "net/egress.h"
#include "server/api.h"
#include "server/stream.h"

#define NAME_MAX_BYTES 128
#define SIGNING_SECRET_BYTES 24 /* Standard Webhooks: 24 to 64 */
#define SMALL_ANSWER (1U << 20)

/* One change of a small table on its way to the store. */
struct table_change {
	union {
		struct store_req req;
		struct store_put_destination destination;
		struct store_put_key key;
	} u;
	struct server *server;
	struct http_call *call;
	struct arena *arena; /* owns every string of the request */
	char secret[KEY_TEXT_MAX + 32]; /* shown once in the answer */
};

static struct table_change *change_new(struct api_request *r, struct arena *a, enum store_op op,
				       void (*done)(struct store_req *))
{
	struct table_change *c = xcalloc(1, sizeof(*c));

	c->u.req.op = op;
	c->u.req.done = done;
	c->server = r->server;
	c->call = r->call;
	c->arena = a;
	return c;
}

static void change_free(struct table_change *c)
{
	explicit_bzero(c->secret, sizeof(c->secret));
	arena_free(c->arena);
	free(c);
}

static bool change_failed(struct table_change *c)
{
	if (c->u.req.status == GW_OK)
		return false;
	api_error(c->call, 503, "busy", "store", "the change was not stored; nothing happened");
	change_free(c);
	return true;
}

static void kv_time_ms(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_RFC3339_MAX];

	clock_format_ms(ms, text);
	json_w_kv_text(w, key, ms > 0 ? text : NULL);
}

/* Wrap `put` in {"data":[...]}. */
static void reply_list(struct api_request *r,
		       void (*put)(struct json_writer *w, const struct api_request *r))
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, SMALL_ANSWER * 8);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	put(&w, r);
	json_w_end(&w);
	json_w_key(&w, STR("page"));
	json_w_object(&w);
	json_w_kv_null(&w, "next");
	json_w_end(&w);
	json_w_end(&w);
	api_reply(r->call, 200, &b);
}

/* ---- destinations ---- */

static void put_destination(struct json_writer *w, const struct destination *d, const char *secret)
{
	char id[ID_TEXT_MAX];

	id_text(ID_DESTINATION, &d->id, id);
	json_w_object(w);
	json_w_kv_text(w, "id", id);
	json_w_kv_text(w, "name", d->name);
	json_w_kv_text(w, "url", d->url);
	json_w_kv_text(w, "format", destination_format_name(d->format));
	json_w_key(w, STR("filter"));
	json_w_raw(w, d->filter_json[0] == '\0' ? STR("{}") : str_from(d->filter_json));
	json_w_kv_bool(w, "include_raw", d->include_raw);
	json_w_kv_bool(w, "relay_stale", d->relay_stale);
	json_w_kv_text(w, "state", d->disabled ? "disabled" : "active");
	kv_time_ms(w, "created_at", d->created_ms);
	if (secret != NULL)
		json_w_kv_text(w, "secret", secret);
	json_w_end(w);
}

static void put_destinations(struct json_writer *w, const struct api_request *r)
{
	for (size_t i = 0; i < destinations_count(r->server->destinations); i++) {
		const struct destination *d = destinations_at(r->server->destinations, i);

		if (api_owns_filter(r, d->filter))
			put_destination(w, d, NULL);
	}
}

void api_destination_list(struct api_request *r)
{
	reply_list(r, put_destinations);
}

static void on_destination_added(struct store_req *req)
{
	struct table_change *c = CONTAINER_OF(req, struct table_change, u.req);
	struct destination *d = NULL;
	struct json_writer w;
	struct buf b;

	if (change_failed(c))
		return;
	if (destinations_put(c->server->destinations, &c->u.destination.d, &d, NULL) != GW_OK) {
		/* checked before it was stored; only the number of destinations can have grown */
		api_error(c->call, 409, "state", "too_many", "there are too many destinations");
		change_free(c);
		return;
	}
	relay_destination_changed(c->server->relay, d->row);
	buf_init(&b, SMALL_ANSWER);
	json_w_init(&w, &b);
	put_destination(&w, d, c->secret);
	api_reply(c->call, 201, &b);
	change_free(c);
}

static bool check_destination(struct api_request *r, const struct store_destination *d)
{
	struct gw_error err = GW_ERROR_INIT;
	struct filter *filter = NULL;
	bool ok, owns;

	(void)destination_format_parse(d->format, &ok);
	if (!ok) {
		api_error(r->call, 400, "usage", "bad_format",
			  "format: want godwit, meta or cloudevents, got \"%.*s\"",
			  STR_ARG(d->format));
		return false;
	}
	if (egress_check_url(d->url, r->server->cfg->relay_https_only, &err) != GW_OK ||
	    filter_parse(d->filter, &filter, &err) != GW_OK) {
		api_error(r->call, 400, "usage", "bad_destination", "%s", err.message);
		return false;
	}
	owns = api_owns_filter(r, filter);
	filter_free(filter);
	if (!owns) {
		api_number_key(r, "filter.numbers must name numbers of the key, and no others");
		return false;
	}
	if (destinations_count(r->server->destinations) == STORE_DESTINATIONS_MAX) {
		api_error(r->call, 409, "state", "too_many", "there are %d destinations already",
			  STORE_DESTINATIONS_MAX);
		return false;
	}
	return true;
}

static void new_signing_secret(struct server *s, struct table_change *c)
{
	unsigned char *raw = arena_alloc(c->arena, SIGNING_SECRET_BYTES);

	ASSERT(raw != NULL);
	rnd_bytes(&s->rnd, raw, SIGNING_SECRET_BYTES);
	(void)str_copy(STR("whsec_"), c->secret, sizeof(c->secret));
	(void)b64_encode(raw, SIGNING_SECRET_BYTES, c->secret + sizeof("whsec_") - 1);
	c->u.destination.d.secret = str_make((const char *)raw, SIGNING_SECRET_BYTES);
}

void api_destination_add(struct api_request *r)
{
	static const struct api_member known[] = {
		{ "url", API_OTHER, 0 },        { "format", API_TEXT, 32 },
		{ "filter", API_OTHER, 0 },     { "name", API_TEXT, NAME_MAX_BYTES },
		{ "include_raw", API_FLAG, 0 }, { "relay_stale", API_FLAG, 0 }
	};
	struct arena *a = arena_new(2U << 20);
	struct store_destination d = { .format = STR("godwit"), .relay_stale = true };
	struct table_change *c;
	struct json_val body;

	ASSERT(a != NULL);
	if (!api_body(r, a, known, ARRAY_LEN(known), &body))
		goto refused;
	if (!json_get_str(body, STR("url"), DESTINATION_URL_MAX, &d.url)) {
		api_error(r->call, 400, "usage", "bad_url", "url: want a URL of at most %d bytes",
			  DESTINATION_URL_MAX);
		goto refused;
	}
	(void)json_get_str(body, STR("format"), 32, &d.format);
	(void)json_get_str(body, STR("name"), NAME_MAX_BYTES, &d.name);
	(void)json_get_bool(body, STR("include_raw"), &d.include_raw);
	(void)json_get_bool(body, STR("relay_stale"), &d.relay_stale);
	if (json_exists(json_member(body, STR("filter"))))
		d.filter = json_bytes(json_member(body, STR("filter")));
	if (!check_destination(r, &d))
		goto refused;
	/* the body goes with the call: keep what the store and the answer need */
	d.url = arena_str(a, d.url);
	d.name = arena_str(a, d.name);
	d.format = arena_str(a, d.format);
	d.filter = arena_str(a, d.filter);
	d.state = "active";
	d.created_ms = clock_wall_ms(&r->server->clock);
	id_make(&r->server->ids, &r->server->clock, &r->server->rnd, &d.id);
	c = change_new(r, a, STORE_PUT_DESTINATION, on_destination_added);
	c->u.destination.d = d;
	new_signing_secret(r->server, c);
	store_submit(r->server->store, &c->u.req);
	return;
refused:
	arena_free(a);
}

static struct destination *wanted_destination(struct api_request *r)
{
	struct destination *d;
	struct id id;

	if (!api_id(r, ID_DESTINATION, r->arg[0], &id))
		return NULL;
	d = destinations_by_id(r->server->destinations, &id);
	if (d != NULL && api_owns_filter(r, d->filter))
		return d;
	api_error(r->call, 404, "not_found", "no_such_destination", "there is no such destination");
	return NULL;
}

static void on_destination_removed(struct store_req *req)
{
	struct table_change *c = CONTAINER_OF(req, struct table_change, u.req);

	if (change_failed(c))
		return;
	destinations_remove(c->server->destinations, c->u.destination.d.row);
	relay_destination_changed(c->server->relay, c->u.destination.d.row);
	http_reply_json(c->call, 200, STR("{\"removed\":true}"));
	change_free(c);
}

static void row_of(const struct destination *d, struct arena *a, struct store_destination *out)
{
	*out = (struct store_destination){
		.row = d->row,
		.id = d->id,
		.name = arena_str(a, str_from(d->name)),
		.url = arena_str(a, str_from(d->url)),
		.format = str_from(destination_format_name(d->format)),
		.filter = arena_str(a, str_from(d->filter_json)),
		.include_raw = d->include_raw,
		.relay_stale = d->relay_stale,
		.state = d->disabled ? "disabled" : "active",
		.created_ms = d->created_ms,
	};
}

void api_destination_remove(struct api_request *r)
{
	struct destination *d = wanted_destination(r);
	struct table_change *c;

	if (d == NULL)
		return;
	c = change_new(r, arena_new(1U << 20), STORE_PUT_DESTINATION, on_destination_removed);
	ASSERT(c->arena != NULL);
	row_of(d, c->arena, &c->u.destination.d);
	c->u.destination.d.removed = true; /* its secret is not written again */
	store_submit(r->server->store, &c->u.req);
}

static void on_tested(void *cookie, const struct relay_test_result *res)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, SMALL_ANSWER);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_bool(&w, "ok", res->status >= 200 && res->status < 300);
	json_w_kv_i64(&w, "status", res->status);
	json_w_kv_i64(&w, "ms", res->total_ms);
	json_w_kv_str(&w, "answer", res->answer);
	if (res->error.status != GW_OK)
		json_w_kv_text(&w, "error", res->error.message);
	json_w_end(&w);
	api_reply(cookie, 200, &b);
}

void api_destination_test(struct api_request *r)
{
	struct destination *d = wanted_destination(r);

	if (d != NULL)
		relay_test(r->server->relay, d, on_tested, r->call);
}

/* ---- keys ---- */

static void put_key(struct json_writer *w, const struct key *k, const char *text)
{
	char id[ID_TEXT_MAX];
	struct str rest = str_from(k->numbers), one;

	id_text(ID_KEY, &k->id, id);
	json_w_object(w);
	json_w_kv_text(w, "id", id);
	json_w_kv_text(w, "name", k->name);
	json_w_kv_text(w, "scopes", k->scopes_text);
	json_w_key(w, STR("numbers"));
	json_w_array(w);
	while (rest.len > 0 && str_split(&rest, ',', &one))
		json_w_str(w, one);
	json_w_end(w);
	kv_time_ms(w, "created_at", k->created_ms);
	kv_time_ms(w, "revoked_at", k->revoked_ms);
	if (text != NULL)
		json_w_kv_text(w, "key", text);
	json_w_end(w);
}

static void put_keys(struct json_writer *w, const struct api_request *r)
{
	for (size_t i = 0; i < keys_count(r->server->keys); i++)
		put_key(w, keys_at(r->server->keys, i), NULL);
}

void api_key_list(struct api_request *r)
{
	reply_list(r, put_keys);
}

static void on_key_added(struct store_req *req)
{
	struct table_change *c = CONTAINER_OF(req, struct table_change, u.req);
	struct json_writer w;
	struct key *k;
	struct buf b;

	if (change_failed(c))
		return;
	k = keys_put(c->server->keys, &c->u.key.k);
	buf_init(&b, SMALL_ANSWER);
	json_w_init(&w, &b);
	put_key(&w, k, c->secret);
	api_reply(c->call, 201, &b);
	change_free(c);
}

/* A list of strings as one string with commas; false: not a list of strings. */
static bool join_list(struct json_val list, struct arena *a, struct str *out)
{
	struct json_iter it;
	struct json_val v;
	struct str one;
	struct buf b;

	*out = STR_EMPTY;
	if (!json_exists(list))
		return true;
	if (json_type(list) != JSON_ARRAY)
		return false;
	buf_init(&b, 8192);
	for (it = json_iter(list); json_next(&it, &v);) {
		if (!json_str(v, 128, &one) || one.len == 0) {
			buf_release(&b);
			return false;
		}
		if (b.len > 0)
			buf_put_char(&b, ',');
		buf_put_str(&b, one);
	}
	*out = arena_str(a, buf_str(&b));
	buf_release(&b);
	return out->ptr != NULL;
}

static bool is_number_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.ptr[i] <= ' ' || id.ptr[i] >= 0x7f || id.ptr[i] == ',')
			return false;
	return true;
}

/* They are kept as one string with commas: what no id can be would make another list of it. */
static bool check_numbers(struct api_request *r, struct json_val list)
{
	struct json_iter it;
	struct json_val v;
	struct str one;

	for (it = json_iter(list); json_next(&it, &v);) {
		if (json_str(v, 128, &one) && is_number_id(one))
			continue;
		api_error(r->call, 400, "usage", "bad_number",
			  "numbers: want ids as in GET /api/v1/numbers, got \"%.*s\"",
			  STR_ARG(one));
		return false;
	}
	return true;
}

void api_key_add(struct api_request *r)
{
	static const struct api_member known[] = { { "name", API_TEXT, NAME_MAX_BYTES },
						   { "scopes", API_OTHER, 0 },
						   { "numbers", API_OTHER, 0 } };
	struct arena *a = arena_new(2U << 20);
	struct gw_error err = GW_ERROR_INIT;
	struct store_key k = { 0 };
	struct table_change *c;
	struct json_val body;
	unsigned scopes;

	ASSERT(a != NULL);
	if (!api_body(r, a, known, ARRAY_LEN(known), &body))
		goto refused;
	if (!join_list(json_member(body, STR("scopes")), a, &k.scopes) ||
	    !join_list(json_member(body, STR("numbers")), a, &k.numbers)) {
		api_error(r->call, 400, "usage", "bad_list",
			  "scopes and numbers are lists of strings");
		goto refused;
	}
	if (k.numbers.len > 0 && !check_numbers(r, json_member(body, STR("numbers"))))
		goto refused;
	if (!scopes_parse(k.scopes, &scopes, &err)) {
		api_error(r->call, 400, "usage", "bad_scope", "%s", err.message);
		goto refused;
	}
	if (keys_count(r->server->keys) == KEYS_MAX) {
		api_error(r->call, 409, "state", "too_many", "there are %d keys already", KEYS_MAX);
		goto refused;
	}
	(void)json_get_str(body, STR("name"), NAME_MAX_BYTES, &k.name);
	k.name = arena_str(a, k.name);
	k.created_ms = clock_wall_ms(&r->server->clock);
	id_make(&r->server->ids, &r->server->clock, &r->server->rnd, &k.id);
	c = change_new(r, a, STORE_PUT_KEY, on_key_added);
	key_make(&r->server->rnd, c->secret);
	key_hash(str_from(c->secret), k.hash);
	c->u.key.k = k;
	store_submit(r->server->store, &c->u.req);
	return;
refused:
	arena_free(a);
}

static void on_key_revoked(struct store_req *req)
{
	struct table_change *c = CONTAINER_OF(req, struct table_change, u.req);

	if (change_failed(c))
		return;
	(void)keys_put(c->server->keys, &c->u.key.k);
	streams_revoke(c->server->streams, &c->u.key.k.id);
	http_reply_json(c->call, 200, STR("{\"revoked\":true}"));
	change_free(c);
}

void api_key_revoke(struct api_request *r)
{
	struct table_change *c;
	struct key *k;
	struct id id;

	if (!api_id(r, ID_KEY, r->arg[0], &id))
		return;
	k = keys_by_id(r->server->keys, &id);
	if (k == NULL) {
		api_error(r->call, 404, "not_found", "no_such_key", "there is no such key");
		return;
	}
	c = change_new(r, arena_new(64U << 10), STORE_PUT_KEY, on_key_revoked);
	ASSERT(c->arena != NULL);
	c->u.key.k = (struct store_key){ .row = k->row,
					 .id = k->id,
					 .name = arena_str(c->arena, str_from(k->name)),
					 .scopes = arena_str(c->arena, str_from(k->scopes_text)),
					 .numbers = arena_str(c->arena, str_from(k->numbers)),
					 .created_ms = k->created_ms,
					 .revoked_ms = clock_wall_ms(&r->server->clock) };
	memcpy(c->u.key.k.hash, k->hash, SHA256_BYTES);
	store_submit(r->server->store, &c->u.req);
}

/* ---- what there is ---- */

void api_version(struct api_request *r)
{
	struct server *s = r->server;
	struct json_writer w;
	struct buf b;

	buf_init(&b, SMALL_ANSWER);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "name", "godwit");
	json_w_kv_text(&w, "version", GODWIT_VERSION);
	json_w_kv_text(&w, "profile", s->cfg->profile);
	kv_time_ms(&w, "started_at", s->started_ms);
	json_w_key(&w, STR("number_ids"));
	json_w_array(&w);
	for (size_t i = 0; i < accounts_number_count(s->accounts); i++) {
		struct str id = str_from(accounts_number_at(s->accounts, i)->id);

		if (numbers_have(api_numbers(r), id))
			json_w_str(&w, id);
	}
	json_w_end(&w);
	json_w_end(&w);
	api_reply(r->call, 200, &b);
}

void api_config(struct api_request *r)
{
	struct buf b;

	buf_init(&b, SMALL_ANSWER);
	buf_put_text(&b, "{\"data\":");
	config_describe(r->server->config, &b);
	buf_put_text(&b, "}");
	api_reply(r->call, 200, &b);
}
