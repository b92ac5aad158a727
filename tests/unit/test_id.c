/* SPDX-License-Identifier: MIT */
/* test_id.c - growth whatever the clock does, text both ways, bare base32 */
#include "unit.h"

#include "base/id.h"

#define T0 INT64_C(1795198971214)

struct world {
	struct clock clock;
	struct rnd rnd;
	struct id_maker maker;
};

static void world_init(struct world *w)
{
	*w = (struct world){ .maker = { { { 0 } } } };
	clock_init(&w->clock);
	clock_freeze(&w->clock);
	clock_set_wall(&w->clock, T0);
	rnd_init_seed(&w->rnd, 9);
}

static void make_one(struct world *w, struct id *out)
{
	id_make(&w->maker, &w->clock, &w->rnd, out);
}

static void check_grown(const char *name, const struct id *before, const struct id *after)
{
	char a[ID_TEXT_MAX], b[ID_TEXT_MAX];

	CHECK_INT(name, true, memcmp(before->bytes, after->bytes, ID_BYTES) < 0);
	id_text(ID_EVENT, before, a);
	id_text(ID_EVENT, after, b);
	CHECK_INT(name, true, strcmp(a, b) < 0);
}

static void grows_strictly(void **state)
{
	struct id last, id;
	struct world w;

	(void)state;
	world_init(&w);
	make_one(&w, &last);
	CHECK_INT("time", clock_wall_ms(&w.clock), id_time_ms(&last));
	for (int i = 0; i < 1000; i++, last = id) {
		make_one(&w, &id);
		check_grown("same millisecond", &last, &id);
		CHECK_INT("same time", id_time_ms(&last), id_time_ms(&id));
	}
	for (int i = 0; i < 1000; i++, last = id) {
		clock_advance(&w.clock, NS_PER_MS);
		make_one(&w, &id);
		check_grown("a millisecond later", &last, &id);
		CHECK_INT("new time", clock_wall_ms(&w.clock), id_time_ms(&id));
	}
	clock_set_wall(&w.clock, T0 - 5000);
	for (int i = 0; i < 1000; i++, last = id) {
		make_one(&w, &id);
		check_grown("clock went back", &last, &id);
	}
}

static void carries_into_the_time(void **state)
{
	struct id last, id;
	struct world w;

	(void)state;
	world_init(&w);
	make_one(&w, &last);
	memset(last.bytes + 6, 0xFF, 10);
	w.maker.last = last;
	make_one(&w, &id);
	check_grown("carry", &last, &id);
	CHECK_INT("time", id_time_ms(&last) + 1, id_time_ms(&id));
	for (size_t i = 6; i < ID_BYTES; i++)
		CHECK_INT("random part", 0, id.bytes[i]);
}

