/* SPDX-License-Identifier: MIT */
/*
 * message.h - build messages and check them against Meta's limits
 *
 * A gw_message is the JSON body of POST /{phone-number-id}/messages, checked
 * while it is built, so that what Meta would refuse is refused here with the
 * limit in the message. Text and template messages have builders of their
 * own; every other kind is given as its JSON member and checked too.
 *
 * Sizes called characters are Unicode code points, as Meta counts them.
 * Source of the limits: Meta's message reference as read in November 2026.
 *
 * Ownership: all inputs are copied. gw_message_free() ends a message.
 * Errors: GW_EARG (what is wrong with which member), GW_ELIMIT (which limit),
 * GW_ENOMEM. *out is untouched on failure.
 */
#ifndef GODWIT_MESSAGE_H
#define GODWIT_MESSAGE_H

#include <godwit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_TEXT_MAX 4096 /* characters of a text message */
#define GW_CAPTION_MAX 1024 /* characters */
#define GW_MESSAGE_OPAQUE_MAX 512 /* characters of biz_opaque_callback_data */
#define GW_PHONE_DIGITS_MAX 15 /* E.164 */
#define GW_PHONE_MAX 17 /* bytes of a normalized number: + and 15 digits and the NUL */
#define GW_MESSAGE_ID_MAX 256 /* bytes of a message id to reply to */
#define GW_MESSAGE_MAX (256U * 1024) /* bytes of one message's JSON */
#define GW_TEMPLATE_NAME_MAX 512 /* characters of [a-z0-9_] */
#define GW_TEMPLATE_TEXT_MAX 1024 /* characters of one text parameter; of the whole body too */
#define GW_TEMPLATE_PARTS_MAX 12 /* header, body and ten buttons */
#define GW_TEMPLATE_PARAMS_MAX 128 /* parameters of one part; ours, Meta names none */
#define GW_TEMPLATE_PAYLOAD_MAX 256 /* characters of a quick reply's payload */
#define GW_TEMPLATE_COUPON_MAX 15 /* characters of a coupon code */

typedef struct gw_message gw_message;

/*
 * To whom, and what goes with it. Leave out what you do not need. Of `to` and
 * `recipient` one is required; Meta prefers `to` when both are given.
 */
typedef struct gw_address {
	gw_str to; /* phone number as people write it, or a group id */
	gw_str recipient; /* business-scoped user id, "US.1349..." */
	bool is_group; /* `to` is a group id */
	gw_str reply_to; /* id of the message this one quotes */
	gw_str opaque; /* given back in every status of this message */
	gw_str identity_hash; /* deliver only if the recipient's identity has this hash */
} gw_address;

#define GW_ADDRESS_INIT                                                                 \
	{                                                                               \
		{ NULL, 0 }, { NULL, 0 }, false, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, \
	}

/*
 * A phone number as Meta takes it: without spaces, hyphens and parentheses,
 * with the + if there was one (without it Meta may put the business's own
 * country code in front: write it). Anything else in it: GW_EARG.
 */
GW_API GW_NODISCARD gw_status gw_phone_normalize(gw_str text, char out[GW_PHONE_MAX],
						 struct gw_error *err);

/* A text of 1 to GW_TEXT_MAX characters; preview_url shows the first link's page. */
GW_API GW_NODISCARD gw_status gw_message_text(const gw_address *to, gw_str body, bool preview_url,
					      gw_message **out, struct gw_error *err);

typedef enum gw_param_kind {
	GW_PARAM_TEXT, /* text */
	GW_PARAM_PAYLOAD, /* text: what a quick reply sends back */
	GW_PARAM_COUPON, /* text: the code of a copy-code button */
	GW_PARAM_IMAGE, /* media_id or media_link */
	GW_PARAM_VIDEO,
	GW_PARAM_DOCUMENT, /* and filename, if any */
	GW_PARAM_CURRENCY, /* text is shown; currency and amount_1000 */
	GW_PARAM_DATE_TIME, /* text is shown */
	GW_PARAM_JSON, /* json: the whole parameter, for every other kind */
} gw_param_kind;

typedef struct gw_param {
	gw_param_kind kind;
	gw_str name; /* of a named parameter; empty for positional ones */
	gw_str text;
	gw_str media_id, media_link, filename; /* exactly one of id and link */
	gw_str currency; /* ISO 4217, "EUR" */
	int64_t amount_1000; /* the amount times 1000 */
	gw_str json;
} gw_param;

typedef enum gw_part_kind {
	GW_PART_HEADER, /* at most one parameter */
	GW_PART_BODY,
	GW_PART_BUTTON, /* sub_type and index */
	GW_PART_JSON, /* json: the whole component (carousel, limited_time_offer, ...) */
} gw_part_kind;

typedef struct gw_part {
	gw_part_kind kind;
	const char *sub_type; /* "quick_reply", "url", "copy_code", "flow", ... */
	int index; /* 0 to 9: position among the template's buttons */
	const gw_param *params;
	size_t param_count;
	gw_str json;
} gw_part;

typedef struct gw_template {
	gw_str name; /* as approved */
	gw_str language; /* the exact code, "en_US" */
	const gw_part *parts; /* only those with something variable */
	size_t part_count;
} gw_template;

GW_API GW_NODISCARD gw_status gw_message_template(const gw_address *to, const gw_template *t,
						  gw_message **out, struct gw_error *err);

/*
 * Every other kind: `type` is Meta's word ("image", "interactive", "location",
 * ...) and `json` the value of the member of that name, an object or, for
 * contacts, an array. What Meta documents as required or limited is checked;
 * a type of tomorrow passes with its JSON checked alone. Example:
 *
 *     gw_message_json_kind(&to, "image",
 *             gw_str_from("{\"link\":\"https://shop.example/a.png\"}"), &m, &err);
 */
GW_API GW_NODISCARD gw_status gw_message_json_kind(const gw_address *to, const char *type,
						   gw_str json, gw_message **out,
						   struct gw_error *err);

/* The finished body, borrowed until gw_message_free(). */
GW_API gw_str gw_message_json(const gw_message *m);
GW_API void gw_message_free(gw_message *m); /* NULL allowed */

#ifdef __cplusplus
}
#endif
#endif
