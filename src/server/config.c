/* SPDX-License-Identifier: MIT */
/*
 * config.c - one table (config.def), one file, the environment and flags
 *
 * ROLE        Reads every source in the order defaults, file, environment,
 *             flags, so that the later one wins and its origin is known.  All
 *             problems are collected; nothing is half-applied: a configuration
 *             with problems is not used.
 * LIMITS      CONFIG_PROBLEMS_MAX problems kept, CONFIG_ACCOUNTS_MAX accounts.
 * THREADS     Any one thread; after config_load() only config_adopt() writes,
 *             on the loop, and only LIVE keys: other threads read FIXED ones.
 * TESTS       tests/unit/test_config.c, tests/system/test_config.py
 */
#include "server/config.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include "json/json.h"
#include "server/config_check.h"
#include <ctype.h>
#include <stdarg.h>
#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

enum value_type { TYPE_STR, TYPE_INT, TYPE_US, TYPE_MS, TYPE_SIZE, TYPE_BOOL };
enum liveness { FIXED, LIVE };

#define RETENTION_MIN_DAYS 10 /* beyond the dedupe keys' nine */

struct key {
	const char *key;
	enum value_type type;
	size_t offset;
	const char *def;
	int64_t min, max;
	enum liveness live;
	const char *help;
};

#define ROW(key, type, field, def, min, max, live, help) \
	{ key, type, offsetof(struct config_values, field), def, min, max, live, help },
#define CONFIG_STR(key, field, def, live, help) ROW(key, TYPE_STR, field, def, 0, 0, live, help)
#define CONFIG_INT(key, field, def, min, max, live, help) \
	ROW(key, TYPE_INT, field, def, min, max, live, help)
#define CONFIG_MS(key, field, def, min, max, live, help) \
	ROW(key, TYPE_MS, field, def, min, max, live, help)
#define CONFIG_US(key, field, def, min, max, live, help) \
	ROW(key, TYPE_US, field, def, min, max, live, help)
#define CONFIG_SIZE(key, field, def, min, max, live, help) \
	ROW(key, TYPE_SIZE, field, def, min, max, live, help)
#define CONFIG_BOOL(key, field, def, live, help) ROW(key, TYPE_BOOL, field, def, 0, 1, live, help)
static const struct key keys[] = {
#include "server/config.def"
};
#define NKEYS ARRAY_LEN(keys)

struct config {
	struct config_values values;
	char *origin[NKEYS]; /* "default", "file:12", "environment", "flag" */
	char *text[NKEYS]; /* as it was written */
	struct config_account accounts[CONFIG_ACCOUNTS_MAX];
	size_t account_count;
	char *problems[CONFIG_PROBLEMS_MAX];
	size_t problem_count;
	char *path;
	int line; /* of the file, while it is read */
	char *asked; /* the path that was given; NULL: searched for */
	struct config_override *overrides; /* owned, for a reload */
	size_t override_count;
};

static void add_problem(struct config *c, const char *where, const char *fmt, va_list ap)
	GW_PRINTF(3, 0);

static void add_problem(struct config *c, const char *where, const char *fmt, va_list ap)
{
	char text[1024];
	int n;

	if (c->problem_count == CONFIG_PROBLEMS_MAX)
		return;
	n = snprintf(text, sizeof(text), "%s: ", where);
	if (n > 0 && (size_t)n < sizeof(text))
		(void)vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	c->problems[c->problem_count++] = xstrdup(text);
}

static void problem(struct config *c, const char *where, const char *fmt, ...) GW_PRINTF(3, 4);

static void problem(struct config *c, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(c, where, fmt, ap);
	va_end(ap);
}

void config_problem_add(struct config *c, const struct config_account *a, const char *fmt, ...)
{
	char where[4200] = "data";
	va_list ap;

	if (a != NULL)
		(void)snprintf(where, sizeof(where), "%s:%d: account %s", c->path, a->line,
			       a->name);
	va_start(ap, fmt);
	add_problem(c, where, fmt, ap);
	va_end(ap);
}

static const struct key *key_find(struct str name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (str_eq(str_from(keys[i].key), name))
			return &keys[i];
	return NULL;
}

/* "1500us", or a whole number of milliseconds in any spelling. */
static bool read_us(struct str text, int64_t *out)
{
	if (text.len > 2 && str_eq(str_slice(text, text.len - 2, text.len), STR("us")))
		return str_to_i64(str_slice(text, 0, text.len - 2), out);
	return str_to_duration_ms(text, out) && !__builtin_mul_overflow(*out, INT64_C(1000), out);
}

