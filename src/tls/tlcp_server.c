/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of TLCP's handshake (GB/T 38636-2020 6.4.1, 6.4.2). */
#include <string.h>

#include "base/attr.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "tls/jobs.h"
#include "tls/tlcp_hs.h"

static hf_err check_hello(struct hf_tls *t, const struct hf_tlcp_client_hello *h)
{
	if (h->version != HF_TLCP_VERSION)
		return hf_tls_die(t, HF_ALERT_PROTOCOL_VERSION,
			hf_fail(&t->why, HF_ERR_UNSUPPORTED, "client does not speak TLCP 1.1"));
	if (!h->has_null)
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "client insists on compression"));
	return HF_OK;
}

static bool offers(const struct hf_tlcp_client_hello *h, const struct hf_tlcp_suite *suite)
{
	struct hf_reader r = { .p = h->suites.p, .left = h->suites.len };

	while (r.left > 0) {
		if (hf_rd_u16(&r) == suite->code)
			return true;
	}
	return false;
}

/* GB/T 38636-2020 6.4.5.2.2: no suite in common is handshake_failure. Our order decides. */
static hf_err choose_suite(struct hf_tls *t, const struct hf_tlcp_client_hello *h)
{
	enum hf_policy_row row = HF_ROW_COUNT;

	for (size_t i = 0; i < HF_COUNT(hf_tlcp_suites); i++) {
		const struct hf_tlcp_suite *suite = &hf_tlcp_suites[i];

		if (!offers(h, suite))
			continue;
		if (hf_tlcp_suite_is_on(t->cfg, suite)) {
			t->tlcp->suite = suite;
			return HF_OK;
		}
		if (row == HF_ROW_COUNT)
			row = hf_tlcp_suite_row(t->cfg, suite);
	}
	if (row != HF_ROW_COUNT)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_policy_refuse(&t->why, row, t->cfg->level,
				"client offers no suite that is allowed"));
	return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
		hf_fail(&t->why, HF_ERR_UNSUPPORTED, "no suite in common with the client"));
}

/* A session may be taken up if it would be allowed today, with its suite, by this client. */
static bool can_take(
	struct hf_tls *t, const struct hf_tlcp_client_hello *h, const struct hf_tlcp_session *s)
{
	const struct hf_tlcp_suite *suite = hf_tlcp_suite_find(s->suite);

	return suite != NULL && offers(h, suite) && hf_tlcp_session_fits(t, s);
}

/* True if the client's session goes on; it is in hs->offer then. */
static bool find_session(struct hf_tls *t, const struct hf_tlcp_client_hello *h)
{
	const struct hf_tlcp_cache *cache = t->cfg->tlcp->cache;
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	if (cache == NULL || h->session.len != HF_TLCP_ID_LEN || !hf_tlcp_can_resume(t) ||
		!cache->get(cache->ctx, &hs->offer, h->session))
		return false;
	if (can_take(t, h, &hs->offer))
		return true;
	hf_tlcp_session_clear(&hs->offer);
	return false;
}

static hf_err send_hello(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	const struct hf_tlcp_session *s = &t->tlcp->session;
	uint8_t *random = hs->randoms + HF_TLS_RANDOM_LEN;
	uint8_t msg[HF_TLS_SMALL_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };

	HF_TRY(hf_rng_fill(t->cfg->rng, random, HF_TLS_RANDOM_LEN));
	hf_tlcp_server_hello_emit(&w, random, (struct hf_bytes){ s->id, s->id_len },
		t->tlcp->suite->code, t->has_alpn ? t->cfg->alpn[t->alpn] : NULL);
	HF_TRY(hf_wr_done(&w));
	return hf_tlcp_send_msg(t, msg, w.len);
}

/* ServerHello and Finished. */
static hf_err resume(struct hf_tls *t)
{
	HF_TRY(hf_tlcp_session_take_up(t, &t->tlcp->hs->offer));
	HF_TRY(send_hello(t));
	hf_tlcp_make_block(t);
	HF_TRY(hf_tlcp_send_finished(t));
	return hf_tlcp_step(t, HF_TLCP_DO_RESUME);
}

/* Everything from ServerHello to the point where the signature is needed. */
static hf_err send_flight(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	struct hf_tlcp_session *s = &t->tlcp->session;
	struct hf_sm2_sig sig;

	s->made_s = t->now_s;
	if (t->cfg->tlcp->cache != NULL && hf_tlcp_can_resume(t)) {
		HF_TRY(hf_rng_fill(t->cfg->rng, s->id, HF_TLCP_ID_LEN));
		s->id_len = HF_TLCP_ID_LEN;
		hf_tlcp_bound(t, t->tlcp->suite, s->bound);
	}
	HF_TRY(send_hello(t));
	HF_TRY(hf_tlcp_send_chain(t));
	HF_TRY(t->tlcp->suite->kx->make(t, &hs->tbs));
	HF_TRY(hf_tlcp_make_digest(t));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_DO_SIGN));
	if (t->cfg->signer == NULL || hf_tls_ask_sign(t, hs->digest))
		return HF_OK; /* it goes on when the signature is there */
	HF_TRY(hf_tlcp_sign_now(t, &sig));
	return hf_tlcp_server_signed(t, &sig);
}

