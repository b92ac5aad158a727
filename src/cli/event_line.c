/* SPDX-License-Identifier: MIT */
/* event_line.c - an event in one line, for people who watch */
#include "cli/event_line.h"
#include "cli/out.h"
#include <godwit/errors.h>

#define FIELD_MAX 65536
#define TEXT_POINTS 60 /* of a message's text */

struct str event_time_of_day(struct str stamp)
{
	return stamp.len == 24 && stamp.ptr[10] == 'T' ? str_slice(stamp, 11, 23) : stamp;
}

static void put_contact(struct buf *b, const struct cli *cli, struct json_val contact)
{
	struct str name = STR_EMPTY, phone = STR_EMPTY;
	char shown[OUT_PHONE_MAX];

	(void)json_get_str(contact, STR("name"), FIELD_MAX, &name);
	if (!json_get_str(contact, STR("phone"), 64, &phone))
		(void)json_get_str(contact, STR("user_id"), FIELD_MAX, &phone);
	if (name.len == 0 && phone.len == 0)
		return;
	out_phone(cli, phone, shown);
	buf_put_text(b, "  ");
	out_line(b, name, TEXT_POINTS);
	if (phone.len > 0)
		buf_put_fmt(b, name.len > 0 ? " (%s)" : "%s", shown);
}

static void put_message(struct buf *b, struct json_val message)
{
	struct str kind = STR_EMPTY, text;

	(void)json_get_str(message, STR("kind"), 64, &kind);
	if (kind.len > 0 && !str_eq(kind, STR("text")))
		buf_put_fmt(b, "  [%.*s]", STR_ARG(kind));
	if (json_get_str(message, STR("text"), FIELD_MAX, &text)) {
		buf_put_text(b, "  \"");
		out_line(b, text, TEXT_POINTS);
		buf_put_char(b, '"');
	}
}

static void put_status(struct buf *b, struct json_val event)
{
	struct json_val status = json_member(event, STR("status"));
	struct str word, id, title;
	int64_t code;

	if (!json_get_str(status, STR("word"), 64, &word) &&
	    !json_get_str(status, STR("state"), 64, &word))
		return;
	buf_put_fmt(b, "  %.*s", STR_ARG(word));
	if (json_get_i64(json_member(status, STR("error")), STR("code"), &code) && code != 0) {
		buf_put_fmt(b, "  %lld", (long long)code);
		if (json_get_str(json_member(status, STR("error")), STR("title"), FIELD_MAX,
				 &title)) {
			buf_put_char(b, ' ');
			out_line(b, title, TEXT_POINTS);
		}
	}
	if (json_get_str(event, STR("sent_message"), 64, &id) ||
	    json_get_str(json_member(event, STR("message")), STR("id"), FIELD_MAX, &id))
		buf_put_fmt(b, "  %.*s", STR_ARG(id));
}

/* What the code means and what to do, as in every other place that shows one. */
static void put_advice(struct buf *b, struct json_val error)
{
	char advice[GW_ERROR_ADVICE_MAX];
	int64_t code;

	if (json_get_i64(error, STR("code"), &code) && code != 0 &&
	    gw_error_advice((int)code, 0, advice))
		buf_put_fmt(b, "  %s", advice);
}

static void put_change(struct buf *b, struct json_val change)
{
	struct str field;

	if (json_get_str(change, STR("field"), 128, &field))
		buf_put_fmt(b, "  %.*s", STR_ARG(field));
}

void event_put_summary(struct buf *b, const struct cli *cli, struct json_val event)
{
	if (json_exists(json_member(event, STR("status")))) {
		put_status(b, event);
		put_contact(b, cli, json_member(event, STR("contact")));
		put_advice(b, json_member(json_member(event, STR("status")), STR("error")));
		return;
	}
	put_contact(b, cli, json_member(event, STR("contact")));
	if (json_exists(json_member(event, STR("change"))))
		put_change(b, json_member(event, STR("change")));
	else
		put_message(b, json_member(event, STR("message")));
}

void event_put_line(struct buf *b, const struct cli *cli, struct json_val event)
{
	struct str stamp = STR_EMPTY, type = STR_EMPTY, id = STR_EMPTY;

	(void)json_get_str(event, STR("received_at"), 64, &stamp);
	(void)json_get_str(event, STR("type"), 64, &type);
	(void)json_get_str(event, STR("id"), 64, &id);
	stamp = event_time_of_day(stamp);
	buf_put_fmt(b, "%.*s  --> %-16.*s  %.*s", STR_ARG(stamp), STR_ARG(type), STR_ARG(id));
	event_put_summary(b, cli, event);
}
