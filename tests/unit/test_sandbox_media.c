/* SPDX-License-Identifier: MIT */
/* test_sandbox_media.c - upload, look up, fetch, delete, expire, evict; ids in messages */
#include "sandbox_rig.h"

#include "sandbox/media.h"

#define UPLOAD "/v26.0/" SANDBOX_NUMBER_ID "/media"
#define DAY_MS INT64_C(86400000)

static void upload(struct rig *r, const char *product, const char *type, struct str file)
{
	struct buf b;

	buf_init(&b, 200U << 20);
	if (product != NULL)
		buf_put_fmt(&b,
			    "--B\r\nContent-Disposition: form-data; name=\"messaging_product\"\r\n"
			    "\r\n%s\r\n",
			    product);
	buf_put_text(&b,
		     "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n");
	if (type != NULL)
		buf_put_fmt(&b, "Content-Type: %s\r\n", type);
	buf_put_text(&b, "\r\n");
	buf_put_str(&b, file);
	buf_put_text(&b, "\r\n--B--\r\n");
	rig_post(r, UPLOAD, "multipart/form-data; boundary=B", buf_str(&b));
	buf_release(&b);
}

static const char *upload_text(struct rig *r, const char *text)
{
	struct str id;

	upload(r, "whatsapp", "text/plain", str_from(text));
	CHECK_INT("upload", 200, r->answer.status);
	id = rig_text(json_member(rig_body(r), STR("id")));
	return arena_str(r->arena, id).ptr;
}

static void get(struct rig *r, const char *method, const char *id)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/v26.0/%s", id);
	rig_call(r, method, path, "token", "");
}

/* Follow the url of the last answer. */
static void fetch(struct rig *r, const char *url)
{
	const char *query = strchr(url, '?');

	assert_non_null(query);
	r->query = query + 1;
	rig_call(r, "GET", "/whatsapp_business/attachments/", "token", "");
	r->query = NULL;
}

static void what_is_taken(void **state)
{
	static const struct {
		const char *name, *product, *type;
		size_t len;
		int code;
	} rows[] = {
		{ "png", "whatsapp", "image/png", 10, 0 },
		{ "parameters", "whatsapp", "audio/ogg; codecs=opus", 10, 0 },
		{ "no product", NULL, "image/png", 10, 100 },
		{ "another product", "telegram", "image/png", 10, 100 },
		{ "no type", "whatsapp", NULL, 10, 100 },
		{ "empty", "whatsapp", "image/png", 0, 100 },
		{ "wav", "whatsapp", "audio/wav", 10, 131053 },
		{ "image of 5 MiB", "whatsapp", "image/jpeg", 5U << 20, 0 },
		{ "image over 5 MiB", "whatsapp", "image/jpeg", (5U << 20) + 1, 131053 },
		{ "sticker over 500 KiB", "whatsapp", "image/webp", (500U << 10) + 1, 131053 },
		{ "video over 16 MiB", "whatsapp", "video/mp4", (16U << 20) + 1, 131053 },
	};
	struct rig *r = rig_new(1);
	char *bytes = xcalloc(1, 17U << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		upload(r, rows[i].product, rows[i].type, str_make(bytes, rows[i].len));
		CHECK_INT(rows[i].name, rows[i].code, rig_code(r));
	}
	r->query = "messaging_product=whatsapp";
	upload(r, NULL, "image/png", str_make(bytes, 10));
	CHECK_INT("the product in the query", 200, r->answer.status);
	r->query = NULL;
	rig_post(r, UPLOAD, "", STR("{\"messaging_product\":\"whatsapp\"}"));
	CHECK_INT("json", 100, rig_code(r));
	rig_post(r, UPLOAD, "multipart/form-data; boundary=B", STR("--B\r\n"));
	CHECK_INT("cut", 100, rig_code(r));
	free(bytes);
	rig_free(r);
}

