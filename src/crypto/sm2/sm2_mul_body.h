/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multiples of points over a field that the including file chooses: every kernel of SM2 is this
 * body over fe_mul(), fe_sqr() and the rest of sm2_fe.h. HF_SM2_BODY_KERNEL() is its record.
 *
 * Coordinates. Jacobian: (x / z^2, y / z^3), infinity is z = 0; cheapest to double. With
 * zz = z^2 and zzz = z^3 in place of z ("xyzz"): cheapest to add affine points to. The formulas of
 * addition are those of every textbook, x3 = r^2 - h^3 - 2 x1 h^2 for h = x2 - x1, r = y2 - y1 over
 * a common denominator. They fail for equal and for opposite points (h = 0) and for infinity, so
 * each use says why these cannot meet or how they are caught.
 *
 * Secret scalars are read in windows of w bits as signed digits, so that tables hold positive
 * multiples only and the number of additions is the same for every scalar. For G, after Booth: a
 * window sees its own bits and the top bit of the window below, and its digit is -2^(w-1) ..
 * 2^(w-1). For other points all digits are odd, -2^w + 1 .. 2^w - 1: no digit is 0, and no sum is
 * infinite.
 */
#ifndef HF_CRYPTO_SM2_SM2_MUL_BODY_H
#define HF_CRYPTO_SM2_SM2_MUL_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_mul.h"
#include "crypto/sm2/sm2_point.h"
#ifndef HF_SM2_OWN_FIELD
#include "crypto/sm2/sm2_fe.h"
#endif

enum {
	HF_P_WINDOW = 5,                      /* bits, for points that are not G */
	HF_P_WINDOWS = 257 / HF_P_WINDOW + 1, /* for scalars below 2 n */
	HF_P_ENTRIES = 1 << (HF_P_WINDOW - 1),
	HF_P_NAF = 5,           /* digits of verification: odd, below 2^(width - 1) */
	HF_G_NAF = HF_G_WINDOW, /* the table of G holds all of its own */
	HF_NAF_ENTRIES = 1 << (HF_P_NAF - 2),
	HF_NAF_LEN = 257,
};

struct hf_jac {
	struct hf_fp x;
	struct hf_fp y;
	struct hf_fp z;
	struct hf_fp zz; /* z^2, made as early as it can be */
};

/* A point to be added several times. Public values only. */
struct hf_jac_entry {
	struct hf_fp x;
	struct hf_fp y;
	struct hf_fp z;
	struct hf_fp zz;
	struct hf_fp zzz;
};

struct hf_xyzz {
	struct hf_fp x;
	struct hf_fp y;
	struct hf_fp zz;
	struct hf_fp zzz;
};

/*
 * r = 2 a, for a = -3, with all coordinates halved as often as they allow: for m = 3/2 (x^2 - z^4)
 * and b = x y^2, x' = m^2 - 2 b, y' = m (b - x') - y^4, z' = y z. Holds for infinity, and y is 0
 * for no point. r may be a. Where z lacks a factor that zz has, zz' is zz y^2.
 */
static HF_ALWAYS_INLINE void double_body(struct hf_jac *r, const struct hf_jac *a, bool over)
{
	struct hf_fp yy;
	struct hf_fp b;
	struct hf_fp m;
	struct hf_fp t;

	/* y is what the last step made last, so it is used last. */
	fe_add(&m, &a->x, &a->zz);
	fe_sub(&t, &a->x, &a->zz);
	fe_mul(&m, &m, &t);
	fe_sqr(&yy, &a->y);
	fe_mul(&r->z, &a->y, &a->z);
	fe_half(&t, &m);
	fe_add(&m, &m, &t);
	fe_mul(&b, &a->x, &yy);
	fe_sqr(&t, &m);
	if (over)
		fe_mul(&r->zz, &a->zz, &yy);
	else
		fe_sqr(&r->zz, &r->z);
	fe_sub_twice(&r->x, &t, &b);
	fe_sub(&b, &b, &r->x);
	fe_mul_less_sqr(&r->y, &m, &b, &yy);
}

/* r = 2 a; 4 products, 4 squares. r may be a. */
static HF_NOINLINE void jac_double(struct hf_jac *r, const struct hf_jac *a)
{
	double_body(r, a, false);
}

/* a = 2 a, for a over the z of a table; 5 products, 3 squares. */
static HF_NOINLINE void over_double(struct hf_jac *a)
{
	double_body(a, a, true);
}

