/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub and its devices, for idle links of bench_links.c: a domain in a folder, hufud on it, and
 * clients that are what a device is to it. Each has a certificate of its own, by the domain's CA,
 * and has asked for the channel once before it falls silent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "bench.h"
#include "http/api.h"
#include "http/h2.h"
#include "links.h"
#include "os/clock.h"
#include "programs.h"
#include "svc/domain.h"
#include "svc/env.h"
#include "svc/issue.h"
#include "svc/party.h"
#include "tls/tls.h"

enum { LIFE_S = 86400, LINKS_MAX = 10500, SHARES = 3, START_MS = 30000, ANSWER_MAX = 1 << 16 };

#define DOMAIN     "bench"
#define PASSPHRASE "correct horse battery"

static const char *const alpn[] = { HF_ALPN_H2 };

static struct {
	struct hf_env env;
	struct hf_party hub;
	struct hf_sm2_key ca_key;
	struct hf_local_key ca_local;
	struct hf_sm2_key key; /* of every device */
	struct hf_local_key local;
	struct hf_signer signer;
	uint64_t now_s;
} domain;

/* What one device is on its link. */
struct device {
	struct hf_buf der;
	struct hf_bytes chain[2]; /* leaf, issuing CA */
	struct hf_tls_config cfg;
	struct hf_tls tls;
	struct hf_h2 *h;
	bool is_answered;
};

static void make_domain(void)
{
	const struct hf_domain_spec spec = {
		.dir = prog_path("domain"),
		.name = DOMAIN,
		.hub = "hub-1",
		.n_publishers = 1,
		.threshold = 2,
		.n_shares = SHARES,
		.passphrase = PASSPHRASE,
		.passphrase_len = strlen(PASSPHRASE),
		.level = HF_L1,
	};
	struct hf_share shares[SHARES];
	uint8_t seed[HF_KEY_SEED_LEN];
	uint8_t wrap[HF_KEY_SEED_LEN];
	struct hf_slots slots;

	bench_need(hf_env_init(&domain.env, 0, NULL) == HF_OK &&
			   hf_domain_init(&domain.env, &spec, shares, NULL) == HF_OK &&
			   hf_party_open(&domain.hub, &domain.env, prog_path("domain/hub"), NULL) ==
				   HF_OK &&
			   hf_domain_slots(&slots, &domain.env, prog_path("domain/hub"), NULL) ==
				   HF_OK &&
			   hf_slots_open_shares(seed, &slots, shares, SHARES, NULL) == HF_OK &&
			   hf_root_derive(wrap, seed, "wrap") == HF_OK &&
			   hf_party_key(&domain.env, &domain.hub, "issuing-ca", wrap,
				   &domain.ca_key, NULL) == HF_OK &&
			   hf_sm2_key_new(&domain.key, &domain.env.rng) == HF_OK,
		"a domain");
	hf_wipe(seed, sizeof(seed));
	hf_wipe(wrap, sizeof(wrap));
	domain.ca_local = (struct hf_local_key){ &domain.ca_key, &domain.env.rng };
	domain.local = (struct hf_local_key){ &domain.key, &domain.env.rng };
	domain.signer = hf_signer_local(&domain.local);
	domain.now_s = hf_clock_wall_s();
}

/* The hub says where it listens. */
static uint16_t read_port(void)
{
	double end = prog_now_ms() + START_MS;
	unsigned port = 0;

	while (port == 0) {
		FILE *f = fopen(prog_path("domain/hub/front.port"), "r");

		if (f != NULL) {
			if (fscanf(f, "%u", &port) != 1)
				port = 0;
			(void)fclose(f);
		}
		bench_need(port != 0 || prog_now_ms() < end, "starting hufud");
		(void)usleep(20000);
	}
	return (uint16_t)port;
}

bool links_hufud_start(struct links_server *v)
{
	const char *program = prog_ours("hufud");

	if (program == NULL)
		return false;
	make_domain();
	prog_put("passphrase", PASSPHRASE "\n");
	prog_put("hub.yaml",
		"node: hub-1\nrole: hub\nlevel: 1\ndata: domain/hub\n"
		"listen: { address: 127.0.0.1, port: 0 }\nunlock: { passphrase-file: passphrase }\n"
		"limits: { links: %d, idle: 24 h }\n",
		LINKS_MAX);
	v->pid = prog_run((char *[]){ (char *)(uintptr_t)program, (char[]){ "--config" },
				  prog_path("hub.yaml"), NULL },
		-1, -1);
	v->port = read_port();
	return true;
}