/* The number in a value, and how its limits are written back to people. */
static bool read_number(const struct key *k, struct str text, int64_t *out)
{
	uint64_t size;

	switch (k->type) {
	case TYPE_US: return read_us(text, out);
	case TYPE_MS: return str_to_duration_ms(text, out);
	case TYPE_SIZE:
		if (!str_to_size(text, &size) || size > INT64_MAX)
			return false;
		*out = (int64_t)size;
		return true;
	default: return str_to_i64(text, out);
	}
}

static void print_number(const struct key *k, int64_t v, char out[32])
{
	const char *unit = k->type == TYPE_US ? "us" : k->type == TYPE_MS ? "ms" : "";

	if (k->type == TYPE_MS && v % 1000 == 0)
		(void)snprintf(out, 32, "%llds", (long long)(v / 1000));
	else
		(void)snprintf(out, 32, "%lld%s", (long long)v, unit);
}

static bool read_bool(struct str text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "true", true },   { "on", true },   { "1", true },
		      { "no", false }, { "false", false }, { "off", false }, { "0", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq_nocase(str_from(words[i].word), text)) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

static bool set_number(struct config *c, const struct key *k, void *field, struct str text,
		       const char *where)
{
	static const char *const want[] = { [TYPE_INT] = "a whole number",
					    [TYPE_US] = "a duration such as 1500us or 2ms",
					    [TYPE_MS] = "a duration such as 250ms, 30s, 10m or 24h",
					    [TYPE_SIZE] = "a size such as 4096, 64K or 4M" };
	char limit[32];
	int64_t v;

	if (!read_number(k, text, &v)) {
		problem(c, where, "%s: \"%.*s\" is not %s", k->key, STR_ARG(text), want[k->type]);
		return false;
	}
	if (v < k->min || v > k->max) {
		print_number(k, v < k->min ? k->min : k->max, limit);
		problem(c, where, "%s: %.*s is %s %s", k->key, STR_ARG(text),
			v < k->min ? "below the minimum" : "above the maximum", limit);
		return false;
	}
	*(int64_t *)field = v;
	return true;
}

static void *field_of(struct config *c, const struct key *k)
{
	return (char *)&c->values + k->offset;
}

static void set_value(struct config *c, const struct key *k, struct str text, const char *where)
{
	void *field = field_of(c, k);
	size_t i = (size_t)(k - keys);
	bool ok = true;

	switch (k->type) {
	case TYPE_STR:
		ok = str_copy(text, field, sizeof(c->values.data_dir));
		if (!ok)
			problem(c, where, "%s: longer than %zu bytes", k->key,
				sizeof(c->values.data_dir) - 1);
		break;
	case TYPE_BOOL:
		ok = read_bool(text, field);
		if (!ok)
			problem(c, where, "%s: \"%.*s\" is neither yes nor no", k->key,
				STR_ARG(text));
		break;
	default: ok = set_number(c, k, field, text, where);
	}
	if (!ok)
		return;
	free(c->origin[i]);
	free(c->text[i]);
	c->origin[i] = xstrdup(where);
	c->text[i] = xstrndup(text);
}

/* ---- accounts ---- */

static struct config_account *account_get(struct config *c, struct str name, const char *where)
{
	struct config_account *a;

	for (size_t i = 0; i < c->account_count; i++)
		if (str_eq(str_from(c->accounts[i].name), name))
			return &c->accounts[i];
	if (c->account_count == CONFIG_ACCOUNTS_MAX) {
		problem(c, where, "more than %d accounts", CONFIG_ACCOUNTS_MAX);
		return NULL;
	}
	a = &c->accounts[c->account_count];
	if (name.len == 0 || !str_copy(name, a->name, sizeof(a->name))) {
		problem(c, where, "an account needs a name of 1 to %zu bytes: [account NAME]",
			sizeof(a->name) - 1);
		return NULL;
	}
	c->account_count++;
	a->line = c->line;
	(void)str_copy(STR("https://graph.facebook.com"), a->base_url, sizeof(a->base_url));
	(void)str_copy(STR("v26.0"), a->version, sizeof(a->version));
	return a;
}

static void load_secret(struct config *c, const char *path, struct secret *out, const char *where)
{
	struct gw_error err = GW_ERROR_INIT;
	struct stat st;

	if (secret_load(path, out, &err) != GW_OK)
		problem(c, where, "%s", err.message);
	else if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		problem(c, where, "%s is readable by everybody: chmod 600 %s", path, path);
}

