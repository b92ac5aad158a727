/* SPDX-License-Identifier: MIT */
/*
 * refusal.c - what Godwit refuses, said as Meta would say it (design.md 3.6)
 *
 * The code decides the HTTP status and the title, as in Meta's tables
 * (cloud-api.md 1.3 and 7); the reason word follows the metric's label.  Text
 * that came from the caller is quoted by the JSON writer and cut by the size of
 * details, between characters.
 * TESTS  tests/unit/test_guard.c, tests/unit/test_outbox.c
 */
#include "gateway/refusal.h"

#include "base/panic.h"
#include "base/utf8.h"
#include "json/json.h"
#include <godwit/errors.h>

#include <stdarg.h>

#define TRACE "godwit" /* fbtrace_id of what never reached Meta */

static const struct {
	int code, status;
	const char *title;
} codes[] = {
	{ 100, 400, "Invalid parameter" },
	{ 131009, 400, "Parameter value is not valid" },
	{ 131016, 503, "Service unavailable" }, /* ours is 503: "try again", 500 is Meta's */
	{ 131043, 400, "Message expired" },
	{ 131047, 400, "Re-engagement message" },
	{ 132001, 404, "Template does not exist" },
	{ 132015, 400, "Template is paused" },
	{ 132016, 400, "Template is disabled" },
	{ 133010, 400, "Phone number not registered" },
	{ 131050, 400, "User has stopped receiving marketing messages" },
	/* codes of the account (design.md 5.7) */
	{ 190, 401, "Access token has expired or is not valid" },
	{ 368, 403, "Temporarily blocked for policies violations" },
	{ 131031, 403, "Account has been locked" },
	{ 131042, 400, "Business eligibility payment issue" },
};

static const char *const reasons[REFUSAL_NREFUSALS] = {
	[REFUSAL_INVALID] = "invalid",   [REFUSAL_WINDOW] = "window",
	[REFUSAL_ACCOUNT] = "account",   [REFUSAL_BUSY] = "busy",
	[REFUSAL_OPAQUE] = "opaque",     [REFUSAL_IDEMPOTENCY] = "idempotency",
	[REFUSAL_EXPIRED] = "expired",   [REFUSAL_CONSENT] = "consent",
	[REFUSAL_TEMPLATE] = "template", [REFUSAL_NUMBER] = "number",
	[REFUSAL_OTHER] = "other",
};

bool refuse(struct refusal *r, enum metric_refusal metric, int code, const char *fmt, ...)
{
	static const char prefix[] = "Godwit refused this message: ";
	size_t used = sizeof(prefix) - 1;
	va_list ap;
	int n;

	*r = (struct refusal){ .status = 400, .code = code, .title = "Error", .metric = metric };
	r->reason = reasons[metric];
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].code == code) {
			r->status = codes[i].status;
			r->title = codes[i].title;
		}
	}
	memcpy(r->details, prefix, used);
	va_start(ap, fmt);
	n = vsnprintf(r->details + used, sizeof(r->details) - used, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= sizeof(r->details) - used) {
		size_t cut = utf8_cut(str_from(r->details), sizeof(r->details) - 1).len;

		r->details[cut] = '\0';
	}
	return false;
}

void refusal_put(struct buf *out, const struct refusal *r)
{
	char message[160], advice[GW_ERROR_ADVICE_MAX],
		details[sizeof(r->details) + sizeof(advice)];
	bool known = gw_error_advice(r->code, r->subcode, advice);
	struct json_writer w;

	(void)snprintf(details, sizeof(details), "%s%s%s", r->details, known ? ". " : "",
		       known ? advice : "");
	(void)snprintf(message, sizeof(message), "(#%d) %s", r->code, r->title);
	json_w_init(&w, out);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "message", message);
	json_w_kv_text(&w, "type", r->subcode == 33 ? "GraphMethodException" : "OAuthException");
	json_w_kv_i64(&w, "code", r->code);
	json_w_key(&w, STR("error_data"));
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_text(&w, "details", details);
	json_w_end(&w);
	if (r->subcode != 0)
		json_w_kv_i64(&w, "error_subcode", r->subcode);
	json_w_kv_text(&w, "fbtrace_id", TRACE);
	json_w_end(&w);
	json_w_end(&w);
}

void refusal_log(const struct log *log, const struct id *message, const struct refusal *r)
{
	char id[ID_TEXT_MAX] = "-", advice[GW_ERROR_ADVICE_MAX];

	if (message != NULL)
		id_text(ID_MESSAGE, message, id);
	(void)gw_error_advice(r->code, r->subcode, advice);
	log_info(log, "refused id=%s reason=%s graph=%d/%d: %s", id, r->reason, r->code, r->subcode,
		 advice);
}

bool refusal_is_ours(struct str answer)
{
	return str_ends(answer, STR("\"fbtrace_id\":\"" TRACE "\"}}"));
}
