/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of SM2 kernels and the choice among them; as sm4_kernels.c. That the one chosen gives
 * the standard's examples is the module's test of SM2 (sm2_selftest.c).
 */
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "crypto/fault.h"
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm2/sm2_mul.h"

static const struct hf_sm2_kernel *const sm2_kernels[] = {
/* best first */
#if HF_X86
	&hf_sm2_kernel_mulx,
#endif
	&hf_sm2_kernel_c, /* reference, always last */
};

const struct hf_sm2_kernel *hf_sm2_kernel_at(size_t i)
{
	return i < HF_COUNT(sm2_kernels) ? sm2_kernels[i] : NULL;
}

static bool same(const struct hf_pt *a, const struct hf_pt *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Operands on which carries and reductions turn; below p and below n. */
static const uint64_t edges[][4] = {
	{ 0 },
	{ 1 },
	{ UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_C(0xfffffffe00000000) },
	{ UINT64_MAX - 1, HF_FP_P1, HF_FP_P2, HF_FP_P3 - 1 },
	{ 0, 0, 0, UINT64_C(0xfffffffeffffffff) },
	{ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xbf58476d1ce4e5b9), UINT64_C(0x94d049bb133111eb),
		UINT64_C(0x5851f42d4c957f2d) },
};

static bool field_agrees(const struct hf_sm2_kernel *kernel)
{
	const struct hf_sm2_kernel *c = &hf_sm2_kernel_c;
	struct hf_fp got[8];
	struct hf_fp want[8];

	for (size_t i = 0; i < HF_COUNT(edges) * HF_COUNT(edges); i++) {
		struct hf_fp a;
		struct hf_fp b;

		memcpy(a.v, edges[i % HF_COUNT(edges)], sizeof(a.v));
		memcpy(b.v, edges[i / HF_COUNT(edges)], sizeof(b.v));
		kernel->fp_mul(&got[0], &a, &b);
		kernel->fp_sqr(&got[1], &a);
		kernel->fp_add(&got[2], &a, &b);
		kernel->fp_sub(&got[3], &a, &b);
		kernel->fp_half(&got[4], &a);
		kernel->fp_mul_less_mul(&got[5], &a, &b, &b, &b);
		kernel->fp_mul_less_sqr(&got[6], &a, &b, &a);
		kernel->fp_sub_twice(&got[7], &a, &b);
		c->fp_mul(&want[0], &a, &b);
		c->fp_sqr(&want[1], &a);
		c->fp_add(&want[2], &a, &b);
		c->fp_sub(&want[3], &a, &b);
		c->fp_half(&want[4], &a);
		HF_FAULT("sm2 kernel", got[0].v[0]);
		c->fp_mul_less_mul(&want[5], &a, &b, &b, &b);
		c->fp_mul_less_sqr(&want[6], &a, &b, &a);
		c->fp_sub_twice(&want[7], &a, &b);
		if (memcmp(got, want, sizeof(got)) != 0)
			return false;
	}
	return true;
}

static bool agrees_with_reference(const struct hf_sm2_kernel *kernel)
{
	const struct hf_sm2_kernel *c = &hf_sm2_kernel_c;
	const struct hf_pt_affine *p = &hf_g_table[5][6];
	struct hf_pt got;
	struct hf_pt want;

	if (!field_agrees(kernel))
		return false;
	for (size_t i = 2; i < HF_COUNT(edges); i += 3) {
		kernel->mul_base(&got, edges[i]);
		c->mul_base(&want, edges[i]);
		if (!same(&got, &want))
			return false;
		kernel->mul(&got, edges[i], p);
		c->mul(&want, edges[i], p);
		if (!same(&got, &want))
			return false;
		kernel->mul_two(&got, edges[i], edges[i - 1], p);
		c->mul_two(&want, edges[i], edges[i - 1], p);
		if (!same(&got, &want))
			return false;
	}
	return true;
}

const struct hf_sm2_kernel *hf_sm2_choose(uint32_t cpu)
{
	for (size_t i = 0; i < HF_COUNT(sm2_kernels); i++)
		if ((sm2_kernels[i]->needs & ~cpu) == 0 && agrees_with_reference(sm2_kernels[i]))
			return sm2_kernels[i];
	return NULL;
}