static void check_account_word(struct config *c, struct str name, const char *value,
			       const char *where)
{
	struct gw_error err = GW_ERROR_INIT;
	gw_status st = GW_OK;

	if (str_eq(name, STR("base_url")))
		st = config_check_word(WORD_URL, value, &err);
	else if (str_eq(name, STR("numbers")))
		st = config_check_word(WORD_NUMBERS, value, &err);
	if (st != GW_OK)
		problem(c, where, "%.*s: %s", STR_ARG(name), err.message);
}

/* A key of an [account NAME] section. */
struct account_key {
	const char *key;
	bool is_secret;
	size_t offset, size; /* size: of a text's field */
	const char *help;
};

#define ACCOUNT_FIELD(field) offsetof(struct config_account, field)
#define ACCOUNT_SECRET(key, field, help) { key, true, ACCOUNT_FIELD(field), 0, help },
#define ACCOUNT_TEXT(key, field, help) \
	{ key, false, ACCOUNT_FIELD(field), sizeof(((struct config_account *)0)->field), help },
static const struct account_key account_keys[] = {
#include "server/config_account.def"
};

static const struct account_key *account_key_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(account_keys); i++)
		if (str_eq(str_from(account_keys[i].key), name))
			return &account_keys[i];
	return NULL;
}

/* Is it "token", where "token_file" is meant? */
static bool is_bare_secret(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(account_keys); i++) {
		struct str key = str_from(account_keys[i].key);

		if (account_keys[i].is_secret &&
		    str_eq(str_slice(key, 0, key.len - (sizeof("_file") - 1)), name))
			return true;
	}
	return false;
}

static void set_account(struct config *c, struct str section, struct str name, const char *value,
			const char *where)
{
	struct str who = str_trim(str_slice(section, sizeof("account") - 1, section.len));
	struct config_account *a = account_get(c, who, where);
	const struct account_key *k = account_key_find(name);
	char *field;

	if (a == NULL)
		return;
	check_account_word(c, name, value, where);
	if (k == NULL && is_bare_secret(name)) {
		problem(c, where, "%.*s: secrets come from files: %.*s_file = PATH", STR_ARG(name),
			STR_ARG(name));
		return;
	}
	if (k == NULL) {
		problem(c, where, "unknown key \"%.*s\" in [%.*s]", STR_ARG(name),
			STR_ARG(section));
		return;
	}
	field = (char *)a + k->offset;
	if (k->is_secret)
		load_secret(c, value, (struct secret *)(void *)field, where);
	else if (!str_copy(str_from(value), field, k->size))
		problem(c, where, "%s: too long", k->key);
}

/* Secrets that systemd or the environment hands to the one account there is. */
static void outside_secrets(struct config *c)
{
	static const struct {
		const char *file, *variable;
		size_t offset;
	} from[] = {
		{ "token", "GODWIT_TOKEN_FILE", offsetof(struct config_account, token) },
		{ "app_secret", "GODWIT_APP_SECRET_FILE",
		  offsetof(struct config_account, app_secret) },
		{ "verify_token", "GODWIT_VERIFY_TOKEN_FILE",
		  offsetof(struct config_account, verify_token) },
	};
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];

	if (c->account_count != 1)
		return;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		struct secret *s = (struct secret *)(void *)((char *)&c->accounts[0] +
							     from[i].offset);
		const char *file = getenv(from[i].variable);

		if (s->len > 0)
			continue;
		if (file != NULL) {
			load_secret(c, file, s, from[i].variable);
		} else if (folder != NULL) {
			(void)snprintf(path, sizeof(path), "%s/%s", folder, from[i].file);
			if (access(path, F_OK) == 0)
				load_secret(c, path, s, "CREDENTIALS_DIRECTORY");
		}
	}
}

/* ---- sources ---- */

