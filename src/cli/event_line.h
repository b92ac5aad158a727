/* SPDX-License-Identifier: MIT */
/* event_line.h - an event in one line, for people who watch */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H

#include "cli/cli.h"
#include "json/json.h"

/* "12:00:01.402" of an RFC 3339 stamp; the stamp itself when it is none. */
struct str event_time_of_day(struct str stamp);
/* "Ana (+55 71 ... 001)  "Hi!"" of a normalized event: who, and what. */
void event_put_summary(struct buf *b, const struct cli *cli, struct json_val event);
/* The whole line without its end: time, arrow, type, id, summary. */
void event_put_line(struct buf *b, const struct cli *cli, struct json_val event);

#endif