static bool asks_cert(const struct hf_tls *t)
{
	return t->cfg->ask_client_cert || t->cfg->require_client_cert || t->cfg->enrol ||
	       t->tlcp->suite->kx->is_ephemeral;
}

hf_err hf_tlcp_server_signed(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	static const uint8_t done[HF_TLS_MSG_HEAD_LEN] = { HF_TLCP_MSG_SHD };
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_TLCP_POINT_LEN + HF_TLCP_SIG_MAX];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	size_t body;

	hf_wr_u8(&w, HF_TLCP_MSG_SKE);
	body = hf_wr_open(&w, 3);
	hf_wr_put(&w, hs->params, hs->params_len);
	hf_tlcp_sig_emit(&w, sig);
	hf_wr_close(&w, body, 3);
	HF_TRY(hf_wr_done(&w));
	HF_TRY(hf_tlcp_send_msg(t, msg, w.len));
	if (asks_cert(t))
		HF_TRY(hf_tlcp_send_request(t));
	HF_TRY(hf_tlcp_send_msg(t, done, sizeof(done)));
	return hf_tlcp_step(t, asks_cert(t) ? HF_TLCP_DO_FINISH_ASK : HF_TLCP_DO_FINISH);
}

static hf_err on_hello(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_client_hello h;
	hf_err e = hf_tlcp_client_hello_parse(&h, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "ClientHello");
	HF_TRY(check_hello(t, &h));
	HF_TRY(choose_suite(t, &h));
	HF_TRY(hf_tls_keep_sni(t, h.name));
	if (h.has_alpn)
		HF_TRY(hf_tls_choose_alpn(t, h.alpn));
	memcpy(t->tlcp->hs->randoms, h.random, HF_TLS_RANDOM_LEN);
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_EV_CH));
	return find_session(t, &h) ? resume(t) : send_flight(t);
}

static hf_err on_certificate(struct hf_tls *t, const struct hf_tls_msg *m)
{
	struct hf_tlcp_cert_list list;
	hf_err e = hf_tlcp_cert_list_parse(&list, m->body, m->len);

	if (e != HF_OK)
		return hf_tls_bad_body(t, e, "Certificate");
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	if (list.n > 0) {
		HF_TRY(hf_tlcp_take_chain(t, &list));
		return hf_tlcp_step(t, HF_TLCP_EV_CERT);
	}
	if (t->cfg->require_client_cert)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_AUTH,
				"policy %s at L%d: client shows no certificate",
				hf_policy_entry(HF_ROW_MUTUAL)->name, (int)t->cfg->level));
	if (t->tlcp->suite->kx->is_ephemeral)
		return hf_tls_die(t, HF_ALERT_HANDSHAKE_FAILURE,
			hf_fail(&t->why, HF_ERR_AUTH,
				"client wants ECDHE and shows no certificate"));
	return hf_tlcp_step(t, HF_TLCP_EV_NO_CERT);
}

static hf_err on_key_exchange(struct hf_tls *t, const struct hf_tls_msg *m)
{
	HF_TRY(t->tlcp->suite->kx->receive(t, m));
	hf_tlcp_make_master(t);
	hf_tlcp_make_block(t);
	HF_TRY(hf_tlcp_absorb(t, m->whole, m->whole_len));
	return hf_tlcp_step(t, HF_TLCP_EV_CKE);
}

/* The session can be resumed from now on; without memory for it, it cannot. */
static void store(struct hf_tls *t)
{
	const struct hf_tlcp_cache *cache = t->cfg->tlcp->cache;
	struct hf_tlcp_session s;

	if (hf_tlcp_session_describe(t, &s) && cache != NULL)
		(void)cache->put(cache->ctx, &s); /* which copies */
	hf_wipe(&s, sizeof(s));
}

static hf_err on_finished(struct hf_tls *t, const struct hf_tls_msg *m)
{
	HF_TRY(hf_tlcp_take_finished(t, m));
	HF_TRY(hf_tlcp_step(t, HF_TLCP_EV_FIN));
	if (t->tlcp->is_resumed)
		return HF_OK;
	HF_TRY(hf_tlcp_send_finished(t));
	store(t);
	return hf_tlcp_step(t, HF_TLCP_DO_FINISH);
}

hf_err hf_tlcp_server_msg(struct hf_tls *t, enum hf_tlcp_event ev, const struct hf_tls_msg *m)
{
	switch (ev) {
	case HF_TLCP_EV_CH: return on_hello(t, m);
	case HF_TLCP_EV_CERT: return on_certificate(t, m);
	case HF_TLCP_EV_CKE: return on_key_exchange(t, m);
	case HF_TLCP_EV_CV: HF_TRY(hf_tlcp_take_verify(t, m)); return hf_tlcp_step(t, ev);
	case HF_TLCP_EV_FIN: return on_finished(t, m);
	default: return HF_ERR_INTERNAL; /* the table lets nothing else through */
	}
}
