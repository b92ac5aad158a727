/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - threads, start and end
 *
 * ROLE        An HTTP thread takes calls and posts them to the loop's thread,
 *             which owns everything else and answers them.
 * LIFE        start -> listen -> ready -> (SIGTERM | SIGINT | stop_fd) ->
 *             answer what waits, cut what hangs -> stop listening -> end.
 * FAILURE     Cannot listen: 1 and err.  Nothing survives the end.
 * THREADS     The caller's thread is the loop.  `closing` and the count behind
 *             faults_take_head() are all that both threads look at beside the
 *             mailbox.
 * TESTS       tests/unit/test_sandbox_run.c, tests/system/test_sandbox.py
 */
#include "sandbox/sandbox.h"

#include "base/mem.h"
#include "base/panic.h"
#include "net/http_server.h"
#include "sandbox/control.h"
#include "sandbox/customer.h"
#include "sandbox/graph.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define CLOSE_WAIT_MS 1000 /* for calls that are on their way at the end */
#define SEED_MAX ((UINT64_C(1) << 53) - 1) /* exact in every JSON reader */

struct sandbox {
	const struct sandbox_options *options;
	struct log own_log;
	const struct log *log;
	struct clock clock;
	struct loop *loop;
	struct mailbox *mailbox;
	struct world *world;
	struct faults *faults;
	struct hooks *hooks;
	struct answers *answers;
	struct simclock *simclock;
	struct control control;
	struct graph graph;
	struct http_server *server;
	struct loop_watch *signal_watch, *stop_watch;
	int signal_fd;
	_Atomic bool closing;
};

/* A call on its way from the HTTP thread to the loop. */
struct arrival {
	struct mail mail;
	struct sandbox *sandbox;
	struct http_call *call;
};

static bool query_of(const void *cookie, const char *name, struct str *out)
{
	return http_query(cookie, name, out);
}

static void handle_graph(struct sandbox *s, struct http_call *call)
{
	struct ask ask = { .method = http_method(call),
			   .path = http_path(call),
			   .body = http_body(call),
			   .query = query_of,
			   .cookie = call };
	struct answer answer;

	if (!http_header(call, "Authorization", &ask.authorization))
		ask.authorization = STR_EMPTY;
	if (!http_header(call, "Host", &ask.host))
		ask.host = STR("127.0.0.1");
	if (!http_header(call, "Content-Type", &ask.content_type))
		ask.content_type = STR_EMPTY;
	if (!http_header(call, "file_offset", &ask.file_offset))
		ask.file_offset = STR_EMPTY;
	answer_init(&answer);
	graph_handle(&s->graph, &ask, &answer);
	answers_give(s->answers, call, &answer);
}

static void handle(struct sandbox *s, struct http_call *call)
{
	struct str path = http_path(call), prefix = STR("/sandbox/v1/");

	if (str_starts(path, prefix))
		control_handle(&s->control, call, str_slice(path, prefix.len, path.len));
	else if (str_eq(path, STR("/")) && str_eq(http_method(call), STR("GET")))
		control_page(&s->control, call);
	else
		handle_graph(s, call);
}

/* Loop thread. */
static void on_arrival(struct mail *mail)
{
	struct arrival *a = CONTAINER_OF(mail, struct arrival, mail);

	handle(a->sandbox, a->call);
	free(a);
}

/* HTTP thread. */
static size_t on_head(void *cookie, struct http_call *call)
{
	struct sandbox *s = cookie;
	size_t at;

	if (str_eq(http_method(call), STR("POST")) && str_ends(http_path(call), STR("/messages")) &&
	    faults_take_head(s->faults)) {
		http_abort(call, true);
		return 0;
	}
	/* Files come in this way and no other. */
	if (str_eq(http_method(call), STR("POST")) &&
	    (str_ends(http_path(call), STR("/media")) ||
	     str_find(http_path(call), STR("/upload:"), &at)))
		return SANDBOX_FORM_MAX;
	return SANDBOX_BODY_MAX;
}

