/* SPDX-License-Identifier: MIT */
/*
 * test_json_scan.c - what is JSON and what is not, where the offence is, and the limits
 *
 * The tables follow the categories of JSONTestSuite: what must be accepted,
 * what must be refused, and what a parser may decide (and how we decided).
 */
#include "json_unit.h"

#include <inttypes.h>

static const struct {
	const char *name;
	struct str text;
} accepted[] = {
	/* structure */
	{ "empty array", STR_INIT("[]") },
	{ "empty object", STR_INIT("{}") },
	{ "array of empties", STR_INIT("[[],{},[[]],[{}]]") },
	{ "blanks everywhere", STR_INIT(" \t\r\n[ \n1 , 2\t,\r3 ] \n") },
	{ "blanks in an object", STR_INIT("{ \"a\" : 1 ,\n\"b\"\t:\r[ ] }") },
	{ "blanks in empties", STR_INIT("[ { } , [ \n ] ]") },
	{ "many commas", STR_INIT("[1,2,3,4,5,6,7,8,9,0]") },
	{ "nested", STR_INIT("{\"a\":{\"b\":[{\"c\":[]}]}}") },
	{ "empty key", STR_INIT("{\"\":0}") },
	{ "duplicate keys", STR_INIT("{\"a\":1,\"a\":2}") },
	{ "escaped key", STR_INIT("{\"\\u0061\\n\":1}") },
	{ "key with a slash", STR_INIT("{\"a/b\\/c\":1}") },
	{ "long text of brackets in a string", STR_INIT("[\"[[[[{{{{,,,,::::\"]") },
	/* a scalar is a text */
	{ "lone true", STR_INIT("true") },
	{ "lone false", STR_INIT("false") },
	{ "lone null", STR_INIT("null") },
	{ "lone zero", STR_INIT("0") },
	{ "lone number", STR_INIT("-12.5e+3") },
	{ "lone string", STR_INIT("\"x\"") },
	{ "lone empty string", STR_INIT("\"\"") },
	{ "lone with blanks", STR_INIT("  7\n") },
	/* numbers */
	{ "minus zero", STR_INIT("[-0]") },
	{ "zero point zero", STR_INIT("[0.0]") },
	{ "zero e", STR_INIT("[0e1,0e+1,0E-1,0.0e0]") },
	{ "one", STR_INIT("[1]") },
	{ "negative", STR_INIT("[-1,-10,-9.9]") },
	{ "fraction", STR_INIT("[0.5,10.25,123.456789]") },
	{ "exponents", STR_INIT("[1e5,1E5,1e+5,1e-5,1.5e5,1.5E-05]") },
	{ "exponent with leading zeros", STR_INIT("[1e0005]") },
	{ "close to zero", STR_INIT("[-0.0000000000000000000000000000000000000000000001]") },
	{ "64 bits", STR_INIT("[9223372036854775807,-9223372036854775808]") },
	{ "over 64 bits", STR_INIT("[9223372036854775808,18446744073709551616]") },
	{ "very long integer",
	  STR_INIT("[1000000000000000000000000000000000000000000000000000000]") },
	{ "overflowing exponent", STR_INIT("[1e9999,-1e9999]") },
	{ "underflowing exponent", STR_INIT("[1e-9999]") },
	{ "very long fraction",
	  STR_INIT("[0.10000000000000000000000000000000000000000000000000001]") },
	{ "number before a blank", STR_INIT("[1 ]") },
	/* strings */
	{ "all short escapes", STR_INIT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]") },
	{ "unicode escapes", STR_INIT("[\"\\u0041\\u00e9\\u20AC\"]") },
	{ "pair", STR_INIT("[\"\\ud83d\\ude00\"]") },
	{ "pair in capitals", STR_INIT("[\"\\uD83D\\uDE00\"]") },
	{ "two pairs", STR_INIT("[\"\\ud83d\\ude00\\ud83c\\udf89\"]") },
	{ "escaped noncharacters", STR_INIT("[\"\\uffff\\ufffe\\ufdd0\\udbff\\udfff\"]") },
	{ "escaped control characters", STR_INIT("[\"\\u0001\\u001f\\u007f\"]") },
	{ "backslash before u", STR_INIT("[\"\\\\u0041\"]") },
	{ "backslash at the end", STR_INIT("[\"a\\\\\"]") },
	{ "escaped quote at the end", STR_INIT("[\"a\\\"\"]") },
	{ "solidus", STR_INIT("[\"a/b\"]") },
	{ "delete is no control character", STR_INIT("[\"\x7f\"]") },
	{ "comments are text in a string", STR_INIT("[\"/* a */ // b\"]") },
	{ "blank string", STR_INIT("[\" \"]") },
	{ "2 bytes", STR_INIT("[\"\xc2\x80\xdf\xbf\"]") },
	{ "3 bytes", STR_INIT("[\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]") },
	{ "4 bytes", STR_INIT("[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]") },
	{ "emoji", STR_INIT("[\"\xf0\x9f\x98\x80\xf0\x9f\x8e\x89\"]") },
	{ "line separator", STR_INIT("[\"\xe2\x80\xa8\xe2\x80\xa9\"]") },
	{ "byte order mark in a string", STR_INIT("[\"\xef\xbb\xbf\"]") },
	{ "utf-8 key", STR_INIT("{\"\xc3\xa9\":\"\xc3\xa9\"}") },
	/* what a parser may decide: our decisions are in json.h */
	{ "lone high surrogate", STR_INIT("[\"\\ud800\"]") },
	{ "lone low surrogate", STR_INIT("[\"\\udc00\"]") },
	{ "swapped surrogates", STR_INIT("[\"\\udc00\\ud800\"]") },
	{ "high surrogate before text", STR_INIT("[\"\\ud800abc\"]") },
	{ "high surrogate before another escape", STR_INIT("[\"\\ud800\\n\"]") },
	{ "high surrogate before a common unit", STR_INIT("[\"\\ud800\\u0041\"]") },
	{ "high surrogate twice", STR_INIT("[\"\\ud800\\ud800\\udc00\"]") },
	{ "escaped NUL", STR_INIT("[\"\\u0000\"]") },
	{ "escaped NUL in a key", STR_INIT("{\"a\\u0000b\":1}") },
};

