/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-XTS: refusals, the standard's example, IEEE's order against libgcrypt and both orders against
 * a model that works bit by bit, every length to some size.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/module.h"
#include "crypto/sm4.h"
#include "crypto/xts.h"

enum {
	LEN_MAX = 1300,
	BITS = 128,
};

static int start(void **state)
{
	(void)state;
	return gcry_check_version(NULL) != NULL && hf_module_start(0) == HF_OK ? 0 : -1;
}

/* Where the coefficient of x^i stands in a block. */
static size_t bit_of(size_t i, enum hf_xts_order order)
{
	return order == HF_XTS_IEEE ? i : i / 8 * 8 + 7 - i % 8;
}

static unsigned get_bit(const uint8_t b[16], size_t i)
{
	return b[i / 8] >> i % 8 & 1u;
}

static void flip_bit(uint8_t b[16], size_t i)
{
	b[i / 8] ^= (uint8_t)(1u << i % 8);
}

static void model_times_x(uint8_t t[16], enum hf_xts_order order)
{
	static const size_t low[] = { 0, 1, 2, 7 }; /* x^128 */
	uint8_t r[16] = { 0 };

	for (size_t i = 0; i + 1 < BITS; i++)
		if (get_bit(t, bit_of(i, order)) != 0)
			flip_bit(r, bit_of(i + 1, order));
	if (get_bit(t, bit_of(BITS - 1, order)) != 0)
		for (size_t i = 0; i < 4; i++)
			flip_bit(r, bit_of(low[i], order));
	memcpy(t, r, 16);
}

static void model_block(const struct hf_sm4_key *k, const uint8_t t[16], uint8_t b[16])
{
	for (size_t i = 0; i < 16; i++)
		b[i] ^= t[i];
	assert_ok(hf_sm4_ecb_encrypt(k, b, b, 1));
	for (size_t i = 0; i < 16; i++)
		b[i] ^= t[i];
}

/* Encrypts as clause and figure say, block by block, in place. */
static void model_encrypt(
	const struct hf_xts_key *k, const uint8_t tweak[16], uint8_t *b, size_t len)
{
	uint8_t t[16];
	size_t at = 0;

	assert_ok(hf_sm4_ecb_encrypt(&k->tweak, t, tweak, 1));
	for (; at + 16 <= len; at += 16) {
		model_block(&k->data, t, b + at);
		model_times_x(t, k->order);
	}
	for (size_t i = at; i < len;
		i++) { /* steals: the part and the block before change places */
		uint8_t c = b[i];

		b[i] = b[i - 16];
		b[i - 16] = c;
	}
	if (at < len)
		model_block(&k->data, t, b + at - 16);
}

static void random_key(uint8_t key[32], uint8_t tweak[16], uint8_t *text, size_t len, uint64_t seed)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, seed);

	assert_ok(hf_rng_fill(&rng, key, 32));
	assert_ok(hf_rng_fill(&rng, tweak, 16));
	assert_ok(hf_rng_fill(&rng, text, len));
}

static void units_that_are_too_short_or_too_long_are_refused(void **state)
{
	struct hf_xts_key k;
	uint8_t key[32] = { 1 };
	uint8_t tweak[16] = { 2 };
	uint8_t in[16] = { 3 };
	uint8_t out[16] = { 4 };

	(void)state;
	hf_xts_init(&k, key, HF_XTS_GB);
	for (size_t len = 0; len < 16; len++) {
		assert_err(hf_xts_encrypt(&k, tweak, out, in, len), HF_ERR_ARG);
		assert_err(hf_xts_decrypt(&k, tweak, out, in, len), HF_ERR_ARG);
	}
	assert_err(hf_xts_encrypt(&k, tweak, out, in, HF_XTS_UNIT_MAX + 1), HF_ERR_LIMIT);
	assert_err(hf_xts_decrypt(&k, tweak, out, in, HF_XTS_UNIT_MAX + 1), HF_ERR_LIMIT);
	assert_err(hf_xts_encrypt(&k, tweak, out, in, SIZE_MAX), HF_ERR_LIMIT);
	assert_int_equal(out[0], 4); /* untouched */
}

