/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel for batches of SM2 with AVX-512 IFMA: lanes in groups of eight, a group in the places
 * of registers (sm2_x86_ifma.h, sm2_x86_ifma_point.h). Places without a lane work on a copy of the
 * first one. Inversions, 270 products that wait for each other, are shared by the groups.
 *
 * A peer that is no point of the curve is replaced by G, so that every z is invertible: a lane
 * shares its inversions with those of the same place in other groups. Verification inverts nothing.
 *
 * Numbers are F(c) as in sm2_x86_ifma.h; modulo n the same holds with n in place of p.
 *
 * Preconditions: HF_CPU_AVX512 and HF_CPU_AVX512_IFMA. Constant time, the verification too: masks
 * choose, and loops count lanes, limbs and windows. Measured on a Zen 5 server core at 4.3 GHz, 32
 * lanes, cycles each: signature 5,500, pair of keys with its check 8,300, shared value 23,700,
 * verification 26,500; 4 to 5 times the speed of the C reference, which has the single operations
 * of sm2_x86_mulx.c below it there.
 */
#include "base/cpu.h"
#include "base/wipe.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_w256.h"
#include "crypto/sm2/sm2_x86_ifma_point.h"

enum {
	GROUP = 8,
	GROUPS = HF_SM2_BATCH_MAX / GROUP,
	WORTH_FROM = 2,      /* lanes; fewer are faster one after another */
	WORTH_FROM_KEYS = 3, /* the same for multiples of G */
	WORTH_FROM_SIGN = 4,
	STACK_LEN = 40960, /* bytes; the frames of ecdh_groups() and what it calls are 31 KB */
};

static const struct hf_x1 x1_1 = { { 1 } };
static const struct hf_x1 x1_one = HF_X1_ONE;
static const struct hf_x1 x1_p = HF_X1_P;
static const struct hf_x1 x1_n = HF_X1_N;
static const struct hf_x1 x1_b = HF_X1_B;
static const struct hf_x1 x1_rrp = HF_X1_RRP;
static const struct hf_x1 x1_rrn = HF_X1_RRN;
static const struct hf_x1 x1_2p = HF_X1_2P;
static const struct hf_x1 x1_4p = HF_X1_4P;
/* x and y of G, times R. */
static const struct hf_x1 x1_gx = { { 0x8990f418029e9, 0xe6ca6c04fd132, 0x24c3c33e7981e,
	0xb05d6a1ed99ac, 0x01167a5f71c13 } };
static const struct hf_x1 x1_gy = { { 0x4e593c2d0ddd6, 0x8ed3295fa6135, 0x2a48f8c1f5e57,
	0x5bd8d4cfb066e, 0x03cd65d4e1d73 } };

/* Numbers on their way between lanes and places: limb i of place j is at [i][j]. */
struct words {
	uint64_t w[4][GROUP];
};

static void words_set(struct words *t, size_t place, const uint64_t a[4])
{
	for (size_t i = 0; i < 4; i++)
		t->w[i][place] = a[i];
}

static void words_get(uint64_t a[4], const struct words *t, size_t place)
{
	for (size_t i = 0; i < 4; i++)
		a[i] = t->w[i][place];
}

/* From limbs of 64 bits to limbs of 52. */
static struct hf_x8 words_load(const struct words *t)
{
	const __m512i low = hf_x8_word((UINT64_C(1) << HF_X8_BITS) - 1);
	__m512i w0 = _mm512_loadu_si512(t->w[0]);
	__m512i w1 = _mm512_loadu_si512(t->w[1]);
	__m512i w2 = _mm512_loadu_si512(t->w[2]);
	__m512i w3 = _mm512_loadu_si512(t->w[3]);
	struct hf_x8 r;

	r.v[0] = _mm512_and_si512(w0, low);
	r.v[1] = _mm512_or_si512(_mm512_srli_epi64(w0, 52), _mm512_slli_epi64(w1, 12));
	r.v[1] = _mm512_and_si512(r.v[1], low);
	r.v[2] = _mm512_or_si512(_mm512_srli_epi64(w1, 40), _mm512_slli_epi64(w2, 24));
	r.v[2] = _mm512_and_si512(r.v[2], low);
	r.v[3] = _mm512_or_si512(_mm512_srli_epi64(w2, 28), _mm512_slli_epi64(w3, 36));
	r.v[3] = _mm512_and_si512(r.v[3], low);
	r.v[4] = _mm512_srli_epi64(w3, 16);
	return r;
}

