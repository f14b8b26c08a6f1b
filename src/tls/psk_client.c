/* SPDX-License-Identifier: Apache-2.0 */
/* Pre-shared keys at the client: what it offers, what the server took, tickets that come. */
#include <string.h>

#include "base/wipe.h"
#include "tls/hs.h"
#include "tls/keysched.h"
#include "tls/resume.h"

/* The certificate that we show, by which a server knows us; zeros: none. */
static void own_digest(const struct hf_tls_config *cfg, uint8_t out[HF_SM3_LEN])
{
	memset(out, 0, HF_SM3_LEN);
	if (cfg->n_chain > 0)
		hf_sm3(out, cfg->chain[0].p, cfg->chain[0].len);
}

static bool has_alpn(const struct hf_tls_config *cfg, struct hf_bytes alpn)
{
	for (size_t i = 0; i < cfg->n_alpn; i++) {
		if (hf_bytes_eq(alpn, hf_bytes_str(cfg->alpn[i])))
			return true;
	}
	return alpn.len == 0;
}

/* True if a session is of a link like this one. */
static bool fits(const struct hf_tls *t, const struct hf_tls_session *s)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_bytes name = { t->hs->name.p, t->hs->name.len > 0 ? t->hs->name.len - 1 : 0 };
	const struct hf_tls_suite *suite = hf_tls_suite_of(s->r.suite);
	uint8_t own[HF_SM3_LEN];

	own_digest(cfg, own);
	return hf_tls_session_is_fit(s, t->now_s) && s->r.level == cfg->level && suite != NULL &&
	       (suite->bit & cfg->suites) != 0 && hf_bytes_eq(name, s->r.name) &&
	       memcmp(own, s->r.own, sizeof(own)) == 0 && has_alpn(cfg, s->r.alpn);
}

hf_err hf_tls_client_offer(struct hf_tls *t, struct hf_tls_session *session)
{
	const struct hf_tls_config *cfg = t->cfg;
	struct hf_tls_hs *hs = t->hs;

	if (cfg->n_psks > 0) {
		hf_tls_early_psk(hs->early, cfg->psks[0].key.p, cfg->psks[0].key.len);
		return HF_OK;
	}
	/* A server that is no longer good is not asked to go on; a full handshake says why not. */
	if (session == NULL || !fits(t, session) || !hf_tls_peer_is_still_good(t, &session->r))
		return HF_OK;
	HF_TRY(hf_tls_session_make(&hs->offer, cfg->mem, &session->r));
	session->is_used = true;
	hf_tls_early_psk(hs->early, hs->offer->r.psk, sizeof(hs->offer->r.psk));
	return HF_OK;
}

hf_err hf_tls_client_psk(struct hf_tls *t, const struct hf_tls_server_hello *h)
{
	struct hf_tls_hs *hs = t->hs;

	if (hs->offer == NULL && t->cfg->n_psks == 0)
		return hf_tls_die(t, HF_ALERT_UNSUPPORTED_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"server takes a pre-shared key that was not offered"));
	if (h->psk != 0) /* RFC 8446 4.2.11 */
		return hf_tls_die(t, HF_ALERT_ILLEGAL_PARAMETER,
			hf_fail(&t->why, HF_ERR_FORMAT, "server takes pre-shared key %u of one",
				h->psk));
	hs->is_psk = true;
	memcpy(hs->secret, hs->early, sizeof(hs->secret));
	if (hs->offer == NULL) {
		t->psk = 1;
		return HF_OK;
	}
	t->is_resumed = true;
	t->first_s = hs->offer->r.first_s;
	return hf_tls_peer_take_again(t, &hs->offer->r);
}

hf_err hf_tls_client_ticket(struct hf_tls *t, const struct hf_tls_ticket *ticket)
{
	struct hf_tls_session *s = NULL;
	struct hf_tls_resume r;
	hf_err e;

	/* RFC 8446 4.6.1: a life of 0 says that it is to be forgotten at once. */
	if (!t->cfg->keep_session || ticket->life_s == 0 ||
		ticket->ticket.len > HF_TLS_TICKET_MAX || !hf_tls_describe(t, &r))
		return HF_OK;
	if (ticket->life_s < r.life_s)
		r.life_s = ticket->life_s;
	r.age_add = ticket->age_add;
	r.ticket = ticket->ticket;
	own_digest(t->cfg, r.own);
	e = hf_tls_ticket_psk(r.psk, t->res, ticket->nonce.p, ticket->nonce.len);
	if (e == HF_OK)
		e = hf_tls_session_make(&s, t->cfg->mem, &r);
	hf_wipe(&r, sizeof(r));
	if (e != HF_OK)
		return e;
	hf_tls_session_free(t->session);
	t->session = s;
	return HF_OK;
}
