/* SPDX-License-Identifier: Apache-2.0 */
/* Key exchange with two key pairs a side and confirmation, GB/T 32918.3-2016 6.1. */
#include <string.h>

#include "base/wipe.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_key.h"
#include "crypto/sm2/sm2_mul.h"

/* What both sides hash, in the order of the standard: A is the initiator. */
struct transcript {
	uint8_t v[2 * HF_SM2_LEN]; /* the shared point */
	uint8_t z_a[HF_SM3_LEN];
	uint8_t z_b[HF_SM3_LEN];
	const struct hf_sm2_pub *r_a;
	const struct hf_sm2_pub *r_b;
};

/* A4: x' = 2^127 + (x AND (2^127 - 1)); w = 127 for this n. x is public. */
static void half_of(uint64_t half[4], const uint8_t x[HF_SM2_LEN])
{
	hf_w256_get(half, x);
	half[1] |= UINT64_C(1) << 63;
	half[2] = 0;
	half[3] = 0;
}

/* A5: t = d + x' r mod n; the same at B. */
static hf_err exponent(uint64_t t[4], const struct hf_sm2_key *self, const struct hf_sm2_key *r)
{
	uint64_t plain[4];
	struct hf_fn ft;
	struct hf_fn fr;
	struct hf_fn fd;
	hf_err e;

	half_of(plain, r->pub.x);
	hf_fn_from(&ft, plain);
	e = hf_sm2_scalar(plain, r);
	if (e != HF_OK)
		goto out;
	hf_fn_from(&fr, plain);
	e = hf_sm2_scalar(plain, self);
	if (e != HF_OK)
		goto out;
	hf_fn_from(&fd, plain);
	hf_fn_mul(&ft, &ft, &fr);
	hf_fn_add(&ft, &ft, &fd);
	hf_fn_plain(t, &ft);
out:
	hf_wipe(plain, sizeof(plain));
	hf_wipe(&ft, sizeof(ft));
	hf_wipe(&fr, sizeof(fr));
	hf_wipe(&fd, sizeof(fd));
	return e;
}

/* A6, A7: V = [t] (P + [x'] R) for the peer's P and R; the cofactor is 1. */
static hf_err shared_point(uint8_t v[2 * HF_SM2_LEN], const struct hf_sm2_kex *x)
{
	uint64_t t[4] = { 0 };
	uint64_t half[4];
	struct hf_pt_affine a;
	struct hf_pt p;
	struct hf_pt r;
	hf_err e;

	HF_TRY(hf_pt_from_pub(&p, x->peer));
	HF_TRY(hf_pt_from_pub(&r, x->peer_r));
	half_of(half, x->peer_r->x);
	hf_pt_mul_public(&r, half, &r);
	hf_pt_add(&p, &p, &r);

	e = exponent(t, x->self, x->self_r);
	if (e != HF_OK)
		goto out;
	hf_pt_mul(&p, t, &p);
	if (hf_ct_declassify(hf_pt_is_infinite(&p))) {
		e = HF_ERR_AUTH;
		goto out;
	}
	hf_pt_affine(&a, &p);
	hf_fp_put(v, &a.x);
	hf_fp_put(v + HF_SM2_LEN, &a.y);
	hf_wipe(&a, sizeof(a));
out:
	hf_wipe(t, sizeof(t));
	hf_wipe(&p, sizeof(p));
	return e;
}

/* A9, B8: SM3(tag || yV || SM3(xV || ZA || ZB || x1 || y1 || x2 || y2)); 02 is S1 and SB. */
static void confirmation(uint8_t s[HF_SM3_LEN], uint8_t tag, const struct transcript *t)
{
	uint8_t inner[HF_SM3_LEN];
	struct hf_sm3 h;

	hf_sm3_init(&h);
	hf_sm3_feed(&h, t->v, HF_SM2_LEN);
	hf_sm3_feed(&h, t->z_a, HF_SM3_LEN);
	hf_sm3_feed(&h, t->z_b, HF_SM3_LEN);
	hf_sm3_feed(&h, t->r_a->x, HF_SM2_LEN);
	hf_sm3_feed(&h, t->r_a->y, HF_SM2_LEN);
	hf_sm3_feed(&h, t->r_b->x, HF_SM2_LEN);
	hf_sm3_feed(&h, t->r_b->y, HF_SM2_LEN);
	hf_sm3_done(&h, inner);

	hf_sm3_init(&h);
	hf_sm3_feed(&h, &tag, 1);
	hf_sm3_feed(&h, t->v + HF_SM2_LEN, HF_SM2_LEN);
	hf_sm3_feed(&h, inner, sizeof(inner));
	hf_sm3_done(&h, s);
	hf_wipe(inner, sizeof(inner));
}

hf_err hf_sm2_kex_key(
	uint8_t *key, size_t key_len, uint8_t *s_self, uint8_t *s_peer, const struct hf_sm2_kex *x)
{
	struct transcript t = { 0 };
	uint8_t seed[2 * HF_SM2_LEN + 2 * HF_SM3_LEN];
	bool is_a = x->is_initiator;
	hf_err e;

	HF_TRY(hf_module_check());
	if ((s_self == NULL) != (s_peer == NULL))
		return HF_ERR_ARG;

	t.r_a = is_a ? &x->self_r->pub : x->peer_r;
	t.r_b = is_a ? x->peer_r : &x->self_r->pub;
	e = hf_sm2_z(is_a ? t.z_a : t.z_b, &x->self->pub, x->self_id, x->self_id_len);
	if (e != HF_OK)
		goto out;
	e = hf_sm2_z(is_a ? t.z_b : t.z_a, x->peer, x->peer_id, x->peer_id_len);
	if (e != HF_OK)
		goto out;
	e = shared_point(t.v, x);
	if (e != HF_OK)
		goto out;

	/* A8: K = KDF(xV || yV || ZA || ZB). */
	memcpy(seed, t.v, sizeof(t.v));
	memcpy(seed + sizeof(t.v), t.z_a, HF_SM3_LEN);
	memcpy(seed + sizeof(t.v) + HF_SM3_LEN, t.z_b, HF_SM3_LEN);
	e = hf_sm2_kdf(key, key_len, seed, sizeof(seed));
	if (e != HF_OK || s_self == NULL)
		goto out;
	confirmation(s_self, is_a ? 3 : 2, &t);
	confirmation(s_peer, is_a ? 2 : 3, &t);
	e = hf_module_check_out(key, key_len);
	if (e != HF_OK) {
		hf_wipe(s_self, HF_SM3_LEN);
		hf_wipe(s_peer, HF_SM3_LEN);
	}
out:
	hf_wipe(&t, sizeof(t));
	hf_wipe(seed, sizeof(seed));
	return e;
}
