/* SPDX-License-Identifier: MIT */
/*
 * doctor_graph.c - what Meta says about token, account, numbers, template and subscription
 *
 * Shapes: cloud-api.md 1.2, 4.1 to 4.3 and 4.5, read 2026-11.
 *
 * THREADS  The loop's.
 * TESTS    tests/system/test_doctor.py
 */
#include "server/doctor_int.h"

#include "base/panic.h"

#define WARN_DAYS 7
#define NUMBER_FIELDS                                                                    \
	"id,display_phone_number,verified_name,status,quality_rating,code_verification_" \
	"status,platform_type,throughput,webhook_configuration"

static struct str text_of(struct json_val v, const char *key)
{
	struct str s = STR_EMPTY;

	(void)json_get_text(v, str_from(key), 512, &s);
	return s;
}

static void keep(struct json_val v, const char *key, char *out, size_t cap)
{
	struct str s = text_of(v, key);

	(void)str_copy(str_slice(s, 0, cap - 1), out, cap);
}

/* ---- token ---- */

static bool has_scope(struct json_val list, const char *name)
{
	struct json_iter it;
	struct json_val v;
	struct str s;

	for (it = json_iter(list); json_next(&it, &v);)
		if (json_str(v, 128, &s) && str_eq(s, str_from(name)))
			return true;
	return false;
}

static void add_waba(struct doctor_facts *f, struct str id)
{
	if (id.len == 0 || id.len >= sizeof(f->wabas[0]) || f->waba_count == DOCTOR_WABAS_MAX)
		return;
	for (size_t i = 0; i < f->waba_count; i++)
		if (str_eq(id, str_from(f->wabas[i])))
			return;
	(void)str_copy(id, f->wabas[f->waba_count++], sizeof(f->wabas[0]));
}

static void read_targets(struct doctor *d, struct json_val list)
{
	struct json_iter it, of;
	struct json_val v, target;
	struct str id;

	for (it = json_iter(list); json_next(&it, &v);) {
		if (!str_starts(text_of(v, "scope"), STR("whatsapp_business_m")))
			continue;
		for (of = json_iter(json_member(v, STR("target_ids"))); json_next(&of, &target);)
			if (json_str(target, 63, &id))
				add_waba(&d->facts, id);
	}
	if (d->facts.business_id[0] == '\0' && d->facts.waba_count > 0)
		(void)str_copy(str_from(d->facts.wabas[0]), d->facts.business_id,
			       sizeof(d->facts.business_id));
}

static void put_life(char out[64], int64_t expires_at, bool *warn)
{
	int64_t left = expires_at - clock_real_wall_ms() / 1000;

	*warn = expires_at != 0 && left < WARN_DAYS * 86400;
	if (expires_at == 0)
		(void)snprintf(out, 64, "never expires");
	else
		(void)snprintf(out, 64, "%lld days left", (long long)(left / 86400));
}

static void tell_token(struct doctor *d, struct json_val data)
{
	struct json_val scopes = json_member(data, STR("scopes"));
	bool messaging = has_scope(scopes, "whatsapp_business_messaging");
	bool management = has_scope(scopes, "whatsapp_business_management");
	struct str type = text_of(data, "type");
	int64_t expires_at = 0;
	char life[64];
	bool soon;

	(void)json_get_i64(data, STR("expires_at"), &expires_at);
	put_life(life, expires_at, &soon);
	if (!messaging || !management) {
		doctor_tell_code(d, DOCTOR_FAIL, "token", NULL, 200, 0, "%.*s, %s; it lacks %s%s%s",
				 STR_ARG(type), life,
				 messaging ? "" : "whatsapp_business_messaging",
				 messaging || management ? "" : " and ",
				 management ? "" : "whatsapp_business_management");
		d->down = management ? NULL : "the token may not manage the account";
		return;
	}
	soon = soon || !str_eq(type, STR("SYSTEM_USER"));
	doctor_tell(d, soon ? DOCTOR_WARN : DOCTOR_OK, "token", NULL, soon ? "tokens" : NULL,
		    "%.*s of app %s (%s), %s, may message and manage", STR_ARG(type),
		    d->facts.app_name, d->facts.app_id, life);
	d->facts.is_token_good = true;
}

