/* SPDX-License-Identifier: MIT */
/* test_sandbox_clock.c - times as the control API reads them */
#include "sandbox_rig.h"

#include "sandbox/simclock.h"

static const struct {
	const char *text;
	bool ok;
	int64_t ms;
} times[] = {
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "2026-11-20T18:22:51Z", true, INT64_C(1795198971000) },
	{ "2026-11-20T18:22:51.214Z", true, INT64_C(1795198971214) },
	{ "2026-11-20T18:22:51.2149Z", true, INT64_C(1795198971214) },
	{ "2026-11-20T20:22:51+02:00", true, INT64_C(1795198971000) },
	{ "2026-11-20T16:22:51-02:00", true, INT64_C(1795198971000) },
	{ "2024-02-29T00:00:00z", true, INT64_C(1709164800000) },
	{ "2000-03-01 00:00:00Z", true, INT64_C(951868800000) },
	{ "", false, 7 },
	{ "2026-11-20", false, 7 },
	{ "2026-11-20T18:22:51", false, 7 },
	{ "2026-13-20T18:22:51Z", false, 7 },
	{ "2026-00-20T18:22:51Z", false, 7 },
	{ "2026-11-32T18:22:51Z", false, 7 },
	{ "2026-11-20T24:22:51Z", false, 7 },
	{ "2026-11-20T18:60:51Z", false, 7 },
	{ "2026-11-20T18:22:61Z", false, 7 },
	{ "1969-12-31T23:59:59Z", false, 7 },
	{ "2026-11-20T18:22:51+0200", false, 7 },
	{ "2026-11-20T18:22:51Zx", false, 7 },
	{ "2026-1x-20T18:22:51Z", false, 7 },
	{ "2026-11-20T18:22:51+24:00", false, 7 },
};

static void parsing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t ms = 7;

		CHECK_INT(times[i].text, times[i].ok,
			  simclock_parse_time(str_from(times[i].text), &ms));
		CHECK_INT(times[i].text, times[i].ms, ms);
	}
}

static const struct {
	const char *order;
	gw_status want;
} orders[] = {
	{ "{\"advance\":\"24h\"}", GW_OK },
	{ "{\"advance\":\"0s\"}", GW_OK },
	{ "{\"advance\":\"yesterday\"}", GW_EARG },
	{ "{\"advance_ms\":5}", GW_OK },
	{ "{\"advance_ms\":-5}", GW_EARG },
	{ "{\"set\":\"2030-01-01T00:00:00Z\"}", GW_OK },
	{ "{\"set\":5}", GW_EARG },
	{ "{\"freeze\":true,\"set\":\"nonsense\"}", GW_EARG },
	{ "{\"freeze\":true}", GW_OK },
	{ "{\"resume\":true}", GW_OK },
	{ "{}", GW_EARG },
};

static void changing(void **state)
{
	struct rig *r = rig_new(1);
	struct simclock *s = simclock_new(r->loop);

	(void)state;
	clock_resume(&r->clock);
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		CHECK_INT(orders[i].order, orders[i].want,
			  simclock_change(s, rig_json(r, orders[i].order), NULL));
	assert_false(clock_is_frozen(&r->clock));
	CHECK_INT("refused orders change nothing", 1,
		  simclock_change(s, rig_json(r, "{\"freeze\":true,\"set\":\"x\"}"), NULL) ==
				  GW_EARG &&
			  !clock_is_frozen(&r->clock));
	simclock_free(s);
	rig_free(r);
}

static void moving(void **state)
{
	struct rig *r = rig_new(1);
	struct simclock *s = simclock_new(r->loop);
	int64_t mono = clock_mono_ns(&r->clock);

	(void)state;
	CHECK_INT("advance", GW_OK, simclock_change(s, rig_json(r, "{\"advance\":\"2h\"}"), NULL));
	CHECK_INT("wall", RIG_WALL_MS + 7200000, clock_wall_ms(&r->clock));
	CHECK_INT("mono", mono + 7200 * NS_PER_S, clock_mono_ns(&r->clock));
	CHECK_INT("set", GW_OK,
		  simclock_change(s, rig_json(r, "{\"set\":\"2030-01-01T00:00:00.5Z\"}"), NULL));
	CHECK_INT("wall", INT64_C(1893456000500), clock_wall_ms(&r->clock));
	simclock_free(s);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsing),
		cmocka_unit_test(changing),
		cmocka_unit_test(moving),
	};

	return cmocka_run_group_tests_name("sandbox_clock", tests, NULL, NULL);
}
