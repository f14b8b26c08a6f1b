/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: reading and building. */
#include "pki/cert.h"

#include <string.h>

#include "pki/dist_point.h"
#include "pki/spki.h"
#include "pki/x509.h"

enum {
	TBS_MAX = HF_CERT_DER_MAX - 128, /* leaves room for algorithm and signature */
	PATH_LEN_MAX = 255,
	CERT_V3 = 2,
};

/* Extensions seen so far, one bit each: none may come twice (RFC 5280 4.2). */
struct parse {
	struct hf_cert *cert;
	uint64_t seen;
};

static void take_basic(struct hf_der *v, struct hf_cert *c)
{
	struct hf_der seq = hf_der_enter(v, HF_DER_SEQUENCE);

	if (hf_der_is(&seq, HF_DER_BOOLEAN)) {
		c->is_ca = hf_der_bool(&seq);
		if (!c->is_ca) /* X.690 11.5: a default value is not written */
			hf_der_fail(&seq, HF_ERR_FORMAT);
	}
	if (hf_der_is(&seq, HF_DER_INTEGER)) {
		uint64_t n = hf_der_u64(&seq);

		c->has_path_len = true;
		c->path_len = n > PATH_LEN_MAX ? PATH_LEN_MAX : (unsigned)n;
		if (!c->is_ca) /* RFC 5280 4.2.1.9 */
			hf_der_fail(&seq, HF_ERR_FORMAT);
	}
	hf_der_leave(v, &seq);
}

static void take_eku(struct hf_der *v, struct hf_cert *c)
{
	struct hf_der seq = hf_der_enter(v, HF_DER_SEQUENCE);

	c->has_eku = true;
	do {
		switch (hf_oid_find(hf_der_oid(&seq))) {
		case HF_OID_SERVER_AUTH: c->eku |= HF_EKU_SERVER; break;
		case HF_OID_CLIENT_AUTH: c->eku |= HF_EKU_CLIENT; break;
		case HF_OID_OCSP_SIGNING: c->eku |= HF_EKU_OCSP; break;
		default: c->eku |= HF_EKU_OTHER; break;
		}
	} while (hf_der_more(&seq));
	hf_der_leave(v, &seq);
}

static void take_san(struct hf_der *v, struct hf_cert *c)
{
	struct hf_x509_san san = { 0 };

	hf_x509_take_san(v, &san);
	c->san = san.names;
	c->has_identity = san.has_identity;
	c->identity = san.identity;
}

static void take_ext(struct hf_der *exts, struct parse *p)
{
	struct hf_x509_ext x = hf_x509_take_ext(exts);
	struct hf_der v = hf_der_over(x.value.p, x.value.len);
	struct hf_cert *c = p->cert;

	if (exts->err != HF_OK)
		return;
	if (x.id != HF_OID_COUNT && (p->seen >> x.id & 1) != 0)
		hf_der_fail(exts, HF_ERR_FORMAT);
	if (x.id != HF_OID_COUNT)
		p->seen |= UINT64_C(1) << x.id;
	switch (x.id) {
	case HF_OID_BASIC: take_basic(&v, c); break;
	case HF_OID_KEY_USAGE:
		c->has_key_usage = true;
		c->key_usage = hf_der_named_bits(&v);
		break;
	case HF_OID_EKU: take_eku(&v, c); break;
	case HF_OID_SAN: take_san(&v, c); break;
	case HF_OID_SKI: c->ski = hf_der_octets(&v); break;
	case HF_OID_AKI: c->aki = hf_x509_aki(&v); break;
	case HF_OID_CRL_POINTS: c->crl_points = hf_dist_points_take(&v); break;
	case HF_OID_CRL_FRESH: c->fresh_points = hf_dist_points_take(&v); break;
	default:
		/* RFC 5280 4.2: what is critical and unknown makes the certificate unusable. */
		if (x.is_critical)
			hf_der_fail(exts, HF_ERR_UNSUPPORTED);
		return;
	}
	hf_der_fail(exts, hf_der_done(&v));
}

