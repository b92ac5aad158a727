/* SPDX-License-Identifier: MIT */
/*
 * control.c - the orders of the control API
 *
 * ROLE        One row per order; each reads an object, changes one thing and
 *             answers JSON.  Unknown members are refused, so that a misspelt
 *             test does not pass.  Calls from other web pages are refused by
 *             their Origin.
 * FAILURE     {"error":"…"} with 400, 403, 404, 409 or 413.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_run.c
 */
#include "sandbox/control_int.h"

#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/customer.h"
#include "sandbox/delivery.h"
#include "sandbox/metaerr.h"
#include "sandbox/template.h"

#define CONTROL_ARENA_MAX SANDBOX_ARENA_MAX

gw_status ctl_only(struct ctl *c, const char *known)
{
	struct json_iter it;
	struct json_val v;

	if (json_type(c->body) != JSON_OBJECT)
		return gw_error_set(&c->err, GW_EARG, "want a JSON object with: %s", known);
	for (it = json_iter(c->body); json_next(&it, &v);) {
		struct str rest = str_from(known), word;
		bool found = false;

		while (!found && str_split(&rest, ' ', &word))
			found = str_eq(word, it.key);
		if (!found)
			return gw_error_set(&c->err, GW_EARG, "unknown member %.*s, want: %s",
					    STR_ARG(it.key), known);
	}
	return GW_OK;
}

struct number *ctl_number(struct ctl *c, const char *key)
{
	struct world *w = c->control->world;
	struct str id;

	if (!json_get_text(c->body, str_from(key), GRAPH_ID_MAX, &id))
		return w->numbers[0];
	return world_number(w, id);
}

static void put_ok(struct ctl *c)
{
	json_w_object(&c->w);
	json_w_kv_bool(&c->w, "ok", true);
	json_w_end(&c->w);
}

/* A customer named by phone ("+55…" or digits) or BSUID; made when unknown and a phone. */
static gw_status read_customer(struct ctl *c, const char *key, struct customer **out)
{
	struct world *w = c->control->world;
	char digits[PHONE_MAX];
	struct str text;

	if (!json_get_text(c->body, str_from(key), USER_ID_MAX, &text))
		return gw_error_set(&c->err, GW_EARG, "%s: want a phone number or a user id", key);
	*out = customer_by_user_id(w, text);
	if (*out != NULL)
		return GW_OK;
	if (!customer_normalize(w, w->numbers[0], text, digits))
		return gw_error_set(&c->err, GW_EARG, "%s: %.*s is no phone number", key,
				    STR_ARG(text));
	*out = customer_by_phone(w, str_from(digits), true);
	if (*out == NULL)
		return gw_error_set(&c->err, GW_ELIMIT, "the sandbox holds %d customers already",
				    SANDBOX_CUSTOMERS_MAX);
	return GW_OK;
}

static gw_status post_say(struct ctl *c)
{
	struct json_val message = json_member(c->body, STR("message"));
	struct world *w = c->control->world;
	struct customer *customer;
	char wamid[WAMID_MAX];
	struct number *n;
	struct str text;
	gw_status st;

	st = ctl_only(c, "from to text message");
	if (st == GW_OK)
		st = read_customer(c, "from", &customer);
	if (st != GW_OK)
		return st;
	n = ctl_number(c, "to");
	if (n == NULL)
		return gw_error_set(&c->err, GW_ENOTFOUND, "to: no such number id");
	if (json_get_str(c->body, STR("text"), 65536, &text) && !json_exists(message))
		st = customer_say_text(w, customer, n, text, wamid, &c->err);
	else if (json_exists(message))
		st = customer_say(w, customer, n, message, wamid, &c->err);
	else
		st = gw_error_set(&c->err, GW_EARG, "want either text or message");
	if (st != GW_OK)
		return st;
	json_w_object(&c->w);
	json_w_kv_text(&c->w, "id", wamid);
	json_w_kv_text(&c->w, "from", customer->phone);
	json_w_kv_text(&c->w, "user_id", customer->user_id);
	json_w_kv_text(&c->w, "to", n->id);
	json_w_end(&c->w);
	return GW_OK;
}

static gw_status post_clock(struct ctl *c)
{
	gw_status st = ctl_only(c, "advance advance_ms freeze resume set");

	if (st == GW_OK)
		st = simclock_change(c->control->clock, c->body, &c->err);
	if (st != GW_OK)
		return st;
	c->taken = true;
	simclock_settle(c->control->clock, c->call);
	return GW_OK;
}