static void the_longest_unit_is_accepted(void **state)
{
	struct hf_xts_key k;
	uint8_t key[32] = { 1 };
	uint8_t tweak[16] = { 2 };
	uint8_t *b = calloc(1, HF_XTS_UNIT_MAX);

	(void)state;
	assert_non_null(b);
	hf_xts_init(&k, key, HF_XTS_GB);
	assert_ok(hf_xts_encrypt(&k, tweak, b, b, HF_XTS_UNIT_MAX));
	assert_ok(hf_xts_decrypt(&k, tweak, b, b, HF_XTS_UNIT_MAX));
	for (size_t i = 0; i < HF_XTS_UNIT_MAX; i += 4099)
		assert_int_equal(b[i], 0);
	free(b);
}

static void example_of_gbt_17964_b7(void **state)
{
	size_t len;
	uint8_t *key =
		test_hex("2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f", &len);
	uint8_t *tweak = test_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", &len);
	uint8_t *plain = test_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
				  "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17",
		&len);
	uint8_t *want = test_hex("e9538251c71d7b80bbe4483fef497bd12c5c581bd6242fc51e08964fb4f60fdb"
				 "0ba42f63499279213d318d2c11f6886e903be7f93a1b3479",
		&len);
	uint8_t out[56];
	struct hf_xts_key k;

	(void)state;
	assert_int_equal(len, sizeof(out));
	hf_xts_init(&k, key, HF_XTS_GB);
	assert_ok(hf_xts_encrypt(&k, tweak, out, plain, len));
	assert_memory_equal(out, want, len);
	assert_ok(hf_xts_decrypt(&k, tweak, out, out, len));
	assert_memory_equal(out, plain, len);
	free(key);
	free(tweak);
	free(plain);
	free(want);
}

static void every_length_equals_the_model_and_comes_back(void **state)
{
	static uint8_t in[LEN_MAX];
	static uint8_t want[LEN_MAX];

	(void)state;
	for (size_t len = 16; len <= LEN_MAX; len++) {
		uint8_t key[32];
		uint8_t tweak[16];
		struct hf_xts_key k;
		uint8_t *b = malloc(len); /* exactly: a byte beyond it shows */

		assert_non_null(b);
		random_key(key, tweak, in, len, len);
		hf_xts_init(&k, key, len % 2 == 0 ? HF_XTS_GB : HF_XTS_IEEE);
		memcpy(want, in, len);
		model_encrypt(&k, tweak, want, len);
		assert_ok(hf_xts_encrypt(&k, tweak, b, in, len));
		assert_memory_equal(b, want, len);
		assert_ok(hf_xts_decrypt(&k, tweak, b, b, len)); /* in place */
		assert_memory_equal(b, in, len);
		assert_ok(hf_xts_encrypt(&k, tweak, b, b, len));
		assert_memory_equal(b, want, len);
		hf_xts_clear(&k);
		free(b);
	}
}

static void ieee_order_agrees_with_libgcrypt(void **state)
{
	static uint8_t in[LEN_MAX];
	static uint8_t want[LEN_MAX];
	static uint8_t got[LEN_MAX];

	(void)state;
	for (size_t len = 16; len <= LEN_MAX; len += 7) {
		uint8_t key[32];
		uint8_t tweak[16];
		struct hf_xts_key k;
		gcry_cipher_hd_t peer;

		random_key(key, tweak, in, len, 5000 + len);
		assert_int_equal(
			gcry_cipher_open(&peer, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_XTS, 0), 0);
		assert_int_equal(gcry_cipher_setkey(peer, key, sizeof(key)), 0);
		assert_int_equal(gcry_cipher_setiv(peer, tweak, sizeof(tweak)), 0);
		assert_int_equal(gcry_cipher_encrypt(peer, want, len, in, len), 0);
		gcry_cipher_close(peer);
		hf_xts_init(&k, key, HF_XTS_IEEE);
		assert_ok(hf_xts_encrypt(&k, tweak, got, in, len));
		assert_memory_equal(got, want, len);
	}
}

static void a_unit_number_is_little_endian(void **state)
{
	static const uint8_t want[16] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 };
	uint8_t tweak[16] = { [15] = 0xff };

	(void)state;
	hf_xts_unit(tweak, 0x1122334455667788);
	assert_memory_equal(tweak, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_that_are_too_short_or_too_long_are_refused),
		cmocka_unit_test(the_longest_unit_is_accepted),
		cmocka_unit_test(example_of_gbt_17964_b7),
		cmocka_unit_test(every_length_equals_the_model_and_comes_back),
		cmocka_unit_test(ieee_order_agrees_with_libgcrypt),
		cmocka_unit_test(a_unit_number_is_little_endian),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
