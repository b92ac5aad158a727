/* SPDX-License-Identifier: MIT */
/*
 * page.c - the plain page at "/": who is there, and what was sent
 *
 * One static page per call, no script; everything that comes from outside is
 * escaped.
 */
#include "sandbox/control.h"

#include "base/utf8.h"
#include "sandbox/customer.h"

#define SHOWN_MAX 50
#define BODY_SHOWN 300 /* bytes */

static void put_html(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '&': buf_put_text(b, "&amp;"); break;
		case '<': buf_put_text(b, "&lt;"); break;
		case '>': buf_put_text(b, "&gt;"); break;
		case '"': buf_put_text(b, "&quot;"); break;
		case '\'': buf_put_text(b, "&#39;"); break;
		default: buf_put_char(b, s.ptr[i]);
		}
	}
}

static void put_cell(struct buf *b, struct str s)
{
	buf_put_text(b, "<td>");
	put_html(b, s);
	buf_put_text(b, "</td>");
}

static void put_customers(struct control *c, struct buf *b)
{
	struct customer *customer = NULL;
	size_t shown = 0;
	char name[256];

	buf_put_text(b, "<h2>Customers</h2><table><tr><th>name<th>phone<th>user id<th>window</tr>");
	while (shown++ < SHOWN_MAX &&
	       (customer = customers_next(c->world->customers, customer)) != NULL) {
		customer_name(customer, name, sizeof(name));
		buf_put_text(b, "<tr>");
		put_cell(b, str_from(name));
		put_cell(b, str_from(customer->phone));
		put_cell(b, str_from(customer->user_id));
		put_cell(b, customer_window_is_open(c->world, customer, c->world->numbers[0])
				    ? STR("open")
				    : STR("shut"));
		buf_put_text(b, "</tr>");
	}
	buf_put_text(b, "</table>");
}

static void put_messages(struct control *c, struct buf *b)
{
	const struct sent *s = c->world->sent;
	uint64_t seq = sent_total(s), last = seq > SHOWN_MAX ? seq - SHOWN_MAX : 0;
	char at[CLOCK_RFC3339_MAX];

	buf_put_text(b, "<h2>Accepted messages, newest first</h2>"
			"<table><tr><th>at<th>to<th>type<th>status<th>body</tr>");
	for (; seq > last; seq--) {
		const struct sent_message *m = sent_get(s, seq);

		if (m == NULL)
			break;
		clock_format_ms(m->at_ms, at);
		buf_put_text(b, "<tr>");
		put_cell(b, str_from(at));
		put_cell(b, str_from(m->to));
		put_cell(b, str_from(m->type));
		put_cell(b, m->status_count == 0
				    ? STR("accepted")
				    : str_from(m->statuses[m->status_count - 1].status));
		put_cell(b, utf8_cut(str_make(m->body, m->body_len), BODY_SHOWN));
		buf_put_text(b, "</tr>");
	}
	buf_put_text(b, "</table>");
}

void control_page(struct control *c, struct http_call *call)
{
	static const struct http_header_out headers[] = {
		{ "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'" },
		{ "X-Content-Type-Options", "nosniff" },
	};
	struct buf b;

	buf_init(&b, 1U << 20);
	buf_put_text(&b,
		     "<!doctype html><html lang=en><meta charset=utf-8>"
		     "<title>Godwit sandbox</title><style>body{font:14px sans-serif;margin:2em}"
		     "td,th{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}</style>"
		     "<h1>Godwit sandbox</h1><p>Nothing leaves this machine. The control API is "
		     "under <code>/sandbox/v1/</code>.");
	put_customers(c, &b);
	put_messages(c, &b);
	buf_put_text(&b, "</html>\n");
	http_reply(call, 200, "text/html; charset=utf-8", buf_str(&b), headers, 2);
	buf_release(&b);
}
