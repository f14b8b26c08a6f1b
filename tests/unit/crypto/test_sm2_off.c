/* SPDX-License-Identifier: Apache-2.0 */
/* A module that was never started, or whose service has ended, gives none. */
#include "test.h"

#include "crypto/ccm.h"
#include "crypto/module.h"
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

/* A generator while which is asked the module's service ends, as another thread may make it. */
static hf_err fill_and_end(void *ctx, uint8_t *out, size_t len)
{
	hf_module_zeroize();
	return hf_rng_fill(ctx, out, len);
}

static void keys_behind_the_end_of_service_are_not_made(void **state)
{
	enum { N = 70 };
	static const struct hf_sm2_key none;
	static struct hf_sm2_key keys[N];
	struct hf_sm2_key_job jobs[N];
	struct test_rng rs;
	struct hf_rng good = test_rng(&rs, 2);
	const struct hf_rng rng = { .fill = fill_and_end, .ctx = &good };

	(void)state;
	for (size_t i = 0; i < N; i++)
		jobs[i] = (struct hf_sm2_key_job){ &keys[i], HF_OK };
	assert_ok(hf_module_start(0));
	assert_err(hf_sm2_key_new_batch(jobs, N, &rng), HF_ERR_SELF_TEST);
	for (size_t i = N - 1; i >= 64; i--) {
		assert_err(jobs[i].result, HF_ERR_SELF_TEST);
		assert_memory_equal(&keys[i], &none, sizeof(none));
	}
}

/* One job that says that it went well, as what was zeroed does. */
static void a_refused_batch_says_so_of_every_job(void **state)
{
	static const struct hf_gcm_key gcm_key;
	static const struct hf_sm4_key ccm_key;
	static uint8_t text[4];
	static uint8_t tag[HF_GCM_TAG_LEN];
	const struct hf_aead a = { text, 12, NULL, 0, text, sizeof(text), text, tag, sizeof(tag) };
	struct hf_gcm_job gcm = { &gcm_key, a, HF_OK };
	struct hf_ccm_job ccm = { &ccm_key, a, HF_OK };

	(void)state;
	assert_err(hf_gcm_open_batch(&gcm, 1), HF_ERR_SELF_TEST);
	assert_err(gcm.result, HF_ERR_SELF_TEST);
	assert_err(hf_ccm_open_batch(&ccm, 1), HF_ERR_SELF_TEST);
	assert_err(ccm.result, HF_ERR_SELF_TEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_service_refuses_before_the_self_tests),
		cmocka_unit_test(a_refused_batch_says_so_of_every_job),
		cmocka_unit_test(keys_behind_the_end_of_service_are_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
