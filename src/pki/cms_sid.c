/* SPDX-License-Identifier: Apache-2.0 */
/* Common parts of CMS messages. */
#include "pki/cms_sid.h"

#include "pki/spki.h"
#include "pki/x509.h"

struct hf_cms_wrap hf_cms_enter(struct hf_der *d, enum hf_oid type)
{
	struct hf_cms_wrap wrap;
	enum hf_oid found;

	wrap.info = hf_der_enter(d, HF_DER_SEQUENCE);
	found = hf_oid_find(hf_der_oid(&wrap.info));
	if (wrap.info.err == HF_OK && found != type)
		hf_der_fail(&wrap.info, HF_ERR_UNSUPPORTED);
	wrap.content = hf_der_enter(&wrap.info, HF_DER_CTX_SEQ(0));
	wrap.body = hf_der_enter(&wrap.content, HF_DER_SEQUENCE);
	return wrap;
}

void hf_cms_leave(struct hf_der *d, struct hf_cms_wrap *wrap)
{
	hf_der_leave(&wrap->content, &wrap->body);
	hf_der_leave(&wrap->info, &wrap->content);
	hf_der_leave(d, &wrap->info);
}

struct hf_cms_mark hf_cms_begin(struct hf_writer *w, enum hf_oid type)
{
	struct hf_cms_mark m;

	m.info = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(type));
	m.content = hf_der_open(w, HF_DER_CTX_SEQ(0));
	m.body = hf_der_open(w, HF_DER_SEQUENCE);
	return m;
}

void hf_cms_end(struct hf_writer *w, struct hf_cms_mark mark)
{
	hf_der_close(w, mark.body);
	hf_der_close(w, mark.content);
	hf_der_close(w, mark.info);
}

struct hf_cms_sid hf_cms_take_sid(struct hf_der *d)
{
	struct hf_cms_sid sid = { 0 };
	struct hf_der seq;

	if (hf_der_is(d, HF_DER_CTX(0))) {
		sid.ski = hf_der_take(d, HF_DER_CTX(0));
		if (d->err == HF_OK && sid.ski.len == 0)
			hf_der_fail(d, HF_ERR_FORMAT);
		return sid;
	}
	seq = hf_der_enter(d, HF_DER_SEQUENCE);
	sid.issuer = hf_x509_take_name(&seq);
	sid.serial = hf_der_uint(&seq, HF_CERT_SERIAL_MAX);
	hf_der_leave(d, &seq);
	return sid;
}

void hf_cms_put_sid(struct hf_writer *w, const struct hf_cms_party *party)
{
	uint8_t id[HF_SPKI_KEY_ID_LEN];
	size_t seq;

	if (party->cert == NULL) {
		hf_key_id(id, &party->pub);
		hf_der_put(w, HF_DER_CTX(0), id, sizeof(id));
		return;
	}
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_raw(w, party->cert->issuer);
	hf_der_put_uint(w, party->cert->serial.p, party->cert->serial.len);
	hf_der_close(w, seq);
}

bool hf_cms_sid_is(const struct hf_cms_sid *sid, const struct hf_cms_party *party)
{
	uint8_t id[HF_SPKI_KEY_ID_LEN];

	if (sid->ski.len > 0) {
		hf_key_id(id, &party->pub);
		return hf_bytes_eq(sid->ski, (struct hf_bytes){ id, sizeof(id) }) ||
		       (party->cert != NULL && hf_bytes_eq(sid->ski, party->cert->ski));
	}
	return party->cert != NULL && hf_bytes_eq(sid->issuer, party->cert->issuer) &&
	       hf_bytes_eq(sid->serial, party->cert->serial);
}
