/* SPDX-License-Identifier: MIT */
/* doctor_customer.h - what the gateway knows of one customer: window, consent, last message */
#ifndef CLI_DOCTOR_CUSTOMER_H
#define CLI_DOCTOR_CUSTOMER_H

#include "cli/api.h"
#include "cli/finding.h"

/* api NULL: no gateway runs; to NULL: nobody was named; number NULL: of any. */
void doctor_customer(struct findings *all, struct api *api, const char *to, const char *number);

#endif
