/* SPDX-License-Identifier: MIT */
/*
 * a.h - a sample that a lint must refuse
 */
#ifndef GODWIT_A_H
#define GODWIT_A_H
int a(int class);
#endif
