/* SPDX-License-Identifier: MIT */
/* settings.h - from the keys of the configuration to what their owners take */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "server/server.h"

/* Texts are borrowed from v. */
struct outbox_settings settings_outbox(const struct config_values *v);
struct relay_settings settings_relay(const struct config_values *v);

/* Hand the keys that listeners read to them; at the start and after a reload. */
void settings_publish(struct server *s);
struct str settings_hosts(const struct server *s); /* any thread */
void settings_release(struct server *s); /* after the listeners */

#endif
