/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about single certificates. What they say stays in the DER, which parsing has found in
 * order to its last field, and is walked again when asked.
 */
#include "pki/ocsp.h"

#include <string.h>

#include "codec/der.h"
#include "crypto/sm3.h"
#include "pki/crl.h"
#include "pki/x509.h"

enum {
	SUCCESSFUL = 0, /* OCSPResponseStatus */
	STATUS_LAST = 6,
	TBS_MAX = 2048, /* of a response that we write: two names at most */
};

/* CertID: which certificate, as digests of its issuer's name and key, and its serial. */
struct cert_id {
	enum hf_oid hash;
	struct hf_bytes name_hash;
	struct hf_bytes key_hash;
	struct hf_bytes serial;
};

/* RFC 6960 4.2.2.1: times are GeneralizedTime, also those that a certificate writes otherwise. */
static uint64_t take_time(struct hf_der *d)
{
	if (d->err == HF_OK && !hf_der_is(d, HF_DER_TIME))
		hf_der_fail(d, hf_der_more(d) ? HF_ERR_FORMAT : HF_ERR_TRUNCATED);
	return hf_der_time(d);
}

static struct cert_id take_id(struct hf_der *d)
{
	struct hf_der seq = hf_der_enter(d, HF_DER_SEQUENCE);
	struct cert_id id = { 0 };

	id.hash = hf_oid_take_algorithm(&seq);
	id.name_hash = hf_der_octets(&seq);
	id.key_hash = hf_der_octets(&seq);
	id.serial = hf_der_uint(&seq, HF_CERT_SERIAL_MAX);
	hf_der_leave(d, &seq);
	return id;
}

static void take_revoked(struct hf_der *d, struct hf_ocsp_single *out)
{
	struct hf_der info = hf_der_enter(d, HF_DER_CTX_SEQ(1));

	out->status = HF_OCSP_REVOKED;
	out->revoked_s = take_time(&info);
	if (hf_der_more(&info)) {
		struct hf_der outer = hf_der_enter(&info, HF_DER_CTX_SEQ(0));
		struct hf_bytes reason = hf_der_take(&outer, HF_DER_ENUM);

		if (outer.err == HF_OK && (reason.len != 1 || reason.p[0] > HF_CRL_REASON_LAST))
			hf_der_fail(&outer, HF_ERR_FORMAT);
		if (outer.err == HF_OK)
			out->reason = reason.p[0];
		hf_der_leave(&info, &outer);
	}
	hf_der_leave(d, &info);
}

/* CertStatus: an empty tag for good and unknown. */
static void take_status(struct hf_der *d, struct hf_ocsp_single *out)
{
	bool is_good = hf_der_is(d, HF_DER_CTX(0));

	if (hf_der_is(d, HF_DER_CTX_SEQ(1))) {
		take_revoked(d, out);
		return;
	}
	out->status = is_good ? HF_OCSP_GOOD : HF_OCSP_UNKNOWN;
	if (hf_der_take(d, is_good ? HF_DER_CTX(0) : HF_DER_CTX(2)).len != 0)
		hf_der_fail(d, HF_ERR_FORMAT);
}

/* Extensions of which none is known here: a critical one makes the response unusable. */
static void pass_exts(struct hf_der *d, uint8_t tag)
{
	struct hf_der outer = hf_der_enter(d, tag);
	struct hf_der exts = hf_der_enter(&outer, HF_DER_SEQUENCE);

	do {
		if (hf_x509_take_ext(&exts).is_critical)
			hf_der_fail(&exts, HF_ERR_UNSUPPORTED);
	} while (hf_der_more(&exts));
	hf_der_leave(&outer, &exts);
	hf_der_leave(d, &outer);
}

static struct cert_id take_single(struct hf_der *singles, struct hf_ocsp_single *out)
{
	struct hf_der seq = hf_der_enter(singles, HF_DER_SEQUENCE);
	struct cert_id id = take_id(&seq);

