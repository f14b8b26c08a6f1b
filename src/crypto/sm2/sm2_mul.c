/* SPDX-License-Identifier: Apache-2.0 */
/* Any scalar and any point, brought into the range that the kernels take. */
#include "crypto/sm2/sm2_mul.h"

#include "base/wipe.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_kernel.h"

/* Before the module has chosen, the reference. */
static const struct hf_sm2_kernel *kernel(void)
{
	return hf_module()->sm2 != NULL ? hf_module()->sm2 : &hf_sm2_kernel_c;
}

/* r = k modulo n; k < 2^256 < 2 n. */
static void reduce(uint64_t r[4], const uint64_t k[4])
{
	uint64_t t[4];
	hf_ct_mask below = hf_ct_bit(hf_w256_sub(t, k, hf_fn_n));

	hf_w256_pick(r, below, k, t);
	hf_wipe(t, sizeof(t));
}

void hf_pt_mul_base(struct hf_pt *r, const uint64_t k[4])
{
	uint64_t t[4];

	reduce(t, k);
	kernel()->mul_base(r, t);
	hf_wipe(t, sizeof(t));
}

/* The coordinates of a public point; false for infinity. Most come with z = 1. */
static bool finite(struct hf_pt_affine *a, const struct hf_pt *p)
{
	if (hf_fp_zero(&p->z) != 0)
		return false;
	if (hf_fp_same(&p->z, &hf_fp_one) != 0)
		*a = (struct hf_pt_affine){ p->x, p->y };
	else
		hf_pt_affine(a, p);
	return true;
}

void hf_pt_mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p)
{
	struct hf_pt_affine a;
	uint64_t t[4];

	if (!finite(&a, p)) {
		*r = hf_pt_infinity;
		return;
	}
	reduce(t, k);
	kernel()->mul(r, t, &a);
	hf_wipe(t, sizeof(t));
}

void hf_pt_mul_public(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p)
{
	static const uint64_t none[4] = { 0 };

	hf_pt_mul_two_public(r, none, k, p);
}

void hf_pt_mul_two_public(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt *p)
{
	struct hf_pt_affine a;

	if (finite(&a, p))
		kernel()->mul_two(r, s, t, &a);
	else
		hf_pt_mul_base(r, s);
}
