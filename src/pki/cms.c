/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData of GM/T 0010-2012 8. The envelope is in cms_env.c. */
#include "pki/cms.h"

#include <string.h>

#include "pki/cms_sid.h"
#include "pki/spki.h"
#include "pki/x509.h"

enum {
	SIGNED_V1 = 1,
	SIGNED_V3 = 3,    /* some signer is named by key identifier */
	SIGNER_MAX = 768, /* bytes of a SignerInfo, at most */
	AROUND_MAX = 256, /* everything else but content and certificates */
	ID_LEN = sizeof(HF_SM2_ID_DEFAULT) - 1,
};

struct signer_info {
	struct hf_cms_sid sid;
	struct hf_bytes sig;
};

static void take_sm3(struct hf_der *d)
{
	enum hf_oid id = hf_oid_take_algorithm(d);

	if (d->err == HF_OK && id != HF_OID_SM3)
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
}

/* Implementations name the signature algorithm in three ways; all mean SM2 with SM3 here. */
static void take_sm2(struct hf_der *d)
{
	enum hf_oid id = hf_oid_take_algorithm(d);

	if (d->err == HF_OK && id != HF_OID_SM2_SIGN && id != HF_OID_SM2_SM3 &&
		id != HF_OID_SM2_CURVE)
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
}

/* SignerInfo, GM/T 0010 8.1. */
static struct signer_info take_signer(struct hf_der *set)
{
	struct hf_der seq = hf_der_enter(set, HF_DER_SEQUENCE);
	struct signer_info s = { 0 };
	uint64_t version = hf_der_u64(&seq);

	s.sid = hf_cms_take_sid(&seq);
	if (version != (s.sid.ski.len > 0 ? SIGNED_V3 : SIGNED_V1))
		hf_der_fail(&seq, HF_ERR_FORMAT);
	take_sm3(&seq);
	if (hf_der_is(&seq, HF_DER_CTX_SEQ(0))) /* signed attributes: see cms.h */
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	take_sm2(&seq);
	s.sig = hf_der_octets(&seq);
	if (hf_der_is(&seq, HF_DER_CTX_SEQ(1))) /* unsigned attributes say nothing to us */
		(void)hf_der_take(&seq, HF_DER_CTX_SEQ(1));
	hf_der_leave(set, &seq);
	return s;
}

static void take_content(struct hf_der *d, struct hf_cms_signed *m)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);
	enum hf_oid type = hf_oid_find(hf_der_oid(&seq));

	if (seq.err == HF_OK && type != HF_OID_GM_DATA)
		hf_der_fail(&seq, HF_ERR_UNSUPPORTED);
	m->is_detached = !hf_der_more(&seq);
	if (!m->is_detached) {
		struct hf_der content = hf_der_enter(&seq, HF_DER_CTX_SEQ(0));

		m->content = hf_der_octets(&content);
		hf_der_leave(&seq, &content);
	}
	hf_der_leave(d, &seq);
}

/* Certificates and lists carried along; what is in them is looked at only when asked for. */
static void take_extras(struct hf_der *d, struct hf_cms_signed *m)
{
	size_t n = 0;

	if (hf_der_is(d, HF_DER_CTX_SEQ(0))) {
		struct hf_der certs = hf_der_enter(d, HF_DER_CTX_SEQ(0));

		m->certs = (struct hf_bytes){ certs.p, certs.left };
		while (hf_der_more(&certs) && n++ < HF_CMS_SIGNERS_MAX)
			(void)hf_der_raw(&certs);
		hf_der_leave(d, &certs);
	}
	if (hf_der_is(d, HF_DER_CTX_SEQ(1)))
		(void)hf_der_take(d, HF_DER_CTX_SEQ(1));
}

static void take_signers(struct hf_der *d, struct hf_cms_signed *m)
{
	struct hf_der set = hf_der_enter(d, HF_DER_SET);

	m->signers = (struct hf_bytes){ set.p, set.left };
	while (hf_der_more(&set)) {
		(void)take_signer(&set);
		if (++m->n_signers > HF_CMS_SIGNERS_MAX)
			hf_der_fail(&set, HF_ERR_LIMIT);
	}
	hf_der_leave(d, &set);
}

