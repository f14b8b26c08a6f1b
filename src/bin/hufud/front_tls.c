/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What links show and believe. A member shows its certificate with its issuing CA, and believes its
 * root CA; a server shows the root too, since a newcomer knows no more of it than its digest. A
 * newcomer shows a certificate that it signed itself, which is good for enrolment only.
 */
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "bin/common/staple.h"
#include "front.h"
#include "http/api.h"
#include "keys/token.h"
#include "os/clock.h"

enum {
	TICKETS_MAX = 65536, /* that are remembered as used */
	STAPLES_MS = 60 * 1000,
};

static const char *const alpn[] = { HF_ALPN_H2 };

static void config_init(
	struct front *f, struct front_tls *t, struct hf_tls_config *c, enum hf_tls_role role)
{
	hf_tls_config_init(c, role, f->child.config.level);
	c->mem = f->env.mem;
	c->rng = &f->env.rng;
	c->chain = t->chain;
	c->n_chain = t->n_chain;
	c->alpn = alpn;
	c->n_alpn = HF_COUNT(alpn);
	c->roots = t->roots;
	c->n_roots = t->n_roots;
}

/* Who may be at the other end of a link that we begin. */
static void want_init(struct front *f, struct front_tls *t)
{
	static const unsigned roles[] = {
		[HF_SOURCE_HUB] = HF_ROLE_HUB,
		[HF_SOURCE_EDGE] = HF_ROLE_EDGE,
		[HF_SOURCE_LAN] = HF_ROLE_EDGE | HF_ROLE_DEVICE,
	};

	for (size_t i = 0; i < HF_COUNT(roles); i++)
		t->want[i] = (struct hf_identity_want){
			.roles = roles[i],
			.level = f->child.config.level,
			.domain = t->domain[0] != '\0' ? t->domain : NULL,
		};
}

static hf_err chain_add(
	struct front *f, struct front_tls *t, struct hf_bytes der, struct hf_errinfo *ei)
{
	struct hf_buf *buf = &t->der[t->n_chain];

	hf_buf_init(buf, f->env.mem, HF_CERT_DER_MAX);
	if (hf_buf_put(buf, der.p, der.len) != HF_OK)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "certificates: out of memory");
	t->chain[t->n_chain] = (struct hf_bytes){ buf->p, buf->len };
	t->n_chain++;
	return HF_OK;
}

static hf_err root_add(
	struct front *f, struct front_tls *t, const struct hf_cert *cert, struct hf_errinfo *ei)
{
	HF_TRY(hf_cert_copy(&t->roots[t->n_roots], f->env.mem, cert->der.p, cert->der.len, ei));
	t->n_roots++;
	return HF_OK;
}

/* Tickets for whoever comes back. A restart makes a new secret, and old tickets are declined. */
static hf_err tickets_init(struct front *f, struct front_tls *t, struct hf_errinfo *ei)
{
	enum hf_level level = f->child.config.level;
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	hf_err e = hf_rng_fill(&f->env.rng, secret, sizeof(secret));

	if (e != HF_OK)
		return hf_fail(ei, e, "no random bytes for tickets");
	hf_tls_tickets_init(&t->tickets, secret, level);
	hf_wipe(secret, sizeof(secret));
	if (hf_policy(HF_ROW_TICKET_SINGLE_USE, level) != 0) {
		t->once = hf_tls_once_mem_new(f->env.mem, TICKETS_MAX);
		if (t->once == NULL)
			return hf_fail(ei, HF_ERR_NO_MEMORY, "tickets: out of memory");
		t->tickets.once = hf_tls_once_mem_get(t->once);
	}
	t->server.tickets = &t->tickets;
	t->server.n_tickets = 1;
	return HF_OK;
}

static hf_err member_init(struct front *f, struct front_tls *t, struct hf_errinfo *ei)
{
	const struct hf_party *p = &f->node.party;

	HF_TRY(chain_add(f, t, p->sign.der, ei));
	HF_TRY(chain_add(f, t, p->issuing_ca.der, ei));
	HF_TRY(chain_add(f, t, p->root_ca.der, ei));
	/*
	 * The CA that we were enrolled by is believed as such: the root CA's key lies in a safe and
	 * signs no list a day, so nothing fresh could be said of what is issued by it.
	 */
	HF_TRY(root_add(f, t, &p->issuing_ca, ei));
	HF_TRY(root_add(f, t, &p->root_ca, ei));
	memcpy(t->domain, p->identity.domain, sizeof(t->domain));
	config_init(f, t, &t->client, HF_TLS_CLIENT);
	config_init(f, t, &t->server, HF_TLS_SERVER);
	t->client.n_chain = 2; /* whoever we ask knows the root */
	t->client.keep_session = true;
	t->server.enrol = true;
	HF_TRY(tickets_init(f, t, ei));
	/* Where lists are needed, a status that the peer shows does as well. */
	t->client.ask_staple = t->client.need_crl;
	t->server.ask_staple = t->server.need_crl;
	t->client.staples = t->server.staples = t->staples;
	t->late = t->client;
	t->late.need_crl = false;
	want_init(f, t);
	return HF_OK;
}

