/* SPDX-License-Identifier: MIT */
/* config_open.h - the configuration as flags, environment and files give it, or its problems */
#ifndef CLI_CONFIG_OPEN_H
#define CLI_CONFIG_OPEN_H

#include "cli/opt.h"
#include "server/config.h"

/* Flags of every command that reads the configuration. */
struct config_flags {
	const char *data, *listen, *listen_api, *socket, *log_level;
	struct opt_list set;
};

#define CONFIG_FLAGS(f)                                                                                 \
	{ OPT_TEXT, 0, "data", &(f).data, "DIR", "the data folder (data)" },                            \
		{ OPT_TEXT,       0,                                                                    \
		  "listen",       &(f).listen,                                                          \
		  "ADDRESS:PORT", "where webhooks arrive (listen.public)" },                            \
		{ OPT_TEXT, 0, "listen-api", &(f).listen_api, "ADDRESS:PORT", "the API (listen.api)" }, \
		{ OPT_TEXT, 0, "socket", &(f).socket, "PATH", "the local socket (listen.local)" },      \
		{ OPT_TEXT,       0,       "log-level",                                                 \
		  &(f).log_level, "LEVEL", "error, warn, info or debug (log.level)" },                  \
	{                                                                                               \
		OPT_LIST, 0, "set", &(f).set, "KEY=VALUE", "any key of the configuration"               \
	}

/* EXIT_OK with *out (config_free()); else every problem is on standard error. */
int config_open(const struct cli *cli, const struct config_flags *flags, struct config **out);

#endif
