/* SPDX-License-Identifier: MIT */
/*
 * progress.c - how far something is, on standard error
 *
 * ROLE     Decides how and how often; the counts and the rate are the gateway's.  What a copy
 *          of the database says is in copy_progress.c.
 * LIMITS   BAR_NS, LINE_NS and JSON_NS between two of each kind.
 * TESTS    tests/unit/test_progress.c, tests/system/test_send_list.py
 */
#include "cli/progress.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_NS (250 * NS_PER_MS)
#define LINE_NS (10 * NS_PER_S)
#define JSON_NS NS_PER_S
#define BAR_CELLS 20
#define COLUMNS 80 /* of a terminal that does not say */
#define COLUMNS_BAR 60 /* narrower: numbers without a bar */
#define PAINT_MAX 2048

bool progress_init(struct progress *p, struct cli *cli, const char *word)
{
	static const char *const words[] = { [PROGRESS_NONE] = "none",
					     [PROGRESS_BAR] = "bar",
					     [PROGRESS_PLAIN] = "plain",
					     [PROGRESS_JSON] = "json" };
	struct winsize size;

	*p = (struct progress){ .cli = cli, .columns = COLUMNS };
	if (isatty(STDERR_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_col > 0)
		p->columns = size.ws_col;
	if (word == NULL || strcmp(word, "auto") == 0) {
		p->kind = isatty(STDERR_FILENO) ? PROGRESS_BAR
			  : cli_is_json(cli)    ? PROGRESS_NONE /* errors are objects there */
						: PROGRESS_PLAIN;
		if (cli->quiet)
			p->kind = PROGRESS_NONE;
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) == 0) {
			p->kind = (enum progress_kind)i;
			return true;
		}
	}
	cli->code = cli_failf(cli, EXIT_USAGE, "there are auto, bar, plain, json and none",
			      "--progress: \"%s\" is none", word);
	return false;
}

/* ---- what is shown ---- */

static void put_rate(struct buf *out, const struct batch *b)
{
	buf_put_fmt(out, "%lld.%lld/s", (long long)(b->rate_tenths / 10),
		    (long long)(b->rate_tenths % 10));
}

void progress_put_cells(struct buf *out, int64_t done, int64_t of, bool utf8)
{
	int64_t full = of > 0 ? done * BAR_CELLS / of : 0;

	if (!utf8)
		buf_put_char(out, '[');
	for (int64_t i = 0; i < BAR_CELLS; i++) {
		if (utf8)
			buf_put_text(out, i < full ? "\u2588" : "\u2591");
		else
			buf_put_char(out, i < full ? '#' : '-');
	}
	if (!utf8)
		buf_put_char(out, ']');
	buf_put_text(out, "  ");
}

void progress_put_bar(struct buf *out, const struct batch *b, unsigned columns, bool utf8)
{
	int64_t settled = b->accepted + batch_not_sent(b);
	char n[BATCH_COUNT_MAX], of[BATCH_COUNT_MAX], left[BATCH_TIME_MAX];

	if (batch_is(b, "checking")) {
		buf_put_fmt(out, "checking  %s rows", batch_count(b->total, n));
		return;
	}
	buf_put_fmt(out, "%3lld %%  ", (long long)(b->ready > 0 ? settled * 100 / b->ready : 100));
	if (columns >= COLUMNS_BAR)
		progress_put_cells(out, settled, b->ready, utf8);
	buf_put_fmt(out, "%s/%s", batch_count(b->accepted, n), batch_count(b->ready, of));
	if (batch_is(b, "running")) {
		buf_put_text(out, "  ");
		put_rate(out, b);
		if (b->eta_s >= 0)
			buf_put_fmt(out, "  ETA %s", batch_time(b->eta_s, left));
	} else {
		buf_put_fmt(out, "  %s", b->state);
	}
	if (batch_not_sent(b) > 0)
		buf_put_fmt(out, "  %s failed", batch_count(batch_not_sent(b), n));
}

