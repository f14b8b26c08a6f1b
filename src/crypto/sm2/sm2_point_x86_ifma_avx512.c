/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multiples of eight points at once; numbers, F() and preconditions as in sm2_x86_ifma.h.
 *
 * Points are Jacobian: a doubling takes 4 products and 4 squares, an addition 12 and 4, that of an
 * affine point 8 and 3. (The complete formulas of sm2_point.c take 13 and 14 and many sums.) But
 * the formulas for additions fail for equal points, opposite ones and infinity. That none of these
 * comes up is shown for each use; k is odd and 1 <= k < n.
 *
 * [k] G: k is read in windows of w >= 5 bits with digits d_i of -2^(w-1) .. 2^(w-1) (Booth), and
 * the points d_i 2^(w i) G, which are in hf_g_table, are added up from below. Let the sum before
 * window i be A, |A| < 0.52 * 2^(w i), and B = d_i 2^(w i); where d_i is 0 the sum is kept.
 *   - A is not 0: k is odd, so d_0 is, and so is A. The sum begins with the point of d_0.
 *   - Below the last window A and B, or -B, are not the same modulo n: |A| < |B|, |A| + |B| < n.
 *   - In the last one A + B = k is not 0 modulo n, and B >= 0. A - B is not 0 again; -n it would be
 *     for |A| = n - B > 0. But B is a multiple of 2^(w i), and n = 2^256 - u with u < 2^225, so
 *     that n - B is 2^(w i) - u or more, and |A| is less.
 *
 * [k] P: k is written with odd digits alone, d_i = 2 v_i - 31 for the bits v_i of k from 5 i + 1
 * on; the digit above them is 1. The sum A begins with it, and each step adds 32 A and d, A > 0.
 * Before the last step these are small and differ, as do 32 A and -d. In the last one 32 A + d is
 * k, but 32 A - d = n comes up for some k. That addition is made by hf_pt8_add_any().
 *
 * Look-ups: of the table of G whole rows are read; eight entries are eight registers, and with rows
 * and columns exchanged VPERMQ takes for each place the entry that it needs. Of the table of P,
 * which differs from place to place, all entries are read and one is kept by a mask.
 */
#include "crypto/sm2/sm2_x86_ifma_point.h"

#include "base/wipe.h"
#include "crypto/sm2/sm2_mul.h"

enum {
	WINDOW = 5,   /* bits, for points that are not G */
	WINDOWS = 51, /* and a digit of 1 above them */
	ENTRIES = 1 << (WINDOW - 1),
};

_Static_assert(sizeof(struct hf_pt_affine) == sizeof(__m512i), "an entry is a register");
_Static_assert(HF_G_ENTRIES % 8 == 0, "a row is so many registers");

static const struct hf_x1 x1_one = HF_X1_ONE;
static const struct hf_x1 x1_p = HF_X1_P;
static const struct hf_x1 x1_2p = HF_X1_2P;
static const struct hf_x1 x1_4p = HF_X1_4P;
static const struct hf_x1 x1_8p = HF_X1_8P;
static const struct hf_x1 x1_16p = HF_X1_16P;

/* a - b + c, not carried, for c = 2 p, 4 p ... */
static HF_ALWAYS_INLINE struct hf_x8 minus(struct hf_x8 a, struct hf_x8 b, struct hf_x1 c)
{
	return hf_x8_difference(hf_x8_sum(a, hf_x8_all(c)), b);
}

static HF_ALWAYS_INLINE struct hf_x8 twice(struct hf_x8 a)
{
	return hf_x8_sum(a, a);
}

__mmask8 hf_fp8_zero(struct hf_x8 a)
{
	a = hf_fp8_fold(a); /* 0 or p now, if it is 0 modulo p */
	return hf_x8_zero(a) | hf_x8_same(a, hf_x8_all(x1_p));
}

/*
 * Products that do not wait for each other stand together here and below: one alone takes twice as
 * long as its instructions.
 */

