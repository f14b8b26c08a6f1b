/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the handshake: KeyUpdate both ways (RFC 8446 4.6.3), and tickets, which a client may keep.
 * Both are bounded, for each costs us work and the sender almost nothing.
 */
#include "base/wr.h"
#include "tls/hs.h"

enum {
	UPDATES_MAX = 8,         /* KeyUpdates without data between them, per minute */
	UPDATES_FORGET = 60000,  /* ms after which the count begins anew */
	TICKETS_MAX = 32,        /* tickets of one link */
	TICKET_LIFE_MAX = 604800 /* seconds, RFC 8446 4.6.1 */
};

hf_err hf_tls_send_update(struct hf_tls *t, bool ask)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 1];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	hf_tls_key_update_emit(&w, ask);
	HF_TRY(hf_tls_put_record(t, HF_TLS_HANDSHAKE, msg, w.len, 0));
	HF_TRY(hf_tls_dir_next(&t->tx, t->now_ms));
	t->asked_update |= ask;
	return HF_OK;
}

static hf_err on_update(struct hf_tls *t, const struct hf_tls_msg *m)
{
	bool ask = false;
	hf_err e = hf_tls_key_update_parse(&ask, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "KeyUpdate");
	if (t->now_ms - t->updates_ms >= UPDATES_FORGET) {
		t->updates_ms = t->now_ms;
		t->n_updates = 0;
	}
	if (++t->n_updates > UPDATES_MAX)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_LIMIT, "peer floods the link with KeyUpdates"));
	if (t->msg.len != m->whole_len)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE, "peer's message spans a change of keys"));
	HF_TRY(hf_tls_dir_next(&t->rx, t->now_ms));
	t->asked_update = false;
	if (ask && !t->is_closing)
		HF_TRY(hf_tls_send_update(t, false));
	return hf_tls_step(t, HF_TLS_EV_UPDATE);
}

static hf_err on_ticket(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_ticket ticket = { 0 };
	hf_err e = hf_tls_ticket_parse(&ticket, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "NewSessionTicket");
	if (ticket.life_s > TICKET_LIFE_MAX)
		return hf_tls_bad_body(t, HF_ERR_LIMIT, "NewSessionTicket");
	if (++t->n_tickets > TICKETS_MAX)
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_LIMIT, "server floods the link with tickets"));
	HF_TRY(hf_tls_client_ticket(t, &ticket));
	return hf_tls_step(t, HF_TLS_EV_TICKET);
}

hf_err hf_tls_post_msg(struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m)
{
	return ev == HF_TLS_EV_UPDATE ? on_update(t, m) : on_ticket(t, m);
}

static uint64_t due_at(const struct hf_tls *t, const struct hf_tls_dir *d)
{
	uint64_t life = t->cfg->limits.rekey_ms;

	/* A key that has protected nothing does not age. */
	if (hf_tls_dir_records(d) == 0 || life > HF_TLS_NEVER - d->since_ms)
		return HF_TLS_NEVER;
	return d->since_ms + life;
}

static bool is_due(const struct hf_tls *t, const struct hf_tls_dir *d)
{
	const struct hf_tls_limits *l = &t->cfg->limits;

	uint64_t n = hf_tls_dir_records(d);

	return n >= l->rekey_records || n >= d->suite->records_max ||
	       d->n_bytes >= l->rekey_bytes || t->now_ms >= due_at(t, d);
}

bool hf_tls_tx_is_due(const struct hf_tls *t)
{
	return is_due(t, &t->tx);
}

hf_err hf_tls_rekey_if_due(struct hf_tls *t)
{
	bool rx_due = !t->asked_update && !t->is_closed && is_due(t, &t->rx);

	if (t->is_closing || (!rx_due && !is_due(t, &t->tx)))
		return HF_OK;
	return hf_tls_send_update(t, rx_due);
}

uint64_t hf_tls_rekey_deadline(const struct hf_tls *t)
{
	uint64_t tx = due_at(t, &t->tx);
	uint64_t rx = t->asked_update || t->is_closed ? HF_TLS_NEVER : due_at(t, &t->rx);

	if (t->is_closing)
		return HF_TLS_NEVER;
	return tx < rx ? tx : rx;
}
