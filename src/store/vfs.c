/* SPDX-License-Identifier: MIT */
/*
 * vfs.c - SQLite's own file layer, but a commit's pages go to the WAL in one write
 *
 * ROLE        SQLite writes every frame of the WAL in two calls, 24 bytes and the page: about fifty
 *             calls for a commit of ten events.  Here what is written to the WAL end to end is
 *             gathered and handed on as one, at the latest when SQLite syncs (pwrite(2) for an
 *             event: 3.4 before, 0.6 after; docs/decisions).  Every other call goes straight
 *             through.
 * INVARIANTS  1. Gathered bytes are one run of the file.  They are handed on before the file is
 *                synced, read, measured, cut or closed through this handle, so SQLite never sees
 *                a file without them.
 *             2. Nobody else needs them earlier: readers learn of frames from the shared index,
 *                which a commit updates after its sync (synchronous=FULL), and frames that a
 *                transaction spills before its end are read by its own connection only.
 * FAILURE     A write that fails is reported by the call that handed on, as that call's error; to
 *             the store each of them is the end (sqlite_sql.c).  A crash loses what an unsynced
 *             WAL may lose anyway.  In test builds "vfs.sync" and "vfs.write" (base/fault.h) make
 *             what reaches the disk fail, counted over all files of the store.
 * LIMITS      GATHER_MAX bytes for each WAL that is written to
 * THREADS     a file's: its connection's; the registration is made once and never changed
 * TESTS       tests/unit/test_store_vfs.c, tests/unit/test_store_fault.c
 */
#include "store/sqlite_int.h"

#include "base/fault.h"
#include "base/mem.h"

/* 30 frames.  SQLite's own layer writes at most 0x1ffff bytes in a call and, given a multiple of
 * 128 KiB, none at all and "disk full" (seekAndWriteFd in os_unix.c, 3.40). */
#define GATHER_MAX ((size_t)124 * 1024)
#define VFS_NAME "godwit"

struct file {
	sqlite3_file base;
	bool is_wal;
	char *run; /* NULL until the first write */
	size_t len; /* gathered */
	sqlite3_int64 at; /* where it belongs */
	/* the real one follows, aligned as sqlite3_file is */
};

static struct file *ours(sqlite3_file *f)
{
	return (struct file *)(void *)f;
}

static sqlite3_file *real(sqlite3_file *f)
{
	return (sqlite3_file *)(void *)(ours(f) + 1);
}

static int put(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (FAULT("vfs.write"))
		return SQLITE_IOERR_WRITE;
	return real(f)->pMethods->xWrite(real(f), from, n, at);
}

static int hand_on(sqlite3_file *f) /* inv. 1 */
{
	struct file *o = ours(f);
	int len = (int)o->len;

	o->len = 0;
	return len == 0 ? SQLITE_OK : put(f, o->run, len, o->at);
}

static int on_close(sqlite3_file *f)
{
	int handed = hand_on(f), closed = real(f)->pMethods->xClose(real(f));

	free(ours(f)->run);
	ours(f)->run = NULL;
	return handed != SQLITE_OK ? handed : closed;
}
static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	int rc = hand_on(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xRead(real(f), to, n, at);
}
static int on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct file *o = ours(f);
	int rc = SQLITE_OK;

	if (o->len > 0 && (at != o->at + (sqlite3_int64)o->len || o->len + (size_t)n > GATHER_MAX))
		rc = hand_on(f);
	if (rc != SQLITE_OK)
		return rc;
	if (!o->is_wal || (size_t)n > GATHER_MAX)
		return put(f, from, n, at);
	if (o->run == NULL)
		o->run = xmalloc(GATHER_MAX);
	if (o->len == 0)
		o->at = at;
	memcpy(o->run + o->len, from, (size_t)n);
	o->len += (size_t)n;
	return SQLITE_OK;
}
static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = hand_on(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xTruncate(real(f), size);
}
static int on_sync(sqlite3_file *f, int flags)
{
	int rc = hand_on(f);

	if (rc != SQLITE_OK)
		return rc;
	if (FAULT("vfs.sync"))
		return SQLITE_IOERR_FSYNC;
	return real(f)->pMethods->xSync(real(f), flags);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *out)
{
	int rc = hand_on(f);

	return rc != SQLITE_OK ? rc : real(f)->pMethods->xFileSize(real(f), out);
}
static int on_lock(sqlite3_file *f, int how)
{
	return real(f)->pMethods->xLock(real(f), how);
}
static int on_unlock(sqlite3_file *f, int how)
{
	return real(f)->pMethods->xUnlock(real(f), how);
}
static int on_check_lock(sqlite3_file *f, int *out)
{
	return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
static int on_control(sqlite3_file *f, int op, void *arg)
{
	return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int on_sector_size(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}
static int on_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int on_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void on_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}
static int on_shm_unmap(sqlite3_file *f, int remove)
{
	return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
	2, /* with shared memory, without mapped reads: the store uses none */
	on_close,   on_read,     on_write,       on_truncate,  on_sync,        on_size,
	on_lock,    on_unlock,   on_check_lock,  on_control,   on_sector_size, on_device,
	on_shm_map, on_shm_lock, on_shm_barrier, on_shm_unmap, NULL,           NULL,
};

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags,
		   int *out_flags)
{
	sqlite3_vfs *unix_vfs = vfs->pAppData;
	struct file *o = ours(f);
	int rc;

	*o = (struct file){ .is_wal = (flags & SQLITE_OPEN_WAL) != 0 };
	real(f)->pMethods = NULL;
	rc = unix_vfs->xOpen(unix_vfs, name, real(f), flags, out_flags);
	f->pMethods = real(f)->pMethods == NULL ? NULL : &methods;
	return rc;
}

/* The table lives in SQLite's list as long as the process. */
static void register_once(void)
{
	sqlite3_vfs *unix_vfs = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs = xmalloc(sizeof(*vfs));

	ASSERT(unix_vfs != NULL);
	*vfs = *unix_vfs;
	vfs->zName = VFS_NAME;
	vfs->pNext = NULL;
	vfs->szOsFile = (int)sizeof(struct file) + unix_vfs->szOsFile;
	vfs->pAppData = unix_vfs;
	vfs->xOpen = on_open;
	if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK)
		PANIC("cannot register the store's file layer");
}

const char *store_vfs(void)
{
	if (sqlite3_vfs_find(VFS_NAME) == NULL)
		register_once();
	return VFS_NAME;
}