static void accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		struct scanned s = scan(accepted[i].text);

		if (s.status != GW_OK)
			print_error("%s: %s\n", accepted[i].name, s.err.message);
		CHECK_INT(accepted[i].name, GW_OK, s.status);
		CHECK_INT(accepted[i].name, GW_OK, s.err.status);
		CHECK_BYTES(accepted[i].name, str_trim(accepted[i].text),
			    json_bytes(json_root(s.doc)));
		CHECK_BYTES(accepted[i].name, accepted[i].text, json_text(s.doc));
		scanned_release(&s);
	}
}

static const char value_due[] = "expected a value", key_due[] = "expected a key",
		  too_early[] = "the text ends too early",
		  comma_or_bracket[] = "expected a comma or ]",
		  comma_or_brace[] = "expected a comma or }",
		  no_quote[] = "a string without its closing quote", bad_word[] = "an unknown word",
		  trailing[] = "bytes after the value", bad_utf8[] = "bytes that are not UTF-8",
		  bad_escape[] = "an unknown escape",
		  bad_hex[] = "\\u without four hexadecimal digits",
		  control[] = "a control character in a string", no_colon[] = "expected a colon",
		  no_digits[] = "a number without digits",
		  no_fraction[] = "a fraction without digits",
		  no_exponent[] = "an exponent without digits", zero_first[] = "a leading zero",
		  mark[] = "a byte order mark", nothing[] = "an empty text";

