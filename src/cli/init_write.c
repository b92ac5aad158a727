/* SPDX-License-Identifier: MIT */
/*
 * init_write.c - the files of `godwit init`
 *
 *   DIR/godwit.conf                     the configuration, written last
 *   DIR/credentials/ACCOUNT.token       and .app_secret, .verify_token
 *
 * INVARIANTS  1. A configuration is in its place only when all its secrets are, and when
 *                `godwit config check` would take it with them.
 *             2. What was there, secrets too, is kept under another name; it is not touched before
 *                all of the new is written beside it and checked.
 * FAILURE     Interrupted among the renames: some files are new. Their old ones are beside them.
 * MODES       Ours alone (0600, folder 0700); written by root where there is a group `godwit`, that
 *             group may read (0640, 2750), since the service is of that group.
 * TESTS       tests/system/test_init.py
 */
#include "cli/config_open.h"
#include "cli/init.h"

#include "base/clock.h"
#include "base/panic.h"
#include "base/sys_file.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GROUP "godwit"
#define CONFIG_BYTES 65536
#define SECRETS 3
#define FOLDER_MODE 02750 /* what root puts there later is the group's, too */

static const char *const secret_names[SECRETS] = { "token", "app_secret", "verify_token" };

/* ---- places */

static bool default_path(char *out)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		n = snprintf(out, INIT_PATH_MAX, "/etc/godwit/godwit.conf");
	else if (xdg != NULL && xdg[0] == '/')
		n = snprintf(out, INIT_PATH_MAX, "%s/godwit/godwit.conf", xdg);
	else
		n = snprintf(out, INIT_PATH_MAX, "%s/.config/godwit/godwit.conf",
			     home != NULL ? home : "");
	return n > 0 && n < INIT_PATH_MAX;
}

/* An absolute path: a relative one would depend on where the gateway is started. */
static bool given_path(const char *path, char *out)
{
	char here[INIT_PATH_MAX];
	int n;

	if (path[0] == '/')
		return str_copy(str_from(path), out, INIT_PATH_MAX);
	if (getcwd(here, sizeof(here)) == NULL)
		return false;
	n = snprintf(out, INIT_PATH_MAX, "%s/%s", here, path);
	return n > 0 && n < INIT_PATH_MAX;
}

static bool is_name(const char *text)
{
	const char *known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return text[0] != '\0' && strspn(text, known) == strlen(text) && strlen(text) < 64;
}

int init_choose_path(struct init *in)
{
	const char *asked = in->cli->config != NULL ? in->cli->config : getenv("GODWIT_CONFIG");
	bool fits = asked != NULL ? given_path(asked, in->path) : default_path(in->path);
	struct str folder = str_from(in->path);

	if (!is_name(in->account))
		return cli_failf(in->cli, EXIT_USAGE, NULL,
				 "--account %s: want 1 to 63 letters, digits, _ or -", in->account);
	while (folder.len > 0 && folder.ptr[folder.len - 1] != '/')
		folder.len--;
	if (!fits || snprintf(in->folder, sizeof(in->folder), "%.*scredentials", STR_ARG(folder)) >=
			     (int)sizeof(in->folder) - 80)
		return cli_failf(in->cli, EXIT_USAGE, "--config FILE names another place",
				 "the path of the configuration is too long");
	if (!in->force && access(in->path, F_OK) == 0)
		return cli_failf(in->cli, EXIT_REFUSED,
				 "`godwit doctor` looks at it; --config FILE writes another one; "
				 "--force writes this one anew and keeps what is there",
				 "%s is there already", in->path);
	return EXIT_OK;
}

void init_secret_path(const struct init *in, const char *what, char out[INIT_PATH_MAX])
{
	(void)snprintf(out, INIT_PATH_MAX, "%s/%s.%s", in->folder, in->account, what);
}

/* ---- files */

/* For the group of the service too, when root writes; else it stays ours alone. */
static void open_to_service(const char *path, unsigned mode)
{
	const struct group *g = geteuid() == 0 ? getgrnam(GROUP) : NULL;

	if (g != NULL && chown(path, 0, g->gr_gid) == 0)
		(void)chmod(path, mode); /* tighter otherwise: the service says so at its start */
}

static gw_status write_file(const char *path, struct str bytes, struct gw_error *err)
{
	gw_status st = sys_write_file(path, bytes, 0600, err);

	if (st == GW_OK)
		open_to_service(path, 0640);
	return st;
}

/* "PATH.new" */
static void new_path(const char *path, char out[INIT_PATH_MAX + 8])
{
	(void)snprintf(out, INIT_PATH_MAX + 8, "%s.new", path);
}

static gw_status write_secret(const struct init *in, const char *what, const struct secret *s,
			      struct gw_error *err)
{
	char path[INIT_PATH_MAX], beside[INIT_PATH_MAX + 8];

	init_secret_path(in, what, path);
	new_path(path, beside);
	return write_file(beside, str_make((const char *)s->bytes, s->len), err);
}

/* The folder of the configuration, where it had to be made: the service must come in. */
static gw_status make_folders(const struct init *in, struct gw_error *err)
{
	char parent[INIT_PATH_MAX];
	bool had;
	gw_status st;

	(void)snprintf(parent, sizeof(parent), "%.*s",
		       (int)(strlen(in->folder) - strlen("/credentials")), in->folder);
	had = parent[0] == '\0' || access(parent, F_OK) == 0;
	st = sys_make_dir(in->folder, err);
	if (st == GW_OK && !had)
		open_to_service(parent, FOLDER_MODE);
	return st;
}

