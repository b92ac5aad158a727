/* SPDX-License-Identifier: MIT */
/* test_sandbox_docs.c - docs/sandbox.md names every setting and every fault */
#include "unit.h"

#include "base/buf.h"
#include "base/sys_file.h"
#include "sandbox/faults.h"

static const char *const settings[] = {
#define SETTING_INT(name, def, min, max, text) #name,
#define SETTING_BOOL(name, def, text) #name,
#include "sandbox/settings.def"
#undef SETTING_INT
#undef SETTING_BOOL
	"check_token",
};

static void check_named(const struct buf *page, const char *word)
{
	char quoted[64];
	size_t at;

	(void)snprintf(quoted, sizeof(quoted), "`%s`", word);
	if (!str_find(buf_str(page), str_from(quoted), &at))
		fail_msg("docs/sandbox.md does not name %s", quoted);
}

static void everything_is_named(void **state)
{
	const char *source = getenv("GODWIT_SOURCE");
	char path[4096];
	struct buf page;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/docs/sandbox.md", source == NULL ? "." : source);
	buf_init(&page, 1U << 20);
	assert_int_equal(sys_read_file(path, &page, NULL), GW_OK);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		check_named(&page, settings[i]);
	for (size_t i = 1; i < FAULT_NKINDS; i++)
		check_named(&page, fault_word((enum fault_kind)i));
	buf_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_named),
	};

	return cmocka_run_group_tests_name("sandbox_docs", tests, NULL, NULL);
}
