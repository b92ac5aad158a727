/* SPDX-License-Identifier: MIT */
/*
 * roff.c - text of ours as a manual page wants it
 *
 * What roff would read as its own is escaped, what lies beyond ASCII is named
 * by its code point: a page looks the same whatever the reader's locale is,
 * and no preprocessor is needed.
 *
 * TESTS  tests/system/test_manual.py
 */
#include "base/utf8.h"
#include "cli/manual.h"

#include <ctype.h>

/* The characters that roff prints as another one, or takes for an order. */
static const char *escape_of(char c)
{
	switch (c) {
	case '\\': return "\\e";
	case '-': return "\\-";
	case '\'': return "\\(aq";
	case '`': return "\\(ga";
	case '^': return "\\(ha";
	case '~': return "\\(ti";
	case '"': return "\\(dq";
	default: return NULL;
	}
}

/* One code point beyond ASCII; returns the bytes it took.  The tables are valid UTF-8. */
static size_t put_beyond(struct buf *out, const char *text)
{
	unsigned char lead = (unsigned char)text[0];
	size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2, n = 1;
	unsigned code = lead & (0x7FU >> bytes);

	for (; n < bytes && text[n] != '\0'; n++)
		code = code << 6 | ((unsigned char)text[n] & 0x3FU);
	buf_put_fmt(out, "\\[u%04X]", code);
	return n;
}

void roff_put(struct buf *out, const char *text)
{
	bool first = true;

	while (*text != '\0') {
		const char *escape = escape_of(*text);

		if (first && *text == '.')
			buf_put_text(out, "\\&");
		first = *text == '\n';
		if (((unsigned char)*text & 0x80) != 0) {
			text += put_beyond(out, text);
			continue;
		}
		if (escape != NULL)
			buf_put_text(out, escape);
		else
			buf_put_char(out, *text);
		text++;
	}
}

void roff_head(struct buf *out, const char *title, int section, const char *name, const char *about)
{
	buf_put_text(out, ".\\\" Made from the program's own tables: godwit help --man\n.TH ");
	for (const char *c = title; *c != '\0'; c++)
		buf_put_char(out, *c == ' ' ? '-' : (char)toupper((unsigned char)*c));
	buf_put_fmt(out, " %d \"\" \"godwit %s\" \"Godwit\"\n.SH NAME\n", section, GODWIT_VERSION);
	for (const char *c = name; *c != '\0'; c++) {
		if (*c == ' ' || *c == '-')
			buf_put_text(out, "\\-");
		else
			buf_put_char(out, *c);
	}
	buf_put_text(out, " \\- ");
	roff_put(out, about);
	buf_put_char(out, '\n');
}
