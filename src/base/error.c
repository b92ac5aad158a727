/* SPDX-License-Identifier: MIT */
/*
 * error.c - filling struct gw_error, and the words for statuses and retries
 *
 * Whoever fails first fills it: an error with a status is never overwritten.
 * A text that is too long is cut between two UTF-8 characters.
 * TESTS  tests/unit/test_error.c
 */
#include <godwit/error.h>

#include <errno.h>
#include <stdarg.h>

static const char *const status_names[] = {
	[GW_OK] = "ok",        [GW_EARG] = "argument",        [GW_ENOMEM] = "memory",
	[GW_ELIMIT] = "limit", [GW_EPARSE] = "parse",         [GW_EAUTH] = "auth",
	[GW_EIO] = "io",       [GW_ENET] = "network",         [GW_ETIMEOUT] = "timeout",
	[GW_EAPI] = "api",     [GW_EBUSY] = "busy",           [GW_ENOTFOUND] = "notfound",
	[GW_ESTATE] = "state", [GW_ECANCELLED] = "cancelled",
};

static const char *const retry_names[] = {
	[GW_RETRY_NEVER] = "never", [GW_RETRY_NOW] = "now",         [GW_RETRY_LATER] = "later",
	[GW_RETRY_AFTER] = "after", [GW_RETRY_ACCOUNT] = "account", [GW_RETRY_UNKNOWN] = "unknown",
};

const char *gw_status_name(gw_status status)
{
	size_t i = (size_t)status;

	return i < sizeof(status_names) / sizeof(status_names[0]) ? status_names[i] : "invalid";
}

const char *gw_retry_name(gw_retry retry)
{
	size_t i = (size_t)retry;

	return i < sizeof(retry_names) / sizeof(retry_names[0]) ? retry_names[i] : "invalid";
}

/* A multi-byte character that the cut went through is dropped whole. */
static void trim_cut_character(char *message)
{
	size_t len = GW_ERROR_MESSAGE_MAX - 1;
	size_t start = len;
	size_t want;
	unsigned char lead;

	while (start > 0 && len - start < 4 && ((unsigned char)message[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return;
	lead = (unsigned char)message[start - 1];
	if (lead < 0xC0)
		return; /* ends in ASCII, or is not UTF-8 at all */
	want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (len - (start - 1) < want)
		message[start - 1] = '\0';
}

GW_PRINTF(2, 0)
static void set_message(struct gw_error *err, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->message, sizeof(err->message), fmt, ap);

	if (n < 0)
		err->message[0] = '\0';
	else if ((size_t)n >= sizeof(err->message))
		trim_cut_character(err->message);
}

gw_status gw_error_set(struct gw_error *err, gw_status status, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->status != GW_OK)
		return status;
	err->status = status;
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	return status;
}

gw_status gw_error_sys(struct gw_error *err, gw_status status, const char *fmt, ...)
{
	int saved = errno;
	char reason[128];
	const char *text;
	size_t len;
	va_list ap;
	int n;

	if (err == NULL || err->status != GW_OK)
		return status;
	err->status = status;
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	text = strerror_r(saved, reason, sizeof(reason)); /* GNU: may not use reason */
	len = strlen(err->message);
	n = snprintf(err->message + len, sizeof(err->message) - len, ": %s", text);
	if (n >= 0 && (size_t)n >= sizeof(err->message) - len)
		trim_cut_character(err->message);
	errno = saved;
	return status;
}

void gw_error_context(struct gw_error *err, const char *fmt, ...)
{
	char old[GW_ERROR_MESSAGE_MAX];
	size_t len;
	va_list ap;
	int n;

	if (err == NULL || err->status == GW_OK)
		return; /* nothing went wrong: there is nothing to explain */
	memcpy(old, err->message, sizeof(old));
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	len = strlen(err->message);
	n = snprintf(err->message + len, sizeof(err->message) - len, ": %s", old);
	if (n >= 0 && (size_t)n >= sizeof(err->message) - len)
		trim_cut_character(err->message);
}

void gw_error_clear(struct gw_error *err)
{
	if (err != NULL)
		*err = (struct gw_error)GW_ERROR_INIT;
}
