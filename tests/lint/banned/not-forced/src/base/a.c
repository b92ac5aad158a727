/* SPDX-License-Identifier: MIT */
/*
 * a.c - a sample that a lint must refuse
 */
int a;
