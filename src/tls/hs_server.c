/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of the handshake (RFC 8446 A.2). */
#include <string.h>

#include "base/ct.h"
#include "base/wr.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/keysched.h"

enum { EARLY_MAX = 1 << 16 }; /* bytes of early data that are skipped */

/* What any ClientHello that we can serve has (RFC 8446 9.2, RFC 8998 3.1, 3.2). */
static hf_err check_hello(struct hf_tls *t, const struct hf_tls_client_hello *h)
{
	if (!h->has_13) /* RFC 8446 4.2.1; nothing older is spoken, so nothing can be downgraded */
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "client does not speak TLS 1.3"));
	if (!h->has_null_only || h->is_psk_misplaced)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "client's hello breaks a rule of TLS 1.3"));
	if ((h->suites & t->cfg->suites) == 0)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED,
				"client does not offer TLS_SM4_GCM_SM3 or what else we have"));
	return HF_OK;
}

/* What a handshake with certificates or with a key exchange needs besides. */
static hf_err check_exchange(struct hf_tls *t, const struct hf_tls_client_hello *h)
{
	if (t->hs->is_psk && t->hs->is_psk_ke)
		return HF_OK;
	/* Without a share no key was looked at yet: the client may be asked for one. */
	if (!t->hs->is_psk && t->cfg->n_chain == 0 && (h->share.len > 0 || !h->has_psk))
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_AUTH,
				"client offers no pre-shared key that we know"));
	if (!h->has_groups || !h->has_sigs || !h->has_shares)
		return hf_tls_die(t, HF_ALERT_MISSING_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"client's hello lacks a mandatory extension"));
	if (!h->has_sm2 || !h->has_sm2sig)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED,
				"client does not offer curveSM2 with sm2sig_sm3"));
	return HF_OK;
}

/* RFC 8446 4.1.2: the second ClientHello is the first, but for what was asked to change. */
static hf_err check_second(struct hf_tls *t, const struct hf_tls_client_hello *h)
{
	const struct hf_tls_hs *hs = t->hs;
	uint8_t fixed[HF_SM3_LEN];
	bool is_same;

	hf_sm3(fixed, h->fixed.p, h->fixed.len);
	is_same = memcmp(fixed, hs->fixed, sizeof(fixed)) == 0;
	if (!is_same || h->has_cookie != t->cfg->retry_cookie ||
		h->has_early || /* RFC 8446 4.1.2: not a second time */
		(h->has_cookie && (h->cookie.len != sizeof(hs->cookie) ||
					  !hf_ct_eq(h->cookie.p, hs->cookie, sizeof(hs->cookie)))))
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"client's second hello differs from the first"));
	if (h->share.len == 0)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"client's second hello still has no key share on curveSM2"));
	return HF_OK;
}

static hf_err send_retry(struct hf_tls *t)
{
	struct hf_tls_hs *hs = t->hs;
	struct hf_tls_server_spec spec = {
		.session = { hs->session, hs->session_len },
		.suite = hs->suite->number,
		.cookie = { hs->cookie, 0 },
	};
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	if (t->cfg->retry_cookie) {
		spec.cookie.len = sizeof(hs->cookie);
		HF_TRY(hf_rng_fill(t->cfg->rng, hs->cookie, sizeof(hs->cookie)));
	}
	hf_tls_retry_emit(&w, &spec);
	HF_TRY(hf_wr_done(&w));
	hs->is_retried = true;
	hf_tls_absorb_retry(t);
	HF_TRY(hf_tls_send_msg(t, msg, w.len));
	if (hs->session_len > 0)
		HF_TRY(hf_tls_send_ccs(t));
	return hf_tls_step(t, HF_TLS_DO_RETRY);
}

