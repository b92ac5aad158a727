/* SPDX-License-Identifier: MIT */
/*
 * number_read.h - what Meta says of our numbers, asked at a start and every hour
 *
 * THREADS  the loop's
 */
#ifndef SERVER_NUMBER_READ_H
#define SERVER_NUMBER_READ_H

#include "server/server.h"

struct number_read;

GW_NODISCARD gw_status number_read_new(struct server *s, struct number_read **out,
				       struct gw_error *err);
void number_read_free(struct number_read *r);
/* Accounts, numbers or settings may be new: look at what is due. */
void number_read_look(struct number_read *r);
/* Something about this number changed, or is doubted: look again, at most once a minute.
 * outbox_options.doubt */
void number_read_again(void *number_read, struct str number_id);
/* A call that passed by may have changed the number: path and method of what Meta took. */
void number_read_heard(struct number_read *r, struct str method, struct str path);
/* Meta said something of this business account's numbers. */
void number_read_hint(struct number_read *r, struct str business_id);

#endif