/* And back; a is below 2^256 and carried. */
static void words_store(struct words *t, struct hf_x8 a)
{
	const __m512i *v = a.v;

	_mm512_storeu_si512(t->w[0], _mm512_or_si512(v[0], _mm512_slli_epi64(v[1], 52)));
	_mm512_storeu_si512(
		t->w[1], _mm512_or_si512(_mm512_srli_epi64(v[1], 12), _mm512_slli_epi64(v[2], 40)));
	_mm512_storeu_si512(
		t->w[2], _mm512_or_si512(_mm512_srli_epi64(v[2], 24), _mm512_slli_epi64(v[3], 28)));
	_mm512_storeu_si512(
		t->w[3], _mm512_or_si512(_mm512_srli_epi64(v[3], 36), _mm512_slli_epi64(v[4], 16)));
}

/* Out of line: what a group does a few times need not be large. */
static HF_NOINLINE struct hf_x8 fp_mul(struct hf_x8 a, struct hf_x8 b)
{
	return hf_fp8_mul(a, b);
}

static HF_NOINLINE struct hf_x8 fn_mul(struct hf_x8 a, struct hf_x8 b)
{
	return hf_fn8_mul(a, b);
}

static struct hf_x8 fp_sqr(struct hf_x8 a)
{
	return fp_mul(a, a);
}

/* Between plain numbers and those times R. To F(1.1) from anything; from F(16) to below p. */
static struct hf_x8 fp8_from(struct hf_x8 plain)
{
	return fp_mul(plain, hf_x8_all(x1_rrp));
}

static struct hf_x8 fp8_plain(struct hf_x8 a)
{
	return hf_x8_settle(fp_mul(a, hf_x8_all(x1_1)), hf_x8_all(x1_p));
}

/* a^(2^n) b. */
static HF_NOINLINE struct hf_x8 fp8_shift_mul(struct hf_x8 a, unsigned n, struct hf_x8 b)
{
	for (unsigned i = 0; i < n; i++)
		a = hf_fp8_sqr(a);
	return fp_mul(a, b);
}

/* 1 / a, as hf_fp_inv(): the exponent p - 2 is 31 ones, 0, 128 ones, 32 zeros, 62 ones, 0, 1. */
static HF_NOINLINE void fp8_inv(struct hf_x8 *r, const struct hf_x8 *a)
{
	struct hf_x8 t = fp8_shift_mul(*a, 1, *a);
	struct hf_x8 u = fp8_shift_mul(t, 1, *a); /* a^(2^3 - 1) */
	struct hf_x8 n30;
	struct hf_x8 n31;
	struct hf_x8 n32;

	t = fp8_shift_mul(u, 3, u);
	t = fp8_shift_mul(t, 6, t);
	t = fp8_shift_mul(t, 3, u);
	n30 = fp8_shift_mul(t, 15, t);
	n31 = fp8_shift_mul(n30, 1, *a);
	n32 = fp8_shift_mul(n31, 1, *a);
	t = fp8_shift_mul(n32, 32, n32);
	u = fp8_shift_mul(t, 64, t); /* a^(2^128 - 1) */
	t = fp8_shift_mul(n31, 129, u);
	t = fp8_shift_mul(t, 64, n32);
	t = fp8_shift_mul(t, 30, n30);
	*r = fp8_shift_mul(t, 2, *a);
}

/* 1 / a modulo n, as hf_fn_inv(): a^(n - 2), the public exponent four bits at a time. */
static HF_NOINLINE void fn8_inv(struct hf_x8 *r, const struct hf_x8 *a)
{
	static const uint64_t exponent[4] = { 0x53bbf40939d54121, 0x7203df6b21c6052b,
		0xffffffffffffffff, 0xfffffffeffffffff };
	struct hf_x8 pow[16]; /* powers of a; the first, 1, is not needed */
	struct hf_x8 t;

	pow[1] = *a;
	for (size_t i = 2; i < 16; i++)
		pow[i] = fn_mul(pow[i - 1], *a);
	t = pow[15];
	for (unsigned pos = 252; pos > 0; pos -= 4) {
		unsigned bits = hf_w256_bits(exponent, pos - 4, 4);

		for (int i = 0; i < 4; i++)
			t = hf_fn8_sqr(t);
		if (bits != 0)
			t = fn_mul(t, pow[bits]);
	}
	*r = t;
	hf_wipe(pow, sizeof(pow));
}

