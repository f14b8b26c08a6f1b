/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of the handshake (RFC 8446 A.1). */
#include <string.h>

#include "base/wipe.h"
#include "base/wr.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/keysched.h"
#include "tls/resume.h"

/* A client that has a key of its own and wants nothing else sends no share at all. */
static bool is_bare(const struct hf_tls *t)
{
	return t->cfg->n_psks > 0 && t->cfg->psk_ke;
}

static unsigned modes(const struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;

	if (is_bare(t))
		return HF_TLS_PSK_KE;
	if (cfg->n_psks == 0 && t->hs->offer == NULL && !cfg->keep_session)
		return 0;
	return HF_TLS_PSK_DHE_KE | (cfg->psk_ke ? HF_TLS_PSK_KE : 0);
}

static void put_psk(const struct hf_tls *t, struct hf_tls_hello_spec *spec)
{
	const struct hf_tls_session *s = t->hs->offer;

	if (t->cfg->n_psks > 0) { /* RFC 8446 4.2.11: the age of such a key is 0 */
		spec->identity = t->cfg->psks[0].identity;
	} else if (s != NULL) {
		spec->identity = s->r.ticket;
		spec->age = (uint32_t)((hf_tls_wall_s(t) - s->r.made_s) * 1000) + s->r.age_add;
	}
}

static hf_err put_binder(const struct hf_tls *t, uint8_t *msg, size_t len)
{
	struct hf_bytes hello = { msg, len - HF_TLS_BINDERS_LEN };

	return hf_tls_binder(t, msg + len - HF_SM3_LEN, t->hs->early, t->cfg->n_psks > 0, hello);
}

static hf_err emit_hello(
	struct hf_tls *t, const struct hf_tls_hello_spec *spec, uint8_t *msg, size_t room)
{
	struct hf_writer w = { .p = msg, .cap = room };

	hf_tls_client_hello_emit(&w, spec);
	HF_TRY(hf_wr_done(&w));
	if (spec->identity.len > 0)
		HF_TRY(put_binder(t, msg, w.len));
	return hf_tls_send_msg(t, msg, w.len);
}

static hf_err send_hello(struct hf_tls *t, struct hf_bytes cookie)
{
	struct hf_tls_hs *hs = t->hs;
	struct hf_tls_hello_spec spec = {
		.random = hs->random,
		.suites = t->cfg->suites,
		.session = { hs->session, hs->session_len },
		.alpn = t->cfg->alpn,
		.n_alpn = t->cfg->n_alpn,
		.share = hs->sent_share ? &hs->eph.pub : NULL,
		.cookie = cookie,
		.no_share_list = is_bare(t),
		.limit = t->cfg->record_limit,
		.modes = modes(t),
		.ask_status = t->cfg->ask_staple,
	};
	size_t at = t->out.len;
	size_t room;
	uint8_t *msg;
	hf_err e;

	if (hs->name.len > 0)
		spec.name = (struct hf_bytes){ hs->name.p, hs->name.len - 1 };
	put_psk(t, &spec);
	room = HF_TLS_SMALL_MAX + spec.identity.len;
	msg = hf_mem_new(t->cfg->mem, room);
	if (msg == NULL)
		return HF_ERR_NO_MEMORY;
	e = emit_hello(t, &spec, msg, room);
	hf_mem_free(t->cfg->mem, msg);
	HF_TRY(e);
	if (!hs->is_retried)
		t->out.p[at + 2] = 1; /* RFC 8446 5.1: the first ClientHello may say 0301 */
	return HF_OK;
}

hf_err hf_tls_client_start(struct hf_tls *t)
{
	struct hf_tls_hs *hs = t->hs;

	hs->sent_share = !t->cfg->defer_share && !is_bare(t);
	if (hs->sent_share && hf_tls_ask_key(t))
		return HF_OK; /* it begins again when the key is there */
	HF_TRY(hf_rng_fill(t->cfg->rng, hs->random, sizeof(hs->random)));
	if (t->cfg->middlebox) {
		hs->session_len = HF_TLS_SESSION_MAX;
		HF_TRY(hf_rng_fill(t->cfg->rng, hs->session, hs->session_len));
	}
	if (hs->sent_share)
		HF_TRY(hf_tls_do_key(t, &hs->eph));
	HF_TRY(send_hello(t, (struct hf_bytes){ 0 }));
	return hf_tls_step(t, HF_TLS_DO_HELLO);
}

