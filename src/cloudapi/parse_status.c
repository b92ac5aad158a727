/* SPDX-License-Identifier: MIT */
/*
 * parse_status.c - statuses of messages and calls, and Meta's errors
 *
 * Shapes: webhook reference "statuses" and the user-id pages as of November
 * 2026. Only id and status are required. A group's status names the group in
 * recipient_id and the person in recipient_participant_id; there is one
 * for each participant, so the participant is what tells them apart.
 */
#include "cloudapi/parse_int.h"

static const struct {
	const char *word;
	gw_status_kind kind;
} status_words[] = {
	{ "sent", GW_STATUS_SENT },     { "delivered", GW_STATUS_DELIVERED },
	{ "read", GW_STATUS_READ },     { "played", GW_STATUS_PLAYED },
	{ "failed", GW_STATUS_FAILED },
};

static gw_status_kind status_of(gw_str word)
{
	for (size_t i = 0; i < ARRAY_LEN(status_words); i++) {
		if (fill_is(word, status_words[i].word))
			return status_words[i].kind;
	}
	return GW_STATUS_OTHER;
}

enum { ERROR_DATA, ERROR_MESSAGE, ERROR_NPARTS };

static const struct fill error_rows[] = {
	FILL_ROW("code", FILL_INT, gw_event, error_code, 0),
	FILL_ROW("title", FILL_STRING, gw_event, error_title, FILL_NAME_MAX),
	FILL_KEPT("error_data", ERROR_DATA),
	FILL_KEPT("message", ERROR_MESSAGE),
};

static void read_error(gw_event *e, struct json_val error)
{
	struct json_val part[ERROR_NPARTS] = { 0 }, details;

	fill(error, error_rows, ARRAY_LEN(error_rows), e, part);
	if (e->error_title.len == 0)
		e->error_title = fill_text(part[ERROR_MESSAGE], FILL_NAME_MAX);
	details = part[ERROR_DATA]; /* an object, but management errors carry a string */
	if (json_type(details) == JSON_OBJECT)
		details = json_member(details, STR("details"));
	e->error_details = fill_text(details, FILL_URL_MAX);
}

void parse_errors(gw_event *e, struct json_val errors)
{
	if (!json_exists(errors))
		return;
	e->errors = fill_span(errors);
	read_error(e, json_type(errors) == JSON_ARRAY ? json_at(errors, 0) : errors);
}

void parse_value_error(struct parse *p, gw_event *e, struct json_val item)
{
	(void)p;
	e->errors = e->item;
	e->at = p->entry_at;
	read_error(e, item);
}

enum {
	STATUS_RECIPIENT_TYPE,
	STATUS_PARTICIPANT,
	STATUS_PARTICIPANT_USER,
	STATUS_OPAQUE,
	STATUS_ERRORS,
	STATUS_NPARTS
};

static const struct fill status_rows[] = {
	FILL_ROW("id", FILL_STRING, gw_event, id, FILL_ID_MAX),
	FILL_ROW("status", FILL_STRING, gw_event, status_word, FILL_WORD_MAX),
	FILL_ROW("timestamp", FILL_TIME, gw_event, at, 0),
	FILL_ROW("recipient_id", FILL_STRING, gw_event, recipient, FILL_ID_MAX),
	FILL_ROW("recipient_user_id", FILL_STRING, gw_event, user_id, GW_USER_ID_MAX),
	/* Meta's pages spell the parent both ways. */
	FILL_ROW("recipient_parent_user_id", FILL_STRING, gw_event, parent_user_id, GW_USER_ID_MAX),
	FILL_ROW("parent_recipient_user_id", FILL_STRING, gw_event, parent_user_id, GW_USER_ID_MAX),
	FILL_ROW("pricing", FILL_SPAN, gw_event, pricing, 0),
	FILL_ROW("conversation", FILL_SPAN, gw_event, conversation, 0),
	FILL_KEPT("recipient_type", STATUS_RECIPIENT_TYPE),
	FILL_KEPT("recipient_participant_id", STATUS_PARTICIPANT),
	FILL_KEPT("recipient_participant_user_id", STATUS_PARTICIPANT_USER),
	FILL_KEPT("biz_opaque_callback_data", STATUS_OPAQUE),
	FILL_KEPT("errors", STATUS_ERRORS),
};

/* Sort out the person, the group and the key; recipient holds recipient_id. */
static void place_recipient(struct parse *p, gw_event *e, const struct json_val *part)
{
	gw_str participant = fill_text(part[STATUS_PARTICIPANT], FILL_ID_MAX);
	gw_str participant_user = fill_text(part[STATUS_PARTICIPANT_USER], GW_USER_ID_MAX);
	gw_str type = fill_text(part[STATUS_RECIPIENT_TYPE], FILL_WORD_MAX);

	if (!fill_is(type, "group") && participant.len == 0 && participant_user.len == 0) {
		if (e->recipient.len == 0)
			e->recipient = e->user_id;
		else
			parse_who(p, e, e->recipient);
		return;
	}
	e->group_id = e->recipient;
	if (participant_user.len > 0)
		e->user_id = participant_user;
	e->participant = participant.len > 0 ? participant : participant_user;
	if (participant.len > 0)
		parse_who(p, e, participant);
	if (e->participant.len > 0)
		e->recipient = e->participant;
}

/* False: it has no id or no status and was made unknown. */
static bool read_status(struct parse *p, gw_event *e, struct json_val item)
{
	struct json_val part[STATUS_NPARTS] = { 0 };

	fill(item, status_rows, ARRAY_LEN(status_rows), e, part);
	if (e->id.len == 0 || e->status_word.len == 0) {
		parse_untype(p, e);
		return false;
	}
	place_recipient(p, e, part);
	/* 512 characters of at most 4 bytes. */
	e->opaque = fill_text(part[STATUS_OPAQUE], (size_t)4 * GW_OPAQUE_MAX);
	e->opaque_value = fill_span(part[STATUS_OPAQUE]);
	parse_errors(e, part[STATUS_ERRORS]);
	parse_match_contact(p, e);
	return true;
}

void parse_status(struct parse *p, gw_event *e, struct json_val item)
{
	if (read_status(p, e, item))
		e->status = status_of(e->status_word);
}

/* The same shape with other words (RINGING, ACCEPTED, ...) and the id of a call. */
void parse_call_status(struct parse *p, gw_event *e, struct json_val item)
{
	(void)read_status(p, e, item);
}
