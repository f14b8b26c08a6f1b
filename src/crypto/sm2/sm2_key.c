/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of SM2: making and checking pairs, reading and writing points, plain Diffie-Hellman. */
#include "crypto/sm2/sm2_key.h"

#include <string.h>

#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_mul.h"

hf_err hf_sm2_scalar(uint64_t d[4], const struct hf_sm2_key *key)
{
	hf_w256_get(d, key->d);
	HF_FAULT("sm2", d[0]);
	/* GB/T 32918.1-2016 6.1: d is of 1 .. n - 2. That a private key is one may be known. */
	return hf_ct_declassify(hf_fn_in_range(d, hf_fn_n_minus_1)) ? HF_OK : HF_ERR_ARG;
}

void hf_sm2_key_make(struct hf_sm2_key *key, const uint64_t d[4])
{
	struct hf_pt_affine a;
	struct hf_pt p;

	hf_pt_mul_base(&p, d);
	hf_pt_affine(&a, &p);
	HF_PUBLISH(a);
	hf_w256_put(key->d, d);
	hf_pt_to_pub(&key->pub, &a);
	hf_wipe(&p, sizeof(p));
}

/*
 * GB/T 32918.1-2016 6.2: a new pair is checked before it is used. The public key must be a point of
 * the curve, and [n - d] G, which takes other entries of the table all along, its negative.
 */
static hf_err pair_check(const struct hf_sm2_key *key, const uint64_t d[4])
{
	uint64_t other[4];
	struct hf_pt want;
	struct hf_pt p;
	hf_ct_mask ok;

	if (hf_pt_from_pub(&want, &key->pub) != HF_OK)
		return HF_ERR_INTERNAL;
	(void)hf_w256_sub(other, hf_fn_n, d);
	hf_pt_mul_base(&p, other);
	hf_pt_neg_if(&p, hf_ct_bit(1), &p);
	hf_fp_mul(&want.x, &want.x, &p.z);
	hf_fp_mul(&want.y, &want.y, &p.z);
	ok = hf_fp_same(&want.x, &p.x) & hf_fp_same(&want.y, &p.y) & ~hf_pt_is_infinite(&p);
	hf_wipe(other, sizeof(other));
	hf_wipe(&p, sizeof(p));
	hf_wipe(&want, sizeof(want));
	return hf_ct_declassify(ok) ? HF_OK : HF_ERR_INTERNAL;
}

hf_err hf_sm2_key_new(struct hf_sm2_key *key, const struct hf_rng *rng)
{
	uint64_t d[4];
	hf_err e;

	memset(key, 0, sizeof(*key));
	HF_TRY(hf_module_check());

	e = hf_fn_draw(d, hf_fn_n_minus_1, rng);
	if (e != HF_OK)
		goto out;
	hf_sm2_key_make(key, d);
	HF_FAULT("sm2 pair", d[0]);
	e = pair_check(key, d);
	if (e != HF_OK) {
		hf_sm2_key_clear(key);
		e = hf_module_fail("sm2 pair"); /* GB/T 37092-2018 7.10.3 */
	}
out:
	hf_wipe(d, sizeof(d));
	return e;
}

hf_err hf_sm2_key_from_private(struct hf_sm2_key *key, const uint8_t d[HF_SM2_LEN])
{
	uint64_t plain[4];
	hf_err e = HF_ERR_FORMAT;

	HF_TRY(hf_module_check());

	hf_w256_get(plain, d);
	if (hf_ct_declassify(hf_fn_in_range(plain, hf_fn_n_minus_1))) {
		hf_sm2_key_make(key, plain);
		e = HF_OK;
	}
	hf_wipe(plain, sizeof(plain));
	return e;
}

void hf_sm2_key_clear(struct hf_sm2_key *key)
{
	hf_wipe(key, sizeof(*key));
}

/* 02 / 03 || X, GB/T 32918.1-2016 4.2.9 b: the lowest bit of y stands in the first byte. */
static hf_err parse_compressed(struct hf_sm2_pub *pub, const uint8_t in[33])
{
	struct hf_pt_affine a;
	struct hf_fp x;
	hf_ct_mask ok = hf_fp_get(&x, in + 1);

	ok &= hf_pt_find_y(&a, &x, in[0] & 1);
	if (!hf_ct_declassify(ok))
		return HF_ERR_FORMAT;
	hf_pt_to_pub(pub, &a);
	return HF_OK;
}

hf_err hf_sm2_pub_parse(struct hf_sm2_pub *pub, const uint8_t *in, size_t in_len)
{
	struct hf_sm2_pub t;

	if (in_len == 33 && (in[0] == 2 || in[0] == 3)) {
		HF_TRY(hf_module_check());
		return parse_compressed(pub, in);
	}
	if (in_len == HF_SM2_POINT_LEN && in[0] == 4)
		in++;
	else if (in_len != HF_SM2_POINT_LEN - 1)
		return HF_ERR_FORMAT;

	memcpy(t.x, in, HF_SM2_LEN);
	memcpy(t.y, in + HF_SM2_LEN, HF_SM2_LEN);
	HF_TRY(hf_sm2_pub_check(&t));
	*pub = t;
	return HF_OK;
}

void hf_sm2_pub_emit(uint8_t out[HF_SM2_POINT_LEN], const struct hf_sm2_pub *pub)
{
	out[0] = 4;
	memcpy(out + 1, pub->x, HF_SM2_LEN);
	memcpy(out + 1 + HF_SM2_LEN, pub->y, HF_SM2_LEN);
}

hf_err hf_sm2_pub_check(const struct hf_sm2_pub *pub)
{
	struct hf_pt p;

	HF_TRY(hf_module_check());
	return hf_pt_from_pub(&p, pub);
}

hf_err hf_sm2_ecdh(
	uint8_t x[HF_SM2_LEN], const struct hf_sm2_key *key, const struct hf_sm2_pub *peer)
{
	struct hf_pt_affine a;
	struct hf_pt p;
	uint64_t d[4];
	hf_err e;

	HF_TRY(hf_module_check());
	HF_TRY(hf_pt_from_pub(&p, peer));

	e = hf_sm2_scalar(d, key);
	if (e == HF_OK) {
		/* Not infinity: 1 <= d < n, and the order of the peer's point is n. */
		hf_pt_mul(&p, d, &p);
		hf_pt_affine(&a, &p);
		hf_fp_put(x, &a.x);
		hf_wipe(&a, sizeof(a));
	}
	hf_wipe(&p, sizeof(p));
	hf_wipe(d, sizeof(d));
	return e;
}
