/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every SM4 kernel that this processor can run against the C reference: all block counts up to more
 * than any kernel has in flight, misaligned, in place, against guard pages on both sides; then its
 * speed.
 */
#include "test.h"

#include "crypto/sm4/sm4_kernel.h"
#include "guard.h"
#include "kernels.h"

enum {
	BLOCKS = 171,
	LEN = BLOCKS * HF_SM4_BLOCK_LEN,
	BENCH_BLOCKS = 1024,
};

struct fixture {
	struct hf_sm4_key keys[HF_SM4_LANES];
	uint8_t in[LEN];
	uint8_t iv[HF_SM4_LANES][16];
	struct test_guard guard;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);
	uint8_t key[16];

	assert_non_null(f);
	for (size_t i = 0; i < HF_SM4_LANES; i++) {
		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		hf_sm4_init(&f->keys[i], key);
	}
	assert_ok(hf_rng_fill(&rng, f->in, sizeof(f->in)));
	assert_ok(hf_rng_fill(&rng, &f->iv[0][0], sizeof(f->iv)));
	test_guard_new(&f->guard, LEN + 64);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_guard_free(&f->guard);
	free(f);
	return 0;
}

/* The kernels to test: those after the first that can run here, the reference excepted. */
static const struct hf_sm4_kernel *next_kernel(size_t *i)
{
	for (;; (*i)++) {
		const struct hf_sm4_kernel *k = hf_sm4_kernel_at(*i);

		if (k == NULL || k == &hf_sm4_kernel_c)
			return NULL;
		if ((k->needs & ~test_cpu()) == 0) {
			(*i)++;
			return k;
		}
		print_message("%s: not on this processor\n", k->name);
	}
}

/* Places for n blocks in place: at each alignment, and touching either guard. */
static uint8_t *place(const struct fixture *f, size_t n, size_t i)
{
	if (i == 0)
		return test_guard_low(&f->guard, n * 16);
	return test_guard_high(&f->guard, n * 16 + i - 1);
}

static void ecb_equals_the_reference(void **state)
{
	const struct fixture *f = *state;
	uint8_t want[LEN];
	const struct hf_sm4_kernel *k;

	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t n = 0; n <= BLOCKS; n++) {
			uint8_t *p = place(f, n, n % 18);

			hf_sm4_kernel_c.ecb(f->keys[0].rk, want, f->in, n);
			memcpy(p, f->in, n * 16);
			k->ecb(f->keys[0].rk, p, p, n);
			assert_memory_equal(p, want, n * 16);
		}
}

static void ctr_equals_the_reference_and_wraps_at_32_bits(void **state)
{
	const struct fixture *f = *state;
	uint8_t want[LEN];
	const struct hf_sm4_kernel *k;

	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t n = 0; n <= BLOCKS; n++) {
			uint8_t *p = place(f, n, n % 18);
			uint8_t c[2][16];

			memcpy(c[0], f->iv[n % HF_SM4_LANES], 16);
			if (n % 3 != 0)
				memset(c[0] + 12, 0xff, 3); /* wraps within or after the call */
			memcpy(c[1], c[0], 16);
			hf_sm4_kernel_c.ctr32(f->keys[0].rk, c[0], want, f->in, n);
			memcpy(p, f->in, n * 16);
			k->ctr32(f->keys[0].rk, c[1], p, p, n);
			assert_memory_equal(p, want, n * 16);
			assert_memory_equal(c[0], c[1], 16);
		}
}

static void cbc_equals_the_reference_with_and_without_output(void **state)
{
	const struct fixture *f = *state;
	uint8_t want[LEN];
	const struct hf_sm4_kernel *k;

	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t n = 0; n <= BLOCKS; n += 5) {
			uint8_t *p = place(f, n, n % 18);
			uint8_t c[3][16];

			for (size_t i = 0; i < 3; i++)
				memcpy(c[i], f->iv[0], 16);
			hf_sm4_kernel_c.cbc(f->keys[1].rk, c[0], want, f->in, n);
			memcpy(p, f->in, n * 16);
			k->cbc(f->keys[1].rk, c[1], NULL, p, n);
			k->cbc(f->keys[1].rk, c[2], p, p, n);
			assert_memory_equal(p, want, n * 16);
			assert_memory_equal(c[0], c[1], 16);
			assert_memory_equal(c[0], c[2], 16);
		}
}

