/* SPDX-License-Identifier: MIT */
/*
 * departures.c - which attempts have begun to leave, as far as a killed process can still tell
 *
 * ROLE        Narrows what a kill leaves unknown from everything that was claimed
 *             (dispatch.c claims ahead) to what may really be at Meta: docs/decisions/023.
 *
 *   departures   head: magic, places, boot of the machine, inode and device of this very file
 *                places: row, try; zeros: free
 *
 * INVARIANTS  1. While the head is valid, every attempt that has left and is sending
 *                in the store has a place.  So: the note precedes the first byte, and
 *                a place is used again only when its try is not sending any more.
 *             2. A new file is made only when nothing is sending that an earlier
 *                process left behind: it has no notes of that.
 *             3. A note that cannot be written takes the file away before anything
 *                leaves; when that fails as well, the process ends.
 *
 * FAILURE     Kill at any point: written is in the kernel's cache, which outlives us.
 *             Power loss: the boot is another, nothing is proven, so no sync is needed.
 * LIMITS      places_of(max): twice what may be under way, as the commit of an
 *             outcome takes time
 * TESTS       tests/unit/test_departures.c, tests/unit/test_outbox_lost.c,
 *             tests/system/test_bulk.py
 */
#include "gateway/departures.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "departures"
#define PATH_BYTES 4096
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_BYTES 40 /* a UUID as text, and zeros */
#define MAGIC UINT64_C(0x31746a64776f6747) /* names the layout, too */
#define PLACES_MIN 64

struct head {
	uint64_t magic, places;
	uint64_t inode, device;
	char boot[BOOT_BYTES];
};

struct place {
	int64_t row; /* 0: free */
	uint64_t try_;
};

struct departures {
	struct departures_options o;
	char path[PATH_BYTES];
	char boot[BOOT_BYTES]; /* empty: unknown */
	int fd; /* -1: no file that could be trusted; with one, the file as it is in `of` */
	bool given_up; /* until the next start */
	struct place *of;
	size_t places, next;
};

static size_t places_of(size_t max)
{
	return max * 2 > PLACES_MIN ? max * 2 : PLACES_MIN;
}

static void read_boot(char out[BOOT_BYTES])
{
	struct gw_error err = GW_ERROR_INIT;
	struct buf b;

	memset(out, 0, BOOT_BYTES);
	buf_init(&b, BOOT_BYTES - 1);
	if (sys_read_file(BOOT_ID, &b, &err) == GW_OK && b.len > 0)
		memcpy(out, b.data, b.len);
	buf_release(&b);
}

static bool make_head(const struct departures *d, int fd, struct head *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->magic = MAGIC;
	out->places = d->places;
	out->inode = st.st_ino;
	out->device = st.st_dev;
	memcpy(out->boot, d->boot, BOOT_BYTES);
	return true;
}

static bool read_at(int fd, void *out, size_t len, off_t at)
{
	return pread(fd, out, len, at) == (ssize_t)len;
}

static bool write_at(int fd, const void *from, size_t len, off_t at)
{
	return pwrite(fd, from, len, at) == (ssize_t)len;
}

/* The notes of an earlier process, when they can be believed. */
static bool read_notes(struct departures *d, int fd)
{
	struct head want, have;
	struct place *of;

	if (d->boot[0] == '\0' || !read_at(fd, &have, sizeof(have), 0))
		return false;
	d->places = have.places;
	if (have.places < PLACES_MIN || have.places > SIZE_MAX / sizeof(*of) / 2 ||
	    !make_head(d, fd, &want) || memcmp(&want, &have, sizeof(want)) != 0)
		return false;
	of = xcalloc(d->places, sizeof(*of));
	if (!read_at(fd, of, d->places * sizeof(*of), (off_t)sizeof(have))) {
		free(of);
		return false;
	}
	d->of = of;
	return true;
}

static void remove_file(const struct departures *d)
{
	if (unlink(d->path) != 0 && errno != ENOENT)
		PANIC("%s can be neither written nor removed: %s", d->path, strerror(errno));
}

struct departures *departures_open(const struct departures_options *o)
{
	struct departures *d = xcalloc(1, sizeof(*d));
	int n;

	d->o = *o;
	d->fd = -1;
	read_boot(d->boot);
	n = snprintf(d->path, sizeof(d->path), "%s/" NAME, o->dir);
	if (n < 0 || (size_t)n >= sizeof(d->path)) {
		d->given_up = true;
		return d;
	}
	d->fd = open(d->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (d->fd >= 0 && (!read_notes(d, d->fd) || d->places < places_of(o->max))) {
		(void)close(d->fd);
		d->fd = -1;
	}
	if (d->fd < 0)
		remove_file(d); /* inv. 1: from here on it would lack notes */
	return d;
}

void departures_close(struct departures *d)
{
	if (d == NULL)
		return;
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d->of);
	free(d);
}

bool departures_prove_absent(const struct departures *d, int64_t row, uint32_t try_)
{
	if (d == NULL || d->fd < 0)
		return false;
	for (size_t i = 0; i < d->places; i++) {
		if (d->of[i].row == row && d->of[i].try_ == try_)
			return false;
	}
	return true;
}

/* inv. 3 */
static void give_up(struct departures *d, const char *what)
{
	log_warn(d->o.log,
		 "%s %s: %s; until the next start a kill leaves unknown whatever was claimed", what,
		 d->path, strerror(errno));
	remove_file(d);
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
	d->given_up = true;
}

/* Whole under another name first: a file with a valid head has all its places. */
static bool write_new(struct departures *d, const char *path)
{
	size_t bytes = d->places * sizeof(struct place);
	struct head head;

	d->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return d->fd >= 0 && make_head(d, d->fd, &head) &&
	       write_at(d->fd, d->of, bytes, (off_t)sizeof(head)) &&
	       write_at(d->fd, &head, sizeof(head), 0) && rename(path, d->path) == 0;
}

/* inv. 2 */
static void make_new(struct departures *d)
{
	char path[PATH_BYTES + 8];

	if (d->boot[0] == '\0' || d->o.is_anything_left(d->o.cookie)) {
		d->given_up = true;
		log_warn(d->o.log,
			 "%s is not made: %s; until the next start a kill leaves unknown "
			 "whatever was claimed",
			 d->path,
			 d->boot[0] == '\0' ? BOOT_ID " cannot be read"
					    : "something is sending that an earlier process left");
		return;
	}
	free(d->of);
	d->places = places_of(d->o.max);
	d->of = xcalloc(d->places, sizeof(struct place));
	(void)snprintf(path, sizeof(path), "%s.new", d->path);
	if (!write_new(d, path)) {
		give_up(d, "cannot make");
		(void)unlink(path);
	}
}

void departures_note(struct departures *d, int64_t row, uint32_t try_)
{
	struct place *p = NULL;

	if (d == NULL || d->given_up)
		return;
	if (d->fd < 0)
		make_new(d);
	if (d->fd < 0)
		return;
	for (size_t i = 0; i < d->places; i++) {
		p = &d->of[d->next];
		d->next = (d->next + 1) % d->places;
		if (p->row == 0 || !d->o.is_sending(d->o.cookie, p->row, (uint32_t)p->try_))
			break; /* inv. 1 */
		p = NULL;
	}
	if (p == NULL) {
		errno = ENOSPC;
		give_up(d, "no place in");
		return;
	}
	*p = (struct place){ row, try_ };
	if (!write_at(d->fd, p, sizeof(*p),
		      (off_t)(sizeof(struct head) + (size_t)(p - d->of) * sizeof(*p))))
		give_up(d, "cannot write");
}