/* What additions of two points find first: h and r over a common denominator, and x1, y1 over it.
 */
struct hf_jac_sum {
	struct hf_fp h;
	struct hf_fp r;
	struct hf_fp x1;
	struct hf_fp y1;
};

/* x and y of the sum; hh = h^2, hhh = h^3. */
static inline void sum_end(struct hf_fp *x, struct hf_fp *y, const struct hf_jac_sum *s,
	const struct hf_fp *hh, const struct hf_fp *hhh)
{
	struct hf_fp q;
	struct hf_fp t;

	fe_mul(&q, &s->x1, hh);
	fe_sqr(&t, &s->r);
	fe_sub(&t, &t, hhh);
	fe_sub_twice(&t, &t, &q);
	*x = t;
	fe_sub(&t, &q, &t);
	fe_mul_less_mul(y, &t, &s->r, &s->y1, hhh);
}

/* r = a + b; 8 products, 2 squares. Not for equal or opposite points, nor for infinity. */
static HF_NOINLINE void xyzz_add(
	struct hf_xyzz *r, const struct hf_xyzz *a, const struct hf_pt_affine *b)
{
	struct hf_jac_sum s = { .x1 = a->x, .y1 = a->y };
	struct hf_fp hh;
	struct hf_fp hhh;

	fe_mul(&s.h, &b->x, &a->zz);
	fe_mul(&s.r, &b->y, &a->zzz);
	fe_sub(&s.h, &s.h, &a->x);
	fe_sub(&s.r, &s.r, &a->y);
	fe_sqr(&hh, &s.h);
	fe_mul(&hhh, &hh, &s.h);
	fe_mul(&r->zz, &a->zz, &hh);
	fe_mul(&r->zzz, &a->zzz, &hhh);
	sum_end(&r->x, &r->y, &s, &hh, &hhh);
}

/* The start of a + b for b affine: 3 products. */
static inline void jac_sum_affine(
	struct hf_jac_sum *s, const struct hf_jac *a, const struct hf_pt_affine *b)
{
	struct hf_fp zzz;

	fe_mul(&zzz, &a->zz, &a->z);
	fe_mul(&s->h, &b->x, &a->zz);
	fe_mul(&s->r, &b->y, &zzz);
	s->x1 = a->x;
	s->y1 = a->y;
	fe_sub(&s->h, &s->h, &a->x);
	fe_sub(&s->r, &s->r, &a->y);
}

/* The start of a + b: 5 products. */
static inline void jac_sum_entry(
	struct hf_jac_sum *s, const struct hf_jac *a, const struct hf_jac_entry *b)
{
	struct hf_fp zzz;

	fe_mul(&s->h, &b->x, &a->zz);
	fe_mul(&s->x1, &a->x, &b->zz);
	fe_mul(&zzz, &a->zz, &a->z);
	fe_sub(&s->h, &s->h, &s->x1);
	fe_mul(&s->r, &b->y, &zzz);
	fe_mul(&s->y1, &a->y, &b->zzz);
	fe_sub(&s->r, &s->r, &s->y1);
}

/* The rest, once z of the sum is there but for the factor h: 5 products, 3 squares. */
static inline void jac_sum_end(struct hf_jac *r, const struct hf_jac_sum *s)
{
	struct hf_fp hh;
	struct hf_fp hhh;

	fe_sqr(&hh, &s->h);
	fe_mul(&r->z, &r->z, &s->h);
	fe_mul(&hhh, &hh, &s->h);
	fe_sqr(&r->zz, &r->z);
	sum_end(&r->x, &r->y, s, &hh, &hhh);
}

/*
 * a += b, both over the z of a table: 8 products, 3 squares. As if that z were 1, but for zz.
 * Exceptions as for xyzz_add().
 */
static HF_NOINLINE void over_add(struct hf_jac *a, const struct hf_pt_affine *b)
{
	struct hf_jac_sum s = { .x1 = a->x, .y1 = a->y };
	struct hf_fp hh;
	struct hf_fp hhh;
	struct hf_fp t;

	fe_sqr(&t, &a->z);
	fe_mul(&s.h, &b->x, &t);
	fe_mul(&t, &t, &a->z);
	fe_sub(&s.h, &s.h, &a->x);
	fe_mul(&s.r, &b->y, &t);
	fe_mul(&a->z, &a->z, &s.h);
	fe_sqr(&hh, &s.h);
	fe_sub(&s.r, &s.r, &a->y);
	fe_mul(&hhh, &hh, &s.h);
	fe_mul(&a->zz, &a->zz, &hh);
	sum_end(&a->x, &a->y, &s, &hh, &hhh);
}

