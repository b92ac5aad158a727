/* SPDX-License-Identifier: MIT */
/*
 * sqlite_secret.c - secrets in the database, sealed with a key that is not in it
 *
 * INVARIANTS  1. After secrets_open() every secret is sealed with the present key, and what was
 *                rewritten is in neither database nor WAL (secure_delete, a checkpoint).  What
 *                was freed before may stand in free pages.
 *             2. A key is on disk before anything is sealed with it.
 *             3. A key is never made where something sealed is there already.
 * FAILURE     A key that is missing or wrong is refused at the start; nothing is changed then.
 * THREADS     secrets_open(): the opener's; the rest: any
 * TESTS       tests/unit/test_store_open.c, tests/system/test_secrets.py
 */
#include "store/sqlite_secret.h"

#include "base/hexb64.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include "store/sqlite_int.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN 0x00
#define SEALED 0x01
#define WHAT_MAX 640
#define TOKEN_KEY_BYTES 32

/* Every place of a secret: row, owner, blob. */
static const struct place {
	const char *column, *select, *update;
} places[] = {
#define ACCOUNT(name)                                               \
	{ "account." name, "SELECT row,name," name " FROM account", \
	  "UPDATE account SET " name "=?2 WHERE row=?1" },
	ACCOUNT("app_secret") ACCOUNT("app_secret_previous") ACCOUNT("verify_token")
		ACCOUNT("token")
#undef ACCOUNT
			{ "destination.secret", "SELECT row,id,secret FROM destination",
			  "UPDATE destination SET secret=?2 WHERE row=?1" },
	{ "destination.secret_previous", "SELECT row,id,secret_previous FROM destination",
	  "UPDATE destination SET secret_previous=?2 WHERE row=?1" },
	{ "setting.value", "SELECT 0,name,value FROM setting WHERE name='token_key'",
	  "UPDATE setting SET value=?2 WHERE name='token_key' AND ?1=0" },
};

/* ---- one secret ---- */

static bool put_what(const char *column, struct str owner, char out[WHAT_MAX], struct str *what)
{
	size_t n = strlen(column);

	if (n + 1 + owner.len > WHAT_MAX)
		return false;
	memcpy(out, column, n);
	out[n++] = ':';
	if (owner.len > 0)
		memcpy(out + n, owner.ptr, owner.len);
	*what = str_make(out, n + owner.len);
	return true;
}

bool secret_seal(const struct keyring *k, struct rnd *r, const char *column, struct str owner,
		 struct str secret, struct sealed *out)
{
	char text[WHAT_MAX];
	struct str what;

	out->len = 0;
	if (secret.len > SECRET_MAX || !put_what(column, owner, text, &what))
		return false;
	if (secret.len == 0)
		return true;
	out->bytes[0] = SEALED;
	seal_put(k->now, r, what, secret, out->bytes + 1);
	out->len = 1 + secret.len + SEAL_OVERHEAD;
	return true;
}

static bool unseal(const unsigned char *key, const char *column, struct str owner, struct str blob,
		   struct secret *out)
{
	unsigned char plain[SECRET_MAX + SEAL_OVERHEAD];
	char text[WHAT_MAX];
	struct str what;
	size_t len = 0;
	bool ok;

	if (blob.len < 1 || blob.ptr[0] != SEALED || blob.len > 1 + sizeof(plain) ||
	    !put_what(column, owner, text, &what))
		return false;
	ok = seal_open(key, what, str_slice(blob, 1, blob.len), plain, &len);
	if (ok)
		secret_set(out, str_make((const char *)plain, len));
	explicit_bzero(plain, sizeof(plain));
	return ok;
}

bool secret_unseal(const struct keyring *k, const char *column, struct str owner, struct str blob,
		   struct secret *out)
{
	return blob.len == 0 || unseal(k->now, column, owner, blob, out);
}

