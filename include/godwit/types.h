/* SPDX-License-Identifier: MIT */
/*
 * types.h - the few types that every part of Godwit's public interface shares
 *
 * C99 and C++ clean.  Nothing here allocates.
 */
#ifndef GODWIT_TYPES_H
#define GODWIT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GW_API __attribute__((visibility("default")))
#define GW_NODISCARD __attribute__((warn_unused_result))
#define GW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define GW_API
#define GW_NODISCARD
#define GW_PRINTF(fmt, args)
#endif

/*
 * A borrowed run of bytes: not NUL-terminated, may hold any byte.  `ptr` may
 * be NULL only when `len` is 0.  Whoever hands one out says how long it lives.
 */
typedef struct gw_str {
	const char *ptr;
	size_t len;
} gw_str;

/* A C string as a gw_str; NULL gives the empty one. */
GW_API gw_str gw_str_from(const char *text);

/* How a call ended.  For programs; struct gw_error tells people why. */
typedef enum gw_status {
	GW_OK = 0,
	GW_EARG, /* the caller broke the contract of the function */
	GW_ENOMEM, /* out of memory */
	GW_ELIMIT, /* a documented limit would be exceeded */
	GW_EPARSE, /* bytes that are not what they should be */
	GW_EAUTH, /* a signature, key or token does not match */
	GW_EIO, /* file, disk or database */
	GW_ENET, /* no answer: refused, reset, unreachable, TLS */
	GW_ETIMEOUT, /* no answer in time */
	GW_EAPI, /* Meta answered with an error; see code and retry */
	GW_EBUSY, /* full or not ready; try again later */
	GW_ENOTFOUND, /* no such thing */
	GW_ESTATE, /* not possible in the present state */
	GW_ECANCELLED, /* cancelled by the caller */
} gw_status;

/* The status as one lower-case word ("ok", "limit", ...); never NULL. */
GW_API const char *gw_status_name(gw_status status);

#ifdef __cplusplus
}
#endif
#endif
