/* SPDX-License-Identifier: MIT */
/*
 * http_server_int.h - what the files of the HTTP server share
 *
 *   http_server.c         life, the thread, accepting, the daemon in the loop
 *   http_server_head.c    the head of a request: checks, and what it says
 *   http_server_call.c    one request: its body, its handler, its answer
 *   http_server_stream.c  endless answers
 *   http_guard.c          deadlines of connections, lingering close
 *   http_listen.c         listening sockets
 *
 * Everything is the server thread's but what is marked otherwise.
 */
#ifndef NET_HTTP_SERVER_INT_H
#define NET_HTTP_SERVER_INT_H

#include "net/http_server.h"
#include "net/loop.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

struct lingering;

/* Where a connection is; each phase has its deadline (http_guard.c). */
enum conn_phase {
	CONN_NEW, /* nothing complete yet: the head is due after head_timeout_ms */
	CONN_IDLE, /* kept alive, between two requests */
	CONN_HEAD, /* a head has begun to arrive */
	CONN_BODY, /* the head is here, the body is coming */
	CONN_BUSY, /* the handler has the call, or a stream runs: no deadline */
	CONN_REPLY, /* the answer is being written */
	CONN_CUT, /* shut down by us, libmicrohttpd has yet to notice */
};

struct http_conn {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct http_conn *next, **link; /* in server->conns */
	int fd;
	enum conn_phase phase;
	bool linger; /* an answer went out before the body was read */
	struct timer timer; /* never armed later than due_ns */
	int64_t due_ns; /* look at the connection then; INT64_MAX: never */
	int64_t since_ns; /* the phase began */
	uint64_t progress; /* bytes at the last look: body, received or acknowledged */
	bool looked; /* progress holds the value of an earlier look */
	struct http_call *call; /* the request being served, from its head to its end */
	char *target; /* as sent, of the head being read; capacity target_cap */
	size_t target_len, target_cap;
	char peer[INET6_ADDRSTRLEN];
};

/* Who has answered a call, or closed a stream: decided by one exchange. */
enum owner_state {
	OWNER_HAS, /* not yet */
	OWNER_DONE, /* its mail is posted, or will be in a moment */
	OWNER_ORPHANED, /* the server went first: no mail may be posted any more */
};

struct http_pair {
	struct str name, value;
};

struct http_call {
	struct http_call *self; /* for what is cached behind a const view: the query */
	struct http_server *server;
	struct http_conn *conn;
	_Atomic int owner; /* enum owner_state; any thread */
	struct mail mail; /* brings the answer home */
	bool in_handler; /* on_head() or on_request() runs */
	bool handed_over; /* on_request() has been called */
	bool is_told; /* on_unheard() has been called */
	bool is_ready; /* response may be queued */
	bool is_suspended;
	bool has_body; /* one is announced */
	bool is_local;
	bool is_aborted, by_reset; /* written by the answering thread: no answer, but an end */
	struct MHD_Response *response; /* written by the answering thread */
	int status;
	struct http_stream *stream; /* the response is one */
	struct str method, target, path; /* in the block behind the struct */
	struct http_pair *headers; /* likewise */
	size_t header_count;
	struct http_pair *query; /* decoded at the first use; NULL: not yet */
	size_t query_count;
	char *body; /* NUL behind the last byte */
	size_t body_len, body_cap, body_max;
	int body_fd; /* borrowed; -1: the body is kept in memory */
	uint64_t content_length; /* 0 when chunked or none */
	int64_t received_ns;
	void *user;
	char peer[INET6_ADDRSTRLEN];
	struct http_call *next_orphan;
};

struct stream_chunk {
	struct mail mail;
	struct http_stream *stream;
	struct stream_chunk *next;
	size_t len;
	char bytes[];
};

