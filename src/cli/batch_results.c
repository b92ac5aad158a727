/* SPDX-License-Identifier: MIT */
/*
 * batch_results.c - every row of a batch in a file
 *
 * FAILURE  The file is written beside its name and renamed when it is whole: a
 *          results file that is there has every row.
 * TESTS    tests/system/test_send_list.py
 */
#include "cli/batch_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_MAX 65536

struct sink {
	FILE *to;
	bool is_json, is_first;
	struct buf line;
};

/* What may not stand in a file of CSV as it is, between quotes. */
static void put_field(struct buf *b, struct str text)
{
	bool plain = true;

	for (size_t i = 0; i < text.len && plain; i++)
		plain = strchr(",\"\r\n", text.ptr[i]) == NULL;
	if (plain) {
		buf_put_str(b, text);
		return;
	}
	buf_put_char(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_put_char(b, '"');
		buf_put_char(b, text.ptr[i]);
	}
	buf_put_char(b, '"');
}

static void put_csv(struct buf *b, const struct batch_row *r)
{
	const struct str fields[] = { r->phone, r->state,  r->id, r->wamid,
				      r->code,  r->reason, r->fix };

	buf_put_i64(b, r->row);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		buf_put_char(b, ',');
		put_field(b, fields[i]);
	}
}

static void put_text(struct json_writer *w, const char *key, struct str text)
{
	if (text.len > 0)
		json_w_kv_str(w, key, text);
}

static void put_json(struct buf *b, const struct batch_row *r)
{
	struct json_writer w;
	int64_t code;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_i64(&w, "row", r->row);
	put_text(&w, "phone", r->phone);
	put_text(&w, "state", r->state);
	put_text(&w, "id", r->id);
	put_text(&w, "wamid", r->wamid);
	if (str_to_i64(r->code, &code))
		json_w_kv_i64(&w, "code", code);
	else
		put_text(&w, "code", r->code);
	put_text(&w, "reason", r->reason);
	put_text(&w, "fix", r->fix);
	json_w_end(&w);
}

static void on_row(void *cookie, const struct batch_row *r)
{
	struct sink *s = cookie;

	buf_reset(&s->line);
	if (s->is_json) {
		buf_put_text(&s->line, s->is_first ? "\n" : ",\n");
		put_json(&s->line, r);
	} else {
		put_csv(&s->line, r);
		buf_put_char(&s->line, '\n');
	}
	s->is_first = false;
	(void)fwrite(s->line.data, 1, s->line.len, s->to);
}

static void on_sent(void *cookie, const struct batch_row *r)
{
	if (str_eq(r->state, STR("sent")))
		on_row(cookie, r);
}

/* Not those that still wait: a batch that was paused or given up says so in its state. */
static void on_failed(void *cookie, const struct batch_row *r)
{
	static const char *const words[] = { "failed", "unknown", "expired", "refused" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(r->state, str_from(words[i])))
			on_row(cookie, r);
}

static int write_json(struct sink *s, struct api *a, const struct batch *b)
{
	int code;

	(void)fprintf(s->to, "{\"id\":\"%s\",\"state\":\"%s\",\n\"sent\":[", b->id, b->state);
	s->is_first = true;
	code = batch_rows(a, b->id, NULL, on_sent, s);
	if (code != EXIT_OK)
		return code;
	(void)fputs("],\n\"failed\":[", s->to);
	s->is_first = true;
	code = batch_rows(a, b->id, NULL, on_failed, s);
	(void)fputs("]}\n", s->to);
	return code;
}

static int write_all(struct sink *s, struct api *a, const struct batch *b)
{
	if (s->is_json)
		return write_json(s, a, b);
	(void)fputs("row,phone,state,id,wamid,code,reason,fix\n", s->to);
	return batch_rows(a, b->id, NULL, on_row, s);
}

static int write_failed(const struct cli *cli, const char *path)
{
	return cli_failf(cli, EXIT_FAILED,
			 "the batch is not touched by it: godwit batch results ID --out FILE",
			 "cannot write %s: %s", path, strerror(errno));
}

/* Telephone numbers are in it: for its owner alone. */
static int to_file(struct cli *cli, struct sink *s, struct api *a, const struct batch *b,
		   const char *path)
{
	char part[PATH_MAX];
	int fd, code;

	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		return cli_failf(cli, EXIT_USAGE, NULL, "%s is too long a path", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	s->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (s->to == NULL)
		return write_failed(cli, part);
	code = write_all(s, a, b);
	if (code == EXIT_OK && (fflush(s->to) != 0 || ferror(s->to) || fsync(fd) != 0))
		code = write_failed(cli, part);
	(void)fclose(s->to);
	if (code == EXIT_OK && rename(part, path) != 0)
		code = write_failed(cli, path);
	if (code != EXIT_OK)
		(void)unlink(part);
	return code;
}

int batch_results_write(struct cli *cli, struct api *a, const struct batch *b, const char *path)
{
	struct sink s = { .to = stdout, .is_json = str_ends(str_from(path), STR(".json")) };
	int code;

	buf_init(&s.line, ROW_MAX);
	if (strcmp(path, "-") == 0)
		code = write_all(&s, a, b);
	else
		code = to_file(cli, &s, a, b, path);
	buf_release(&s.line);
	return code;
}
