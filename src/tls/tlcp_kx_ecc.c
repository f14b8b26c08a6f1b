/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static key exchange of TLCP: the client makes the pre-master secret and encrypts it to the
 * server's encryption certificate, which ServerKeyExchange signs (GB/T
 * 38636-2020 6.4.5.4, 6.4.5.8).
 *
 * A ciphertext that does not decrypt, or not to what the standard says, becomes a pre-master secret
 * that nobody knows, drawn beforehand: the handshake goes on and fails at Finished, as it does for
 * whoever sent a right one and lacks what is in it.
 */
#include <string.h>

#include "base/ct.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "tls/tlcp_hs.h"

enum {
	RAW_LEN = HF_SM2_CIPHER_OVERHEAD + HF_TLCP_MASTER_LEN,
	DER_MAX = RAW_LEN + 32,
};

static hf_err make(struct hf_tls *t, struct hf_tlcp_tbs *tbs)
{
	tbs->kind = HF_TLCP_TBS_ECC;
	tbs->content = t->cfg->tlcp->enc_cert;
	return HF_OK;
}

static hf_err take(
	struct hf_tls *t, const struct hf_tls_msg *m, struct hf_tlcp_tbs *tbs, struct hf_bytes *sig)
{
	struct hf_reader r = { .p = m->body, .left = m->len };

	tbs->kind = HF_TLCP_TBS_ECC;
	tbs->content = t->tlcp->hs->peer_enc.der;
	return hf_tlcp_sig_parse(sig, &r);
}

static hf_err send(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	uint8_t raw[RAW_LEN];
	uint8_t der[DER_MAX];
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 2 + DER_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	size_t len = sizeof(der);
	size_t body;

	hs->pms[0] = hs->pms[1] = 1; /* the version, that of the hello */
	HF_TRY(hf_rng_fill(t->cfg->rng, hs->pms + 2, sizeof(hs->pms) - 2));
	HF_TRY(hf_sm2_encrypt(raw, &hs->peer_enc.key, hs->pms, sizeof(hs->pms), t->cfg->rng));
	HF_TRY(hf_sm2_cipher_emit_der(der, &len, raw, sizeof(raw)));
	hf_wr_u8(&w, HF_TLCP_MSG_CKE);
	body = hf_wr_open(&w, 3);
	hf_wr_u16(&w, (uint16_t)len);
	hf_wr_put(&w, der, len);
	hf_wr_close(&w, body, 3);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}

/* True where the peer is to blame, and must not learn it. */
static bool is_peers(hf_err e)
{
	return e == HF_ERR_AUTH || e == HF_ERR_FORMAT || e == HF_ERR_LIMIT ||
	       e == HF_ERR_TRUNCATED || e == HF_ERR_UNSUPPORTED;
}

static hf_err receive(struct hf_tls *t, const struct hf_tls_msg *m)
{
	const struct hf_tlcp_enc_key *key = t->cfg->tlcp->enc_key;
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_reader r = { .p = m->body, .left = m->len };
	size_t len = hf_rd_u16(&r);
	const uint8_t *der = hf_rd_take(&r, len);
	uint8_t raw[RAW_LEN];
	uint8_t pms[HF_TLCP_MASTER_LEN] = { 0 };
	size_t raw_len = sizeof(raw);
	hf_ct_mask good;
	hf_err e = hf_rd_done(&r);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ClientKeyExchange");
	HF_TRY(hf_rng_fill(t->cfg->rng, hs->pms, sizeof(hs->pms)));
	e = hf_sm2_cipher_parse_der(raw, &raw_len, der, len);
	if (e == HF_OK && raw_len != sizeof(raw))
		e = HF_ERR_FORMAT;
	if (e == HF_OK)
		e = key->decrypt(key->ctx, pms, raw, sizeof(raw));
	if (e != HF_OK && !is_peers(e))
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, e, "decrypting with the encryption key failed: %s",
				hf_err_text(e)));
	good = hf_ct_zero((uint64_t)e) & hf_ct_same(pms[0], 1) & hf_ct_same(pms[1], 1);
	hf_ct_pick_bytes(good, hs->pms, pms, hs->pms, sizeof(hs->pms));
	hf_wipe(pms, sizeof(pms));
	return HF_OK;
}

const struct hf_tlcp_kx hf_tlcp_kx_ecc = {
	.is_ephemeral = false,
	.make = make,
	.take = take,
	.send = send,
	.receive = receive,
};
