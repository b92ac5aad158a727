/* SPDX-License-Identifier: MIT */
/*
 * micro_store.c - what the store costs: events and deliveries per second, CPU per event
 *
 *     micro_store [FOLDER [CONVERSATIONS]]     defaults: a folder under /tmp, 1000
 *
 * Per batch size: bodies of one event each (body, event, dedupe key, one delivery, contact and
 * conversation found or made; three statuses to one text), then their deliveries marked delivered.
 * `wall` is the rate with `batch` bodies in flight; `cpu` is the store thread's time per event.
 * Prints `name value unit` lines.
 */
#include "base/mac.h"
#include "base/mem.h"
#include "base/sys_file.h"
#include "store/store.h"

#include <unistd.h>

#define EVENTS 60000
#define IN_FLIGHT_MAX 256

struct bench;

struct item {
	struct bench *bench;
	struct store_put_body put;
	struct store_event_in event;
	struct store_delivery_move move;
	char phone[24], user[40], wamid[96], json[512];
	char body[800];
};

struct bench {
	struct clock clock;
	struct log log;
	struct mailbox *home;
	struct store *store;
	struct id_maker ids;
	struct rnd rnd;
	struct item items[IN_FLIGHT_MAX];
	size_t done;
	uint64_t serial;
	uint64_t conversations;
	int64_t destination;
};

static int64_t cpu_ns(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t); /* both clocks always exist */
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void on_put(struct store_req *req)
{
	struct store_put_body *p = CONTAINER_OF(req, struct store_put_body, req);
	struct item *item = CONTAINER_OF(p, struct item, put);

	ASSERT(req->status == GW_OK && p->row > 0);
	item->bench->done++;
}

static void on_move(struct store_req *req)
{
	struct store_delivery_move *m = CONTAINER_OF(req, struct store_delivery_move, req);
	struct item *item = CONTAINER_OF(m, struct item, move);

	ASSERT(req->status == GW_OK && !m->lost);
	item->bench->done++;
}

static void fill(struct bench *b, struct item *i)
{
	uint64_t serial = b->serial++, who = rnd_below(&b->rnd, b->conversations);
	bool is_status = serial % 4 != 0;
	unsigned char hash[SHA256_BYTES];
	struct store_event_in *ev = &i->event;
	int n;

	(void)snprintf(i->phone, sizeof(i->phone), "1650%07llu", (unsigned long long)who);
	(void)snprintf(i->user, sizeof(i->user), "US.13491208%010llu", (unsigned long long)who);
	/* As Meta's: the recipient's digits first, then what is random. */
	(void)snprintf(i->wamid, sizeof(i->wamid), "wamid.HBgL%s%016llx%016llxA=", i->phone,
		       (unsigned long long)(serial / 4), (unsigned long long)(serial / 4 * 977));
	n = snprintf(i->json, sizeof(i->json),
		     "{\"message\":{\"id\":\"%s\",\"kind\":\"text\",\"pad\":\"%0*d\"}}", i->wamid,
		     200, 0);
	memset(i->body, 'b', sizeof(i->body));
	*ev = (struct store_event_in){ .type = is_status ? "message.status" : "message.received",
				       .kind = is_status ? "delivered" : "text",
				       .channel = "whatsapp",
				       .account_id = STR("106540352242922"),
				       .address = STR("+15550783881"),
				       .business_id = STR("102290129340398"),
				       .user_id = str_from(i->user),
				       .phone = str_from(i->phone),
				       .name = is_status ? STR_EMPTY : STR("Ann"),
				       .external_id = str_from(i->wamid),
				       .at_s = clock_wall_s(&b->clock),
				       .has_contact = true,
				       .has_seq = !is_status,
				       .opens_window = !is_status,
				       .lane_by = is_status ? STORE_LANE_MESSAGE
							    : STORE_LANE_CONVERSATION,
				       .dedupe_s = clock_wall_s(&b->clock),
				       .json = { i->json, (size_t)n },
				       .destination_count = 1,
				       .destinations = { b->destination } };
	i->bench = b;
	id_make(&b->ids, &b->clock, &b->rnd, &ev->id);
	sha256(str_make((const char *)&serial, sizeof(serial)), hash);
	memcpy(ev->hash, hash, sizeof(ev->hash));
	if (is_status) {
		static const char *const words[] = { "", "sent", "delivered", "read" };

		ev->status = str_from(words[serial % 4]);
		ev->recipient = str_from(i->phone);
	}
	i->put = (struct store_put_body){
		.req = { .op = STORE_PUT_BODY, .done = on_put, .weight = sizeof(*i) },
		.bytes = { i->body, sizeof(i->body) },
		.signature = STR("sha256=0123456789abcdef0123456789abcdef"),
		.account = STR("main"),
		.received_ms = clock_wall_ms(&b->clock),
		.events = ev,
		.event_count = 1
	};
}

