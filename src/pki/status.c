/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation status. What was revoked stays so, whichever list says it and however old that is. The
 * one exception is a hold (RFC 5280 5.3.1): the list of the highest number that speaks about the
 * serial decides, so that a delta, or a later complete list, can lift it.
 *
 * Fresh enough means: not past nextUpdate, not from the future, and not older than the query
 * allows. A complete list is that by itself, or by a fresh delta that applies to it (5.2.4).
 */
#include "pki/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

/* One look-up. */
struct look {
	struct hf_status_query *q;
	const struct hf_cert *cert;
	const struct hf_cert *issuer;
	struct hf_errinfo *ei;
	bool held[HF_STATUS_CRLS_MAX]; /* the list is the issuer's */
	bool has_any;                  /* something is the issuer's and says enough, but for age */
	bool has_fresh;
	uint64_t newest_s; /* thisUpdate of the newest such thing */
	bool has_hold;     /* the last word on the serial is "on hold" */
	uint64_t word;     /* number of the list that had it */
	uint64_t hold_s;
};

void hf_cert_text(char out[HF_CERT_TEXT], const struct hf_cert *cert)
{
	char serial[2 * HF_CERT_SERIAL_MAX + 1];
	char name[HF_NAME_TEXT];

	hf_hex_emit(serial, cert->serial.p, cert->serial.len);
	hf_name_text(name, cert->subject);
	(void)snprintf(out, HF_CERT_TEXT, "certificate %s of %.90s", serial, name);
}

static hf_err too_many(struct look *l)
{
	char cert[HF_CERT_TEXT];

	hf_cert_text(cert, l->cert);
	return hf_fail(
		l->ei, HF_ERR_LIMIT, "%s: too many revocation lists and answers to check", cert);
}

static hf_err revoked(struct look *l, uint64_t since_s, unsigned reason)
{
	char cert[HF_CERT_TEXT];

	hf_cert_text(cert, l->cert);
	return hf_fail(l->ei, HF_ERR_REVOKED, "%s is revoked for reason %u (%s), %" PRIu64 " s ago",
		cert, reason, hf_crl_reason_text(reason),
		l->q->now_s > since_s ? l->q->now_s - since_s : 0);
}

static bool is_fresh(const struct look *l, uint64_t this_s, uint64_t next_s)
{
	uint64_t now_s = l->q->now_s;

	return now_s >= this_s && now_s <= next_s && now_s - this_s <= l->q->age_max_s;
}

/* Something speaks for the certificate, as of this_s. */
static void vouch(struct look *l, uint64_t this_s, uint64_t next_s)
{
	l->has_fresh |= is_fresh(l, this_s, next_s);
	if (!l->has_any || this_s > l->newest_s)
		l->newest_s = this_s;
	l->has_any = true;
}

/* RFC 5280 6.3.3 f: of this issuer, which may sign lists. */
static hf_err hold_crl(struct look *l, size_t i)
{
	const struct hf_crl *crl = &l->q->crls[i];
	const struct hf_cert *issuer = l->issuer;

	if (!hf_bytes_eq(crl->issuer, issuer->subject) || !issuer->has_key_usage ||
		(issuer->key_usage & HF_KU_CRL_SIGN) == 0)
		return HF_OK;
	if (crl->is_checked) { /* by one key; another one's it is not */
		l->held[i] = memcmp(&crl->key, &issuer->key, sizeof(crl->key)) == 0;
		return HF_OK;
	}
	if (l->q->n_verifies == 0)
		return too_many(l);
	l->q->n_verifies--;
	l->held[i] = hf_crl_verify_sig(crl, &issuer->key, NULL) == HF_OK;
	return HF_OK;
}

/* What one list says of the serial. */
static hf_err ask_crl(struct look *l, const struct hf_crl *crl)
{
	struct hf_crl_entry x = { 0 };
	bool has = hf_crl_has(crl, l->cert->serial, &x);
	bool is_hold = has && x.reason == HF_CRL_REASON_HOLD;

	if (has && !is_hold && x.reason != HF_CRL_REASON_REMOVE)
		return revoked(l, x.revoked_s, x.reason);
	if (!has && crl->is_delta)
		return HF_OK; /* it says nothing about this one */
	if (crl->number > l->word || (crl->number == l->word && is_hold)) {
		l->word = crl->number;
		l->has_hold = is_hold;
		l->hold_s = x.revoked_s;
	}
	return HF_OK;
}