/* y = -y where m is set. */
static inline void fe_neg_if(struct hf_fp *y, hf_ct_mask m)
{
	static const struct hf_fp zero = { { 0 } };
	struct hf_fp t;

	fe_sub(&t, &zero, y);
	fe_pick(y, m, &t, y);
}

/* The absolute value of digit i; *neg tells its sign. */
static inline unsigned booth(hf_ct_mask *neg, const uint64_t k[4], unsigned i, unsigned w)
{
	unsigned v = i == 0 ? hf_w256_bits(k, 0, w) << 1 : hf_w256_bits(k, i * w - 1, w + 1);
	uint64_t d;

	*neg = hf_ct_bit(v >> w);
	d = hf_ct_pick(*neg, (2u << w) - 1 - v, v);
	return (unsigned)((d >> 1) + (d & 1));
}

/* The homogeneous form of a. */
static inline void jac_out(struct hf_pt *r, const struct hf_jac *a)
{
	hf_ct_mask infinite = hf_fp_zero(&a->z);

	fe_mul(&r->x, &a->x, &a->z);
	fe_mul(&r->z, &a->zz, &a->z);
	fe_pick(&r->x, infinite, &hf_pt_infinity.x, &r->x);
	fe_pick(&r->y, infinite, &hf_pt_infinity.y, &a->y);
}

/* The point of digit i and whether there is none, the digit being 0. */
static inline void base_point(
	struct hf_pt_affine *q, hf_ct_mask *none, const uint64_t k[4], unsigned i)
{
	hf_ct_mask neg;
	unsigned digit = booth(&neg, k, i, HF_G_WINDOW);

	*none = hf_ct_zero(digit);
	fe_scan(&q->x, &hf_g_table[i][0].x, HF_G_ENTRIES, 2, digit);
	fe_neg_if(&q->y, neg);
}

/*
 * All windows have a table of their own, so there is nothing to double. No exception meets: with
 * s the sum of the windows below i and d = digit i 2^(w i), not 0, |s| <= 2^(w i - 1) < |d|, so
 * that s is neither d nor -d. Nor are they so modulo n: below the top window |s| + |d| < n. In the
 * top window, which begins at bit 252, s + d = k is not 0 modulo n, and s - d = -n would need d =
 * 16 * 2^252 and s = 2^256 - n, hence k > n, or d <= 15 * 2^252 and s < -2^251. Infinity is s = 0,
 * known by its digits, all 0.
 */
static void body_mul_base(struct hf_pt *r, const uint64_t k[4])
{
	struct hf_xyzz acc = { .x = { { 0 } } };
	struct hf_xyzz sum;
	struct hf_pt_affine q[2]; /* of this window, and of the next, fetched ahead */
	hf_ct_mask none[2];
	hf_ct_mask infinite = ~(hf_ct_mask)0;

	base_point(&q[0], &none[0], k, 0);
	for (unsigned i = 0; i < HF_G_WINDOWS; i++) {
		const struct hf_pt_affine *now = &q[i % 2];

		if (i + 1 < HF_G_WINDOWS)
			base_point(&q[(i + 1) % 2], &none[(i + 1) % 2], k, i + 1);
		xyzz_add(&sum, &acc, now);
		fe_next(&acc.x, none[i % 2], infinite, &now->x, &sum.x);
		fe_next(&acc.y, none[i % 2], infinite, &now->y, &sum.y);
		fe_next(&acc.zz, none[i % 2], infinite, &hf_fp_one, &sum.zz);
		fe_next(&acc.zzz, none[i % 2], infinite, &hf_fp_one, &sum.zzz);
		infinite &= none[i % 2];
	}

	/* x / zz and y / zzz over the common denominator zz zzz. */
	fe_mul(&sum.x, &acc.x, &acc.zzz);
	fe_mul(&sum.y, &acc.y, &acc.zz);
	fe_mul(&sum.zz, &acc.zz, &acc.zzz);
	fe_pick(&r->x, infinite, &hf_pt_infinity.x, &sum.x);
	fe_pick(&r->y, infinite, &hf_pt_infinity.y, &sum.y);
	fe_pick(&r->z, infinite, &hf_pt_infinity.z, &sum.zz);
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(&sum, sizeof(sum));
	hf_wipe(q, sizeof(q));
}

