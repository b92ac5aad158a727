/* SPDX-License-Identifier: MIT */
/*
 * media_link.h - links to media in what is relayed lead here, where a key of ours opens them
 *
 * Meta's webhooks carry the address of a medium (cloud-api.md 3, since 2025-11).  It opens only
 * with Meta's token, which an application does not have, and for five minutes.  Ours names the
 * number and the medium, BASE/media/NUMBER/ID, and whoever follows it has Meta asked for the
 * address of that minute; it holds nothing secret, and needs a key that may read for that number.
 */
#ifndef GATEWAY_MEDIA_LINK_H
#define GATEWAY_MEDIA_LINK_H

#include "base/buf.h"

#define MEDIA_BASE_MAX 512
#define MEDIA_LINKS_MAX 64 /* exchanged in one event or body; Meta sends one */
#define MEDIA_ID_MAX 256 /* bytes of an id or number that a link is made of */
/* Bytes that what is relayed may grow by. */
#define MEDIA_GROWTH_MAX ((size_t)MEDIA_LINKS_MAX * (MEDIA_BASE_MAX + 2 * MEDIA_ID_MAX + 16))

/* Where the API is reached.  Written by the loop, once when it is known; read by any thread. */
struct media_base {
	char text[MEDIA_BASE_MAX];
	_Atomic bool is_set;
};
/* url: of the configuration; else made of listen ("ADDRESS:PORT") and port, 0: not known yet. */
void media_base_set(struct media_base *b, const char *url, const char *listen, unsigned port);
struct str media_base_get(const struct media_base *b); /* empty: not known */

/* Letters, digits, - and _, at least one: it can stand in such a link. */
bool media_is_segment(struct str s);

/*
 * Append json with the address of every medium in it exchanged for ours; all else byte for byte.
 * A medium is an object with `id`, `url` and `mime_type` or `sha256`; behind MEDIA_LINKS_MAX of
 * them the rest stays Meta's.  false: there is none, and nothing was appended.
 */
bool media_links_put(struct buf *out, struct str json, struct str base, struct str number_id);

#endif
