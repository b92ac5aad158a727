/* SPDX-License-Identifier: MIT */
/*
 * b.c - copied from another file
 */