static void known_texts(void **state)
{
	static const struct {
		enum id_kind kind;
		uint8_t bytes[ID_BYTES];
		const char *text;
	} cases[] = {
		{ ID_EVENT, { 0 }, "evt_00000000000000000000000000" },
		{ ID_MESSAGE,
		  { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		    255 },
		  "msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ" },
		{ ID_CONVERSATION, { [15] = 1 }, "cnv_00000000000000000000000001" },
		{ ID_CONTACT, { [15] = 31 }, "ctc_0000000000000000000000000Z" },
		{ ID_DESTINATION, { [15] = 32 }, "dst_00000000000000000000000010" },
		{ ID_KEY, { 0x80 }, "key_40000000000000000000000000" },
		/* The example of the ULID specification. */
		{ ID_KEY,
		  { 0x01, 0x56, 0x3E, 0x3A, 0xB5, 0xD3, 0xD6, 0x76, 0x4C, 0x61, 0xEF, 0xB9, 0x93,
		    0x02, 0xBD, 0x5B },
		  "key_01ARZ3NDEKTSV4RRFFQ69G5FAV" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[ID_TEXT_MAX];
		enum id_kind kind = ID_NKINDS;
		struct id id, back;

		memcpy(id.bytes, cases[i].bytes, ID_BYTES);
		id_text(cases[i].kind, &id, text);
		CHECK_STR("text", cases[i].text, str_from(text));
		assert_true(id_parse(cases[i].kind, str_from(text), &back));
		assert_true(id_eq(&id, &back));
		assert_true(id_kind_of(str_from(text), &kind));
		CHECK_INT("kind", cases[i].kind, kind);
	}
}

static void reading(void **state)
{
	static const struct {
		const char *name, *in;
		bool ok;
	} cases[] = {
		{ "upper case", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", true },
		{ "lower case", "evt_01arz3ndektsv4rrffq69g5fav", true },
		{ "shouted prefix", "EVT_01ARZ3NDEKTSV4RRFFQ69G5FAV", true },
		{ "largest", "evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", true },
		{ "over the largest", "evt_80000000000000000000000000", false },
		{ "far over", "evt_ZZZZZZZZZZZZZZZZZZZZZZZZZZ", false },
		{ "another kind", "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV", false },
		{ "unknown kind", "abc_01ARZ3NDEKTSV4RRFFQ69G5FAV", false },
		{ "no prefix", "01ARZ3NDEKTSV4RRFFQ69G5FAV", false },
		{ "one less", "evt_01ARZ3NDEKTSV4RRFFQ69G5FA", false },
		{ "one more", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAVV", false },
		{ "empty", "", false },
		{ "letter I", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAI", false },
		{ "letter L", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAL", false },
		{ "letter O", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAO", false },
		{ "letter U", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAU", false },
		{ "letter i", "evt_01ARZ3NDEKTSV4RRFFQ69G5FAi", false },
		{ "blank", "evt_01ARZ3NDEKTSV4RRFFQ69G5FA ", false },
		{ "dash", "evt-01ARZ3NDEKTSV4RRFFQ69G5FAV", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct id id = { { 0xAA } };

		CHECK_INT(cases[i].name, cases[i].ok,
			  id_parse(ID_EVENT, str_from(cases[i].in), &id));
		CHECK_INT(cases[i].name, cases[i].ok ? id.bytes[0] : 0xAA, id.bytes[0]);
	}
	assert_false(id_kind_of(STR("abc_01ARZ3NDEKTSV4RRFFQ69G5FAV"), &(enum id_kind){ 0 }));
	assert_false(id_kind_of(STR("evt_"), &(enum id_kind){ 0 }));
	assert_false(id_kind_of(str_make(NULL, 0), &(enum id_kind){ 0 }));
}

static void nul_inside_is_refused(void **state)
{
	char text[] = "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV";
	struct id id;

	(void)state;
	text[20] = '\0';
	assert_false(id_parse(ID_EVENT, str_make(text, sizeof(text) - 1), &id));
}

static void base32_vectors(void **state)
{
	static const struct {
		const char *bytes, *text; /* RFC 4648's vectors in Crockford's letters */
	} cases[] = {
		{ "", "" },
		{ "f", "CR" },
		{ "fo", "CSQG" },
		{ "foo", "CSQPY" },
		{ "foob", "CSQPYRG" },
		{ "fooba", "CSQPYRK1" },
		{ "foobar", "CSQPYRK1E8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = strlen(cases[i].bytes);
		char text[16], back[8];

		CHECK_INT("len", (len * 8 + 4) / 5, base32_encode(cases[i].bytes, len, text));
		assert_string_equal(text, cases[i].text);
		assert_true(base32_decode(str_from(text), back, len));
		assert_memory_equal(back, cases[i].bytes, len);
		assert_false(base32_decode(str_from(text), back, len + 1));
		if (len > 0)
			assert_false(base32_decode(str_from(text), back, len - 1));
	}
}

static void base32_refuses(void **state)
{
	static const struct {
		const char *in;
		size_t len;
	} cases[] = {
		{ "CS", 1 }, /* a bit that nobody would read back */
		{ "CT", 1 },       { "C", 1 },        { "CSQH", 2 }, { "CSQPZ", 3 },
		{ "CSQPYRH", 4 },  { "C=", 1 },       { "C ", 1 },   { "CO", 1 },
		{ "CR======", 1 }, { "CSQPYRKU", 5 }, { "C", 0 },    { "0", SIZE_MAX },
		{ "", SIZE_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[8];

		CHECK_INT(cases[i].in, false,
			  base32_decode(str_from(cases[i].in), out, cases[i].len));
	}
}

static void base32_there_and_back(void **state)
{
	struct rnd r;

	(void)state;
	rnd_init_seed(&r, 5);
	for (size_t len = 0; len < 100; len++) {
		unsigned char bytes[100], back[100];
		char text[161];

		rnd_bytes(&r, bytes, len);
		(void)base32_encode(bytes, len, text);
		assert_true(base32_decode(str_from(text), back, len));
		assert_memory_equal(bytes, back, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_strictly),        cmocka_unit_test(carries_into_the_time),
		cmocka_unit_test(known_texts),           cmocka_unit_test(reading),
		cmocka_unit_test(nul_inside_is_refused), cmocka_unit_test(base32_vectors),
		cmocka_unit_test(base32_refuses),        cmocka_unit_test(base32_there_and_back),
	};

	return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