static gw_status post_inject(struct ctl *c)
{
	uint64_t id;
	gw_status st;

	st = ctl_only(c, "target next every always number to fault code http details retry_after "
			 "delay_ms");
	if (st == GW_OK)
		st = faults_add(c->control->faults, c->body, &id, &c->err);
	if (st != GW_OK)
		return st;
	json_w_object(&c->w);
	json_w_kv_i64(&c->w, "id", (int64_t)id);
	json_w_end(&c->w);
	return GW_OK;
}

static gw_status get_inject(struct ctl *c)
{
	faults_write(c->control->faults, &c->w);
	return GW_OK;
}

/* DELETE inject: all; DELETE inject/ID: one.  Calls that hang are cut. */
static gw_status delete_inject(struct ctl *c)
{
	uint64_t id;

	if (c->rest.len == 0)
		faults_clear(c->control->faults);
	else if (!str_to_u64(c->rest, &id) || !faults_remove(c->control->faults, id))
		return gw_error_set(&c->err, GW_ENOTFOUND, "there is no such rule");
	answers_release(c->control->answers);
	put_ok(c);
	return GW_OK;
}

static gw_status post_webhooks(struct ctl *c)
{
	struct str word, rest = c->rest, body;
	uint64_t id;
	gw_status st;

	if (rest.len > 0) {
		if (!str_split(&rest, '/', &word) || !str_to_u64(word, &id) ||
		    !str_eq(rest, STR("redeliver")))
			return gw_error_set(&c->err, GW_ENOTFOUND, "want webhooks/ID/redeliver");
		st = hooks_redeliver(c->control->hooks, id, &c->err);
		if (st != GW_OK)
			return st;
	} else {
		st = ctl_only(c, "body");
		if (st != GW_OK)
			return st;
		if (!json_get_str(c->body, STR("body"), SANDBOX_BODY_MAX, &body))
			return gw_error_set(&c->err, GW_EARG, "body: want the webhook as a string");
		id = hooks_raw(c->control->hooks, body);
		if (id == 0)
			return gw_error_set(&c->err, GW_EBUSY, "too many webhooks are pending");
	}
	json_w_object(&c->w);
	json_w_kv_i64(&c->w, "id", (int64_t)id);
	json_w_end(&c->w);
	return GW_OK;
}

static gw_status post_callback(struct ctl *c)
{
	struct str url, token;
	gw_status st;

	st = ctl_only(c, "url verify_token");
	if (st != GW_OK)
		return st;
	if (!json_get_str(c->body, STR("url"), 4096, &url))
		return gw_error_set(&c->err, GW_EARG, "url: want a string, empty for none");
	if (json_get_str(c->body, STR("verify_token"), SECRET_MAX, &token))
		hooks_set_verify_token(c->control->hooks, token);
	st = hooks_set_callback(c->control->hooks, url, &c->err);
	if (st == GW_OK)
		put_ok(c);
	return st;
}

static void replace_text(char **slot, struct json_val body, struct str key)
{
	struct str text;

	if (!json_get_str(body, key, 256, &text))
		return;
	free(*slot);
	*slot = text.len == 0 ? NULL : xstrndup(text);
}

static gw_status read_mode(struct ctl *c, struct customer *customer)
{
	static const char *const words[] = { "phone", "username", "hidden" };
	struct json_val v = json_member(c->body, STR("mode"));
	struct str word;

	if (!json_exists(v))
		return GW_OK;
	for (size_t i = 0; json_str(v, 16, &word) && i < ARRAY_LEN(words); i++) {
		if (str_eq(word, str_from(words[i]))) {
			customer->mode = (enum customer_mode)i;
			return GW_OK;
		}
	}
	return gw_error_set(&c->err, GW_EARG, "mode: want phone, username or hidden");
}

static gw_status read_user_id(struct ctl *c, struct customer *customer)
{
	struct json_val v = json_member(c->body, STR("user_id"));
	struct customer *other;
	struct str text;

	if (!json_exists(v))
		return GW_OK;
	if (!json_str(v, USER_ID_MAX - 1, &text) || text.len < 4)
		return gw_error_set(&c->err, GW_EARG, "user_id: want an id such as US.1349…");
	other = customer_by_user_id(c->control->world, text);
	if (other != NULL && other != customer)
		return gw_error_set(&c->err, GW_ESTATE, "user_id: another customer has it");
	customer_set_user_id(c->control->world, customer, text);
	return GW_OK;
}

