/* SPDX-License-Identifier: Apache-2.0 */
/* SM4 and its plain modes: the standard's examples, and random inputs against OpenSSL. */
/* uses: libcrypto */
#include "test.h"

#include <openssl/evp.h>

#include "crypto/module.h"
#include "crypto/sm4.h"
#include "crypto/sm4/sm4_word.h"

enum {
	MAX_BLOCKS = 150,
	MAX_LEN = MAX_BLOCKS * HF_SM4_BLOCK_LEN,
};

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

/* OpenSSL's answer, without padding. */
static void peer(const EVP_CIPHER *cipher, int enc, const uint8_t *key, const uint8_t *iv,
	uint8_t *out, const uint8_t *in, size_t len)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_non_null(c);
	assert_int_equal(EVP_CipherInit_ex(c, cipher, NULL, key, iv, enc), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(c, 0), 1);
	assert_int_equal(EVP_CipherUpdate(c, out, &n, in, (int)len), 1);
	assert_int_equal(n, len);
	EVP_CIPHER_CTX_free(c);
}

/* Field arithmetic written down slowly: the definition of the S-box. */
static uint8_t field_mul(uint8_t a, uint8_t b)
{
	unsigned r = 0;

	for (int i = 7; i >= 0; i--) {
		r = r << 1 ^ ((r & 0x80) != 0 ? 0x1f5 : 0);
		if ((b >> i & 1) != 0)
			r ^= a;
	}
	return (uint8_t)r;
}

static uint8_t affine(uint8_t x)
{
	uint8_t y = 0xd3;

	for (unsigned i = 0; i < 8; i++) {
		/* Row i of the circulant matrix is 0xa7 rotated left by i. */
		unsigned row = (0xa7u << i | 0xa7u >> (8 - i)) & 0xff;

		for (unsigned j = 0; j < 8; j++)
			y ^= (uint8_t)((row >> j & x >> j & 1u) << i);
	}
	return y;
}

static void s_box_circuit_is_the_affine_inversion_of_the_standard(void **state)
{
	(void)state;
	for (unsigned x = 0; x < 256; x++) {
		uint8_t v = affine((uint8_t)x);
		uint8_t inv = 1;

		for (int i = 0; i < 254; i++)
			inv = field_mul(inv, v);
		assert_int_equal(hf_sm4_word_tau(x << 8) >> 8 & 0xff, affine(inv));
	}
}

static void ecb_agrees_with_openssl_at_every_number_of_blocks(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);
	uint8_t key[16];
	uint8_t in[MAX_LEN];
	uint8_t want[MAX_LEN];

	(void)state;
	for (size_t n = 0; n <= MAX_BLOCKS; n++) {
		uint8_t *out = malloc(n * 16 + 1);
		struct hf_sm4_key k;

		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
		hf_sm4_init(&k, key);
		if (n > 0)
			peer(EVP_sm4_ecb(), 1, key, NULL, want, in, n * 16);
		assert_ok(hf_sm4_ecb_encrypt(&k, out, in, n));
		assert_memory_equal(out, want, n * 16);
		assert_ok(hf_sm4_ecb_decrypt(&k, out, out, n));
		assert_memory_equal(out, in, n * 16);
		free(out);
	}
}

static void cbc_agrees_with_openssl_and_chains_over_calls(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 2);
	uint8_t key[16];
	uint8_t iv[16];
	uint8_t in[MAX_LEN];
	uint8_t want[MAX_LEN];
	uint8_t out[MAX_LEN];

	(void)state;
	for (size_t n = 1; n <= MAX_BLOCKS; n += 7) {
		size_t cut = test_rng_below(&r, n + 1);
		uint8_t chain[16];
		struct hf_sm4_key k;

		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		assert_ok(hf_rng_fill(&rng, iv, sizeof(iv)));
		assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
		hf_sm4_init(&k, key);
		peer(EVP_sm4_cbc(), 1, key, iv, want, in, n * 16);

		memcpy(chain, iv, 16);
		memcpy(out, in, n * 16);
		assert_ok(hf_sm4_cbc_encrypt(&k, chain, out, out, cut));
		assert_ok(hf_sm4_cbc_encrypt(&k, chain, out + 16 * cut, out + 16 * cut, n - cut));
		assert_memory_equal(out, want, n * 16);
		assert_memory_equal(chain, want + 16 * (n - 1), 16);

		memcpy(chain, iv, 16);
		assert_ok(hf_sm4_cbc_decrypt(&k, chain, out, out, cut));
		assert_ok(hf_sm4_cbc_decrypt(&k, chain, out + 16 * cut, out + 16 * cut, n - cut));
		assert_memory_equal(out, in, n * 16);
		assert_memory_equal(chain, want + 16 * (n - 1), 16);

		memset(out, 0, sizeof(out));
		memcpy(chain, iv, 16);
		assert_ok(hf_sm4_cbc_decrypt(&k, chain, out, want, n));
		assert_memory_equal(out, in, n * 16);
	}
}

