/* SPDX-License-Identifier: MIT */
/*
 * backoff.h - how long until something is tried again, so that those who failed together do not
 * come back together
 */
#ifndef GATEWAY_BACKOFF_H
#define GATEWAY_BACKOFF_H

#include "base/rnd.h"

#define BACKOFF_PERCENT 20 /* of jitter, to each side */
#define BACKOFF_LATE_PERCENT 10 /* where somebody named the time: never earlier */

/* ms -20 % to +20 % */
int64_t backoff_around_ms(int64_t ms, struct rnd *rnd);
/* ms to ms +10 % */
int64_t backoff_after_ms(int64_t ms, struct rnd *rnd);
/* After try number `tries` (from 1): base x 2^(tries - 1), at most max, +-20 %. */
int64_t backoff_ms(int64_t base_ms, int64_t max_ms, uint32_t tries, struct rnd *rnd);

#endif
