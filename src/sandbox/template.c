/* SPDX-License-Identifier: MIT */
/*
 * template.c - read, keep and list templates
 *
 * ROLE        Reduces a definition to what a send is checked against
 *             (template_check.c): kind of header, variables, buttons.  The
 *             definition itself is kept as text for GET message_templates.
 *             It is not linted as Meta's review would.
 * LIMITS      SANDBOX_TEMPLATES_MAX, TEMPLATE_*_MAX
 * TESTS       tests/unit/test_sandbox_template.c
 */
#include "sandbox/template.h"

#include "base/mem.h"
#include "base/panic.h"

#define TEMPLATE_ARENA_MAX (1U << 20)
#define FIRST_TEMPLATE_ID UINT64_C(1627000000000001)

struct templates {
	struct template **items;
	size_t count, cap;
	uint64_t next_id;
	struct {
		char *name; /* NULL: a free place */
		char language[16];
		int64_t until_ns;
	} locks[TEMPLATE_LOCKS_MAX];
	size_t lock_at;
};

static const char *const seeded[] = {
	"{\"name\":\"hello_sandbox\",\"language\":\"en_US\",\"category\":\"UTILITY\","
	"\"components\":[{\"type\":\"BODY\",\"text\":\"Hello from the sandbox.\"}]}",
	"{\"name\":\"hello_world\",\"language\":\"en_US\",\"category\":\"UTILITY\","
	"\"components\":[{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Hello World\"},"
	"{\"type\":\"BODY\",\"text\":\"Welcome and congratulations! This message shows that "
	"templates work.\"},{\"type\":\"FOOTER\",\"text\":\"Godwit Sandbox\"}]}",
	"{\"name\":\"order_shipped\",\"language\":\"en\",\"category\":\"UTILITY\","
	"\"components\":[{\"type\":\"BODY\",\"text\":\"Hi {{1}}, your order {{2}} is on its way.\","
	"\"example\":{\"body_text\":[[\"Ann\",\"77\"]]}}]}",
	"{\"name\":\"spring_sale\",\"language\":\"en_US\",\"category\":\"MARKETING\","
	"\"components\":[{\"type\":\"HEADER\",\"format\":\"IMAGE\",\"example\":{\"header_handle\":"
	"[\"4::aW1hZ2UvanBlZw==:sandbox\"]}},{\"type\":\"BODY\",\"text\":\"Hi {{1}}, everything is "
	"20% off this week.\",\"example\":{\"body_text\":[[\"Ann\"]]}},{\"type\":\"BUTTONS\","
	"\"buttons\":[{\"type\":\"URL\",\"text\":\"Shop now\",\"url\":\"https://shop.example/s/"
	"{{1}}\",\"example\":[\"https://shop.example/s/ann\"]},{\"type\":\"QUICK_REPLY\",\"text\":"
	"\"Stop promotions\"}]}]}",
};

static void template_free(struct template *t)
{
	if (t == NULL)
		return;
	free(t->name);
	free(t->components);
	free(t->header_vars.names);
	free(t->body_vars.names);
	free(t->body);
	free(t);
}

struct templates *templates_new(void)
{
	struct templates *all = xcalloc(1, sizeof(*all));
	struct arena *arena = arena_new(TEMPLATE_ARENA_MAX);
	const struct template *t;
	const struct json_doc *doc;

	ASSERT(arena != NULL);
	all->next_id = FIRST_TEMPLATE_ID;
	for (size_t i = 0; i < ARRAY_LEN(seeded); i++) {
		if (json_scan(str_from(seeded[i]), arena, &doc, NULL) != GW_OK ||
		    templates_set(all, json_root(doc), &t, NULL) != GW_OK)
			PANIC("seeded template %zu is not well formed", i);
	}
	arena_free(arena);
	return all;
}

void templates_free(struct templates *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->count; i++)
		template_free(all->items[i]);
	for (size_t i = 0; i < TEMPLATE_LOCKS_MAX; i++)
		free(all->locks[i].name);
	free(all->items);
	free(all);
}

size_t templates_count(const struct templates *all)
{
	return all->count;
}

const struct template *templates_at(const struct templates *all, size_t index)
{
	return index < all->count ? all->items[index] : NULL;
}

static struct template **find(const struct templates *all, struct str name, struct str language)
{
	for (size_t i = 0; i < all->count; i++) {
		struct template *t = all->items[i];

		if (str_eq(name, str_from(t->name)) &&
		    (language.len == 0 || str_eq(language, str_from(t->language))))
			return &all->items[i];
	}
	return NULL;
}

const struct template *templates_find(const struct templates *all, struct str name,
				      struct str language)
{
	struct template **slot = find(all, name, language);

	return slot == NULL ? NULL : *slot;
}

const struct template *templates_by_id(const struct templates *all, struct str id)
{
	for (size_t i = 0; i < all->count; i++) {
		if (str_eq(id, str_from(all->items[i]->id)))
			return all->items[i];
	}
	return NULL;
}