/* a = 2 a. */
static HF_ALWAYS_INLINE void double_one(struct hf_pt8 *a)
{
	struct hf_x8 zz = hf_fp8_sqr(a->z);                      /* F(1.6) */
	struct hf_x8 yy = hf_fp8_sqr(a->y);                      /* F(1.3) */
	struct hf_x8 yz = hf_fp8_mul(a->y, a->z);                /* F(1.4) */
	struct hf_x8 left = hf_x8_carry(minus(a->x, zz, x1_4p)); /* F(6) */
	struct hf_x8 right = hf_x8_carry(hf_x8_sum(a->x, zz));   /* F(3.6) */
	struct hf_x8 m = hf_fp8_mul(left, right);                /* F(2.4) */
	struct hf_x8 xyy = hf_fp8_mul(a->x, yy);                 /* F(1.2) */
	struct hf_x8 yyyy = hf_fp8_sqr(yy);                      /* F(1.2) */
	struct hf_x8 xyy4 = twice(twice(xyy));                   /* F(4.8) */
	struct hf_x8 mm;
	struct hf_x8 y;

	a->z = hf_x8_carry(twice(yz));                            /* F(2.8) */
	m = hf_x8_carry(hf_x8_sum(m, twice(m)));                  /* 3 (x - z^2)(x + z^2): F(7.2) */
	mm = hf_fp8_sqr(m);                                       /* F(4.3) */
	a->x = hf_fp8_fold(minus(mm, twice(xyy4), x1_16p));       /* m^2 - 8 x y^2 */
	y = hf_fp8_mul(m, hf_x8_carry(minus(xyy4, a->x, x1_4p))); /* 8.8: F(5) */
	a->y = hf_fp8_fold(minus(y, twice(twice(twice(yyyy))), x1_16p)); /* ... - 8 y^4 */
}

/* How both additions end: u and s are x and y of a, brought to z3 = z / h, as are u2 and s2 of b.
 */
static HF_ALWAYS_INLINE void add_end(struct hf_pt8 *r, struct hf_x8 u, struct hf_x8 s,
	struct hf_x8 h, struct hf_x8 d, struct hf_x8 z)
{
	struct hf_x8 hh = hf_fp8_sqr(h);      /* 6.6: F(3.8) */
	struct hf_x8 dd = hf_fp8_sqr(d);      /* 5.4: F(2.9) */
	struct hf_x8 z3 = hf_fp8_mul(z, h);   /* F(2.3) */
	struct hf_x8 hhh = hf_fp8_mul(h, hh); /* F(2.6) */
	struct hf_x8 v = hf_fp8_mul(u, hh);   /* F(1.5) */
	struct hf_x8 shhh;
	struct hf_x8 y;

	r->z = z3;
	r->x = hf_fp8_fold(minus(dd, hf_x8_sum(hhh, twice(v)), x1_8p));
	shhh = hf_fp8_mul(s, hhh);                             /* F(1.4) */
	y = hf_fp8_mul(d, hf_x8_carry(minus(v, r->x, x1_4p))); /* 5.5: F(2.9) */
	r->y = hf_fp8_fold(minus(y, shhh, x1_4p));
}

/* r = a + (x, y), x and y of F(16). */
static HF_ALWAYS_INLINE void add_affine(
	struct hf_pt8 *r, const struct hf_pt8 *a, struct hf_x8 x, struct hf_x8 y)
{
	struct hf_x8 zz = hf_fp8_sqr(a->z);                   /* F(1.6) */
	struct hf_x8 yz = hf_fp8_mul(y, a->z);                /* F(4) */
	struct hf_x8 u2 = hf_fp8_mul(x, zz);                  /* F(2.6) */
	struct hf_x8 s2 = hf_fp8_mul(yz, zz);                 /* F(1.4) */
	struct hf_x8 h = hf_x8_carry(minus(u2, a->x, x1_4p)); /* F(6.6) */
	struct hf_x8 d = hf_x8_carry(minus(s2, a->y, x1_4p)); /* F(5.4) */

	add_end(r, a->x, a->y, h, d, a->z);
}

/* r = a + b; where the points have the same x, h is 0 modulo p, and where they are equal, d is too.
 */
static HF_NOINLINE void add(struct hf_x8 *h, struct hf_x8 *d, struct hf_pt8 *r,
	const struct hf_pt8 *a, const struct hf_pt8 *b)
{
	struct hf_x8 zz1 = hf_fp8_sqr(a->z);      /* F(1.6) */
	struct hf_x8 zz2 = hf_fp8_sqr(b->z);      /* F(1.6) */
	struct hf_x8 s1 = hf_fp8_mul(a->y, b->z); /* F(1.4) */
	struct hf_x8 s2 = hf_fp8_mul(b->y, a->z); /* F(1.4) */
	struct hf_x8 u1 = hf_fp8_mul(a->x, zz2);  /* F(1.2) */
	struct hf_x8 u2 = hf_fp8_mul(b->x, zz1);  /* F(1.2) */
	struct hf_x8 z = hf_fp8_mul(a->z, b->z);  /* F(1.6) */

	s1 = hf_fp8_mul(s1, zz2);               /* F(1.2) */
	s2 = hf_fp8_mul(s2, zz1);               /* F(1.2) */
	*h = hf_x8_carry(minus(u2, u1, x1_4p)); /* F(5.2) */
	*d = hf_x8_carry(minus(s2, s1, x1_4p)); /* F(5.2) */
	add_end(r, u1, s1, *h, *d, z);
}

