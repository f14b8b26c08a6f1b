/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shamir's scheme byte by byte: share(x) = s + c1 x + ... + c(t-1) x^(t-1) over GF(2^8). The
 * indices are public, shares and coefficients are not; multiplication is by masks only.
 */
#include "keys/shamir.h"

#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/hex.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/sm3.h"

enum {
	SHARE_VERSION = 1,
	SHARE_CHECK_LEN = 8,
	SHARE_BODY_LEN = 1 + HF_SHARE_SET_LEN + 3 + HF_SHARE_SECRET_LEN,
	SHARE_BYTES = SHARE_BODY_LEN + SHARE_CHECK_LEN,
};

static const char share_prefix[] = "HUFU-SHARE-";

/* a * b in GF(2^8); time does not depend on either. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
	unsigned x = a;
	unsigned p = 0;

	for (unsigned bit = 0; bit < 8; bit++) {
		p ^= x & (unsigned)hf_ct_bit(b >> bit);
		x = (x << 1) ^ (0x11bu & (unsigned)hf_ct_bit(x >> 7));
	}
	return (uint8_t)p;
}

/* a^254, which is 1 / a for a != 0. */
static uint8_t gf_inv(uint8_t a)
{
	uint8_t r = 1;

	for (unsigned bit = 0; bit < 7; bit++) {
		a = gf_mul(a, a);
		r = gf_mul(r, a);
	}
	return r;
}

hf_err hf_shamir_split(struct hf_share *shares, uint8_t threshold, uint8_t n,
	const uint8_t secret[HF_SHARE_SECRET_LEN], const struct hf_rng *rng)
{
	uint8_t coef[HF_SHARES_MAX][HF_SHARE_SECRET_LEN];
	uint8_t set[HF_SHARE_SET_LEN];
	hf_err e;

	if (threshold < 2 || threshold > n || n > HF_SHARES_MAX)
		return HF_ERR_ARG;
	e = hf_rng_fill(rng, set, sizeof(set));
	if (e == HF_OK)
		e = hf_rng_fill(rng, coef[0], (size_t)(threshold - 1) * HF_SHARE_SECRET_LEN);
	for (uint8_t i = 0; e == HF_OK && i < n; i++) {
		struct hf_share *s = &shares[i];

		memcpy(s->set, set, sizeof(set));
		s->index = (uint8_t)(i + 1);
		s->threshold = threshold;
		s->n = n;
		for (size_t k = 0; k < HF_SHARE_SECRET_LEN; k++) {
			uint8_t y = 0; /* Horner, highest coefficient first */

			for (unsigned c = threshold - 1u; c > 0; c--)
				y = gf_mul((uint8_t)(y ^ coef[c - 1][k]), s->index);
			s->y[k] = y ^ secret[k];
		}
	}
	hf_wipe(coef, sizeof(coef));
	return e;
}

static hf_err check_set(const struct hf_share *shares, size_t n_shares, struct hf_errinfo *ei)
{
	if (n_shares == 0 || n_shares < shares[0].threshold)
		return hf_fail(ei, HF_ERR_STATE, "%zu of %u shares: bring more custodians",
			n_shares, n_shares == 0 ? 0 : shares[0].threshold);
	for (size_t i = 0; i < n_shares; i++) {
		const struct hf_share *s = &shares[i];

		if (s->index == 0 || s->index > s->n || s->threshold < 2)
			return hf_fail(ei, HF_ERR_FORMAT, "share %zu: no such share", i + 1);
		if (memcmp(s->set, shares[0].set, sizeof(s->set)) != 0 ||
			s->threshold != shares[0].threshold)
			return hf_fail(ei, HF_ERR_FORMAT,
				"share %zu belongs to another set than share 1", i + 1);
		for (size_t j = 0; j < i; j++)
			if (shares[j].index == s->index)
				return hf_fail(ei, HF_ERR_FORMAT,
					"share %zu and share %zu are the same one", j + 1, i + 1);
	}
	return HF_OK;
}

