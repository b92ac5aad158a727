/* SPDX-License-Identifier: MIT */
/*
 * doctor_here.c - disk, store, queue, destinations, and what Meta's calls were answered
 *
 * ROLE        Nothing is asked of anybody: what the parts of the process know is read and judged.
 * LIMITS      OLD_MS, SLOW_COMMIT_US: where a backlog and a slow disk begin.
 * THREADS     The loop's.
 * TESTS       tests/system/test_doctor_here.py
 */
#include "server/doctor_here.h"

#include <stdarg.h>

#define OLD_MS 60000 /* a backlog of that age is one */
#define SLOW_COMMIT_US 50000 /* Meta wants its answer in a quarter of a second, as a rule */
#define MINUTE_MS 60000

struct look {
	const struct server *s;
	const struct doctor_read *read;
	doctor_here_fn found;
	void *cookie;
	bool is_held; /* something keeps messages back */
};

static void tell(struct look *l, enum doctor_result result, const char *check, const char *number,
		 const char *topic, const char *fmt, ...) GW_PRINTF(6, 7);

static void tell(struct look *l, enum doctor_result result, const char *check, const char *number,
		 const char *topic, const char *fmt, ...)
{
	char text[DOCTOR_EVIDENCE_MAX];
	struct doctor_finding f = {
		.check = check, .result = result, .number = number, .topic = topic, .evidence = text
	};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->found(l->cookie, NULL, &f);
}

/* ---- disk and store ---- */

static void look_at_disk(struct look *l, const struct store_load *load)
{
	const struct config_values *v = l->s->cfg;
	enum doctor_result result = DOCTOR_OK;

	if (load->disk_free_bytes < v->disk_min)
		result = DOCTOR_FAIL;
	else if (load->disk_free_bytes < 2 * v->disk_min)
		result = DOCTOR_WARN;
	tell(l, result, "disk", NULL, result == DOCTOR_OK ? NULL : "disk-full",
	     "%lld MiB free at %s, at least %lld are kept free (store.disk_min)",
	     (long long)(load->disk_free_bytes >> 20), v->data_dir, (long long)(v->disk_min >> 20));
}

static void look_at_store(struct look *l, const struct store_load *load)
{
	if (inbox_is_stuck(l->s->store, 0))
		tell(l, DOCTOR_FAIL, "store", NULL, "store-stuck",
		     "a commit has not ended for %lld ms",
		     (long long)((clock_real_ns() - load->oldest_ns) / NS_PER_MS));
	else if (load->commit_us_mean > SLOW_COMMIT_US)
		tell(l, DOCTOR_WARN, "store", NULL, "store-slow",
		     "a commit takes %lld ms, the longest took %lld ms",
		     (long long)(load->commit_us_mean / 1000),
		     (long long)(load->commit_us_max / 1000));
	else
		tell(l, DOCTOR_OK, "store", NULL, NULL,
		     "%lld commits since the start, the last in %lld us", (long long)load->commits,
		     (long long)load->commit_us_last);
}

/* ---- out ---- */

static void look_at_accounts(struct look *l)
{
	const struct accounts *all = l->s->accounts;

	for (size_t i = 0; i < accounts_count(all); i++) {
		const struct account *a = accounts_at(all, i);
		struct doctor_finding f = { .check = "sending",
					    .result = DOCTOR_FAIL,
					    .code = a->paused_code,
					    .evidence = "sending is paused by Meta's code" };

		if (!a->paused)
			continue;
		l->is_held = true;
		l->found(l->cookie, a->name, &f);
	}
}

static void on_pause(void *cookie, struct str number_id, int64_t for_ms)
{
	struct look *l = cookie;
	char number[64];

	if (for_ms < 1000)
		return; /* as it goes */
	(void)str_copy(str_slice(number_id, 0, sizeof(number) - 1), number, sizeof(number));
	l->is_held = true;
	tell(l, DOCTOR_WARN, "sending", number, "number-waits",
	     "nothing leaves for the next %lld s, as Meta asked for it or does not answer",
	     (long long)((for_ms + 999) / 1000));
}

