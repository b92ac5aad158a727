/* SPDX-License-Identifier: MIT */
/*
 * banned.h - a sample that a lint must refuse
 */
#define strcpy(d, s) banned_strcpy_use_str_copy
