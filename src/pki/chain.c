/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path building and checking. The search walks depth first from the leaf: at each step it tries the
 * roots, then the intermediates, whose subject is the present issuer, and goes on only over a
 * signature that holds. Bounded by HF_CHAIN_MAX in depth and HF_CHAIN_VERIFIES_MAX in signatures.
 * What is wrong with the first path that reaches a root is what gets reported.
 */
#include "pki/chain.h"

#include <inttypes.h>
#include <string.h>

#include "pki/status.h"
#include "pki/x509.h"

struct search {
	const struct hf_chain_query *q;
	struct hf_chain found;
	size_t next[HF_CHAIN_MAX]; /* candidate to try next, per depth */
	unsigned n_verifies;
	bool bad_signature;    /* a candidate had the right name, but not the right key */
	bool too_long;         /* a path went on beyond HF_CHAIN_MAX */
	struct hf_errinfo why; /* first thing that was wrong with a path that reached a root */
};

static const char *text_of(char text[HF_CERT_TEXT], const struct hf_cert *c)
{
	hf_cert_text(text, c);
	return text;
}

/* Candidates: first the roots, then the intermediates. NULL when there are no more. */
static const struct hf_cert *candidate(const struct hf_chain_query *q, size_t i)
{
	if (i < q->n_roots)
		return &q->roots[i];
	if (i - q->n_roots < q->n_intermediates)
		return &q->intermediates[i - q->n_roots];
	return NULL;
}

static bool is_in_path(const struct hf_chain *path, const struct hf_cert *c)
{
	for (size_t i = 0; i < path->n; i++)
		if (hf_bytes_eq(path->path[i]->der, c->der))
			return true;
	return false;
}

/* By name and, where both are written, by key identifier (RFC 5280 4.2.1.1). */
static bool may_be_issuer(const struct hf_cert *issuer, const struct hf_cert *c)
{
	if (!hf_bytes_eq(issuer->subject, c->issuer))
		return false;
	return issuer->ski.len == 0 || c->aki.len == 0 || hf_bytes_eq(issuer->ski, c->aki);
}

static hf_err check_time(struct search *s, const struct hf_cert *c)
{
	char name[HF_CERT_TEXT];

	if (s->q->now_s < c->not_before_s)
		return hf_fail(&s->why, HF_ERR_EXPIRED,
			"%s is not valid yet, for another %" PRIu64 " s; check the clock",
			text_of(name, c), c->not_before_s - s->q->now_s);
	if (s->q->now_s > c->not_after_s)
		return hf_fail(&s->why, HF_ERR_EXPIRED,
			"%s has expired %" PRIu64 " s ago; renew it", text_of(name, c),
			s->q->now_s - c->not_after_s);
	return HF_OK;
}

/* RFC 5280 6.1.4 k..n: what a certificate must be to issue others. below: CAs under it. */
static hf_err check_ca(struct search *s, const struct hf_cert *c, size_t below)
{
	char name[HF_CERT_TEXT];

	if (!c->is_ca)
		return hf_fail(&s->why, HF_ERR_PURPOSE, "%s issued another one but is no CA",
			text_of(name, c));
	if (!c->has_key_usage || (c->key_usage & HF_KU_CERT_SIGN) == 0)
		return hf_fail(&s->why, HF_ERR_PURPOSE,
			"%s: key usage does not allow it to issue certificates", text_of(name, c));
	if (c->has_path_len && below > c->path_len)
		return hf_fail(&s->why, HF_ERR_DENIED,
			"%s allows %u CAs below it, the path has %zu", text_of(name, c),
			c->path_len, below);
	return HF_OK;
}

/* CAs strictly between path[i] and the leaf; self-issued ones do not count (RFC 5280 6.1.4 l). */
static size_t cas_below(const struct hf_chain *path, size_t i)
{
	size_t n = 0;

	for (size_t k = 1; k < i; k++)
		if (!hf_bytes_eq(path->path[k]->subject, path->path[k]->issuer))
			n++;
	return n;
}

