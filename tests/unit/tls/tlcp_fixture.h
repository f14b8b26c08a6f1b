/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of TLCP in one test: the parties of tls_fixture.h, each with a second certificate. */
#ifndef HF_TEST_TLCP_FIXTURE_H
#define HF_TEST_TLCP_FIXTURE_H

#include "tls_fixture.h"

#include "tls/tlcp.h"
#include "tls/tlcp_hs.h"

enum { TLCP_HEAD = HF_TLS_HEAD_LEN };

struct tlcp_domain {
	struct party server, device; /* keys and certificates for encryption */
	struct hf_tlcp_enc_key server_key, device_key;
};

static struct tlcp_domain two;

static inline void enc_issue(struct party *p, const char *cn, unsigned key_usage)
{
	struct hf_cert_spec spec;

	if (p->subject.len == 0)
		party_init(p, cn);
	spec = party_spec(p, &dom.ca);
	spec.key_usage = key_usage;
	party_issue(p, &spec, &dom.ca);
}

static inline void tlcp_domain_init(void)
{
	domain_init();
	enc_issue(&two.server, "hub-1", HF_KU_ENCRYPT);
	enc_issue(&two.device, "dev-7", HF_KU_ENCRYPT);
	two.server_key = hf_tlcp_enc_key_local(&two.server.local);
	two.device_key = hf_tlcp_enc_key_local(&two.device.local);
}

struct tlcp_pair {
	struct pair p;
	struct hf_tlcp_config c;
	struct hf_tlcp_config s;
	struct hf_tlcp_cache cache;
	struct hf_local_key c_local, s_local;
	struct hf_signer c_signer, s_signer;
};

/* Fills in both configurations, with all suites and both certificates on both sides. */
static inline void tlcp_init(struct tlcp_pair *t)
{
	memset(t, 0, sizeof(*t));
	pair_init(&t->p);
	t->p.c.cfg.protocols = t->p.s.cfg.protocols = HF_TLS_TLCP;
	t->p.c.cfg.tlcp = &t->c;
	t->p.s.cfg.tlcp = &t->s;
	t->p.c.cfg.limits.plain_max = t->p.s.cfg.limits.plain_max = 2 * HF_TLCP_CIPHER_MAX;
	t->c.enc_cert = two.device.cert.der;
	t->c.enc_key = &two.device_key;
	t->s.enc_cert = two.server.cert.der;
	t->s.enc_key = &two.server_key;
	t->c.allow_cbc = t->s.allow_cbc = true;
	t->p.s.cfg.require_client_cert = true;
	/* Nonces of each end's own, so that an end alone says what it said beside the other. */
	t->c_local = (struct hf_local_key){ &dom.device.key, &t->p.c.rng };
	t->s_local = (struct hf_local_key){ &dom.server.key, &t->p.s.rng };
	t->c_signer = hf_signer_local(&t->c_local);
	t->s_signer = hf_signer_local(&t->s_local);
	t->p.c.cfg.signer = &t->c_signer;
	t->p.s.cfg.signer = &t->s_signer;
}

/* As expect_refusal(), for a pair that is set up already. */
static inline void tlcp_refusal(
	struct tlcp_pair *t, struct end *by, hf_err e, unsigned alert, const char *says)
{
	expect_refusal(&t->p, by, e, alert, says);
}

#endif
