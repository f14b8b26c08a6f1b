/* SPDX-License-Identifier: Apache-2.0 */
/* SM2 keys and signatures: against libcrypto both ways, refusals, batches. */
/* uses: libcrypto */
#include "test.h"

#include "crypto/module.h"
#include "crypto/sm2.h"
#include "crypto/sm2/sm2_fn.h"
#include "sm2_oracle.h"

static const char id[] = HF_SM2_ID_DEFAULT;

static int setup(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static struct hf_sm2_key some_key(uint64_t seed)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, seed);
	struct hf_sm2_key key;

	assert_ok(hf_sm2_key_new(&key, &rng));
	return key;
}

static hf_err no_entropy(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0, len);
	return HF_ERR_ENTROPY;
}

/* Plays the same 32 bytes again and again, which no real generator does. */
static hf_err same_bytes(void *ctx, uint8_t *out, size_t len)
{
	assert_int_equal(len, 32);
	memcpy(out, ctx, 32);
	return HF_OK;
}

static bool oracle_verifies(const struct hf_sm2_key *key, const char *user, const uint8_t *m,
	size_t m_len, const struct hf_sm2_sig *sig)
{
	EVP_PKEY *pkey = oracle_key(key);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = hf_sm2_sig_emit_der(der, sig);
	int ok;

	EVP_MD_CTX_set_pkey_ctx(md, c);
	assert_true(EVP_PKEY_CTX_set1_id(c, user, strlen(user)) > 0);
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sm3(), NULL, pkey), 1);
	ok = EVP_DigestVerify(md, der, der_len, m, m_len);
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(pkey);
	return ok == 1;
}

static void oracle_signs(struct hf_sm2_sig *sig, const struct hf_sm2_key *key, const char *user,
	const uint8_t *m, size_t m_len)
{
	EVP_PKEY *pkey = oracle_key(key);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t der[128];
	size_t der_len = sizeof(der);

	EVP_MD_CTX_set_pkey_ctx(md, c);
	assert_true(EVP_PKEY_CTX_set1_id(c, user, strlen(user)) > 0);
	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sm3(), NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(md, der, &der_len, m, m_len), 1);
	assert_ok(hf_sm2_sig_parse_der(sig, der, der_len));
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(pkey);
}

static void signatures_hold_in_libcrypto_and_back(void **state)
{
	static const char *const users[] = { HF_SM2_ID_DEFAULT, HF_SM2_ID_TLS13, "a" };
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 11);

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		struct hf_sm2_key key = some_key(100 + i);
		const char *user = users[i % HF_COUNT(users)];
		uint8_t *m = malloc(i * 13 + 1);
		struct hf_sm2_sig sig;

		assert_ok(hf_rng_fill(&rng, m, i * 13 + 1));
		assert_ok(hf_sm2_sign(&sig, &key, user, strlen(user), m, i * 13, &rng));
		assert_ok(hf_sm2_verify(&key.pub, user, strlen(user), m, i * 13, &sig));
		assert_true(oracle_verifies(&key, user, m, i * 13, &sig));
		assert_err(hf_sm2_verify(&key.pub, "other", 5, m, i * 13, &sig), HF_ERR_AUTH);

		oracle_signs(&sig, &key, user, m, i * 13);
		assert_ok(hf_sm2_verify(&key.pub, user, strlen(user), m, i * 13, &sig));
		free(m);
	}
}

