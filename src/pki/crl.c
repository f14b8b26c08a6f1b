/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists. Entries stay in the DER and are walked when asked; an owned list has an index
 * besides: index[i] is the offset in entries of the i-th smallest serial, the shorter one smaller.
 */
#include "pki/crl.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/dist_point.h"
#include "pki/spki.h"
#include "pki/x509.h"

enum {
	CRL_V2 = 1,
	ENTRY_MAX = 64,    /* bytes that one entry we write takes, at most */
	AROUND_MAX = 1024, /* and the fields around the entries */
	REASON_UNUSED = 7, /* RFC 5280 5.3.1 */
};

static bool is_reason(unsigned reason)
{
	return reason <= HF_CRL_REASON_LAST && reason != REASON_UNUSED;
}

const char *hf_crl_reason_text(unsigned reason)
{
	static const char *const texts[] = { "unspecified", "key compromise", "CA compromise",
		"affiliation changed", "superseded", "cessation of operation", "on hold",
		"reason unknown", "removed from the list", "privilege withdrawn", "AA compromise" };

	return texts[is_reason(reason) ? reason : REASON_UNUSED];
}

static void take_entry_exts(struct hf_der *entry, struct hf_crl_entry *out)
{
	struct hf_der exts = hf_der_enter(entry, HF_DER_SEQUENCE);

	do {
		struct hf_x509_ext x = hf_x509_take_ext(&exts);
		struct hf_der v = hf_der_over(x.value.p, x.value.len);

		if (exts.err == HF_OK && x.id == HF_OID_CRL_REASON) {
			struct hf_bytes reason = hf_der_take(&v, HF_DER_ENUM);

			if (reason.len != 1 || hf_der_done(&v) != HF_OK || !is_reason(reason.p[0]))
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

/* True if an entry says that its serial is no longer on the list, as only a delta may. */
static bool take_entries(struct hf_der *tbs, struct hf_crl *c)
{
	bool has_remove = false;
	struct hf_der entries = hf_der_enter(tbs, HF_DER_SEQUENCE);

	c->entries = (struct hf_bytes){ entries.p, entries.left };
	do { /* RFC 5280 5.1.2.6: left out rather than empty */
		struct hf_crl_entry x = take_entry(&entries);

		has_remove |= x.reason == HF_CRL_REASON_REMOVE;
		c->n_entries++;
	} while (hf_der_more(&entries));
	hf_der_leave(tbs, &entries);
	return has_remove;
}

/* seen: one bit for each that may not come twice (RFC 5280 4.2). */
static void take_ext(struct hf_der *exts, struct hf_crl *c, uint64_t *seen)
{
	struct hf_x509_ext x = hf_x509_take_ext(exts);
	struct hf_der v = hf_der_over(x.value.p, x.value.len);

	if (exts->err != HF_OK)
		return;
	if (x.id != HF_OID_COUNT) {
		if ((*seen >> x.id & 1) != 0)
			hf_der_fail(exts, HF_ERR_FORMAT);
		*seen |= UINT64_C(1) << x.id;
	}
	switch (x.id) {
	case HF_OID_AKI: c->aki = hf_x509_aki(&v); break;
	case HF_OID_CRL_NUMBER: c->number = hf_der_u64(&v); break;
	case HF_OID_CRL_FRESH: c->fresh_points = hf_dist_points_take(&v); break;
	case HF_OID_CRL_DELTA:
		if (!x.is_critical) /* RFC 5280 5.2.4: who does not know it must not use the list */
			hf_der_fail(exts, HF_ERR_FORMAT);
		c->is_delta = true;
		c->base = hf_der_u64(&v);
		break;
	default:
		if (x.is_critical) /* indirect and partitioned lists among them */
			hf_der_fail(exts, HF_ERR_UNSUPPORTED);
		return;
	}
	hf_der_fail(exts, hf_der_done(&v));
}

static void take_exts(struct hf_der *tbs, struct hf_crl *c)
{
	struct hf_der outer = hf_der_enter(tbs, HF_DER_CTX_SEQ(0));
	struct hf_der exts = hf_der_enter(&outer, HF_DER_SEQUENCE);
	uint64_t seen = 0;

	do {
		take_ext(&exts, c, &seen);
	} while (hf_der_more(&exts));
	hf_der_leave(&outer, &exts);
	hf_der_leave(tbs, &outer);
}

/* TBSCertList, RFC 5280 5.1. */
static hf_err parse_tbs(struct hf_crl *c)
{
	struct hf_der d = hf_der_over(c->tbs.p, c->tbs.len);
	struct hf_der tbs = hf_der_enter(&d, HF_DER_SEQUENCE);
	bool has_remove = false;

	if (hf_der_u64(&tbs) != CRL_V2)
		hf_der_fail(&tbs, HF_ERR_UNSUPPORTED);
	hf_x509_take_sm2_sm3(&tbs);
	c->issuer = hf_x509_take_name(&tbs);
	c->this_update_s = hf_der_time(&tbs);
	c->next_update_s = hf_der_time(&tbs); /* RFC 5280 5.1.2.5: required */
	if (hf_der_is(&tbs, HF_DER_SEQUENCE))
		has_remove = take_entries(&tbs, c);
	if (hf_der_more(&tbs))
		take_exts(&tbs, c);
	/* RFC 5280 5.2.4: a delta is numbered, above its base; 5.3.1: removal is for deltas only.
	 */
	if (c->is_delta ? c->base >= c->number : has_remove)
		hf_der_fail(&tbs, HF_ERR_FORMAT);
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

/* Ascending: the shorter one, then the lesser bytes. Serials have no leading zeros. */
static int serial_order(struct hf_bytes a, struct hf_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

/* The entry at an offset; parsing has found all of them in order. */
static struct hf_crl_entry entry_at(const struct hf_crl *c, uint32_t at)
{
	struct hf_der d = hf_der_over(c->entries.p + at, c->entries.len - at);

	return take_entry(&d);
}

static struct hf_bytes serial_at(const struct hf_crl *c, uint32_t at)
{
	struct hf_crl_entry x = entry_at(c, at);

	return (struct hf_bytes){ x.serial, x.serial_len };
}

/* Lets index[i] sink to its place in a heap of n with the greatest at its top. */
static void sift(const struct hf_crl *c, size_t i, size_t n)
{
	while (2 * i + 1 < n) {
		size_t child = 2 * i + 1;
		uint32_t swap = c->index[i];

		if (child + 1 < n && serial_order(serial_at(c, c->index[child]),
					     serial_at(c, c->index[child + 1])) < 0)
			child++;
		if (serial_order(serial_at(c, swap), serial_at(c, c->index[child])) >= 0)
			return;
		c->index[i] = c->index[child];
		c->index[child] = swap;
		i = child;
	}
}

/* Heap sort: no recursion, and no order of entries that takes it longer than another. */
static void make_index(const struct hf_crl *c)
{
	struct hf_der entries = hf_der_over(c->entries.p, c->entries.len);

	assert(c->index != NULL);
	for (size_t i = 0; i < c->n_entries; i++) {
		c->index[i] = (uint32_t)(entries.p - c->entries.p);
		(void)hf_der_raw(&entries);
	}
	for (size_t i = c->n_entries / 2; i-- > 0;)
		sift(c, i, c->n_entries);
	for (size_t n = c->n_entries; n > 1; n--) {
		uint32_t top = c->index[0];

		c->index[0] = c->index[n - 1];
		c->index[n - 1] = top;
		sift(c, 0, n - 1);
	}
}

hf_err hf_crl_copy(struct hf_crl *out, const struct hf_mem *mem, const uint8_t *in, size_t in_len,
	struct hf_errinfo *ei)
{
	struct hf_crl c = { 0 };
	uint8_t *own = NULL;
	hf_err e;

	HF_TRY(hf_crl_parse(&c, in, in_len, ei));
	own = hf_mem_new(mem, in_len);
	if (own == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a revocation list");
	memcpy(own, in, in_len);
	e = hf_crl_parse(&c, own, in_len, ei);
	c.own = own;
	c.mem = mem;
	if (e == HF_OK && c.n_entries > 0) {
		c.index = hf_mem_new(mem, c.n_entries * sizeof(*c.index));
		if (c.index == NULL)
			e = hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a revocation list");
	}
	if (e != HF_OK) {
		hf_crl_clear(&c);
		return e;
	}
	if (c.n_entries > 0)
		make_index(&c);
	*out = c;
	return HF_OK;
}

void hf_crl_clear(struct hf_crl *crl)
{
	if (crl->own != NULL) {
		hf_mem_free(crl->mem, crl->index);
		hf_mem_free(crl->mem, crl->own);
	}
	*crl = (struct hf_crl){ 0 };
}

hf_err hf_crl_verify_sig(
	const struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei)
{
	char issuer[HF_NAME_TEXT];
	hf_err e;

	if (crl->is_checked && memcmp(&crl->key, issuer_key, sizeof(crl->key)) == 0)
		return HF_OK;
	e = hf_x509_verify(crl->tbs, &crl->sig, issuer_key);
	if (e == HF_OK)
		return HF_OK;
	hf_name_text(issuer, crl->issuer);
	return hf_fail(ei, e, "revocation list of %s: signature is not that of its issuer", issuer);
}

hf_err hf_crl_check(struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei)
{
	HF_TRY(hf_crl_verify_sig(crl, issuer_key, ei));
	crl->is_checked = true;
	crl->key = *issuer_key;
	return HF_OK;
}

static bool index_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry)
{
	size_t low = 0;
	size_t high = crl->n_entries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct hf_crl_entry x = entry_at(crl, crl->index[middle]);
		int order = serial_order((struct hf_bytes){ x.serial, x.serial_len }, serial);

		if (order == 0) {
			*entry = x;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool walk_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry)
{
	struct hf_der entries = hf_der_over(crl->entries.p, crl->entries.len);

	while (hf_der_more(&entries)) {
		struct hf_crl_entry x = take_entry(&entries);

		if (!hf_bytes_eq((struct hf_bytes){ x.serial, x.serial_len }, serial))
			continue;
		*entry = x;
		return true;
	}
	return false;
}

bool hf_crl_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry)
{
	struct hf_crl_entry x = { 0 };

	bool has = crl->index != NULL ? index_has(crl, serial, &x) : walk_has(crl, serial, &x);

	if (has && entry != NULL)
		*entry = x;
	return has;
}

bool hf_crl_entry_take(struct hf_crl_entry *out, struct hf_bytes *rest)
{
	struct hf_der d = hf_der_over(rest->p, rest->len);

	if (!hf_der_more(&d))
		return false;
	*out = take_entry(&d);
	*rest = (struct hf_bytes){ d.p, d.left };
	return d.err == HF_OK;
}

bool hf_crl_applies(const struct hf_crl *delta, const struct hf_crl *full)
{
	/* RFC 5280 5.2.4 a, c, d: one issuer and key, not before the base, not after the delta. */
	return delta->is_delta && !full->is_delta && hf_bytes_eq(delta->issuer, full->issuer) &&
	       hf_bytes_eq(delta->aki, full->aki) && full->number >= delta->base &&
	       full->number < delta->number;
}

hf_err hf_crl_follows(const struct hf_crl *next, const struct hf_crl *have, struct hf_errinfo *ei)
{
	char issuer[HF_NAME_TEXT];

	if (!hf_bytes_eq(next->issuer, have->issuer) || next->is_delta != have->is_delta)
		return hf_fail(ei, HF_ERR_ARG, "revocation lists of two issuers, or of two kinds");
	if (hf_bytes_eq(next->der, have->der))
		return HF_ERR_EXISTS;
	if (next->number > have->number && next->this_update_s >= have->this_update_s)
		return HF_OK;
	if (next->number == 0 && have->number == 0 && next->this_update_s > have->this_update_s)
		return HF_OK;
	hf_name_text(issuer, next->issuer);
	return hf_fail(ei, HF_ERR_ROLLBACK,
		"revocation list of %s: number %" PRIu64 " comes after number %" PRIu64, issuer,
		next->number, have->number);
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

static void put_exts(
	struct hf_writer *w, const struct hf_crl_spec *s, const struct hf_sm2_pub *signer)
{
	size_t outer = hf_der_open(w, HF_DER_CTX_SEQ(0));
	size_t seq = hf_der_open(w, HF_DER_SEQUENCE);
	struct hf_x509_ext_mark m;
	uint8_t id[HF_SPKI_KEY_ID_LEN];

	hf_key_id(id, signer);
	hf_x509_put_aki(w, (struct hf_bytes){ id, sizeof(id) });
	m = hf_x509_ext_begin(w, HF_OID_CRL_NUMBER, false);
	hf_der_put_u64(w, s->number);
	hf_x509_ext_end(w, m);
	if (s->base != 0) {
		m = hf_x509_ext_begin(w, HF_OID_CRL_DELTA, true);
		hf_der_put_u64(w, s->base);
		hf_x509_ext_end(w, m);
	}
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
	put_exts(w, s, signer);
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
	if (s->base >= s->number)
		return "its base is not below its number";
	for (size_t i = 0; i < s->n_entries; i++) {
		const struct hf_crl_entry *x = &s->entries[i];

		if (x->serial_len < 1 || x->serial_len > HF_CERT_SERIAL_MAX)
			return "a serial number is empty or too long";
		if (!is_reason(x->reason) || (x->reason == HF_CRL_REASON_REMOVE && s->base == 0))
			return "a reason that does not exist, or not in a complete list";
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