static char *read_line(char *out, int cap, void *stream)
{
	struct {
		FILE *f;
		struct config *c;
	} *in = stream;
	char *line = fgets(out, cap, in->f);
	char where[64];
	size_t n;

	if (line == NULL)
		return NULL;
	in->c->line++;
	n = strlen(line);
	if (n + 1 == (size_t)cap && line[n - 1] != '\n') {
		int ch;

		while ((ch = getc(in->f)) != EOF && ch != '\n')
			continue;
		(void)snprintf(where, sizeof(where), "line %d", in->c->line);
		problem(in->c, where, "longer than %d bytes", cap - 2);
	}
	return line;
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct config *c = user;
	char where[4200];
	struct str s = str_from(section);
	const struct key *k;

	(void)snprintf(where, sizeof(where), "%s:%d", c->path, c->line);
	if (str_eq(s, STR("account")) || str_starts(s, STR("account "))) {
		set_account(c, s, str_from(name), value, where);
		return 1;
	}
	if (s.len > 0) {
		problem(c, where, "unknown section [%s]; known is [account NAME]", section);
		return 1;
	}
	k = key_find(str_from(name));
	if (k == NULL)
		problem(c, where, "unknown key \"%s\"; `godwit config show` lists the known ones",
			name);
	else
		set_value(c, k, str_from(value), where);
	return 1;
}

static void read_file(struct config *c)
{
	struct {
		FILE *f;
		struct config *c;
	} in = { .c = c };
	char where[4200];
	int rc;

	in.f = fopen(c->path, "re");
	if (in.f == NULL) {
		problem(c, c->path, "cannot open: %s", strerror(errno));
		return;
	}
	rc = ini_parse_stream(read_line, &in, on_pair, c);
	if (rc > 0) {
		(void)snprintf(where, sizeof(where), "%s:%d", c->path, rc);
		problem(c, where, "neither \"key = value\" nor \"[account NAME]\"");
	}
	(void)fclose(in.f);
}

/* "listen.public" is GODWIT_LISTEN_PUBLIC. */
static void read_environment(struct config *c)
{
	char name[128];

	for (size_t i = 0; i < NKEYS; i++) {
		const char *value;
		size_t n = 0;

		(void)str_copy(STR("GODWIT_"), name, sizeof(name));
		n = strlen(name);
		for (const char *p = keys[i].key; *p != '\0' && n + 1 < sizeof(name); p++)
			name[n++] = (char)(*p == '.' ? '_' : toupper((unsigned char)*p));
		name[n] = '\0';
		value = getenv(name);
		if (value != NULL)
			set_value(c, &keys[i], str_from(value), name);
	}
}

/* The first of them that exists; one file wins, none are merged. */
static char *find_file(void)
{
	const char *asked = getenv("GODWIT_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char path[4096];

	if (asked != NULL)
		return xstrdup(asked);
	if (access("godwit.conf", F_OK) == 0)
		return xstrdup("godwit.conf");
	if (xdg != NULL)
		(void)snprintf(path, sizeof(path), "%s/godwit/godwit.conf", xdg);
	else
		(void)snprintf(path, sizeof(path), "%s/.config/godwit/godwit.conf",
			       home != NULL ? home : "");
	if (access(path, F_OK) == 0)
		return xstrdup(path);
	if (access("/etc/godwit/godwit.conf", F_OK) == 0)
		return xstrdup("/etc/godwit/godwit.conf");
	return NULL;
}

static void default_folder(struct config *c)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_DATA_HOME");
	const char *state = getenv("STATE_DIRECTORY"); /* of a service (systemd.exec(5)) */
	char *out = c->values.data_dir;

	if (out[0] != '\0')
		return;
	if (state != NULL && state[0] == '/')
		(void)snprintf(out, sizeof(c->values.data_dir), "%s", state);
	else if (geteuid() == 0 || (home == NULL && xdg == NULL))
		(void)snprintf(out, sizeof(c->values.data_dir), "/var/lib/godwit");
	else if (xdg != NULL)
		(void)snprintf(out, sizeof(c->values.data_dir), "%s/godwit", xdg);
	else
		(void)snprintf(out, sizeof(c->values.data_dir), "%s/.local/share/godwit", home);
}

/* A credential of the service, where there is one. */
static void default_key_file(struct config *c)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char *out = c->values.key_file, path[sizeof(c->values.key_file)];

	if (out[0] != '\0')
		return;
	if (folder != NULL &&
	    snprintf(path, sizeof(path), "%s/secrets_key", folder) < (int)sizeof(path) &&
	    access(path, F_OK) == 0)
		(void)str_copy(str_from(path), out, sizeof(path));
}

static void check_retention(struct config *c, const char *name, int64_t days)
{
	const struct key *k = key_find(str_from(name));

	if (days > 0 && days < RETENTION_MIN_DAYS)
		problem(c, c->origin[k - keys],
			"%s: %lld days: Meta repeats what it sent for nine; 0 (never) or at least "
			"%d",
			name, (long long)days, RETENTION_MIN_DAYS);
}

