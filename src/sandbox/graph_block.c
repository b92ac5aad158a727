/* SPDX-License-Identifier: MIT */
/*
 * graph_block.c - users a number has blocked, and its QR codes
 *
 * ROLE        cloud-api.md 4.6 and 4.7, read 2026-11.  What blocking does to a
 *             message stands in graph_send.c (130403).
 * LIMITS      64,000 blocked users, 2,000 codes a number.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_number.c
 */
#include "sandbox/graph.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "sandbox/customer.h"

#define BLOCKED_MAX 64000
#define CODES_MAX 2000
#define PREFILLED_MAX 140

/* One user of the request: 0, or the code of why not. */
static int try_one(struct graph_call *c, struct number *n, struct str input, bool blocks,
		   char digits[PHONE_MAX])
{
	struct customer *customer;
	struct pair *pair;

	digits[0] = '\0';
	if (!customer_normalize(c->world, n, input, digits))
		return 131009;
	if (str_eq(str_from(digits), str_from(n->digits)))
		return 131021;
	customer = customer_by_phone(c->world, str_from(digits), false);
	if (!blocks) {
		if (customer != NULL) {
			pair = customer_pair(customer, n);
			n->blocked_count -= pair->is_blocked;
			pair->is_blocked = false;
		}
		return 0;
	}
	if (customer == NULL || !customer_window_is_open(c->world, customer, n))
		return 131047;
	pair = customer_pair(customer, n);
	if (!pair->is_blocked && n->blocked_count == BLOCKED_MAX)
		return 139101;
	n->blocked_count += !pair->is_blocked;
	pair->is_blocked = true;
	return 0;
}

static void write_user(struct json_writer *w, struct str input, const char *digits, int code)
{
	json_w_object(w);
	json_w_kv_str(w, "input", input);
	if (digits[0] != '\0')
		json_w_kv_text(w, "wa_id", digits);
	if (code != 0) {
		json_w_key(w, STR("errors"));
		json_w_array(w);
		json_w_object(w);
		json_w_kv_i64(w, "code", code);
		json_w_kv_text(w, "message", metaerr_title(code));
		json_w_key(w, STR("error_data"));
		json_w_object(w);
		json_w_kv_text(w, "details", metaerr_title(code));
		json_w_end(w);
		json_w_end(w);
		json_w_end(w);
	}
	json_w_end(w);
}

/* The error in front of the lists, when some did not go. */
static void write_partial(struct graph_call *c, struct json_writer *w)
{
	struct metaerr err;
	char trace[METAERR_TRACE_MAX];
	struct buf b;

	(void)metaerr_set(&err, 139100, "some users could not be blocked or unblocked");
	world_trace_id(c->world, trace);
	buf_init(&b, 8192);
	metaerr_write(&err, trace, &b);
	/* {"error":{…}}: what stands behind the colon is the member. */
	json_w_kv_raw(w, "error", str_slice(buf_str(&b), 9, b.len - 1));
	buf_release(&b);
	c->out->status = err.http;
}

