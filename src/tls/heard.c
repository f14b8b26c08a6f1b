/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a record held, as far as it means the same in every protocol: messages of the handshake that
 * come in parts, alerts that end the link, records with nothing in them.
 */
#include "base/endian.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/proto.h"

enum { EMPTY_MAX = 16 }; /* records without content in a row */

hf_err hf_tls_unexpected(struct hf_tls *t, const char *what)
{
	return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
		hf_fail(&t->why, HF_ERR_STATE, "%s not allowed in state %s", what,
			t->proto->state_name(t->state)));
}

hf_err hf_tls_take_msgs(struct hf_tls *t)
{
	while (t->msg.len >= HF_TLS_MSG_HEAD_LEN) {
		struct hf_tls_msg m = { .whole = t->msg.p };
		hf_err e;

		m.len = hf_get_be24(m.whole + 1);
		m.body = m.whole + HF_TLS_MSG_HEAD_LEN;
		m.whole_len = m.len + HF_TLS_MSG_HEAD_LEN;
		if (m.len > t->cfg->limits.message_max)
			return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
				hf_fail(&t->why, HF_ERR_LIMIT,
					"peer's handshake message of %zu bytes is too long",
					m.len));
		if (t->msg.len < m.whole_len)
			break;
		e = t->proto->take_msg(t, &m);
		if (e == HF_ERR_AGAIN)
			break;
		HF_TRY(e);
		hf_tls_jobs_clear(t);
		hf_buf_drop(&t->msg, m.whole_len);
	}
	return HF_OK;
}

hf_err hf_tls_take_handshake(struct hf_tls *t, const uint8_t *in, size_t len)
{
	if (len == 0) /* RFC 8446 5.1 */
		return hf_tls_unexpected(t, "empty handshake record");
	HF_TRY(hf_buf_put(&t->msg, in, len));
	return hf_tls_take_msgs(t);
}

/* Alerts by which the peer says that it does not like us, not that the link broke. */
static bool is_refusal(uint8_t alert)
{
	return (alert >= HF_ALERT_BAD_CERTIFICATE && alert <= HF_ALERT_CERTIFICATE_UNKNOWN) ||
	       alert == HF_ALERT_UNKNOWN_CA || alert == HF_ALERT_ACCESS_DENIED ||
	       alert == HF_ALERT_CERTIFICATE_REQUIRED;
}

hf_err hf_tls_take_end(struct hf_tls *t, uint8_t alert)
{
	hf_err e = is_refusal(alert) ? HF_ERR_DENIED : HF_ERR_NET;

	t->alert_got = alert;
	return hf_tls_die(t, HF_ALERT_NONE,
		hf_fail(&t->why, e, "peer ended the link with alert %u (%s)", alert,
			hf_alert_name(alert)));
}

hf_err hf_tls_count_empty(struct hf_tls *t, bool is_empty)
{
	if (!is_empty) {
		t->n_empty = 0;
		return HF_OK;
	}
	if (++t->n_empty > EMPTY_MAX)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer floods the link with empty records"));
	return HF_OK;
}
