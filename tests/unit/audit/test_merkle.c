/* SPDX-License-Identifier: Apache-2.0 */
/* The incremental tree against the recursive definition of RFC 9162 2.1.1, for sizes 0 to 300. */
#include "test.h"

#include "audit/merkle.h"
#include "crypto/module.h"

/* MTH(D[n]) by the book: split at the largest power of two below n. */
static void by_the_book(uint8_t out[HF_SM3_LEN], const uint8_t (*leaf)[HF_SM3_LEN], size_t n)
{
	uint8_t in[1 + 2 * HF_SM3_LEN] = { 1 };
	size_t k = 1;

	if (n == 0) {
		hf_sm3(out, "", 0);
		return;
	}
	if (n == 1) {
		memcpy(out, leaf[0], HF_SM3_LEN);
		return;
	}
	while (2 * k < n)
		k *= 2;
	by_the_book(in + 1, leaf, k);
	by_the_book(in + 1 + HF_SM3_LEN, leaf + k, n - k);
	hf_sm3(out, in, sizeof(in));
}

static void agrees_with_the_definition_for_every_size(void **state)
{
	static uint8_t leaf[300][HF_SM3_LEN];
	struct hf_merkle m;

	(void)state;
	hf_merkle_init(&m);
	for (size_t n = 0; n <= 300; n++) {
		uint8_t want[HF_SM3_LEN];
		uint8_t got[HF_SM3_LEN];
		uint8_t record[3] = { (uint8_t)n, (uint8_t)(n >> 8), 7 };

		by_the_book(want, (const uint8_t(*)[HF_SM3_LEN])leaf, n);
		hf_merkle_root(&m, got);
		assert_memory_equal(got, want, HF_SM3_LEN);
		if (n == 300)
			break;
		hf_merkle_leaf(leaf[n], record, sizeof(record));
		hf_merkle_add(&m, leaf[n]);
	}
}

static void a_leaf_is_no_node(void **state)
{
	uint8_t record[2 * HF_SM3_LEN] = { 3 };
	uint8_t leaf[HF_SM3_LEN];
	uint8_t root[HF_SM3_LEN];
	struct hf_merkle m;

	(void)state;
	hf_merkle_leaf(leaf, record, sizeof(record));
	hf_merkle_init(&m);
	hf_merkle_add(&m, record);
	hf_merkle_add(&m, record + HF_SM3_LEN);
	hf_merkle_root(&m, root);
	assert_memory_not_equal(leaf, root, HF_SM3_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_definition_for_every_size),
		cmocka_unit_test(a_leaf_is_no_node),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