static void every_altered_bit_is_refused(void **state)
{
	struct hf_sm2_key key = some_key(1);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 12);
	struct hf_sm2_sig sig;
	struct hf_sm2_sig bad;
	struct hf_sm2_pub pub;
	uint8_t e[32];

	(void)state;
	assert_ok(hf_rng_fill(&rng, e, 32));
	assert_ok(hf_sm2_sign_digest(&sig, &key, e, &rng));
	assert_ok(hf_sm2_verify_digest(&key.pub, e, &sig));
	for (int i = 0; i < 256; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);

		bad = sig;
		bad.r[i / 8] ^= bit;
		assert_err(hf_sm2_verify_digest(&key.pub, e, &bad), HF_ERR_AUTH);
		bad = sig;
		bad.s[i / 8] ^= bit;
		assert_err(hf_sm2_verify_digest(&key.pub, e, &bad), HF_ERR_AUTH);
		e[i / 8] ^= bit;
		assert_err(hf_sm2_verify_digest(&key.pub, e, &sig), HF_ERR_AUTH);
		e[i / 8] ^= bit;
		pub = key.pub;
		pub.x[i / 8] ^= bit;
		assert_err(hf_sm2_verify_digest(&pub, e, &sig), HF_ERR_AUTH);
	}
	pub = some_key(2).pub;
	assert_err(hf_sm2_verify_digest(&pub, e, &sig), HF_ERR_AUTH);
	bad = sig;
	memcpy(bad.r, sig.s, 32);
	memcpy(bad.s, sig.r, 32);
	assert_err(hf_sm2_verify_digest(&key.pub, e, &bad), HF_ERR_AUTH);
}

/* r, s of 0, n, n + 1, 2^256 - 1, and the other representative of a good value. */
static void values_out_of_range_are_refused(void **state)
{
	struct hf_sm2_key key = some_key(1);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 13);
	uint8_t e[32] = { 1 };
	uint8_t bad[4][32] = { { 0 } };
	struct hf_sm2_sig sig;
	struct hf_sm2_sig t;

	(void)state;
	hf_w256_put(bad[1], hf_fn_n);
	hf_w256_put(bad[2], hf_fn_n);
	bad[2][31]++;
	memset(bad[3], 0xff, 32);
	assert_ok(hf_sm2_sign_digest(&sig, &key, e, &rng));
	for (int i = 0; i < 4; i++) {
		t = sig;
		memcpy(t.r, bad[i], 32);
		assert_err(hf_sm2_verify_digest(&key.pub, e, &t), HF_ERR_AUTH);
		t = sig;
		memcpy(t.s, bad[i], 32);
		assert_err(hf_sm2_verify_digest(&key.pub, e, &t), HF_ERR_AUTH);
	}
}

/*
 * r + s = n gives t = 0, and then [s] G alone decides: anyone can pick s, set e = r - x1, and would
 * have a signature under every key.
 */
static void r_plus_s_of_n_is_refused(void **state)
{
	struct hf_sm2_key key = some_key(1);
	struct hf_sm2_key sg;
	uint8_t s[32] = { [31] = 77 };
	struct hf_fn r;
	struct hf_fn x;
	struct hf_fn fs;
	struct hf_sm2_sig sig;
	uint8_t e[32];

	(void)state;
	assert_ok(hf_sm2_key_from_private(&sg, s));
	hf_fn_get(&fs, s);
	hf_fn_get(&x, sg.pub.x);
	hf_fn_sub(&r, &x, &x);
	hf_fn_sub(&r, &r, &fs);
	hf_fn_sub(&x, &r, &x);
	hf_fn_put(sig.r, &r);
	memcpy(sig.s, s, 32);
	hf_fn_put(e, &x);
	assert_err(hf_sm2_verify_digest(&key.pub, e, &sig), HF_ERR_AUTH);
}

static void a_digest_of_n_or_more_is_taken_modulo_n(void **state)
{
	struct hf_sm2_key key = some_key(3);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 14);
	struct hf_sm2_sig sig;
	uint8_t e[32];
	uint8_t small[32] = { 0 };

	(void)state;
	memset(e, 0xff, 32);
	assert_ok(hf_sm2_sign_digest(&sig, &key, e, &rng));
	assert_ok(hf_sm2_verify_digest(&key.pub, e, &sig));
	hf_w256_put(e, hf_fn_n);
	assert_ok(hf_sm2_sign_digest(&sig, &key, e, &rng));
	assert_ok(hf_sm2_verify_digest(&key.pub, small, &sig));
}

