/* SPDX-License-Identifier: MIT */
/*
 * api.h - the keyed surface: who may call what, and the frame of an answer
 *
 * api_on_head()/api_on_request() run on a listener's thread and hand the call
 * to the loop, where the table in api.c finds the handler.  A handler answers
 * exactly once, now or later.
 */
#ifndef SERVER_API_H
#define SERVER_API_H

#include "json/json.h"
#include "server/server.h"

struct spool;

#define API_BODY_MAX (256U * 1024)
#define API_ANSWER_MAX (64U * 1024 * 1024)
#define API_LIST_DEFAULT 50
#define API_LIST_MAX 1000
#define API_ARGS_MAX 2

/* Lives until the handler returns; handlers that answer later keep `call` only. */
struct api_request {
	struct server *server;
	struct http_call *call;
	const struct key *key; /* NULL: the local socket, which may everything */
	struct str arg[API_ARGS_MAX]; /* what stood for "*" in the path */
	struct spool *up; /* a large body; freed behind the handler unless it takes it */
};
typedef void (*api_fn)(struct api_request *r);

size_t api_on_head(struct server *s, struct http_call *call);
void api_on_request(struct server *s, struct http_call *call);
void api_on_unheard(const struct http_call *call);

/* Keys, for the Graph front.  Any thread: */
bool api_key_text(const struct http_call *call, struct str *out); /* false: none was sent */
bool api_may_have_key(const struct server *s, const struct http_call *call); /* keys_may_have() */
void api_no_key(struct server *s, struct http_call *call, bool graph); /* 401 */
/* The loop's: 403 in Meta's envelope. */
void api_no_scope(struct server *s, struct http_call *call, const char *details);

/* An error in the shape of docs/api.md. */
void api_error(struct http_call *call, int status, const char *class_, const char *code,
	       const char *fmt, ...) GW_PRINTF(5, 6);
/* Answer with what a writer built; a failed buffer is a 500. */
void api_reply(struct http_call *call, int status, struct buf *json);
/* What a body may hold; members of API_OTHER are checked by the handler. */
struct api_member {
	const char *name;
	enum { API_TEXT, API_FLAG, API_OTHER } kind;
	size_t max; /* TEXT: bytes */
};
/* Scan the body as one JSON object of known members; false: it was answered with 400. */
bool api_body(struct api_request *r, struct arena *a, const struct api_member *known, size_t count,
	      struct json_val *out);
/* ?limit=; false: answered with 400. */
bool api_limit(struct api_request *r, unsigned *out);
/* An id of one kind out of text; false: answered with 404. */
bool api_id(struct api_request *r, enum id_kind kind, struct str text, struct id *out);

/* The numbers that the call may see, with commas between them; empty: all.  The key's: a handler
 * that answers later copies them. */
struct str api_numbers(const struct api_request *r);
/* May the call see and manage a destination with this filter? */
bool api_owns_filter(const struct api_request *r, const struct filter *f);
/* 403: not with a key that is limited to numbers, because of `why`. */
void api_number_key(struct api_request *r, const char *why);

/* An id in the query that narrows a list; none: it stays as it is.  False: answered with 404. */
bool api_query_id(struct api_request *r, const char *name, enum id_kind kind, struct id *out);

/* handlers: api_messages.c, api_who.c, api_events.c, api_tables.c, stream.c, probes.c, page.c,
 * and as named below */
void api_message_list(struct api_request *r);
void api_message_get(struct api_request *r);
void api_message_trail(struct api_request *r);
void api_message_resolve(struct api_request *r);
void api_conversation_list(struct api_request *r); /* api_who.c */
void api_conversation_get(struct api_request *r);
void api_contact_list(struct api_request *r); /* api_contacts.c */
void api_contact_get(struct api_request *r);
void api_contact_optin(struct api_request *r);
void api_contact_optout(struct api_request *r);
void api_event_list(struct api_request *r);
void api_event_get(struct api_request *r);
void api_event_replay(struct api_request *r);
void api_destination_list(struct api_request *r);
void api_destination_add(struct api_request *r);
void api_destination_test(struct api_request *r);
void api_destination_remove(struct api_request *r);
void api_key_list(struct api_request *r);
void api_key_add(struct api_request *r);
void api_key_revoke(struct api_request *r);
void api_number_list(struct api_request *r); /* api_accounts.c */
void api_number_get(struct api_request *r);
void api_account_list(struct api_request *r);
void api_account_get(struct api_request *r);
void api_version(struct api_request *r);
void api_config(struct api_request *r);
void api_backup(struct api_request *r); /* api_backup.c */
void api_backup_list(struct api_request *r);
void api_config_reload(struct api_request *r); /* reload.c */
void api_doctor(struct api_request *r); /* api_doctor.c */
void api_doctor_stop(struct server *s); /* cut the run that is under way */
bool api_batch_is_add(const struct http_call *call); /* api_batch_add.c: may have a large body */
size_t api_batch_on_head(struct server *s, struct http_call *call); /* a listener's thread */
void api_batch_add(struct api_request *r);
void api_batch_list(struct api_request *r); /* api_batches.c */
void api_batch_get(struct api_request *r);
void api_batch_start(struct api_request *r);
void api_batch_pause(struct api_request *r);
void api_batch_resume(struct api_request *r);
void api_batch_cancel(struct api_request *r);
void api_batch_answer(struct server *s, struct http_call *call, struct str numbers,
		      const struct id *id, int status); /* what a GET says */
struct store_batch_line;
void api_batch_put_finding(struct json_writer *w, const struct store_batch_line *l);
void api_batch_results(struct api_request *r); /* api_batch_results.c */
void api_stream(struct api_request *r);
void api_metrics(struct api_request *r);
void api_page(struct api_request *r);

#endif