static void ctr_agrees_with_openssl_at_every_length_and_over_each_carry(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 3);
	uint8_t key[16];
	uint8_t in[MAX_LEN];
	uint8_t want[MAX_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	for (size_t len = 1; len <= 700; len++) {
		uint8_t counter[16];
		uint8_t c[16];
		uint8_t *out = malloc(len);
		size_t cut = test_rng_below(&r, len / 16 + 1) * 16;
		struct hf_sm4_key k;

		/* A counter about to carry out of its last len % 17 bytes. */
		assert_ok(hf_rng_fill(&rng, counter, sizeof(counter)));
		memset(counter + (16 - len % 17), 0xff, len % 17);
		counter[15] -= (uint8_t)test_rng_below(&r, 20);
		hf_sm4_init(&k, key);
		peer(EVP_sm4_ctr(), 1, key, counter, want, in, len);

		memcpy(c, counter, 16);
		memcpy(out, in, len);
		assert_ok(hf_sm4_ctr(&k, c, out, out, cut));
		assert_ok(hf_sm4_ctr(&k, c, out + cut, out + cut, len - cut));
		assert_memory_equal(out, want, len);
		free(out);
	}
}

static void batch_of_cbc_messages_equals_one_by_one(void **state)
{
	enum { JOBS = 45 };
	static uint8_t in[JOBS][40 * 16];
	static uint8_t out[JOBS][40 * 16];
	static uint8_t iv[JOBS][16];
	static uint8_t iv_alone[JOBS][16];
	struct hf_sm4_key keys[JOBS];
	struct hf_sm4_cbc_job jobs[JOBS];
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 4);

	(void)state;
	assert_ok(hf_rng_fill(&rng, &in[0][0], sizeof(in)));
	assert_ok(hf_rng_fill(&rng, &iv[0][0], sizeof(iv)));
	memcpy(iv_alone, iv, sizeof(iv));
	memcpy(out, in, sizeof(in));
	for (size_t i = 0; i < JOBS; i++) {
		uint8_t key[16];

		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		hf_sm4_init(&keys[i], key);
		jobs[i] = (struct hf_sm4_cbc_job){ &keys[i], iv[i], out[i], out[i],
			test_rng_below(&r, 41) };
	}
	jobs[7].n_blocks = 0;
	assert_ok(hf_sm4_cbc_encrypt_batch(jobs, JOBS));
	for (size_t i = 0; i < JOBS; i++) {
		uint8_t want[40 * 16];
		size_t n = jobs[i].n_blocks;

		memcpy(want, in[i], sizeof(want));
		assert_ok(hf_sm4_cbc_encrypt(&keys[i], iv_alone[i], want, want, n));
		assert_memory_equal(out[i], want, sizeof(want));
		assert_memory_equal(iv[i], iv_alone[i], 16);
	}
	assert_ok(hf_sm4_cbc_encrypt_batch(jobs, 0));
}

static void clearing_a_key_leaves_nothing(void **state)
{
	struct hf_sm4_key k;
	const struct hf_sm4_key zero = { 0 };

	(void)state;
	hf_sm4_init(&k, (const uint8_t *)"0123456789abcdef");
	assert_memory_not_equal(&k, &zero, sizeof(k));
	hf_sm4_clear(&k);
	assert_memory_equal(&k, &zero, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s_box_circuit_is_the_affine_inversion_of_the_standard),
		cmocka_unit_test(ecb_agrees_with_openssl_at_every_number_of_blocks),
		cmocka_unit_test(cbc_agrees_with_openssl_and_chains_over_calls),
		cmocka_unit_test(ctr_agrees_with_openssl_at_every_length_and_over_each_carry),
		cmocka_unit_test(batch_of_cbc_messages_equals_one_by_one),
		cmocka_unit_test(clearing_a_key_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
