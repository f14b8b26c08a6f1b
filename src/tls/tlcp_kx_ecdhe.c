/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ephemeral key exchange of TLCP: the SM2 key exchange of GB/T 32918.3-2016 between the
 * encryption certificates of both sides and a passing pair of each. The server is A, the initiator;
 * both IDs are the default one; nothing is confirmed but by Finished.
 */
#include <string.h>

#include "base/rd.h"
#include "base/wipe.h"
#include "tls/tlcp_hs.h"

static hf_err make(struct hf_tls *t, struct hf_tlcp_tbs *tbs)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	HF_TRY(hf_sm2_key_new(&hs->eph, t->cfg->rng));
	hf_tlcp_point_emit(hs->params, &hs->eph.pub);
	hs->params_len = sizeof(hs->params);
	tbs->kind = HF_TLCP_TBS_ECDHE;
	tbs->content = (struct hf_bytes){ hs->params, sizeof(hs->params) };
	return HF_OK;
}

static hf_err take(
	struct hf_tls *t, const struct hf_tls_msg *m, struct hf_tlcp_tbs *tbs, struct hf_bytes *sig)
{
	struct hf_reader r = { .p = m->body, .left = m->len };

	HF_TRY(hf_tlcp_point_parse(&t->tlcp->hs->peer_r, &r));
	tbs->kind = HF_TLCP_TBS_ECDHE;
	tbs->content = (struct hf_bytes){ m->body, HF_TLCP_POINT_LEN };
	return hf_tlcp_sig_parse(sig, &r);
}

static hf_err agree(struct hf_tls *t)
{
	const struct hf_tlcp_enc_key *key = t->cfg->tlcp->enc_key;
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_tlcp_agreement a = {
		.is_initiator = t->cfg->role == HF_TLS_SERVER,
		.self_r = &hs->eph,
		.peer = &hs->peer_enc.key,
		.peer_r = &hs->peer_r,
	};
	hf_err e = key->agree(key->ctx, hs->pms, &a);

	if (e == HF_ERR_AUTH || e == HF_ERR_FORMAT)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "peer's keys give no point of curveSM2"));
	if (e != HF_OK)
		return hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
			hf_fail(&t->why, e, "key agreement with the encryption key failed: %s",
				hf_err_text(e)));
	return HF_OK;
}

static hf_err send(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	uint8_t point[HF_TLCP_POINT_LEN];
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 2 + HF_TLCP_POINT_LEN];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	size_t body;

	HF_TRY(hf_sm2_key_new(&hs->eph, t->cfg->rng));
	HF_TRY(agree(t));
	hf_tlcp_point_emit(point, &hs->eph.pub);
	hf_wr_u8(&w, HF_TLCP_MSG_CKE);
	body = hf_wr_open(&w, 3);
	if (t->cfg->tlcp->cke_prefix)
		hf_wr_u16(&w, sizeof(point));
	hf_wr_put(&w, point, sizeof(point));
	hf_wr_close(&w, body, 3);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}

static hf_err receive(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_reader r = { .p = m->body, .left = m->len };
	hf_err e;

	/* GB/T 38636-2020 6.4.5.8 has a length in front that half of the world leaves out. */
	if (m->len == 2 + HF_TLCP_POINT_LEN && hf_rd_u16(&r) != HF_TLCP_POINT_LEN)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "ClientKeyExchange");
	e = hf_tlcp_point_parse(&t->tlcp->hs->peer_r, &r);
	if (e == HF_OK)
		e = hf_rd_done(&r);
	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ClientKeyExchange");
	return agree(t);
}

const struct hf_tlcp_kx hf_tlcp_kx_ecdhe = {
	.is_ephemeral = true,
	.make = make,
	.take = take,
	.send = send,
	.receive = receive,
};
