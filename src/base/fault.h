/* SPDX-License-Identifier: MIT */
/*
 * fault.h - named places where tests make things go wrong
 *
 * Compiled in when GW_FAULTS is defined (test builds), else nothing.  The
 * environment variable GODWIT_FAULT holds "name:N:action[,name:N:action]":
 * at the Nth passage through `name` (1 = the first) do `kill` (SIGKILL to
 * ourselves), `fail` (the place reports failure with EIO; every passage from
 * the Nth on), `once` (fail the Nth only), or `slow` (nothing fails; every
 * passage from the Nth on takes 100 ms more: a disk that does not keep up).
 * The state is private to fault.c: it is configuration of the process, read
 * once.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <godwit/types.h>

#ifdef GW_FAULTS
bool fault_hit(const char *name); /* true: fail here */
#define FAULT(name) fault_hit(name)
#else
#define FAULT(name) false
#endif

#endif
