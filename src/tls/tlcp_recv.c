/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a record of TLCP means: content types, messages, alerts, change_cipher_spec; what of it is
 * the same in TLS 1.3 is in heard.c. The order of checks is type and length, protection, content.
 */
#include "base/attr.h"
#include "base/wipe.h"
#include "tls/jobs.h"
#include "tls/tlcp_hs.h"

enum {
	WARNINGS_MAX = 8, /* alerts of a link that change nothing */
	LEVEL_WARNING = 1,
	LEVEL_FATAL = 2,
};

static bool is_open(const struct hf_tls *t)
{
	return t->state == HF_TLCP_C_OPEN || t->state == HF_TLCP_S_OPEN;
}

/* The events that messages are; what is not here is of no type that we know. */
static const struct message {
	uint8_t type;
	enum hf_tlcp_event ev;
	void (*ask)(struct hf_tls *t, const struct hf_tls_msg *m); /* for SM2 (tls/jobs.h) */
} messages[] = {
	{ HF_TLS_MSG_CLIENT_HELLO, HF_TLCP_EV_CH, NULL },
	{ HF_TLS_MSG_SERVER_HELLO, HF_TLCP_EV_SH, NULL },
	{ HF_TLS_MSG_TICKET, HF_TLCP_EV_TICKET, NULL },
	{ HF_TLS_MSG_CERTIFICATE, HF_TLCP_EV_CERT, hf_tlcp_ask_chain },
	{ HF_TLCP_MSG_SKE, HF_TLCP_EV_SKE, hf_tlcp_client_ask },
	{ HF_TLS_MSG_CERT_REQUEST, HF_TLCP_EV_CR, NULL },
	{ HF_TLCP_MSG_SHD, HF_TLCP_EV_SHD, NULL },
	{ HF_TLS_MSG_CERT_VERIFY, HF_TLCP_EV_CV, hf_tlcp_ask_cv },
	{ HF_TLCP_MSG_CKE, HF_TLCP_EV_CKE, NULL },
	{ HF_TLS_MSG_FINISHED, HF_TLCP_EV_FIN, NULL },
};

static hf_err refuse_msg(struct hf_tls *t, uint8_t type)
{
	const char *why = "";

	if (is_open(t) && (type == HF_TLS_MSG_CLIENT_HELLO || type == HF_TLCP_MSG_HELLO_REQUEST))
		why = ": there is no renegotiation";
	return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
		hf_fail(&t->why, HF_ERR_STATE, "handshake message %u not allowed in state %s%s",
			type, hf_tlcp_state_name(t->state), why));
}

/* As in recv.c. */
static bool must_wait(struct hf_tls *t, const struct message *of, const struct hf_tls_msg *m)
{
	if (t->jobs != NULL && of->ask != NULL && !hf_tls_jobs_has(t))
		of->ask(t, m);
	return hf_tls_jobs_has(t) && !hf_tls_jobs_is_done(t);
}

hf_err hf_tlcp_take_msg(struct hf_tls *t, const struct hf_tls_msg *m)
{
	size_t i = 0;

	while (i < HF_COUNT(messages) && messages[i].type != m->whole[0])
		i++;
	/* Before a byte of the body is looked at, the table says whether it may come now. */
	if (i == HF_COUNT(messages) || hf_tlcp_next(t->state, messages[i].ev) < 0)
		return refuse_msg(t, m->whole[0]);
	if (must_wait(t, &messages[i], m))
		return HF_ERR_AGAIN;
	if (t->cfg->role == HF_TLS_CLIENT)
		return hf_tlcp_client_msg(t, messages[i].ev, m);
	return hf_tlcp_server_msg(t, messages[i].ev, m);
}

static hf_err take_alert(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (len != 2 || in[0] < LEVEL_WARNING || in[0] > LEVEL_FATAL)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "alert");
	if (in[1] == HF_ALERT_CLOSE_NOTIFY && is_open(t)) {
		t->alert_got = in[1];
		t->is_closed = true;
		return HF_OK;
	}
	if (in[0] == LEVEL_WARNING && in[1] != HF_ALERT_CLOSE_NOTIFY) {
		if (++t->tlcp->n_warnings <= WARNINGS_MAX)
			return HF_OK;
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer floods the link with warnings"));
	}
	return hf_tls_take_end(t, in[1]);
}