static void lookup_fetch_delete(void **state)
{
	struct rig *r = rig_new(1);
	const char *id = upload_text(r, "hello"), *url;
	struct json_val v;

	(void)state;
	get(r, "GET", id);
	v = rig_body(r);
	assert_true(str_eq(rig_text(json_member(v, STR("id"))), str_from(id)));
	assert_true(str_eq(rig_text(json_member(v, STR("mime_type"))), STR("text/plain")));
	assert_true(str_eq(rig_text(json_member(v, STR("file_size"))), STR("5")));
	assert_true(
		str_eq(rig_text(json_member(v, STR("sha256"))),
		       STR("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")));
	url = arena_str(r->arena, rig_text(json_member(v, STR("url")))).ptr;
	assert_true(str_starts(str_from(url), STR("http://sandbox.example/")));
	fetch(r, url);
	CHECK_INT("fetch", 200, r->answer.status);
	assert_string_equal(r->answer.type, "text/plain");
	assert_true(str_eq(buf_str(&r->answer.body), STR("hello")));
	r->query = strchr(url, '?') + 1;
	rig_call(r, "GET", "/whatsapp_business/attachments/", NULL, "");
	CHECK_INT("no token", 104, rig_code(r));
	r->query = "phone_number_id=" SANDBOX_NUMBER_ID;
	get(r, "GET", id);
	CHECK_INT("its number", 200, r->answer.status);
	r->query = "phone_number_id=1";
	get(r, "GET", id);
	CHECK_INT("another number", 100, rig_code(r));
	get(r, "DELETE", id);
	CHECK_INT("another number", 100, rig_code(r));
	r->query = NULL;
	get(r, "DELETE", id);
	CHECK_INT("delete", 200, r->answer.status);
	get(r, "DELETE", id);
	CHECK_INT("again", 100, rig_code(r));
	fetch(r, url);
	CHECK_INT("bytes of the deleted", 404, r->answer.status);
	rig_free(r);
}

static void links_and_ids_end(void **state)
{
	struct rig *r = rig_new(1);
	const char *id = upload_text(r, "hello"), *url, *forged;

	(void)state;
	get(r, "GET", id);
	url = arena_str(r->arena, rig_text(json_member(rig_body(r), STR("url")))).ptr;
	rig_advance(r, 299999);
	fetch(r, url);
	CHECK_INT("in time", 200, r->answer.status);
	rig_advance(r, 1);
	fetch(r, url);
	CHECK_INT("five minutes", 404, r->answer.status);
	forged = "http://h/?mid=1&ext=9999999999&hash=00000000000000000000000000000000";
	fetch(r, forged);
	CHECK_INT("forged", 404, r->answer.status);
	rig_advance(r, 30 * DAY_MS - 300001);
	get(r, "GET", id);
	CHECK_INT("last moment", 200, r->answer.status);
	rig_advance(r, 1);
	get(r, "GET", id);
	CHECK_INT("30 days", 100, rig_code(r));
	rig_free(r);
}

static void oldest_goes_first(void **state)
{
	struct rig *r = rig_new(1);
	const char *one, *two, *three;

	(void)state;
	rig_set(r, "{\"media_bytes_max\":10}");
	one = upload_text(r, "12345");
	two = upload_text(r, "12345");
	three = upload_text(r, "123456");
	CHECK_INT("kept", 6, media_total_bytes(r->world->media));
	get(r, "GET", one);
	CHECK_INT("first", 100, rig_code(r));
	get(r, "GET", two);
	CHECK_INT("second", 100, rig_code(r));
	get(r, "GET", three);
	CHECK_INT("third", 200, r->answer.status);
	upload(r, "whatsapp", "text/plain", STR("12345678901"));
	CHECK_INT("over the whole room", 131053, rig_code(r));
	world_reset(r->world);
	CHECK_INT("reset", 0, media_total_bytes(r->world->media));
	rig_free(r);
}

static void ids_in_messages(void **state)
{
#define SEND "{\"messaging_product\":\"whatsapp\",\"to\":\"+" ANA "\",\"type\":"
	static const struct {
		const char *head, *tail;
	} forms[] = {
		{ SEND "\"document\",\"document\":{\"id\":\"", "\"}}" },
		{ SEND "\"interactive\",\"interactive\":{\"type\":\"button\",\"header\":{\"type\":"
		       "\"document\",\"document\":{\"id\":\"",
		  "\"}},\"body\":{\"text\":\"b\"},"
		  "\"action\":{\"buttons\":[{\"type\":\"reply\",\"reply\":{\"id\":\"y\","
		  "\"title\":\"Yes\"}}]}}}" },
		{ SEND "\"template\",\"template\":{\"name\":\"spring_sale\",\"language\":{\"code\":"
		       "\"en_US\"},\"components\":[{\"type\":\"header\",\"parameters\":[{\"type\":"
		       "\"image\",\"image\":{\"id\":\"",
		  "\"}}]},{\"type\":\"body\",\"parameters\":"
		  "[{\"type\":\"text\",\"text\":\"A\"}]},{\"type\":\"button\",\"sub_type\":\"url\","
		  "\"index\":\"0\",\"parameters\":[{\"type\":\"text\",\"text\":\"a\"}]}]}}" },
	};
	struct rig *r = rig_new(1);
	const char *id = upload_text(r, "hello");
	char body[2048];

	(void)state;
	rig_say(r, ANA);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		(void)snprintf(body, sizeof(body), "%s%s%s", forms[i].head, "42", forms[i].tail);
		rig_send(r, body);
		CHECK_INT("unknown", 100, rig_code(r));
		CHECK_INT("accepted", i, r->accepted_count);
		(void)snprintf(body, sizeof(body), "%s%s%s", forms[i].head, id, forms[i].tail);
		rig_send(r, body);
		CHECK_INT("known", 200, r->answer.status);
	}
	rig_set(r, "{\"check_media\":false}");
	(void)snprintf(body, sizeof(body), "%s%s%s", forms[0].head, "42", forms[0].tail);
	rig_send(r, body);
	CHECK_INT("unchecked", 200, r->answer.status);
	rig_free(r);
}

