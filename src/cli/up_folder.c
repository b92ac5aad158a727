/* SPDX-License-Identifier: MIT */
/*
 * up_folder.c - what `godwit up` keeps on disk
 *
 *   DIR/app_secret verify_token token key   0600, random
 *   DIR/godwit.conf                         composed at every start
 *   DIR/data/                               the gateway's
 *   DIR/gateway.log sandbox.log             the children's standard error
 *   DIR/sock                                only when the user's own socket is taken
 */
#include "cli/up_folder.h"
#include "base/id.h"
#include "base/rnd.h"
#include "base/sys_file.h"
#include "sandbox/sandbox.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET_BYTES 20
#define SECRET_TEXT_MAX 64
#define CONFIG_MAX 8192

static void join(const struct up_folder *f, const char *name, char out[UP_PATH_MAX])
{
	(void)snprintf(out, UP_PATH_MAX, "%s/%s", f->dir, name);
}

/* A random word in a file of its own, unless the file is there. */
static gw_status make_secret(const char *path, struct rnd *r, struct gw_error *err)
{
	unsigned char raw[SECRET_BYTES];
	char text[SECRET_TEXT_MAX];
	gw_status st;
	size_t len;

	if (access(path, F_OK) == 0)
		return GW_OK;
	rnd_bytes(r, raw, sizeof(raw));
	len = base32_encode(raw, sizeof(raw), text);
	st = sys_write_file(path, str_make(text, len), 0600, err);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	return st;
}

static gw_status make_dir(struct up_folder *f, const char *dir, struct gw_error *err)
{
	const char *tmp = getenv("TMPDIR");

	f->is_ours = dir == NULL;
	if (dir != NULL) {
		char full[4096];

		if (sys_make_dir(dir, err) != GW_OK)
			return GW_EIO;
		if (realpath(dir, full) == NULL)
			return gw_error_sys(err, GW_EIO, "cannot look at %s", dir);
		if (!str_copy(str_from(full), f->dir, sizeof(f->dir)))
			return gw_error_set(err, GW_ELIMIT, "%s: the path is too long", dir);
		return GW_OK;
	}
	(void)snprintf(f->dir, sizeof(f->dir), "%s/godwit-up-XXXXXX",
		       tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(f->dir) == NULL) { /* mode 0700 */
		f->is_ours = false;
		return gw_error_sys(err, GW_EIO, "cannot make a folder %s", f->dir);
	}
	return GW_OK;
}

/* Does a gateway of this user listen at the usual place already? */
static bool is_taken(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool taken;

	if (fd < 0 || !str_copy(str_from(path), a.sun_path, sizeof(a.sun_path))) {
		if (fd >= 0)
			(void)close(fd);
		return true;
	}
	taken = connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
	(void)close(fd);
	return taken;
}

gw_status up_folder_open(struct up_folder *f, const char *dir, struct gw_error *err)
{
	struct rnd r;
	gw_status st;

	memset(f, 0, sizeof(*f));
	st = make_dir(f, dir, err);
	if (st != GW_OK)
		return st;
	join(f, "data", f->data);
	join(f, "godwit.conf", f->config);
	join(f, "app_secret", f->app_secret);
	join(f, "verify_token", f->verify_token);
	join(f, "token", f->token);
	join(f, "key", f->key);
	join(f, "gateway.log", f->gateway_log);
	join(f, "sandbox.log", f->sandbox_log);
	if (sys_default_socket(f->socket, sizeof(f->socket), NULL) != GW_OK || is_taken(f->socket))
		join(f, "sock", f->socket);
	rnd_init_system(&r);
	st = make_secret(f->app_secret, &r, err);
	if (st == GW_OK)
		st = make_secret(f->verify_token, &r, err);
	if (st == GW_OK)
		st = make_secret(f->token, &r, err);
	return st;
}

gw_status up_folder_configure(struct up_folder *f, const char *listen, const char *sandbox,
			      struct gw_error *err)
{
	struct buf b;
	gw_status st;

	buf_init(&b, CONFIG_MAX);
	buf_put_text(&b, "# made by `godwit up` at every start\n");
	buf_put_fmt(&b, "data = %s\nprofile = sandbox\nclock.follow = %s\n", f->data, sandbox);
	buf_put_fmt(&b, "listen.public = %s\nlisten.api = %s\nlisten.local = %s\n", listen, listen,
		    f->socket);
	/* endpoints under development live on this machine (design.md section 7 rule 6) */
	buf_put_text(&b, "egress.allow = 127.0.0.0/8 ::1/128\n");
	/* throw-away data needs no reserve, and Ctrl-C no patience */
	buf_put_text(&b, "store.disk_min = 16M\ndrain.grace = 5s\n\n[account sandbox]\n");
	buf_put_fmt(&b, "app_id = %s\nbusiness_id = %s\nnumbers = %s\nbase_url = %s\n",
		    SANDBOX_APP_ID, SANDBOX_WABA_ID, SANDBOX_NUMBER_ID, sandbox);
	buf_put_fmt(&b, "app_secret_file = %s\nverify_token_file = %s\ntoken_file = %s\n",
		    f->app_secret, f->verify_token, f->token);
	if (buf_failed(&b))
		st = gw_error_set(err, GW_ELIMIT, "the paths of %s are too long", f->dir);
	else
		st = sys_write_file(f->config, buf_str(&b), 0600, err);
	buf_release(&b);
	return st;
}

void up_folder_close(struct up_folder *f)
{
	struct gw_error err = GW_ERROR_INIT;

	if (f->is_ours && sys_remove_dir(f->dir, &err) != GW_OK)
		(void)fprintf(stderr, "godwit: %s\n", err.message);
	f->is_ours = false;
}
