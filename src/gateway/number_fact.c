/* SPDX-License-Identifier: MIT */
/*
 * number_fact.c - see number_fact.h; fields and words: cloud-api.md 4.2 and 6.4, read 2026-11
 *
 * Only statuses that say the number is not there, or not registered, stop what
 * leaves: FLAGGED, RESTRICTED and RATE_LIMITED ones still send some of it, and a word
 * of tomorrow is Meta's to judge.
 *
 * TESTS  tests/unit/test_number_fact.c, tests/system/test_numbers.py
 */
#include "gateway/number_fact.h"

#include "base/panic.h"
#include "base/utf8.h"

static const struct {
	const char *status;
	int code;
	const char *why;
} stops[] = {
	{ "PENDING", 133010, "it is not registered yet" },
	{ "UNVERIFIED", 133010, "its code was never entered" },
	{ "DISCONNECTED", 133010, "its registration is lost" },
	{ "MIGRATED", 133010, "it was moved to another account" },
	{ "DELETED", 133010, "it was removed from its account" },
	{ "BANNED", 131031, "it may not be used on WhatsApp" },
};

static void keep(struct str s, char *out, size_t cap)
{
	(void)str_copy(utf8_cut(s, cap - 1), out, cap);
}

static void keep_member(struct json_val v, const char *key, char *out, size_t cap)
{
	struct str s;

	if (json_get_str(v, str_from(key), 512, &s))
		keep(s, out, cap);
}

/* "+1 555-078-3881" as it is dialled. */
static void keep_address(struct json_val v, char *out, size_t cap)
{
	struct str s;
	size_t n = 0;

	if (!json_get_str(v, STR("display_phone_number"), 64, &s))
		return;
	out[n++] = '+';
	for (size_t i = 0; i < s.len && n + 1 < cap; i++)
		if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
			out[n++] = s.ptr[i];
	out[n > 1 ? n : 0] = '\0';
}

bool number_fact_read(struct json_val answer, int64_t now_ms, struct number_fact *out)
{
	struct number_fact f = { .read_ms = now_ms };
	struct json_val throughput;

	if (json_type(answer) != JSON_OBJECT ||
	    !json_exists(json_member(answer, STR("display_phone_number"))))
		return false;
	throughput = json_member(answer, STR("throughput"));
	keep_member(answer, "status", f.status, sizeof(f.status));
	keep_member(answer, "quality_rating", f.quality, sizeof(f.quality));
	keep_member(throughput, "level", f.throughput, sizeof(f.throughput));
	keep_member(answer, "whatsapp_business_manager_messaging_limit", f.messaging_limit,
		    sizeof(f.messaging_limit));
	if (f.messaging_limit[0] == '\0') /* what older versions call it */
		keep_member(answer, "messaging_limit_tier", f.messaging_limit,
			    sizeof(f.messaging_limit));
	keep_member(answer, "verified_name", f.name, sizeof(f.name));
	keep_address(answer, f.address, sizeof(f.address));
	(void)json_get_bool(answer, STR("is_on_biz_app"), &f.on_app);
	*out = f;
	return true;
}

uint32_t number_fact_limit(const struct number_fact *f)
{
	if (f->on_app)
		return NUMBER_LIMIT_ON_APP;
	if (strcmp(f->throughput, "HIGH") == 0)
		return NUMBER_LIMIT_HIGH;
	return strcmp(f->throughput, "STANDARD") == 0 ? NUMBER_LIMIT_STANDARD : 0;
}

const char *number_fact_stops(const struct number_fact *f, int64_t now_ms, int *code)
{
	if (f->read_ms == 0 || f->is_remembered || now_ms - f->read_ms > NUMBER_FACT_FRESH_MS)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
		if (strcmp(f->status, stops[i].status) == 0) {
			*code = stops[i].code;
			return stops[i].why;
		}
	}
	return NULL;
}

void number_fact_to_store(const struct number_fact *f, const char *id, struct store_number_fact *to)
{
	*to = (struct store_number_fact){ .number_id = str_from(id),
					  .status = str_from(f->status),
					  .quality = str_from(f->quality),
					  .throughput = str_from(f->throughput),
					  .messaging_limit = str_from(f->messaging_limit),
					  .name = str_from(f->name),
					  .address = str_from(f->address),
					  .on_app = f->on_app,
					  .read_ms = f->read_ms };
}

void number_fact_from_store(const struct store_number_fact *from, struct number_fact *to)
{
	*to = (struct number_fact){ .on_app = from->on_app, .read_ms = from->read_ms };
	keep(from->status, to->status, sizeof(to->status));
	keep(from->quality, to->quality, sizeof(to->quality));
	keep(from->throughput, to->throughput, sizeof(to->throughput));
	keep(from->messaging_limit, to->messaging_limit, sizeof(to->messaging_limit));
	keep(from->name, to->name, sizeof(to->name));
	keep(from->address, to->address, sizeof(to->address));
}
