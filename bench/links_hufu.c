/* SPDX-License-Identifier: Apache-2.0 */
/* Ours in bench_links.c: the engine alone, and for idle links all that a node holds of one. */
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "http/api.h"
#include "links.h"
#include "net/link.h"
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

/* --- idle: a listener with sessions, as in hufud --- */

static void serve_open(void *ctx, struct hf_link *l)
{
	const struct hf_h2_server config = {
		.mem = ours.env.mem, .limits = hf_h2_limits_default, .peer = HF_PEER_DEVICE
	};
	struct hf_h2 *h;

	(void)ctx;
	bench_need(hf_h2_server_new(&h, &config, hf_clock_mono_ms()) == HF_OK, "a session");
	hf_link_attach(l, h);
}

static void serve_close(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why)
{
	(void)ctx;
	(void)l;
	(void)e;
	(void)why;
}

static void idle_serve(int pipe)
{
	struct hf_listener_config config = {
		.link = { .mem = ours.env.mem,
			.tls = &ours.party[HF_TLS_SERVER].cfg[LINKS_FULL],
			.limits = hf_link_limits_default,
			.calls = { .on_open = serve_open, .on_close = serve_close } },
		.address = "127.0.0.1",
		.max_links = 20000,
	};
	struct hf_listener *s;
	uint16_t port;

	config.link.limits.idle_ms = 0;
	bench_need(hf_loop_new(&config.link.loop, ours.env.mem, NULL) == HF_OK &&
			   hf_listener_new(&s, &config, NULL) == HF_OK,
		"listening");
	port = hf_listener_port(s);
	bench_need(write(pipe, &port, sizeof(port)) == (ssize_t)sizeof(port), "a pipe");
	hf_loop_run(config.link.loop);
}

static void pump(struct hf_tls *t, int fd)
{
	uint8_t in[HF_TLS_RECORD_MAX];
	const uint8_t *bytes;
	size_t used = 0;
	size_t n = hf_tls_out(t, &bytes);
	ssize_t got;

	if (n > 0) {
		bench_need(write(fd, bytes, n) == (ssize_t)n, "sending");
		hf_tls_sent(t, n);
		return;
	}
	got = read(fd, in, sizeof(in));
	bench_need(got > 0 && hf_tls_feed(t, &used, in, (size_t)got, 1) == HF_OK &&
			   used == (size_t)got,
		"receiving");
}

/* Opens the HTTP/2 session, too: both ends have seen the other's settings. */
static void idle_client(int fd)
{
	const struct hf_h2_client config = {
		.mem = ours.env.mem, .limits = hf_h2_limits_default, .authority = "bench"
	};
	struct links_end *e = open_end(false, LINKS_FULL);
	struct hf_h2 *h;
	const uint8_t *bytes;
	size_t used, n;

	while (!is_open(e))
		pump(&e->tls, fd);
	bench_need(hf_h2_client_new(&h, &config, 1) == HF_OK, "a session");
	for (unsigned turn = 0; turn < 2; turn++) {
		while ((n = hf_h2_out(h, &bytes)) > 0) {
			write_all(e, bytes, n);
			hf_h2_sent(h, n);
		}
		while ((n = hf_tls_out(&e->tls, &bytes)) > 0)
			pump(&e->tls, fd);
		while (turn == 0 && (n = hf_tls_plain(&e->tls, &bytes)) == 0)
			pump(&e->tls, fd);
		if (turn == 0) {
			bench_need(hf_h2_feed(h, &used, bytes, n, 1) == HF_OK, "HTTP/2");
			hf_tls_took(&e->tls, n);
		}
	}
	hf_h2_free(h);
	close_end(e);
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
	.idle_serve = idle_serve,
	.idle_client = idle_client,
};