hf_err hf_shamir_join(uint8_t secret[HF_SHARE_SECRET_LEN], const struct hf_share *shares,
	size_t n_shares, struct hf_errinfo *ei)
{
	uint8_t out[HF_SHARE_SECRET_LEN] = { 0 };
	size_t t;

	HF_TRY(check_set(shares, n_shares, ei));
	t = shares[0].threshold;
	for (size_t i = 0; i < t; i++) {
		uint8_t basis = 1; /* Lagrange at 0: product of xj / (xj - xi) */

		for (size_t j = 0; j < t; j++) {
			uint8_t diff = shares[j].index ^ shares[i].index;

			if (j != i)
				basis = gf_mul(basis, gf_mul(shares[j].index, gf_inv(diff)));
		}
		for (size_t k = 0; k < sizeof(out); k++)
			out[k] ^= gf_mul(shares[i].y[k], basis);
	}
	memcpy(secret, out, sizeof(out));
	hf_wipe(out, sizeof(out));
	return HF_OK;
}

void hf_share_emit(char text[HF_SHARE_TEXT_MAX], const struct hf_share *s)
{
	uint8_t bytes[SHARE_BYTES];
	uint8_t check[HF_SM3_LEN];
	struct hf_writer w = { .p = bytes, .cap = sizeof(bytes) };
	int n;

	hf_wr_u8(&w, SHARE_VERSION);
	hf_wr_put(&w, s->set, sizeof(s->set));
	hf_wr_u8(&w, s->index);
	hf_wr_u8(&w, s->threshold);
	hf_wr_u8(&w, s->n);
	hf_wr_put(&w, s->y, sizeof(s->y));
	hf_sm3(check, bytes, w.len);
	hf_wr_put(&w, check, SHARE_CHECK_LEN);
	n = snprintf(text, HF_SHARE_TEXT_MAX, "%s%u-", share_prefix, (unsigned)s->index);
	hf_hex_emit(text + n, bytes, sizeof(bytes));
	hf_wipe(bytes, sizeof(bytes));
}

/* Takes the hexadecimal part out of the line; 0 if the line does not look like a share. */
static size_t share_hex(char hex[2 * SHARE_BYTES + 1], const char *text, size_t text_len)
{
	size_t n = 0;
	size_t at = sizeof(share_prefix) - 1;

	if (text_len < at || memcmp(text, share_prefix, at) != 0)
		return 0;
	while (at < text_len && text[at] != '-')
		at++;
	for (at++; at < text_len; at++) {
		if (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')
			continue;
		if (n == 2 * SHARE_BYTES)
			return 0;
		hex[n++] = text[at];
	}
	return n;
}

hf_err hf_share_parse(struct hf_share *s, const char *text, size_t text_len, struct hf_errinfo *ei)
{
	char hex[2 * SHARE_BYTES + 1] = { 0 };
	uint8_t bytes[SHARE_BYTES] = { 0 };
	uint8_t check[HF_SM3_LEN];
	struct hf_share out = { 0 };
	struct hf_reader r = { .p = bytes, .left = SHARE_BODY_LEN };
	size_t len = 0;
	uint8_t version;
	hf_err e;

	e = hf_hex_parse(bytes, sizeof(bytes), &len, hex, share_hex(hex, text, text_len));
	if (e == HF_OK && len != sizeof(bytes))
		e = HF_ERR_FORMAT;
	hf_sm3(check, bytes, SHARE_BODY_LEN);
	if (e == HF_OK && !hf_ct_eq(check, bytes + SHARE_BODY_LEN, SHARE_CHECK_LEN))
		e = HF_ERR_FORMAT;
	version = hf_rd_u8(&r);
	hf_rd_copy(&r, out.set, sizeof(out.set));
	out.index = hf_rd_u8(&r);
	out.threshold = hf_rd_u8(&r);
	out.n = hf_rd_u8(&r);
	hf_rd_copy(&r, out.y, sizeof(out.y));
	if (e == HF_OK && version != SHARE_VERSION)
		e = HF_ERR_UNSUPPORTED;
	if (e == HF_OK)
		*s = out;
	else
		(void)hf_fail(ei, e, "share: mistyped or incomplete, compare it with the paper");
	hf_wipe(hex, sizeof(hex));
	hf_wipe(bytes, sizeof(bytes));
	hf_wipe(&out, sizeof(out));
	return e;
}
