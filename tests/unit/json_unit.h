/* SPDX-License-Identifier: MIT */
/* json_unit.h - what the tests of src/json share: scanning exact copies, reading the corpus */
#ifndef TESTS_JSON_UNIT_H
#define TESTS_JSON_UNIT_H

#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "json/json.h"

#include <dirent.h>

#define ARENA_PLENTY ((size_t)1 << 30)

#define CHECK_BYTES(name, want, got) check_bytes_at((name), (want), (got), __FILE__, __LINE__)

static inline void check_bytes_at(const char *name, struct str want, struct str got,
				  const char *file, int line)
{
	if (str_eq(want, got))
		return;
	print_error("%s: want \"%.*s\", got \"%.*s\"\n", name, STR_ARG(want), STR_ARG(got));
	_fail(file, line);
}

/* A document over a copy of the text that ends where its memory ends. */
struct scanned {
	struct arena *arena;
	char *copy;
	const struct json_doc *doc;
	gw_status status;
	struct gw_error err;
};

static inline struct scanned scan_within(struct str text, size_t arena_max)
{
	struct scanned s = { .err = GW_ERROR_INIT };

	s.arena = arena_new(arena_max);
	s.copy = malloc(text.len == 0 ? 1 : text.len);
	assert_non_null(s.arena);
	assert_non_null(s.copy);
	if (text.len > 0)
		memcpy(s.copy, text.ptr, text.len);
	s.status = json_scan(str_make(s.copy, text.len), s.arena, &s.doc, &s.err);
	return s;
}

static inline struct scanned scan(struct str text)
{
	return scan_within(text, ARENA_PLENTY);
}

static inline void scanned_release(struct scanned *s)
{
	arena_free(s->arena);
	free(s->copy);
}

/* For documents that must be fine. */
static inline struct scanned scan_good(struct str text)
{
	struct scanned s = scan(text);

	if (s.status != GW_OK)
		print_error("%s\n", s.err.message);
	assert_int_equal(s.status, GW_OK);
	return s;
}

/* A folder below the source tree; the environment names the tree. */
static inline DIR *open_source_dir(const char *below, char path[4096])
{
	const char *top = getenv("GODWIT_SOURCE");

	(void)snprintf(path, 4096, "%s/%s", top == NULL ? "." : top, below);
	return opendir(path);
}

/* The whole file; the caller frees ptr.  Empty when it is no plain file. */
static inline struct str read_file(const char *dir, const char *name)
{
	struct str s = STR_EMPTY;
	char path[4096 + 256];
	char *bytes;
	FILE *f;
	long size;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (f == NULL)
		return s;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
		bytes = malloc((size_t)size);
		assert_non_null(bytes);
		assert_int_equal(fread(bytes, 1, (size_t)size, f), size);
		s = str_make(bytes, (size_t)size);
	}
	(void)fclose(f);
	return s;
}

/* Whether the build has the sanitizers in, which cost ten times or so. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#endif
