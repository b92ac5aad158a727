/* SPDX-License-Identifier: MIT */
/*
 * metaerr.c - the error table and its two written forms
 *
 * Shapes: cloud-api.md 1.3, read 2026-11.
 * TESTS  tests/unit/test_sandbox_graph.c
 */
#include "sandbox/metaerr.h"

#include "base/panic.h"

#include <stdarg.h>

struct metaerr_row {
	int code;
	int http;
	const char *title;
};

static const struct metaerr_row rows[] = {
#define METAERR(code, http, title) { code, http, title },
#include "sandbox/errors.def"
#undef METAERR
};

static const struct metaerr_row *find_row(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].code == code)
			return &rows[i];
	}
	return NULL;
}

bool metaerr_is_listed(int code)
{
	return find_row(code) != NULL;
}

int metaerr_http(int code)
{
	const struct metaerr_row *row = find_row(code);

	return row == NULL ? 400 : row->http;
}

const char *metaerr_title(int code)
{
	const struct metaerr_row *row = find_row(code);

	return row == NULL ? "Something went wrong" : row->title;
}

static void start(struct metaerr *e, int code)
{
	memset(e, 0, sizeof(*e));
	e->code = code;
	e->http = metaerr_http(code);
	e->type = "OAuthException";
}

bool metaerr_set(struct metaerr *e, int code, const char *details, ...)
{
	va_list args;

	start(e, code);
	(void)snprintf(e->message, sizeof(e->message), "(#%d) %s", code, metaerr_title(code));
	va_start(args, details);
	(void)vsnprintf(e->details, sizeof(e->details), details, args);
	va_end(args);
	return false;
}

bool metaerr_param(struct metaerr *e, const char *reason, ...)
{
	char text[METAERR_TEXT_MAX - 16];
	va_list args;

	start(e, 100);
	va_start(args, reason);
	(void)vsnprintf(text, sizeof(text), reason, args);
	va_end(args);
	(void)snprintf(e->message, sizeof(e->message), "(#100) %s", text);
	return false;
}

bool metaerr_graph(struct metaerr *e, int code, int subcode, const char *type, const char *message,
		   ...)
{
	va_list args;

	start(e, code);
	e->subcode = subcode;
	e->type = type;
	va_start(args, message);
	(void)vsnprintf(e->message, sizeof(e->message), message, args);
	va_end(args);
	return false;
}

bool metaerr_template(struct metaerr *e, int subcode, const char *title, const char *reason, ...)
{
	va_list args;

	start(e, 100);
	e->subcode = subcode;
	e->title = title;
	(void)snprintf(e->message, sizeof(e->message), "Invalid parameter");
	va_start(args, reason);
	(void)vsnprintf(e->hint, sizeof(e->hint), reason, args);
	va_end(args);
	return false;
}

void metaerr_write(const struct metaerr *e, const char *trace_id, struct buf *out)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "message", e->message);
	json_w_kv_text(&w, "type", e->type);
	json_w_kv_i64(&w, "code", e->code);
	if (e->details[0] != '\0') {
		json_w_key(&w, STR("error_data"));
		json_w_object(&w);
		json_w_kv_text(&w, "messaging_product", "whatsapp");
		json_w_kv_text(&w, "details", e->details);
		json_w_end(&w);
	}
	if (e->subcode != 0)
		json_w_kv_i64(&w, "error_subcode", e->subcode);
	if (e->title != NULL) {
		json_w_kv_bool(&w, "is_transient", false);
		json_w_kv_text(&w, "error_user_title", e->title);
	}
	if (e->hint[0] != '\0')
		json_w_kv_text(&w, "error_user_msg", e->hint);
	json_w_kv_text(&w, "fbtrace_id", trace_id);
	json_w_end(&w);
	json_w_end(&w);
}

void metaerr_write_webhook(struct json_writer *w, int code, const char *details)
{
	json_w_object(w);
	json_w_kv_i64(w, "code", code);
	json_w_kv_text(w, "title", metaerr_title(code));
	json_w_kv_text(w, "message", metaerr_title(code));
	json_w_key(w, STR("error_data"));
	json_w_object(w);
	json_w_kv_text(w, "details", details);
	json_w_end(w);
	json_w_kv_text(w, "href",
		       "https://developers.facebook.com/documentation/business-messaging/"
		       "whatsapp/support/error-codes");
	json_w_end(w);
}