/* ServerHello, and the keys of the handshake. */
static hf_err send_hello(struct hf_tls *t, struct hf_bytes share, const struct hf_tls_msg *m)
{
	struct hf_tls_hs *hs = t->hs;
	struct hf_tls_server_spec spec = {
		.random = hs->random,
		.session = { hs->session, hs->session_len },
		.suite = hs->suite->number,
		.has_psk = hs->is_psk,
		.psk = hs->psk,
	};
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	HF_TRY(hf_rng_fill(t->cfg->rng, hs->random, sizeof(hs->random)));
	if (share.len > 0) {
		HF_TRY(hf_tls_do_key(t, &hs->eph));
		spec.share = &hs->eph.pub;
	}
	hf_tls_server_hello_emit(&w, &spec);
	HF_TRY(hf_wr_done(&w));
	hf_sm3_feed(&hs->transcript, msg, w.len);
	/* The shared secret first: a bad point is refused before anything is sent. */
	HF_TRY(hf_tls_agree(t, share));
	HF_TRY(hf_tls_put_record(t, HF_TLS_HANDSHAKE, msg, w.len, 0));
	if (hs->session_len > 0 && !hs->is_retried)
		HF_TRY(hf_tls_send_ccs(t));
	HF_TRY(hf_tls_set_rx(t, hs->c_hs, m));
	return hf_tls_set_tx(t, hs->s_hs);
}

static bool asks_cert(const struct hf_tls *t)
{
	return t->cfg->ask_client_cert || t->cfg->require_client_cert || t->cfg->enrol;
}

/* RFC 8449 4: a client that has a limit is told ours. */
static hf_err send_ee(struct hf_tls *t)
{
	uint16_t limit = t->cfg->record_limit == 0 ? HF_TLS_LIMIT_MAX : t->cfg->record_limit;
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	hf_tls_ee_emit(
		&w, t->has_alpn ? t->cfg->alpn[t->alpn] : NULL, t->hs->has_limit ? limit : 0);
	HF_TRY(hf_wr_done(&w));
	t->has_rx_limit = t->hs->has_limit && t->cfg->record_limit != 0;
	return hf_tls_send_msg(t, msg, w.len);
}

static hf_err finish(struct hf_tls *t, enum hf_tls_event ev)
{
	HF_TRY(hf_tls_send_finished(t, t->hs->s_hs));
	HF_TRY(hf_tls_make_master(t));
	HF_TRY(hf_tls_set_tx(t, t->hs->s_ap));
	return hf_tls_step(t, ev);
}

/* Everything from ServerHello to the point where the signature is needed. */
static hf_err send_flight(struct hf_tls *t, struct hf_bytes share, const struct hf_tls_msg *m)
{
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	struct hf_sm2_sig sig;

	HF_TRY(send_hello(t, share, m));
	HF_TRY(send_ee(t));
	if (t->hs->is_psk)
		return finish(t, HF_TLS_DO_FINISH_PSK);
	if (asks_cert(t)) {
		hf_tls_cert_request_emit(&w, t->cfg->ask_staple);
		HF_TRY(hf_wr_done(&w));
		HF_TRY(hf_tls_send_msg(t, msg, w.len));
	}
	HF_TRY(hf_tls_send_chain(t));
	HF_TRY(hf_tls_make_digest(t));
	HF_TRY(hf_tls_step(t, HF_TLS_DO_SIGN));
	if (t->cfg->signer == NULL || hf_tls_ask_sign(t, t->hs->digest))
		return HF_OK; /* it goes on when the signature is there */
	HF_TRY(hf_tls_sign_now(t, &sig));
	return hf_tls_server_signed(t, &sig);
}

hf_err hf_tls_server_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	HF_TRY(hf_tls_send_verify(t, sig));
	return finish(t, asks_cert(t) ? HF_TLS_DO_FINISH_ASK : HF_TLS_DO_FINISH);
}

