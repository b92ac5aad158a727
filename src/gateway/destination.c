/* SPDX-License-Identifier: MIT */
/*
 * destination.c - who gets what: destinations and their filters, in memory
 *
 * ROLE        The list that the inbox matches against and the relay delivers
 *             to.  The store holds the rows; server code puts both in step.
 * INVARIANTS  1. At most STORE_DESTINATIONS_MAX destinations.
 *             2. A struct destination keeps its address until it is removed.
 *             3. A filter that cannot be read is refused, never ignored: an
 *                ignored filter would leak events.
 * THREADS     The loop's; filter_parse() and filter_passes(): any.
 * TESTS       tests/unit/test_destination.c
 */
#include "gateway/destination.h"
#include "base/mem.h"
#include "base/panic.h"
#include "json/json.h"
#include <stdlib.h>

#define FILTER_WORD_MAX 128
#define FILTER_JSON_MAX (32U * 1024)

struct words {
	char *of[DESTINATION_FILTER_WORDS_MAX];
	size_t count;
};

struct filter {
	struct words types, kinds, numbers;
};

struct destinations {
	struct destination *of[STORE_DESTINATIONS_MAX];
	size_t count;
};

struct destinations *destinations_new(void)
{
	return xcalloc(1, sizeof(struct destinations));
}

static void destination_free(struct destination *d)
{
	if (d == NULL)
		return;
	free(d->name);
	free(d->url);
	free(d->filter_json);
	filter_free(d->filter);
	secret_release(&d->secret);
	secret_release(&d->secret_previous);
	free(d);
}

void destinations_free(struct destinations *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->count; i++)
		destination_free(d->of[i]);
	free(d);
}

size_t destinations_count(const struct destinations *d)
{
	return d->count;
}

struct destination *destinations_at(const struct destinations *d, size_t index)
{
	ASSERT(index < d->count);
	return d->of[index];
}

struct destination *destinations_by_row(const struct destinations *d, int64_t row)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->of[i]->row == row)
			return d->of[i];
	return NULL;
}

struct destination *destinations_by_id(const struct destinations *d, const struct id *id)
{
	for (size_t i = 0; i < d->count; i++)
		if (id_eq(&d->of[i]->id, id))
			return d->of[i];
	return NULL;
}

static void words_release(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->of[i]);
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	words_release(&f->types);
	words_release(&f->kinds);
	words_release(&f->numbers);
	free(f);
}

/* A star that stands for nothing would silently match nothing. */
static bool is_readable(struct str word, const char *name)
{
	size_t at;

	if (!str_find_char(word, '*', &at))
		return true;
	return strcmp(name, "types") == 0 && at + 1 == word.len && at > 1 &&
	       word.ptr[at - 1] == '.';
}

static gw_status read_words(struct json_val list, const char *name, struct words *out,
			    struct gw_error *err)
{
	struct json_iter it;
	struct json_val v;
	struct str word;

	if (json_type(list) != JSON_ARRAY)
		return gw_error_set(err, GW_EPARSE, "filter: %s must be a list of strings", name);
	for (it = json_iter(list); json_next(&it, &v);) {
		if (!json_str(v, FILTER_WORD_MAX, &word) || word.len == 0)
			return gw_error_set(
				err, GW_EPARSE,
				"filter: %s holds something that is not a string of 1 to %d bytes",
				name, FILTER_WORD_MAX);
		if (!is_readable(word, name))
			return gw_error_set(err, GW_EPARSE,
					    "filter: \"%.*s\": only types may have a \"*\", and "
					    "only in \".*\" at their end",
					    STR_ARG(word));
		if (out->count == DESTINATION_FILTER_WORDS_MAX)
			return gw_error_set(err, GW_ELIMIT, "filter: %s has more than %d entries",
					    name, DESTINATION_FILTER_WORDS_MAX);
		out->of[out->count++] = xstrndup(word);
	}
	return GW_OK;
}

static gw_status read_filter(struct json_val root, struct filter *f, struct gw_error *err)
{
	struct json_iter it;
	struct json_val v;
	gw_status st = GW_OK;

	if (json_type(root) != JSON_OBJECT)
		return gw_error_set(err, GW_EPARSE, "filter: must be an object");
	for (it = json_iter(root); st == GW_OK && json_next(&it, &v);) {
		if (str_eq(it.key, STR("types")))
			st = read_words(v, "types", &f->types, err);
		else if (str_eq(it.key, STR("kinds")))
			st = read_words(v, "kinds", &f->kinds, err);
		else if (str_eq(it.key, STR("numbers")))
			st = read_words(v, "numbers", &f->numbers, err);
		else
			st = gw_error_set(
				err, GW_EPARSE,
				"filter: unknown member \"%.*s\"; known: types, kinds, numbers",
				STR_ARG(it.key)); /* inv. 3 */
	}
	return st;
}

