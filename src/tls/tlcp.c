/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLCP as the surface sees it: its row of functions, its configuration, its life and end. A link
 * has one key a direction and no way to new ones, so it ends when they have served their time.
 */
#include "tls/tlcp.h"

#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "tls/jobs.h"
#include "tls/proto.h"
#include "tls/tlcp_hs.h"

static enum hf_tls_phase phase(uint8_t state)
{
	if (state == HF_TLCP_C_OPEN || state == HF_TLCP_S_OPEN)
		return HF_TLS_PHASE_OPEN;
	if (state == HF_TLCP_C_SIGN || state == HF_TLCP_S_SIGN)
		return HF_TLS_PHASE_SIGN;
	return HF_TLS_PHASE_SHAKING;
}

static const char *config_fault(const struct hf_tls_config *cfg)
{
	const struct hf_tlcp_config *tlcp = cfg->tlcp;
	unsigned known = 0;

	for (size_t i = 0; i < HF_COUNT(hf_tlcp_suites); i++)
		known |= hf_tlcp_suites[i].bit;
	if (tlcp == NULL)
		return "TLCP needs a configuration of its own";
	if ((tlcp->suites & ~known) != 0)
		return "an unknown suite of TLCP";
	if ((tlcp->enc_cert.len > 0) != (tlcp->enc_key != NULL))
		return "an encryption certificate without key, or a key without certificate";
	if (cfg->role == HF_TLS_SERVER && tlcp->enc_key == NULL)
		return "a server of TLCP needs an encryption certificate";
	if (tlcp->enc_key != NULL && (cfg->n_chain == 0 || cfg->n_chain == HF_CHAIN_MAX))
		return "no certificate beside the one for encryption, or too many";
	return NULL;
}

static hf_err check_config(const struct hf_tls_config *cfg, struct hf_errinfo *ei)
{
	const char *fault = config_fault(cfg);
	enum hf_policy_row row = HF_ROW_COUNT;
	unsigned on = 0;

	if (fault != NULL)
		return hf_fail(ei, HF_ERR_ARG, "link configuration: %s", fault);
	for (size_t i = 0; i < HF_COUNT(hf_tlcp_suites); i++) {
		const struct hf_tlcp_suite *suite = &hf_tlcp_suites[i];
		enum hf_policy_row no = hf_tlcp_suite_row(cfg, suite);

		on |= hf_tlcp_suite_is_on(cfg, suite) ? suite->bit : 0;
		if ((cfg->tlcp->suites & suite->bit) != 0 && no != HF_ROW_COUNT)
			return hf_policy_refuse(ei, no, cfg->level, "%s", suite->name);
		if (row == HF_ROW_COUNT)
			row = no;
	}
	if (on != 0)
		return HF_OK;
	if (row != HF_ROW_COUNT)
		return hf_policy_refuse(ei, row, cfg->level, "no suite of TLCP is left");
	return hf_fail(ei, HF_ERR_ARG, "link configuration: no suite of TLCP can be used");
}

static hf_err start(struct hf_tls *t, const char *server_name)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_tlcp_hs *hs;

	t->tlcp = hf_mem_new(cfg->mem, sizeof(*t->tlcp));
	if (t->tlcp == NULL)
		return HF_ERR_NO_MEMORY;
	hs = t->tlcp->hs = hf_mem_new(cfg->mem, sizeof(*hs));
	if (hs == NULL)
		return HF_ERR_NO_MEMORY;
	hf_buf_init(&hs->name, cfg->mem, HF_TLS_NAME_MAX + 1);
	hf_buf_init(&hs->raw, cfg->mem, 4 * HF_TLS_MESSAGE_MAX);
	hf_sm3_init(&hs->transcript);
	if (cfg->role == HF_TLS_SERVER) {
		t->state = HF_TLCP_S_CH;
		return HF_OK;
	}
	t->state = HF_TLCP_C_START;
	if (server_name != NULL)
		HF_TRY(hf_buf_put(&hs->name, server_name, strlen(server_name) + 1));
	return hf_tlcp_client_start(t);
}

