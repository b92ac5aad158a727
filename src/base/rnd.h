/* SPDX-License-Identifier: MIT */
/*
 * rnd.h - the only source of randomness
 *
 * rnd_init_system() draws from the kernel (keys, ids, jitter);
 * rnd_init_seed() is a reproducible sequence for the sandbox and tests, not
 * for secrets.  Not thread-safe: one per thread, and initialized anew in a
 * forked child, which would repeat its parent's bytes.
 */
#ifndef BASE_RND_H
#define BASE_RND_H

#include <godwit/types.h>

struct rnd {
	uint64_t state[4];
	bool seeded; /* true: the sequence of rnd_init_seed() */
	unsigned char pool[256]; /* kernel bytes not yet handed out */
	size_t pool_left;
};

void rnd_init_system(struct rnd *r);
void rnd_init_seed(struct rnd *r, uint64_t seed);
void rnd_bytes(struct rnd *r, void *out, size_t len);
uint64_t rnd_u64(struct rnd *r);
uint64_t rnd_below(struct rnd *r, uint64_t bound); /* 0 .. bound-1, bound > 0 */

#endif
