/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of ours against each other: what a link can do, and whom it turns away. */
#include "tls_fixture.h"

static int start(void **state)
{
	(void)state;
	domain_init();
	return 0;
}

static void both_ends_open_and_know_each_other(void **state)
{
	struct pair p;
	uint8_t a[32], b[32];

	(void)state;
	pair_init(&p);
	pair_open(&p);
	assert_string_equal(hf_tls_peer(&p.c.t)->identity.id, "hub-1");
	assert_string_equal(hf_tls_peer(&p.s.t)->identity.id, "dev-7");
	assert_string_equal(hf_tls_alpn(&p.c.t), "h2");
	assert_string_equal(hf_tls_alpn(&p.s.t), "h2");
	assert_string_equal(hf_tls_server_name(&p.s.t), "hub.example");
	assert_false(hf_tls_is_self_signed(&p.s.t));
	assert_true(hf_bytes_eq(hf_tls_peer_der(&p.s.t, 0), dom.device.cert.der));
	say(&p.c, "ping");
	say(&p.s, "pong");
	pair_run(&p, SIZE_MAX);
	hears(&p.s, "ping");
	hears(&p.c, "pong");
	assert_ok(hf_tls_export(&p.c.t, a, sizeof(a), "EXPORTER-hufu", "x", 1));
	assert_ok(hf_tls_export(&p.s.t, b, sizeof(b), "EXPORTER-hufu", "x", 1));
	assert_memory_equal(a, b, sizeof(a));
	assert_ok(hf_tls_export(&p.s.t, b, sizeof(b), "EXPORTER-hufu", "y", 1));
	assert_memory_not_equal(a, b, sizeof(a));
	pair_clear(&p);
}

/* All bytes that cross, in order, must not depend on how they are cut. */
static void any_split_gives_the_same_bytes(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 5, 64, 100, 1000, SIZE_MAX };
	uint8_t first[HF_SM3_LEN] = { 0 };
	uint8_t digest[HF_SM3_LEN];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(steps); i++) {
		struct pair p;
		struct hf_sm3 h;
		bool any = true;

		hf_sm3_init(&h);
		pair_init(&p);
		pair_start(&p);
		while (any) {
			any = false;
			for (int side = 0; side < 2; side++) {
				struct end *from = side == 0 ? &p.c : &p.s;
				struct end *to = side == 0 ? &p.s : &p.c;
				size_t len;
				uint8_t *b = end_out(from, &len);

				hf_sm3_feed(&h, b, len);
				end_feed(to, b, len, steps[i], 0);
				any |= len > 0;
				free(b);
			}
		}
		assert_true(hf_tls_is_open(&p.c.t) && hf_tls_is_open(&p.s.t));
		hf_sm3_done(&h, digest);
		if (i == 0)
			memcpy(first, digest, sizeof(first));
		assert_memory_equal(first, digest, sizeof(first));
		pair_clear(&p);
	}
}

/* Cuts the client's whole flight after the server's at every place. */
static void every_cut_in_two_gives_the_same(void **state)
{
	struct pair p;
	size_t len = 1;

	(void)state;
	for (size_t cut = 1; cut < len; cut += 13) {
		uint8_t *b;

		pair_init(&p);
		pair_start(&p);
		(void)move(&p, &p.c, &p.s, SIZE_MAX);
		b = end_out(&p.s, &len);
		end_feed(&p.c, b, cut, SIZE_MAX, 0);
		assert_ok(p.c.err);
		assert_false(hf_tls_is_open(&p.c.t));
		end_feed(&p.c, b + cut, len - cut, SIZE_MAX, 0);
		assert_true(hf_tls_is_open(&p.c.t));
		free(b);
		pair_clear(&p);
	}
	pair_init(&p);
	pair_start(&p);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	free(end_out(&p.s, &len));
	assert_true(len > 500);
	pair_clear(&p);
}

