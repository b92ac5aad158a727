/* SPDX-License-Identifier: MIT */
/*
 * webhook.h - verify a signature, parse a notification, walk its events
 *
 * Meta posts notifications of WhatsApp, Messenger and Instagram to one
 * callback URL.  gw_notification_parse() turns a body into a list of events:
 * exactly one per message, status, error or change.  What cannot be typed is
 * one GW_EVENT_UNKNOWN event with its bytes; its siblings are unaffected.
 * Nothing but id and status of a status, and id of a message, is required:
 * from, wa_id, recipient_id and timestamps may be absent or odd.
 *
 * Source of the shapes: Meta's webhook reference as read in November 2026.
 */
#ifndef GODWIT_WEBHOOK_H
#define GODWIT_WEBHOOK_H

#include <godwit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_NOTIFICATION_MAX (4U * 1024 * 1024) /* bytes; Meta sends at most 3 MB */
#define GW_WAMID_MAX 256 /* longest message id kept */
#define GW_USER_ID_MAX 160 /* "US.ENT." + 128, with room */
#define GW_OPAQUE_MAX 512 /* biz_opaque_callback_data */

/*
 * Does `header` ("sha256=" and 64 hex digits, the X-Hub-Signature-256 header)
 * sign `body` with `app_secret`?  Compares in constant time.  GW_EPARSE: the
 * header is malformed or empty; GW_EAUTH: it does not match.
 */
GW_API GW_NODISCARD gw_status gw_webhook_verify(gw_str body, gw_str header, gw_str app_secret,
						struct gw_error *err);
/* Write "sha256=" + 64 hex digits + NUL: what Meta would send for this body; "" when the
 * secret is empty or memory ran out. */
GW_API void gw_webhook_sign(gw_str body, gw_str app_secret, char out[72]);
/*
 * The GET handshake: true when mode is "subscribe" and the token matches
 * (constant time); then the raw challenge is the whole answer.
 */
GW_API bool gw_webhook_handshake(gw_str mode, gw_str verify_token, gw_str expected_token);

typedef enum gw_channel {
	GW_CHANNEL_WHATSAPP,
	GW_CHANNEL_MESSENGER,
	GW_CHANNEL_INSTAGRAM,
	GW_CHANNEL_OTHER, /* an "object" we do not know */
} gw_channel;

/* Types of events; names as in docs/events.md (gw_event_type_name()). */
typedef enum gw_event_type {
	GW_EVENT_UNKNOWN, /* "unknown" */
	GW_EVENT_MESSAGE_RECEIVED, /* "message.received" */
	GW_EVENT_MESSAGE_EDITED, /* "message.edited" */
	GW_EVENT_MESSAGE_DELETED, /* "message.deleted" */
	GW_EVENT_MESSAGE_REACTION, /* "message.reaction" */
	GW_EVENT_MESSAGE_SENT_ELSEWHERE, /* "message.sent_elsewhere" (app echoes) */
	GW_EVENT_MESSAGE_STATUS, /* "message.status" */
	GW_EVENT_CONVERSATION, /* "conversation.changed" (handover, standby) */
	GW_EVENT_TEMPLATE, /* "template.changed" */
	GW_EVENT_ACCOUNT, /* "account.changed" */
	GW_EVENT_FLOW, /* "flow.changed" */
	GW_EVENT_CALL, /* "call.changed" */
	GW_EVENT_GROUP, /* "group.changed" */
	GW_EVENT_CONSENT, /* "consent.changed" */
	GW_EVENT_NTYPES,
} gw_event_type;

/* What a message is.  Words in gw_message_kind_name(). */
typedef enum gw_message_kind {
	GW_KIND_NONE, /* not a message event */
	GW_KIND_TEXT,
	GW_KIND_IMAGE,
	GW_KIND_VIDEO,
	GW_KIND_AUDIO,
	GW_KIND_DOCUMENT,
	GW_KIND_STICKER,
	GW_KIND_LOCATION,
	GW_KIND_CONTACTS,
	GW_KIND_BUTTON, /* template quick reply: reply.id = payload */
	GW_KIND_BUTTON_REPLY, /* interactive */
	GW_KIND_LIST_REPLY,
	GW_KIND_FLOW_REPLY, /* nfm_reply */
	GW_KIND_CALL_PERMISSION_REPLY,
	GW_KIND_INTERACTIVE, /* an interactive type we do not know */
	GW_KIND_ORDER,
	GW_KIND_REACTION,
	GW_KIND_SYSTEM,
	GW_KIND_WELCOME, /* request_welcome */
	GW_KIND_EDIT,
	GW_KIND_REVOKE,
	GW_KIND_UNSUPPORTED,
	GW_KIND_MEDIA_PLACEHOLDER,
	GW_KIND_OTHER, /* a type word we do not know; see kind_word */
	GW_NKINDS,
} gw_message_kind;

typedef enum gw_status_kind {
	GW_STATUS_NONE, /* not a status event */
	GW_STATUS_SENT,
	GW_STATUS_DELIVERED,
	GW_STATUS_READ,
	GW_STATUS_PLAYED,
	GW_STATUS_FAILED,
	GW_STATUS_OTHER, /* "deleted", "warning", or a word of tomorrow; see status_word */
	GW_NSTATUSES,
} gw_status_kind;

