/* SPDX-License-Identifier: MIT */
/*
 * webhook_front.h - /webhook: the handshake and the notifications (W1, W2)
 *
 * THREADS  webhook_on_head(), webhook_on_request(), webhook_on_unheard(): the public listener's
 *          thread.  webhook_front_secrets(): the loop's.
 */
#ifndef SERVER_WEBHOOK_FRONT_H
#define SERVER_WEBHOOK_FRONT_H

#include "server/server.h"

struct webhook_front *webhook_front_new(struct server *s);
void webhook_front_free(struct webhook_front *f); /* after the listener has stopped */
/* Take over the accounts' secrets as they are now. */
void webhook_front_secrets(struct webhook_front *f);
bool webhook_is_path(struct str path); /* "/webhook" or "/webhook/..." */
size_t webhook_on_head(struct webhook_front *f, struct http_call *call);
/* A request that was not heard out; call NULL: of which not even the head was read. */
void webhook_on_unheard(struct webhook_front *f, const struct http_call *call,
			enum http_unheard why);
void webhook_on_request(struct webhook_front *f, struct http_call *call);

#endif
