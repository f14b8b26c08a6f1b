/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every SM3 kernel that this processor can run against the C reference: any number of blocks, of
 * messages and any alignment, between guard pages; the services on the chosen kernel against
 * libgcrypt; and the speed of all of them, of libgcrypt and of openssl.
 */
/* uses: libgcrypt libcrypto */
#include "test.h"

#include <gcrypt.h>
#include <openssl/evp.h>

#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "guard.h"
#include "kernels.h"

enum {
	LANES = HF_SM3_LANES_MAX,
	BLOCK = HF_SM3_BLOCK_LEN,
	BLOCKS = 41, /* for one state; some kernels expand 16 at once */
	LANE_BLOCKS = 5,
	MESSAGE_MAX = 300,
	BENCH_LEN = 4096, /* of each message */
	BENCH_RUNS = 7,
};

struct fixture {
	struct test_guard data;
	struct test_guard states;
	uint8_t bench[LANES * BENCH_LEN];
};

static int set_up(void **state)
{
	struct fixture *f = malloc(sizeof(*f));
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 4);

	assert_non_null(f);
	/* Not calloc(): memory that nobody wrote is one page many times, and that is slow. */
	assert_ok(hf_rng_fill(&rng, f->bench, sizeof(f->bench)));
	assert_non_null(gcry_check_version(NULL));
	assert_ok(hf_module_start(test_cpu()));
	test_guard_new(&f->data, BLOCKS * BLOCK + 64);
	test_guard_new(&f->states, LANES * HF_SM3_LEN);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	test_guard_free(&f->data);
	test_guard_free(&f->states);
	free(f);
	return 0;
}

/* The kernels to test: those after the first that can run here, the reference excepted. */
static const struct hf_sm3_kernel *next_kernel(size_t *i)
{
	for (;; (*i)++) {
		const struct hf_sm3_kernel *k = hf_sm3_kernel_at(*i);

		if (k == NULL || k == &hf_sm3_kernel_c)
			return NULL;
		if ((k->needs & ~test_cpu()) == 0) {
			(*i)++;
			return k;
		}
		print_message("%s: not on this processor\n", k->name);
	}
}

/* Touching either guard, and at each alignment. */
static uint8_t *place(const struct fixture *f, size_t len, size_t how, size_t shift)
{
	if (how == 0)
		return test_guard_low(&f->data, len);
	return test_guard_high(&f->data, how == 1 ? len : len + 1 + shift % 63);
}

static void one_state_equals_the_reference(void **state)
{
	const struct fixture *f = *state;
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);
	const struct hf_sm3_kernel *k;

	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t i = 0; i < 3 * (BLOCKS + 1); i++) {
			size_t n = i / 3;
			uint8_t *p = place(f, n * BLOCK, i % 3, n);
			uint32_t got[8];
			uint32_t want[8];

			assert_ok(hf_rng_fill(&rng, p, n * BLOCK));
			assert_ok(hf_rng_fill(&rng, (uint8_t *)got, sizeof(got)));
			memcpy(want, got, sizeof(want));
			k->compress(got, p, n);
			hf_sm3_kernel_c.compress(want, p, n);
			assert_memory_equal(got, want, sizeof(want));
		}
}

/* One message touches a guard page, another one in each round; the others lie across each other. */
static void lanes_equal_the_reference_one_by_one(void **state)
{
	const struct fixture *f = *state;
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 2);
	const struct hf_sm3_kernel *k;
	uint8_t *low = test_guard_low(&f->data, LANE_BLOCKS * BLOCK + 1);

	assert_ok(hf_rng_fill(&rng, low, f->data.room));
	for (size_t at = 0; (k = next_kernel(&at)) != NULL;)
		for (size_t i = 0; i < LANES * (LANES + 1) * 2; i++) {
			size_t n = i % (LANES + 1);
			size_t n_blocks = i / (LANES + 1) % (LANE_BLOCKS + 1);
			size_t len = n_blocks * BLOCK;
			uint32_t want[LANES * 8];
			/* The states end where the page does: one more would be seen. */
			uint8_t *got = test_guard_high(&f->states, n * HF_SM3_LEN);
			const uint8_t *in[LANES];

			for (size_t j = 0; j < n; j++)
				in[j] = j == i % n ? test_guard_high(&f->data, len)
						   : low + test_rng_below(&r, BLOCKS * BLOCK - len);
			assert_ok(hf_rng_fill(&rng, (uint8_t *)want, n * HF_SM3_LEN));
			memcpy(got, want, n * HF_SM3_LEN);
			k->lanes((uint32_t *)(void *)got, in, n, n_blocks);
			for (size_t j = 0; j < n; j++)
				hf_sm3_kernel_c.compress(want + 8 * j, in[j], n_blocks);
			assert_memory_equal(got, want, n * HF_SM3_LEN);
		}
}

