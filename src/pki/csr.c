/* SPDX-License-Identifier: Apache-2.0 */
/* Certification requests. */
#include "pki/csr.h"

#include "pki/spki.h"
#include "pki/x509.h"

enum { INFO_MAX = HF_CSR_DER_MAX - 128 };

static void take_ext(struct hf_der *exts, struct hf_csr *c)
{
	struct hf_x509_ext x = hf_x509_take_ext(exts);
	struct hf_der v = hf_der_over(x.value.p, x.value.len);
	struct hf_x509_san san = { 0 };

	if (exts->err != HF_OK || x.id != HF_OID_SAN)
		return;
	if (c->san.len > 0)
		hf_der_fail(exts, HF_ERR_FORMAT);
	hf_x509_take_san(&v, &san);
	hf_der_fail(exts, hf_der_done(&v));
	c->san = san.names;
	c->has_identity = san.has_identity;
	c->identity = san.identity;
}

/* SEQUENCE OF Extension: only names are of interest, the CA decides everything else. */
static void take_request(struct hf_der *values, struct hf_csr *c)
{
	struct hf_der exts = hf_der_enter(values, HF_DER_SEQUENCE);

	do {
		take_ext(&exts, c);
	} while (hf_der_more(&exts));
	hf_der_leave(values, &exts);
}

static void take_attribute(struct hf_der *attrs, struct hf_csr *c)
{
	struct hf_der attr = hf_der_enter(attrs, HF_DER_SEQUENCE);
	enum hf_oid type = hf_oid_find(hf_der_oid(&attr));
	struct hf_der values = hf_der_enter(&attr, HF_DER_SET);

	if (type == HF_OID_EXT_REQUEST)
		take_request(&values, c);
	while (type != HF_OID_EXT_REQUEST && hf_der_more(&values))
		(void)hf_der_raw(&values);
	hf_der_leave(&attr, &values);
	hf_der_leave(attrs, &attr);
}

/* CertificationRequestInfo, RFC 2986 4.1. */
static hf_err parse_info(struct hf_csr *c)
{
	struct hf_der d = hf_der_over(c->info.p, c->info.len);
	struct hf_der info = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_der attrs;

	if (hf_der_u64(&info) != 0)
		hf_der_fail(&info, HF_ERR_UNSUPPORTED);
	c->subject = hf_x509_take_name(&info);
	hf_spki_take(&info, &c->key);
	attrs = hf_der_enter(&info, HF_DER_CTX_SEQ(0));
	while (hf_der_more(&attrs))
		take_attribute(&attrs, c);
	hf_der_leave(&info, &attrs);
	hf_der_leave(&d, &info);
	return hf_der_done(&d);
}

hf_err hf_csr_parse(struct hf_csr *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_csr c = { .der = { in, in_len } };
	struct hf_x509_signed s;
	hf_err e;

	if (in_len > HF_CSR_DER_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "request of %zu bytes is longer than %d", in_len,
			HF_CSR_DER_MAX);
	e = hf_x509_open(&s, in, in_len);
	if (e == HF_OK) {
		c.info = s.body;
		c.sig = s.sig;
		e = parse_info(&c);
	}
	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e, "request is not PKCS#10 version 1 for an SM2 key");
	if (e != HF_OK)
		return hf_fail(ei, e, "request is not well formed: %s", hf_err_text(e));
	*out = c;
	return HF_OK;
}

hf_err hf_csr_verify(const struct hf_csr *csr, struct hf_errinfo *ei)
{
	hf_err e = hf_x509_verify(csr->info, &csr->sig, &csr->key);
	char subject[HF_NAME_TEXT];

	if (e == HF_OK)
		return HF_OK;
	hf_name_text(subject, csr->subject);
	return hf_fail(ei, e, "request of %s: not signed with the key it names", subject);
}

static hf_err put_attributes(struct hf_writer *w, const struct hf_csr_spec *s)
{
	const struct hf_x509_san_spec san = {
		.identity = s->identity, .dns = s->dns, .n_dns = s->n_dns
	};
	size_t attr = hf_der_open(w, HF_DER_SEQUENCE);
	size_t values;
	size_t exts;

	hf_der_put_oid(w, hf_oid(HF_OID_EXT_REQUEST));
	values = hf_der_open(w, HF_DER_SET);
	exts = hf_der_open(w, HF_DER_SEQUENCE);
	HF_TRY(hf_x509_put_san(w, &san, false));
	hf_der_close(w, exts);
	hf_der_close(w, values);
	hf_der_close(w, attr);
	return HF_OK;
}

static hf_err put_info(
	struct hf_writer *w, const struct hf_csr_spec *s, const struct hf_sm2_pub *pub)
{
	size_t info = hf_der_open(w, HF_DER_SEQUENCE);
	size_t attrs;

	hf_der_put_u64(w, 0);
	hf_der_put_raw(w, s->subject);
	hf_spki_put(w, pub);
	attrs = hf_der_open(w, HF_DER_CTX_SEQ(0));
	if (s->identity != NULL || s->n_dns > 0)
		HF_TRY(put_attributes(w, s));
	hf_der_close(w, attrs);
	hf_der_close(w, info);
	return hf_wr_done(w);
}

hf_err hf_csr_build(struct hf_buf *out, const struct hf_csr_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei)
{
	uint8_t info[INFO_MAX];
	struct hf_writer w = { .p = info, .cap = sizeof(info) };
	hf_err e = hf_name_is_valid(spec->subject) ? HF_OK : HF_ERR_ARG;

	if (e == HF_OK)
		e = put_info(&w, spec, &signer->pub);
	if (e == HF_OK)
		e = hf_x509_sign(out, (struct hf_bytes){ info, w.len }, signer);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot make a request: %s", hf_err_text(e));
	return HF_OK;
}
