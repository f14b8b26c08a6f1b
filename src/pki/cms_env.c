/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS EnvelopedData of GM/T 0010-2012 9: a fresh SM4 key under the recipient's SM2 key, the content
 * under SM4-GCM with that key. The key is used once, so the nonce cannot repeat.
 */
#include <string.h>

#include "base/secret.h"
#include "base/wipe.h"
#include "crypto/gcm.h"
#include "pki/cms.h"
#include "pki/cms_sid.h"

enum {
	BY_SERIAL = 1, /* RecipientInfo version: named by issuer and serial (GM/T 0010 9.2) */
	BY_KEY_ID = 2, /* by key identifier (RFC 5652 6.2.1) */
	KEY_RAW_LEN = HF_SM2_CIPHER_OVERHEAD + HF_SM4_KEY_LEN,
	KEY_DER_MAX = KEY_RAW_LEN + 32,
	RECIPIENTS_MAX = 16,
};

struct envelope {
	struct hf_bytes sealed_key; /* DER SM2Cipher for this recipient; empty: not for it */
	struct hf_bytes nonce;
	struct hf_bytes ct; /* with the tag behind it */
};

/* RecipientInfo, GM/T 0010 9.2. */
static void take_recipient(
	struct hf_der *set, struct envelope *env, const struct hf_cms_party *self)
{
	struct hf_der seq = hf_der_enter(set, HF_DER_SEQUENCE);
	uint64_t version = hf_der_u64(&seq);
	struct hf_cms_sid sid = hf_cms_take_sid(&seq);
	enum hf_oid alg = hf_oid_take_algorithm(&seq);
	struct hf_bytes sealed_key = hf_der_octets(&seq);

	if (version != (sid.ski.len > 0 ? BY_KEY_ID : BY_SERIAL))
		hf_der_fail(&seq, HF_ERR_FORMAT);
	/* GM/T 0006 has .3 for encryption; GmSSL writes .2, others .1. */
	if (seq.err == HF_OK && alg != HF_OID_SM2_ENCRYPT && alg != HF_OID_SM2_EXCHANGE &&
		alg != HF_OID_SM2_SIGN)
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	hf_der_leave(set, &seq);
	if (set->err == HF_OK && env->sealed_key.len == 0 && hf_cms_sid_is(&sid, self))
		env->sealed_key = sealed_key;
}

/* AlgorithmIdentifier { SM4-GCM, GCMParameters { nonce, icvlen } }, as RFC 5084 3.2. */
static void take_gcm(struct hf_der *d, struct envelope *env)
{
	struct hf_der alg = hf_der_enter(d, HF_DER_SEQUENCE);
	enum hf_oid id = hf_oid_find(hf_der_oid(&alg));
	struct hf_der params;

	if (alg.err == HF_OK && id != HF_OID_SM4_GCM)
		hf_der_fail(&alg, HF_ERR_UNSUPPORTED);
	params = hf_der_enter(&alg, HF_DER_SEQUENCE);
	env->nonce = hf_der_octets(&params);
	if (hf_der_u64(&params) != HF_GCM_TAG_LEN || env->nonce.len != HF_GCM_NONCE_LEN)
		hf_der_fail(&params, HF_ERR_UNSUPPORTED);
	hf_der_leave(&alg, &params);
	hf_der_leave(d, &alg);
}

/* EncryptedContentInfo, GM/T 0010 9.1. */
static void take_content(struct hf_der *d, struct envelope *env)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);
	enum hf_oid type = hf_oid_find(hf_der_oid(&seq));

	if (seq.err == HF_OK && type != HF_OID_GM_DATA)
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	take_gcm(&seq, env);
	env->ct = hf_der_take(&seq, HF_DER_CTX(0));
	if (seq.err == HF_OK && env->ct.len < HF_GCM_TAG_LEN)
		hf_der_fail(&seq, HF_ERR_FORMAT);
	hf_der_leave(d, &seq);
}

