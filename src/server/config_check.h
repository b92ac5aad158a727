/* SPDX-License-Identifier: MIT */
/* config_check.h - words of the configuration that are more than a type, read in one place */
#ifndef SERVER_CONFIG_CHECK_H
#define SERVER_CONFIG_CHECK_H

#include "base/str.h"
#include <godwit/error.h>

#define CONFIG_HOST_MAX 64 /* an IPv6 address with its NUL */

/* "127.0.0.1:8080" or "[::1]:8080": the listener's words. */
GW_NODISCARD gw_status config_address(const char *text, char host[CONFIG_HOST_MAX], uint16_t *port,
				      struct gw_error *err);
/* One word of numbers: "106540352242922" or "106540352242922=1000". */
GW_NODISCARD gw_status config_number(struct str word, struct str *id, uint32_t *limit_mps,
				     struct gw_error *err);

/* What a text is; each check says the same that would refuse it later. */
enum config_word {
	WORD_ADDRESS,
	WORD_URL, /* or empty */
	WORD_NETWORKS,
	WORD_NUMBERS,
	WORD_SOCKET,
	WORD_FILE, /* that can be read, or empty */
	WORD_LOG_LEVEL,
	WORD_POLICY,
	WORD_PROFILE,
};
GW_NODISCARD gw_status config_check_word(enum config_word what, const char *text,
					 struct gw_error *err);

#endif
