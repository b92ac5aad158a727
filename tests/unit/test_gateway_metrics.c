/* SPDX-License-Identifier: MIT */
/* test_gateway_metrics.c - the gateway's table: names, label words, text form */
#include "unit.h"

#include "gateway/metrics.h"

static void labels_of_the_table(void **state)
{
	struct metrics *m = gateway_metrics_new();
	struct buf out;
	size_t at;

	(void)state;
	buf_init(&out, 1U << 20);
	metric_count(m, M_OUTBOX_ACCEPTED);
	metrics_add(m, M_WEBHOOKS, RESULT_SIGNATURE, 0, 2);
	metrics_add(m, M_OUTBOX_REFUSED, REFUSAL_WINDOW, 0, 3);
	metrics_add(m, M_OUTBOX_MOVES, 1, 4, 5);
	metrics_add(m, M_OUTBOX_ATTEMPTS, OUTCOME_UNSURE, 0, 6);
	metrics_observe(m, M_GRAPH_SECONDS, 0.2);
	metrics_render(m, &out);
	assert_false(buf_failed(&out));
	static const char *const want[] = {
		"\ngodwit_outbox_accepted_total 1\n",
		"\ngodwit_webhooks_total{result=\"signature\"} 2\n",
		"\ngodwit_outbox_refused_total{reason=\"window\"} 3\n",
		"\ngodwit_outbox_moves_total{src=\"sending\",dst=\"accepted\"} 5\n",
		"\ngodwit_outbox_attempts_total{outcome=\"unsure\"} 6\n",
		"\ngodwit_graph_request_seconds_bucket{le=\"0.25\"} 1\n",
		"\n# TYPE godwit_outbox_oldest_seconds gauge\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (!str_find(buf_str(&out), str_from(want[i]), &at))
			fail_msg("missing: %s", want[i]);
	}
	buf_release(&out);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_of_the_table),
	};

	return cmocka_run_group_tests_name("gateway_metrics", tests, NULL, NULL);
}
