/* SPDX-License-Identifier: MIT */
/*
 * vfs_fault.c - the disk of test builds: SQLite's own, whose writes and syncs can be made to fail
 *
 * Fault points "vfs.sync" and "vfs.write" (base/fault.h) count over all files of the store.  Every
 * other call goes straight through.
 * THREADS  any; the registration is made once and never changed
 * TESTS    tests/unit/test_store_fault.c
 */
#include "store/sqlite_int.h"

#ifdef GW_FAULTS

#include "base/fault.h"
#include "base/mem.h"

struct file {
	sqlite3_file base;
	/* the real one follows, aligned as sqlite3_file is */
};

static sqlite3_file *real(sqlite3_file *f)
{
	return (sqlite3_file *)(void *)((struct file *)(void *)f + 1);
}

static int on_close(sqlite3_file *f)
{
	return real(f)->pMethods->xClose(real(f));
}
static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return real(f)->pMethods->xRead(real(f), to, n, at);
}
static int on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	if (FAULT("vfs.write"))
		return SQLITE_IOERR_WRITE;
	return real(f)->pMethods->xWrite(real(f), from, n, at);
}
static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return real(f)->pMethods->xTruncate(real(f), size);
}
static int on_sync(sqlite3_file *f, int flags)
{
	if (FAULT("vfs.sync"))
		return SQLITE_IOERR_FSYNC;
	return real(f)->pMethods->xSync(real(f), flags);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *out)
{
	return real(f)->pMethods->xFileSize(real(f), out);
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
	int rc;

	real(f)->pMethods = NULL;
	rc = unix_vfs->xOpen(unix_vfs, name, real(f), flags, out_flags);
	f->pMethods = real(f)->pMethods == NULL ? NULL : &methods;
	return rc;
}

/* The table lives in SQLite's list as long as the process. */
void vfs_fault_register(void)
{
	sqlite3_vfs *unix_vfs, *vfs;

	if (sqlite3_vfs_find(STORE_VFS) != NULL)
		return;
	unix_vfs = sqlite3_vfs_find(NULL);
	ASSERT(unix_vfs != NULL);
	vfs = xmalloc(sizeof(*vfs));
	*vfs = *unix_vfs;
	vfs->zName = STORE_VFS;
	vfs->pNext = NULL;
	vfs->szOsFile = (int)sizeof(struct file) + unix_vfs->szOsFile;
	vfs->pAppData = unix_vfs;
	vfs->xOpen = on_open;
	if (sqlite3_vfs_register(vfs, 0) != SQLITE_OK)
		PANIC("cannot register the test disk");
}

#else
typedef int vfs_fault_is_empty; /* a file of C holds something */
#endif