	*out = (struct hf_ocsp_single){ .status = HF_OCSP_UNKNOWN };
	take_status(&seq, out);
	out->this_update_s = take_time(&seq);
	if (hf_der_is(&seq, HF_DER_CTX_SEQ(0))) {
		struct hf_der next = hf_der_enter(&seq, HF_DER_CTX_SEQ(0));

		out->next_update_s = take_time(&next);
		if (next.err == HF_OK && out->next_update_s < out->this_update_s)
			hf_der_fail(&next, HF_ERR_FORMAT);
		hf_der_leave(&seq, &next);
	}
	if (hf_der_more(&seq))
		pass_exts(&seq, HF_DER_CTX_SEQ(1));
	hf_der_leave(singles, &seq);
	return id;
}

static void take_singles(struct hf_der *d, struct hf_ocsp *o)
{
	struct hf_der singles = hf_der_enter(d, HF_DER_SEQUENCE);
	struct hf_ocsp_single s;

	o->singles = (struct hf_bytes){ singles.p, singles.left };
	do {
		if (o->n_singles == HF_OCSP_SINGLES_MAX)
			hf_der_fail(&singles, HF_ERR_LIMIT);
		(void)take_single(&singles, &s);
		o->n_singles++;
	} while (hf_der_more(&singles));
	hf_der_leave(d, &singles);
}

/* ResponderID: by its name or by a digest of its key. */
static void take_responder(struct hf_der *d, struct hf_ocsp *o)
{
	bool is_name = hf_der_is(d, HF_DER_CTX_SEQ(1));
	struct hf_der id = hf_der_enter(d, is_name ? HF_DER_CTX_SEQ(1) : HF_DER_CTX_SEQ(2));

	if (is_name)
		o->by_name = hf_x509_take_name(&id);
	else
		o->by_key = hf_der_octets(&id);
	hf_der_leave(d, &id);
}

/* ResponseData, RFC 6960 4.2.1. */
static hf_err parse_tbs(struct hf_ocsp *o)
{
	struct hf_der d = hf_der_over(o->tbs.p, o->tbs.len);
	struct hf_der tbs = hf_der_enter(&d, HF_DER_SEQUENCE);

	if (hf_der_is(&tbs, HF_DER_CTX_SEQ(0))) /* X.690 11.5: the default, v1, is not written */
		hf_der_fail(&tbs, HF_ERR_UNSUPPORTED);
	take_responder(&tbs, o);
	o->produced_s = take_time(&tbs);
	take_singles(&tbs, o);
	if (hf_der_more(&tbs))
		pass_exts(&tbs, HF_DER_CTX_SEQ(1));
	hf_der_leave(&d, &tbs);
	return hf_der_done(&d);
}