static void double_some(struct hf_pt8 *a, unsigned n)
{
	struct hf_pt8 p = *a;

	for (unsigned i = 0; i < n; i++)
		double_one(&p);
	*a = p;
}

void hf_pt8_add_any(struct hf_pt8 *r, const struct hf_pt8 *a, const struct hf_pt8 *b)
{
	struct hf_pt8 sum;
	struct hf_pt8 two = *a;
	struct hf_x8 h;
	struct hf_x8 d;
	__mmask8 equal;

	/* Opposite points: h is 0, and so is the z of the sum, as it must be. */
	add(&h, &d, &sum, a, b);
	double_some(&two, 1);
	equal = hf_fp8_zero(h) & hf_fp8_zero(d);
	r->x = hf_x8_pick(equal, two.x, sum.x);
	r->y = hf_x8_pick(equal, two.y, sum.y);
	r->z = hf_x8_pick(equal, two.z, sum.z);
}

/* Rows to columns: 8 x 8 words. */
static HF_ALWAYS_INLINE void transpose(__m512i v[8])
{
	__m512i t[8];

	HF_UNROLL
	for (size_t i = 0; i < 8; i += 2) {
		t[i] = _mm512_unpacklo_epi64(v[i], v[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);
	}
	/* Quarter k of t[2 * i + j] holds word 2 * k + j of the rows 2 * i and 2 * i + 1. */
	HF_UNROLL
	for (size_t j = 0; j < 2; j++) {
		__m512i even_low = _mm512_shuffle_i64x2(t[j], t[j + 2], 0x88);
		__m512i odd_low = _mm512_shuffle_i64x2(t[j], t[j + 2], 0xdd);
		__m512i even_high = _mm512_shuffle_i64x2(t[j + 4], t[j + 6], 0x88);
		__m512i odd_high = _mm512_shuffle_i64x2(t[j + 4], t[j + 6], 0xdd);

		v[j] = _mm512_shuffle_i64x2(even_low, even_high, 0x88);
		v[j + 2] = _mm512_shuffle_i64x2(odd_low, odd_high, 0x88);
		v[j + 4] = _mm512_shuffle_i64x2(even_low, even_high, 0xdd);
		v[j + 6] = _mm512_shuffle_i64x2(odd_low, odd_high, 0xdd);
	}
}

/* Limbs of 64 bits to limbs of 52, times 16: table entries are times 2^256, and R is 2^260. */
static HF_ALWAYS_INLINE struct hf_x8 times_16(const __m512i w[4])
{
	const __m512i low = hf_x8_word((UINT64_C(1) << HF_X8_BITS) - 1);
	struct hf_x8 r;

	r.v[0] = _mm512_and_si512(_mm512_slli_epi64(w[0], 4), low);
	r.v[1] = _mm512_or_si512(_mm512_srli_epi64(w[0], 48), _mm512_slli_epi64(w[1], 16));
	r.v[1] = _mm512_and_si512(r.v[1], low);
	r.v[2] = _mm512_or_si512(_mm512_srli_epi64(w[1], 36), _mm512_slli_epi64(w[2], 28));
	r.v[2] = _mm512_and_si512(r.v[2], low);
	r.v[3] = _mm512_or_si512(_mm512_srli_epi64(w[2], 24), _mm512_slli_epi64(w[3], 40));
	r.v[3] = _mm512_and_si512(r.v[3], low);
	r.v[4] = _mm512_srli_epi64(w[3], 12);
	return r;
}

/* (x, y) = the multiple of window i for the digits of k, F(16); where a digit is 0, *none is set.
 */
static HF_ALWAYS_INLINE void look_up(
	__mmask8 *none, struct hf_x8 *x, struct hf_x8 *y, const struct hf_x8 *k, unsigned i)
{
	const __m512i one = hf_x8_word(1);
	const __m512i *row = (const __m512i *)(const void *)hf_g_table[i];
	__m512i v = i == 0 ? _mm512_slli_epi64(hf_x8_bits(k, 0, HF_G_WINDOW), 1)
			   : hf_x8_bits(k, i * HF_G_WINDOW - 1, HF_G_WINDOW + 1);
	__mmask8 neg = _mm512_test_epi64_mask(v, hf_x8_word(1u << HF_G_WINDOW));
	__m512i digit = _mm512_mask_sub_epi64(v, neg, hf_x8_word((2u << HF_G_WINDOW) - 1), v);
	__m512i got[8];
	__m512i at;

	digit = _mm512_srli_epi64(_mm512_add_epi64(digit, one), 1);
	*none = _mm512_testn_epi64_mask(digit, digit);
	at = _mm512_sub_epi64(digit, one);
	HF_UNROLL
	for (size_t j = 0; j < 8; j++)
		got[j] = _mm512_setzero_si512();
	for (size_t g = 0; g < HF_G_ENTRIES / 8; g++) {
		__mmask8 here = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(at, 3), hf_x8_word(g));
		__m512i entry[8];

		HF_UNROLL
		for (size_t j = 0; j < 8; j++)
			entry[j] = _mm512_loadu_si512(row + 8 * g + j);
		transpose(entry);
		HF_UNROLL
		for (size_t j = 0; j < 8; j++)
			got[j] = _mm512_mask_permutexvar_epi64(got[j], here, at, entry[j]);
	}
	*x = times_16(got);
	*y = times_16(got + 4);
	*y = hf_x8_pick(neg, hf_x8_carry(hf_x8_difference(hf_x8_all(x1_16p), *y)), *y);
}

