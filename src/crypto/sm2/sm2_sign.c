/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures, GB/T 32918.2-2016, one by one; sm2_batch.c does many at once. */
#include "crypto/sm2.h"

#include <stdbool.h>
#include <string.h>

#include "base/wipe.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_key.h"
#include "crypto/sm2/sm2_mul.h"

enum {
	TRIES_MAX = 64, /* nonces for one signature; a second is needed once in 2^255 */
};

/* a of the curve, b, x and y of the base point: what Z hashes, GB/T 32918.5-2017 2. */
static const uint8_t curve_bytes[128] = {
	0xff,
	0xff,
	0xff,
	0xfe,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0x00,
	0x00,
	0x00,
	0x00,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xfc,
	0x28,
	0xe9,
	0xfa,
	0x9e,
	0x9d,
	0x9f,
	0x5e,
	0x34,
	0x4d,
	0x5a,
	0x9e,
	0x4b,
	0xcf,
	0x65,
	0x09,
	0xa7,
	0xf3,
	0x97,
	0x89,
	0xf5,
	0x15,
	0xab,
	0x8f,
	0x92,
	0xdd,
	0xbc,
	0xbd,
	0x41,
	0x4d,
	0x94,
	0x0e,
	0x93,
	0x32,
	0xc4,
	0xae,
	0x2c,
	0x1f,
	0x19,
	0x81,
	0x19,
	0x5f,
	0x99,
	0x04,
	0x46,
	0x6a,
	0x39,
	0xc9,
	0x94,
	0x8f,
	0xe3,
	0x0b,
	0xbf,
	0xf2,
	0x66,
	0x0b,
	0xe1,
	0x71,
	0x5a,
	0x45,
	0x89,
	0x33,
	0x4c,
	0x74,
	0xc7,
	0xbc,
	0x37,
	0x36,
	0xa2,
	0xf4,
	0xf6,
	0x77,
	0x9c,
	0x59,
	0xbd,
	0xce,
	0xe3,
	0x6b,
	0x69,
	0x21,
	0x53,
	0xd0,
	0xa9,
	0x87,
	0x7c,
	0xc6,
	0x2a,
	0x47,
	0x40,
	0x02,
	0xdf,
	0x32,
	0xe5,
	0x21,
	0x39,
	0xf0,
	0xa0,
};

hf_err hf_sm2_z(uint8_t z[HF_SM3_LEN], const struct hf_sm2_pub *pub, const void *id, size_t id_len)
{
	struct hf_sm3 s;
	uint8_t entl[2];

	HF_TRY(hf_module_check());
	if (id_len > HF_SM2_ID_MAX)
		return HF_ERR_LIMIT;

	/* GB/T 32918.2-2016 5.5: ENTL, the length of the ID in bits, takes two bytes. */
	hf_put_be16(entl, (uint16_t)(id_len * 8));
	hf_sm3_init(&s);
	hf_sm3_feed(&s, entl, sizeof(entl));
	hf_sm3_feed(&s, id, id_len);
	hf_sm3_feed(&s, curve_bytes, sizeof(curve_bytes));
	hf_sm3_feed(&s, pub->x, HF_SM2_LEN);
	hf_sm3_feed(&s, pub->y, HF_SM2_LEN);
	hf_sm3_done(&s, z);
	return HF_OK;
}

hf_err hf_sm2_digest(uint8_t e[HF_SM3_LEN], const struct hf_sm2_pub *pub, const void *id,
	size_t id_len, const void *message, size_t message_len)
{
	uint8_t z[HF_SM3_LEN];
	struct hf_sm3 s;

	HF_TRY(hf_sm2_z(z, pub, id, id_len));
	hf_sm3_init(&s);
	hf_sm3_feed(&s, z, sizeof(z));
	hf_sm3_feed(&s, message, message_len);
	hf_sm3_done(&s, e);
	return HF_OK;
}

/* What signing needs; all of it secret. */
struct lane {
	struct hf_fn k;
	struct hf_fn d1; /* 1 + d, then its inverse */
	struct hf_pt kg;
};

/*
 * Inverts d1 and makes kg.x affine. z is not 0, since k is of 1 .. n - 1, and d1 is not, since d is
 * of 1 .. n - 2.
 */
static void lane_invert(struct lane *l)
{
	struct hf_fp inv;

	hf_fp_inv(&inv, &l->kg.z);
	hf_fp_mul(&l->kg.x, &l->kg.x, &inv);
	hf_fn_inv(&l->d1, &l->d1);
	hf_wipe(&inv, sizeof(inv));
}

/* HF_ERR_ARG: no private key. HF_ERR_ENTROPY. */
static hf_err lane_start(struct lane *l, const struct hf_sm2_key *key, const struct hf_rng *rng)
{
	uint64_t d[4] = { 0 };
	uint64_t k[4] = { 0 };
	hf_err e = hf_sm2_scalar(d, key);

	if (e != HF_OK)
		goto out;
	/* GB/T 32918.2-2016 6.1 A3: k of 1 .. n - 1, drawn again when out of range. */
	e = hf_fn_draw(k, hf_fn_n, rng);
	if (e != HF_OK)
		goto out;
	hf_fn_from(&l->k, k);
	hf_fn_from(&l->d1, d);
	hf_fn_add(&l->d1, &l->d1, &hf_fn_one);
	hf_pt_mul_base(&l->kg, k);
out:
	hf_wipe(d, sizeof(d));
	hf_wipe(k, sizeof(k));
	return e;
}

