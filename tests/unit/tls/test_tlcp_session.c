/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of TLCP: a dropped line costs one round trip, and no more trust than the first time. */
#include "tlcp_fixture.h"

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	return 0;
}

/* A pair whose server keeps sessions. */
static void init(struct tlcp_pair *t, struct hf_tlcp_store *store)
{
	tlcp_init(t);
	t->cache = hf_tlcp_store_cache(store);
	t->s.cache = &t->cache;
}

static void first_link(struct tlcp_pair *t, struct hf_tlcp_session *s)
{
	pair_open(&t->p);
	assert_false(hf_tlcp_is_resumed(&t->p.c.t));
	assert_ok(hf_tlcp_session_get(&t->p.c.t, s));
	pair_clear(&t->p);
}

/* Whether a link with this session is one of it, on both sides alike. */
static bool resumes(struct tlcp_pair *t, const struct hf_tlcp_session *s, size_t step)
{
	bool is;

	t->p.c.start.tlcp_session = s;
	pair_start(&t->p);
	pair_run(&t->p, step);
	if (!hf_tls_is_open(&t->p.c.t) || !hf_tls_is_open(&t->p.s.t))
		fail_msg("%s / %s", hf_tls_why(&t->p.c.t)->text, hf_tls_why(&t->p.s.t)->text);
	is = hf_tlcp_is_resumed(&t->p.c.t);
	assert_int_equal(hf_tlcp_is_resumed(&t->p.s.t), is);
	assert_string_equal(hf_tls_peer(&t->p.c.t)->identity.id, "hub-1");
	say(&t->p.c, "ping");
	say(&t->p.s, "pong");
	pair_run(&t->p, step);
	hears(&t->p.s, "ping");
	hears(&t->p.c, "pong");
	pair_clear(&t->p);
	t->p.c.start.tlcp_session = NULL;
	return is;
}

static void every_suite_is_resumed_in_any_pieces(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);

	(void)state;
	for (unsigned bit = 1; bit <= HF_TLCP_ECC_SM4_CBC_SM3; bit <<= 1) {
		struct hf_tlcp_session s;
		struct tlcp_pair t;

		init(&t, store);
		t.c.suites = bit;
		first_link(&t, &s);
		assert_true(resumes(&t, &s, SIZE_MAX));
		assert_true(resumes(&t, &s, 1));
		hf_tlcp_session_clear(&s);
	}
	hf_tlcp_store_free(store);
}

