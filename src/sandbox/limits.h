/* SPDX-License-Identifier: MIT */
/*
 * limits.h - ceilings of the sandbox; docs/sandbox.md repeats those a user can meet
 *
 * Limits of Meta's API stand where they are checked (graph_check*.c).
 */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

#define SANDBOX_BODY_MAX (4U << 20) /* request body; Meta's webhooks reach 3 MB */
#define SANDBOX_FORM_MAX ((100U << 20) + 65536U) /* a form with the largest document */
#define SANDBOX_ANSWER_MAX (64U << 20) /* a full GET messages is about 20 MB */
#define SANDBOX_ARENA_MAX (128U << 20) /* tape of one scanned body */
#define SANDBOX_CHANGE_MAX (SANDBOX_BODY_MAX + 65536U) /* one webhook change */
#define SANDBOX_CONNECTIONS_MAX 4096

#define SANDBOX_NUMBERS_MAX 64
#define NUMBER_ALLOWED_MAX 5 /* recipients of a test number, cloud-api.md 6.4 */
#define NUMBER_TURNS_MAX 10 /* (de)registrations in 72 hours, cloud-api.md 4.2 */
#define NUMBER_LIMIT_MPS_MAX 100000
#define CUSTOMER_DELAY_MAX_MS 2592000000 /* 30 days: a message is valid so long, cloud-api.md 2.1 */
#define NUMBER_KEPT_MAX 13 /* members of a number that are only kept (graph_number.c) */
#define SANDBOX_TEMPLATES_MAX 6000 /* a verified portfolio's limit, cloud-api.md 4.5 */
#define SANDBOX_UPLOADS_MAX 100 /* resumable uploads under way */
#define SANDBOX_CREATIONS_MAX 100 /* templates an hour, cloud-api.md 4.5 */
#define SANDBOX_CUSTOMERS_MAX 1000000
#define SANDBOX_DELIVERIES_MAX 1000000 /* messages whose statuses are still to come */
#define SANDBOX_SENT_FULL_MAX 20000 /* accepted messages kept with their bodies */
#define SANDBOX_SENT_TOKENS_MAX 1000000 /* accepted messages kept in short form */
#define SANDBOX_INBOUND_MAX 20000 /* customers' messages remembered */
#define SANDBOX_FAULTS_MAX 1000
#define SANDBOX_HOOKS_PENDING_MAX 1000000 /* webhooks not delivered yet */
#define SANDBOX_HELD_MAX 8192 /* calls answered late or never */
#define SANDBOX_WAITERS_MAX 256 /* long-polls at once */
#define SANDBOX_HANG_MAX_MS 600000 /* a hung call is cut after ten minutes */

#define PHONE_MAX 24 /* digits with the NUL; E.164 has 15 */
#define GRAPH_ID_MAX 40 /* decimal id with the NUL */
#define USER_ID_MAX 140 /* BSUID: 2 + "." + "ENT." + 128, cloud-api.md 1.5 */
#define WAMID_MAX 256
#define OPAQUE_MAX 512 /* biz_opaque_callback_data, characters */

#endif
