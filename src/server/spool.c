/* SPDX-License-Identifier: MIT */
/*
 * spool.c - see spool.h
 *
 * FAILURE  A disk that is full or fails: the call is refused, or cut in its body.
 * TESTS    tests/system/test_graph_pass.py
 */
#include "server/spool.h"

#include "base/mem.h"
#include "base/sys_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

static int open_nameless(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (snprintf(path, sizeof(path), "%s/.spool-XXXXXX", dir) >= (int)sizeof(path))
		return -1;
	fd = mkostemp(path, O_CLOEXEC); /* a file system without nameless files */
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

struct spool *spool_open(struct server *s, uint64_t max)
{
	struct spool *sp;
	int fd = -1;

	if (atomic_fetch_add(&s->spools, 1) < SPOOLS_MAX &&
	    sys_disk_free(s->cfg->data_dir) - (int64_t)max >= s->disk_min)
		fd = open_nameless(s->cfg->data_dir);
	if (fd < 0) {
		atomic_fetch_sub(&s->spools, 1);
		return NULL;
	}
	sp = xcalloc(1, sizeof(*sp));
	sp->server = s;
	sp->fd = fd;
	return sp;
}

int spool_take(struct spool *sp)
{
	int fd = sp->fd;

	sp->fd = -1;
	return fd;
}

void spool_free(struct spool *sp)
{
	if (sp == NULL)
		return;
	if (sp->fd >= 0)
		(void)close(sp->fd);
	atomic_fetch_sub(&sp->server->spools, 1);
	free(sp);
}

bool spool_write(struct spool *sp, struct str bytes)
{
	if (bytes.len > SPOOL_BYTES_MAX - sp->len)
		return false;
	while (bytes.len > 0) {
		ssize_t n = write(sp->fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		sp->len += (uint64_t)n;
		bytes = str_slice(bytes, (size_t)n, bytes.len);
	}
	return true;
}
