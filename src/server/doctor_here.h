/* SPDX-License-Identifier: MIT */
/* doctor_here.h - what a gateway can say of itself, without asking anybody */
#ifndef SERVER_DOCTOR_HERE_H
#define SERVER_DOCTOR_HERE_H

#include "server/doctor.h"
#include "server/server.h"

#define DOCTOR_MUTE_MS 300000 /* statuses come within seconds; so long without one is silence */

/* What was read from the store before. */
struct doctor_read {
	int64_t event_ms; /* when the last event of Meta came; 0: none has */
	size_t mute; /* messages that Meta took since, DOCTOR_MUTE_MS ago or longer */
	int64_t mute_ms; /* when the oldest of them was accepted */
};

/* Of an account where one is named, else of the gateway. */
typedef void (*doctor_here_fn)(void *cookie, const char *account, const struct doctor_finding *f);
void doctor_look_here(const struct server *s, const struct doctor_read *read, doctor_here_fn found,
		      void *cookie);

#endif
