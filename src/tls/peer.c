/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom we believe: what a peer presented is believed only by hf_chain_check(), or, where enrolment
 * is allowed, by its own key alone, and then the link says so. The same for every protocol.
 */
#include "tls/peer.h"

#include <string.h>

#include "pki/status.h"
#include "tls/jobs.h"

enum { RECHECK_VERIFIES = HF_STATUS_CRLS_MAX }; /* no list is left unread */

static unsigned alert_of(hf_err e)
{
	switch (e) {
	case HF_ERR_AUTH: return HF_ALERT_UNKNOWN_CA;
	case HF_ERR_EXPIRED: return HF_ALERT_CERTIFICATE_EXPIRED;
	case HF_ERR_REVOKED: return HF_ALERT_CERTIFICATE_REVOKED;
	case HF_ERR_STALE: return HF_ALERT_CERTIFICATE_UNKNOWN;
	case HF_ERR_LIMIT: return HF_ALERT_UNKNOWN_CA; /* no path that is short enough */
	case HF_ERR_PURPOSE:
	case HF_ERR_UNSUPPORTED: return HF_ALERT_UNSUPPORTED_CERTIFICATE;
	case HF_ERR_NO_MEMORY:
	case HF_ERR_SELF_TEST:
	case HF_ERR_INTERNAL: return HF_ALERT_INTERNAL_ERROR;
	default: return HF_ALERT_BAD_CERTIFICATE;
	}
}

/* The certificate among the presented ones that root_pin names, or NULL. */
static const struct hf_cert *pinned(const struct hf_tls *t, const struct hf_tls_presented *p)
{
	uint8_t digest[HF_SM3_LEN];

	for (size_t i = 1; i < p->n; i++) {
		hf_cert_fingerprint(digest, &p->cert[i]);
		if (memcmp(digest, t->cfg->root_pin, sizeof(digest)) == 0)
			return &p->cert[i];
	}
	return NULL;
}

static hf_err verify(void *ctx, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const struct hf_sm2_sig *sig)
{
	return hf_tls_do_verify(ctx, pub, e, sig);
}

/* Good until it is known: so the search goes where it will go if all signatures hold. */
static hf_err verify_later(void *ctx, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const struct hf_sm2_sig *sig)
{
	(void)hf_tls_ask_verify(ctx, pub, e, sig);
	return HF_OK;
}

static enum hf_purpose leaf_purpose(const struct hf_tls *t)
{
	return t->cfg->role == HF_TLS_CLIENT ? HF_PURPOSE_SERVER : HF_PURPOSE_CLIENT;
}

/* Without what says who was revoked. */
static hf_err make_query(struct hf_chain_query *q, struct hf_tls *t,
	const struct hf_tls_presented *p, const struct hf_cert *leaf, enum hf_purpose purpose)
{
	const struct hf_tls_config *cfg = t->cfg;

	*q = (struct hf_chain_query){
		.leaf = leaf,
		.intermediates = &p->cert[1],
		.n_intermediates = p->n - 1,
		.roots = cfg->roots,
		.n_roots = cfg->n_roots,
		.purpose = purpose,
		.now_s = t->now_s,
		.verify = verify,
		.ctx = t,
	};
	if (cfg->root_pin == NULL)
		return HF_OK;
	q->roots = pinned(t, p);
	q->n_roots = 1;
	return q->roots != NULL ? HF_OK : HF_ERR_AUTH;
}

static hf_err check_chain(struct hf_tls *t, const struct hf_tls_presented *p,
	const struct hf_cert *leaf, enum hf_purpose purpose, const struct hf_identity_want *want,
	struct hf_errinfo *ei)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_chain_query q;

	if (make_query(&q, t, p, leaf, purpose) != HF_OK)
		return hf_fail(ei, HF_ERR_AUTH,
			"peer does not present the root CA whose digest is expected");
	q.crls = cfg->crls;
	q.n_crls = cfg->n_crls;
	q.staples = p->staple;
	q.n_staples = p->n_staples;
	q.need_crl = cfg->need_crl;
	q.crl_age_max_s = cfg->crl_age_max_s;
	q.want = *want;
	return hf_chain_check(NULL, &q, ei);
}

