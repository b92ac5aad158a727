/* SPDX-License-Identifier: MIT */
/*
 * cmd_up.c - godwit up: gateway and sandbox on loopback, no account, events as they happen
 *
 * LIFE     folder -> gateway ready -> key -> stream open -> sandbox ready ->
 *          banner -> events until a signal or the end of a child -> gateway
 *          drained -> sandbox ended -> folder removed.
 * ORDER    The gateway listens before the sandbox exists, so that the first
 *          handshake passes; the stream is open before the customer writes, so
 *          that the first payload is seen.
 * FAILURE  A child ends: its last log lines, exit 1 (7 when a port is taken).
 *          This process is killed: the children get SIGTERM from the kernel;
 *          the folder stays.
 * TESTS    tests/system/test_up.py
 */
#include "base/panic.h"
#include "base/sys_file.h"
#include "cli/api.h"
#include "cli/child.h"
#include "cli/event_line.h"
#include "cli/opt.h"
#include "cli/out.h"
#include "cli/up_folder.h"
#include "sandbox/sandbox.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 30000 /* for one child; a loaded machine with a sanitizer build needs some */
#define DRAIN_MS 40000 /* drain.grace and what drain.c adds */
#define LATEST_VERSION "v26.0" /* of the Graph API in November 2026; any works */
#define CUSTOMER "5571990000001" /* docs/sandbox.md */

extern const struct cmd cmd_up;

struct up {
	struct cli *cli;
	/* options */
	const char *listen, *data;
	int64_t port, sandbox_port, seed;
	/* running */
	struct up_folder folder;
	struct child gateway, sandbox;
	char listen_at[160], url[160], sandbox_at[64], sandbox_url[80];
	char server[UP_PATH_MAX + 8], key[UP_KEY_MAX];
	uint16_t public_port;
	struct api *api;
	struct api_stream *stream;
	bool stream_open, stream_ended, was_payload_shown;
	int signal_fd, code; /* code -1: go on */
	struct loop_watch *watches[3];
};

/* ---- ports ---- */

/* A port nobody has now.  The gateway must know the sandbox's before the sandbox runs. */
static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint16_t port = 0;

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &len) == 0)
		port = ntohs(a.sin_port);
	if (fd >= 0)
		(void)close(fd);
	return port;
}

