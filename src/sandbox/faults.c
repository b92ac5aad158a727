/* SPDX-License-Identifier: MIT */
/*
 * faults.c - the list of rules, how they are read, and which one fires
 *
 * INVARIANTS  1. Rules stand in the order they were added.
 *             2. A rule of "next" that is used up stays listed (fired == n)
 *                so that a test can see it, and matches nothing.
 * LIMITS      SANDBOX_FAULTS_MAX
 * TESTS       tests/unit/test_sandbox_faults.c
 */
#include "sandbox/faults.h"

#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/metaerr.h"

#include <stdatomic.h>

struct faults {
	struct fault *items;
	size_t count, cap;
	uint64_t next_id;
	_Atomic uint64_t heads_left; /* of the rule FAULT_RESET_HEAD; any thread */
};

static const char *const names[FAULT_NKINDS] = {
	"none",         "error",
	"slow",         "hang",
	"reset",        "close",
	"5xx",          "reset_head",
	"accept_5xx",   "accept_close",
	"accept_reset", "accept_hang",
	"garbage",      "error_after_accept",
};

static const char *const when_names[] = { "next", "every", "always" };

struct faults *faults_new(void)
{
	struct faults *f = xcalloc(1, sizeof(*f));

	f->next_id = 1;
	return f;
}

void faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	free(f->items);
	free(f);
}

void faults_clear(struct faults *f)
{
	f->count = 0;
	atomic_store(&f->heads_left, 0);
}

bool faults_take_head(struct faults *f)
{
	uint64_t left = atomic_load(&f->heads_left);

	while (left > 0) {
		if (atomic_compare_exchange_weak(&f->heads_left, &left, left - 1))
			return true;
	}
	return false;
}

/* What the HTTP thread knows of heads is one number: one such rule at a time. */
static gw_status arm_heads(struct faults *f, const struct fault *x, struct gw_error *err)
{
	if (x->when != FAULT_NEXT || x->number[0] != '\0' || x->to[0] != '\0')
		return gw_error_set(err, GW_EARG, "reset_head takes next alone");
	if (atomic_load(&f->heads_left) > 0)
		return gw_error_set(err, GW_ESTATE, "there is a rule reset_head already");
	atomic_store(&f->heads_left, x->n);
	return GW_OK;
}

size_t faults_count(const struct faults *f)
{
	return f->count;
}

static gw_status read_kind(struct json_val rule, struct fault *out, struct gw_error *err)
{
	struct str word;

	if (!json_get_str(rule, STR("fault"), 32, &word))
		return gw_error_set(err, GW_EARG, "fault: want a word such as \"error\"");
	for (size_t i = 1; i < FAULT_NKINDS; i++) {
		if (str_eq(word, str_from(names[i]))) {
			out->kind = (enum fault_kind)i;
			return GW_OK;
		}
	}
	return gw_error_set(err, GW_EARG, "fault: %.*s is not one", STR_ARG(word));
}

static gw_status read_when(struct json_val rule, struct fault *out, struct gw_error *err)
{
	int64_t n;
	bool always;

	out->when = FAULT_NEXT;
	out->n = 1;
	if (json_get_bool(rule, STR("always"), &always) && always) {
		out->when = FAULT_ALWAYS;
		return GW_OK;
	}
	if (json_exists(json_member(rule, STR("every"))))
		out->when = FAULT_EVERY;
	else if (!json_exists(json_member(rule, STR("next"))))
		return GW_OK;
	if (!json_get_i64(rule, str_from(when_names[out->when]), &n) || n < 1)
		return gw_error_set(err, GW_EARG, "%s: want an integer from 1",
				    when_names[out->when]);
	out->n = (uint64_t)n;
	return GW_OK;
}

static gw_status read_filters(struct json_val rule, struct fault *out, struct gw_error *err)
{
	struct str text;

	if (json_get_str(rule, STR("target"), 16, &text)) {
		out->any_call = str_eq(text, STR("any"));
		if (!out->any_call && !str_eq(text, STR("send")))
			return gw_error_set(err, GW_EARG, "target: want \"send\" or \"any\"");
	}
	if (json_get_text(rule, STR("number"), GRAPH_ID_MAX - 1, &text))
		(void)str_copy(text, out->number, sizeof(out->number));
	if (json_get_text(rule, STR("to"), PHONE_MAX - 1, &text)) {
		if (text.len > 0 && text.ptr[0] == '+')
			text = str_slice(text, 1, text.len);
		(void)str_copy(text, out->to, sizeof(out->to));
	}
	if (out->any_call && out->kind >= FAULT_ACCEPT_5XX)
		return gw_error_set(err, GW_EARG, "%s works on sends only", names[out->kind]);
	return GW_OK;
}

