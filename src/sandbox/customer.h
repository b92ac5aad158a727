/* SPDX-License-Identifier: MIT */
/*
 * customer.h - the people on the other side, their windows and what they say
 *
 * A customer appears when seeded, added by the control API, or written to.
 * Per (customer, number) there is a pair: the customer service window and the
 * pair rate.  Both live on the moved clock.
 */
#ifndef SANDBOX_CUSTOMER_H
#define SANDBOX_CUSTOMER_H

#include "sandbox/world.h"

enum customer_mode {
	CUSTOMER_PHONE, /* no username, phone visible */
	CUSTOMER_USERNAME, /* username and phone visible */
	CUSTOMER_HIDDEN, /* username; phone shown only within 30 days of a contact by phone */
};

struct pair {
	struct pair *next;
	const struct number *number;
	int64_t window_until_ns; /* 0: never open */
	struct gcra rate;
	bool is_blocked; /* by the number */
};

struct customer {
	TAILQ_ENTRY(customer) link; /* in the order they appeared */
	char phone[PHONE_MAX]; /* digits */
	char *user_id; /* BSUID; derived from the phone unless given */
	char *name; /* NULL: made up from the phone's last digits */
	char *username; /* NULL: none */
	enum customer_mode mode;
	bool reads; /* read receipts are on */
	bool on_whatsapp;
	bool blocked; /* has blocked the business */
	int64_t delay_ms[3]; /* sent, delivered, read; -1: of the settings */
	int64_t by_phone_ns; /* last addressed by phone; 0: never */
	struct pair *pairs;
};

struct customers *customers_new(void); /* with the seeded one */
void customers_free(struct customers *c);
size_t customers_count(const struct customers *c);
size_t customers_inbound_count(const struct customers *c);

/* By digits; a new one when there is none and `create`.  NULL: none, or the ceiling is reached. */
struct customer *customer_by_phone(struct world *w, struct str digits, bool create);
struct customer *customer_by_user_id(const struct world *w, struct str user_id);
/* Walk in the order they appeared: start with NULL. */
struct customer *customers_next(const struct customers *c, const struct customer *after);
void customer_set_user_id(struct world *w, struct customer *c, struct str user_id);

struct pair *customer_pair(struct customer *c, const struct number *n); /* made when missing */
bool customer_window_is_open(const struct world *w, struct customer *c, const struct number *n);
bool customer_shows_phone(const struct world *w, const struct customer *c);

/* The calling code at the front of international digits ("55"), "1" when unknown. */
void customer_calling_code(struct str digits, char out[4]);
/*
 * What the API makes of `to` (cloud-api.md 2.1): digits; false when it is no
 * phone number.  With + it is international; without, up to ten digits are
 * national and get the business number's country.
 */
bool customer_normalize(const struct world *w, const struct number *n, struct str to,
			char out[PHONE_MAX]);

/*
 * The customer writes: opens the window and emits the message.  `message` is
 * an object with the members of the inbound message (type and its content);
 * from, id and timestamp are added unless given.
 */
GW_NODISCARD gw_status customer_say(struct world *w, struct customer *c, struct number *n,
				    struct json_val message, char wamid[WAMID_MAX],
				    struct gw_error *err);
GW_NODISCARD gw_status customer_say_text(struct world *w, struct customer *c, struct number *n,
					 struct str text, char wamid[WAMID_MAX],
					 struct gw_error *err);
/* The seeded customer's first words. */
void customers_say_hello(struct world *w);
/* Did a customer send this wamid (and is it still remembered)? */
bool customers_knows_wamid(const struct customers *c, struct str wamid);

/* contacts[0] of a webhook. */
void customer_write_contact(const struct world *w, const struct customer *c,
			    struct json_writer *jw);
/* The display name, made up when none was given. */
void customer_name(const struct customer *c, char *out, size_t cap);

#endif
