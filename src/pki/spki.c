/* SPDX-License-Identifier: Apache-2.0 */
/* SM2 public keys as SubjectPublicKeyInfo. */
#include "pki/spki.h"

#include <string.h>

#include "pki/oid.h"

void hf_spki_take(struct hf_der *d, struct hf_sm2_pub *pub)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);
	struct hf_der alg = hf_der_enter(&seq, HF_DER_SEQUENCE);
	enum hf_oid type = hf_oid_find(hf_der_oid(&alg));
	enum hf_oid curve = HF_OID_COUNT;
	struct hf_bytes point;

	*pub = (struct hf_sm2_pub){ 0 };
	if (alg.err == HF_OK && type != HF_OID_EC_PUBLIC_KEY)
		hf_der_fail(&alg, HF_ERR_UNSUPPORTED);
	if (hf_der_more(&alg) && !hf_der_is(&alg, HF_DER_OID)) /* explicit curve parameters */
		hf_der_fail(&alg, HF_ERR_UNSUPPORTED);
	curve = hf_oid_find(hf_der_oid(&alg));
	if (alg.err == HF_OK && curve != HF_OID_SM2_CURVE)
		hf_der_fail(&alg, HF_ERR_UNSUPPORTED);
	hf_der_leave(&seq, &alg);
	point = hf_der_bits(&seq);
	/* GM/T 0015 5.2.3.8 with GM/T 0009 7.1: the point is uncompressed. */
	if (seq.err == HF_OK && (point.len != HF_SM2_POINT_LEN || point.p[0] != 4))
		hf_der_fail(&seq, HF_ERR_FORMAT);
	if (seq.err == HF_OK)
		hf_der_fail(&seq, hf_sm2_pub_parse(pub, point.p, point.len));
	hf_der_leave(d, &seq);
}

hf_err hf_spki_parse(struct hf_sm2_pub *pub, const uint8_t *in, size_t in_len)
{
	struct hf_der d = hf_der_over(in, in_len);
	struct hf_sm2_pub read;

	hf_spki_take(&d, &read);
	HF_TRY(hf_der_done(&d));
	*pub = read;
	return HF_OK;
}

void hf_spki_put(struct hf_writer *w, const struct hf_sm2_pub *pub)
{
	uint8_t point[HF_SM2_POINT_LEN];
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);
	size_t alg = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_oid(w, hf_oid(HF_OID_EC_PUBLIC_KEY));
	hf_der_put_oid(w, hf_oid(HF_OID_SM2_CURVE));
	hf_der_close(w, alg);
	hf_sm2_pub_emit(point, pub);
	hf_der_put_bits(w, point, sizeof(point));
	hf_der_close(w, seq);
}

void hf_key_id(uint8_t out[HF_SPKI_KEY_ID_LEN], const struct hf_sm2_pub *pub)
{
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t hash[HF_SM3_LEN];

	hf_sm2_pub_emit(point, pub);
	hf_sm3(hash, point, sizeof(point));
	memcpy(out, hash, HF_SPKI_KEY_ID_LEN);
}