/* BasicOCSPResponse: the signed wrapper, with certificates behind it. */
static hf_err parse_basic(struct hf_ocsp *o, struct hf_bytes basic)
{
	struct hf_der d = hf_der_over(basic.p, basic.len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_bytes sig;

	o->tbs = hf_der_raw(&seq);
	hf_x509_take_sm2_sm3(&seq);
	sig = hf_der_bits(&seq);
	if (hf_der_more(&seq)) {
		struct hf_der outer = hf_der_enter(&seq, HF_DER_CTX_SEQ(0));
		struct hf_der certs = hf_der_enter(&outer, HF_DER_SEQUENCE);

		while (hf_der_more(&certs)) {
			struct hf_bytes der = hf_der_raw(&certs);

			if (o->n_certs == HF_OCSP_CERTS_MAX)
				hf_der_fail(&certs, HF_ERR_LIMIT);
			else
				o->certs[o->n_certs++] = der;
		}
		hf_der_leave(&outer, &certs);
		hf_der_leave(&seq, &outer);
	}
	hf_der_leave(&d, &seq);
	HF_TRY(hf_der_done(&d));
	HF_TRY(hf_sm2_sig_parse_der(&o->sig, sig.p, sig.len));
	return parse_tbs(o);
}

/* OCSPResponse. *status: what it says when it is not successful. */
static hf_err parse_response(struct hf_ocsp *o, unsigned *status)
{
	struct hf_der d = hf_der_over(o->der.p, o->der.len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_bytes code = hf_der_take(&seq, HF_DER_ENUM);
	struct hf_bytes basic = { 0 };

	if (seq.err == HF_OK && (code.len != 1 || code.p[0] > STATUS_LAST))
		hf_der_fail(&seq, HF_ERR_FORMAT);
	if (seq.err == HF_OK)
		*status = code.p[0];
	if (*status == SUCCESSFUL || hf_der_more(&seq)) {
		struct hf_der outer = hf_der_enter(&seq, HF_DER_CTX_SEQ(0));
		struct hf_der bytes = hf_der_enter(&outer, HF_DER_SEQUENCE);

		if (hf_oid_find(hf_der_oid(&bytes)) != HF_OID_OCSP_BASIC)
			hf_der_fail(&bytes, HF_ERR_UNSUPPORTED);
		basic = hf_der_octets(&bytes);
		hf_der_leave(&outer, &bytes);
		hf_der_leave(&seq, &outer);
	}
	hf_der_leave(&d, &seq);
	HF_TRY(hf_der_done(&d));
	return *status == SUCCESSFUL ? parse_basic(o, basic) : HF_ERR_NOT_FOUND;
}

hf_err hf_ocsp_parse(struct hf_ocsp *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_ocsp o = { .der = { in, in_len } };
	unsigned status = SUCCESSFUL;
	hf_err e;

	if (in_len > HF_OCSP_DER_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "status response of %zu bytes is longer than %d",
			in_len, HF_OCSP_DER_MAX);
	e = parse_response(&o, &status);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(
			ei, e, "status response: the responder has no answer (status %u)", status);
	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e,
			"status response is not a basic one signed with SM2-SM3, or has a critical "
			"extension that is not known");
	if (e != HF_OK)
		return hf_fail(ei, e, "status response is not well formed: %s", hf_err_text(e));
	*out = o;
	return HF_OK;
}

/* May this certificate sign for the issuer? RFC 6960 4.2.2.2: signed by it, and meant for that. */
static hf_err check_delegate(const struct hf_cert *c, const struct hf_cert *issuer, uint64_t now_s,
	struct hf_errinfo *ei)
{
	char name[HF_NAME_TEXT];

	hf_name_text(name, c->subject);
	if (!hf_bytes_eq(c->issuer, issuer->subject))
		return hf_fail(ei, HF_ERR_AUTH,
			"status response: responder %s has its certificate from somebody else",
			name);
	HF_TRY(hf_cert_verify_sig(c, &issuer->key, ei));
	if (now_s < c->not_before_s || now_s > c->not_after_s)
		return hf_fail(ei, HF_ERR_EXPIRED,
			"status response: certificate of responder %s is outside its validity",
			name);
	if ((c->eku & HF_EKU_OCSP) == 0 ||
		(c->has_key_usage && (c->key_usage & HF_KU_DIGITAL_SIGNATURE) == 0))
		return hf_fail(ei, HF_ERR_PURPOSE,
			"status response: certificate of %s is not for signing such responses",
			name);
	return HF_OK;
}

/* A key digest names the responder, too, but with digests not computed here: it is no more than a
 * hint, and the signature decides. */
static bool may_be_by(const struct hf_ocsp *o, const struct hf_cert *c)
{
	return o->by_name.len == 0 || hf_bytes_eq(o->by_name, c->subject);
}

hf_err hf_ocsp_verify_sig(const struct hf_ocsp *ocsp, const struct hf_cert *issuer, uint64_t now_s,
	struct hf_cert *delegate, struct hf_errinfo *ei)
{
	char name[HF_NAME_TEXT];

	*delegate = (struct hf_cert){ 0 };
	if (may_be_by(ocsp, issuer) && hf_x509_verify(ocsp->tbs, &ocsp->sig, &issuer->key) == HF_OK)
		return HF_OK;
	for (size_t i = 0; i < ocsp->n_certs; i++) {
		struct hf_cert c = { 0 };

		if (hf_cert_parse(&c, ocsp->certs[i].p, ocsp->certs[i].len, NULL) != HF_OK ||
			!may_be_by(ocsp, &c) ||
			hf_x509_verify(ocsp->tbs, &ocsp->sig, &c.key) != HF_OK)
			continue;
		HF_TRY(check_delegate(&c, issuer, now_s, ei));
		*delegate = c;
		return HF_OK;
	}
	hf_name_text(name, issuer->subject);
	return hf_fail(ei, HF_ERR_AUTH,
		"status response is signed neither by %s nor by somebody it sent along", name);
}

static void key_hash(uint8_t out[HF_SM3_LEN], const struct hf_sm2_pub *pub)
{
	uint8_t point[HF_SM2_POINT_LEN];

	hf_sm2_pub_emit(point, pub);
	hf_sm3(out, point, sizeof(point));
}

bool hf_ocsp_has(const struct hf_ocsp *ocsp, const struct hf_cert *cert,
	const struct hf_cert *issuer, struct hf_ocsp_single *out)
{
	struct hf_der singles = hf_der_over(ocsp->singles.p, ocsp->singles.len);
	uint8_t name[HF_SM3_LEN];
	uint8_t key[HF_SM3_LEN];

	hf_sm3(name, issuer->subject.p, issuer->subject.len);
	key_hash(key, &issuer->key);
	while (hf_der_more(&singles)) {
		struct hf_ocsp_single s;
		struct cert_id id = take_single(&singles, &s);

		if (id.hash != HF_OID_SM3 || !hf_bytes_eq(id.serial, cert->serial) ||
			!hf_bytes_eq(id.name_hash, (struct hf_bytes){ name, sizeof(name) }) ||
			!hf_bytes_eq(id.key_hash, (struct hf_bytes){ key, sizeof(key) }))
			continue;
		*out = s;
		return true;
	}
	return false;
}

static void put_explicit_time(struct hf_writer *w, uint64_t t_s)
{
	size_t outer = hf_der_open(w, HF_DER_CTX_SEQ(0));

	hf_der_put_gtime(w, t_s);
	hf_der_close(w, outer);
}

static void put_revoked(struct hf_writer *w, const struct hf_ocsp_single *s)
{
	size_t info = hf_der_open(w, HF_DER_CTX_SEQ(1));
	uint8_t reason = (uint8_t)s->reason;

	hf_der_put_gtime(w, s->revoked_s);
	if (reason != 0) {
		size_t outer = hf_der_open(w, HF_DER_CTX_SEQ(0));

		hf_der_put(w, HF_DER_ENUM, &reason, 1);
		hf_der_close(w, outer);
	}
	hf_der_close(w, info);
}

static void put_single(struct hf_writer *w, const struct hf_ocsp_spec *spec)
{
	const struct hf_ocsp_single *s = &spec->single;
	uint8_t hash[HF_SM3_LEN];
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);
	size_t id = hf_der_open(w, HF_DER_SEQUENCE);

	hf_oid_put_algorithm(w, HF_OID_SM3);
	hf_sm3(hash, spec->issuer->subject.p, spec->issuer->subject.len);
	hf_der_put_octets(w, hash, sizeof(hash));
	key_hash(hash, &spec->issuer->key);
	hf_der_put_octets(w, hash, sizeof(hash));
	hf_der_put_uint(w, spec->cert->serial.p, spec->cert->serial.len);
	hf_der_close(w, id);
	if (s->status == HF_OCSP_REVOKED)
		put_revoked(w, s);
	else
		hf_der_put(w, s->status == HF_OCSP_GOOD ? HF_DER_CTX(0) : HF_DER_CTX(2), NULL, 0);
	hf_der_put_gtime(w, s->this_update_s);
	if (s->next_update_s != 0)
		put_explicit_time(w, s->next_update_s);
	hf_der_close(w, seq);
}