static void on_token(struct doctor *d);

static void ask_token(struct doctor *d, bool as_app, void (*then)(struct doctor *d))
{
	const struct secret *token = d->o.account.token;
	struct buf path;

	buf_init(&path, 8192);
	buf_put_text(&path, "debug_token?input_token=");
	doctor_put_escaped(&path, str_make((const char *)token->bytes, token->len));
	doctor_ask(d, "GET", as_app, path.data, then);
	buf_wipe(&path);
}

/* It is dead, or may not be asked about by itself. */
static void token_refused(struct doctor *d)
{
	if (d->reply.code == 100 && !d->asked_as_app && d->facts.app_id[0] != '\0' &&
	    d->o.account.app_secret->len > 0) {
		d->asked_as_app = true;
		ask_token(d, true, on_token);
		return;
	}
	if (d->reply.code == 100) {
		doctor_tell(d, DOCTOR_WARN, "token", NULL, "app-id-needed",
			    "Meta tells about the token only the app itself: %s", d->reply.text);
		d->facts.is_token_good = true;
	} else {
		doctor_tell_reply(d, "token", NULL, "Meta does not take the token");
		d->down = "the token does not work";
		if (d->reply.code == 0)
			d->down = "Meta cannot be reached";
	}
	doctor_next(d);
}

static void on_token(struct doctor *d)
{
	struct json_val data = json_member(d->reply.json, STR("data")), error;
	bool valid = false;
	int64_t code = 190, subcode = 0;

	if (!doctor_is_ok(d) || json_type(data) != JSON_OBJECT) {
		token_refused(d);
		return;
	}
	if (d->facts.app_id[0] == '\0' || !d->asked_as_app)
		keep(data, "app_id", d->facts.app_id, sizeof(d->facts.app_id));
	keep(data, "application", d->facts.app_name, sizeof(d->facts.app_name));
	(void)json_get_bool(data, STR("is_valid"), &valid);
	read_targets(d, json_member(data, STR("granular_scopes")));
	if (valid) {
		tell_token(d, data);
	} else {
		error = json_member(data, STR("error"));
		(void)json_get_i64(error, STR("code"), &code);
		(void)json_get_i64(error, STR("subcode"), &subcode);
		doctor_tell_code(d, DOCTOR_FAIL, "token", NULL, (int)code, (int)subcode,
				 "Meta calls it not valid: %.*s",
				 STR_ARG(text_of(error, "message")));
		d->down = "the token does not work";
	}
	doctor_next(d);
}

void doctor_token(struct doctor *d)
{
	if (d->o.account.token->len == 0) {
		doctor_tell_code(d, DOCTOR_FAIL, "token", NULL, 190, 0, "there is none");
		d->down = "there is no token";
		doctor_next(d);
		return;
	}
	ask_token(d, false, on_token);
}

/* ---- app secret ---- */

static void on_secret(struct doctor *d)
{
	if (doctor_is_ok(d))
		doctor_tell(d, DOCTOR_OK, "app-secret", NULL, NULL, "it is that of app %s",
			    d->facts.app_id);
	else if (d->reply.code != 0)
		doctor_tell(d, DOCTOR_FAIL, "app-secret", NULL, "app-secret",
			    "Meta does not take it for app %s: code %d: %s", d->facts.app_id,
			    d->reply.code, d->reply.text);
	else
		doctor_tell_reply(d, "app-secret", NULL, "asking with it");
	doctor_next(d);
}

