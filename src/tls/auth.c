/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is there: Certificate, CertificateVerify and Finished (RFC 8446 4.4), sent and checked, with
 * the SM2 rules of RFC 8998 3.2.
 */
#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/keysched.h"
#include "tls/peer.h"

enum {
	TBS_PAD = 64,
	TBS_LABEL = 34, /* with its terminator, which is the separator */
	TBS_LEN = TBS_PAD + TBS_LABEL + HF_SM3_LEN,
};

hf_err hf_tls_send_chain(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	const struct hf_bytes *staples = t->hs->wants_status ? cfg->staples : NULL;
	size_t len = hf_tls_cert_list_len(cfg->chain, staples, cfg->n_chain);
	struct hf_writer w = { .cap = len };
	hf_err e;

	w.p = hf_mem_new(cfg->mem, len);
	if (w.p == NULL)
		return HF_ERR_NO_MEMORY;
	hf_tls_cert_list_emit(&w, cfg->chain, staples, cfg->n_chain);
	e = hf_wr_done(&w);
	if (e == HF_OK)
		e = hf_tls_send_msg(t, w.p, w.len);
	hf_mem_free(cfg->mem, w.p);
	return e;
}

/* RFC 8446 4.4.3: what is signed: spaces, a context string, a zero byte, the transcript hash. */
static void make_tbs(uint8_t tbs[TBS_LEN], const struct hf_tls_cv *cv)
{
	static const char server[TBS_LABEL] = "TLS 1.3, server CertificateVerify";
	static const char client[TBS_LABEL] = "TLS 1.3, client CertificateVerify";

	memset(tbs, ' ', TBS_PAD);
	memcpy(tbs + TBS_PAD, cv->role == HF_TLS_SERVER ? server : client, TBS_LABEL);
	memcpy(tbs + TBS_PAD + TBS_LABEL, cv->transcript, HF_SM3_LEN);
}

/* RFC 8998 3.2.1: the ID of handshake signatures is not that of certificates. */
hf_err hf_tls_cv_digest(
	uint8_t e[HF_SM3_LEN], const struct hf_tls_cv *cv, const struct hf_sm2_pub *pub)
{
	uint8_t tbs[TBS_LEN];

	make_tbs(tbs, cv);
	return hf_sm2_digest(
		e, pub, HF_SM2_ID_TLS13, sizeof(HF_SM2_ID_TLS13) - 1, tbs, sizeof(tbs));
}

hf_err hf_tls_make_digest(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_cert leaf;

	HF_TRY(hf_cert_parse(&leaf, cfg->chain[0].p, cfg->chain[0].len, &t->why));
	if (cfg->signer != NULL && memcmp(&cfg->signer->pub, &leaf.key, sizeof(leaf.key)) != 0)
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, HF_ERR_ARG, "own certificate is not that of the key"));
	t->hs->cv.role = cfg->role;
	hf_tls_hash(t, t->hs->cv.transcript);
	return hf_tls_cv_digest(t->hs->digest, &t->hs->cv, &leaf.key);
}

hf_err hf_tls_sign_now(struct hf_tls *t, struct hf_sm2_sig *sig)
{
	hf_err e = hf_tls_do_sign(t, sig, t->hs->digest);

	if (e != HF_OK)
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, e, "signing the handshake failed: %s", hf_err_text(e)));
	return HF_OK;
}

hf_err hf_tls_send_verify(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 4 + HF_SM2_SIG_DER_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	hf_tls_cert_verify_emit(&w, sig);
	HF_TRY(hf_wr_done(&w));
	return hf_tls_send_msg(t, msg, w.len);
}

hf_err hf_tls_send_finished(struct hf_tls *t, const uint8_t traffic[HF_SM3_LEN])
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_SM3_LEN] = { HF_TLS_MSG_FINISHED, 0, 0, HF_SM3_LEN };
	uint8_t hash[HF_SM3_LEN];

	hf_tls_hash(t, hash);
	HF_TRY(hf_tls_finished(msg + HF_TLS_MSG_HEAD_LEN, traffic, hash));
	return hf_tls_send_msg(t, msg, sizeof(msg));
}