/* As an earlier start left it: plain, or sealed with the key before. */
static bool open_old(const struct keyring *k, const struct place *p, struct str owner,
		     struct str blob, struct secret *out)
{
	if (strcmp(p->column, "setting.value") == 0 && blob.len == TOKEN_KEY_BYTES) {
		secret_set(out, blob); /* it had no version byte */
		return true;
	}
	if (blob.len >= 1 && blob.ptr[0] == PLAIN && blob.len - 1 <= SECRET_MAX) {
		secret_set(out, str_slice(blob, 1, blob.len));
		return true;
	}
	return k->has_before && unseal(k->before, p->column, owner, blob, out);
}

/* ---- the key ---- */

static gw_status read_key(const char *path, unsigned char out[SEAL_KEY_BYTES], struct gw_error *err)
{
	struct secret text = { .len = 0 };
	gw_status st = secret_load(path, &text, err);
	struct stat info;

	if (st == GW_OK && stat(path, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH)) != 0)
		st = gw_error_set(err, GW_EAUTH, "%s is open to everybody: chmod 600 %s", path,
				  path);
	if (st == GW_OK &&
	    !hex_decode(str_make((const char *)text.bytes, text.len), out, SEAL_KEY_BYTES))
		st = gw_error_set(err, GW_EPARSE,
				  "%s: want 64 hexadecimal digits (openssl rand -hex 32)", path);
	secret_release(&text);
	return st;
}

static gw_status make_key(const char *path, struct rnd *r, unsigned char out[SEAL_KEY_BYTES],
			  const struct log *log, struct gw_error *err)
{
	char text[2 * SEAL_KEY_BYTES + 2];
	gw_status st;

	rnd_bytes(r, out, SEAL_KEY_BYTES);
	hex_encode(out, SEAL_KEY_BYTES, text);
	text[2 * SEAL_KEY_BYTES] = '\n';
	st = sys_write_file(path, str_make(text, sizeof(text) - 1), 0600, err); /* inv. 2 */
	explicit_bzero(text, sizeof(text));
	if (st == GW_OK)
		log_info(log, "store: made %s, the key of the secrets in the database: keep a copy",
			 path);
	return st;
}

/* ---- all of them ---- */

struct walk {
	struct keyring *k;
	sqlite3 *db;
	struct rnd *r;
	size_t old; /* plain, or sealed with the key before */
	const char *lost; /* the column of one that does not open */
};

static gw_status renew_one(struct walk *w, sqlite3_stmt *update, const struct place *p, int64_t row,
			   struct str owner, const struct secret *s)
{
	struct str plain = str_make((const char *)s->bytes, s->len);
	struct sealed sealed;

	if (!secret_seal(w->k, w->r, p->column, owner, plain, &sealed))
		return GW_ELIMIT;
	if (sqlite3_bind_int64(update, 1, row) != SQLITE_OK ||
	    sqlite3_bind_blob(update, 2, sealed.bytes, (int)sealed.len, SQLITE_TRANSIENT) !=
		    SQLITE_OK ||
	    sqlite3_step(update) != SQLITE_DONE || sqlite3_reset(update) != SQLITE_OK)
		return GW_EIO;
	return GW_OK;
}

/* changes: seal anew; else only look. */
static gw_status walk_rows(struct walk *w, const struct place *p, sqlite3_stmt *rows,
			   sqlite3_stmt *update)
{
	int rc;

	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		struct cols c = { rows, 0 };
		int64_t row = col_i64(&c);
		struct str owner = col_str(&c), blob = col_str(&c);
		struct secret s = { .len = 0 };
		gw_status st = GW_OK;

		if (blob.len == 0)
			continue;
		if (secret_unseal(w->k, p->column, owner, blob, &s)) {
			secret_release(&s);
			continue;
		}
		w->old++;
		if (!open_old(w->k, p, owner, blob, &s)) {
			w->lost = p->column;
			st = GW_EAUTH;
		} else if (update != NULL) {
			st = renew_one(w, update, p, row, owner, &s);
		}
		secret_release(&s);
		if (st != GW_OK)
			return st;
	}
	return rc == SQLITE_DONE ? GW_OK : GW_EIO;
}

