/* SPDX-License-Identifier: Apache-2.0 */
/* CTR_DRBG: what it refuses, its limits, and known answers with and without additional input. */
#include "test.h"

#include "crypto/ctr_drbg.h"
#include "crypto/module.h"

static const struct hf_bytes none = { NULL, 0 };

static int setup(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static struct hf_bytes hex(const char *text)
{
	struct hf_bytes b;

	b.p = test_hex(text, &b.len);
	return b;
}

static void drop(struct hf_bytes b)
{
	free((void *)(uintptr_t)b.p);
}

/* GM/T 0105-2021, with additional input everywhere. */
static void additional_input_counts(void **state)
{
	struct hf_bytes entropy =
		hex("6f60f0f9d486bc23e1223b934e61c0c78ae9232fa2e9a87c6dacd447c3f10e9e");
	struct hf_bytes nonce = hex("401e3f87762fa8a14ab232ccb8480a2f");
	struct hf_bytes again =
		hex("350be52552a65a804a106543ebb7dd046cffae104e4e8b2f18936d564d3c1950");
	struct hf_bytes more[] = {
		hex("7a3688adb1cfb6c03264e2762ece96bfe4daf9558fabf74d7fff203c08b4dd9f"),
		hex("67cf4a56d081c53670f257c25557014cd5e8b0e919aa58f23d6861b10b00ea80"),
		hex("648d4a229198b43f33dd7dd8426650be11c5656adcdf913bb3ee5eb49a2a3892"),
	};
	struct hf_bytes want1 = hex("a315d4886b403ed71fc0be00ec95c5ed");
	struct hf_bytes want2 = hex("b0ac91f148efbdc3570d7e434aba8d24");
	struct hf_ctr_drbg d;
	uint8_t out[16];

	(void)state;
	assert_ok(hf_ctr_drbg_instantiate(&d, entropy, nonce, none));
	assert_ok(hf_ctr_drbg_reseed(&d, again, more[0]));
	assert_ok(hf_ctr_drbg_generate(&d, out, sizeof(out), more[1]));
	assert_memory_equal(out, want1.p, sizeof(out));
	assert_ok(hf_ctr_drbg_generate(&d, out, 5, more[2]));
	assert_memory_equal(out, want2.p, 5);
	assert_memory_equal(out + 5, want1.p + 5, 11); /* nothing beyond what was asked for */
	drop(entropy);
	drop(nonce);
	drop(again);
	for (size_t i = 0; i < 3; i++)
		drop(more[i]);
	drop(want1);
	drop(want2);
}

static void inputs_too_short_or_too_long_are_refused_and_change_nothing(void **state)
{
	static const uint8_t b[HF_CTR_DRBG_INPUT_MAX + 1];
	const struct hf_bytes e = { b, 32 };
	const struct hf_bytes n = { b, 16 };
	const struct hf_bytes too_long = { b, sizeof(b) };
	struct hf_ctr_drbg d;
	struct hf_ctr_drbg before;
	uint8_t out[HF_CTR_DRBG_OUT_MAX + 1];

	(void)state;
	assert_ok(hf_ctr_drbg_instantiate(&d, e, n, none));
	before = d;
	assert_err(hf_ctr_drbg_instantiate(&d, (struct hf_bytes){ b, 31 }, n, none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_instantiate(&d, e, (struct hf_bytes){ b, 15 }, none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_instantiate(&d, too_long, n, none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_instantiate(&d, e, too_long, none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_instantiate(&d, e, n, too_long), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_reseed(&d, (struct hf_bytes){ b, 31 }, none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_reseed(&d, e, too_long), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_generate(&d, out, sizeof(out), none), HF_ERR_ARG);
	assert_err(hf_ctr_drbg_generate(&d, out, 1, too_long), HF_ERR_ARG);
	assert_memory_equal(&d, &before, sizeof(d));
}

static void a_generator_without_a_seed_or_past_its_limit_gives_nothing(void **state)
{
	static const uint8_t b[32];
	const struct hf_bytes e = { b, 32 };
	const struct hf_bytes n = { b, 16 };
	struct hf_ctr_drbg d = { .n_requests = 0 };
	uint8_t out[HF_CTR_DRBG_OUT_MAX] = { 9 };

	(void)state;
	assert_err(hf_ctr_drbg_generate(&d, out, sizeof(out), none), HF_ERR_STATE);
	assert_err(hf_ctr_drbg_reseed(&d, e, none), HF_ERR_STATE);
	assert_ok(hf_ctr_drbg_instantiate(&d, e, n, none));
	d.n_requests = HF_CTR_DRBG_REQUESTS_MAX;
	assert_ok(hf_ctr_drbg_generate(&d, out, sizeof(out), none));
	memset(out, 9, sizeof(out));
	assert_err(hf_ctr_drbg_generate(&d, out, sizeof(out), none), HF_ERR_STATE);
	assert_int_equal(out[0], 9);
	assert_ok(hf_ctr_drbg_reseed(&d, e, none));
	assert_ok(hf_ctr_drbg_generate(&d, out, sizeof(out), none));
	hf_ctr_drbg_clear(&d);
	assert_err(hf_ctr_drbg_generate(&d, out, sizeof(out), none), HF_ERR_STATE);
}

static void the_counter_carries_over_all_its_bytes(void **state)
{
	static const uint8_t b[32];
	struct hf_ctr_drbg d;
	struct hf_ctr_drbg at_zero;
	uint8_t out[16];
	uint8_t want[16];

	(void)state;
	assert_ok(hf_ctr_drbg_instantiate(
		&d, (struct hf_bytes){ b, 32 }, (struct hf_bytes){ b, 16 }, none));
	at_zero = d;
	memset(d.v, 0xff, sizeof(d.v));
	assert_ok(hf_ctr_drbg_generate(&d, out, sizeof(out), none));
	/* E(0): V + 1 has wrapped. */
	memset(want, 0, sizeof(want));
	{
		struct hf_sm4_key k;

		hf_sm4_init(&k, at_zero.key);
		assert_ok(hf_sm4_ecb_encrypt(&k, want, want, 1));
	}
	assert_memory_equal(out, want, sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(additional_input_counts),
		cmocka_unit_test(inputs_too_short_or_too_long_are_refused_and_change_nothing),
		cmocka_unit_test(a_generator_without_a_seed_or_past_its_limit_gives_nothing),
		cmocka_unit_test(the_counter_carries_over_all_its_bytes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
