/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of TLCP's handshake (GB/T 38636-2020 6.4.1, 6.4.2). */
#include <string.h>

#include "base/attr.h"
#include "base/wr.h"
#include "tls/jobs.h"
#include "tls/tlcp_hs.h"

/* A server that is no longer good is not asked to go on; a full handshake says why not. */
static bool can_offer(struct hf_tls *t, const struct hf_tlcp_session *s)
{
	return s != NULL && s->id_len > 0 && s->id_len <= HF_TLCP_ID_MAX &&
	       hf_tlcp_session_fits(t, s);
}

static hf_err send_hello(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	uint16_t suites[HF_TLCP_SUITES];
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	struct hf_tlcp_hello_spec spec = {
		.random = hs->randoms,
		.session = { hs->offer.id, hs->offer.id_len },
		.suites = suites,
	};

	for (size_t i = 0; i < HF_COUNT(hf_tlcp_suites); i++) {
		if (hf_tlcp_suite_is_on(cfg, &hf_tlcp_suites[i]))
			suites[spec.n_suites++] = hf_tlcp_suites[i].code;
	}
	if (cfg->tlcp->extensions) {
		spec.alpn = cfg->alpn;
		spec.n_alpn = cfg->n_alpn;
		if (hs->name.len > 0)
			spec.name = (struct hf_bytes){ hs->name.p, hs->name.len - 1 };
	}
	hf_tlcp_client_hello_emit(&w, &spec);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}

hf_err hf_tlcp_client_start(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	if (can_offer(t, t->start->tlcp_session))
		HF_TRY(hf_tlcp_session_copy(&hs->offer, t->start->tlcp_session, t->cfg->mem));
	HF_TRY(hf_rng_fill(t->cfg->rng, hs->randoms, HF_TLS_RANDOM_LEN));
	HF_TRY(send_hello(t));
	return hf_tlcp_step(t, HF_TLCP_DO_HELLO);
}

static hf_err check_hello(struct hf_tls *t, const struct hf_tlcp_server_hello *h)
{
	const struct hf_tlcp_suite *suite = hf_tlcp_suite_find(h->suite);
	bool asked_alpn = t->cfg->tlcp->extensions && t->cfg->n_alpn > 0;

	if (h->version != HF_TLCP_VERSION)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "server does not speak TLCP 1.1"));
	if (suite == NULL || !hf_tlcp_suite_is_on(t->cfg, suite) || h->compression != 0)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "server chose what was not offered"));
	if (h->has_alpn && !asked_alpn)
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server sent an extension that was not offered"));
	t->tlcp->suite = suite;
	return HF_OK;
}

/* The server takes up the session that we offered: the same suite, the same secret. */
static hf_err resume(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	if (t->tlcp->suite->code != hs->offer.suite)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server resumes a session with another suite"));
	HF_TRY(hf_tlcp_session_take_up(t, &hs->offer));
	hf_tlcp_make_block(t);
	return hf_tlcp_step(t, HF_TLCP_EV_SH_RESUMED);
}

static hf_err on_hello(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_tlcp_session *s = &t->tlcp->session;
	struct hf_bytes offered = { hs->offer.id, hs->offer.id_len };
	struct hf_tlcp_server_hello h;
	hf_err e = hf_tlcp_server_hello_parse(&h, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ServerHello");
	HF_TRY(check_hello(t, &h));
	if (h.has_alpn)
		HF_TRY(hf_tls_accept_alpn(t, h.alpn));
	memcpy(hs->randoms + HF_TLS_RANDOM_LEN, h.random, HF_TLS_RANDOM_LEN);
	s->id_len = h.session.len;
	if (h.session.len > 0)
		memcpy(s->id, h.session.p, h.session.len);
	s->made_s = t->now_s;
	hf_tlcp_bound(t, t->tlcp->suite, s->bound);
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	if (offered.len > 0 && hf_bytes_eq(h.session, offered))
		return resume(t);
	return hf_tlcp_step(t, HF_TLCP_EV_SH);
}

static hf_err on_certificate(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_cert_list list;
	hf_err e = hf_tlcp_cert_list_parse(&list, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "Certificate");
	if (list.n == 0)
		return hf_tls_die(t, HF_ALERT_DECODE_ERROR,
			hf_fail(&t->why, HF_ERR_AUTH, "server shows no certificate"));
	HF_TRY(hf_tlcp_take_chain(t, &list));
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	return hf_tlcp_step(t, HF_TLCP_EV_CERT);
}

/* What a ServerKeyExchange has the server's signature for. */
static hf_err read_key_exchange(
	struct hf_tls *t, const struct hf_tls_msg *m, struct hf_tlcp_tbs *tbs, struct hf_bytes *sig)
{
	HF_TRY(t->tlcp->suite->kx->take(t, m, tbs, sig));
	memcpy(tbs->randoms, t->tlcp->hs->randoms, sizeof(tbs->randoms));
	return HF_OK;
}

void hf_tlcp_client_ask(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_tbs tbs;
	struct hf_bytes sig = { 0 };

	if (read_key_exchange(t, m, &tbs, &sig) == HF_OK)
		hf_tlcp_ask_sig(t, &tbs, sig);
}

static hf_err on_key_exchange(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_tbs tbs;
	struct hf_bytes sig = { 0 };
	hf_err e = read_key_exchange(t, m, &tbs, &sig);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ServerKeyExchange");
	HF_TRY(hf_tlcp_check_sig(t, &tbs, sig));
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	return hf_tlcp_step(t, HF_TLCP_EV_SKE);
}

static hf_err on_request(struct hf_tls *t, const struct hf_tls_msg *m)
{
	bool has_sign = false;
	hf_err e = hf_tlcp_cert_request_parse(&has_sign, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "CertificateRequest");
	if (!has_sign)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED,
				"server wants a client certificate of another kind"));
	t->tlcp->hs->is_asked = true;
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	return hf_tlcp_step(t, HF_TLCP_EV_CR);
}

