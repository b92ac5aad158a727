/* SPDX-License-Identifier: MIT */
/*
 * banned.h - functions nobody may call; force-included by the build
 *
 * Using one is a compile error whose name says what to use instead.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <signal.h>

#undef strcpy
#define strcpy(d, s) banned_strcpy_use_str_copy
#undef strcat
#define strcat(d, s) banned_strcat_use_buf
#undef strncpy
#define strncpy(d, s, n) banned_strncpy_use_str_copy
#undef strncat
#define strncat(d, s, n) banned_strncat_use_buf
#undef sprintf
#define sprintf(...) banned_sprintf_use_buf_put_fmt_or_snprintf
#undef vsprintf
#define vsprintf(...) banned_vsprintf_use_buf_put_fmt_or_vsnprintf
#undef gets
#define gets(b) banned_gets_use_read_full
#undef strtok
#define strtok(s, d) banned_strtok_use_str_split
#undef strtok_r
#define strtok_r(s, d, p) banned_strtok_r_use_str_split
#undef atoi
#define atoi(s) banned_atoi_use_str_to_i64
#undef atol
#define atol(s) banned_atol_use_str_to_i64
#undef strtol
#define strtol(s, e, b) banned_strtol_use_str_to_i64
#undef sscanf
#define sscanf(...) banned_sscanf_use_str_split_and_str_to_i64
#undef alloca
#define alloca(n) banned_alloca_use_arena_alloc
#undef mktemp
#define mktemp(t) banned_mktemp_use_mkstemp
#undef gmtime
#define gmtime(t) banned_gmtime_use_clock_format
#undef localtime
#define localtime(t) banned_localtime_use_clock_format
#undef ctime
#define ctime(t) banned_ctime_use_clock_format
#undef asctime
#define asctime(t) banned_asctime_use_clock_format
#undef rand
#define rand() banned_rand_use_rnd_u64
#undef system
#define system(c) banned_system_use_posix_spawn
#undef popen
#define popen(c, m) banned_popen_use_posix_spawn
#undef signal
#define signal(s, h) banned_signal_use_sigaction

#endif
