/* SPDX-License-Identifier: MIT */
/*
 * send_preview.c - what the gateway would send, before it does
 *
 * TESTS  tests/system/test_send_list.py
 */
#include "cli/out.h"
#include "cli/send_list.h"

#define REFUSED_SHOWN 5
#define BODY_SHOWN 200 /* characters of a message */
#define BODY_MAX 65536
#define TEXT_MAX 4096

static void print_refused(const struct cli *cli, const struct batch *b, struct json_val findings)
{
	char n[BATCH_COUNT_MAX], phone[OUT_PHONE_MAX];
	struct str text, fix;
	struct json_iter it;
	struct json_val v;
	int64_t row, shown = 0;

	for (it = json_iter(findings); shown < REFUSED_SHOWN && json_next(&it, &v); shown++) {
		row = 0;
		(void)json_get_i64(v, STR("row"), &row);
		printf("  %s row %lld", out_mark(cli, MARK_FAIL), (long long)row);
		if (json_get_str(v, STR("phone"), 256, &text) && text.len > 0) {
			out_phone(cli, text, phone);
			printf("  %s", phone);
		}
		if (json_get_str(v, STR("reason"), TEXT_MAX, &text))
			printf("  %.*s", STR_ARG(text));
		printf("\n");
		if (json_get_str(v, STR("fix"), TEXT_MAX, &fix) && fix.len > 0)
			printf("      %.*s\n", STR_ARG(fix));
	}
	if (b->refused + b->duplicates > shown && shown > 0)
		printf("  and %s more: godwit batch results %s --state refused\n",
		       batch_count(b->refused + b->duplicates - shown, n), b->id);
}

static void print_messages(const struct cli *cli, struct json_val preview)
{
	char phone[OUT_PHONE_MAX];
	struct json_iter it;
	struct json_val v;
	struct str text;
	struct buf b;

	for (it = json_iter(preview); json_next(&it, &v);) {
		if (json_get_str(v, STR("phone"), 256, &text))
			out_phone(cli, text, phone);
		else
			phone[0] = '\0';
		buf_init(&b, BODY_MAX);
		if (json_get_str(v, STR("body"), BODY_MAX / 4, &text))
			out_line(&b, text, BODY_SHOWN);
		printf("  to %s  %.*s\n", phone, STR_ARG(buf_str(&b)));
		buf_release(&b);
	}
}

void send_preview_print(const struct cli *cli, const struct batch *b, struct json_val batch)
{
	char n[BATCH_COUNT_MAX], left[BATCH_TIME_MAX];

	printf("%s  %s%sfrom %s\n", b->id, b->name, b->name[0] != '\0' ? "  " : "", b->number);
	printf("  rows        %9s\n", batch_count(b->total, n));
	printf("  ready       %9s\n", batch_count(b->ready, n));
	if (b->refused > 0)
		printf("  refused     %9s\n", batch_count(b->refused, n));
	if (b->duplicates > 0)
		printf("  duplicates  %9s  (the first of each is sent)\n",
		       batch_count(b->duplicates, n));
	print_refused(cli, b, json_member(batch, STR("findings")));
	print_messages(cli, json_member(batch, STR("preview")));
	if (b->ready > 0 && b->eta_s >= 0) {
		printf("takes about %s", batch_time(b->eta_s, left));
		if (b->rate_tenths > 0)
			printf(" at %lld.%lld/s", (long long)(b->rate_tenths / 10),
			       (long long)(b->rate_tenths % 10));
		printf("\n");
	}
	(void)fflush(stdout);
}
