/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of TLCP: that of ServerKeyExchange and CertificateVerify (GB/T 38636-2020 6.4.5.4,
 * 6.4.5.9). All are of SM2 with the default ID, by the signing key and never by the other one.
 */
#include <string.h>

#include "base/rd.h"
#include "tls/jobs.h"
#include "tls/tlcp_hs.h"

hf_err hf_tlcp_tbs_digest(
	uint8_t e[HF_SM3_LEN], const struct hf_tlcp_tbs *tbs, const struct hf_sm2_pub *pub)
{
	uint8_t head[3] = { (uint8_t)(tbs->content.len >> 16), (uint8_t)(tbs->content.len >> 8),
		(uint8_t)tbs->content.len };
	uint8_t z[HF_SM3_LEN];
	struct hf_sm3 h;

	HF_TRY(hf_sm2_z(z, pub, HF_SM2_ID_DEFAULT, sizeof(HF_SM2_ID_DEFAULT) - 1));
	hf_sm3_init(&h);
	hf_sm3_feed(&h, z, sizeof(z));
	if (tbs->kind != HF_TLCP_TBS_VERIFY)
		hf_sm3_feed(&h, tbs->randoms, sizeof(tbs->randoms));
	if (tbs->kind == HF_TLCP_TBS_ECC) /* the certificate as it stands in the list */
		hf_sm3_feed(&h, head, sizeof(head));
	hf_sm3_feed(&h, tbs->content.p, tbs->content.len);
	hf_sm3_done(&h, e);
	return HF_OK;
}

hf_err hf_tlcp_make_digest(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_cert leaf;

	HF_TRY(hf_cert_parse(&leaf, cfg->chain[0].p, cfg->chain[0].len, &t->why));
	if (cfg->signer != NULL && memcmp(&cfg->signer->pub, &leaf.key, sizeof(leaf.key)) != 0)
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, HF_ERR_ARG, "own certificate is not that of the key"));
	memcpy(hs->tbs.randoms, hs->randoms, sizeof(hs->randoms));
	return hf_tlcp_tbs_digest(hs->digest, &hs->tbs, &leaf.key);
}

hf_err hf_tlcp_sign_now(struct hf_tls *t, struct hf_sm2_sig *sig)
{
	hf_err e = hf_tls_do_sign(t, sig, t->tlcp->hs->digest);

	if (e != HF_OK)
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, e, "signing the handshake failed: %s", hf_err_text(e)));
	return HF_OK;
}

hf_err hf_tlcp_check_sig(struct hf_tls *t, const struct hf_tlcp_tbs *tbs, struct hf_bytes der)
{
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm2_sig sig;
	hf_err e;

	HF_TRY(hf_tlcp_tbs_digest(digest, tbs, &t->peer.key));
	e = hf_sm2_sig_parse_der(&sig, der.p, der.len);
	if (e == HF_OK)
		e = hf_tls_do_verify(t, &t->peer.key, digest, &sig);
	if (e == HF_ERR_SELF_TEST)
		return e;
	if (e != HF_OK)
		return hf_tls_die(t, HF_ALERT_DECRYPT_ERROR,
			hf_fail(&t->why, HF_ERR_AUTH,
				"peer's signature of the handshake is wrong"));
	return HF_OK;
}

void hf_tlcp_ask_sig(struct hf_tls *t, const struct hf_tlcp_tbs *tbs, struct hf_bytes der)
{
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm2_sig sig;

	if (hf_sm2_sig_parse_der(&sig, der.p, der.len) == HF_OK &&
		hf_tlcp_tbs_digest(digest, tbs, &t->peer.key) == HF_OK)
		(void)hf_tls_ask_verify(t, &t->peer.key, digest, &sig);
}

/* The hash is signed as a message, so it is hashed twice; some peers sign the messages instead. */
hf_err hf_tlcp_verify_tbs(struct hf_tls *t, struct hf_tlcp_tbs *tbs)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	tbs->kind = HF_TLCP_TBS_VERIFY;
	hf_tlcp_hash(t, hs->hash);
	tbs->content = (struct hf_bytes){ hs->hash, sizeof(hs->hash) };
	if (t->cfg->tlcp->cv_raw)
		tbs->content = (struct hf_bytes){ hs->raw.p, hs->raw.len };
	return HF_OK;
}

void hf_tlcp_ask_cv(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_reader r = { .p = m->body, .left = m->len };
	struct hf_bytes sig = { 0 };
	struct hf_tlcp_tbs tbs;

	if (hf_tlcp_sig_parse(&sig, &r) == HF_OK && hf_tlcp_verify_tbs(t, &tbs) == HF_OK)
		hf_tlcp_ask_sig(t, &tbs, sig);
}

hf_err hf_tlcp_take_verify(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_reader r = { .p = m->body, .left = m->len };
	struct hf_bytes sig = { 0 };
	struct hf_tlcp_tbs tbs;
	hf_err e = hf_tlcp_sig_parse(&sig, &r);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "CertificateVerify");
	HF_TRY(hf_tlcp_verify_tbs(t, &tbs));
	HF_TRY(hf_tlcp_check_sig(t, &tbs, sig));
	return hf_tlcp_absorb(t, m->whole, m->whole_len);
}

hf_err hf_tlcp_send_verify(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_TLCP_SIG_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	size_t body;

	hf_wr_u8(&w, HF_TLS_MSG_CERT_VERIFY);
	body = hf_wr_open(&w, 3);
	hf_tlcp_sig_emit(&w, sig);
	hf_wr_close(&w, body, 3);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}