static hf_err parse(struct envelope *env, struct hf_bytes in, const struct hf_cms_party *self)
{
	struct hf_der d = hf_der_over(in.p, in.len);
	struct hf_cms_wrap wrap = hf_cms_enter(&d, HF_OID_GM_ENVELOPED);
	uint64_t version = hf_der_u64(&wrap.body);
	struct hf_der set;
	unsigned n = 0;

	if (wrap.body.err == HF_OK && version != BY_SERIAL && version != BY_KEY_ID)
		hf_der_fail(&wrap.body, HF_ERR_UNSUPPORTED);
	set = hf_der_enter(&wrap.body, HF_DER_SET);
	do {
		take_recipient(&set, env, self);
		if (++n > RECIPIENTS_MAX)
			hf_der_fail(&set, HF_ERR_LIMIT);
	} while (hf_der_more(&set));
	hf_der_leave(&wrap.body, &set);
	take_content(&wrap.body, env);
	hf_cms_leave(&d, &wrap);
	return hf_der_done(&d);
}

/* The content key. Everything wrong with it is AUTH, in the same words. */
static hf_err open_key(
	struct hf_secret *key, struct hf_bytes sealed_key, const struct hf_decrypter *decrypter)
{
	uint8_t raw[KEY_RAW_LEN];
	size_t raw_len = sizeof(raw);

	if (hf_sm2_cipher_parse_der(raw, &raw_len, sealed_key.p, sealed_key.len) != HF_OK ||
		raw_len != sizeof(raw))
		return HF_ERR_AUTH;
	HF_TRY(hf_secret_init(key, HF_SM4_KEY_LEN));
	return decrypter->decrypt(decrypter->ctx, key->b, raw, raw_len);
}

static hf_err open_content(struct hf_buf *out, const struct envelope *env,
	const struct hf_secret *key, struct hf_bytes context)
{
	size_t len = env->ct.len - HF_GCM_TAG_LEN;
	size_t before = out->len;
	struct hf_gcm_key gcm = { 0 };
	struct hf_aead a = { .nonce = env->nonce.p,
		.nonce_len = env->nonce.len,
		.aad = context.p,
		.aad_len = context.len,
		.in = env->ct.p,
		.in_len = len,
		.tag_len = HF_GCM_TAG_LEN };
	uint8_t tag[HF_GCM_TAG_LEN];
	hf_err e;

	HF_TRY(hf_buf_room(out, &a.out, len));
	memcpy(tag, env->ct.p + len, sizeof(tag));
	a.tag = tag;
	e = hf_gcm_init(&gcm, key->b);
	if (e == HF_OK)
		e = hf_gcm_open(&gcm, &a);
	if (e != HF_OK)
		out->len = before;
	hf_gcm_clear(&gcm);
	return e;
}

hf_err hf_cms_envelope_open(struct hf_buf *out, struct hf_bytes in, struct hf_bytes context,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei)
{
	struct hf_secret content_key = { 0 };
	struct envelope env = { 0 };
	hf_err e = parse(&env, in, self);

	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e, "not a GM/T 0010 envelope over data, with SM2 and SM4-GCM");
	if (e != HF_OK)
		return hf_fail(ei, e, "envelope is not well formed: %s", hf_err_text(e));
	if (env.sealed_key.len == 0)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "envelope is for another recipient");

	e = open_key(&content_key, env.sealed_key, key);
	if (e == HF_OK)
		e = open_content(out, &env, &content_key, context);
	hf_secret_clear(&content_key);
	if (e != HF_OK)
		return hf_fail(ei, e, "envelope cannot be opened: %s", hf_err_text(e));
	return HF_OK;
}

static void put_recipient(
	struct hf_writer *w, const struct hf_cms_party *to, struct hf_bytes sealed_key)
{
	size_t set = hf_der_open(w, HF_DER_SET);
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_u64(w, to->cert == NULL ? BY_KEY_ID : BY_SERIAL);
	hf_cms_put_sid(w, to);
	hf_oid_put_algorithm(w, HF_OID_SM2_ENCRYPT);
	hf_der_put_octets(w, sealed_key.p, sealed_key.len);
	hf_der_close(w, seq);
	hf_der_close(w, set);
}

static void put_gcm(struct hf_writer *w, const uint8_t nonce[HF_GCM_NONCE_LEN])
{
	size_t alg = hf_der_open(w, HF_DER_SEQUENCE);
	size_t params;

	hf_der_put_oid(w, hf_oid(HF_OID_SM4_GCM));
	params = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_octets(w, nonce, HF_GCM_NONCE_LEN);
	hf_der_put_u64(w, HF_GCM_TAG_LEN);
	hf_der_close(w, params);
	hf_der_close(w, alg);
}

