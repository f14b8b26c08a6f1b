/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.3 as the surface sees it: its row of functions, most of which live elsewhere. */
#include <string.h>

#include "base/wipe.h"
#include "tls/jobs.h"
#include "tls/keysched.h"
#include "tls/proto.h"

static const char *psk_fault(const struct hf_tls_psk *k)
{
	if (k->identity.len == 0 || k->identity.len > HF_TLS_IDENTITY_MAX)
		return "the identity of a pre-shared key is empty or too long";
	if (k->key.len < HF_TLS_PSK_MIN || k->key.len > HF_TLS_PSK_MAX)
		return "a pre-shared key is too short or too long";
	return NULL;
}

static const char *config_fault(const struct hf_tls_config *cfg)
{
	if (cfg->suites == 0 || (cfg->suites & ~(unsigned)HF_TLS_SUITES) != 0)
		return "no cipher suite, or one that is not there";
	if (cfg->record_limit != 0 &&
		(cfg->record_limit < HF_TLS_LIMIT_MIN || cfg->record_limit > HF_TLS_LIMIT_MAX))
		return "record_limit is out of range";
	if (cfg->n_tickets > HF_TLS_N_TICKETS_MAX)
		return "too many tickets";
	if (cfg->n_psks > UINT16_MAX - 1)
		return "too many pre-shared keys";
	for (size_t i = 0; i < cfg->n_psks; i++) {
		const char *fault = psk_fault(&cfg->psks[i]);

		if (fault != NULL)
			return fault;
	}
	return NULL;
}

/* What the level does not allow is refused before a byte is sent. */
static hf_err check_config(const struct hf_tls_config *cfg, struct hf_errinfo *ei)
{
	const char *fault = config_fault(cfg);

	if (fault != NULL)
		return hf_fail(ei, HF_ERR_ARG, "link configuration: %s", fault);
	if ((cfg->suites & HF_TLS_SUITE_CCM) != 0 && hf_policy(HF_ROW_SUITE_CCM, cfg->level) == 0)
		return hf_policy_refuse(
			ei, HF_ROW_SUITE_CCM, cfg->level, "TLS_SM4_CCM_SM3 is configured");
	if (cfg->psk_ke && hf_policy(HF_ROW_PSK_KE, cfg->level) == 0)
		return hf_policy_refuse(ei, HF_ROW_PSK_KE, cfg->level, "psk_ke is configured");
	if (cfg->n_psks > 0 && hf_policy(HF_ROW_LINK_PSK, cfg->level) == 0)
		return hf_policy_refuse(
			ei, HF_ROW_LINK_PSK, cfg->level, "a pre-shared key is configured");
	if (cfg->tickets != NULL && cfg->tickets->once.take_once == NULL &&
		hf_policy(HF_ROW_TICKET_SINGLE_USE, cfg->level) != 0)
		return hf_policy_refuse(ei, HF_ROW_TICKET_SINGLE_USE, cfg->level,
			"tickets are configured without a store of those that were used");
	return HF_OK;
}

static enum hf_tls_phase phase(uint8_t state)
{
	if (state == HF_TLS_C_OPEN || state == HF_TLS_S_OPEN)
		return HF_TLS_PHASE_OPEN;
	if (state == HF_TLS_C_SIGN || state == HF_TLS_S_SIGN)
		return HF_TLS_PHASE_SIGN;
	return HF_TLS_PHASE_SHAKING;
}

static hf_err start(struct hf_tls *t, const char *server_name)
{
	const struct hf_tls_config *cfg = t->cfg;

	t->hs = hf_mem_new(cfg->mem, sizeof(*t->hs));
	if (t->hs == NULL)
		return HF_ERR_NO_MEMORY;
	hf_buf_init(&t->hs->name, cfg->mem, HF_TLS_NAME_MAX + 1);
	hf_sm3_init(&t->hs->transcript);
	if (cfg->role == HF_TLS_SERVER) {
		t->state = HF_TLS_S_CH;
		return HF_OK;
	}
	t->state = HF_TLS_C_START;
	if (server_name != NULL) {
		HF_TRY(hf_buf_put(&t->hs->name, server_name, strlen(server_name) + 1));
		if (cfg->keep_session) /* a session is of a name */
			HF_TRY(hf_tls_keep_sni(t, hf_bytes_str(server_name)));
	}
	HF_TRY(hf_tls_client_offer(t, t->start->session));
	return hf_tls_client_start(t);
}

