/* SPDX-License-Identifier: Apache-2.0 */
/* Ours in bench_links.c: the engine alone. */
#include <stdlib.h>

#include "bench.h"
#include "http/api.h"
#include "links.h"
#include "os/clock.h"
#include "svc/env.h"
#include "svc/issue.h"
#include "tls/session.h"
#include "tls/tickets.h"
#include "tls/tlcp.h"
#include "tls/tls.h"

struct links_end {
	struct hf_tls tls;
	bool keeps; /* its session is for the next one */
};

/* A domain of a CA, a hub and a device, and what both ends are told of it. */
static struct {
	struct hf_env env;
	struct hf_sm2_key ca_key;
	struct hf_local_key ca_local;
	struct hf_cert ca;
	struct party {
		struct hf_sm2_key key;
		struct hf_local_key local;
		struct hf_signer signer;
		struct hf_buf der;
		struct hf_bytes chain[1];
		struct hf_sm2_key enc_key; /* of TLCP */
		struct hf_local_key enc_local;
		struct hf_tlcp_enc_key enc;
		struct hf_buf enc_der;
		struct hf_tlcp_config tlcp[2]; /* ECC, ECDHE */
		struct hf_tls_config cfg[LINKS_WAYS];
	} party[2]; /* by enum hf_tls_role */
	struct hf_tls_tickets tickets;
	struct hf_tls_session *session; /* of the last link that kept one */
	bool had_session;
	uint64_t now_s;
} ours;

static const char *const alpn[] = { HF_ALPN_H2 };

static const struct hf_identity hub = { HF_ROLE_HUB, HF_L1, "bench", "hub" };
static const struct hf_identity device = { HF_ROLE_DEVICE, HF_L1, "bench", "device" };

static void issue(struct hf_buf *der, enum hf_issue_kind kind, const struct hf_identity *who,
	const struct hf_sm2_pub *key)
{
	const struct hf_signer ca = hf_signer_local(&ours.ca_local);
	struct hf_issue what = {
		.kind = kind,
		.identity = *who,
		.key = *key,
		.issuer = ours.ca.subject,
		.now_s = ours.now_s,
		.life_s = 86400,
	};

	hf_buf_init(der, ours.env.mem, HF_CERT_DER_MAX);
	bench_need(hf_issue_cert(&ours.env, der, &what, &ca, NULL) == HF_OK, "issuing");
}

static void make_config(struct party *p, enum hf_tls_role role, enum links_way way)
{
	struct hf_tls_config *c = &p->cfg[way];

	hf_tls_config_init(c, role, HF_L1);
	c->mem = ours.env.mem;
	c->rng = &ours.env.rng;
	c->chain = p->chain;
	c->n_chain = 1;
	c->signer = &p->signer;
	c->roots = &ours.ca;
	c->n_roots = 1;
	c->alpn = alpn;
	c->n_alpn = 1;
	c->limits.out_max = 1 << 20; /* what openssl's memory takes at a time */
	if (way == LINKS_RESUMED && role == HF_TLS_SERVER) {
		c->tickets = &ours.tickets;
		c->n_tickets = 1;
	}
	c->keep_session = way == LINKS_RESUMED && role == HF_TLS_CLIENT;
	if (way >= LINKS_TLCP_ECC) {
		c->protocols = HF_TLS_TLCP;
		c->tlcp = &p->tlcp[way - LINKS_TLCP_ECC];
	}
}

static void make_party(enum hf_tls_role role)
{
	struct party *p = &ours.party[role];
	const struct hf_identity *who = role == HF_TLS_SERVER ? &hub : &device;

	bench_need(hf_sm2_key_new(&p->key, &ours.env.rng) == HF_OK &&
			   hf_sm2_key_new(&p->enc_key, &ours.env.rng) == HF_OK,
		"a key");
	p->local = (struct hf_local_key){ &p->key, &ours.env.rng };
	p->signer = hf_signer_local(&p->local);
	issue(&p->der, HF_ISSUE_SIGN, who, &p->key.pub);
	p->chain[0] = (struct hf_bytes){ p->der.p, p->der.len };
	p->enc_local = (struct hf_local_key){ &p->enc_key, &ours.env.rng };
	p->enc = hf_tlcp_enc_key_local(&p->enc_local);
	issue(&p->enc_der, HF_ISSUE_ENC, who, &p->enc_key.pub);
	for (unsigned i = 0; i < HF_COUNT(p->tlcp); i++)
		p->tlcp[i] = (struct hf_tlcp_config){
			.suites = i == 0 ? HF_TLCP_ECC_SM4_GCM_SM3 : HF_TLCP_ECDHE_SM4_GCM_SM3,
			.enc_cert = { p->enc_der.p, p->enc_der.len },
			.enc_key = &p->enc,
		};
	for (int way = 0; way < LINKS_WAYS; way++)
		make_config(p, role, (enum links_way)way);
}

