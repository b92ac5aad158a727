/* SPDX-License-Identifier: MIT */
/*
 * topics.c - the table of topics, found by their names
 *
 * TESTS  tests/unit/test_topics.c
 */
#include "cli/topics.h"

#include "base/panic.h"

#define META "Meta's documents, read 2026-09"
#define DIGEST "a digest of Meta's pages, autumn 2026"
#define PRACTICE "practice; not in Meta's documents as of 2026-11"
#define GODWIT "Godwit itself"

/* NONE: nothing is repeated. */
#define IS_ANSWER_NONE false
#define IS_ANSWER_NEVER true
#define IS_ANSWER_LATER true
#define IS_ANSWER_AFTER true
#define IS_ANSWER_ACCOUNT true
#define IS_ANSWER_UNKNOWN true
#define RETRY_NONE GW_RETRY_NEVER
#define RETRY_NEVER GW_RETRY_NEVER
#define RETRY_LATER GW_RETRY_LATER
#define RETRY_AFTER GW_RETRY_AFTER
#define RETRY_ACCOUNT GW_RETRY_ACCOUNT
#define RETRY_UNKNOWN GW_RETRY_UNKNOWN

static const struct topic topics[] = {
#define TOPIC(kind, name, other, title, meaning, fix, retry, source)          \
	{                                                                     \
		TOPIC_##kind,      name,          other, title, meaning, fix, \
		IS_ANSWER_##retry, RETRY_##retry, source                      \
	},
#define WRONG(topic, said, fact)
#define WRONG_CODE(code, said, fact)
#include "cli/topics.def"
#undef TOPIC
#undef WRONG
#undef WRONG_CODE
};

static const struct wrong_advice wrongs[] = {
#define TOPIC(kind, name, other, title, meaning, fix, retry, source)
#define WRONG(topic, said, fact) { topic, 0, said, fact },
#define WRONG_CODE(code, said, fact) { NULL, code, said, fact },
#include "cli/topics.def"
#undef TOPIC
#undef WRONG
#undef WRONG_CODE
};

static const char *const kind_names[TOPIC_NKINDS] = {
	[TOPIC_HTTP] = "http",           [TOPIC_NUMBER] = "number",   [TOPIC_QUALITY] = "quality",
	[TOPIC_REJECTION] = "rejection", [TOPIC_REFUSAL] = "refusal", [TOPIC_SUBJECT] = "subject",
	[TOPIC_CHECK] = "check",
};

static char plain(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' || c == ' ' ? '-' : c;
}

static bool is_name(const char *name, struct str word)
{
	if (name == NULL || strlen(name) != word.len)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (plain(name[i]) != plain(word.ptr[i]))
			return false;
	return true;
}

const struct topic *topic_at(size_t index)
{
	return index < ARRAY_LEN(topics) ? &topics[index] : NULL;
}

const struct topic *topic_find(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		if (is_name(topics[i].name, word) || is_name(topics[i].other, word))
			return &topics[i];
	return NULL;
}

const char *topic_kind_name(enum topic_kind kind)
{
	ASSERT((size_t)kind < TOPIC_NKINDS);
	return kind_names[kind];
}

const struct wrong_advice *wrong_at(size_t index)
{
	return index < ARRAY_LEN(wrongs) ? &wrongs[index] : NULL;
}

const struct wrong_advice *wrong_next(const struct topic *topic, int code, size_t *at)
{
	while (*at < ARRAY_LEN(wrongs)) {
		const struct wrong_advice *w = &wrongs[(*at)++];

		if (topic != NULL ? is_name(w->topic, str_from(topic->name))
				  : w->topic == NULL && w->code == code)
			return w;
	}
	return NULL;
}