/* SignedData, GM/T 0010 8.1. */
static hf_err parse_signed(struct hf_cms_signed *m, const uint8_t *in, size_t in_len)
{
	struct hf_der d = hf_der_over(in, in_len);
	struct hf_cms_wrap wrap = hf_cms_enter(&d, HF_OID_GM_SIGNED);
	struct hf_der *seq = &wrap.body;
	struct hf_der algs;
	uint64_t version = hf_der_u64(seq);

	if (seq->err == HF_OK && version != SIGNED_V1 && version != SIGNED_V3)
		hf_der_fail(seq, HF_ERR_UNSUPPORTED);
	algs = hf_der_enter(seq, HF_DER_SET);
	do {
		take_sm3(&algs);
	} while (hf_der_more(&algs));
	hf_der_leave(seq, &algs);
	take_content(seq, m);
	take_extras(seq, m);
	take_signers(seq, m);
	hf_cms_leave(&d, &wrap);
	return hf_der_done(&d);
}

hf_err hf_cms_parse(
	struct hf_cms_signed *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_cms_signed m = { 0 };
	hf_err e = parse_signed(&m, in, in_len);

	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e,
			"not a GM/T 0010 signed message over data, with SM2-SM3 and without signed "
			"attributes");
	if (e != HF_OK)
		return hf_fail(ei, e, "signed message is not well formed: %s", hf_err_text(e));
	*out = m;
	return HF_OK;
}

hf_err hf_cms_cert(struct hf_cert *out, const struct hf_cms_signed *m, size_t i)
{
	struct hf_der certs = hf_der_over(m->certs.p, m->certs.len);
	struct hf_bytes der = { 0 };

	for (size_t k = 0; k <= i; k++) {
		if (!hf_der_more(&certs))
			return HF_ERR_NOT_FOUND;
		der = hf_der_raw(&certs);
	}
	return hf_cert_parse(out, der.p, der.len, NULL);
}

