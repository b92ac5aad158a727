/* SPDX-License-Identifier: MIT */
/*
 * graph_check.c - the envelope and the simple kinds of messages
 *
 * ROLE        The sandbox's own reading of cloud-api.md 2.1, 2.2 and 2.5; it
 *             shares nothing with the library on purpose.
 * THREADS     Any: no state.
 * TESTS       tests/unit/test_sandbox_graph.c
 */
#include "sandbox/graph_check.h"

#include "base/panic.h"
#include "base/utf8.h"
#include "sandbox/limits.h"

#define TEXT_READ_MAX (256U * 1024) /* bytes looked at of one string */
#define CAPTION_MAX 1024
#define LINK_MAX 8192
#define CONTACTS_MAX 257

bool check_missing(struct metaerr *err, int code, const char *path)
{
	if (code == 100)
		return metaerr_param(err, "The parameter %s is required.", path);
	return metaerr_set(err, code, "%s is required", path);
}

bool check_text(struct json_val object, const struct text_rule *rule, struct metaerr *err)
{
	struct json_val v = json_member(object, str_from(rule->key));
	struct str text;
	size_t count;

	if (json_type(v) == JSON_NONE || json_type(v) == JSON_NULL)
		return rule->required ? check_missing(err, rule->missing_code, rule->path) : true;
	if (json_type(v) != JSON_STRING) {
		if (rule->wrong_code == 100)
			return metaerr_param(err, "Param %s must be a string.", rule->path);
		return metaerr_set(err, rule->wrong_code, "%s must be a string", rule->path);
	}
	count = json_str(v, TEXT_READ_MAX, &text) ? utf8_count(text) : SIZE_MAX;
	if (count == 0 && rule->required)
		return check_missing(err, rule->missing_code, rule->path);
	if (count >= rule->min && count <= rule->max)
		return true;
	if (rule->wrong_code == 100)
		return metaerr_param(err, "Param %s must be at most %zu characters long.",
				     rule->path, rule->max);
	return metaerr_set(err, rule->wrong_code,
			   "%s length invalid. Min length: %zu, Max length: %zu", rule->path,
			   rule->min, rule->max);
}

static bool is_url(struct str s)
{
	return str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
}

bool check_media(struct json_val media, const char *path, struct metaerr *err)
{
	bool has_id = json_exists(json_member(media, STR("id")));
	bool has_link = json_exists(json_member(media, STR("link")));
	struct str text;

	if (!has_id && !has_link)
		return metaerr_param(err, "The parameter %s['id'] or %s['link'] is required.", path,
				     path);
	if (has_id && has_link)
		return metaerr_param(err, "Param %s must have one of id and link, not both.", path);
	if (has_id && (!json_get_text(media, STR("id"), 256, &text) || text.len == 0))
		return metaerr_param(err, "Param %s['id'] is not a media id.", path);
	if (has_link && (!json_get_str(media, STR("link"), LINK_MAX, &text) || !is_url(text)))
		return metaerr_param(err, "Param %s['link'] is not a valid URL.", path);
	return true;
}

static bool check_text_message(struct json_val v, struct send *s, struct metaerr *err)
{
	static const struct text_rule body = { "body", "text['body']", 1, 4096, true, 100, 100 };

	(void)s;
	return check_text(v, &body, err);
}

static bool check_captioned(struct json_val v, struct send *s, struct metaerr *err)
{
	char path[48];
	const struct text_rule caption = { "caption", path, 0, CAPTION_MAX, false, 100, 100 };

	(void)snprintf(path, sizeof(path), "%s['caption']", s->type);
	return check_media(v, s->type, err) && check_text(v, &caption, err);
}

static bool check_uncaptioned(struct json_val v, struct send *s, struct metaerr *err)
{
	if (json_exists(json_member(v, STR("caption"))))
		return metaerr_param(err, "Unexpected key \"caption\" on param \"%s\".", s->type);
	if (json_get_bool(v, STR("voice"), &s->is_voice) && strcmp(s->type, "audio") != 0)
		s->is_voice = false;
	return check_media(v, s->type, err);
}