static void lanes_equal_the_reference_one_by_one(void **state)
{
	enum { N = 10 };
	const struct fixture *f = *state;
	const struct hf_sm4_kernel *k;
	size_t at = 0;

	/* The reference's own lanes are checked against its single chain too. */
	for (k = &hf_sm4_kernel_c; k != NULL; k = next_kernel(&at))
		for (size_t lanes = 1; lanes <= HF_SM4_LANES; lanes++) {
			struct hf_sm4_lane l[HF_SM4_LANES];
			uint8_t iv[HF_SM4_LANES][16];
			uint8_t *p = place(f, lanes * N, lanes);

			memcpy(iv, f->iv, sizeof(iv));
			memcpy(p, f->in, lanes * N * 16);
			for (size_t i = 0; i < lanes; i++)
				l[i] = (struct hf_sm4_lane){ f->keys[i].rk, iv[i], p + 16 * N * i,
					p + 16 * N * i };
			k->cbc_lanes(l, lanes, N);
			for (size_t i = 0; i < lanes; i++) {
				uint8_t c[16];
				uint8_t want[N * 16];

				memcpy(c, f->iv[i], 16);
				hf_sm4_kernel_c.cbc(f->keys[i].rk, c, want, f->in + 16 * N * i, N);
				assert_memory_equal(p + 16 * N * i, want, sizeof(want));
				assert_memory_equal(iv[i], c, 16);
			}
		}
}

static void cbc_decryption_undoes_the_reference(void **state)
{
	const struct fixture *f = *state;
	const struct hf_sm4_kernel *k;
	uint32_t back[HF_SM4_ROUNDS];
	size_t at = 0;

	hf_sm4_keys_backwards(back, &f->keys[2]);
	for (k = &hf_sm4_kernel_c; k != NULL; k = next_kernel(&at))
		for (size_t n = 0; n <= BLOCKS; n++) {
			uint8_t *p = place(f, n, n % 18);
			uint8_t c[2][16];

			memcpy(c[0], f->iv[0], 16);
			memcpy(c[1], f->iv[0], 16);
			hf_sm4_kernel_c.cbc(f->keys[2].rk, c[0], p, f->in, n);
			if (k->cbc_decrypt != NULL)
				k->cbc_decrypt(back, c[1], p, p, n);
			else
				hf_sm4_cbc_decrypt_of_ecb(k, back, c[1], p, p, n);
			assert_memory_equal(p, f->in, n * 16);
			assert_memory_equal(c[0], c[1], 16);
		}
}

static void xts_equals_the_reference_in_both_orders(void **state)
{
	const struct fixture *f = *state;
	uint8_t want[LEN];
	const struct hf_sm4_kernel *k;

	for (size_t at = 0; (k = next_kernel(&at)) != NULL;) {
		for (size_t n = 0; n <= BLOCKS && k->xts != NULL; n++) {
			enum hf_xts_order order = n % 2 == 0 ? HF_XTS_GB : HF_XTS_IEEE;
			uint8_t *p = place(f, n, n % 18);
			uint8_t t[2][16];

			memcpy(t[0], f->iv[n % HF_SM4_LANES], 16);
			memcpy(t[1], t[0], 16);
			hf_xts_blocks_of_ecb(
				&hf_sm4_kernel_c, f->keys[3].rk, t[0], want, f->in, n, order);
			memcpy(p, f->in, n * 16);
			k->xts(f->keys[3].rk, t[1], p, p, n, order);
			assert_memory_equal(p, want, n * 16);
			assert_memory_equal(t[0], t[1], 16);
		}
	}
}

static void keys_are_expanded_as_by_the_reference(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 2);
	const struct hf_sm4_kernel *k;

	(void)state;
	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t i = 0; k->expand != NULL && i < 1000; i++) {
			struct hf_sm4_key want;
			struct hf_sm4_key got;
			uint8_t key[HF_SM4_KEY_LEN];

			assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
			hf_sm4_init(&want, key); /* there is no module, so by the reference */
			k->expand(got.rk, key);
			assert_memory_equal(&got, &want, sizeof(want));
		}
}

