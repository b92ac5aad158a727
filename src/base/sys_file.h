/* SPDX-License-Identifier: MIT */
/*
 * sys_file.h - the disk, for whoever is not SQLite
 *
 * Every failure carries the path and errno in err.
 */
#ifndef BASE_SYS_FILE_H
#define BASE_SYS_FILE_H

#include "base/buf.h"
#include <godwit/error.h>

/* Append a whole file to b (its ceiling is the limit: GW_ELIMIT); GW_ENOTFOUND when there is none.
 * b is as it was on failure, but for GW_ENOMEM, which fails it. */
GW_NODISCARD gw_status sys_read_file(const char *path, struct buf *b, struct gw_error *err);
/* Write whole, mode, then fsync file and folder, through a rename: all or nothing. */
GW_NODISCARD gw_status sys_write_file(const char *path, struct str bytes, unsigned mode,
				      struct gw_error *err);
/* Make a folder (mode 0700) and its parents; existing is fine. */
GW_NODISCARD gw_status sys_make_dir(const char *path, struct gw_error *err);
/* Open and lock path exclusively; GW_EBUSY names the process that has it.  *out_fd is held
 * until closed; the file holds our pid. */
GW_NODISCARD gw_status sys_lock_file(const char *path, int *out_fd, struct gw_error *err);
/* Bytes free to us on the file system of path; -1 on error. */
int64_t sys_disk_free(const char *path);
/* Remove a folder of ours with everything in it; GW_ENOTFOUND when there is none. */
GW_NODISCARD gw_status sys_remove_dir(const char *path, struct gw_error *err);
/* The folder for the local socket: $RUNTIME_DIRECTORY of a service, $XDG_RUNTIME_DIR/godwit, else
 * <tmp>/godwit-<uid>, made 0700, owner checked.  out gets "<folder>/sock". */
GW_NODISCARD gw_status sys_default_socket(char *out, size_t cap, struct gw_error *err);
int64_t sys_rss_bytes(void); /* resident memory of this process; 0 when unknown */
int64_t sys_cpu_us(void); /* user + system time of this process */

#endif
