/* SPDX-License-Identifier: MIT */
/*
 * graph_upload.c - of the app: resumable uploads and the webhook's subscription
 *
 * ROLE        cloud-api.md 3 and 4.1, read 2026-11.  A session counts the
 *             bytes that came and gives a handle at the end; the bytes are not
 *             kept, for nothing reads them back.
 * LIMITS      SANDBOX_UPLOADS_MAX sessions: beyond it the oldest is dropped.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_upload.c, tests/system/test_sandbox_media.py
 */
#include "sandbox/graph.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/media.h"
#include "sandbox/sandbox.h"

#define HANDLE_LIFE_S (30 * 86400)
#define PREFIX STR("upload:")

struct upload_session {
	TAILQ_ENTRY(upload_session) link;
	char id[24];
	const char *mime;
	uint64_t length, received;
};

static void drop(struct world *w, struct upload_session *u)
{
	TAILQ_REMOVE(&w->uploads, u, link);
	w->upload_count--;
	free(u);
}

void uploads_drop_all(struct world *w)
{
	while (!TAILQ_EMPTY(&w->uploads))
		drop(w, TAILQ_FIRST(&w->uploads));
}

static const char *mime_of(struct str word)
{
	static const char *const taken[] = { "application/pdf", "image/jpeg", "image/jpg",
					     "image/png", "video/mp4" };

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (str_eq(word, str_from(taken[i])))
			return taken[i];
	}
	return NULL;
}

static void write_id(struct graph_call *c, const struct upload_session *u, bool with_offset)
{
	char text[48];
	struct json_writer w;

	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	(void)snprintf(text, sizeof(text), "upload:%s", u->id);
	json_w_kv_text(&w, "id", text);
	if (with_offset) {
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)u->received);
		json_w_kv_text(&w, "file_offset", text);
	}
	json_w_end(&w);
}

/* A parameter that must be there. */
static bool read_parameter(struct graph_call *c, const char *name, struct str *out)
{
	return (graph_parameter(c, name, out) && out->len > 0) ||
	       metaerr_param(&c->err, "The parameter %s is required.", name);
}

static bool start_upload(struct graph_call *c)
{
	struct world *w = c->world;
	struct upload_session *u;
	struct str length, type;
	uint64_t len;
	const char *mime;

	if (!read_parameter(c, "file_length", &length) || !read_parameter(c, "file_type", &type))
		return false;
	mime = mime_of(type);
	if (mime == NULL)
		return metaerr_param(&c->err, "Param file_type must be one of {application/pdf, "
					      "image/jpeg, image/jpg, image/png, video/mp4}.");
	if (!str_to_u64(length, &len) || len == 0 || len > MEDIA_FILE_MAX)
		return metaerr_param(&c->err, "Param file_length must be from 1 to %u.",
				     MEDIA_FILE_MAX);
	if (w->upload_count == SANDBOX_UPLOADS_MAX)
		drop(w, TAILQ_FIRST(&w->uploads));
	u = xcalloc(1, sizeof(*u));
	(void)snprintf(u->id, sizeof(u->id), "%016llx", (unsigned long long)rnd_u64(&w->codes));
	u->mime = mime;
	u->length = len;
	TAILQ_INSERT_TAIL(&w->uploads, u, link);
	w->upload_count++;
	write_id(c, u, false);
	return true;
}

static struct upload_session *find_session(struct graph_call *c)
{
	struct str id = str_slice(c->object, PREFIX.len, c->object.len);
	struct upload_session *u;

	TAILQ_FOREACH(u, &c->world->uploads, link)
	{
		if (str_eq(id, str_from(u->id)))
			return u;
	}
	return NULL;
}

/* 4::<b64 mime>:<token>:e:<unix expiry>:<app>:<user>:<sig> (1.5) */
static void write_handle(struct graph_call *c, const struct upload_session *u)
{
	int64_t until = clock_wall_s(c->world->clock) + HANDLE_LIFE_S;
	char type[B64_LEN(32) + 1], proof[MEDIA_PROOF_MAX], handle[256];
	struct json_writer w;

	(void)b64_encode(u->mime, strlen(u->mime), type);
	media_proof(c->world, str_from(u->id), until, proof);
	(void)snprintf(handle, sizeof(handle),
		       "4::%s:%s:e:%lld:" SANDBOX_APP_ID ":122100000000000001:%s", type, u->id,
		       (long long)until, proof);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_kv_text(&w, "h", handle);
	json_w_end(&w);
}

bool graph_is_upload(const struct graph_call *c)
{
	return c->edge.len == 0 && str_starts(c->object, PREFIX);
}

bool graph_upload(struct graph_call *c)
{
	struct upload_session *u = find_session(c);
	uint64_t offset = 0;

	if (u == NULL)
		return metaerr_param(&c->err, "There is no such upload session.");
	if (str_eq(c->ask->method, STR("GET"))) {
		write_id(c, u, true);
		return true;
	}
	if (c->ask->file_offset.len > 0 && !str_to_u64(c->ask->file_offset, &offset))
		return metaerr_param(&c->err, "The header file_offset must be a number.");
	if (offset != u->received)
		return metaerr_param(&c->err, "The header file_offset must be %llu.",
				     (unsigned long long)u->received);
	if (c->ask->body.len > u->length - u->received)
		return metaerr_param(&c->err, "The file is longer than its file_length, %llu.",
				     (unsigned long long)u->length);
	u->received += c->ask->body.len;
	if (u->received < u->length) {
		write_id(c, u, true);
		return true;
	}
	write_handle(c, u);
	drop(c->world, u);
	return true;
}

static bool subscribe(struct graph_call *c)
{
	struct gw_error err = GW_ERROR_INIT;
	struct str object, url, token;

	if (!read_parameter(c, "object", &object) || !read_parameter(c, "callback_url", &url) ||
	    !read_parameter(c, "verify_token", &token))
		return false;
	if (!str_eq(object, STR("whatsapp_business_account")))
		return metaerr_param(&c->err, "Param object must be one of "
					      "{whatsapp_business_account}.");
	if (token.len > SECRET_MAX)
		return metaerr_param(&c->err, "Param verify_token must have at most %d bytes.",
				     SECRET_MAX);
	if (c->graph->subscribe == NULL ||
	    c->graph->subscribe(c->graph->cookie, url, token, &err) != GW_OK)
		return metaerr_graph(&c->err, 2200, 0, "OAuthException", "(#2200) %s", err.message);
	graph_write_success(c);
	return true;
}

bool graph_app_edge(struct graph_call *c, bool *found)
{
	bool is_post = str_eq(c->ask->method, STR("POST"));

	*found = true;
	if (is_post && str_eq(c->edge, STR("uploads")))
		return start_upload(c);
	if (is_post && str_eq(c->edge, STR("subscriptions")))
		return subscribe(c);
	*found = false;
	return false;
}