/* RFC 8446 4.1.3: what a ServerHello and a HelloRetryRequest must have in common. */
static hf_err check_hello(struct hf_tls *t, const struct hf_tls_server_hello *h)
{
	struct hf_tls_hs *hs = t->hs;
	struct hf_bytes session = { hs->session, hs->session_len };
	const struct hf_tls_suite *suite = hf_tls_suite_of(h->suite);

	if (h->selected != HF_TLS_VERSION_13)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "server does not speak TLS 1.3"));
	if (h->has_other)
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's hello has an extension that was not offered"));
	/* RFC 8446 4.1.4: after a retry, the suite is the one that it named. */
	if (h->version != 0x0303 || h->compression != 0 || !hf_bytes_eq(h->session, session) ||
		suite == NULL || (suite->bit & t->cfg->suites) == 0 ||
		(hs->suite != NULL && hs->suite != suite))
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "server chose what was not offered"));
	hs->suite = suite;
	return HF_OK;
}

static hf_err on_retry(
	struct hf_tls *t, const struct hf_tls_server_hello *h, const struct hf_tls_msg *m)
{
	struct hf_tls_hs *hs = t->hs;

	HF_TRY(check_hello(t, h));
	/* RFC 8446 4.1.4 and 4.2.8: it must change something, and ask for a group not yet sent. */
	if ((h->has_share && (hs->sent_share || is_bare(t) || h->group != HF_TLS_CURVE_SM2)) ||
		(!h->has_share && !h->has_cookie) || h->cookie.len > HF_TLS_COOKIE_MAX)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's HelloRetryRequest asks for nothing sensible"));

	hs->is_retried = true;
	hf_tls_absorb_retry(t);
	hf_tls_absorb(t, m);
	if (h->has_share) {
		HF_TRY(hf_tls_do_key(t, &hs->eph));
		hs->sent_share = true;
	}
	if (hs->session_len > 0)
		HF_TRY(hf_tls_send_ccs(t));
	HF_TRY(send_hello(t, h->cookie));
	return hf_tls_step(t, HF_TLS_EV_HRR);
}

void hf_tls_client_ask(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tls_server_hello h;

	if (hf_tls_server_hello_parse(&h, m->body, m->len) == HF_OK && h.has_share &&
		t->hs->sent_share)
		(void)hf_tls_ask_ecdh(t, &t->hs->eph, h.share);
}

static hf_err on_server_hello(
	struct hf_tls *t, const struct hf_tls_server_hello *h, const struct hf_tls_msg *m)
{
	struct hf_tls_hs *hs = t->hs;

	HF_TRY(check_hello(t, h));
	hf_tls_early(hs->secret);
	if (h->has_psk)
		HF_TRY(hf_tls_client_psk(t, h));
	hf_wipe(hs->early, sizeof(hs->early));
	hs->is_psk_ke = hs->is_psk && !h->has_share && (modes(t) & HF_TLS_PSK_KE) != 0;
	if (!h->has_share && !hs->is_psk_ke)
		return hf_tls_die(t, HF_ALERT_MISSING_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT, "server's hello has no key share"));
	if (h->has_share && (h->group != HF_TLS_CURVE_SM2 || !hs->sent_share))
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server's key share is of a group that was not offered"));
	hf_tls_absorb(t, m);
	HF_TRY(hf_tls_agree(t, h->share));
	HF_TRY(hf_tls_set_rx(t, hs->s_hs, m));
	HF_TRY(hf_tls_set_tx(t, hs->c_hs));
	HF_TRY(hf_tls_step(t, HF_TLS_EV_SH));
	return hs->is_psk ? hf_tls_step(t, HF_TLS_DO_PSK) : HF_OK;
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
		(ee.has_alpn && t->cfg->n_alpn == 0) || (ee.has_limit && t->cfg->record_limit == 0))
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server sent an extension that was not offered"));
	if (ee.has_alpn)
		HF_TRY(hf_tls_accept_alpn(t, ee.alpn));
	if (ee.has_limit) {
		HF_TRY(hf_tls_take_limit(t, ee.limit));
		t->has_rx_limit = true;
	}
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
	t->hs->wants_status = cr.asks_status;
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
	HF_TRY(hf_tls_set_tx(t, t->hs->c_ap));
	if (t->cfg->keep_session)
		HF_TRY(hf_tls_make_res(t, t->res));
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
	if (t->cfg->signer == NULL || hf_tls_ask_sign(t, t->hs->digest))
		return HF_OK; /* it goes on when the signature is there */
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
	case HF_TLS_EV_SH: return on_hello(t, ev, m); /* steps by itself */
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
