/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addition after Renes, Costello, Batina, "Complete addition formulas for prime order elliptic
 * curves" (EUROCRYPT 2016), algorithms 4 and 5 for a = -3. They are complete on curves of odd
 * order, which this one is: its order is the prime n.
 *
 * Doubling goes through Jacobian coordinates (x / z^2, y / z^3), where it costs 8 products instead
 * of 13; the way there and back costs 6, so a run of doublings wins. Doubling in Jacobian
 * coordinates is complete too: y is 0 for no point, there being none of order two.
 */
#include "crypto/sm2/sm2_point.h"

#include "base/wipe.h"

const struct hf_pt hf_pt_infinity = {
	.y = { { 0x0000000000000001, 0x00000000ffffffff, 0x0000000000000000, 0x0000000100000000 } }
};

/*
 * The end that algorithms 4 and 5 share (their steps 19 to 43, 12 to 43): t0 = x1 x2,
 * t1 = y1 y2, t2 = z1 z2, t3 = x1 y2 + x2 y1, t4 = y1 z2 + y2 z1, t5 = x1 z2 + x2 z1.
 */
static void add_end(struct hf_pt *r, struct hf_fp *t0, struct hf_fp *t1, struct hf_fp *t2,
	const struct hf_fp *t3, const struct hf_fp *t4, struct hf_fp *t5)
{
	struct hf_fp x;
	struct hf_fp y;
	struct hf_fp z;

	hf_fp_mul(&z, &hf_fp_b, t2);
	hf_fp_sub(&x, t5, &z);
	hf_fp_add(&z, &x, &x);
	hf_fp_add(&x, &x, &z);
	hf_fp_sub(&z, t1, &x);
	hf_fp_add(&x, t1, &x);
	hf_fp_mul(&y, &hf_fp_b, t5);
	hf_fp_add(t1, t2, t2);
	hf_fp_add(t2, t1, t2);
	hf_fp_sub(&y, &y, t2);
	hf_fp_sub(&y, &y, t0);
	hf_fp_add(t1, &y, &y);
	hf_fp_add(&y, t1, &y);
	hf_fp_add(t1, t0, t0);
	hf_fp_add(t0, t1, t0);
	hf_fp_sub(t0, t0, t2);
	hf_fp_mul(t1, t4, &y);
	hf_fp_mul(t2, t0, &y);
	hf_fp_mul(&y, &x, &z);
	hf_fp_add(&r->y, &y, t2);
	hf_fp_mul(&x, t3, &x);
	hf_fp_sub(&r->x, &x, t1);
	hf_fp_mul(&z, t4, &z);
	hf_fp_mul(t1, t3, t0);
	hf_fp_add(&r->z, &z, t1);
}

/* r = (a1 + a2)(b1 + b2) - p - q, that is a1 b2 + a2 b1 for p = a1 b1 and q = a2 b2. */
static inline void cross(struct hf_fp *r, const struct hf_fp *a1, const struct hf_fp *a2,
	const struct hf_fp *b1, const struct hf_fp *b2, const struct hf_fp *p,
	const struct hf_fp *q)
{
	struct hf_fp s;
	struct hf_fp t;

	hf_fp_add(&s, a1, a2);
	hf_fp_add(&t, b1, b2);
	hf_fp_mul(&s, &s, &t);
	hf_fp_add(&t, p, q);
	hf_fp_sub(r, &s, &t);
}

void hf_pt_add(struct hf_pt *r, const struct hf_pt *a, const struct hf_pt *b)
{
	struct hf_fp t0;
	struct hf_fp t1;
	struct hf_fp t2;
	struct hf_fp t3;
	struct hf_fp t4;
	struct hf_fp t5;

	hf_fp_mul(&t0, &a->x, &b->x);
	hf_fp_mul(&t1, &a->y, &b->y);
	hf_fp_mul(&t2, &a->z, &b->z);
	cross(&t3, &a->x, &a->y, &b->x, &b->y, &t0, &t1);
	cross(&t4, &a->y, &a->z, &b->y, &b->z, &t1, &t2);
	cross(&t5, &a->x, &a->z, &b->x, &b->z, &t0, &t2);
	add_end(r, &t0, &t1, &t2, &t3, &t4, &t5);
}

void hf_pt_add_affine(struct hf_pt *r, const struct hf_pt *a, const struct hf_pt_affine *b)
{
	struct hf_fp t0;
	struct hf_fp t1;
	struct hf_fp t2 = a->z;
	struct hf_fp t3;
	struct hf_fp t4;
	struct hf_fp t5;

	hf_fp_mul(&t0, &a->x, &b->x);
	hf_fp_mul(&t1, &a->y, &b->y);
	cross(&t3, &a->x, &a->y, &b->x, &b->y, &t0, &t1);
	hf_fp_mul(&t4, &b->y, &a->z);
	hf_fp_add(&t4, &t4, &a->y);
	hf_fp_mul(&t5, &b->x, &a->z);
	hf_fp_add(&t5, &t5, &a->x);
	add_end(r, &t0, &t1, &t2, &t3, &t4, &t5);
}

