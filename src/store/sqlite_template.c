/* SPDX-License-Identifier: MIT */
/*
 * sqlite_template.c - what is known of templates
 *
 * INVARIANTS  1. What a webhook says of a template is in the transaction of its event.
 *             2. A price tells the category only where none is known, or that it is marketing: a
 *                message may be older than the change of its template's category.
 * THREADS     the store thread
 * TESTS       tests/system/test_templates.py
 */
#include "store/sqlite_int.h"

#include "base/mem.h"

static gw_status put(struct writer *w, enum sql_id what, const struct store_template *t)
{
	sqlite3_stmt *st = sql_use(&w->sql, what);
	struct bind b = { st, 0 };

	bind_str(&b, t->business_id);
	bind_str(&b, t->name);
	bind_str(&b, t->language);
	bind_str(&b, t->category);
	bind_str(&b, t->state);
	bind_i64(&b, t->updated_ms);
	return sql_run(&w->sql, st);
}

gw_status template_put(struct writer *w, const struct store_template *t)
{
	return put(w, SQL_TEMPLATE_PUT, t);
}

gw_status tables_put_templates(struct writer *w, struct store_req *req)
{
	struct store_put_templates *p = CONTAINER_OF(req, struct store_put_templates, req);
	gw_status status = GW_OK;

	for (size_t i = 0; i < p->count && status == GW_OK; i++)
		status = template_put(w, &p->templates[i]);
	return status;
}

gw_status template_priced(struct writer *w, struct store_event_in *ev, struct str name,
			  struct str language)
{
	struct store_template t = { .business_id = ev->business_id,
				    .name = name,
				    .language = language,
				    .category = str_from(ev->priced_as),
				    .state = STR_EMPTY };
	gw_status status = put(w, SQL_TEMPLATE_PRICED, &t); /* inv. 2 */

	ev->is_priced = status == GW_OK && sqlite3_changes(w->sql.db) > 0;
	if (ev->is_priced) {
		ev->priced_name = xstr(name);
		ev->priced_language = xstr(language);
	}
	return status;
}