/* run[i] = z[0] ... z[i], so that one inversion of the last serves all; see sm2_batch_c.c. */
static void points_affine(struct hf_pt8 *p, size_t n)
{
	struct hf_x8 run[GROUPS];
	struct hf_x8 inv;
	struct hf_x8 one;
	struct hf_x8 zz;

	if (n == 0)
		return;
	run[0] = p[0].z;
	for (size_t i = 1; i < n; i++)
		run[i] = fp_mul(run[i - 1], p[i].z);
	fp8_inv(&inv, &run[n - 1]);
	for (size_t i = n; i-- > 0;) {
		one = i > 0 ? fp_mul(inv, run[i - 1]) : inv;
		inv = fp_mul(inv, p[i].z);
		zz = fp_sqr(one);
		p[i].x = fp_mul(p[i].x, zz);
		p[i].y = fp_mul(p[i].y, fp_mul(zz, one));
	}
	hf_wipe(run, sizeof(run));
	hf_wipe(&inv, sizeof(inv));
	hf_wipe(&one, sizeof(one));
	hf_wipe(&zz, sizeof(zz));
}

/* a[i] = 1 / a[i] modulo n; no a is 0. */
static void scalars_invert(struct hf_x8 *a, size_t n)
{
	struct hf_x8 run[GROUPS];
	struct hf_x8 inv;
	struct hf_x8 one;

	if (n == 0)
		return;
	run[0] = a[0];
	for (size_t i = 1; i < n; i++)
		run[i] = fn_mul(run[i - 1], a[i]);
	fn8_inv(&inv, &run[n - 1]);
	for (size_t i = n; i-- > 0;) {
		one = i > 0 ? fn_mul(inv, run[i - 1]) : inv;
		inv = fn_mul(inv, a[i]);
		a[i] = one;
	}
	hf_wipe(run, sizeof(run));
	hf_wipe(&inv, sizeof(inv));
	hf_wipe(&one, sizeof(one));
}

/* a + b modulo n, for a + b < 2 n. */
static struct hf_x8 fn8_add(struct hf_x8 a, struct hf_x8 b)
{
	return hf_x8_settle(hf_x8_carry(hf_x8_sum(a, b)), hf_x8_all(x1_n));
}

static struct hf_x8 fn8_sub(struct hf_x8 a, struct hf_x8 b)
{
	return fn8_add(a, hf_x8_carry(hf_x8_difference(hf_x8_all(x1_n), b)));
}

/* The odd one of k and n - k, and where it is the latter; [n - k] P is the negative of [k] P. */
static struct hf_x8 odd_one(__mmask8 *other, struct hf_x8 k)
{
	struct hf_x8 t = hf_x8_carry(hf_x8_difference(hf_x8_all(x1_n), k));

	*other = _mm512_testn_epi64_mask(k.v[0], hf_x8_word(1));
	return hf_x8_pick(*other, t, k);
}

/* y of F(1.1), or -y where m is set. */
static struct hf_x8 neg_if(__mmask8 m, struct hf_x8 y)
{
	return hf_x8_pick(m, hf_x8_carry(hf_x8_difference(hf_x8_all(x1_2p), y)), y);
}

/* [k] G for any k of 1 .. n - 1. */
static void mul_base(struct hf_pt8 *r, struct hf_x8 k)
{
	__mmask8 other;

	k = odd_one(&other, k);
	hf_pt8_mul_base(r, &k);
	r->y = neg_if(other, r->y);
	hf_wipe(&k, sizeof(k));
}