static bool has_name(const struct template_vars *vars, struct str name)
{
	for (size_t i = 0; i < vars->count; i++) {
		if (str_eq(name, str_from(vars->names[i])))
			return true;
	}
	return false;
}

/* Collect the distinct {{name}} of a text; false when there are too many or one is too long. */
static bool read_vars(struct str text, struct template_vars *vars)
{
	struct str rest = text, name;
	size_t at, end;

	while (str_find(rest, STR("{{"), &at)) {
		rest = str_slice(rest, at + 2, rest.len);
		if (!str_find(rest, STR("}}"), &end))
			return true;
		name = str_trim(str_slice(rest, 0, end));
		rest = str_slice(rest, end + 2, rest.len);
		if (has_name(vars, name))
			continue;
		if (vars->count == TEMPLATE_VARS_MAX || name.len >= TEMPLATE_VAR_NAME_MAX)
			return false;
		vars->names = xreallocarray(vars->names, vars->count + 1, sizeof(*vars->names));
		(void)str_copy(name, vars->names[vars->count++], TEMPLATE_VAR_NAME_MAX);
	}
	return true;
}

static enum template_header header_of(struct str format)
{
	static const char *const names[] = { "",         "TEXT", "IMAGE",    "VIDEO",
					     "DOCUMENT", "GIF",  "LOCATION", "PRODUCT" };

	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		if (str_eq_nocase(format, str_from(names[i])))
			return (enum template_header)i;
	}
	return HEADER_NONE;
}

static gw_status read_button(struct template *t, struct json_val v, struct gw_error *err)
{
	struct template_button *b = &t->buttons[t->button_count];
	struct str type, url;
	size_t at;

	if (t->button_count == TEMPLATE_BUTTONS_MAX)
		return gw_error_set(err, GW_ELIMIT, "more than %d buttons", TEMPLATE_BUTTONS_MAX);
	if (!json_get_str(v, STR("type"), sizeof(b->type) - 1, &type))
		return gw_error_set(err, GW_EARG, "a button without a type");
	(void)str_copy(type, b->type, sizeof(b->type));
	b->needs_coupon = str_eq_nocase(type, STR("COPY_CODE"));
	if (str_eq_nocase(type, STR("OTP")))
		b->needs_text = true;
	else if (str_eq_nocase(type, STR("URL")) && json_get_str(v, STR("url"), 2048, &url))
		b->needs_text = str_find(url, STR("{{"), &at);
	t->button_count++;
	return GW_OK;
}

static gw_status read_component(struct template *t, struct json_val v, struct gw_error *err)
{
	struct str type, text = STR_EMPTY, format;
	struct json_iter it;
	struct json_val item;
	gw_status st = GW_OK;
	bool fits = true;

	if (!json_get_str(v, STR("type"), 64, &type))
		return gw_error_set(err, GW_EARG, "a component without a type");
	(void)json_get_str(v, STR("text"), 32768, &text);
	if (str_eq_nocase(type, STR("HEADER"))) {
		if (!json_get_str(v, STR("format"), 24, &format))
			format = STR("TEXT");
		t->header = header_of(format);
		fits = read_vars(text, &t->header_vars);
	} else if (str_eq_nocase(type, STR("BODY")) && text.len > 0) {
		t->body = xstrndup(text);
		fits = read_vars(text, &t->body_vars);
	} else if (str_eq_nocase(type, STR("BUTTONS"))) {
		it = json_iter(json_member(v, STR("buttons")));
		while (st == GW_OK && json_next(&it, &item))
			st = read_button(t, item, err);
	} else if (str_eq_nocase(type, STR("CAROUSEL"))) {
		t->card_count = json_count(json_member(v, STR("cards")));
	}
	if (!fits)
		return gw_error_set(err, GW_ELIMIT, "more than %d variables", TEMPLATE_VARS_MAX);
	return st;
}

/* Meta writes the body of an authentication template itself: one variable, the code. */
static void complete_authentication(struct template *t)
{
	if (strcmp(t->category, "AUTHENTICATION") != 0 || t->body_vars.count > 0)
		return;
	t->body_vars.names = xcalloc(1, sizeof(*t->body_vars.names));
	(void)str_copy(STR("1"), t->body_vars.names[0], TEMPLATE_VAR_NAME_MAX);
	t->body_vars.count = 1;
}

