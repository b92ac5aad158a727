/* SPDX-License-Identifier: MIT */
/*
 * micro_http.c - what one small request costs in the listener and in the client
 *
 *     micro_http [REQUESTS [CONNECTIONS [RUN]]]      200000, 64 and all by default
 *
 * Three runs over the loopback, POST of 1000 bytes, `{}` back:
 *   listener       answered at once
 *   listener_late  answered by another thread
 *   client
 * The figure that does not depend on the neighbours is the CPU time of the
 * thread under test, taken from its own clock.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "net/http_client.h"
#include "net/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_BYTES 1000

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void print(const char *name, double value, const char *unit)
{
	(void)printf("%s %.2f %s\n", name, value, unit);
}

/* ---- the listener's side ---- */

struct job {
	struct mail mail;
	struct http_call *call;
};

struct service {
	struct mailbox *box; /* of the answering thread; NULL: answer at once */
	int64_t first_cpu_ns, last_cpu_ns;
	size_t requests, limit;
	atomic_bool stop;
};

static void on_job(struct mail *mail)
{
	struct job *job = CONTAINER_OF(mail, struct job, mail);

	http_reply_json(job->call, 200, STR("{}"));
	free(job);
}

static void on_request(void *cookie, struct http_call *c)
{
	struct service *s = cookie;
	struct job *job;

	if (s->requests++ == 0)
		s->first_cpu_ns = thread_cpu_ns();
	if (s->requests == s->limit)
		s->last_cpu_ns = thread_cpu_ns();
	if (s->box == NULL) {
		http_reply_json(c, 200, STR("{}"));
		return;
	}
	job = xmalloc(sizeof(*job));
	job->mail.deliver = on_job;
	job->call = c;
	mailbox_post(s->box, &job->mail);
}

static void *answer_main(void *arg)
{
	struct service *s = arg;

	while (!atomic_load(&s->stop) || !mailbox_is_empty(s->box)) {
		(void)mailbox_wait(s->box, clock_real_ns() + 10 * NS_PER_MS);
		(void)mailbox_drain(s->box);
	}
	return NULL;
}

static const struct http_server_handlers HANDLERS = { .on_request = on_request };

static struct http_server *start(struct service *s)
{
	struct http_server_options o = HTTP_SERVER_OPTIONS_INIT;
	struct gw_error err = GW_ERROR_INIT;
	struct http_server *server = NULL;

	o.address = "127.0.0.1";
	o.handlers = &HANDLERS;
	o.cookie = s;
	if (http_server_start(&o, &server, &err) != GW_OK)
		PANIC("%s", err.message);
	return server;
}

/* ---- a load generator that costs as little as it can ---- */

static int dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)) != 0)
		PANIC("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Lock-step on every connection: the next request when an answer is here. */
static void generate(uint16_t port, size_t requests, int connections)
{
	struct epoll_event events[128];
	char request[BODY_BYTES + 256], answer[4096];
	int head = snprintf(request, sizeof(request),
			    "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n"
			    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			    BODY_BYTES);
	size_t len = (size_t)head + BODY_BYTES, sent = 0, done = 0;
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int *fds = xcalloc((size_t)connections, sizeof(int));

	memset(request + head, 'x', BODY_BYTES);
	for (int i = 0; i < connections; i++) {
		struct epoll_event ev = { .events = EPOLLIN };

		ev.data.fd = fds[i] = dial(port);
		(void)epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev);
		if (sent++ < requests && send(fds[i], request, len, 0) != (ssize_t)len)
			PANIC("send");
	}
	while (done < requests) {
		int n = epoll_wait(ep, events, 128, -1);

		for (int i = 0; i < n; i++) {
			if (recv(events[i].data.fd, answer, sizeof(answer), 0) <= 0)
				PANIC("recv");
			done++;
			if (sent++ < requests &&
			    send(events[i].data.fd, request, len, 0) != (ssize_t)len)
				PANIC("send");
		}
	}
	for (int i = 0; i < connections; i++)
		(void)close(fds[i]);
	(void)close(ep);
	free(fds);
}

