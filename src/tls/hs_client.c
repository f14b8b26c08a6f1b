/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of the handshake (RFC 8446 A.1). */
#include <string.h>

#include "base/wr.h"
#include "tls/hs.h"

static hf_err send_hello(struct hf_tls *t, struct hf_bytes cookie)
{
	struct hf_tls_hs *hs = t->hs;
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	struct hf_tls_hello_spec spec = {
		.random = hs->random,
		.session = { hs->session, hs->session_len },
		.alpn = t->cfg->alpn,
		.n_alpn = t->cfg->n_alpn,
		.share = hs->sent_share ? &hs->eph.pub : NULL,
		.cookie = cookie,
	};
	size_t at = t->out.len;

	if (hs->name.len > 0)
		spec.name = (struct hf_bytes){ hs->name.p, hs->name.len - 1 };
	hf_tls_client_hello_emit(&w, &spec);
	HF_TRY(hf_wr_done(&w));
	HF_TRY(hf_tls_send_msg(t, msg, w.len));
	if (!hs->is_retried)
		t->out.p[at + 2] = 1; /* RFC 8446 5.1: the first ClientHello may say 0301 */
	return HF_OK;
}

hf_err hf_tls_client_start(struct hf_tls *t)
{
	struct hf_tls_hs *hs = t->hs;

	HF_TRY(hf_rng_fill(t->cfg->rng, hs->random, sizeof(hs->random)));
	if (t->cfg->middlebox) {
		hs->session_len = HF_TLS_SESSION_MAX;
		HF_TRY(hf_rng_fill(t->cfg->rng, hs->session, hs->session_len));
	}
	if (!t->cfg->defer_share) {
		HF_TRY(hf_sm2_key_new(&hs->eph, t->cfg->rng));
		hs->sent_share = true;
	}
	HF_TRY(send_hello(t, (struct hf_bytes){ 0 }));
	return hf_tls_step(t, HF_TLS_DO_HELLO);
}

/* RFC 8446 4.1.3: what a ServerHello and a HelloRetryRequest must have in common. */
static hf_err check_hello(struct hf_tls *t, const struct hf_tls_server_hello *h)
{
	const struct hf_tls_hs *hs = t->hs;
	struct hf_bytes session = { hs->session, hs->session_len };

	if (h->selected != HF_TLS_VERSION_13)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "server does not speak TLS 1.3"));
	if (h->has_other)
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's hello has an extension that was not offered"));
	if (h->version != 0x0303 || h->compression != 0 || !hf_bytes_eq(h->session, session) ||
		h->suite != HF_TLS_SM4_GCM_SM3)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "server chose what was not offered"));
	return HF_OK;
}

static hf_err on_retry(
	struct hf_tls *t, const struct hf_tls_server_hello *h, const struct hf_tls_msg *m)
{
	struct hf_tls_hs *hs = t->hs;

	HF_TRY(check_hello(t, h));
	/* RFC 8446 4.1.4 and 4.2.8: it must change something, and ask for a group not yet sent. */
	if ((h->has_share && (hs->sent_share || h->group != HF_TLS_CURVE_SM2)) ||
		(!h->has_share && !h->has_cookie) || h->cookie.len > HF_TLS_COOKIE_MAX)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's HelloRetryRequest asks for nothing sensible"));

	hs->is_retried = true;
	hf_tls_absorb_retry(t);
	hf_tls_absorb(t, m);
	if (h->has_share) {
		HF_TRY(hf_sm2_key_new(&hs->eph, t->cfg->rng));
		hs->sent_share = true;
	}
	if (hs->session_len > 0)
		HF_TRY(hf_tls_send_ccs(t));
	return send_hello(t, h->cookie);
}

static hf_err on_server_hello(
	struct hf_tls *t, const struct hf_tls_server_hello *h, const struct hf_tls_msg *m)
{
	struct hf_tls_hs *hs = t->hs;

	HF_TRY(check_hello(t, h));
	if (!h->has_share)
		return hf_tls_die(t, HF_ALERT_MISSING_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT, "server's hello has no key share"));
	if (h->group != HF_TLS_CURVE_SM2 || !hs->sent_share)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's key share is of a group that was not offered"));
	hf_tls_absorb(t, m);
	HF_TRY(hf_tls_agree(t, h->share));
	HF_TRY(hf_tls_set_rx(t, hs->s_hs, m));
	return hf_tls_dir_set(&t->tx, hs->c_hs, t->now_ms);
}