static void take_exts(struct hf_der *tbs, struct hf_cert *c)
{
	struct hf_der outer = hf_der_enter(tbs, HF_DER_CTX_SEQ(3));
	struct hf_der exts = hf_der_enter(&outer, HF_DER_SEQUENCE);
	struct parse p = { .cert = c };

	do {
		take_ext(&exts, &p);
	} while (hf_der_more(&exts));
	hf_der_leave(&outer, &exts);
	hf_der_leave(tbs, &outer);
}

/* RFC 5280 4.1.2.2: positive, at most 20 bytes. */
static struct hf_bytes take_serial(struct hf_der *d)
{
	struct hf_bytes s = hf_der_uint(d, HF_CERT_SERIAL_MAX);

	if (d->err == HF_OK && s.len == 0)
		hf_der_fail(d, HF_ERR_FORMAT);
	return s;
}

/* TBSCertificate, RFC 5280 4.1. */
static hf_err parse_tbs(struct hf_cert *c)
{
	struct hf_der d = hf_der_over(c->tbs.p, c->tbs.len);
	struct hf_der tbs = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_der version = hf_der_enter(&tbs, HF_DER_CTX_SEQ(0));
	struct hf_der validity;

	if (hf_der_u64(&version) != CERT_V3)
		hf_der_fail(&version, HF_ERR_UNSUPPORTED);
	hf_der_leave(&tbs, &version);
	c->serial = take_serial(&tbs);
	hf_x509_take_sm2_sm3(&tbs);
	c->issuer = hf_x509_take_name(&tbs);
	validity = hf_der_enter(&tbs, HF_DER_SEQUENCE);
	c->not_before_s = hf_der_time(&validity);
	c->not_after_s = hf_der_time(&validity);
	hf_der_leave(&tbs, &validity);
	c->subject = hf_x509_take_name(&tbs);
	hf_spki_take(&tbs, &c->key);
	if (hf_der_is(&tbs, HF_DER_CTX(1))) /* unique identifiers: passed over */
		(void)hf_der_take(&tbs, HF_DER_CTX(1));
	if (hf_der_is(&tbs, HF_DER_CTX(2)))
		(void)hf_der_take(&tbs, HF_DER_CTX(2));
	if (hf_der_more(&tbs))
		take_exts(&tbs, c);
	hf_der_leave(&d, &tbs);
	return hf_der_done(&d);
}

hf_err hf_cert_parse(struct hf_cert *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_cert c = { .der = { in, in_len } };
	struct hf_x509_signed s;
	hf_err e;

	if (in_len > HF_CERT_DER_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "certificate of %zu bytes is longer than %d",
			in_len, HF_CERT_DER_MAX);
	e = hf_x509_open(&s, in, in_len);
	if (e != HF_OK)
		return hf_fail(ei, e, "no certificate signed with SM2-SM3: %s", hf_err_text(e));
	c.tbs = s.body;
	c.sig = s.sig;
	e = parse_tbs(&c);
	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e,
			"certificate has another version or key than X.509 v3 with SM2, or a "
			"critical extension that is not known");
	if (e != HF_OK)
		return hf_fail(ei, e, "certificate is not well formed: %s", hf_err_text(e));
	*out = c;
	return HF_OK;
}

hf_err hf_cert_copy(struct hf_cert *out, const struct hf_mem *mem, const uint8_t *in, size_t in_len,
	struct hf_errinfo *ei)
{
	struct hf_cert c = { 0 };
	uint8_t *copy = NULL;
	hf_err e;

	if (in_len <= HF_CERT_DER_MAX) /* a longer one is refused by the parser, without a copy */
		copy = hf_mem_new(mem, in_len + 1);
	if (copy == NULL && in_len <= HF_CERT_DER_MAX)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a certificate");
	if (copy != NULL && in_len > 0)
		memcpy(copy, in, in_len);
	e = hf_cert_parse(&c, copy, in_len, ei);
	if (e != HF_OK) {
		hf_mem_free(mem, copy);
		return e;
	}
	c.own = copy;
	c.mem = mem;
	*out = c;
	return HF_OK;
}