/* Where y^2 = x^3 - 3 x + b, for x and y of F(1.1). */
static __mmask8 on_curve(struct hf_x8 x, struct hf_x8 y)
{
	struct hf_x8 xx = fp_sqr(x);
	struct hf_x8 t = hf_x8_sum(hf_x8_all(x1_4p), hf_x8_all(x1_b));

	/* x (x^2 - 3) + b + 4 p - y^2 */
	xx = hf_x8_carry(hf_x8_difference(hf_x8_sum(xx, hf_x8_all(x1_4p)),
		hf_x8_sum(hf_x8_all(x1_one), hf_x8_sum(hf_x8_all(x1_one), hf_x8_all(x1_one)))));
	t = hf_x8_sum(t, fp_mul(xx, x));
	return hf_fp8_zero(hf_x8_difference(t, fp_sqr(y)));
}

/* The public key of place j into *x and *y. */
static void pub_set(struct words *x, struct words *y, size_t j, const struct hf_sm2_pub *pub)
{
	uint64_t w[4];

	hf_w256_get(w, pub->x);
	words_set(x, j, w);
	hf_w256_get(w, pub->y);
	words_set(y, j, w);
}

/* x and y times R; the mask is set where they are a point of the curve. */
static __mmask8 pub_load(
	struct hf_x8 *x, struct hf_x8 *y, const struct words *wx, const struct words *wy)
{
	struct hf_x8 px = words_load(wx);
	struct hf_x8 py = words_load(wy);
	__mmask8 x_fits;
	__mmask8 y_fits;

	(void)hf_x8_sub(&x_fits, px, hf_x8_all(x1_p));
	(void)hf_x8_sub(&y_fits, py, hf_x8_all(x1_p));
	*x = fp8_from(px);
	*y = fp8_from(py);
	return x_fits & y_fits & on_curve(*x, *y);
}

/* How many groups n lanes are, and the lane of place j in group g. */
static size_t groups(size_t n)
{
	return (n + GROUP - 1) / GROUP;
}

static size_t lane_of(size_t n, size_t g, size_t j)
{
	return g * GROUP + j < n ? g * GROUP + j : 0;
}

/* The mask of lanes out of those of groups. */
static uint32_t lanes_of(__mmask8 m, size_t n, size_t g)
{
	uint32_t all = n < HF_SM2_BATCH_MAX ? (UINT32_C(1) << n) - 1 : UINT32_MAX;

	return (uint32_t)m << (g * GROUP) & all;
}

static HF_NOINLINE void keys_groups(struct hf_sm2_key_lane *lanes, size_t n)
{
	struct hf_pt8 p[GROUPS];
	struct words w;
	struct words v;

	for (size_t g = 0; g < groups(n); g++) {
		for (size_t j = 0; j < GROUP; j++)
			words_set(&w, j, lanes[lane_of(n, g, j)].d);
		mul_base(&p[g], words_load(&w));
	}
	points_affine(p, groups(n));
	for (size_t g = 0; g < groups(n); g++) {
		words_store(&w, fp8_plain(p[g].x));
		words_store(&v, fp8_plain(p[g].y));
		for (size_t j = 0; j < GROUP && g * GROUP + j < n; j++) {
			words_get(lanes[g * GROUP + j].x, &w, j);
			words_get(lanes[g * GROUP + j].y, &v, j);
		}
	}
	hf_wipe(p, sizeof(p));
	hf_wipe(&w, sizeof(w));
}

/*
 * Where (x, y) + G is [d + 1] G. One of d and d + 1 is even: from mul_base() they take different
 * entries of the table all along.
 */
static __mmask8 is_pair(struct hf_x8 d, struct hf_x8 x, struct hf_x8 y)
{
	const struct hf_x8 p4 = hf_x8_all(x1_4p);
	const struct hf_x8 one = hf_x8_all(x1_one);
	struct hf_pt8 sum = { x, y, one };
	struct hf_pt8 g = { hf_x8_all(x1_gx), hf_x8_all(x1_gy), one };
	struct hf_pt8 want;
	struct hf_x8 left;
	struct hf_x8 right;
	struct hf_x8 zz1;
	struct hf_x8 zz2;
	__mmask8 ok;

	mul_base(&want, hf_x8_carry(hf_x8_sum(d, hf_x8_all(x1_1))));
	hf_pt8_add_any(&sum, &sum, &g);
	zz1 = fp_sqr(sum.z);
	zz2 = fp_sqr(want.z);
	left = hf_x8_sum(fp_mul(sum.x, zz2), p4);
	right = fp_mul(want.x, zz1);
	ok = hf_fp8_zero(hf_x8_difference(left, right)) & (__mmask8)~hf_fp8_zero(sum.z);
	left = hf_x8_sum(fp_mul(sum.y, fp_mul(zz2, want.z)), p4);
	right = fp_mul(want.y, fp_mul(zz1, sum.z));
	hf_wipe(&want, sizeof(want));
	return ok & hf_fp8_zero(hf_x8_difference(left, right));
}

