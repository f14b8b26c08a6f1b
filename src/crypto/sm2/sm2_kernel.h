/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel of SM2 must do: whole multiplications of points, so that the choice of a kernel
 * costs nothing where the time goes. Inside the module only; callers use sm2_mul.h, which takes any
 * scalar and any point.
 *
 * Every kernel obeys, and tests/kernels/test_sm2.c checks:
 *   - results are those of the group for every scalar and point allowed; coordinates are reduced.
 *   - r may overlap nothing else, except in the functions of the field.
 *   - no branch, address or variable-time instruction depends on k of mul_base() and mul(), nor on
 *     what the functions of the field are given. mul_two() sees public values only.
 *   - secrets in arrays of its own are wiped.
 */
#ifndef HF_CRYPTO_SM2_SM2_KERNEL_H
#define HF_CRYPTO_SM2_SM2_KERNEL_H

#include <stdint.h>

#include "crypto/sm2/sm2_point.h"

struct hf_sm2_kernel {
	const char *name;
	uint32_t needs; /* HF_CPU_* */

	/* r = [k] G and r = [k] p, k < n. */
	void (*mul_base)(struct hf_pt *r, const uint64_t k[4]);
	void (*mul)(struct hf_pt *r, const uint64_t k[4], const struct hf_pt_affine *p);

	/* r = [s] G + [t] p for any s and t. */
	void (*mul_two)(struct hf_pt *r, const uint64_t s[4], const uint64_t t[4],
		const struct hf_pt_affine *p);

	/* The field that the functions above compute in, for tests. r may be a or b. */
	void (*fp_mul)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b);
	void (*fp_sqr)(struct hf_fp *r, const struct hf_fp *a);
	void (*fp_add)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b);
	void (*fp_sub)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b);
	void (*fp_half)(struct hf_fp *r, const struct hf_fp *a);

	/* a b - c d, a b - c^2 and a - 2 b. */
	void (*fp_mul_less_mul)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b,
		const struct hf_fp *c, const struct hf_fp *d);
	void (*fp_mul_less_sqr)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b,
		const struct hf_fp *c);
	void (*fp_sub_twice)(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b);
};

/* The kernels that were built, best first, the C reference last; NULL from the count on. */
const struct hf_sm2_kernel *hf_sm2_kernel_at(size_t i);

/* The best kernel for these HF_CPU_* bits that passes its self-test; NULL: not even the reference.
 */
const struct hf_sm2_kernel *hf_sm2_choose(uint32_t cpu);

extern const struct hf_sm2_kernel hf_sm2_kernel_c;
extern const struct hf_sm2_kernel hf_sm2_kernel_mulx; /* x86-64 only */

#endif