static void bulk_data_arrives_through_small_queues(void **state)
{
	static uint8_t sent[300000], got[300000];
	struct pair p;
	size_t at = 0, have = 0;
	bool was_partial = false;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + (i >> 8));
	pair_init(&p);
	p.c.cfg.limits.out_max = 20000;
	p.s.cfg.limits.plain_max = HF_TLS_CIPHER_MAX;
	pair_open(&p);
	while (have < sizeof(got)) {
		const uint8_t *out;
		size_t used, n;

		assert_ok(hf_tls_write(&p.c.t, &used, sent + at, sizeof(sent) - at));
		was_partial |= used < sizeof(sent) - at;
		at += used;
		n = hf_tls_out(&p.c.t, &out);
		assert_true(n <= 20000 + HF_TLS_RECORD_MAX);
		assert_ok(hf_tls_feed(&p.s.t, &used, out, n, 0));
		hf_tls_sent(&p.c.t, used);
		while (hf_tls_read(&p.s.t, &n, got + have, 7777) == HF_OK)
			have += n;
	}
	assert_true(was_partial);
	assert_memory_equal(sent, got, sizeof(got));
	pair_clear(&p);
}

static void a_reader_that_does_not_read_stops_the_writer(void **state)
{
	static uint8_t data[70000];
	struct pair p;
	size_t used, n;
	const uint8_t *out;

	(void)state;
	pair_init(&p);
	pair_open(&p);
	assert_ok(hf_tls_write(&p.c.t, &used, data, sizeof(data)));
	n = hf_tls_out(&p.c.t, &out);
	assert_ok(hf_tls_feed(&p.s.t, &used, out, n, 0));
	assert_true(used < n);
	assert_false(hf_tls_wants(&p.s.t) & HF_WANT_READ);
	assert_true(hf_tls_wants(&p.s.t) & HF_WANT_TAKE);
	assert_true(p.s.t.plain.len <= p.s.cfg.limits.plain_max);
	hf_tls_took(&p.s.t, SIZE_MAX);
	assert_true(hf_tls_wants(&p.s.t) & HF_WANT_READ);
	pair_clear(&p);
}

static void padding_hides_lengths_and_is_removed(void **state)
{
	struct pair p;
	const uint8_t *out;

	(void)state;
	pair_init(&p);
	p.c.cfg.pad_to = 512;
	pair_open(&p);
	say(&p.c, "x");
	assert_int_equal(hf_tls_out(&p.c.t, &out), 512 + HF_TLS_OVERHEAD);
	pair_run(&p, SIZE_MAX);
	hears(&p.s, "x");
	pair_clear(&p);
}

static void retry_works_with_and_without_cookie(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 8; how++) {
		struct pair p;

		pair_init(&p);
		p.c.cfg.defer_share = true;
		p.s.cfg.retry_cookie = (how & 1) != 0;
		p.c.cfg.middlebox = (how & 2) != 0;
		p.s.cfg.require_client_cert = p.s.cfg.ask_client_cert = (how & 4) != 0;
		pair_open(&p);
		assert_true((hf_tls_peer(&p.s.t) != NULL) == ((how & 4) != 0));
		pair_clear(&p);
	}
}

static void middlebox_mode_sends_change_cipher_spec(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.middlebox = true;
	pair_open(&p);
	assert_int_equal(p.c.t.n_ccs, 1);
	assert_int_equal(p.s.t.n_ccs, 1);
	say(&p.c, "ping");
	pair_run(&p, 1);
	hears(&p.s, "ping");
	pair_clear(&p);
}