/* -1: as the settings say for everybody. */
static gw_status read_delays(struct ctl *c, struct customer *customer)
{
	static const char *const keys[] = { "sent_ms", "delivered_ms", "read_ms" };
	int64_t delay_ms[ARRAY_LEN(keys)];
	gw_status st = GW_OK;

	memcpy(delay_ms, customer->delay_ms, sizeof(delay_ms));
	for (size_t i = 0; i < ARRAY_LEN(keys) && st == GW_OK; i++)
		st = json_read_i64(c->body, keys[i], -1, CUSTOMER_DELAY_MAX_MS, &delay_ms[i],
				   &c->err);
	if (st == GW_OK)
		memcpy(customer->delay_ms, delay_ms, sizeof(delay_ms));
	return st;
}

static gw_status post_customers(struct ctl *c)
{
	struct customer *customer;
	gw_status st;

	st = ctl_only(c, "phone name user_id username mode reads on_whatsapp blocked sent_ms "
			 "delivered_ms read_ms");
	if (st == GW_OK)
		st = read_customer(c, "phone", &customer);
	if (st == GW_OK)
		st = read_mode(c, customer);
	if (st == GW_OK)
		st = read_user_id(c, customer);
	if (st == GW_OK)
		st = read_delays(c, customer);
	if (st != GW_OK)
		return st;
	replace_text(&customer->name, c->body, STR("name"));
	replace_text(&customer->username, c->body, STR("username"));
	(void)json_get_bool(c->body, STR("reads"), &customer->reads);
	(void)json_get_bool(c->body, STR("on_whatsapp"), &customer->on_whatsapp);
	(void)json_get_bool(c->body, STR("blocked"), &customer->blocked);
	json_w_object(&c->w);
	json_w_kv_text(&c->w, "phone", customer->phone);
	json_w_kv_text(&c->w, "user_id", customer->user_id);
	json_w_end(&c->w);
	return GW_OK;
}

/* Words that Graph shows instead of what is so; a status but CONNECTED also stops sending. */
static void read_words(struct ctl *c, struct number *n)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} words[] = { { "status", n->status, sizeof(n->status) },
		      { "quality_rating", n->quality, sizeof(n->quality) },
		      { "name_status", n->name_status, sizeof(n->name_status) },
		      { "platform_type", n->platform_type, sizeof(n->platform_type) },
		      { "messaging_limit", n->messaging_limit, sizeof(n->messaging_limit) } };
	struct str text;
	bool verified;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (json_get_str(c->body, str_from(words[i].key), words[i].size - 1, &text))
			(void)str_copy(text, words[i].to, words[i].size);
	if (json_get_str(c->body, STR("status"), sizeof(n->status) - 1, &text) && text.len > 0)
		n->registered = str_eq(text, STR("CONNECTED")) || str_eq(text, STR("FLAGGED")) ||
				str_eq(text, STR("RESTRICTED")) ||
				str_eq(text, STR("RATE_LIMITED"));
	if (json_get_bool(c->body, STR("verified"), &verified))
		n->unverified = !verified;
}

/* {"allowed":["+55…"]}: a test number that writes to these alone; null: no test number. */
static gw_status post_recipients(struct ctl *c)
{
	struct json_val list = json_member(c->body, STR("allowed")), v;
	struct number *n = ctl_number(c, "number");
	char kept[NUMBER_ALLOWED_MAX][PHONE_MAX];
	struct json_iter it;
	struct str text;
	size_t count = 0;
	gw_status st = ctl_only(c, "number allowed");

	if (st != GW_OK)
		return st;
	if (n == NULL)
		return gw_error_set(&c->err, GW_ENOTFOUND, "number: no such number id");
	if (json_count(list) > NUMBER_ALLOWED_MAX)
		return gw_error_set(&c->err, GW_ELIMIT, "allowed: at most %d", NUMBER_ALLOWED_MAX);
	for (it = json_iter(list); json_next(&it, &v);) {
		if (!json_str(v, 64, &text) ||
		    !customer_normalize(c->control->world, n, text, kept[count++]))
			return gw_error_set(&c->err, GW_EARG, "allowed: want phone numbers");
	}
	memcpy(n->allowed, kept, count * sizeof(kept[0]));
	n->allowed_count = count;
	n->is_test = json_type(list) == JSON_ARRAY;
	put_ok(c);
	return GW_OK;
}