static bool drop(struct hf_tls *t)
{
	struct hf_tlcp *tlcp = t->tlcp;

	if (tlcp == NULL || tlcp->hs == NULL)
		return false;
	hf_buf_clear(&tlcp->hs->name);
	hf_buf_clear(&tlcp->hs->raw);
	hf_tlcp_session_clear(&tlcp->hs->offer);
	hf_wipe(tlcp->hs, sizeof(*tlcp->hs));
	hf_mem_free(t->cfg->mem, tlcp->hs);
	tlcp->hs = NULL;
	/* Only a client that may come back needs it any more. */
	if (t->cfg->role == HF_TLS_SERVER || tlcp->session.id_len == 0 || !hf_tlcp_can_resume(t))
		hf_wipe(tlcp->session.master, sizeof(tlcp->session.master));
	return true;
}

static void wipe(struct hf_tls *t)
{
	if (t->tlcp == NULL)
		return;
	hf_wipe(t->tlcp, sizeof(*t->tlcp));
	hf_mem_free(t->cfg->mem, t->tlcp);
	t->tlcp = NULL;
}

static size_t sealed_len(const struct hf_tls *t, size_t len, size_t pad)
{
	static const struct hf_tlcp_dir clear;

	(void)pad; /* records of TLCP are not padded */
	return hf_tlcp_sealed_len(t->tlcp == NULL ? &clear : &t->tlcp->tx, len);
}

static hf_err seal(struct hf_tls *t, uint8_t *out, enum hf_tls_type type, const uint8_t *in,
	size_t len, size_t pad)
{
	(void)pad;
	if (t->tlcp == NULL) /* there was no memory for it, and there is none for an alert */
		return HF_ERR_NO_MEMORY;
	return hf_tlcp_seal(&t->tlcp->tx, out, type, in, len, t->cfg->rng);
}

static hf_err has_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	if (t->cfg->role == HF_TLS_CLIENT)
		return hf_tlcp_client_signed(t, sig);
	return hf_tlcp_server_signed(t, sig);
}

static hf_err go_on(struct hf_tls *t)
{
	struct hf_sm2_sig sig;
	hf_err e;

	if (phase(t->state) == HF_TLS_PHASE_SHAKING)
		return hf_tls_take_msgs(t);
	e = hf_tlcp_sign_now(t, &sig);
	hf_tls_jobs_clear(t);
	return e == HF_OK ? has_signed(t, &sig) : e;
}

static uint64_t due_at(const struct hf_tls *t, const struct hf_tlcp_dir *d)
{
	uint64_t life = t->cfg->limits.rekey_ms;

	return life > HF_TLS_NEVER - d->since_ms ? HF_TLS_NEVER : d->since_ms + life;
}

static bool is_due(const struct hf_tls *t, const struct hf_tlcp_dir *d)
{
	const struct hf_tls_limits *l = &t->cfg->limits;

	/* One record is left for the alert that says so. */
	return d->n >= l->rekey_records || d->n >= HF_TLCP_RECORDS_MAX - 1 ||
	       d->n_bytes >= l->rekey_bytes || t->now_ms >= due_at(t, d);
}

static bool tx_is_due(const struct hf_tls *t)
{
	return is_due(t, &t->tlcp->tx);
}

/* Not close_notify: the peer shall know that the stream was cut short. */
static hf_err end_if_due(struct hf_tls *t)
{
	if (t->is_closing || (!is_due(t, &t->tlcp->tx) && !is_due(t, &t->tlcp->rx)))
		return HF_OK;
	return hf_tls_die(t, HF_ALERT_USER_CANCELED,
		hf_fail(&t->why, HF_ERR_LIMIT,
			"the link's keys have served their time, and TLCP has no new ones"));
}

static uint64_t deadline(const struct hf_tls *t)
{
	uint64_t tx = due_at(t, &t->tlcp->tx);
	uint64_t rx = due_at(t, &t->tlcp->rx);

	if (t->is_closing)
		return HF_TLS_NEVER;
	return tx < rx ? tx : rx;
}