static void look_at_queue(struct look *l)
{
	int64_t late_ms = outbox_late_ms(l->s->outbox);
	struct outbox_numbers n;

	outbox_count(l->s->outbox, &n);
	if (n.unknown > 0)
		tell(l, DOCTOR_WARN, "sending", NULL, "unknown-messages",
		     "of %zu message%s it is not known whether Meta has %s", n.unknown,
		     n.unknown == 1 ? "" : "s", n.unknown == 1 ? "it" : "them");
	else if (late_ms > OLD_MS && !l->is_held)
		tell(l, DOCTOR_WARN, "sending", NULL, "sending-slow",
		     "%zu queued, the oldest for %lld s", n.queued, (long long)(late_ms / 1000));
	else if (!l->is_held)
		tell(l, DOCTOR_OK, "sending", NULL, NULL,
		     "%zu queued, %zu on the way, %zu wait for another try or their customer",
		     n.queued, n.sending, n.waiting);
}

/* ---- in ---- */

static void look_at_calls(struct look *l)
{
	const struct webhook_heard *h = &l->s->heard;
	int64_t now_ms = clock_wall_ms(&l->s->clock);

	if (h->unshaken_ms > h->shaken_ms)
		tell(l, DOCTOR_WARN, "webhooks", NULL, "callback-refused",
		     "the last handshake, %lld min ago, had a verify token of no account",
		     (long long)((now_ms - h->unshaken_ms) / MINUTE_MS));
	else if (h->unsigned_ms > h->signed_ms)
		tell(l, DOCTOR_WARN, "webhooks", NULL, "app-secret",
		     "the last webhook, %lld min ago, was signed with an app secret of no account",
		     (long long)((now_ms - h->unsigned_ms) / MINUTE_MS));
	else
		tell(l, DOCTOR_OK, "webhooks", NULL, NULL, "%s",
		     h->signed_ms > 0   ? "the last one was signed as it must be"
		     : h->shaken_ms > 0 ? "the last handshake was good"
					: "none has come since the start");
}

static void look_at_events(struct look *l)
{
	const struct doctor_read *r = l->read;
	int64_t now_ms = clock_wall_ms(&l->s->clock);

	if (r->mute > 0)
		tell(l, DOCTOR_FAIL, "events", NULL, "no-statuses",
		     "Meta took %zu message%s up to %lld min ago and has told of none since",
		     r->mute, r->mute == 1 ? "" : "s",
		     (long long)((now_ms - r->mute_ms) / MINUTE_MS));
	else if (r->event_ms == 0)
		tell(l, DOCTOR_WARN, "events", NULL, "no-events", "none has come from Meta yet");
	else
		tell(l, DOCTOR_OK, "events", NULL, NULL, "the last one from Meta came %lld min ago",
		     (long long)((now_ms - r->event_ms) / MINUTE_MS));
}

/* ---- on ---- */

static void look_at_destination(struct look *l, const struct destination *d)
{
	enum doctor_result result = DOCTOR_OK;
	const char *topic = NULL, *word = "works";
	struct relay_numbers n;
	char id[ID_TEXT_MAX];

	id_text(ID_DESTINATION, &d->id, id);
	relay_count_one(l->s->relay, d->row, &n);
	if (d->disabled) {
		result = DOCTOR_FAIL;
		topic = "destination-disabled";
		word = "disabled";
	} else if (n.open_breakers > 0) {
		result = DOCTOR_FAIL;
		topic = "destination-down";
		word = "does not answer";
	} else if (n.oldest_ms > OLD_MS) {
		result = DOCTOR_WARN;
		topic = "destination-slow";
		word = "lags";
	}
	tell(l, result, "destinations", NULL, topic,
	     "%s %.200s: %s, %zu waiting%s, the oldest for %lld s", id, d->url, word, n.pending,
	     n.spilled_lanes > 0 ? " and more in the store" : "", (long long)(n.oldest_ms / 1000));
}

static void look_at_destinations(struct look *l)
{
	struct destinations *all = l->s->destinations;

	if (destinations_count(all) == 0)
		tell(l, DOCTOR_OK, "destinations", NULL, NULL, "there are none");
	for (size_t i = 0; i < destinations_count(all); i++)
		look_at_destination(l, destinations_at(all, i));
}

void doctor_look_here(const struct server *s, const struct doctor_read *read, doctor_here_fn found,
		      void *cookie)
{
	struct look l = { .s = s, .read = read, .found = found, .cookie = cookie };
	struct store_load load;

	store_load_now(s->store, &load);
	look_at_disk(&l, &load);
	look_at_store(&l, &load);
	look_at_accounts(&l);
	outbox_pauses(s->outbox, on_pause, &l);
	look_at_queue(&l);
	look_at_destinations(&l);
	look_at_calls(&l);
	look_at_events(&l);
}
