/* SPDX-License-Identifier: MIT */
/*
 * template_hear.h - what Meta's answers say of templates is kept
 *
 * THREADS  the loop's
 */
#ifndef SERVER_TEMPLATE_HEAR_H
#define SERVER_TEMPLATE_HEAR_H

#include "json/json.h"
#include "server/server.h"

/* A call that passed through was answered with 200: lists and creations tell. */
void template_hear(struct server *s, struct str method, struct str path, struct str request,
		   struct str answer);
/* A list's `data`, of a business account. */
void template_hear_list(struct server *s, struct str business_id, struct json_val data);

#endif
