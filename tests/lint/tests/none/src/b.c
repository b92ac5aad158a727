/* SPDX-License-Identifier: MIT */
/*
 * b.c - says that it is tested, not where
 *
 * TESTS  somewhere
 */