static hf_err keep_first(struct hf_tls *t, const struct hf_tls_client_hello *h)
{
	struct hf_tls_hs *hs = t->hs;

	hs->suite = hf_tls_suite_best(h->suites & t->cfg->suites);
	hs->early_left = h->has_early ? EARLY_MAX : 0;
	hs->has_limit = h->has_limit;
	if (h->has_limit)
		HF_TRY(hf_tls_take_limit(t, h->limit));
	hf_sm3(hs->fixed, h->fixed.p, h->fixed.len);
	hs->wants_status = h->asks_status;
	hs->session_len = h->session.len;
	if (h->session.len > 0)
		memcpy(hs->session, h->session.p, h->session.len);
	HF_TRY(hf_tls_keep_sni(t, h->name));
	return h->has_alpn ? hf_tls_choose_alpn(t, h->alpn) : HF_OK;
}

static hf_err retry(struct hf_tls *t, const struct hf_tls_msg *m)
{
	if (t->msg.len != m->whole_len) /* RFC 8446 5.1, as at a change of keys */
		return hf_tls_die(t, HF_ALERT_UNEXPECTED_MESSAGE,
			hf_fail(&t->why, HF_ERR_STATE, "bytes behind the client's hello"));
	return send_retry(t);
}

void hf_tls_server_ask(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_client_hello h;

	if (hf_tls_client_hello_parse(&h, m->body, m->len) == HF_OK && h.has_13 && h.has_sm2 &&
		(h.suites & t->cfg->suites) != 0 && h.share.len > 0 && hf_tls_ask_key(t))
		(void)hf_tls_ask_ecdh(t, NULL, h.share);
}

static hf_err on_hello(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_client_hello h;
	hf_err e = hf_tls_client_hello_parse(&h, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ClientHello");
	HF_TRY(check_hello(t, &h));
	HF_TRY(t->hs->is_retried ? check_second(t, &h) : keep_first(t, &h));
	hf_tls_early(t->hs->secret);
	HF_TRY(hf_tls_server_psk(t, &h, m));
	HF_TRY(check_exchange(t, &h));
	hf_tls_absorb(t, m);
	HF_TRY(hf_tls_step(t, HF_TLS_EV_CH));
	if (t->hs->is_psk && t->hs->is_psk_ke)
		h.share.len = 0;
	else if (h.share.len == 0)
		return retry(t, m);
	return send_flight(t, h.share, m);
}

static hf_err on_certificate(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_list list;
	hf_err e = hf_tls_cert_list_parse(&list, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "Certificate");
	if (list.context.len != 0)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "client's Certificate has a context"));
	hf_tls_absorb(t, m);
	if (list.n > 0) {
		HF_TRY(hf_tls_take_chain(t, &list));
		return hf_tls_step(t, HF_TLS_EV_CERT);
	}
	if (t->cfg->require_client_cert) /* RFC 8446 4.4.2.4 */
		return hf_tls_die(t, HF_ALERT_CERTIFICATE_REQUIRED,
			hf_fail(&t->why, HF_ERR_AUTH,
				"policy %s at L%d: client shows no certificate",
				hf_policy_entry(HF_ROW_MUTUAL)->name, (int)t->cfg->level));
	return hf_tls_step(t, HF_TLS_EV_NO_CERT);
}

static hf_err on_finished(struct hf_tls *t, const struct hf_tls_msg *m)
{
	HF_TRY(hf_tls_take_finished(t, m, t->hs->c_hs));
	HF_TRY(hf_tls_set_rx(t, t->hs->c_ap, m));
	HF_TRY(hf_tls_step(t, HF_TLS_EV_FIN));
	return hf_tls_server_tickets(t);
}

hf_err hf_tls_server_msg(struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m)
{
	switch (ev) {
	case HF_TLS_EV_CH: return on_hello(t, m);
	case HF_TLS_EV_CERT: return on_certificate(t, m);
	case HF_TLS_EV_CV: HF_TRY(hf_tls_take_verify(t, m)); return hf_tls_step(t, ev);
	case HF_TLS_EV_FIN: return on_finished(t, m);
	default: return HF_ERR_INTERNAL; /* the table lets nothing else through */
	}
}