static gw_status read_template(struct json_val object, struct template *t, struct gw_error *err)
{
	struct json_val components = json_member(object, STR("components")), v;
	struct str name, word;
	struct json_iter it;
	gw_status st;

	if (!json_get_str(object, STR("name"), TEMPLATE_NAME_MAX, &name) || name.len == 0)
		return gw_error_set(err, GW_EARG, "name: want 1 to %d characters",
				    TEMPLATE_NAME_MAX);
	if (!json_get_str(object, STR("language"), sizeof(t->language) - 1, &word))
		return gw_error_set(err, GW_EARG, "language: want a code such as en_US");
	if (json_type(components) != JSON_ARRAY)
		return gw_error_set(err, GW_EARG, "components: want an array");
	t->name = xstrndup(name);
	(void)str_copy(word, t->language, sizeof(t->language));
	if (!json_get_str(object, STR("category"), sizeof(t->category) - 1, &word))
		word = STR("UTILITY");
	(void)str_copy(word, t->category, sizeof(t->category));
	if (!json_get_str(object, STR("status"), sizeof(t->status) - 1, &word))
		word = STR("APPROVED");
	(void)str_copy(word, t->status, sizeof(t->status));
	t->named = json_get_str(object, STR("parameter_format"), 16, &word) &&
		   str_eq_nocase(word, STR("NAMED"));
	(void)json_get_i64(object, STR("message_send_ttl_seconds"), &t->ttl_s);
	t->components = xstrndup(json_bytes(components));
	for (it = json_iter(components); json_next(&it, &v);) {
		st = read_component(t, v, err);
		if (st != GW_OK)
			return st;
	}
	complete_authentication(t);
	return GW_OK;
}

gw_status templates_set(struct templates *all, struct json_val object, const struct template **out,
			struct gw_error *err)
{
	struct template *t = xcalloc(1, sizeof(*t)), **slot;
	gw_status st;

	st = read_template(object, t, err);
	if (st != GW_OK)
		goto out;
	slot = find(all, str_from(t->name), str_from(t->language));
	if (slot == NULL && all->count == SANDBOX_TEMPLATES_MAX) {
		st = gw_error_set(err, GW_ELIMIT, "there are %d templates already",
				  SANDBOX_TEMPLATES_MAX);
		goto out;
	}
	if (slot != NULL) {
		memcpy(t->id, (*slot)->id, sizeof(t->id));
		memcpy(t->edits_ns, (*slot)->edits_ns, sizeof(t->edits_ns));
		template_free(*slot);
		*slot = t;
	} else {
		if (all->count == all->cap) {
			all->cap = all->cap == 0 ? 8 : all->cap * 2;
			all->items = xreallocarray(all->items, all->cap, sizeof(*all->items));
		}
		(void)snprintf(t->id, sizeof(t->id), "%llu", (unsigned long long)all->next_id++);
		all->items[all->count++] = t;
	}
	*out = t;
	t = NULL;
out:
	template_free(t);
	return st;
}

gw_status templates_set_status(struct templates *all, struct str name, struct str language,
			       struct str status, struct gw_error *err)
{
	struct template **slot = find(all, name, language);

	if (slot == NULL)
		return gw_error_set(err, GW_ENOTFOUND, "there is no template %.*s", STR_ARG(name));
	if (!str_copy(status, (*slot)->status, sizeof((*slot)->status)))
		return gw_error_set(err, GW_EARG, "status: too long");
	return GW_OK;
}

void templates_remove(struct templates *all, size_t index)
{
	ASSERT(index < all->count);
	template_free(all->items[index]);
	all->count--;
	memmove(all->items + index, all->items + index + 1,
		(all->count - index) * sizeof(struct template *));
}

void templates_lock(struct templates *all, const struct template *t, int64_t until_ns)
{
	size_t at = all->lock_at;

	free(all->locks[at].name);
	all->locks[at].name = xstrdup(t->name);
	(void)str_copy(str_from(t->language), all->locks[at].language, 16);
	all->locks[at].until_ns = until_ns;
	all->lock_at = (at + 1) % TEMPLATE_LOCKS_MAX;
}

bool templates_is_locked(const struct templates *all, struct str name, struct str language,
			 int64_t now_ns)
{
	for (size_t i = 0; i < TEMPLATE_LOCKS_MAX && all->locks[i].name != NULL; i++) {
		if (all->locks[i].until_ns > now_ns && str_eq(name, str_from(all->locks[i].name)) &&
		    str_eq(language, str_from(all->locks[i].language)))
			return true;
	}
	return false;
}

/* The oldest of the ten gives way. */
void templates_note_edit(struct templates *all, struct str id, int64_t now_ns)
{
	for (size_t i = 0; i < all->count; i++) {
		struct template *t = all->items[i];

		if (!str_eq(id, str_from(t->id)))
			continue;
		memmove(t->edits_ns + 1, t->edits_ns,
			(TEMPLATE_EDITS_MAX - 1) * sizeof(t->edits_ns[0]));
		t->edits_ns[0] = now_ns;
	}
}

void template_write(const struct template *t, struct json_writer *w)
{
	json_w_object(w);
	json_w_kv_text(w, "name", t->name);
	json_w_kv_text(w, "parameter_format", t->named ? "NAMED" : "POSITIONAL");
	json_w_kv_raw(w, "components", str_from(t->components));
	json_w_kv_text(w, "language", t->language);
	json_w_kv_text(w, "status", t->status);
	json_w_kv_text(w, "category", t->category);
	json_w_kv_text(w, "id", t->id);
	json_w_end(w);
}
