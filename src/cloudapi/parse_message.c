/* SPDX-License-Identifier: MIT */
/*
 * parse_message.c - one message of a customer, or one of our own from elsewhere
 *
 * Shapes: webhook reference "messages" (one page per type), the user-id and
 * group pages, and the echoes of numbers that are also on the WhatsApp
 * Business app, as of November 2026. Only the id is required. The kinds are a
 * table: Meta's word, ours, and which members of the content are read.
 */
#include "cloudapi/parse_int.h"

#define ROW_TEXT(key) FILL_ROW(key, FILL_STRING, gw_event, text, FILL_TEXT_MAX)

static const struct fill text_rows[] = { ROW_TEXT("body") };
static const struct fill media_rows[] = {
	FILL_ROW("id", FILL_STRING, gw_event, media_id, FILL_ID_MAX),
	FILL_ROW("mime_type", FILL_STRING, gw_event, media_type, FILL_WORD_MAX),
	FILL_ROW("sha256", FILL_STRING, gw_event, media_sha256, FILL_WORD_MAX),
	FILL_ROW("url", FILL_STRING, gw_event, media_url, FILL_URL_MAX),
	FILL_ROW("filename", FILL_STRING, gw_event, media_name, FILL_NAME_MAX),
	FILL_ROW("voice", FILL_BOOL, gw_event, media_voice, 0),
	FILL_ROW("animated", FILL_BOOL, gw_event, media_animated, 0),
	ROW_TEXT("caption"),
};
static const struct fill location_rows[] = {
	FILL_ROW("latitude", FILL_DECIMAL, gw_event, latitude, 0),
	FILL_ROW("longitude", FILL_DECIMAL, gw_event, longitude, 0),
	FILL_ROW("url", FILL_STRING, gw_event, media_url, FILL_URL_MAX),
	ROW_TEXT("name"),
};
static const struct fill button_rows[] = {
	FILL_ROW("payload", FILL_STRING, gw_event, reply_id, FILL_NAME_MAX),
	ROW_TEXT("text"),
};
static const struct fill order_rows[] = { ROW_TEXT("text") };
static const struct fill reaction_rows[] = {
	FILL_ROW("message_id", FILL_STRING, gw_event, reply_to, FILL_ID_MAX),
	FILL_ROW("emoji", FILL_STRING, gw_event, emoji, FILL_WORD_MAX),
};
static const struct fill system_rows[] = {
	ROW_TEXT("body"),
	FILL_ROW("type", FILL_STRING, gw_event, system_type, FILL_WORD_MAX),
	FILL_ROW("wa_id", FILL_STRING, gw_event, new_phone, FILL_WORD_MAX),
	FILL_ROW("new_wa_id", FILL_STRING, gw_event, new_phone, FILL_WORD_MAX), /* before v12 */
	FILL_ROW("user_id", FILL_STRING, gw_event, new_user_id, GW_USER_ID_MAX),
	FILL_ROW("previous_user_id", FILL_STRING, gw_event, previous_user_id, GW_USER_ID_MAX),
};
static const struct fill original_rows[] = {
	FILL_ROW("original_message_id", FILL_STRING, gw_event, reply_to, FILL_ID_MAX),
};

struct kind_rule {
	struct str word;
	gw_message_kind kind;
	gw_event_type type;
	const struct fill *rows;
	size_t count;
};

#define RULE(word, kind, type, rows)                              \
	{                                                         \
		FILL_KEY(word), kind, type, rows, ARRAY_LEN(rows) \
	}
#define RULE_BARE(word, kind, type)                 \
	{                                           \
		FILL_KEY(word), kind, type, NULL, 0 \
	}
#define RECEIVED GW_EVENT_MESSAGE_RECEIVED

static const struct kind_rule kind_rules[] = {
	RULE("text", GW_KIND_TEXT, RECEIVED, text_rows),
	RULE("image", GW_KIND_IMAGE, RECEIVED, media_rows),
	RULE("video", GW_KIND_VIDEO, RECEIVED, media_rows),
	RULE("audio", GW_KIND_AUDIO, RECEIVED, media_rows),
	RULE("document", GW_KIND_DOCUMENT, RECEIVED, media_rows),
	RULE("sticker", GW_KIND_STICKER, RECEIVED, media_rows),
	RULE("location", GW_KIND_LOCATION, RECEIVED, location_rows),
	RULE_BARE("contacts", GW_KIND_CONTACTS, RECEIVED),
	RULE("button", GW_KIND_BUTTON, RECEIVED, button_rows),
	RULE_BARE("interactive", GW_KIND_INTERACTIVE, RECEIVED),
	RULE("order", GW_KIND_ORDER, RECEIVED, order_rows),
	RULE("reaction", GW_KIND_REACTION, GW_EVENT_MESSAGE_REACTION, reaction_rows),
	RULE("system", GW_KIND_SYSTEM, RECEIVED, system_rows),
	RULE_BARE("request_welcome", GW_KIND_WELCOME, RECEIVED),
	RULE("edit", GW_KIND_EDIT, GW_EVENT_MESSAGE_EDITED, original_rows),
	RULE("revoke", GW_KIND_REVOKE, GW_EVENT_MESSAGE_DELETED, original_rows),
	RULE_BARE("unsupported", GW_KIND_UNSUPPORTED, RECEIVED),
	RULE_BARE("unknown", GW_KIND_UNSUPPORTED, RECEIVED), /* the older word */
	RULE_BARE("media_placeholder", GW_KIND_MEDIA_PLACEHOLDER, RECEIVED),
};
static const struct kind_rule other_rule = RULE_BARE("", GW_KIND_OTHER, RECEIVED);