static void the_key_may_live_elsewhere_on_both_sides(void **state)
{
	struct pair p;
	struct hf_tls_cv cv;
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm2_sig sig;

	(void)state;
	pair_init(&p);
	p.c.cfg.signer = p.s.cfg.signer = NULL;
	pair_start(&p);
	pair_run(&p, SIZE_MAX);
	assert_int_equal(hf_tls_wants(&p.s.t) & HF_WANT_SIGN, HF_WANT_SIGN);
	assert_err(hf_tls_sign_get(&p.c.t, &cv), HF_ERR_STATE);
	assert_ok(hf_tls_sign_get(&p.s.t, &cv));
	assert_int_equal(cv.role, HF_TLS_SERVER);
	assert_ok(hf_tls_cv_digest(digest, &cv, &dom.server.signer.pub));
	assert_ok(dom.server.signer.sign_digest(dom.server.signer.ctx, digest, &sig));
	assert_ok(hf_tls_sign_done(&p.s.t, &sig));
	pair_run(&p, SIZE_MAX);
	assert_int_equal(hf_tls_wants(&p.c.t) & HF_WANT_SIGN, HF_WANT_SIGN);
	assert_ok(hf_tls_sign_get(&p.c.t, &cv));
	assert_int_equal(cv.role, HF_TLS_CLIENT);
	assert_ok(hf_tls_cv_digest(digest, &cv, &dom.device.signer.pub));
	assert_ok(dom.device.signer.sign_digest(dom.device.signer.ctx, digest, &sig));
	assert_ok(hf_tls_sign_done(&p.c.t, &sig));
	pair_run(&p, SIZE_MAX);
	assert_true(hf_tls_is_open(&p.c.t) && hf_tls_is_open(&p.s.t));
	pair_clear(&p);
}

static void no_signature_ends_the_link(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.s.cfg.signer = NULL;
	pair_start(&p);
	pair_run(&p, SIZE_MAX);
	assert_err(hf_tls_sign_failed(&p.s.t, HF_ERR_TIMEOUT), HF_ERR_TIMEOUT);
	pair_run(&p, SIZE_MAX);
	assert_err(hf_tls_error(&p.s.t), HF_ERR_TIMEOUT);
	assert_int_equal(hf_tls_alert_got(&p.c.t), HF_ALERT_INTERNAL_ERROR);
	pair_clear(&p);
}

static void a_wrong_signature_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.s.cfg.chain = dom.device_chain; /* certificate of one, key of another: own fault */
	p.c.start.server_name = NULL;
	expect_refusal(&p, &p.s, HF_ERR_ARG, HF_ALERT_INTERNAL_ERROR, "not that of the key");

	for (int side = 0; side < 2; side++) {
		struct end *by = side == 0 ? &p.c : &p.s;
		struct hf_signer liar = dom.stranger.signer;

		pair_init(&p);
		liar.pub = side == 0 ? dom.server.key.pub : dom.device.key.pub;
		if (side == 0)
			p.s.cfg.signer = &liar;
		else
			p.c.cfg.signer = &liar;
		expect_refusal(&p, by, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, "signature");
	}
}

static void unknown_authorities_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.roots = &dom.other_ca.cert;
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "certificate");
	pair_init(&p);
	p.c.cfg.chain = dom.stranger_chain;
	p.c.cfg.signer = &dom.stranger.signer;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "certificate");
	pair_init(&p);
	p.c.cfg.n_roots = 0;
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "certificate");
}

static void certificates_out_of_time_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.start.now_s = NOW_S + 3 * DAY_S;
	expect_refusal(&p, &p.c, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, NULL);
	pair_init(&p);
	p.s.start.now_s = NOW_S - 3 * DAY_S;
	expect_refusal(&p, &p.s, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, NULL);
}