static void wait_for(struct bench *b, size_t count)
{
	while (b->done < count) {
		(void)mailbox_wait(b->home, INT64_MAX);
		(void)mailbox_drain(b->home);
	}
}

static void deliver_all(struct bench *b, size_t batch)
{
	b->done = 0;
	for (size_t i = 0; i < batch; i++) {
		struct item *item = &b->items[i];

		item->move = (struct store_delivery_move){
			.req = { .op = STORE_DELIVERY_MOVE, .done = on_move, .weight = 100 },
			.event_row = item->event.row,
			.destination_row = b->destination,
			.from = "pending",
			.to = "delivered",
			.attempts = 1,
			.at_ms = clock_wall_ms(&b->clock),
			.http_status = 200
		};
		store_submit(b->store, &item->move.req);
	}
	wait_for(b, batch);
}

struct spent {
	int64_t wall, cpu;
	size_t events;
};

static void add_spent(struct spent *s, int64_t wall, int64_t all, int64_t mine, size_t events)
{
	s->wall += clock_real_ns() - wall;
	s->cpu += cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - all - (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - mine);
	s->events += events;
}

static void print(const struct bench *b, const char *what, size_t batch, const struct spent *s)
{
	double n = (double)s->events;

	(void)printf("store_%s_%zu_of_%llu_wall %.0f events/s\n", what, batch,
		     (unsigned long long)b->conversations, n * 1e9 / (double)s->wall);
	(void)printf("store_%s_%zu_of_%llu_cpu %.1f us\n", what, batch,
		     (unsigned long long)b->conversations, (double)s->cpu / 1000 / n);
	(void)fflush(stdout);
}

static void run(struct bench *b, size_t batch, size_t events)
{
	struct store_load before, after;
	struct spent put = { 0 }, moved = { 0 };
	int64_t wall, all, mine;

	store_load_now(b->store, &before);
	for (size_t n = 0; n < events; n += batch) {
		for (size_t i = 0; i < batch; i++)
			fill(b, &b->items[i]);
		wall = clock_real_ns();
		all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
		mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
		b->done = 0;
		for (size_t i = 0; i < batch; i++)
			store_submit(b->store, &b->items[i].put.req);
		wait_for(b, batch);
		add_spent(&put, wall, all, mine, batch);
		wall = clock_real_ns();
		all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
		mine = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
		deliver_all(b, batch);
		add_spent(&moved, wall, all, mine, batch);
	}
	store_load_now(b->store, &after);
	print(b, "put", batch, &put);
	print(b, "delivered", batch, &moved);
	(void)printf("store_requests_per_commit_%zu %.1f requests\n", batch,
		     (double)(after.requests - before.requests) /
			     (double)(after.commits - before.commits));
}

int main(int argc, char **argv)
{
	static const size_t batches[] = { 1, 16, 64 };
	struct bench *b = xcalloc(1, sizeof(*b));
	char dir[64] = "/tmp/gw-micro-store-XXXXXX";
	struct gw_error err = GW_ERROR_INIT;
	struct store_options o;
	uint64_t conversations = 1000;
	int64_t began;

	if (argc > 2 && !str_to_u64(str_from(argv[2]), &conversations))
		return 2;
	if (argc < 2 && mkdtemp(dir) == NULL)
		return 1;
	clock_init(&b->clock);
	log_init(&b->log, STDERR_FILENO, LOG_WARN, "bench", &b->clock);
	rnd_init_seed(&b->rnd, 1);
	b->home = mailbox_new();
	b->conversations = conversations;
	o = (struct store_options){ .dir = argc > 1 ? argv[1] : dir,
				    .home = b->home,
				    .clock = &b->clock,
				    .log = &b->log,
				    .readers = 2,
				    .window_max_us = 1000 };
	began = clock_real_ns();
	if (store_open(&o, &b->store, &err) != GW_OK) {
		(void)fprintf(stderr, "micro_store: %s\n", err.message);
		return 1;
	}
	(void)printf("store_open %.1f ms\nstore_open_rss %lld KiB\n",
		     (double)(clock_real_ns() - began) / 1e6, (long long)(sys_rss_bytes() / 1024));
	b->destination = 1;
	for (size_t i = 0; i < ARRAY_LEN(batches); i++)
		run(b, batches[i], batches[i] == 1 ? EVENTS / 10 : EVENTS);
	(void)printf("store_rss %lld KiB\n", (long long)(sys_rss_bytes() / 1024));
	store_close(b->store);
	(void)mailbox_drain(b->home);
	mailbox_free(b->home);
	free(b);
	if (argc < 2)
		return sys_remove_dir(dir, &err) == GW_OK ? 0 : 1;
	return 0;
}