static const struct fill reply_rows[] = {
	FILL_ROW("id", FILL_STRING, gw_event, reply_id, FILL_NAME_MAX),
	ROW_TEXT("title"),
};
static const struct fill flow_rows[] = { ROW_TEXT("body") };
static const struct fill permission_rows[] = {
	FILL_ROW("response", FILL_STRING, gw_event, reply_id, FILL_NAME_MAX),
};
static const struct kind_rule interactive_rules[] = {
	RULE("button_reply", GW_KIND_BUTTON_REPLY, RECEIVED, reply_rows),
	RULE("list_reply", GW_KIND_LIST_REPLY, RECEIVED, reply_rows),
	RULE("nfm_reply", GW_KIND_FLOW_REPLY, RECEIVED, flow_rows),
	RULE("call_permission_reply", GW_KIND_CALL_PERMISSION_REPLY, RECEIVED, permission_rows),
};

static const struct kind_rule *find_rule(const struct kind_rule *rules, size_t count, gw_str word)
{
	for (size_t i = 0; i < count; i++) {
		if (rules[i].word.len == word.len && word.len > 0 &&
		    memcmp(rules[i].word.ptr, word.ptr, word.len) == 0)
			return &rules[i];
	}
	return NULL;
}

static const struct kind_rule *kind_rule(gw_str word)
{
	return find_rule(kind_rules, ARRAY_LEN(kind_rules), word);
}

static void read_content(gw_event *e, const struct kind_rule *rule, struct json_val content)
{
	if (rule->rows != NULL)
		fill(content, rule->rows, rule->count, e, NULL);
	if (rule->kind == GW_KIND_LOCATION && e->text.len == 0)
		e->text = fill_text(json_member(content, STR("address")), FILL_TEXT_MAX);
	if (rule->kind == GW_KIND_CONTACTS)
		e->text = fill_text(json_path(json_at(content, 0), "name.formatted_name"),
				    FILL_TEXT_MAX);
}

/* interactive has a type of its own, and its content under that word. */
static void read_interactive(gw_event *e, struct json_val content)
{
	gw_str word = fill_text(json_member(content, STR("type")), FILL_WORD_MAX);
	const struct kind_rule *rule;
	struct json_val inner;

	if (word.len == 0)
		return;
	e->kind_word = word;
	inner = json_member(content, str_of_gw(word));
	rule = find_rule(interactive_rules, ARRAY_LEN(interactive_rules), word);
	if (rule == NULL || json_type(inner) != JSON_OBJECT)
		return;
	e->kind = rule->kind;
	fill(inner, rule->rows, rule->count, e, NULL);
}

/* edit holds the new form of the message, without id and sender. */
static void read_edited(gw_event *e, struct json_val content)
{
	struct json_val message = json_member(content, STR("message"));
	gw_str word = fill_text(json_member(message, STR("type")), FILL_WORD_MAX);
	const struct kind_rule *rule = kind_rule(word);

	if (rule != NULL && rule->type == GW_EVENT_MESSAGE_RECEIVED)
		read_content(e, rule, json_member(message, rule->word));
}

/* Meta has left out `type` before; then the content's own key tells. */
static const struct kind_rule *guess_rule(struct json_val item)
{
	for (size_t i = 0; i < ARRAY_LEN(kind_rules); i++) {
		if (json_exists(json_member(item, kind_rules[i].word)))
			return &kind_rules[i];
	}
	return &other_rule;
}