/* HTTP thread. */
static void on_request(void *cookie, struct http_call *call)
{
	struct sandbox *s = cookie;
	struct arrival *a;

	if (atomic_load(&s->closing)) {
		http_reply_empty(call, 503);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->mail.deliver = on_arrival;
	a->sandbox = s;
	a->call = call;
	mailbox_post(s->mailbox, &a->mail);
}

static void on_change(void *cookie, struct str change)
{
	struct sandbox *s = cookie;

	hooks_change(s->hooks, change);
}

static void on_accepted(void *cookie, const struct sent_message *m)
{
	struct sandbox *s = cookie;

	control_accepted(&s->control, m);
}

static void on_hook_changed(void *cookie, const struct hook *hook)
{
	struct sandbox *s = cookie;

	control_hook_changed(&s->control, hook);
}

/* The callback listens: now the seeded customer writes, once per world. */
static void on_hooks_ready(void *cookie)
{
	struct sandbox *s = cookie;

	log_info(s->log, "sandbox: the callback took the handshake");
	if (!s->options->no_seed_message && customers_inbound_count(s->world->customers) == 0)
		customers_say_hello(s->world);
}

static gw_status on_subscribe(void *cookie, struct str url, struct str token, struct gw_error *err)
{
	struct sandbox *s = cookie;

	hooks_set_verify_token(s->hooks, token); /* the handshake begins with the url */
	return hooks_set_callback(s->hooks, url, err);
}

static const char *get_callback(void *cookie)
{
	return hooks_callback(((struct sandbox *)cookie)->hooks);
}

static void on_signal(void *cookie, uint32_t events)
{
	struct sandbox *s = cookie;
	struct signalfd_siginfo info;

	(void)events;
	if (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		log_info(s->log, "sandbox: stopping on signal %u", info.ssi_signo);
	loop_stop(s->loop);
}

static void on_stop(void *cookie, uint32_t events)
{
	struct sandbox *s = cookie;

	(void)events;
	loop_stop(s->loop);
}

/* Blocked before any thread starts, so that only the descriptor sees them. */
static gw_status watch_signals(struct sandbox *s, struct gw_error *err)
{
	sigset_t set;

	if (!s->options->handle_signals)
		return GW_OK;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return gw_error_set(err, GW_EIO, "cannot block signals");
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot watch for signals");
	s->signal_watch = loop_watch(s->loop, s->signal_fd, EPOLLIN, on_signal, s);
	return GW_OK;
}

static uint64_t pick_seed(const struct sandbox_options *o)
{
	struct rnd rnd;

	if (o->seed != 0)
		return o->seed & SEED_MAX;
	rnd_init_system(&rnd);
	return rnd_u64(&rnd) & SEED_MAX;
}

static gw_status make_world(struct sandbox *s, struct gw_error *err)
{
	const struct sandbox_options *o = s->options;
	const struct world_hooks world_hooks = { on_change, on_accepted, s };
	const struct hooks_events events = { on_hook_changed, on_hooks_ready, s };
	struct secret secret = { .len = 0 }, token = { .len = 0 };

	secret_set(&secret, STR(SANDBOX_APP_SECRET));
	secret_set(&token, STR(SANDBOX_VERIFY_TOKEN));
	s->faults = faults_new();
	s->answers = answers_new(s->loop);
	s->simclock = simclock_new(s->loop);
	s->world = world_new(s->loop, pick_seed(o), s->log, &world_hooks);
	s->control.world = s->world;
	s->control.faults = s->faults;
	s->control.answers = s->answers;
	s->control.clock = s->simclock;
	s->control.no_seed_message = o->no_seed_message;
	control_init(&s->control);
	graph_init(&s->graph, s->world, s->faults);
	s->hooks = hooks_new(s->world, o->app_secret != NULL ? o->app_secret : &secret,
			     o->verify_token != NULL ? o->verify_token : &token, &events, err);
	secret_release(&secret);
	secret_release(&token);
	s->control.hooks = s->hooks;
	s->graph.subscribe = on_subscribe;
	s->graph.callback = get_callback;
	s->graph.app_secret = o->app_secret;
	s->graph.cookie = s;
	return s->hooks == NULL ? GW_ENOMEM : GW_OK;
}

static gw_status listen_and_call(struct sandbox *s, struct gw_error *err)
{
	static const struct http_server_handlers handlers = { .on_head = on_head,
							      .on_request = on_request };
	const struct sandbox_options *o = s->options;
	struct http_server_options so = HTTP_SERVER_OPTIONS_INIT;
	gw_status st;

	so.name = "sandbox";
	so.address = o->address;
	so.port = o->port;
	so.body_max = SANDBOX_BODY_MAX;
	so.connections_max = SANDBOX_CONNECTIONS_MAX;
	so.handlers = &handlers;
	so.cookie = s;
	so.log = s->log;
	st = http_server_start(&so, &s->server, err);
	if (st == GW_OK)
		(void)snprintf(s->world->host, sizeof(s->world->host), "%s:%u",
			       strcmp(o->address, "0.0.0.0") == 0 ? "127.0.0.1" : o->address,
			       http_server_port(s->server));
	if (st == GW_OK && o->callback_url != NULL)
		st = hooks_set_callback(s->hooks, str_from(o->callback_url), err);
	if (st == GW_OK && o->callback_url == NULL && !o->no_seed_message)
		customers_say_hello(s->world);
	return st;
}

static void tell_ready(struct sandbox *s)
{
	const struct sandbox_options *o = s->options;
	uint16_t port = http_server_port(s->server);
	char line[16];
	int len = snprintf(line, sizeof(line), "%u\n", port);

	log_info(s->log, "sandbox: listening on %s:%u seed=%llu", o->address, port,
		 (unsigned long long)s->world->seed);
	if (o->ready_fd >= 0 && write(o->ready_fd, line, (size_t)len) != (ssize_t)len)
		log_warn(s->log, "sandbox: cannot write to the ready descriptor");
	if (o->on_ready != NULL)
		o->on_ready(o->cookie, port);
}

static gw_status start(struct sandbox *s, struct gw_error *err)
{
	const struct sandbox_options *o = s->options;
	gw_status st;

	clock_init(&s->clock);
	if (o->freeze)
		clock_freeze(&s->clock);
	if (o->start_wall_ms != 0)
		clock_set_wall(&s->clock, o->start_wall_ms);
	s->loop = loop_new(&s->clock);
	s->mailbox = mailbox_new();
	loop_attach(s->loop, s->mailbox);
	st = watch_signals(s, err);
	if (st == GW_OK)
		st = make_world(s, err);
	if (st == GW_OK)
		st = listen_and_call(s, err);
	if (st != GW_OK)
		return st;
	if (o->stop_fd >= 0)
		s->stop_watch = loop_watch(s->loop, o->stop_fd, EPOLLIN, on_stop, s);
	return GW_OK;
}

/* Every call gets its answer, or its connection's end, before the server stops. */
static void close_calls(struct sandbox *s)
{
	int64_t until = clock_real_ns() + CLOSE_WAIT_MS * NS_PER_MS;

	atomic_store(&s->closing, true);
	http_server_quiesce(s->server);
	do {
		answers_release(s->answers);
		simclock_release(s->simclock);
		control_free_waiters(&s->control);
		if (http_server_open_calls(s->server) == 0)
			break;
		loop_turn(s->loop, 5);
	} while (clock_real_ns() < until);
	http_server_stop(s->server, 100);
}

static void finish(struct sandbox *s)
{
	if (s->server != NULL)
		close_calls(s);
	loop_unwatch(s->signal_watch);
	loop_unwatch(s->stop_watch);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
	if (s->world != NULL) {
		control_release(&s->control);
		graph_release(&s->graph);
		hooks_free(s->hooks);
		world_free(s->world);
	}
	simclock_free(s->simclock);
	answers_free(s->answers);
	faults_free(s->faults);
	if (s->mailbox != NULL) {
		loop_detach(s->loop, s->mailbox);
		mailbox_free(s->mailbox);
	}
	if (s->loop != NULL)
		loop_free(s->loop);
}

int sandbox_run(const struct sandbox_options *o, struct gw_error *err)
{
	struct sandbox *s = xcalloc(1, sizeof(*s));
	gw_status st;

	s->options = o;
	s->signal_fd = -1;
	log_init(&s->own_log, STDERR_FILENO, LOG_WARN, "sandbox", NULL);
	s->log = o->log != NULL ? o->log : &s->own_log;
	st = start(s, err);
	if (st == GW_OK) {
		tell_ready(s);
		loop_run(s->loop);
	}
	finish(s);
	free(s);
	return st == GW_OK ? 0 : 1;
}
