/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of TLCP against each other: all suites, both roles, what a link can do. */
#include "tlcp_fixture.h"

static const struct {
	unsigned bit;
	const char *name;
} suites[] = {
	{ HF_TLCP_ECDHE_SM4_GCM_SM3, "ECDHE_SM4_GCM_SM3" },
	{ HF_TLCP_ECC_SM4_GCM_SM3, "ECC_SM4_GCM_SM3" },
	{ HF_TLCP_ECDHE_SM4_CBC_SM3, "ECDHE_SM4_CBC_SM3" },
	{ HF_TLCP_ECC_SM4_CBC_SM3, "ECC_SM4_CBC_SM3" },
};

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	return 0;
}

static void speaks_every_suite_in_any_pieces(void **state)
{
	static const size_t steps[] = { SIZE_MAX, 1, 2, 5, 6, 100, 1000 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		for (size_t k = 0; k < HF_COUNT(steps); k++) {
			struct tlcp_pair t;

			tlcp_init(&t);
			t.c.suites = suites[i].bit;
			pair_start(&t.p);
			pair_run(&t.p, steps[k]);
			if (hf_tls_error(&t.p.c.t) != HF_OK || hf_tls_error(&t.p.s.t) != HF_OK)
				fail_msg("%s: %s / %s", suites[i].name, hf_tls_why(&t.p.c.t)->text,
					hf_tls_why(&t.p.s.t)->text);
			assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
			assert_string_equal(hf_tlcp_suite_name(&t.p.c.t), suites[i].name);
			assert_string_equal(hf_tlcp_suite_name(&t.p.s.t), suites[i].name);
			assert_string_equal(hf_tls_peer(&t.p.c.t)->identity.id, "hub-1");
			assert_string_equal(hf_tls_peer(&t.p.s.t)->identity.id, "dev-7");
			say(&t.p.c, "ping");
			say(&t.p.s, "pong");
			pair_run(&t.p, steps[k]);
			hears(&t.p.s, "ping");
			hears(&t.p.c, "pong");
			assert_ok(hf_tls_close(&t.p.c.t));
			pair_run(&t.p, steps[k]);
			assert_err(hf_tls_eof(&t.p.s.t), HF_ERR_CLOSED);
			pair_clear(&t.p);
		}
	}
}

/* All bytes of one end, its records joined or cut again: the other end sees no difference. */
static void takes_records_cut_and_joined_anew(void **state)
{
	(void)state;
	for (size_t size = 1; size < 600; size = size * 3 + 1) {
		struct tlcp_pair t;
		struct hf_buf in;
		uint8_t *b;
		size_t len, at = 0;

		tlcp_init(&t);
		pair_start(&t.p);
		(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
		b = end_out(&t.p.s, &len);
		hf_buf_init(&in, &test_mem, 1 << 16);
		while (at < len) { /* the messages alone */
			size_t n = hf_tls_head_get(b + at).len;

			assert_ok(hf_buf_put(&in, b + at + TLCP_HEAD, n));
			at += TLCP_HEAD + n;
		}
		for (at = 0; at < in.len;) {
			size_t n = in.len - at < size ? in.len - at : size;
			uint8_t head[TLCP_HEAD] = { HF_TLS_HANDSHAKE, 1, 1, (uint8_t)(n >> 8),
				(uint8_t)n };

			end_feed(&t.p.c, head, sizeof(head), SIZE_MAX, 1000);
			end_feed(&t.p.c, in.p + at, n, SIZE_MAX, 1000);
			at += n;
		}
		free(b);
		hf_buf_clear(&in);
		pair_run(&t.p, SIZE_MAX);
		assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
		pair_clear(&t.p);
	}
}

static void bulk_data_arrives_whole_in_every_suite(void **state)
{
	static uint8_t sent[100000], got[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + (i >> 8));
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		struct tlcp_pair t;
		size_t at = 0, have = 0, n;

		tlcp_init(&t);
		t.c.suites = suites[i].bit;
		pair_open(&t.p);
		while (have < sizeof(got)) {
			n = sizeof(sent) - at < 30000 ? sizeof(sent) - at : 30000;
			assert_ok(hf_tls_write(&t.p.c.t, &n, sent + at, n));
			at += n;
			if (!move(&t.p, &t.p.c, &t.p.s, 4096))
				break;
			while (hf_tls_read(&t.p.s.t, &n, got + have, sizeof(got) - have) == HF_OK)
				have += n;
		}
		assert_int_equal(have, sizeof(got));
		assert_memory_equal(sent, got, sizeof(got));
		pair_clear(&t.p);
	}
}