void hf_cert_clear(struct hf_cert *cert)
{
	if (cert->own != NULL)
		hf_mem_free(cert->mem, cert->own);
	*cert = (struct hf_cert){ 0 };
}

hf_err hf_cert_verify_sig(
	const struct hf_cert *cert, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei)
{
	hf_err e = hf_x509_verify(cert->tbs, &cert->sig, issuer_key);
	char subject[HF_NAME_TEXT];

	if (e == HF_OK)
		return HF_OK;
	hf_name_text(subject, cert->subject);
	return hf_fail(ei, e, "certificate of %s: signature is not that of its issuer", subject);
}

void hf_cert_fingerprint(uint8_t out[HF_SM3_LEN], const struct hf_cert *cert)
{
	hf_sm3(out, cert->der.p, cert->der.len);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_host(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* RFC 6125 6.4.3: "*." at the left stands for one label, and only before two labels or more. */
static bool dns_matches(struct hf_bytes name, const char *host)
{
	const char *pattern = (const char *)name.p;
	size_t host_len = strlen(host);
	const char *dot = strchr(host, '.');

	if (name.len == host_len && same_host(pattern, host, host_len))
		return true;
	if (name.len < 4 || memcmp(pattern, "*.", 2) != 0 || dot == NULL || dot == host)
		return false;
	if (memchr(pattern + 2, '.', name.len - 2) == NULL)
		return false;
	return strlen(dot) == name.len - 1 && same_host(pattern + 1, dot, name.len - 1);
}

bool hf_cert_has_dns(const struct hf_cert *cert, const char *host)
{
	struct hf_der names = hf_der_over(cert->san.p, cert->san.len);

	while (hf_der_more(&names)) {
		uint8_t tag;
		struct hf_bytes v = hf_der_any(&names, &tag);

		if (names.err == HF_OK && tag == HF_DER_CTX(2) && dns_matches(v, host))
			return true;
	}
	return false;
}

bool hf_cert_has_ip(const struct hf_cert *cert, const uint8_t *ip, size_t ip_len)
{
	struct hf_der names = hf_der_over(cert->san.p, cert->san.len);

	while (hf_der_more(&names)) {
		uint8_t tag;
		struct hf_bytes v = hf_der_any(&names, &tag);

		if (names.err == HF_OK && tag == HF_DER_CTX(7) &&
			hf_bytes_eq(v, (struct hf_bytes){ ip, ip_len }))
			return true;
	}
	return false;
}

static void put_basic(struct hf_writer *w, const struct hf_cert_spec *s)
{
	struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_BASIC, true);
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	if (s->is_ca)
		hf_der_put_bool(w, true);
	if (s->has_path_len)
		hf_der_put_u64(w, s->path_len);
	hf_der_close(w, seq);
	hf_x509_ext_end(w, m);
}

static void put_key_usage(struct hf_writer *w, unsigned key_usage)
{
	struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_KEY_USAGE, true);

	hf_der_put_named_bits(w, key_usage);
	hf_x509_ext_end(w, m);
}

static void put_eku(struct hf_writer *w, unsigned eku)
{
	struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_EKU, false);
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	if (eku & HF_EKU_SERVER)
		hf_der_put_oid(w, hf_oid(HF_OID_SERVER_AUTH));
	if (eku & HF_EKU_CLIENT)
		hf_der_put_oid(w, hf_oid(HF_OID_CLIENT_AUTH));
	if (eku & HF_EKU_OCSP)
		hf_der_put_oid(w, hf_oid(HF_OID_OCSP_SIGNING));
	hf_der_close(w, seq);
	hf_x509_ext_end(w, m);
}