static void read_kind(struct parse *p, gw_event *e, struct json_val item)
{
	const struct kind_rule *rule = kind_rule(e->kind_word);
	struct json_val content;

	if (rule == NULL)
		rule = e->kind_word.len > 0 ? &other_rule : guess_rule(item);
	if (e->kind_word.len == 0)
		e->kind_word = str_to_gw(rule->word);
	e->kind = rule->kind;
	e->type = rule->type;
	content = json_member(item, str_of_gw(e->kind_word));
	if (!json_exists(content))
		return;
	e->content = fill_span(content);
	read_content(e, rule, content);
	if (rule->kind == GW_KIND_INTERACTIVE)
		read_interactive(e, content);
	else if (rule->kind == GW_KIND_EDIT)
		read_edited(e, content);
	else if (rule->kind == GW_KIND_SYSTEM)
		e->new_phone = parse_phone(p, e->new_phone);
}

enum { CONTEXT_FORWARDED, CONTEXT_OFTEN, CONTEXT_ID, CONTEXT_NPARTS };

static const struct fill context_rows[] = {
	FILL_KEPT("forwarded", CONTEXT_FORWARDED),
	FILL_KEPT("frequently_forwarded", CONTEXT_OFTEN),
	FILL_KEPT("id", CONTEXT_ID),
};

static void read_context(gw_event *e, struct json_val context)
{
	struct json_val part[CONTEXT_NPARTS] = { 0 };
	bool once = false, often = false;

	fill(context, context_rows, ARRAY_LEN(context_rows), NULL, part);
	(void)json_bool(part[CONTEXT_FORWARDED], &once); /* absent: false */
	(void)json_bool(part[CONTEXT_OFTEN], &often);
	e->forwarded = once || often;
	if (e->reply_to.len == 0) /* what is reacted to or edited comes first */
		e->reply_to = fill_text(part[CONTEXT_ID], FILL_ID_MAX);
}

enum { MESSAGE_FROM, MESSAGE_TO, MESSAGE_CONTEXT, MESSAGE_ERRORS, MESSAGE_NPARTS };

static const struct fill message_rows[] = {
	FILL_KEPT("from", MESSAGE_FROM),
	FILL_ROW("id", FILL_STRING, gw_event, id, FILL_ID_MAX),
	FILL_ROW("timestamp", FILL_TIME, gw_event, at, 0),
	FILL_ROW("type", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX),
	FILL_ROW("from_user_id", FILL_STRING, gw_event, user_id, GW_USER_ID_MAX),
	FILL_ROW("from_parent_user_id", FILL_STRING, gw_event, parent_user_id, GW_USER_ID_MAX),
	FILL_ROW("group_id", FILL_STRING, gw_event, group_id, FILL_ID_MAX),
	FILL_ROW("referral", FILL_SPAN, gw_event, referral, 0),
	FILL_KEPT("context", MESSAGE_CONTEXT),
	FILL_KEPT("errors", MESSAGE_ERRORS),
};
static const struct fill echo_rows[] = {
	FILL_ROW("id", FILL_STRING, gw_event, id, FILL_ID_MAX),
	FILL_ROW("timestamp", FILL_TIME, gw_event, at, 0),
	FILL_ROW("type", FILL_STRING, gw_event, kind_word, FILL_WORD_MAX),
	FILL_KEPT("to", MESSAGE_TO),
	FILL_ROW("to_user_id", FILL_STRING, gw_event, user_id, GW_USER_ID_MAX),
	FILL_ROW("to_parent_user_id", FILL_STRING, gw_event, parent_user_id, GW_USER_ID_MAX),
	FILL_ROW("group_id", FILL_STRING, gw_event, group_id, FILL_ID_MAX),
	FILL_KEPT("context", MESSAGE_CONTEXT),
	FILL_KEPT("errors", MESSAGE_ERRORS),
};

static void read_message(struct parse *p, gw_event *e, struct json_val item,
			 const struct fill *rows, size_t count)
{
	struct json_val part[MESSAGE_NPARTS] = { 0 };
	gw_str who;

	fill(item, rows, count, e, part);
	if (e->id.len == 0) {
		parse_untype(p, e);
		return;
	}
	who = fill_text(part[json_exists(part[MESSAGE_TO]) ? MESSAGE_TO : MESSAGE_FROM],
			FILL_ID_MAX);
	if (who.len > 0)
		parse_who(p, e, who);
	read_kind(p, e, item);
	if (json_exists(part[MESSAGE_CONTEXT]))
		read_context(e, part[MESSAGE_CONTEXT]);
	parse_errors(e, part[MESSAGE_ERRORS]);
	parse_match_contact(p, e);
}

void parse_message(struct parse *p, gw_event *e, struct json_val item)
{
	read_message(p, e, item, message_rows, ARRAY_LEN(message_rows));
}

void parse_echo(struct parse *p, gw_event *e, struct json_val item)
{
	read_message(p, e, item, echo_rows, ARRAY_LEN(echo_rows));
	if (e->id.len > 0)
		e->type = GW_EVENT_MESSAGE_SENT_ELSEWHERE;
}