static bool check_location(struct json_val v, struct send *s, struct metaerr *err)
{
	struct str text;

	(void)s;
	if (!json_get_text(v, STR("latitude"), 64, &text) || text.len == 0)
		return check_missing(err, 100, "location['latitude']");
	if (!json_get_text(v, STR("longitude"), 64, &text) || text.len == 0)
		return check_missing(err, 100, "location['longitude']");
	return true;
}

static bool check_contacts(struct json_val v, struct send *s, struct metaerr *err)
{
	struct json_iter it;
	struct json_val contact;
	struct str name;

	(void)s;
	if (json_type(v) != JSON_ARRAY || json_count(v) == 0)
		return metaerr_param(err, "Param contacts must be a non-empty array.");
	if (json_count(v) > CONTACTS_MAX)
		return metaerr_param(err, "Param contacts must have at most %d elements.",
				     CONTACTS_MAX);
	for (it = json_iter(v); json_next(&it, &contact);) {
		struct json_val parts = json_member(contact, STR("name"));

		if (!json_get_str(parts, STR("formatted_name"), TEXT_READ_MAX, &name) ||
		    name.len == 0)
			return check_missing(err, 100, "contacts['name']['formatted_name']");
	}
	return true;
}

static bool check_reaction(struct json_val v, struct send *s, struct metaerr *err)
{
	static const struct text_rule id = {
		"message_id", "reaction['message_id']", 1, WAMID_MAX - 1, true, 100, 100
	};
	struct str emoji;

	s->is_reaction = true;
	if (!check_text(v, &id, err))
		return false;
	if (!json_get_str(v, STR("emoji"), 128, &emoji))
		return check_missing(err, 100, "reaction['emoji']");
	(void)json_get_str(v, STR("message_id"), WAMID_MAX - 1, &s->message_id);
	return true;
}

static bool check_interactive(struct json_val v, struct send *s, struct metaerr *err)
{
	(void)s;
	return graph_check_interactive(v, err);
}

/* Its name, language and parameters are checked against the world. */
static bool check_template(struct json_val v, struct send *s, struct metaerr *err)
{
	(void)s;
	if (json_type(v) != JSON_OBJECT)
		return metaerr_param(err, "Param template must be an object.");
	return true;
}

static bool check_pin(struct json_val v, struct send *s, struct metaerr *err)
{
	struct str text;

	if (!s->is_group)
		return metaerr_set(err, 131051, "pin works in groups only");
	if (!json_get_str(v, STR("type"), 16, &text) ||
	    !json_get_str(v, STR("message_id"), WAMID_MAX - 1, &text))
		return metaerr_set(err, 131008, "pin['type'] and pin['message_id'] are required");
	return true;
}

static const struct kind {
	const char *type;
	bool (*check)(struct json_val v, struct send *s, struct metaerr *err);
} kinds[] = {
	{ "text", check_text_message }, { "image", check_captioned },
	{ "video", check_captioned },   { "document", check_captioned },
	{ "audio", check_uncaptioned }, { "sticker", check_uncaptioned },
	{ "location", check_location }, { "contacts", check_contacts },
	{ "reaction", check_reaction }, { "interactive", check_interactive },
	{ "template", check_template }, { "pin", check_pin },
};

static bool fail_type(struct str type, struct metaerr *err)
{
	return metaerr_param(err,
			     "Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, "
			     "INTERACTIVE, LOCATION, PIN, REACTION, STICKER, TEMPLATE, TEXT, "
			     "VIDEO} - got \"%.*s\".",
			     STR_ARG(utf8_cut(type, 64)));
}