static void certificates_for_something_else_are_refused(void **state)
{
	struct party enc = { 0 };
	struct hf_bytes chain[1];
	struct hf_cert_spec spec;
	struct pair p;

	(void)state;
	party_init(&enc, "enc");
	spec = party_spec(&enc, &dom.ca);
	spec.key_usage = HF_KU_ENCRYPT;
	party_issue(&enc, &spec, &dom.ca);
	chain[0] = enc.cert.der;
	pair_init(&p);
	p.c.cfg.chain = chain;
	p.c.cfg.signer = &enc.signer;
	expect_refusal(&p, &p.s, HF_ERR_PURPOSE, HF_ALERT_UNSUPPORTED_CERTIFICATE, NULL);

	spec = party_spec(&enc, &dom.ca);
	spec.eku = HF_EKU_CLIENT;
	party_issue(&enc, &spec, &dom.ca);
	chain[0] = enc.cert.der;
	pair_init(&p);
	p.s.cfg.chain = chain;
	p.s.cfg.signer = &enc.signer;
	expect_refusal(&p, &p.c, HF_ERR_PURPOSE, HF_ALERT_UNSUPPORTED_CERTIFICATE, NULL);
	hf_cert_clear(&enc.cert);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	static struct party cas[HF_CHAIN_MAX - 1]; /* between root and leaf: one too many */
	struct party leaf = { 0 };
	struct hf_bytes chain[HF_CHAIN_MAX];
	const struct party *issuer = &dom.ca;
	struct hf_cert_spec spec;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(cas); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "CA %zu", i);
		party_init(&cas[i], name);
		spec = ca_spec(&cas[i], issuer);
		party_issue(&cas[i], &spec, issuer);
		chain[HF_COUNT(cas) - i] = cas[i].cert.der;
		issuer = &cas[i];
	}
	party_init(&leaf, "deep");
	spec = party_spec(&leaf, issuer);
	party_issue(&leaf, &spec, issuer);
	chain[0] = leaf.cert.der;
	pair_init(&p);
	p.c.cfg.chain = chain;
	p.c.cfg.n_chain = HF_CHAIN_MAX;
	p.c.cfg.signer = &leaf.signer;
	expect_refusal(&p, &p.s, HF_ERR_LIMIT, HF_ALERT_UNKNOWN_CA,
		"CN=deep: its path is longer than 6 certificates");
	hf_cert_clear(&leaf.cert);
	for (size_t i = 0; i < HF_COUNT(cas); i++)
		hf_cert_clear(&cas[i].cert);
}

static void the_wrong_peer_is_refused(void **state)
{
	const struct hf_identity_want hub = { .roles = HF_ROLE_HUB, .domain = "plant" };
	const struct hf_identity_want edge = { .roles = HF_ROLE_EDGE };
	const struct hf_identity_want high = { .level = HF_L2 };
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.start.server_name = "edge.example";
	expect_refusal(&p, &p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
	pair_init(&p);
	p.c.start.want = &edge;
	expect_refusal(&p, &p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
	pair_init(&p);
	p.s.start.want = &high; /* the device works at L1 */
	expect_refusal(&p, &p.s, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
	pair_init(&p);
	p.c.start.want = &hub;
	p.c.start.server_name = NULL;
	pair_open(&p);
	assert_null(hf_tls_server_name(&p.s.t));
	pair_clear(&p);
}

static void revoked_and_unproven_certificates_are_refused(void **state)
{
	struct hf_crl crl;
	struct hf_buf der;
	struct pair p;

	(void)state;
	list_make(&crl, &der, dom.device.cert.serial, 100);
	pair_init(&p);
	p.s.cfg.crls = &crl;
	p.s.cfg.n_crls = 1;
	expect_refusal(&p, &p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	pair_init(&p);
	p.s.cfg.need_crl = true;
	p.s.cfg.crl_age_max_s = 3600;
	expect_refusal(&p, &p.s, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN, NULL);
	hf_buf_clear(&der);
}

static void a_client_without_certificate_is_refused_where_one_is_required(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.n_chain = 0;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_CERTIFICATE_REQUIRED, "no certificate");
	pair_init(&p);
	p.c.cfg.n_chain = 0;
	p.s.cfg.require_client_cert = false;
	pair_open(&p);
	assert_null(hf_tls_peer(&p.s.t));
	pair_clear(&p);
}

static void a_self_signed_client_comes_in_by_enrolment_alone(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.chain = dom.lonely_chain;
	p.c.cfg.signer = &dom.lonely.signer;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);

	pair_init(&p);
	p.c.cfg.chain = dom.lonely_chain;
	p.c.cfg.signer = &dom.lonely.signer;
	p.s.cfg.enrol = true;
	pair_open(&p);
	assert_true(hf_tls_is_self_signed(&p.s.t));
	assert_memory_equal(&hf_tls_peer(&p.s.t)->key, &dom.lonely.key.pub, 64);
	pair_clear(&p);

	pair_init(&p); /* one of the domain is not marked */
	p.s.cfg.enrol = true;
	pair_open(&p);
	assert_false(hf_tls_is_self_signed(&p.s.t));
	pair_clear(&p);

	pair_init(&p); /* of a foreign CA: neither */
	p.c.cfg.chain = dom.stranger_chain;
	p.c.cfg.signer = &dom.stranger.signer;
	p.s.cfg.enrol = true;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);

	pair_init(&p); /* self-signed, but the key of another */
	p.c.cfg.chain = dom.lonely_chain;
	p.s.cfg.enrol = true;
	struct hf_signer liar = dom.stranger.signer;
	liar.pub = dom.lonely.key.pub;
	p.c.cfg.signer = &liar;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, NULL);

	pair_init(&p); /* self-signed, out of time */
	p.c.cfg.chain = dom.lonely_chain;
	p.c.cfg.signer = &dom.lonely.signer;
	p.s.cfg.enrol = true;
	p.s.start.now_s = NOW_S + 9 * DAY_S;
	pair_start(&p);
	pair_run(&p, SIZE_MAX);
	assert_int_not_equal(hf_tls_error(&p.s.t), HF_OK);
	pair_clear(&p);

	pair_init(&p); /* a self-signed server never */
	p.s.cfg.chain = dom.lonely_chain;
	p.s.cfg.signer = &dom.lonely.signer;
	p.c.cfg.enrol = true;
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);
}