static bool change_blocks(struct graph_call *c, struct number *n, bool blocks)
{
	struct json_val list = json_member(c->body, STR("block_users")), v;
	struct json_writer good, bad, w;
	struct buf done, failed;
	char digits[PHONE_MAX];
	struct json_iter it;
	struct str input;
	size_t wrong = 0;

	if (!graph_check_product(c))
		return false;
	if (json_type(list) != JSON_ARRAY || json_count(list) == 0)
		return metaerr_param(&c->err, "The parameter block_users is required.");
	buf_init(&done, SANDBOX_BODY_MAX * 4);
	buf_init(&failed, SANDBOX_BODY_MAX * 8);
	json_w_init(&good, &done);
	json_w_init(&bad, &failed);
	json_w_array(&good);
	json_w_array(&bad);
	for (it = json_iter(list); json_next(&it, &v);) {
		int code;

		if (!json_get_text(v, STR("user"), 256, &input))
			input = STR_EMPTY;
		code = try_one(c, n, input, blocks, digits);
		write_user(code == 0 ? &good : &bad, input, digits, code);
		wrong += code != 0;
	}
	json_w_end(&good);
	json_w_end(&bad);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	if (wrong > 0)
		write_partial(c, &w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_key(&w, STR("block_users"));
	json_w_object(&w);
	json_w_kv_raw(&w, blocks ? "added_users" : "removed_users", buf_str(&done));
	if (wrong > 0)
		json_w_kv_raw(&w, "failed_users", buf_str(&failed));
	json_w_end(&w);
	json_w_end(&w);
	buf_release(&done);
	buf_release(&failed);
	return true;
}

static bool read_blocks(struct graph_call *c, struct number *n)
{
	const struct customer *customer = NULL;
	struct json_writer w;

	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	while ((customer = customers_next(c->world->customers, customer)) != NULL) {
		for (const struct pair *p = customer->pairs; p != NULL; p = p->next) {
			if (p->number != n || !p->is_blocked)
				continue;
			json_w_object(&w);
			json_w_kv_text(&w, "messaging_product", "whatsapp");
			json_w_kv_text(&w, "wa_id", customer->phone);
			json_w_end(&w);
		}
	}
	json_w_end(&w);
	json_w_end(&w);
	return true;
}

bool graph_block_users(struct graph_call *c, struct number *n)
{
	if (str_eq(c->ask->method, STR("GET")))
		return read_blocks(c, n);
	return change_blocks(c, n, str_eq(c->ask->method, STR("POST")));
}

static struct qr *find_code(struct number *n, struct str code)
{
	struct qr *q;

	TAILQ_FOREACH(q, &n->codes, link)
	{
		if (str_eq(code, str_from(q->code)))
			return q;
	}
	return NULL;
}

static void write_code(const struct qr *q, bool with_image, struct json_writer *w)
{
	char url[64];

	json_w_object(w);
	json_w_kv_text(w, "code", q->code);
	json_w_kv_text(w, "prefilled_message", q->prefilled);
	(void)snprintf(url, sizeof(url), "https://wa.me/message/%s", q->code);
	json_w_kv_text(w, "deep_link_url", url);
	if (with_image) {
		(void)snprintf(url, sizeof(url), "https://wa.me/qr/%s", q->code);
		json_w_kv_text(w, "qr_image_url", url);
	}
	json_w_end(w);
}

static struct qr *add_code(struct graph_call *c, struct number *n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	struct qr *q = xcalloc(1, sizeof(*q));

	for (size_t i = 0; i + 1 < sizeof(q->code); i++)
		q->code[i] = letters[rnd_below(&c->world->codes, 32)];
	TAILQ_INSERT_TAIL(&n->codes, q, link);
	n->code_count++;
	return q;
}

static bool fail_code(struct graph_call *c, struct str code)
{
	return metaerr_param(&c->err, "There is no code %.*s of this number.",
			     STR_ARG(str_slice(code, 0, 32)));
}

/* Make one, or give the one of that code another text; the code stands in path or body. */
static bool set_code(struct graph_call *c, struct number *n, struct str code)
{
	struct str text, image;
	bool with_image = graph_parameter(c, "generate_qr_image", &image);
	struct json_writer w;
	struct qr *q;

	if (!graph_parameter(c, "prefilled_message", &text) || text.len == 0)
		return metaerr_param(&c->err, "The parameter prefilled_message is required.");
	if (utf8_count(text) > PREFILLED_MAX)
		return metaerr_param(&c->err,
				     "Param prefilled_message must have at most %d "
				     "characters.",
				     PREFILLED_MAX);
	if (with_image && !str_eq_nocase(image, STR("PNG")) && !str_eq_nocase(image, STR("SVG")))
		return metaerr_param(&c->err, "Param generate_qr_image must be one of {PNG, SVG}.");
	if (code.len > 0 || graph_parameter(c, "code", &code)) {
		q = find_code(n, code);
		if (q == NULL)
			return fail_code(c, code);
		free(q->prefilled);
	} else if (n->code_count == CODES_MAX) {
		return metaerr_param(&c->err, "This number has %d codes: delete one first.",
				     CODES_MAX);
	} else {
		q = add_code(c, n);
	}
	q->prefilled = xstrndup(text);
	json_w_init(&w, &c->out->body);
	write_code(q, with_image, &w);
	return true;
}

static void read_codes(struct graph_call *c, struct number *n, const struct qr *only)
{
	struct json_writer w;
	struct qr *q;

	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	TAILQ_FOREACH(q, &n->codes, link)
	{
		if (only == NULL || only == q)
			write_code(q, false, &w);
	}
	json_w_end(&w);
	json_w_end(&w);
}

bool graph_qr_codes(struct graph_call *c, struct number *n, struct str code)
{
	struct qr *q = code.len == 0 ? NULL : find_code(n, code);

	if (str_eq(c->ask->method, STR("POST")))
		return set_code(c, n, code);
	if (code.len > 0 && q == NULL)
		return fail_code(c, code);
	if (str_eq(c->ask->method, STR("GET"))) {
		read_codes(c, n, q);
		return true;
	}
	if (!str_eq(c->ask->method, STR("DELETE")) || q == NULL)
		return metaerr_param(&c->err, "Want GET, POST, or DELETE of one code.");
	number_drop_code(n, q);
	graph_write_success(c);
	return true;
}
