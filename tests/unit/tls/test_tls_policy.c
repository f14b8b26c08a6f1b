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

		list_make(&crl, &der, (struct hf_bytes){ 0 }, max_s - HOUR_S);
		server_at(&p, (enum hf_level)level);
		p.s.cfg.crls = &crl;
		p.s.cfg.n_crls = 1;
		pair_open(&p);
		pair_clear(&p);
		hf_buf_clear(&der);
		list_make(&crl, &der, (struct hf_bytes){ 0 }, max_s + HOUR_S);
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

/* What a configuration may hold is asked before a byte is sent, in both roles. */
static void expect_denied(struct pair *p, const char *says)
{
	pair_start(p);
	assert_err(p->c.err, HF_ERR_DENIED);
	assert_err(p->s.err, HF_ERR_DENIED);
	assert_non_null(strstr(hf_tls_why(&p->c.t)->text, says));
	assert_non_null(strstr(hf_tls_why(&p->s.t)->text, says));
	assert_int_equal(hf_tls_out(&p->c.t, &(const uint8_t *){ NULL }), 0);
	pair_clear(p);
}

static void pair_at(struct pair *p, int level)
{
	pair_init(p);
	p->c.cfg.level = p->s.cfg.level = (enum hf_level)level;
}

static void suite_ccm(void **state)
{
	struct pair p;

	(void)state;
	for (int level = HF_L1; level <= HF_L2; level++) {
		pair_at(&p, level);
		p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITE_CCM;
		pair_open(&p);
		pair_clear(&p);
	}
	pair_at(&p, HF_L3);
	p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITES;
	expect_denied(&p, "suite.sm4-ccm");
}

static void resume_psk_ke(void **state)
{
	struct pair p;

	(void)state;
	pair_at(&p, HF_L1);
	p.c.cfg.psk_ke = p.s.cfg.psk_ke = true;
	pair_open(&p);
	pair_clear(&p);
	for (int level = HF_L2; level <= HF_L3; level++) {
		pair_at(&p, level);
		p.c.cfg.psk_ke = p.s.cfg.psk_ke = true;
		expect_denied(&p, "resume.psk-ke");
	}
}

static void link_external_psk(void **state)
{
	static const struct hf_tls_psk key = { { (const uint8_t *)"sensor", 6 },
		{ (const uint8_t *)"sixteen bytes ok", 16 } };
	struct pair p;

	(void)state;
	for (int level = HF_L1; level <= HF_L3; level++) {
		pair_at(&p, level);
		p.c.cfg.psks = p.s.cfg.psks = &key;
		p.c.cfg.n_psks = p.s.cfg.n_psks = 1;
		if (level != HF_L1) {
			expect_denied(&p, "link.external-psk");
			continue;
		}
		pair_open(&p);
		assert_int_equal(hf_tls_psk_identity(&p.s.t).len, 6);
		pair_clear(&p);
	}
}

/* resume.ticket-life: of a ticket of ours, and of what a client keeps of anybody's. */
static void tickets_live_as_long_as_the_row_says(void **state)
{
	static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = { 5 };
	struct hf_tls_once_mem *once = hf_tls_once_mem_new(&test_mem, 16);

	(void)state;
	for (int level = HF_L1; level <= HF_L3; level++) {
		uint64_t life_s = hf_policy(HF_ROW_TICKET_LIFE, (enum hf_level)level);
		struct hf_tls_session *s;
		struct hf_tls_tickets k;
		struct pair p;

		hf_tls_tickets_init(&k, secret, (enum hf_level)level);
		assert_int_equal(k.life_s, life_s);
		k.once = hf_tls_once_mem_get(once);
		k.life_s *= 2; /* a caller that asks for more does not get it */
		pair_at(&p, level);
		p.s.cfg.tickets = &k;
		p.c.cfg.keep_session = true;
		pair_open(&p);
		s = hf_tls_session_take(&p.c.t);
		pair_clear(&p);
		assert_non_null(s);
		assert_true(hf_tls_session_is_fit(s, NOW_S + life_s));
		assert_false(hf_tls_session_is_fit(s, NOW_S + life_s + 1));
		hf_tls_session_free(s);
	}
	hf_tls_once_mem_free(once);
}

static void resume_single_use(void **state)
{
	static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = { 5 };
	struct hf_tls_tickets k;
	struct pair p;

	(void)state;
	hf_tls_tickets_init(&k, secret, HF_L3);
	for (int level = HF_L1; level <= HF_L3; level++) {
		pair_at(&p, level);
		p.s.cfg.tickets = &k;
		pair_start(&p);
		assert_err(p.s.err, level == HF_L3 ? HF_ERR_DENIED : HF_OK);
		if (level == HF_L3)
			assert_non_null(strstr(hf_tls_why(&p.s.t)->text, "resume.single-use"));
		pair_clear(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_mutual),
		cmocka_unit_test(link_revocation_age),
		cmocka_unit_test(traffic_keys_live_as_long_as_the_rows_say),
		cmocka_unit_test(suite_ccm),
		cmocka_unit_test(resume_psk_ke),
		cmocka_unit_test(link_external_psk),
		cmocka_unit_test(tickets_live_as_long_as_the_row_says),
		cmocka_unit_test(resume_single_use),
	};

	return run_both_ways(tests, start);
}
