/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of SM3 kernels and the choice among them; as sm4_kernels.c. That the one chosen gives
 * the standard's examples is the module's test of SM3 (sm3.c).
 */
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "crypto/fault.h"
#include "crypto/sm3/sm3_kernel.h"

static const struct hf_sm3_kernel *const sm3_kernels[] = {
/* best first */
#if HF_X86
	&hf_sm3_kernel_avx512, &hf_sm3_kernel_bmi2_avx2, &hf_sm3_kernel_avx2, &hf_sm3_kernel_sse41,
#elif HF_A64
	&hf_sm3_kernel_arm_sm3, &hf_sm3_kernel_neon,
#endif
	&hf_sm3_kernel_c, /* reference, always last */
};

enum {
	TEST_BLOCKS = 19, /* of each lane: more than any kernel expands at once, and an odd rest */
	TEST_LEN = TEST_BLOCKS * HF_SM3_BLOCK_LEN,
	TEST_STEP = 37, /* bytes from lane to lane: odd, so that all alignments come */
};

const struct hf_sm3_kernel *hf_sm3_kernel_at(size_t i)
{
	return i < HF_COUNT(sm3_kernels) ? sm3_kernels[i] : NULL;
}

/* All lanes at once, as many as make the worst case of a kernel, and one at a time. */
static bool agrees_with_reference(const struct hf_sm3_kernel *kernel)
{
	static const size_t counts[] = { HF_SM3_LANES_MAX, HF_SM3_LANES_MAX / 2 + 5, 4, 1 };
	uint8_t data[TEST_LEN + TEST_STEP * HF_SM3_LANES_MAX];
	const uint8_t *in[HF_SM3_LANES_MAX];
	uint32_t got[HF_SM3_LANES_MAX * 8];
	uint32_t want[HF_SM3_LANES_MAX * 8];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 73 + (i >> 8) * 151 + 29);
	for (size_t i = 0; i < HF_SM3_LANES_MAX; i++)
		in[i] = data + TEST_STEP * i;
	for (size_t i = 0; i < HF_COUNT(want); i++)
		got[i] = want[i] = (uint32_t)i * 0x9e3779b9;
	for (size_t i = 0; i < HF_COUNT(counts); i++) {
		kernel->lanes(got, in, counts[i], TEST_BLOCKS - i);
		hf_sm3_kernel_c.lanes(want, in, counts[i], TEST_BLOCKS - i);
	}
	for (size_t n = 0; n <= TEST_BLOCKS; n++) {
		kernel->compress(got, in[n], n);
		hf_sm3_kernel_c.compress(want, in[n], n);
	}
	HF_FAULT("sm3 kernel", got[0]);
	return memcmp(got, want, sizeof(want)) == 0;
}

const struct hf_sm3_kernel *hf_sm3_choose(uint32_t cpu)
{
	for (size_t i = 0; i < HF_COUNT(sm3_kernels); i++)
		if ((sm3_kernels[i]->needs & ~cpu) == 0 && agrees_with_reference(sm3_kernels[i]))
			return sm3_kernels[i];
	return NULL;
}
