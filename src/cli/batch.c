/* SPDX-License-Identifier: MIT */
/*
 * batch.c - a batch as the API tells it
 *
 * TESTS  tests/unit/test_progress.c
 */
#include "cli/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_text(struct json_val v, const char *key, char *out, size_t cap)
{
	struct str text;

	out[0] = '\0';
	if (json_get_str(v, str_from(key), cap * 4, &text))
		(void)str_copy(text, out, cap);
}

/* "74.8", "74" and "7.48e1" alike. */
static int64_t tenths(struct json_val v, const char *key)
{
	char digits[40];
	struct str text;
	double n;

	if (!json_get_text(v, str_from(key), sizeof(digits) - 1, &text))
		return 0;
	(void)str_copy(text, digits, sizeof(digits));
	n = strtod(digits, NULL);
	return n > 0 && n < 1e9 ? (int64_t)(n * 10 + 0.5) : 0;
}

bool batch_read(struct json_val v, struct batch *out)
{
	struct json_val rows = json_member(v, STR("rows")), at = json_member(v, STR("progress"));
	const struct {
		struct json_val of;
		const char *key;
		int64_t *to;
	} counts[] = {
		{ rows, "total", &out->total },     { rows, "ready", &out->ready },
		{ rows, "refused", &out->refused }, { rows, "duplicates", &out->duplicates },
		{ at, "accepted", &out->accepted }, { at, "failed", &out->failed },
		{ at, "unknown", &out->unknown },   { at, "expired", &out->expired },
	};
	struct str id;

	if (!json_get_str(v, STR("id"), BATCH_ID_MAX - 1, &id))
		return false;
	*out = (struct batch){ .eta_s = -1 };
	(void)str_copy(id, out->id, sizeof(out->id));
	take_text(v, "state", out->state, sizeof(out->state));
	take_text(v, "number", out->number, sizeof(out->number));
	take_text(v, "name", out->name, sizeof(out->name));
	take_text(v, "why", out->why, sizeof(out->why));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		(void)json_get_i64(counts[i].of, str_from(counts[i].key), counts[i].to);
	out->refused -= out->duplicates; /* which the API counts in both */
	out->rate_tenths = tenths(v, "rate");
	(void)json_get_i64(v, STR("eta_s"), &out->eta_s);
	return true;
}

bool batch_is(const struct batch *b, const char *state)
{
	return strcmp(b->state, state) == 0;
}

bool batch_is_over(const struct batch *b)
{
	return batch_is(b, "done") || batch_is(b, "cancelled") || batch_is(b, "refused");
}

int64_t batch_not_sent(const struct batch *b)
{
	return b->failed + b->unknown + b->expired;
}

const char *batch_count(int64_t n, char out[BATCH_COUNT_MAX])
{
	char digits[24];
	size_t len, at = 0;

	len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)(n < 0 ? 0 : n));
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

const char *batch_time(int64_t seconds, char out[BATCH_TIME_MAX])
{
	long long s = seconds < 0 ? 0 : seconds;

	if (s >= 3600)
		(void)snprintf(out, BATCH_TIME_MAX, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60,
			       s % 60);
	else
		(void)snprintf(out, BATCH_TIME_MAX, "%lld:%02lld", s / 60, s % 60);
	return out;
}
