/* SPDX-License-Identifier: MIT */
/*
 * a.h - a sample that a lint must refuse
 */
#ifndef GODWIT_A_H
#define GODWIT_A_H
_Static_assert(1, "C11");
#endif
