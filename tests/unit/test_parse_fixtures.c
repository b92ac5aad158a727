/* SPDX-License-Identifier: MIT */
/*
 * test_parse_fixtures.c - real webhook bodies: typed where we know them, never a crash
 *
 * They lie beside the project (GODWIT_SHARED, else ../shared) and are never
 * copied into it; without them the cases are skipped.
 */
#include "parse_unit.h"

#include <dirent.h>

/* By the beginning of the name; the longest match counts. */
static const struct {
	const char *folder, *prefix;
	gw_event_type type;
	gw_message_kind kind;
	gw_status_kind status;
} known[] = {
	{ "whatsapp", "doc_text__messages_text", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_TEXT, 0 },
	{ "whatsapp", "doc_image__messages_image", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_IMAGE, 0 },
	{ "whatsapp", "doc_video__messages_video", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_VIDEO, 0 },
	{ "whatsapp", "doc_audio__messages_audio", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_AUDIO, 0 },
	{ "whatsapp", "doc_document__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_DOCUMENT, 0 },
	{ "whatsapp", "doc_sticker__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_STICKER, 0 },
	{ "whatsapp", "doc_location__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_LOCATION, 0 },
	{ "whatsapp", "doc_contacts__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_CONTACTS, 0 },
	{ "whatsapp", "doc_button__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_BUTTON, 0 },
	{ "whatsapp", "doc_interactive__messages_interactive_button_reply",
	  GW_EVENT_MESSAGE_RECEIVED, GW_KIND_BUTTON_REPLY, 0 },
	{ "whatsapp", "doc_interactive__messages_interactive_list_reply", GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_LIST_REPLY, 0 },
	{ "whatsapp", "doc_one_click_payments__", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_INTERACTIVE,
	  0 },
	{ "whatsapp", "doc_order__messages_order", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_ORDER, 0 },
	{ "whatsapp", "doc_mpm_templates__", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_ORDER, 0 },
	{ "whatsapp", "doc_reaction__messages_", GW_EVENT_MESSAGE_REACTION, GW_KIND_REACTION, 0 },
	{ "whatsapp", "doc_system__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_SYSTEM, 0 },
	{ "whatsapp", "doc_unsupported__messages_", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_UNSUPPORTED,
	  0 },
	{ "whatsapp", "doc_onboarding_business_app_users__messages_edit", GW_EVENT_MESSAGE_EDITED,
	  GW_KIND_EDIT, 0 },
	{ "whatsapp", "doc_onboarding_business_app_users__messages_revoke",
	  GW_EVENT_MESSAGE_DELETED, GW_KIND_REVOKE, 0 },
	{ "whatsapp", "doc_business_scoped_user_ids__messages_text", GW_EVENT_MESSAGE_RECEIVED,
	  GW_KIND_TEXT, 0 },
	{ "whatsapp", "doc_business_scoped_user_ids__messages_status_delivered",
	  GW_EVENT_MESSAGE_STATUS, 0, GW_STATUS_DELIVERED },
	{ "whatsapp", "doc_status__messages_status_sent", GW_EVENT_MESSAGE_STATUS, 0,
	  GW_STATUS_SENT },
	{ "whatsapp", "doc_status__messages_status_failed", GW_EVENT_MESSAGE_STATUS, 0,
	  GW_STATUS_FAILED },
	{ "whatsapp", "doc_messages__messages_status_delivered", GW_EVENT_MESSAGE_STATUS, 0,
	  GW_STATUS_DELIVERED },
	{ "whatsapp", "doc_groups_messaging__messages_status_sent", GW_EVENT_MESSAGE_STATUS, 0,
	  GW_STATUS_SENT },
	{ "whatsapp", "doc_errors__messages", GW_EVENT_ACCOUNT, 0, 0 },
	{ "whatsapp", "doc_flowswebhooks__", GW_EVENT_FLOW, 0, 0 },
	{ "whatsapp", "doc_reference__calls", GW_EVENT_CALL, 0, 0 },
	{ "whatsapp", "doc_business_scoped_user_ids__calls", GW_EVENT_CALL, 0, 0 },
	{ "whatsapp", "doc_user_preferences__", GW_EVENT_CONSENT, 0, 0 },
	{ "whatsapp", "doc_webhooks__group_", GW_EVENT_GROUP, 0, 0 },
	{ "whatsapp", "doc_template_category_update__", GW_EVENT_TEMPLATE, 0, 0 },
	{ "whatsapp", "doc_message_template_", GW_EVENT_TEMPLATE, 0, 0 },
	{ "whatsapp", "doc_security__", GW_EVENT_ACCOUNT, 0, 0 },
	{ "whatsapp", "doc_account_alerts__", GW_EVENT_ACCOUNT, 0, 0 },
	{ "whatsapp", "doc_phone_number_", GW_EVENT_ACCOUNT, 0, 0 },
	{ "whatsapp", "doc_history__history", GW_EVENT_UNKNOWN, 0, 0 },
	{ "whatsapp", "vaam_history_declined", GW_EVENT_UNKNOWN, 0, 0 },
	{ "messenger", "courier_hello_msg", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_TEXT, 0 },
	{ "messenger", "courier_attachment", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_IMAGE, 0 },
	{ "messenger", "courier_echo", GW_EVENT_MESSAGE_SENT_ELSEWHERE, GW_KIND_TEXT, 0 },
	{ "messenger", "courier_dlr", GW_EVENT_MESSAGE_STATUS, 0, GW_STATUS_DELIVERED },
	{ "messenger", "courier_postback", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_BUTTON, 0 },
	{ "messenger", "doc_message_edit", GW_EVENT_MESSAGE_EDITED, GW_KIND_EDIT, 0 },
	{ "messenger", "doc_pass_thread_control", GW_EVENT_CONVERSATION, 0, 0 },
	{ "messenger", "doc_reaction", GW_EVENT_MESSAGE_REACTION, GW_KIND_REACTION, 0 },
	{ "instagram", "courier_hello_msg", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_TEXT, 0 },
	{ "instagram", "courier_unsent_msg", GW_EVENT_MESSAGE_DELETED, GW_KIND_REVOKE, 0 },
	{ "instagram", "doc_quick_reply", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_BUTTON_REPLY, 0 },
	{ "instagram", "doc_postback", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_BUTTON, 0 },
	{ "instagram", "doc_seen", GW_EVENT_MESSAGE_STATUS, 0, GW_STATUS_READ },
	{ "instagram", "doc_unsupported", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_UNSUPPORTED, 0 },
	{ "instagram", "doc_story_reply", GW_EVENT_MESSAGE_RECEIVED, GW_KIND_TEXT, 0 },
};

static bool open_folder(const char *name, char *path, size_t cap, DIR **out)
{
	const char *shared = getenv("GODWIT_SHARED"), *source = getenv("GODWIT_SOURCE");

	if (shared != NULL)
		(void)snprintf(path, cap, "%s/fixtures/%s", shared, name);
	else
		(void)snprintf(path, cap, "%s/../shared/fixtures/%s", source == NULL ? "." : source,
			       name);
	*out = opendir(path);
	return *out != NULL;
}

static char *read_whole(const char *folder, const char *name, size_t *len)
{
	char path[1024];
	char *bytes;
	long size;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size > 0);
	rewind(f);
	bytes = malloc((size_t)size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)size, f), size);
	(void)fclose(f);
	*len = (size_t)size;
	return bytes;
}

static void check_known(const char *folder, const char *file, const gw_event *e)
{
	size_t best = ARRAY_LEN(known), best_len = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t len = strlen(known[i].prefix);

		if (strcmp(known[i].folder, folder) == 0 && len > best_len &&
		    strncmp(file, known[i].prefix, len) == 0) {
			best = i;
			best_len = len;
		}
	}
	if (best == ARRAY_LEN(known))
		return;
	CHECK_STR(file, gw_event_type_name(known[best].type),
		  str_from(gw_event_type_name(e->type)));
	if (e->type == GW_EVENT_UNKNOWN)
		return;
	CHECK_STR(file, gw_message_kind_name(known[best].kind),
		  str_from(gw_message_kind_name(e->kind)));
	CHECK_STR(file, gw_status_kind_name(known[best].status),
		  str_from(gw_status_kind_name(e->status)));
}

/* A body cut anywhere, or with any byte changed, is refused or understood, never a crash. */
static void damage(const char *name, const char *bytes, size_t len)
{
	char *copy = malloc(len);
	gw_notification *n = NULL;

	assert_non_null(copy);
	for (size_t at = 0; at < len; at += 7) {
		memcpy(copy, bytes, len);
		copy[at] = "\"{}[]:,\\0x"[at % 10];
		if (gw_notification_parse((gw_str){ copy, len }, &n, NULL) != GW_OK)
			continue;
		assert_true(gw_notification_count(n) >= 1);
		check_bounds(name, len, n);
		gw_notification_free(n);
	}
	free(copy);
}

static void check_file(const char *folder, const char *path, const char *file)
{
	struct gw_error err = GW_ERROR_INIT;
	gw_notification *n = NULL;
	size_t len;
	char *bytes = read_whole(path, file, &len);

	if (gw_notification_parse((gw_str){ bytes, len }, &n, &err) != GW_OK) {
		print_error("%s: %s\n", file, err.message);
		fail();
	}
	assert_true(gw_notification_count(n) >= 1);
	check_bounds(file, len, n);
	check_known(folder, file, gw_notification_event(n, 0));
	gw_notification_free(n);
	damage(file, bytes, len);
	free(bytes);
}

static void check_folder(const char *folder, int at_least)
{
	char path[512];
	struct dirent *entry;
	DIR *d = NULL;
	int files = 0;

	if (!open_folder(folder, path, sizeof(path), &d)) {
		print_message("shared fixtures absent\n");
		skip();
	}
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		check_file(folder, path, entry->d_name);
		files++;
	}
	(void)closedir(d);
	CHECK_INT(folder, 1, files >= at_least);
}

static void test_whatsapp(void **state)
{
	(void)state;
	check_folder("whatsapp", 100);
}

static void test_messenger(void **state)
{
	(void)state;
	check_folder("messenger", 5);
}

static void test_instagram(void **state)
{
	(void)state;
	check_folder("instagram", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whatsapp),
		cmocka_unit_test(test_messenger),
		cmocka_unit_test(test_instagram),
	};

	return cmocka_run_group_tests_name("parse_fixtures", tests, NULL, NULL);
}