static const struct {
	const char *name;
	struct str text;
	uint32_t at;
	const char *reason;
} refused[] = {
	/* nothing there */
	{ "empty", STR_INIT(""), 0, nothing },
	{ "one blank", STR_INIT(" "), 1, too_early },
	{ "blanks", STR_INIT("\n\t \r"), 4, too_early },
	{ "byte order mark", STR_INIT("\xef\xbb\xbf{}"), 0, mark },
	{ "byte order mark alone", STR_INIT("\xef\xbb\xbf"), 0, mark },
	{ "half a byte order mark", STR_INIT("\xef\xbb{}"), 0, value_due },
	{ "utf-16 mark", STR_INIT("\xff\xfe[\0]\0"), 0, value_due },
	{ "utf-16 without mark", STR_INIT("[\0]\0"), 1, value_due },
	/* structure */
	{ "open array", STR_INIT("["), 1, too_early },
	{ "open object", STR_INIT("{"), 1, key_due },
	{ "close array", STR_INIT("]"), 0, value_due },
	{ "close object", STR_INIT("}"), 0, value_due },
	{ "array closed as object", STR_INIT("[1}"), 2, comma_or_bracket },
	{ "object closed as array", STR_INIT("{\"a\":1]"), 6, comma_or_brace },
	{ "empty array closed as object", STR_INIT("[}"), 1, value_due },
	{ "empty object closed as array", STR_INIT("{]"), 1, key_due },
	{ "array closed twice", STR_INIT("[1]]"), 3, trailing },
	{ "object closed twice", STR_INIT("{}}"), 2, trailing },
	{ "comma alone", STR_INIT("[,]"), 1, value_due },
	{ "comma first", STR_INIT("[,1]"), 1, value_due },
	{ "comma last", STR_INIT("[1,]"), 3, value_due },
	{ "comma last and open", STR_INIT("[1,"), 3, too_early },
	{ "comma twice", STR_INIT("[1,,2]"), 3, value_due },
	{ "comma after the array", STR_INIT("[],"), 2, trailing },
	{ "comma last in object", STR_INIT("{\"a\":1,}"), 7, key_due },
	{ "comma first in object", STR_INIT("{,\"a\":1}"), 1, key_due },
	{ "comma twice in object", STR_INIT("{\"a\":1,,\"b\":2}"), 7, key_due },
	{ "no comma", STR_INIT("[1 2]"), 3, comma_or_bracket },
	{ "no comma between strings", STR_INIT("[\"a\"\"b\"]"), 4, comma_or_bracket },
	{ "no comma in object", STR_INIT("{\"a\":1 \"b\":2}"), 7, comma_or_brace },
	{ "colon in array", STR_INIT("[\"a\":1]"), 4, comma_or_bracket },
	{ "semicolon", STR_INIT("[1;2]"), 2, comma_or_bracket },
	{ "no colon", STR_INIT("{\"a\" 1}"), 5, no_colon },
	{ "comma for colon", STR_INIT("{\"a\",1}"), 4, no_colon },
	{ "colon twice", STR_INIT("{\"a\"::1}"), 5, value_due },
	{ "no value", STR_INIT("{\"a\":}"), 5, value_due },
	{ "no value and more", STR_INIT("{\"a\":,\"b\":1}"), 5, value_due },
	{ "key alone", STR_INIT("{\"a\"}"), 4, no_colon },
	{ "key and end", STR_INIT("{\"a\""), 4, no_colon },
	{ "key, colon and end", STR_INIT("{\"a\":"), 5, too_early },
	{ "member and end", STR_INIT("{\"a\":1"), 6, too_early },
	{ "member, comma and end", STR_INIT("{\"a\":1,"), 7, key_due },
	{ "bare key", STR_INIT("{a:1}"), 1, key_due },
	{ "number key", STR_INIT("{1:1}"), 1, key_due },
	{ "null key", STR_INIT("{null:1}"), 1, key_due },
	{ "array key", STR_INIT("{[]:1}"), 1, key_due },
	{ "single quoted key", STR_INIT("{'a':1}"), 1, key_due },
	{ "single quoted string", STR_INIT("['a']"), 1, value_due },
	{ "open in open", STR_INIT("[[[\"a\""), 6, too_early },
	{ "open object in array", STR_INIT("[{"), 2, key_due },
	{ "more open than anything else", STR_INIT("[[[[[[[[[[[[[["), 14, too_early },
	{ "nonsense", STR_INIT("<html>"), 0, value_due },
	{ "form encoded", STR_INIT("a=1&b=2"), 0, value_due },
	{ "block comment", STR_INIT("[1/* x */]"), 2, comma_or_bracket },
	{ "line comment", STR_INIT("[1] // x"), 4, trailing },
	{ "hash comment", STR_INIT("# x\n[]"), 0, value_due },
	{ "no-break space", STR_INIT("[\xc2\xa0]"), 1, value_due },
	{ "form feed", STR_INIT("[\f]"), 1, value_due },
	{ "vertical tab", STR_INIT("\v[]"), 0, value_due },
	{ "zero width space", STR_INIT("\xe2\x80\x8b[]"), 0, value_due },
	{ "NUL first", STR_INIT("\0[]"), 0, value_due },
	{ "NUL last", STR_INIT("[]\0"), 2, trailing },
	{ "NUL between", STR_INIT("[1,\0 2]"), 3, value_due },
	{ "backslash outside", STR_INIT("[\\n]"), 1, value_due },
	{ "escaped structure", STR_INIT("\\u005B\\u005D"), 0, value_due },
	/* bytes behind the value */
	{ "two values", STR_INIT("1 2"), 2, trailing },
	{ "two objects", STR_INIT("{}{}"), 2, trailing },
	{ "two lines", STR_INIT("{}\n{}\n"), 3, trailing },
	{ "garbage", STR_INIT("[] x"), 3, trailing },
	{ "quote", STR_INIT("\"a\"\""), 3, trailing },
	{ "stray UTF-8", STR_INIT("{}\xc3\xa9"), 2, trailing },
	/* words */
	{ "tru", STR_INIT("[tru]"), 1, bad_word },
	{ "tru and end", STR_INIT("tru"), 0, bad_word },
	{ "True", STR_INIT("[True]"), 1, value_due },
	{ "TRUE", STR_INIT("TRUE"), 0, value_due },
	{ "truth", STR_INIT("[truth]"), 1, bad_word },
	{ "trueish", STR_INIT("[trueish]"), 5, comma_or_bracket },
	{ "truefalse", STR_INIT("truefalse"), 4, trailing },
	{ "fals", STR_INIT("fals"), 0, bad_word },
	{ "nul", STR_INIT("[nul]"), 1, bad_word },
	{ "nil", STR_INIT("nil"), 0, bad_word },
	{ "NULL", STR_INIT("NULL"), 0, value_due },
	{ "undefined", STR_INIT("[undefined]"), 1, value_due },
	{ "NaN", STR_INIT("[NaN]"), 1, value_due },
	{ "nan", STR_INIT("[nan]"), 1, bad_word },
	{ "Infinity", STR_INIT("[Infinity]"), 1, value_due },
	{ "minus Infinity", STR_INIT("[-Infinity]"), 2, no_digits },
	{ "word with NUL", STR_INIT("[nul\0]"), 1, bad_word },
	/* numbers */
	{ "leading zero", STR_INIT("[01]"), 1, zero_first },
	{ "negative leading zero", STR_INIT("[-01]"), 2, zero_first },
	{ "two zeros", STR_INIT("00"), 0, zero_first },
	{ "leading zero of a fraction", STR_INIT("[00.5]"), 1, zero_first },
	{ "plus", STR_INIT("[+1]"), 1, value_due },
	{ "minus alone", STR_INIT("[-]"), 2, no_digits },
	{ "minus and end", STR_INIT("-"), 1, no_digits },
	{ "minus blank", STR_INIT("[- 1]"), 2, no_digits },
	{ "two minuses", STR_INIT("[--1]"), 2, no_digits },
	{ "difference", STR_INIT("[1-2]"), 2, comma_or_bracket },
	{ "point first", STR_INIT("[.5]"), 1, value_due },
	{ "minus point", STR_INIT("[-.5]"), 2, no_digits },
	{ "point last", STR_INIT("[1.]"), 3, no_fraction },
	{ "point and end", STR_INIT("1."), 2, no_fraction },
	{ "point e", STR_INIT("[1.e5]"), 3, no_fraction },
	{ "two points", STR_INIT("[1.2.3]"), 4, comma_or_bracket },
	{ "e alone", STR_INIT("[1e]"), 3, no_exponent },
	{ "E and end", STR_INIT("1E"), 2, no_exponent },
	{ "e plus", STR_INIT("[1e+]"), 4, no_exponent },
	{ "e minus and end", STR_INIT("1e-"), 3, no_exponent },
	{ "e plus minus", STR_INIT("[1e+-2]"), 4, no_exponent },
	{ "two e", STR_INIT("[1e2e3]"), 4, comma_or_bracket },
	{ "fractional exponent", STR_INIT("[1e2.5]"), 4, comma_or_bracket },
	{ "e first", STR_INIT("[e5]"), 1, value_due },
	{ "hexadecimal", STR_INIT("[0x1F]"), 2, comma_or_bracket },
	{ "octal", STR_INIT("[0o7]"), 2, comma_or_bracket },
	{ "letter behind", STR_INIT("[1a]"), 2, comma_or_bracket },
	{ "underscore", STR_INIT("[1_000]"), 2, comma_or_bracket },
	{ "thousands", STR_INIT("1,000"), 1, trailing },
	{ "full width digit", STR_INIT("[\xef\xbc\x91]"), 1, value_due },
	{ "digit and NUL", STR_INIT("[1\0]"), 2, comma_or_bracket },
	/* strings */
	{ "open string", STR_INIT("\""), 1, no_quote },
	{ "open string of seven", STR_INIT("\"abcdefg"), 8, no_quote },
	{ "open string of eight", STR_INIT("\"abcdefgh"), 9, no_quote },
	{ "open string of nine", STR_INIT("\"abcdefghi"), 10, no_quote },
	{ "open string in array", STR_INIT("[\"a]"), 4, no_quote },
	{ "open key", STR_INIT("{\"a:1}"), 6, no_quote },
	{ "backslash and end", STR_INIT("\"\\"), 1, no_quote },
	{ "escaped quote and end", STR_INIT("[\"\\\"]"), 5, no_quote },
	{ "escaped x", STR_INIT("[\"\\x41\"]"), 2, bad_escape },
	{ "escaped a", STR_INIT("[\"\\a\"]"), 2, bad_escape },
	{ "escaped digit", STR_INIT("[\"\\0\"]"), 2, bad_escape },
	{ "escaped apostrophe", STR_INIT("[\"\\'\"]"), 2, bad_escape },
	{ "escaped newline", STR_INIT("[\"\\\n\"]"), 2, bad_escape },
	{ "escaped NUL byte", STR_INIT("[\"\\\0\"]"), 2, bad_escape },
	{ "escaped capital N", STR_INIT("[\"\\N\"]"), 2, bad_escape },
	{ "escaped UTF-8", STR_INIT("[\"\\\xc3\xa9\"]"), 2, bad_escape },
	{ "capital U", STR_INIT("[\"\\U0041\"]"), 2, bad_escape },
	{ "u alone", STR_INIT("[\"\\u\"]"), 2, bad_hex },
	{ "u and end", STR_INIT("\"\\u"), 1, bad_hex },
	{ "one digit", STR_INIT("[\"\\u0\"]"), 2, bad_hex },
	{ "three digits", STR_INIT("[\"\\u004\"]"), 2, bad_hex },
	{ "three digits and end", STR_INIT("\"\\u004"), 1, bad_hex },
	{ "not hexadecimal", STR_INIT("[\"\\u004g\"]"), 2, bad_hex },
	{ "colon in the digits", STR_INIT("[\"\\u00:1\"]"), 2, bad_hex },
	{ "at sign in the digits", STR_INIT("[\"\\u00@1\"]"), 2, bad_hex },
	{ "grave in the digits", STR_INIT("[\"\\u00`1\"]"), 2, bad_hex },
	{ "slash in the digits", STR_INIT("[\"\\u00/1\"]"), 2, bad_hex },
	{ "high byte in the digits", STR_INIT("[\"\\u00\xc1\x31\"]"), 2, bad_hex },
	{ "control byte in the digits", STR_INIT("[\"\\u00\x11\x31\"]"), 2, bad_hex },
	{ "braces", STR_INIT("[\"\\u{41}\"]"), 2, bad_hex },
	{ "half a pair, then too short", STR_INIT("[\"\\ud83d\\ude0\"]"), 8, bad_hex },
	{ "newline", STR_INIT("[\"a\nb\"]"), 3, control },
	{ "tab", STR_INIT("[\"\t\"]"), 2, control },
	{ "NUL", STR_INIT("[\"\0\"]"), 2, control },
	{ "last control character", STR_INIT("[\"\x1f\"]"), 2, control },
	{ "newline in a key", STR_INIT("{\"a\nb\":1}"), 3, control },
	{ "control after eight", STR_INIT("[\"12345678\x01\"]"), 10, control },
	/* UTF-8 */
	{ "lone continuation", STR_INIT("[\"\x80\"]"), 2, bad_utf8 },
	{ "last continuation", STR_INIT("[\"\xbf\"]"), 2, bad_utf8 },
	{ "iso 8859-1", STR_INIT("[\"\xe9\"]"), 2, bad_utf8 },
	{ "2 bytes cut by the quote", STR_INIT("[\"\xc3\"]"), 2, bad_utf8 },
	{ "2 bytes cut by the end", STR_INIT("\"\xc3"), 1, bad_utf8 },
	{ "3 bytes cut by the end", STR_INIT("\"\xe2\x82"), 1, bad_utf8 },
	{ "4 bytes cut by the end", STR_INIT("\"\xf0\x9f\x98"), 1, bad_utf8 },
	{ "overlong slash", STR_INIT("[\"\xc0\xaf\"]"), 2, bad_utf8 },
	{ "overlong NUL", STR_INIT("[\"\xc0\x80\"]"), 2, bad_utf8 },
	{ "overlong c1", STR_INIT("[\"\xc1\xbf\"]"), 2, bad_utf8 },
	{ "overlong 3", STR_INIT("[\"\xe0\x9f\xbf\"]"), 2, bad_utf8 },
	{ "overlong 4", STR_INIT("[\"\xf0\x8f\xbf\xbf\"]"), 2, bad_utf8 },
	{ "surrogate", STR_INIT("[\"\xed\xa0\x80\"]"), 2, bad_utf8 },
	{ "last surrogate", STR_INIT("[\"\xed\xbf\xbf\"]"), 2, bad_utf8 },
	{ "over U+10FFFF", STR_INIT("[\"\xf4\x90\x80\x80\"]"), 2, bad_utf8 },
	{ "f5", STR_INIT("[\"\xf5\x80\x80\x80\"]"), 2, bad_utf8 },
	{ "ff", STR_INIT("[\"\xff\"]"), 2, bad_utf8 },
	{ "in a key", STR_INIT("{\"\xff\":1}"), 2, bad_utf8 },
	{ "after good ones", STR_INIT("[\"\xc3\xa9\xc3\xa9\xc3\"]"), 6, bad_utf8 },
	{ "after sixteen", STR_INIT("[\"0123456789abcdef\xff\"]"), 18, bad_utf8 },
};