static bool same_key(const struct hf_sm2_pub *a, const struct hf_sm2_pub *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The carried certificate that a signer names; false if there is none. */
static bool find_carried(
	struct hf_cert *out, const struct hf_cms_signed *m, const struct hf_cms_sid *sid)
{
	hf_err e;

	for (size_t i = 0; (e = hf_cms_cert(out, m, i)) != HF_ERR_NOT_FOUND; i++)
		if (e == HF_OK && hf_cms_sid_is(sid, &(struct hf_cms_party){ out->key, out }))
			return true;
	return false;
}

/* The place that a key counts at: the first one with the same key. */
static size_t first_of(const struct hf_cms_party *keys, size_t i)
{
	size_t k = 0;

	while (!same_key(&keys[k].pub, &keys[i].pub))
		k++;
	return k;
}

static bool has_signed(
	struct hf_bytes content, const struct hf_sm2_pub *pub, struct hf_bytes sig_der)
{
	struct hf_sm2_sig sig;

	return hf_sm2_sig_parse_der(&sig, sig_der.p, sig_der.len) == HF_OK &&
	       hf_sm2_verify(pub, HF_SM2_ID_DEFAULT, ID_LEN, content.p, content.len, &sig) == HF_OK;
}

/* Adds to res the key that made one SignerInfo, if it is one of ours. */
static void count_signer(struct hf_cms_result *res, const struct hf_cms_signed *m,
	struct hf_bytes content, const struct hf_cms_party *keys, size_t n_keys,
	const struct signer_info *s)
{
	struct hf_cert carried = { 0 };
	bool is_carried = find_carried(&carried, m, &s->sid);

	for (size_t i = 0; i < n_keys; i++) {
		size_t first = first_of(keys, i);
		bool is_named = hf_cms_sid_is(&s->sid, &keys[i]) ||
				(is_carried && same_key(&carried.key, &keys[i].pub));

		if (!is_named || (res->signed_by >> first & 1) != 0)
			continue;
		if (!has_signed(content, &keys[i].pub, s->sig))
			continue;
		res->signed_by |= UINT64_C(1) << first;
		res->n_keys++;
	}
}

hf_err hf_cms_verify(struct hf_cms_result *res, const struct hf_cms_signed *m,
	struct hf_bytes content, const struct hf_cms_party *keys, size_t n_keys, unsigned threshold,
	struct hf_errinfo *ei)
{
	struct hf_der set = hf_der_over(m->signers.p, m->signers.len);
	struct hf_cms_result found = { 0 };

	if (threshold == 0 || n_keys > HF_CMS_KEYS_MAX || m->is_detached != (content.p != NULL))
		return hf_fail(ei, HF_ERR_ARG,
			"signed message: no threshold, too many keys, or the content is not given "
			"exactly once");
	if (!m->is_detached)
		content = m->content;
	while (hf_der_more(&set)) {
		struct signer_info s = take_signer(&set);

		if (set.err == HF_OK)
			count_signer(&found, m, content, keys, n_keys, &s);
	}
	if (found.n_keys < threshold)
		return hf_fail(ei, HF_ERR_AUTH,
			"signed message: %u of the known keys have signed, needed are %u",
			found.n_keys, threshold);
	*res = found;
	return HF_OK;
}

static void put_set_of_sm3(struct hf_writer *w)
{
	size_t set = hf_der_open(w, HF_DER_SET);

	hf_oid_put_algorithm(w, HF_OID_SM3);
	hf_der_close(w, set);
}

static void put_content(struct hf_writer *w, const struct hf_cms_sign_spec *spec)
{
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_oid(w, hf_oid(HF_OID_GM_DATA));
	if (!spec->is_detached) {
		size_t mark = hf_der_open(w, HF_DER_CTX_SEQ(0));

		hf_der_put_octets(w, spec->content.p, spec->content.len);
		hf_der_close(w, mark);
	}
	hf_der_close(w, seq);
}

static void put_certs(struct hf_writer *w, const struct hf_cms_sign_spec *spec)
{
	size_t set;

	if (!spec->has_certs)
		return;
	set = hf_der_open(w, HF_DER_CTX_SEQ(0));
	for (size_t i = 0; i < spec->n_signers; i++)
		if (spec->signers[i].cert != NULL)
			hf_der_put_raw(w, spec->signers[i].cert->der);
	hf_der_close_set_of(w, set);
}

static hf_err put_signer(
	struct hf_writer *w, const struct hf_cms_signer *s, struct hf_bytes content)
{
	const struct hf_cms_party party = { s->signer->pub, s->cert };
	uint8_t sig_der[HF_SM2_SIG_DER_MAX];
	struct hf_sm2_sig sig;
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	HF_TRY(hf_signer_sign(&sig, s->signer, HF_SM2_ID_DEFAULT, ID_LEN, content.p, content.len));
	hf_der_put_u64(w, s->cert == NULL ? SIGNED_V3 : SIGNED_V1);
	hf_cms_put_sid(w, &party);
	hf_oid_put_algorithm(w, HF_OID_SM3);
	hf_oid_put_algorithm(w, HF_OID_SM2_SIGN);
	hf_der_put_octets(w, sig_der, hf_sm2_sig_emit_der(sig_der, &sig));
	hf_der_close(w, seq);
	return HF_OK;
}

static hf_err put_signed(struct hf_writer *w, const struct hf_cms_sign_spec *spec)
{
	struct hf_cms_mark mark = hf_cms_begin(w, HF_OID_GM_SIGNED);
	uint64_t version = SIGNED_V1;
	size_t set;

	for (size_t i = 0; i < spec->n_signers; i++)
		if (spec->signers[i].cert == NULL)
			version = SIGNED_V3;
	hf_der_put_u64(w, version);
	put_set_of_sm3(w);
	put_content(w, spec);
	put_certs(w, spec);
	set = hf_der_open(w, HF_DER_SET);
	for (size_t i = 0; i < spec->n_signers; i++)
		HF_TRY(put_signer(w, &spec->signers[i], spec->content));
	hf_der_close_set_of(w, set);
	hf_cms_end(w, mark);
	return hf_wr_done(w);
}

/* Distinct signers, each with a certificate of its own key or none. */
static bool spec_is_good(const struct hf_cms_sign_spec *spec)
{
	for (size_t i = 0; i < spec->n_signers; i++) {
		const struct hf_cms_signer *s = &spec->signers[i];

		if (s->cert != NULL && !same_key(&s->cert->key, &s->signer->pub))
			return false;
		for (size_t k = 0; k < i; k++)
			if (same_key(&spec->signers[k].signer->pub, &s->signer->pub))
				return false;
	}
	return spec->n_signers > 0;
}

hf_err hf_cms_sign(struct hf_buf *out, const struct hf_cms_sign_spec *spec, struct hf_errinfo *ei)
{
	struct hf_writer w = { .cap = AROUND_MAX };
	size_t before = out->len;
	hf_err e;

	if (!spec_is_good(spec))
		return hf_fail(ei, HF_ERR_ARG,
			"cannot sign: no signer, the same one twice, or a certificate of another "
			"key");
	if (spec->n_signers > HF_CMS_SIGNERS_MAX || spec->content.len > HF_CMS_CONTENT_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "cannot sign: too many signers or too long");
	w.cap += (spec->is_detached ? 0 : spec->content.len) + spec->n_signers * SIGNER_MAX;
	for (size_t i = 0; spec->has_certs && i < spec->n_signers; i++)
		w.cap += spec->signers[i].cert != NULL ? spec->signers[i].cert->der.len : 0;
	e = hf_buf_room(out, &w.p, w.cap);
	if (e == HF_OK)
		e = put_signed(&w, spec);
	out->len = before + (e == HF_OK ? w.len : 0);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot sign: %s", hf_err_text(e));
	return HF_OK;
}