static void a_pinned_root_is_found_in_what_the_server_presents(void **state)
{
	uint8_t pin[HF_SM3_LEN];
	struct pair p;

	(void)state;
	hf_cert_fingerprint(pin, &dom.ca.cert);
	pair_init(&p);
	p.c.cfg.roots = NULL;
	p.c.cfg.n_roots = 0;
	p.c.cfg.root_pin = pin;
	p.s.cfg.n_chain = 2;
	pair_open(&p);
	pair_clear(&p);

	pair_init(&p); /* the server does not send its root */
	p.c.cfg.root_pin = pin;
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "root CA");

	pair_init(&p); /* it is another root */
	pin[0] ^= 1;
	p.c.cfg.root_pin = pin;
	p.s.cfg.n_chain = 2;
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "root CA");
}

static void protocols_in_common_are_needed_only_if_both_name_some(void **state)
{
	static const char *const other[] = { "mqtt" };
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.alpn = other;
	p.c.cfg.n_alpn = 1;
	expect_refusal(&p, &p.s, HF_ERR_UNSUPPORTED, HF_ALERT_NO_APPLICATION_PROTOCOL, NULL);
	pair_init(&p);
	p.c.cfg.n_alpn = 0;
	pair_open(&p);
	assert_null(hf_tls_alpn(&p.c.t));
	assert_null(hf_tls_alpn(&p.s.t));
	pair_clear(&p);
}

static void keys_are_updated_by_hand_and_by_limits(void **state)
{
	struct pair p;
	uint8_t before[HF_SM3_LEN];

	(void)state;
	pair_init(&p);
	pair_open(&p);
	memcpy(before, p.c.t.tx.secret, sizeof(before));
	assert_ok(hf_tls_key_update(&p.c.t, true));
	assert_memory_not_equal(before, p.c.t.tx.secret, sizeof(before));
	memcpy(before, p.c.t.rx.secret, sizeof(before));
	pair_run(&p, SIZE_MAX);
	assert_memory_not_equal(before, p.c.t.rx.secret, sizeof(before));
	assert_memory_equal(p.c.t.tx.secret, p.s.t.rx.secret, sizeof(before));
	say(&p.c, "after");
	say(&p.s, "too");
	pair_run(&p, SIZE_MAX);
	hears(&p.s, "after");
	hears(&p.c, "too");
	pair_clear(&p);

	pair_init(&p); /* every third record brings new keys, in both directions */
	p.c.cfg.limits.rekey_records = 3;
	pair_open(&p);
	for (int i = 0; i < 40; i++) {
		say(&p.c, "data");
		say(&p.s, "back");
		pair_run(&p, SIZE_MAX);
		hears(&p.s, "data");
		hears(&p.c, "back");
		assert_true(p.c.t.tx.gcm.count.n <= 3);
		assert_true(p.c.t.rx.gcm.count.n <= 4);
	}
	pair_clear(&p);

	pair_init(&p);
	p.c.cfg.limits.rekey_bytes = 100;
	pair_open(&p);
	memcpy(before, p.c.t.tx.secret, sizeof(before));
	for (int i = 0; i < 30; i++)
		say(&p.c, "0123456789");
	assert_memory_not_equal(before, p.c.t.tx.secret, sizeof(before));
	pair_clear(&p);
}

