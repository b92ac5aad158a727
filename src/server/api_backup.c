/* SPDX-License-Identifier: MIT */
/*
 * api_backup.c - /api/v1/backup: a copy of the database while it is used, and how far it is
 *
 * ROLE        Names the copy and hands it to the store, which copies between its commits.
 * INVARIANTS  1. Only the local socket may say where the copy goes: a key does not make the
 *                gateway write to a path of the caller's.
 * LIMITS      One copy at a time, others wait (sqlite_backup.c).
 * THREADS     The loop's.
 * TESTS       tests/system/test_db.py
 */
#include "base/mem.h"
#include "base/sys_file.h"
#include "server/api.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#define LIST_BYTES (1U << 20)

struct backup_call {
	struct store_backup b;
	struct backup_call *next; /* of server->backups */
	struct server *server;
	struct http_call *call;
	int64_t started_ns;
	char path[PATH_MAX];
};

static void remember(struct backup_call *c)
{
	struct backup_call **at = &c->server->backups;

	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
}

static void forget(struct backup_call *c)
{
	struct backup_call **at = &c->server->backups;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

static void on_copied(struct store_req *req)
{
	struct backup_call *c = CONTAINER_OF(req, struct backup_call, b.req);
	int64_t ms = (clock_real_ns() - c->started_ns) / NS_PER_MS;
	struct json_writer w;
	struct stat info;
	struct buf b;

	if (req->status != GW_OK) {
		log_error(&c->server->log, "backup: %s", c->b.error.message);
		api_error(c->call, req->status == GW_ESTATE ? 409 : 503,
			  req->status == GW_ESTATE ? "state" : "unavailable", "backup",
			  "no backup was made: %s", c->b.error.message);
		forget(c);
		return;
	}
	log_info(&c->server->log, "backup: %s in %lld ms", c->path, (long long)ms);
	buf_init(&b, 2 * PATH_MAX * 6);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "file", c->path);
	json_w_kv_i64(&w, "bytes", stat(c->path, &info) == 0 ? (int64_t)info.st_size : 0);
	json_w_kv_i64(&w, "ms", ms);
	json_w_end(&w);
	api_reply(c->call, 200, &b);
	forget(c);
}

/* <data>/backup/godwit-20261126T013000.123Z.db */
static gw_status default_path(const struct server *s, char out[PATH_MAX], struct gw_error *err)
{
	int64_t now_ms = clock_wall_ms(&s->clock);
	time_t now_s = (time_t)(now_ms / 1000);
	char folder[PATH_MAX], stamp[32];
	struct tm tm;

	(void)gmtime_r(&now_s, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
	if (snprintf(folder, sizeof(folder), "%s/backup", s->cfg->data_dir) >=
		    (int)sizeof(folder) ||
	    snprintf(out, PATH_MAX, "%s/godwit-%s.%03dZ.db", folder, stamp, (int)(now_ms % 1000)) >=
		    PATH_MAX)
		return gw_error_set(err, GW_ELIMIT, "%s is too long a path", s->cfg->data_dir);
	return sys_make_dir(folder, err);
}

/* False: answered. */
static bool choose_path(struct api_request *r, struct str wish, char out[PATH_MAX])
{
	struct gw_error err = GW_ERROR_INIT;

	if (wish.len == 0) {
		if (default_path(r->server, out, &err) == GW_OK)
			return true;
		api_error(r->call, 503, "unavailable", "backup", "no backup was made: %s",
			  err.message);
		return false;
	}
	if (!http_is_local(r->call)) { /* inv. 1 */
		api_error(r->call, 403, "auth", "local_only",
			  "file: only the local socket may choose it; without it the copy goes to "
			  "backup/ in the data folder");
		return false;
	}
	if (wish.ptr[0] == '/' && str_copy(wish, out, PATH_MAX))
		return true;
	api_error(r->call, 400, "usage", "bad_file",
		  "file: want an absolute path of less than %d bytes", PATH_MAX);
	return false;
}

void api_backup(struct api_request *r)
{
	static const struct api_member known[] = { { "file", API_TEXT, PATH_MAX } };
	struct arena *a = arena_new(1U << 20);
	struct str wish = STR_EMPTY;
	struct backup_call *c;
	struct json_val body;

	if (http_body(r->call).len > 0) {
		if (!api_body(r, a, known, ARRAY_LEN(known), &body))
			goto out;
		(void)json_get_str(body, STR("file"), PATH_MAX, &wish);
	}
	c = xcalloc(1, sizeof(*c));
	if (!choose_path(r, wish, c->path)) {
		free(c);
		goto out;
	}
	c->server = r->server;
	c->call = r->call;
	c->started_ns = clock_real_ns();
	c->b.path = c->path;
	c->b.req.op = STORE_BACKUP;
	c->b.req.done = on_copied;
	remember(c);
	store_submit(r->server->store, &c->b.req);
out:
	arena_free(a);
}

static void put_copy(struct json_writer *w, struct backup_call *c)
{
	int64_t total = atomic_load(&c->b.pages_total), done = atomic_load(&c->b.pages_done);

	json_w_object(w);
	json_w_kv_text(w, "file", c->path);
	json_w_kv_text(w, "state", total > 0 ? "copying" : "waiting");
	json_w_key(w, STR("pages"));
	json_w_object(w);
	json_w_kv_i64(w, "done", done < total ? done : total);
	json_w_kv_i64(w, "total", total);
	json_w_end(w);
	json_w_kv_i64(w, "ms", (clock_real_ns() - c->started_ns) / NS_PER_MS);
	json_w_end(w);
}

void api_backup_list(struct api_request *r)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, LIST_BYTES);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	for (struct backup_call *c = r->server->backups; c != NULL; c = c->next)
		put_copy(&w, c);
	json_w_end(&w);
	json_w_end(&w);
	api_reply(r->call, 200, &b);
}