/* GB/T 38636-2020 6.4.6: exactly one byte 1, where the table has it, and from then on the keys. */
static hf_err take_ccs(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (len != 1 || in[0] != 1 || t->msg.len != 0 || t->tlcp->rx.cipher != NULL ||
		hf_tlcp_next(t->state, HF_TLCP_EV_CCS) < 0)
		return hf_tls_unexpected(t, "change_cipher_spec");
	HF_TRY(hf_tlcp_start_rx(t));
	return hf_tlcp_step(t, HF_TLCP_EV_CCS);
}

/* What is not data. */
static hf_err take_content(struct hf_tls *t, uint8_t type, const uint8_t *in, size_t len)
{
	switch (type) {
	case HF_TLS_CCS: return take_ccs(t, in, len);
	case HF_TLS_ALERT: return take_alert(t, in, len);
	case HF_TLS_HANDSHAKE: return hf_tls_take_handshake(t, in, len);
	default: return hf_tls_unexpected(t, "record of this type");
	}
}

static hf_err take_protected(struct hf_tls *t, const uint8_t *record)
{
	struct hf_tls_head h = hf_tls_head_get(record);
	size_t before = t->plain.len;
	uint8_t *room = NULL;
	size_t len = 0;
	hf_err e;

	HF_TRY(hf_buf_room(&t->plain, &room, h.len));
	e = hf_tlcp_open(&t->tlcp->rx, room, &len, record);
	if (e == HF_ERR_AUTH)
		e = hf_tls_die(t, HF_ALERT_BAD_RECORD_MAC,
			hf_fail(&t->why, e, "record of the peer is not authentic"));
	if (e == HF_OK && len > HF_TLS_PLAIN_MAX)
		e = hf_tls_die(t, HF_ALERT_RECORD_OVERFLOW,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer's record is too long"));
	if (e == HF_OK && h.type == HF_TLS_DATA && is_open(t) && t->msg.len == 0) {
		t->plain.len = before + len;
		return hf_tls_count_empty(t, len == 0);
	}
	if (e == HF_OK)
		e = take_content(t, h.type, room, len);
	hf_wipe(room, h.len);
	t->plain.len = before;
	return e;
}

/* The head of the first record: tells other protocols apart, for the operator's sake. */
static hf_err check_first(struct hf_tls *t, const struct hf_tls_head *h)
{
	bool is_tls = h->type >= HF_TLS_CCS && h->type <= HF_TLS_DATA;

	if (is_tls && h->version >> 8 == 3)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "peer speaks TLS, not TLCP"));
	if (!is_tls || h->version != HF_TLCP_VERSION)
		/* An alert would be noise to it, and tell a scanner what is here. */
		return hf_tls_die(t, HF_ALERT_NONE,
			hf_fail(&t->why, HF_ERR_FORMAT, "peer does not speak TLCP"));
	t->seen_record = true;
	return HF_OK;
}

hf_err hf_tlcp_check_head(struct hf_tls *t, const uint8_t *in)
{
	struct hf_tls_head h = hf_tls_head_get(in);
	bool is_cipher = t->tlcp->rx.cipher != NULL;

	if (!t->seen_record)
		HF_TRY(check_first(t, &h));
	if (h.version != HF_TLCP_VERSION)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_FORMAT, "peer's record is of another version"));
	if (h.len > (is_cipher ? (size_t)HF_TLCP_CIPHER_MAX : (size_t)HF_TLS_PLAIN_MAX))
		return hf_tls_die(t, HF_ALERT_RECORD_OVERFLOW,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer's record is too long"));
	return HF_OK;
}

hf_err hf_tlcp_take_record(struct hf_tls *t, const uint8_t *record)
{
	struct hf_tls_head h = hf_tls_head_get(record);

	if (t->tlcp->rx.cipher != NULL)
		return take_protected(t, record);
	return take_content(t, h.type, record + HF_TLS_HEAD_LEN, h.len);
}
