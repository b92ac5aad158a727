/* SPDX-License-Identifier: MIT */
/*
 * error.h - what went wrong, in one caller-owned struct
 *
 * The caller supplies a struct gw_error (or NULL when it does not care);
 * whoever fails first fills it and nobody overwrites it on the way up.  A
 * caller may put a context in front of it once.  There is no thread-local
 * "last error".
 */
#ifndef GODWIT_ERROR_H
#define GODWIT_ERROR_H

#include <godwit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GW_ERROR_MESSAGE_MAX 512 /* bytes with the NUL; longer is cut */
#define GW_ERROR_TRACE_MAX 64 /* Meta's fbtrace_id, with the NUL */

/*
 * What a sender may do after a failure.  The table behind it is errors.def
 * (Meta's error codes as read in November 2026).
 */
typedef enum gw_retry {
	GW_RETRY_NEVER = 0, /* the same request will fail again */
	GW_RETRY_NOW, /* nothing was sent; safe at once */
	GW_RETRY_LATER, /* not accepted; back off and try again */
	GW_RETRY_AFTER, /* not accepted; something must change or pass first */
	GW_RETRY_ACCOUNT, /* the account is blocked; a person must act */
	GW_RETRY_UNKNOWN, /* it may have been accepted: do not repeat blindly */
} gw_retry;

struct gw_error {
	gw_status status;
	gw_retry retry;
	int http_status; /* 0 when no HTTP answer was seen */
	int code; /* Graph error code, 0 when none */
	int subcode; /* Graph error_subcode, 0 when none */
	char trace_id[GW_ERROR_TRACE_MAX];
	char message[GW_ERROR_MESSAGE_MAX]; /* one sentence, no final period */
};

#define GW_ERROR_INIT                                  \
	{                                              \
		GW_OK, GW_RETRY_NEVER, 0, 0, 0, { 0 }, \
		{                                      \
			0                              \
		}                                      \
	}

/*
 * Fill `err` (may be NULL) unless it is filled already, and return `status`,
 * so that a failing function can end with `return gw_error_set(...)`.
 */
GW_API gw_status gw_error_set(struct gw_error *err, gw_status status, const char *fmt, ...)
	GW_PRINTF(3, 4);

/* Like gw_error_set(), with ": " and the text of errno behind the message. */
GW_API gw_status gw_error_sys(struct gw_error *err, gw_status status, const char *fmt, ...)
	GW_PRINTF(3, 4);

/* Put "context: " in front of the message.  err may be NULL. */
GW_API void gw_error_context(struct gw_error *err, const char *fmt, ...) GW_PRINTF(2, 3);

/* Make `err` empty again, so that it can be used for the next call. */
GW_API void gw_error_clear(struct gw_error *err);

/* "never", "now", "later", "after", "account", "unknown"; never NULL. */
GW_API const char *gw_retry_name(gw_retry retry);

#ifdef __cplusplus
}
#endif
#endif
