/* SPDX-License-Identifier: MIT */
/*
 * graph_read.c - the Graph calls that only read
 *
 * Shapes: cloud-api.md 1.2, 1.4, 4.2, 4.3 and 4.5, read 2026-11.  `fields`
 * selects top-level members; what is in braces is ignored.
 * TESTS  tests/unit/test_sandbox_graph.c
 */
#include "sandbox/graph.h"

#include "base/panic.h"
#include "sandbox/sandbox.h"
#include "sandbox/template.h"

#define PAGE_DEFAULT 25
#define PAGE_MAX 1000

/* Is `name` in fields=a,b{c,d}? */
bool graph_is_asked(struct str fields, const char *name)
{
	size_t start = 0, depth = 0;

	for (size_t i = 0; i <= fields.len; i++) {
		char c = i == fields.len ? ',' : fields.ptr[i];

		if (c == '{' || c == ',') {
			if (depth == 0 &&
			    str_eq(str_trim(str_slice(fields, start, i)), str_from(name)))
				return true;
			if (depth == 0 && c == ',')
				start = i + 1;
		}
		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0) {
			depth--;
			start = i + 1;
		}
	}
	return false;
}

struct field_writer {
	struct json_writer w;
	struct str fields; /* empty: the defaults */
};

static bool wants(const struct field_writer *f, const char *name, bool by_default)
{
	return f->fields.len == 0 ? by_default : graph_is_asked(f->fields, name);
}

static void put(struct field_writer *f, const char *name, const char *value, bool by_default)
{
	if (wants(f, name, by_default))
		json_w_kv_text(&f->w, name, value);
}

static void put_raw(struct field_writer *f, const char *name, struct str value, bool by_default)
{
	if (wants(f, name, by_default))
		json_w_kv_raw(&f->w, name, value);
}

static void write_automation(struct field_writer *f, const struct number *n)
{
	json_w_key(&f->w, STR("conversational_automation"));
	json_w_object(&f->w);
	graph_write_kept(n, "conversational_automation", STR_EMPTY, &f->w);
	json_w_kv_text(&f->w, "id", n->id);
	json_w_end(&f->w);
}

static void write_entity(struct json_writer *w, const char *type, const char *id, int64_t code)
{
	json_w_object(w);
	json_w_kv_text(w, "entity_type", type);
	json_w_kv_text(w, "id", id);
	json_w_kv_text(w, "can_send_message", code == 0 ? "AVAILABLE" : "BLOCKED");
	if (code != 0) {
		json_w_key(w, STR("errors"));
		json_w_array(w);
		json_w_object(w);
		json_w_kv_i64(w, "error_code", code);
		json_w_kv_text(w, "error_description", metaerr_title((int)code));
		json_w_kv_text(w, "possible_solution", "See the error code's page.");
		json_w_end(w);
		json_w_end(w);
	}
	json_w_end(w);
}

/* Overall is the worst of all (4.2).  n is NULL for the account alone. */
static void write_health(struct field_writer *f, const struct number *n)
{
	int64_t code = n == NULL ? 0 : !n->registered ? 133010 : n->health_code;

	json_w_key(&f->w, STR("health_status"));
	json_w_object(&f->w);
	json_w_kv_text(&f->w, "can_send_message", code == 0 ? "AVAILABLE" : "BLOCKED");
	json_w_key(&f->w, STR("entities"));
	json_w_array(&f->w);
	if (n != NULL)
		write_entity(&f->w, "PHONE_NUMBER", n->id, code);
	write_entity(&f->w, "WABA", SANDBOX_WABA_ID, 0);
	write_entity(&f->w, "BUSINESS", SANDBOX_BUSINESS_ID, 0);
	write_entity(&f->w, "APP", SANDBOX_APP_ID, 0);
	json_w_end(&f->w);
	json_w_end(&f->w);
}

static void write_callback(struct graph_call *c, struct field_writer *f)
{
	const struct graph *g = c->graph;
	const char *url = g->callback == NULL ? NULL : g->callback(g->cookie);

	json_w_key(&f->w, STR("webhook_configuration"));
	json_w_object(&f->w);
	if (url != NULL)
		json_w_kv_text(&f->w, "application", url);
	json_w_end(&f->w);
}