static void a_digest_that_makes_r_zero_or_n_minus_k_is_signed_with_another_nonce(void **state)
{
	struct hf_sm2_key key = some_key(4);
	uint8_t k[32] = { [0] = 0x11, [31] = 9 };
	struct hf_rng stuck = { same_bytes, k };
	struct hf_sm2_key kg;
	struct hf_sm2_sig sig = { { 1 }, { 2 } };
	struct hf_fn e;
	struct hf_fn x;
	struct hf_fn fk;
	uint8_t bytes[32];

	(void)state;
	assert_ok(hf_sm2_key_from_private(&kg, k));
	hf_fn_get(&x, kg.pub.x);
	hf_fn_get(&fk, k);
	hf_fn_sub(&e, &x, &x);
	hf_fn_sub(&e, &e, &x); /* r = 0 */
	hf_fn_put(bytes, &e);
	assert_err(hf_sm2_sign_digest(&sig, &key, bytes, &stuck), HF_ERR_ENTROPY);
	hf_fn_sub(&e, &e, &fk); /* r + k = n */
	hf_fn_put(bytes, &e);
	assert_err(hf_sm2_sign_digest(&sig, &key, bytes, &stuck), HF_ERR_ENTROPY);
	assert_int_equal(sig.r[0], 1); /* untouched on failure */
	bytes[31] ^= 1;
	assert_ok(hf_sm2_sign_digest(&sig, &key, bytes, &stuck));
	assert_ok(hf_sm2_verify_digest(&key.pub, bytes, &sig));
}

static void a_failing_generator_gives_neither_key_nor_signature(void **state)
{
	struct hf_sm2_key key = some_key(5);
	struct hf_sm2_key fresh;
	struct hf_rng none = { no_entropy, NULL };
	uint8_t high[32];
	struct hf_rng stuck = { same_bytes, high };
	struct hf_sm2_key zero = { 0 };
	struct hf_sm2_sig sig;
	uint8_t e[32] = { 5 };

	(void)state;
	memset(high, 0xff, 32);
	assert_err(hf_sm2_sign_digest(&sig, &key, e, &none), HF_ERR_ENTROPY);
	assert_err(hf_sm2_sign_digest(&sig, &key, e, &stuck), HF_ERR_ENTROPY);
	memset(&fresh, 1, sizeof(fresh));
	assert_err(hf_sm2_key_new(&fresh, &none), HF_ERR_ENTROPY);
	assert_memory_equal(&fresh, &zero, sizeof(zero));
	memset(&fresh, 1, sizeof(fresh));
	assert_err(hf_sm2_key_new(&fresh, &stuck), HF_ERR_ENTROPY);
	assert_memory_equal(&fresh, &zero, sizeof(zero));
}

static void private_values_out_of_range_are_refused(void **state)
{
	struct hf_sm2_key key;
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 15);
	struct hf_sm2_sig sig;
	uint8_t d[32] = { 0 };
	uint8_t e[32] = { 5 };

	(void)state;
	assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_FORMAT);
	hf_w256_put(d, hf_fn_n_minus_1);
	assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_FORMAT);
	hf_w256_put(d, hf_fn_n);
	assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_FORMAT);
	memset(d, 0xff, 32);
	assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_FORMAT);
	hf_w256_put(d, hf_fn_n_minus_1);
	d[31]--;
	assert_ok(hf_sm2_key_from_private(&key, d));
	assert_ok(hf_sm2_sign_digest(&sig, &key, e, &rng));
	assert_ok(hf_sm2_verify_digest(&key.pub, e, &sig));
	memset(key.d, 0, 32);
	assert_err(hf_sm2_sign_digest(&sig, &key, e, &rng), HF_ERR_ARG);
	assert_err(hf_sm2_ecdh(d, &key, &key.pub), HF_ERR_ARG);
}