void doctor_secret(struct doctor *d)
{
	if (d->facts.app_id[0] != '\0' && d->o.account.app_secret->len > 0) {
		ask_token(d, true, on_secret);
		return;
	}
	doctor_tell(d, DOCTOR_SKIP, "app-secret", NULL, NULL, "%s",
		    d->facts.app_id[0] == '\0' ? "the app's id is not known"
					       : "there is no app secret");
	doctor_next(d);
}

/* ---- the business account and its numbers ---- */

static void read_number(struct json_val v, struct doctor_number *out)
{
	memset(out, 0, sizeof(*out));
	keep(v, "id", out->id, sizeof(out->id));
	keep(v, "display_phone_number", out->display, sizeof(out->display));
	keep(v, "verified_name", out->name, sizeof(out->name));
	keep(v, "status", out->status, sizeof(out->status));
	keep(v, "quality_rating", out->quality, sizeof(out->quality));
}

static void on_waba_is_number(struct doctor *d)
{
	struct str display = text_of(d->reply.json, "display_phone_number");

	if (doctor_is_ok(d) && display.len > 0)
		doctor_tell(d, DOCTOR_FAIL, "account", NULL, "swapped-id",
			    "business_id = %s is the id of number %.*s, not of an account",
			    d->facts.business_id, STR_ARG(display));
	else
		doctor_tell_code(d, DOCTOR_FAIL, "account", NULL, 100, 33,
				 "Meta shows no business account %s to this token",
				 d->facts.business_id);
	doctor_next(d);
}

static void on_waba(struct doctor *d)
{
	struct doctor_facts *f = &d->facts;
	struct json_iter it;
	struct json_val v;
	char path[256];

	if (!doctor_is_ok(d)) {
		if (d->reply.code == 100 || d->reply.code == 2500) {
			(void)snprintf(path, sizeof(path), "%s?fields=display_phone_number",
				       f->business_id);
			doctor_ask(d, "GET", false, path, on_waba_is_number);
			return;
		}
		doctor_tell_reply(d, "account", NULL, "asking for the account's numbers");
		doctor_next(d);
		return;
	}
	for (it = json_iter(json_member(d->reply.json, STR("data")));
	     json_next(&it, &v) && f->number_count < DOCTOR_NUMBERS_MAX;)
		read_number(v, &f->numbers[f->number_count++]);
	f->is_waba_good = true;
	doctor_tell(d, f->number_count > 0 ? DOCTOR_OK : DOCTOR_WARN, "account", NULL,
		    f->number_count > 0 ? NULL : "no-numbers",
		    "business account %s has %zu number%s", f->business_id, f->number_count,
		    f->number_count == 1 ? "" : "s");
	doctor_next(d);
}

void doctor_waba(struct doctor *d)
{
	char path[256];

	if (d->facts.business_id[0] == '\0') {
		doctor_tell(d, DOCTOR_FAIL, "account", NULL, "account-unknown",
			    "neither business_id nor the token names a business account");
		doctor_next(d);
		return;
	}
	(void)snprintf(path, sizeof(path),
		       "%s/phone_numbers?limit=%d&fields=id,display_phone_number,verified_name,"
		       "status,quality_rating",
		       d->facts.business_id, DOCTOR_NUMBERS_MAX);
	doctor_ask(d, "GET", false, path, on_waba);
}

/* ---- one number ---- */

/* Only the digits of two numbers are compared. */
static bool same_digits(const char *a, const char *b)
{
	for (;;) {
		while (*a != '\0' && (*a < '0' || *a > '9'))
			a++;
		while (*b != '\0' && (*b < '0' || *b > '9'))
			b++;
		if (*a != *b || *a == '\0')
			return *a == *b;
		a++;
		b++;
	}
}

static const struct doctor_number *by_phone(const struct doctor *d, const char *text)
{
	for (size_t i = 0; i < d->facts.number_count; i++)
		if (same_digits(d->facts.numbers[i].display, text))
			return &d->facts.numbers[i];
	return NULL;
}

