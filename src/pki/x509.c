/* SPDX-License-Identifier: Apache-2.0 */
/* The common parts of certificates, requests and revocation lists. */
#include "pki/x509.h"

#include <string.h>

#include "pki/spki.h"

enum { ID_LEN = sizeof(HF_SM2_ID_DEFAULT) - 1 };

/* GeneralName, RFC 5280 4.2.1.6. */
enum { NAME_DNS = HF_DER_CTX(2), NAME_URI = HF_DER_CTX(6), NAME_IP = HF_DER_CTX(7) };

void hf_x509_take_sm2_sm3(struct hf_der *d)
{
	enum hf_oid id = hf_oid_take_algorithm(d);

	if (d->err == HF_OK && id != HF_OID_SM2_SM3)
		hf_der_fail(d, HF_ERR_UNSUPPORTED);
}

hf_err hf_x509_open(struct hf_x509_signed *out, const uint8_t *in, size_t in_len)
{
	struct hf_der d = hf_der_over(in, in_len);
	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_x509_signed s = { 0 };
	struct hf_bytes sig;

	s.body = hf_der_raw(&seq);
	hf_x509_take_sm2_sm3(&seq);
	sig = hf_der_bits(&seq);
	hf_der_leave(&d, &seq);
	HF_TRY(hf_der_done(&d));
	HF_TRY(hf_sm2_sig_parse_der(&s.sig, sig.p, sig.len));
	*out = s;
	return HF_OK;
}

hf_err hf_x509_digest(uint8_t e[HF_SM3_LEN], struct hf_bytes body, const struct hf_sm2_pub *pub)
{
	return hf_sm2_digest(e, pub, HF_SM2_ID_DEFAULT, ID_LEN, body.p, body.len);
}

hf_err hf_x509_verify(
	struct hf_bytes body, const struct hf_sm2_sig *sig, const struct hf_sm2_pub *pub)
{
	return hf_sm2_verify(pub, HF_SM2_ID_DEFAULT, ID_LEN, body.p, body.len, sig);
}

hf_err hf_x509_sign(struct hf_buf *out, struct hf_bytes body, const struct hf_signer *signer)
{
	enum { AROUND = 128 }; /* outer header, algorithm and signature, at most */
	uint8_t sig_der[HF_SM2_SIG_DER_MAX];
	struct hf_sm2_sig sig;
	struct hf_writer w = { 0 };
	size_t before = out->len;
	size_t seq;

	HF_TRY(hf_signer_sign(&sig, signer, HF_SM2_ID_DEFAULT, ID_LEN, body.p, body.len));
	w.cap = body.len + AROUND;
	HF_TRY(hf_buf_room(out, &w.p, w.cap));
	seq = hf_der_open(&w, HF_DER_SEQUENCE);
	hf_der_put_raw(&w, body);
	hf_oid_put_algorithm(&w, HF_OID_SM2_SM3);
	hf_der_put_bits(&w, sig_der, hf_sm2_sig_emit_der(sig_der, &sig));
	hf_der_close(&w, seq);
	out->len = before + (w.is_over ? 0 : w.len);
	return hf_wr_done(&w);
}

struct hf_bytes hf_x509_take_name(struct hf_der *d)
{
	struct hf_bytes name = hf_der_raw(d);

	if (d->err == HF_OK && !hf_name_is_valid(name))
		hf_der_fail(d, HF_ERR_FORMAT);
	return name;
}

struct hf_x509_ext hf_x509_take_ext(struct hf_der *exts)
{
	struct hf_der seq = hf_der_enter(exts, HF_DER_SEQUENCE);
	struct hf_x509_ext x = { 0 };

	x.oid = hf_der_oid(&seq);
	x.id = hf_oid_find(x.oid);
	if (hf_der_is(&seq, HF_DER_BOOLEAN)) {
		x.is_critical = hf_der_bool(&seq);
		if (!x.is_critical) /* X.690 11.5: a default value is not written */
			hf_der_fail(&seq, HF_ERR_FORMAT);
	}
	x.value = hf_der_octets(&seq);
	hf_der_leave(exts, &seq);
	return x;
}

struct hf_x509_ext_mark hf_x509_ext_begin(struct hf_writer *w, enum hf_oid id, bool is_critical)
{
	struct hf_x509_ext_mark m;

	m.seq = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_oid(w, hf_oid(id));
	if (is_critical)
		hf_der_put_bool(w, true);
	m.octets = hf_der_open(w, HF_DER_OCTETS);
	return m;
}

void hf_x509_ext_end(struct hf_writer *w, struct hf_x509_ext_mark m)
{
	hf_der_close(w, m.octets);
	hf_der_close(w, m.seq);
}

