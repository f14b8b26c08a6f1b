/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both roles stand on: failing, sending, the transcript, and the secrets. Whoever calls here
 * passes a failure up unchanged; hf_tls_die() is called where the cause is found.
 */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/keysched.h"
#include "tls/proto.h"

static hf_err out_room(struct hf_tls *t, uint8_t **room, size_t len)
{
	if (t->out_at > 0 && t->out.cap - t->out.len < len) {
		hf_buf_drop(&t->out, t->out_at);
		t->out_at = 0;
	}
	return hf_buf_room(&t->out, room, len);
}

hf_err hf_tls_put_record(
	struct hf_tls *t, enum hf_tls_type type, const uint8_t *in, size_t len, size_t pad)
{
	size_t size = t->proto->sealed_len(t, len, pad);
	uint8_t *room = NULL;
	hf_err e;

	HF_TRY(out_room(t, &room, size));
	e = t->proto->seal(t, room, type, in, len, pad);
	if (e != HF_OK) {
		hf_wipe(room, size); /* it may hold plaintext */
		t->out.len -= size;
	}
	return e;
}

static void send_alert(struct hf_tls *t, unsigned alert)
{
	uint8_t body[2] = { 2, (uint8_t)alert }; /* fatal */

	/* Best effort: without memory for it, the peer sees the connection end. */
	if (hf_tls_put_record(t, HF_TLS_ALERT, body, sizeof(body), 0) == HF_OK)
		t->alert_sent = (uint16_t)alert;
}

hf_err hf_tls_die(struct hf_tls *t, unsigned alert, hf_err e)
{
	if (t->err != HF_OK)
		return t->err;
	t->err = hf_fail(&t->why, e, "link: %s", hf_err_text(e));
	if (alert != HF_ALERT_NONE && !t->is_closing)
		send_alert(t, alert);
	return e;
}

hf_err hf_tls_bad_body(struct hf_tls *t, hf_err e, const char *message)
{
	unsigned alert = HF_ALERT_DECODE_ERROR;

	if (e == HF_ERR_UNSUPPORTED || e == HF_ERR_LIMIT)
		alert = HF_ALERT_ILLEGAL_PARAMETER;
	return hf_tls_die(t, alert,
		hf_fail(&t->why, e, "peer sent a malformed %s: %s", message, hf_err_text(e)));
}

hf_err hf_tls_step(struct hf_tls *t, enum hf_tls_event ev)
{
	int to = hf_tls_next(t->state, ev);

	if (to < 0)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE, "message not allowed in state %s",
				hf_tls_state_name(t->state)));
	t->state = (uint8_t)to;
	return HF_OK;
}

hf_err hf_tls_put_msg(struct hf_tls *t, const uint8_t *msg, size_t len)
{
	/* RFC 8449 4: the peer's limit is for protected records. */
	size_t max = t->tx.is_on ? t->tx_max : HF_TLS_PLAIN_MAX;

	while (len > 0) {
		size_t n = len < max ? len : max;

		HF_TRY(hf_tls_put_record(t, HF_TLS_HANDSHAKE, msg, n, 0));
		msg += n;
		len -= n;
	}
	return HF_OK;
}

hf_err hf_tls_send_msg(struct hf_tls *t, const uint8_t *msg, size_t len)
{
	hf_sm3_feed(&t->hs->transcript, msg, len);
	return hf_tls_put_msg(t, msg, len);
}

hf_err hf_tls_send_ccs(struct hf_tls *t)
{
	static const uint8_t record[] = { HF_TLS_CCS, 3, 3, 0, 1, 1 };
	uint8_t *room = NULL;

	HF_TRY(out_room(t, &room, sizeof(record)));
	memcpy(room, record, sizeof(record)); /* never protected, RFC 8446 5 */
	return HF_OK;
}

void hf_tls_hash(const struct hf_tls *t, uint8_t out[HF_SM3_LEN])
{
	struct hf_sm3 fork = t->hs->transcript;

	hf_sm3_done(&fork, out);
}

void hf_tls_absorb(struct hf_tls *t, const struct hf_tls_msg *m)
{
	hf_sm3_feed(&t->hs->transcript, m->whole, m->whole_len);
}

