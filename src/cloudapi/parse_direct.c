/* SPDX-License-Identifier: MIT */
/*
 * parse_direct.c - one item of Messenger or Instagram
 *
 * Shapes: Messenger Platform and Instagram messaging webhook reference as of
 * November 2026. An item has sender, recipient, timestamp and one member that
 * says what it is; that member's name is the event's `field`. Reactions,
 * edits and deletions have no id of their own: the mid in them names the
 * message they are about (reply_to).
 */
#include "cloudapi/parse_int.h"

typedef void (*direct_fn)(struct parse *p, gw_event *e, struct json_val content);

static void read_message(struct parse *p, gw_event *e, struct json_val content);
static void read_postback(struct parse *p, gw_event *e, struct json_val content);
static void read_reaction(struct parse *p, gw_event *e, struct json_val content);
static void read_edit(struct parse *p, gw_event *e, struct json_val content);
static void read_seen(struct parse *p, gw_event *e, struct json_val content);
static void read_delivery(struct parse *p, gw_event *e, struct json_val content);
static void read_referral(struct parse *p, gw_event *e, struct json_val content);

static const struct {
	struct str word;
	gw_event_type type; /* where the reader does not say otherwise */
	direct_fn read;
} direct_rules[] = {
	{ FILL_KEY("message"), GW_EVENT_MESSAGE_RECEIVED, read_message },
	{ FILL_KEY("postback"), GW_EVENT_MESSAGE_RECEIVED, read_postback },
	{ FILL_KEY("reaction"), GW_EVENT_MESSAGE_REACTION, read_reaction },
	{ FILL_KEY("message_edit"), GW_EVENT_MESSAGE_EDITED, read_edit },
	{ FILL_KEY("read"), GW_EVENT_MESSAGE_STATUS, read_seen },
	{ FILL_KEY("delivery"), GW_EVENT_MESSAGE_STATUS, read_delivery },
	{ FILL_KEY("referral"), GW_EVENT_UNKNOWN, read_referral },
	{ FILL_KEY("optin"), GW_EVENT_CONSENT, NULL },
	{ FILL_KEY("pass_thread_control"), GW_EVENT_CONVERSATION, NULL },
	{ FILL_KEY("take_thread_control"), GW_EVENT_CONVERSATION, NULL },
	{ FILL_KEY("request_thread_control"), GW_EVENT_CONVERSATION, NULL },
	{ FILL_KEY("app_roles"), GW_EVENT_CONVERSATION, NULL },
	{ FILL_KEY("policy_enforcement"), GW_EVENT_ACCOUNT, NULL },
	{ FILL_KEY("account_linking"), GW_EVENT_UNKNOWN, NULL },
};

/* Unknown, but who and when stay: the item was understood that far. */
static void give_up(struct parse *p, gw_event *e)
{
	gw_event half = *e;

	parse_untype(p, e);
	e->at = half.at;
	e->field = half.field;
	e->content = half.content;
	e->user_id = half.user_id;
}

/* Kinds of attachments; the rest (shares, story mentions, templates) keep Meta's word. */
static const struct {
	const char *word;
	gw_message_kind kind;
} attachment_kinds[] = {
	{ "image", GW_KIND_IMAGE },       { "video", GW_KIND_VIDEO },
	{ "reel", GW_KIND_VIDEO },        { "ig_reel", GW_KIND_VIDEO },
	{ "audio", GW_KIND_AUDIO },       { "file", GW_KIND_DOCUMENT },
	{ "sticker", GW_KIND_STICKER },   { "like_heart", GW_KIND_STICKER },
	{ "location", GW_KIND_LOCATION }, { "unsupported", GW_KIND_UNSUPPORTED },
};

static const struct fill payload_rows[] = {
	FILL_ROW("url", FILL_STRING, gw_event, media_url, FILL_URL_MAX),
	FILL_ROW("sticker_id", FILL_STRING, gw_event, media_id, FILL_ID_MAX),
	FILL_ROW("title", FILL_STRING, gw_event, media_name, FILL_NAME_MAX),
};
static const struct fill coordinate_rows[] = {
	FILL_ROW("lat", FILL_DECIMAL, gw_event, latitude, 0),
	FILL_ROW("long", FILL_DECIMAL, gw_event, longitude, 0),
};