/* Texts that are more than text, wherever they came from. */
static void check_words(struct config *c)
{
	static const struct {
		const char *key;
		enum config_word what;
	} words[] = {
		{ "profile", WORD_PROFILE },       { "listen.public", WORD_ADDRESS },
		{ "listen.api", WORD_ADDRESS },    { "listen.local", WORD_SOCKET },
		{ "log.level", WORD_LOG_LEVEL },   { "clock.follow", WORD_URL },
		{ "public.url", WORD_URL },        { "api.url", WORD_URL },
		{ "graph.ca_file", WORD_FILE },    { "unknown.policy", WORD_POLICY },
		{ "egress.allow", WORD_NETWORKS },
	};
	const struct key *follow = key_find(STR("clock.follow"));
	struct gw_error err;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct key *k = key_find(str_from(words[i].key));

		err = (struct gw_error)GW_ERROR_INIT;
		if (config_check_word(words[i].what, field_of(c, k), &err) != GW_OK)
			problem(c, c->origin[k - keys], "%s: %s", k->key, err.message);
	}
	if (c->values.clock_follow[0] != '\0' && strcmp(c->values.profile, "sandbox") != 0)
		problem(c, c->origin[follow - keys], "clock.follow: only with profile = sandbox");
	check_retention(c, "retention.events", c->values.retention_events);
	check_retention(c, "retention.messages", c->values.retention_messages);
}

static void check_accounts(struct config *c)
{
	char where[4200];

	for (size_t i = 0; i < c->account_count; i++) {
		const struct config_account *a = &c->accounts[i];

		(void)snprintf(where, sizeof(where), "%s:%d", c->path, a->line);
		if (a->app_secret.len == 0)
			problem(c, where,
				"account %s: no app_secret_file: webhooks could not be verified",
				a->name);
		if (a->token.len == 0)
			problem(c, where, "account %s: no token_file: nothing could be sent",
				a->name);
	}
}

static void keep_sources(struct config *c, const char *path, const struct config_override *from,
			 size_t count)
{
	c->asked = path != NULL ? xstrdup(path) : NULL;
	c->overrides = xcalloc(count + 1, sizeof(*c->overrides));
	c->override_count = count;
	for (size_t i = 0; i < count; i++) {
		c->overrides[i].key = xstrdup(from[i].key);
		c->overrides[i].value = xstrdup(from[i].value);
	}
}

gw_status config_load(const char *path, const struct config_override *overrides, size_t count,
		      struct config **out, struct gw_error *err)
{
	struct config *c = xcalloc(1, sizeof(*c));

	for (size_t i = 0; i < NKEYS; i++)
		set_value(c, &keys[i], str_from(keys[i].def), "default");
	keep_sources(c, path, overrides, count);
	c->path = path != NULL ? xstrdup(path) : find_file();
	if (c->path != NULL)
		read_file(c);
	read_environment(c);
	for (size_t i = 0; i < count; i++) {
		const struct key *k = key_find(str_from(overrides[i].key));

		if (k == NULL)
			problem(c, "flag", "unknown key \"%s\"", overrides[i].key);
		else
			set_value(c, k, str_from(overrides[i].value), "flag");
	}
	outside_secrets(c);
	default_folder(c);
	default_key_file(c);
	check_words(c);
	check_accounts(c);
	*out = c;
	if (c->problem_count > 0)
		return gw_error_set(err, GW_EPARSE, "%zu problem%s in the configuration",
				    c->problem_count, c->problem_count == 1 ? "" : "s");
	return GW_OK;
}

gw_status config_reload(const struct config *c, struct config **out, struct gw_error *err)
{
	return config_load(c->asked, c->overrides, c->override_count, out, err);
}

static size_t field_size(const struct key *k)
{
	switch (k->type) {
	case TYPE_STR: return sizeof(((struct config_values *)0)->data_dir);
	case TYPE_BOOL: return sizeof(bool);
	default: return sizeof(int64_t);
	}
}

static bool is_same(const struct key *k, const void *a, const void *b)
{
	return k->type == TYPE_STR ? strcmp(a, b) == 0 : memcmp(a, b, field_size(k)) == 0;
}

static void swap_text(char **a, char **b)
{
	char *held = *a;

	*a = *b;
	*b = held;
}

