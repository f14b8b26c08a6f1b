/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel of GCM must do. One in which cipher and hash share the pipeline stands on an SM4
 * and a GHASH kernel, whose matrices and powers it uses, and is taken only beside these two. The
 * last one calls any two in turn. Inside the module only.
 *
 * Every kernel obeys, and tests/kernels/test_gcm.c checks: out may be exactly in; no alignment is
 * needed; no byte beyond the texts is read or written; no branch, address or variable-time
 * instruction depends on keys or data, lengths and nonces excepted.
 */
#ifndef HF_CRYPTO_MODES_GCM_KERNEL_H
#define HF_CRYPTO_MODES_GCM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/gcm.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/sm4/sm4_kernel.h"

struct hf_gcm_kernel {
	const char *name;
	uint32_t needs;                      /* HF_CPU_* */
	const struct hf_sm4_kernel *sm4;     /* it stands on this one; NULL: on any */
	const struct hf_ghash_kernel *ghash; /* likewise; k->h is what its init made */

	/* Sets k->stitched, and nothing else of k, to what the others will want of k->sm4. */
	void (*init)(struct hf_gcm_key *k);

	/* Whole blocks within a message: ctr32 of the text, GHASH of the ciphertext's side. */
	void (*blocks)(const struct hf_gcm_key *k, uint8_t counter[16], uint8_t hash[16],
		uint8_t *out, const uint8_t *in, size_t n_blocks, bool seal);

	/*
	 * A whole message, whose nonce has 12 bytes and whose lengths have been checked: a->out,
	 * and the whole tag; a->tag is not looked at.
	 */
	void (*message)(const struct hf_gcm_key *k, const struct hf_aead *a,
		uint8_t tag[HF_GCM_TAG_LEN], bool seal);
};

/* The kernels that were built, best first; NULL from the count on. */
const struct hf_gcm_kernel *hf_gcm_kernel_at(size_t i);

/*
 * The best that stands on these two, whose CPU bits are there and whose self-test passes. NULL: not
 * even the last.
 */
const struct hf_gcm_kernel *hf_gcm_choose(
	uint32_t cpu, const struct hf_sm4_kernel *sm4, const struct hf_ghash_kernel *ghash);

extern const struct hf_gcm_kernel hf_gcm_kernel_gfni_vpclmul_avx512; /* x86-64 only */
extern const struct hf_gcm_kernel hf_gcm_kernel_parts;

/*
 * Short messages in three steps, so that many share the second: counter blocks from J0 on, ECB over
 * them, and then the text and the whole tag. stream has room for BLOCK + HF_GCM_SHORT_LEN bytes;
 * the caller wipes it. _counters returns the number of blocks.
 */
enum {
	HF_GCM_SHORT_LEN = 496, /* bytes of text: with J0, 32 blocks */
	HF_GCM_SHORT_AAD = 64,
};

static inline bool hf_gcm_is_short(const struct hf_aead *a)
{
	return a->nonce_len == HF_GCM_NONCE_LEN && a->in_len <= HF_GCM_SHORT_LEN &&
	       a->aad_len <= HF_GCM_SHORT_AAD;
}

size_t hf_gcm_short_counters(uint8_t *stream, const struct hf_aead *a);
void hf_gcm_short_finish(const struct hf_gcm_key *k, const struct hf_aead *a, const uint8_t *stream,
	uint8_t tag[HF_GCM_TAG_LEN], bool seal);

#endif
