/* SPDX-License-Identifier: Apache-2.0 */
/* SM2 encryption: against libcrypto both ways, in raw and in DER form, and what is refused. */
/* uses: libcrypto */
#include "test.h"

#include "crypto/module.h"
#include "crypto/sm2.h"
#include "crypto/sm2/sm2_fn.h"
#include "sm2_oracle.h"

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

static void texts_pass_to_libcrypto_and_back(void **state)
{
	static const size_t lens[] = { 1, 2, 16, 31, 32, 33, 48, 64, 100, 127, 128, 255, 256,
		1000 };
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 31);

	(void)state;
	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		struct hf_sm2_key key = some_key(600 + i);
		EVP_PKEY *pkey = oracle_key(&key);
		EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
		size_t len = lens[i];
		size_t raw_len = len + HF_SM2_CIPHER_OVERHEAD;
		uint8_t *m = malloc(len);
		uint8_t *back = malloc(len + 256);
		uint8_t *raw = malloc(raw_len);
		uint8_t *der = malloc(len + 256);
		size_t der_len = len + 256;
		size_t back_len = len + 256;

		assert_ok(hf_rng_fill(&rng, m, len));
		assert_ok(hf_sm2_encrypt(raw, &key.pub, m, len, &rng));
		assert_ok(hf_sm2_decrypt(back, &key, raw, raw_len));
		assert_memory_equal(back, m, len);

		assert_ok(hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len));
		assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
		assert_int_equal(EVP_PKEY_decrypt(c, back, &back_len, der, der_len), 1);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, m, len);

		der_len = len + 256;
		assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
		assert_int_equal(EVP_PKEY_encrypt(c, der, &der_len, m, len), 1);
		assert_ok(hf_sm2_cipher_parse_der(raw, &raw_len, der, der_len));
		assert_int_equal(raw_len, len + HF_SM2_CIPHER_OVERHEAD);
		memset(back, 0, len);
		assert_ok(hf_sm2_decrypt(back, &key, raw, raw_len));
		assert_memory_equal(back, m, len);

		free(m);
		free(back);
		free(raw);
		free(der);
		EVP_PKEY_CTX_free(c);
		EVP_PKEY_free(pkey);
	}
}

/* Refused, and nothing of the text is left in the output. */
static void expect_refused(const struct hf_sm2_key *key, const uint8_t *in, size_t in_len)
{
	static const uint8_t zero[64];
	uint8_t out[64];
	size_t out_len = in_len > HF_SM2_CIPHER_OVERHEAD ? in_len - HF_SM2_CIPHER_OVERHEAD : 0;

	assert_true(out_len <= sizeof(out));
	memset(out, 0xee, sizeof(out));
	assert_err(hf_sm2_decrypt(out, key, in, in_len), HF_ERR_AUTH);
	assert_memory_equal(out, zero, out_len);
}

static void every_altered_bit_and_every_truncation_is_refused(void **state)
{
	struct hf_sm2_key key = some_key(41);
	struct hf_sm2_key other = some_key(42);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 32);
	uint8_t m[20] = "attack at dawn, 0600";
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + sizeof(m) + 1] = { 0 };
	size_t len = sizeof(raw) - 1;
	uint8_t out[sizeof(m)];

	(void)state;
	assert_ok(hf_sm2_encrypt(raw, &key.pub, m, sizeof(m), &rng));
	for (size_t i = 0; i < 8 * len; i++) {
		raw[i / 8] ^= (uint8_t)(1 << i % 8);
		expect_refused(&key, raw, len);
		raw[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < len; n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, raw, n);
		expect_refused(&key, cut, n);
		free(cut);
	}
	expect_refused(&key, raw, len + 1);
	expect_refused(&other, raw, len);
	assert_ok(hf_sm2_decrypt(out, &key, raw, len));
}

static void c1_that_is_no_point_is_refused(void **state)
{
	struct hf_sm2_key key = some_key(43);
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + 4] = { 0 };

	(void)state;
	expect_refused(&key, raw, sizeof(raw)); /* (0, 0) */
	memset(raw, 0xff, 64);
	expect_refused(&key, raw, sizeof(raw)); /* coordinates of p and more */
	raw[31] = 1;
	memset(raw, 0, 31);
	memset(raw + 32, 0, 32);
	expect_refused(&key, raw, sizeof(raw)); /* a point of another curve */
}

