/* SPDX-License-Identifier: MIT */
/*
 * a.h - a sample that a lint must refuse
 */
#ifndef BASE_A_H
#define BASE_A_H
size_t a(void);
#endif
