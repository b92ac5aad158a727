/* SPDX-License-Identifier: MIT */
/* send_follow.h - the statuses of one message, from the stream of events */
#ifndef CLI_SEND_FOLLOW_H
#define CLI_SEND_FOLLOW_H

#include "cli/api.h"

#define SEND_WAMID_MAX 300
#define SEND_HELD_MAX 1000 /* events of others that come between the POST and its answer */
#define SEND_STEPS_MAX 16
#define SEND_GOALS 4

extern const char *const send_goals[SEND_GOALS]; /* in their order */

struct send_step {
	char word[24];
	int64_t ms; /* since it was accepted */
	int code;
};

/* All zero but cli and api at the start. */
struct send_follow {
	struct cli *cli;
	struct api *api;
	int goal; /* rank of the status that ends it; 0: none, the answer ends it */
	bool is_asked; /* the goal was named: not to reach it is a failure */
	/* what the answer to the POST tells */
	char message_id[64], wamid[SEND_WAMID_MAX];
	int64_t accepted_ns;
	int rank; /* the furthest status */
	/* what the stream tells */
	struct api_stream *stream;
	bool stream_open, stream_ended, timed_out, is_known;
	char *held[SEND_HELD_MAX];
	size_t held_count;
	struct send_step steps[SEND_STEPS_MAX];
	size_t step_count;
	bool failed;
	int failed_code;
	char failed_details[1024];
};

/* The goal by its word, NULL: none; false: printed, cli->code is set. */
bool send_follow_goal(struct send_follow *s, const char *word);
/* Listen; from now on nothing is missed.  Trouble is printed only when the goal was asked for. */
int send_follow_open(struct send_follow *s);
/* The answer has told the ids: now what was held can be judged. */
void send_follow_known(struct send_follow *s);
void send_follow_wait(struct send_follow *s); /* for the goal, a failure, or the time */
void send_follow_release(struct send_follow *s);

#endif
