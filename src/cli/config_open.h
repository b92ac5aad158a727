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

#define CONFIG_FLAG(to, name, arg, help)            \
	{                                           \
		OPT_TEXT, 0, name, &(to), arg, help \
	}
#define CONFIG_FLAGS(f)                                                                            \
	CONFIG_FLAG((f).data, "data", "DIR", "the data folder (data)"),                            \
		CONFIG_FLAG((f).listen, "listen", "ADDRESS:PORT", "for webhooks (listen.public)"), \
		CONFIG_FLAG((f).listen_api, "listen-api", "ADDRESS:PORT", "the API (listen.api)"), \
		CONFIG_FLAG((f).socket, "socket", "PATH", "the local socket (listen.local)"),      \
		CONFIG_FLAG((f).log_level, "log-level", "error|warn|info|debug",                   \
			    "what is logged (log.level)"),                                         \
	{                                                                                          \
		OPT_LIST, 0, "set", &(f).set, "KEY=VALUE", "any key of the configuration"          \
	}

/* EXIT_OK with *out (config_free()); else every problem is on standard error. */
int config_open(const struct cli *cli, const struct config_flags *flags, struct config **out);
/* What is wrong with c, on standard error; EXIT_USAGE. */
int config_refuse(const struct cli *cli, const struct config *c);

#endif
