/* SPDX-License-Identifier: MIT */
/* api_json.h - members that several answers of the API share */
#ifndef SERVER_API_JSON_H
#define SERVER_API_JSON_H

#include "base/clock.h"
#include "gateway/conversation.h"
#include "json/json.h"

#include <stdio.h>

static inline void api_kv_time_ms(struct json_writer *w, const char *key, int64_t ms)
{
	char text[CLOCK_RFC3339_MAX];

	if (ms <= 0) {
		json_w_kv_null(w, key);
		return;
	}
	clock_format_ms(ms, text);
	json_w_kv_text(w, key, text);
}

static inline void api_kv_opt(struct json_writer *w, const char *key, struct str value)
{
	if (value.len > 0)
		json_w_kv_str(w, key, value);
	else
		json_w_kv_null(w, key);
}

/* Meta writes numbers without the plus; people and to: take them with it. */
static inline void api_kv_phone(struct json_writer *w, const char *key, struct str phone)
{
	char text[RECIPIENT_MAX + 1];
	int n = snprintf(text, sizeof(text), "+%.*s", STR_ARG(phone));

	if (phone.len > 0 && phone.ptr[0] != '+' && n > 0 && (size_t)n < sizeof(text))
		json_w_kv_text(w, key, text);
	else
		api_kv_opt(w, key, phone);
}

#endif
