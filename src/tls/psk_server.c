/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pre-shared keys at the server. The order of checks: the ticket opens (so it is ours, for this
 * certificate, these roots and this level), it is of a link like this one and young; the binder
 * proves that the client has the key; the client's certificate is still good; nobody used the
 * ticket before. Whatever fails leads to a full handshake, but for a wrong binder, which ends the
 * link.
 */
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "tls/hs.h"
#include "tls/keysched.h"
#include "tls/resume.h"

enum {
	OFFERS_MAX = 4, /* keys of one hello that are looked at */
	TICKET_ROOM = HF_TLS_MSG_HEAD_LEN + 4 + 4 + 1 + 1 + 2 + HF_TLS_TICKET_MAX + 2,
};

/* A key of the hello that may be taken. */
struct choice {
	struct hf_tls_offered o;
	uint16_t index;
	bool is_external;
	uint16_t psk; /* index into cfg->psks */
	struct hf_buf plain;
	struct hf_tls_resume r; /* of a ticket; points into plain */
	uint8_t early[HF_SM3_LEN];
};

/* Whose tickets these are: those of our certificates, at our level, for whom these roots vouch. */
static void bound_digest(const struct hf_tls_config *cfg, uint8_t out[HF_SM3_LEN])
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_tls_bind_config(&s, cfg);
	hf_sm3_done(&s, out);
}

/* RFC 8446 4.2.11.1: the client's view of the ticket's age, which an old copy of it gets wrong. */
static bool is_age_right(const struct hf_tls *t, const struct hf_tls_resume *r, uint32_t obfuscated)
{
	int64_t theirs = (uint32_t)(obfuscated - r->age_add);
	int64_t ours = (int64_t)(t->now_s - r->made_s) * 1000;
	int64_t apart = theirs - ours;

	return apart <= HF_TLS_AGE_SKEW_MS && apart >= -HF_TLS_AGE_SKEW_MS;
}

static bool is_like_this(const struct hf_tls *t, const struct choice *c)
{
	const struct hf_tls_resume *r = &c->r;
	struct hf_bytes name = { t->sni.p, t->sni.len > 0 ? t->sni.len - 1 : 0 };
	struct hf_bytes alpn = { NULL, 0 };

	if (t->has_alpn)
		alpn = hf_bytes_str(t->cfg->alpn[t->alpn]);
	return r->level == t->cfg->level && r->suite == t->hs->suite->number &&
	       hf_bytes_eq(r->name, name) && hf_bytes_eq(r->alpn, alpn) &&
	       hf_tls_resume_is_young(r, t->now_s) && is_age_right(t, r, c->o.age) &&
	       (r->n_certs > 0 || !t->cfg->require_client_cert);
}

static bool find_external(const struct hf_tls *t, struct choice *c)
{
	const struct hf_tls_config *cfg = t->cfg;

	for (size_t i = 0; i < cfg->n_psks; i++) {
		if (!hf_bytes_eq(cfg->psks[i].identity, c->o.identity))
			continue;
		c->is_external = true;
		c->psk = (uint16_t)i;
		hf_tls_early_psk(c->early, cfg->psks[i].key.p, cfg->psks[i].key.len);
		return true;
	}
	return false;
}

/* HF_ERR_NOT_FOUND: nothing of ours, or nothing that fits. */
static hf_err find_ticket(const struct hf_tls *t, struct choice *c)
{
	uint8_t bound[HF_SM3_LEN];
	hf_err e;

	if (t->cfg->tickets == NULL || t->cfg->n_chain == 0 ||
		c->o.identity.len > HF_TLS_TICKET_MAX)
		return HF_ERR_NOT_FOUND;
	bound_digest(t->cfg, bound);
	hf_buf_reset(&c->plain);
	e = hf_tls_tickets_open(t->cfg->tickets, &c->plain, bound, c->o.identity, t->now_s);
	if (e == HF_ERR_AUTH)
		return HF_ERR_NOT_FOUND;
	HF_TRY(e);
	if (hf_tls_resume_parse(&c->r, c->plain.p, c->plain.len) != HF_OK || !is_like_this(t, c))
		return HF_ERR_NOT_FOUND;
	hf_tls_early_psk(c->early, c->r.psk, sizeof(c->r.psk));
	return HF_OK;
}