static void put_ids(const struct doctor *d, char *out, size_t cap)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < d->facts.number_count && at + 80 < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s (%s)", i > 0 ? ", " : "",
				       d->facts.numbers[i].id, d->facts.numbers[i].display);
}

/* What else an id may be that is none of a number; true: told. */
static bool tell_swap(struct doctor *d, const struct doctor_number *n)
{
	const struct doctor_number *right = by_phone(d, n->id);
	char ids[512];

	put_ids(d, ids, sizeof(ids));
	if (right != NULL)
		doctor_tell(d, DOCTOR_FAIL, "number", n->id, "swapped-id",
			    "%s is the phone number itself; its id is %s", n->id, right->id);
	else if (strcmp(n->id, d->facts.business_id) == 0)
		doctor_tell(d, DOCTOR_FAIL, "number", n->id, "swapped-id",
			    "%s is the business account's id; its numbers: %s", n->id, ids);
	else if (strcmp(n->id, d->facts.app_id) == 0)
		doctor_tell(d, DOCTOR_FAIL, "number", n->id, "swapped-id",
			    "%s is the app's id; numbers: %s", n->id, ids);
	else if (strspn(n->id, "0123456789") != strlen(n->id))
		doctor_tell(d, DOCTOR_FAIL, "number", n->id, "swapped-id",
			    "%s is no id, which has digits only; numbers: %s", n->id, ids);
	else
		return false;
	return true;
}

static void tell_registration(struct doctor *d, const struct doctor_number *n, struct str platform)
{
	bool verified = strcmp(n->verified, "VERIFIED") == 0 || n->verified[0] == '\0';
	bool off = strcmp(n->status, "PENDING") == 0 || strcmp(n->status, "DISCONNECTED") == 0 ||
		   strcmp(n->status, "UNVERIFIED") == 0;

	if (off && !verified)
		doctor_tell_code(d, DOCTOR_FAIL, "registration", n->id, 133006, 0,
				 "%s is %s, its code %s", n->display, n->status, n->verified);
	else if (off)
		doctor_tell_code(d, DOCTOR_FAIL, "registration", n->id, 133010, 0,
				 "%s is %s: it neither sends nor receives", n->display, n->status);
	else if (platform.len > 0 && !str_eq(platform, STR("CLOUD_API")))
		doctor_tell_code(d, DOCTOR_FAIL, "registration", n->id, 133010, 0,
				 "%s is registered elsewhere: %.*s", n->display, STR_ARG(platform));
	else
		doctor_tell(d, DOCTOR_OK, "registration", n->id, NULL, "%s on the Cloud API",
			    n->status[0] != '\0' ? n->status : "registered");
}

static void tell_number(struct doctor *d, const struct doctor_number *n)
{
	static const char *const bad[] = { "BANNED", "MIGRATED", "DELETED" };
	static const char *const odd[] = { "FLAGGED", "RESTRICTED", "RATE_LIMITED" };
	enum doctor_result r = DOCTOR_OK;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strcmp(n->status, bad[i]) == 0)
			r = DOCTOR_FAIL;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		if (strcmp(n->status, odd[i]) == 0)
			r = DOCTOR_WARN;
	doctor_tell(d, r, "number", n->id, r == DOCTOR_OK ? NULL : n->status, "%s, %s%s%s",
		    n->display, n->name, r == DOCTOR_OK ? "" : ", status ",
		    r == DOCTOR_OK ? "" : n->status);
}

