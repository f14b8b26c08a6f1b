/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists. Entries stay in the DER and are walked when asked. */
#include "pki/crl.h"

#include <string.h>

#include "pki/cert.h"
#include "pki/spki.h"
#include "pki/x509.h"

enum {
	CRL_V2 = 1,
	ENTRY_MAX = 64,    /* bytes that one entry we write takes, at most */
	AROUND_MAX = 1024, /* and the fields around the entries */
	REASON_LAST = 10,  /* RFC 5280 5.3.1 */
	REASON_UNUSED = 7,
};

static void take_entry_exts(struct hf_der *entry, struct hf_crl_entry *out)
{
	struct hf_der exts = hf_der_enter(entry, HF_DER_SEQUENCE);

	do {
		struct hf_x509_ext x = hf_x509_take_ext(&exts);
		struct hf_der v = hf_der_over(x.value.p, x.value.len);

		if (exts.err == HF_OK && x.id == HF_OID_CRL_REASON) {
			struct hf_bytes reason = hf_der_take(&v, HF_DER_ENUM);

			if (reason.len != 1 || hf_der_done(&v) != HF_OK)
				hf_der_fail(&exts, HF_ERR_FORMAT);
			else
				out->reason = reason.p[0];
		} else if (x.is_critical) {
			hf_der_fail(&exts, HF_ERR_UNSUPPORTED);
		}
	} while (hf_der_more(&exts));
	hf_der_leave(entry, &exts);
}

static struct hf_crl_entry take_entry(struct hf_der *entries)
{
	struct hf_der entry = hf_der_enter(entries, HF_DER_SEQUENCE);
	struct hf_crl_entry out = { 0 };
	struct hf_bytes serial = hf_der_uint(&entry, HF_CERT_SERIAL_MAX);

	out.serial = serial.p;
	out.serial_len = serial.len;
	out.revoked_s = hf_der_time(&entry);
	if (hf_der_more(&entry))
		take_entry_exts(&entry, &out);
	hf_der_leave(entries, &entry);
	return out;
}

static void take_entries(struct hf_der *tbs, struct hf_crl *c)
{
	struct hf_der entries = hf_der_enter(tbs, HF_DER_SEQUENCE);

	c->entries = (struct hf_bytes){ entries.p, entries.left };
	do { /* RFC 5280 5.1.2.6: left out rather than empty */
		(void)take_entry(&entries);
		c->n_entries++;
	} while (hf_der_more(&entries));
	hf_der_leave(tbs, &entries);
}

static void take_ext(struct hf_der *exts, struct hf_crl *c)
{
	struct hf_x509_ext x = hf_x509_take_ext(exts);
	struct hf_der v = hf_der_over(x.value.p, x.value.len);

	if (exts->err != HF_OK)
		return;
	switch (x.id) {
	case HF_OID_AKI: c->aki = hf_x509_aki(&v); break;
	case HF_OID_CRL_NUMBER: c->number = hf_der_u64(&v); break;
	default:
		if (x.is_critical) /* delta and indirect lists among them */
			hf_der_fail(exts, HF_ERR_UNSUPPORTED);
		return;
	}
	hf_der_fail(exts, hf_der_done(&v));
}

static void take_exts(struct hf_der *tbs, struct hf_crl *c)
{
	struct hf_der outer = hf_der_enter(tbs, HF_DER_CTX_SEQ(0));
	struct hf_der exts = hf_der_enter(&outer, HF_DER_SEQUENCE);

	do {
		take_ext(&exts, c);
	} while (hf_der_more(&exts));
	hf_der_leave(&outer, &exts);
	hf_der_leave(tbs, &outer);
}

/* TBSCertList, RFC 5280 5.1. */
static hf_err parse_tbs(struct hf_crl *c)
{
	struct hf_der d = hf_der_over(c->tbs.p, c->tbs.len);
	struct hf_der tbs = hf_der_enter(&d, HF_DER_SEQUENCE);

	if (hf_der_u64(&tbs) != CRL_V2)
		hf_der_fail(&tbs, HF_ERR_UNSUPPORTED);
	hf_x509_take_sm2_sm3(&tbs);
	c->issuer = hf_x509_take_name(&tbs);
	c->this_update_s = hf_der_time(&tbs);
	c->next_update_s = hf_der_time(&tbs); /* RFC 5280 5.1.2.5: required */
	if (hf_der_is(&tbs, HF_DER_SEQUENCE))
		take_entries(&tbs, c);
	if (hf_der_more(&tbs))
		take_exts(&tbs, c);
	hf_der_leave(&d, &tbs);
	return hf_der_done(&d);
}

hf_err hf_crl_parse(struct hf_crl *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_crl c = { .der = { in, in_len } };
	struct hf_x509_signed s;
	hf_err e;

	if (in_len > HF_CRL_DER_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "revocation list of %zu bytes is longer than %d",
			in_len, HF_CRL_DER_MAX);
	e = hf_x509_open(&s, in, in_len);
	if (e == HF_OK) {
		c.tbs = s.body;
		c.sig = s.sig;
		e = parse_tbs(&c);
	}
	if (e == HF_ERR_UNSUPPORTED)
		return hf_fail(ei, e,
			"revocation list is not version 2 signed with SM2-SM3, or has a critical "
			"extension that is not known");
	if (e != HF_OK)
		return hf_fail(ei, e, "revocation list is not well formed: %s", hf_err_text(e));
	*out = c;
	return HF_OK;
}