/* ServerHello in its two forms: which one it is decides before the table is asked. */
static hf_err on_hello(struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m)
{
	struct hf_tls_server_hello h;
	hf_err e = hf_tls_server_hello_parse(&h, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ServerHello");
	return ev == HF_TLS_EV_HRR ? on_retry(t, &h, m) : on_server_hello(t, &h, m);
}

static hf_err on_ee(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_ee ee;
	hf_err e = hf_tls_ee_parse(&ee, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "EncryptedExtensions");
	if (ee.has_misplaced)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server answered an extension in the wrong "
				"message"));
	if (ee.has_other || (ee.has_name && t->hs->name.len == 0) ||
		(ee.has_alpn && t->cfg->n_alpn == 0))
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server sent an extension that was not offered"));
	if (ee.has_alpn)
		HF_TRY(hf_tls_accept_alpn(t, ee.alpn));
	hf_tls_absorb(t, m);
	return HF_OK;
}

static hf_err on_cert_request(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_request cr;
	hf_err e = hf_tls_cert_request_parse(&cr, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "CertificateRequest");
	if (cr.context.len != 0) /* RFC 8446 4.3.2: empty during the handshake */
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "CertificateRequest has a context"));
	if (!cr.has_sigs)
		return hf_tls_die(t, HF_ALERT_MISSING_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"CertificateRequest does not say which signatures it takes"));
	if (!cr.has_sm2sig)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED,
				"server wants a client signature other than sm2sig_sm3"));
	t->hs->is_asked = true;
	hf_tls_absorb(t, m);
	return HF_OK;
}

static hf_err on_certificate(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_cert_list list;
	hf_err e = hf_tls_cert_list_parse(&list, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "Certificate");
	if (list.context.len != 0)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "server's Certificate has a context"));
	if (list.n == 0) /* RFC 8446 4.4.2.4 */
		return hf_tls_die(t, HF_ALERT_DECODE_ERROR,
			hf_fail(&t->why, HF_ERR_AUTH, "server shows no certificate"));
	HF_TRY(hf_tls_take_chain(t, &list));
	hf_tls_absorb(t, m);
	return HF_OK;
}

static hf_err finish(struct hf_tls *t)
{
	HF_TRY(hf_tls_send_finished(t, t->hs->c_hs));
	HF_TRY(hf_tls_dir_set(&t->tx, t->hs->c_ap, t->now_ms));
	return hf_tls_step(t, HF_TLS_DO_FINISH);
}

hf_err hf_tls_client_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	HF_TRY(hf_tls_send_verify(t, sig));
	return finish(t);
}

/* After the server's Finished: our certificate if it was asked for, and our Finished. */
static hf_err send_flight(struct hf_tls *t)
{
	struct hf_sm2_sig sig;

	if (t->hs->session_len > 0 && !t->hs->is_retried)
		HF_TRY(hf_tls_send_ccs(t));
	if (t->hs->is_asked)
		HF_TRY(hf_tls_send_chain(t)); /* empty where we have none */
	if (!t->hs->is_asked || t->cfg->n_chain == 0)
		return finish(t);

	HF_TRY(hf_tls_make_digest(t));
	HF_TRY(hf_tls_step(t, HF_TLS_DO_SIGN));
	if (t->cfg->signer == NULL)
		return HF_OK; /* hf_tls_sign_done() goes on */
	HF_TRY(hf_tls_sign_now(t, &sig));
	return hf_tls_client_signed(t, &sig);
}

static hf_err on_finished(struct hf_tls *t, const struct hf_tls_msg *m)
{
	HF_TRY(hf_tls_take_finished(t, m, t->hs->s_hs));
	HF_TRY(hf_tls_make_master(t));
	HF_TRY(hf_tls_set_rx(t, t->hs->s_ap, m));
	HF_TRY(hf_tls_step(t, HF_TLS_EV_FIN));
	return send_flight(t);
}

hf_err hf_tls_client_msg(struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m)
{
	hf_err e = HF_ERR_INTERNAL;

	switch (ev) {
	case HF_TLS_EV_HRR:
	case HF_TLS_EV_SH: e = on_hello(t, ev, m); break;
	case HF_TLS_EV_EE: e = on_ee(t, m); break;
	case HF_TLS_EV_CR: e = on_cert_request(t, m); break;
	case HF_TLS_EV_CERT: e = on_certificate(t, m); break;
	case HF_TLS_EV_CV: e = hf_tls_take_verify(t, m); break;
	case HF_TLS_EV_FIN: return on_finished(t, m); /* steps by itself: our flight follows */
	default: break;                               /* the table lets nothing else through */
	}
	if (e != HF_OK)
		return e;
	return hf_tls_step(t, ev);
}