static void read_attachment(gw_event *e, struct json_val attachment)
{
	struct json_val payload = json_member(attachment, STR("payload"));

	e->kind = GW_KIND_OTHER;
	e->kind_word = fill_text(json_member(attachment, STR("type")), FILL_WORD_MAX);
	for (size_t i = 0; i < ARRAY_LEN(attachment_kinds); i++) {
		if (fill_is(e->kind_word, attachment_kinds[i].word))
			e->kind = attachment_kinds[i].kind;
	}
	fill(payload, payload_rows, ARRAY_LEN(payload_rows), e, NULL);
	fill(json_member(payload, STR("coordinates")), coordinate_rows, ARRAY_LEN(coordinate_rows),
	     e, NULL);
}

enum {
	PART_MID,
	PART_ATTACHMENTS,
	PART_QUICK_REPLY,
	PART_REPLY_TO,
	PART_ECHO,
	PART_DELETED,
	PART_UNSUPPORTED,
	PART_NPARTS
};

static const struct fill message_rows[] = {
	FILL_KEPT("mid", PART_MID),
	FILL_ROW("text", FILL_STRING, gw_event, text, FILL_TEXT_MAX),
	FILL_ROW("referral", FILL_SPAN, gw_event, referral, 0),
	FILL_KEPT("attachments", PART_ATTACHMENTS),
	FILL_KEPT("quick_reply", PART_QUICK_REPLY),
	FILL_KEPT("reply_to", PART_REPLY_TO),
	FILL_KEPT("is_echo", PART_ECHO),
	FILL_KEPT("is_deleted", PART_DELETED),
	FILL_KEPT("is_unsupported", PART_UNSUPPORTED),
};

static void read_message(struct parse *p, gw_event *e, struct json_val content)
{
	struct json_val part[PART_NPARTS] = { 0 };
	gw_str mid;

	fill(content, message_rows, ARRAY_LEN(message_rows), e, part);
	mid = fill_text(part[PART_MID], FILL_ID_MAX);
	if (mid.len == 0) {
		give_up(p, e);
		return;
	}
	if (json_type(part[PART_DELETED]) == JSON_TRUE) {
		e->type = GW_EVENT_MESSAGE_DELETED;
		e->kind = GW_KIND_REVOKE;
		e->reply_to = mid;
		return;
	}
	e->id = mid;
	e->kind = GW_KIND_TEXT;
	e->kind_word = (gw_str){ "text", 4 };
	if (json_count(part[PART_ATTACHMENTS]) > 0)
		read_attachment(e, json_at(part[PART_ATTACHMENTS], 0));
	if (json_exists(part[PART_QUICK_REPLY])) {
		e->kind = GW_KIND_BUTTON_REPLY;
		e->kind_word = (gw_str){ "quick_reply", 11 };
		e->reply_id = fill_text(json_member(part[PART_QUICK_REPLY], STR("payload")),
					FILL_NAME_MAX);
	}
	if (json_type(part[PART_UNSUPPORTED]) == JSON_TRUE) {
		e->kind = GW_KIND_UNSUPPORTED;
		e->kind_word = (gw_str){ "unsupported", 11 };
	}
	e->reply_to = fill_text(json_member(part[PART_REPLY_TO], STR("mid")), FILL_ID_MAX);
	if (json_type(part[PART_ECHO]) == JSON_TRUE)
		e->type = GW_EVENT_MESSAGE_SENT_ELSEWHERE;
}

/* Older postbacks have no mid: the event is typed all the same, without an id. */
static const struct fill postback_rows[] = {
	FILL_ROW("mid", FILL_STRING, gw_event, id, FILL_ID_MAX),
	FILL_ROW("title", FILL_STRING, gw_event, text, FILL_TEXT_MAX),
	FILL_ROW("payload", FILL_STRING, gw_event, reply_id, FILL_NAME_MAX),
	FILL_ROW("referral", FILL_SPAN, gw_event, referral, 0),
};

static void read_postback(struct parse *p, gw_event *e, struct json_val content)
{
	(void)p;
	fill(content, postback_rows, ARRAY_LEN(postback_rows), e, NULL);
	e->kind = GW_KIND_BUTTON;
	e->kind_word = (gw_str){ "postback", 8 };
}

static const struct fill reaction_rows[] = {
	FILL_ROW("mid", FILL_STRING, gw_event, reply_to, FILL_ID_MAX),
	FILL_ROW("emoji", FILL_STRING, gw_event, emoji, FILL_WORD_MAX),
	FILL_ROW("reaction", FILL_STRING, gw_event, text, FILL_WORD_MAX),
};

