/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the level table that a link obeys: what falls short is refused with the row's name.
 */
#include "tls_fixture.h"

enum { HOUR_S = 3600 };

static int start(void **state)
{
	(void)state;
	domain_init();
	return 0;
}

/* A list of the device's issuer that was made so long ago and is good for long. */
static void make_crl(struct hf_buf *der, struct hf_crl *crl, uint64_t age_s)
{
	struct hf_crl_spec spec = { .issuer = dom.ca.subject,
		.this_update_s = NOW_S - age_s,
		.next_update_s = NOW_S + DAY_S,
		.number = 1 };

	hf_buf_init(der, &test_mem, 4096);
	assert_ok(hf_crl_build(der, &spec, &dom.ca.signer, NULL));
	assert_ok(hf_crl_parse(crl, der->p, der->len, NULL));
}

/* A server at a level; what does not depend on the level stays as the fixture has it. */
static void server_at(struct pair *p, enum hf_level level)
{
	struct hf_tls_config cfg;

	pair_init(p);
	hf_tls_config_init(&cfg, HF_TLS_SERVER, level);
	p->s.cfg.level = cfg.level;
	p->s.cfg.need_crl = cfg.need_crl;
	p->s.cfg.crl_age_max_s = cfg.crl_age_max_s;
	p->s.cfg.require_client_cert = cfg.require_client_cert;
}

static void link_mutual(void **state)
{
	struct pair p;

	(void)state;
	for (int level = HF_L1; level <= HF_L3; level++) {
		server_at(&p, (enum hf_level)level);
		p.c.cfg.n_chain = 0;
		expect_refusal(
			&p, &p.s, HF_ERR_AUTH, HF_ALERT_CERTIFICATE_REQUIRED, "link.mutual at L");
	}
}

static void link_revocation_age(void **state)
{
	struct hf_buf der;
	struct hf_crl crl;
	struct pair p;

	(void)state;
	server_at(&p, HF_L1);
	pair_open(&p); /* no list is asked for */
	pair_clear(&p);
	server_at(&p, HF_L2);
	expect_refusal(&p, &p.s, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN,
		"policy link.revocation-age at L2");
	for (int level = HF_L2; level <= HF_L3; level++) {
		uint64_t max_s = hf_policy(HF_ROW_REVOCATION_AGE, (enum hf_level)level);

		make_crl(&der, &crl, max_s - HOUR_S);
		server_at(&p, (enum hf_level)level);
		p.s.cfg.crls = &crl;
		p.s.cfg.n_crls = 1;
		pair_open(&p);
		pair_clear(&p);
		hf_buf_clear(&der);
		make_crl(&der, &crl, max_s + HOUR_S);
		server_at(&p, (enum hf_level)level);
		p.s.cfg.crls = &crl;
		p.s.cfg.n_crls = 1;
		expect_refusal(&p, &p.s, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN,
			"policy link.revocation-age at L");
		hf_buf_clear(&der);
	}
}

/* rekey.time, rekey.records, rekey.bytes: the engine takes over by itself, nothing is refused. */
static void traffic_keys_live_as_long_as_the_rows_say(void **state)
{
	struct hf_tls_config cfg;

	(void)state;
	for (int level = HF_L1; level <= HF_L3; level++) {
		hf_tls_config_init(&cfg, HF_TLS_CLIENT, (enum hf_level)level);
		assert_int_equal(cfg.limits.rekey_ms,
			1000 * hf_policy(HF_ROW_REKEY_TIME, (enum hf_level)level));
		assert_int_equal(cfg.limits.rekey_records,
			hf_policy(HF_ROW_REKEY_RECORDS, (enum hf_level)level));
		assert_int_equal(cfg.limits.rekey_bytes,
			hf_policy(HF_ROW_REKEY_BYTES, (enum hf_level)level));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_mutual),
		cmocka_unit_test(link_revocation_age),
		cmocka_unit_test(traffic_keys_live_as_long_as_the_rows_say),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
