/* SPDX-License-Identifier: Apache-2.0 */
/* Public key encryption, GB/T 32918.4-2016: C1 (a point) || C3 (a hash) || C2 (the text). */
#include "crypto/sm2.h"

#include <string.h>

#include "base/wipe.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_fn.h"
#include "crypto/sm2/sm2_key.h"
#include "crypto/sm2/sm2_mul.h"

enum {
	C3_AT = 2 * HF_SM2_LEN,
	C2_AT = HF_SM2_CIPHER_OVERHEAD,
	TRIES_MAX = 64, /* nonces; a second is needed once in 2^(8 in_len) */
};

/* x2 || y2 of a point that is not infinity. */
static void shared_bytes(uint8_t out[2 * HF_SM2_LEN], const struct hf_pt *p)
{
	struct hf_pt_affine a;

	hf_pt_affine(&a, p);
	hf_fp_put(out, &a.x);
	hf_fp_put(out + HF_SM2_LEN, &a.y);
	hf_wipe(&a, sizeof(a));
}

/* C3 = SM3(x2 || M || y2). */
static void check_value(
	uint8_t c3[HF_SM3_LEN], const uint8_t xy[2 * HF_SM2_LEN], const uint8_t *m, size_t m_len)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, xy, HF_SM2_LEN);
	hf_sm3_feed(&s, m, m_len);
	hf_sm3_feed(&s, xy + HF_SM2_LEN, HF_SM2_LEN);
	hf_sm3_done(&s, c3);
}

/* out = in XOR KDF(x2 || y2); *is_zero is set if the whole mask was. */
static hf_err mask(
	hf_ct_mask *is_zero, uint8_t *out, const uint8_t *in, size_t len, const uint8_t xy[64])
{
	uint64_t any = 0;

	HF_TRY(hf_sm2_kdf(out, len, xy, 2 * HF_SM2_LEN));
	for (size_t i = 0; i < len; i++) {
		any |= out[i];
		out[i] ^= in[i];
	}
	*is_zero = hf_ct_zero(any);
	return HF_OK;
}

hf_err hf_sm2_encrypt(uint8_t *out, const struct hf_sm2_pub *pub, const uint8_t *in, size_t in_len,
	const struct hf_rng *rng)
{
	uint8_t xy[2 * HF_SM2_LEN];
	uint64_t k[4];
	struct hf_pt peer;
	struct hf_pt p;
	hf_ct_mask is_zero = 0;
	hf_err e = HF_OK;

	HF_TRY(hf_module_check());
	if (in_len == 0 || in_len > HF_SM2_PLAIN_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(hf_pt_from_pub(&peer, pub));

	/* GB/T 32918.4-2016 6.1 A5: a mask of zeros is not used; another k is drawn. */
	for (int i = 0; i < TRIES_MAX; i++) {
		e = hf_fn_draw(k, hf_fn_n, rng);
		if (e != HF_OK)
			goto out;
		hf_pt_mul(&p, k, &peer);
		shared_bytes(xy, &p);
		e = mask(&is_zero, out + C2_AT, in, in_len, xy);
		if (e != HF_OK)
			goto out;
		if (!hf_ct_declassify(is_zero))
			break;
		e = HF_ERR_ENTROPY;
	}
	if (e != HF_OK)
		goto out;
	hf_pt_mul_base(&p, k);
	shared_bytes(out, &p);
	check_value(out + C3_AT, xy, in, in_len);
	e = hf_module_check();
out:
	if (e != HF_OK)
		hf_wipe(out, C2_AT + in_len);
	hf_wipe(xy, sizeof(xy));
	hf_wipe(k, sizeof(k));
	hf_wipe(&p, sizeof(p));
	return e;
}

/* in is longer than the overhead. */
static hf_err decrypt_body(
	uint8_t *out, const struct hf_sm2_key *key, const uint8_t *in, size_t in_len)
{
	struct hf_sm2_pub c1;
	uint8_t xy[2 * HF_SM2_LEN] = { 0 };
	uint8_t c3[HF_SM3_LEN];
	uint64_t d[4];
	struct hf_pt p;
	hf_ct_mask bad = 0;
	hf_err e;

	memcpy(c1.x, in, HF_SM2_LEN);
	memcpy(c1.y, in + HF_SM2_LEN, HF_SM2_LEN);
	/* GB/T 32918.4-2016 7.1 B1: C1 is a point of the curve. */
	if (hf_pt_from_pub(&p, &c1) != HF_OK)
		return HF_ERR_AUTH;

	e = hf_sm2_scalar(d, key);
	if (e != HF_OK)
		goto out;
	hf_pt_mul(&p, d, &p);
	shared_bytes(xy, &p);

	/* B4, B6: a mask of zeros and a wrong C3 are the same failure, told after the same work. */
	e = mask(&bad, out, in + C2_AT, in_len - C2_AT, xy);
	if (e != HF_OK)
		goto out;
	check_value(c3, xy, out, in_len - C2_AT);
	bad |= ~hf_ct_eq_mask(c3, in + C3_AT, HF_SM3_LEN);
	e = hf_module_check();
	if (e == HF_OK && hf_ct_declassify(bad))
		e = HF_ERR_AUTH;
out:
	hf_wipe(xy, sizeof(xy));
	hf_wipe(c3, sizeof(c3));
	hf_wipe(d, sizeof(d));
	hf_wipe(&p, sizeof(p));
	return e;
}

hf_err hf_sm2_decrypt(uint8_t *out, const struct hf_sm2_key *key, const uint8_t *in, size_t in_len)
{
	hf_err e = hf_module_check();

	if (in_len <= C2_AT)
		return e != HF_OK ? e : HF_ERR_AUTH;
	if (e == HF_OK && in_len - C2_AT > HF_SM2_PLAIN_MAX)
		e = HF_ERR_AUTH;
	if (e == HF_OK)
		e = decrypt_body(out, key, in, in_len);
	if (e != HF_OK)
		hf_wipe(out, in_len - C2_AT);
	return e;
}
