/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel of SM4 must do. Inside the module only: the services are in sm4.h, gcm.h and ccm.h.
 *
 * Every kernel obeys, and tests/kernels/test_sm4.c checks:
 *   - rk is the encryption order of struct hf_sm4_key; decryption hands in the reverse.
 *   - out may be exactly in; no alignment is needed; no byte beyond the blocks is read or written.
 *   - n_blocks may be 0 and has no upper limit.
 *   - no branch, address or variable-time instruction depends on keys or data.
 *   - keys and data that it spilled to the stack in arrays of its own are wiped.
 */
#ifndef HF_CRYPTO_SM4_SM4_KERNEL_H
#define HF_CRYPTO_SM4_SM4_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sm4.h"
#include "crypto/xts.h"

enum {
	HF_SM4_LANES = 16, /* independent CBC chains that one call works on */
};

/* One CBC chain. iv is replaced by the last ciphertext block. */
struct hf_sm4_lane {
	const uint32_t *rk;
	uint8_t *iv;
	uint8_t *out;
	const uint8_t *in;
};

struct hf_sm4_kernel {
	const char *name;
	uint32_t needs; /* HF_CPU_* */

	void (*ecb)(
		const uint32_t rk[HF_SM4_ROUNDS], uint8_t *out, const uint8_t *in, size_t n_blocks);

	/*
	 * Key stream XOR in. Only the last four bytes of the counter count, as a big-endian number
	 * modulo 2^32 (inc32 of SP 800-38D 6.2); counter is left at the next unused block.
	 */
	void (*ctr32)(const uint32_t rk[HF_SM4_ROUNDS], uint8_t counter[HF_SM4_BLOCK_LEN],
		uint8_t *out, const uint8_t *in, size_t n_blocks);

	/* CBC encryption of one chain. out NULL: only iv is wanted (CBC-MAC). */
	void (*cbc)(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out,
		const uint8_t *in, size_t n_blocks);

	/* CBC encryption of n <= HF_SM4_LANES chains of n_blocks each; keys may differ. */
	void (*cbc_lanes)(const struct hf_sm4_lane *lanes, size_t n, size_t n_blocks);

	/*
	 * The next two may be NULL where they would gain nothing; sm4.c and xts.c then make them of
	 * ecb. CBC decryption: rk backwards; iv is replaced by the last ciphertext block.
	 */
	void (*cbc_decrypt)(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[HF_SM4_BLOCK_LEN],
		uint8_t *out, const uint8_t *in, size_t n_blocks);

	/*
	 * XTS over whole blocks: tweak is T, encrypted already; each block is XORed with it before
	 * and after, and T becomes T * x. tweak is left for the next block.
	 */
	void (*xts)(const uint32_t rk[HF_SM4_ROUNDS], uint8_t tweak[HF_SM4_BLOCK_LEN], uint8_t *out,
		const uint8_t *in, size_t n_blocks, enum hf_xts_order order);

	/* The key expansion, 7.3. NULL: sm4.c's own. */
	void (*expand)(uint32_t rk[HF_SM4_ROUNDS], const uint8_t key[HF_SM4_KEY_LEN]);
};

/* The kernels that were built, best first, the C reference last; NULL from the count on. */
const struct hf_sm4_kernel *hf_sm4_kernel_at(size_t i);

/* The best kernel for these HF_CPU_* bits that passes its self-test; NULL: not even the reference.
 */
const struct hf_sm4_kernel *hf_sm4_choose(uint32_t cpu);

extern const struct hf_sm4_kernel hf_sm4_kernel_c;
extern const struct hf_sm4_kernel hf_sm4_kernel_gfni_avx512; /* x86-64 only, as the next */
extern const struct hf_sm4_kernel hf_sm4_kernel_gfni_avx2;
extern const struct hf_sm4_kernel hf_sm4_kernel_vaes_avx2;
extern const struct hf_sm4_kernel hf_sm4_kernel_aesni_avx2;
extern const struct hf_sm4_kernel hf_sm4_kernel_aesni_sse41;
extern const struct hf_sm4_kernel hf_sm4_kernel_arm_sm4; /* AArch64 only, as the next */
extern const struct hf_sm4_kernel hf_sm4_kernel_neon;

/*
 * The bodies of the services of the same name, without the check of the module's state: for the
 * modes built on them and for self-tests, which run before the module is ready.
 */
void hf_sm4_ctr_raw(const struct hf_sm4_key *k, uint8_t counter[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t len);

/* The round keys backwards, for decryption (GB/T 32907-2016 7.2). The caller wipes them. */
void hf_sm4_keys_backwards(uint32_t rk[HF_SM4_ROUNDS], const struct hf_sm4_key *k);

/* cbc_decrypt and xts made of the kernel's ecb: the references. */
void hf_sm4_cbc_decrypt_of_ecb(const struct hf_sm4_kernel *kernel, const uint32_t rk[HF_SM4_ROUNDS],
	uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out, const uint8_t *in, size_t n_blocks);
void hf_xts_blocks_of_ecb(const struct hf_sm4_kernel *kernel, const uint32_t rk[HF_SM4_ROUNDS],
	uint8_t tweak[HF_SM4_BLOCK_LEN], uint8_t *out, const uint8_t *in, size_t n_blocks,
	enum hf_xts_order order);

#endif
