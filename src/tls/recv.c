/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a record from the peer means in TLS 1.3: content types, messages, alerts; what of it is the
 * same in TLCP is in heard.c. The order of checks is that of RFC 8446 5: type and length,
 * protection, content.
 */
#include <string.h>

#include "base/wipe.h"
#include "tls/hs.h"
#include "tls/jobs.h"

enum { CCS_MAX = 2 }; /* change_cipher_spec records of a handshake */

static bool is_open(const struct hf_tls *t)
{
	return t->state == HF_TLS_C_OPEN || t->state == HF_TLS_S_OPEN;
}

/* The event that a message is; false: of no type that we know. */
static bool event_of(enum hf_tls_event *ev, const struct hf_tls_msg *m)
{
	switch (m->whole[0]) {
	case HF_TLS_MSG_CLIENT_HELLO: *ev = HF_TLS_EV_CH; return true;
	case HF_TLS_MSG_SERVER_HELLO:
		*ev = HF_TLS_EV_SH;
		if (m->len >= 2 + HF_TLS_RANDOM_LEN &&
			memcmp(m->body + 2, hf_tls_retry_random, HF_TLS_RANDOM_LEN) == 0)
			*ev = HF_TLS_EV_HRR;
		return true;
	case HF_TLS_MSG_TICKET: *ev = HF_TLS_EV_TICKET; return true;
	case HF_TLS_MSG_EE: *ev = HF_TLS_EV_EE; return true;
	case HF_TLS_MSG_CERTIFICATE: *ev = HF_TLS_EV_CERT; return true;
	case HF_TLS_MSG_CERT_REQUEST: *ev = HF_TLS_EV_CR; return true;
	case HF_TLS_MSG_CERT_VERIFY: *ev = HF_TLS_EV_CV; return true;
	case HF_TLS_MSG_FINISHED: *ev = HF_TLS_EV_FIN; return true;
	case HF_TLS_MSG_KEY_UPDATE: *ev = HF_TLS_EV_UPDATE; return true;
	default: return false;
	}
}

/* What needs SM2: how it asks for it. */
static void (*const asks[HF_TLS_EVENT_COUNT])(struct hf_tls *t, const struct hf_tls_msg *m) = {
	[HF_TLS_EV_CH] = hf_tls_server_ask,
	[HF_TLS_EV_SH] = hf_tls_client_ask,
	[HF_TLS_EV_CERT] = hf_tls_ask_chain,
	[HF_TLS_EV_CV] = hf_tls_ask_cv,
};

/* True if a message must wait for what it asks for. */
static bool must_wait(struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m)
{
	if (t->jobs != NULL && asks[ev] != NULL && !hf_tls_jobs_has(t))
		asks[ev](t, m);
	return hf_tls_jobs_has(t) && !hf_tls_jobs_is_done(t);
}

hf_err hf_tls_take_msg(struct hf_tls *t, const struct hf_tls_msg *m)
{
	enum hf_tls_event ev;

	/* Before a byte of the body is looked at, the table says whether it may come now. */
	if (!event_of(&ev, m) || hf_tls_next(t->state, ev) < 0)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE,
				"handshake message %u not allowed in state %s", m->whole[0],
				hf_tls_state_name(t->state)));
	if (must_wait(t, ev, m))
		return HF_ERR_AGAIN;
	if (is_open(t))
		return hf_tls_post_msg(t, ev, m);
	if (t->cfg->role == HF_TLS_CLIENT)
		return hf_tls_client_msg(t, ev, m);
	return hf_tls_server_msg(t, ev, m);
}

/* RFC 8446 6: the level says nothing any more; everything but closing is fatal. */
static hf_err take_alert(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (len != 2)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "alert");
	if (in[1] == HF_ALERT_USER_CANCELED)
		return HF_OK; /* RFC 8446 6.1: close_notify follows */
	if (in[1] == HF_ALERT_CLOSE_NOTIFY && is_open(t)) {
		t->alert_got = in[1];
		t->is_closed = true;
		return HF_OK;
	}
	return hf_tls_take_end(t, in[1]);
}

/* RFC 8446 5, D.4: exactly one byte 1, between the first hello and the peer's Finished; ignored. */
static hf_err take_ccs(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (len != 1 || in[0] != 1 || is_open(t) || t->state == HF_TLS_S_CH || t->n_ccs >= CCS_MAX)
		return hf_tls_unexpected(t, "change_cipher_spec");
	t->n_ccs++;
	return HF_OK;
}

/* What a protected record held; its bytes lie behind the plaintext that is still to be read. */
static hf_err take_inner(struct hf_tls *t, const struct hf_tls_inner *inner, const uint8_t *in)
{
	switch (inner->type) {
	case HF_TLS_ALERT:
		HF_TRY(hf_tls_count_empty(t, true)); /* a flood of user_canceled ends here */
		return take_alert(t, in, inner->len);
	case HF_TLS_HANDSHAKE: return hf_tls_take_handshake(t, in, inner->len);
	default:
		return hf_tls_unexpected(t,
			inner->type == 0 ? "record of nothing but padding" : "record of this type");
	}
}

