/* SPDX-License-Identifier: MIT */
/*
 * fill.c - table-driven reading of JSON members (fill.h)
 *
 * Meta writes the same thing as a string here and as a number there (ids,
 * times, sizes, coordinates), so every reader takes both.
 */
#include "cloudapi/fill.h"
#include "base/panic.h"

/* Seconds above this are milliseconds: the year 5138, or March 1973 in milliseconds. */
#define MILLISECONDS_FROM INT64_C(100000000000)
#define DECIMAL_DIGITS_MAX 18 /* of the mantissa; what fits 64 bits */

gw_str fill_text(struct json_val v, size_t max)
{
	struct str s;

	switch (json_type(v)) {
	case JSON_NUMBER:
		s = json_bytes(v);
		if (s.len > max)
			return (gw_str){ NULL, 0 };
		return str_to_gw(s);
	case JSON_STRING:
		if (!json_str(v, max, &s) || s.len == 0)
			return (gw_str){ NULL, 0 };
		return str_to_gw(s);
	default: return (gw_str){ NULL, 0 };
	}
}

gw_span fill_span(struct json_val v)
{
	struct span s = { 0, 0 };

	if (json_exists(v))
		s = json_span(v);
	return (gw_span){ s.at, s.len };
}

int64_t fill_time(struct json_val v)
{
	gw_str text = fill_text(v, 20);
	int64_t t;

	if (!str_to_i64(str_of_gw(text), &t) || t < 0)
		return 0;
	if (t >= MILLISECONDS_FROM)
		t /= 1000;
	return t < MILLISECONDS_FROM ? t : 0;
}

bool fill_int(struct json_val v, int *out)
{
	gw_str text = fill_text(v, 12);
	int64_t n;

	if (!str_to_i64(str_of_gw(text), &n) || n < INT32_MIN || n > INT32_MAX)
		return false;
	*out = (int)n;
	return true;
}

/* Decimal text without regard to the locale, which strtod() would follow. */
static bool decimal(gw_str s, double *out)
{
	uint64_t mantissa = 0;
	int digits = 0, scale = 0;
	bool point = false, any = false;
	size_t i = 0;
	double d;

	if (i < s.len && s.ptr[i] == '-')
		i++;
	for (; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false; /* exponents too: no coordinate has one */
		any = true;
		if (digits == DECIMAL_DIGITS_MAX) {
			if (!point)
				return false;
			continue;
		}
		mantissa = mantissa * 10 + (uint64_t)(c - '0');
		digits += mantissa > 0;
		scale += point;
	}
	if (!any || scale > 300)
		return false;
	d = (double)mantissa;
	for (; scale >= 10; scale -= 10)
		d /= 1e10;
	for (; scale > 0; scale--)
		d /= 10;
	*out = s.ptr[0] == '-' ? -d : d;
	return true;
}

static void fill_one(const struct fill *row, struct json_val v, void *base, struct json_val *kept)
{
	void *field;
	gw_str text;
	bool flag;

	if (row->how == FILL_KEEP) {
		kept[row->at] = v;
		return;
	}
	field = (char *)base + row->at;
	switch ((enum fill_how)row->how) {
	case FILL_STRING:
		text = fill_text(v, row->max);
		if (text.len > 0)
			*(gw_str *)field = text;
		return;
	case FILL_TIME: *(int64_t *)field = fill_time(v); return;
	case FILL_INT: (void)fill_int(v, field); return; /* odd: stays as it was */
	case FILL_BOOL:
		if (json_bool(v, &flag))
			*(bool *)field = flag;
		return;
	case FILL_DECIMAL: (void)decimal(fill_text(v, 64), field); return; /* likewise */
	case FILL_SPAN: *(gw_span *)field = fill_span(v); return;
	case FILL_KEEP: return;
	}
}

void fill(struct json_val object, const struct fill *rows, size_t count, void *base,
	  struct json_val *kept)
{
	struct json_iter it;
	struct json_val v;
	uint32_t seen = 0;

	ASSERT(count <= FILL_ROWS_MAX);
	if (json_type(object) != JSON_OBJECT)
		return;
	it = json_iter(object);
	while (json_next(&it, &v)) {
		for (size_t i = 0; i < count; i++) {
			if (rows[i].key.len != it.key.len ||
			    memcmp(rows[i].key.ptr, it.key.ptr, it.key.len) != 0)
				continue;
			if ((seen & BIT(i)) == 0)
				fill_one(&rows[i], v, base, kept);
			seen |= BIT(i);
			break;
		}
	}
}
