/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic modulo the order of the base point, and the drawing of nonces and private keys. */
#include "crypto/sm2/sm2_fn.h"

#include "base/wipe.h"
#include "crypto/sm2/sm2_inv.h"

const uint64_t hf_fn_n[4] = { 0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff,
	0xfffffffeffffffff };
const uint64_t hf_fn_n_minus_1[4] = { 0x53bbf40939d54122, 0x7203df6b21c6052b, 0xffffffffffffffff,
	0xfffffffeffffffff };
const struct hf_fn hf_fn_one = { { 0xac440bf6c62abedd, 0x8dfc2094de39fad4, 0x0000000000000000,
	0x0000000100000000 } };

/* 2^512 mod n, and -1 / n mod 2^64. */
static const struct hf_fn fn_rr = { { 0x901192af7c114f20, 0x3464504ade6fa2fa, 0x620fc84c3affe0d4,
	0x1eb5e412a22b3d3b } };
#define FN_M0 UINT64_C(0x327f9e8872350975)

/* r = a + carry * 2^256 - n if that is not negative, else a. */
static inline void fn_settle(uint64_t r[4], uint64_t carry, const uint64_t a[4])
{
	uint64_t t[4];
	uint64_t borrow = hf_w256_sub(t, a, hf_fn_n);

	hf_w256_pick(r, hf_ct_bit(borrow & ~carry), a, t);
}

void hf_fn_add(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b)
{
	uint64_t t[4];
	uint64_t carry = hf_w256_add(t, a->v, b->v);

	fn_settle(r->v, carry, t);
}

void hf_fn_sub(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b)
{
	uint64_t t[4];
	uint64_t back[4];
	hf_ct_mask m = hf_ct_bit(hf_w256_sub(t, a->v, b->v));

	for (int i = 0; i < 4; i++)
		back[i] = hf_fn_n[i] & m;
	(void)hf_w256_add(r->v, t, back);
}

/* One row of Montgomery's product: t = (t + a * b + m * n) / 2^64; t[4] holds the top bit. */
static inline void fn_mul_row(uint64_t t[5], const uint64_t a[4], uint64_t b)
{
	uint64_t row[5] = { t[0], t[1], t[2], t[3] };
	uint64_t carry = 0;
	uint64_t high = 0;
	uint64_t top;
	uint64_t m;

	hf_w256_mac_row(row, a, b);
	row[4] = hf_w_adc(&carry, row[4], t[4]);
	top = carry;

	m = row[0] * FN_M0;
	(void)hf_w_mac(&high, row[0], m, hf_fn_n[0]);
	t[0] = hf_w_mac(&high, row[1], m, hf_fn_n[1]);
	t[1] = hf_w_mac(&high, row[2], m, hf_fn_n[2]);
	t[2] = hf_w_mac(&high, row[3], m, hf_fn_n[3]);
	carry = 0;
	t[3] = hf_w_adc(&carry, row[4], high);
	t[4] = top + carry;
}

/* One of a and b may be any 256-bit value, the other is below n. */
void hf_fn_mul(struct hf_fn *r, const struct hf_fn *a, const struct hf_fn *b)
{
	uint64_t t[5] = { 0 };

	fn_mul_row(t, a->v, b->v[0]);
	fn_mul_row(t, a->v, b->v[1]);
	fn_mul_row(t, a->v, b->v[2]);
	fn_mul_row(t, a->v, b->v[3]);
	fn_settle(r->v, t[4], t);
}

/* a holds x 2^256; the factor 2^(50 + 768), in Montgomery's product, makes of 1 / (2^50 a) 2^256 /
 * x. */
void hf_fn_inv(struct hf_fn *r, const struct hf_fn *a)
{
	static const struct hf_inv_modulus n = { { 0x53bbf40939d54123, 0x7203df6b21c6052b,
							 0xffffffffffffffff, 0xfffffffeffffffff },
		FN_M0 };
	static const struct hf_fn factor = { { 0xbe00405a7d2fb9a0, 0x3fbd022b05d68b5d,
		0x6bf3db216a3d0bf1, 0x3ac7a75eeece5c61 } };
	struct hf_fn t;

	hf_inv(t.v, a->v, &n);
	hf_fn_mul(r, &t, &factor);
	hf_wipe(&t, sizeof(t));
}

void hf_fn_from(struct hf_fn *r, const uint64_t plain[4])
{
	struct hf_fn t = { { plain[0], plain[1], plain[2], plain[3] } };

	hf_fn_mul(r, &t, &fn_rr);
	hf_wipe(&t, sizeof(t));
}

void hf_fn_plain(uint64_t plain[4], const struct hf_fn *a)
{
	static const struct hf_fn plain_one = { { 1, 0, 0, 0 } };
	struct hf_fn t;

	hf_fn_mul(&t, a, &plain_one);
	for (int i = 0; i < 4; i++)
		plain[i] = t.v[i];
	hf_wipe(&t, sizeof(t));
}

void hf_fn_get(struct hf_fn *r, const uint8_t bytes[32])
{
	struct hf_fn t;

	hf_w256_get(t.v, bytes);
	hf_fn_mul(r, &t, &fn_rr);
	hf_wipe(&t, sizeof(t));
}

void hf_fn_put(uint8_t bytes[32], const struct hf_fn *a)
{
	uint64_t t[4];

	hf_fn_plain(t, a);
	hf_w256_put(bytes, t);
	hf_wipe(t, sizeof(t));
}

hf_ct_mask hf_fn_in_range(const uint64_t plain[4], const uint64_t limit[4])
{
	return ~hf_w256_zero(plain) & hf_w256_less(plain, limit);
}

hf_err hf_fn_draw(uint64_t plain[4], const uint64_t limit[4], const struct hf_rng *rng)
{
	uint8_t bytes[32];
	uint64_t t[4] = { 0 };
	hf_err e = HF_ERR_ENTROPY;

	for (int i = 0; i < 4; i++)
		plain[i] = 0;
	for (int i = 0; i < HF_FN_DRAWS_MAX && e != HF_OK; i++) {
		if (hf_rng_fill(rng, bytes, sizeof(bytes)) != HF_OK)
			break;
		hf_w256_get(t, bytes);
		/* What is out of range is thrown away, so that it may be known. */
		if (hf_ct_declassify(hf_fn_in_range(t, limit)))
			e = HF_OK;
	}
	for (int i = 0; i < 4 && e == HF_OK; i++)
		plain[i] = t[i];

	hf_wipe(bytes, sizeof(bytes));
	hf_wipe(t, sizeof(t));
	return e;
}