static void keys_age_with_the_clock(void **state)
{
	struct pair p;
	uint8_t before[HF_SM3_LEN];
	size_t used;

	(void)state;
	pair_init(&p);
	p.c.cfg.limits.rekey_ms = 5000;
	pair_open(&p);
	assert_int_equal(hf_tls_deadline(&p.c.t), HF_TLS_NEVER); /* nothing was protected yet */
	say(&p.c, "x");
	assert_int_equal(hf_tls_deadline(&p.c.t), p.now_ms + 5000);
	memcpy(before, p.c.t.tx.secret, sizeof(before));
	assert_ok(hf_tls_feed(&p.c.t, &used, NULL, 0, p.now_ms + 4999));
	assert_memory_equal(before, p.c.t.tx.secret, sizeof(before));
	assert_ok(hf_tls_feed(&p.c.t, &used, NULL, 0, p.now_ms + 5000));
	assert_memory_not_equal(before, p.c.t.tx.secret, sizeof(before));
	pair_run(&p, SIZE_MAX);
	hears(&p.s, "x");
	pair_clear(&p);
}

static void a_slow_handshake_is_given_up(void **state)
{
	struct pair p;
	size_t used;

	(void)state;
	pair_init(&p);
	pair_start(&p);
	assert_int_equal(hf_tls_deadline(&p.s.t), p.now_ms + p.s.cfg.limits.handshake_ms);
	assert_ok(hf_tls_feed(&p.s.t, &used, NULL, 0, p.now_ms + 14999));
	assert_err(hf_tls_feed(&p.s.t, &used, NULL, 0, p.now_ms + 15000), HF_ERR_TIMEOUT);
	assert_err(hf_tls_feed(&p.s.t, &used, NULL, 0, 0), HF_ERR_TIMEOUT);
	assert_int_equal(hf_tls_deadline(&p.s.t), HF_TLS_NEVER);
	pair_clear(&p);
}

static void closing_is_told_from_breaking(void **state)
{
	struct pair p;
	uint8_t b[8];
	size_t n;

	(void)state;
	pair_init(&p);
	pair_open(&p);
	say(&p.c, "last");
	assert_ok(hf_tls_close(&p.c.t));
	assert_ok(hf_tls_close(&p.c.t));
	assert_err(hf_tls_write(&p.c.t, &n, b, 1), HF_ERR_STATE);
	pair_run(&p, SIZE_MAX);
	say(&p.s, "still"); /* the other direction is still open */
	pair_run(&p, SIZE_MAX);
	hears(&p.c, "still");
	hears(&p.s, "last");
	assert_err(hf_tls_read(&p.s.t, &n, b, sizeof(b)), HF_ERR_CLOSED);
	assert_err(hf_tls_eof(&p.s.t), HF_ERR_CLOSED);
	assert_err(hf_tls_eof(&p.c.t), HF_ERR_TRUNCATED);
	assert_err(hf_tls_read(&p.c.t, &n, b, sizeof(b)), HF_ERR_TRUNCATED);
	pair_clear(&p);
}