/* [2] p and an odd multiple of p, both over one z. */
struct hf_odd {
	struct hf_fp two_x;
	struct hf_fp two_y;
	struct hf_fp x;
	struct hf_fp y;
};

/* [2] p and p over the z of [2] p, which is y of p: p comes for nothing, (x y^2, y^4). */
static inline void odd_start(struct hf_odd *o, const struct hf_pt_affine *p)
{
	struct hf_jac two = { p->x, p->y, hf_fp_one, hf_fp_one };
	struct hf_fp t;

	jac_double(&two, &two);
	o->two_x = two.x;
	o->two_y = two.y;
	fe_sqr(&t, &p->y);
	fe_mul(&o->x, &p->x, &t);
	fe_sqr(&o->y, &t);
}

/*
 * The next odd multiple, the last one plus [2] p (N. Meloni, 2007): with d = x2 - x1 and
 * e = y2 - y1, x3 = e^2 - x1 d^2 - x2 d^2, y3 = e (x1 d^2 - x3) - y1 d^3, z3 = z d, and x1 d^2,
 * y1 d^3 are [2] p over z3. The order is a large prime, so no d is 0.
 */
static inline void odd_next(struct hf_odd *o, struct hf_fp *d)
{
	struct hf_fp dd;
	struct hf_fp e;
	struct hf_fp t;

	fe_sub(d, &o->x, &o->two_x);
	fe_sub(&e, &o->y, &o->two_y);
	fe_sqr(&dd, d);
	fe_mul(&o->two_x, &o->two_x, &dd);
	fe_mul(&t, &o->x, &dd);
	fe_sqr(&dd, &e);
	fe_sub(&dd, &dd, &o->two_x);
	fe_sub(&o->x, &dd, &t);
	fe_sub(&t, &t, &o->two_x);
	fe_mul(&o->two_y, &o->two_y, &t);
	fe_sub(&t, &o->two_x, &o->x);
	fe_mul(&t, &t, &e);
	fe_sub(&o->y, &t, &o->two_y);
}

/* table[j] = [2 j + 1] p for j < n. */
static HF_NOINLINE void odd_table(
	struct hf_jac_entry *table, unsigned n, const struct hf_pt_affine *p)
{
	struct hf_fp z = p->y;
	struct hf_odd o;
	struct hf_fp d;

	table[0] = (struct hf_jac_entry){ p->x, p->y, hf_fp_one, hf_fp_one, hf_fp_one };
	odd_start(&o, p);
	for (unsigned j = 1; j < n; j++) {
		odd_next(&o, &d);
		fe_mul(&z, &z, &d);
		table[j] = (struct hf_jac_entry){ .x = o.x, .y = o.y, .z = z };
		fe_sqr(&table[j].zz, &z);
		fe_mul(&table[j].zzz, &table[j].zz, &z);
	}
}

/* The same with all entries over one z, that of the last: each is brought there by the factors d
 * above it. */
static HF_NOINLINE void over_table(
	struct hf_pt_affine table[HF_P_ENTRIES], struct hf_fp *z, const struct hf_pt_affine *p)
{
	struct hf_fp d[HF_P_ENTRIES]; /* z of entry j is d[0] .. d[j] */
	struct hf_odd o;
	struct hf_fp t;

	odd_start(&o, p);
	d[0] = p->y;
	table[0] = (struct hf_pt_affine){ o.x, o.y };
	for (unsigned j = 1; j < HF_P_ENTRIES; j++) {
		odd_next(&o, &d[j]);
		table[j] = (struct hf_pt_affine){ o.x, o.y };
	}
	*z = d[HF_P_ENTRIES - 1];
	for (unsigned j = HF_P_ENTRIES - 1; j-- > 0;) {
		fe_sqr(&t, z);
		fe_mul(&table[j].x, &table[j].x, &t);
		fe_mul(&t, &t, z);
		fe_mul(&table[j].y, &table[j].y, &t);
		fe_mul(z, z, &d[j]);
	}
}

