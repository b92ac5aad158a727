/* SPDX-License-Identifier: MIT */
/*
 * sign.h - what our requests to destinations are signed with
 *
 * Standard Webhooks 1.0.0 (symmetric): webhook-id, webhook-timestamp, and
 * webhook-signature = "v1," base64(HMAC-SHA256(secret, id "." timestamp "." body)),
 * one for each valid secret, separated by a blank.  Secrets are shown as
 * "whsec_" and base64.  Meta's own header for format meta is sign_hub().
 */
#ifndef GATEWAY_SIGN_H
#define GATEWAY_SIGN_H

#include "base/hexb64.h"
#include "base/mac.h"
#include "base/rnd.h"

#define SIGN_SECRET_BYTES 32 /* what we make; the specification wants 24 to 64 */
#define SIGN_SECRET_MIN 24
#define SIGN_SECRET_MAX 64
#define SIGN_SECRET_TEXT_MAX (sizeof("whsec_") + B64_LEN(SIGN_SECRET_MAX))
#define SIGN_ONE_MAX (sizeof("v1,") - 1 + B64_LEN(SHA256_BYTES))
#define SIGN_HEADER_MAX (2 * SIGN_ONE_MAX + 2) /* two, a blank, the NUL */
#define SIGN_HUB_MAX (sizeof("sha256=") + 2 * SHA256_BYTES)

void sign_secret_make(struct rnd *r, unsigned char out[SIGN_SECRET_BYTES]);
/* raw has at most SIGN_SECRET_MAX bytes. */
void sign_secret_text(struct str raw, char out[SIGN_SECRET_TEXT_MAX]);
/* "whsec_" + padded base64 of SIGN_SECRET_MIN to SIGN_SECRET_MAX bytes. */
GW_NODISCARD gw_status sign_secret_parse(struct str text, unsigned char out[SIGN_SECRET_MAX],
					 size_t *out_len, struct gw_error *err);

/* The value of webhook-signature; previous may be NULL. */
void sign_standard(struct mac *now, struct mac *previous, struct str id, int64_t timestamp_s,
		   struct str body, char out[SIGN_HEADER_MAX]);
/* The value of X-Hub-Signature-256: "sha256=" and 64 hex digits. */
void sign_hub(struct mac *app, struct str body, char out[SIGN_HUB_MAX]);

#endif