gw_status filter_parse(struct str json, struct filter **out, struct gw_error *err)
{
	struct filter *f = xcalloc(1, sizeof(*f));
	const struct json_doc *doc = NULL;
	struct arena *a = NULL;
	gw_status st = GW_OK;

	if (json.len == 0)
		goto done;
	if (json.len > FILTER_JSON_MAX) {
		st = gw_error_set(err, GW_ELIMIT, "filter: longer than %u bytes", FILTER_JSON_MAX);
		goto out;
	}
	a = arena_new((size_t)1 << 20);
	ASSERT(a != NULL);
	st = json_scan(json, a, &doc, err);
	if (st == GW_OK && json_duplicates(doc) > 0)
		st = gw_error_set(err, GW_EPARSE, "filter: a member stands in it twice");
	if (st == GW_OK)
		st = read_filter(json_root(doc), f, err);
	if (st != GW_OK)
		goto out;
done:
	*out = f;
	f = NULL;
out:
	filter_free(f);
	arena_free(a);
	return st;
}

/* "message.*" stands for all that starts with "message." */
static bool word_matches(const char *pattern, struct str value)
{
	struct str p = str_from(pattern);

	if (str_ends(p, STR(".*")))
		return str_starts(value, str_slice(p, 0, p.len - 1));
	return str_eq(p, value);
}

static bool types_pass(const struct words *w, struct str value)
{
	if (w->count == 0)
		return true;
	for (size_t i = 0; i < w->count; i++)
		if (word_matches(w->of[i], value))
			return true;
	return false;
}

static bool words_pass(const struct words *w, struct str value)
{
	if (w->count == 0)
		return true;
	for (size_t i = 0; i < w->count; i++)
		if (str_eq(str_from(w->of[i]), value))
			return true;
	return false;
}

bool filter_passes(const struct filter *f, const char *type, const char *kind,
		   struct str account_id)
{
	return types_pass(&f->types, str_from(type)) && words_pass(&f->kinds, str_from(kind)) &&
	       words_pass(&f->numbers, account_id);
}

bool filter_stays_within(const struct filter *f, bool (*may)(const void *cookie, struct str number),
			 const void *cookie)
{
	for (size_t i = 0; i < f->numbers.count; i++)
		if (!may(cookie, str_from(f->numbers.of[i])))
			return false;
	return f->numbers.count > 0;
}

void destinations_match(const struct destinations *d, struct store_event_in *e)
{
	e->destination_count = 0;
	for (size_t i = 0; i < d->count; i++) {
		const struct destination *to = d->of[i];

		if (!to->disabled && filter_passes(to->filter, e->type, e->kind, e->account_id))
			e->destinations[e->destination_count++] = to->row;
	}
}

enum destination_format destination_format_parse(struct str word, bool *ok)
{
	*ok = true;
	if (str_eq(word, STR("godwit")))
		return DESTINATION_GODWIT;
	if (str_eq(word, STR("meta")))
		return DESTINATION_META;
	if (str_eq(word, STR("cloudevents")))
		return DESTINATION_CLOUDEVENTS;
	*ok = false;
	return DESTINATION_GODWIT;
}

const char *destination_format_name(enum destination_format f)
{
	static const char *const names[] = { "godwit", "meta", "cloudevents" };

	return names[f];
}

static void fill(struct destination *d, const struct store_destination *from,
		 enum destination_format format, struct filter *filter)
{
	free(d->name);
	free(d->url);
	free(d->filter_json);
	filter_free(d->filter);
	d->row = from->row;
	d->id = from->id;
	d->name = xstrndup(from->name);
	d->url = xstrndup(from->url);
	d->format = format;
	d->filter = filter;
	d->filter_json = xstrndup(from->filter);
	secret_set(&d->secret, from->secret);
	secret_set(&d->secret_previous, from->secret_previous);
	d->previous_until_ms = from->previous_until_ms;
	d->include_raw = from->include_raw;
	d->relay_stale = from->relay_stale;
	d->disabled = from->state != NULL && str_eq(str_from(from->state), STR("disabled"));
	d->created_ms = from->created_ms;
}

gw_status destinations_put(struct destinations *ds, const struct store_destination *from,
			   struct destination **out, struct gw_error *err)
{
	struct destination *d = destinations_by_row(ds, from->row);
	struct filter *filter = NULL;
	enum destination_format format;
	bool ok;
	gw_status st;

	format = destination_format_parse(from->format, &ok);
	if (!ok)
		return gw_error_set(err, GW_EPARSE,
				    "format \"%.*s\" is none of godwit, meta, cloudevents",
				    STR_ARG(from->format));
	if (from->url.len == 0 || from->url.len > DESTINATION_URL_MAX)
		return gw_error_set(err, GW_ELIMIT, "url: 1 to %d bytes, this has %zu",
				    DESTINATION_URL_MAX, from->url.len);
	if (d == NULL && ds->count == STORE_DESTINATIONS_MAX)
		return gw_error_set(err, GW_ELIMIT, "there are %d destinations already",
				    STORE_DESTINATIONS_MAX);
	st = filter_parse(from->filter, &filter, err);
	if (st != GW_OK)
		return st;
	if (d == NULL) {
		d = xcalloc(1, sizeof(*d));
		ds->of[ds->count++] = d;
	}
	fill(d, from, format, filter);
	*out = d;
	return GW_OK;
}

void destinations_remove(struct destinations *d, int64_t row)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->of[i]->row != row)
			continue;
		destination_free(d->of[i]);
		d->of[i] = d->of[--d->count];
		return;
	}
}