void config_adopt(struct config *c, struct config *from,
		  void (*changed)(void *cookie, const char *key, bool live), void *cookie)
{
	for (size_t i = 0; i < NKEYS; i++) {
		const struct key *k = &keys[i];

		if (is_same(k, field_of(c, k), field_of(from, k)))
			continue;
		changed(cookie, k->key, k->live == LIVE);
		if (k->live != LIVE)
			continue;
		memcpy(field_of(c, k), field_of(from, k), field_size(k));
		swap_text(&c->origin[i], &from->origin[i]);
		swap_text(&c->text[i], &from->text[i]);
	}
	memcpy(c->accounts, from->accounts, sizeof(c->accounts));
	c->account_count = from->account_count;
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < NKEYS; i++) {
		free(c->origin[i]);
		free(c->text[i]);
	}
	for (size_t i = 0; i < c->problem_count; i++)
		free(c->problems[i]);
	for (size_t i = 0; i < c->override_count; i++) {
		free((void *)(uintptr_t)c->overrides[i].key);
		free((void *)(uintptr_t)c->overrides[i].value);
	}
	free(c->overrides);
	free(c->asked);
	free(c->path);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

const struct config_values *config_values(const struct config *c)
{
	return &c->values;
}

size_t config_account_count(const struct config *c)
{
	return c->account_count;
}

const struct config_account *config_account_at(const struct config *c, size_t index)
{
	ASSERT(index < c->account_count);
	return &c->accounts[index];
}

size_t config_problem_count(const struct config *c)
{
	return c->problem_count;
}

const char *config_problem(const struct config *c, size_t index)
{
	ASSERT(index < c->problem_count);
	return c->problems[index];
}

const char *config_path(const struct config *c)
{
	return c->path;
}

void config_describe(const struct config *c, struct buf *out)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_array(&w);
	for (size_t i = 0; i < NKEYS; i++) {
		json_w_object(&w);
		json_w_kv_text(&w, "key", keys[i].key);
		json_w_kv_text(&w, "value", c->text[i]);
		json_w_kv_text(&w, "default", keys[i].def);
		json_w_kv_text(&w, "origin", c->origin[i]);
		json_w_kv_bool(&w, "live", keys[i].live == LIVE);
		json_w_kv_text(&w, "help", keys[i].help);
		json_w_end(&w);
	}
	json_w_end(&w);
}

/* ---- what there is, for the manual and for shells ---- */

/* A number in the largest unit that holds it whole. */
static void print_limit(const struct key *k, int64_t v, char out[32])
{
	static const struct {
		enum value_type type;
		int64_t one;
		const char *unit;
	} units[] = { { TYPE_MS, 3600000, "h" },
		      { TYPE_MS, 60000, "m" },
		      { TYPE_MS, 1000, "s" },
		      { TYPE_MS, 1, "ms" },
		      { TYPE_US, 1000, "ms" },
		      { TYPE_US, 1, "us" },
		      { TYPE_SIZE, INT64_C(1) << 30, "G" },
		      { TYPE_SIZE, 1 << 20, "M" },
		      { TYPE_SIZE, 1 << 10, "K" },
		      { TYPE_INT, 1, "" } };

	(void)snprintf(out, 32, "%lld", (long long)v);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (v == 0 || units[i].type != k->type || v % units[i].one != 0)
			continue;
		(void)snprintf(out, 32, "%lld%s", (long long)(v / units[i].one), units[i].unit);
		return;
	}
}

bool config_key_at(size_t index, struct config_key_info *out)
{
	static const char *const types[] = {
		[TYPE_STR] = "text",    [TYPE_INT] = "number", [TYPE_US] = "duration",
		[TYPE_MS] = "duration", [TYPE_SIZE] = "size",  [TYPE_BOOL] = "yes or no"
	};
	const struct key *k = &keys[index];

	if (index >= NKEYS)
		return false;
	*out = (struct config_key_info){ .key = k->key,
					 .type = types[k->type],
					 .def = k->def,
					 .help = k->help,
					 .live = k->live == LIVE };
	if (k->type != TYPE_STR && k->type != TYPE_BOOL) {
		print_limit(k, k->min, out->min);
		print_limit(k, k->max, out->max);
	}
	return true;
}

bool config_account_key_at(size_t index, const char **out_key, const char **out_help)
{
	if (index >= ARRAY_LEN(account_keys))
		return false;
	*out_key = account_keys[index].key;
	*out_help = account_keys[index].help;
	return true;
}
