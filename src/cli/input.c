/* SPDX-License-Identifier: MIT */
/* input.c - files that a command reads; "-" is standard input */
#include "cli/input.h"
#include "base/sys_file.h"
#include "cli/opt.h"
#include "json/json.h"

int input_read(const struct cli *cli, const char *path, struct buf *b)
{
	struct gw_error err = GW_ERROR_INIT;
	char chunk[8192];
	size_t n;

	if (strcmp(path, "-") != 0) {
		if (sys_read_file(path, b, &err) != GW_OK)
			return cli_failf(cli, EXIT_USAGE, NULL, "%s", err.message);
		return EXIT_OK;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_put(b, chunk, n);
	if (ferror(stdin))
		return cli_failf(cli, EXIT_FAILED, NULL, "cannot read standard input");
	if (buf_failed(b))
		return cli_failf(cli, EXIT_USAGE, NULL, "standard input is longer than %zu bytes",
				 b->max);
	return EXIT_OK;
}

bool input_has_words(const struct opt_list *lists)
{
	struct str one;

	for (size_t i = 0; i < lists->count; i++) {
		struct str rest = str_from(lists->items[i]);

		while (str_split(&rest, ',', &one))
			if (str_trim(one).len > 0)
				return true;
	}
	return false;
}

void input_write_words(struct json_writer *w, const struct opt_list *lists)
{
	struct str one;

	json_w_array(w);
	for (size_t i = 0; i < lists->count; i++) {
		struct str rest = str_from(lists->items[i]);

		while (str_split(&rest, ',', &one))
			if (str_trim(one).len > 0)
				json_w_str(w, str_trim(one));
	}
	json_w_end(w);
}
