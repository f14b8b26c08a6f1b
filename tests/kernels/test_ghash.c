/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every GHASH kernel that this processor can run against the C reference, as test_sm4.c does; and
 * the C reference against multiplication bit by bit.
 */
#include "test.h"

#include "crypto/modes/ghash_kernel.h"
#include "guard.h"
#include "kernels.h"

enum {
	BLOCKS = 140,
	LEN = BLOCKS * 16,
	BENCH_LEN = 16384,
};

/* x * y as SP 800-38D 6.3 writes it (algorithm 1). */
static void multiply_slowly(uint8_t x[16], const uint8_t y[16])
{
	uint8_t z[16] = { 0 };
	uint8_t v[16];

	memcpy(v, y, 16);
	for (size_t i = 0; i < 128; i++) {
		unsigned carry = 0;
		unsigned low = v[15] & 1u;

		if ((x[i / 8] >> (7 - i % 8) & 1) != 0)
			for (size_t j = 0; j < 16; j++)
				z[j] ^= v[j];
		for (size_t j = 0; j < 16; j++) {
			unsigned next = v[j] & 1u;

			v[j] = (uint8_t)(v[j] >> 1 | carry << 7);
			carry = next;
		}
		if (low != 0)
			v[0] ^= 0xe1;
	}
	memcpy(x, z, 16);
}

static void reference_multiplies_as_the_standard_writes_it(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		struct hf_gcm_key k;
		uint8_t h[16];
		uint8_t x[16];
		uint8_t y[16] = { 0 };

		assert_ok(hf_rng_fill(&rng, h, 16));
		assert_ok(hf_rng_fill(&rng, x, 16));
		if (i < 128) /* each single bit */
			memset(x, 0, 16), x[i / 8] = (uint8_t)(1u << i % 8);
		hf_ghash_kernel_c.init(&k, h);
		hf_ghash_kernel_c.blocks(&k, y, x, 1);
		multiply_slowly(x, h);
		assert_memory_equal(y, x, 16);
	}
}

static void kernels_equal_the_reference(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 2);
	struct test_guard guard;
	const struct hf_ghash_kernel *k;

	(void)state;
	test_guard_new(&guard, LEN + 64);
	for (size_t i = 0; (k = hf_ghash_kernel_at(i)) != &hf_ghash_kernel_c; i++) {
		if ((k->needs & ~test_cpu()) != 0) {
			print_message("%s: not on this processor\n", k->name);
			continue;
		}
		for (size_t n = 0; n <= BLOCKS; n++) {
			uint8_t *p = n % 18 == 0 ? test_guard_low(&guard, n * 16)
						 : test_guard_high(&guard, n * 16 + n % 18 - 1);
			uint8_t h[16];
			uint8_t y[2][16];
			struct hf_gcm_key kk;
			struct hf_gcm_key kc;

			assert_ok(hf_rng_fill(&rng, h, 16));
			assert_ok(hf_rng_fill(&rng, y[0], 16));
			assert_ok(hf_rng_fill(&rng, p, n * 16));
			memcpy(y[1], y[0], 16);
			k->init(&kk, h);
			hf_ghash_kernel_c.init(&kc, h);
			k->blocks(&kk, y[0], p, n);
			hf_ghash_kernel_c.blocks(&kc, y[1], p, n);
			assert_memory_equal(y[0], y[1], 16);
		}
	}
	test_guard_free(&guard);
}

static void choice_obeys_the_processor(void **state)
{
	(void)state;
	assert_ptr_equal(hf_ghash_choose(0), &hf_ghash_kernel_c);
	for (size_t i = 0; hf_ghash_kernel_at(i) != NULL; i++) {
		const struct hf_ghash_kernel *k = hf_ghash_kernel_at(i);

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_ghash_choose(k->needs), k);
	}
}

static void speed(void **state)
{
	uint8_t *b = calloc(1, BENCH_LEN);
	const struct hf_ghash_kernel *k;

	(void)state;
	for (size_t i = 0; (k = hf_ghash_kernel_at(i)) != NULL; i++) {
		struct hf_gcm_key key;
		uint8_t y[16] = { 1 };
		double rate;

		if ((k->needs & ~test_cpu()) != 0)
			continue;
		k->init(&key, (const uint8_t *)"0123456789abcdef");
		TEST_RATE(rate, BENCH_LEN, k->blocks(&key, y, b, BENCH_LEN / 16));
		print_message("ghash %-12s %6.3f GB/s %6.3f cycles/byte\n", k->name, rate,
			test_ghz() / rate);
	}
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_multiplies_as_the_standard_writes_it),
		cmocka_unit_test(kernels_equal_the_reference),
		cmocka_unit_test(choice_obeys_the_processor),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
