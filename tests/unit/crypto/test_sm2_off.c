/* SPDX-License-Identifier: Apache-2.0 */
/* A module that was never started gives no service of SM2. */
#include "test.h"

#include "crypto/sm2.h"

static void every_service_refuses_before_the_self_tests(void **state)
{
	static const uint8_t d[HF_SM2_LEN] = { [31] = 5 };
	static const uint8_t g[HF_SM2_POINT_LEN] = { 4 };
	static const uint8_t c[33] = { 2 };
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 1);
	struct hf_sm2_key key = { { [31] = 5 }, { { 0 }, { 0 } } };
	struct hf_sm2_sig sig = { { 1 }, { 1 } };
	struct hf_sm2_sign_job sign = { &key, d, &sig, HF_OK };
	struct hf_sm2_verify_job verify = { &key.pub, d, &sig, HF_OK };
	uint8_t out[32] = { 1, 2, 3, 4 };
	struct hf_sm2_ecdh_job ecdh = { &key, &key.pub, out, HF_OK };
	struct hf_sm2_key fresh = { { 1 }, { { 1 }, { 1 } } };
	struct hf_sm2_key_job make = { &fresh, HF_OK };
	struct hf_sm2_kex x = { true, &key, &key, "a", 1, &key.pub, &key.pub, "b", 1 };
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + 4] = { 0 };
	static const uint8_t zero[4];

	(void)state;
	assert_err(hf_sm2_sign_digest(&sig, &key, d, &rng), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_sign_batch(&sign, 1, &rng), HF_ERR_SELF_TEST);
	assert_err(sign.result, HF_ERR_SELF_TEST);
	assert_err(hf_sm2_verify_digest(&key.pub, d, &sig), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_verify_batch(&verify, 1), HF_ERR_SELF_TEST);
	assert_err(verify.result, HF_ERR_SELF_TEST);
	assert_err(hf_sm2_ecdh_batch(&ecdh, 1), HF_ERR_SELF_TEST);
	assert_err(ecdh.result, HF_ERR_SELF_TEST);
	assert_err(hf_sm2_key_new_batch(&make, 1, &rng), HF_ERR_SELF_TEST);
	assert_err(make.result, HF_ERR_SELF_TEST);
	assert_int_equal(fresh.d[0], 0);
	assert_err(hf_sm2_sign(&sig, &key, "a", 1, "m", 1, &rng), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_verify(&key.pub, "a", 1, "m", 1, &sig), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_z(out, &key.pub, "a", 1), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_ecdh(out, &key, &key.pub), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_kex_key(out, 16, NULL, NULL, &x), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_pub_check(&key.pub), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_pub_parse(&key.pub, g, sizeof(g)), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_pub_parse(&key.pub, c, sizeof(c)), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_encrypt(raw, &key.pub, d, 4, &rng), HF_ERR_SELF_TEST);
	assert_int_equal(out[0], 1); /* untouched on failure, */
	assert_err(hf_sm2_decrypt(out, &key, raw, sizeof(raw)), HF_ERR_SELF_TEST);
	assert_memory_equal(out, zero, 4); /*, but for a decryption, which leaves zeros */
	assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_SELF_TEST);
	assert_err(hf_sm2_key_new(&key, &rng), HF_ERR_SELF_TEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_service_refuses_before_the_self_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
