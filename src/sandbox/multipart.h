/* SPDX-License-Identifier: MIT */
/*
 * multipart.h - read a multipart/form-data body that is whole in memory
 *
 * Strict: CRLF line ends, every part with its Content-Disposition, nothing
 * but blanks behind the last boundary.  Nothing is copied: parts borrow the
 * body.  LIMITS  MULTIPART_PARTS_MAX, MULTIPART_HEAD_MAX.
 */
#ifndef SANDBOX_MULTIPART_H
#define SANDBOX_MULTIPART_H

#include "base/str.h"

#define MULTIPART_PARTS_MAX 32
#define MULTIPART_HEAD_MAX 4096 /* header lines of one part */
#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */

struct multipart_part {
	struct str name, filename; /* filename: empty when there is none */
	struct str type; /* Content-Type of the part; empty: none */
	struct str body;
	bool is_file; /* has a filename */
};

struct multipart {
	char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF "--" boundary */
	struct str rest; /* behind the last delimiter read */
	size_t count;
	const char *error; /* set when MULTIPART_BAD was returned; static */
};

enum multipart_step { MULTIPART_PART, MULTIPART_END, MULTIPART_BAD };

/* Is it multipart/form-data at all? */
bool multipart_is(struct str content_type);
/* Read the boundary and the first delimiter; false: m->error says why. */
bool multipart_start(struct multipart *m, struct str content_type, struct str body);
enum multipart_step multipart_next(struct multipart *m, struct multipart_part *out);

#endif
