/* SPDX-License-Identifier: MIT */
/* config_open.c - flags become overrides; what is wrong is listed, all of it */
#include "cli/config_open.h"
#include "base/mem.h"
#include "base/panic.h"
#include "json/json.h"

#define OVERRIDES_MAX (OPT_LIST_MAX + 8)

int config_refuse(const struct cli *cli, const struct config *c)
{
	struct json_writer w;
	struct buf b;

	if (!cli_is_json(cli)) {
		for (size_t i = 0; i < config_problem_count(c); i++)
			(void)fprintf(stderr, "%s\n", config_problem(c, i));
		return EXIT_USAGE;
	}
	buf_init(&b, 1U << 20);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_key(&w, STR("error"));
	json_w_object(&w);
	json_w_kv_text(&w, "class", "usage");
	json_w_kv_i64(&w, "exit", EXIT_USAGE);
	json_w_kv_text(&w, "code", "config");
	json_w_kv_text(&w, "message", "there are problems in the configuration");
	json_w_key(&w, STR("problems"));
	json_w_array(&w);
	for (size_t i = 0; i < config_problem_count(c); i++)
		json_w_str(&w, str_from(config_problem(c, i)));
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
	(void)fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
	return EXIT_USAGE;
}

/* "key=value"; the key is copied, the value is what stands behind the sign. */
static bool split_pair(const char *pair, char **key, const char **value)
{
	size_t at;

	if (!str_find_char(str_from(pair), '=', &at) || at == 0)
		return false;
	*key = xstrndup(str_make(pair, at));
	*value = pair + at + 1;
	return true;
}

int config_open(const struct cli *cli, const struct config_flags *f, struct config **out)
{
	const struct config_override fixed[] = { { "data", f->data },
						 { "listen.public", f->listen },
						 { "listen.api", f->listen_api },
						 { "listen.local", f->socket },
						 { "log.level", f->log_level } };
	struct config_override all[OVERRIDES_MAX];
	struct gw_error err = GW_ERROR_INIT;
	char *keys[OPT_LIST_MAX] = { NULL };
	struct config *c = NULL;
	size_t n = 0;
	int code = EXIT_OK;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (fixed[i].value != NULL)
			all[n++] = fixed[i];
	for (size_t i = 0; i < f->set.count; i++) {
		if (!split_pair(f->set.items[i], &keys[i], &all[n].value)) {
			code = cli_failf(cli, EXIT_USAGE, "want --set KEY=VALUE",
					 "\"%s\" has no key", f->set.items[i]);
			goto out;
		}
		all[n++].key = keys[i];
	}
	if (config_load(cli->config, all, n, &c, &err) != GW_OK) {
		if (c != NULL && config_problem_count(c) > 0)
			code = config_refuse(cli, c);
		else
			code = cli_failf(cli, EXIT_USAGE, NULL, "%s", err.message);
		config_free(c);
		c = NULL;
	}
	*out = c;
out:
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		free(keys[i]);
	return code;
}
