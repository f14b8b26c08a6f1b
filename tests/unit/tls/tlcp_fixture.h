/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of TLCP in one test: the parties of tls_fixture.h, each with a second certificate. */
#ifndef HF_TEST_TLCP_FIXTURE_H
#define HF_TEST_TLCP_FIXTURE_H

#include "tls_fixture.h"

#include "base/endian.h"
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

/* --- messages that are altered on their way --- */

/* Changes one clear message; body_len is that of the body, which may get shorter. */
typedef void (*alter_fn)(uint8_t *body, size_t *body_len);

struct alteration {
	uint8_t type;
	alter_fn alter;
	bool is_done;
};

static inline void pass_altered(
	struct pair *p, struct end *from, struct end *to, struct alteration *a)
{
	size_t len, at = 0;
	uint8_t *b = end_out(from, &len);

	while (at < len) {
		uint8_t *r = b + at;
		size_t n = hf_tls_head_get(r).len;
		size_t body_len = n - HF_TLS_MSG_HEAD_LEN;
		uint8_t copy[4096];

		at += TLCP_HEAD + n;
		if (a->is_done || r[0] != HF_TLS_HANDSHAKE || r[TLCP_HEAD] != a->type) {
			end_feed(to, r, TLCP_HEAD + n, SIZE_MAX, p->now_ms);
			continue;
		}
		a->is_done = true;
		assert_true(n + TLCP_HEAD <= sizeof(copy));
		memcpy(copy, r, TLCP_HEAD + n);
		a->alter(copy + TLCP_HEAD + HF_TLS_MSG_HEAD_LEN, &body_len);
		n = body_len + HF_TLS_MSG_HEAD_LEN;
		hf_put_be16(copy + 3, (uint16_t)n);
		copy[TLCP_HEAD + 2] = (uint8_t)(body_len >> 8);
		copy[TLCP_HEAD + 3] = (uint8_t)body_len;
		end_feed(to, copy, TLCP_HEAD + n, SIZE_MAX, p->now_ms);
	}
	free(b);
}

static inline void run_altered(struct pair *p, uint8_t type, alter_fn alter)
{
	struct alteration a = { type, alter, false };

	pair_start(p);
	for (int i = 0; i < 6; i++) {
		pass_altered(p, &p->c, &p->s, &a);
		pass_altered(p, &p->s, &p->c, &a);
	}
	assert_true(a.is_done);
}

static inline void altered_is_refused(struct tlcp_pair *t, uint8_t type, alter_fn alter,
	struct end *by, unsigned alert, const char *says)
{
	struct end *peer = by == &t->p.c ? &t->p.s : &t->p.c;

	run_altered(&t->p, type, alter);
	if (hf_tls_error(&by->t) == HF_OK || hf_tls_alert_sent(&by->t) != alert ||
		strstr(hf_tls_why(&by->t)->text, says) == NULL)
		fail_msg("alert %u: %s", hf_tls_alert_sent(&by->t), hf_tls_why(&by->t)->text);
	assert_false(hf_tls_is_open(&by->t) && hf_tls_is_open(&peer->t));
	pair_clear(&t->p);
}

/* --- records of the peer that the peer never sent --- */

/* As the other side would protect it at this moment. */
static inline void inject(struct end *e, enum hf_tls_type type, const uint8_t *in, size_t len)
{
	static uint8_t record[HF_TLCP_CIPHER_MAX + TLCP_HEAD];
	struct hf_tlcp_dir *dir = &e->t.tlcp->rx;
	struct hf_tlcp_dir copy = *dir;

	assert_ok(hf_tlcp_seal(&copy, record, type, in, len, &e->rng));
	end_feed(e, record, hf_tlcp_sealed_len(dir, len), SIZE_MAX, 1000);
}

static inline void must_fail(struct end *e, hf_err err, unsigned alert, const char *says)
{
	if (hf_tls_error(&e->t) != err || hf_tls_alert_sent(&e->t) != alert ||
		strstr(hf_tls_why(&e->t)->text, says) == NULL)
		fail_msg("0x%x, alert %u: %s", hf_tls_error(&e->t), hf_tls_alert_sent(&e->t),
			hf_tls_why(&e->t)->text);
}

#endif