static void points_are_read_in_three_forms_and_no_other(void **state)
{
	(void)state;
	for (uint64_t seed = 20; seed < 26; seed++) {
		struct hf_sm2_key key = some_key(seed);
		struct hf_sm2_pub pub;
		uint8_t p[66];
		uint8_t c[33];

		hf_sm2_pub_emit(p, &key.pub);
		assert_ok(hf_sm2_pub_parse(&pub, p, 65));
		assert_memory_equal(&pub, &key.pub, sizeof(pub));
		assert_ok(hf_sm2_pub_parse(&pub, p + 1, 64));
		assert_memory_equal(&pub, &key.pub, sizeof(pub));
		memcpy(c, p, 33);
		c[0] = 2 | (p[64] & 1);
		assert_ok(hf_sm2_pub_parse(&pub, c, 33));
		assert_memory_equal(&pub, &key.pub, sizeof(pub));
		c[0] ^= 1;
		assert_ok(hf_sm2_pub_parse(&pub, c, 33));
		assert_memory_not_equal(pub.y, key.pub.y, 32);
		assert_memory_equal(pub.x, key.pub.x, 32);

		memset(&pub, 9, sizeof(pub));
		for (size_t len = 0; len < 65; len++)
			if (len != 64 && len != 33)
				assert_err(hf_sm2_pub_parse(&pub, p, len), HF_ERR_FORMAT);
		for (unsigned first = 0; first < 256; first++) {
			p[0] = (uint8_t)first;
			c[0] = (uint8_t)first;
			if (first != 4)
				assert_err(hf_sm2_pub_parse(&pub, p, 65), HF_ERR_FORMAT);
			if (first != 2 && first != 3)
				assert_err(hf_sm2_pub_parse(&pub, c, 33), HF_ERR_FORMAT);
		}
		p[0] = 4;
		p[65] = 0;
		assert_err(hf_sm2_pub_parse(&pub, p, 66), HF_ERR_FORMAT);
		p[40] ^= 1;
		assert_err(hf_sm2_pub_parse(&pub, p, 65), HF_ERR_FORMAT);
		assert_int_equal(pub.x[0], 9); /* untouched on failure */
	}
}

static void compressed_points_without_a_root_or_of_p_and_more_are_refused(void **state)
{
	uint8_t c[33] = { 2 };
	struct hf_sm2_pub pub;
	int refused = 0;

	(void)state;
	for (unsigned x = 0; x < 64; x++) {
		c[32] = (uint8_t)x;
		if (hf_sm2_pub_parse(&pub, c, 33) == HF_OK)
			assert_ok(hf_sm2_pub_check(&pub));
		else
			refused++;
	}
	assert_in_range(refused, 16, 48);
	memset(c + 1, 0xff, 32);
	assert_err(hf_sm2_pub_parse(&pub, c, 33), HF_ERR_FORMAT);
}

static void both_sides_agree_on_the_shared_value(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		struct hf_sm2_key a = some_key(300 + i);
		struct hf_sm2_key b = some_key(400 + i);
		EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_sm2);
		EC_POINT *p = EC_POINT_new(g);
		BIGNUM *d = BN_bin2bn(a.d, 32, NULL);
		uint8_t point[65];
		uint8_t x[32];
		uint8_t y[32];

		assert_ok(hf_sm2_ecdh(x, &a, &b.pub));
		assert_ok(hf_sm2_ecdh(y, &b, &a.pub));
		assert_memory_equal(x, y, 32);
		hf_sm2_pub_emit(point, &b.pub);
		assert_true(EC_POINT_oct2point(g, p, point, 65, NULL));
		assert_true(EC_POINT_mul(g, p, NULL, p, d, NULL));
		EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, point, 65, NULL);
		assert_memory_equal(x, point + 1, 32);
		b.pub.y[0] ^= 1;
		assert_err(hf_sm2_ecdh(x, &a, &b.pub), HF_ERR_FORMAT);
		BN_free(d);
		EC_POINT_free(p);
		EC_GROUP_free(g);
	}
}

static void an_id_longer_than_its_length_field_is_refused(void **state)
{
	struct hf_sm2_key key = some_key(6);
	uint8_t *long_id = calloc(1, HF_SM2_ID_MAX + 1);
	uint8_t z[32];

	(void)state;
	assert_ok(hf_sm2_z(z, &key.pub, long_id, HF_SM2_ID_MAX));
	assert_err(hf_sm2_z(z, &key.pub, long_id, HF_SM2_ID_MAX + 1), HF_ERR_LIMIT);
	assert_err(hf_sm2_digest(z, &key.pub, long_id, HF_SM2_ID_MAX + 1, "m", 1), HF_ERR_LIMIT);
	assert_ok(hf_sm2_z(z, &key.pub, NULL, 0));
	free(long_id);
}