static hf_err put_tbs(struct hf_writer *w, const struct hf_ocsp_spec *spec)
{
	const struct hf_cert *by = spec->delegate != NULL ? spec->delegate : spec->issuer;
	size_t tbs = hf_der_open(w, HF_DER_SEQUENCE);
	size_t mark = hf_der_open(w, HF_DER_CTX_SEQ(1));

	hf_der_put_raw(w, by->subject);
	hf_der_close(w, mark);
	hf_der_put_gtime(w, spec->produced_s);
	mark = hf_der_open(w, HF_DER_SEQUENCE);
	put_single(w, spec);
	hf_der_close(w, mark);
	hf_der_close(w, tbs);
	return hf_wr_done(w);
}

/* BasicOCSPResponse in its wrapper. */
static hf_err put_response(struct hf_writer *w, struct hf_bytes tbs, const struct hf_sm2_sig *sig,
	const struct hf_cert *delegate)
{
	static const uint8_t successful = SUCCESSFUL;
	uint8_t sig_der[HF_SM2_SIG_DER_MAX];
	size_t sig_len = hf_sm2_sig_emit_der(sig_der, sig);
	size_t all = hf_der_open(w, HF_DER_SEQUENCE);
	size_t outer, bytes, octets, basic;

	hf_der_put(w, HF_DER_ENUM, &successful, 1);
	outer = hf_der_open(w, HF_DER_CTX_SEQ(0));
	bytes = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(HF_OID_OCSP_BASIC));
	octets = hf_der_open(w, HF_DER_OCTETS);
	basic = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_raw(w, tbs);
	hf_oid_put_algorithm(w, HF_OID_SM2_SM3);
	hf_der_put_bits(w, sig_der, sig_len);
	if (delegate != NULL) {
		size_t certs = hf_der_open(w, HF_DER_CTX_SEQ(0));
		size_t list = hf_der_open(w, HF_DER_SEQUENCE);

		hf_der_put_raw(w, delegate->der);
		hf_der_close(w, list);
		hf_der_close(w, certs);
	}
	hf_der_close(w, basic);
	hf_der_close(w, octets);
	hf_der_close(w, bytes);
	hf_der_close(w, outer);
	hf_der_close(w, all);
	return hf_wr_done(w);
}