static void vouch_by_crl(struct look *l, const struct hf_crl *full)
{
	vouch(l, full->this_update_s, full->next_update_s);
	for (size_t i = 0; i < l->q->n_crls; i++) {
		const struct hf_crl *delta = &l->q->crls[i];

		if (l->held[i] && hf_crl_applies(delta, full))
			vouch(l, delta->this_update_s, delta->next_update_s);
	}
}

static hf_err ask_crls(struct look *l)
{
	const struct hf_status_query *q = l->q;

	if (q->n_crls > HF_STATUS_CRLS_MAX)
		return too_many(l);
	for (size_t i = 0; i < q->n_crls; i++)
		HF_TRY(hold_crl(l, i));
	for (size_t i = 0; i < q->n_crls; i++)
		if (l->held[i])
			HF_TRY(ask_crl(l, &q->crls[i]));
	if (l->has_hold)
		return revoked(l, l->hold_s, HF_CRL_REASON_HOLD);
	for (size_t i = 0; i < q->n_crls; i++)
		if (l->held[i] && !q->crls[i].is_delta)
			vouch_by_crl(l, &q->crls[i]);
	return HF_OK;
}

/* A delegate whose own certificate is on a list speaks for nobody. */
static bool is_on_a_list(const struct look *l, const struct hf_cert *delegate)
{
	for (size_t i = 0; i < l->q->n_crls; i++)
		if (l->held[i] && hf_crl_has(&l->q->crls[i], delegate->serial, NULL))
			return true;
	return false;
}

static hf_err ask_staple(struct look *l, const struct hf_ocsp *staple)
{
	struct hf_ocsp_single s;
	struct hf_cert delegate;

	if (!hf_ocsp_has(staple, l->cert, l->issuer, &s) || s.status == HF_OCSP_UNKNOWN)
		return HF_OK;
	if (l->q->n_verifies < HF_OCSP_VERIFIES_MAX)
		return too_many(l);
	l->q->n_verifies -= HF_OCSP_VERIFIES_MAX;
	if (hf_ocsp_verify_sig(staple, l->issuer, l->q->now_s, &delegate, NULL) != HF_OK ||
		(delegate.serial.len > 0 && is_on_a_list(l, &delegate)))
		return HF_OK;
	if (s.status == HF_OCSP_REVOKED)
		return revoked(l, s.revoked_s, s.reason);
	/* RFC 6960 4.2.2.1: without nextUpdate newer information is always there; age decides. */
	vouch(l, s.this_update_s, s.next_update_s != 0 ? s.next_update_s : UINT64_MAX);
	return HF_OK;
}

static hf_err stale(struct look *l)
{
	char cert[HF_CERT_TEXT];
	char issuer[HF_NAME_TEXT];

	hf_cert_text(cert, l->cert);
	hf_name_text(issuer, l->issuer->subject);
	if (!l->has_any)
		return hf_fail(l->ei, HF_ERR_STALE,
			"revocation list of %.60s is missing; fetch it (%s)", issuer, cert);
	if (l->newest_s > l->q->now_s)
		return hf_fail(l->ei, HF_ERR_STALE,
			"revocation list of %.60s is not fresh enough: from the future; check the "
			"clock (%s)",
			issuer, cert);
	return hf_fail(l->ei, HF_ERR_STALE,
		"revocation list of %.60s is not fresh enough: %" PRIu64
		" s old or past its end; fetch it again (%s)",
		issuer, l->q->now_s - l->newest_s, cert);
}

hf_err hf_status_check(struct hf_status_query *q, const struct hf_cert *cert,
	const struct hf_cert *issuer, struct hf_errinfo *ei)
{
	struct look l = { .q = q, .cert = cert, .issuer = issuer, .ei = ei };

	HF_TRY(ask_crls(&l));
	if (q->n_staples > HF_STATUS_STAPLES_MAX)
		return too_many(&l);
	for (size_t i = 0; i < q->n_staples; i++)
		HF_TRY(ask_staple(&l, &q->staples[i]));
	return l.has_fresh || !q->need ? HF_OK : stale(&l);
}
