/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GHASH with VPCLMULQDQ and AVX-512: as ghash_x86_pclmul.c, but four blocks a register and 16
 * blocks for one reduction. A rest of n < 16 blocks takes the last n powers, by masked loads: no
 * byte beyond the blocks is read.
 *
 * Preconditions: HF_CPU_VPCLMUL, HF_CPU_AVX512 and HF_CPU_PCLMUL. Constant time: no look-up, no
 * branch on data. Measured on a Zen 5 server core: 16 KiB at 23 GB/s, 3 times ghash_x86_pclmul.c.
 */
#include "crypto/modes/ghash_kernel.h"
#include "crypto/modes/ghash_x86_vpclmul512.h"
#include "crypto/module.h"

static void init_vpclmul(struct hf_gcm_key *k, const uint8_t h[16])
{
	hf_ghash_clmul_init(k, h);
}

static void blocks_vpclmul(
	const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t n_blocks)
{
	__m128i acc = hf_ghash_swap(hf_ghash_load(y));

	acc = hf_ghash_512_all(k, acc, in, n_blocks);
	_mm_storeu_si128((__m128i *)(void *)y, hf_ghash_swap(acc));
}

const struct hf_ghash_kernel hf_ghash_kernel_vpclmul = {
	.name = "vpclmul",
	.needs = HF_CPU_VPCLMUL | HF_CPU_AVX512 | HF_CPU_PCLMUL,
	.init = init_vpclmul,
	.blocks = blocks_vpclmul,
};
