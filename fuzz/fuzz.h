/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what a fuzzing target offers: one function that holds on any bytes
 *
 * It checks what must be true of every input (ASSERT), frees what it took and
 * keeps nothing between two calls.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* `data` is heap memory of exactly `size` bytes, so that a byte too far is seen. */
void fuzz_one(const uint8_t *data, size_t size);

#endif