const struct hf_tls_proto hf_tls_proto_tlcp = {
	.id = HF_TLS_TLCP,
	.version = HF_TLCP_VERSION,
	.cipher_max = HF_TLCP_CIPHER_MAX,
	.check_config = check_config,
	.phase = phase,
	.state_name = hf_tlcp_state_name,
	.start = start,
	.drop = drop,
	.wipe = wipe,
	.check_head = hf_tlcp_check_head,
	.take_record = hf_tlcp_take_record,
	.take_msg = hf_tlcp_take_msg,
	.sealed_len = sealed_len,
	.seal = seal,
	.go_on = go_on,
	.has_signed = has_signed,
	.tx_is_due = tx_is_due,
	.rekey_if_due = end_if_due,
	.rekey_deadline = deadline,
};

hf_err hf_tlcp_step(struct hf_tls *t, enum hf_tlcp_event ev)
{
	int to = hf_tlcp_next(t->state, ev);

	if (to < 0)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE, "message not allowed in state %s",
				hf_tlcp_state_name(t->state)));
	t->state = (uint8_t)to;
	return HF_OK;
}

hf_err hf_tlcp_absorb(struct hf_tls *t, const uint8_t *msg, size_t len)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	hf_sm3_feed(&hs->transcript, msg, len);
	return t->cfg->tlcp->cv_raw ? hf_buf_put(&hs->raw, msg, len) : HF_OK;
}

hf_err hf_tlcp_send_msg(struct hf_tls *t, const uint8_t *msg, size_t len)
{
	HF_TRY(hf_tlcp_absorb(t, msg, len));
	return hf_tls_put_msg(t, msg, len);
}

void hf_tlcp_hash(const struct hf_tls *t, uint8_t out[HF_SM3_LEN])
{
	struct hf_sm3 fork = t->tlcp->hs->transcript;

	hf_sm3_done(&fork, out);
}

static hf_err local_decrypt(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len)
{
	const struct hf_local_key *local = ctx;

	return hf_sm2_decrypt(out, local->key, raw, raw_len);
}

static hf_err local_agree(void *ctx, uint8_t *out, const struct hf_tlcp_agreement *a)
{
	const struct hf_local_key *local = ctx;
	struct hf_sm2_kex x = {
		.is_initiator = a->is_initiator,
		.self = local->key,
		.self_r = a->self_r,
		.self_id = HF_SM2_ID_DEFAULT,
		.self_id_len = sizeof(HF_SM2_ID_DEFAULT) - 1,
		.peer = a->peer,
		.peer_r = a->peer_r,
		.peer_id = HF_SM2_ID_DEFAULT,
		.peer_id_len = sizeof(HF_SM2_ID_DEFAULT) - 1,
	};

	return hf_sm2_kex_key(out, HF_TLCP_MASTER_LEN, NULL, NULL, &x);
}

struct hf_tlcp_enc_key hf_tlcp_enc_key_local(struct hf_local_key *local)
{
	return (struct hf_tlcp_enc_key){ local_decrypt, local_agree, local, local->key->pub };
}

static bool is_tlcp(const struct hf_tls *t)
{
	return t->proto == &hf_tls_proto_tlcp && t->tlcp != NULL;
}

hf_err hf_tlcp_sign_get(const struct hf_tls *t, struct hf_tlcp_tbs *tbs)
{
	if (t->err != HF_OK)
		return t->err;
	if (!is_tlcp(t) || phase(t->state) != HF_TLS_PHASE_SIGN)
		return HF_ERR_STATE;
	*tbs = t->tlcp->hs->tbs;
	return HF_OK;
}

bool hf_tlcp_is_resumed(const struct hf_tls *t)
{
	return is_tlcp(t) && hf_tls_is_open(t) && t->tlcp->is_resumed;
}

const char *hf_tlcp_suite_name(const struct hf_tls *t)
{
	return is_tlcp(t) && hf_tls_is_open(t) ? t->tlcp->suite->name : NULL;
}

hf_err hf_tlcp_session_get(const struct hf_tls *t, struct hf_tlcp_session *out)
{
	struct hf_tlcp_session s;
	hf_err e = HF_ERR_STATE;

	*out = (struct hf_tlcp_session){ 0 };
	if (!is_tlcp(t) || !hf_tls_is_open(t) || t->cfg->role != HF_TLS_CLIENT)
		return e;
	if (hf_tlcp_session_describe(t, &s))
		e = hf_tlcp_session_copy(out, &s, t->cfg->mem);
	hf_wipe(&s, sizeof(s));
	return e;
}