hf_err hf_crl_verify_sig(
	const struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei)
{
	hf_err e = hf_x509_verify(crl->tbs, &crl->sig, issuer_key);
	char issuer[HF_NAME_TEXT];

	if (e == HF_OK)
		return HF_OK;
	hf_name_text(issuer, crl->issuer);
	return hf_fail(ei, e, "revocation list of %s: signature is not that of its issuer", issuer);
}

bool hf_crl_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry)
{
	struct hf_der entries = hf_der_over(crl->entries.p, crl->entries.len);

	while (hf_der_more(&entries)) {
		struct hf_crl_entry x = take_entry(&entries);

		if (!hf_bytes_eq((struct hf_bytes){ x.serial, x.serial_len }, serial))
			continue;
		if (entry != NULL)
			*entry = x;
		return true;
	}
	return false;
}

static void put_entry(struct hf_writer *w, const struct hf_crl_entry *x)
{
	size_t entry = hf_der_open(w, HF_DER_SEQUENCE);
	uint8_t reason = (uint8_t)x->reason;

	hf_der_put_uint(w, x->serial, x->serial_len);
	hf_der_put_time(w, x->revoked_s);
	if (reason != 0) { /* RFC 5280 5.3.1: "unspecified" is not written */
		size_t exts = hf_der_open(w, HF_DER_SEQUENCE);
		struct hf_x509_ext_mark m = hf_x509_ext_begin(w, HF_OID_CRL_REASON, false);

		hf_der_put(w, HF_DER_ENUM, &reason, 1);
		hf_x509_ext_end(w, m);
		hf_der_close(w, exts);
	}
	hf_der_close(w, entry);
}

static void put_exts(struct hf_writer *w, uint64_t number, const struct hf_sm2_pub *signer)
{
	size_t outer = hf_der_open(w, HF_DER_CTX_SEQ(0));
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);
	struct hf_x509_ext_mark m;
	uint8_t id[HF_SPKI_KEY_ID_LEN];

	hf_key_id(id, signer);
	hf_x509_put_aki(w, (struct hf_bytes){ id, sizeof(id) });
	m = hf_x509_ext_begin(w, HF_OID_CRL_NUMBER, false);
	hf_der_put_u64(w, number);
	hf_x509_ext_end(w, m);
	hf_der_close(w, seq);
	hf_der_close(w, outer);
}

static hf_err put_tbs(
	struct hf_writer *w, const struct hf_crl_spec *s, const struct hf_sm2_pub *signer)
{
	size_t tbs = hf_der_open(w, HF_DER_SEQUENCE);

	hf_der_put_u64(w, CRL_V2);
	hf_oid_put_algorithm(w, HF_OID_SM2_SM3);
	hf_der_put_raw(w, s->issuer);
	hf_der_put_time(w, s->this_update_s);
	hf_der_put_time(w, s->next_update_s);
	if (s->n_entries > 0) {
		size_t entries = hf_der_open(w, HF_DER_SEQUENCE);

		for (size_t i = 0; i < s->n_entries; i++)
			put_entry(w, &s->entries[i]);
		hf_der_close(w, entries);
	}
	put_exts(w, s->number, signer);
	hf_der_close(w, tbs);
	return hf_wr_done(w);
}

/* NULL, or what contradicts itself. */
static const char *spec_fault(const struct hf_crl_spec *s)
{
	if (!hf_name_is_valid(s->issuer))
		return "issuer is no name";
	if (s->next_update_s < s->this_update_s)
		return "it would end before it begins";
	if (s->number == 0)
		return "its number is zero";
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct hf_crl_entry *x = &s->entries[i];

		if (x->serial_len < 1 || x->serial_len > HF_CERT_SERIAL_MAX)
			return "a serial number is empty or too long";
		if (x->reason > REASON_LAST || x->reason == REASON_UNUSED)
			return "a reason that does not exist";
	}
	return NULL;
}

hf_err hf_crl_build(struct hf_buf *out, const struct hf_crl_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei)
{
	const char *fault = spec_fault(spec);
	struct hf_writer w = { 0 };
	struct hf_buf tbs;
	hf_err e;

	if (fault != NULL)
		return hf_fail(ei, HF_ERR_ARG, "cannot make a revocation list: %s", fault);
	if (spec->n_entries > (HF_CRL_DER_MAX - AROUND_MAX) / ENTRY_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "cannot make a revocation list: too many entries");
	hf_buf_init(&tbs, out->mem, HF_CRL_DER_MAX);
	w.cap = AROUND_MAX + spec->n_entries * ENTRY_MAX;
	e = hf_buf_room(&tbs, &w.p, w.cap);
	if (e == HF_OK)
		e = put_tbs(&w, spec, &signer->pub);
	if (e == HF_OK)
		e = hf_x509_sign(out, (struct hf_bytes){ tbs.p, w.len }, signer);
	hf_buf_clear(&tbs);
	if (e != HF_OK)
		return hf_fail(ei, e, "cannot make a revocation list: %s", hf_err_text(e));
	return HF_OK;
}