static void services_on_the_chosen_kernel_equal_libgcrypt(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 3);
	uint8_t text[LANES][BLOCK + MESSAGE_MAX];
	uint8_t got[LANES][HF_SM3_LEN];
	uint8_t want[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_rng_fill(&rng, &text[0][0], sizeof(text)));
	for (size_t prefix_len = 0; prefix_len <= BLOCK; prefix_len++)
		for (size_t len = prefix_len % 7; len <= MESSAGE_MAX; len += 7) {
			size_t n = 1 + (size_t)test_rng_below(&r, LANES);
			const uint8_t *prefix[LANES];
			const uint8_t *in[LANES];

			for (size_t i = 0; i < n; i++) {
				prefix[i] = text[i];
				in[i] = text[i] + prefix_len;
			}
			hf_sm3_lanes(
				got[0], prefix_len == 0 ? NULL : prefix, prefix_len, in, len, n);
			for (size_t i = 0; i < n; i++) {
				gcry_md_hash_buffer(GCRY_MD_SM3, want, text[i], prefix_len + len);
				assert_memory_equal(got[i], want, sizeof(want));
			}
		}
}

static void choice_obeys_the_processor(void **state)
{
	(void)state;
	assert_ptr_equal(hf_sm3_choose(0), &hf_sm3_kernel_c);
	for (size_t i = 0; hf_sm3_kernel_at(i) != NULL; i++) {
		const struct hf_sm3_kernel *k = hf_sm3_kernel_at(i);

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_sm3_choose(k->needs), k);
	}
}

static void print_speed(const char *name, size_t n, double rate)
{
	double ghz = test_ghz();

	print_message("sm3 %-10s x %-2zu %6.3f GB/s  %6.2f cycles/byte at %.2f GHz\n", name, n,
		rate, ghz / rate, ghz);
}

static void kernel_speed(struct fixture *f, const struct hf_sm3_kernel *k, size_t n)
{
	const uint8_t *in[LANES];
	uint32_t h[LANES * 8] = { 0 };
	double best = 0;
	double rate;

	for (size_t i = 0; i < n; i++)
		in[i] = f->bench + i * BENCH_LEN;
	for (size_t run = 0; run < BENCH_RUNS; run++) {
		if (n == 1)
			TEST_RATE(rate, BENCH_LEN, k->compress(h, in[0], BENCH_LEN / BLOCK));
		else
			TEST_RATE(rate, n * BENCH_LEN, k->lanes(h, in, n, BENCH_LEN / BLOCK));
		best = rate > best ? rate : best;
	}
	print_speed(k->name, n, best);
}

static void peer_speed(const struct fixture *f)
{
	EVP_MD_CTX *evp = EVP_MD_CTX_new();
	uint8_t out[HF_SM3_LEN];
	double best[2] = { 0 };
	double rate;

	for (size_t run = 0; run < BENCH_RUNS; run++) {
		TEST_RATE(rate, sizeof(f->bench),
			gcry_md_hash_buffer(GCRY_MD_SM3, out, f->bench, sizeof(f->bench)));
		best[0] = rate > best[0] ? rate : best[0];
		TEST_RATE(rate, sizeof(f->bench),
			(void)(EVP_DigestInit_ex(evp, EVP_sm3(), NULL) &&
				EVP_DigestUpdate(evp, f->bench, sizeof(f->bench)) &&
				EVP_DigestFinal_ex(evp, out, NULL)));
		best[1] = rate > best[1] ? rate : best[1];
	}
	print_speed("libgcrypt", 1, best[0]);
	print_speed("openssl", 1, best[1]);
	EVP_MD_CTX_free(evp);
}

static void speed(void **state)
{
	static const size_t counts[] = { 1, 4, 8, 16, LANES };
	const struct hf_sm3_kernel *k;

	for (size_t i = 0; (k = hf_sm3_kernel_at(i)) != NULL; i++)
		for (size_t j = 0; j < HF_COUNT(counts) && (k->needs & ~test_cpu()) == 0; j++)
			kernel_speed(*state, k, counts[j]);
	peer_speed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_state_equals_the_reference),
		cmocka_unit_test(lanes_equal_the_reference_one_by_one),
		cmocka_unit_test(services_on_the_chosen_kernel_equal_libgcrypt),
		cmocka_unit_test(choice_obeys_the_processor),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
