/* SPDX-License-Identifier: MIT */
/*
 * notice.c - our own transitions as events, after the caller got his 202
 *
 * A notice is a body in Meta's shape that goes through the inbox like Meta's
 * own: one status whose word is the state ("unknown", "accepted", "rejected",
 * "expired"), and for an end without success a second one, "failed", that
 * destinations in meta format understand (design.md 5.2).
 *
 * It carries the caller's opaque value and never our token: a token would make
 * it evidence that Meta has the message.  Its id is the one the caller knows:
 * ours, or Meta's when it is accepted.
 *
 * ORDER  A notice of an end goes to the store before the move it tells of, in
 *        the same turn: after a crash in between it is told again or told early,
 *        and never missing.  An acceptance goes behind its move, which records
 *        the wamid that ties the event to the message.
 * TESTS  tests/unit/test_outbox.c
 */
#include "base/mem.h"
#include "gateway/inbox.h"
#include "gateway/outbox_int.h"
#include <godwit/errors.h>

#define NOTICE_MAX (64U * 1024) /* bytes; an opaque value has at most 2 KiB, 12 when all escaped */

/* Title and message as Meta has them, the catalogue's; details say why, and the way out. */
static void put_errors(struct json_writer *w, const struct notice *n)
{
	const gw_error_info *info = gw_error_info_find(n->code, 0);
	const char *title = info == NULL ? n->why : info->title;
	char advice[GW_ERROR_ADVICE_MAX];
	struct buf details;

	buf_init(&details, NOTICE_MAX);
	buf_put_text(&details, n->why);
	if (gw_error_advice(n->code, 0, advice))
		buf_put_fmt(&details, ". %s", advice);
	json_w_key(w, STR("errors"));
	json_w_array(w);
	json_w_object(w);
	json_w_kv_i64(w, "code", n->code);
	json_w_kv_text(w, "title", title);
	json_w_kv_text(w, "message", title);
	json_w_key(w, STR("error_data"));
	json_w_object(w);
	json_w_kv_str(w, "details", buf_str(&details));
	json_w_end(w);
	json_w_end(w);
	json_w_end(w);
	buf_release(&details);
}

static void put_status(struct json_writer *w, const struct outbox *ob, const struct outq_entry *e,
		       const struct notice *n, const char *word)
{
	const struct clock *c = loop_clock(ob->o.loop);
	char id[ID_TEXT_MAX], seconds[24], digits[RECIPIENT_MAX];
	size_t dot;

	id_text(ID_MESSAGE, &e->id, id);
	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)clock_wall_s(c));
	json_w_object(w);
	json_w_kv_str(w, "id", n->wamid.len > 0 ? n->wamid : str_from(id));
	json_w_kv_text(w, "status", word);
	json_w_kv_text(w, "timestamp", seconds);
	if (str_find_char(e->to, '.', &dot))
		json_w_kv_str(w, "recipient_user_id", e->to);
	else
		json_w_kv_str(w, "recipient_id", answer_wa_id(e->to, digits));
	if (e->opaque.len > 0)
		json_w_kv_str(w, "biz_opaque_callback_data", e->opaque);
	if (n->state == OUTQ_REJECTED || n->state == OUTQ_EXPIRED)
		put_errors(w, n);
	json_w_end(w);
}

static void put_metadata(struct json_writer *w, const struct number *number, struct str number_id)
{
	const char *address = number == NULL ? NULL : number->address;

	json_w_key(w, STR("metadata"));
	json_w_object(w);
	if (address != NULL)
		json_w_kv_text(w, "display_phone_number", address + (address[0] == '+'));
	json_w_kv_str(w, "phone_number_id", number_id);
	json_w_end(w);
}

static void put_body(struct buf *out, const struct outbox *ob, const struct outq_entry *e,
		     const struct number *number, const struct notice *n)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "object", "whatsapp_business_account");
	json_w_key(&w, STR("entry"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_text(&w, "id", number == NULL ? "" : number->business_id);
	json_w_key(&w, STR("changes"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_text(&w, "field", "messages");
	json_w_key(&w, STR("value"));
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	put_metadata(&w, number, e->lane->number->id);
	json_w_key(&w, STR("statuses"));
	json_w_array(&w);
	put_status(&w, ob, e, n, outq_state_name(n->state));
	if (n->state == OUTQ_REJECTED || n->state == OUTQ_EXPIRED)
		put_status(&w, ob, e, n, "failed");
	for (int i = 0; i < 7; i++) /* statuses, value, change, changes, entry, entries, body */
		json_w_end(&w);
}

void notice_put(struct outbox *ob, const struct outq_entry *e, const struct notice *n)
{
	struct number *number = accounts_number(ob->o.accounts, e->lane->number->id);
	struct inbox_source source = { .received_ms = clock_wall_ms(loop_clock(ob->o.loop)) };
	struct buf body;

	if (ob->o.inbox == NULL)
		return;
	buf_init(&body, NOTICE_MAX);
	put_body(&body, ob, e, number, n);
	ASSERT(!buf_failed(&body));
	if (number != NULL)
		source.account = str_from(number->account->name);
	inbox_put(ob->o.inbox, inbox_item_new(buf_take(&body), &source));
	buf_release(&body);
}
