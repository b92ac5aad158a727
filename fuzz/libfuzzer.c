/* SPDX-License-Identifier: MIT */
/* libfuzzer.c - the door through which libFuzzer calls a target */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_one(data, size);
	return 0;
}