static hf_err find(const struct hf_tls *t, const struct hf_tls_client_hello *h, struct choice *c)
{
	hf_err e = HF_ERR_NOT_FOUND;

	for (uint16_t i = 0; i < OFFERS_MAX && e == HF_ERR_NOT_FOUND; i++) {
		if (!hf_tls_offered_get(&c->o, h, i))
			break;
		c->index = i;
		e = find_external(t, c) ? HF_OK : find_ticket(t, c);
	}
	return e;
}

/* RFC 8446 4.2.11: a binder that is wrong ends the handshake. */
static hf_err check_binder(struct hf_tls *t, const struct hf_tls_client_hello *h,
	const struct choice *c, const struct hf_tls_msg *m)
{
	struct hf_bytes hello = { m->whole, m->whole_len - h->binders.len - 2 };
	uint8_t want[HF_SM3_LEN];
	bool is_right;

	HF_TRY(hf_tls_binder(t, want, c->early, c->is_external, hello));
	is_right = c->o.binder.len == sizeof(want) && hf_ct_eq(want, c->o.binder.p, sizeof(want));
	hf_wipe(want, sizeof(want));
	if (is_right)
		return HF_OK;
	return hf_tls_die(t, HF_ALERT_DECRYPT_ERROR,
		hf_fail(&t->why, HF_ERR_AUTH, "client's binder of a pre-shared key is wrong"));
}

/* True if nobody resumed by this ticket before, or where that does not matter. */
static bool take_once(const struct hf_tls *t, const struct choice *c)
{
	const struct hf_tls_once *once = &t->cfg->tickets->once;
	uint8_t id[HF_TLS_TICKET_ID_LEN];

	if (once->take_once == NULL)
		return true;
	hf_tls_tickets_id(id, c->o.identity);
	return once->take_once(once->ctx, id, c->r.made_s + c->r.life_s, t->now_s) == HF_OK;
}

static hf_err accept(struct hf_tls *t, const struct choice *c)
{
	struct hf_tls_hs *hs = t->hs;

	if (!c->is_external) {
		if ((c->r.n_certs > 0 && !hf_tls_peer_is_still_good(t, &c->r)) || !take_once(t, c))
			return HF_OK;
		HF_TRY(hf_tls_peer_take_again(t, &c->r));
		t->is_resumed = true;
		t->first_s = c->r.first_s;
	} else {
		t->psk = (uint16_t)(c->psk + 1);
	}
	hs->is_psk = true;
	hs->psk = c->index;
	memcpy(hs->secret, c->early, sizeof(hs->secret));
	return HF_OK;
}

/* How a key would be used; false: not at all, or not before the client sent a share. */
static bool choose_mode(struct hf_tls *t, const struct hf_tls_client_hello *h)
{
	bool may_ke = t->cfg->psk_ke && (h->modes & HF_TLS_PSK_KE) != 0;

	t->hs->is_psk_ke = may_ke;
	return may_ke || ((h->modes & HF_TLS_PSK_DHE_KE) != 0 && h->share.len > 0);
}

hf_err hf_tls_server_psk(
	struct hf_tls *t, const struct hf_tls_client_hello *h, const struct hf_tls_msg *m)
{
	struct choice c = { .index = 0 };
	hf_err e;