/*
 * RFC 8446 4.2.10: early data, which is never taken, looks like records that do not open. As much
 * of it as the bound allows is passed over, until a record opens.
 */
static bool skip_early(struct hf_tls *t, size_t len)
{
	if (t->hs == NULL || len > t->hs->early_left)
		return false;
	t->hs->early_left -= len;
	return true;
}

/* RFC 8449 4: padding and type count. */
static hf_err check_len(struct hf_tls *t, const struct hf_tls_inner *inner, size_t cipher_len)
{
	size_t max = hf_tls_rx_max(t);

	if (inner->len <= max && (!t->has_rx_limit || cipher_len - HF_GCM_TAG_LEN <= max + 1))
		return HF_OK;
	return hf_tls_die(t, HF_ALERT_RECORD_OVERFLOW,
		hf_fail(&t->why, HF_ERR_LIMIT, "peer's record is too long"));
}

static hf_err take_opened(struct hf_tls *t, const struct hf_tls_inner *inner, const uint8_t *record,
	uint8_t *room, size_t before)
{
	size_t room_len = hf_tls_head_get(record).len;
	hf_err e = check_len(t, inner, room_len);

	if (t->hs != NULL)
		t->hs->early_left = 0;
	if (e == HF_OK && inner->type == HF_TLS_DATA && is_open(t) && t->msg.len == 0) {
		t->plain.len = before + inner->len;
		if (inner->len > 0)
			t->n_updates = 0;
		return hf_tls_count_empty(t, inner->len == 0);
	}
	if (e == HF_OK)
		e = take_inner(t, inner, room);
	hf_wipe(room, room_len);
	t->plain.len = before;
	return e;
}

static hf_err take_protected(struct hf_tls *t, const uint8_t *record)
{
	size_t before = t->plain.len;
	size_t room_len = hf_tls_head_get(record).len;
	struct hf_tls_inner inner;
	uint8_t *room = NULL;
	hf_err e;

	HF_TRY(hf_buf_room(&t->plain, &room, room_len));
	e = hf_tls_open(&t->rx, room, &inner, record);
	if (e == HF_ERR_AUTH && skip_early(t, room_len)) {
		t->plain.len = before;
		return HF_OK;
	}
	if (e == HF_ERR_AUTH)
		e = hf_tls_die(t, HF_ALERT_BAD_RECORD_MAC,
			hf_fail(&t->why, e, "record of the peer is not authentic"));
	if (e != HF_OK) {
		t->plain.len = before;
		return e;
	}
	return take_opened(t, &inner, record, room, before);
}

/* The head of the first record: tells other protocols apart, for the operator's sake. */
static hf_err check_first(struct hf_tls *t, const struct hf_tls_head *h)
{
	if (h->type >= HF_TLS_CCS && h->type <= HF_TLS_DATA && h->version == 0x0101)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "peer speaks TLCP, not TLS 1.3"));
	if (h->type < HF_TLS_CCS || h->type > HF_TLS_DATA || h->version >> 8 != 3)
		/* An alert would be noise to it, and tell a scanner what is here. */
		return hf_tls_die(t, HF_ALERT_NONE,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"peer does not speak TLS (is it plain HTTP?)"));
	t->seen_record = true;
	return HF_OK;
}

hf_err hf_tls_check_head(struct hf_tls *t, const uint8_t *in)
{
	struct hf_tls_head h = hf_tls_head_get(in);
	bool is_early = t->hs != NULL && t->hs->early_left > 0;
	bool is_cipher = h.type == HF_TLS_DATA && (t->rx.is_on || is_early);

	if (!t->seen_record)
		HF_TRY(check_first(t, &h));
	if (h.len > (is_cipher ? HF_TLS_CIPHER_MAX : HF_TLS_PLAIN_MAX))
		return hf_tls_die(t, HF_ALERT_RECORD_OVERFLOW,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer's record is too long"));
	return HF_OK;
}

hf_err hf_tls_take_record(struct hf_tls *t, const uint8_t *record)
{
	struct hf_tls_head h = hf_tls_head_get(record);
	const uint8_t *body = record + HF_TLS_HEAD_LEN;

	if (h.type == HF_TLS_CCS)
		return take_ccs(t, body, h.len);
	if (t->rx.is_on && h.type == HF_TLS_DATA)
		return take_protected(t, record);
	/* A peer that failed on our hello has no keys yet: its alert is in the clear. */
	if (h.type == HF_TLS_ALERT &&
		(!t->rx.is_on || (hf_tls_dir_records(&t->rx) == 0 && !is_open(t))))
		return take_alert(t, body, h.len);
	if (!t->rx.is_on && h.type == HF_TLS_HANDSHAKE)
		return hf_tls_take_handshake(t, body, h.len);
	if (!t->rx.is_on && h.type == HF_TLS_DATA && skip_early(t, h.len))
		return HF_OK; /* between HelloRetryRequest and the second hello */
	return hf_tls_unexpected(t, "record of this type in the clear");
}
