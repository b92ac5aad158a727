/* SPDX-License-Identifier: MIT */
/*
 * egress.h - which addresses a user-given URL may reach
 *
 * The check is made on the resolved address of every connection
 * (CURLOPT_OPENSOCKETFUNCTION), so neither a name that resolves anew nor an
 * exotic spelling passes it.  Denied: the list in reference/reliability.md
 * 3.8 (loopback, private, link-local, metadata, multicast, embedded IPv4
 * forms, ...), unless an `allow` network holds the address; 169.254.169.254
 * and fd00:ec2::254 need to be allowed by their own /32 or /128.
 */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "base/str.h"
#include <godwit/error.h>
#include <sys/socket.h>

#define EGRESS_ALLOW_MAX 64

struct egress;

/* Allow list as text, networks separated by blanks or commas: "10.1.0.0/16 ::1/128". */
GW_NODISCARD gw_status egress_new(struct str allow, struct egress **out, struct gw_error *err);
void egress_free(struct egress *e);
/* May we connect there?  On false, why[] names the rule ("private 10.0.0.0/8"). */
bool egress_allows(const struct egress *e, const struct sockaddr *address, char *why, size_t cap);
/* Is it a URL we would ever call: http or https, a host, no user info, no fragment. */
GW_NODISCARD gw_status egress_check_url(struct str url, bool https_only, struct gw_error *err);

#endif
