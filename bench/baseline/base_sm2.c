/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2, GB/T 32918-2016, in Jacobian coordinates with Montgomery's multiplication of 32-bit words:
 * doubling for every bit of a scalar, an addition where it is 1, inversion by Fermat.
 */
#include "base.h"

#include <string.h>

enum {
	N = 8, /* words, the lowest first */
};

struct modulus {
	uint32_t m[N];
	uint32_t inverse; /* -1 / m[0] mod 2^32 */
	uint32_t rr[N];   /* R^2 mod m, R = 2^256 */
};

static const uint32_t p_words[N] = { 0xffffffff, 0xffffffff, 0x00000000, 0xffffffff, 0xffffffff,
	0xffffffff, 0xffffffff, 0xfffffffe };
static const uint32_t n_words[N] = { 0x39d54123, 0x53bbf409, 0x21c6052b, 0x7203df6b, 0xffffffff,
	0xffffffff, 0xffffffff, 0xfffffffe };
static const uint32_t b_words[N] = { 0x4d940e93, 0xddbcbd41, 0x15ab8f92, 0xf39789f5, 0xcf6509a7,
	0x4d5a9e4b, 0x9d9f5e34, 0x28e9fa9e };
static const uint32_t gx_words[N] = { 0x334c74c7, 0x715a4589, 0xf2660be1, 0x8fe30bbf, 0x6a39c994,
	0x5f990446, 0x1f198119, 0x32c4ae2c };
static const uint32_t gy_words[N] = { 0x2139f0a0, 0x02df32e5, 0xc62a4740, 0xd0a9877c, 0x6b692153,
	0x59bdcee3, 0xf4f6779c, 0xbc3736a2 };

/* X / Z^2, Y / Z^3 in Montgomery's form; Z = 0: the point at infinity. */
struct point {
	uint32_t x[N];
	uint32_t y[N];
	uint32_t z[N];
};

static void get(uint32_t r[N], const uint8_t in[32])
{
	for (unsigned i = 0; i < N; i++)
		r[N - 1 - i] = (uint32_t)in[4 * i] << 24 | (uint32_t)in[4 * i + 1] << 16 |
			       (uint32_t)in[4 * i + 2] << 8 | in[4 * i + 3];
}

static void put(uint8_t out[32], const uint32_t a[N])
{
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(a[N - 1 - i / 4] >> (24 - 8 * (i % 4)));
}

static bool is_zero(const uint32_t a[N])
{
	uint32_t any = 0;

	for (unsigned i = 0; i < N; i++)
		any |= a[i];
	return any == 0;
}