/* What POST numbers said, else what is so. */
static const char *told(const char *word, const char *otherwise)
{
	return word[0] != '\0' ? word : otherwise;
}

static void write_number(struct graph_call *c, struct field_writer *f, const struct number *n)
{
	bool is_high = world_limit_mps(c->world, n) > 80;

	json_w_object(&f->w);
	put(f, "verified_name", n->name, true);
	put(f, "code_verification_status", n->unverified ? "NOT_VERIFIED" : "VERIFIED", true);
	put(f, "display_phone_number", n->display, true);
	put(f, "quality_rating", told(n->quality, "GREEN"), true);
	put(f, "platform_type", told(n->platform_type, "CLOUD_API"), true);
	put_raw(f, "throughput",
		is_high ? STR("{\"level\":\"HIGH\"}") : STR("{\"level\":\"STANDARD\"}"), true);
	put(f, "status", told(n->status, n->registered ? "CONNECTED" : "PENDING"), false);
	put(f, "name_status", told(n->name_status, "APPROVED"), false);
	put(f, "account_mode", "SANDBOX", false);
	put(f, "messaging_limit_tier", told(n->messaging_limit, "TIER_UNLIMITED"), false);
	put(f, "whatsapp_business_manager_messaging_limit",
	    told(n->messaging_limit, "TIER_UNLIMITED"), false);
	put_raw(f, "is_official_business_account", STR("false"), false);
	put_raw(f, "is_on_biz_app", n->on_app ? STR("true") : STR("false"), false);
	put_raw(f, "is_pin_enabled", n->pin[0] != '\0' ? STR("true") : STR("false"), false);
	if (wants(f, "conversational_automation", false))
		write_automation(f, n);
	if (wants(f, "health_status", false))
		write_health(f, n);
	if (wants(f, "webhook_configuration", false))
		write_callback(c, f);
	json_w_kv_text(&f->w, "id", n->id);
	json_w_end(&f->w);
}

static void start_fields(struct graph_call *c, struct field_writer *f)
{
	json_w_init(&f->w, &c->out->body);
	f->fields = STR_EMPTY;
	(void)graph_query(c, "fields", &f->fields);
}

bool graph_read_number(struct graph_call *c, const struct number *n)
{
	struct field_writer f;

	start_fields(c, &f);
	write_number(c, &f, n);
	return true;
}

bool graph_read_waba(struct graph_call *c)
{
	struct field_writer f;

	start_fields(c, &f);
	json_w_object(&f.w);
	put(&f, "name", "Godwit Sandbox", true);
	put(&f, "currency", "USD", true);
	put(&f, "timezone_id", "1", true);
	put(&f, "message_template_namespace", "60000000_0000_0000_0000_000000000001", true);
	put(&f, "status", "ACTIVE", false);
	put(&f, "account_review_status", "APPROVED", false);
	put(&f, "business_verification_status", "verified", false);
	put(&f, "ownership_type", "SELF_OWNED", false);
	put(&f, "country", "US", false);
	if (wants(&f, "health_status", false))
		write_health(&f, NULL);
	json_w_kv_text(&f.w, "id", SANDBOX_WABA_ID);
	json_w_end(&f.w);
	return true;
}

/* Cursors are positions: the index of the first and behind the last item, as text. */
struct page {
	size_t from, limit;
};

static bool read_page(struct graph_call *c, struct page *out)
{
	struct str text;
	uint32_t n;

	out->from = 0;
	out->limit = PAGE_DEFAULT;
	if (graph_query(c, "limit", &text)) {
		if (!str_to_u32(text, &n) || n == 0 || n > PAGE_MAX)
			return metaerr_param(&c->err, "Param limit must be from 1 to %d", PAGE_MAX);
		out->limit = n;
	}
	if (graph_query(c, "after", &text)) {
		if (!str_to_u32(text, &n))
			return metaerr_param(&c->err, "Invalid cursors values");
		out->from = n;
	}
	return true;
}

static void put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			buf_put_char(b, c);
		else
			buf_put_fmt(b, "%%%02X", (unsigned)(unsigned char)c);
	}
}