static HF_NOINLINE uint32_t pairs_groups(const struct hf_sm2_key_lane *lanes, size_t n)
{
	uint32_t good = 0;
	struct words wx;
	struct words wy;
	struct words wd;

	for (size_t g = 0; g < groups(n); g++) {
		struct hf_x8 x;
		struct hf_x8 y;
		__mmask8 ok;

		for (size_t j = 0; j < GROUP; j++) {
			words_set(&wd, j, lanes[lane_of(n, g, j)].d);
			words_set(&wx, j, lanes[lane_of(n, g, j)].x);
			words_set(&wy, j, lanes[lane_of(n, g, j)].y);
		}
		ok = pub_load(&x, &y, &wx, &wy);
		good |= lanes_of(ok & is_pair(words_load(&wd), x, y), n, g);
	}
	hf_wipe(&wd, sizeof(wd));
	return good;
}

/* r and s of a group, plain, from x1 (plain), k, e and 1 / (1 + d) times R; where k can be used. */
static __mmask8 sign_end(struct hf_x8 *r, struct hf_x8 *s, struct hf_x8 x1, struct hf_x8 k,
	struct hf_x8 e, struct hf_x8 inv)
{
	struct hf_x8 rk;

	/* GB/T 32918.2-2016 6.1 A5: r = e + x1 mod n; not 0, and r + k not n. e, x1 < 2^256 < 2 n.
	 */
	*r = fn8_add(hf_x8_settle(e, hf_x8_all(x1_n)), hf_x8_settle(x1, hf_x8_all(x1_n)));
	rk = fn8_add(*r, k);

	/* A6: s = (k - r d) / (1 + d) = (k + r) / (1 + d) - r; not 0. */
	*s = hf_x8_settle(fn_mul(rk, inv), hf_x8_all(x1_n));
	*s = fn8_sub(*s, *r);
	return (__mmask8) ~(hf_x8_zero(*r) | hf_x8_zero(rk) | hf_x8_zero(*s));
}

/* The scalars of a group. */
static void sign_load(struct hf_x8 *d1, struct hf_x8 *k, struct hf_x8 *e,
	const struct hf_sm2_sign_lane *lanes, size_t n, size_t g)
{
	struct words wd;
	struct words wk;
	struct words we;

	for (size_t j = 0; j < GROUP; j++) {
		const struct hf_sm2_sign_lane *l = &lanes[lane_of(n, g, j)];

		words_set(&wd, j, l->d);
		words_set(&wk, j, l->k);
		words_set(&we, j, l->e);
	}
	*d1 = hf_x8_carry(hf_x8_sum(words_load(&wd), hf_x8_all(x1_1)));
	*d1 = fn_mul(*d1, hf_x8_all(x1_rrn));
	*k = words_load(&wk);
	*e = words_load(&we);
	hf_wipe(&wd, sizeof(wd));
	hf_wipe(&wk, sizeof(wk));
}

