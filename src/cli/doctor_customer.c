/* SPDX-License-Identifier: MIT */
/*
 * doctor_customer.c - godwit doctor --to: may one write to her, and what became of the last message
 *
 * TESTS  tests/system/test_doctor.py, test_mistakes.py
 */
#include "cli/doctor_customer.h"

#define TEXT_BYTES 512

struct asking {
	struct findings *all;
	struct api *api;
	const char *to, *number;
	struct buf path;
	struct api_answer answer;
};

static struct str text_of(struct json_val v, const char *key)
{
	struct str s = STR_EMPTY;

	(void)json_get_str(v, str_from(key), TEXT_BYTES, &s);
	return s;
}

/* What a->path names; false: there is no such thing. */
static bool ask(struct asking *a)
{
	struct gw_error err = GW_ERROR_INIT;

	return api_try(a->api, &(struct api_request){ .method = "GET", .path = a->path.data },
		       &a->answer, &err) &&
	       a->answer.status == 200;
}

static void tell_window(const struct asking *a, struct json_val rows)
{
	struct json_val window = json_path(json_at(rows, 0), "window");
	struct str state = text_of(window, "state"), until = text_of(window, "until");

	if (str_eq(state, STR("open")))
		findings_put(a->all, "window", DOCTOR_OK, NULL, 0, "open until %.*s",
			     STR_ARG(until));
	else if (str_eq(state, STR("shut")))
		findings_put(a->all, "window", DOCTOR_FAIL, NULL, 131047,
			     "shut since %.*s: free text is refused", STR_ARG(until));
	else
		findings_put(a->all, "window", DOCTOR_FAIL, NULL, 131047,
			     "nothing has come from %s", a->to);
}

static void tell_consent(const struct asking *a)
{
	struct str marketing = text_of(a->answer.json, "marketing");

	if (str_eq(marketing, STR("optout")))
		findings_put(a->all, "consent", DOCTOR_WARN, NULL, 131050,
			     "opted out of marketing %.*s",
			     STR_ARG(text_of(a->answer.json, "marketing_since")));
	else
		findings_put(a->all, "consent", DOCTOR_OK, NULL, 0, "%s",
			     str_eq(marketing, STR("optin")) ? "opted in to marketing"
							     : "nothing against marketing");
}

static void look_at_contact(struct asking *a)
{
	char contact[64];

	buf_put_text(&a->path, "/api/v1/contacts");
	api_put_segment(&a->path, a->to);
	if (!ask(a) || !str_copy(text_of(a->answer.json, "id"), contact, sizeof(contact))) {
		tell_window(a, JSON_MISSING);
		return;
	}
	tell_consent(a);
	buf_reset(&a->path);
	buf_put_text(&a->path, "/api/v1/conversations");
	api_put_query(&a->path, "contact", contact);
	api_put_query(&a->path, "number", a->number);
	if (ask(a))
		tell_window(a, json_member(a->answer.json, STR("data")));
}

/* "msg_... failed: 131026 Undeliverable: details" */
static void tell_error(const struct asking *a, enum doctor_result r, struct json_val m,
		       const char *what)
{
	struct json_val error = json_member(m, STR("error"));
	struct str details = text_of(error, "details");
	int64_t code = 0, subcode = 0;
	struct doctor_finding f = { .check = "message", .result = r };
	char text[DOCTOR_EVIDENCE_MAX];

	(void)json_get_i64(error, STR("code"), &code);
	(void)json_get_i64(error, STR("subcode"), &subcode);
	(void)snprintf(text, sizeof(text), "%.*s %s: %lld %.*s%s%.*s", STR_ARG(text_of(m, "id")),
		       what, (long long)code, STR_ARG(text_of(error, "title")),
		       details.len > 0 ? ": " : "", STR_ARG(details));
	f.code = (int)code;
	f.subcode = (int)subcode;
	f.evidence = text;
	findings_add(a->all, &f);
}

static void tell_message(const struct asking *a, struct json_val m)
{
	struct str state = text_of(m, "state"), status = text_of(m, "status");
	bool failed = false, has_error = json_type(json_member(m, STR("error"))) == JSON_OBJECT;
	char id[64];

	(void)str_copy(text_of(m, "id"), id, sizeof(id));
	(void)json_get_bool(m, STR("failed"), &failed);
	if (failed || str_eq(state, STR("rejected")))
		tell_error(a, DOCTOR_FAIL, m, failed ? "failed" : "was rejected");
	else if (str_eq(state, STR("expired")))
		findings_put(a->all, "message", DOCTOR_FAIL, "expired", 0, "%s was too old", id);
	else if (str_eq(state, STR("waiting")) && has_error)
		tell_error(a, DOCTOR_WARN, m, "waits");
	else if (str_eq(state, STR("unknown")))
		findings_put(a->all, "message", DOCTOR_WARN, "unknown-messages", 0,
			     "%s may have been sent or not", id);
	else
		findings_put(a->all, "message", DOCTOR_OK, NULL, 0, "%s %.*s", id,
			     STR_ARG(status.len > 0 ? status : state));
}

static void look_at_message(struct asking *a)
{
	struct json_val m;

	buf_reset(&a->path);
	buf_put_text(&a->path, "/api/v1/messages");
	api_put_query(&a->path, "to", a->to[0] == '+' ? a->to + 1 : a->to);
	api_put_query(&a->path, "number", a->number);
	api_put_query(&a->path, "limit", "1");
	if (!ask(a))
		return;
	m = json_at(json_member(a->answer.json, STR("data")), 0);
	if (json_exists(m))
		tell_message(a, m);
	else
		findings_put(a->all, "message", DOCTOR_SKIP, NULL, 0, "none was sent to %s", a->to);
}

void doctor_customer(struct findings *all, struct api *api, const char *to, const char *number)
{
	struct asking a = { .all = all, .api = api, .to = to, .number = number };

	if (to == NULL || api == NULL) {
		findings_put(all, "window", DOCTOR_SKIP, NULL, 0, "%s",
			     to == NULL ? "no customer was named: --to NUMBER" : "no gateway runs");
		return;
	}
	buf_init(&a.path, 8192);
	look_at_contact(&a);
	look_at_message(&a);
	buf_release(&a.path);
}
