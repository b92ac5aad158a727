/* SPDX-License-Identifier: MIT */
/*
 * number_fact.h - what Meta said of one of our numbers: status, quality, throughput, limit
 *
 * Read by server/number_read.c, kept in the store first and in struct number second.
 * THREADS  any: no state of its own
 */
#ifndef GATEWAY_NUMBER_FACT_H
#define GATEWAY_NUMBER_FACT_H

#include "json/json.h"
#include "store/store.h"

#define NUMBER_FACT_FIELDS                                                                  \
	"id,display_phone_number,verified_name,status,quality_rating,throughput,is_on_biz_" \
	"app,whatsapp_business_manager_messaging_limit,messaging_limit_tier"

#define NUMBER_LIMIT_STANDARD 80 /* messages/s; this and the next two: cloud-api.md 6.4 */
#define NUMBER_LIMIT_HIGH 1000
#define NUMBER_LIMIT_ON_APP 20 /* the number is in the WhatsApp Business app as well */
#define NUMBER_FACT_FRESH_MS (INT64_C(2) * 3600 * 1000) /* older ones stop nobody */

struct number_fact { /* words are Meta's; empty: it said nothing */
	char status[24]; /* "CONNECTED" */
	char quality[16]; /* "GREEN" */
	char throughput[24]; /* "STANDARD", "HIGH" */
	char messaging_limit[24]; /* "TIER_2K" */
	char name[128];
	char address[32]; /* "+15550783881" */
	bool on_app;
	int64_t read_ms; /* wall clock; 0: never */
	bool is_remembered; /* by an earlier process: much may have happened since */
	/* the last look that told nothing, unless one that did came after; not stored */
	int64_t failed_ms; /* wall clock; 0: none */
	int failed_http, failed_code, failed_subcode; /* 0: no answer, no Graph error */
};

/* Meta's answer for one number; false, and out as it was: it is none. */
bool number_fact_read(struct json_val answer, int64_t now_ms, struct number_fact *out);
/* Messages a second that Meta allows; 0: it did not say. */
uint32_t number_fact_limit(const struct number_fact *f);
/* A status in which nothing leaves; NULL: it may send, or we do not know (any more).
 * *code: Meta's for it. */
const char *number_fact_stops(const struct number_fact *f, int64_t now_ms, int *code);

/* `to` borrows from f and id. */
void number_fact_to_store(const struct number_fact *f, const char *id,
			  struct store_number_fact *to);
void number_fact_from_store(const struct store_number_fact *from, struct number_fact *to);

#endif