static void device_init(struct device *d, unsigned no)
{
	const struct hf_signer ca = hf_signer_local(&domain.ca_local);
	struct hf_issue what = {
		.kind = HF_ISSUE_SIGN,
		.identity = { HF_ROLE_DEVICE, HF_L1, DOMAIN, "" },
		.key = domain.key.pub,
		.issuer = domain.hub.issuing_ca.subject,
		.now_s = domain.now_s,
		.life_s = LIFE_S,
	};
	const struct hf_tls_start start = { .now_s = domain.now_s, .now_ms = 1 };
	struct hf_tls_config *c = &d->cfg;

	(void)snprintf(what.identity.id, sizeof(what.identity.id), "dev-%u", no);
	hf_buf_init(&d->der, domain.env.mem, HF_CERT_DER_MAX);
	bench_need(hf_issue_cert(&domain.env, &d->der, &what, &ca, NULL) == HF_OK, "issuing");
	d->chain[0] = (struct hf_bytes){ d->der.p, d->der.len };
	d->chain[1] = domain.hub.issuing_ca.der;
	hf_tls_config_init(c, HF_TLS_CLIENT, HF_L1);
	c->mem = domain.env.mem;
	c->rng = &domain.env.rng;
	c->chain = d->chain;
	c->n_chain = HF_COUNT(d->chain);
	c->signer = &domain.signer;
	c->roots = &domain.hub.root_ca;
	c->n_roots = 1;
	c->alpn = alpn;
	c->n_alpn = HF_COUNT(alpn);
	bench_need(hf_tls_init(&d->tls, c, &start) == HF_OK, "a link");
}

static void device_clear(struct device *d)
{
	hf_h2_free(d->h);
	hf_tls_clear(&d->tls);
	hf_buf_clear(&d->der);
}

static void flush(struct device *d, int fd)
{
	const uint8_t *bytes;
	size_t used, n;

	while (d->h != NULL && (n = hf_h2_out(d->h, &bytes)) > 0) {
		bench_need(hf_tls_write(&d->tls, &used, bytes, n) == HF_OK, "writing to a link");
		hf_h2_sent(d->h, used);
	}
	while ((n = hf_tls_out(&d->tls, &bytes)) > 0) {
		prog_write_all(fd, bytes, n);
		hf_tls_sent(&d->tls, n);
	}
}

static void take(struct device *d, int fd)
{
	uint8_t in[HF_TLS_RECORD_MAX];
	ssize_t got = read(fd, in, sizeof(in));
	size_t at = 0;

	bench_need(got > 0, "receiving");
	while (at < (size_t)got) {
		const uint8_t *plain;
		size_t used, n;

		bench_need(hf_tls_feed(&d->tls, &used, in + at, (size_t)got - at, 1) == HF_OK,
			"the handshake with hufud");
		at += used;
		n = hf_tls_plain(&d->tls, &plain);
		if (n > 0)
			bench_need(d->h != NULL && hf_h2_feed(d->h, &used, plain, n, 1) == HF_OK,
				"HTTP/2");
		hf_tls_took(&d->tls, n);
	}
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct device *d = ctx;

	(void)stream;
	(void)head;
	(void)body;
	(void)body_len;
	bench_need(e == HF_OK, "asking hufud");
	d->is_answered = true;
}

void links_hufud_client(int fd, unsigned no)
{
	const struct hf_h2_client config = {
		.mem = domain.env.mem, .limits = hf_h2_limits_default, .authority = "hub-1"
	};
	struct device d = { .is_answered = false };
	const struct hf_http_call call = {
		.method = HF_HTTP_GET,
		.path = "/v1/channels/current",
		.body_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = &d,
	};
	int32_t stream;

	device_init(&d, no);
	flush(&d, fd);
	while (!hf_tls_is_open(&d.tls)) {
		take(&d, fd);
		flush(&d, fd);
	}
	bench_need(hf_h2_client_new(&d.h, &config, 1) == HF_OK &&
			   hf_h2_call(d.h, &stream, &call, 1) == HF_OK,
		"a session");
	flush(&d, fd);
	while (!d.is_answered) {
		take(&d, fd);
		flush(&d, fd);
	}
	device_clear(&d);
}
