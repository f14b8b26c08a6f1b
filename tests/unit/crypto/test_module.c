/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's life. Until it is started no service answers; started without any processor feature
 * it runs the C reference everywhere; a second start changes nothing.
 */
#include "test.h"

#include "crypto/ccm.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "crypto/tree.h"

/* The tests run in this order: the first ones before the module is started. */

static void every_service_that_can_fail_refuses_before_the_start(void **state)
{
	static const uint8_t key[16] = { 0 };
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);
	uint8_t b[64] = { 0 };
	struct hf_sm4_key k;
	struct hf_gcm_key g;
	struct hf_aead a = { key, 12, NULL, 0, b, 16, b, b + 16, 16 };
	struct hf_drbg d = { .n_requests = 0 };

	(void)state;
	assert_int_equal(hf_module()->state, HF_MODULE_OFF);
	assert_err(hf_module_check(), HF_ERR_SELF_TEST);
	assert_err(hf_module_selftest(), HF_ERR_SELF_TEST);
	assert_err(hf_hkdf(b, 32, NULL, 0, "x", 1, NULL, 0), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_kdf(b, 32, "x", 1), HF_ERR_SELF_TEST);
	assert_err(hf_pbkdf2(b, 32, "x", 1, "y", 1, 1), HF_ERR_SELF_TEST);
	assert_err(hf_drbg_init(&d, &rng, NULL, NULL, NULL, 0), HF_ERR_SELF_TEST);
	hf_sm4_init(&k, key);
	assert_err(hf_sm4_ecb_encrypt(&k, b, b, 1), HF_ERR_SELF_TEST);
	assert_err(hf_sm4_ctr(&k, b, b + 16, b + 16, 16), HF_ERR_SELF_TEST);
	assert_err(hf_ccm_seal(&k, &a), HF_ERR_SELF_TEST);
	assert_err(hf_gcm_init(&g, key), HF_ERR_SELF_TEST);
	for (size_t i = 0; i < sizeof(b); i++)
		assert_int_equal(b[i], 0);
}

static void the_hashes_give_zeros_before_the_start(void **state)
{
	static const uint8_t zeros[HF_SM3_LEN];
	uint8_t out[HF_SM3_LEN];

	(void)state;
	memset(out, 7, sizeof(out));
	hf_sm3(out, "abc", 3);
	assert_memory_equal(out, zeros, sizeof(out));
	memset(out, 7, sizeof(out));
	hf_hmac_sm3(out, "key", 3, "abc", 3);
	assert_memory_equal(out, zeros, sizeof(out));
	memset(out, 7, sizeof(out));
	hf_tree_sm3(out, "abc", 3);
	assert_memory_equal(out, zeros, sizeof(out));
}

static void without_processor_features_everything_is_the_reference(void **state)
{
	const struct hf_module *m = hf_module();

	(void)state;
	assert_ok(hf_module_start(0));
	assert_int_equal(m->state, HF_MODULE_READY);
	assert_ok(hf_module_check());
	assert_int_equal(m->cpu, 0);
	assert_string_equal(m->sm3->name, "c");
	assert_string_equal(m->sm4->name, "c");
	assert_string_equal(m->ghash->name, "c");
	assert_string_equal(m->sm2_batch->name, "c");
	assert_string_equal(m->failed, "");
}

static void a_second_start_changes_nothing(void **state)
{
	const struct hf_module before = *hf_module();

	(void)state;
	assert_ok(hf_module_start(UINT32_MAX));
	assert_memory_equal(&before, hf_module(), sizeof(before));
}

static void the_self_tests_pass_again_on_demand(void **state)
{
	uint8_t out[HF_SM3_LEN];
	static const uint8_t abc[4] = { 0x66, 0xc7, 0xf0, 0xf4 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_ok(hf_module_selftest());
	assert_int_equal(hf_module()->state, HF_MODULE_READY);
	hf_sm3(out, "abc", 3);
	assert_memory_equal(out, abc, sizeof(abc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_service_that_can_fail_refuses_before_the_start),
		cmocka_unit_test(the_hashes_give_zeros_before_the_start),
		cmocka_unit_test(without_processor_features_everything_is_the_reference),
		cmocka_unit_test(a_second_start_changes_nothing),
		cmocka_unit_test(the_self_tests_pass_again_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
