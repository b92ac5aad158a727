/* SPDX-License-Identifier: MIT */
/* test_mem.c - allocation, checked sizes, and how a panic ends */
#include "unit.h"

#include "base/mem.h"

#include <sys/mman.h>
#include <unistd.h>

static void zero_sizes_are_real(void **state)
{
	char *ptr = xmalloc(0);

	(void)state;
	assert_non_null(ptr);
	ptr = xrealloc(ptr, 0);
	assert_non_null(ptr);
	ptr = xreallocarray(ptr, 0, 8);
	assert_non_null(ptr);
	free(ptr);
	ptr = xcalloc(0, 8);
	assert_non_null(ptr);
	free(ptr);
}

static void calloc_zeroes(void **state)
{
	unsigned char *ptr = xcalloc(7, 3);

	(void)state;
	for (size_t i = 0; i < 21; i++)
		assert_int_equal(ptr[i], 0);
	free(ptr);
}

/* A page of it is there when it is used, and not before. */
static void tables_cost_what_is_used(void **state)
{
	const size_t count = (size_t)1 << 20, size = 64, page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *table = xtable(count, size), resident[2] = { 0 };

	(void)state;
	assert_int_equal(table[count * size - 1], 0);
	table[0] = 1;
	assert_int_equal(mincore(table, 2 * page, resident), 0);
	assert_int_equal(resident[0] & 1, 1);
	assert_int_equal(resident[1] & 1, 0);
	xtable_free(table, count, size);
	xtable_free(NULL, count, size);
}

static void copies(void **state)
{
	char *text = xstrdup("abc");
	char *cut = xstrndup(str_make("abcdef", 2));
	char *none = xstrndup(str_make(NULL, 0));
	struct str view = xstr(str_make("a\0b", 3));

	(void)state;
	assert_string_equal(text, "abc");
	assert_string_equal(cut, "ab");
	assert_string_equal(none, "");
	assert_true(str_eq(view, str_make("a\0b", 3)));
	assert_int_equal(view.ptr[3], 0);
	free(text);
	free(cut);
	free(none);
	free((void *)(uintptr_t)view.ptr);
}

static void size_arithmetic(void **state)
{
	const struct {
		const char *name;
		size_t a, b;
		bool add, mul;
	} cases[] = {
		{ "zeros", 0, 0, true, true },
		{ "small", 3, 4, true, true },
		{ "sum at the edge", SIZE_MAX - 1, 1, true, true },
		{ "sum over the edge", SIZE_MAX, 1, false, true },
		{ "product at the edge", SIZE_MAX / 2, 2, true, true },
		{ "product over the edge", SIZE_MAX / 2 + 1, 2, true, false },
		{ "both over", SIZE_MAX, SIZE_MAX, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t sum = 77, product = 77;

		CHECK_INT(cases[i].name, cases[i].add, size_add(cases[i].a, cases[i].b, &sum));
		CHECK_INT(cases[i].name, cases[i].mul, size_mul(cases[i].a, cases[i].b, &product));
		CHECK_INT(cases[i].name, cases[i].add ? cases[i].a + cases[i].b : 77, sum);
		CHECK_INT(cases[i].name, cases[i].mul ? cases[i].a * cases[i].b : 77, product);
	}
}

static void overflow_calloc(void *arg)
{
	(void)arg;
	free(xcalloc(SIZE_MAX / 2 + 1, 2));
}

static void overflow_reallocarray(void *arg)
{
	(void)arg;
	free(xreallocarray(NULL, SIZE_MAX, 2));
}

static void overflow_strndup(void *arg)
{
	(void)arg;
	free(xstrndup(str_make("", SIZE_MAX)));
}

static void overflow_panics(void **state)
{
	(void)state;
	assert_true(dies(overflow_calloc, NULL));
	assert_true(dies(overflow_reallocarray, NULL));
	assert_true(dies(overflow_strndup, NULL));
}

/* The last line of a process that panics with `text`. */
static size_t last_words(const char *text, char *out, size_t cap)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sigaction plain = { .sa_handler = SIG_DFL };

		(void)dup2(ends[1], STDERR_FILENO);
		(void)sigaction(SIGABRT, &plain, NULL);
		panic_at("some/file.c", 12, "%s", text);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	(void)close(ends[1]);
	n = read(ends[0], out, cap);
	(void)close(ends[0]);
	assert_true(n >= 0);
	return (size_t)n;
}

static void panic_line(void **state)
{
	static char large[5000];
	char line[2048];
	size_t len = last_words("it broke", line, sizeof(line));

	(void)state;
	CHECK_STR("line", "panic: some/file.c:12: it broke\n", str_make(line, len));
	memset(large, 'x', sizeof(large) - 1);
	len = last_words(large, line, sizeof(line));
	CHECK_INT("cut to the ceiling", 1024, len);
	CHECK_INT("still a line", '\n', line[len - 1]);
}

static void assert_fails(void *arg)
{
	ASSERT(arg != NULL);
}

static void assert_is_on(void **state)
{
	(void)state;
	assert_true(dies(assert_fails, NULL));
	assert_false(dies(assert_fails, (void *)state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_sizes_are_real),
		cmocka_unit_test(calloc_zeroes),
		cmocka_unit_test(tables_cost_what_is_used),
		cmocka_unit_test(copies),
		cmocka_unit_test(size_arithmetic),
		cmocka_unit_test(overflow_panics),
		cmocka_unit_test(panic_line),
		cmocka_unit_test(assert_is_on),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
