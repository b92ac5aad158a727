/* SPDX-License-Identifier: MIT */
/*
 * fuzz_event.c - any bytes from a body to what destinations get of it
 *
 * INVARIANTS  1. Every event has a normalized text: one JSON object on one line.
 *             2. The normalized event and its CloudEvents form are JSON that a
 *                strict reader takes, with and without the raw item.
 *             3. A body with one event alone is JSON, holds exactly this event,
 *                and gives it the same dedupe key.
 *             4. Our token leaves in no form, whatever the caller's value is.
 *             5. With links to media that lead here it is as long as that allows, and only
 *                the body as it came goes out as the original.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "base/panic.h"
#include "gateway/media_link.h"
#include "gateway/normalize.h"
#include "gateway/render.h"
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef"
#define OUT_MAX ((size_t)64 << 20)

struct events {
	gw_notification *note;
	struct arena *arena;
	struct buf text;
	struct store_event_in *in;
	size_t count;
};

static bool events_init(struct events *e, struct str body, const struct token_reader *token)
{
	memset(e, 0, sizeof(*e));
	if (gw_notification_parse(str_to_gw(body), &e->note, NULL) != GW_OK)
		return false;
	e->count = gw_notification_count(e->note);
	e->arena = arena_new((size_t)64 << 20);
	ASSERT(e->arena != NULL);
	buf_init(&e->text, OUT_MAX);
	e->in = xcalloc(e->count, sizeof(*e->in));
	for (size_t i = 0; i < e->count; i++)
		normalize_event(gw_notification_event(e->note, i), body, token, e->arena, &e->text,
				&e->in[i]);
	ASSERT(!buf_failed(&e->text));
	normalize_settle(e->in, e->count, &e->text);
	return true;
}

static void events_release(struct events *e)
{
	free(e->in);
	buf_release(&e->text);
	arena_free(e->arena);
	gw_notification_free(e->note);
}

static void check_json(struct str text)
{
	const struct json_doc *doc = NULL;
	struct arena *a = arena_new((size_t)64 * 1024 + 32 * text.len);
	size_t at;

	ASSERT(a != NULL && json_scan(text, a, &doc, NULL) == GW_OK);
	ASSERT(json_type(json_root(doc)) == JSON_OBJECT && !str_find_char(text, '\n', &at));
	arena_free(a);
}

static struct store_event_row row_of(const struct store_event_in *in, struct str body,
				     uint32_t siblings, struct str opaque)
{
	return (struct store_event_row){ .type = str_from(in->type),
					 .kind = str_from(in->kind),
					 .channel = str_from(in->channel),
					 .account_id = in->account_id,
					 .address = in->address,
					 .business_id = in->business_id,
					 .has_conversation = in->has_contact,
					 .has_contact = in->has_contact,
					 .has_message = in->has_token,
					 .user_id = in->user_id,
					 .phone = in->phone,
					 .username = in->username,
					 .name = in->name,
					 .at_s = in->at_s,
					 .received_ms = 1795000000000,
					 .json = in->json,
					 .splice = in->splice,
					 .body = body,
					 .signature = STR("sha256=00"),
					 .opaque = opaque,
					 .siblings = siblings };
}

static size_t occurrences(struct str in, struct str what)
{
	size_t n = 0, at;

	while (str_find(in, what, &at)) {
		n++;
		in = str_slice(in, at + 1, in.len);
	}
	return n;
}

/* inv. 4; a token that stands in other places as well is somebody's text. */
static void check_no_token(struct str out, const struct store_event_in *in, struct str body)
{
	size_t from = in->splice.at[SPAN_OPAQUE], len = in->splice.len[SPAN_OPAQUE];
	struct str token = str_slice(body, from, from + len);

	ASSERT(len == 0 || occurrences(body, token) > 1 || occurrences(out, token) == 0);
}

/* A place that media links lead to, as long as one may be. */
static struct str long_base(char text[MEDIA_BASE_MAX])
{
	memset(text, 'm', MEDIA_BASE_MAX - 1);
	memcpy(text, "https://", 8);
	return str_make(text, MEDIA_BASE_MAX - 1);
}

static void check_godwit(const struct store_event_row *row)
{
	char text[MEDIA_BASE_MAX];
	struct str base = long_base(text);
	struct buf b;

	buf_init(&b, OUT_MAX);
	for (int i = 0; i < 4; i++) {
		struct render_how how = { .raw = i % 2 == 1,
					  .media_base = i < 2 ? STR_EMPTY : base };

		buf_reset(&b);
		render_godwit(&b, row, &how);
		check_json(buf_str(&b)); /* inv. 2 */
		buf_reset(&b);
		render_cloudevents(&b, row, &how);
		check_json(buf_str(&b));
	}
	buf_release(&b);
}

/* inv. 5 */
static void check_linked(const struct store_event_row *row)
{
	char text[MEDIA_BASE_MAX];
	struct render_how how = { .media_base = long_base(text) };
	bool linked, plain, original;
	struct buf a, b;

	buf_init(&a, OUT_MAX);
	buf_init(&b, OUT_MAX);
	plain = render_meta(&a, row, &(struct render_how){ 0 }, &original);
	linked = render_meta(&b, row, &how, &original);
	ASSERT(plain == linked && !buf_failed(&b) && b.len <= a.len + MEDIA_GROWTH_MAX);
	ASSERT(!original || str_eq(buf_str(&b), row->body));
	buf_release(&a);
	buf_release(&b);
}

/* inv. 3 */
static void check_meta(const struct store_event_row *row, const struct store_event_in *in,
		       const struct token_reader *token)
{
	bool original = true;
	struct events alone;
	struct buf b;

	buf_init(&b, OUT_MAX);
	if (render_meta(&b, row, &(struct render_how){ 0 }, &original)) {
		ASSERT(!original && !buf_failed(&b));
		check_no_token(buf_str(&b), in, row->body);
		ASSERT(events_init(&alone, buf_str(&b), token) && alone.count == 1);
		ASSERT(strcmp(in->type, alone.in[0].type) == 0);
		ASSERT(strcmp(in->kind, alone.in[0].kind) == 0);
		ASSERT(str_eq(in->external_id, alone.in[0].external_id));
		ASSERT(str_eq(in->account_id, alone.in[0].account_id));
		ASSERT(str_eq(in->phone, alone.in[0].phone));
		ASSERT(str_eq(in->user_id, alone.in[0].user_id));
		ASSERT(in->at_s == alone.in[0].at_s);
		ASSERT(in->has_token || memcmp(in->hash, alone.in[0].hash, 16) == 0);
		events_release(&alone);
	}
	buf_release(&b);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	static const struct str values[] = { STR_INIT(""), STR_INIT("order \"7\"/\xc3\xa9") };
	struct token_reader token = { .mac = mac_new(STR(KEY)) };
	struct str body = { (const char *)data, size };
	struct events e;

	if (events_init(&e, body, &token)) {
		for (size_t i = 0; i < e.count * 2; i++) {
			const struct store_event_in *in = &e.in[i / 2];
			struct store_event_row row = row_of(in, body, 2, values[i % 2]);

			check_json(in->json); /* inv. 1 */
			check_godwit(&row);
			check_meta(&row, in, &token);
			row.siblings = 1 + i % 2;
			check_linked(&row);
		}
		events_release(&e);
	}
	mac_free(token.mac);
}
