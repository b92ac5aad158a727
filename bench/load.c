/* SPDX-License-Identifier: MIT */
/*
 * load.c - the load of the benchmarks: a generator and an endpoint in one thread
 *
 * ROLE     Plays Meta (signed webhooks over keep-alive connections) and the
 *          user's endpoint (counts what arrives, once each) for the gateway and
 *          for its peer alike, with the same code and the same clock, so that
 *          the time from the first byte of a webhook to its arrival at the
 *          endpoint is one subtraction.  Or plays an application that sends.
 *
 *          load --mode webhooks --target PORT --path /webhook --secret-file F
 *               --endpoint PORT --connections N --seconds T [--rate R]
 *               [--customers K] [--drain T] [--first SEQ]
 *          load --mode sends --target PORT --path /v26.0/ID/messages --key-file F
 *               --connections N --seconds T [--first SEQ]
 *
 *          Without --rate the loop is closed: a connection posts again when it
 *          has its answer.  With it the loop is open: posts are due at fixed
 *          times and their latency counts from then, so that a stall of the
 *          system under test is not hidden by the generator waiting for it.
 *
 *          The seconds of sends go from the first answer to the last, so that the
 *          way of the first message and the drain's end, in which nothing is handed
 *          in, count as latency and not as a lower rate.
 *
 * OUTPUT   One line "name value" each: posted answered non_200 arrived repeated
 *          lost seconds rate ack_p50_ms ack_p99_ms relay_p50_ms relay_p99_ms
 *          relay_p999_ms.
 * LIMITS   SEQ_MAX events, CONN_MAX connections; loopback only; ends by itself.
 */
#include "base/clock.h"
#include "base/hexb64.h"
#include "base/mac.h"
#include "base/mem.h"
#include "base/panic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define SEQ_MAX (8U * 1024 * 1024)
#define CONN_MAX 1024
#define IN_MAX 16384
#define OUT_MAX 4096
#define EVENTS_MAX 256
#define MARK "wamid.B"

enum role { ROLE_GENERATOR, ROLE_LISTENER, ROLE_ENDPOINT };

struct conn {
	enum role role;
	int fd;
	size_t index; /* generator: place in load.gen */
	bool busy; /* a post is on its way */
	uint32_t seq; /* of that post */
	size_t in, out, sent;
	char inbuf[IN_MAX], outbuf[OUT_MAX];
};

struct options {
	bool sends;
	uint16_t target, endpoint;
	const char *path, *secret_file, *key_file;
	unsigned connections, customers;
	double seconds, drain, rate;
	uint32_t first;
};

struct load {
	struct options o;
	int epoll;
	struct secret secret;
	struct mac *mac;
	struct conn *gen[CONN_MAX];
	size_t idle[CONN_MAX], idle_count;
	int64_t *due_ns; /* per seq: when it was due (or posted) */
	int64_t *ack_ns, *arrive_ns;
	uint32_t next, posted, answered, non_200, arrived, repeated;
	int64_t start_ns, last_arrival_ns, first_answer_ns, last_answer_ns;
	int64_t wall_s; /* at start_ns */
};

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(struct load *l, struct conn *c, uint32_t events, int op)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (epoll_ctl(l->epoll, op, c->fd, &ev) != 0)
		die("epoll_ctl");
}

static struct conn *conn_new(struct load *l, enum role role, int fd)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	int one = 1;

	c->role = role;
	c->fd = fd;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(l, c, EPOLLIN, EPOLL_CTL_ADD);
	return c;
}

