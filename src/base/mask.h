/* SPDX-License-Identifier: MIT */
/* mask.h - telephone numbers and user ids as logs and tables may show them */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include "base/str.h"

#define MASK_MAX 64
/* "49151*****01": the first five and the last two characters, stars between
 * (all stars when shorter than 8).  Cut to MASK_MAX-1. */
void mask_number(struct str number, char out[MASK_MAX]);

#endif
