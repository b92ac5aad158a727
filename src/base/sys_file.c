/* SPDX-License-Identifier: MIT */
/*
 * sys_file.c - files, folders, the lock and the socket's folder
 *
 * FAILURE     The path and errno are in err, and the disk is as it was: a
 *             failed or interrupted sys_write_file() leaves the old file.
 *             A kill in the middle can leave "<path>.XXXXXX" behind.
 * FAULTS      file.read file.write file.sync file.rename
 * THREADS     any
 * TESTS       tests/unit/test_sys_file.c
 */
#include "base/sys_file.h"

#include "base/fault.h"
#include "base/panic.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_STEP 65536
#define WALK_FDS 16 /* descriptors that nftw() may hold open; deeper ones are reopened */

static ssize_t read_some(int fd, void *out, size_t len)
{
	ssize_t n;

	if (FAULT("file.read"))
		return -1;
	do
		n = read(fd, out, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Everything from fd behind what is in b; sizes of /proc files say 0, so none is asked for. */
static gw_status read_rest(int fd, const char *path, struct buf *b, struct gw_error *err)
{
	char extra;
	char *place;
	size_t want;
	ssize_t n;

	do {
		want = b->max - b->len < READ_STEP ? b->max - b->len : READ_STEP;
		place = want == 0 ? &extra : buf_room(b, want);
		if (place == NULL)
			return gw_error_set(err, GW_ENOMEM, "no memory to read %s", path);
		n = read_some(fd, place, want == 0 ? 1 : want);
		if (want > 0)
			buf_grew(b, n > 0 ? (size_t)n : 0);
		if (n < 0)
			return gw_error_sys(err, GW_EIO, "cannot read %s", path);
		if (n > 0 && want == 0)
			return gw_error_set(err, GW_ELIMIT, "%s: larger than %zu bytes", path,
					    b->max);
	} while (n > 0);
	return GW_OK;
}

gw_status sys_read_file(const char *path, struct buf *b, struct gw_error *err)
{
	size_t before = b->len;
	gw_status st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gw_error_sys(err, errno == ENOENT ? GW_ENOTFOUND : GW_EIO, "cannot open %s",
				    path);
	st = read_rest(fd, path, b, err);
	if (st != GW_OK && !buf_failed(b))
		buf_cut(b, before);
	(void)close(fd); /* read-only: nothing left to lose */
	return st;
}

static bool write_all(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = FAULT("file.write") ? -1 : write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes = str_slice(bytes, (size_t)n, bytes.len);
	}
	return true;
}

/* Make the entries of the folder that holds `path` durable. */
static bool sync_parent(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct str name = str_make(path, slash == NULL ? 0 : (size_t)(slash - path));
	bool ok;
	int fd;

	if (name.len == 0)
		name = slash == NULL ? STR(".") : STR("/");
	if (!str_copy(name, folder, sizeof(folder))) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	if (close(fd) != 0)
		ok = false;
	return ok;
}

/* The new file, complete and on disk, under its temporary name. */
static gw_status write_temp(const char *temp, int fd, struct str bytes, unsigned mode,
			    struct gw_error *err)
{
	bool ok;

	if (fchmod(fd, (mode_t)mode) != 0)
		ok = false;
	else
		ok = write_all(fd, bytes) && !FAULT("file.sync") && fsync(fd) == 0;
	if (!ok) {
		gw_status st = gw_error_sys(err, GW_EIO, "cannot write %s", temp);

		(void)close(fd); /* the first failure is the one to tell */
		return st;
	}
	if (close(fd) != 0)
		return gw_error_sys(err, GW_EIO, "cannot write %s", temp);
	return GW_OK;
}

gw_status sys_write_file(const char *path, struct str bytes, unsigned mode, struct gw_error *err)
{
	char temp[PATH_MAX];
	gw_status st;
	int n, fd;

	n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(temp))
		return gw_error_set(err, GW_ELIMIT, "%.64s...: path longer than %d bytes", path,
				    PATH_MAX - 1);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot create %s", temp);
	st = write_temp(temp, fd, bytes, mode, err);
	if (st == GW_OK && (FAULT("file.rename") || rename(temp, path) != 0))
		st = gw_error_sys(err, GW_EIO, "cannot rename %s to %s", temp, path);
	if (st != GW_OK) {
		(void)unlink(temp); /* already failing; a left-over is harmless */
		return st;
	}
	if (!sync_parent(path))
		return gw_error_sys(err, GW_EIO, "cannot sync the folder of %s", path);
	return GW_OK;
}

/* One folder whose parent is there. */
static bool make_one(const char *path)
{
	struct stat info;

	if (mkdir(path, 0700) == 0)
		return sync_parent(path);
	if (errno != EEXIST || stat(path, &info) != 0)
		return false;
	if (S_ISDIR(info.st_mode))
		return true;
	errno = ENOTDIR;
	return false;
}

gw_status sys_make_dir(const char *path, struct gw_error *err)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0)
		return gw_error_set(err, GW_EARG, "cannot make a folder without a name");
	if (len >= sizeof(part))
		return gw_error_set(err, GW_ELIMIT, "%.64s...: path longer than %d bytes", path,
				    PATH_MAX - 1);
	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		(void)str_copy(str_make(path, i), part, sizeof(part)); /* fits: checked above */
		if (!make_one(part))
			return gw_error_sys(err, GW_EIO, "cannot make the folder %s", part);
	}
	return GW_OK;
}