void hf_tls_absorb_retry(struct hf_tls *t)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_SM3_LEN] = { HF_TLS_MSG_HASH, 0, 0, HF_SM3_LEN };

	hf_sm3_done(&t->hs->transcript, msg + HF_TLS_MSG_HEAD_LEN);
	hf_sm3_init(&t->hs->transcript);
	hf_sm3_feed(&t->hs->transcript, msg, sizeof(msg));
}

hf_err hf_tls_set_rx(struct hf_tls *t, const uint8_t secret[HF_SM3_LEN], const struct hf_tls_msg *m)
{
	if (t->msg.len != m->whole_len)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE, "peer's message spans a change of keys"));
	return hf_tls_dir_set(&t->rx, t->hs->suite, secret, t->now_ms);
}

hf_err hf_tls_set_tx(struct hf_tls *t, const uint8_t secret[HF_SM3_LEN])
{
	return hf_tls_dir_set(&t->tx, t->hs->suite, secret, t->now_ms);
}

/* RFC 8449 4: the type is counted; less than 64 is refused, more than a record can hold is not. */
hf_err hf_tls_take_limit(struct hf_tls *t, uint16_t limit)
{
	if (limit < HF_TLS_LIMIT_MIN || (t->cfg->role == HF_TLS_CLIENT && limit > HF_TLS_LIMIT_MAX))
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"peer's record size limit of %u is out of range", limit));
	t->tx_max = limit > HF_TLS_LIMIT_MAX ? HF_TLS_PLAIN_MAX : (uint16_t)(limit - 1);
	return HF_OK;
}

size_t hf_tls_rx_max(const struct hf_tls *t)
{
	return t->has_rx_limit ? (size_t)t->cfg->record_limit - 1 : HF_TLS_PLAIN_MAX;
}

uint64_t hf_tls_wall_s(const struct hf_tls *t)
{
	return t->now_s + (t->now_ms - t->start_ms) / 1000;
}

hf_err hf_tls_agree(struct hf_tls *t, struct hf_bytes share)
{
	struct hf_tls_hs *hs = t->hs;
	uint8_t x[HF_SM2_LEN] = { 0 };
	uint8_t hash[HF_SM3_LEN];
	struct hf_sm2_pub peer;
	bool is_alone = share.len == 0; /* psk_ke, RFC 8446 7.1: zeros in place of the secret */
	hf_err e = HF_OK;

	if (!is_alone)
		e = hf_tls_share_parse(&peer, share);
	if (e == HF_OK && !is_alone)
		e = hf_tls_do_ecdh(t, x, &hs->eph, &peer);
	if (e == HF_ERR_FORMAT)
		e = hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, e, "peer's key share is no point of curveSM2"));
	if (e != HF_OK)
		goto out;

	hf_tls_hash(t, hash);
	e = hf_tls_advance(hs->secret, x, sizeof(x));
	if (e != HF_OK)
		goto out;
	e = hf_tls_derive(hs->c_hs, hs->secret, "c hs traffic", hash);
	if (e != HF_OK)
		goto out;
	e = hf_tls_derive(hs->s_hs, hs->secret, "s hs traffic", hash);
out:
	hf_wipe(x, sizeof(x));
	hf_sm2_key_clear(&hs->eph);
	return e;
}

hf_err hf_tls_make_master(struct hf_tls *t)
{
	struct hf_tls_hs *hs = t->hs;
	uint8_t hash[HF_SM3_LEN];

	hf_tls_hash(t, hash);
	if (!hs->is_psk)
		t->first_s = hf_tls_wall_s(t);
	HF_TRY(hf_tls_advance(hs->secret, NULL, 0));
	HF_TRY(hf_tls_derive(hs->c_ap, hs->secret, "c ap traffic", hash));
	HF_TRY(hf_tls_derive(hs->s_ap, hs->secret, "s ap traffic", hash));
	return hf_tls_derive(t->exporter, hs->secret, "exp master", hash);
}

hf_err hf_tls_make_res(const struct hf_tls *t, uint8_t out[HF_SM3_LEN])
{
	uint8_t hash[HF_SM3_LEN];

	hf_tls_hash(t, hash);
	return hf_tls_derive(out, t->hs->secret, "res master", hash);
}
