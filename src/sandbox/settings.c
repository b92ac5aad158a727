/* SPDX-License-Identifier: MIT */
/*
 * settings.c - read and write the table of settings.def
 *
 * TESTS  tests/unit/test_sandbox_run.c
 */
#include "sandbox/settings.h"

#include "base/panic.h"

struct setting_row {
	const char *name;
	size_t offset;
	bool is_bool;
	int64_t def, min, max;
};

static const struct setting_row rows[] = {
#define SETTING_INT(name, def, min, max, text) \
	{ #name, offsetof(struct settings, name), false, def, min, max },
#define SETTING_BOOL(name, def, text) { #name, offsetof(struct settings, name), true, def, 0, 1 },
#include "sandbox/settings.def"
#undef SETTING_INT
#undef SETTING_BOOL
};

static void set_row(struct settings *s, const struct setting_row *row, int64_t value)
{
	char *at = (char *)s + row->offset;

	if (row->is_bool) {
		bool b = value != 0;
		memcpy(at, &b, sizeof(b));
	} else {
		memcpy(at, &value, sizeof(value));
	}
}

static int64_t get_row(const struct settings *s, const struct setting_row *row)
{
	const char *at = (const char *)s + row->offset;
	int64_t value;
	bool b;

	if (row->is_bool) {
		memcpy(&b, at, sizeof(b));
		return b;
	}
	memcpy(&value, at, sizeof(value));
	return value;
}

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		set_row(s, &rows[i], rows[i].def);
}

static gw_status change_one(struct settings *s, struct str key, struct json_val v,
			    struct gw_error *err)
{
	struct str token;
	int64_t value;
	bool b;

	if (str_eq(key, STR("check_token"))) {
		if (!json_str(v, SECRET_MAX, &token))
			return gw_error_set(err, GW_EPARSE, "check_token: want a string");
		secret_set(&s->check_token, token);
		return GW_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!str_eq(key, str_from(rows[i].name)))
			continue;
		if (rows[i].is_bool) {
			if (!json_bool(v, &b))
				return gw_error_set(err, GW_EPARSE, "%s: want true or false",
						    rows[i].name);
			value = b;
		} else if (!json_i64(v, &value) || value < rows[i].min || value > rows[i].max) {
			return gw_error_set(err, GW_EPARSE, "%s: want an integer from %lld to %lld",
					    rows[i].name, (long long)rows[i].min,
					    (long long)rows[i].max);
		}
		set_row(s, &rows[i], value);
		return GW_OK;
	}
	return gw_error_set(err, GW_ENOTFOUND, "there is no setting %.*s", STR_ARG(key));
}

gw_status settings_change(struct settings *s, struct json_val changes, struct gw_error *err)
{
	struct settings next = *s;
	struct json_iter it;
	struct json_val v;
	gw_status st;

	for (it = json_iter(changes); json_next(&it, &v);) {
		st = change_one(&next, it.key, v, err);
		if (st != GW_OK)
			return st;
	}
	*s = next;
	return GW_OK;
}

void settings_write(const struct settings *s, struct json_writer *w)
{
	json_w_object(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].is_bool)
			json_w_kv_bool(w, rows[i].name, get_row(s, &rows[i]) != 0);
		else
			json_w_kv_i64(w, rows[i].name, get_row(s, &rows[i]));
	}
	json_w_kv_bool(w, "check_token", s->check_token.len > 0);
	json_w_end(w);
}
