/* SPDX-License-Identifier: MIT */
/*
 * parse_int.h - shared by the files of the notification parser
 *
 *   parse.c          object, entry, changes: which part reads what
 *   parse_field.c    fields of a change, and what their lists hold
 *   parse_message.c  messages and echoes      parse_status.c  statuses, errors
 *   parse_direct.c   Messenger and Instagram  parse_contact.c  who it was
 */
#ifndef CLOUDAPI_PARSE_INT_H
#define CLOUDAPI_PARSE_INT_H

#include "cloudapi/fill.h"

struct parse_contact {
	gw_str wa_id, user_id, parent_user_id, name, username;
	gw_span span;
};

struct parse {
	struct arena *arena;
	gw_notification *n;
	bool full; /* an event did not fit; the notification is refused */

	/* What the next event starts from: channel, entry and change. */
	gw_event scope;
	int64_t entry_at; /* entry.time in seconds */
	struct json_val value; /* of the change; JSON_MISSING outside one */

	/* value.contacts, read when the first event asks for them. */
	struct parse_contact *contacts;
	uint32_t contact_count;
	uint32_t contact_hint; /* where the last match was + 1: lists run in parallel */
	bool contacts_read;
};

typedef void (*parse_item_fn)(struct parse *p, gw_event *e, struct json_val item);

/* A new event that lies at item; NULL when the notification is full. */
gw_event *parse_add(struct parse *p, struct json_val item, const char *list);
/* Forget what was read: the item cannot be typed, only its bytes count. */
void parse_untype(struct parse *p, gw_event *e);
/* One event for each element; how many there were (0 when it is no list). */
uint32_t parse_list(struct parse *p, struct json_val items, const char *list, gw_event_type type,
		    parse_item_fn read);

/* One change of an entry; adds at least one event. */
void parse_change(struct parse *p, struct json_val change);
void parse_message(struct parse *p, gw_event *e, struct json_val item);
void parse_echo(struct parse *p, gw_event *e, struct json_val item);
void parse_status(struct parse *p, gw_event *e, struct json_val item);
void parse_call_status(struct parse *p, gw_event *e, struct json_val item);
void parse_value_error(struct parse *p, gw_event *e, struct json_val item);
/* The list of errors of a message, status or value: the first typed, all of them as bytes. */
void parse_errors(gw_event *e, struct json_val errors);
/* One element of messaging or standby. */
void parse_direct(struct parse *p, gw_event *e, struct json_val item);

/* Fill in the profile of the customer whom e->phone or e->user_id names. */
void parse_match_contact(struct parse *p, gw_event *e);
/* Digits of a phone number, or empty when it is none. */
gw_str parse_phone(struct parse *p, gw_str text);
/* Put text where it belongs: a phone number, or else an id if there is none yet. */
void parse_who(struct parse *p, gw_event *e, gw_str text);

#endif
