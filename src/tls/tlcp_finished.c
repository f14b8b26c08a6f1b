/* SPDX-License-Identifier: Apache-2.0 */
/* change_cipher_spec and Finished of TLCP (GB/T 38636-2020 6.4.5.10): both sides, both roles. */
#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "crypto/kdf.h"
#include "tls/tlcp_hs.h"

static void verify_data(
	const struct hf_tls *t, uint8_t out[HF_TLCP_VERIFY_LEN], enum hf_tls_role sender)
{
	uint8_t hash[HF_SM3_LEN];

	hf_tlcp_hash(t, hash);
	hf_tlcp_prf(out, HF_TLCP_VERIFY_LEN, t->tlcp->session.master, HF_TLCP_MASTER_LEN,
		sender == HF_TLS_SERVER ? "server finished" : "client finished", hash,
		sizeof(hash));
}

hf_err hf_tlcp_send_finished(struct hf_tls *t)
{
	static const uint8_t change[] = { 1 };
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_TLCP_VERIFY_LEN] = { HF_TLS_MSG_FINISHED, 0, 0,
		HF_TLCP_VERIFY_LEN };

	HF_TRY(hf_tls_put_record(t, HF_TLS_CCS, change, sizeof(change), 0));
	HF_TRY(hf_tlcp_start_tx(t));
	verify_data(t, msg + HF_TLS_MSG_HEAD_LEN, t->cfg->role);
	return hf_tlcp_send_msg(t, msg, sizeof(msg));
}

hf_err hf_tlcp_take_finished(struct hf_tls *t, const struct hf_tls_msg *m)
{
	const struct hf_tlcp_cache *cache = t->cfg->tlcp->cache;
	const struct hf_tlcp_session *s = &t->tlcp->session;
	enum hf_tls_role peer = t->cfg->role == HF_TLS_SERVER ? HF_TLS_CLIENT : HF_TLS_SERVER;
	uint8_t expected[HF_TLCP_VERIFY_LEN];
	bool is_right;

	if (m->len != HF_TLCP_VERIFY_LEN)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "Finished");
	verify_data(t, expected, peer);
	is_right = hf_ct_eq(expected, m->body, sizeof(expected));
	hf_wipe(expected, sizeof(expected));
	if (is_right)
		return hf_tlcp_absorb(t, m->whole, m->whole_len);
	if (t->tlcp->is_resumed && t->cfg->role == HF_TLS_SERVER && cache != NULL)
		cache->drop(cache->ctx, (struct hf_bytes){ s->id, s->id_len });
	return hf_tls_die(t, HF_ALERT_DECRYPT_ERROR,
		hf_fail(&t->why, HF_ERR_AUTH, "peer's Finished is wrong"));
}
