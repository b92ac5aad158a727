/* SPDX-License-Identifier: MIT */
/*
 * a.c - names a test on a line that goes on
 *
 * TESTS  tests/unit/test_a*.c,
 *        tests/unit/test_gone.c
 */
