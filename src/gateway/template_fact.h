/* SPDX-License-Identifier: MIT */
/*
 * template_fact.h - what is known of templates: category and state, in memory
 *
 * Loaded from the store at a start; whoever learns something hands it to the
 * store first (with a webhook's event, or STORE_PUT_TEMPLATES) and puts it here
 * when it is committed.  What is not known is not guessed.
 *
 * THREADS  struct template_facts: the loop's.  Readers of JSON: any.
 */
#ifndef GATEWAY_TEMPLATE_FACT_H
#define GATEWAY_TEMPLATE_FACT_H

#include "base/arena.h"
#include "json/json.h"
#include "store/store.h"

#define TEMPLATES_MAX 262144 /* in memory; Meta allows 6,000 an account */
#define TEMPLATE_NAME_MAX 512
#define TEMPLATE_LANGUAGE_MAX 32

enum template_category {
	TEMPLATE_UNKNOWN,
	TEMPLATE_MARKETING,
	TEMPLATE_UTILITY,
	TEMPLATE_AUTHENTICATION
};
enum template_state {
	TEMPLATE_SENDABLE, /* or nothing is known */
	TEMPLATE_PAUSED,
	TEMPLATE_DISABLED,
	TEMPLATE_ABSENT /* rejected or deleted */
};

struct template_fact {
	enum template_category category;
	enum template_state state;
	int64_t updated_ms;
};

struct template_facts;
struct template_facts *template_facts_new(void);
void template_facts_free(struct template_facts *t);
/* What was committed; older news than what is here, and what has no room, changes nothing. */
void template_facts_put(struct template_facts *t, const struct store_template *from);
/* A price told the category, and the store took it (store.h: is_priced). */
void template_facts_put_price(struct template_facts *t, struct str business_id, struct str name,
			      struct str language, struct str category);
/* NULL: nothing is known of it. */
const struct template_fact *template_facts_find(const struct template_facts *t,
						struct str business_id, struct str name,
						struct str language);

/* Words: MARKETING (any case), marketing_lite, authentication-international, ... */
enum template_category template_category_of(struct str word);
const char *template_category_word(enum template_category c); /* Meta's; "" for unknown */

/* ---- readers; strings are copied into `a` */

/* The value of a webhook's template field; false: it says neither category nor state. */
bool template_read_change(struct json_val value, struct str business_id, int64_t at_ms,
			  struct arena *a, struct store_template *out);
/* One object of a list: id, name, language, category, status. */
bool template_read_item(struct json_val item, struct str business_id, int64_t at_ms,
			struct arena *a, struct store_template *out);

#endif
