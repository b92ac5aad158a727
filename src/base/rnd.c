/* SPDX-License-Identifier: MIT */
/*
 * rnd.c - kernel randomness through a pool, and a reproducible generator
 *
 * The pool saves a system call for each id: 256 bytes is what getrandom(2)
 * gives without interruption or short reads.  Bytes handed out are zeroed in
 * the pool, so memory read later does not show earlier keys.
 * The generator is xoshiro256** 1.0 seeded with splitmix64 (Blackman and
 * Vigna, both in the public domain), as they recommend.
 * TESTS  tests/unit/test_rnd.c
 */
#include "base/rnd.h"

#include "base/panic.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t rotl(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t xoshiro_next(uint64_t s[4])
{
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

void rnd_init_system(struct rnd *r)
{
	*r = (struct rnd){ .seeded = false };
}

void rnd_init_seed(struct rnd *r, uint64_t seed)
{
	*r = (struct rnd){ .seeded = true };
	for (size_t i = 0; i < ARRAY_LEN(r->state); i++)
		r->state[i] = splitmix64(&seed);
}

static void kernel_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			PANIC("getrandom failed: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
}

static void take_from_pool(struct rnd *r, void *out, size_t len)
{
	unsigned char *from;

	if (len > sizeof(r->pool)) {
		kernel_bytes(out, len);
		return;
	}
	if (r->pool_left < len) {
		kernel_bytes(r->pool, sizeof(r->pool));
		r->pool_left = sizeof(r->pool);
	}
	from = r->pool + sizeof(r->pool) - r->pool_left;
	memcpy(out, from, len);
	explicit_bzero(from, len);
	r->pool_left -= len;
}

void rnd_bytes(struct rnd *r, void *out, size_t len)
{
	unsigned char *at = out;

	if (len == 0)
		return;
	if (!r->seeded) {
		take_from_pool(r, out, len);
		return;
	}
	while (len > 0) {
		uint64_t word = xoshiro_next(r->state);
		size_t n = len < sizeof(word) ? len : sizeof(word);

		for (size_t i = 0; i < n; i++) /* the same on every byte order */
			at[i] = (unsigned char)(word >> (8 * i));
		at += n;
		len -= n;
	}
}

uint64_t rnd_u64(struct rnd *r)
{
	uint64_t word;

	if (r->seeded)
		return xoshiro_next(r->state);
	take_from_pool(r, &word, sizeof(word));
	return word;
}

uint64_t rnd_below(struct rnd *r, uint64_t bound)
{
	uint64_t rest, word;

	ASSERT(bound > 0);
	rest = (0 - bound) % bound; /* 2^64 mod bound: so many words would be too likely */
	do
		word = rnd_u64(r);
	while (word < rest);
	return word % bound;
}