static gw_status post_numbers(struct ctl *c)
{
	struct str id = STR_EMPTY, phone = STR_EMPTY, name;
	int64_t limit = -1, health = -1;
	struct number *n;
	gw_status st;

	st = ctl_only(c, "id phone name limit_mps registered verified status quality_rating "
			 "name_status platform_type messaging_limit health_code is_on_biz_app");
	if (st != GW_OK)
		return st;
	(void)json_get_text(c->body, STR("id"), GRAPH_ID_MAX, &id);
	(void)json_get_text(c->body, STR("phone"), PHONE_MAX, &phone);
	st = json_read_i64(c->body, "limit_mps", 0, NUMBER_LIMIT_MPS_MAX, &limit, &c->err);
	if (st == GW_OK)
		st = json_read_i64(c->body, "health_code", 0, INT32_MAX, &health, &c->err);
	if (st == GW_OK)
		st = world_set_number(c->control->world, id, phone, &n, &c->err);
	if (st != GW_OK)
		return st;
	if (limit >= 0)
		n->limit_mps = limit;
	if (health >= 0)
		n->health_code = health;
	read_words(c, n);
	if (json_get_str(c->body, STR("name"), sizeof(n->name) - 1, &name))
		(void)str_copy(name, n->name, sizeof(n->name));
	(void)json_get_bool(c->body, STR("registered"), &n->registered);
	(void)json_get_bool(c->body, STR("is_on_biz_app"), &n->on_app);
	json_w_object(&c->w);
	json_w_kv_text(&c->w, "id", n->id);
	json_w_kv_text(&c->w, "display_phone_number", n->display);
	json_w_end(&c->w);
	return GW_OK;
}

static gw_status post_templates(struct ctl *c)
{
	struct templates *all = c->control->world->templates;
	struct str name, language = STR_EMPTY, status;
	const struct template *t;
	gw_status st;

	st = ctl_only(c, "name language category components status parameter_format");
	if (st != GW_OK)
		return st;
	if (!json_exists(json_member(c->body, STR("components"))) &&
	    json_get_str(c->body, STR("name"), TEMPLATE_NAME_MAX, &name) &&
	    json_get_str(c->body, STR("status"), 23, &status)) {
		(void)json_get_str(c->body, STR("language"), 15, &language);
		st = templates_set_status(all, name, language, status, &c->err);
		if (st == GW_OK) {
			template_tell_status(c->control->world,
					     templates_find(all, name, language));
			put_ok(c);
		}
		return st;
	}
	st = templates_set(all, c->body, &t, &c->err);
	if (st == GW_OK)
		template_write(t, &c->w);
	return st;
}

static gw_status post_status(struct ctl *c)
{
	const struct sent_message *m = NULL;
	struct str id, word, details;
	enum status_kind kind;
	int64_t code = 131000;
	char text[256];
	gw_status st;

	st = ctl_only(c, "message status code details");
	if (st != GW_OK)
		return st;
	if (json_get_str(c->body, STR("message"), WAMID_MAX, &id))
		m = sent_find(c->control->world->sent, id);
	if (m == NULL)
		return gw_error_set(&c->err, GW_ENOTFOUND, "message: not among those kept");
	if (!json_get_str(c->body, STR("status"), 16, &word) || !delivery_status_of(word, &kind))
		return gw_error_set(&c->err, GW_EARG,
				    "status: want sent, delivered, read, played or failed");
	(void)json_get_i64(c->body, STR("code"), &code);
	if (!json_get_str(c->body, STR("details"), sizeof(text) - 1, &details))
		details = str_from(metaerr_title((int)code));
	(void)str_copy(details, text, sizeof(text));
	delivery_tell(c->control->world, m, kind, (int)code, text);
	put_ok(c);
	return GW_OK;
}

static gw_status post_settings(struct ctl *c)
{
	gw_status st = GW_OK;

	if (json_type(c->body) != JSON_OBJECT)
		return gw_error_set(&c->err, GW_EARG, "want a JSON object of settings");
	st = settings_change(&c->control->world->settings, c->body, &c->err);
	if (st == GW_OK)
		settings_write(&c->control->world->settings, &c->w);
	return st;
}

static gw_status get_settings(struct ctl *c)
{
	settings_write(&c->control->world->settings, &c->w);
	return GW_OK;
}