static HF_NOINLINE uint32_t sign_groups(struct hf_sm2_sign_lane *lanes, size_t n)
{
	struct hf_pt8 p[GROUPS];
	struct hf_x8 d1[GROUPS];
	struct hf_x8 k[GROUPS];
	struct hf_x8 e[GROUPS];
	struct hf_x8 r;
	struct hf_x8 s;
	struct words wr;
	struct words ws;
	uint32_t good = 0;

	for (size_t g = 0; g < groups(n); g++) {
		sign_load(&d1[g], &k[g], &e[g], lanes, n, g);
		mul_base(&p[g], k[g]);
	}
	points_affine(p, groups(n));
	scalars_invert(d1, groups(n));
	for (size_t g = 0; g < groups(n); g++) {
		__mmask8 ok = sign_end(&r, &s, fp8_plain(p[g].x), k[g], e[g], d1[g]);

		good |= lanes_of(ok, n, g);
		words_store(&wr, r);
		words_store(&ws, s);
		for (size_t j = 0; j < GROUP && g * GROUP + j < n; j++) {
			words_get(lanes[g * GROUP + j].r, &wr, j);
			words_get(lanes[g * GROUP + j].s, &ws, j);
		}
	}
	hf_wipe(p, sizeof(p));
	hf_wipe(d1, sizeof(d1));
	hf_wipe(k, sizeof(k));
	return good;
}

/* Where x1 of p is v modulo n: x = v z^2 or (v + n) z^2, if that is below p. v is plain. */
static __mmask8 x_is(const struct hf_pt8 *p, struct hf_x8 v)
{
	struct hf_x8 zz = fp_sqr(p->z);
	struct hf_x8 x = hf_x8_sum(p->x, hf_x8_all(x1_4p));
	struct hf_x8 second = hf_x8_carry(hf_x8_sum(v, hf_x8_all(x1_n)));
	__mmask8 fits;
	__mmask8 is_v;
	__mmask8 is_second;

	(void)hf_x8_sub(&fits, second, hf_x8_all(x1_p));
	is_v = hf_fp8_zero(hf_x8_difference(x, fp_mul(fp8_from(v), zz)));
	is_second = hf_fp8_zero(hf_x8_difference(x, fp_mul(fp8_from(second), zz)));
	return is_v | (fits & is_second);
}

/* r, s, e plain; the point x, y times R. */
static __mmask8 verify_group(
	struct hf_x8 r, struct hf_x8 s, struct hf_x8 e, struct hf_x8 x, struct hf_x8 y)
{
	const struct hf_x8 order = hf_x8_all(x1_n);
	struct hf_pt8 sg;
	struct hf_pt8 tp;
	struct hf_x8 t;
	__mmask8 r_fits;
	__mmask8 s_fits;
	__mmask8 other;
	__mmask8 ok;

	/* GB/T 32918.2-2016 7.1 B1, B2: r and s of 1 .. n - 1. B5: t = r + s mod n, not 0. */
	(void)hf_x8_sub(&r_fits, r, order);
	(void)hf_x8_sub(&s_fits, s, order);
	ok = r_fits & s_fits & (__mmask8) ~(hf_x8_zero(r) | hf_x8_zero(s));
	r = hf_x8_settle(r, order);
	s = hf_x8_pick(ok, s, hf_x8_all(x1_1));
	t = fn8_add(r, s);
	ok &= (__mmask8)~hf_x8_zero(t);
	t = hf_x8_pick(ok, t, hf_x8_all(x1_1));

	/* B6, B7: (x1, y1) = [s] G + [t] P; r must be e + x1 mod n. */
	mul_base(&sg, s);
	t = odd_one(&other, t);
	y = neg_if(other, y);
	hf_pt8_mul(&tp, &t, &x, &y);
	hf_pt8_add_any(&tp, &sg, &tp);
	ok &= (__mmask8)~hf_fp8_zero(tp.z);
	return ok & x_is(&tp, fn8_sub(r, hf_x8_settle(e, order)));
}

static uint32_t verify_ifma(const struct hf_sm2_verify_job *jobs, size_t n)
{
	uint32_t good = 0;
	struct words wx;
	struct words wy;
	struct words wr;
	struct words ws;
	struct words we;

	if (n < WORTH_FROM)
		return hf_sm2_batch_kernel_c.verify(jobs, n);
	for (size_t g = 0; g < groups(n); g++) {
		struct hf_x8 x;
		struct hf_x8 y;
		__mmask8 ok;

		for (size_t j = 0; j < GROUP; j++) {
			const struct hf_sm2_verify_job *job = &jobs[lane_of(n, g, j)];
			uint64_t w[4];

			pub_set(&wx, &wy, j, job->pub);
			hf_w256_get(w, job->sig->r);
			words_set(&wr, j, w);
			hf_w256_get(w, job->sig->s);
			words_set(&ws, j, w);
			hf_w256_get(w, job->e);
			words_set(&we, j, w);
		}
		ok = pub_load(&x, &y, &wx, &wy);
		x = hf_x8_pick(ok, x, hf_x8_all(x1_gx));
		y = hf_x8_pick(ok, y, hf_x8_all(x1_gy));
		ok &= verify_group(words_load(&wr), words_load(&ws), words_load(&we), x, y);
		good |= lanes_of(ok, n, g);
	}
	return good;
}

