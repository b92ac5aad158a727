/* SPDX-License-Identifier: MIT */
/*
 * classify.c - outcome of an attempt -> next state, by what is provable
 *
 *   no byte of the body pulled          waiting   nothing was sent
 *   any byte pulled, no answer          unknown
 *   2xx with messages[0].id             accepted
 *   2xx without                         unknown
 *   error with a code of codes[]        as the row says
 *   other error, 4xx                    rejected; counted when nobody lists the code
 *   other error, 5xx                    rejected when the code is known to be final, else unknown
 *   no error in Graph's shape           unknown   whoever said it, it was not Graph
 *
 * INVARIANT  WAITING only where non-acceptance is certain: a row of codes[], or
 *            nothing sent.  Everything that may have been accepted is UNKNOWN.
 * TESTS      tests/unit/test_classify.c: every row, both positions of the switch
 */
#include "gateway/classify.h"

#include "base/panic.h"
#include "json/json.h"
#include <godwit/errors.h>

#define S 1000 /* ms */

enum row_kind {
	THROTTLED, /* states non-acceptance: waiting, nothing burned */
	ACCOUNT, /* waiting or rejected: the dispatcher decides by who waits */
	SERVER, /* proves nothing, unless the switch says otherwise */
	NOTHING, /* proves nothing */
};

/* design.md 5.7; delays: cloud-api.md 6.4 and 7, reliability.md 3.4. */
static const struct row {
	int code;
	enum row_kind kind;
	enum verdict_effect effect;
	int64_t pause_ms, base_ms, max_ms;
} codes[] = {
	{ 4, THROTTLED, EFFECT_PAUSE, 30 * S, 30 * S, 0 }, /* calls of the app, per hour */
	{ 80007, THROTTLED, EFFECT_PAUSE, 30 * S, 30 * S, 0 }, /* calls of the WABA, per hour */
	{ 130429, THROTTLED, EFFECT_RATE, 0, 1 * S, 60 * S },
	{ 131056, THROTTLED, EFFECT_PAIR, 0, 1 * S, 0 }, /* the pair knows until when */
	{ 131057, THROTTLED, EFFECT_PAUSE, 60 * S, 60 * S, 0 }, /* upgrade of at most a minute */
	{ 133016, THROTTLED, EFFECT_NONE, 0, 60 * S, 0 }, /* registering: up to 72 h */
	{ 190, ACCOUNT, EFFECT_ACCOUNT, 0, 0, 0 },
	{ 368, ACCOUNT, EFFECT_ACCOUNT, 0, 0, 0 },
	{ 131031, ACCOUNT, EFFECT_ACCOUNT, 0, 0, 0 },
	{ 131042, ACCOUNT, EFFECT_ACCOUNT, 0, 0, 0 },
	{ 1, SERVER, EFFECT_NONE, 0, 2 * S, 0 },
	{ 2, SERVER, EFFECT_NONE, 0, 2 * S, 0 },
	{ 131016, SERVER, EFFECT_NONE, 0, 2 * S, 0 },
	{ 133004, SERVER, EFFECT_NONE, 0, 2 * S, 0 },
	{ 131000, NOTHING, EFFECT_NONE, 0, 0, 0 },
};

static void set(struct verdict *v, enum metric_outcome outcome, enum outq_state to, const char *why)
{
	v->outcome = outcome;
	v->to = to;
	v->burns = to == OUTQ_UNKNOWN;
	if (v->why[0] == '\0')
		(void)str_copy(str_from(why), v->why, sizeof(v->why));
}

static void by_row(const struct row *row, bool server_errors_prove_nothing, struct verdict *v)
{
	v->effect = row->effect;
	v->pause_ms = row->pause_ms;
	v->base_ms = row->base_ms;
	v->max_ms = row->max_ms;
	switch (row->kind) {
	case THROTTLED:
	case ACCOUNT: set(v, OUTCOME_TEMPFAIL, OUTQ_WAITING, "not accepted"); return;
	case SERVER:
		if (!server_errors_prove_nothing) {
			set(v, OUTCOME_TEMPFAIL, OUTQ_WAITING, "not accepted");
			v->burns = true;
			return;
		}
		break;
	case NOTHING: break;
	}
	set(v, OUTCOME_UNSURE, OUTQ_UNKNOWN, "a server error that proves nothing");
}

static void by_error(const struct gw_error *err, bool server_errors_prove_nothing,
		     struct verdict *v)
{
	const gw_error_info *info = gw_error_info_find(err->code, err->subcode);
	bool final = info != NULL &&
		     (info->retry == GW_RETRY_NEVER || info->retry == GW_RETRY_AFTER);

	v->code = err->code;
	v->subcode = err->subcode;
	(void)str_copy(str_from(err->message), v->why, sizeof(v->why));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].code == err->code) {
			by_row(&codes[i], server_errors_prove_nothing, v);
			return;
		}
	}
	v->unlisted = info == NULL;
	if (v->http_status < 500 || final)
		set(v, OUTCOME_PERMFAIL, OUTQ_REJECTED, "refused by Meta");
	else
		set(v, OUTCOME_UNSURE, OUTQ_UNKNOWN, "a server error that proves nothing");
}

static bool read_wamid(struct str answer, struct arena *a, char out[WAMID_MAX + 1])
{
	const struct json_doc *doc;
	struct str id;

	if (json_scan(answer, a, &doc, NULL) != GW_OK ||
	    !json_get_str(json_at(json_member(json_root(doc), STR("messages")), 0), STR("id"),
			  WAMID_MAX, &id) ||
	    id.len == 0)
		return false;
	return str_copy(id, out, WAMID_MAX + 1);
}

static void by_answer(const struct http_outcome *o, bool server_errors_prove_nothing,
		      struct arena *a, struct verdict *v)
{
	struct gw_error err = GW_ERROR_INIT;

	if (o->status >= 200 && o->status < 300) {
		if (read_wamid(o->answer, a, v->wamid))
			set(v, OUTCOME_OK, OUTQ_ACCEPTED, "accepted by Meta");
		else
			set(v, OUTCOME_UNSURE, OUTQ_UNKNOWN, "a success without a message id");
		return;
	}
	if (o->status >= 400 && gw_graph_error_parse(str_to_gw(o->answer), o->status, &err))
		by_error(&err, server_errors_prove_nothing, v);
	else
		set(v, OUTCOME_UNSURE, OUTQ_UNKNOWN, "an answer that is not Graph's");
}

void classify(const struct http_outcome *o, bool server_errors_prove_nothing, struct arena *a,
	      struct verdict *out)
{
	struct verdict v = { .http_status = o->status };

	switch (o->end) {
	case HTTP_END_ANSWERED: by_answer(o, server_errors_prove_nothing, a, &v); break;
	case HTTP_END_NOT_SENT:
	case HTTP_END_REFUSED:
		(void)str_copy(str_from(o->error.message), v.why, sizeof(v.why));
		set(&v, OUTCOME_TEMPFAIL, OUTQ_WAITING, "nothing was sent");
		v.effect = EFFECT_UNREACHABLE;
		v.base_ms = 1 * S;
		v.max_ms = 60 * S;
		break;
	case HTTP_END_LOST:
		(void)str_copy(str_from(o->error.message), v.why, sizeof(v.why));
		set(&v, OUTCOME_UNSURE, OUTQ_UNKNOWN, "the answer was lost");
		break;
	}
	*out = v;
}
