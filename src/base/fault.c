/* SPDX-License-Identifier: MIT */
/*
 * fault.c - the fault points of GODWIT_FAULT
 *
 * The one place with global state: which points a process has is its
 * configuration, read at the first passage, and passages are counted over all
 * threads.  A value that cannot be read panics: a crash test that quietly
 * tests nothing is worse than none.
 * LIMITS   FAULTS_MAX points
 * THREADS  any
 * TESTS    tests/unit/test_fault.c, tests/crash/test_kills.py
 */
#include "base/fault.h"

#ifdef GW_FAULTS

#include "base/panic.h"
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_MAX 16
#define SPEC_MAX 1024
#define SLOW_NS 100000000

enum fault_action { FAULT_KILL, FAULT_FAIL, FAULT_ONCE, FAULT_SLOW };

struct fault {
	struct str name; /* in spec */
	uint64_t at; /* passage, from 1 */
	enum fault_action action;
	atomic_uint_fast64_t passed;
};

static struct {
	pthread_once_t once;
	char spec[SPEC_MAX]; /* a copy: the environment may change */
	struct fault faults[FAULTS_MAX];
	size_t count;
} state = { .once = PTHREAD_ONCE_INIT };

static bool read_fault(struct str text, struct fault *f)
{
	static const char *const words[] = {
		[FAULT_KILL] = "kill",
		[FAULT_FAIL] = "fail",
		[FAULT_ONCE] = "once",
		[FAULT_SLOW] = "slow",
	};
	struct str name, at;

	if (!str_split(&text, ':', &name) || name.len == 0 || !str_split(&text, ':', &at) ||
	    !str_to_u64(at, &f->at) || f->at == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(text, str_from(words[i]))) {
			f->name = name;
			f->action = (enum fault_action)i;
			return true;
		}
	}
	return false;
}

static void read_spec(void)
{
	struct str rest = str_from(getenv("GODWIT_FAULT"));
	struct str field;

	if (rest.len == 0)
		return;
	if (!str_copy(rest, state.spec, sizeof(state.spec)))
		PANIC("GODWIT_FAULT is longer than %d bytes", SPEC_MAX - 1);
	rest = str_from(state.spec);
	while (str_split(&rest, ',', &field)) {
		if (state.count == FAULTS_MAX || !read_fault(field, &state.faults[state.count]))
			PANIC("GODWIT_FAULT: want up to %d of name:N:kill|fail|once|slow, not "
			      "\"%.*s\"",
			      FAULTS_MAX, STR_ARG(field));
		state.count++;
	}
}

static void be_slow(void)
{
	struct timespec ts = { .tv_nsec = SLOW_NS };

	(void)nanosleep(&ts, NULL);
}

bool fault_hit(const char *name)
{
	bool fails = false;

	(void)pthread_once(&state.once, read_spec); /* cannot fail with a valid once */
	for (size_t i = 0; i < state.count; i++) {
		struct fault *f = &state.faults[i];
		uint64_t passage;

		if (!str_eq(f->name, str_from(name)))
			continue;
		passage = atomic_fetch_add(&f->passed, 1) + 1;
		if (passage == f->at && f->action == FAULT_KILL)
			(void)kill(getpid(), SIGKILL);
		if (f->action == FAULT_SLOW && passage >= f->at)
			be_slow();
		else if (passage == f->at || (passage > f->at && f->action == FAULT_FAIL))
			fails = true;
	}
	if (fails)
		errno = EIO;
	return fails;
}

#endif
