/* SPDX-License-Identifier: MIT */
/* link.h - links to media in messages: could Meta's servers reach them? */
#ifndef SANDBOX_LINK_H
#define SANDBOX_LINK_H

#include "json/json.h"

/* Not those that lead to the sender's own machine or network, nor names that can never be. */
bool link_is_public(struct str url);
/* Are all links of a message's content public?  type: "image", "interactive", "template", ... */
bool link_all_public(const char *type, struct json_val content);

#endif
