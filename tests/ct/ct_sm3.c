/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen SM3 kernel on states and data that count as secret: one message, and lanes. */
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "ct.h"

enum {
	BLOCKS = 3,
};

int main(void)
{
	const uint8_t *in[HF_SM3_LANES_MAX];
	const struct hf_sm3_kernel *k;
	uint64_t seed = ct_seed(10);
	uint8_t data[BLOCKS * HF_SM3_BLOCK_LEN + HF_SM3_LANES_MAX];
	uint32_t h[HF_SM3_LANES_MAX * 8];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	k = hf_module()->sm3;
	for (size_t i = 0; i < HF_SM3_LANES_MAX; i++)
		in[i] = data + i;
	(void)ct_fill(&seed, data, sizeof(data));
	(void)ct_fill(&seed, (uint8_t *)h, sizeof(h));
	k->compress(h, data, BLOCKS);
	for (size_t n = 1; n <= HF_SM3_LANES_MAX; n++)
		k->lanes(h, in, n, BLOCKS);
	return 0;
}
