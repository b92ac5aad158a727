/* SPDX-License-Identifier: MIT */
/* template.h - the templates of the sandbox's WABA, and what a send must give them */
#ifndef SANDBOX_TEMPLATE_H
#define SANDBOX_TEMPLATE_H

#include "sandbox/metaerr.h"
#include "sandbox/world.h"

#define TEMPLATE_NAME_MAX 512 /* cloud-api.md 4.5 */
#define TEMPLATE_BUTTONS_MAX 10
#define TEMPLATE_VARS_MAX 64
#define TEMPLATE_VAR_NAME_MAX 64
#define TEMPLATE_EDITS_MAX 10 /* in 30 days, cloud-api.md 4.5 */
#define TEMPLATE_LOCKS_MAX 1000 /* deleted names remembered; the oldest goes first */

enum template_header {
	HEADER_NONE,
	HEADER_TEXT,
	HEADER_IMAGE,
	HEADER_VIDEO,
	HEADER_DOCUMENT,
	HEADER_GIF,
	HEADER_LOCATION,
	HEADER_PRODUCT,
};

/* The variables of one text, in order of first use. */
struct template_vars {
	size_t count;
	char (*names)[TEMPLATE_VAR_NAME_MAX]; /* "1" or "first_name" */
};

struct template_button {
	char type[24]; /* "URL", "QUICK_REPLY", ... as in the template */
	bool needs_text; /* a URL with a variable, an OTP button */
	bool needs_coupon; /* COPY_CODE */
};

struct template
{
	char id[GRAPH_ID_MAX];
	char *name;
	char language[16];
	char category[16]; /* "UTILITY" */
	char status[24]; /* "APPROVED" */
	bool named; /* parameter_format NAMED */
	char *components; /* as given, an array */
	enum template_header header;
	struct template_vars header_vars, body_vars;
	char *body; /* text with its placeholders; NULL for authentication */
	struct template_button buttons[TEMPLATE_BUTTONS_MAX];
	size_t button_count;
	size_t card_count; /* 0: no carousel */
	int64_t ttl_s; /* message_send_ttl_seconds; 0: not given */
	int64_t edits_ns[TEMPLATE_EDITS_MAX]; /* of it while approved; 0: none */
};

struct templates *templates_new(void); /* with the seeded ones */
void templates_free(struct templates *all);
size_t templates_count(const struct templates *all);
const struct template *templates_at(const struct templates *all, size_t index);
const struct template *templates_find(const struct templates *all, struct str name,
				      struct str language); /* empty language: any */
const struct template *templates_by_id(const struct templates *all, struct str id);

/* Add, or replace the one of that name and language.  The object is as in cloud-api.md 4.5
 * plus "status" (APPROVED when left out). */
GW_NODISCARD gw_status templates_set(struct templates *all, struct json_val object,
				     const struct template **out, struct gw_error *err);
/* Only its status. */
GW_NODISCARD gw_status templates_set_status(struct templates *all, struct str name,
					    struct str language, struct str status,
					    struct gw_error *err);
void templates_remove(struct templates *all, size_t index);
/* The name of a deleted one is taken until then. */
void templates_lock(struct templates *all, const struct template *t, int64_t until_ns);
bool templates_is_locked(const struct templates *all, struct str name, struct str language,
			 int64_t now_ns);
void templates_note_edit(struct templates *all, struct str id, int64_t now_ns);
/* The object as GET message_templates shows it. */
void template_write(const struct template *t, struct json_writer *w);

/* The "template" member of a send (cloud-api.md 2.4): found, sendable, parameters fit. */
bool template_check_send(const struct templates *all, struct json_val sent,
			 const struct template **out, struct metaerr *err);

/* Would Meta take this definition (4.5)?  False: err is the answer. */
bool template_lint(struct json_val object, struct metaerr *err);
/* A PENDING template is approved in time, and the webhook tells. */
void template_review(struct world *w, const struct template *t);
void template_review_drop_all(struct world *w);
void template_tell_status(struct world *w, const struct template *t);

#endif