static void run_listener(const char *name, bool elsewhere, size_t requests, int connections)
{
	struct service s = { .limit = requests };
	struct http_server *server;
	pthread_t thread;
	int64_t began;
	char label[64];

	if (elsewhere) {
		s.box = mailbox_new();
		if (pthread_create(&thread, NULL, answer_main, &s) != 0)
			PANIC("no thread");
	}
	server = start(&s);
	began = clock_real_ns();
	generate(http_server_port(server), requests, connections);
	(void)snprintf(label, sizeof(label), "%s.rate", name);
	print(label, (double)requests * 1e9 / (double)(clock_real_ns() - began), "requests/s");
	http_server_stop(server, 1000);
	(void)snprintf(label, sizeof(label), "%s.cpu", name);
	print(label, (double)(s.last_cpu_ns - s.first_cpu_ns) / 1e3 / (double)(requests - 1), "us");
	if (elsewhere) {
		atomic_store(&s.stop, true);
		(void)pthread_join(thread, NULL);
		mailbox_free(s.box);
	}
}

/* ---- the client ---- */

struct sender {
	struct http_client *client;
	struct http_request request;
	size_t left, done;
};

static void on_done(void *cookie, const struct http_outcome *o)
{
	struct sender *s = cookie;

	if (o->end != HTTP_END_ANSWERED || o->status != 200)
		PANIC("%s", o->error.message);
	s->done++;
	if (s->left > 0) {
		s->left--;
		(void)http_client_start(s->client, &s->request, on_done, s);
	}
}

static void run_client(size_t requests, int connections)
{
	static const char *const headers[] = { "Content-Type: application/json",
					       "Authorization: Bearer token" };
	struct service s = { .limit = requests };
	struct http_server *server = start(&s);
	struct http_client_options o = { .host_connections_max = connections };
	struct sender sender = { .left = requests };
	struct clock clock;
	char url[64], body[BODY_BYTES];
	int64_t began, cpu;

	memset(body, 'x', sizeof(body));
	clock_init(&clock);
	o.loop = loop_new(&clock);
	if (http_client_new(&o, &sender.client, NULL) != GW_OK)
		PANIC("no client");
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", http_server_port(server));
	sender.request = (struct http_request){ .method = "POST",
						.url = url,
						.headers = headers,
						.header_count = ARRAY_LEN(headers),
						.body = { body, sizeof(body) },
						.connect_timeout_ms = 5000,
						.timeout_ms = 30000,
						.answer_max = 65536 };
	began = clock_real_ns();
	cpu = thread_cpu_ns();
	for (int i = 0; i < connections && sender.left > 0; i++) {
		sender.left--;
		(void)http_client_start(sender.client, &sender.request, on_done, &sender);
	}
	while (sender.done < requests)
		loop_turn(o.loop, -1);
	print("client.rate", (double)requests * 1e9 / (double)(clock_real_ns() - began),
	      "requests/s");
	print("client.cpu", (double)(thread_cpu_ns() - cpu) / 1e3 / (double)requests, "us");
	http_client_free(sender.client);
	loop_free(o.loop);
	http_server_stop(server, 1000);
}

int main(int argc, char **argv)
{
	int64_t requests = 200000, connections = 64;

	if ((argc > 1 && !str_to_i64(str_from(argv[1]), &requests)) ||
	    (argc > 2 && !str_to_i64(str_from(argv[2]), &connections)) || requests < 2 ||
	    connections < 1 || connections > 1000) {
		(void)fprintf(stderr, "usage: micro_http [REQUESTS [CONNECTIONS [RUN]]]\n");
		return 64;
	}
	if (argc <= 3 || strcmp(argv[3], "listener") == 0)
		run_listener("listener", false, (size_t)requests, (int)connections);
	if (argc <= 3 || strcmp(argv[3], "listener_late") == 0)
		run_listener("listener_late", true, (size_t)requests, (int)connections);
	if (argc <= 3 || strcmp(argv[3], "client") == 0)
		run_client((size_t)requests, (int)connections);
	return 0;
}