static hf_err build(
	struct hf_buf *out, const struct hf_ocsp_spec *spec, const struct hf_signer *signer)
{
	enum { AROUND = 256 }; /* wrapper and signature, at most */
	uint8_t tbs[TBS_MAX];
	struct hf_writer w = { .p = tbs, .cap = sizeof(tbs) };
	struct hf_writer whole = { 0 };
	struct hf_sm2_sig sig;
	size_t before = out->len;
	hf_err e;

	HF_TRY(put_tbs(&w, spec));
	HF_TRY(hf_signer_sign(
		&sig, signer, HF_SM2_ID_DEFAULT, sizeof(HF_SM2_ID_DEFAULT) - 1, tbs, w.len));
	whole.cap = w.len + AROUND + (spec->delegate != NULL ? spec->delegate->der.len : 0);
	HF_TRY(hf_buf_room(out, &whole.p, whole.cap));
	e = put_response(&whole, (struct hf_bytes){ tbs, w.len }, &sig, spec->delegate);
	out->len = before + (e == HF_OK ? whole.len : 0);
	return e;
}

hf_err hf_ocsp_build(struct hf_buf *out, const struct hf_ocsp_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei)
{
	const struct hf_ocsp_single *s = &spec->single;
	hf_err e;

	if ((s->next_update_s != 0 && s->next_update_s < s->this_update_s) ||
		s->reason > HF_CRL_REASON_LAST)
		return hf_fail(
			ei, HF_ERR_ARG, "cannot make a status response: it contradicts itself");
	e = build(out, spec, signer);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot make a status response: %s", hf_err_text(e));
	return HF_OK;
}