/* Room for the ciphertext, encrypted where it lies. */
static hf_err put_sealed(struct hf_writer *w, const uint8_t *key, const uint8_t *nonce,
	struct hf_bytes context, struct hf_bytes content)
{
	size_t mark = hf_der_open(w, HF_DER_CTX(0));
	struct hf_gcm_key gcm = { 0 };
	struct hf_aead a = { .nonce = nonce,
		.nonce_len = HF_GCM_NONCE_LEN,
		.aad = context.p,
		.aad_len = context.len,
		.in = content.p,
		.in_len = content.len,
		.tag_len = HF_GCM_TAG_LEN };
	hf_err e;

	a.out = hf_wr_room(w, content.len);
	a.tag = hf_wr_room(w, HF_GCM_TAG_LEN);
	HF_TRY(hf_wr_done(w));
	e = hf_gcm_init(&gcm, key);
	if (e == HF_OK)
		e = hf_gcm_seal(&gcm, &a);
	hf_gcm_clear(&gcm);
	hf_der_close(w, mark);
	return e;
}

static hf_err seal_key(uint8_t der[KEY_DER_MAX], size_t *der_len, const struct hf_sm2_pub *pub,
	const uint8_t key[HF_SM4_KEY_LEN], const struct hf_rng *rng)
{
	uint8_t raw[KEY_RAW_LEN];

	*der_len = KEY_DER_MAX;
	HF_TRY(hf_sm2_encrypt(raw, pub, key, HF_SM4_KEY_LEN, rng));
	return hf_sm2_cipher_emit_der(der, der_len, raw, sizeof(raw));
}

static hf_err put_envelope(struct hf_writer *w, const struct hf_cms_party *to,
	struct hf_bytes context, struct hf_bytes content, const struct hf_rng *rng)
{
	uint8_t fresh[HF_SM4_KEY_LEN + HF_GCM_NONCE_LEN];
	const uint8_t *nonce = fresh + HF_SM4_KEY_LEN;
	uint8_t sealed_key[KEY_DER_MAX];
	size_t sealed_len = 0;
	struct hf_cms_mark mark;
	size_t seq;
	hf_err e;

	e = hf_rng_fill(rng, fresh, sizeof(fresh));
	if (e == HF_OK)
		e = seal_key(sealed_key, &sealed_len, &to->pub, fresh, rng);
	if (e != HF_OK)
		goto out;
	mark = hf_cms_begin(w, HF_OID_GM_ENVELOPED);
	hf_der_put_u64(w, to->cert == NULL ? BY_KEY_ID : BY_SERIAL);
	put_recipient(w, to, (struct hf_bytes){ sealed_key, sealed_len });
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(HF_OID_GM_DATA));
	put_gcm(w, nonce);
	e = put_sealed(w, fresh, nonce, context, content);
	hf_der_close(w, seq);
	hf_cms_end(w, mark);
	if (e == HF_OK)
		e = hf_wr_done(w);
out:
	hf_wipe(fresh, sizeof(fresh));
	return e;
}

hf_err hf_cms_envelope_seal(struct hf_buf *out, const struct hf_cms_party *to,
	struct hf_bytes context, struct hf_bytes content, const struct hf_rng *rng,
	struct hf_errinfo *ei)
{
	struct hf_writer w = { .cap = content.len + HF_CMS_OVERHEAD };
	size_t before = out->len;
	hf_err e;

	if (content.len > HF_CMS_CONTENT_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "cannot seal an envelope: too long");
	if (to->cert != NULL && memcmp(&to->cert->key, &to->pub, sizeof(to->pub)) != 0)
		return hf_fail(
			ei, HF_ERR_ARG, "cannot seal an envelope: certificate is of another key");
	e = hf_buf_room(out, &w.p, w.cap);
	if (e == HF_OK)
		e = put_envelope(&w, to, context, content, rng);
	out->len = before + (e == HF_OK ? w.len : 0);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot seal an envelope: %s", hf_err_text(e));
	return HF_OK;
}