void progress_put_line(struct buf *out, const struct batch *b)
{
	long long s = b->eta_s;

	buf_put_fmt(out, "batch=%s ", b->id);
	if (!batch_is(b, "running"))
		buf_put_fmt(out, "state=%s ", b->state);
	if (batch_is(b, "checking")) {
		buf_put_fmt(out, "rows=%lld", (long long)b->total);
		return;
	}
	buf_put_fmt(out, "sent=%lld/%lld failed=%lld", (long long)b->accepted, (long long)b->ready,
		    (long long)batch_not_sent(b));
	if (!batch_is(b, "running"))
		return;
	buf_put_text(out, " rate=");
	put_rate(out, b);
	if (s >= 0)
		buf_put_fmt(out, " eta=%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

void progress_put_json(struct buf *out, const struct batch *b)
{
	char rate[32];
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "batch", b->id);
	json_w_kv_text(&w, "state", b->state);
	json_w_kv_i64(&w, "rows", b->total);
	json_w_kv_i64(&w, "ready", b->ready);
	json_w_kv_i64(&w, "sent", b->accepted);
	json_w_kv_i64(&w, "failed", batch_not_sent(b));
	(void)snprintf(rate, sizeof(rate), "%lld.%lld", (long long)(b->rate_tenths / 10),
		       (long long)(b->rate_tenths % 10));
	json_w_kv_raw(&w, "rate", str_from(rate));
	if (b->eta_s >= 0)
		json_w_kv_i64(&w, "eta_s", b->eta_s);
	else
		json_w_kv_null(&w, "eta_s");
	json_w_end(&w);
}

/* ---- when and where ---- */

/* As many characters as stand in a line: a longer one would leave its beginning behind. */
static struct str fit(struct str text, unsigned columns)
{
	size_t at = 0;

	for (unsigned i = 0; i + 1 < columns && at < text.len; i++)
		for (at++; at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80;)
			at++;
	return str_slice(text, 0, at);
}

static void write_out(struct progress *p, const struct buf *b)
{
	struct str text = buf_str(b);

	(void)fflush(stdout);
	if (p->kind == PROGRESS_BAR) {
		text = fit(text, p->columns);
		(void)fprintf(stderr, "\r%.*s\033[K", STR_ARG(text));
		p->is_painted = true;
	} else {
		(void)fprintf(stderr, "%.*s\n", STR_ARG(text));
	}
	(void)fflush(stderr);
}

void progress_say(struct progress *p, const char *fmt, ...)
{
	char text[PAINT_MAX];
	struct buf b;
	va_list ap;

	if (p->kind != PROGRESS_BAR && p->kind != PROGRESS_PLAIN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, PAINT_MAX);
	buf_put_text(&b, text);
	write_out(p, &b);
	buf_release(&b);
}

bool progress_is_due(const struct progress *p, int64_t now_ns)
{
	return p->kind != PROGRESS_NONE && now_ns >= p->next_ns;
}

void progress_put(struct progress *p, const struct buf *text, int64_t now_ns)
{
	static const int64_t every[] = { [PROGRESS_NONE] = 0,
					 [PROGRESS_BAR] = BAR_NS,
					 [PROGRESS_PLAIN] = LINE_NS,
					 [PROGRESS_JSON] = JSON_NS };

	write_out(p, text);
	p->next_ns = now_ns + every[p->kind];
}

void progress_last(struct progress *p, const struct batch *b, int64_t now_ns)
{
	struct buf out;

	if (p->kind == PROGRESS_NONE)
		return;
	buf_init(&out, PAINT_MAX);
	if (p->kind == PROGRESS_BAR)
		progress_put_bar(&out, b, p->columns, p->cli->utf8);
	else if (p->kind == PROGRESS_PLAIN)
		progress_put_line(&out, b);
	else
		progress_put_json(&out, b);
	progress_put(p, &out, now_ns);
	buf_release(&out);
}

void progress_show(struct progress *p, const struct batch *b, int64_t now_ns)
{
	if (progress_is_due(p, now_ns))
		progress_last(p, b, now_ns);
}

static void end_line(struct progress *p, const char *with)
{
	if (!p->is_painted)
		return;
	(void)fputs(with, stderr);
	(void)fflush(stderr);
	p->is_painted = false;
}

void progress_clear(struct progress *p)
{
	end_line(p, "\r\033[K");
}

void progress_leave(struct progress *p)
{
	end_line(p, "\n");
}