static void empty_and_too_long_texts_are_refused(void **state)
{
	struct hf_sm2_key key = some_key(44);
	struct hf_sm2_pub off = key.pub;
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 33);
	size_t max = HF_SM2_PLAIN_MAX;
	uint8_t *m = calloc(1, max + 1);
	uint8_t *raw = malloc(max + 1 + HF_SM2_CIPHER_OVERHEAD);
	uint8_t *back = malloc(max + 1);

	(void)state;
	assert_err(hf_sm2_encrypt(raw, &key.pub, m, 0, &rng), HF_ERR_LIMIT);
	assert_err(hf_sm2_encrypt(raw, &key.pub, m, max + 1, &rng), HF_ERR_LIMIT);
	assert_ok(hf_sm2_encrypt(raw, &key.pub, m, max, &rng));
	assert_ok(hf_sm2_decrypt(back, &key, raw, max + HF_SM2_CIPHER_OVERHEAD));
	assert_memory_equal(back, m, max);
	raw[max + HF_SM2_CIPHER_OVERHEAD] = 0;
	assert_err(hf_sm2_decrypt(back, &key, raw, max + 1 + HF_SM2_CIPHER_OVERHEAD), HF_ERR_AUTH);
	off.y[31] ^= 1;
	assert_err(hf_sm2_encrypt(raw, &off, m, 5, &rng), HF_ERR_FORMAT);
	free(m);
	free(raw);
	free(back);
}

/* Counts how many nonces were drawn: k is 1, 2, 3 ... */
struct counting {
	uint32_t k;
};

static hf_err count_up(void *ctx, uint8_t *out, size_t len)
{
	struct counting *c = ctx;

	memset(out, 0, len);
	c->k++;
	out[len - 1] = (uint8_t)c->k;
	out[len - 2] = (uint8_t)(c->k >> 8);
	return HF_OK;
}

/* What a careless sender makes of a nonce whose mask is zero: C3 is right, C2 the text itself. */
static void send_unmasked(uint8_t *raw, const struct hf_sm2_key *key, uint32_t k, uint8_t text)
{
	uint8_t bytes[32] = { [30] = (uint8_t)(k >> 8), [31] = (uint8_t)k };
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_sm2);
	EC_POINT *p = EC_POINT_new(g);
	BIGNUM *bk = BN_bin2bn(bytes, 32, NULL);
	struct hf_sm2_key kg;
	struct hf_sm3 s;
	uint8_t xy[65];

	assert_ok(hf_sm2_key_from_private(&kg, bytes));
	hf_sm2_pub_emit(xy, &key->pub);
	assert_true(EC_POINT_oct2point(g, p, xy, 65, NULL));
	assert_true(EC_POINT_mul(g, p, NULL, p, bk, NULL));
	EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, xy, 65, NULL);
	memcpy(raw, &kg.pub, 64);
	hf_sm3_init(&s);
	hf_sm3_feed(&s, xy + 1, 32);
	hf_sm3_feed(&s, &text, 1);
	hf_sm3_feed(&s, xy + 33, 32);
	hf_sm3_done(&s, raw + 64);
	raw[HF_SM2_CIPHER_OVERHEAD] = text;
	BN_free(bk);
	EC_POINT_free(p);
	EC_GROUP_free(g);
}

/*
 * For texts of one byte the mask is zero once in 256 nonces. Encryption must then take the next
 * one, and a sender who did not must be refused: 6.1 A5 and 7.1 B4 of GB/T 32918.4-2016.
 */
static void a_mask_of_zeros_is_neither_used_nor_accepted(void **state)
{
	struct hf_sm2_key key = some_key(45);
	struct counting c = { 0 };
	struct hf_rng rng = { count_up, &c };
	uint8_t m[1] = { 'x' };
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + 1];
	int again = 0;

	(void)state;
	for (uint32_t k = 1; k < 1200; k = c.k + 1) {
		c.k = k - 1;
		assert_ok(hf_sm2_encrypt(raw, &key.pub, m, 1, &rng));
		assert_int_not_equal(raw[HF_SM2_CIPHER_OVERHEAD], 'x');
		if (c.k == k)
			continue;
		again++;
		send_unmasked(raw, &key, k, 'x');
		expect_refused(&key, raw, sizeof(raw));
	}
	assert_in_range(again, 1, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_pass_to_libcrypto_and_back),
		cmocka_unit_test(every_altered_bit_and_every_truncation_is_refused),
		cmocka_unit_test(c1_that_is_no_point_is_refused),
		cmocka_unit_test(empty_and_too_long_texts_are_refused),
		cmocka_unit_test(a_mask_of_zeros_is_neither_used_nor_accepted),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
