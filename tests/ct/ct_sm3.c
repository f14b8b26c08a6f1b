/* SPDX-License-Identifier: Apache-2.0 */
/* tables: sm3 */
/* The chosen kernel of SM3 with every number of lanes, and batches, on states and data that are
 * secret. */
#include "crypto/sm3/sm3_kernel.h"
#include "ct.h"

enum {
	BLOCKS = 3,
	JOBS = 41,
};

static uint8_t data[BLOCKS * HF_SM3_BLOCK_LEN + HF_SM3_LANES_MAX];

static void run_batch(void)
{
	static uint8_t digests[JOBS][HF_SM3_LEN];
	struct hf_sm3_job jobs[JOBS];
	struct hf_sm3 begun;

	hf_sm3_init(&begun);
	hf_sm3_feed(&begun, data, 70);
	for (size_t i = 0; i < JOBS; i++)
		jobs[i] =
			(struct hf_sm3_job){ i % 3 == 0 ? &begun : NULL, data, 5 * i, digests[i] };
	hf_sm3_batch(jobs, JOBS);
}

int main(void)
{
	const struct hf_sm3_kernel *k;
	const uint8_t *in[HF_SM3_LANES_MAX];
	uint64_t seed = ct_seed(5);
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
	run_batch();
	return 0;
}
