/* SPDX-License-Identifier: MIT */
/*
 * consent.c - words that opt out or in, and the body that tells of a decision
 *
 * A word counts only as the whole text: "stop" does, "please stop by" does not.
 * Meta's user_preferences (cloud-api.md 5) has stop and resume; `signup` is
 * left alone, since Meta does not say what it agrees to.
 * TESTS  tests/unit/test_consent.c, tests/system/test_consent.py
 */
#include "gateway/consent.h"

#include "base/panic.h"
#include "base/utf8.h"
#include "json/json.h"

#define TEXT_MAX 128 /* bytes; a longer text is no word */
#define WORD_MAX 64 /* bytes of a member that is compared */
#define ROOM(item_len) ((item_len)*16 + 65536) /* of a scan */

/* ---- words */

void consent_words_set(struct consent_words *w, const char *stop, const char *start)
{
	*w = (struct consent_words){ .stop = "" };
	if (utf8_valid(str_from(stop)))
		(void)str_copy(str_from(stop), w->stop, sizeof(w->stop));
	if (utf8_valid(str_from(start)))
		(void)str_copy(str_from(start), w->start, sizeof(w->start));
}

/* How many bytes of punctuation s begins (or ends) with; 0: a letter, a digit or a sign. */
static size_t punctuation(struct str s, bool at_end)
{
	static const char *const wide[] = { "\u00a1", "\u00bf", "\u00ab", "\u00bb", "\u2018",
					    "\u2019", "\u201c", "\u201d", "\u201e", "\u2026",
					    "\u3002", "\u3001", "\u300c", "\u300d", "\uff01",
					    "\uff0c", "\uff0e", "\uff1f", "\u060c", "\u061f",
					    "\u0964", "\u2013", "\u2014" };
	char c;

	if (s.len == 0)
		return 0;
	c = s.ptr[at_end ? s.len - 1 : 0];
	if (c >= 0 && c < 0x7f)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
			       ? 0
			       : 1;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		struct str sign = str_from(wide[i]);

		if (at_end ? str_ends(s, sign) : str_starts(s, sign))
			return sign.len;
	}
	return 0;
}

static struct str bare(struct str s)
{
	size_t n;

	while ((n = punctuation(s, false)) > 0)
		s = str_slice(s, n, s.len);
	while ((n = punctuation(s, true)) > 0)
		s = str_slice(s, 0, s.len - n);
	return s;
}

static bool is_among(const char *words, struct str text)
{
	struct str rest = str_from(words), one;

	while (str_split(&rest, ',', &one)) {
		one = bare(one);
		if (one.len > 0 && utf8_same_word(one, text))
			return true;
	}
	return false;
}

enum store_consent consent_of_text(const struct consent_words *w, struct str text)
{
	if (text.len == 0 || text.len > TEXT_MAX || !utf8_valid(text))
		return STORE_CONSENT_NONE;
	text = bare(text);
	if (text.len == 0)
		return STORE_CONSENT_NONE;
	if (is_among(w->stop, text)) /* in both lists: the careful reading */
		return STORE_CONSENT_OUT;
	return is_among(w->start, text) ? STORE_CONSENT_IN : STORE_CONSENT_NONE;
}

/* ---- the body */

static void kv_opt(struct json_writer *w, const char *key, struct str value)
{
	if (value.len > 0)
		json_w_kv_str(w, key, value);
}

static void put_ours(struct json_writer *w, const struct consent_change *c)
{
	const struct id none = { { 0 } };
	char id[ID_TEXT_MAX];

	json_w_key(w, STR("godwit"));
	json_w_object(w);
	json_w_kv_text(w, "source", c->source);
	kv_opt(w, "note", c->note);
	if (!id_eq(&c->key, &none)) {
		id_text(ID_KEY, &c->key, id);
		json_w_kv_text(w, "key", id);
	}
	kv_opt(w, "cause", c->cause);
	json_w_end(w);
}

static void put_preference(struct json_writer *w, const struct consent_change *c)
{
	bool out = c->what == STORE_CONSENT_OUT;

	json_w_object(w);
	kv_opt(w, "wa_id", c->phone);
	kv_opt(w, "user_id", c->user_id);
	json_w_kv_text(w, "detail",
		       out ? "Opted out of marketing messages" : "Opted in to marketing messages");
	json_w_kv_text(w, "category", "marketing_messages");
	json_w_kv_text(w, "value", out ? "stop" : "resume");
	json_w_kv_i64(w, "timestamp", c->at_s);
	put_ours(w, c);
	json_w_end(w);
}

void consent_put_body(struct buf *out, const struct consent_change *c)
{
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "object", "whatsapp_business_account");
	json_w_key(&w, STR("entry"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_str(&w, "id", c->business_id);
	json_w_key(&w, STR("changes"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_text(&w, "field", "user_preferences");
	json_w_key(&w, STR("value"));
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	if (c->number_id.len > 0) {
		json_w_key(&w, STR("metadata"));
		json_w_object(&w);
		kv_opt(&w, "display_phone_number", c->address);
		json_w_kv_str(&w, "phone_number_id", c->number_id);
		json_w_end(&w);
	}
	json_w_key(&w, STR("user_preferences"));
	json_w_array(&w);
	put_preference(&w, c);
	for (int i = 0; i < 7; i++) /* preferences, value, change, changes, entry, entries, body */
		json_w_end(&w);
}

/* ---- an item of one */

/* Words of ours are constants: the event keeps pointers. */
static const char *source_of(struct str word)
{
	static const char *const words[] = { "word", "api", "cli", "import" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(word, str_from(words[i])))
			return words[i];
	}
	return "api";
}

static void read_ours(struct json_val item, struct arena *a, struct store_event_in *out)
{
	struct json_val ours = json_member(item, STR("godwit"));
	struct str text;

	if (json_get_str(ours, STR("source"), WORD_MAX, &text))
		out->consent_source = source_of(text);
	if (json_get_str(ours, STR("note"), CONSENT_NOTE_MAX, &text))
		out->consent_note = arena_str(a, text);
	if (json_get_str(ours, STR("key"), ID_TEXT_MAX, &text))
		(void)id_parse(ID_KEY, text, &out->consent_key); /* else none */
}

static enum store_consent decision(struct json_val item)
{
	struct str word;

	if (!json_get_str(item, STR("category"), WORD_MAX, &word) ||
	    !str_eq(word, STR("marketing_messages")) ||
	    !json_get_str(item, STR("value"), WORD_MAX, &word))
		return STORE_CONSENT_NONE;
	if (str_eq(word, STR("stop")))
		return STORE_CONSENT_OUT;
	return str_eq(word, STR("resume")) ? STORE_CONSENT_IN : STORE_CONSENT_NONE;
}

void consent_read(struct str item, bool ours, struct arena *a, struct store_event_in *out)
{
	struct arena *scan = arena_new(ROOM(item.len));
	const struct json_doc *doc;

	ASSERT(scan != NULL);
	if (out->has_contact && json_scan(item, scan, &doc, NULL) == GW_OK) {
		out->consent = decision(json_root(doc));
		out->consent_source = "meta_preference";
		if (ours)
			read_ours(json_root(doc), a, out);
	}
	arena_free(scan);
}
