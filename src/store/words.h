/* SPDX-License-Identifier: MIT */
/*
 * words.h - the words of the state tables, as SQL
 *
 * SQL texts name lists of words with @NAME@: OUTQ_STATES, OUTQ_OPEN, DELIVERY_STATES,
 * DELIVERY_OPEN ("open": not terminal).  A partial index is used only when the query spells the
 * same list, so both are expanded here.
 */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include "base/buf.h"

/* Append sql with every @NAME@ replaced by 'word','word',...; an unknown name panics. */
void words_expand(struct str sql, struct buf *out);
/* Is it one of these words, and does it end the life of its row? */
bool words_outq_known(struct str word, bool *out_terminal);
bool words_delivery_known(struct str word, bool *out_terminal);

#endif
