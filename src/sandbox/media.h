/* SPDX-License-Identifier: MIT */
/*
 * media.h - files that were uploaded, and files that customers sent
 *
 * A file lives 30 days (uploaded) or 7 days (received) on the moved clock, or
 * until newer ones need its room (settings.media_bytes_max, MEDIA_MAX).  A
 * link to its bytes is not kept: it carries its end and a proof of both.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_MEDIA_H
#define SANDBOX_MEDIA_H

#include "base/mac.h"
#include "sandbox/metaerr.h"
#include "sandbox/world.h"

#define SANDBOX_MEDIA_MAX 100000 /* files, whatever their size */
#define MEDIA_FILE_MAX (100U << 20) /* a document, cloud-api.md 2.2 */
#define MEDIA_PROOF_MAX 33 /* hexadecimal, with the NUL */

/* A row of the media matrix (2.2). */
struct media_rule {
	const char *mime;
	const char *kind; /* "image", the message it may be part of */
	size_t max; /* bytes */
};

struct media {
	TAILQ_ENTRY(media) link;
	char id[GRAPH_ID_MAX];
	char number[GRAPH_ID_MAX]; /* whose it is */
	const struct media_rule *rule;
	char *bytes;
	size_t len;
	unsigned char sha[SHA256_BYTES];
	int64_t expires_ns; /* moved clock */
};

struct media_all;
struct media_all *media_new(uint64_t seed);
void media_free(struct media_all *all);
size_t media_total_bytes(const struct media_all *all);

/* The row of a MIME type, parameters ("; codecs=opus") aside.  NULL: not taken. */
const struct media_rule *media_rule_of(struct str mime);
/* The first row of a kind of message.  NULL: no kind of media. */
const struct media_rule *media_rule_of_kind(struct str kind);

enum media_origin { MEDIA_UPLOADED, MEDIA_RECEIVED };
/* Keep a copy of the bytes; false: err is the answer. */
bool media_add(struct world *w, const struct number *n, enum media_origin origin,
	       const struct media_rule *rule, struct str bytes, struct media **out,
	       struct metaerr *err);
/* NULL: unknown, deleted, expired or evicted. */
struct media *media_get(struct world *w, struct str id);
void media_drop(struct world *w, struct media *m);

/* What proves a link to `id` that ends at `until_s`. */
#define MEDIA_URL_MAX 512
/* Its address at host ("127.0.0.1:8081") for the next five minutes. */
void media_url(const struct world *w, const struct media *m, struct str host,
	       char out[MEDIA_URL_MAX]);
void media_proof(const struct world *w, struct str id, int64_t until_s, char out[MEDIA_PROOF_MAX]);

/* The file behind an inbound message's image, audio, …: `content` is that member. */
GW_NODISCARD gw_status media_receive(struct world *w, const struct number *n, struct str kind,
				     struct json_val content, const struct media **out,
				     struct gw_error *err);

#endif
