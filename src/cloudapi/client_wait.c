/* SPDX-License-Identifier: MIT */
/*
 * client_wait.c - the blocking form: start a call, turn the loop until it ended
 *
 * The result outlives the callback, so it is copied into an arena of the
 * client, which the next _wait replaces. The small strings come first: where
 * memory is short the body goes, never the id of a message that was sent.
 */
#include "cloudapi/client_int.h"

struct waiting {
	gw_client *client;
	gw_result result;
	bool done;
};

static gw_str keep(struct arena *a, gw_str s)
{
	if (a == NULL || s.len == 0)
		return (gw_str){ NULL, 0 };
	return str_to_gw(arena_str(a, str_of_gw(s)));
}

static void on_done(void *cookie, const gw_result *result)
{
	struct waiting *w = cookie;
	struct arena *a = arena_new((size_t)16 * 1024 + 2 * result->body.len);

	arena_free(w->client->kept);
	w->client->kept = a;
	w->result = *result;
	w->result.message_id = keep(a, result->message_id);
	w->result.wa_id = keep(a, result->wa_id);
	w->result.user_id = keep(a, result->user_id);
	w->result.message_status = keep(a, result->message_status);
	w->result.body = keep(a, result->body);
	w->done = true;
}

static gw_status check(const gw_client *c, struct gw_error *err)
{
	if (c->depth > 0)
		return gw_error_set(err, GW_ESTATE, "a callback cannot wait");
	return GW_OK;
}

static gw_status finish(struct waiting *w, gw_result *out, struct gw_error *err)
{
	while (!w->done)
		client_turn(w->client, -1);
	*out = w->result;
	if (out->status != GW_OK && err != NULL && err->status == GW_OK)
		*err = out->error;
	return out->status;
}

gw_status gw_client_send_wait(gw_client *c, gw_str phone_number_id, const gw_message *m,
			      gw_result *out, struct gw_error *err)
{
	struct waiting w = { .client = c };
	gw_status st = check(c, err);

	if (st == GW_OK)
		st = gw_client_send(c, phone_number_id, m, on_done, &w, NULL, err);
	return st == GW_OK ? finish(&w, out, err) : st;
}

gw_status gw_client_send_json_wait(gw_client *c, gw_str phone_number_id, gw_str json,
				   gw_result *out, struct gw_error *err)
{
	struct waiting w = { .client = c };
	gw_status st = check(c, err);

	if (st == GW_OK)
		st = gw_client_send_json(c, phone_number_id, json, on_done, &w, NULL, err);
	return st == GW_OK ? finish(&w, out, err) : st;
}

gw_status gw_client_mark_read_wait(gw_client *c, gw_str phone_number_id, gw_str message_id,
				   bool show_typing, gw_result *out, struct gw_error *err)
{
	struct waiting w = { .client = c };
	gw_status st = check(c, err);

	if (st == GW_OK)
		st = gw_client_mark_read(c, phone_number_id, message_id, show_typing, on_done, &w,
					 NULL, err);
	return st == GW_OK ? finish(&w, out, err) : st;
}

gw_status gw_client_call_wait(gw_client *c, const char *method, gw_str path, gw_str json,
			      gw_result *out, struct gw_error *err)
{
	struct waiting w = { .client = c };
	gw_status st = check(c, err);

	if (st == GW_OK)
		st = gw_client_call(c, method, path, json, on_done, &w, NULL, err);
	return st == GW_OK ? finish(&w, out, err) : st;
}