static void a_client_without_certificate_is_served_where_that_is_allowed(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.p.c.cfg.n_chain = 0;
	t.c.enc_cert = (struct hf_bytes){ 0 };
	t.c.enc_key = NULL;
	t.p.s.cfg.require_client_cert = false;
	pair_open(&t.p);
	assert_string_equal(hf_tlcp_suite_name(&t.p.s.t), "ECC_SM4_GCM_SM3");
	assert_null(hf_tls_peer(&t.p.s.t));
	pair_clear(&t.p);
	t.p.s.cfg.ask_client_cert = false;
	pair_open(&t.p);
	pair_clear(&t.p);
	t.p.s.cfg.require_client_cert = true;
	tlcp_refusal(&t, &t.p.s, HF_ERR_AUTH, HF_ALERT_HANDSHAKE_FAILURE, "link.mutual");
}

static void a_signing_certificate_alone_does_for_the_static_exchange(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.c.enc_cert = (struct hf_bytes){ 0 };
	t.c.enc_key = NULL;
	pair_open(&t.p);
	assert_string_equal(hf_tlcp_suite_name(&t.p.s.t), "ECC_SM4_GCM_SM3");
	assert_string_equal(hf_tls_peer(&t.p.s.t)->identity.id, "dev-7");
	pair_clear(&t.p);
}

static void both_protocols_are_served_on_one_port(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.p.s.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
	pair_start(&t.p);
	pair_run(&t.p, 1);
	assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
	assert_non_null(hf_tlcp_suite_name(&t.p.s.t));
	pair_clear(&t.p);

	t.p.c.cfg.protocols = HF_TLS_13;
	pair_start(&t.p);
	pair_run(&t.p, 1);
	assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
	assert_null(hf_tlcp_suite_name(&t.p.s.t));
	pair_clear(&t.p);

	t.p.s.cfg.protocols = HF_TLS_TLCP;
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_UNSUPPORTED);
	assert_int_equal(hf_tls_alert_sent(&t.p.s.t), HF_ALERT_PROTOCOL_VERSION);
	assert_err(hf_tls_error(&t.p.c.t), HF_ERR_UNSUPPORTED);
	pair_clear(&t.p);
	t.p.s.cfg.protocols = HF_TLS_13;
	t.p.c.cfg.protocols = HF_TLS_TLCP;
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_UNSUPPORTED);
	assert_err(hf_tls_error(&t.p.c.t), HF_ERR_UNSUPPORTED);
	pair_clear(&t.p);
}

static void names_travel_where_they_are_asked_for(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	assert_null(hf_tls_server_name(&t.p.s.t));
	assert_null(hf_tls_alpn(&t.p.c.t));
	pair_clear(&t.p);
	t.c.extensions = true;
	pair_open(&t.p);
	assert_string_equal(hf_tls_server_name(&t.p.s.t), "hub.example");
	assert_string_equal(hf_tls_alpn(&t.p.c.t), "h2");
	assert_string_equal(hf_tls_alpn(&t.p.s.t), "h2");
	pair_clear(&t.p);
}

static void tolerances_suit_each_other(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.c.cke_prefix = true; /* the server takes both forms */
	pair_open(&t.p);
	pair_clear(&t.p);
	t.c.cv_raw = t.s.cv_raw = true;
	pair_open(&t.p);
	pair_clear(&t.p);
	t.s.cv_raw = false;
	tlcp_refusal(&t, &t.p.s, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, "signature");
}

