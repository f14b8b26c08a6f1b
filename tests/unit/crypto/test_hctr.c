/* SPDX-License-Identifier: Apache-2.0 */
/* HCTR against its definition, with the field written down bit by bit. */
#include "test.h"

#include "crypto/hctr.h"
#include "crypto/module.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	EVERY_LEN = 200,
	LONG_LEN = 16 * 64 * 2 + 77,
};

static struct test_rng state_of_rng;
static struct hf_rng rng;

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20265);
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

/* y = y h in the field of SP 800-38D 6.3: the first bit is that of x^0. */
static void times(uint8_t y[BLOCK], const uint8_t h[BLOCK])
{
	uint8_t z[BLOCK] = { 0 };
	uint8_t v[BLOCK];

	memcpy(v, h, BLOCK);
	for (unsigned i = 0; i < 8 * BLOCK; i++) {
		unsigned lost = v[BLOCK - 1] & 1;

		if ((y[i / 8] >> (7 - i % 8) & 1) != 0)
			for (size_t j = 0; j < BLOCK; j++)
				z[j] ^= v[j];
		for (size_t j = BLOCK; j-- > 1;)
			v[j] = (uint8_t)(v[j] >> 1 | v[j - 1] << 7);
		v[0] = (uint8_t)(v[0] >> 1 ^ (lost != 0 ? 0xe1 : 0));
	}
	memcpy(y, z, BLOCK);
}

/* y ^= H(rest || tweak) */
static void add_hash(uint8_t y[BLOCK], const uint8_t h[BLOCK], const uint8_t *rest, size_t len,
	const uint8_t *tweak)
{
	uint8_t x[LONG_LEN + 3 * BLOCK] = { 0 };
	uint8_t sum[BLOCK] = { 0 };
	size_t total = (len + BLOCK + BLOCK - 1) / BLOCK * BLOCK + BLOCK;
	uint64_t bits = 8 * ((uint64_t)len + BLOCK);

	memcpy(x, rest, len);
	memcpy(x + len, tweak, BLOCK);
	for (size_t i = 0; i < 8; i++)
		x[total - 1 - i] = (uint8_t)(bits >> (8 * i));
	for (size_t at = 0; at < total; at += BLOCK) {
		for (size_t i = 0; i < BLOCK; i++)
			sum[i] ^= x[at + i];
		times(sum, h);
	}
	for (size_t i = 0; i < BLOCK; i++)
		y[i] ^= sum[i];
}

static void define(const uint8_t *key, const uint8_t *h, const uint8_t *tweak, uint8_t *out,
	const uint8_t *in, size_t len)
{
	uint8_t z1[BLOCK];
	uint8_t z2[BLOCK];
	uint8_t s[BLOCK];
	struct hf_sm4_key k;

	hf_sm4_init(&k, key);
	memcpy(z1, in, BLOCK);
	add_hash(z1, h, in + BLOCK, len - BLOCK, tweak);
	assert_ok(hf_sm4_ecb_encrypt(&k, z2, z1, 1));
	for (size_t at = BLOCK; at < len; at++) {
		uint64_t i = at / BLOCK;

		for (size_t j = 0; j < BLOCK; j++)
			s[j] = (uint8_t)(z1[j] ^ z2[j] ^ (j < 8 ? 0 : i >> (8 * (BLOCK - 1 - j))));
		assert_ok(hf_sm4_ecb_encrypt(&k, s, s, 1));
		out[at] = (uint8_t)(in[at] ^ s[at % BLOCK]);
	}
	add_hash(z2, h, out + BLOCK, len - BLOCK, tweak);
	memcpy(out, z2, BLOCK);
}

static void check_len(size_t len)
{
	uint8_t keys[3 * BLOCK];
	uint8_t *in = malloc(len);
	uint8_t *want = malloc(len);
	uint8_t *out = malloc(len);
	struct hf_hctr_key k;

	assert_non_null(in);
	assert_non_null(want);
	assert_non_null(out);
	assert_ok(hf_rng_fill(&rng, keys, sizeof(keys)));
	assert_ok(hf_rng_fill(&rng, in, len));
	assert_ok(hf_hctr_init(&k, keys, keys + BLOCK));
	define(keys, keys + BLOCK, keys + 2 * BLOCK, want, in, len);
	assert_ok(hf_hctr_encrypt(&k, keys + 2 * BLOCK, out, in, len));
	assert_memory_equal(out, want, len);
	assert_ok(hf_hctr_decrypt(&k, keys + 2 * BLOCK, out, out, len));
	assert_memory_equal(out, in, len);
	memcpy(out, in, len);
	assert_ok(hf_hctr_encrypt(&k, keys + 2 * BLOCK, out, out, len));
	assert_memory_equal(out, want, len);
	hf_hctr_clear(&k);
	free(out);
	free(want);
	free(in);
}

static void it_is_its_definition_at_every_length(void **state)
{
	(void)state;
	for (size_t len = BLOCK; len <= EVERY_LEN; len++)
		check_len(len);
	check_len(LONG_LEN);
}

static void every_byte_depends_on_every_bit_of_message_and_tweak(void **state)
{
	uint8_t keys[2 * BLOCK] = { 1, 2, 3, [BLOCK] = 4, 5, 6 };
	uint8_t in[3 * BLOCK + 5] = { 7 };
	uint8_t tweak[BLOCK] = { 8 };
	uint8_t first[sizeof(in)];
	uint8_t out[sizeof(in)];
	struct hf_hctr_key k;

	(void)state;
	assert_ok(hf_hctr_init(&k, keys, keys + BLOCK));
	assert_ok(hf_hctr_encrypt(&k, tweak, first, in, sizeof(in)));
	for (size_t i = 0; i < sizeof(in) + BLOCK; i++) {
		uint8_t *at = i < sizeof(in) ? in + i : tweak + i - sizeof(in);
		size_t same = 0;

		*at ^= 0x10;
		assert_ok(hf_hctr_encrypt(&k, tweak, out, in, sizeof(in)));
		*at ^= 0x10;
		for (size_t j = 0; j < sizeof(in); j++)
			same += out[j] == first[j];
		assert_true(same < 6); /* 53 bytes: more by chance once in 10^7 */
	}
}

static void messages_shorter_than_a_block_are_refused(void **state)
{
	uint8_t b[BLOCK] = { 0 };
	struct hf_hctr_key k;

	(void)state;
	assert_ok(hf_hctr_init(&k, b, b));
	for (size_t len = 0; len < BLOCK; len++) {
		assert_err(hf_hctr_encrypt(&k, b, b, b, len), HF_ERR_ARG);
		assert_err(hf_hctr_decrypt(&k, b, b, b, len), HF_ERR_ARG);
	}
	if (sizeof(size_t) > 4)
		assert_err(hf_hctr_encrypt(&k, b, b, b, (size_t)HF_HCTR_MESSAGE_MAX + 1),
			HF_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_its_definition_at_every_length),
		cmocka_unit_test(every_byte_depends_on_every_bit_of_message_and_tweak),
		cmocka_unit_test(messages_shorter_than_a_block_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
