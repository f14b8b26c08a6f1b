/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inversion for small ends: stands in for sm2_inv_c.c where HUFU_SMALL is set. Fermat: 1 / a = a^(m
 * - 2) for a prime m, with Montgomery's multiplication, R = 2^256. The exponent is public. Slower
 * than division steps, with far less code and stack.
 */
#include "crypto/sm2/sm2_inv.h"

#include "base/wipe.h"
#include "crypto/sm2/sm2_w256.h"

/* r = t, less m if it is not below; carry is 2^256 of t. */
static void settle(uint64_t r[4], uint64_t carry, const uint64_t t[4], const uint64_t m[4])
{
	uint64_t u[4];
	uint64_t borrow = hf_w256_sub(u, t, m);

	hf_w256_pick(r, hf_ct_bit(borrow & ~carry), t, u);
}

/* r = 2 r */
static void twice(uint64_t r[4], const uint64_t m[4])
{
	uint64_t carry = hf_w256_add(r, r, r);

	settle(r, carry, r, m);
}

/* r = r / 2: half of r or of r + m, whichever is even. */
static void half(uint64_t r[4], const uint64_t m[4])
{
	hf_ct_mask odd = hf_ct_bit(r[0] & 1);
	uint64_t carry = 0;

	for (int i = 0; i < 4; i++)
		r[i] = hf_w_adc(&carry, r[i], m[i] & odd);
	for (int i = 0; i < 3; i++)
		r[i] = r[i] >> 1 | r[i + 1] << 63;
	r[3] = r[3] >> 1 | carry << 63;
}

/* r = a b / R; r may be a or b. */
static void multiply(
	uint64_t r[4], const uint64_t a[4], const uint64_t b[4], const struct hf_inv_modulus *m)
{
	uint64_t t[6] = { 0 };

	for (int i = 0; i < 4; i++) {
		uint64_t high = 0;
		uint64_t carry = 0;
		uint64_t k;

		for (int j = 0; j < 4; j++)
			t[j] = hf_w_mac(&high, t[j], a[j], b[i]);
		t[4] = hf_w_adc(&carry, t[4], high);
		t[5] = carry;
		k = t[0] * m->m0;
		high = 0;
		carry = 0;
		for (int j = 0; j < 4; j++)
			t[j] = hf_w_mac(&high, t[j], k, m->m[j]);
		t[4] = hf_w_adc(&carry, t[4], high);
		t[5] += carry;
		for (int j = 0; j < 5; j++)
			t[j] = t[j + 1];
	}
	settle(r, t[4], t, m->m);
	hf_wipe(t, sizeof(t));
}

void hf_inv(uint64_t r[4], const uint64_t a[4], const struct hf_inv_modulus *m)
{
	static const uint64_t two[4] = { 2 };
	uint64_t base[4] = { 1 };
	uint64_t acc[4] = { 1 };
	uint64_t e[4];

	/* acc = R; base = R^2, and then a R. */
	for (int i = 0; i < 256; i++)
		twice(acc, m->m);
	for (int i = 0; i < 512; i++)
		twice(base, m->m);
	multiply(base, base, a, m);
	(void)hf_w256_sub(e, m->m, two);
	for (unsigned i = 256; i-- > 0;) {
		multiply(acc, acc, acc, m);
		if ((e[i / 64] >> i % 64 & 1) != 0)
			multiply(acc, acc, base, m);
	}
	for (int i = 0; i < 4; i++)
		base[i] = i == 0;
	multiply(acc, acc, base, m);
	for (int i = 0; i < 50; i++)
		half(acc, m->m);
	for (int i = 0; i < 4; i++)
		r[i] = acc[i];
	hf_wipe(acc, sizeof(acc));
	hf_wipe(base, sizeof(base));
}