static void sign_as_asked(struct end *e, struct hf_tlcp_tbs *tbs, const struct hf_signer *signer)
{
	uint8_t digest[HF_SM3_LEN];
	struct hf_tls_cv cv;
	struct hf_sm2_sig sig;

	assert_int_equal(hf_tls_wants(&e->t) & HF_WANT_SIGN, HF_WANT_SIGN);
	assert_err(hf_tls_sign_get(&e->t, &cv), HF_ERR_UNSUPPORTED);
	assert_ok(hf_tlcp_sign_get(&e->t, tbs));
	assert_ok(hf_tlcp_tbs_digest(digest, tbs, &signer->pub));
	assert_ok(signer->sign_digest(signer->ctx, digest, &sig));
	assert_ok(hf_tls_sign_done(&e->t, &sig));
}

static void the_key_may_live_elsewhere_on_both_sides(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tlcp_pair t;
		struct hf_tlcp_tbs tbs;

		tlcp_init(&t);
		t.c.suites = suites[i].bit;
		t.p.c.cfg.signer = t.p.s.cfg.signer = NULL;
		pair_start(&t.p);
		pair_run(&t.p, SIZE_MAX);
		assert_err(hf_tlcp_sign_get(&t.p.c.t, &tbs), HF_ERR_STATE);
		sign_as_asked(&t.p.s, &tbs, &dom.server.signer);
		assert_int_equal(tbs.kind, i == 0 ? HF_TLCP_TBS_ECDHE : HF_TLCP_TBS_ECC);
		pair_run(&t.p, SIZE_MAX);
		sign_as_asked(&t.p.c, &tbs, &dom.device.signer);
		assert_int_equal(tbs.kind, HF_TLCP_TBS_VERIFY);
		pair_run(&t.p, SIZE_MAX);
		assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
		pair_clear(&t.p);
	}
}

static void what_tlcp_does_not_have_is_refused_and_nothing_breaks(void **state)
{
	struct tlcp_pair t;
	uint8_t b[16];

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	assert_err(hf_tls_key_update(&t.p.c.t, true), HF_ERR_UNSUPPORTED);
	assert_err(hf_tls_export(&t.p.c.t, b, sizeof(b), "l", NULL, 0), HF_ERR_UNSUPPORTED);
	say(&t.p.c, "ping");
	pair_run(&t.p, SIZE_MAX);
	hears(&t.p.s, "ping");
	pair_clear(&t.p);
}

static void keys_end_with_the_link_that_has_no_others(void **state)
{
	struct tlcp_pair t;
	size_t used;

	(void)state;
	tlcp_init(&t);
	t.p.c.cfg.limits.rekey_records = 3; /* one was Finished */
	pair_open(&t.p);
	say(&t.p.c, "1");
	say(&t.p.c, "2");
	assert_err(hf_tls_write(&t.p.c.t, &used, (const uint8_t *)"3", 1), HF_ERR_LIMIT);
	pair_run(&t.p, SIZE_MAX);
	hears(&t.p.s, "12");
	assert_int_equal(hf_tls_alert_got(&t.p.s.t), HF_ALERT_USER_CANCELED);
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_NET);
	pair_clear(&t.p);

	t.p.c.cfg.limits.rekey_records = 1 << 24;
	t.p.c.cfg.limits.rekey_ms = 5000;
	pair_open(&t.p);
	assert_int_equal(hf_tls_deadline(&t.p.c.t), t.p.now_ms + 5000);
	assert_ok(hf_tls_feed(&t.p.c.t, &used, NULL, 0, t.p.now_ms + 4999));
	assert_err(hf_tls_feed(&t.p.c.t, &used, NULL, 0, t.p.now_ms + 5000), HF_ERR_LIMIT);
	pair_clear(&t.p);
}