static int choose_ports(struct up *u)
{
	char host[128] = "127.0.0.1";
	uint16_t port = (uint16_t)u->port;

	if (u->port > UINT16_MAX || u->sandbox_port > UINT16_MAX)
		return cli_failf(u->cli, EXIT_USAGE, NULL, "a port is at most %d", UINT16_MAX);
	if (u->listen != NULL && !child_split_address(u->listen, host, sizeof(host), &port))
		return cli_failf(u->cli, EXIT_USAGE, "want ADDRESS:PORT, such as 127.0.0.1:8080",
				 "--listen: \"%s\" is no address", u->listen);
	if (u->sandbox_port < 0)
		u->sandbox_port = port == 0 ? 0 : 8081;
	if (u->sandbox_port == 0)
		u->sandbox_port = free_port();
	(void)snprintf(u->listen_at, sizeof(u->listen_at),
		       strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
	(void)snprintf(u->url, sizeof(u->url),
		       strchr(host, ':') != NULL ? "http://[%s]" : "http://%s",
		       strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host);
	(void)snprintf(u->sandbox_at, sizeof(u->sandbox_at), "127.0.0.1:%d", (int)u->sandbox_port);
	(void)snprintf(u->sandbox_url, sizeof(u->sandbox_url), "http://%s", u->sandbox_at);
	return EXIT_OK;
}

/* ---- children ---- */

/* What a child said last, as its own error line: "godwit: 127.0.0.1:8080 is in use by ...". */
static bool own_words(const struct child *c, char *out, size_t cap)
{
	struct str rest, line;
	bool found = false;
	struct buf b;

	buf_init(&b, 16U << 20);
	if (sys_read_file(c->log_path, &b, NULL) == GW_OK) {
		for (rest = buf_str(&b); rest.len > 0 && str_split(&rest, '\n', &line);)
			if (str_starts(line, STR("godwit: ")))
				found = str_copy(str_slice(line, 8, line.len), out, cap);
	}
	buf_release(&b);
	return found;
}

static int did_not_start(struct up *u, struct child *c, const struct gw_error *err)
{
	char words[1024];
	int status = 0;
	/* A child whose end of the pipe is shut is ending, and how it ends is the answer. */
	bool ended = child_wait(c, err->status == GW_ESTATE ? READY_MS : 0, &status);
	bool may_pass = ended && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_TEMPORARY;

	if (own_words(c, words, sizeof(words)))
		return cli_failf(
			u->cli, may_pass ? EXIT_TEMPORARY : EXIT_FAILED,
			"`godwit up --port 0` takes any free ports; --port and --sandbox-port "
			"choose them",
			"%s", words);
	(void)cli_failf(u->cli, EXIT_FAILED, NULL, "%s; its last lines:", err->message);
	child_print_log(c);
	return EXIT_FAILED;
}

static int start_gateway(struct up *u)
{
	const char *args[] = { "serve", "-c", u->folder.config, NULL };
	struct gw_error err = GW_ERROR_INIT;
	char line[CHILD_READY_MAX];
	struct str rest, word;
	uint32_t port = 0;

	if (child_start(&u->gateway, args, u->folder.gateway_log, &err) != GW_OK)
		return cli_failf(u->cli, EXIT_FAILED, NULL, "%s", err.message);
	if (child_wait_ready(&u->gateway, READY_MS, line, &err) != GW_OK)
		return did_not_start(u, &u->gateway, &err);
	rest = str_from(line);
	while (rest.len > 0 && str_split(&rest, ' ', &word))
		if (str_starts(word, STR("public=")))
			(void)str_to_u32(str_slice(word, 7, word.len), &port);
	u->public_port = (uint16_t)port;
	(void)snprintf(u->url + strlen(u->url), sizeof(u->url) - strlen(u->url), ":%u", port);
	return EXIT_OK;
}

static int start_sandbox(struct up *u)
{
	char seed[24], callback[sizeof(u->url) + 16];
	const char *args[] = { "sandbox",
			       "--listen",
			       u->sandbox_at,
			       "--callback",
			       callback,
			       "--app-secret-file",
			       u->folder.app_secret,
			       "--verify-token-file",
			       u->folder.verify_token,
			       "--seed",
			       seed,
			       "--log-level",
			       "info",
			       NULL };
	struct gw_error err = GW_ERROR_INIT;
	char line[CHILD_READY_MAX];

	(void)snprintf(seed, sizeof(seed), "%lld", (long long)u->seed);
	(void)snprintf(callback, sizeof(callback), "%s/webhook", u->url);
	if (child_start(&u->sandbox, args, u->folder.sandbox_log, &err) != GW_OK)
		return cli_failf(u->cli, EXIT_FAILED, NULL, "%s", err.message);
	if (child_wait_ready(&u->sandbox, READY_MS, line, &err) != GW_OK)
		return did_not_start(u, &u->sandbox, &err);
	return EXIT_OK;
}

/* ---- the key and the stream ---- */

static int make_key(struct up *u)
{
	struct gw_error err = GW_ERROR_INIT;
	struct api_answer answer;
	struct str key;
	struct buf b;
	int code;

	buf_init(&b, UP_KEY_MAX - 1);
	if (sys_read_file(u->folder.key, &b, NULL) == GW_OK &&
	    str_copy(str_trim(buf_str(&b)), u->key, sizeof(u->key))) {
		buf_release(&b);
		return EXIT_OK; /* of an earlier run with the same --data */
	}
	buf_release(&b);
	code = api_expect(u->api,
			  &(struct api_request){
				  .method = "POST",
				  .path = "/api/v1/keys",
				  .body = STR("{\"name\":\"up\",\"scopes\":[\"send\",\"read\"]}") },
			  &answer);
	if (code != EXIT_OK)
		return code;
	if (!json_get_str(answer.json, STR("key"), sizeof(u->key) - 1, &key))
		return cli_failf(u->cli, EXIT_FAILED, NULL, "the gateway made no key");
	(void)str_copy(key, u->key, sizeof(u->key));
	if (sys_write_file(u->folder.key, key, 0600, &err) != GW_OK)
		return cli_failf(u->cli, EXIT_FAILED, NULL, "%s", err.message);
	return EXIT_OK;
}

static void print_reply_hint(const struct up *u)
{
	printf("\n  Reply to Ana from another terminal:\n"
	       "    curl -s %s/" LATEST_VERSION "/" SANDBOX_NUMBER_ID "/messages \\\n"
	       "      -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n"
	       "      -d '{\"messaging_product\":\"whatsapp\",\"to\":\"" CUSTOMER
	       "\",\"type\":\"text\","
	       "\"text\":{\"body\":\"Yes\"}}'\n"
	       "  or simply:  %s send +" CUSTOMER " \"Yes\"\n\n",
	       u->url, u->key, u->cli->program);
}

static void print_event(struct up *u, struct json_val event, bool is_message)
{
	struct buf b;

	buf_init(&b, 4U << 20);
	event_put_line(&b, u->cli, event);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	if (is_message && !u->was_payload_shown) {
		buf_reset(&b);
		out_pretty(&b, json_bytes(event), 14);
		printf("%14s%.*s   %s your first payload\n", "", STR_ARG(buf_str(&b)),
		       u->cli->utf8 ? "\u2190" : "<-");
		print_reply_hint(u);
		u->was_payload_shown = true;
	}
	buf_release(&b);
}

static void on_event(void *cookie, const struct sse_event *e)
{
	struct up *u = cookie;
	struct arena *a = arena_new(e->data.len * 10 + 65536);
	const struct json_doc *doc;

	ASSERT(a != NULL);
	if (cli_is_json(u->cli))
		printf("%.*s\n", STR_ARG(e->data));
	else if (json_scan(e->data, a, &doc, NULL) == GW_OK)
		print_event(u, json_root(doc), strcmp(e->type, "message.received") == 0);
	if (fflush(stdout) != 0 && u->code < 0)
		u->code = EXIT_OK; /* whoever read has gone */
	arena_free(a);
}

static void on_open(void *cookie)
{
	((struct up *)cookie)->stream_open = true;
}

static void on_end(void *cookie, int status, const struct gw_error *err)
{
	struct up *u = cookie;

	(void)status;
	(void)err;
	u->stream_ended = true;
	u->stream_open = false;
}

static int open_stream(struct up *u)
{
	const struct api_stream_handlers h = { on_event, on_open, on_end, u };

	u->stream = api_stream_open(u->api, "/api/v1/stream", NULL, &h);
	while (!u->stream_open && !u->stream_ended)
		loop_turn(api_loop(u->api), -1);
	if (u->stream_open)
		return EXIT_OK;
	return cli_failf(u->cli, EXIT_FAILED, NULL, "the gateway refuses its event stream");
}

/* ---- the banner ---- */

static void print_exports(const struct up *u)
{
	char usual[UP_PATH_MAX];
	bool other_socket = sys_default_socket(usual, sizeof(usual), NULL) != GW_OK ||
			    strcmp(usual, u->folder.socket) != 0;

	if (!other_socket && u->sandbox_port == 8081)
		return;
	printf("\n  For other terminals:");
	if (other_socket)
		printf("  export GODWIT_SERVER=%s", u->server);
	if (u->sandbox_port != 8081)
		printf("  export GODWIT_SANDBOX=%s", u->sandbox_url);
	printf("\n");
}

static void print_banner(const struct up *u)
{
	const char *bold = u->cli->color_out ? "\033[1m" : "";
	const char *plain = u->cli->color_out ? "\033[0m" : "";

	printf("%sgodwit %s   SANDBOX%s %s nothing leaves this machine\n\n", bold, GODWIT_VERSION,
	       plain, u->cli->utf8 ? "\u2013" : "-");
	printf("  Live page     %s/?access_token=%s\n", u->url, u->key);
	printf("  Graph API     %s/" LATEST_VERSION "   any version prefix, this key:\n", u->url);
	printf("  Key           %s\n", u->key);
	printf("  Number ID     " SANDBOX_NUMBER_ID "   WABA " SANDBOX_WABA_ID
	       "   template hello_sandbox %s approved\n",
	       out_mark(u->cli, MARK_OK));
	printf("  Sandbox       %s   a page, and the control API (docs/sandbox.md)\n",
	       u->sandbox_url);
	printf("  App secret    in %s   signs the webhooks\n", u->folder.app_secret);
	printf("\n  Webhook target: none yet; events are recorded anyway.\n"
	       "    %s listen --forward-to localhost:3000/webhook\n",
	       u->cli->program);
	print_exports(u);
	printf("\n");
	(void)fflush(stdout);
}

static void print_ready_json(const struct up *u)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 65536);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("ready"));
	json_w_object(&w);
	json_w_kv_text(&w, "url", u->url);
	json_w_kv_text(&w, "sandbox", u->sandbox_url);
	json_w_kv_text(&w, "server", u->server);
	json_w_kv_text(&w, "key", u->key);
	json_w_kv_text(&w, "number_id", SANDBOX_NUMBER_ID);
	json_w_kv_text(&w, "business_id", SANDBOX_WABA_ID);
	json_w_kv_text(&w, "app_secret_file", u->folder.app_secret);
	json_w_end(&w);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	(void)fflush(stdout);
	buf_release(&b);
}

