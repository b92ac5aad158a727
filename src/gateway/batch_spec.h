/* SPDX-License-Identifier: MIT */
/*
 * batch_spec.h - what a batch sends: a template with columns for its variables, or a text
 *
 *   {"template":{"name":"order_shipped","language":"en","variables":{"1":"name","2":"order"}}}
 *   {"text":"Hi {{name}}"}
 *
 * Of a row only the cells of columns[] are kept, in that order (values).
 *
 * THREADS  A finished spec is read by any.
 */
#ifndef GATEWAY_BATCH_SPEC_H
#define GATEWAY_BATCH_SPEC_H

#include "gateway/outq.h"
#include "json/json.h"

#define BATCH_COLUMNS_MAX 32 /* variables or places of one message */
#define BATCH_NAME_MAX 128 /* bytes of a column, a variable, the batch's name */
#define BATCH_VALUES_MAX (16U * 1024) /* bytes of the cells of one row that are kept */
#define BATCH_SPEC_MAX (64U * 1024) /* bytes of its JSON */

struct batch_spec {
	char *template_name, *language, *text; /* NULL: not that kind */
	enum outq_class class_;
	size_t column_count;
	char *columns[BATCH_COLUMNS_MAX];
	char *variables[BATCH_COLUMNS_MAX]; /* of the template, beside columns[] */
	bool named; /* variables are names, not 1, 2, ... */
};

/* From the parts, in any order; then batch_spec_finish().  GW_EARG: err says what is wrong. */
struct batch_spec *batch_spec_new(void);
void batch_spec_free(struct batch_spec *s);
void batch_spec_template(struct batch_spec *s, struct str name, struct str language);
void batch_spec_text(struct batch_spec *s, struct str text);
GW_NODISCARD gw_status batch_spec_variable(struct batch_spec *s, struct str variable,
					   struct str column, struct gw_error *err);
GW_NODISCARD gw_status batch_spec_category(struct batch_spec *s, struct str word,
					   struct gw_error *err);
GW_NODISCARD gw_status batch_spec_finish(struct batch_spec *s, struct gw_error *err);

/* Members "template" or "text" of an object. */
void batch_spec_members(const struct batch_spec *s, struct json_writer *w);
/* As it is stored. */
void batch_spec_put(const struct batch_spec *s, struct buf *out);
/* NULL: nothing that batch_spec_put() wrote. */
struct batch_spec *batch_spec_read(struct str json);

/* The body for one row.  values: the cells of columns[], with zero bytes between them.
 * GW_EARG, GW_ELIMIT: err says what Meta would not take. */
GW_NODISCARD gw_status batch_spec_body(const struct batch_spec *s, struct str phone,
				       struct str values, struct buf *out, struct gw_error *err);
/* The same for people: the text, or the template with its values. */
void batch_spec_show(const struct batch_spec *s, struct str values, struct buf *out);

#endif