static gw_status read_numbers(struct json_val rule, struct fault *out, struct gw_error *err)
{
	int64_t code = 131000, http = 0, retry = 0, delay = 1000;
	struct str text;
	gw_status st;

	st = json_read_i64(rule, "code", 0, 99999999, &code, err);
	if (st == GW_OK)
		st = json_read_i64(rule, "http", 400, 599, &http, err);
	if (st == GW_OK)
		st = json_read_i64(rule, "retry_after", 0, 86400, &retry, err);
	if (st == GW_OK)
		st = json_read_i64(rule, "delay_ms", 0, SANDBOX_HANG_MAX_MS, &delay, err);
	if (st != GW_OK)
		return st;
	out->code = (int)code;
	out->http = (int)http;
	out->retry_after_s = (int)retry;
	out->delay_ms = delay;
	if (json_get_str(rule, STR("details"), sizeof(out->details) - 1, &text))
		(void)str_copy(text, out->details, sizeof(out->details));
	return GW_OK;
}

gw_status faults_add(struct faults *f, struct json_val rule, uint64_t *out_id, struct gw_error *err)
{
	struct fault fault;
	gw_status st;

	memset(&fault, 0, sizeof(fault));
	if (f->count == SANDBOX_FAULTS_MAX)
		return gw_error_set(err, GW_ELIMIT, "there are %d rules already",
				    SANDBOX_FAULTS_MAX);
	st = read_kind(rule, &fault, err);
	if (st == GW_OK)
		st = read_when(rule, &fault, err);
	if (st == GW_OK)
		st = read_filters(rule, &fault, err);
	if (st == GW_OK)
		st = read_numbers(rule, &fault, err);
	if (st == GW_OK && fault.kind == FAULT_RESET_HEAD)
		st = arm_heads(f, &fault, err);
	if (st != GW_OK)
		return st;
	if (f->count == f->cap) {
		f->cap = f->cap == 0 ? 8 : f->cap * 2;
		f->items = xreallocarray(f->items, f->cap, sizeof(*f->items));
	}
	fault.id = f->next_id++;
	f->items[f->count++] = fault;
	*out_id = fault.id;
	return GW_OK;
}

bool faults_remove(struct faults *f, uint64_t id)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->items[i].id != id)
			continue;
		if (f->items[i].kind == FAULT_RESET_HEAD)
			atomic_store(&f->heads_left, 0);
		memmove(&f->items[i], &f->items[i + 1], (f->count - i - 1) * sizeof(*f->items));
		f->count--;
		return true;
	}
	return false;
}

static bool concerns(const struct fault *x, const struct fault_call *call)
{
	if (!x->any_call && !call->is_send)
		return false;
	if (x->number[0] != '\0' && !str_eq(str_from(x->number), call->number))
		return false;
	return x->to[0] == '\0' || str_eq(str_from(x->to), call->to);
}

/* Count the call and say whether this is one of the passages that fire. */
static bool fires(struct fault *x)
{
	if (x->when == FAULT_NEXT && x->fired >= x->n)
		return false; /* inv. 2 */
	x->seen++;
	if (x->when == FAULT_EVERY && x->seen % x->n != 0)
		return false;
	x->fired++;
	return true;
}

const struct fault *faults_before(struct faults *f, const struct fault_call *call, int64_t *slow_ms)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fault *x = &f->items[i];

		if (x->kind >= FAULT_RESET_HEAD || !concerns(x, call) || !fires(x))
			continue;
		if (x->kind != FAULT_SLOW)
			return x;
		*slow_ms += x->delay_ms;
	}
	return NULL;
}

const struct fault *faults_after(struct faults *f, const struct fault_call *call)
{
	for (size_t i = 0; i < f->count; i++) {
		struct fault *x = &f->items[i];

		if (x->kind >= FAULT_ACCEPT_5XX && concerns(x, call) && fires(x))
			return x;
	}
	return NULL;
}

const char *fault_word(enum fault_kind kind)
{
	return names[kind];
}

static void write_fault(const struct faults *f, const struct fault *x, struct json_writer *w)
{
	uint64_t fired = x->fired;

	if (x->kind == FAULT_RESET_HEAD)
		fired = x->n - atomic_load(&f->heads_left);
	json_w_object(w);
	json_w_kv_i64(w, "id", (int64_t)x->id);
	json_w_kv_text(w, "fault", names[x->kind]);
	json_w_kv_text(w, "target", x->any_call ? "any" : "send");
	json_w_kv_text(w, "when", when_names[x->when]);
	if (x->when != FAULT_ALWAYS)
		json_w_kv_i64(w, "n", (int64_t)x->n);
	if (x->number[0] != '\0')
		json_w_kv_text(w, "number", x->number);
	if (x->to[0] != '\0')
		json_w_kv_text(w, "to", x->to);
	if (x->kind == FAULT_ERROR)
		json_w_kv_i64(w, "code", x->code);
	if (x->kind == FAULT_SLOW)
		json_w_kv_i64(w, "delay_ms", x->delay_ms);
	json_w_kv_i64(w, "seen", (int64_t)x->seen);
	json_w_kv_i64(w, "fired", (int64_t)fired);
	json_w_end(w);
}

void faults_write(const struct faults *f, struct json_writer *w)
{
	json_w_array(w);
	for (size_t i = 0; i < f->count; i++)
		write_fault(f, &f->items[i], w);
	json_w_end(w);
}