static hf_err finish(struct hf_tls *t)
{
	hf_tlcp_make_block(t);
	HF_TRY(hf_tlcp_send_finished(t));
	return hf_tlcp_step(t, HF_TLCP_DO_FINISH);
}

hf_err hf_tlcp_client_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	HF_TRY(hf_tlcp_send_verify(t, sig));
	return finish(t);
}

/* After ServerHelloDone: our certificates if they were asked for, the key exchange, Finished. */
static hf_err send_flight(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_sm2_sig sig;

	if (hs->is_asked)
		HF_TRY(hf_tlcp_send_chain(t)); /* empty where we have none */
	HF_TRY(t->tlcp->suite->kx->send(t));
	hf_tlcp_make_master(t);
	if (!hs->is_asked || t->cfg->n_chain == 0)
		return finish(t);

	HF_TRY(hf_tlcp_verify_tbs(t, &hs->tbs));
	HF_TRY(hf_tlcp_make_digest(t));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_DO_SIGN));
	if (t->cfg->signer == NULL || hf_tls_ask_sign(t, hs->digest))
		return HF_OK; /* it goes on when the signature is there */
	HF_TRY(hf_tlcp_sign_now(t, &sig));
	return hf_tlcp_client_signed(t, &sig);
}

static hf_err on_done(struct hf_tls *t, const struct hf_tls_msg *m)
{
	if (m->len != 0)
		return hf_tls_bad_body(t, HF_ERR_FORMAT, "ServerHelloDone");
	/* The exchange takes the encryption keys of both sides, so the server must ask for ours. */
	if (t->tlcp->suite->kx->is_ephemeral && !t->tlcp->hs->is_asked)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server chose ECDHE and does not ask for a certificate"));
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_EV_SHD));
	return send_flight(t);
}

/* Sent by servers that do not know that we did not ask for one. */
static hf_err on_ticket(struct hf_tls *t, const struct hf_tls_msg *m)
{
	hf_err e = hf_tlcp_ticket_parse(m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "NewSessionTicket");
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	return hf_tlcp_step(t, HF_TLCP_EV_TICKET);
}

static hf_err on_finished(struct hf_tls *t, const struct hf_tls_msg *m)
{
	HF_TRY(hf_tlcp_take_finished(t, m));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_EV_FIN));
	if (!t->tlcp->is_resumed)
		return HF_OK;
	HF_TRY(hf_tlcp_send_finished(t));
	return hf_tlcp_step(t, HF_TLCP_DO_FINISH);
}

hf_err hf_tlcp_client_msg(struct hf_tls *t, enum hf_tlcp_event ev, const struct hf_tls_msg *m)
{
	switch (ev) {
	case HF_TLCP_EV_SH: return on_hello(t, m);
	case HF_TLCP_EV_CERT: return on_certificate(t, m);
	case HF_TLCP_EV_SKE: return on_key_exchange(t, m);
	case HF_TLCP_EV_CR: return on_request(t, m);
	case HF_TLCP_EV_SHD: return on_done(t, m);
	case HF_TLCP_EV_TICKET: return on_ticket(t, m);
	case HF_TLCP_EV_FIN: return on_finished(t, m);
	default: return HF_ERR_INTERNAL; /* the table lets nothing else through */
	}
}