static const struct {
	const char *name;
	unsigned key_usage; /* one of these is needed */
	unsigned eku;       /* and this, if there is an extended key usage */
} purposes[] = {
	[HF_PURPOSE_SERVER] = { "a server", HF_KU_DIGITAL_SIGNATURE, HF_EKU_SERVER },
	[HF_PURPOSE_CLIENT] = { "a client", HF_KU_DIGITAL_SIGNATURE, HF_EKU_CLIENT },
	[HF_PURPOSE_SIGN] = { "signing", HF_KU_SIGN, 0 },
	[HF_PURPOSE_ENCRYPT] = { "encryption", HF_KU_ENCRYPT, 0 },
};

static hf_err check_purpose(struct search *s, const struct hf_cert *leaf)
{
	unsigned key_usage = purposes[s->q->purpose].key_usage;
	unsigned eku = purposes[s->q->purpose].eku;
	const char *purpose = purposes[s->q->purpose].name;
	char name[HF_CERT_TEXT];

	(void)text_of(name, leaf);
	if (leaf->is_ca)
		return hf_fail(
			&s->why, HF_ERR_PURPOSE, "%s is that of a CA, not for %s", name, purpose);
	if (!leaf->has_key_usage || (leaf->key_usage & key_usage) == 0)
		return hf_fail(
			&s->why, HF_ERR_PURPOSE, "%s: key usage is not for %s", name, purpose);
	if (eku != 0 && leaf->has_eku && (leaf->eku & eku) == 0)
		return hf_fail(&s->why, HF_ERR_PURPOSE, "%s: extended key usage is not for %s",
			name, purpose);
	return HF_OK;
}

static bool is_other(const char *want, const char *have)
{
	return want != NULL && strcmp(want, have) != 0;
}

static hf_err check_identity(struct search *s, const struct hf_cert *leaf, const char *name)
{
	const struct hf_identity_want *want = &s->q->want;
	const struct hf_identity *id = &leaf->identity;

	if (want->roles == 0 && want->level == 0 && want->domain == NULL && want->id == NULL)
		return HF_OK;
	if (!leaf->has_identity)
		return hf_fail(&s->why, HF_ERR_DENIED, "%s carries no identity", name);
	if (want->roles != 0 && (want->roles & (unsigned)id->role) == 0)
		return hf_fail(&s->why, HF_ERR_DENIED, "%s has role %s, which is not allowed here",
			name, hf_role_name(id->role));
	if (want->level != 0 && id->level < want->level)
		return hf_fail(&s->why, HF_ERR_DENIED, "%s has level %d, needed is %d", name,
			(int)id->level, (int)want->level);
	if (is_other(want->domain, id->domain))
		return hf_fail(&s->why, HF_ERR_DENIED, "%s is of domain %s, not %s", name,
			id->domain, want->domain);
	if (is_other(want->id, id->id))
		return hf_fail(
			&s->why, HF_ERR_DENIED, "%s is that of %s, not %s", name, id->id, want->id);
	return HF_OK;
}

static hf_err check_want(struct search *s, const struct hf_cert *leaf)
{
	const struct hf_identity_want *want = &s->q->want;
	char name[HF_CERT_TEXT];

	(void)text_of(name, leaf);
	HF_TRY(check_identity(s, leaf, name));
	if (want->dns != NULL && !hf_cert_has_dns(leaf, want->dns))
		return hf_fail(&s->why, HF_ERR_DENIED, "%s is not for host %.64s", name, want->dns);
	if (want->ip_len > 0 && !hf_cert_has_ip(leaf, want->ip, want->ip_len))
		return hf_fail(&s->why, HF_ERR_DENIED, "%s is not for this address", name);
	return HF_OK;
}

/* Every certificate below the root, from the top down: a revoked CA says nothing about others. */
static hf_err check_status(struct search *s)
{
	const struct hf_chain_query *q = s->q;
	const struct hf_chain *p = &s->found;
	struct hf_status_query status = { .crls = q->crls,
		.n_crls = q->n_crls,
		.staples = q->staples,
		.n_staples = q->n_staples,
		.now_s = q->now_s,
		.need = q->need_crl,
		.age_max_s = q->crl_age_max_s,
		.n_verifies = HF_CHAIN_VERIFIES_MAX - s->n_verifies };
	hf_err e = HF_OK;

	for (size_t i = p->n - 1; e == HF_OK && i-- > 0;)
		e = hf_status_check(&status, p->path[i], p->path[i + 1], &s->why);
	s->n_verifies = HF_CHAIN_VERIFIES_MAX - status.n_verifies;
	return e;
}