/* A certificate that its own key signed, alone, in time, and good for signing. */
static bool is_fit_to_enrol(const struct hf_tls *t, const struct hf_tls_presented *p)
{
	const struct hf_cert *c = &p->cert[0];

	return p->n == 1 && hf_bytes_eq(c->issuer, c->subject) && t->now_s >= c->not_before_s &&
	       t->now_s <= c->not_after_s &&
	       (!c->has_key_usage || (c->key_usage & HF_KU_DIGITAL_SIGNATURE) != 0) &&
	       hf_cert_verify_sig(c, &c->key, NULL) == HF_OK;
}

hf_err hf_tls_peer_parse(
	struct hf_tls *t, struct hf_tls_presented *p, const struct hf_bytes *der, size_t n)
{
	struct hf_errinfo ei = { 0 };

	p->n = n;
	p->n_staples = 0;
	for (size_t i = 0; i < n; i++) {
		hf_err e = hf_cert_parse(&p->cert[i], der[i].p, der[i].len, &ei);

		if (e != HF_OK)
			return hf_tls_peer_refuse(t, e, &ei);
	}
	return HF_OK;
}

bool hf_tls_peer_read(struct hf_tls_presented *p, const struct hf_bytes *der, size_t n)
{
	p->n = n;
	p->n_staples = 0;
	for (size_t i = 0; i < n; i++) {
		if (hf_cert_parse(&p->cert[i], der[i].p, der[i].len, NULL) != HF_OK)
			return false;
	}
	return n > 0;
}

void hf_tls_peer_ask(struct hf_tls *t, const struct hf_tls_presented *p, size_t at)
{
	enum hf_purpose purpose = at == 0 ? leaf_purpose(t) : HF_PURPOSE_ENCRYPT;
	struct hf_chain_query q;

	if (make_query(&q, t, p, &p->cert[at], purpose) != HF_OK)
		return;
	q.verify = verify_later;
	(void)!hf_chain_check(NULL, &q, NULL);
}

hf_err hf_tls_peer_staples(
	struct hf_tls *t, struct hf_tls_presented *p, const struct hf_bytes *der, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct hf_errinfo ei = { 0 };
		hf_err e;

		if (der[i].len == 0)
			continue;
		e = hf_ocsp_parse(&p->staple[p->n_staples], der[i].p, der[i].len, &ei);
		if (e == HF_ERR_NOT_FOUND || e == HF_ERR_UNSUPPORTED)
			continue;
		if (e != HF_OK) /* RFC 6066 8 */
			return hf_tls_die(t, HF_ALERT_BAD_STATUS_RESPONSE,
				hf_fail(&t->why, e, "peer's certificate: %s", ei.text));
		p->n_staples++;
	}
	return HF_OK;
}

/* What a link wants of the leaf: what its user said, or the name that was asked for. */
static hf_err check_leaf(
	struct hf_tls *t, const struct hf_tls_presented *p, const char *name, struct hf_errinfo *ei)
{
	struct hf_identity_want want = { .dns = name };

	return check_chain(
		t, p, &p->cert[0], leaf_purpose(t), t->want != NULL ? t->want : &want, ei);
}

hf_err hf_tls_peer_check(struct hf_tls *t, const struct hf_tls_presented *p, const char *name)
{
	struct hf_errinfo ei = { 0 };
	hf_err e = check_leaf(t, p, name, &ei);

	if (e != HF_OK && t->cfg->role == HF_TLS_SERVER && t->cfg->enrol && is_fit_to_enrol(t, p)) {
		t->is_self_signed = true;
		e = HF_OK;
	}
	return e == HF_OK ? HF_OK : hf_tls_peer_refuse(t, e, &ei);
}

/* Who it is, the leaf says; that both are of one party, the caller has seen to. */
static hf_err check_enc(
	struct hf_tls *t, const struct hf_tls_presented *p, size_t at, struct hf_errinfo *ei)
{
	static const struct hf_identity_want anybody;

