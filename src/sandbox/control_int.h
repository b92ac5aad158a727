/* SPDX-License-Identifier: MIT */
/* control_int.h - shared by control.c (orders) and control_read.c (views and long-polls) */
#ifndef SANDBOX_CONTROL_INT_H
#define SANDBOX_CONTROL_INT_H

#include "sandbox/control.h"

/* One call of the control API. */
struct ctl {
	struct control *control;
	struct http_call *call;
	struct str rest; /* the path behind the first word: "7/redeliver" */
	struct json_val body; /* an object, or missing */
	struct json_writer w; /* the answer, when the handler returns GW_OK */
	bool taken; /* the handler answers later itself */
	struct gw_error err;
};

typedef gw_status (*ctl_fn)(struct ctl *c);

gw_status ctl_get_state(struct ctl *c);
gw_status ctl_get_clock(struct ctl *c);
gw_status ctl_get_messages(struct ctl *c);
gw_status ctl_get_webhooks(struct ctl *c);
gw_status ctl_get_customers(struct ctl *c);
/* Refuse members that are not among the words of `known`. */
gw_status ctl_only(struct ctl *c, const char *known);
struct number *ctl_number(struct ctl *c, const char *key); /* the first one when not given */

#endif