static void refuses(void **state)
{
	char want[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct scanned s = scan(refused[i].text);

		(void)snprintf(want, sizeof(want), "not JSON at byte %u: %s", refused[i].at,
			       refused[i].reason);
		CHECK_INT(refused[i].name, GW_EPARSE, s.status);
		CHECK_INT(refused[i].name, GW_EPARSE, s.err.status);
		CHECK_STR(refused[i].name, want, str_from(s.err.message));
		assert_null(s.doc); /* untouched */
		scanned_release(&s);
	}
}

static void error_may_be_null(void **state)
{
	const struct json_doc *doc = NULL;
	struct arena *a = arena_new(ARENA_PLENTY);

	(void)state;
	CHECK_INT("bad", GW_EPARSE, json_scan(STR("[1,"), a, &doc, NULL));
	assert_null(doc);
	CHECK_INT("no bytes", GW_EPARSE, json_scan(str_make(NULL, 0), a, &doc, NULL));
	assert_null(doc);
	CHECK_INT("good", GW_OK, json_scan(STR("[1]"), a, &doc, NULL));
	assert_non_null(doc);
	arena_free(a);
}

/* A text inside a larger one: not a byte beyond its end counts. */
static void stops_at_the_end(void **state)
{
	static const char wider[] =
		"{\"key\":[1,-2.5e1,\"\\ud83d\\ude00 \xf0\x9f\x98\x80\",true,null]}";
	size_t len = sizeof(wider) - 1;
	struct scanned s;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		s = scan(str_make(wider, cut));
		CHECK_INT("cut", GW_EPARSE, s.status);
		scanned_release(&s);
	}
	s = scan_good(str_make(wider, len));
	scanned_release(&s);
	s = scan_good(str_make("123", 2));
	CHECK_STR("number", "12", json_bytes(json_root(s.doc)));
	scanned_release(&s);
}

