/* SPDX-License-Identifier: MIT */
/* settings.h - the sandbox's switches, one table (settings.def) */
#ifndef SANDBOX_SETTINGS_H
#define SANDBOX_SETTINGS_H

#include "base/mac.h"
#include "json/json.h"

struct settings {
#define SETTING_INT(name, def, min, max, text) int64_t name;
#define SETTING_BOOL(name, def, text) bool name;
#include "sandbox/settings.def"
#undef SETTING_INT
#undef SETTING_BOOL
	struct secret check_token; /* the only bearer token taken; empty: any */
};

void settings_init(struct settings *s);
/* Take the members of `changes`; all or nothing: an odd one leaves *s alone and sets err. */
GW_NODISCARD gw_status settings_change(struct settings *s, struct json_val changes,
				       struct gw_error *err);
/* An object; the token shows as true or false. */
void settings_write(const struct settings *s, struct json_writer *w);

#endif