static void on_number(struct doctor *d)
{
	struct doctor_number *n = doctor_at(d);
	struct json_val v = d->reply.json;
	uint32_t limit = n->limit_mps;

	if (!doctor_is_ok(d) || text_of(v, "display_phone_number").len == 0) {
		if (!tell_swap(d, n)) {
			if (d->reply.code != 0)
				doctor_tell_reply(d, "number", n->id, "Meta shows no such number");
			else
				doctor_tell_code(d, DOCTOR_FAIL, "number", n->id, 100, 33,
						 "%s is not the id of a number", n->id);
		}
		doctor_tell(d, DOCTOR_SKIP, "registration", n->id, NULL, "the number is not known");
		doctor_next(d);
		return;
	}
	read_number(v, n);
	n->limit_mps = limit;
	n->is_good = true;
	keep(v, "code_verification_status", n->verified, sizeof(n->verified));
	keep(json_member(v, STR("throughput")), "level", n->level, sizeof(n->level));
	keep(json_member(v, STR("webhook_configuration")), "application", n->callback,
	     sizeof(n->callback));
	tell_number(d, n);
	tell_registration(d, n, text_of(v, "platform_type"));
	doctor_next(d);
}

void doctor_number(struct doctor *d)
{
	struct doctor_number *n = doctor_at(d);
	struct buf path;

	buf_init(&path, 4096);
	doctor_put_escaped(&path, str_from(n->id));
	buf_put_text(&path, "?fields=" NUMBER_FIELDS);
	doctor_ask(d, "GET", false, path.data, on_number);
	buf_release(&path);
}

static bool skip_number(struct doctor *d, const char *check)
{
	if (doctor_at(d)->is_good)
		return false;
	doctor_tell(d, DOCTOR_SKIP, check, doctor_at(d)->id, NULL, "the number is not known");
	doctor_next(d);
	return true;
}

/* ---- limits and quality ---- */

static void on_limits(struct doctor *d)
{
	const struct doctor_number *n = doctor_at(d);
	struct str tier = STR("not told");
	bool red = strcmp(n->quality, "RED") == 0, yellow = strcmp(n->quality, "YELLOW") == 0;
	bool high = strcmp(n->level, "HIGH") == 0;

	if (doctor_is_ok(d) &&
	    text_of(d->reply.json, "whatsapp_business_manager_messaging_limit").len > 0)
		tier = text_of(d->reply.json, "whatsapp_business_manager_messaging_limit");
	if (red || yellow)
		doctor_tell(d, red ? DOCTOR_FAIL : DOCTOR_WARN, "limits", n->id, n->quality,
			    "quality %s, people a day %.*s", n->quality, STR_ARG(tier));
	else if (n->limit_mps > 80 && !high && n->level[0] != '\0')
		doctor_tell(d, DOCTOR_FAIL, "limits", n->id, "throughput",
			    "configured for %u messages a second, and Meta gives it %s (80)",
			    n->limit_mps, n->level);
	else
		doctor_tell(d, DOCTOR_OK, "limits", n->id, NULL,
			    "quality %s, throughput %s, people a day %.*s",
			    n->quality[0] != '\0' ? n->quality : "not told",
			    n->level[0] != '\0' ? n->level : "not told", STR_ARG(tier));
	doctor_next(d);
}

void doctor_limits(struct doctor *d)
{
	char path[128];

	if (skip_number(d, "limits"))
		return;
	(void)snprintf(path, sizeof(path), "%s?fields=whatsapp_business_manager_messaging_limit",
		       doctor_at(d)->id);
	doctor_ask(d, "GET", false, path, on_limits);
}

/* ---- health ---- */