void hf_x509_put_ski(struct hf_writer *w, const struct hf_sm2_pub *pub)
{
	struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_SKI, false);
	uint8_t id[HF_SPKI_KEY_ID_LEN];

	hf_key_id(id, pub);
	hf_der_put_octets(w, id, sizeof(id));
	hf_x509_ext_end(w, m);
}

void hf_x509_put_aki(struct hf_writer *w, struct hf_bytes key_id)
{
	struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_AKI, false);
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put(w, HF_DER_CTX(0), key_id.p, key_id.len);
	hf_der_close(w, seq);
	hf_x509_ext_end(w, m);
}

struct hf_bytes hf_x509_aki(struct hf_der *value)
{
	struct hf_der seq = hf_der_enter(value, HF_DER_SEQUENCE);
	struct hf_bytes id = { 0 };

	if (hf_der_is(&seq, HF_DER_CTX(0)))
		id = hf_der_take(&seq, HF_DER_CTX(0));
	if (hf_der_is(&seq, HF_DER_CTX_SEQ(1)))
		(void)hf_der_take(&seq, HF_DER_CTX_SEQ(1));
	if (hf_der_is(&seq, HF_DER_CTX(2)))
		(void)hf_der_take(&seq, HF_DER_CTX(2));
	hf_der_leave(value, &seq);
	return id;
}

/* Characters of an IA5String that may stand in a name: visible, so no NUL and no line end. */
static bool is_visible(struct hf_bytes s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.len > 0;
}

static void check_name(struct hf_der *names, struct hf_x509_san *san)
{
	struct hf_identity id = { 0 };
	uint8_t tag;
	struct hf_bytes v = hf_der_any(names, &tag);

	if (names->err != HF_OK)
		return;
	if ((tag == NAME_DNS || tag == NAME_URI) && !is_visible(v))
		hf_der_fail(names, HF_ERR_FORMAT);
	if (tag == NAME_IP && v.len != 4 && v.len != 16)
		hf_der_fail(names, HF_ERR_FORMAT);
	if (tag != NAME_URI || v.len < 5 || memcmp(v.p, "hufu:", 5) != 0)
		return;
	/* Two identities would leave it to the reader who this is. */
	if (san->has_identity || hf_identity_parse(&id, v) != HF_OK) {
		hf_der_fail(names, HF_ERR_FORMAT);
		return;
	}
	san->has_identity = true;
	san->identity = id;
}

void hf_x509_take_san(struct hf_der *value, struct hf_x509_san *out)
{
	struct hf_der names = hf_der_enter(value, HF_DER_SEQUENCE);

	out->names = (struct hf_bytes){ names.p, names.left };
	do { /* RFC 5280 4.2.1.6: at least one */
		check_name(&names, out);
	} while (hf_der_more(&names));
	hf_der_leave(value, &names);
}

static hf_err put_names(struct hf_writer *w, const struct hf_x509_san_spec *spec)
{
	char uri[HF_URI_MAX];

	if (spec->identity != NULL) {
		HF_TRY(hf_identity_emit(uri, spec->identity));
		hf_der_put(w, NAME_URI, uri, strlen(uri));
	}
	for (size_t i = 0; i < spec->n_uris; i++) {
		if (!is_visible(hf_bytes_str(spec->uris[i])))
			return HF_ERR_ARG;
		hf_der_put(w, NAME_URI, spec->uris[i], strlen(spec->uris[i]));
	}
	for (size_t i = 0; i < spec->n_dns; i++) {
		if (!is_visible(hf_bytes_str(spec->dns[i])))
			return HF_ERR_ARG;
		hf_der_put(w, NAME_DNS, spec->dns[i], strlen(spec->dns[i]));
	}
	if (spec->ip_len != 0 && spec->ip_len != 4 && spec->ip_len != 16)
		return HF_ERR_ARG;
	if (spec->ip_len > 0)
		hf_der_put(w, NAME_IP, spec->ip, spec->ip_len);
	return HF_OK;
}

hf_err hf_x509_put_san(struct hf_writer *w, const struct hf_x509_san_spec *spec, bool is_critical)
{
	struct hf_x509_ext_mark m;
	size_t seq;

	if (spec->identity == NULL && spec->n_dns == 0 && spec->n_uris == 0 && spec->ip_len == 0)
		return HF_OK;
	m = hf_x509_ext_begin(w, HF_OID_SAN, is_critical);
	seq = hf_der_open(w, HF_DER_SEQUENCE);
	HF_TRY(put_names(w, spec));
	hf_der_close(w, seq);
	hf_x509_ext_end(w, m);
	return HF_OK;
}
