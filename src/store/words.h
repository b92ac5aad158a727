/* SPDX-License-Identifier: MIT */
/*
 * words.h - the words of the state tables, as SQL
 *
 * SQL texts say @NAME@ or @NAME:column@ (default: state): OUTQ_KNOWN, DELIVERY_KNOWN (it is one of
 * the words), OUTQ_OPEN, DELIVERY_OPEN (it is none of the terminal ones).  A partial index is used
 * only by a query that says the same, so both are expanded here.  Comparisons, not IN lists: SQLite
 * builds a temporary table for a list of three, in a CHECK too (measured: a sixth of all CPU).
 */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include "base/buf.h"

/* Append sql with every @NAME@ replaced; an unknown name panics. */
void words_expand(struct str sql, struct buf *out);
/* Is it one of these words, and does it end the life of its row? */
bool words_outq_known(struct str word, bool *out_terminal);
bool words_delivery_known(struct str word, bool *out_terminal);

#endif
