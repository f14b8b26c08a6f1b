/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of SM2 in plain C: one lane after another with the functions of single operations, but
 * inversions are shared. Montgomery's trick turns n of them into one and 3 (n - 1) products: with
 * the products run[i] = z[0] ... z[i], the inverse of the last, times run[n - 2], is that of
 * z[n - 1]; times z[n - 1] it is the inverse of run[n - 2], and so on down.
 *
 * The reference for the other kernels; tests/kernels/test_sm2_batch.c prints what it gains.
 */
#include <stdbool.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_mul.h"

enum { MAX = HF_SM2_BATCH_MAX };

/* A point on its way to affine form. */
struct lane {
	struct hf_pt p;
	struct hf_fp z_run; /* product of the z up to this lane */
};

/* Makes all p affine. No z is 0. */
static void lanes_affine(struct lane *l, size_t n)
{
	struct hf_fp inv;
	struct hf_fp one;

	if (n == 0)
		return;
	l[0].z_run = l[0].p.z;
	for (size_t i = 1; i < n; i++)
		hf_fp_mul(&l[i].z_run, &l[i - 1].z_run, &l[i].p.z);
	hf_fp_inv(&inv, &l[n - 1].z_run);
	for (size_t i = n; i-- > 0;) {
		one = inv;
		if (i > 0)
			hf_fp_mul(&one, &inv, &l[i - 1].z_run);
		hf_fp_mul(&inv, &inv, &l[i].p.z);
		hf_fp_mul(&l[i].p.x, &l[i].p.x, &one);
		hf_fp_mul(&l[i].p.y, &l[i].p.y, &one);
	}
	hf_wipe(&inv, sizeof(inv));
	hf_wipe(&one, sizeof(one));
}

/* v[i] = 1 / v[i]. No v is 0. */
static void scalars_invert(struct hf_fn *v, size_t n)
{
	struct hf_fn run[MAX];
	struct hf_fn inv;
	struct hf_fn one;

	if (n == 0)
		return;
	run[0] = v[0];
	for (size_t i = 1; i < n; i++)
		hf_fn_mul(&run[i], &run[i - 1], &v[i]);
	hf_fn_inv(&inv, &run[n - 1]);
	for (size_t i = n; i-- > 0;) {
		one = inv;
		if (i > 0)
			hf_fn_mul(&one, &inv, &run[i - 1]);
		hf_fn_mul(&inv, &inv, &v[i]);
		v[i] = one;
	}
	hf_wipe(run, sizeof(run));
	hf_wipe(&inv, sizeof(inv));
	hf_wipe(&one, sizeof(one));
}

/* Plain limbs of a field element. */
static void limbs(uint64_t plain[4], const struct hf_fp *a)
{
	uint8_t bytes[HF_SM2_LEN];

	hf_fp_put(bytes, a);
	hf_w256_get(plain, bytes);
	hf_wipe(bytes, sizeof(bytes));
}

static void keys_c(struct hf_sm2_key_lane *lanes, size_t n)
{
	struct lane l[MAX];

	for (size_t i = 0; i < n; i++)
		hf_pt_mul_base(&l[i].p, lanes[i].d);
	lanes_affine(l, n);
	for (size_t i = 0; i < n; i++) {
		limbs(lanes[i].x, &l[i].p.x);
		limbs(lanes[i].y, &l[i].p.y);
	}
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
}

/* [n - d] G takes other entries of the table all along and must be the negative of (x, y). */
static bool is_pair(const struct hf_sm2_key_lane *l)
{
	struct hf_sm2_pub pub;
	struct hf_pt want;
	struct hf_pt p;
	uint64_t other[4];
	hf_ct_mask ok;

	hf_w256_put(pub.x, l->x);
	hf_w256_put(pub.y, l->y);
	if (hf_pt_from_pub(&want, &pub) != HF_OK)
		return false;
	(void)hf_w256_sub(other, hf_fn_n, l->d);
	hf_pt_mul_base(&p, other);
	hf_pt_neg_if(&p, hf_ct_bit(1), &p);
	hf_fp_mul(&want.x, &want.x, &p.z);
	hf_fp_mul(&want.y, &want.y, &p.z);
	ok = hf_fp_same(&want.x, &p.x) & hf_fp_same(&want.y, &p.y) & ~hf_pt_is_infinite(&p);
	hf_wipe(other, sizeof(other));
	hf_wipe(&p, sizeof(p));
	hf_wipe(&want, sizeof(want));
	return hf_ct_declassify(ok);
}

