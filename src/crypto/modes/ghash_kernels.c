/* SPDX-License-Identifier: Apache-2.0 */
/* The table of GHASH kernels and the choice among them; as sm4_kernels.c. */
#include "crypto/modes/ghash_kernel.h"

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/ct.h"
#include "crypto/fault.h"

static const struct hf_ghash_kernel *const ghash_kernels[] = {
/* best first */
#if HF_X86
	&hf_ghash_kernel_vpclmul, &hf_ghash_kernel_vpclmul_avx2, &hf_ghash_kernel_pclmul,
#elif HF_A64
	&hf_ghash_kernel_arm_pmull,
#endif
	&hf_ghash_kernel_c, /* reference, always last */
};

enum {
	TEST_BLOCKS = 75, /* more than any kernel takes at once, and an odd rest */
};

const struct hf_ghash_kernel *hf_ghash_kernel_at(size_t i)
{
	return i < HF_COUNT(ghash_kernels) ? ghash_kernels[i] : NULL;
}

/* GHASH of two blocks: test case 2 of McGrew and Viega's GCM specification. */
static bool reference_is_right(void)
{
	static const uint8_t key[16] = { 0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b, 0x88, 0x4c,
		0xfa, 0x59, 0xca, 0x34, 0x2b, 0x2e };
	static const uint8_t in[32] = { 0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28,
		0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78, [31] = 0x80 };
	static const uint8_t want[16] = { 0xf3, 0x8c, 0xbb, 0x1a, 0xd6, 0x92, 0x23, 0xdc, 0xc3,
		0x45, 0x7a, 0xe5, 0xb6, 0xb0, 0xf8, 0x85 };
	struct hf_gcm_key k;
	uint8_t y[16] = { 0 };

	hf_ghash_kernel_c.init(&k, key);
	hf_ghash_kernel_c.blocks(&k, y, in, 2);
	return hf_ct_eq(y, want, sizeof(want));
}

static bool agrees_with_reference(const struct hf_ghash_kernel *kernel)
{
	uint8_t in[TEST_BLOCKS * 16];
	struct hf_gcm_key k;
	struct hf_gcm_key k_ref;
	uint8_t y[16] = { 1 };
	uint8_t y_ref[16] = { 1 };

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 73 + (i >> 8) * 151 + 29);
	kernel->init(&k, in + 3);
	hf_ghash_kernel_c.init(&k_ref, in + 3);
	for (size_t n = 0; n <= TEST_BLOCKS; n += 5) {
		kernel->blocks(&k, y, in, n);
		hf_ghash_kernel_c.blocks(&k_ref, y_ref, in, n);
		HF_FAULT("ghash kernel", y[0]);
		if (!hf_ct_eq(y, y_ref, sizeof(y)))
			return false;
	}
	return true;
}

const struct hf_ghash_kernel *hf_ghash_choose(uint32_t cpu)
{
	if (!reference_is_right())
		return NULL;
	for (size_t i = 0; i < HF_COUNT(ghash_kernels); i++)
		if ((ghash_kernels[i]->needs & ~cpu) == 0 &&
			agrees_with_reference(ghash_kernels[i]))
			return ghash_kernels[i];
	return NULL;
}