static struct json_val say(struct rig *r, const char *message, gw_status want)
{
	struct customer *c = customer_by_phone(r->world, STR(ANA), true);
	char wamid[WAMID_MAX];

	CHECK_INT(
		"say", want,
		customer_say(r->world, c, r->world->numbers[0], rig_json(r, message), wamid, NULL));
	if (want != GW_OK)
		return JSON_MISSING;
	return json_at(json_path(rig_change(r, r->change_count - 1), "value.messages"), 0);
}

static void customers_send_files(void **state)
{
	struct rig *r = rig_new(1);
	struct json_val m;
	const char *id;

	(void)state;
	m = json_member(say(r, "{\"type\":\"image\",\"image\":{\"caption\":\"c\"}}", GW_OK),
			STR("image"));
	assert_true(str_eq(rig_text(json_member(m, STR("caption"))), STR("c")));
	assert_true(str_eq(rig_text(json_member(m, STR("mime_type"))), STR("image/png")));
	CHECK_INT("base64 of 32 bytes", 44, rig_text(json_member(m, STR("sha256"))).len);
	id = arena_str(r->arena, rig_text(json_member(m, STR("id")))).ptr;
	get(r, "GET", id);
	CHECK_INT("known", 200, r->answer.status);
	fetch(r, arena_str(r->arena, rig_text(json_member(rig_body(r), STR("url")))).ptr);
	assert_true(str_starts(buf_str(&r->answer.body), STR("\x89PNG\r\n")));
	rig_advance(r, 7 * DAY_MS - 1);
	get(r, "GET", id);
	CHECK_INT("last moment", 200, r->answer.status);
	rig_advance(r, 1);
	get(r, "GET", id);
	CHECK_INT("seven days", 100, rig_code(r));

	m = json_member(say(r,
			    "{\"type\":\"document\",\"document\":{\"filename\":\"a.pdf\","
			    "\"mime_type\":\"application/pdf\",\"data\":\"aGVsbG8=\"}}",
			    GW_OK),
			STR("document"));
	assert_false(json_exists(json_member(m, STR("data"))));
	get(r, "GET", arena_str(r->arena, rig_text(json_member(m, STR("id")))).ptr);
	assert_true(str_eq(rig_text(json_member(rig_body(r), STR("file_size"))), STR("5")));
	m = json_member(say(r, "{\"type\":\"image\",\"image\":{\"id\":\"7\"}}", GW_OK),
			STR("image"));
	assert_true(str_eq(rig_text(json_member(m, STR("id"))), STR("7")));
	(void)say(r, "{\"type\":\"image\",\"image\":{\"data\":\"?\"}}", GW_EARG);
	(void)say(r, "{\"type\":\"image\",\"image\":{\"mime_type\":\"a/b\"}}", GW_EARG);
	rig_free(r);
}

static void the_seed_decides(void **state)
{
	struct rig *a = rig_new(5), *b = rig_new(5);

	(void)state;
	assert_string_equal(upload_text(a, "x"), upload_text(b, "x"));
	rig_free(a);
	rig_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),     cmocka_unit_test(lookup_fetch_delete),
		cmocka_unit_test(links_and_ids_end), cmocka_unit_test(oldest_goes_first),
		cmocka_unit_test(ids_in_messages),   cmocka_unit_test(customers_send_files),
		cmocka_unit_test(the_seed_decides),
	};

	return cmocka_run_group_tests_name("sandbox_media", tests, NULL, NULL);
}
