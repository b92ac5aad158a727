/* SPDX-License-Identifier: MIT */
/*
 * copy_progress.c - how far a copy of the gateway's database is, while its call waits
 *
 * ROLE     GET /api/v1/backup beside the POST that makes the copy; how often is progress.c's.
 * FAILURE  No answer, or one that is not understood: nothing is shown.
 * TESTS    tests/unit/test_progress.c, tests/system/test_db.py
 */
#include "cli/copy_progress.h"
#include "base/clock.h"

#include <limits.h>

#define ASK_MS 3000
#define TEXT_MAX (PATH_MAX * 6 + 256) /* a name of characters that JSON escapes */
#define COLUMNS_BAR 60 /* as for a batch */

bool copy_at_read(struct json_val v, struct copy_at *out)
{
	struct json_val pages = json_member(v, STR("pages"));

	*out = (struct copy_at){ .done = 0 };
	return json_get_str(v, STR("file"), PATH_MAX, &out->file) &&
	       json_get_i64(pages, STR("done"), &out->done) &&
	       json_get_i64(pages, STR("total"), &out->total) &&
	       json_get_i64(v, STR("ms"), &out->ms) && out->done >= 0 && out->total >= 0 &&
	       out->done <= out->total && out->total <= INT32_MAX && out->ms >= 0 &&
	       out->ms <= INT32_MAX;
}

/* Seconds; -1: not known. */
static int64_t left_s(const struct copy_at *at)
{
	return at->done > 0 ? at->ms * (at->total - at->done) / at->done / 1000 : -1;
}

void copy_put_bar(struct buf *out, const struct copy_at *at, unsigned columns, bool utf8)
{
	char n[BATCH_COUNT_MAX], of[BATCH_COUNT_MAX], left[BATCH_TIME_MAX];

	if (at->total == 0) {
		buf_put_text(out, "waiting for another copy");
		return;
	}
	buf_put_fmt(out, "%3lld %%  ", (long long)(at->done * 100 / at->total));
	if (columns >= COLUMNS_BAR)
		progress_put_cells(out, at->done, at->total, utf8);
	buf_put_fmt(out, "%s/%s pages", batch_count(at->done, n), batch_count(at->total, of));
	if (at->done > 0)
		buf_put_fmt(out, "  ETA %s", batch_time(left_s(at), left));
}

void copy_put_line(struct buf *out, const struct copy_at *at)
{
	long long s = left_s(at);

	buf_put_fmt(out, "copy=%.*s pages=%lld/%lld", STR_ARG(at->file), (long long)at->done,
		    (long long)at->total);
	if (s >= 0)
		buf_put_fmt(out, " eta=%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

void copy_put_json(struct buf *out, const struct copy_at *at)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_str(&w, "file", at->file);
	json_w_kv_i64(&w, "pages_done", at->done);
	json_w_kv_i64(&w, "pages_total", at->total);
	if (at->done > 0)
		json_w_kv_i64(&w, "eta_s", left_s(at));
	else
		json_w_kv_null(&w, "eta_s");
	json_w_end(&w);
}

/* The copy that is ours; false: none is under way. */
static bool find(struct json_val copies, const char *file, struct copy_at *out)
{
	struct copy_at at;
	struct json_iter it;
	struct json_val v;
	bool found = false;

	for (it = json_iter(copies); json_next(&it, &v);) {
		if (!copy_at_read(v, &at) || (file != NULL && !str_eq(at.file, str_from(file))))
			continue;
		*out = at;
		found = true;
	}
	return found;
}

void copy_progress_tick(void *copy_progress)
{
	struct copy_progress *c = copy_progress;
	struct progress *p = &c->shown;
	struct gw_error err = GW_ERROR_INIT;
	struct api_answer answer;
	struct copy_at at;
	struct buf text;

	if (!progress_is_due(p, clock_real_ns()) ||
	    !api_try(c->api,
		     &(struct api_request){
			     .method = "GET", .path = "/api/v1/backup", .timeout_ms = ASK_MS },
		     &answer, &err) ||
	    !find(json_member(answer.json, STR("data")), c->file, &at))
		return;
	buf_init(&text, TEXT_MAX);
	if (p->kind == PROGRESS_BAR)
		copy_put_bar(&text, &at, p->columns, p->cli->utf8);
	else if (p->kind == PROGRESS_PLAIN)
		copy_put_line(&text, &at);
	else
		copy_put_json(&text, &at);
	progress_put(p, &text, clock_real_ns());
	buf_release(&text);
}