/* One doubling in Jacobian coordinates, a = -3: 3 products, 5 squares. */
static void double_jacobian(struct hf_pt *p)
{
	struct hf_fp delta;
	struct hf_fp gamma;
	struct hf_fp beta;
	struct hf_fp alpha;
	struct hf_fp t;

	hf_fp_sqr(&delta, &p->z);
	hf_fp_sqr(&gamma, &p->y);
	hf_fp_mul(&beta, &p->x, &gamma);
	hf_fp_sub(&t, &p->x, &delta);
	hf_fp_add(&alpha, &p->x, &delta);
	hf_fp_mul(&alpha, &alpha, &t);
	hf_fp_add(&t, &alpha, &alpha);
	hf_fp_add(&alpha, &alpha, &t); /* 3 (x - z^2)(x + z^2) */

	hf_fp_add(&t, &p->y, &p->z);
	hf_fp_sqr(&t, &t);
	hf_fp_sub(&t, &t, &gamma);
	hf_fp_sub(&p->z, &t, &delta); /* 2 y z */

	hf_fp_add(&beta, &beta, &beta);
	hf_fp_add(&beta, &beta, &beta); /* 4 x y^2 */
	hf_fp_sqr(&p->x, &alpha);
	hf_fp_sub(&p->x, &p->x, &beta);
	hf_fp_sub(&p->x, &p->x, &beta);

	hf_fp_add(&gamma, &gamma, &gamma);
	hf_fp_sqr(&gamma, &gamma);
	hf_fp_add(&gamma, &gamma, &gamma); /* 8 y^4 */
	hf_fp_sub(&t, &beta, &p->x);
	hf_fp_mul(&t, &t, &alpha);
	hf_fp_sub(&p->y, &t, &gamma);
}

void hf_pt_double(struct hf_pt *r, const struct hf_pt *a, unsigned n)
{
	hf_ct_mask infinite = hf_pt_is_infinite(a);
	struct hf_pt p;
	struct hf_fp t;

	/* (x : y : z) is (x z, y z^2, z) in Jacobian coordinates; infinity needs a y that is not 0.
	 */
	hf_fp_mul(&p.x, &a->x, &a->z);
	hf_fp_sqr(&t, &a->z);
	hf_fp_mul(&p.y, &a->y, &t);
	hf_fp_pick(&p.y, infinite, &hf_fp_one, &p.y);
	p.z = a->z;

	for (unsigned i = 0; i < n; i++)
		double_jacobian(&p);

	/* And back: (x z : y : z^3). */
	hf_fp_mul(&r->x, &p.x, &p.z);
	r->y = p.y;
	hf_fp_sqr(&t, &p.z);
	hf_fp_mul(&r->z, &t, &p.z);
}

void hf_pt_neg_if(struct hf_pt *r, hf_ct_mask m, const struct hf_pt *a)
{
	struct hf_fp t;

	hf_fp_neg(&t, &a->y);
	r->x = a->x;
	hf_fp_pick(&r->y, m, &t, &a->y);
	r->z = a->z;
}

void hf_pt_affine(struct hf_pt_affine *r, const struct hf_pt *a)
{
	struct hf_fp t;

	hf_fp_inv(&t, &a->z);
	hf_fp_mul(&r->x, &a->x, &t);
	hf_fp_mul(&r->y, &a->y, &t);
	hf_wipe(&t, sizeof(t));
}

/* r = x^3 - 3 x + b. */
static void curve_right(struct hf_fp *r, const struct hf_fp *x)
{
	struct hf_fp t;

	hf_fp_sqr(&t, x);
	hf_fp_mul(&t, &t, x);
	for (int i = 0; i < 3; i++)
		hf_fp_sub(&t, &t, x);
	hf_fp_add(r, &t, &hf_fp_b);
}

hf_ct_mask hf_pt_on_curve(const struct hf_pt_affine *a)
{
	struct hf_fp left;
	struct hf_fp right;

	hf_fp_sqr(&left, &a->y);
	curve_right(&right, &a->x);
	return hf_fp_same(&left, &right);
}

hf_ct_mask hf_pt_find_y(struct hf_pt_affine *a, const struct hf_fp *x, unsigned y_bit)
{
	uint8_t bytes[32];
	struct hf_fp right;
	struct hf_fp neg;
	hf_ct_mask ok;

	curve_right(&right, x);
	ok = hf_fp_sqrt(&a->y, &right);
	hf_fp_put(bytes, &a->y);
	hf_fp_neg(&neg, &a->y);
	hf_fp_pick(&a->y, hf_ct_bit(bytes[31] ^ y_bit), &neg, &a->y);
	a->x = *x;
	return ok;
}

hf_err hf_pt_from_pub(struct hf_pt *r, const struct hf_sm2_pub *pub)
{
	struct hf_pt_affine a;
	hf_ct_mask ok = hf_fp_get(&a.x, pub->x);

	ok &= hf_fp_get(&a.y, pub->y);
	ok &= hf_pt_on_curve(&a);
	if (!hf_ct_declassify(ok))
		return HF_ERR_FORMAT;

	r->x = a.x;
	r->y = a.y;
	r->z = hf_fp_one;
	return HF_OK;
}

void hf_pt_to_pub(struct hf_sm2_pub *pub, const struct hf_pt_affine *a)
{
	hf_fp_put(pub->x, &a->x);
	hf_fp_put(pub->y, &a->y);
}