/* A string of `len` x with one other byte, and blanks behind it. */
static gw_status scan_string_with(size_t len, size_t at, unsigned char other, size_t blanks)
{
	char text[96];
	struct scanned s;
	gw_status st;

	memset(text, 'x', len + 2);
	memset(text + len + 2, ' ', blanks);
	text[0] = text[len + 1] = '"';
	text[at + 1] = (char)other;
	s = scan(str_make(text, len + 2 + blanks));
	st = s.status;
	scanned_release(&s);
	return st;
}

/*
 * Strings are read sixteen bytes at once and the end of a text one by one:
 * every byte at every place of both.  A backslash has an x or the last quote
 * behind it, which is refused as well.
 */
static void every_byte_at_every_place(void **state)
{
	static const unsigned char odd[] = { 0x00, 0x01, 0x1F, '"', '\\', 0x80, 0xFF };
	static const unsigned char plain[] = { 0x20, 0x21, 0x23, '[', ']', 0x7F };

	(void)state;
	for (int c = 0; c < 0x100; c++) {
		bool good = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

		for (size_t at = 0; at < 17; at++) {
			gw_status want = good ? GW_OK : GW_EPARSE;

			CHECK_INT("near", want, scan_string_with(17, at, (unsigned char)c, 0));
			CHECK_INT("far", want, scan_string_with(17, at, (unsigned char)c, 20));
		}
	}
	for (size_t len = 1; len < 40; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < ARRAY_LEN(odd); i++)
				CHECK_INT("odd", GW_EPARSE,
					  scan_string_with(len, at, odd[i], len % 2 * 20));
			for (size_t i = 0; i < ARRAY_LEN(plain); i++)
				CHECK_INT("plain", GW_OK,
					  scan_string_with(len, at, plain[i], len % 2 * 20));
		}
	}
}

