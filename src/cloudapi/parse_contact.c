/* SPDX-License-Identifier: MIT */
/*
 * parse_contact.c - who wrote or received: phone numbers and profiles
 *
 * A value's contacts[] carries the profiles of the people its messages and
 * statuses are about. The one whose wa_id or user_id is the item's own
 * belongs to it; a lone contact belongs to every item, because the number in
 * it may be another national form of the same one (Brazil, Mexico), unless
 * its user id says that it is somebody else.
 *
 * LIMITS  CONTACTS_MAX per value; a longer list is not looked at beyond.
 */
#include "cloudapi/parse_int.h"

#define CONTACTS_MAX 1024 /* Meta batches at most 1000 updates (webhook overview, 2026-09) */
#define PHONE_DIGITS_MAX 20 /* E.164 allows 15; room for what is not E.164 */

gw_str parse_phone(struct parse *p, gw_str text)
{
	size_t digits = 0, others = 0;
	gw_str none = { NULL, 0 };
	char *out;

	if (text.len > 0 && text.ptr[0] == '+') {
		text.ptr++;
		text.len--;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (c == ' ' || c == '-' || c == '(' || c == ')')
			others++;
		else
			return none;
	}
	if (digits == 0 || digits > PHONE_DIGITS_MAX)
		return none;
	if (others == 0)
		return text;
	out = arena_alloc(p->arena, digits);
	if (out == NULL) {
		p->full = true;
		return none;
	}
	for (size_t i = 0, n = 0; i < text.len; i++) {
		if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
			out[n++] = text.ptr[i];
	}
	return (gw_str){ out, digits };
}

void parse_who(struct parse *p, gw_event *e, gw_str text)
{
	gw_str phone = parse_phone(p, text);

	if (phone.len > 0)
		e->phone = phone;
	else if (e->user_id.len == 0 && text.len <= GW_USER_ID_MAX)
		e->user_id = text;
}

enum { CONTACT_PROFILE, CONTACT_NPARTS };

static const struct fill contact_rows[] = {
	FILL_ROW("wa_id", FILL_STRING, struct parse_contact, wa_id, FILL_WORD_MAX),
	FILL_ROW("user_id", FILL_STRING, struct parse_contact, user_id, GW_USER_ID_MAX),
	FILL_ROW("parent_user_id", FILL_STRING, struct parse_contact, parent_user_id,
		 GW_USER_ID_MAX),
	FILL_KEPT("profile", CONTACT_PROFILE),
};
static const struct fill profile_rows[] = {
	FILL_ROW("name", FILL_STRING, struct parse_contact, name, FILL_NAME_MAX),
	FILL_ROW("username", FILL_STRING, struct parse_contact, username, FILL_NAME_MAX),
};

static void read_contacts(struct parse *p)
{
	struct json_val list = json_member(p->value, STR("contacts")), v;
	struct json_iter it;
	uint32_t count = 0;

	p->contacts_read = true;
	p->contact_count = 0;
	p->contact_hint = 0;
	if (json_type(list) != JSON_ARRAY || json_count(list) == 0)
		return;
	count = json_count(list) < CONTACTS_MAX ? json_count(list) : CONTACTS_MAX;
	p->contacts = arena_zalloc(p->arena, count * sizeof(*p->contacts));
	if (p->contacts == NULL) {
		p->full = true;
		return;
	}
	it = json_iter(list);
	while (p->contact_count < count && json_next(&it, &v)) {
		struct parse_contact *c = &p->contacts[p->contact_count++];
		struct json_val part[CONTACT_NPARTS] = { 0 };

		c->span = fill_span(v);
		fill(v, contact_rows, ARRAY_LEN(contact_rows), c, part);
		fill(part[CONTACT_PROFILE], profile_rows, ARRAY_LEN(profile_rows), c, NULL);
		if (parse_phone(p, c->wa_id).len > 0)
			c->wa_id = parse_phone(p, c->wa_id);
	}
}

static bool same(gw_str a, gw_str b)
{
	return a.len > 0 && a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static const struct parse_contact *find(struct parse *p, const gw_event *e)
{
	const struct parse_contact *only = p->contacts;

	for (uint32_t i = 0; i < p->contact_count; i++) {
		uint32_t at = (p->contact_hint + i) % p->contact_count;
		const struct parse_contact *c = &p->contacts[at];

		if (same(c->user_id, e->user_id) || same(c->wa_id, e->phone)) {
			p->contact_hint = at + 1;
			return c;
		}
	}
	if (p->contact_count != 1)
		return NULL;
	if (e->user_id.len > 0 && only->user_id.len > 0)
		return NULL; /* both known and different */
	return only;
}

void parse_match_contact(struct parse *p, gw_event *e)
{
	const struct parse_contact *c;

	if (!p->contacts_read)
		read_contacts(p);
	c = find(p, e);
	if (c == NULL)
		return;
	e->contact = c->span;
	e->name = c->name;
	e->username = c->username;
	if (e->user_id.len == 0)
		e->user_id = c->user_id;
	if (e->parent_user_id.len == 0)
		e->parent_user_id = c->parent_user_id;
	if (e->phone.len == 0)
		e->phone = parse_phone(p, c->wa_id);
}