static void start(void)
{
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	struct hf_buf der;

	bench_need(hf_env_init(&ours.env, 0, NULL) == HF_OK, "the generator");
	ours.now_s = hf_clock_wall_s();
	bench_need(hf_sm2_key_new(&ours.ca_key, &ours.env.rng) == HF_OK, "a key");
	ours.ca_local = (struct hf_local_key){ &ours.ca_key, &ours.env.rng };
	issue(&der, HF_ISSUE_ROOT_CA, &hub, &ours.ca_key.pub);
	bench_need(hf_cert_copy(&ours.ca, ours.env.mem, der.p, der.len, NULL) == HF_OK, "the CA");
	hf_buf_clear(&der);
	bench_need(hf_rng_fill(&ours.env.rng, secret, sizeof(secret)) == HF_OK, "the generator");
	hf_tls_tickets_init(&ours.tickets, secret, HF_L1);
	make_party(HF_TLS_CLIENT);
	make_party(HF_TLS_SERVER);
}

static struct links_end *open_end(bool is_server, enum links_way way)
{
	const struct hf_tls_start how = {
		.now_s = ours.now_s,
		.now_ms = 1,
		.session = is_server ? NULL : ours.session,
		.defer_sm2 = way == LINKS_DEFERRED,
	};
	const struct hf_tls_config *cfg = &ours.party[is_server].cfg[way];
	struct links_end *e = malloc(sizeof(*e));

	bench_need(e != NULL && hf_tls_init(&e->tls, cfg, &how) == HF_OK, "a link");
	e->keeps = cfg->keep_session;
	bench_need(!e->keeps || ours.session != NULL || !ours.had_session, "a session");
	return e;
}

static void close_end(struct links_end *e)
{
	if (e->keeps) {
		bench_need(!ours.had_session || hf_tls_is_resumed(&e->tls), "resuming");
		hf_tls_session_free(ours.session);
		ours.session = hf_tls_session_take(&e->tls);
		ours.had_session = true;
	}
	hf_tls_clear(&e->tls);
	free(e);
}

struct hf_tls *links_hufu_tls(struct links_end *e)
{
	return &e->tls;
}

static bool is_open(const struct links_end *e)
{
	return hf_tls_is_open(&e->tls);
}

static size_t out(struct links_end *e, const uint8_t **bytes)
{
	return hf_tls_out(&e->tls, bytes);
}

static void sent(struct links_end *e, size_t len)
{
	hf_tls_sent(&e->tls, len);
}

static size_t feed(struct links_end *e, const uint8_t *in, size_t len)
{
	size_t got = 0;
	size_t used;

	while (len > 0) {
		const uint8_t *plain;
		size_t n;

		bench_need(hf_tls_feed(&e->tls, &used, in, len, 1) == HF_OK, "feeding a link");
		n = hf_tls_plain(&e->tls, &plain);
		hf_tls_took(&e->tls, n);
		got += n;
		in += used;
		len -= used;
	}
	return got;
}

static void write_all(struct links_end *e, const uint8_t *in, size_t len)
{
	size_t used;

	bench_need(
		hf_tls_write(&e->tls, &used, in, len) == HF_OK && used == len, "writing to a link");
}

const struct links_stack links_hufu = {
	.name = "hufu, SM2 and SM4-GCM",
	.start = start,
	.open = open_end,
	.close = close_end,
	.is_open = is_open,
	.out = out,
	.sent = sent,
	.feed = feed,
	.write = write_all,
	.idle_start = links_hufud_start,
	.idle_client = links_hufud_client,
};