/* ---- running ---- */

static void on_signal(void *cookie, uint32_t events)
{
	struct up *u = cookie;
	struct signalfd_siginfo info;

	(void)events;
	if (read(u->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		u->code = 128 + (int)info.ssi_signo;
}

static void child_ended(struct up *u, struct child *c)
{
	int status = 0;

	if (u->code >= 0 || !child_wait(c, 1000, &status))
		return;
	u->code = EXIT_FAILED;
	if (WIFSIGNALED(status))
		(void)cli_failf(u->cli, EXIT_FAILED, NULL,
				"the %s was killed by signal %d; its last lines:", c->name,
				WTERMSIG(status));
	else
		(void)cli_failf(u->cli, EXIT_FAILED, NULL,
				"the %s ended with %d; its last lines:", c->name,
				WEXITSTATUS(status));
	child_print_log(c);
}

static void on_gateway_end(void *cookie, uint32_t events)
{
	struct up *u = cookie;

	(void)events;
	child_ended(u, &u->gateway);
}

static void on_sandbox_end(void *cookie, uint32_t events)
{
	struct up *u = cookie;

	(void)events;
	child_ended(u, &u->sandbox);
}

static int watch_signals(struct up *u)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP); /* the terminal was closed */
	(void)sigaction(SIGPIPE, &ignore, NULL); /* on_event() sees that nobody reads */
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return EXIT_FAILED;
	u->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return u->signal_fd < 0 ? EXIT_FAILED : EXIT_OK;
}