static void a_batch_signs_what_single_calls_would_sign(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 19; n++) {
		struct hf_sm2_key keys[19];
		struct hf_sm2_sign_job jobs[19];
		struct hf_sm2_sig sigs[19];
		uint8_t e[19][32];
		struct test_rng rs;
		struct hf_rng rng = test_rng(&rs, n);
		struct hf_sm2_sig one;

		for (size_t i = 0; i < n; i++) {
			keys[i] = some_key(500 + i / 2);
			memset(e[i], (int)i, 32);
			jobs[i] = (struct hf_sm2_sign_job){ &keys[i], e[i], &sigs[i], HF_ERR_ARG };
		}
		rng = test_rng(&rs, n);
		assert_ok(hf_sm2_sign_batch(jobs, n, &rng));
		rng = test_rng(&rs, n);
		for (size_t i = 0; i < n; i++) {
			assert_ok(jobs[i].result);
			assert_ok(hf_sm2_sign_digest(&one, &keys[i], e[i], &rng));
			assert_memory_equal(&one, &sigs[i], sizeof(one));
		}
	}
}

static void one_bad_job_does_not_spoil_the_batch(void **state)
{
	struct hf_sm2_key good = some_key(7);
	struct hf_sm2_key bad = { 0 };
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 16);
	uint8_t e[32] = { 3 };
	struct hf_sm2_sig sigs[11];
	struct hf_sm2_sign_job sign[11];
	struct hf_sm2_verify_job verify[11];

	(void)state;
	hf_w256_put(bad.d, hf_fn_n_minus_1); /* 1 + d = 0: it must not reach the shared inversion */
	for (size_t i = 0; i < 11; i++)
		sign[i] = (struct hf_sm2_sign_job){ i == 2 || i == 8 ? &bad : &good, e, &sigs[i],
			HF_OK };
	assert_err(hf_sm2_sign_batch(sign, 11, &rng), HF_ERR_ARG);
	for (size_t i = 0; i < 11; i++) {
		assert_err(sign[i].result, i == 2 || i == 8 ? HF_ERR_ARG : HF_OK);
		if (i == 2 || i == 8)
			sigs[i] = sigs[0];
		verify[i] = (struct hf_sm2_verify_job){ &good.pub, e, &sigs[i], HF_ERR_ARG };
	}
	assert_ok(hf_sm2_verify_batch(verify, 11));
	sigs[4].s[31] ^= 1;
	sigs[10].r[0] ^= 1;
	assert_err(hf_sm2_verify_batch(verify, 11), HF_ERR_AUTH);
	for (size_t i = 0; i < 11; i++)
		assert_err(verify[i].result, i == 4 || i == 10 ? HF_ERR_AUTH : HF_OK);
}

static void nonces_differ_from_call_to_call(void **state)
{
	struct hf_sm2_key key = some_key(8);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 17);
	struct hf_sm2_sig a;
	struct hf_sm2_sig b;

	(void)state;
	assert_ok(hf_sm2_sign(&a, &key, id, strlen(id), "m", 1, &rng));
	assert_ok(hf_sm2_sign(&b, &key, id, strlen(id), "m", 1, &rng));
	assert_memory_not_equal(a.r, b.r, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_hold_in_libcrypto_and_back),
		cmocka_unit_test(every_altered_bit_is_refused),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(r_plus_s_of_n_is_refused),
		cmocka_unit_test(a_digest_of_n_or_more_is_taken_modulo_n),
		cmocka_unit_test(
			a_digest_that_makes_r_zero_or_n_minus_k_is_signed_with_another_nonce),
		cmocka_unit_test(a_failing_generator_gives_neither_key_nor_signature),
		cmocka_unit_test(private_values_out_of_range_are_refused),
		cmocka_unit_test(points_are_read_in_three_forms_and_no_other),
		cmocka_unit_test(compressed_points_without_a_root_or_of_p_and_more_are_refused),
		cmocka_unit_test(both_sides_agree_on_the_shared_value),
		cmocka_unit_test(an_id_longer_than_its_length_field_is_refused),
		cmocka_unit_test(a_batch_signs_what_single_calls_would_sign),
		cmocka_unit_test(one_bad_job_does_not_spoil_the_batch),
		cmocka_unit_test(nonces_differ_from_call_to_call),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
