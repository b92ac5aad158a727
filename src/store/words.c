/* SPDX-License-Identifier: MIT */
/* words.c - the state tables as conditions of SQL.  TESTS  tests/unit/test_store_migrate.c */
#include "store/words.h"

#include "base/panic.h"

struct word {
	const char *text;
	bool terminal;
};

static const struct word outq_words[] = {
#define OUTQ_STATE(name, text, terminal) { text, terminal },
#include "store/outq_state.def"
#undef OUTQ_STATE
};

static const struct word delivery_words[] = {
#define DELIVERY_STATE(name, text, terminal) { text, terminal },
#include "store/delivery_state.def"
#undef DELIVERY_STATE
};

static const struct word batch_words[] = {
#define BATCH_STATE(name, text, terminal) { text, terminal },
#include "store/batch_state.def"
#undef BATCH_STATE
};

static const struct {
	const char *name;
	const struct word *words;
	size_t count;
	bool open;
} lists[] = {
	{ "OUTQ_KNOWN", outq_words, ARRAY_LEN(outq_words), false },
	{ "OUTQ_OPEN", outq_words, ARRAY_LEN(outq_words), true },
	{ "DELIVERY_KNOWN", delivery_words, ARRAY_LEN(delivery_words), false },
	{ "DELIVERY_OPEN", delivery_words, ARRAY_LEN(delivery_words), true },
	{ "BATCH_KNOWN", batch_words, ARRAY_LEN(batch_words), false },
	{ "BATCH_OPEN", batch_words, ARRAY_LEN(batch_words), true },
};

/* "(column='a' OR column='b')" or "column!='y' AND column!='z'" */
static void put_condition(struct str name, struct buf *out)
{
	struct str column = name;
	bool any = false;

	(void)str_split(&column, ':', &name); /* a string that is not NULL has a field */
	if (column.ptr == NULL)
		column = STR("state");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!str_eq(name, str_from(lists[i].name)))
			continue;
		for (size_t k = 0; k < lists[i].count; k++) {
			if (lists[i].open && !lists[i].words[k].terminal)
				continue;
			buf_put_text(out, any ? (lists[i].open ? " AND " : " OR ")
					      : (lists[i].open ? "" : "("));
			buf_put_fmt(out, "%.*s%s'%s'", STR_ARG(column), lists[i].open ? "!=" : "=",
				    lists[i].words[k].text);
			any = true;
		}
		if (!lists[i].open)
			buf_put_char(out, ')');
	}
	if (!any)
		PANIC("no condition is called %.*s", STR_ARG(name));
}

void words_expand(struct str sql, struct buf *out)
{
	struct str part;
	bool is_name = false;

	/* Between two @ stands a name. */
	while (str_split(&sql, '@', &part)) {
		if (is_name)
			put_condition(part, out);
		else
			buf_put_str(out, part);
		is_name = !is_name;
	}
}

static bool is_known(const struct word *words, size_t count, struct str word, bool *out_terminal)
{
	for (size_t i = 0; i < count; i++) {
		if (str_eq(word, str_from(words[i].text))) {
			*out_terminal = words[i].terminal;
			return true;
		}
	}
	return false;
}

bool words_outq_known(struct str word, bool *out_terminal)
{
	return is_known(outq_words, ARRAY_LEN(outq_words), word, out_terminal);
}

bool words_delivery_known(struct str word, bool *out_terminal)
{
	return is_known(delivery_words, ARRAY_LEN(delivery_words), word, out_terminal);
}
