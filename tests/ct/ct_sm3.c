/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every SM3 kernel whose instructions memcheck decodes, on states and data that it takes for
 * undefined.
 */
#include "base/cpu.h"
#include "crypto/sm3/sm3_kernel.h"
#include "ct.h"
#include "os/cpu.h"

enum {
	BLOCKS = 3,
};

int main(void)
{
	const uint32_t decoded = hf_os_cpu() & (HF_CPU_SSE41 | HF_CPU_AVX2 | HF_CPU_BMI2);
	const struct hf_sm3_kernel *k;
	const uint8_t *in[HF_SM3_LANES_MAX];
	uint64_t seed = 5;
	uint8_t data[BLOCKS * HF_SM3_BLOCK_LEN + HF_SM3_LANES_MAX];
	uint32_t h[HF_SM3_LANES_MAX * 8];

	CT_NEEDS_VALGRIND();
	for (size_t i = 0; i < HF_SM3_LANES_MAX; i++)
		in[i] = data + i;
	for (size_t i = 0; (k = hf_sm3_kernel_at(i)) != NULL; i++) {
		if ((k->needs & ~decoded) != 0)
			continue;
		(void)ct_fill(&seed, data, sizeof(data));
		(void)ct_fill(&seed, (uint8_t *)h, sizeof(h));
		k->compress(h, data, BLOCKS);
		for (size_t n = 1; n <= HF_SM3_LANES_MAX; n++)
			k->lanes(h, in, n, BLOCKS);
		(void)printf("%s\n", k->name);
	}
	return 0;
}