/* A second opinion: decode loosely, encode again, and compare. */
static bool is_utf8(const unsigned char *p, size_t len)
{
	uint32_t code = p[0];
	unsigned char again[4];
	size_t n;

	n = code < 0x80   ? 1
	    : code < 0xC0 ? 0
	    : code < 0xE0 ? 2
	    : code < 0xF0 ? 3
	    : code < 0xF8 ? 4
			  : 0;
	if (n != len)
		return false;
	if (n > 1)
		code &= 0x7FU >> n;
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3F);
	if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return false;
	again[0] = (unsigned char)code;
	if (code >= 0x10000)
		again[0] = (unsigned char)(0xF0 | code >> 18);
	else if (code >= 0x800)
		again[0] = (unsigned char)(0xE0 | code >> 12);
	else if (code >= 0x80)
		again[0] = (unsigned char)(0xC0 | code >> 6);
	n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = 1; i < n; i++)
		again[i] = (unsigned char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3F));
	return n == len && memcmp(again, p, n) == 0;
}

static void utf8_everywhere(void **state)
{
	static const unsigned char tails[] = { 0x22, 0x41, 0x7F, 0x80, 0x8F, 0x90,
					       0x9F, 0xA0, 0xBF, 0xC0, 0xF0, 0xFF };
	struct arena *a = arena_new(ARENA_PLENTY);
	unsigned char text[6] = { '"' };

	(void)state;
	for (unsigned first = 0xC0; first < 0x100; first++) {
		for (unsigned second = 0x23; second < 0x100; second++) {
			for (size_t i = 0; i < ARRAY_LEN(tails) * ARRAY_LEN(tails); i++) {
				size_t len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
				const struct json_doc *doc;
				gw_status st;

				if (second == '\\' || (len == 2 && i > 0) ||
				    (len == 3 && i >= ARRAY_LEN(tails)))
					continue;
				text[1] = (unsigned char)first;
				text[2] = (unsigned char)second;
				text[3] = tails[i % ARRAY_LEN(tails)];
				text[4] = tails[i / ARRAY_LEN(tails)];
				text[len + 1] = '"';
				st = json_scan(str_make((char *)text, len + 2), a, &doc, NULL);
				if ((st == GW_OK) != is_utf8(text + 1, len))
					fail_msg("%02x %02x %02x %02x", text[1], text[2], text[3],
						 text[4]);
				arena_reset(a);
			}
		}
	}
	arena_free(a);
}

/* `depth` times `open`, then `inner`, then as often `close`. */
static struct str nest(struct buf *b, size_t depth, const char *open, const char *inner,
		       const char *close)
{
	buf_reset(b);
	for (size_t i = 0; i < depth; i++)
		buf_put_text(b, open);
	buf_put_text(b, inner);
	for (size_t i = 0; i < depth; i++)
		buf_put_text(b, close);
	assert_false(buf_failed(b));
	return buf_str(b);
}

static void depth_both_sides(void **state)
{
	static const struct {
		const char *name, *open, *inner, *close;
		size_t size, deepest, at;
	} cases[] = {
		{ "arrays", "[", "", "]", 1, 64, 64 },
		{ "arrays around a number", "[", "1", "]", 1, 64, 64 },
		{ "objects", "{\"a\":", "1", "}", 5, 64, 320 },
		{ "objects around an empty one", "{\"a\":", "{}", "}", 5, 63, 320 },
		{ "both", "[{\"a\":", "0", "}]", 6, 32, 192 },
		{ "with siblings", "[[],[],", "0", "]", 7, 63, 442 },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[64];
		struct scanned s = scan(
			nest(&b, cases[i].deepest, cases[i].open, cases[i].inner, cases[i].close));

		CHECK_INT(cases[i].name, GW_OK, s.status);
		scanned_release(&s);
		s = scan(nest(&b, cases[i].deepest + 1, cases[i].open, cases[i].inner,
			      cases[i].close));
		CHECK_INT(cases[i].name, GW_EPARSE, s.status);
		(void)snprintf(want, sizeof(want), "not JSON at byte %zu: nested deeper than 64",
			       cases[i].at);
		CHECK_STR(cases[i].name, want, str_from(s.err.message));
		scanned_release(&s);
	}
	buf_release(&b);
}

/* No recursion, and no work behind the sixty-fifth. */
static void a_million_deep(void **state)
{
	static const char *const opens[] = { "[", "{\"a\":", "[{\"\":" };
	struct buf b;

	(void)state;
	buf_init(&b, 16 << 20);
	for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
		struct scanned s = scan(nest(&b, 1000000, opens[i], "", ""));

		CHECK_INT(opens[i], GW_EPARSE, s.status);
		assert_non_null(strstr(s.err.message, "nested deeper than 64"));
		scanned_release(&s);
	}
	buf_release(&b);
}

