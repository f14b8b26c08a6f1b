/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A newcomer's way into a domain. What came back is checked as a whole before the first file is
 * written, and certs/sign.crt is written last: it alone makes the node a member, so that a node
 * that is killed in between is still a newcomer and asks again.
 */
#include "svc/keyd_inner.h"

#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "os/file.h"
#include "pki/chain.h"
#include "pki/csr.h"

enum {
	SELF_LIFE_S = 86400, /* of the self-signed certificate: long enough to enrol */
	SELF_BACKDATE_S = 300,
	SELF_SERIAL_LEN = 16,
};

/* A newcomer does not know its domain yet; the hub puts its own in. */
static const char no_domain[] = "new";

static hf_err put_csr(struct hf_keyd *k, struct hf_key_ask *a, struct hf_bytes subject,
	const struct hf_sm2_key *key)
{
	struct hf_local_key local = { .key = key, .rng = &k->env->rng };
	struct hf_signer signer = hf_signer_local(&local);
	struct hf_identity id = k->identity;
	struct hf_csr_spec spec = { .subject = subject, .identity = &id };
	struct hf_buf csr;
	hf_err e;

	memcpy(id.domain, no_domain, sizeof(no_domain));
	hf_buf_init(&csr, k->env->mem, HF_CSR_DER_MAX);
	e = hf_csr_build(&csr, &spec, &signer, a->ei);
	if (e == HF_OK)
		hf_key_put_object(&a->out, (struct hf_bytes){ csr.p, csr.len });
	hf_buf_clear(&csr);
	return e;
}

/* It claims nothing but a key: whoever takes it for more than that is wrong. */
static hf_err put_self_signed(struct hf_keyd *k, struct hf_key_ask *a, struct hf_bytes subject)
{
	uint8_t serial[SELF_SERIAL_LEN];
	struct hf_cert_spec spec = { .serial = serial,
		.serial_len = sizeof(serial),
		.issuer = subject,
		.subject = subject,
		.not_before_s = a->now_s > SELF_BACKDATE_S ? a->now_s - SELF_BACKDATE_S : 0,
		.not_after_s = a->now_s + SELF_LIFE_S,
		.key = k->sign.pub,
		.key_usage = HF_KU_DIGITAL_SIGNATURE,
		.eku = HF_EKU_CLIENT };
	struct hf_buf der;
	hf_err e = hf_rng_fill(&k->env->rng, serial, sizeof(serial));

	if (e != HF_OK)
		return hf_fail(a->ei, e, "random generator: %s", hf_err_text(e));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, of full length */
	hf_buf_init(&der, k->env->mem, HF_CERT_DER_MAX);
	e = hf_cert_build(&der, &spec, &k->sign, a->ei);
	if (e == HF_OK)
		hf_key_put_object(&a->out, (struct hf_bytes){ der.p, der.len });
	hf_buf_clear(&der);
	return e;
}

hf_err hf_keyd_newcomer(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_keyd_note note = {
		.event = HF_EV_SIGN, .tier = 2, .subject = "key:sign", .code = "newcomer"
	};
	uint8_t name[HF_NAME_DER_MAX];
	struct hf_writer w = { .p = name, .cap = sizeof(name) };
	struct hf_bytes subject = { name, 0 };

	HF_TRY(hf_key_ask_done(a));
	hf_name_emit(&w, NULL, NULL, k->identity.id);
	HF_TRY(hf_wr_done(&w));
	subject.len = w.len;
	HF_TRY(put_csr(k, a, subject, &k->secrets->sign));
	HF_TRY(put_csr(k, a, subject, &k->secrets->enc));
	HF_TRY(put_self_signed(k, a, subject));
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	note.subject = "key:enc";
	return hf_keyd_note(k, a, &note, a->ei);
}

/* What came back, read. All borrowed from the request. */
struct papers {
	struct hf_cert sign;
	struct hf_cert enc;
	struct hf_cert issuing_ca;
	struct hf_cert root_ca;
	struct hf_cert hub_enc;
	struct hf_bytes root_object;
	struct hf_root root;
	const uint8_t *root_ca_sm3;
};

static hf_err read_papers(struct papers *p, struct hf_key_ask *a)
{
	struct hf_cert *const certs[] = { &p->sign, &p->enc, &p->issuing_ca, &p->root_ca,
		&p->hub_enc };
	struct hf_bytes der[HF_COUNT(certs)];

	for (size_t i = 0; i < HF_COUNT(certs); i++)
		der[i] = hf_key_take_object(&a->in);
	p->root_object = hf_key_take_object(&a->in);
	p->root_ca_sm3 = hf_rd_take(&a->in, HF_SM3_LEN);
	HF_TRY(hf_key_ask_done(a));
	for (size_t i = 0; i < HF_COUNT(certs); i++)
		HF_TRY(hf_cert_parse(certs[i], der[i].p, der[i].len, a->ei));
	return HF_OK;
}

