/* SPDX-License-Identifier: MIT */
/*
 * http_listen.c - listening sockets: TCP, and Unix with mode 0600
 *
 * A port in use is the commonest trouble of a first start, so the error names
 * the process that has it when /proc tells (Linux; other users' processes hide
 * theirs).  A Unix socket nobody listens on is a leftover and is replaced;
 * anything else at its path is not ours to remove.
 *
 * TESTS  tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define PROC_LINE_MAX 256

/* The inode of the socket that listens on the port, from one table of /proc/net; 0: none. */
static uint64_t listener_inode(const char *table, uint16_t port)
{
	FILE *f = fopen(table, "re");
	char line[PROC_LINE_MAX], want[8];
	uint64_t inode = 0;

	if (f == NULL)
		return 0;
	(void)snprintf(want, sizeof(want), ":%04X", port);
	while (inode == 0 && fgets(line, sizeof(line), f) != NULL) {
		struct str rest = str_trim(str_from(line)), field, fields[16];
		size_t n = 0;

		while (n < ARRAY_LEN(fields) && str_split(&rest, ' ', &field))
			if (field.len > 0)
				fields[n++] = field;
		/* sl local remote state(0A = listening) queues timer retrnsmt uid timeout inode */
		if (n > 9 && str_ends(fields[1], str_from(want)) && str_eq(fields[3], STR("0A")))
			(void)str_to_u64(fields[9], &inode);
	}
	(void)fclose(f);
	return inode;
}

static bool process_has(struct str pid, uint64_t inode)
{
	char path[64], link[64], want[40];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	(void)snprintf(want, sizeof(want), "socket:[%llu]", (unsigned long long)inode);
	(void)snprintf(path, sizeof(path), "/proc/%.*s/fd", STR_ARG(pid));
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (d = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link));

		found = n > 0 && str_eq(str_make(link, (size_t)n), str_from(want));
	}
	(void)closedir(dir);
	return found;
}

/* " by godwit (process 1234)", or nothing. */
static void port_owner(uint16_t port, char *out, size_t cap)
{
	uint64_t inode = listener_inode("/proc/net/tcp", port);
	struct dirent *d;
	int64_t pid;
	DIR *dir;

	out[0] = '\0';
	if (inode == 0)
		inode = listener_inode("/proc/net/tcp6", port);
	dir = inode == 0 ? NULL : opendir("/proc");
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char path[64], name[32] = "";
		FILE *f;

		if (!str_to_i64(str_from(d->d_name), &pid) ||
		    !process_has(str_from(d->d_name), inode))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
		f = fopen(path, "re");
		if (f != NULL) {
			if (fgets(name, sizeof(name), f) == NULL)
				name[0] = '\0'; /* the process is known by its number */
			(void)fclose(f);
		}
		(void)snprintf(out, cap, " by %.*s (process %lld)",
			       STR_ARG(str_trim(str_from(name))), (long long)pid);
		break;
	}
	if (dir != NULL)
		(void)closedir(dir);
}

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static bool parse_address(const char *text, uint16_t port, union any_address *a, socklen_t *len)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*len = sizeof(a->v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) != 1)
		return false;
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	*len = sizeof(a->v6);
	return true;
}

gw_status listen_tcp(const char *address, uint16_t port, int *out_fd, uint16_t *out_port,
		     struct gw_error *err)
{
	union any_address a;
	socklen_t len;
	char owner[80];
	gw_status st;
	int fd = -1, one = 1;

	if (!parse_address(address, port, &a, &len))
		return gw_error_set(err, GW_EARG, "%s is not an IPv4 or IPv6 address", address);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot make a socket for %s:%u", address, port);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0) {
		if (errno == EADDRINUSE) {
			port_owner(port, owner, sizeof(owner));
			st = gw_error_set(err, GW_EBUSY, "%s:%u is in use%s", address, port, owner);
		} else {
			st = gw_error_sys(err, GW_EIO, "cannot listen on %s:%u", address, port);
		}
		goto out;
	}
	if (getsockname(fd, &a.any, &len) != 0) {
		st = gw_error_sys(err, GW_EIO, "cannot tell the port of %s", address);
		goto out;
	}
	*out_port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
	*out_fd = fd;
	fd = -1;
	st = GW_OK;
out:
	if (fd >= 0)
		(void)close(fd);
	return st;
}

/* Make room at the path: a socket nobody listens on is removed. */
static gw_status remove_stale(const char *path, const union any_address *a, struct gw_error *err)
{
	struct stat sb;
	int fd, failed;

	if (lstat(path, &sb) != 0)
		return errno == ENOENT ? GW_OK
				       : gw_error_sys(err, GW_EIO, "cannot look at %s", path);
	if (!S_ISSOCK(sb.st_mode))
		return gw_error_set(err, GW_EBUSY, "%s exists and is not a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot make a socket for %s", path);
	failed = connect(fd, &a->any, sizeof(a->un)) != 0 ? errno : 0;
	(void)close(fd);
	if (failed != ECONNREFUSED)
		return gw_error_set(err, GW_EBUSY, "%s is in use by another process", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return gw_error_sys(err, GW_EIO, "cannot remove the stale socket %s", path);
	return GW_OK;
}

gw_status listen_unix(const char *path, int *out_fd, uint64_t *out_inode, struct gw_error *err)
{
	union any_address a = { .un = { .sun_family = AF_UNIX } };
	struct stat sb;
	gw_status st;
	int fd = -1;

	if (!str_copy(str_from(path), a.un.sun_path, sizeof(a.un.sun_path)))
		return gw_error_set(err, GW_ELIMIT,
				    "the socket path %s is longer than %zu bytes; choose a shorter",
				    path, sizeof(a.un.sun_path) - 1);
	st = remove_stale(path, &a, err);
	if (st != GW_OK)
		return st;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode before bind() is the mode of the file: there is no moment without it. */
	if (fd < 0 || fchmod(fd, 0600) != 0 || bind(fd, &a.any, sizeof(a.un)) != 0 ||
	    listen(fd, BACKLOG) != 0 || lstat(path, &sb) != 0) {
		st = gw_error_sys(err, GW_EIO, "cannot listen on %s", path);
		goto out;
	}
	*out_inode = sb.st_ino;
	*out_fd = fd;
	fd = -1;
	st = GW_OK;
out:
	if (fd >= 0)
		(void)close(fd);
	return st;
}

void listen_unlink(const char *path, uint64_t inode)
{
	struct stat sb;

	if (lstat(path, &sb) == 0 && S_ISSOCK(sb.st_mode) && sb.st_ino == inode)
		(void)unlink(path);
}