static void both_sides_still_know_each_other(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s, again;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	t.c.extensions = true;
	first_link(&t, &s);
	t.p.c.start.tlcp_session = &s;
	pair_open(&t.p);
	assert_true(hf_tlcp_is_resumed(&t.p.s.t));
	assert_string_equal(hf_tls_peer(&t.p.s.t)->identity.id, "dev-7");
	assert_string_equal(hf_tls_alpn(&t.p.s.t), "h2");
	assert_true(hf_bytes_eq(hf_tls_peer_der(&t.p.s.t, 0), dom.device.cert.der));
	/* A session that was resumed is no younger than it was. */
	assert_ok(hf_tlcp_session_get(&t.p.c.t, &again));
	assert_int_equal(again.made_s, s.made_s);
	assert_memory_equal(again.master, s.master, sizeof(s.master));
	pair_clear(&t.p);
	hf_tlcp_session_clear(&again);
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void a_session_is_not_resumed_at_another_level(void **state)
{
	static const uint8_t zeros[HF_TLCP_MASTER_LEN];
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s, other;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	first_link(&t, &s);

	/* The enhanced level has no keys without an exchange: a full handshake, and no session. */
	t.p.s.cfg.level = HF_L2;
	t.p.s.cfg.need_crl = false;
	assert_false(resumes(&t, &s, SIZE_MAX));
	t.p.c.cfg.level = HF_L2;
	t.p.c.cfg.need_crl = false;
	assert_false(resumes(&t, &s, SIZE_MAX));
	pair_open(&t.p);
	assert_err(hf_tlcp_session_get(&t.p.c.t, &other), HF_ERR_STATE);
	assert_memory_equal(t.p.c.t.tlcp->session.master, zeros, sizeof(zeros));
	assert_memory_equal(t.p.s.t.tlcp->session.master, zeros, sizeof(zeros));
	pair_clear(&t.p);

	/* And one that was stored under another level is none. */
	init(&t, store);
	other = s;
	other.level = HF_L2;
	memset(other.id, 7, sizeof(other.id));
	assert_ok(t.cache.put(t.cache.ctx, &other));
	assert_false(resumes(&t, &other, SIZE_MAX));
	other.level = HF_L1; /* the client's copy says so, the server knows better */
	assert_false(resumes(&t, &other, SIZE_MAX));
	assert_true(resumes(&t, &s, SIZE_MAX));
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void old_sessions_are_not_resumed(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	uint64_t life = hf_policy(HF_ROW_TICKET_LIFE, HF_L1);
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S - DAY_S / 2;
	first_link(&t, &s);
	t.p.s.start.now_s = NOW_S - DAY_S / 2 + life - 1;
	assert_true(resumes(&t, &s, SIZE_MAX));
	t.p.s.start.now_s++;
	assert_false(resumes(&t, &s, SIZE_MAX));
	t.p.s.start.now_s = NOW_S - DAY_S / 2 - 1; /* made in the future: the clock went back */
	assert_false(resumes(&t, &s, SIZE_MAX));
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void certificates_are_checked_again(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_identity_want want = { .id = "hub-2" };
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S + DAY_S - 10;
	first_link(&t, &s);
	t.p.c.start.tlcp_session = &s;
	t.p.s.start.now_s = NOW_S + DAY_S + 1; /* expired meanwhile */
	tlcp_refusal(&t, &t.p.s, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, NULL);
	t.p.s.start.now_s = NOW_S + DAY_S - 5;
	t.p.c.start.now_s = NOW_S + DAY_S + 1;
	tlcp_refusal(&t, &t.p.c, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, NULL);
	t.p.c.start.now_s = NOW_S + DAY_S - 5;
	t.p.c.start.want = &want; /* another one is wanted now */
	tlcp_refusal(&t, &t.p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
	t.p.c.start.want = NULL;
	t.p.s.cfg.roots = &dom.other_ca.cert; /* the root is not believed any more */
	tlcp_refusal(&t, &t.p.s, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void revocation_ends_a_session(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s;
	struct tlcp_pair t;
	struct hf_buf der;
	struct hf_crl crl;

	(void)state;
	list_make(&crl, &der, dom.device.cert.serial, 100);
	init(&t, store);
	first_link(&t, &s);
	t.p.c.start.tlcp_session = &s;
	t.p.s.cfg.crls = &crl;
	t.p.s.cfg.n_crls = 1;
	tlcp_refusal(&t, &t.p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	hf_buf_clear(&der);
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void a_session_without_certificate_does_not_replace_one(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	t.p.s.cfg.require_client_cert = t.p.s.cfg.ask_client_cert = false;
	first_link(&t, &s);
	assert_true(resumes(&t, &s, SIZE_MAX));
	t.p.s.cfg.require_client_cert = true;
	assert_false(resumes(&t, &s, SIZE_MAX));
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void a_session_keeps_its_suite(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t, store);
	first_link(&t, &s);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3; /* is not offered any more */
	assert_false(resumes(&t, &s, SIZE_MAX));
	t.c.suites = 0;
	t.s.suites = HF_TLCP_ECC_SM4_GCM_SM3; /* is not served any more */
	assert_false(resumes(&t, &s, SIZE_MAX));
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void a_false_secret_is_found_out_and_the_session_forgotten(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s;
	struct tlcp_pair t;
	static const uint8_t wrong[] = { HF_TLS_MSG_FINISHED, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0 };
	static const uint8_t change[] = { HF_TLS_CCS, 1, 1, 0, 1, 1 };
	uint8_t record[64];
	struct hf_tlcp_dir dir;

	(void)state;
	init(&t, store);
	first_link(&t, &s);
	s.master[5] ^= 1; /* somebody who has seen the id, and not the secret */
	t.p.c.start.tlcp_session = &s;
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.c.t), HF_ERR_AUTH);
	assert_int_not_equal(hf_tls_error(&t.p.s.t), HF_OK);
	pair_clear(&t.p);

	s.master[5] ^= 1;
	assert_true(resumes(&t, &s, SIZE_MAX)); /* such a one ends nobody else's session */
	t.p.c.start.tlcp_session = &s;
	pair_start(&t.p);
	(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
	end_feed(&t.p.s, change, sizeof(change), SIZE_MAX, 1000);
	dir = t.p.s.t.tlcp->rx;
	assert_ok(hf_tlcp_seal(&dir, record, HF_TLS_HANDSHAKE, wrong, sizeof(wrong), &t.p.s.rng));
	end_feed(&t.p.s, record, hf_tlcp_sealed_len(&dir, sizeof(wrong)), SIZE_MAX, 1000);
	assert_int_equal(hf_tls_alert_sent(&t.p.s.t), HF_ALERT_DECRYPT_ERROR);
	pair_clear(&t.p);
	assert_false(resumes(&t, &s, SIZE_MAX));
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

static void the_store_is_bounded_and_forgets_the_oldest(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 2);
	struct hf_tlcp_session s[3];
	struct tlcp_pair t;

	(void)state;
	assert_null(hf_tlcp_store_new(&test_mem, 0));
	assert_null(hf_tlcp_store_new(&test_mem, (size_t)HF_TLCP_SESSIONS_MAX + 1));
	init(&t, store);
	for (size_t i = 0; i < HF_COUNT(s); i++)
		first_link(&t, &s[i]);
	assert_true(resumes(&t, &s[1], SIZE_MAX));
	assert_true(resumes(&t, &s[2], SIZE_MAX));
	assert_false(resumes(&t, &s[0], SIZE_MAX));
	t.cache.drop(t.cache.ctx, (struct hf_bytes){ s[2].id, s[2].id_len });
	assert_false(resumes(&t, &s[2], SIZE_MAX));
	for (size_t i = 0; i < HF_COUNT(s); i++)
		hf_tlcp_session_clear(&s[i]);
	hf_tlcp_store_free(store);
	hf_tlcp_store_free(NULL);
}

static void each_missing_allocation_costs_a_handshake_at_most(void **state)
{
	struct hf_tlcp_store *store = NULL;
	bool is_done = false;

	(void)state;
	for (unsigned n = 1; !is_done; n++) {
		struct hf_tlcp_session s = { 0 };
		struct tlcp_pair t;

		assert_true(n < 400);
		test_mem_fail_at(n);
		store = hf_tlcp_store_new(&test_mem, 2);
		if (store != NULL) {
			init(&t, store);
			pair_start(&t.p);
			pair_run(&t.p, SIZE_MAX);
			if (hf_tlcp_session_get(&t.p.c.t, &s) == HF_OK)
				t.p.c.start.tlcp_session = &s;
			pair_clear(&t.p);
			pair_start(&t.p);
			pair_run(&t.p, SIZE_MAX);
			is_done = hf_tlcp_is_resumed(&t.p.c.t) && n > 30;
			test_mem_fail_at(0);
			pair_clear(&t.p);
		}
		test_mem_fail_at(0);
		hf_tlcp_session_clear(&s);
		hf_tlcp_store_free(store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_is_resumed_in_any_pieces),
		cmocka_unit_test(both_sides_still_know_each_other),
		cmocka_unit_test(a_session_is_not_resumed_at_another_level),
		cmocka_unit_test(old_sessions_are_not_resumed),
		cmocka_unit_test(certificates_are_checked_again),
		cmocka_unit_test(revocation_ends_a_session),
		cmocka_unit_test(a_session_without_certificate_does_not_replace_one),
		cmocka_unit_test(a_session_keeps_its_suite),
		cmocka_unit_test(a_false_secret_is_found_out_and_the_session_forgotten),
		cmocka_unit_test(the_store_is_bounded_and_forgets_the_oldest),
		cmocka_unit_test(each_missing_allocation_costs_a_handshake_at_most),
	};

	return run_both_ways(tests, start);
}
