/* SPDX-License-Identifier: MIT */
/*
 * send_csv.c - the list of `godwit send --csv`, as a file that can be read from its start
 *
 * What is in it is the gateway's business: it checks the rows.
 *
 * LIMITS  SEND_CSV_MAX bytes.
 * TESTS   tests/system/test_send_list.py
 */
#include "cli/send_csv.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPLIT_HINT "split it; a list may have a million rows and 256 MiB"

static int too_large(const struct cli *cli, const char *label)
{
	return cli_failf(cli, EXIT_USAGE, SPLIT_HINT, "%s is longer than %u MiB", label,
			 (unsigned)(SEND_CSV_MAX >> 20));
}

/* A file that is gone when it is closed; -1: errno says why. */
static int open_nameless(void)
{
	const char *folder = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	if (snprintf(path, sizeof(path), "%s/godwit-list-XXXXXX", folder) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static int keep(const struct cli *cli, int from, struct send_csv *c)
{
	char chunk[65536];
	ssize_t n;

	c->fd = open_nameless();
	if (c->fd < 0)
		return cli_failf(cli, EXIT_FAILED, "set TMPDIR to a folder that can be written",
				 "cannot make a temporary file: %s", strerror(errno));
	while ((n = read(from, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_failf(cli, EXIT_FAILED, NULL, "cannot read %s: %s", c->label,
					 strerror(errno));
		c->bytes += (uint64_t)n;
		if (c->bytes > SEND_CSV_MAX)
			return too_large(cli, c->label);
		if (!write_all(c->fd, chunk, (size_t)n))
			return cli_failf(cli, EXIT_FAILED,
					 "set TMPDIR to a folder with room for the list",
					 "cannot keep %s: %s", c->label, strerror(errno));
	}
	return EXIT_OK;
}

static int open_path(const struct cli *cli, const char *path, struct send_csv *c)
{
	struct stat st;
	int fd, code;

	if (strcmp(path, "-") == 0)
		return keep(cli, STDIN_FILENO, c);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return cli_failf(cli, EXIT_USAGE, NULL, "cannot open %s: %s", path,
				 strerror(errno));
	if (S_ISREG(st.st_mode)) {
		c->fd = fd;
		c->bytes = (uint64_t)st.st_size;
		return c->bytes > SEND_CSV_MAX ? too_large(cli, c->label) : EXIT_OK;
	}
	code = S_ISDIR(st.st_mode) ? cli_failf(cli, EXIT_USAGE, NULL, "%s is a folder", path)
				   : keep(cli, fd, c);
	(void)close(fd);
	return code;
}

int send_csv_open(const struct cli *cli, const char *path, struct send_csv *out)
{
	const char *slash = strrchr(path, '/');
	struct send_csv c = { .fd = -1 };
	int code;

	c.label = strcmp(path, "-") == 0 ? "standard input" : slash != NULL ? slash + 1 : path;
	code = open_path(cli, path, &c);
	if (code == EXIT_OK && c.bytes == 0)
		code = cli_failf(cli, EXIT_USAGE,
				 "its first line names the columns: phone, and one for each --var",
				 "%s is empty", c.label);
	if (code == EXIT_OK)
		*out = c;
	else
		send_csv_close(&c);
	return code;
}

void send_csv_close(struct send_csv *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}
