/* SPDX-License-Identifier: MIT */
/*
 * batch_rows.c - the rows of a batch: read page by page, counted by reason
 *
 * TESTS  tests/unit/test_progress.c, tests/system/test_send_list.py
 */
#include "cli/batch_rows.h"
#include "cli/out.h"

#define PAGE 1000
#define TEXT_MAX 4096 /* bytes of one member of a row */

static struct str text_of(struct json_val row, struct str key)
{
	struct str text;

	return json_get_text(row, key, TEXT_MAX, &text) ? text : STR_EMPTY;
}

static void read_row(struct json_val v, struct batch_row *out)
{
	*out = (struct batch_row){ .phone = text_of(v, STR("phone")),
				   .state = text_of(v, STR("state")),
				   .id = text_of(v, STR("id")),
				   .wamid = text_of(v, STR("wamid")),
				   .code = text_of(v, STR("code")),
				   .reason = text_of(v, STR("reason")),
				   .fix = text_of(v, STR("fix")) };
	(void)json_get_i64(v, STR("row"), &out->row);
}

static void put_path(struct buf *path, const char *id, const char *state, int64_t after)
{
	char number[24];

	buf_put_text(path, "/api/v1/batches");
	api_put_segment(path, id);
	buf_put_text(path, "/results");
	api_put_query(path, "format", "json");
	api_put_query(path, "state", state);
	(void)snprintf(number, sizeof(number), "%lld", (long long)after);
	api_put_query(path, "after", number);
	(void)snprintf(number, sizeof(number), "%d", PAGE);
	api_put_query(path, "limit", number);
}

int batch_rows(struct api *a, const char *id, const char *state, batch_row_fn fn, void *cookie)
{
	struct api_answer answer;
	struct batch_row row;
	struct json_iter it;
	struct json_val v;
	struct buf path;
	int64_t after = 0, next = 0;
	int code;

	do {
		after = next;
		buf_init(&path, 4096);
		put_path(&path, id, state, after);
		code = api_get(a, path.data, &answer);
		buf_release(&path);
		if (code != EXIT_OK)
			return code;
		for (it = json_iter(json_member(answer.json, STR("data"))); json_next(&it, &v);) {
			read_row(v, &row);
			fn(cookie, &row);
		}
		/* A page may have fewer rows than were asked for, or none, and not be the last. */
	} while (json_get_i64(json_member(answer.json, STR("page")), STR("next"), &next) &&
		 next > after);
	return EXIT_OK;
}

/* ---- reasons ---- */

void batch_reason_add(struct batch_reasons *r, const struct batch_row *row)
{
	struct batch_reason *at;

	for (size_t i = 0; i < r->count; i++) {
		at = &r->of[i];
		if (str_eq(row->state, str_from(at->state)) &&
		    str_eq(row->code, str_from(at->code)) &&
		    (row->code.len > 0 || str_eq(row->reason, str_from(at->reason)))) {
			at->count++;
			return;
		}
	}
	if (r->count == BATCH_REASONS_MAX) {
		r->others++;
		return;
	}
	at = &r->of[r->count++];
	*at = (struct batch_reason){ .count = 1 };
	(void)str_copy(row->state, at->state, sizeof(at->state));
	(void)str_copy(row->code, at->code, sizeof(at->code));
	(void)str_copy(row->reason, at->reason, sizeof(at->reason));
	(void)str_copy(row->fix, at->fix, sizeof(at->fix));
}

static void on_row(void *cookie, const struct batch_row *row)
{
	batch_reason_add(cookie, row);
}

static int by_count(const void *a, const void *b)
{
	int64_t l = ((const struct batch_reason *)a)->count;
	int64_t r = ((const struct batch_reason *)b)->count;

	return (l < r) - (l > r);
}

int batch_reasons(struct api *a, const struct batch *b, struct batch_reasons *out)
{
	const struct {
		const char *state;
		int64_t rows;
	} states[] = { { "failed", b->failed },
		       { "unknown", b->unknown },
		       { "expired", b->expired },
		       { "refused", b->refused + b->duplicates } };
	int code = EXIT_OK;

	*out = (struct batch_reasons){ .count = 0 };
	for (size_t i = 0; i < ARRAY_LEN(states) && code == EXIT_OK; i++)
		if (states[i].rows > 0)
			code = batch_rows(a, b->id, states[i].state, on_row, out);
	qsort(out->of, out->count, sizeof(out->of[0]), by_count);
	return code;
}

void batch_reasons_put(const struct batch_reasons *r, struct json_writer *w)
{
	json_w_array(w);
	for (size_t i = 0; i < r->count; i++) {
		const struct batch_reason *one = &r->of[i];
		int64_t code;

		json_w_object(w);
		json_w_kv_i64(w, "count", one->count);
		json_w_kv_text(w, "state", one->state);
		if (str_to_i64(str_from(one->code), &code))
			json_w_kv_i64(w, "code", code);
		else
			json_w_kv_text(w, "code", one->code[0] != '\0' ? one->code : NULL);
		json_w_kv_text(w, "reason", one->reason[0] != '\0' ? one->reason : NULL);
		json_w_kv_text(w, "fix", one->fix[0] != '\0' ? one->fix : NULL);
		json_w_end(w);
	}
	json_w_end(w);
}

void batch_reasons_print(const struct cli *cli, const struct batch_reasons *r)
{
	char n[BATCH_COUNT_MAX];

	for (size_t i = 0; i < r->count; i++) {
		const struct batch_reason *one = &r->of[i];

		printf("%s %s %s%s%s%s%s\n", out_mark(cli, MARK_FAIL), batch_count(one->count, n),
		       one->state, one->code[0] != '\0' ? "  " : "", one->code,
		       one->reason[0] != '\0' ? "  " : "", one->reason);
		if (one->fix[0] != '\0')
			printf("    %s\n", one->fix);
	}
	if (r->others > 0)
		printf("%s %s for other reasons\n", out_mark(cli, MARK_FAIL),
		       batch_count(r->others, n));
}