static uint32_t pairs_c(const struct hf_sm2_key_lane *lanes, size_t n)
{
	uint32_t good = 0;

	for (size_t i = 0; i < n; i++)
		good |= (uint32_t)is_pair(&lanes[i]) << i;
	return good;
}

/* x is x1, inv is 1 / (1 + d). False: this nonce must not be used. */
static bool sign_end(struct hf_sm2_sign_lane *l, const struct hf_fp *x, const struct hf_fn *inv)
{
	uint64_t x1[4];
	struct hf_fn k;
	struct hf_fn r;
	struct hf_fn s;
	hf_ct_mask bad;

	/* GB/T 32918.2-2016 6.1 A5: r = e + x1 mod n; not 0, and r + k not n. */
	limbs(x1, x);
	hf_fn_from(&r, x1);
	hf_fn_from(&s, l->e);
	hf_fn_from(&k, l->k);
	hf_fn_add(&r, &r, &s);
	hf_fn_add(&k, &k, &r);
	bad = hf_fn_zero(&r) | hf_fn_zero(&k);

	/* A6: s = (k - r d) / (1 + d) = (k + r) / (1 + d) - r; not 0. */
	hf_fn_mul(&s, &k, inv);
	hf_fn_sub(&s, &s, &r);
	bad |= hf_fn_zero(&s);

	hf_fn_plain(l->r, &r);
	hf_fn_plain(l->s, &s);
	hf_wipe(x1, sizeof(x1));
	hf_wipe(&k, sizeof(k));
	return !hf_ct_declassify(bad);
}

static uint32_t sign_c(struct hf_sm2_sign_lane *lanes, size_t n)
{
	struct lane l[MAX];
	struct hf_fn d1[MAX];
	uint32_t good = 0;

	/* No z is 0, since k is of 1 .. n - 1, and no 1 + d is, since d is of 1 .. n - 2. */
	for (size_t i = 0; i < n; i++) {
		hf_pt_mul_base(&l[i].p, lanes[i].k);
		hf_fn_from(&d1[i], lanes[i].d);
		hf_fn_add(&d1[i], &d1[i], &hf_fn_one);
	}
	lanes_affine(l, n);
	scalars_invert(d1, n);
	for (size_t i = 0; i < n; i++)
		good |= (uint32_t)sign_end(&lanes[i], &l[i].p.x, &d1[i]) << i;
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
	hf_wipe(d1, sizeof(d1));
	return good;
}

/* Single verification has no inversion to share. */
static uint32_t verify_c(const struct hf_sm2_verify_job *jobs, size_t n)
{
	uint32_t good = 0;

	for (size_t i = 0; i < n; i++)
		if (hf_sm2_verify_raw(jobs[i].pub, jobs[i].e, jobs[i].sig) == HF_OK)
			good |= UINT32_C(1) << i;
	return good;
}

static uint32_t ecdh_c(struct hf_sm2_ecdh_lane *lanes, size_t n)
{
	struct lane l[MAX];
	size_t of[MAX];
	size_t used = 0;
	uint32_t good = 0;

	/* Not infinity: 1 <= d < n, and the order of a point of the curve is n. */
	for (size_t i = 0; i < n; i++) {
		if (hf_pt_from_pub(&l[used].p, lanes[i].peer) != HF_OK)
			continue;
		hf_pt_mul(&l[used].p, lanes[i].d, &l[used].p);
		of[used++] = i;
		good |= UINT32_C(1) << i;
	}
	lanes_affine(l, used);
	for (size_t i = 0; i < used; i++)
		limbs(lanes[of[i]].x, &l[i].p.x);
	hf_wipe(l, sizeof(l));
	hf_wipe_stack();
	return good;
}

const struct hf_sm2_batch_kernel hf_sm2_batch_kernel_c = {
	.name = "c",
	.needs = 0,
	.keys = keys_c,
	.pairs = pairs_c,
	.sign = sign_c,
	.verify = verify_c,
	.ecdh = ecdh_c,
};
