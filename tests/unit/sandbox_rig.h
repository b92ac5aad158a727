/* SPDX-License-Identifier: MIT */
/* sandbox_rig.h - a world of the sandbox without sockets: a frozen clock, calls in, webhooks out */
#ifndef TESTS_SANDBOX_RIG_H
#define TESTS_SANDBOX_RIG_H

#include "unit.h"

#include "base/mem.h"
#include "sandbox/customer.h"
#include "sandbox/delivery.h"
#include "sandbox/graph.h"
#include "sandbox/sandbox.h"
#include "sandbox/sent.h"
#include "sandbox/template.h"

#define ANA "5571990000001"
#define BOB "14155550100"
#define RIG_WALL_MS INT64_C(1795000000000) /* 2026-11-18 */
#define MESSAGES "/v26.0/" SANDBOX_NUMBER_ID "/messages"
#define RIG_CHANGES_MAX 512

struct rig {
	struct clock clock;
	struct loop *loop;
	struct log log;
	struct world *world;
	struct faults *faults;
	struct graph graph;
	struct arena *arena;
	char *changes[RIG_CHANGES_MAX]; /* webhook changes, in order */
	size_t change_count, accepted_count;
	struct answer answer; /* the last one */
	const char *file_offset; /* header; NULL: none */
	const char *query; /* "a=b&c=d", not escaped */
};

static inline void rig_on_change(void *cookie, struct str change)
{
	struct rig *r = cookie;

	assert_true(r->change_count < RIG_CHANGES_MAX);
	r->changes[r->change_count++] = xstrndup(change);
}

static inline void rig_on_accepted(void *cookie, const struct sent_message *m)
{
	struct rig *r = cookie;

	assert_non_null(m);
	r->accepted_count++;
}

static inline struct rig *rig_new(uint64_t seed)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	const struct world_hooks hooks = { rig_on_change, rig_on_accepted, r };

	clock_init(&r->clock);
	clock_freeze(&r->clock);
	clock_set_wall(&r->clock, RIG_WALL_MS);
	r->loop = loop_new(&r->clock);
	log_init(&r->log, STDERR_FILENO, LOG_ERROR, "test", NULL);
	r->world = world_new(r->loop, seed, &r->log, &hooks);
	r->faults = faults_new();
	graph_init(&r->graph, r->world, r->faults);
	r->arena = arena_new(1U << 20);
	assert_non_null(r->arena);
	answer_init(&r->answer);
	return r;
}

static inline void rig_free(struct rig *r)
{
	for (size_t i = 0; i < r->change_count; i++)
		free(r->changes[i]);
	answer_release(&r->answer);
	graph_release(&r->graph);
	faults_free(r->faults);
	world_free(r->world);
	loop_free(r->loop);
	arena_free(r->arena);
	free(r);
}

/* Move the clock and let what is due happen. */
static inline void rig_advance(struct rig *r, int64_t ms)
{
	clock_advance(&r->clock, ms * NS_PER_MS);
	loop_clock_moved(r->loop);
	loop_turn(r->loop, 0);
}

static inline struct json_val rig_json(struct rig *r, const char *text)
{
	const struct json_doc *doc;
	struct gw_error err = GW_ERROR_INIT;

	if (json_scan(str_from(text), r->arena, &doc, &err) != GW_OK)
		fail_msg("%s: %s", err.message, text);
	return json_root(doc);
}

static inline struct json_val rig_change(struct rig *r, size_t i)
{
	assert_true(i < r->change_count);
	return rig_json(r, r->changes[i]);
}

/* Text of a string or number, "-" when there is none. */
static inline struct str rig_text(struct json_val v)
{
	struct str s;

	if (json_str(v, 1U << 20, &s))
		return s;
	return json_exists(v) ? json_bytes(v) : STR("-");
}

static inline bool rig_query(const void *cookie, const char *name, struct str *out)
{
	const struct rig *r = cookie;
	struct str rest = str_from(r->query), pair, key;

	while (str_split(&rest, '&', &pair)) {
		if (str_split(&pair, '=', &key) && str_eq(key, str_from(name))) {
			*out = pair;
			return true;
		}
	}
	return false;
}

/* A Graph call; the answer is in r->answer. */
static inline void rig_call_as(struct rig *r, const char *method, const char *path,
			       const char *token, const char *type, struct str body)
{
	char header[128];
	struct ask ask = { .method = str_from(method),
			   .path = str_from(path),
			   .body = body,
			   .content_type = str_from(type),
			   .file_offset = str_from(r->file_offset),
			   .authorization = STR_EMPTY,
			   .host = STR("sandbox.example"),
			   .query = rig_query,
			   .cookie = r };

	if (token != NULL) {
		(void)snprintf(header, sizeof(header), "Bearer %s", token);
		ask.authorization = str_from(header);
	}
	answer_release(&r->answer);
	answer_init(&r->answer);
	graph_handle(&r->graph, &ask, &r->answer);
}

static inline void rig_call(struct rig *r, const char *method, const char *path, const char *token,
			    const char *body)
{
	rig_call_as(r, method, path, token, "", str_from(body));
}

static inline void rig_post(struct rig *r, const char *path, const char *type, struct str body)
{
	rig_call_as(r, "POST", path, "token", type, body);
}

static inline void rig_send(struct rig *r, const char *body)
{
	rig_call(r, "POST", MESSAGES, "token", body);
}

static inline void rig_send_text(struct rig *r, const char *to, const char *opaque)
{
	char body[1024];

	(void)snprintf(body, sizeof(body),
		       "{\"messaging_product\":\"whatsapp\",\"to\":\"+%s\",\"type\":\"text\","
		       "\"text\":{\"body\":\"hi\"}%s%s%s}",
		       to, opaque == NULL ? "" : ",\"biz_opaque_callback_data\":\"",
		       opaque == NULL ? "" : opaque, opaque == NULL ? "" : "\"");
	rig_send(r, body);
}

static inline struct json_val rig_body(struct rig *r)
{
	char *text = xstrndup(buf_str(&r->answer.body));
	struct str kept = arena_str(r->arena, str_from(text));

	free(text);
	return rig_json(r, kept.ptr);
}

static inline int rig_code(struct rig *r)
{
	int64_t code = 0;

	(void)json_get_i64(json_member(rig_body(r), STR("error")), STR("code"), &code);
	return (int)code;
}

static inline void rig_say(struct rig *r, const char *phone)
{
	char wamid[WAMID_MAX];
	struct customer *c = customer_by_phone(r->world, str_from(phone), true);

	CHECK_INT("say", GW_OK,
		  customer_say_text(r->world, c, r->world->numbers[0], STR("hello"), wamid, NULL));
}

static inline void rig_set(struct rig *r, const char *settings)
{
	struct gw_error err = GW_ERROR_INIT;

	if (settings_change(&r->world->settings, rig_json(r, settings), &err) != GW_OK)
		fail_msg("%s", err.message);
}

#endif