static gw_status walk_all(struct walk *w, bool changes)
{
	gw_status st = GW_OK;

	for (size_t i = 0; i < ARRAY_LEN(places) && st == GW_OK; i++) {
		sqlite3_stmt *rows = NULL, *update = NULL;

		if (sqlite3_prepare_v2(w->db, places[i].select, -1, &rows, NULL) != SQLITE_OK ||
		    (changes &&
		     sqlite3_prepare_v2(w->db, places[i].update, -1, &update, NULL) != SQLITE_OK))
			st = GW_EIO;
		else
			st = walk_rows(w, &places[i], rows, update);
		(void)sqlite3_finalize(rows); /* these repeat the error of the step */
		(void)sqlite3_finalize(update);
	}
	return st;
}

/* Is anything there that a key sealed? */
static gw_status any_sealed(sqlite3 *db, bool *out)
{
	gw_status st = GW_OK;

	*out = false;
	for (size_t i = 0; i < ARRAY_LEN(places) && st == GW_OK; i++) {
		sqlite3_stmt *rows = NULL;
		int rc = sqlite3_prepare_v2(db, places[i].select, -1, &rows, NULL);

		while (rc == SQLITE_OK || rc == SQLITE_ROW) {
			rc = sqlite3_step(rows);
			if (rc == SQLITE_ROW) {
				struct str blob = col_str(&(struct cols){ rows, 2 });

				*out = *out ||
				       (blob.len > SEAL_OVERHEAD + 1 &&
					blob.len != TOKEN_KEY_BYTES && blob.ptr[0] == SEALED);
			}
		}
		(void)sqlite3_finalize(rows); /* repeats the error of the step */
		if (rc != SQLITE_DONE)
			st = GW_EIO;
	}
	return st;
}

static gw_status load_keys(struct keyring *k, sqlite3 *db, const char *key_file,
			   const char *previous_file, struct rnd *r, const struct log *log,
			   struct gw_error *err)
{
	gw_status st = GW_OK;
	bool sealed = false;

	if (access(key_file, F_OK) != 0 && errno == ENOENT) {
		st = any_sealed(db, &sealed);
		if (st != GW_OK)
			return gw_error_set(err, st, "cannot read the database: %s",
					    sqlite3_errmsg(db));
		if (sealed) /* inv. 3 */
			return gw_error_set(err, GW_EAUTH,
					    "the secrets in godwit.db are sealed, and there is no "
					    "%s: put the key there (secrets.key_file)",
					    key_file);
		st = make_key(key_file, r, k->now, log, err);
	} else {
		st = read_key(key_file, k->now, err);
	}
	if (st == GW_OK && previous_file != NULL && previous_file[0] != '\0') {
		st = read_key(previous_file, k->before, err);
		k->has_before = st == GW_OK;
	}
	return st;
}

/* inv. 1 */
static gw_status renew(struct walk *w)
{
	gw_status st = GW_EIO;

	if (sqlite3_exec(w->db, "PRAGMA secure_delete=ON;BEGIN IMMEDIATE", NULL, NULL, NULL) ==
	    SQLITE_OK)
		st = walk_all(w, true);
	if (st == GW_OK && sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		st = GW_EIO;
	if (st != GW_OK) {
		(void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL); /* there may be none */
		return st;
	}
	if (sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
	    SQLITE_OK)
		return GW_EIO;
	return GW_OK;
}

gw_status secrets_open(struct keyring *k, sqlite3 *db, const char *key_file,
		       const char *previous_file, struct rnd *r, const struct log *log,
		       struct gw_error *err)
{
	struct walk w = { .k = k, .db = db, .r = r };
	gw_status st = load_keys(k, db, key_file, previous_file, r, log, err);

	if (st != GW_OK)
		return st;
	st = walk_all(&w, false);
	if (st == GW_OK && w.old > 0)
		st = renew(&w);
	if (st == GW_EAUTH)
		return gw_error_set(
			err, st,
			"%s does not open with %s: put the key in its place that sealed "
			"it, or name that one in secrets.previous_key_file",
			w.lost, key_file);
	if (st != GW_OK)
		return gw_error_set(err, st, "cannot seal the secrets: %s", sqlite3_errmsg(db));
	if (w.old > 0)
		log_info(log, "store: every secret is sealed with %s now", key_file);
	return GW_OK;
}