/* The link to the next page carries the caller's token, as Meta's does (1.4). */
static void write_next(struct graph_call *c, struct json_writer *w, size_t limit, size_t after)
{
	struct buf b;

	buf_init(&b, 16384);
	buf_put_fmt(&b, "http://%.*s/%s/" SANDBOX_WABA_ID "/message_templates?access_token=",
		    STR_ARG(str_slice(c->ask->host, 0, 255)), c->out->version);
	put_escaped(&b, c->token);
	buf_put_fmt(&b, "&limit=%zu&after=%zu", limit, after);
	json_w_kv_str(w, "next", buf_str(&b));
	buf_wipe(&b);
}

/* Close "data" and write "paging". */
static void end_page(struct graph_call *c, struct json_writer *w, const struct page *p,
		     size_t shown, bool more)
{
	char text[32];

	json_w_end(w);
	if (shown > 0) {
		json_w_key(w, STR("paging"));
		json_w_object(w);
		json_w_key(w, STR("cursors"));
		json_w_object(w);
		(void)snprintf(text, sizeof(text), "%zu", p->from);
		json_w_kv_text(w, "before", text);
		(void)snprintf(text, sizeof(text), "%zu", p->from + shown);
		json_w_kv_text(w, "after", text);
		json_w_end(w);
		if (more)
			write_next(c, w, p->limit, p->from + shown);
		json_w_end(w);
	}
	json_w_end(w);
}

static void begin_page(struct json_writer *w)
{
	json_w_object(w);
	json_w_key(w, STR("data"));
	json_w_array(w);
}

bool graph_read_phone_numbers(struct graph_call *c)
{
	struct page page = { 0, SANDBOX_NUMBERS_MAX };
	struct field_writer f;

	start_fields(c, &f);
	begin_page(&f.w);
	for (size_t i = 0; i < c->world->number_count; i++)
		write_number(c, &f, c->world->numbers[i]);
	end_page(c, &f.w, &page, c->world->number_count, false);
	return true;
}

static bool filter_says_yes(struct graph_call *c, const char *name, const char *value)
{
	struct str want;

	return !graph_query(c, name, &want) || str_eq_nocase(want, str_from(value));
}

static void write_template(struct field_writer *f, const struct template *t)
{
	json_w_object(&f->w);
	put(f, "name", t->name, true);
	put(f, "parameter_format", t->named ? "NAMED" : "POSITIONAL", true);
	put_raw(f, "components", str_from(t->components), true);
	put(f, "language", t->language, true);
	put(f, "status", t->status, true);
	put(f, "category", t->category, true);
	put(f, "sub_category", "CUSTOM", false);
	put(f, "rejected_reason", "NONE", false);
	put_raw(f, "quality_score", STR("{\"score\":\"UNKNOWN\"}"), false);
	if (t->ttl_s != 0 && wants(f, "message_send_ttl_seconds", true))
		json_w_kv_i64(&f->w, "message_send_ttl_seconds", t->ttl_s);
	json_w_kv_text(&f->w, "id", t->id);
	json_w_end(&f->w);
}

bool graph_read_templates(struct graph_call *c)
{
	size_t shown = 0, matched = 0;
	const struct template *t;
	struct field_writer f;
	struct page page;
	bool more = false;

	if (!read_page(c, &page))
		return false;
	start_fields(c, &f);
	begin_page(&f.w);
	for (size_t i = 0; (t = templates_at(c->world->templates, i)) != NULL; i++) {
		if (!filter_says_yes(c, "name", t->name) ||
		    !filter_says_yes(c, "language", t->language) ||
		    !filter_says_yes(c, "status", t->status) ||
		    !filter_says_yes(c, "category", t->category))
			continue;
		if (matched++ < page.from)
			continue;
		if (shown == page.limit) {
			more = true;
			break;
		}
		write_template(&f, t);
		shown++;
	}
	end_page(c, &f.w, &page, shown, more);
	return true;
}

bool graph_read_template(struct graph_call *c)
{
	struct field_writer f;

	start_fields(c, &f);
	write_template(&f, templates_by_id(c->world->templates, c->object));
	return true;
}

bool graph_read_subscribed_apps(struct graph_call *c)
{
	buf_put_text(&c->out->body,
		     "{\"data\":[{\"whatsapp_business_api_data\":{\"link\":"
		     "\"https://www.facebook.com/games/?app_id=" SANDBOX_APP_ID
		     "\",\"name\":\"Godwit Sandbox\",\"id\":\"" SANDBOX_APP_ID "\"}}]}");
	return true;
}