static bool drop(struct hf_tls *t)
{
	if (t->hs == NULL)
		return false;
	hf_buf_clear(&t->hs->name);
	hf_tls_session_free(t->hs->offer);
	hf_wipe(t->hs, sizeof(*t->hs));
	hf_mem_free(t->cfg->mem, t->hs);
	t->hs = NULL;
	return true;
}

static bool is_fatal(unsigned alert)
{
	return alert != HF_ALERT_NONE && alert != HF_ALERT_CLOSE_NOTIFY &&
	       alert != HF_ALERT_USER_CANCELED;
}

static void wipe(struct hf_tls *t)
{
	hf_tls_dir_clear(&t->tx);
	hf_tls_dir_clear(&t->rx);
	hf_wipe(t->res, sizeof(t->res));
	/* RFC 8446 6.2: what a failed link gave is not used; one that was merely cut did not fail.
	 */
	if (is_fatal(t->alert_sent) || is_fatal(t->alert_got)) {
		hf_tls_session_free(t->session);
		t->session = NULL;
	}
}

static size_t sealed_len(const struct hf_tls *t, size_t len, size_t pad)
{
	return t->tx.is_on ? len + pad + HF_TLS_OVERHEAD : len + HF_TLS_HEAD_LEN;
}

static hf_err seal(struct hf_tls *t, uint8_t *out, enum hf_tls_type type, const uint8_t *in,
	size_t len, size_t pad)
{
	return hf_tls_seal(&t->tx, out, type, in, len, pad);
}

static hf_err has_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	if (t->cfg->role == HF_TLS_CLIENT)
		return hf_tls_client_signed(t, sig);
	return hf_tls_server_signed(t, sig);
}

static hf_err go_on(struct hf_tls *t)
{
	struct hf_sm2_sig sig;
	hf_err e = HF_OK;

	if (t->state == HF_TLS_C_START) {
		e = hf_tls_client_start(t);
		hf_tls_jobs_clear(t);
		return e;
	}
	if (phase(t->state) == HF_TLS_PHASE_SHAKING)
		return hf_tls_take_msgs(t);
	e = hf_tls_sign_now(t, &sig);
	hf_tls_jobs_clear(t);
	return e == HF_OK ? has_signed(t, &sig) : e;
}

static hf_err sign_get(const struct hf_tls *t, struct hf_tls_cv *cv)
{
	*cv = t->hs->cv;
	return HF_OK;
}

static hf_err export(const struct hf_tls *t, uint8_t *out, size_t out_len, const char *label,
	const void *context, size_t context_len)
{
	uint8_t hash[HF_SM3_LEN];
	uint8_t secret[HF_SM3_LEN];
	hf_err e;

	hf_sm3(hash, NULL, 0);
	e = hf_tls_derive(secret, t->exporter, label, hash);
	if (e == HF_OK) {
		hf_sm3(hash, context, context_len);
		e = hf_tls_label(out, out_len, secret, "exporter", hash, sizeof(hash));
	}
	hf_wipe(secret, sizeof(secret));
	return e;
}

const struct hf_tls_proto hf_tls_proto_13 = {
	.id = HF_TLS_13,
	.version = 0x0303, /* or 0301, RFC 8446 5.1: recv.c takes both */
	.cipher_max = HF_TLS_CIPHER_MAX,
	.check_config = check_config,
	.phase = phase,
	.state_name = hf_tls_state_name,
	.start = start,
	.drop = drop,
	.wipe = wipe,
	.check_head = hf_tls_check_head,
	.take_record = hf_tls_take_record,
	.take_msg = hf_tls_take_msg,
	.sealed_len = sealed_len,
	.seal = seal,
	.go_on = go_on,
	.has_signed = has_signed,
	.tx_is_due = hf_tls_tx_is_due,
	.rekey_if_due = hf_tls_rekey_if_due,
	.rekey_deadline = hf_tls_rekey_deadline,
	.sign_get = sign_get,
	.key_update = hf_tls_send_update,
	.export = export,
};