static void read_reaction(struct parse *p, gw_event *e, struct json_val content)
{
	gw_str action = fill_text(json_member(content, STR("action")), FILL_WORD_MAX);

	(void)p;
	fill(content, reaction_rows, ARRAY_LEN(reaction_rows), e, NULL);
	e->kind = GW_KIND_REACTION;
	e->kind_word = (gw_str){ "reaction", 8 };
	if (fill_is(action, "unreact"))
		e->emoji = (gw_str){ NULL, 0 };
	else if (e->emoji.len == 0)
		e->emoji = e->text; /* "other": the word is all there is */
}

static const struct fill edit_rows[] = {
	FILL_ROW("mid", FILL_STRING, gw_event, reply_to, FILL_ID_MAX),
	FILL_ROW("text", FILL_STRING, gw_event, text, FILL_TEXT_MAX),
};

static void read_edit(struct parse *p, gw_event *e, struct json_val content)
{
	fill(content, edit_rows, ARRAY_LEN(edit_rows), e, NULL);
	if (e->reply_to.len == 0) {
		give_up(p, e);
		return;
	}
	e->kind = GW_KIND_EDIT;
	e->kind_word = (gw_str){ "message_edit", 12 };
}

static void read_receipt(struct parse *p, gw_event *e, struct json_val mid, gw_status_kind status,
			 const char *word)
{
	e->id = fill_text(mid, FILL_ID_MAX);
	if (e->id.len == 0) {
		give_up(p, e);
		return;
	}
	e->status = status;
	e->status_word = (gw_str){ word, strlen(word) };
	e->recipient = e->user_id;
}

/* Messenger's form has only a watermark ("everything up to"): no message, so unknown. */
static void read_seen(struct parse *p, gw_event *e, struct json_val content)
{
	read_receipt(p, e, json_member(content, STR("mid")), GW_STATUS_READ, "read");
}

/* One item may confirm several messages; an event is about one, so these stay unknown. */
static void read_delivery(struct parse *p, gw_event *e, struct json_val content)
{
	struct json_val mids = json_member(content, STR("mids"));

	read_receipt(p, e, json_count(mids) == 1 ? json_at(mids, 0) : JSON_MISSING,
		     GW_STATUS_DELIVERED, "delivered");
}

static void read_referral(struct parse *p, gw_event *e, struct json_val content)
{
	(void)p;
	e->referral = fill_span(content);
}

/* The customer is the side that is not the account, whichever way it went. */
static void read_sides(gw_event *e, struct json_val item, struct json_val content)
{
	gw_str sender = fill_text(json_path(item, "sender.id"), GW_USER_ID_MAX);
	gw_str recipient = fill_text(json_path(item, "recipient.id"), GW_USER_ID_MAX);
	bool echo = json_type(json_member(content, STR("is_echo"))) == JSON_TRUE;

	if (str_eq(str_of_gw(sender), str_of_gw(e->account_id)))
		echo = true;
	else if (str_eq(str_of_gw(recipient), str_of_gw(e->account_id)))
		echo = false;
	e->user_id = echo ? recipient : sender;
}

void parse_direct(struct parse *p, gw_event *e, struct json_val item)
{
	bool standby = e->type == GW_EVENT_CONVERSATION; /* another application owns the thread */
	struct json_val content;

	if (e->channel != GW_CHANNEL_MESSENGER && e->channel != GW_CHANNEL_INSTAGRAM) {
		e->type = GW_EVENT_UNKNOWN; /* these lists are theirs; elsewhere they are odd */
		return;
	}
	e->at = fill_time(json_member(item, STR("timestamp")));
	for (size_t i = 0; i < ARRAY_LEN(direct_rules); i++) {
		content = json_member(item, direct_rules[i].word);
		if (!json_exists(content))
			continue;
		if (e->list != NULL) /* in a change the field is Meta's */
			e->field = str_to_gw(direct_rules[i].word);
		e->content = fill_span(content);
		read_sides(e, item, content);
		if (standby)
			return;
		e->type = direct_rules[i].type;
		if (direct_rules[i].read != NULL)
			direct_rules[i].read(p, e, content);
		return;
	}
	read_sides(e, item, JSON_MISSING);
}
