/* SPDX-License-Identifier: MIT */
/* parse_unit.h - what the tests of the notification parser share */
#ifndef TESTS_PARSE_UNIT_H
#define TESTS_PARSE_UNIT_H

#include "unit.h"

#include <godwit/godwit.h>

/* The strings of an event, by name, so that a table can say what it wants. */
struct event_member {
	const char *name;
	size_t at;
};

#define MEMBER(name)                            \
	{                                       \
#name, offsetof(gw_event, name) \
	}

static const struct event_member event_members[] = {
	MEMBER(account_id),
	MEMBER(address),
	MEMBER(business_id),
	MEMBER(field),
	MEMBER(user_id),
	MEMBER(parent_user_id),
	MEMBER(phone),
	MEMBER(username),
	MEMBER(name),
	MEMBER(group_id),
	MEMBER(participant),
	MEMBER(id),
	MEMBER(kind_word),
	MEMBER(text),
	MEMBER(reply_id),
	MEMBER(reply_to),
	MEMBER(emoji),
	MEMBER(media_id),
	MEMBER(media_type),
	MEMBER(media_sha256),
	MEMBER(media_url),
	MEMBER(media_name),
	MEMBER(system_type),
	MEMBER(new_phone),
	MEMBER(new_user_id),
	MEMBER(status_word),
	MEMBER(recipient),
	MEMBER(opaque),
	MEMBER(error_title),
	MEMBER(error_details),
	MEMBER(previous_user_id),
};

static const struct event_member event_spans[] = {
	MEMBER(content), MEMBER(referral), MEMBER(pricing),    MEMBER(conversation),
	MEMBER(errors),  MEMBER(item),     MEMBER(entry_id),   MEMBER(entry_time),
	MEMBER(contact), MEMBER(metadata), MEMBER(field_word), MEMBER(opaque_value),
};

static inline gw_str event_str(const gw_event *e, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(event_members); i++) {
		if (strcmp(event_members[i].name, name) == 0)
			return *(const gw_str *)(const void *)((const char *)e +
							       event_members[i].at);
	}
	print_error("no member %s\n", name);
	fail();
	return (gw_str){ NULL, 0 };
}

static inline gw_span event_span(const gw_event *e, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(event_spans); i++) {
		if (strcmp(event_spans[i].name, name) == 0)
			return *(const gw_span *)(const void *)((const char *)e +
								event_spans[i].at);
	}
	print_error("no span %s\n", name);
	fail();
	return (gw_span){ 0, 0 };
}

struct want {
	const char *member;
	const char *value;
};

#define WANTS_MAX 8

static inline void check_wants(const char *name, const gw_event *e, const struct want *wants)
{
	for (size_t i = 0; i < WANTS_MAX && wants[i].member != NULL; i++) {
		gw_str got = event_str(e, wants[i].member);
		char label[160];

		(void)snprintf(label, sizeof(label), "%s: %s", name, wants[i].member);
		CHECK_STR(label, wants[i].value, str_of_gw(got));
	}
}

static inline struct str span_text(const char *body, gw_span s)
{
	return (struct str){ body + s.at, s.len };
}

/* The body in memory of its own size, so that reading over its end is found. */
struct parsed {
	char *body;
	gw_notification *n;
};

static inline struct parsed parse_body(const char *body)
{
	struct gw_error err = GW_ERROR_INIT;
	struct parsed p = { NULL, NULL };
	size_t len = strlen(body);

	p.body = malloc(len + (len == 0));
	assert_non_null(p.body);
	memcpy(p.body, body, len);
	if (gw_notification_parse((gw_str){ p.body, len }, &p.n, &err) != GW_OK) {
		print_error("%s\nin %s\n", err.message, body);
		fail();
	}
	return p;
}

static inline void parsed_free(struct parsed *p)
{
	gw_notification_free(p->n);
	free(p->body);
}

#define METADATA \
	"{\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"106540352242922\"}"
#define ENVELOPE(field, value)                                                   \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1022\"," \
	"\"changes\":[{\"field\":\"" field "\",\"value\":" value "}]}]}"
#define VALUE(members) "{\"messaging_product\":\"whatsapp\",\"metadata\":" METADATA "," members "}"

/* One event of a notification with `item` in `list` of a value of `field`. */
static inline struct parsed parse_item(const char *field, const char *list, const char *item)
{
	static const char format[] =
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1022\","
		"\"changes\":[{\"field\":\"%s\",\"value\":{\"messaging_product\":\"whatsapp\","
		"\"metadata\":" METADATA ",\"contacts\":[{\"profile\":{\"name\":\"Ann\","
		"\"username\":\"ann.x\"},\"wa_id\":\"16505551234\",\"user_id\":\"US.1349\"}],"
		"\"%s\":[%s]}}]}]}";
	size_t cap = sizeof(format) + strlen(field) + strlen(list) + strlen(item);
	char *body = malloc(cap);
	struct parsed p;

	assert_non_null(body);
	(void)snprintf(body, cap, format, field, list, item);
	p = parse_body(body);
	free(body);
	CHECK_INT(item, 1, gw_notification_count(p.n));
	return p;
}

/* inv. 3 of parse.c: spans inside the body, strings below their ceilings. */
static inline void check_bounds(const char *name, size_t body_len, const gw_notification *n)
{
	for (size_t i = 0; i < gw_notification_count(n); i++) {
		const gw_event *e = gw_notification_event(n, i);

		CHECK_INT(name, 1, e->item.len > 0);
		for (size_t k = 0; k < ARRAY_LEN(event_spans); k++) {
			gw_span s = event_span(e, event_spans[k].name);

			CHECK_INT(name, 1, (size_t)s.at + s.len <= body_len);
		}
		for (size_t k = 0; k < ARRAY_LEN(event_members); k++) {
			gw_str s = event_str(e, event_members[k].name);

			CHECK_INT(name, 1, s.len <= (size_t)256 * 1024);
			CHECK_INT(name, 1, s.len == 0 || s.ptr != NULL);
		}
		CHECK_INT(name, 1, e->id.len <= GW_WAMID_MAX && e->recipient.len <= GW_WAMID_MAX);
		CHECK_INT(name, 1, e->user_id.len <= GW_USER_ID_MAX && e->at >= 0);
	}
}

#endif