static const struct {
	const char *name;
	struct str text;
	uint32_t want;
} repeated[] = {
	{ "none", STR_INIT("{\"a\":1,\"b\":2,\"ab\":3,\"ba\":4,\"\":5}"), 0 },
	{ "one", STR_INIT("{\"a\":1,\"a\":2}"), 1 },
	{ "near the end and not", STR_INIT("{\"a\":1,\"b\":2,\"a\":3}"), 1 },
	{ "far from the end", STR_INIT("{\"abc\":1,\"abc\":2}                "), 1 },
	{ "seven bytes", STR_INIT("{\"abcdefg\":1,\"abcdefg\":2}"), 1 },
	{ "eight bytes", STR_INIT("{\"abcdefgh\":1,\"abcdefgh\":2}"), 1 },
	{ "nine bytes", STR_INIT("{\"abcdefghi\":1,\"abcdefghi\":2}"), 1 },
	{ "the middle differs", STR_INIT("{\"12345678a12345678\":1,\"12345678b12345678\":2}"), 0 },
	{ "thrice", STR_INIT("{\"a\":1,\"a\":2,\"a\":3}"), 2 },
	{ "two of two", STR_INIT("{\"a\":1,\"b\":2,\"a\":3,\"b\":4}"), 2 },
	{ "empty keys", STR_INIT("{\"\":1,\"\":2}"), 1 },
	{ "in another object", STR_INIT("{\"a\":{\"a\":{\"a\":1}}}"), 0 },
	{ "in siblings", STR_INIT("[{\"a\":1},{\"a\":1}]"), 0 },
	{ "inside and outside", STR_INIT("{\"a\":{\"b\":1,\"b\":1},\"a\":[{\"c\":0,\"c\":0}]}"),
	  3 },
	{ "over a large value", STR_INIT("{\"a\":[[1,2,{\"x\":[]}],3],\"b\":0,\"a\":0}"), 1 },
	{ "escaped and plain", STR_INIT("{\"\\u0061\":1,\"a\":2}"), 1 },
	{ "plain and escaped", STR_INIT("{\"a/b\":1,\"a\\/b\":2}"), 1 },
	{ "both escaped", STR_INIT("{\"\\u00e9\":1,\"\\u00E9\":2}"), 1 },
	{ "escaped and utf-8", STR_INIT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), 1 },
	{ "escaped, another", STR_INIT("{\"\\u0061\":1,\"b\":2,\"\\u0062c\":3}"), 0 },
	{ "lone surrogates read the same", STR_INIT("{\"\\ud800\":1,\"\\ufffd\":2,\"\\u0000\":3}"),
	  2 },
	{ "backslash is not its letter", STR_INIT("{\"\\\\u0061\":1,\"a\":2,\"\\n\":3,\"n\":4}"),
	  0 },
	{ "a prefix is another key", STR_INIT("{\"a\":1,\"\\u0061b\":2,\"ab\":3}"), 1 },
	{ "capitals are other keys", STR_INIT("{\"a\":1,\"A\":2}"), 0 },
};

static void counts_duplicates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(repeated); i++) {
		struct scanned s = scan_good(repeated[i].text);

		CHECK_INT(repeated[i].name, repeated[i].want, json_duplicates(s.doc));
		scanned_release(&s);
	}
}

/* {"k0":0,"k1":1,...}: `members` keys of which `distinct` differ. */
static struct str many_members(struct buf *b, uint32_t members, uint32_t distinct)
{
	buf_reset(b);
	buf_put_char(b, '{');
	for (uint32_t i = 0; i < members; i++) {
		buf_put_text(b, i == 0 ? "\"k" : ",\"k");
		buf_put_u64(b, i % distinct);
		buf_put_text(b, "\":0");
	}
	buf_put_char(b, '}');
	assert_false(buf_failed(b));
	return buf_str(b);
}

static void counts_duplicates_of_large_objects(void **state)
{
	static const struct {
		uint32_t members, distinct;
	} cases[] = {
		{ 15, 15 },        { 15, 14 },    { 16, 16 },           { 16, 15 },
		{ 16, 1 },         { 17, 17 },    { 17, 16 },           { 17, 1 },
		{ 32, 32 },        { 33, 32 },    { 100, 37 },          { 1000, 999 },
		{ 100000, 50000 }, { 100000, 1 }, { 1000000, 1000000 }, { 1000000, 999999 },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 64 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scanned s = scan_good(many_members(&b, cases[i].members, cases[i].distinct));

		CHECK_INT("duplicates", cases[i].members - cases[i].distinct,
			  json_duplicates(s.doc));
		CHECK_INT("members", cases[i].members, json_count(json_root(s.doc)));
		scanned_release(&s);
	}
	buf_release(&b);
}

/* FNV-1a as json_key.c uses it; keys that land in one slot of the set. */
static uint32_t slot_of(const char *key, uint32_t slots)
{
	uint32_t hash = 2166136261U;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619U;
	return (hash ^ hash >> 15) & (slots - 1);
}

/* A body made to collide costs a bounded time and no refusal. */
static void colliding_keys_are_bounded(void **state)
{
	const uint32_t members = 2000, slots = 4096;
	uint32_t found = 0;
	struct scanned s;
	struct buf b;
	char key[16];

	(void)state;
	buf_init(&b, 1 << 20);
	buf_put_char(&b, '{');
	for (uint64_t i = 0; found < members; i++) {
		(void)snprintf(key, sizeof(key), "%" PRIu64, i);
		if (slot_of(key, slots) != 0)
			continue;
		buf_put_fmt(&b, "%s\"%s\":0", found++ == 0 ? "" : ",", key);
	}
	buf_put_text(&b, "}");
	s = scan_good(buf_str(&b));
	CHECK_INT("members", members, json_count(json_root(s.doc)));
	CHECK_INT("duplicates", 0, json_duplicates(s.doc));
	scanned_release(&s);
	buf_release(&b);
}

