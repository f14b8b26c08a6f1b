/* SPDX-License-Identifier: Apache-2.0 */
/* Tree-SM3 against its definition, written down plainly here. */
#include "test.h"

#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/tree.h"

enum { MAX_LEN = 300 * HF_TREE_LEAF_LEN + 77 };

static void by_definition(uint8_t out[HF_SM3_LEN], const uint8_t *in, size_t len)
{
	static uint8_t level[400][HF_SM3_LEN];
	uint8_t last[9 + HF_SM3_LEN] = { 2 };
	size_t n = 0;

	for (size_t at = 0; at < len || n == 0; at += HF_TREE_LEAF_LEN) {
		uint8_t head[9] = { 0 };
		struct hf_sm3 s;

		hf_put_be64(head + 1, n);
		hf_sm3_init(&s);
		hf_sm3_feed(&s, head, sizeof(head));
		hf_sm3_feed(&s, in + at, len - at < HF_TREE_LEAF_LEN ? len - at : HF_TREE_LEAF_LEN);
		hf_sm3_done(&s, level[n++]);
	}
	while (n > 1) {
		size_t up = 0;

		for (size_t i = 0; i < n; i += HF_TREE_FANOUT) {
			static const uint8_t label = 1;
			struct hf_sm3 s;
			size_t take = n - i < HF_TREE_FANOUT ? n - i : HF_TREE_FANOUT;

			hf_sm3_init(&s);
			hf_sm3_feed(&s, &label, 1);
			hf_sm3_feed(&s, level[i], take * HF_SM3_LEN);
			hf_sm3_done(&s, level[up++]);
		}
		n = up;
	}
	hf_put_be64(last + 1, len);
	memcpy(last + 9, level[0], HF_SM3_LEN);
	hf_sm3(out, last, sizeof(last));
}

static void agrees_with_its_definition_at_every_border(void **state)
{
	static const size_t leaves[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 300 };
	static const int around[] = { -1, 0, 1, 77 };
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 9);
	uint8_t *in = malloc(MAX_LEN);
	struct hf_tree *t = malloc(sizeof(*t));

	(void)state;
	assert_ok(hf_rng_fill(&rng, in, MAX_LEN));
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		for (size_t j = 0; j < 4; j++) {
			size_t len = leaves[i] * HF_TREE_LEAF_LEN;
			uint8_t want[HF_SM3_LEN];
			uint8_t got[HF_SM3_LEN];
			size_t step = 1 + (size_t)test_rng_below(&r, 100000);

			if (around[j] < 0 && len == 0)
				continue;
			len = (size_t)((long)len + around[j]);
			by_definition(want, in, len);
			hf_tree_sm3(got, in, len);
			assert_memory_equal(got, want, sizeof(got));
			hf_tree_init(t);
			for (size_t at = 0; at < len; at += step)
				hf_tree_feed(t, in + at, len - at < step ? len - at : step);
			hf_tree_done(t, got);
			assert_memory_equal(got, want, sizeof(got));
		}
	}
	free(t);
	free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_its_definition_at_every_border),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