	t->hs->modes = h->modes;
	if (h->has_psk && !h->has_modes) /* RFC 8446 4.2.9 */
		return hf_tls_die(t, HF_ALERT_MISSING_EXTENSION,
			hf_fail(&t->why, HF_ERR_FORMAT,
				"client offers a pre-shared key and does not say how to use it"));
	if (!h->has_psk || !choose_mode(t, h))
		return HF_OK;
	hf_buf_init(&c.plain, t->cfg->mem, HF_TLS_TICKET_MAX);
	e = find(t, h, &c);
	if (e == HF_OK)
		e = check_binder(t, h, &c, m);
	if (e == HF_OK)
		e = accept(t, &c);
	else if (e == HF_ERR_NOT_FOUND)
		e = HF_OK;
	hf_buf_clear(&c.plain);
	hf_wipe(&c, sizeof(c));
	return e;
}

/* One NewSessionTicket. r: the link; number: of the ticket, which makes its nonce. */
static hf_err send_ticket(struct hf_tls *t, struct hf_tls_resume *r, uint8_t number,
	const uint8_t res[HF_SM3_LEN], struct hf_buf *plain, struct hf_buf *msg)
{
	struct hf_writer w = { .cap = hf_tls_resume_len(r) };
	struct hf_tls_ticket ticket = { .life_s = r->life_s, .nonce = { &number, 1 } };
	uint8_t add[4];
	uint8_t bound[HF_SM3_LEN];
	struct hf_buf sealed;
	hf_err e;

	HF_TRY(hf_tls_ticket_psk(r->psk, res, &number, 1));
	HF_TRY(hf_rng_fill(t->cfg->rng, add, sizeof(add)));
	r->age_add = ticket.age_add = hf_get_be32(add);
	HF_TRY(hf_buf_room(plain, &w.p, w.cap));
	hf_tls_resume_emit(&w, r);
	HF_TRY(hf_wr_done(&w));

	bound_digest(t->cfg, bound);
	hf_buf_init(&sealed, t->cfg->mem, HF_TLS_TICKET_MAX);
	e = hf_tls_tickets_seal(t->cfg->tickets, t->cfg->rng, &sealed, bound,
		(struct hf_bytes){ w.p, w.len }, r->made_s);
	ticket.ticket = (struct hf_bytes){ sealed.p, sealed.len };
	w = (struct hf_writer){ .cap = TICKET_ROOM - HF_TLS_TICKET_MAX + sealed.len };
	if (e == HF_OK)
		e = hf_buf_room(msg, &w.p, w.cap);
	if (e == HF_OK) {
		hf_tls_ticket_emit(&w, &ticket);
		e = hf_wr_done(&w);
	}
	if (e == HF_OK)
		e = hf_tls_put_msg(t, w.p, w.len);
	hf_buf_clear(&sealed);
	return e;
}

hf_err hf_tls_server_tickets(struct hf_tls *t)
{
	const struct hf_tls_config *cfg = t->cfg;
	unsigned usable = HF_TLS_PSK_DHE_KE | (cfg->psk_ke ? HF_TLS_PSK_KE : 0);
	/* Who was resumed has used one up and gets one. */
	unsigned n = t->is_resumed && cfg->n_tickets > 1 ? 1 : cfg->n_tickets;
	uint8_t res[HF_SM3_LEN];
	struct hf_tls_resume r;
	struct hf_buf plain;
	struct hf_buf msg;
	hf_err e;

	if (cfg->tickets == NULL || n == 0 || (t->hs->modes & usable) == 0 ||
		!hf_tls_describe(t, &r))
		return HF_OK;
	if (cfg->tickets->life_s < r.life_s)
		r.life_s = cfg->tickets->life_s;
	hf_buf_init(&plain, cfg->mem, HF_TLS_TICKET_MAX);
	hf_buf_init(&msg, cfg->mem, TICKET_ROOM);
	e = hf_tls_make_res(t, res);
	for (unsigned i = 0; i < n && e == HF_OK; i++) {
		e = send_ticket(t, &r, (uint8_t)i, res, &plain, &msg);
		hf_buf_reset(&plain);
		hf_buf_reset(&msg);
	}
	hf_buf_clear(&plain);
	hf_buf_clear(&msg);
	hf_wipe(&r, sizeof(r));
	hf_wipe(res, sizeof(res));
	return e;
}