static void flush(struct load *l, struct conn *c)
{
	while (c->sent < c->out) {
		ssize_t n = send(c->fd, c->outbuf + c->sent, c->out - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			watch(l, c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			return;
		}
		if (n < 0)
			die("send");
		c->sent += (size_t)n;
	}
	c->out = c->sent = 0;
}

/* ---- generator ---- */

/* Sent at due_ns, as its timestamp says: what Meta posts is of this second or the last. */
static size_t webhook_body(const struct load *l, uint32_t seq, int64_t due_ns, char *out,
			   size_t cap)
{
	int64_t at_s = l->wall_s + (due_ns - l->start_ns) / NS_PER_S;
	unsigned customer = seq % l->o.customers;
	int n = snprintf(
		out, cap,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"102290129340398\","
		"\"changes\":[{\"value\":{\"messaging_product\":\"whatsapp\",\"metadata\":"
		"{\"display_phone_number\":\"15550783881\","
		"\"phone_number_id\":\"106540352242922\"},"
		"\"contacts\":[{\"profile\":{\"name\":\"Customer %u\"},\"wa_id\":\"4915%08u\","
		"\"user_id\":\"DE.%020u\"}],\"messages\":[{\"from\":\"4915%08u\",\"from_user_id\":"
		"\"DE.%020u\",\"id\":\"" MARK "%08u\",\"timestamp\":\"%lld\",\"text\":{\"body\":"
		"\"Is the parcel with number %u on its way? I have been waiting since Monday and "
		"would like to know.\"},\"type\":\"text\"}]},\"field\":\"messages\"}]}]}",
		customer, customer, customer, customer, customer, seq, (long long)at_s, seq);

	ASSERT(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

static size_t send_body(uint32_t seq, char *out, size_t cap)
{
	int n = snprintf(
		out, cap,
		"{\"messaging_product\":\"whatsapp\",\"to\":\"+4917%08u\","
		"\"type\":\"template\","
		"\"template\":{\"name\":\"hello_sandbox\",\"language\":{\"code\":\"en_US\"}}}",
		seq);

	ASSERT(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

static void post(struct load *l, struct conn *c, int64_t due_ns)
{
	char body[2048], credential[SECRET_MAX + 64];
	unsigned char mac[SHA256_BYTES];
	size_t len;
	int n;

	ASSERT(!c->busy && l->next < SEQ_MAX);
	c->seq = l->next++;
	if (l->o.sends) {
		len = send_body(l->o.first + c->seq, body, sizeof(body));
		(void)snprintf(credential, sizeof(credential), "Authorization: Bearer %.*s",
			       (int)l->secret.len, (const char *)l->secret.bytes);
	} else {
		len = webhook_body(l, l->o.first + c->seq, due_ns, body, sizeof(body));
		mac_sign(l->mac, str_make(body, len), mac);
		(void)str_copy(STR("X-Hub-Signature-256: sha256="), credential, sizeof(credential));
		hex_encode(mac, sizeof(mac), credential + strlen(credential));
	}
	n = snprintf(
		c->outbuf, sizeof(c->outbuf),
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s\r\n"
		"Content-Length: %zu\r\n\r\n",
		l->o.path, credential, len);
	ASSERT(n > 0 && (size_t)n + len < sizeof(c->outbuf));
	memcpy(c->outbuf + n, body, len);
	c->out = (size_t)n + len;
	c->busy = true;
	l->due_ns[c->seq] = due_ns;
	l->posted++;
	flush(l, c);
}

/* One whole HTTP message in the buffer?  Its length, or 0; *head gets the length of the head. */
static size_t whole_message(const struct conn *c, size_t *head)
{
	struct str in = str_make(c->inbuf, c->in), line, rest;
	uint64_t body = 0;
	bool chunked = false;
	size_t at;

	if (!str_find(in, STR("\r\n\r\n"), &at))
		return 0;
	*head = at + 4;
	rest = str_slice(in, 0, at);
	while (str_split(&rest, '\n', &line)) {
		size_t colon;
		struct str name, value;

		if (!str_find_char(line, ':', &colon))
			continue;
		name = str_slice(line, 0, colon);
		value = str_trim(str_slice(line, colon + 1, line.len));
		if (str_eq_nocase(name, STR("content-length")))
			(void)str_to_u64(value, &body);
		else if (str_eq_nocase(name, STR("transfer-encoding")))
			chunked = true;
	}
	if (chunked) {
		if (!str_find(str_slice(in, *head, in.len), STR("0\r\n\r\n"), &at))
			return 0;
		return *head + at + 5;
	}
	return c->in >= *head + body ? *head + (size_t)body : 0;
}

static void drop_front(struct conn *c, size_t len)
{
	memmove(c->inbuf, c->inbuf + len, c->in - len);
	c->in -= len;
}

static void on_answer(struct load *l, struct conn *c)
{
	size_t head, len = whole_message(c, &head);

	if (len == 0)
		return;
	if (c->in < 12 || memcmp(c->inbuf + 9, "200", 3) != 0) {
		if (l->non_200++ == 0)
			fprintf(stderr, "load: first bad answer: %.*s\n",
				(int)(len < 400 ? len : 400), c->inbuf);
	}
	drop_front(c, len);
	l->ack_ns[c->seq] = clock_real_ns() - l->due_ns[c->seq];
	l->answered++;
	l->last_answer_ns = clock_real_ns();
	if (l->answered == 1)
		l->first_answer_ns = l->last_answer_ns;
	c->busy = false;
	l->idle[l->idle_count++] = c->index;
}

/* ---- endpoint ---- */

static void count_arrival(struct load *l, struct str body)
{
	uint32_t seq;
	size_t at;

	if (!str_find(body, STR(MARK), &at) ||
	    !str_to_u32(str_slice(body, at + sizeof(MARK) - 1, at + sizeof(MARK) - 1 + 8), &seq))
		return;
	seq -= l->o.first;
	if (seq >= l->next)
		return; /* of an earlier run */
	if (l->arrive_ns[seq] != 0) {
		l->repeated++;
		return;
	}
	l->last_arrival_ns = clock_real_ns();
	l->arrive_ns[seq] = l->last_arrival_ns - l->due_ns[seq];
	l->arrived++;
}

static void on_delivery(struct load *l, struct conn *c)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	size_t head, len;

	while ((len = whole_message(c, &head)) > 0) {
		count_arrival(l, str_make(c->inbuf + head, len - head));
		drop_front(c, len);
		ASSERT(c->out + sizeof(answer) - 1 <= sizeof(c->outbuf));
		memcpy(c->outbuf + c->out, answer, sizeof(answer) - 1);
		c->out += sizeof(answer) - 1;
	}
	flush(l, c);
}

static void on_accept(struct load *l, struct conn *listener)
{
	int fd;

	while ((fd = accept(listener->fd, NULL, NULL)) >= 0)
		(void)conn_new(l, ROLE_ENDPOINT, fd);
}

static void on_ready(struct load *l, struct conn *c, uint32_t events)
{
	ssize_t n;

	if (c->role == ROLE_LISTENER) {
		on_accept(l, c);
		return;
	}
	if ((events & EPOLLOUT) != 0) {
		watch(l, c, EPOLLIN, EPOLL_CTL_MOD);
		flush(l, c);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	n = recv(c->fd, c->inbuf + c->in, sizeof(c->inbuf) - c->in, 0);
	if (n <= 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		if (c->role == ROLE_GENERATOR)
			die("the target closed a connection");
		(void)close(c->fd);
		free(c);
		return;
	}
	c->in += (size_t)n;
	if (c->role == ROLE_GENERATOR)
		on_answer(l, c);
	else
		on_delivery(l, c);
}

/* ---- runs ---- */

static int loopback(uint16_t port, bool listening)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		die("socket");
	if (!listening) {
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
			die("connect");
		return fd;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1024) != 0)
		die("listen");
	return fd;
}

static void pump(struct load *l, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(l->epoll, events, EVENTS_MAX, timeout_ms);

	for (int i = 0; i < n; i++)
		on_ready(l, events[i].data.ptr, events[i].events);
}

static void generate(struct load *l)
{
	int64_t now = clock_real_ns(), end = now + (int64_t)(l->o.seconds * 1e9);
	int64_t step = l->o.rate > 0 ? (int64_t)(1e9 / l->o.rate) : 0, due = now;

	l->start_ns = now;
	while (now < end && l->next < SEQ_MAX - 1) {
		now = clock_real_ns();
		while (l->idle_count > 0 && (step == 0 || due <= now)) {
			post(l, l->gen[l->idle[--l->idle_count]], step == 0 ? now : due);
			due += step;
			now = clock_real_ns();
		}
		if (step != 0 && l->idle_count > 0 && due - now < NS_PER_MS)
			pump(l, 0);
		else
			pump(l, 1);
	}
}

static void drain(struct load *l)
{
	int64_t end = clock_real_ns() + (int64_t)(l->o.drain * 1e9);

	while (clock_real_ns() < end &&
	       (l->answered < l->posted || (!l->o.sends && l->arrived < l->posted)))
		pump(l, 5);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_quantiles(const char *name, int64_t *ns, uint32_t count)
{
	static const struct {
		const char *word;
		double q;
	} wanted[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p999", 0.999 } };
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		if (ns[i] != 0)
			ns[n++] = ns[i];
	qsort(ns, n, sizeof(*ns), by_value);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		printf("%s_%s_ms %.3f\n", name, wanted[i].word,
		       n == 0 ? 0.0 : (double)ns[(uint32_t)(wanted[i].q * (n - 1))] / 1e6);
}

static void report(struct load *l)
{
	int64_t start = l->o.sends ? l->first_answer_ns : l->start_ns;
	int64_t end = l->o.sends ? l->last_answer_ns : l->last_arrival_ns;
	double seconds = (double)(end - start) / 1e9;
	uint32_t done = l->o.sends ? l->answered - l->non_200 : l->arrived;

	if (l->o.sends && done > 0)
		done--; /* from the first to the last there is one interval less */

	printf("posted %u\nanswered %u\nnon_200 %u\narrived %u\nrepeated %u\nlost %u\n", l->posted,
	       l->answered, l->non_200, l->arrived, l->repeated,
	       l->o.sends ? 0 : l->answered - l->non_200 - l->arrived);
	printf("seconds %.3f\nrate %.1f\n", seconds, seconds > 0 ? done / seconds : 0.0);
	print_quantiles("ack", l->ack_ns, l->next);
	print_quantiles("relay", l->arrive_ns, l->next);
}

static double number(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (*end != '\0' || v < 0) {
		fprintf(stderr, "load: \"%s\" is not a number\n", text);
		exit(2);
	}
	return v;
}

static void read_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "mode", required_argument, NULL, 'm' },
		{ "target", required_argument, NULL, 't' },
		{ "path", required_argument, NULL, 'p' },
		{ "secret-file", required_argument, NULL, 's' },
		{ "key-file", required_argument, NULL, 's' },
		{ "endpoint", required_argument, NULL, 'e' },
		{ "connections", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		{ "customers", required_argument, NULL, 'k' },
		{ "drain", required_argument, NULL, 'w' },
		{ "first", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){
		.path = "/webhook", .connections = 64, .customers = 10000, .seconds = 5, .drain = 30
	};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'm': o->sends = strcmp(optarg, "sends") == 0; break;
		case 't': o->target = (uint16_t)number(optarg); break;
		case 'p': o->path = optarg; break;
		case 's': o->secret_file = optarg; break;
		case 'e': o->endpoint = (uint16_t)number(optarg); break;
		case 'c': o->connections = (unsigned)number(optarg); break;
		case 'd': o->seconds = number(optarg); break;
		case 'r': o->rate = number(optarg); break;
		case 'k': o->customers = (unsigned)number(optarg); break;
		case 'w': o->drain = number(optarg); break;
		case 'f': o->first = (uint32_t)number(optarg); break;
		default: exit(2);
		}
	}
	if (o->target == 0 || o->secret_file == NULL || o->connections == 0 ||
	    o->connections > CONN_MAX || o->customers == 0 || (!o->sends && o->endpoint == 0)) {
		fprintf(stderr,
			"load: --target, --secret-file or --key-file, --endpoint (for "
			"webhooks) and 1 to %d --connections are needed\n",
			CONN_MAX);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct load *l = xcalloc(1, sizeof(*l));
	struct gw_error err = GW_ERROR_INIT;

	read_options(argc, argv, &l->o);
	if (secret_load(l->o.secret_file, &l->secret, &err) != GW_OK) {
		fprintf(stderr, "load: %s\n", err.message);
		return 2;
	}
	l->mac = mac_new(str_make((const char *)l->secret.bytes, l->secret.len));
	l->due_ns = xcalloc(SEQ_MAX, sizeof(int64_t));
	l->ack_ns = xcalloc(SEQ_MAX, sizeof(int64_t));
	l->arrive_ns = xcalloc(SEQ_MAX, sizeof(int64_t));
	l->wall_s = clock_real_wall_ms() / 1000;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		die("epoll_create1");
	if (!l->o.sends)
		(void)conn_new(l, ROLE_LISTENER, loopback(l->o.endpoint, true));
	for (size_t i = 0; i < l->o.connections; i++) {
		l->gen[i] = conn_new(l, ROLE_GENERATOR, loopback(l->o.target, false));
		l->gen[i]->index = i;
		l->idle[l->idle_count++] = i;
	}
	generate(l);
	drain(l);
	report(l);
	return 0;
}
