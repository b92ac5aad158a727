/* SPDX-License-Identifier: MIT */
/*
 * names.c - the words of events, kinds and statuses, and the version
 *
 * These words are in docs/events.md, in every stored and relayed event and in
 * users' filters: they never change and are only added to.
 */
#include "base/panic.h"
#include "base/str.h"
#include <godwit/godwit.h>

static const char *const channels[] = {
	[GW_CHANNEL_WHATSAPP] = "whatsapp",
	[GW_CHANNEL_MESSENGER] = "messenger",
	[GW_CHANNEL_INSTAGRAM] = "instagram",
	[GW_CHANNEL_OTHER] = "other",
};

static const char *const event_types[GW_EVENT_NTYPES] = {
	[GW_EVENT_UNKNOWN] = "unknown",
	[GW_EVENT_MESSAGE_RECEIVED] = "message.received",
	[GW_EVENT_MESSAGE_EDITED] = "message.edited",
	[GW_EVENT_MESSAGE_DELETED] = "message.deleted",
	[GW_EVENT_MESSAGE_REACTION] = "message.reaction",
	[GW_EVENT_MESSAGE_SENT_ELSEWHERE] = "message.sent_elsewhere",
	[GW_EVENT_MESSAGE_STATUS] = "message.status",
	[GW_EVENT_CONVERSATION] = "conversation.changed",
	[GW_EVENT_TEMPLATE] = "template.changed",
	[GW_EVENT_ACCOUNT] = "account.changed",
	[GW_EVENT_FLOW] = "flow.changed",
	[GW_EVENT_CALL] = "call.changed",
	[GW_EVENT_GROUP] = "group.changed",
	[GW_EVENT_CONSENT] = "consent.changed",
};

static const char *const message_kinds[GW_NKINDS] = {
	[GW_KIND_NONE] = "none",
	[GW_KIND_TEXT] = "text",
	[GW_KIND_IMAGE] = "image",
	[GW_KIND_VIDEO] = "video",
	[GW_KIND_AUDIO] = "audio",
	[GW_KIND_DOCUMENT] = "document",
	[GW_KIND_STICKER] = "sticker",
	[GW_KIND_LOCATION] = "location",
	[GW_KIND_CONTACTS] = "contacts",
	[GW_KIND_BUTTON] = "button",
	[GW_KIND_BUTTON_REPLY] = "button_reply",
	[GW_KIND_LIST_REPLY] = "list_reply",
	[GW_KIND_FLOW_REPLY] = "flow_reply",
	[GW_KIND_CALL_PERMISSION_REPLY] = "call_permission_reply",
	[GW_KIND_INTERACTIVE] = "interactive",
	[GW_KIND_ORDER] = "order",
	[GW_KIND_REACTION] = "reaction",
	[GW_KIND_SYSTEM] = "system",
	[GW_KIND_WELCOME] = "welcome",
	[GW_KIND_EDIT] = "edit",
	[GW_KIND_REVOKE] = "revoke",
	[GW_KIND_UNSUPPORTED] = "unsupported",
	[GW_KIND_MEDIA_PLACEHOLDER] = "media_placeholder",
	[GW_KIND_OTHER] = "other",
};

static const char *const status_kinds[GW_NSTATUSES] = {
	[GW_STATUS_NONE] = "none",           [GW_STATUS_SENT] = "sent",
	[GW_STATUS_DELIVERED] = "delivered", [GW_STATUS_READ] = "read",
	[GW_STATUS_PLAYED] = "played",       [GW_STATUS_FAILED] = "failed",
	[GW_STATUS_OTHER] = "other",
};

gw_str gw_str_from(const char *text)
{
	return str_to_gw(str_from(text));
}

/* A value from outside the enumeration gets a word too: these are public functions. */
static const char *word(const char *const *words, size_t count, unsigned value)
{
	return value < count ? words[value] : "invalid";
}

const char *gw_channel_name(gw_channel channel)
{
	return word(channels, ARRAY_LEN(channels), (unsigned)channel);
}

const char *gw_event_type_name(gw_event_type type)
{
	return word(event_types, ARRAY_LEN(event_types), (unsigned)type);
}

const char *gw_message_kind_name(gw_message_kind kind)
{
	return word(message_kinds, ARRAY_LEN(message_kinds), (unsigned)kind);
}

const char *gw_status_kind_name(gw_status_kind status)
{
	return word(status_kinds, ARRAY_LEN(status_kinds), (unsigned)status);
}

const char *gw_version(void)
{
	return GW_VERSION;
}