/* The path reaches a root: is everything on it as it must be? */
static hf_err check_path(struct search *s)
{
	const struct hf_chain *p = &s->found;

	for (size_t i = 0; i < p->n; i++)
		HF_TRY(check_time(s, p->path[i]));
	for (size_t i = 1; i < p->n; i++)
		HF_TRY(check_ca(s, p->path[i], cas_below(p, i)));
	HF_TRY(check_purpose(s, p->path[0]));
	HF_TRY(check_status(s));
	return check_want(s, p->path[0]);
}

static hf_err check_sig(
	const struct hf_chain_query *q, const struct hf_cert *c, const struct hf_cert *issuer)
{
	uint8_t e[HF_SM3_LEN];

	if (q->verify == NULL)
		return hf_cert_verify_sig(c, &issuer->key, NULL);
	HF_TRY(hf_x509_digest(e, c->tbs, &issuer->key));
	return q->verify(q->ctx, &issuer->key, e, &c->sig);
}

/* The next candidate that signed the last certificate of the path; NULL when there is none left. */
static const struct hf_cert *next_issuer(struct search *s, bool *is_root)
{
	const struct hf_cert *c = s->found.path[s->found.n - 1];
	size_t *i = &s->next[s->found.n - 1];
	const struct hf_cert *issuer;

	while ((issuer = candidate(s->q, *i)) != NULL) {
		*is_root = *i < s->q->n_roots;
		(*i)++;
		if (!may_be_issuer(issuer, c) || is_in_path(&s->found, issuer))
			continue;
		if (s->n_verifies >= HF_CHAIN_VERIFIES_MAX)
			return NULL;
		s->n_verifies++;
		if (check_sig(s->q, c, issuer) == HF_OK)
			return issuer;
		s->bad_signature = true;
	}
	return NULL;
}

/* True when a path was found that passes. */
static bool walk(struct search *s)
{
	s->found.path[0] = s->q->leaf;
	s->found.n = 1;
	while (s->found.n > 0) {
		bool is_root = false;
		const struct hf_cert *issuer = NULL;

		if (s->found.n < HF_CHAIN_MAX)
			issuer = next_issuer(s, &is_root);
		else
			s->too_long = true;
		if (issuer == NULL) {
			s->found.n--;
			continue;
		}
		s->found.path[s->found.n] = issuer;
		s->next[s->found.n] = 0;
		s->found.n++;
		if (!is_root)
			continue;
		if (check_path(s) == HF_OK)
			return true;
		s->found.n--;
	}
	return false;
}

static hf_err explain(struct search *s, struct hf_errinfo *ei)
{
	char name[HF_CERT_TEXT];
	char issuer[HF_NAME_TEXT];

	if (s->why.code != HF_OK)
		return hf_fail(ei, s->why.code, "%s", s->why.text);
	(void)text_of(name, s->q->leaf);
	if (s->n_verifies >= HF_CHAIN_VERIFIES_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: too many possible paths to a root", name);
	if (s->too_long)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: its path is longer than %d certificates",
			name, HF_CHAIN_MAX);
	if (s->bad_signature)
		return hf_fail(ei, HF_ERR_AUTH, "%s: a signature on its path is wrong", name);
	hf_name_text(issuer, s->q->leaf->issuer);
	return hf_fail(
		ei, HF_ERR_AUTH, "%s, issued by %.60s: no path to a trusted root", name, issuer);
}

hf_err hf_chain_check(struct hf_chain *out, const struct hf_chain_query *q, struct hf_errinfo *ei)
{
	struct search s = { .q = q };

	if (q->n_intermediates > HF_CHAIN_CERTS_MAX || q->n_roots > HF_CHAIN_CERTS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "more than %d certificates to build a path from",
			HF_CHAIN_CERTS_MAX);
	if (!walk(&s))
		return explain(&s, ei);
	if (out != NULL)
		*out = s.found;
	return HF_OK;
}
