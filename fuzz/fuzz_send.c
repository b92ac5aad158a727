/* SPDX-License-Identifier: MIT */
/*
 * fuzz_send.c - any bytes as the body of a send, from the door to the wire
 *
 * INVARIANTS  1. What is let in has a recipient, a lane and a kind; what is not is told why.
 *             2. On the wire it is JSON whose opaque value is our token, however often it stands
 *                there, and the quoted message Meta's; all else is the caller's bytes.
 *             3. The door reads the same of both; splicing again changes nothing.
 */
#include "fuzz.h"

#include "base/panic.h"
#include "gateway/body_splice.h"
#include "gateway/send_read.h"

#include <string.h>

#define TARGET STR("/v26.0/106540352242922/messages")
#define TOKEN STR("gw1.token")
#define QUOTED STR("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI=")
#define ARENA_MAX ((size_t)64 << 20)

static const struct str opaque = STR_INIT("biz_opaque_callback_data");

static void check_context(struct json_val was, struct json_val is, struct str quoted)
{
	struct json_iter a = json_iter(was), b = json_iter(is);
	struct json_val x, y;
	struct str text;

	while (json_next(&a, &x)) {
		ASSERT(json_next(&b, &y) && str_eq(a.key, b.key));
		if (quoted.len > 0 && str_eq(a.key, STR("message_id")))
			ASSERT(json_str(y, 256, &text) && str_eq(text, quoted));
		else
			ASSERT(str_eq(json_bytes(x), json_bytes(y)));
	}
}

/* inv. 2 */
static void check_members(struct json_val was, struct json_val is, struct str quoted)
{
	struct json_iter a = json_iter(was), b = json_iter(is);
	bool had = json_exists(json_member(was, opaque));
	struct json_val x, y;
	struct str text;

	ASSERT(json_count(is) == json_count(was) + !had);
	if (!had)
		ASSERT(json_next(&b, &y) && str_eq(b.key, opaque));
	ASSERT(json_get_str(is, opaque, 64, &text) && str_eq(text, TOKEN));
	while (json_next(&a, &x)) {
		ASSERT(json_next(&b, &y) && str_eq(a.key, b.key));
		if (str_eq(a.key, opaque))
			ASSERT(json_str(y, 64, &text) && str_eq(text, TOKEN));
		else if (str_eq(a.key, STR("context")) && json_type(x) == JSON_OBJECT)
			check_context(x, y, quoted);
		else
			ASSERT(str_eq(json_bytes(x), json_bytes(y)));
	}
}

/* inv. 3 */
static void check_read(const struct send *s, struct str wire, struct arena *a)
{
	struct send again;
	struct refusal r;

	ASSERT(send_read(wire, TARGET, a, &again, &r));
	ASSERT(str_eq(again.to, s->to) && str_eq(again.lane, s->lane));
	ASSERT(str_eq(again.kind, s->kind) && again.class_ == s->class_);
	ASSERT(str_eq(again.template_name, s->template_name) && str_eq(again.opaque, TOKEN));
}

static void check_wire(const struct send *s, struct str body, struct str quoted, struct arena *a)
{
	size_t room = body.len + SPLICE_GROWTH_MAX * (body.len / 8 + 1);
	const struct json_doc *was, *is;
	struct buf once, twice;

	buf_init(&once, room);
	buf_init(&twice, room);
	ASSERT(body_splice(body, TOKEN, quoted, a, &once, NULL) == GW_OK);
	ASSERT(json_scan(body, a, &was, NULL) == GW_OK);
	ASSERT(json_scan(buf_str(&once), a, &is, NULL) == GW_OK);
	check_members(json_root(was), json_root(is), quoted);
	check_read(s, buf_str(&once), a);
	ASSERT(body_splice(buf_str(&once), TOKEN, quoted, a, &twice, NULL) == GW_OK);
	ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
	buf_release(&once);
	buf_release(&twice);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str body = str_make((const char *)data, size);
	struct arena *a = arena_new(ARENA_MAX);
	struct refusal r;
	struct send s;

	ASSERT(a != NULL);
	memset(&r, 0, sizeof(r));
	if (send_read(body, TARGET, a, &s, &r)) {
		ASSERT(s.to.len > 0 && s.lane.len > 0 && s.lane.len < RECIPIENT_MAX); /* inv. 1 */
		check_wire(&s, body, STR_EMPTY, a);
		check_wire(&s, body, QUOTED, a);
	} else {
		ASSERT(r.status >= 400 && r.details[0] != '\0');
	}
	arena_free(a);
}