static void who_stands_above_may_end_a_link_with_an_alert_of_its_own(void **state)
{
	struct pair p;
	uint8_t b = 0;
	size_t n;

	(void)state;
	pair_init(&p);
	pair_open(&p);
	assert_err(hf_tls_refuse(&p.s.t, HF_ALERT_ACCESS_DENIED, HF_ERR_DENIED, "not on the list"),
		HF_ERR_DENIED);
	assert_string_equal(hf_tls_why(&p.s.t)->text, "not on the list");
	assert_int_equal(hf_tls_alert_sent(&p.s.t), HF_ALERT_ACCESS_DENIED);
	assert_err(hf_tls_write(&p.s.t, &n, &b, 1), HF_ERR_DENIED); /* it sticks */
	assert_err(
		hf_tls_refuse(&p.s.t, HF_ALERT_INTERNAL_ERROR, HF_ERR_NET, "later"), HF_ERR_DENIED);
	pair_run(&p, SIZE_MAX);
	assert_int_equal(hf_tls_alert_got(&p.c.t), HF_ALERT_ACCESS_DENIED);
	assert_err(hf_tls_error(&p.c.t), HF_ERR_DENIED);
	pair_clear(&p);
}

static void an_end_in_the_handshake_is_a_failure(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_start(&p);
	assert_err(hf_tls_eof(&p.s.t), HF_ERR_TRUNCATED);
	pair_clear(&p);
	pair_init(&p);
	pair_start(&p);
	assert_ok(hf_tls_close(&p.c.t));
	pair_run(&p, SIZE_MAX);
	assert_err(hf_tls_error(&p.s.t), HF_ERR_NET);
	pair_clear(&p);
}

static void writing_waits_for_the_handshake(void **state)
{
	struct pair p;
	uint8_t b[4] = { 0 };
	size_t n = 9;

	(void)state;
	pair_init(&p);
	pair_start(&p);
	assert_err(hf_tls_write(&p.c.t, &n, b, sizeof(b)), HF_ERR_AGAIN);
	assert_int_equal(n, 0);
	assert_err(hf_tls_key_update(&p.c.t, false), HF_ERR_STATE);
	assert_err(hf_tls_export(&p.c.t, b, 4, "l", NULL, 0), HF_ERR_STATE);
	assert_err(hf_tls_read(&p.c.t, &n, b, sizeof(b)), HF_ERR_AGAIN);
	pair_run(&p, SIZE_MAX);
	assert_true(hf_tls_is_open(&p.c.t));
	pair_clear(&p);
}

static void an_idle_link_is_small(void **state)
{
	struct pair p;
	size_t held;

	(void)state;
	pair_init(&p);
	pair_open(&p);
	say(&p.c, "x");
	pair_run(&p, 1);
	hears(&p.s, "x");
	hf_tls_trim(&p.s.t);
	assert_null(p.s.t.hs);
	assert_null(p.s.t.rec.p);
	assert_null(p.s.t.msg.p);
	assert_null(p.s.t.plain.p);
	assert_null(p.s.t.out.p);
	held = sizeof(p.s.t) + p.s.t.peer_der.cap + p.s.t.sni.cap;
	print_message("an idle link holds %zu bytes\n", held);
	assert_true(held <= 8192);
	say(&p.c, "y");
	pair_run(&p, SIZE_MAX);
	hears(&p.s, "y");
	pair_clear(&p);
}

static void contradicting_configurations_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.s.cfg.n_chain = 0;
	pair_start(&p);
	assert_err(p.s.err, HF_ERR_ARG);
	pair_clear(&p);
	pair_init(&p);
	p.c.cfg.limits.plain_max = 100;
	pair_start(&p);
	assert_err(p.c.err, HF_ERR_ARG);
	pair_clear(&p);
	pair_init(&p);
	p.c.start.server_name = "";
	pair_start(&p);
	assert_err(p.c.err, HF_ERR_ARG);
	pair_clear(&p);
}

