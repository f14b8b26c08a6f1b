/* SPDX-License-Identifier: Apache-2.0 */
/* Linear complexity against the same algorithm bit by bit, and of sequences whose length is known.
 */
#include "test.h"

#include "random/lfsr.h"

enum { M_MAX = 1100 };

/* Massey's algorithm as he wrote it, one bit a variable. */
static size_t bit_by_bit(const uint8_t *s, size_t n)
{
	static uint8_t c[M_MAX + 1];
	static uint8_t b[M_MAX + 1];
	static uint8_t t[M_MAX + 1];
	size_t len = 0;
	size_t gap = 1;

	memset(c, 0, sizeof(c));
	memset(b, 0, sizeof(b));
	c[0] = b[0] = 1;
	for (size_t i = 0; i < n; i++, gap++) {
		unsigned d = 0;

		for (size_t j = 0; j <= len; j++)
			d ^= c[j] & s[i - j];
		if (d == 0)
			continue;
		memcpy(t, c, sizeof(t));
		for (size_t j = 0; j + gap <= M_MAX; j++)
			c[j + gap] ^= b[j];
		if (2 * len <= i) {
			memcpy(b, t, sizeof(b));
			len = i + 1 - len;
			gap = 0;
		}
	}
	return len;
}

static size_t ours(const uint8_t *s, size_t n, size_t before)
{
	size_t n_words = HF_LFSR_WORDS(n);
	uint64_t *work = malloc(n_words * sizeof(*work)); /* exactly as long as promised */
	uint64_t *w = malloc(HF_BITS_WORDS(before + n) * sizeof(*w));
	uint8_t *bytes = calloc(1, (before + n + 7) / 8);
	struct hf_bits b;
	size_t len;

	for (size_t i = 0; i < n; i++)
		bytes[(before + i) / 8] |= (uint8_t)(s[i] << (7 - (before + i) % 8));
	b = hf_bits_load(w, bytes, before + n);
	len = hf_lfsr_len(&b, before, n, work);
	free(bytes);
	free(w);
	free(work);
	return len;
}

static void random_blocks_have_the_length_that_the_plain_way_finds(void **state)
{
	static uint8_t s[M_MAX];
	struct test_rng r;

	(void)state;
	(void)test_rng(&r, 7);
	for (unsigned round = 0; round < 400; round++) {
		size_t n = 1 + (size_t)test_rng_below(&r, round < 350 ? 200 : M_MAX);

		for (size_t i = 0; i < n; i++)
			s[i] = test_rng_below(&r, 2) != 0;
		assert_int_equal(ours(s, n, round % 130), bit_by_bit(s, n));
	}
}

static void known_sequences_have_their_length(void **state)
{
	static uint8_t s[M_MAX];

	(void)state;
	memset(s, 0, sizeof(s));
	assert_int_equal(ours(s, 500, 0), 0);
	s[499] = 1;
	assert_int_equal(ours(s, 500, 0), 500); /* a one after 499 zeros */
	memset(s, 1, sizeof(s));
	assert_int_equal(ours(s, 500, 3), 1);
	/* x^89 + x^38 + 1 */
	for (size_t i = 0; i < M_MAX; i++)
		s[i] = i < 89 ? i % 7 == 0 : s[i - 89] ^ s[i - 51];
	assert_int_equal(ours(s, 1000, 64), 89);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_blocks_have_the_length_that_the_plain_way_finds),
		cmocka_unit_test(known_sequences_have_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