/* Design 5: the token names the root CA, and that one says who everybody else is. */
static hf_err check_root(const struct papers *p, struct hf_errinfo *ei)
{
	uint8_t digest[HF_SM3_LEN];

	hf_cert_fingerprint(digest, &p->root_ca);
	if (!hf_ct_eq(digest, p->root_ca_sm3, sizeof(digest)))
		return hf_fail(ei, HF_ERR_AUTH,
			"enrolment: the root CA is not the one of the token; wrong hub");
	return HF_OK;
}

static hf_err check_chain(const struct papers *p, const struct hf_cert *leaf,
	enum hf_purpose purpose, const struct hf_identity_want *want, uint64_t now_s,
	struct hf_errinfo *ei)
{
	const struct hf_chain_query q = { .leaf = leaf,
		.intermediates = &p->issuing_ca,
		.n_intermediates = 1,
		.roots = &p->root_ca,
		.n_roots = 1,
		.purpose = purpose,
		.now_s = now_s,
		.want = *want };

	return hf_chain_check(NULL, &q, ei);
}

static hf_err check_papers(
	const struct hf_keyd *k, struct papers *p, uint64_t now_s, struct hf_errinfo *ei)
{
	struct hf_identity_want want = { .roles = (unsigned)k->identity.role,
		.level = k->identity.level,
		.id = k->identity.id };
	const struct hf_identity_want hub = { .roles = HF_ROLE_HUB,
		.domain = p->sign.identity.domain };

	HF_TRY(check_root(p, ei));
	if (memcmp(&p->sign.key, &k->sign.pub, sizeof(p->sign.key)) != 0 ||
		memcmp(&p->enc.key, &k->enc.pub, sizeof(p->enc.key)) != 0)
		return hf_fail(ei, HF_ERR_AUTH,
			"enrolment: the certificates are for other keys than ours");
	HF_TRY(check_chain(p, &p->sign, HF_PURPOSE_SIGN, &want, now_s, ei));
	want.domain = p->sign.identity.domain;
	HF_TRY(check_chain(p, &p->enc, HF_PURPOSE_ENCRYPT, &want, now_s, ei));
	HF_TRY(check_chain(p, &p->hub_enc, HF_PURPOSE_ENCRYPT, &hub, now_s, ei));
	HF_TRY(hf_root_open_first(&p->root, p->root_object, ei));
	if (strcmp(p->root.domain, p->sign.identity.domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED,
			"enrolment: certificates are of domain %s, the trust root of %s",
			p->sign.identity.domain, p->root.domain);
	if (now_s > p->root.expires_s)
		return hf_fail(ei, HF_ERR_EXPIRED, "enrolment: the trust root has expired");
	return HF_OK;
}

/* Every file is there whole or not at all; the last one counts. */
static hf_err keep_papers(struct hf_keyd *k, const struct papers *p, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];

	HF_TRY(hf_party_put_cert(k->env, k->dir, "root-ca", p->root_ca.der, ei));
	HF_TRY(hf_party_put_cert(k->env, k->dir, "issuing-ca", p->issuing_ca.der, ei));
	HF_TRY(hf_party_put_cert(k->env, k->dir, "hub-enc", p->hub_enc.der, ei));
	HF_TRY(hf_path_join(path, k->dir, "trust/root.der", ei));
	HF_TRY(hf_file_replace(path, 0644, p->root_object.p, p->root_object.len, ei));
	HF_TRY(hf_party_put_cert(k->env, k->dir, "enc", p->enc.der, ei));
	return hf_party_put_cert(k->env, k->dir, "sign", p->sign.der, ei);
}

hf_err hf_keyd_enrolled(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct papers p = { .root_ca_sm3 = NULL };
	uint8_t fingerprint[HF_SM3_LEN];
	struct hf_keyd_note note = { .event = HF_EV_ENROL, .tier = 2, .cert = fingerprint };

	HF_TRY(read_papers(&p, a));
	HF_TRY(check_papers(k, &p, a->now_s, a->ei));
	hf_cert_fingerprint(fingerprint, &p.sign);
	note.subject = p.sign.identity.domain;
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	HF_TRY(keep_papers(k, &p, a->ei));
	/* From here on it is a member, come what may; so is what starts next. */
	hf_journal_close(&k->journal);
	HF_TRY(hf_keyd_become_member(k, a->ei));
	return hf_keyd_log_open(k, a->ei);
}
