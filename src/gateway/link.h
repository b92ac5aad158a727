/* SPDX-License-Identifier: MIT */
/*
 * link.h - lists through their members: a ring with a head, in the order of arrival
 *
 *   head <-> first <-> ... <-> last <-> head
 *
 * A zeroed struct link is in no list.  The owner of the member finds its
 * struct with CONTAINER_OF.
 */
#ifndef GATEWAY_LINK_H
#define GATEWAY_LINK_H

#include "base/panic.h"

struct link {
	struct link *prev, *next; /* both NULL: in no list */
};

static inline void link_init(struct link *head)
{
	head->prev = head->next = head;
}

static inline bool link_is_in(const struct link *l)
{
	return l->next != NULL;
}

static inline bool link_is_empty(const struct link *head)
{
	return head->next == head;
}

static inline void link_insert_before(struct link *at, struct link *l)
{
	ASSERT(!link_is_in(l));
	l->prev = at->prev;
	l->next = at;
	at->prev->next = l;
	at->prev = l;
}

static inline void link_push(struct link *head, struct link *l)
{
	link_insert_before(head, l);
}

static inline void link_push_front(struct link *head, struct link *l)
{
	link_insert_before(head->next, l);
}

/* Take it out of whatever list it is in, if any. */
static inline void link_remove(struct link *l)
{
	if (!link_is_in(l))
		return;
	l->prev->next = l->next;
	l->next->prev = l->prev;
	l->prev = l->next = NULL;
}

/* NULL at the end. */
static inline struct link *link_first(const struct link *head)
{
	return head->next == head ? NULL : head->next;
}

static inline struct link *link_next(const struct link *head, const struct link *l)
{
	return l->next == head ? NULL : l->next;
}

#endif