/* False: this nonce must not be used, once in 2^255. */
static bool lane_finish(struct hf_sm2_sig *sig, const struct lane *l, const uint8_t digest[32])
{
	struct hf_fn r;
	struct hf_fn s;
	struct hf_fn r_k;
	uint8_t x[HF_SM2_LEN];
	hf_ct_mask bad;

	/* 6.1 A5: r = e + x1 mod n; not 0, and r + k not n. */
	hf_fp_put(x, &l->kg.x);
	hf_fn_get(&r, x);
	hf_fn_get(&s, digest);
	hf_fn_add(&r, &r, &s);
	hf_fn_add(&r_k, &r, &l->k);
	bad = hf_fn_zero(&r) | hf_fn_zero(&r_k);

	/* A6: s = (k - r d) / (1 + d) = (k + r) / (1 + d) - r; not 0. */
	hf_fn_mul(&s, &r_k, &l->d1);
	hf_fn_sub(&s, &s, &r);
	bad |= hf_fn_zero(&s);

	hf_wipe(x, sizeof(x));
	hf_wipe(&r_k, sizeof(r_k));
	if (hf_ct_declassify(bad))
		return false;
	hf_fn_put(sig->r, &r);
	hf_fn_put(sig->s, &s);
	return true;
}

static hf_err sign_one(struct hf_sm2_sig *sig, const struct hf_sm2_key *key,
	const uint8_t e[HF_SM3_LEN], const struct hf_rng *rng)
{
	struct lane l;
	hf_err err = HF_ERR_ENTROPY;

	for (int i = 0; i < TRIES_MAX; i++) {
		err = lane_start(&l, key, rng);
		if (err != HF_OK)
			break;
		lane_invert(&l);
		if (lane_finish(sig, &l, e))
			break;
		err = HF_ERR_ENTROPY;
	}
	hf_wipe(&l, sizeof(l));
	return err;
}

hf_err hf_sm2_sign_digest(struct hf_sm2_sig *sig, const struct hf_sm2_key *key,
	const uint8_t e[HF_SM3_LEN], const struct hf_rng *rng)
{
	HF_TRY(hf_module_check());
	return sign_one(sig, key, e, rng);
}

/* True if x1 of the point is the number v modulo n, without an inversion: x = v z or (v + n) z. */
static bool x_is(const struct hf_pt *p, const uint64_t v[4])
{
	uint64_t second[4];
	uint8_t bytes[HF_SM2_LEN];
	struct hf_fp t;
	bool found;

	hf_w256_put(bytes, v);
	(void)hf_fp_get(&t, bytes);
	hf_fp_mul(&t, &t, &p->z);
	found = hf_fp_same(&t, &p->x) != 0;
	if (hf_w256_add(second, v, hf_fn_n) != 0)
		return found;

	hf_w256_put(bytes, second);
	if (hf_fp_get(&t, bytes) == 0)
		return found;
	hf_fp_mul(&t, &t, &p->z);
	return found || hf_fp_same(&t, &p->x) != 0;
}

hf_err hf_sm2_verify_raw(
	const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig)
{
	uint64_t r[4];
	uint64_t s[4];
	uint64_t t[4];
	struct hf_fn fr;
	struct hf_fn fs;
	struct hf_pt p;

	if (hf_pt_from_pub(&p, pub) != HF_OK)
		return HF_ERR_AUTH;

	/* GB/T 32918.2-2016 7.1 B1, B2: r and s of 1 .. n - 1. */
	hf_w256_get(r, sig->r);
	hf_w256_get(s, sig->s);
	if (!hf_fn_in_range(r, hf_fn_n) || !hf_fn_in_range(s, hf_fn_n))
		return HF_ERR_AUTH;

	/* B5: t = r + s mod n, not 0. */
	hf_fn_from(&fr, r);
	hf_fn_from(&fs, s);
	hf_fn_add(&fs, &fs, &fr);
	if (hf_fn_zero(&fs))
		return HF_ERR_AUTH;

	/* B6, B7: (x1, y1) = [s] G + [t] P; r must be e + x1 mod n. */
	hf_fn_plain(t, &fs);
	hf_pt_mul_two_public(&p, s, t, &p);
	if (hf_pt_is_infinite(&p))
		return HF_ERR_AUTH;
	hf_fn_get(&fs, e);
	hf_fn_sub(&fr, &fr, &fs);
	hf_fn_plain(r, &fr);
	return x_is(&p, r) ? HF_OK : HF_ERR_AUTH;
}

hf_err hf_sm2_verify_digest(
	const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig)
{
	HF_TRY(hf_module_check());
	return hf_sm2_verify_raw(pub, e, sig);
}

hf_err hf_sm2_sign(struct hf_sm2_sig *sig, const struct hf_sm2_key *key, const void *id,
	size_t id_len, const void *message, size_t message_len, const struct hf_rng *rng)
{
	uint8_t e[HF_SM3_LEN];

	HF_TRY(hf_sm2_digest(e, &key->pub, id, id_len, message, message_len));
	return hf_sm2_sign_digest(sig, key, e, rng);
}

hf_err hf_sm2_verify(const struct hf_sm2_pub *pub, const void *id, size_t id_len,
	const void *message, size_t message_len, const struct hf_sm2_sig *sig)
{
	uint8_t e[HF_SM3_LEN];

	HF_TRY(hf_sm2_digest(e, pub, id, id_len, message, message_len));
	return hf_sm2_verify_digest(pub, e, sig);
}