struct http_stream {
	struct http_server *server;
	struct http_conn *conn; /* NULL before it began and after it ended */
	struct http_stream *next, **link; /* in server->streams */
	_Atomic int owner; /* enum owner_state: DONE = closed; any thread */
	atomic_size_t queued; /* bytes posted or queued, not yet written; any thread */
	atomic_bool ended; /* sends are ignored; any thread reads */
	atomic_bool cut_asked; /* the cut mail was posted; any thread */
	size_t queue_max;
	struct mail close_mail, cut_mail;
	struct stream_chunk *head, *tail;
	size_t head_at; /* bytes of head already written */
	struct loop_watch *hangup; /* tells when the client goes away */
	bool is_suspended;
	bool is_finishing; /* closed by its owner: end after the queue */
	bool is_cut;
	bool is_orphan; /* the server went before its owner closed it: no mail will come */
	void (*on_close)(void *cookie);
	void *cookie;
};

struct http_server {
	struct http_server_options options; /* strings are the caller's until start returns */
	char name[32];
	struct loop *loop;
	struct mailbox *box;
	struct MHD_Daemon *daemon;
	pthread_t thread;
	int listen_fd; /* -1: closed */
	char *unix_path; /* NULL: TCP */
	uint64_t unix_inode; /* of the socket file that is ours */
	uint16_t port;
	struct loop_watch *listen_watch, *daemon_watch;
	struct timer accept_timer; /* accept again, after descriptors ran out */
	struct timer again_timer; /* the daemon has work that no descriptor tells of */
	struct timer stop_timer; /* the grace of http_server_stop() */
	struct http_conn *conns, *accepting;
	size_t conn_count, linger_count;
	struct lingering *lingers;
	struct http_stream *streams;
	int64_t flood_logged_ns; /* last line about too many connections */
	bool is_dirty; /* run the daemon before the loop sleeps */
	bool is_draining;
	struct mail quiesce_mail, stop_mail;
	atomic_bool quiesced; /* the mail was posted */
	int64_t grace_ms;
	atomic_size_t open_calls; /* any thread */
	/* After the stop: one for the server, one for each call and stream still out. */
	atomic_size_t refs;
	struct http_call *orphans;
};

/* http_server.c */
bool server_is_here(const struct http_server *s); /* are we on its thread? */
void server_unref(struct http_server *s); /* any thread */

/* http_server_head.c: make the call of the head that was read, or return the status to refuse. */
int call_new(struct http_conn *conn, const char *method, const char *version,
	     struct http_call **out);

/* http_server_call.c: the daemon's callbacks */
void *call_on_target(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result call_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **request);
void call_on_completed(void *cls, struct MHD_Connection *mhd, void **request,
		       enum MHD_RequestTerminationCode why);
/* http_server_call.c: answers.  Any thread, takes the response; false: the server went first. */
bool call_deliver(struct http_call *c, int status, struct MHD_Response *response);
void call_over(struct http_conn *conn); /* the connection is done with its call, if it has one */
/* The server goes before the answer has come; false: the answer is on its way. */
bool call_orphan(struct http_call *c);
void call_free(struct http_call *c);

/* http_server_stream.c */
void stream_link(struct http_stream *st);
void stream_begin(struct http_stream *st, struct http_conn *conn); /* its answer was queued */
void stream_cut(struct http_stream *st);
void stream_end(struct http_stream *st); /* the connection is done with it */
bool stream_orphan(struct http_stream *st); /* as call_orphan() */
void stream_free(struct http_stream *st);

/* http_guard.c */
void guard_init(struct http_conn *conn);
void guard_phase(struct http_conn *conn, enum conn_phase phase);
void guard_release(struct http_conn *conn);
void server_unheard(const struct http_server *s, const struct http_call *c, enum http_unheard why);
void guard_cut(struct http_conn *conn, const char *why);
/* Read what still comes on fd (given away) for a while, so that no reset overtakes the answer. */
void guard_linger(struct http_server *s, int fd);
void guard_end_lingers(struct http_server *s);

/* http_listen.c */
GW_NODISCARD gw_status listen_tcp(const char *address, uint16_t port, int *out_fd,
				  uint16_t *out_port, struct gw_error *err);
GW_NODISCARD gw_status listen_unix(const char *path, int *out_fd, uint64_t *out_inode,
				   struct gw_error *err);
void listen_unlink(const char *path, uint64_t inode); /* only when it is still ours */

#endif