void hf_pt8_mul_base(struct hf_pt8 *r, const struct hf_x8 *k)
{
	struct hf_pt8 acc;
	struct hf_pt8 sum;
	struct hf_x8 x;
	struct hf_x8 y;
	__mmask8 none;

	look_up(&none, &x, &y, k, 0);
	acc.x = hf_fp8_fold(x);
	acc.y = hf_fp8_fold(y);
	acc.z = hf_x8_all(x1_one);
	for (unsigned i = 1; i < HF_G_WINDOWS; i++) {
		look_up(&none, &x, &y, k, i);
		add_affine(&sum, &acc, x, y);
		acc.x = hf_x8_pick(none, acc.x, sum.x);
		acc.y = hf_x8_pick(none, acc.y, sum.y);
		acc.z = hf_x8_pick(none, acc.z, sum.z);
	}
	*r = acc;
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(&sum, sizeof(sum));
	hf_wipe(&x, sizeof(x));
	hf_wipe(&y, sizeof(y));
}

/* r = [digit] P for window i of k, out of table[j] = [2 j + 1] P. */
static HF_ALWAYS_INLINE void pick_entry(
	struct hf_pt8 *r, const struct hf_pt8 table[ENTRIES], const struct hf_x8 *k, unsigned i)
{
	__m512i v = hf_x8_bits(k, WINDOW * i + 1, WINDOW);
	__mmask8 neg = _mm512_testn_epi64_mask(v, hf_x8_word(ENTRIES));
	__m512i at = _mm512_mask_xor_epi64(v, neg, v, hf_x8_word(ENTRIES - 1));

	at = _mm512_and_si512(at, hf_x8_word(ENTRIES - 1));
	*r = table[0];
	for (size_t j = 1; j < ENTRIES; j++) {
		__mmask8 here = _mm512_cmpeq_epi64_mask(at, hf_x8_word(j));

		r->x = hf_x8_pick(here, table[j].x, r->x);
		r->y = hf_x8_pick(here, table[j].y, r->y);
		r->z = hf_x8_pick(here, table[j].z, r->z);
	}
	r->y = hf_x8_pick(neg, hf_x8_carry(hf_x8_difference(hf_x8_all(x1_2p), r->y)), r->y);
}

void hf_pt8_mul(
	struct hf_pt8 *r, const struct hf_x8 *k, const struct hf_x8 *x, const struct hf_x8 *y)
{
	struct hf_pt8 table[ENTRIES];
	struct hf_pt8 acc;
	struct hf_pt8 q;
	struct hf_x8 h;
	struct hf_x8 d;

	/* [2] P and the odd multiples up to 31: small and all different. */
	table[0] = (struct hf_pt8){ *x, *y, hf_x8_all(x1_one) };
	acc = table[0];
	double_some(&acc, 1);
	for (size_t j = 1; j < ENTRIES; j++)
		add(&h, &d, &table[j], &table[j - 1], &acc);

	acc = table[0];
	for (unsigned i = WINDOWS; i-- > 0;) {
		double_some(&acc, WINDOW);
		pick_entry(&q, table, k, i);
		if (i > 0)
			add(&h, &d, &acc, &acc, &q);
		else
			hf_pt8_add_any(r, &acc, &q);
	}
	hf_wipe(table, sizeof(table));
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(&q, sizeof(q));
	hf_wipe(&h, sizeof(h));
	hf_wipe(&d, sizeof(d));
}
