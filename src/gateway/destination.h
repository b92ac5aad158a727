/* SPDX-License-Identifier: MIT */
/*
 * destination.h - who gets what: destinations and their filters, in memory
 *
 * A filter is three lists joined by "and"; an empty list lets all pass:
 *   {"types":["message.received","message.status"],"kinds":["text","failed"],
 *    "numbers":["106540352242922"]}
 * A type may end in ".*".  kinds are message kinds or status words.
 */
#ifndef GATEWAY_DESTINATION_H
#define GATEWAY_DESTINATION_H

#include "base/mac.h"
#include "store/store.h"

#define DESTINATION_URL_MAX 2048
#define DESTINATION_FILTER_WORDS_MAX 64 /* in each list */

enum destination_format { DESTINATION_GODWIT, DESTINATION_META, DESTINATION_CLOUDEVENTS };

struct filter;

struct destination {
	int64_t row;
	struct id id;
	char *name, *url;
	enum destination_format format;
	struct filter *filter;
	char *filter_json;
	struct secret secret, secret_previous; /* Standard Webhooks keys, raw bytes */
	int64_t previous_until_ms;
	bool include_raw, relay_stale, disabled;
	int64_t created_ms;
};

struct destinations;

struct destinations *destinations_new(void);
void destinations_free(struct destinations *d);
size_t destinations_count(const struct destinations *d);
struct destination *destinations_at(const struct destinations *d, size_t index);
struct destination *destinations_by_row(const struct destinations *d, int64_t row);
struct destination *destinations_by_id(const struct destinations *d, const struct id *id);
/* Add or replace; GW_EPARSE with the offending word when the filter is odd. */
GW_NODISCARD gw_status destinations_put(struct destinations *d,
					const struct store_destination *from,
					struct destination **out, struct gw_error *err);
void destinations_remove(struct destinations *d, int64_t row);
/* Check a filter without using it; "" is the empty filter. */
GW_NODISCARD gw_status filter_parse(struct str json, struct filter **out, struct gw_error *err);
void filter_free(struct filter *f);
bool filter_passes(const struct filter *f, const char *type, const char *kind,
		   struct str account_id);
/* Does it name numbers, and only such as `may` knows? */
bool filter_stays_within(const struct filter *f, bool (*may)(const void *cookie, struct str number),
			 const void *cookie);
/* Fill e->destinations with the rows that want this event. */
void destinations_match(const struct destinations *d, struct store_event_in *e);
enum destination_format destination_format_parse(struct str word, bool *ok);
const char *destination_format_name(enum destination_format f);

#endif