/* Who wrote its number into the lock file; 0 when nobody has yet. */
static uint32_t lock_owner(int fd)
{
	char text[24];
	uint32_t pid;
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n <= 0 || !str_to_u32(str_trim(str_make(text, (size_t)n)), &pid))
		return 0;
	return pid;
}

static gw_status lock_refused(const char *path, int fd, struct gw_error *err)
{
	uint32_t pid;

	if (errno != EWOULDBLOCK)
		return gw_error_sys(err, GW_EIO, "cannot lock %s", path);
	pid = lock_owner(fd);
	if (pid == 0)
		return gw_error_set(err, GW_EBUSY, "%s is locked by another process", path);
	return gw_error_set(err, GW_EBUSY, "%s is locked by process %u", path, (unsigned)pid);
}

gw_status sys_lock_file(const char *path, int *out_fd, struct gw_error *err)
{
	char text[24];
	gw_status st;
	int n, fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		st = lock_refused(path, fd, err);
		goto fail;
	}
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		st = gw_error_sys(err, GW_EIO, "cannot write %s", path);
		goto fail;
	}
	*out_fd = fd;
	return GW_OK;
fail:
	(void)close(fd); /* nothing of ours is in it */
	return st;
}

int64_t sys_disk_free(const char *path)
{
	struct statvfs info;
	uint64_t bytes;

	if (statvfs(path, &info) != 0)
		return -1;
	if (__builtin_mul_overflow((uint64_t)info.f_bavail, (uint64_t)info.f_frsize, &bytes) ||
	    bytes > INT64_MAX)
		return INT64_MAX;
	return (int64_t)bytes;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

gw_status sys_remove_dir(const char *path, struct gw_error *err)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return gw_error_sys(err, errno == ENOENT ? GW_ENOTFOUND : GW_EIO,
				    "cannot remove %s", path);
	if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid())
		return gw_error_set(err, GW_ESTATE, "%s is not a folder of ours", path);
	if (nftw(path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return gw_error_sys(err, GW_EIO, "cannot remove %s", path);
	return GW_OK;
}

/* $XDG_RUNTIME_DIR when it is what its specification wants: absolute, there, ours. */
static const char *runtime_dir(void)
{
	const char *path = getenv("XDG_RUNTIME_DIR");
	struct stat info;

	if (path == NULL || path[0] != '/' || stat(path, &info) != 0 || !S_ISDIR(info.st_mode) ||
	    info.st_uid != geteuid())
		return NULL;
	return path;
}

gw_status sys_default_socket(char *out, size_t cap, struct gw_error *err)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof("/sock") + 1];
	const char *base = runtime_dir();
	const char *temp = getenv("TMPDIR");
	const char *service = getenv("RUNTIME_DIRECTORY"); /* systemd.exec(5) */
	struct stat info;
	gw_status st;
	int n;

	if (service != NULL && service[0] == '/') {
		if (snprintf(out, cap, "%s/sock", service) < (int)cap)
			return GW_OK; /* the service manager made it, and as it should be */
		return gw_error_set(err, GW_ELIMIT, "%.64s: too long for the path of a socket",
				    service);
	}
	if (base != NULL) {
		n = snprintf(folder, sizeof(folder), "%s/godwit", base);
	} else {
		base = temp != NULL && temp[0] == '/' ? temp : "/tmp";
		n = snprintf(folder, sizeof(folder), "%s/godwit-%u", base, (unsigned)geteuid());
	}
	if (n < 0 || (size_t)n >= sizeof(folder) || (size_t)n + sizeof("/sock") > cap)
		return gw_error_set(err, GW_ELIMIT, "%.64s: too long for the path of a socket",
				    base);
	st = sys_make_dir(folder, err);
	if (st != GW_OK)
		return st;
	if (lstat(folder, &info) != 0)
		return gw_error_sys(err, GW_EIO, "cannot look at %s", folder);
	if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid())
		return gw_error_set(err, GW_EAUTH, "%s is not a folder of ours: remove it", folder);
	if ((info.st_mode & 077) != 0)
		return gw_error_set(err, GW_EAUTH, "%s is open to others: chmod 700 %s", folder,
				    folder);
	(void)snprintf(out, cap, "%s/sock", folder); /* fits: checked above */
	return GW_OK;
}

int64_t sys_rss_bytes(void)
{
	struct str fields, field;
	struct buf b;
	int64_t pages = 0;

	buf_init(&b, 256);
	if (sys_read_file("/proc/self/statm", &b, NULL) == GW_OK) {
		fields = buf_str(&b);
		if (!str_split(&fields, ' ', &field) || !str_split(&fields, ' ', &field) ||
		    !str_to_i64(field, &pages))
			pages = 0;
	}
	buf_release(&b);
	return pages * sysconf(_SC_PAGESIZE);
}

int64_t sys_cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		PANIC("getrusage failed: %s", strerror(errno));
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}