/* Where something lies in the body; len 0: absent. */
typedef struct gw_span {
	uint32_t at, len;
} gw_span;

/*
 * One event.  All strings are decoded, bounded, borrowed from the
 * notification, and empty (len 0) when Meta left them out.  Times are seconds
 * since the epoch, 0 when missing or odd.
 */
typedef struct gw_event {
	gw_event_type type;
	gw_channel channel;

	/* whose: */
	gw_str account_id; /* phone_number_id, page id or Instagram account id */
	gw_str address; /* display_phone_number, digits with a leading + when it is one */
	gw_str business_id; /* entry id: WABA (WhatsApp); empty otherwise */
	gw_str field; /* Meta's field word: "messages", "account_update", ...; the kind key
			      * ("message", "postback", ...) on Messenger and Instagram */
	/* who (the customer, whichever way the message went): */
	gw_str user_id; /* business-scoped user id, PSID or IGSID */
	gw_str parent_user_id;
	gw_str phone; /* digits, no + */
	gw_str username, name; /* of the profile */
	gw_str group_id;
	gw_str participant; /* group statuses: whose receipt */

	gw_str id; /* wamid, mid or call id; empty when the item has none: edits, deletions,
			      * reactions and older postbacks of Messenger and Instagram */
	int64_t at; /* when, by Meta's stamp */

	/* messages: */
	gw_message_kind kind;
	gw_str kind_word; /* Meta's word for it, the inner one of interactive messages; of other
			      * events the word of what happened: event, decision, preference */
	gw_str text; /* body, caption, button text, reply title: what a person would read */
	gw_str reply_id; /* id or payload of a button, list row or postback */
	gw_str reply_to; /* message id that is quoted, reacted to, edited or deleted */
	gw_str emoji; /* reactions; empty: taken back */
	gw_str media_id, media_type, media_sha256, media_url, media_name;
	bool media_voice, media_animated, forwarded;
	double latitude, longitude; /* valid for GW_KIND_LOCATION */
	gw_span content; /* the object under the kind's key ("image", "order", ...), raw */
	gw_span referral; /* the ad it came from, raw */
	/* system messages: */
	gw_str system_type;
	gw_str new_phone, new_user_id, previous_user_id;

	/* statuses: */
	gw_status_kind status;
	gw_str status_word;
	gw_str recipient; /* as Meta identified it: recipient_id, else the user id; of a group
			      * status the participant, else the group; the dedupe and evidence
			      * key */
	gw_str opaque; /* biz_opaque_callback_data */
	gw_span pricing, conversation;
	/* errors of a status, message or value; the first one typed, all of them raw: */
	int error_code; /* 0: none */
	gw_str error_title, error_details;
	gw_span errors;

	/* where it lies, for splicing a body with this one event (render_meta): */
	gw_span item; /* the element of the list, or the whole value for a change */
	const char *list; /* "messages", "statuses", "errors", "message_echoes", "messaging", ...;
			      * NULL: the event is the change's whole value.  Of another shape:
			      * "changes": item is a change without a value; "entry": an entry
			      * without changes or items; "": item is the whole body */
	gw_span entry_id, entry_time, field_word, metadata, contact; /* raw JSON values */
	gw_span opaque_value; /* the string literal of biz_opaque_callback_data, with quotes */
} gw_event;

typedef struct gw_notification gw_notification;

/*
 * Field "history" (messages of up to 180 days ago, shared when a number was connected) is
 * GW_EVENT_UNKNOWN on purpose: nobody should answer them.  A single message under it has its
 * members filled in.
 */
/*
 * Parse a body that has been verified.  The body is borrowed until
 * gw_notification_free().  GW_EPARSE when it is not JSON at all (keep the
 * bytes and answer 200: a retry cannot mend it); a JSON text of another shape
 * is one unknown event.  GW_ELIMIT over GW_NOTIFICATION_MAX, or when tiny
 * items would take more than 32 times the body's memory (no real ones do).
 */
GW_API GW_NODISCARD gw_status gw_notification_parse(gw_str body, gw_notification **out,
						    struct gw_error *err);
GW_API void gw_notification_free(gw_notification *n);
GW_API size_t gw_notification_count(const gw_notification *n);
/* index < count; borrowed from n. */
GW_API const gw_event *gw_notification_event(const gw_notification *n, size_t index);
/* "whatsapp_business_account", "page", "instagram", ...: the object word. */
GW_API gw_str gw_notification_object(const gw_notification *n);
/* Object keys that appeared twice in the body (the first was used). */
GW_API uint32_t gw_notification_duplicate_keys(const gw_notification *n);

GW_API const char *gw_channel_name(gw_channel channel);
GW_API const char *gw_event_type_name(gw_event_type type);
GW_API const char *gw_message_kind_name(gw_message_kind kind);
GW_API const char *gw_status_kind_name(gw_status_kind status);

#ifdef __cplusplus
}
#endif
#endif