static bool is_less(const uint32_t a[N], const uint32_t b[N])
{
	for (unsigned i = N; i-- > 0;)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

static uint32_t add_words(uint32_t r[N], const uint32_t a[N], const uint32_t b[N])
{
	uint64_t t = 0;

	for (unsigned i = 0; i < N; i++) {
		t += (uint64_t)a[i] + b[i];
		r[i] = (uint32_t)t;
		t >>= 32;
	}
	return (uint32_t)t;
}

static uint32_t sub_words(uint32_t r[N], const uint32_t a[N], const uint32_t b[N])
{
	uint32_t borrow = 0;

	for (unsigned i = 0; i < N; i++) {
		uint64_t t = (uint64_t)a[i] - b[i] - borrow;

		r[i] = (uint32_t)t;
		borrow = (uint32_t)(t >> 32) & 1;
	}
	return borrow;
}

static void add(uint32_t r[N], const uint32_t a[N], const uint32_t b[N], const struct modulus *m)
{
	if (add_words(r, a, b) != 0 || !is_less(r, m->m))
		sub_words(r, r, m->m);
}

static void sub(uint32_t r[N], const uint32_t a[N], const uint32_t b[N], const struct modulus *m)
{
	if (sub_words(r, a, b) != 0)
		add_words(r, r, m->m);
}

/* a * b / R */
static void mul(uint32_t r[N], const uint32_t a[N], const uint32_t b[N], const struct modulus *m)
{
	uint32_t t[N + 2] = { 0 };

	for (unsigned i = 0; i < N; i++) {
		uint64_t c = 0;
		uint32_t u;

		for (unsigned j = 0; j < N; j++) {
			c += (uint64_t)a[j] * b[i] + t[j];
			t[j] = (uint32_t)c;
			c >>= 32;
		}
		c += t[N];
		t[N] = (uint32_t)c;
		t[N + 1] = (uint32_t)(c >> 32);
		u = t[0] * m->inverse;
		c = ((uint64_t)u * m->m[0] + t[0]) >> 32;
		for (unsigned j = 1; j < N; j++) {
			c += (uint64_t)u * m->m[j] + t[j];
			t[j - 1] = (uint32_t)c;
			c >>= 32;
		}
		c += t[N];
		t[N - 1] = (uint32_t)c;
		t[N] = t[N + 1] + (uint32_t)(c >> 32);
	}
	if (t[N] != 0 || !is_less(t, m->m))
		sub_words(r, t, m->m);
	else
		memcpy(r, t, sizeof(m->m));
}

static void modulus_init(struct modulus *m, const uint32_t words[N])
{
	uint32_t one[N] = { 1 };

	memcpy(m->m, words, sizeof(m->m));
	m->inverse = 1;
	for (unsigned i = 0; i < 31; i++)
		m->inverse *= m->inverse * m->m[0]; /* m^(2^31 - 1) = 1 / m */
	m->inverse = 0 - m->inverse;
	memcpy(m->rr, one, sizeof(one));
	for (unsigned i = 0; i < 512; i++)
		add(m->rr, m->rr, m->rr, m);
}

static void to_form(uint32_t r[N], const uint32_t a[N], const struct modulus *m)
{
	mul(r, a, m->rr, m);
}

static void from_form(uint32_t r[N], const uint32_t a[N], const struct modulus *m)
{
	const uint32_t one[N] = { 1 };

	mul(r, a, one, m);
}

/* a^(m - 2), in the form. */
static void invert(uint32_t r[N], const uint32_t a[N], const struct modulus *m)
{
	const uint32_t two[N] = { 2 };
	const uint32_t one[N] = { 1 };
	uint32_t e[N];
	uint32_t t[N];

	sub_words(e, m->m, two);
	to_form(t, one, m);
	for (unsigned i = 256; i-- > 0;) {
		mul(t, t, t, m);
		if ((e[i / 32] >> i % 32 & 1) != 0)
			mul(t, t, a, m);
	}
	memcpy(r, t, sizeof(t));
}

/* a = -3: M = 3 (X - Z^2) (X + Z^2) */
static void point_double(struct point *r, const struct point *a, const struct modulus *p)
{
	uint32_t m[N], s[N], t[N], u[N];
	struct point q;

	mul(t, a->z, a->z, p);
	sub(u, a->x, t, p);
	add(t, a->x, t, p);
	mul(t, t, u, p);
	add(m, t, t, p);
	add(m, m, t, p);
	mul(t, a->y, a->y, p);
	mul(s, a->x, t, p);
	add(s, s, s, p);
	add(s, s, s, p);
	mul(q.x, m, m, p);
	sub(q.x, q.x, s, p);
	sub(q.x, q.x, s, p);
	mul(q.z, a->y, a->z, p);
	add(q.z, q.z, q.z, p);
	mul(t, t, t, p);
	add(t, t, t, p);
	add(t, t, t, p);
	add(t, t, t, p);
	sub(s, s, q.x, p);
	mul(q.y, m, s, p);
	sub(q.y, q.y, t, p);
	*r = q;
}

static void point_add(
	struct point *r, const struct point *a, const struct point *b, const struct modulus *p)
{
	uint32_t u1[N], u2[N], s1[N], s2[N], h[N], t[N], v[N];
	struct point q;

	if (is_zero(a->z) || is_zero(b->z)) {
		*r = is_zero(a->z) ? *b : *a;
		return;
	}
	mul(t, b->z, b->z, p);
	mul(u1, a->x, t, p);
	mul(t, t, b->z, p);
	mul(s1, a->y, t, p);
	mul(t, a->z, a->z, p);
	mul(u2, b->x, t, p);
	mul(t, t, a->z, p);
	mul(s2, b->y, t, p);
	sub(h, u2, u1, p);
	sub(s2, s2, s1, p);
	if (is_zero(h) && is_zero(s2)) {
		point_double(r, a, p);
		return;
	}
	mul(q.z, a->z, b->z, p);
	mul(q.z, q.z, h, p);
	mul(t, h, h, p);
	mul(v, u1, t, p);
	mul(t, t, h, p);
	mul(q.x, s2, s2, p);
	sub(q.x, q.x, t, p);
	sub(q.x, q.x, v, p);
	sub(q.x, q.x, v, p);
	sub(v, v, q.x, p);
	mul(v, v, s2, p);
	mul(t, t, s1, p);
	sub(q.y, v, t, p);
	*r = q;
}

static void point_mul(
	struct point *r, const uint32_t k[N], const struct point *a, const struct modulus *p)
{
	struct point q = { { 0 }, { 0 }, { 0 } };

	for (unsigned i = 256; i-- > 0;) {
		point_double(&q, &q, p);
		if ((k[i / 32] >> i % 32 & 1) != 0)
			point_add(&q, &q, a, p);
	}
	*r = q;
}

static void point_set(
	struct point *r, const uint32_t x[N], const uint32_t y[N], const struct modulus *p)
{
	const uint32_t one[N] = { 1 };

	to_form(r->x, x, p);
	to_form(r->y, y, p);
	to_form(r->z, one, p);
}

/* Out of Montgomery's form. */
static void point_get(uint32_t x[N], uint32_t y[N], const struct point *a, const struct modulus *p)
{
	uint32_t i1[N], i2[N];

	invert(i1, a->z, p);
	mul(i2, i1, i1, p);
	mul(x, a->x, i2, p);
	from_form(x, x, p);
	mul(i2, i2, i1, p);
	mul(y, a->y, i2, p);
	from_form(y, y, p);
}

/* y^2 = x^3 - 3x + b */
static bool is_on_curve(const struct point *a, const struct modulus *p)
{
	uint32_t l[N], r[N], b[N];

	mul(l, a->y, a->y, p);
	mul(r, a->x, a->x, p);
	mul(r, r, a->x, p);
	for (unsigned i = 0; i < 3; i++)
		sub(r, r, a->x, p);
	to_form(b, b_words, p);
	add(r, r, b, p);
	return memcmp(l, r, sizeof(l)) == 0;
}

/* (a mod n) for a < 2^256 */
static void reduce(uint32_t a[N], const struct modulus *n)
{
	if (!is_less(a, n->m))
		sub_words(a, a, n->m);
}

bool base_sm2_sign(
	uint8_t r[32], uint8_t s[32], const uint8_t d[32], const uint8_t e[32], const uint8_t k[32])
{
	const uint32_t one[N] = { 1 };
	struct modulus p, n;
	struct point g;
	uint32_t ww[N], rr[N], kk[N], dd[N], y[N], t[N];

	modulus_init(&p, p_words);
	modulus_init(&n, n_words);
	get(kk, k);
	get(dd, d);
	get(ww, e);
	reduce(ww, &n);
	if (is_zero(kk) || !is_less(kk, n.m))
		return false;
	point_set(&g, gx_words, gy_words, &p);
	point_mul(&g, kk, &g, &p);
	point_get(rr, y, &g, &p);
	reduce(rr, &n);
	add(rr, rr, ww, &n);
	add(t, rr, kk, &n);
	if (is_zero(rr) || is_zero(t))
		return false;

	/* s = (k - r d) / (1 + d) */
	to_form(t, rr, &n);
	mul(t, t, dd, &n);
	sub(kk, kk, t, &n);
	add(dd, dd, one, &n);
	to_form(dd, dd, &n);
	invert(dd, dd, &n);
	mul(t, kk, dd, &n);
	if (is_zero(t))
		return false;
	put(r, rr);
	put(s, t);
	return true;
}

bool base_sm2_verify(const struct base_sm2_pub *pub, const uint8_t e[32], const uint8_t r[32],
	const uint8_t s[32])
{
	struct modulus p, n;
	struct point g, q;
	uint32_t rr[N], ss[N], ee[N], t[N], x[N], y[N];

	modulus_init(&p, p_words);
	modulus_init(&n, n_words);
	get(rr, r);
	get(ss, s);
	get(ee, e);
	reduce(ee, &n);
	if (is_zero(rr) || !is_less(rr, n.m) || is_zero(ss) || !is_less(ss, n.m))
		return false;
	get(x, pub->x);
	get(y, pub->y);
	point_set(&q, x, y, &p);
	if (!is_on_curve(&q, &p))
		return false;
	add(t, rr, ss, &n);
	if (is_zero(t))
		return false;
	point_set(&g, gx_words, gy_words, &p);
	point_mul(&g, ss, &g, &p);
	point_mul(&q, t, &q, &p);
	point_add(&q, &g, &q, &p);
	point_get(x, y, &q, &p);
	reduce(x, &n);
	add(x, x, ee, &n);
	return memcmp(x, rr, sizeof(x)) == 0;
}

/* KDF of GB/T 32918.4-2016 5.4.3, one block of SM3 at a time. */
static void derive(uint8_t *out, size_t len, const uint8_t z[64])
{
	uint8_t in[68];
	uint8_t block[32];

	memcpy(in, z, 64);
	for (uint32_t c = 1; len > 0; c++) {
		size_t take = len < 32 ? len : 32;

		for (unsigned i = 0; i < 4; i++)
			in[64 + i] = (uint8_t)(c >> (24 - 8 * i));
		base_sm3(block, in, sizeof(in));
		memcpy(out, block, take);
		out += take;
		len -= take;
	}
}

bool base_sm2_decrypt(uint8_t *out, const uint8_t d[32], const struct base_sm2_pub *c1,
	const uint8_t c3[32], const uint8_t *c2, size_t len)
{
	struct modulus p;
	struct point q;
	uint32_t x[N], y[N], dd[N];
	uint8_t z[64];
	uint8_t u[64 + 256];
	uint8_t digest[32];

	if (len > 256)
		return false;
	modulus_init(&p, p_words);
	get(x, c1->x);
	get(y, c1->y);
	get(dd, d);
	point_set(&q, x, y, &p);
	if (!is_on_curve(&q, &p))
		return false;
	point_mul(&q, dd, &q, &p);
	point_get(x, y, &q, &p);
	put(z, x);
	put(z + 32, y);
	derive(out, len, z);
	for (size_t i = 0; i < len; i++)
		out[i] ^= c2[i];
	memcpy(u, z, 32);
	memcpy(u + 32, out, len);
	memcpy(u + 32 + len, z + 32, 32);
	base_sm3(digest, u, 64 + len);
	return memcmp(digest, c3, 32) == 0;
}
