/* SPDX-License-Identifier: MIT */
/*
 * body_once.h - a request body that is pulled at most once
 *
 * libcurl repeats a POST by itself when a reused connection closes before any
 * answer came (measured: the server took it twice, the caller saw one 200).
 * It has to rewind the body first; this one refuses when a byte was pulled,
 * so libcurl gives up with CURLE_SEND_FAIL_REWIND instead.
 */
#ifndef NET_BODY_ONCE_H
#define NET_BODY_ONCE_H

#include "base/str.h"

struct body_once {
	struct str rest; /* borrowed; what has not been pulled */
	int fd; /* or: a file, borrowed, of which so much ... */
	uint64_t at, len; /* ... has been pulled */
	bool was_pulled; /* a byte has left: the peer may have it */
};

void body_once_set(struct body_once *b, struct str body);
void body_once_set_file(struct body_once *b, int fd, uint64_t len); /* from its start */
/* libcurl's CURLOPT_READFUNCTION; cookie is the struct. */
size_t body_once_read(char *out, size_t size, size_t count, void *cookie);
/* libcurl's CURLOPT_SEEKFUNCTION. */
int body_once_seek(void *cookie, int64_t offset, int origin);

#endif