static void tell_unwell(struct doctor *d, struct json_val health, struct str word)
{
	const char *number = doctor_at(d)->id;
	enum doctor_result r = str_eq(word, STR("BLOCKED")) ? DOCTOR_FAIL : DOCTOR_WARN;
	struct json_iter it;
	struct json_val e, error = JSON_MISSING;
	struct str type = STR_EMPTY;
	int64_t code = 0;

	for (it = json_iter(json_member(health, STR("entities"))); json_next(&it, &e);) {
		if (str_eq(text_of(e, "can_send_message"), STR("AVAILABLE")))
			continue;
		type = text_of(e, "entity_type");
		error = json_at(json_member(e, STR("errors")), 0);
		if (json_exists(error))
			break;
	}
	(void)json_get_i64(error, STR("error_code"), &code);
	if (code != 0)
		doctor_tell_code(d, r, "health", number, (int)code, 0,
				 "%.*s because of %.*s: %lld %.*s; Meta: %.*s", STR_ARG(word),
				 STR_ARG(type), (long long)code,
				 STR_ARG(text_of(error, "error_description")),
				 STR_ARG(text_of(error, "possible_solution")));
	else
		doctor_tell(d, r, "health", number, "health", "%.*s because of %.*s", STR_ARG(word),
			    STR_ARG(type));
}

static void on_health(struct doctor *d)
{
	struct json_val health = json_member(d->reply.json, STR("health_status"));
	struct str word = text_of(health, "can_send_message");

	if (!doctor_is_ok(d))
		doctor_tell_reply(d, "health", doctor_at(d)->id, "asking for health_status");
	else if (word.len == 0)
		doctor_tell(d, DOCTOR_SKIP, "health", doctor_at(d)->id, NULL, "Meta does not tell");
	else if (str_eq(word, STR("AVAILABLE")))
		doctor_tell(d, DOCTOR_OK, "health", doctor_at(d)->id, NULL,
			    "AVAILABLE: number, account, business, app");
	else
		tell_unwell(d, health, word);
	doctor_next(d);
}

void doctor_health(struct doctor *d)
{
	char path[128];

	if (skip_number(d, "health"))
		return;
	(void)snprintf(path, sizeof(path), "%s?fields=health_status", doctor_at(d)->id);
	doctor_ask(d, "GET", false, path, on_health);
}

/* ---- template ---- */

static void tell_template(struct doctor *d, struct json_val t)
{
	struct str status = text_of(t, "status"), why = text_of(t, "rejected_reason");
	char topic[64] = "";

	if (str_eq(status, STR("APPROVED"))) {
		doctor_tell(d, DOCTOR_OK, "template", NULL, NULL, "%s in %.*s is APPROVED, %.*s",
			    d->o.template, STR_ARG(text_of(t, "language")),
			    STR_ARG(text_of(t, "category")));
	} else if (str_eq(status, STR("PAUSED")) || str_eq(status, STR("DISABLED"))) {
		doctor_tell_code(d, DOCTOR_FAIL, "template", NULL,
				 str_eq(status, STR("PAUSED")) ? 132015 : 132016, 0,
				 "%s in %.*s is %.*s", d->o.template,
				 STR_ARG(text_of(t, "language")), STR_ARG(status));
	} else if (str_eq(status, STR("REJECTED")) && why.len > 0 && !str_eq(why, STR("NONE"))) {
		(void)str_copy(why, topic, sizeof(topic));
		doctor_tell(d, DOCTOR_FAIL, "template", NULL, topic, "%s was rejected: %.*s",
			    d->o.template, STR_ARG(why));
	} else {
		doctor_tell_code(d, DOCTOR_FAIL, "template", NULL, 132001, 0,
				 "%s in %.*s is %.*s, not APPROVED", d->o.template,
				 STR_ARG(text_of(t, "language")), STR_ARG(status));
	}
}

static void on_template(struct doctor *d)
{
	struct json_val v, found = JSON_MISSING;
	char languages[256] = "";
	struct json_iter it;
	size_t at = 0;

	if (!doctor_is_ok(d)) {
		doctor_tell_reply(d, "template", NULL, "asking for the template");
		doctor_next(d);
		return;
	}
	for (it = json_iter(json_member(d->reply.json, STR("data"))); json_next(&it, &v);) {
		struct str language = text_of(v, "language");

		if (!str_eq(text_of(v, "name"), str_from(d->o.template)))
			continue;
		if (d->o.language == NULL || str_eq(language, str_from(d->o.language)))
			found = v;
		if (at + language.len + 3 < sizeof(languages))
			at += (size_t)snprintf(languages + at, sizeof(languages) - at, " %.*s",
					       STR_ARG(language));
	}
	if (json_exists(found))
		tell_template(d, found);
	else if (at > 0)
		doctor_tell_code(d, DOCTOR_FAIL, "template", NULL, 132001, 0,
				 "%s is not there in %s; there is:%s", d->o.template, d->o.language,
				 languages);
	else
		doctor_tell_code(d, DOCTOR_FAIL, "template", NULL, 132001, 0,
				 "account %s has no template %s", d->facts.business_id,
				 d->o.template);
	doctor_next(d);
}

