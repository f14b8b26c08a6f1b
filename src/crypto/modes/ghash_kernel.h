/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel of GHASH (SP 800-38D 6.4) must do. Inside the module only; GCM uses it.
 * No branch, address or variable-time instruction depends on the hash key or the data; no alignment
 * is needed; no byte beyond the blocks is read.
 */
#ifndef HF_CRYPTO_MODES_GHASH_KERNEL_H
#define HF_CRYPTO_MODES_GHASH_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/gcm.h"

struct hf_ghash_kernel {
	const char *name;
	uint32_t needs; /* HF_CPU_* */

	/* Sets k->h, and nothing else of k, to what blocks() will want of the hash key. */
	void (*init)(struct hf_gcm_key *k, const uint8_t h[16]);

	/* y = (y ^ block) * H for each of n_blocks, which may be 0. Reads k->h alone. */
	void (*blocks)(
		const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t n_blocks);
};

/* The kernels that were built, best first, the C reference last; NULL from the count on. */
const struct hf_ghash_kernel *hf_ghash_kernel_at(size_t i);

/* The best kernel for these HF_CPU_* bits that passes its self-test; NULL: not even the reference.
 */
const struct hf_ghash_kernel *hf_ghash_choose(uint32_t cpu);

extern const struct hf_ghash_kernel hf_ghash_kernel_c;
extern const struct hf_ghash_kernel hf_ghash_kernel_vpclmul; /* x86-64 only, as the next */
extern const struct hf_ghash_kernel hf_ghash_kernel_vpclmul_avx2;
extern const struct hf_ghash_kernel hf_ghash_kernel_pclmul;
extern const struct hf_ghash_kernel hf_ghash_kernel_arm_pmull; /* AArch64 only */

#endif