/* As after the start; the clock and the callback stay. */
static gw_status post_reset(struct ctl *c)
{
	struct control *all = c->control;

	faults_clear(all->faults);
	answers_release(all->answers);
	control_free_waiters(all);
	world_reset(all->world);
	hooks_reset(all->hooks);
	if (hooks_callback(all->hooks) == NULL && !all->no_seed_message)
		customers_say_hello(all->world);
	put_ok(c);
	return GW_OK;
}

static const struct ctl_row {
	const char *method, *name;
	bool has_rest; /* takes a path behind its name */
	ctl_fn run;
} table[] = {
	{ "GET", "state", false, ctl_get_state },
	{ "GET", "clock", false, ctl_get_clock },
	{ "GET", "messages", false, ctl_get_messages },
	{ "GET", "webhooks", false, ctl_get_webhooks },
	{ "GET", "customers", false, ctl_get_customers },
	{ "GET", "inject", false, get_inject },
	{ "GET", "settings", false, get_settings },
	{ "POST", "say", false, post_say },
	{ "POST", "clock", false, post_clock },
	{ "POST", "inject", false, post_inject },
	{ "DELETE", "inject", true, delete_inject },
	{ "POST", "webhooks", true, post_webhooks },
	{ "POST", "callback", false, post_callback },
	{ "POST", "customers", false, post_customers },
	{ "POST", "numbers", false, post_numbers },
	{ "POST", "recipients", false, post_recipients },
	{ "POST", "templates", false, post_templates },
	{ "POST", "status", false, post_status },
	{ "POST", "settings", false, post_settings },
	{ "POST", "reset", false, post_reset },
};

static int http_of(gw_status st)
{
	switch (st) {
	case GW_ENOTFOUND: return 404;
	case GW_ESTATE: return 409;
	case GW_EAUTH: return 403;
	case GW_ELIMIT: return 413;
	case GW_EBUSY: return 503;
	default: return 400;
	}
}

static void reply_error(struct ctl *c, gw_status st)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 4096);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "error", c->err.message);
	json_w_end(&w);
	http_reply_json(c->call, http_of(st), buf_str(&b));
	buf_release(&b);
}

/* A page from elsewhere may not steer the sandbox through its visitor's browser. */
static gw_status check_origin(struct ctl *c)
{
	struct str origin, host;
	size_t at;

	if (!http_header(c->call, "Origin", &origin))
		return GW_OK;
	if (http_header(c->call, "Host", &host) && str_find(origin, STR("://"), &at) &&
	    str_eq(str_slice(origin, at + 3, origin.len), host))
		return GW_OK;
	return gw_error_set(&c->err, GW_EAUTH, "calls from other origins are refused");
}

static gw_status run(struct ctl *c, struct str path)
{
	const struct json_doc *doc;
	struct str name = path, method = http_method(c->call);
	gw_status st;

	st = check_origin(c);
	if (st != GW_OK)
		return st;
	c->rest = path;
	if (!str_split(&c->rest, '/', &name))
		name = STR_EMPTY;
	if (http_body(c->call).len > 0) {
		st = json_scan(http_body(c->call), c->control->arena, &doc, &c->err);
		if (st != GW_OK)
			return st;
		c->body = json_root(doc);
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (str_eq(method, str_from(table[i].method)) &&
		    str_eq(name, str_from(table[i].name)) &&
		    (c->rest.len == 0 || table[i].has_rest))
			return table[i].run(c);
	}
	return gw_error_set(&c->err, GW_ENOTFOUND, "there is no %.*s %.*s", STR_ARG(method),
			    STR_ARG(str_slice(path, 0, 64)));
}

void control_handle(struct control *control, struct http_call *call, struct str path)
{
	struct ctl c = { .control = control, .call = call };
	struct buf b;
	gw_status st;

	arena_reset(control->arena);
	buf_init(&b, SANDBOX_ANSWER_MAX);
	json_w_init(&c.w, &b);
	st = run(&c, path);
	if (st == GW_OK && !c.taken && buf_failed(&b))
		st = gw_error_set(&c.err, GW_ELIMIT,
				  "the answer is too large: use after and limit");
	if (st != GW_OK)
		reply_error(&c, st);
	else if (!c.taken)
		http_reply_json(call, 200, buf_str(&b));
	buf_release(&b);
}

void control_init(struct control *c)
{
	c->arena = arena_new(CONTROL_ARENA_MAX);
	ASSERT(c->arena != NULL);
	TAILQ_INIT(&c->waiters);
	c->waiter_count = 0;
}

void control_release(struct control *c)
{
	control_free_waiters(c);
	arena_free(c->arena);
	c->arena = NULL;
}
