/* SPDX-License-Identifier: Apache-2.0 */
/* Bits from bytes: order, places, counts, nothing behind the end. */
#include "test.h"

#include "random/bits.h"
#include "random/euler.h"

enum { LEN = 40 };

static unsigned bit_of(const uint8_t *bytes, size_t i)
{
	return bytes[i / 8] >> (7 - i % 8) & 1;
}

static void takes_bits_from_any_place(void **state)
{
	uint64_t w[HF_BITS_WORDS(8 * LEN)];
	struct test_rng seed;
	struct hf_rng rng = test_rng(&seed, 1);

	(void)state;
	for (size_t n = 1; n <= 8 * LEN; n++) {
		uint8_t *bytes = malloc((n + 7) / 8); /* exactly as long as promised */
		struct hf_bits b;
		size_t ones = 0;

		assert_ok(hf_rng_fill(&rng, bytes, (n + 7) / 8));
		b = hf_bits_load(w, bytes, n);
		for (size_t i = 0; i < n; i++) {
			uint64_t expected = 0;

			for (size_t j = i; j < i + 64 && j < n; j++)
				expected |= (uint64_t)bit_of(bytes, j) << (63 - (j - i));
			assert_true(hf_bits_from(&b, i) == expected);
			assert_int_equal(hf_bits_at(&b, i), bit_of(bytes, i));
			ones += bit_of(bytes, i);
		}
		assert_int_equal(hf_bits_count(&b, 0, n), ones);
		assert_int_equal(
			hf_bits_count(&b, n / 3, n - n / 3), ones - hf_bits_count(&b, 0, n / 3));
		free(bytes);
	}
}

/* e = 2.b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef... */
static void gives_the_bits_of_e(void **state)
{
	static const uint64_t hex[] = { 0xb7e151628aed2a6a, 0xbf7158809cf4f3c7, 0x62e7160f38b4da56,
		0xa784d9045190cfef };
	uint64_t few[HF_BITS_WORDS(258)];
	uint64_t more[HF_BITS_WORDS(5000)];
	struct hf_bits a = hf_euler_bits(few, 258);
	struct hf_bits b = hf_euler_bits(more, 5000);

	(void)state;
	assert_int_equal(hf_bits_from(&a, 0) >> 62, 2);
	for (size_t i = 0; i < 4; i++)
		assert_true(hf_bits_from(&a, 2 + 64 * i) == hex[i]);
	for (size_t i = 0; i < 258; i++)
		assert_int_equal(hf_bits_at(&a, i), hf_bits_at(&b, i));
	assert_int_equal(hf_bits_from(&a, 258), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_bits_from_any_place),
		cmocka_unit_test(gives_the_bits_of_e),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
