/* SPDX-License-Identifier: MIT */
/*
 * template_read.h - the lists of templates, read at a start and when something is not known
 *
 * THREADS  the loop's
 */
#ifndef SERVER_TEMPLATE_READ_H
#define SERVER_TEMPLATE_READ_H

#include "server/server.h"

struct template_read;

GW_NODISCARD gw_status template_read_new(struct server *s, struct template_read **out,
					 struct gw_error *err);
void template_read_free(struct template_read *t);
/* Read the lists of all business accounts that have a number. */
void template_read_all(struct template_read *t);
/* A template of this number's business account is not known, or was refused: look again, at most
 * once a minute.  outbox_options.curious */
void template_read_again(void *template_read, struct str number_id);

#endif
