/* SPDX-License-Identifier: MIT */
/*
 * godwit.h - everything libgodwit offers
 *
 *   errors.h    what Meta's error codes mean and what to do about them
 *   webhook.h   verify a signature, parse a notification, walk its events
 *   message.h   build messages and check them against Meta's limits
 *   client.h    send them: on your own loop, or blocking
 *
 * C99 and C++ clean. No function of the library logs, reads the environment or
 * keeps global state; an object may be used by one thread at a time.
 * Link with `pkg-config --cflags --libs libgodwit`.
 */
#ifndef GODWIT_GODWIT_H
#define GODWIT_GODWIT_H

#include <godwit/types.h>
#include <godwit/error.h>
#include <godwit/errors.h>
#include <godwit/message.h>
#include <godwit/client.h>
#include <godwit/webhook.h>

#define GW_VERSION_MAJOR 0
#define GW_VERSION_MINOR 1
#define GW_VERSION_PATCH 0
#define GW_VERSION "0.1.0"
/* For comparisons: GW_VERSION_NUMBER >= GW_VERSION_MAKE(0, 2, 0). */
#define GW_VERSION_MAKE(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define GW_VERSION_NUMBER GW_VERSION_MAKE(GW_VERSION_MAJOR, GW_VERSION_MINOR, GW_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, as "major.minor.patch". */
GW_API const char *gw_version(void);

#ifdef __cplusplus
}
#endif
#endif
