/* SPDX-License-Identifier: MIT */
/*
 * errors.c - the catalogue of Meta's errors and the reading of their envelope
 *
 * ROLE        The table is errors.def; this file finds rows and classifies.
 *             Nothing here knows a code: a new one is a new row.
 * INVARIANTS  1. Rows ascend by (code, subcode): find() is a binary search.
 * TESTS       tests/unit/test_errors.c
 */
#include "base/arena.h"
#include "base/panic.h"
#include "cloudapi/fill.h"
#include <godwit/errors.h>

#define SYNC GW_VIA_SYNC
#define WEBHOOK GW_VIA_WEBHOOK
#define BOTH (GW_VIA_SYNC | GW_VIA_WEBHOOK)

#define META "Meta's error codes, read 2026-09"
#define DIGEST "a digest of Meta's pages, autumn 2026"
#define LIBRARY "pywa, 2026-08"
#define PRACTICE "practice; not in Meta's table as of 2026-11"

static const gw_error_info rows[] = {
#define GRAPH_ERROR(code, subcode, http, retry, via, title, meaning, fix, source) \
	{ code, subcode, http, GW_RETRY_##retry, via, title, meaning, fix, source },
#include "cloudapi/errors.def"
#undef GRAPH_ERROR
};

static const gw_error_info *find(int code, int subcode)
{
	size_t low = 0, high = ARRAY_LEN(rows);

	while (low < high) { /* inv. 1 */
		size_t mid = low + (high - low) / 2;
		const gw_error_info *r = &rows[mid];

		if (r->code == code && r->subcode == subcode)
			return r;
		if (r->code < code || (r->code == code && r->subcode < subcode))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const gw_error_info *gw_error_info_find(int code, int subcode)
{
	const gw_error_info *r = NULL;

	if (subcode != 0)
		r = find(code, subcode);
	if (r == NULL && code == 100 && subcode > 2000000)
		r = find(subcode, 0);
	if (r == NULL)
		r = find(code, 0);
	if (r == NULL && code > 200 && code <= 299)
		r = find(200, 0);
	return r;
}

const gw_error_info *gw_error_info_at(size_t index)
{
	return index < ARRAY_LEN(rows) ? &rows[index] : NULL;
}

size_t gw_error_info_count(void)
{
	return ARRAY_LEN(rows);
}

void gw_error_command(const gw_error_info *info, char out[GW_ERROR_COMMAND_MAX])
{
	(void)snprintf(out, GW_ERROR_COMMAND_MAX,
		       info->subcode != 0 ? "godwit explain %d/%d" : "godwit explain %d",
		       info->code, info->subcode);
}

bool gw_error_advice(int code, int subcode, char out[GW_ERROR_ADVICE_MAX])
{
	const gw_error_info *info = gw_error_info_find(code, subcode);
	char command[GW_ERROR_COMMAND_MAX];

	if (info == NULL) {
		(void)snprintf(out, GW_ERROR_ADVICE_MAX, "%d", code);
		return false;
	}
	gw_error_command(info, command);
	(void)snprintf(out, GW_ERROR_ADVICE_MAX, "%d %s: %s To do: %s (%s)", code, info->title,
		       info->meaning, info->fix, command);
	return true;
}

gw_retry gw_retry_of(int http_status, bool is_graph, int code, int subcode)
{
	const gw_error_info *r = is_graph ? gw_error_info_find(code, subcode) : NULL;

	if (r != NULL)
		return r->retry;
	if (http_status >= 500)
		return GW_RETRY_UNKNOWN;
	if (!is_graph && http_status == 429)
		return GW_RETRY_LATER; /* somebody before Meta's application throttles */
	if (!is_graph && (http_status < 300 || http_status == 408))
		return GW_RETRY_UNKNOWN; /* an unreadable success, or given up half-way */
	return GW_RETRY_NEVER;
}

static struct str text_of(struct json_val v)
{
	return str_of_gw(fill_text(v, GW_GRAPH_ERROR_MAX));
}

/* "(#131009) Parameter value is not valid: Unsupported image type" */
static void compose(struct json_val error, struct gw_error *err)
{
	struct json_val data = json_member(error, STR("error_data"));
	struct str message = text_of(json_member(error, STR("message")));
	struct str details = text_of(
		json_type(data) == JSON_OBJECT ? json_member(data, STR("details")) : data);

	if (details.len == 0)
		details = text_of(json_member(error, STR("error_user_msg")));
	if (message.len == 0)
		message = text_of(json_member(error, STR("error_user_title")));
	if (str_ends(message, STR(".")))
		message.len--;
	if (str_ends(details, STR(".")))
		details.len--;
	if (message.len == 0 && details.len == 0)
		(void)gw_error_set(err, GW_EAPI, "Meta gave error %d without a text", err->code);
	else
		(void)gw_error_set(err, GW_EAPI, "%.*s%s%.*s", STR_ARG(message),
				   message.len > 0 && details.len > 0 ? ": " : "",
				   STR_ARG(details));
}

bool gw_graph_error_parse(gw_str body, int http_status, struct gw_error *err)
{
	const struct json_doc *doc = NULL;
	struct json_val error;
	struct arena *a;
	struct gw_error e = GW_ERROR_INIT;
	bool found = false;

	if (body.len == 0 || body.len > GW_GRAPH_ERROR_MAX)
		return false;
	a = arena_new((size_t)16 * 1024 + 32 * body.len);
	if (a == NULL || json_scan(str_of_gw(body), a, &doc, NULL) != GW_OK)
		goto out;
	error = json_member(json_root(doc), STR("error"));
	if (json_type(error) != JSON_OBJECT || !fill_int(json_member(error, STR("code")), &e.code))
		goto out;
	found = true;
	if (err == NULL)
		goto out;
	(void)fill_int(json_member(error, STR("error_subcode")), &e.subcode); /* absent: 0 */
	e.http_status = http_status;
	e.retry = gw_retry_of(http_status, true, e.code, e.subcode);
	(void)str_copy(text_of(json_member(error, STR("fbtrace_id"))), e.trace_id,
		       sizeof(e.trace_id));
	compose(error, &e);
	*err = e;
out:
	arena_free(a);
	return found;
}