static void choice_obeys_the_processor(void **state)
{
	(void)state;
	assert_ptr_equal(hf_sm4_choose(0), &hf_sm4_kernel_c);
	for (size_t i = 0; hf_sm4_kernel_at(i) != NULL; i++) {
		const struct hf_sm4_kernel *k = hf_sm4_kernel_at(i);

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_sm4_choose(k->needs), k);
	}
}

static void print_rate(const struct hf_sm4_kernel *k, const char *what, double rate, double ghz)
{
	print_message(
		"sm4 %-12s %-12s %6.3f GB/s %7.2f cycles/byte\n", k->name, what, rate, ghz / rate);
}

static void speed_of_blocks(
	struct fixture *f, const struct hf_sm4_kernel *k, uint8_t *b, double ghz)
{
	const uint32_t *rk = f->keys[0].rk;
	double rate;

	TEST_RATE(rate, BENCH_BLOCKS * 16, k->ctr32(rk, f->iv[0], b, b, BENCH_BLOCKS));
	print_rate(k, "ctr", rate, ghz);
	if (k->cbc_decrypt != NULL)
		TEST_RATE(
			rate, BENCH_BLOCKS * 16, k->cbc_decrypt(rk, f->iv[0], b, b, BENCH_BLOCKS));
	else
		TEST_RATE(rate, BENCH_BLOCKS * 16,
			hf_sm4_cbc_decrypt_of_ecb(k, rk, f->iv[0], b, b, BENCH_BLOCKS));
	print_rate(k, "cbc decrypt", rate, ghz);
	if (k->xts != NULL)
		TEST_RATE(rate, BENCH_BLOCKS * 16,
			k->xts(rk, f->iv[0], b, b, BENCH_BLOCKS, HF_XTS_GB));
	else
		TEST_RATE(rate, BENCH_BLOCKS * 16,
			hf_xts_blocks_of_ecb(k, rk, f->iv[0], b, b, BENCH_BLOCKS, HF_XTS_GB));
	print_rate(k, "xts", rate, ghz);
}

static void speed_of_chains(
	struct fixture *f, const struct hf_sm4_kernel *k, uint8_t *b, double ghz)
{
	enum { EACH = BENCH_BLOCKS / HF_SM4_LANES };
	struct hf_sm4_lane l[HF_SM4_LANES];
	double rate;

	for (size_t j = 0; j < HF_SM4_LANES; j++)
		l[j] = (struct hf_sm4_lane){ f->keys[j].rk, f->iv[j], b + (size_t)16 * EACH * j,
			b + (size_t)16 * EACH * j };
	TEST_RATE(rate, EACH * 16, k->cbc(f->keys[0].rk, f->iv[0], b, b, EACH));
	print_rate(k, "cbc", rate, ghz);
	TEST_RATE(rate, BENCH_BLOCKS * 16, k->cbc_lanes(l, HF_SM4_LANES, EACH));
	print_rate(k, "cbc x 16", rate, ghz);
}

static void speed(void **state)
{
	struct fixture *f = *state;
	uint8_t *b = calloc(BENCH_BLOCKS, 16);
	const struct hf_sm4_kernel *k;
	double ghz = test_ghz();

	assert_non_null(b);
	for (size_t i = 0; (k = hf_sm4_kernel_at(i)) != NULL; i++) {
		if ((k->needs & ~test_cpu()) != 0)
			continue;
		speed_of_blocks(f, k, b, ghz);
		speed_of_chains(f, k, b, ghz);
	}
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecb_equals_the_reference),
		cmocka_unit_test(ctr_equals_the_reference_and_wraps_at_32_bits),
		cmocka_unit_test(cbc_equals_the_reference_with_and_without_output),
		cmocka_unit_test(lanes_equal_the_reference_one_by_one),
		cmocka_unit_test(cbc_decryption_undoes_the_reference),
		cmocka_unit_test(xts_equals_the_reference_in_both_orders),
		cmocka_unit_test(keys_are_expanded_as_by_the_reference),
		cmocka_unit_test(choice_obeys_the_processor),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
