/* SPDX-License-Identifier: MIT */
/*
 * micro_json.c - what reading and writing JSON costs, beside jansson in the same run
 *
 * Prints `name value unit`: the median of ROUNDS rounds, each long enough for
 * the clock.  _1k is a webhook of 1 KB as Meta sends it, _utf8_1k the same
 * with its text unescaped, _3m 3000 of them in one body.
 */
#include "base/clock.h"
#include "base/panic.h"
#include "json/json.h"
#include "../tests/unit/jansson_beside.h"

#define ROUNDS 15
#define ROUND_NS (20 * NS_PER_MS)
#define HEAD                                                                            \
	"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1022901293\","  \
	"\"changes\":[{\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":{"    \
	"\"display_phone_number\":\"15550783881\",\"phone_number_id\":\"1065403522\"}," \
	"\"contacts\":[{\"profile\":{\"name\":\"Ana Souza\"},\"wa_id\":\"55719900001\"" \
	",\"user_id\":\"BR.13491208655302741918\"}],\"messages\":[{\"context\":{\"from" \
	"\":\"15550783881\",\"id\":\"wamid.HBgNNTU3MTk5MDAwMDAwMRUCABEYEkY1NkFCQzc4OT"  \
	"MjM0AA==\"},\"from\":\"5571990000001\",\"from_user_id\":\"BR.134912086553027"  \
	"41918\",\"id\":\"wamid.HBgNNTU3MTk5MDAwMDAwMRUCABIYFDNBQTExMjIzMzQ0NTU2Njc3"   \
	"ODg5AA==\",\"timestamp\":\"1763662971\",\"type\":\"text\",\"text\":{\"body\":\""
#define TAIL                                                                          \
	" Could you tell me whether the shop is open today, and until when? I want"   \
	" to pick up the order of last week before the weekend; the number on the"    \
	" receipt is 1107, and the name on it is that of my brother. If you have the" \
	" larger size in blue by now I would gladly exchange one of the two, else"    \
	" both are fine as they are.\"}}]},\"field\":\"messages\"}]}]}"
#define ESCAPED "Ol\\u00e1! \\ud83d\\ude00 Voc\\u00eas est\\u00e3o a\\u00ed?"
#define UNESCAPED "Ol\xc3\xa1! \xf0\x9f\x98\x80 Voc\xc3\xaas est\xc3\xa3o a\xc3\xad?"

struct work {
	struct str text;
	struct arena *arena;
	struct buf out;
};

typedef void work_fn(struct work *w);

static const struct json_doc *scan(struct work *w)
{
	const struct json_doc *doc = NULL;

	ASSERT(json_scan(w->text, w->arena, &doc, NULL) == GW_OK);
	return doc;
}

static void do_scan(struct work *w)
{
	(void)scan(w); /* the document goes with the arena */
	arena_reset(w->arena);
}

/* Scan, and read what a message event needs. */
static void do_read(struct work *w)
{
	static const struct str fields[] = { STR_INIT("from"), STR_INIT("id"),
					     STR_INIT("timestamp"), STR_INIT("type") };
	struct json_val change, message;
	struct str text = STR_EMPTY;

	change = json_at(json_member(json_root(scan(w)), STR("entry")), 0);
	change = json_at(json_member(change, STR("changes")), 0);
	message = json_at(json_path(change, "value.messages"), 0);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		ASSERT(json_get_str(message, fields[i], 1024, &text));
	ASSERT(json_get_str(json_member(message, STR("text")), STR("body"), 4096, &text));
	arena_reset(w->arena);
}

static void do_put_ascii(struct work *w)
{
	buf_reset(&w->out);
	json_put_ascii(&w->out, json_root(scan(w)));
	ASSERT(!buf_failed(&w->out));
	arena_reset(w->arena);
}

static void do_jansson(struct work *w)
{
	json_t *root = json_loadb(w->text.ptr, w->text.len, 0, NULL);

	ASSERT(root != NULL);
	json_decref(root);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, work_fn *fn, struct str text)
{
	struct work w = { .text = text, .arena = arena_new((size_t)1 << 30) };
	bool is_long = text.len > 100000;
	double per_call[ROUNDS];

	ASSERT(w.arena != NULL);
	buf_init(&w.out, (size_t)1 << 30);
	fn(&w); /* warm */
	for (int i = 0; i < ROUNDS; i++) {
		int64_t from = clock_real_ns(), spent;
		int64_t calls = 0;

		do {
			for (int j = 0; j < (is_long ? 1 : 100); j++, calls++)
				fn(&w);
			spent = clock_real_ns() - from;
		} while (spent < ROUND_NS);
		per_call[i] = (double)spent / (double)calls;
	}
	qsort(per_call, ROUNDS, sizeof(per_call[0]), by_value);
	printf("%s %.3f %s\n", name, per_call[ROUNDS / 2] / (is_long ? 1e6 : 1e3),
	       is_long ? "ms" : "us");
	buf_release(&w.out);
	arena_free(w.arena);
}

static struct str large_body(struct buf *b)
{
	buf_put_char(b, '[');
	for (int i = 0; i < 1000; i++) {
		buf_put_text(b, i == 0 ? "" : ",");
		buf_put_text(b, HEAD ESCAPED TAIL "," HEAD UNESCAPED TAIL "," HEAD TAIL);
	}
	buf_put_char(b, ']');
	ASSERT(!buf_failed(b));
	return buf_str(b);
}

int main(void)
{
	struct str escaped = STR(HEAD ESCAPED TAIL), plain = STR(HEAD UNESCAPED TAIL), large;
	struct buf b;

	buf_init(&b, 8 << 20);
	large = large_body(&b);
	printf("json_body_1k %zu bytes\n", escaped.len);
	printf("json_body_3m %zu bytes\n", large.len);
	measure("json_scan_1k", do_scan, escaped);
	measure("json_scan_utf8_1k", do_scan, plain);
	measure("json_read_1k", do_read, escaped);
	measure("json_put_ascii_1k", do_put_ascii, escaped);
	measure("jansson_load_1k", do_jansson, escaped);
	measure("jansson_load_utf8_1k", do_jansson, plain);
	measure("json_scan_3m", do_scan, large);
	measure("json_put_ascii_3m", do_put_ascii, large);
	measure("jansson_load_3m", do_jansson, large);
	buf_release(&b);
	return 0;
}