static bool check_content(struct json_val root, struct send *s, struct metaerr *err)
{
	struct str type = STR("text");
	struct json_val v = json_member(root, STR("type"));

	if (json_exists(v) && !json_str(v, 4096, &type))
		return fail_type(STR("?"), err);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_eq_nocase(type, str_from(kinds[i].type)))
			continue;
		s->type = kinds[i].type;
		s->content = json_member(root, str_from(s->type));
		if (json_type(s->content) != JSON_OBJECT && json_type(s->content) != JSON_ARRAY)
			return check_missing(err, 100, s->type);
		return kinds[i].check(s->content, s, err);
	}
	return fail_type(type, err);
}

static bool check_recipient(struct json_val root, struct send *s, struct metaerr *err)
{
	struct json_val type = json_member(root, STR("recipient_type"));
	struct str word = STR("individual");

	if (json_exists(type) && !json_str(type, 64, &word))
		word = STR("?");
	s->is_group = str_eq(word, STR("group"));
	if (!s->is_group && !str_eq(word, STR("individual")))
		return metaerr_param(err,
				     "Param recipient_type must be one of {GROUP, INDIVIDUAL} - "
				     "got \"%.*s\".",
				     STR_ARG(word));
	if (json_get_text(root, STR("to"), 256, &s->to) && s->to.len > 0)
		return true; /* `to` wins if both (2.1) */
	if (json_get_str(root, STR("recipient"), USER_ID_MAX - 1, &s->to) && s->to.len > 0) {
		s->by_user_id = true;
		return true;
	}
	return check_missing(err, 100, "to");
}

static bool check_options(struct json_val root, struct send *s, struct metaerr *err)
{
	static const struct text_rule opaque = { "biz_opaque_callback_data",
						 "biz_opaque_callback_data",
						 0,
						 OPAQUE_MAX,
						 false,
						 100,
						 100 };
	struct json_val context = json_member(root, STR("context"));

	if (!check_text(root, &opaque, err))
		return false;
	if (!json_get_str(root, STR("biz_opaque_callback_data"), 4U * OPAQUE_MAX, &s->opaque))
		s->opaque = (struct str){ NULL, 0 };
	if (json_exists(context) && json_type(context) != JSON_NULL &&
	    (!json_get_str(context, STR("message_id"), WAMID_MAX - 1, &s->reply_to) ||
	     s->reply_to.len == 0))
		return check_missing(err, 100, "context['message_id']");
	(void)json_get_str(root, STR("recipient_identity_key_hash"), 256, &s->identity_hash);
	return true;
}

/* 2.5: {"status":"read","message_id":…,"typing_indicator":{"type":"text"}} */
static bool check_read(struct json_val root, struct json_val status, struct send *s,
		       struct metaerr *err)
{
	struct json_val typing = json_member(root, STR("typing_indicator"));
	struct str word = STR("?");

	s->is_read = true;
	if (!json_str(status, 64, &word) || !str_eq(word, STR("read")))
		return metaerr_param(err, "Param status must be one of {READ} - got \"%.*s\".",
				     STR_ARG(word));
	if (!json_get_str(root, STR("message_id"), WAMID_MAX - 1, &s->message_id) ||
	    s->message_id.len == 0)
		return check_missing(err, 100, "message_id");
	s->typing = json_exists(typing);
	if (s->typing &&
	    (!json_get_str(typing, STR("type"), 16, &word) || !str_eq(word, STR("text"))))
		return metaerr_param(err, "Param typing_indicator['type'] must be one of {TEXT}.");
	return true;
}

bool graph_check_send(struct json_val root, struct send *out, struct metaerr *err)
{
	struct json_val status = json_member(root, STR("status"));
	struct str product;

	memset(out, 0, sizeof(*out));
	if (!json_get_str(root, STR("messaging_product"), 64, &product))
		return check_missing(err, 100, "messaging_product");
	if (!str_eq(product, STR("whatsapp")))
		return metaerr_param(err,
				     "Param messaging_product must be one of {WHATSAPP} - got "
				     "\"%.*s\".",
				     STR_ARG(product));
	if (json_exists(status))
		return check_read(root, status, out, err);
	return check_recipient(root, out, err) && check_options(root, out, err) &&
	       check_content(root, out, err);
}