static hf_err put_exts(
	struct hf_writer *w, const struct hf_cert_spec *s, const struct hf_signer *signer)
{
	/* RFC 5280 4.2.1.6: critical when the subject is empty, which ours are not. */
	const struct hf_x509_san_spec san = { s->identity, s->dns, s->n_dns, s->uris, s->n_uris,
		s->ip, s->ip_len };
	uint8_t signer_id[HF_SPKI_KEY_ID_LEN];
	struct hf_bytes aki = s->aki;
	size_t outer = hf_der_open(w, HF_DER_CTX_SEQ(3));
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);

	hf_key_id(signer_id, &signer->pub);
	if (aki.len == 0)
		aki = (struct hf_bytes){ signer_id, sizeof(signer_id) };
	put_basic(w, s);
	if (s->key_usage != 0)
		put_key_usage(w, s->key_usage);
	if (s->eku != 0)
		put_eku(w, s->eku);
	HF_TRY(hf_x509_put_san(w, &san, false));
	hf_x509_put_ski(w, &s->key);
	hf_x509_put_aki(w, aki);
	hf_der_close(w, seq);
	hf_der_close(w, outer);
	return HF_OK;
}

static hf_err put_tbs(
	struct hf_writer *w, const struct hf_cert_spec *s, const struct hf_signer *signer)
{
	size_t tbs = hf_der_open(w, HF_DER_SEQUENCE);
	size_t mark = hf_der_open(w, HF_DER_CTX_SEQ(0));

	hf_der_put_u64(w, CERT_V3);
	hf_der_close(w, mark);
	hf_der_put_uint(w, s->serial, s->serial_len);
	hf_oid_put_algorithm(w, HF_OID_SM2_SM3);
	hf_der_put_raw(w, s->issuer);
	mark = hf_der_open(w, HF_DER_SEQUENCE);
	hf_der_put_time(w, s->not_before_s);
	hf_der_put_time(w, s->not_after_s);
	hf_der_close(w, mark);
	hf_der_put_raw(w, s->subject);
	hf_spki_put(w, &s->key);
	HF_TRY(put_exts(w, s, signer));
	hf_der_close(w, tbs);
	return hf_wr_done(w);
}

/* NULL, or what contradicts itself. */
static const char *spec_fault(const struct hf_cert_spec *s)
{
	static const uint8_t zero[HF_CERT_SERIAL_MAX];

	if (s->serial_len < 1 || s->serial_len > HF_CERT_SERIAL_MAX ||
		memcmp(s->serial, zero, s->serial_len) == 0)
		return "serial number must be 1 to 20 bytes and not zero";
	if (s->serial_len == HF_CERT_SERIAL_MAX && (s->serial[0] & 0x80) != 0)
		return "serial number of 20 bytes must start below 0x80";
	if (!hf_name_is_valid(s->issuer) || !hf_name_is_valid(s->subject))
		return "issuer or subject is no name";
	if (s->not_after_s < s->not_before_s)
		return "it would end before it begins";
	if (hf_sm2_pub_check(&s->key) != HF_OK)
		return "its key is no SM2 public key";
	if ((s->key_usage & ~(unsigned)(HF_KU_SIGN | HF_KU_ENCRYPT | HF_KU_CA)) != 0 ||
		(s->eku & ~(unsigned)(HF_EKU_SERVER | HF_EKU_CLIENT | HF_EKU_OCSP)) != 0)
		return "a key usage that does not exist";
	/* RFC 5280 4.2.1.3, 4.2.1.9. */
	if (!s->is_ca && (s->has_path_len || (s->key_usage & HF_KU_CERT_SIGN) != 0))
		return "path length or certificate signing is for CAs only";
	return NULL;
}

hf_err hf_cert_build(struct hf_buf *out, const struct hf_cert_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei)
{
	uint8_t tbs[TBS_MAX];
	struct hf_writer w = { .p = tbs, .cap = sizeof(tbs) };
	const char *fault = spec_fault(spec);
	hf_err e;

	if (fault != NULL)
		return hf_fail(ei, HF_ERR_ARG, "cannot make a certificate: %s", fault);
	e = put_tbs(&w, spec, signer);
	if (e == HF_OK)
		e = hf_x509_sign(out, (struct hf_bytes){ tbs, w.len }, signer);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot make a certificate: %s", hf_err_text(e));
	return HF_OK;
}
