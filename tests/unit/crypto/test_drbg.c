/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdbool.h>

#include "crypto/drbg.h"
#include "crypto/module.h"

static uint64_t clock_ms;

static uint64_t fake_now(void *ctx)
{
	(void)ctx;
	return clock_ms;
}

struct source {
	unsigned n_calls;
	uint64_t state;
	bool repeats; /* every call gives the same bytes */
	bool is_broken;
};

static hf_err source_fill(void *ctx, uint8_t *out, size_t len)
{
	struct source *s = ctx;

	s->n_calls++;
	if (s->repeats)
		s->state = 0;
	for (size_t i = 0; i < len; i++) {
		s->state = s->state * UINT64_C(6364136223846793005) + 1;
		out[i] = (uint8_t)(s->state >> 56);
	}
	return s->is_broken ? HF_ERR_ENTROPY : HF_OK;
}

static void fills_any_length_and_never_repeats(void **state)
{
	struct source src = { 0 };
	struct hf_rng entropy = { source_fill, &src };
	struct hf_drbg d;
	uint8_t a[100];
	uint8_t b[100];

	(void)state;
	assert_ok(hf_drbg_init(&d, &entropy, NULL, NULL, "x", 1));
	for (size_t len = 0; len <= sizeof(a); len++) {
		assert_ok(hf_drbg_fill(&d, a, len));
		assert_ok(hf_drbg_fill(&d, b, len));
		if (len >= 16)
			assert_memory_not_equal(a, b, len);
	}
	hf_drbg_clear(&d);
}

static void refuses_a_source_that_fails(void **state)
{
	struct source src = { .is_broken = true };
	struct hf_rng entropy = { source_fill, &src };
	struct hf_drbg d;
	static const struct hf_drbg empty;

	(void)state;
	assert_err(hf_drbg_init(&d, &entropy, NULL, NULL, NULL, 0), HF_ERR_ENTROPY);
	assert_int_equal(src.n_calls, 1);
	assert_memory_equal(&d, &empty, sizeof(d));
	assert_ok(hf_module_check()); /* no answer is no wrong answer */
}

/* The last test: it ends the module. test_health.c and tests/faults have the other alarms. */
static void a_source_that_gives_a_block_twice_ends_all_service(void **state)
{
	struct source src = { .repeats = true };
	struct hf_rng entropy = { source_fill, &src };
	static const struct hf_drbg empty;
	struct hf_drbg d;

	(void)state;
	assert_err(hf_drbg_init(&d, &entropy, NULL, NULL, NULL, 0), HF_ERR_ENTROPY);
	assert_memory_equal(&d, &empty, sizeof(d));
	assert_int_equal(hf_module()->state, HF_MODULE_ERROR);
	assert_string_equal(hf_module()->failed, "entropy continuous");
	assert_err(hf_drbg_init(&d, &entropy, NULL, NULL, NULL, 0), HF_ERR_SELF_TEST);
}

static void reseeds_by_time_and_fails_closed_when_it_cannot(void **state)
{
	struct source src = { 0 };
	struct hf_rng entropy = { source_fill, &src };
	static const uint8_t zero[16];
	static const uint8_t seed[HF_DRBG_ENTROPY_MIN];
	struct hf_drbg d;
	uint8_t out[16];

	(void)state;
	clock_ms = 1000;
	assert_ok(hf_drbg_init(&d, &entropy, fake_now, NULL, NULL, 0));
	/* The start-up test and one seed, which is two draws. */
	assert_int_equal(src.n_calls, HF_HEALTH_STARTUP / 256 + 2);
	src.n_calls = 0;
	clock_ms += HF_DRBG_RESEED_MS + 1;
	assert_err(hf_drbg_generate(&d, out, sizeof(out), NULL, 0), HF_ERR_STATE);
	assert_ok(hf_drbg_fill(&d, out, sizeof(out)));
	assert_int_equal(src.n_calls, 2);
	clock_ms += HF_DRBG_RESEED_MS + 1;
	src.is_broken = true;
	assert_err(hf_drbg_fill(&d, out, sizeof(out)), HF_ERR_ENTROPY);
	assert_memory_equal(out, zero, sizeof(out));
	hf_drbg_clear(&d);
	/* What was cleared does not come back with new entropy alone: it has no nonce. */
	assert_err(hf_drbg_reseed(&d, seed, sizeof(seed), NULL, 0), HF_ERR_STATE);
	assert_err(hf_drbg_generate(&d, out, sizeof(out), NULL, 0), HF_ERR_STATE);
}

static void reseeds_by_number_of_requests(void **state)
{
	struct source src = { 0 };
	struct hf_rng entropy = { source_fill, &src };
	struct hf_drbg d;
	uint8_t out[16];

	(void)state;
	assert_ok(hf_drbg_init(&d, &entropy, NULL, NULL, NULL, 0));
	d.n_requests = HF_DRBG_REQUESTS_MAX;
	assert_ok(hf_drbg_generate(&d, out, sizeof(out), NULL, 0));
	assert_err(hf_drbg_generate(&d, out, sizeof(out), NULL, 0), HF_ERR_STATE);
	assert_ok(hf_drbg_fill(&d, out, sizeof(out)));
	assert_int_equal(d.n_requests, 2);
	hf_drbg_clear(&d);
}

static void refuses_short_entropy_and_long_input(void **state)
{
	static const uint8_t in[HF_DRBG_INPUT_MAX + 1];
	struct hf_drbg d = { .n_requests = 0 };
	uint8_t out[HF_DRBG_OUT_MAX + 1];

	(void)state;
	assert_err(hf_drbg_instantiate(&d, in, 31, in, 16, NULL, 0), HF_ERR_ARG);
	assert_err(hf_drbg_instantiate(&d, in, 32, in, 15, NULL, 0), HF_ERR_ARG);
	assert_err(hf_drbg_instantiate(&d, in, 32, in, 16, in, sizeof(in)), HF_ERR_ARG);
	assert_err(hf_drbg_generate(&d, out, 16, NULL, 0), HF_ERR_STATE);
	assert_ok(hf_drbg_instantiate(&d, in, 32, in, 16, NULL, 0));
	assert_err(hf_drbg_generate(&d, out, sizeof(out), NULL, 0), HF_ERR_ARG);
	assert_err(hf_drbg_generate(&d, out, 16, in, sizeof(in)), HF_ERR_ARG);
	assert_err(hf_drbg_reseed(&d, in, 31, NULL, 0), HF_ERR_ARG);
	hf_drbg_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_any_length_and_never_repeats),
		cmocka_unit_test(refuses_a_source_that_fails),
		cmocka_unit_test(reseeds_by_time_and_fails_closed_when_it_cannot),
		cmocka_unit_test(reseeds_by_number_of_requests),
		cmocka_unit_test(refuses_short_entropy_and_long_input),
		cmocka_unit_test(a_source_that_gives_a_block_twice_ends_all_service),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