static int run_until_told(struct up *u)
{
	struct loop *l = api_loop(u->api);

	u->watches[0] = loop_watch(l, u->signal_fd, EPOLLIN, on_signal, u);
	u->watches[1] = loop_watch(l, u->gateway.pid_fd, EPOLLIN, on_gateway_end, u);
	u->watches[2] = loop_watch(l, u->sandbox.pid_fd, EPOLLIN, on_sandbox_end, u);
	while (u->code < 0)
		loop_turn(l, -1);
	for (size_t i = 0; i < ARRAY_LEN(u->watches); i++)
		loop_unwatch(u->watches[i]);
	return u->code;
}

static int start(struct up *u)
{
	struct gw_error err = GW_ERROR_INIT;
	int code = choose_ports(u);

	if (code == EXIT_OK)
		code = watch_signals(u);
	if (code == EXIT_OK &&
	    (up_folder_open(&u->folder, u->data, &err) != GW_OK ||
	     up_folder_configure(&u->folder, u->listen_at, u->sandbox_url, &err) != GW_OK))
		code = cli_failf(u->cli, EXIT_FAILED, NULL, "%s", err.message);
	if (code == EXIT_OK)
		code = start_gateway(u);
	if (code != EXIT_OK)
		return code;
	(void)snprintf(u->server, sizeof(u->server), "unix:%s", u->folder.socket);
	u->cli->server = u->server;
	u->api = api_open(u->cli, &code);
	if (code == EXIT_OK)
		code = make_key(u);
	if (code == EXIT_OK)
		code = open_stream(u);
	if (code == EXIT_OK)
		code = start_sandbox(u);
	return code;
}

/* The gateway first: what it still has in flight needs the sandbox's answers. */
static void stop(struct up *u)
{
	struct signalfd_siginfo info;
	int status;

	api_stream_close(u->stream);
	child_signal(&u->gateway, SIGTERM);
	for (int64_t waited = 0; waited < DRAIN_MS && !child_wait(&u->gateway, 100, &status);
	     waited += 100)
		if (u->signal_fd >= 0 && read(u->signal_fd, &info, sizeof(info)) > 0)
			break; /* a second Ctrl-C: now */
	child_release(&u->gateway);
	child_signal(&u->sandbox, SIGTERM);
	(void)child_wait(&u->sandbox, 5000, &status);
	child_release(&u->sandbox);
	api_close(u->api);
	if (u->signal_fd >= 0)
		(void)close(u->signal_fd);
	up_folder_close(&u->folder);
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct up u = { .cli = cli,
			.port = 8080,
			.sandbox_port = -1,
			.signal_fd = -1,
			.code = -1,
			.gateway = CHILD_INIT("gateway"),
			.sandbox = CHILD_INIT("sandbox") };
	const struct opt opts[] = {
		{ OPT_I64, 0, "port", &u.port, "N", "of the gateway (8080); 0: any free ones" },
		{ OPT_TEXT, 0, "listen", &u.listen, "ADDRESS:PORT", "instead of 127.0.0.1:8080" },
		{ OPT_I64, 0, "sandbox-port", &u.sandbox_port, "N", "of the sandbox (8081)" },
		{ OPT_TEXT, 0, "data", &u.data, "DIR",
		  "keep everything there; else it is thrown away" },
		{ OPT_I64, 0, "seed", &u.seed, "N", "of the sandbox; 0: drawn anew" },
		OPT_END
	};
	int code;

	if (!opt_parse(cli, &cmd_up, opts, &argc, &argv))
		return cli->code;
	code = start(&u);
	if (code == EXIT_OK) {
		if (cli_is_json(cli))
			print_ready_json(&u);
		else
			print_banner(&u);
		code = run_until_told(&u);
	}
	stop(&u);
	return code;
}

const struct cmd cmd_up = {
	.name = "up",
	.help = "gateway and sandbox on this machine: the first minute, no account, no prompt",
	.more = "Ctrl-C ends it and throws its data away, unless --data DIR keeps them.\n"
		"With -o jsonl the first line says where everything is, the others are the events.",
	.run = run,
};
