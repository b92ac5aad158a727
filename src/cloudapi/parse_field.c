/* SPDX-License-Identifier: MIT */
/*
 * parse_field.c - one change: which field it is, and what its value lists
 *
 * The fields are a table: Meta's word, the type of event, and the lists of
 * the value whose elements are events of their own. A field without lists is
 * one event for the whole value; so is one whose lists are empty, and a field
 * of tomorrow, but these two are unknown.
 *
 * history is not typed on purpose: these are messages of up to 180 days ago
 * that the owner shared when he connected the number. An application that
 * took them for message.received would answer them all. The members of a
 * single message (late media of the history) are filled in nevertheless.
 */
#include "cloudapi/parse_int.h"

static void read_plain(struct parse *p, gw_event *e, struct json_val item);
static void read_call(struct parse *p, gw_event *e, struct json_val item);
static void read_history_message(struct parse *p, gw_event *e, struct json_val item);

struct list_rule {
	const char *list;
	parse_item_fn read;
};

struct field_rule {
	struct str word;
	gw_event_type type;
	struct list_rule lists[3];
};

#define FIELD(word, type, ...)        \
	{                             \
		FILL_KEY(word), type, \
		{                     \
			__VA_ARGS__   \
		}                     \
	}
#define WHOLE              \
	{                  \
		NULL, NULL \
	}