static void limit_of_the_text(void **state)
{
	const struct json_doc *doc = NULL;
	struct gw_error err = GW_ERROR_INIT;
	struct arena *a = arena_new(ARENA_PLENTY);
	char *text = malloc(JSON_TEXT_MAX);

	(void)state;
	assert_non_null(text);
	/* one more: refused without a look at the bytes */
	CHECK_INT("over", GW_ELIMIT,
		  json_scan(str_make("", (size_t)JSON_TEXT_MAX + 1), a, &doc, &err));
	CHECK_STR("over", "a JSON text of 67108865 bytes, the limit is 67108864",
		  str_from(err.message));
	assert_null(doc);
	memset(text, ' ', JSON_TEXT_MAX);
	text[JSON_TEXT_MAX - 1] = '7';
	CHECK_INT("at", GW_OK, json_scan(str_make(text, JSON_TEXT_MAX), a, &doc, NULL));
	CHECK_INT("span", JSON_TEXT_MAX - 1, json_span(json_root(doc)).at);
	free(text);
	arena_free(a);
}

/* Under any ceiling: refused with everything given back, or accepted. */
static void limit_of_the_arena(void **state)
{
	struct str text = STR("{\"a\":[1,2,3,{\"b\":\"c,,,,::::[[[[\"}],\"d\":{},\"e\":[[]]}");
	bool was_accepted = false;

	(void)state;
	for (size_t max = 0; max < 1024; max += 8) {
		struct scanned s = scan_within(text, max);

		if (s.status == GW_OK) {
			was_accepted = true;
			CHECK_INT("members", 3, json_count(json_root(s.doc)));
		} else {
			CHECK_INT("status", GW_ELIMIT, s.status);
			assert_false(was_accepted); /* more room never hurts */
			assert_null(s.doc);
		}
		assert_true(arena_used(s.arena) <= max);
		scanned_release(&s);
	}
	assert_true(was_accepted);
}

/* The promise of json.h: 8 times the text and 1 KiB always do. */
static void memory_is_bounded(void **state)
{
	static const struct {
		const char *name, *open, *item, *close;
	} cases[] = {
		{ "numbers", "[0", ",0", "]" },     { "arrays", "[[]", ",[]", "]" },
		{ "objects", "[{}", ",{}", "]" },   { "members", "{\"\":0", ",\"\":0", "}" },
		{ "commas", "[\"", ",,,,", "\"]" }, { "colons", "{\"", "::::", "\":0}" },
		{ "text", "[\"", "abcd", "\"]" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t items = 0; items < 2000; items = items * 2 + 1) {
			struct scanned s;

			buf_reset(&b);
			buf_put_text(&b, cases[i].open);
			for (size_t j = 0; j < items; j++)
				buf_put_text(&b, cases[i].item);
			buf_put_text(&b, cases[i].close);
			s = scan_within(buf_str(&b), b.len * 8 + 1024 + 64);
			CHECK_INT(cases[i].name, GW_OK, s.status);
			scanned_release(&s);
		}
	}
	buf_release(&b);
}

/* Open containers outnumber everything else while a text is being refused. */
static void refused_texts_stay_in_the_tape(void **state)
{
	static const char *const pieces[] = { "[",    "{\"\":",  "[[],", "{\"\":0,\"\":",
					      "[0,[", "[{\"\":[" };
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t depth = 1; depth < 70; depth++) {
			struct scanned s = scan(nest(&b, depth, pieces[i], "", ""));

			CHECK_INT(pieces[i], GW_EPARSE, s.status);
			CHECK_INT(pieces[i], arena_used(s.arena) < 256, true);
			scanned_release(&s);
		}
	}
	buf_release(&b);
}

static void three_megabytes(void **state)
{
	struct json_val changes, last;
	struct scanned s;
	struct buf b;
	struct str id;
	uint32_t items = 0;

	(void)state;
	buf_init(&b, 4 << 20);
	buf_put_text(
		&b,
		"{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[");
	for (; b.len < 3000000; items++)
		buf_put_fmt(&b,
			    "%s{\"value\":{\"statuses\":[{\"id\":\"wamid.%u\",\"status\":\"read\","
			    "\"timestamp\":\"%u\",\"text\":\"caf\xc3\xa9 \\ud83d\\ude00 \\/\"}]},"
			    "\"field\":\"messages\"}",
			    items == 0 ? "" : ",", items, 1763663000 + items);
	buf_put_text(&b, "]}]}");
	assert_false(buf_failed(&b));
	s = scan_good(buf_str(&b));
	CHECK_INT("duplicates", 0, json_duplicates(s.doc));
	changes = json_member(json_at(json_path(json_root(s.doc), "entry"), 0), STR("changes"));
	CHECK_INT("items", items, json_count(changes));
	last = json_at(changes, items - 1);
	last = json_at(json_path(last, "value.statuses"), 0);
	assert_true(json_get_str(last, STR("text"), 100, &id));
	CHECK_STR("text", "caf\xc3\xa9 \xf0\x9f\x98\x80 /", id);
	scanned_release(&s);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(error_may_be_null),
		cmocka_unit_test(stops_at_the_end),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(utf8_everywhere),
		cmocka_unit_test(depth_both_sides),
		cmocka_unit_test(a_million_deep),
		cmocka_unit_test(counts_duplicates),
		cmocka_unit_test(counts_duplicates_of_large_objects),
		cmocka_unit_test(colliding_keys_are_bounded),
		cmocka_unit_test(limit_of_the_text),
		cmocka_unit_test(limit_of_the_arena),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(refused_texts_stay_in_the_tape),
		cmocka_unit_test(three_megabytes),
	};

	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