static void levels_set_the_limits(void **state)
{
	struct hf_tls_config cfg;

	(void)state;
	hf_tls_config_init(&cfg, HF_TLS_SERVER, HF_L3);
	assert_int_equal(cfg.limits.rekey_ms, 900000);
	assert_int_equal(cfg.limits.rekey_records, 1u << 22);
	assert_true(cfg.need_crl && cfg.require_client_cert);
	assert_int_equal(cfg.crl_age_max_s, 24 * 3600);
	hf_tls_config_init(&cfg, HF_TLS_CLIENT, HF_L1);
	assert_false(cfg.need_crl || cfg.require_client_cert);
}

/* One whole conversation; false as soon as something fails. */
static bool converse(struct pair *p)
{
	size_t used;

	pair_start(p);
	if (p->c.err != HF_OK || p->s.err != HF_OK)
		return false;
	pair_run(p, 100);
	if (!hf_tls_is_open(&p->c.t) || !hf_tls_is_open(&p->s.t))
		return false;
	if (hf_tls_write(&p->c.t, &used, (const uint8_t *)"data", 4) != HF_OK)
		return false;
	pair_run(p, SIZE_MAX);
	return hf_tls_error(&p->s.t) == HF_OK &&
	       hf_tls_plain(&p->s.t, &(const uint8_t *){ 0 }) == 4;
}

static void each_missing_allocation_is_survived(void **state)
{
	unsigned n = 0;
	bool is_done = false;

	(void)state;
	while (!is_done) {
		struct pair p;

		pair_init(&p);
		test_mem_fail_at(++n);
		is_done = converse(&p);
		if (!is_done)
			assert_true(hf_tls_error(&p.c.t) == HF_ERR_NO_MEMORY ||
				    hf_tls_error(&p.s.t) == HF_ERR_NO_MEMORY);
		test_mem_fail_at(0);
		pair_clear(&p);
		assert_true(n < 200);
	}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_open_and_know_each_other),
		cmocka_unit_test(any_split_gives_the_same_bytes),
		cmocka_unit_test(every_cut_in_two_gives_the_same),
		cmocka_unit_test(bulk_data_arrives_through_small_queues),
		cmocka_unit_test(a_reader_that_does_not_read_stops_the_writer),
		cmocka_unit_test(padding_hides_lengths_and_is_removed),
		cmocka_unit_test(retry_works_with_and_without_cookie),
		cmocka_unit_test(middlebox_mode_sends_change_cipher_spec),
		cmocka_unit_test(the_key_may_live_elsewhere_on_both_sides),
		cmocka_unit_test(no_signature_ends_the_link),
		cmocka_unit_test(a_wrong_signature_is_refused),
		cmocka_unit_test(unknown_authorities_are_refused),
		cmocka_unit_test(certificates_out_of_time_are_refused),
		cmocka_unit_test(certificates_for_something_else_are_refused),
		cmocka_unit_test(a_path_that_is_too_long_is_refused),
		cmocka_unit_test(the_wrong_peer_is_refused),
		cmocka_unit_test(revoked_and_unproven_certificates_are_refused),
		cmocka_unit_test(a_client_without_certificate_is_refused_where_one_is_required),
		cmocka_unit_test(a_self_signed_client_comes_in_by_enrolment_alone),
		cmocka_unit_test(a_pinned_root_is_found_in_what_the_server_presents),
		cmocka_unit_test(protocols_in_common_are_needed_only_if_both_name_some),
		cmocka_unit_test(keys_are_updated_by_hand_and_by_limits),
		cmocka_unit_test(keys_age_with_the_clock),
		cmocka_unit_test(a_slow_handshake_is_given_up),
		cmocka_unit_test(closing_is_told_from_breaking),
		cmocka_unit_test(who_stands_above_may_end_a_link_with_an_alert_of_its_own),
		cmocka_unit_test(an_end_in_the_handshake_is_a_failure),
		cmocka_unit_test(writing_waits_for_the_handshake),
		cmocka_unit_test(an_idle_link_is_small),
		cmocka_unit_test(contradicting_configurations_are_refused),
		cmocka_unit_test(levels_set_the_limits),
		cmocka_unit_test(each_missing_allocation_is_survived),
	};

	return run_both_ways(tests, start);
}