/* h = (k - 1) / 2 for k odd, (k + n - 1) / 2 for k even. */
static inline void odd_half(uint64_t h[4], const uint64_t k[4])
{
	hf_ct_mask even = ~hf_ct_bit(k[0]);
	uint64_t t[4];
	uint64_t top;

	for (int i = 0; i < 4; i++)
		t[i] = hf_fn_n[i] & even;
	top = hf_w256_add(t, t, k);
	for (int i = 0; i < 3; i++)
		h[i] = t[i] >> 1 | t[i + 1] << 63;
	h[3] = t[3] >> 1 | top << 63;
	hf_wipe(t, sizeof(t));
}

/*
 * The point of digit i. As every bit of value 2^j stands for 2^j or -2^j when 2^260 - 1 is added
 * and the sum halved, the digit is 2 c - 31 for the five bits c of (k' + 2^260 - 1) / 2 there; k'
 * is the odd one of k and k + n, and the topmost bit is 1.
 */
static inline void odd_point(struct hf_pt_affine *q, const struct hf_pt_affine *table,
	const uint64_t half[4], unsigned i)
{
	unsigned c = hf_w256_bits(half, i * HF_P_WINDOW, HF_P_WINDOW);
	hf_ct_mask neg;

	if (i == HF_P_WINDOWS - 1)
		c |= HF_P_ENTRIES;
	neg = ~hf_ct_bit(c / HF_P_ENTRIES);
	c = (unsigned)((c ^ neg) % HF_P_ENTRIES);
	fe_scan(&q->x, &table[0].x, HF_P_ENTRIES, sizeof(*q) / sizeof(q->x), c + 1);
	fe_neg_if(&q->y, neg);
}

/*
 * All is over the z of the table, which is multiplied in at the end; only zz, which doubling needs,
 * has it always. So entries are two coordinates and are added as affine points are, without an
 * inversion, which would cost more than it gains.
 *
 * The highest window first. With v the sum after window i + 1 and d the digit of window i, both
 * odd, 32 v and d are added; the new sum is (k' - s) / 32^i with |s| < 32^i, so it is above 0 and
 * below k' / 32^i + 1, for k' = k or k + n, odd and below 2 n. No exception meets:
 *   - At the top v is 1 or 3, and v >= 1 below. As |d| < 32, 32 v + d and 32 v - d are above 0.
 *   - Above window 0 both are below k' / 32 + 64 < n. So 32 v and d are neither opposite nor equal
 *     modulo n.
 *   - In window 0, 32 v + d = k' is a multiple of n for k = 0 alone, where it is n: opposite points
 *     give z = 0, which is right.
 *   - There 32 v - d is odd and below 2 n + 62, hence a multiple of n only as n itself. Then
 *     32 v = n + d, and as v is odd and n = 35 modulo 64, d = -3 modulo 64, which is d = -3: k' =
 *     n + 2 d = n - 6, which is k. For this scalar -[6] p is computed; the k' of 6 is n + 6.
 */
static void body_mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt_affine *p)
{
	static const uint64_t six[4] = { 6 };
	struct hf_pt_affine table[HF_P_ENTRIES];
	struct hf_pt_affine q;
	struct hf_jac acc;
	struct hf_fp z;
	uint64_t half[4];
	uint64_t t[4];
	hf_ct_mask neg;

	(void)hf_w256_sub(t, hf_fn_n, six);
	neg = hf_w256_same(t, k);
	hf_w256_pick(t, neg, six, k);
	odd_half(half, t);

	over_table(table, &z, p);
	odd_point(&q, table, half, HF_P_WINDOWS - 1);
	acc = (struct hf_jac){ .x = q.x, .y = q.y, .z = hf_fp_one };
	fe_sqr(&acc.zz, &z);
	for (unsigned i = HF_P_WINDOWS - 1; i > 0; i--) {
		odd_point(&q, table, half, i - 1);
		for (int j = 0; j < HF_P_WINDOW; j++)
			over_double(&acc);
		over_add(&acc, &q);
	}
	fe_mul(&acc.z, &acc.z, &z);
	fe_neg_if(&acc.y, neg);
	jac_out(r, &acc);
	hf_wipe(table, sizeof(table));
	hf_wipe(&q, sizeof(q));
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(half, sizeof(half));
	hf_wipe(t, sizeof(t));
}