/* Links show it from their next handshake on; what is no good any more is not shown. */
static void look_at_staple(struct front *f, const struct staple_own *own, size_t i)
{
	struct front_tls *t = &f->member;
	struct hf_errinfo ei = { 0 };
	struct hf_buf response;
	size_t at = 0;
	hf_err e = staple_load(&response, &at, f->child.config.staples[i], own, &ei);

	if (e == HF_OK) {
		hf_buf_clear(&t->staple[at]);
		t->staple[at] = response;
		t->staples[at] = (struct hf_bytes){ response.p, response.len };
	} else {
		hf_buf_clear(&response);
	}
	if (e != HF_OK && e != f->staple_err[i])
		hufud_log_err(&f->child.log, "staple-refused", &ei);
	f->staple_err[i] = e;
}

void front_tls_tick(struct front *f, uint64_t now_ms)
{
	const struct hf_party *p = &f->node.party;
	struct front_tls *t = &f->member;

	if (!t->is_there || f->child.config.n_staples == 0 || now_ms < f->staples_ms)
		return;
	f->staples_ms = now_ms + STAPLES_MS;
	for (size_t i = 0; i < FRONT_CHAIN_MAX; i++) {
		hf_buf_clear(&t->staple[i]);
		t->staples[i] = (struct hf_bytes){ 0 };
	}
	for (size_t i = 0; i < f->child.config.n_staples; i++) {
		const struct hf_cert chain[] = { p->sign, p->issuing_ca, p->root_ca };
		const struct staple_own own = { chain, HF_COUNT(chain), NULL, 0,
			hf_clock_wall_s() };

		look_at_staple(f, &own, i);
	}
	front_gate_show_staples(f);
}

uint64_t front_tls_deadline(const struct front *f)
{
	return f->member.is_there && f->child.config.n_staples > 0 ? f->staples_ms : UINT64_MAX;
}

hf_err front_tls_member(struct front *f, struct hf_errinfo *ei)
{
	hf_err e = member_init(f, &f->member, ei);

	f->member.is_there = e == HF_OK;
	if (e != HF_OK)
		front_tls_clear(&f->member);
	return e;
}

static hf_err newcomer_init(struct front *f, struct front_tls *t, struct hf_errinfo *ei)
{
	struct hf_token token = { .level = 0 };
	struct hf_buf sign_csr;
	struct hf_buf enc_csr;
	struct hf_buf own;
	hf_err e;

	if (hf_token_parse(&token, f->token, strlen(f->token)) != HF_OK)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: holds no enrolment token",
			f->child.config.token_file);
	memcpy(t->root_pin, token.root_ca, sizeof(t->root_pin));
	hf_buf_init(&sign_csr, f->env.mem, HF_CERT_DER_MAX);
	hf_buf_init(&enc_csr, f->env.mem, HF_CERT_DER_MAX);
	hf_buf_init(&own, f->env.mem, HF_CERT_DER_MAX);
	e = hf_key_newcomer(&f->keys, &sign_csr, &enc_csr, &own, ei);
	if (e == HF_OK)
		e = chain_add(f, t, (struct hf_bytes){ own.p, own.len }, ei);
	hf_buf_clear(&sign_csr);
	hf_buf_clear(&enc_csr);
	hf_buf_clear(&own);
	HF_TRY(e);
	config_init(f, t, &t->client, HF_TLS_CLIENT);
	t->client.root_pin = t->root_pin;
	t->client.need_crl = false; /* the first list comes to members */
	t->late = t->client;
	want_init(f, t);
	return HF_OK;
}

hf_err front_tls_newcomer(struct front *f, struct hf_errinfo *ei)
{
	hf_err e = newcomer_init(f, &f->newcomer, ei);

	f->newcomer.is_there = e == HF_OK;
	if (e != HF_OK)
		front_tls_clear(&f->newcomer);
	return e;
}

void front_tls_clear(struct front_tls *t)
{
	for (size_t i = 0; i < t->n_chain; i++)
		hf_buf_clear(&t->der[i]);
	for (size_t i = 0; i < FRONT_CHAIN_MAX; i++)
		hf_buf_clear(&t->staple[i]);
	for (size_t i = 0; i < t->n_roots; i++)
		hf_cert_clear(&t->roots[i]);
	hf_tls_once_mem_free(t->once);
	hf_tls_tickets_clear(&t->tickets);
	memset(t, 0, sizeof(*t));
}

void front_sign(struct front *f, struct hf_link *l, const struct hf_tls_cv *cv)
{
	struct hf_errinfo ei = { 0 };
	struct hf_sm2_sig sig;
	hf_err rc = hf_key_sign_link(&f->keys, cv, &sig, &ei);

	if (rc != HF_OK)
		hufud_log_err(&f->child.log, "cannot-sign", &ei);
	hf_link_signed(l, rc == HF_OK ? &sig : NULL, rc);
}