static gw_status write_secrets(const struct init *in, struct gw_error *err)
{
	const struct secret *all[SECRETS] = { &in->token, &in->app_secret, &in->verify_token };
	gw_status st = make_folders(in, err);

	if (st == GW_OK && chmod(in->folder, 0700) != 0)
		st = gw_error_sys(err, GW_EIO, "cannot change the mode of %s", in->folder);
	if (st == GW_OK)
		open_to_service(in->folder, FOLDER_MODE);
	for (size_t i = 0; i < SECRETS && st == GW_OK; i++)
		st = write_secret(in, secret_names[i], all[i], err);
	return st;
}

/* beside: of the files as they are while they are checked. */
static void put_account(const struct init *in, bool beside, struct buf *b)
{
	char path[INIT_PATH_MAX];

	buf_put_fmt(b, "\n[account %s]\n", in->account);
	if (in->app_found[0] != '\0')
		buf_put_fmt(b, "app_id = %s\n", in->app_found);
	buf_put_fmt(b, "business_id = %s\nnumbers =", in->waba_found);
	for (size_t i = 0; i < in->number_count; i++)
		buf_put_fmt(b, " %s", in->numbers[i].id);
	buf_put_fmt(b, "\nbase_url = %s\nversion = %s\n", in->base_url, in->version);
	for (size_t i = 0; i < SECRETS; i++) {
		init_secret_path(in, secret_names[i], path);
		buf_put_fmt(b, "%s_file = %s%s\n", secret_names[i], path, beside ? ".new" : "");
	}
}

static gw_status put_config(const struct init *in, bool beside, const char *path,
			    struct gw_error *err)
{
	char data[INIT_PATH_MAX];
	struct buf whole, *b = &whole;
	gw_status st;

	buf_init(b, CONFIG_BYTES);
	buf_put_text(b, "# made by `godwit init`; what every key means: man godwit.conf\n");
	if (in->data != NULL && given_path(in->data, data))
		buf_put_fmt(b, "data = %s\n", data);
	if (in->public_url != NULL)
		buf_put_fmt(b, "public.url = %s\n", in->public_url);
	for (size_t i = 0; i < in->set.count; i++) {
		struct str value = str_from(in->set.items[i]), key;

		(void)str_split(&value, '=', &key);
		buf_put_fmt(b, "%.*s = %.*s\n", STR_ARG(str_trim(key)), STR_ARG(str_trim(value)));
	}
	put_account(in, beside, b);
	st = buf_failed(b) ? gw_error_set(err, GW_ELIMIT, "the configuration is too long")
			   : write_file(path, buf_str(b), err);
	buf_release(b);
	return st;
}

/* The new one beside its place, read as the gateway will read it. */
static int check(struct init *in, const char *path)
{
	struct gw_error err = GW_ERROR_INIT;

	if (config_load(path, NULL, 0, &in->config, &err) == GW_OK)
		return EXIT_OK;
	if (in->config != NULL && config_problem_count(in->config) > 0)
		return config_refuse(in->cli, in->config);
	return cli_failf(in->cli, EXIT_USAGE, NULL, "%s", err.message);
}

/* ".before-20261126T141500Z" */
static void stamp(char out[32])
{
	time_t now = (time_t)(clock_real_wall_ms() / 1000);
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)snprintf(out, 32, ".before-%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* inv. 2; what is there already under that name is of this very second and stays. */
static gw_status keep_old(const char *path, const char *suffix, char kept[INIT_PATH_MAX],
			  struct gw_error *err)
{
	kept[0] = '\0';
	if (access(path, F_OK) != 0)
		return GW_OK;
	if (snprintf(kept, INIT_PATH_MAX, "%s%s", path, suffix) >= INIT_PATH_MAX)
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", path);
	if (link(path, kept) != 0 && errno != EEXIST)
		return gw_error_sys(err, GW_EIO, "cannot keep %s as %s", path, kept);
	return GW_OK;
}

static gw_status put_in_place(const char *path, struct gw_error *err)
{
	char beside[INIT_PATH_MAX + 8];

	new_path(path, beside);
	if (rename(beside, path) != 0)
		return gw_error_sys(err, GW_EIO, "cannot put %s in its place", path);
	return GW_OK;
}

/* The secrets, then the configuration that names them. */
static gw_status exchange(struct init *in, struct gw_error *err)
{
	char path[INIT_PATH_MAX], kept[INIT_PATH_MAX], suffix[32];
	gw_status st;

	stamp(suffix);
	st = keep_old(in->path, suffix, in->kept, err);
	for (size_t i = 0; i < SECRETS && st == GW_OK; i++) {
		init_secret_path(in, secret_names[i], path);
		st = keep_old(path, suffix, kept, err);
		if (st == GW_OK)
			st = put_in_place(path, err);
	}
	return st == GW_OK ? put_config(in, false, in->path, err) : st; /* synced, by a rename */
}

static void clear_away(const struct init *in, const char *config)
{
	char path[INIT_PATH_MAX], beside[INIT_PATH_MAX + 8];

	(void)unlink(config); /* any of them may not be there */
	for (size_t i = 0; i < SECRETS; i++) {
		init_secret_path(in, secret_names[i], path);
		new_path(path, beside);
		(void)unlink(beside);
	}
}

int init_write(struct init *in)
{
	struct gw_error err = GW_ERROR_INIT;
	char beside[INIT_PATH_MAX + 8];
	int code = EXIT_OK;
	gw_status st;

	new_path(in->path, beside);
	st = write_secrets(in, &err);
	if (st == GW_OK)
		st = put_config(in, true, beside, &err);
	if (st == GW_OK)
		code = check(in, beside); /* inv. 1 */
	if (st == GW_OK && code == EXIT_OK)
		st = exchange(in, &err);
	clear_away(in, beside);
	return st == GW_OK ? code : cli_failf(in->cli, EXIT_FAILED, NULL, "%s", err.message);
}
