/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree-SM3 on the kernel that the module chooses on this processor, against its definition with
 * libgcrypt's SM3; then its speed from one leaf to many.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/tree.h"
#include "kernels.h"

enum {
	LEAVES_MAX = 530, /* more than two queues of leaves */
	MAX_LEN = LEAVES_MAX * HF_TREE_LEAF_LEN + 77,
	BENCH_RUNS = 5,
};

struct fixture {
	struct hf_tree tree;
	uint8_t in[MAX_LEN];
	uint8_t level[LEAVES_MAX + 1][HF_SM3_LEN];
};

static int set_up(void **state)
{
	struct fixture *f = malloc(sizeof(*f));
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);

	assert_non_null(f);
	assert_non_null(gcry_check_version(NULL));
	assert_ok(hf_module_start(test_cpu()));
	assert_ok(hf_rng_fill(&rng, f->in, sizeof(f->in)));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void sm3_of_two(
	uint8_t out[HF_SM3_LEN], const void *a, size_t a_len, const void *b, size_t b_len)
{
	gcry_buffer_t parts[2] = { { .data = (void *)(uintptr_t)a, .len = a_len },
		{ .data = (void *)(uintptr_t)b, .len = b_len } };

	assert_int_equal(gcry_md_hash_buffers(GCRY_MD_SM3, 0, out, parts, 2), 0);
}

static void by_definition(uint8_t out[HF_SM3_LEN], struct fixture *f, size_t len)
{
	uint8_t head[9] = { 0 };
	size_t n = 0;

	for (size_t at = 0; at < len || n == 0; at += HF_TREE_LEAF_LEN) {
		hf_put_be64(head + 1, n);
		sm3_of_two(f->level[n++], head, sizeof(head), f->in + at,
			len - at < HF_TREE_LEAF_LEN ? len - at : HF_TREE_LEAF_LEN);
	}
	head[0] = 1;
	while (n > 1) {
		size_t up = 0;

		for (size_t i = 0; i < n; i += HF_TREE_FANOUT)
			sm3_of_two(f->level[up++], head, 1, f->level[i],
				(n - i < HF_TREE_FANOUT ? n - i : HF_TREE_FANOUT) * HF_SM3_LEN);
		n = up;
	}
	head[0] = 2;
	hf_put_be64(head + 1, len);
	sm3_of_two(out, head, sizeof(head), f->level[0], HF_SM3_LEN);
}

static void agrees_with_its_definition_whole_and_in_parts(void **state)
{
	static const size_t leaves[] = { 0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 49, 255, 256, 257,
		272, 511, 512, 513, 529 };
	static const size_t steps[] = { 1000, 4096, 65536, 70001, 131072, 200000, MAX_LEN };
	struct fixture *f = *state;
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	for (size_t i = 0; i < HF_COUNT(leaves) * 3; i++) {
		size_t len = leaves[i / 3] * HF_TREE_LEAF_LEN + i % 3 * 38; /* + 0, 38, 76 */
		size_t step = steps[i % HF_COUNT(steps)];

		by_definition(want, f, len);
		hf_tree_sm3(got, f->in, len);
		assert_memory_equal(got, want, sizeof(got));
		hf_tree_init(&f->tree);
		for (size_t at = 0; at < len; at += step)
			hf_tree_feed(&f->tree, f->in + at, len - at < step ? len - at : step);
		hf_tree_done(&f->tree, got);
		assert_memory_equal(got, want, sizeof(got));
	}
}

/* The best of some runs, in GB/s. */
static double rate_of(const uint8_t *in, size_t len)
{
	uint8_t out[HF_SM3_LEN];
	double best = 0;
	double rate;

	for (size_t run = 0; run < BENCH_RUNS; run++) {
		TEST_RATE(rate, len, hf_tree_sm3(out, in, len));
		best = rate > best ? rate : best;
	}
	return best;
}

static void speed(void **state)
{
	static const size_t leaves[] = { 1, 2, 4, 8, 16, 32, 64, 256, 512 };
	const struct fixture *f = *state;

	for (size_t i = 0; i < HF_COUNT(leaves); i++) {
		size_t len = leaves[i] * HF_TREE_LEAF_LEN;

		print_message("tree-sm3 %4zu KiB %6.3f GB/s\n", len / 1024, rate_of(f->in, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_its_definition_whole_and_in_parts),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
