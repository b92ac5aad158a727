/* SPDX-License-Identifier: MIT */
/*
 * errors.h - what Meta's error codes mean and what to do about them
 *
 * A table of the codes of the WhatsApp Cloud API (and the few of Messenger and
 * Instagram that a sender meets), in our own words. Source: Meta's error code
 * page as read in September 2026 unless the row says otherwise.
 *
 * The retry class follows one rule: a message is repeated only where the code
 * states that it was not accepted. A code that we do not know, inside a
 * Graph error, is final below 500 and says nothing from 500 on.
 */
#ifndef GODWIT_ERRORS_H
#define GODWIT_ERRORS_H

#include <godwit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a code reaches a business; a set of bits. */
#define GW_VIA_SYNC 1U /* in the answer to a call */
#define GW_VIA_WEBHOOK 2U /* in a status, message or value of a notification */

typedef struct gw_error_info {
	int code; /* error.code */
	int subcode; /* error.error_subcode; 0: any */
	int http_status; /* that Meta's table gives; 0: none given */
	gw_retry retry;
	unsigned via;
	const char *title; /* a few words, no period */
	const char *meaning; /* one sentence */
	const char *fix; /* what to do, one sentence */
	const char *source; /* where and when it was read */
} gw_error_info;

/*
 * The row for a code: of that subcode if there is one, else the code's own.
 * Codes of templates and sign-up (2388..., 2494..., 2593...) are also found
 * as the subcode of 100, where Meta puts them; 200 stands for 200 to 299.
 * NULL: not listed. The rows are static.
 */
GW_API const gw_error_info *gw_error_info_find(int code, int subcode);
/* All rows in the order of code and subcode: index < gw_error_info_count(), else NULL. */
GW_API const gw_error_info *gw_error_info_at(size_t index);
GW_API size_t gw_error_info_count(void);

#define GW_ERROR_COMMAND_MAX 40
#define GW_ERROR_ADVICE_MAX 768

/* "godwit explain 131047", "godwit explain 100/33": the command that tells all of a row. */
GW_API void gw_error_command(const gw_error_info *info, char out[GW_ERROR_COMMAND_MAX]);
/*
 * All that a person needs, in one line: "131047 Title: cause. To do: fix. (godwit explain
 * 131047)". False: the code is not listed, and out has the bare number.
 */
GW_API bool gw_error_advice(int code, int subcode, char out[GW_ERROR_ADVICE_MAX]);

/*
 * The retry class of an answer that is no success. `is_graph`: the body was a
 * Graph error, so that code and subcode count; else only the HTTP status does.
 */
GW_API gw_retry gw_retry_of(int http_status, bool is_graph, int code, int subcode);

#define GW_GRAPH_ERROR_MAX (1024U * 1024) /* bytes of a body that are looked at */

/*
 * Read Meta's error envelope, {"error":{"message","type","code","error_subcode",
 * "error_data","fbtrace_id"}}. Any of its members but code may be missing,
 * error_data may be an object or a string, numbers may be strings. True: *err
 * (may be NULL) is overwritten with GW_EAPI, the numbers, the class and one
 * message of Meta's text and details. False: no such envelope, *err is as it was.
 */
GW_API bool gw_graph_error_parse(gw_str body, int http_status, struct gw_error *err);

#ifdef __cplusplus
}
#endif
#endif
