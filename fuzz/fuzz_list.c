/* SPDX-License-Identifier: MIT */
/*
 * fuzz_list.c - any bytes as what is sent (a line of JSON) and the list it goes to (CSV behind it)
 *
 * INVARIANTS  1. What is stored of a specification is read back as the same, at the next start too.
 *             2. Rows are given once, in their order; of each it is known whether it can be sent.
 *             3. The message of a row that can be sent can be built, and is JSON.
 *             4. No person is in the list twice.
 */
#include "fuzz.h"

#include "base/map.h"
#include "base/panic.h"
#include "gateway/batch_check.h"
#include "gateway/conversation.h"
#include <godwit/message.h>

#include <string.h>

struct list {
	struct batch_spec *spec;
	struct map *people;
	uint32_t rows, ready;
};

static void check_stored(const struct batch_spec *spec)
{
	struct buf first, second;
	struct batch_spec *again;

	buf_init(&first, (size_t)BATCH_SPEC_MAX * 8);
	buf_init(&second, (size_t)BATCH_SPEC_MAX * 8);
	batch_spec_put(spec, &first);
	ASSERT(!buf_failed(&first));
	again = batch_spec_read(buf_str(&first));
	ASSERT(again != NULL); /* inv. 1 */
	batch_spec_put(again, &second);
	ASSERT(str_eq(buf_str(&first), buf_str(&second)));
	batch_spec_free(again);
	buf_release(&first);
	buf_release(&second);
}

static void check_fit(struct list *l, const struct store_batch_item *i)
{
	char person[RECIPIENT_MAX];
	struct arena *a = arena_new((size_t)32 << 20);
	const struct json_doc *doc;
	struct buf body;
	size_t len;

	buf_init(&body, GW_MESSAGE_MAX);
	ASSERT(batch_spec_body(l->spec, i->phone, i->values, &body, NULL) == GW_OK); /* inv. 3 */
	ASSERT(!buf_failed(&body) && json_scan(buf_str(&body), a, &doc, NULL) == GW_OK);
	buf_reset(&body);
	batch_spec_show(l->spec, i->values, &body);
	len = recipient_canonical(i->phone, person);
	ASSERT(map_get(l->people, str_make(person, len)) == NULL); /* inv. 4 */
	(void)map_set(l->people, str_make(person, len), l);
	buf_release(&body);
	arena_free(a);
}

static void on_group(void *cookie, struct batch_group *g)
{
	struct list *l = cookie;

	ASSERT(g->add.count > 0 && g->add.count == g->add.ready + g->add.refused);
	for (size_t i = 0; i < g->add.count; i++) {
		ASSERT(g->items[i].n == ++l->rows); /* inv. 2 */
		if (g->items[i].finding == NULL) {
			l->ready++;
			check_fit(l, &g->items[i]);
		} else {
			ASSERT(batch_finding_find(str_from(g->items[i].finding)) != NULL);
		}
	}
	batch_group_free(g);
}

static void check_list(struct list *l, struct str csv)
{
	struct batch_check_options o = {
		.spec = l->spec, .phone_column = STR_EMPTY, .group = on_group, .cookie = l
	};
	struct batch_check *c = batch_check_new(&o);
	struct gw_error err = GW_ERROR_INIT;
	gw_status status = batch_check_csv(c, csv, &err), end = batch_check_end(c, &err);

	ASSERT((status == GW_OK || end == status) && (end == GW_OK || err.message[0] != '\0'));
	ASSERT(batch_check_rows(c) == l->rows && batch_check_ready(c) == l->ready);
	ASSERT(end != GW_OK || l->ready > 0);
	batch_check_free(c);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str rest = str_make((const char *)data, size), spec;
	struct list l = { .spec = NULL };

	if (!str_split(&rest, '\n', &spec))
		return;
	l.spec = batch_spec_read(spec);
	if (l.spec == NULL)
		return;
	check_stored(l.spec);
	l.people = map_new();
	check_list(&l, rest);
	map_free(l.people);
	batch_spec_free(l.spec);
}
