/* SPDX-License-Identifier: MIT */
/*
 * a.c - a sample that a lint must refuse
 */
_Thread_local int last_error;