static const struct field_rule field_rules[] = {
	FIELD("calls", GW_EVENT_CALL, { "calls", read_call }, { "statuses", parse_call_status }),
	FIELD("user_preferences", GW_EVENT_CONSENT, { "user_preferences", read_plain }),
	FIELD("smb_message_echoes", GW_EVENT_MESSAGE_SENT_ELSEWHERE,
	      { "message_echoes", parse_echo }),
	FIELD("message_echoes", GW_EVENT_MESSAGE_SENT_ELSEWHERE, { "message_echoes", parse_echo }),
	FIELD("smb_app_state_sync", GW_EVENT_UNKNOWN, { "state_sync", read_plain }),
	FIELD("history", GW_EVENT_UNKNOWN, { "history", read_plain },
	      { "messages", read_history_message }, { "errors", parse_value_error }),
	FIELD("automatic_events", GW_EVENT_UNKNOWN, { "automatic_events", read_plain }),
	FIELD("group_lifecycle_update", GW_EVENT_GROUP, { "groups", read_plain }),
	FIELD("group_participants_update", GW_EVENT_GROUP, { "groups", read_plain }),
	FIELD("group_participant_update", GW_EVENT_GROUP, { "groups", read_plain }),
	FIELD("group_settings_update", GW_EVENT_GROUP, { "groups", read_plain }),
	FIELD("group_status_update", GW_EVENT_GROUP, { "groups", read_plain }),
	FIELD("messaging_handovers", GW_EVENT_CONVERSATION, WHOLE),
	FIELD("standby", GW_EVENT_CONVERSATION, WHOLE),
	FIELD("flows", GW_EVENT_FLOW, WHOLE),
	FIELD("message_template_status_update", GW_EVENT_TEMPLATE, WHOLE),
	FIELD("message_template_quality_update", GW_EVENT_TEMPLATE, WHOLE),
	FIELD("message_template_components_update", GW_EVENT_TEMPLATE, WHOLE),
	FIELD("template_category_update", GW_EVENT_TEMPLATE, WHOLE),
	FIELD("template_correct_category_detection", GW_EVENT_TEMPLATE, WHOLE),
	FIELD("account_alerts", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("account_review_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("account_settings_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("account_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("business_capability_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("business_username_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("business_username_updates", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("partner_solutions", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("payment_configuration_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("phone_number_name_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("phone_number_quality_update", GW_EVENT_ACCOUNT, WHOLE),
	FIELD("security", GW_EVENT_ACCOUNT, WHOLE),
};
static const struct field_rule unknown_rule = FIELD("", GW_EVENT_UNKNOWN, WHOLE);

static const struct field_rule *field_rule(gw_str word)
{
	for (size_t i = 0; i < ARRAY_LEN(field_rules); i++) {
		if (field_rules[i].word.len == word.len &&
		    memcmp(field_rules[i].word.ptr, word.ptr, word.len) == 0)
			return &field_rules[i];
	}
	return &unknown_rule;
}

/* What the smaller items have in common; each has some of it. */
enum {
	PLAIN_FROM,
	PLAIN_TO,
	PLAIN_FROM_USER,
	PLAIN_TO_USER,
	PLAIN_DIRECTION,
	PLAIN_OPAQUE,
	PLAIN_ERRORS,
	PLAIN_WA_ID,
	PLAIN_NPARTS
};

static const struct fill plain_rows[] = {
	FILL_ROW("id", FILL_STRING, gw_event, id, FILL_ID_MAX),
	FILL_ROW("timestamp", FILL_TIME, gw_event, at, 0),
	FILL_ROW("user_id", FILL_STRING, gw_event, user_id, GW_USER_ID_MAX),
	FILL_ROW("group_id", FILL_STRING, gw_event, group_id, FILL_ID_MAX),
	FILL_ROW("status", FILL_STRING, gw_event, status_word, FILL_WORD_MAX),
	FILL_ROW("type", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX), /* groups */
	FILL_ROW("event", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX), /* calls */
	FILL_ROW("event_name", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX), /* automatic */
	FILL_ROW("value", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX), /* preferences */
	FILL_ROW("detail", FILL_STRING, gw_event, text, FILL_TEXT_MAX),
	FILL_KEPT("wa_id", PLAIN_WA_ID),
	FILL_KEPT("from", PLAIN_FROM),
	FILL_KEPT("to", PLAIN_TO),
	FILL_KEPT("from_user_id", PLAIN_FROM_USER),
	FILL_KEPT("to_user_id", PLAIN_TO_USER),
	FILL_KEPT("direction", PLAIN_DIRECTION),
	FILL_KEPT("biz_opaque_callback_data", PLAIN_OPAQUE),
	FILL_KEPT("errors", PLAIN_ERRORS),
};

static void read_members(struct parse *p, gw_event *e, struct json_val item, struct json_val *part)
{
	gw_str who;

	fill(item, plain_rows, ARRAY_LEN(plain_rows), e, part);
	who = fill_text(part[PLAIN_WA_ID], FILL_ID_MAX);
	if (who.len > 0)
		parse_who(p, e, who);
	e->opaque = fill_text(part[PLAIN_OPAQUE], (size_t)4 * GW_OPAQUE_MAX);
	e->opaque_value = fill_span(part[PLAIN_OPAQUE]);
	parse_errors(e, part[PLAIN_ERRORS]);
}

static void read_plain(struct parse *p, gw_event *e, struct json_val item)
{
	struct json_val part[PLAIN_NPARTS] = { 0 };

	read_members(p, e, item, part);
	if (e->phone.len > 0 || e->user_id.len > 0)
		parse_match_contact(p, e);
}

/* Whose call it is: the side that is not the business's. */
static void read_call(struct parse *p, gw_event *e, struct json_val item)
{
	struct json_val part[PLAIN_NPARTS] = { 0 };
	gw_str direction, who;
	bool ours;

	read_members(p, e, item, part);
	if (e->id.len == 0) {
		parse_untype(p, e);
		return;
	}
	direction = fill_text(part[PLAIN_DIRECTION], FILL_WORD_MAX);
	ours = fill_is(direction, "BUSINESS_INITIATED");
	e->user_id = fill_text(part[ours ? PLAIN_TO_USER : PLAIN_FROM_USER], GW_USER_ID_MAX);
	who = fill_text(part[ours ? PLAIN_TO : PLAIN_FROM], FILL_ID_MAX);
	if (who.len > 0)
		parse_who(p, e, who);
	parse_match_contact(p, e);
}

static void read_history_message(struct parse *p, gw_event *e, struct json_val item)
{
	parse_message(p, e, item);
	e->type = GW_EVENT_UNKNOWN;
}

static const struct fill whole_rows[] = {
	FILL_ROW("event", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX),
	FILL_ROW("decision", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX),
	FILL_ROW("type", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX),
	FILL_ROW("timestamp", FILL_TIME, gw_event, at, 0),
};

/* One event for the whole value. */
static void add_whole(struct parse *p, gw_event_type type)
{
	gw_event *e = parse_add(p, p->value, NULL);

	if (e == NULL)
		return;
	e->at = p->entry_at;
	if (json_type(p->value) != JSON_OBJECT)
		return;
	e->type = type;
	fill(p->value, whole_rows, ARRAY_LEN(whole_rows), e, NULL);
}

enum {
	VALUE_METADATA,
	VALUE_ADDRESS,
	VALUE_RECIPIENT,
	VALUE_SENDER,
	VALUE_MESSAGES,
	VALUE_STATUSES,
	VALUE_ERRORS,
	VALUE_NPARTS
};

static const struct fill value_rows[] = {
	FILL_KEPT("metadata", VALUE_METADATA),
	FILL_KEPT("messages", VALUE_MESSAGES),
	FILL_KEPT("statuses", VALUE_STATUSES),
	FILL_KEPT("errors", VALUE_ERRORS),
	FILL_KEPT("display_phone_number", VALUE_ADDRESS), /* phone_number_*_update, security */
	FILL_KEPT("recipient", VALUE_RECIPIENT), /* messaging_handovers */
	FILL_KEPT("sender", VALUE_SENDER),
};

enum { NUMBER_ADDRESS, NUMBER_NPARTS };

static const struct fill number_rows[] = {
	FILL_ROW("phone_number_id", FILL_STRING, gw_event, account_id, FILL_ID_MAX),
	FILL_KEPT("display_phone_number", NUMBER_ADDRESS),
};

/* "15550783881", "+1 555-078-3881": "+15550783881"; anything else as it is. */
static void read_address(struct parse *p, struct json_val v)
{
	gw_str text = fill_text(v, FILL_WORD_MAX), digits = parse_phone(p, text);
	char *out;

	p->scope.address = text;
	if (digits.len == 0)
		return;
	if (digits.ptr != text.ptr && digits.ptr - 1 == text.ptr)
		return; /* it was "+digits" */
	out = arena_alloc(p->arena, digits.len + 1);
	if (out == NULL) {
		p->full = true;
		return;
	}
	out[0] = '+';
	memcpy(out + 1, digits.ptr, digits.len);
	p->scope.address = (gw_str){ out, digits.len + 1 };
}

static void read_number(struct parse *p, struct json_val object)
{
	struct json_val part[NUMBER_NPARTS] = { 0 };

	fill(object, number_rows, ARRAY_LEN(number_rows), &p->scope, part);
	if (json_exists(part[NUMBER_ADDRESS]))
		read_address(p, part[NUMBER_ADDRESS]);
}

/* A handover names the number as its recipient and the customer as its sender. */
static void read_handover(struct parse *p, const struct json_val *part)
{
	read_number(p, part[VALUE_RECIPIENT]);
	p->scope.phone = parse_phone(
		p, fill_text(json_member(part[VALUE_SENDER], STR("phone_number")), FILL_WORD_MAX));
}

static void parse_whatsapp(struct parse *p, gw_str field)
{
	struct json_val part[VALUE_NPARTS] = { 0 };
	const struct field_rule *rule;
	uint32_t count = 0;

	fill(p->value, value_rows, ARRAY_LEN(value_rows), NULL, part);
	p->scope.metadata = fill_span(part[VALUE_METADATA]);
	read_number(p, part[VALUE_METADATA]);
	if (fill_is(field, "messages")) {
		count += parse_list(p, part[VALUE_MESSAGES], "messages", GW_EVENT_MESSAGE_RECEIVED,
				    parse_message);
		count += parse_list(p, part[VALUE_STATUSES], "statuses", GW_EVENT_MESSAGE_STATUS,
				    parse_status);
		count += parse_list(p, part[VALUE_ERRORS], "errors", GW_EVENT_ACCOUNT,
				    parse_value_error);
		if (count == 0)
			add_whole(p, GW_EVENT_UNKNOWN);
		return;
	}
	rule = field_rule(field);
	if (json_exists(part[VALUE_ADDRESS]))
		read_address(p, part[VALUE_ADDRESS]);
	if (fill_is(field, "messaging_handovers"))
		read_handover(p, part);
	if (fill_is(field, "account_settings_update"))
		read_number(p, json_member(p->value, STR("phone_number_settings")));
	for (size_t i = 0; i < ARRAY_LEN(rule->lists) && rule->lists[i].list != NULL; i++)
		count += parse_list(p, json_member(p->value, str_from(rule->lists[i].list)),
				    rule->lists[i].list, rule->type, rule->lists[i].read);
	if (count == 0) /* a field that lists things, without one, says nothing we know */
		add_whole(p, rule->lists[0].list != NULL ? GW_EVENT_UNKNOWN : rule->type);
}

void parse_change(struct parse *p, struct json_val change)
{
	struct json_val field = json_member(change, STR("field"));
	gw_event *e;

	p->value = json_member(change, STR("value"));
	p->scope.field = fill_text(field, FILL_WORD_MAX);
	p->scope.field_word = fill_span(field);
	if (!json_exists(p->value)) {
		p->scope.field_word = (gw_span){ 0, 0 }; /* nothing to splice into a value */
		(void)parse_add(p, change, "changes"); /* full is remembered in p */
		return;
	}
	if (p->scope.channel == GW_CHANNEL_WHATSAPP) {
		parse_whatsapp(p, p->scope.field);
		return;
	}
	/* Meta's dashboard tests wrap a messaging item of Instagram in a change. */
	e = parse_add(p, p->value, NULL);
	if (e == NULL)
		return;
	e->at = p->entry_at;
	if (p->scope.channel != GW_CHANNEL_OTHER &&
	    json_exists(json_member(p->value, STR("sender"))))
		parse_direct(p, e, p->value);
}
