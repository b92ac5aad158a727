/* SPDX-License-Identifier: MIT */
/* words.c - the state tables as lists for SQL.  TESTS  tests/unit/test_store_migrate.c */
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

static const struct {
	const char *name;
	const struct word *words;
	size_t count;
	bool open_only;
} lists[] = {
	{ "OUTQ_STATES", outq_words, ARRAY_LEN(outq_words), false },
	{ "OUTQ_OPEN", outq_words, ARRAY_LEN(outq_words), true },
	{ "DELIVERY_STATES", delivery_words, ARRAY_LEN(delivery_words), false },
	{ "DELIVERY_OPEN", delivery_words, ARRAY_LEN(delivery_words), true },
};

static void put_list(struct str name, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!str_eq(name, str_from(lists[i].name)))
			continue;
		for (size_t k = 0; k < lists[i].count; k++) {
			if (lists[i].open_only && lists[i].words[k].terminal)
				continue;
			buf_put_fmt(out, "%s'%s'", any ? "," : "", lists[i].words[k].text);
			any = true;
		}
	}
	if (!any)
		PANIC("no list of words is called %.*s", STR_ARG(name));
}

void words_expand(struct str sql, struct buf *out)
{
	struct str part;
	bool is_name = false;

	/* Between two @ stands a name. */
	while (str_split(&sql, '@', &part)) {
		if (is_name)
			put_list(part, out);
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