static HF_NOINLINE uint32_t ecdh_groups(struct hf_sm2_ecdh_lane *lanes, size_t n)
{
	struct hf_pt8 p[GROUPS];
	struct hf_x8 k;
	struct hf_x8 x;
	struct hf_x8 y;
	struct words wx;
	struct words wy;
	struct words wd;
	uint32_t good = 0;

	for (size_t g = 0; g < groups(n); g++) {
		__mmask8 ok;
		__mmask8 other;

		for (size_t j = 0; j < GROUP; j++) {
			words_set(&wd, j, lanes[lane_of(n, g, j)].d);
			pub_set(&wx, &wy, j, lanes[lane_of(n, g, j)].peer);
		}
		ok = pub_load(&x, &y, &wx, &wy);
		good |= lanes_of(ok, n, g);
		x = hf_x8_pick(ok, x, hf_x8_all(x1_gx));
		y = hf_x8_pick(ok, y, hf_x8_all(x1_gy));
		k = odd_one(&other, words_load(&wd)); /* the sign of the sum does not matter */
		hf_pt8_mul(&p[g], &k, &x, &y);
	}
	points_affine(p, groups(n));
	for (size_t g = 0; g < groups(n); g++) {
		words_store(&wx, fp8_plain(p[g].x));
		for (size_t j = 0; j < GROUP && g * GROUP + j < n; j++)
			words_get(lanes[g * GROUP + j].x, &wx, j);
	}
	hf_wipe(p, sizeof(p));
	hf_wipe(&k, sizeof(k));
	hf_wipe(&wx, sizeof(wx));
	hf_wipe(&wd, sizeof(wd));
	return good;
}

/* Numbers take many registers, and compilers put them aside: the frames of the calls before. */
static HF_NOINLINE void wipe_frames(void)
{
	uint8_t area[STACK_LEN];

	hf_wipe(area, sizeof(area));
}

static void keys_ifma(struct hf_sm2_key_lane *lanes, size_t n)
{
	if (n < WORTH_FROM_KEYS) {
		hf_sm2_batch_kernel_c.keys(lanes, n);
		return;
	}
	keys_groups(lanes, n);
	wipe_frames();
}

static uint32_t pairs_ifma(const struct hf_sm2_key_lane *lanes, size_t n)
{
	uint32_t good;

	if (n < WORTH_FROM_KEYS)
		return hf_sm2_batch_kernel_c.pairs(lanes, n);
	good = pairs_groups(lanes, n);
	wipe_frames();
	return good;
}

static uint32_t sign_ifma(struct hf_sm2_sign_lane *lanes, size_t n)
{
	uint32_t good;

	if (n < WORTH_FROM_SIGN)
		return hf_sm2_batch_kernel_c.sign(lanes, n);
	good = sign_groups(lanes, n);
	wipe_frames();
	return good;
}

static uint32_t ecdh_ifma(struct hf_sm2_ecdh_lane *lanes, size_t n)
{
	uint32_t good;

	if (n < WORTH_FROM)
		return hf_sm2_batch_kernel_c.ecdh(lanes, n);
	good = ecdh_groups(lanes, n);
	wipe_frames();
	return good;
}

const struct hf_sm2_batch_kernel hf_sm2_batch_kernel_ifma_avx512 = {
	.name = "ifma_avx512",
	.needs = HF_CPU_AVX512 | HF_CPU_AVX512_IFMA,
	.keys = keys_ifma,
	.pairs = pairs_ifma,
	.sign = sign_ifma,
	.verify = verify_ifma,
	.ecdh = ecdh_ifma,
};