void doctor_template(struct doctor *d)
{
	struct buf path;

	if (d->o.template == NULL || !d->facts.is_waba_good) {
		doctor_tell(d, DOCTOR_SKIP, "template", NULL, NULL, "%s",
			    d->o.template == NULL ? "none was named: --template NAME[:LANGUAGE]"
						  : "the account is not known");
		doctor_next(d);
		return;
	}
	buf_init(&path, 8192);
	buf_put_fmt(&path,
		    "%s/message_templates?fields=name,language,status,category,"
		    "rejected_reason&limit=100&name=",
		    d->facts.business_id);
	doctor_put_escaped(&path, str_from(d->o.template));
	doctor_ask(d, "GET", false, path.data, on_template);
	buf_release(&path);
}

/* ---- subscription ---- */

static void ask_subscription(struct doctor *d, const char *method, void (*then)(struct doctor *d))
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/subscribed_apps", d->facts.business_id);
	doctor_ask(d, method, false, path, then);
}

static void on_apps(struct doctor *d);

static void on_subscribed(struct doctor *d)
{
	if (!doctor_is_ok(d)) {
		doctor_tell_reply(d, "subscription", NULL, "subscribing the app");
		doctor_next(d);
		return;
	}
	ask_subscription(d, "GET", on_apps);
}

static void on_apps(struct doctor *d)
{
	struct str override = STR_EMPTY;
	struct json_iter it;
	struct json_val v;
	bool found = false;

	if (!doctor_is_ok(d)) {
		doctor_tell_reply(d, "subscription", NULL, "asking for the subscribed apps");
		doctor_next(d);
		return;
	}
	for (it = json_iter(json_member(d->reply.json, STR("data"))); json_next(&it, &v);) {
		struct str id = text_of(json_member(v, STR("whatsapp_business_api_data")), "id");

		if (d->facts.app_id[0] != '\0' && !str_eq(id, str_from(d->facts.app_id)))
			continue;
		found = true;
		override = text_of(v, "override_callback_uri");
	}
	d->facts.is_subscribed = found;
	if (!found && d->o.fix && !d->was_fixed) {
		d->was_fixed = true;
		ask_subscription(d, "POST", on_subscribed);
		return;
	}
	if (!found)
		doctor_tell(d, DOCTOR_FAIL, "subscription", NULL, "not-subscribed",
			    "app %s is not subscribed to account %s", d->facts.app_id,
			    d->facts.business_id);
	else
		doctor_tell(d, override.len > 0 ? DOCTOR_WARN : DOCTOR_OK, "subscription", NULL,
			    override.len > 0 ? "callback-elsewhere" : NULL,
			    "app %s %s account %s%s%.*s", d->facts.app_id,
			    d->was_fixed ? "was not and is now subscribed to" : "is subscribed to",
			    d->facts.business_id, override.len > 0 ? ", whose messages go to " : "",
			    STR_ARG(override));
	doctor_next(d);
}

void doctor_subscription(struct doctor *d)
{
	if (!d->facts.is_waba_good) {
		doctor_tell(d, DOCTOR_SKIP, "subscription", NULL, NULL, "the account is not known");
		doctor_next(d);
		return;
	}
	ask_subscription(d, "GET", on_apps);
}
