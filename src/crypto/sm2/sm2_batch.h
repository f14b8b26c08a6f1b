/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel for many operations of SM2 at once must do. Inside the module only: the services
 * are in sm2.h, their bodies in sm2_batch.c, which hands over what it has checked and makes the
 * result of each job.
 *
 * Every kernel obeys, and tests/kernels/test_sm2_batch.c checks:
 *   - 0 <= n <= HF_SM2_BATCH_MAX; no lane beyond n is read or written.
 *   - a lane that is refused has no influence on the others.
 *   - numbers are plain limbs, the lowest first; results are fully reduced.
 *   - no branch, address or variable-time instruction depends on d, k, or the point of ecdh().
 *     Verification sees public values only.
 *   - secrets that it spilled to the stack in arrays of its own are wiped.
 * Masks of lanes have bit i for lane i.
 */
#ifndef HF_CRYPTO_SM2_SM2_BATCH_H
#define HF_CRYPTO_SM2_SM2_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sm2.h"

enum {
	HF_SM2_BATCH_MAX = 32, /* lanes of one call; they share what inversions cost */
};

struct hf_sm2_key_lane {
	uint64_t d[4]; /* 1 .. n - 2 */
	uint64_t x[4]; /* of the public key, as y */
	uint64_t y[4];
};

struct hf_sm2_sign_lane {
	uint64_t d[4]; /* 1 .. n - 2 */
	uint64_t k[4]; /* 1 .. n - 1 */
	uint64_t e[4]; /* any */
	uint64_t r[4]; /* written */
	uint64_t s[4]; /* written */
};

struct hf_sm2_ecdh_lane {
	uint64_t d[4]; /* 1 .. n - 1 */
	const struct hf_sm2_pub *peer;
	uint64_t x[4]; /* written */
};

struct hf_sm2_batch_kernel {
	const char *name;
	uint32_t needs; /* HF_CPU_* */

	/* (x, y) = [d] G, written. */
	void (*keys)(struct hf_sm2_key_lane *lanes, size_t n);

	/*
	 * The lanes where (x, y) is a point of the curve and is [d] G, found by a computation that
	 * takes other entries of the table than keys() did.
	 */
	uint32_t (*pairs)(const struct hf_sm2_key_lane *lanes, size_t n);

	/* r and s of GB/T 32918.2-2016 6.1. The lanes whose k can be used: all but one of 2^255. */
	uint32_t (*sign)(struct hf_sm2_sign_lane *lanes, size_t n);

	/* The lanes where the signature holds; whatever the bytes of the jobs are. */
	uint32_t (*verify)(const struct hf_sm2_verify_job *jobs, size_t n);

	/* x of [d] peer. The lanes where peer is a point of the curve; elsewhere x means nothing.
	 */
	uint32_t (*ecdh)(struct hf_sm2_ecdh_lane *lanes, size_t n);
};

/* The kernels that were built, best first, the C reference last; NULL from the count on. */
const struct hf_sm2_batch_kernel *hf_sm2_batch_kernel_at(size_t i);

/* The best kernel for these HF_CPU_* bits that passes its self-test; NULL: not even the reference.
 */
const struct hf_sm2_batch_kernel *hf_sm2_batch_choose(uint32_t cpu);

extern const struct hf_sm2_batch_kernel hf_sm2_batch_kernel_c;
extern const struct hf_sm2_batch_kernel hf_sm2_batch_kernel_ifma_avx512; /* x86-64 only */

/* hf_sm2_verify_digest() without the check of the module's state. */
HF_MUST_USE hf_err hf_sm2_verify_raw(
	const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig);

#endif
