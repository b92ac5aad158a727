/* SPDX-License-Identifier: MIT */
/*
 * graph_link.h - links in Meta's answers become links to this gateway
 *
 * Meta's answers hold links that work only with its token, or carry it:
 *   paging.next, paging.previous   the token stands in the query (cloud-api.md 1.4)
 *   a medium's url                 asks for the token in the head (cloud-api.md 3)
 * An application has a key of ours instead.  The first become the same path here with the caller's
 * own key in the token's place; the second becomes /media/ACCOUNT.MAC/URL, where the MAC says that
 * Meta gave this URL to this account: nothing else is ever fetched with the token.
 *
 * THREADS  the loop's (the MAC's context)
 */
#ifndef SERVER_GRAPH_LINK_H
#define SERVER_GRAPH_LINK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/mac.h"

struct graph_links {
	struct mac *mac; /* keyed per store */
	int64_t account; /* row of the account that asked */
	struct str graph_base; /* where its calls go: "https://graph.facebook.com" */
	struct str own_base; /* how the caller reached us: "http://127.0.0.1:8082" */
	struct str key; /* the caller's; empty: none (the local socket) */
	struct str token; /* Meta's, which may stand nowhere in what comes out */
};

/*
 * Append `json`, an answer of Meta's, to out with its links rewritten, all else byte for byte.
 * What is no JSON is copied.  false: the token would stand in it all the same, or it does not fit.
 */
bool graph_links_rewrite(const struct graph_links *l, struct str json, struct arena *a,
			 struct buf *out);
/* The URL and the account of what stands behind "/media/" in a path; false: not of our making. */
bool graph_link_open(struct mac *mac, struct str rest, struct buf *url, int64_t *out_account);

#endif
