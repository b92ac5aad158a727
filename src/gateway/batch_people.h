/* SPDX-License-Identifier: MIT */
/*
 * batch_people.h - who stands in a list already: digits of a telephone number -> row
 *
 * Exact, 16 bytes a place, at most 32 MiB for a million people.
 */
#ifndef GATEWAY_BATCH_PEOPLE_H
#define GATEWAY_BATCH_PEOPLE_H

#include "base/str.h"

struct people;

struct people *people_new(size_t max);
void people_free(struct people *p);
/* 0: new, and now here as `row`; else the row where it stands.  digits: at most 18. */
uint32_t people_add(struct people *p, struct str digits, uint32_t row);

#endif