/* Digits of k, odd or 0, at most one of any width neighbours not 0. Returns how many. */
static inline unsigned naf(int8_t digits[HF_NAF_LEN], const uint64_t k[4], unsigned width)
{
	unsigned carry = 0;
	unsigned len = 0;

	for (unsigned i = 0; i < HF_NAF_LEN;) {
		int v;

		digits[i] = 0;
		if (((i < 256 ? hf_w256_bits(k, i, 1) : 0) ^ carry) == 0) {
			i++;
			continue;
		}
		v = (int)(hf_w256_bits(k, i, width) + carry);
		carry = v >= 1 << (width - 1);
		digits[i] = (int8_t)(v - (int)(carry << width));
		len = i + 1;
		for (unsigned j = 1; j < width && i + j < HF_NAF_LEN; j++)
			digits[i + j] = 0;
		i += width;
	}
	return len;
}

/*
 * What an addition gives where its formula does not hold: twice a if r is 0 too, else infinity.
 * Both points are finite. Public values only.
 */
static inline bool jac_exception(struct hf_jac *a, const struct hf_jac_sum *s)
{
	if (hf_fp_zero(&s->h) == 0)
		return false;
	if (hf_fp_zero(&s->r) != 0)
		jac_double(a, a);
	else
		*a = (struct hf_jac){ .x = { { 0 } } };
	return true;
}

/* a += [d] p out of table[j] = [2 j + 1] p. Public values only, here and below. */
static HF_NOINLINE void naf_add_p(struct hf_jac *a, const struct hf_jac_entry *table, int d)
{
	struct hf_jac_entry q = table[(d < 0 ? -d : d) >> 1];
	struct hf_jac_sum s;

	fe_neg_if(&q.y, hf_ct_bit(d < 0));
	if (hf_fp_zero(&a->z) != 0) {
		*a = (struct hf_jac){ q.x, q.y, q.z, q.zz };
		return;
	}
	jac_sum_entry(&s, a, &q);
	if (jac_exception(a, &s))
		return;
	fe_mul(&a->z, &a->z, &q.z);
	jac_sum_end(a, &s);
}

/* a += [d] G, out of [1] G, [2] G, ...; d is odd. */
static HF_NOINLINE void naf_add_g(struct hf_jac *a, int d)
{
	struct hf_pt_affine q = hf_g_table[0][(d < 0 ? -d : d) & ~1];
	struct hf_jac_sum s;

	fe_neg_if(&q.y, hf_ct_bit(d < 0));
	if (hf_fp_zero(&a->z) != 0) {
		*a = (struct hf_jac){ q.x, q.y, hf_fp_one, hf_fp_one };
		return;
	}
	jac_sum_affine(&s, a, &q);
	if (!jac_exception(a, &s))
		jac_sum_end(a, &s);
}

/* Interleaved: one run of doublings for both. */
static void body_mul_two(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt_affine *p)
{
	struct hf_jac_entry table[HF_NAF_ENTRIES]; /* [1] p, [3] p, ... */
	struct hf_jac acc = { .x = { { 0 } } };
	int8_t of_g[HF_NAF_LEN] = { 0 };
	int8_t of_p[HF_NAF_LEN] = { 0 };
	unsigned n_g = naf(of_g, s, HF_G_NAF);
	unsigned n_p = naf(of_p, t, HF_P_NAF);

	odd_table(table, HF_NAF_ENTRIES, p);
	for (unsigned i = n_g > n_p ? n_g : n_p; i-- > 0;) {
		jac_double(&acc, &acc);
		if (of_p[i] != 0)
			naf_add_p(&acc, table, of_p[i]);
		if (of_g[i] != 0)
			naf_add_g(&acc, of_g[i]);
	}
	jac_out(r, &acc);
}

/* The record of a kernel that is this body. */
/* clang-format off */
#define HF_SM2_BODY_KERNEL(name_, needs_) \
	{ \
		.name = (name_), \
		.needs = (needs_), \
		.mul_base = body_mul_base, \
		.mul = body_mul, \
		.mul_two = body_mul_two, \
		.fp_mul = fe_mul, \
		.fp_sqr = fe_sqr, \
		.fp_add = fe_add, \
		.fp_sub = fe_sub, \
		.fp_half = fe_half, \
		.fp_mul_less_mul = fe_mul_less_mul, \
		.fp_mul_less_sqr = fe_mul_less_sqr, \
		.fp_sub_twice = fe_sub_twice, \
	}
/* clang-format on */

#endif
