/* SPDX-License-Identifier: MIT */
/*
 * events_unit.h - bodies become events and rows without a store, for normalize and the renderings
 *
 * seen_new() does what the inbox does; seen_row() says what the store would
 * have added.  each_fixture() walks the bodies composed for this project and,
 * where the folder lies beside it, the real ones.
 */
#ifndef TESTS_EVENTS_UNIT_H
#define TESTS_EVENTS_UNIT_H

#include "json_unit.h"

#include "base/mem.h"
#include "gateway/normalize.h"
#include "gateway/render.h"

#include <stdlib.h>

#define TOKEN_KEY "0123456789abcdef0123456789abcdef"

struct seen {
	struct str body; /* a copy that ends where its memory ends */
	gw_notification *note;
	struct arena *arena;
	struct buf text;
	struct store_event_in *in;
	size_t count;
	struct token_maker token;
};

static inline struct seen seen_new(struct str body)
{
	struct token_reader reader;
	struct seen s = { .body = xstr(body) };

	s.token.mac = mac_new(STR(TOKEN_KEY));
	reader.mac = s.token.mac;
	if (gw_notification_parse(str_to_gw(s.body), &s.note, NULL) != GW_OK)
		return s;
	s.count = gw_notification_count(s.note);
	s.arena = arena_new((size_t)16 << 20);
	buf_init(&s.text, (size_t)64 << 20);
	s.in = xcalloc(s.count, sizeof(*s.in));
	for (size_t i = 0; i < s.count; i++)
		normalize_event(gw_notification_event(s.note, i), s.body, &reader, s.arena, &s.text,
				&s.in[i]);
	assert_false(buf_failed(&s.text));
	normalize_settle(s.in, s.count, &s.text);
	return s;
}

static inline struct seen seen_text(const char *body)
{
	struct seen s = seen_new(str_from(body));

	if (s.note == NULL)
		fail_msg("no JSON: %s", body);
	return s;
}

static inline void seen_release(struct seen *s)
{
	if (s->note != NULL)
		buf_release(&s->text);
	gw_notification_free(s->note);
	arena_free(s->arena);
	free(s->in);
	mac_free(s->token.mac);
	free((void *)(uintptr_t)s->body.ptr);
}

/* As a reader would find it, with ids that say what they are. */
static inline struct store_event_row seen_row(const struct seen *s, size_t index)
{
	const struct store_event_in *in = &s->in[index];

	return (struct store_event_row){ .row = (int64_t)index + 1,
					 .body_row = 1,
					 .id = { { 1, 2, 3, 4, 5, (uint8_t)index } },
					 .conversation = { { 2 } },
					 .contact = { { 3 } },
					 .has_conversation = in->has_contact,
					 .has_contact = in->has_contact,
					 .type = str_from(in->type),
					 .kind = str_from(in->kind),
					 .channel = str_from(in->channel),
					 .account_id = in->account_id,
					 .address = in->address,
					 .business_id = in->business_id,
					 .external_id = in->external_id,
					 .user_id = in->user_id,
					 .phone = in->phone,
					 .username = in->username,
					 .name = in->name,
					 .seq = in->has_seq ? (int64_t)index + 1 : 0,
					 .state_version = in->status.len > 0 ? 1 : 0,
					 .at_s = in->at_s,
					 .received_ms = INT64_C(1795000100214),
					 .json = in->json,
					 .splice = in->splice,
					 .body = s->body,
					 .signature = STR("sha256=00"),
					 .account = STR("main"),
					 .siblings = (uint32_t)s->count };
}

static inline void fixtures_below(const char *below, void (*fn)(const char *name, struct str body),
				  size_t *count)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir = open_source_dir(below, path);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		struct str name = str_from(entry->d_name), body;

		if (!str_ends(name, STR(".json")))
			continue;
		body = read_file(path, entry->d_name);
		assert_true(body.len > 0);
		fn(entry->d_name, body);
		free((void *)(uintptr_t)body.ptr);
		++*count;
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static inline void each_fixture(void (*fn)(const char *name, struct str body))
{
	size_t count = 0;

	fixtures_below("tests/fixtures/webhook", fn, &count);
	assert_in_range(count, 28, 1000);
	fixtures_below("../shared/fixtures/whatsapp", fn, &count);
	fixtures_below("../shared/fixtures/messenger", fn, &count);
	fixtures_below("../shared/fixtures/instagram", fn, &count);
}

/* One of ours, by its name without ".json". */
static inline struct seen seen_fixture(const char *name)
{
	char path[4096], file[256];
	DIR *dir = open_source_dir("tests/fixtures/webhook", path);
	struct str body;
	struct seen s;

	assert_non_null(dir);
	(void)closedir(dir);
	(void)snprintf(file, sizeof(file), "%s.json", name);
	body = read_file(path, file);
	if (body.len == 0)
		fail_msg("%s is not there", file);
	s = seen_new(body);
	free((void *)(uintptr_t)body.ptr);
	return s;
}

#endif