/* The peer's number is bounded as ours is, and no record is sent or taken beyond it. */
static void record_numbers_stop_at_their_end(void **state)
{
	struct tlcp_pair t;
	size_t used;

	(void)state;
	tlcp_init(&t);
	t.p.c.cfg.limits.rekey_records = UINT64_MAX;
	pair_open(&t.p);
	t.p.c.t.tlcp->tx.n = t.p.s.t.tlcp->rx.n = HF_TLCP_RECORDS_MAX - 2;
	say(&t.p.c, "x");
	assert_err(hf_tls_write(&t.p.c.t, &used, (const uint8_t *)"y", 1), HF_ERR_LIMIT);
	(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
	hears(&t.p.s, "x");
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_NET);
	pair_clear(&t.p);

	pair_open(&t.p);
	say(&t.p.c, "x");
	t.p.s.t.tlcp->rx.n = HF_TLCP_RECORDS_MAX;
	(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_LIMIT);
	pair_clear(&t.p);
}

static void an_idle_link_is_small(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		struct tlcp_pair t;
		size_t held;

		tlcp_init(&t);
		t.c.suites = suites[i].bit;
		pair_open(&t.p);
		hf_tls_trim(&t.p.s.t);
		assert_null(t.p.s.t.tlcp->hs);
		assert_null(t.p.s.t.rec.p);
		assert_null(t.p.s.t.msg.p);
		assert_null(t.p.s.t.plain.p);
		assert_null(t.p.s.t.out.p);
		held = sizeof(t.p.s.t) + sizeof(*t.p.s.t.tlcp) + t.p.s.t.peer_der.cap;
		print_message("an idle link holds %zu bytes\n", held);
		assert_true(held <= 8192);
		pair_clear(&t.p);
	}
}

static bool converse(struct tlcp_pair *t)
{
	size_t used;

	pair_start(&t->p);
	if (t->p.c.err != HF_OK || t->p.s.err != HF_OK)
		return false;
	pair_run(&t->p, 100);
	if (!hf_tls_is_open(&t->p.c.t) || !hf_tls_is_open(&t->p.s.t))
		return false;
	if (hf_tls_write(&t->p.c.t, &used, (const uint8_t *)"data", 4) != HF_OK)
		return false;
	pair_run(&t->p, SIZE_MAX);
	return hf_tls_error(&t->p.s.t) == HF_OK &&
	       hf_tls_plain(&t->p.s.t, &(const uint8_t *){ 0 }) == 4;
}

static void each_missing_allocation_is_survived(void **state)
{
	unsigned n = 0;
	bool is_done = false;

	(void)state;
	while (!is_done) {
		struct tlcp_pair t;

		tlcp_init(&t);
		t.p.s.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
		t.c.cv_raw = t.s.cv_raw = true;
		test_mem_fail_at(++n);
		is_done = converse(&t);
		if (!is_done)
			assert_true(hf_tls_error(&t.p.c.t) == HF_ERR_NO_MEMORY ||
				    hf_tls_error(&t.p.s.t) == HF_ERR_NO_MEMORY);
		test_mem_fail_at(0);
		pair_clear(&t.p);
		assert_true(n < 300);
	}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_every_suite_in_any_pieces),
		cmocka_unit_test(takes_records_cut_and_joined_anew),
		cmocka_unit_test(bulk_data_arrives_whole_in_every_suite),
		cmocka_unit_test(a_client_without_certificate_is_served_where_that_is_allowed),
		cmocka_unit_test(a_signing_certificate_alone_does_for_the_static_exchange),
		cmocka_unit_test(both_protocols_are_served_on_one_port),
		cmocka_unit_test(names_travel_where_they_are_asked_for),
		cmocka_unit_test(tolerances_suit_each_other),
		cmocka_unit_test(the_key_may_live_elsewhere_on_both_sides),
		cmocka_unit_test(what_tlcp_does_not_have_is_refused_and_nothing_breaks),
		cmocka_unit_test(keys_end_with_the_link_that_has_no_others),
		cmocka_unit_test(record_numbers_stop_at_their_end),
		cmocka_unit_test(an_idle_link_is_small),
		cmocka_unit_test(each_missing_allocation_is_survived),
	};

	return run_both_ways(tests, start);
}
