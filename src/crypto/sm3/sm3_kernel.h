/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel of SM3 must do. Inside the module only: the services are in sm3.h.
 *
 * Every kernel obeys, and tests/kernels/test_sm3.c checks:
 *   - no alignment is needed; no byte beyond the blocks is read, no state beyond n is touched.
 *   - n and n_blocks may be 0; n_blocks has no upper limit.
 *   - no branch, address or variable-time instruction depends on states or data.
 *   - data that it spilled to the stack in arrays of its own is wiped.
 */
#ifndef HF_CRYPTO_SM3_SM3_KERNEL_H
#define HF_CRYPTO_SM3_SM3_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sm3.h"

enum {
	HF_SM3_ROUNDS = 64,
};

struct hf_sm3_kernel {
	const char *name;
	uint32_t needs; /* HF_CPU_* */

	/* One state over n_blocks blocks of 64 bytes that lie one after another. */
	void (*compress)(uint32_t h[8], const uint8_t *in, size_t n_blocks);

	/*
	 * n <= HF_SM3_LANES_MAX states (h + 8 * i), each over n_blocks blocks of its own at in[i].
	 * Never slower than one after another.
	 */
	void (*lanes)(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks);
};

/* The kernels that were built, best first, the C reference last; NULL from the count on. */
const struct hf_sm3_kernel *hf_sm3_kernel_at(size_t i);

/* The best kernel for these HF_CPU_* bits that passes its self-test; NULL: not even the reference.
 */
const struct hf_sm3_kernel *hf_sm3_choose(uint32_t cpu);

extern const struct hf_sm3_kernel hf_sm3_kernel_c;
extern const struct hf_sm3_kernel hf_sm3_kernel_avx512; /* x86-64 only, as the next */
extern const struct hf_sm3_kernel hf_sm3_kernel_bmi2_avx2;
extern const struct hf_sm3_kernel hf_sm3_kernel_avx2;
extern const struct hf_sm3_kernel hf_sm3_kernel_sse41;
extern const struct hf_sm3_kernel hf_sm3_kernel_arm_sm3; /* AArch64 only, as the next */
extern const struct hf_sm3_kernel hf_sm3_kernel_neon;

/* The compress() of kernels that need HF_CPU_AVX2 and HF_CPU_BMI2. */
void hf_sm3_compress_bmi2_avx2(uint32_t h[8], const uint8_t *in, size_t n_blocks);

/* The lanes() of kernels that need HF_CPU_AVX2; returns how many of the n it has taken. */
size_t hf_sm3_lanes_avx2(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks);

/*
 * Writes the padding behind the tail_len (< 64) bytes that stand in pad already, and returns
 * whether that makes one block or two; 5.1. len is the whole message in bytes.
 */
size_t hf_sm3_pad(uint8_t pad[2 * HF_SM3_BLOCK_LEN], size_t tail_len, uint64_t len);

/* The digest that a state is; all zero unless the module serves. */
void hf_sm3_emit(uint8_t out[HF_SM3_LEN], const uint32_t h[8]);

/* The constants of the rounds, T_j <<< j mod 32; GB/T 32905-2016 4.2 and 5.3.3. */
extern const uint32_t hf_sm3_t[HF_SM3_ROUNDS];

#endif