void hf_tls_ask_chain(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_list list;
	struct hf_tls_presented p;

	if (hf_tls_cert_list_parse(&list, m->body, m->len) == HF_OK &&
		hf_tls_peer_read(&p, list.der, list.n))
		hf_tls_peer_ask(t, &p, 0);
}

hf_err hf_tls_take_chain(struct hf_tls *t, const struct hf_tls_cert_list *list)
{
	const struct hf_buf *name = &t->hs->name;
	struct hf_tls_presented p;

	/* RFC 8446 4.4.2: extensions answer ours. */
	if (list->has_other || (list->has_staple && !t->cfg->ask_staple))
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"peer's certificate has extensions that nobody asked for"));
	HF_TRY(hf_tls_peer_parse(t, &p, list->der, list->n));
	HF_TRY(hf_tls_peer_staples(t, &p, list->staple, list->n));
	HF_TRY(hf_tls_peer_check(t, &p, name->len > 0 ? (const char *)name->p : NULL));
	return hf_tls_peer_keep(t, &p);
}

/* What the peer has to have signed. */
static hf_err peer_digest(const struct hf_tls *t, uint8_t digest[HF_SM3_LEN])
{
	struct hf_tls_cv cv = { t->cfg->role == HF_TLS_CLIENT ? HF_TLS_SERVER : HF_TLS_CLIENT,
		{ 0 } };

	hf_tls_hash(t, cv.transcript);
	return hf_tls_cv_digest(digest, &cv, &t->peer.key);
}

void hf_tls_ask_cv(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_verify v;
	struct hf_sm2_sig sig;
	uint8_t digest[HF_SM3_LEN];

	if (hf_tls_cert_verify_parse(&v, m->body, m->len) == HF_OK &&
		hf_sm2_sig_parse_der(&sig, v.sig.p, v.sig.len) == HF_OK &&
		peer_digest(t, digest) == HF_OK)
		(void)hf_tls_ask_verify(t, &t->peer.key, digest, &sig);
}

hf_err hf_tls_take_verify(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_verify v;
	struct hf_sm2_sig sig;
	uint8_t digest[HF_SM3_LEN];
	hf_err e = hf_tls_cert_verify_parse(&v, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "CertificateVerify");
	if (v.scheme != HF_TLS_SM2SIG_SM3)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"peer signed with scheme 0x%04x, not sm2sig_sm3", v.scheme));

	HF_TRY(peer_digest(t, digest));
	e = hf_sm2_sig_parse_der(&sig, v.sig.p, v.sig.len);
	if (e == HF_OK)
		e = hf_tls_do_verify(t, &t->peer.key, digest, &sig);
	if (e == HF_ERR_SELF_TEST)
		return e;
	if (e != HF_OK)
		return hf_tls_die(t, HF_ALERT_DECRYPT_ERROR,
			hf_fail(&t->why, HF_ERR_AUTH,
				"peer's signature of the handshake is wrong"));
	hf_tls_absorb(t, m);
	return HF_OK;
}

hf_err hf_tls_take_finished(
	struct hf_tls *t, const struct hf_tls_msg *m, const uint8_t traffic[HF_SM3_LEN])
{
	uint8_t hash[HF_SM3_LEN];
	uint8_t expected[HF_SM3_LEN];
	bool is_right;

	if (m->len != HF_SM3_LEN)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "Finished");
	hf_tls_hash(t, hash);
	HF_TRY(hf_tls_finished(expected, traffic, hash));
	is_right = hf_ct_eq(expected, m->body, HF_SM3_LEN);
	hf_wipe(expected, sizeof(expected));
	if (!is_right)
		return hf_tls_die(t, HF_ALERT_DECRYPT_ERROR,
			hf_fail(&t->why, HF_ERR_AUTH, "peer's Finished is wrong"));
	hf_tls_absorb(t, m);
	return HF_OK;
}