	return check_chain(t, p, &p->cert[at], HF_PURPOSE_ENCRYPT, &anybody, ei);
}

hf_err hf_tls_peer_check_enc(struct hf_tls *t, const struct hf_tls_presented *p, size_t at)
{
	struct hf_errinfo ei = { 0 };
	hf_err e = check_enc(t, p, at, &ei);

	return e == HF_OK ? HF_OK : hf_tls_peer_refuse(t, e, &ei);
}

bool hf_tls_peer_reparse(struct hf_tls_presented *p, const struct hf_bytes *der, size_t n)
{
	p->n = n;
	p->n_staples = 0; /* what one said then is no news now */
	for (size_t i = 0; i < n; i++) {
		if (hf_cert_parse(&p->cert[i], der[i].p, der[i].len, NULL) != HF_OK)
			return false;
	}
	return n > 0;
}

bool hf_tls_peer_is_good(struct hf_tls *t, const struct hf_tls_presented *p, const char *name)
{
	struct hf_errinfo ei = { 0 };

	return check_leaf(t, p, name, &ei) == HF_OK;
}

bool hf_tls_peer_enc_is_good(struct hf_tls *t, const struct hf_tls_presented *p, size_t at)
{
	struct hf_errinfo ei = { 0 };

	return check_enc(t, p, at, &ei) == HF_OK;
}

hf_err hf_tls_peer_refuse(struct hf_tls *t, hf_err e, const struct hf_errinfo *ei)
{
	if (e == HF_ERR_STALE)
		return hf_tls_die(t, alert_of(e),
			hf_fail(&t->why, e, "policy %s at L%d: peer's certificate: %s",
				hf_policy_entry(HF_ROW_REVOCATION_AGE)->name, (int)t->cfg->level,
				ei->text));
	return hf_tls_die(t, alert_of(e), hf_fail(&t->why, e, "peer's certificate: %s", ei->text));
}

hf_err hf_tls_peer_keep(struct hf_tls *t, const struct hf_tls_presented *p)
{
	for (size_t i = 0; i < p->n; i++) {
		HF_TRY(hf_buf_put(&t->peer_der, p->cert[i].der.p, p->cert[i].der.len));
		t->peer_len[i] = (uint16_t)p->cert[i].der.len;
	}
	HF_TRY(hf_cert_parse(&t->peer, t->peer_der.p, t->peer_len[0], &t->why));
	t->n_peer = (uint8_t)p->n;
	return HF_OK;
}

/*
 * By each that it may be issued by: which of two CAs of one name and key identifier it really was
 * is not known any more, and a twin that the peer showed must not stand before the right one.
 */
static hf_err recheck_one(const struct hf_cert *cert, const struct hf_cert *cas, size_t n_cas,
	struct hf_status_query *q, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < n_cas; i++) {
		if (!hf_bytes_eq(cas[i].subject, cert->issuer) || !cas[i].is_ca)
			continue;
		q->n_verifies = RECHECK_VERIFIES;
		HF_TRY(hf_status_check(q, cert, &cas[i], ei));
	}
	return HF_OK;
}

hf_err hf_tls_recheck(const struct hf_tls *t, const struct hf_crl *crls, size_t n_crls,
	uint64_t now_s, struct hf_errinfo *ei)
{
	struct hf_status_query q = { .crls = crls, .n_crls = n_crls, .now_s = now_s };
	struct hf_cert cert[HF_CHAIN_MAX];
	hf_err e = HF_OK;
	size_t n = 0;

	if (n_crls == 0)
		return HF_OK;
	for (; e == HF_OK && n < t->n_peer; n++) { /* they were parsed before: it cannot fail */
		struct hf_bytes der = hf_tls_peer_der(t, n);

		e = hf_cert_parse(&cert[n], der.p, der.len, ei);
	}
	for (size_t i = 0; e == HF_OK && i < n; i++) {
		e = recheck_one(&cert[i], cert, n, &q, ei);
		if (e == HF_OK)
			e = recheck_one(&cert[i], t->cfg->roots, t->cfg->n_roots, &q, ei);
	}
	return e;
}
