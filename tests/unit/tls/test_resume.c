/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets and sessions: what resumes a link, and everything that must not. */
#include "tls_fixture.h"

#include "tls/resume.h"

enum { HOUR_S = 3600, LIFE_S = 12 * HOUR_S };

static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = "the secret of the ticket keys..";
static struct hf_tls_tickets keys;

static int start(void **state)
{
	(void)state;
	domain_init();
	hf_tls_tickets_init(&keys, secret, HF_L1);
	keys.life_s = LIFE_S; /* less than that of the fixture's certificates */
	return 0;
}

/* A pair that resumes: the session, if any, is offered. */
static void resumable(struct pair *p, struct hf_tls_session *s)
{
	pair_init(p);
	p->s.cfg.tickets = &keys;
	p->c.cfg.keep_session = true;
	p->c.start.session = s;
}

/* Opens the pair and gives the session that the server's ticket made. */
static struct hf_tls_session *session_of(struct pair *p)
{
	struct hf_tls_session *s;

	pair_open(p);
	s = hf_tls_session_take(&p->c.t);
	assert_non_null(s);
	assert_null(hf_tls_session_take(&p->c.t));
	pair_clear(p);
	return s;
}

static struct hf_tls_session *fresh_session(void)
{
	struct pair p;

	resumable(&p, NULL);
	return session_of(&p);
}

/* Opens, says whether it was resumed, and that data flows. */
static void expect_open(struct pair *p, bool is_resumed)
{
	pair_open(p);
	assert_int_equal(hf_tls_is_resumed(&p->c.t), is_resumed);
	assert_int_equal(hf_tls_is_resumed(&p->s.t), is_resumed);
	say(&p->c, "ping");
	say(&p->s, "pong");
	pair_run(p, SIZE_MAX);
	hears(&p->s, "ping");
	hears(&p->c, "pong");
	pair_clear(p);
}

static void a_resumed_link_knows_both_ends(void **state)
{
	static const size_t steps[] = { 1, 7, 1000, SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(steps); i++) {
		struct hf_tls_session *s = fresh_session();
		uint8_t a[32], b[32];
		struct pair p;

		resumable(&p, s);
		pair_start(&p);
		pair_run(&p, steps[i]);
		assert_true(hf_tls_is_open(&p.c.t) && hf_tls_is_open(&p.s.t));
		assert_true(hf_tls_is_resumed(&p.c.t) && hf_tls_is_resumed(&p.s.t));
		assert_string_equal(hf_tls_peer(&p.c.t)->identity.id, "hub-1");
		assert_string_equal(hf_tls_peer(&p.s.t)->identity.id, "dev-7");
		assert_true(hf_bytes_eq(hf_tls_peer_der(&p.s.t, 0), dom.device.cert.der));
		assert_string_equal(hf_tls_alpn(&p.c.t), "h2");
		assert_string_equal(hf_tls_server_name(&p.s.t), "hub.example");
		assert_ok(hf_tls_export(&p.c.t, a, sizeof(a), "EXPORTER-hufu", "x", 1));
		assert_ok(hf_tls_export(&p.s.t, b, sizeof(b), "EXPORTER-hufu", "x", 1));
		assert_memory_equal(a, b, sizeof(a));
		hf_tls_session_free(s);
		pair_clear(&p);
	}
}

static void resumption_needs_no_signature(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	resumable(&p, s);
	p.c.cfg.signer = p.s.cfg.signer = NULL;
	expect_open(&p, true);
	hf_tls_session_free(s);
}

static void a_resumed_link_gives_the_next_ticket(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct hf_tls_session *next;

		resumable(&p, s);
		p.c.start.now_s = p.s.start.now_s = NOW_S + (uint64_t)i * HOUR_S;
		next = session_of(&p);
		assert_int_equal(next->r.first_s, NOW_S);
		assert_memory_not_equal(next->r.psk, s->r.psk, sizeof(s->r.psk));
		hf_tls_session_free(s);
		s = next;
	}
	hf_tls_session_free(s);
}

/* RFC 8446 4.6.1: tickets of tickets do not put off certificates for ever. */
static void certificates_are_shown_again_in_the_end(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	s->r.first_s = NOW_S - HF_TLS_RESUME_MAX_S - 1;
	assert_false(hf_tls_session_is_fit(s, NOW_S));
	resumable(&p, s);
	expect_open(&p, false);
	hf_tls_session_free(s);
}

static void tickets_come_only_where_they_are_wanted(void **state)
{
	struct pair p;

	(void)state;
	resumable(&p, NULL); /* the client cannot use them */
	p.c.cfg.keep_session = false;
	pair_open(&p);
	assert_int_equal(p.c.t.n_tickets, 0);
	assert_null(hf_tls_session_take(&p.c.t));
	pair_clear(&p);

	resumable(&p, NULL); /* the server sends none */
	p.s.cfg.n_tickets = 0;
	pair_open(&p);
	assert_int_equal(p.c.t.n_tickets, 0);
	pair_clear(&p);

	resumable(&p, NULL);
	p.s.cfg.n_tickets = HF_TLS_N_TICKETS_MAX;
	pair_open(&p);
	assert_int_equal(p.c.t.n_tickets, HF_TLS_N_TICKETS_MAX);
	pair_clear(&p);

	resumable(&p, NULL);
	p.s.cfg.n_tickets = HF_TLS_N_TICKETS_MAX + 1;
	pair_start(&p);
	assert_err(p.s.err, HF_ERR_ARG);
	pair_clear(&p);

	resumable(&p, NULL); /* who vouches for itself gets none */
	p.c.cfg.chain = dom.lonely_chain;
	p.c.cfg.signer = &dom.lonely.signer;
	p.s.cfg.enrol = true;
	pair_open(&p);
	assert_true(hf_tls_is_self_signed(&p.s.t));
	assert_int_equal(p.c.t.n_tickets, 0);
	pair_clear(&p);
}

static void a_client_without_certificate_may_be_resumed_as_that(void **state)
{
	struct hf_tls_session *s;
	struct pair p;

	(void)state;
	resumable(&p, NULL);
	p.c.cfg.n_chain = 0;
	p.s.cfg.require_client_cert = false;
	s = session_of(&p);
	resumable(&p, s);
	p.c.cfg.n_chain = 0;
	p.s.cfg.require_client_cert = false;
	pair_open(&p);
	assert_true(hf_tls_is_resumed(&p.s.t));
	assert_null(hf_tls_peer(&p.s.t));
	pair_clear(&p);

	/* And not where one must be shown by now. */
	resumable(&p, s);
	p.c.cfg.n_chain = 0;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_CERTIFICATE_REQUIRED, "no certificate");
	hf_tls_session_free(s);
}

static void resumption_survives_a_retry(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		struct hf_tls_session *s = fresh_session();
		struct pair p;

		resumable(&p, s);
		p.c.cfg.defer_share = true;
		p.s.cfg.retry_cookie = (how & 1) != 0;
		p.c.cfg.middlebox = (how & 2) != 0;
		expect_open(&p, true);
		hf_tls_session_free(s);
	}
}

static void a_server_that_declines_goes_on_with_certificates(void **state)
{
	static const uint8_t other[HF_TLS_TICKET_SECRET_LEN] = { 7 };
	struct hf_tls_session *s = fresh_session();
	struct hf_tls_tickets others;
	struct pair p;

	(void)state;
	resumable(&p, s); /* a server without tickets */
	p.s.cfg.tickets = NULL;
	expect_open(&p, false);

	hf_tls_tickets_init(&others, other, HF_L1); /* and one with another secret */
	resumable(&p, s);
	p.s.cfg.tickets = &others;
	expect_open(&p, false);
	hf_tls_session_free(s);
}

/* Sessions that the client does not even offer. */
static void a_session_is_offered_to_its_server_alone(void **state)
{
	static const char *const other_alpn[] = { "hufu/1" };
	struct hf_tls_session *s = fresh_session();
	struct hf_bytes renewed[2] = { dom.device_chain[0], dom.ca.cert.der };
	struct party again = { 0 };
	struct hf_cert_spec spec;
	struct pair p;

	(void)state;
	resumable(&p, s); /* another name */
	p.c.start.server_name = NULL;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	resumable(&p, s); /* another suite */
	p.c.cfg.suites = HF_TLS_SUITE_CCM;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	resumable(&p, s); /* the application protocol is not offered any more */
	p.c.cfg.alpn = other_alpn;
	p.c.cfg.n_alpn = 1;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	resumable(&p, s); /* another level */
	p.c.cfg.level = HF_L2;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	party_init(&again, "dev-7"); /* our certificate was renewed */
	spec = party_spec(&again, &dom.ca);
	party_issue(&again, &spec, &dom.ca);
	renewed[0] = again.cert.der;
	resumable(&p, s);
	p.c.cfg.chain = renewed;
	p.c.cfg.signer = &again.signer;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);
	hf_cert_clear(&again.cert);

	resumable(&p, s); /* its server must be somebody else now */
	p.c.start.want = &(struct hf_identity_want){ .id = "hub-2" };
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	resumable(&p, s); /* its root is not believed any more */
	p.c.cfg.roots = &dom.other_ca.cert;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);
	assert_false(s->is_used);

	resumable(&p, s);
	expect_open(&p, true);
	assert_true(s->is_used);
	hf_tls_session_free(s);
}

/* Tickets that the server does not take, though the client offers them in good faith. */
static void ticket_of_another_level_is_declined(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct hf_buf der;
	struct hf_crl crl;
	struct pair p;

	(void)state;
	list_make(&crl, &der, (struct hf_bytes){ 0 }, 100);
	resumable(&p, s);
	p.s.cfg.level = HF_L2;
	p.s.cfg.crls = &crl;
	p.s.cfg.n_crls = 1;
	expect_open(&p, false);
	hf_buf_clear(&der);
	hf_tls_session_free(s);
}

static void ticket_of_another_certificate_is_declined(void **state)
{
	static const char *const dns[] = { "hub.example" };
	struct hf_tls_session *s = fresh_session();
	struct party again = { 0 };
	struct hf_bytes chain[1];
	struct hf_cert_spec spec;
	struct hf_cert roots[2] = { dom.ca.cert, dom.other_ca.cert };
	struct pair p;

	(void)state;
	party_init(&again, "hub-1");
	spec = party_spec(&again, &dom.ca);
	spec.dns = dns;
	spec.n_dns = 1;
	party_issue(&again, &spec, &dom.ca);
	chain[0] = again.cert.der;
	resumable(&p, s);
	p.s.cfg.chain = chain;
	p.s.cfg.signer = &again.signer;
	expect_open(&p, false);
	hf_cert_clear(&again.cert);

	resumable(&p, s); /* the same certificate, other roots */
	p.s.cfg.roots = roots;
	p.s.cfg.n_roots = 2;
	expect_open(&p, false);
	hf_tls_session_free(s);
}

static void ticket_of_another_suite_name_or_protocol_is_declined(void **state)
{
	static const char *const other[] = { "hufu/1", "h2" };
	struct hf_tls_session *s;
	struct pair p;

	(void)state;
	resumable(&p, NULL);
	p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITE_CCM;
	s = session_of(&p);
	resumable(&p, s); /* both are offered, the server takes GCM */
	p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITES;
	expect_open(&p, false);
	resumable(&p, s);
	p.c.cfg.suites = HF_TLS_SUITES;
	p.s.cfg.suites = HF_TLS_SUITE_CCM;
	expect_open(&p, true);
	hf_tls_session_free(s);

	s = fresh_session();
	resumable(&p, s); /* the server prefers another protocol */
	p.s.cfg.alpn = other;
	p.s.cfg.n_alpn = 2;
	expect_open(&p, false);

	resumable(&p, s); /* the session is told that it is of another name */
	s->r.name = (struct hf_bytes){ NULL, 0 };
	p.c.start.server_name = NULL;
	expect_open(&p, false);
	hf_tls_session_free(s);
}

static void expired_ticket_is_declined(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	resumable(&p, s);
	p.c.start.now_s = p.s.start.now_s = NOW_S + LIFE_S;
	expect_open(&p, true);

	/* A client that does not know how old it is. */
	s->r.life_s = 2 * LIFE_S;
	resumable(&p, s);
	p.c.start.now_s = p.s.start.now_s = NOW_S + LIFE_S + 1;
	expect_open(&p, false);
	resumable(&p, s);
	s->r.life_s = LIFE_S;
	p.c.start.now_s = NOW_S + LIFE_S + 1;
	pair_start(&p);
	assert_null(p.c.t.hs->offer);
	pair_clear(&p);

	resumable(&p, s); /* from the future */
	s->r.made_s = NOW_S - HOUR_S;
	p.c.start.now_s = p.s.start.now_s = NOW_S - HOUR_S;
	expect_open(&p, false);
	hf_tls_session_free(s);
}

/* RFC 8446 4.2.11.1: an old hello that is sent again has the wrong age in it. */
static void wrong_age_is_declined(void **state)
{
	static const int64_t off[] = { -HF_TLS_AGE_SKEW_MS / 1000 - 1, -HF_TLS_AGE_SKEW_MS / 1000,
		HF_TLS_AGE_SKEW_MS / 1000, HF_TLS_AGE_SKEW_MS / 1000 + 1 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(off); i++) {
		struct hf_tls_session *s = fresh_session();
		struct pair p;

		resumable(&p, s);
		p.s.start.now_s = NOW_S + HOUR_S;
		p.c.start.now_s = NOW_S + HOUR_S + (uint64_t)off[i];
		expect_open(&p, i == 1 || i == 2);
		hf_tls_session_free(s);
	}
}

static void a_key_of_the_epoch_before_opens_and_an_older_one_does_not(void **state)
{
	const struct hf_bytes plain = { (const uint8_t *)"what a ticket holds", 19 };
	uint8_t bound[HF_SM3_LEN] = { 1 };
	uint8_t other[HF_SM3_LEN] = { 2 };
	struct test_rng rng_state;
	struct hf_rng rng = test_rng(&rng_state, 3);
	uint64_t now = 1000 * (uint64_t)LIFE_S;
	struct hf_buf ticket;
	struct hf_buf out;

	(void)state;
	hf_buf_init(&ticket, &test_mem, 1000);
	hf_buf_init(&out, &test_mem, 1000);
	assert_ok(hf_tls_tickets_seal(&keys, &rng, &ticket, bound, plain, now));
	for (uint64_t at = now; at < now + 2 * (uint64_t)LIFE_S; at += LIFE_S / 3) {
		hf_buf_reset(&out);
		assert_ok(hf_tls_tickets_open(
			&keys, &out, bound, (struct hf_bytes){ ticket.p, ticket.len }, at));
		assert_int_equal(out.len, plain.len);
		assert_memory_equal(out.p, plain.p, plain.len);
	}
	hf_buf_reset(&out);
	assert_err(hf_tls_tickets_open(&keys, &out, bound,
			   (struct hf_bytes){ ticket.p, ticket.len }, now + 2 * LIFE_S),
		HF_ERR_AUTH);
	assert_err(hf_tls_tickets_open(
			   &keys, &out, bound, (struct hf_bytes){ ticket.p, ticket.len }, now - 1),
		HF_ERR_AUTH);
	assert_err(hf_tls_tickets_open(
			   &keys, &out, other, (struct hf_bytes){ ticket.p, ticket.len }, now),
		HF_ERR_AUTH);
	for (size_t i = 0; i < ticket.len; i++) {
		ticket.p[i] ^= 1;
		assert_err(hf_tls_tickets_open(&keys, &out, bound,
				   (struct hf_bytes){ ticket.p, ticket.len }, now),
			HF_ERR_AUTH);
		ticket.p[i] ^= 1;
		assert_err(hf_tls_tickets_open(
				   &keys, &out, bound, (struct hf_bytes){ ticket.p, i }, now),
			HF_ERR_AUTH);
	}
	assert_int_equal(out.len, 0);
	hf_buf_clear(&ticket);
	hf_buf_clear(&out);
}

static void revoked_and_expired_peers_are_not_resumed(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct hf_crl crl;
	struct hf_buf der;
	struct pair p;

	(void)state;
	list_make(&crl, &der, dom.device.cert.serial, 100);
	resumable(&p, s); /* the server hears of it after the ticket went out */
	p.s.cfg.crls = &crl;
	p.s.cfg.n_crls = 1;
	expect_refusal(&p, &p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	resumable(&p, s); /* so does the client */
	p.c.cfg.crls = &crl;
	p.c.cfg.n_crls = 1;
	expect_refusal(&p, &p.c, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	hf_buf_clear(&der);

	resumable(&p, s); /* the peer must be of a higher level by now */
	p.s.start.want = &(struct hf_identity_want){ .level = HF_L3 };
	expect_refusal(&p, &p.s, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);

	s->r.life_s = 40 * LIFE_S; /* certificates end sooner than tickets */
	resumable(&p, s);
	p.c.start.now_s = NOW_S + 3 * DAY_S;
	expect_refusal(&p, &p.c, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, NULL);
	hf_tls_session_free(s);
}

/* A certificate with the CA's name and key identifier, but with a key and a signature of its own.
 */
static void twin_of_the_ca(struct party *twin)
{
	static const uint8_t serial[] = { 7, 7 };
	struct hf_cert_spec spec;
	uint8_t der[HF_CERT_DER_MAX];
	size_t len;

	party_init(twin, "CA");
	spec = ca_spec(twin, &dom.ca);
	spec.serial = serial;
	spec.serial_len = sizeof(serial);
	spec.aki = dom.ca.cert.ski;
	party_issue(twin, &spec, &dom.device);
	len = twin->cert.der.len;
	memcpy(der, twin->cert.der.p, len);
	assert_int_equal(twin->cert.ski.len, dom.ca.cert.ski.len);
	memcpy(der + (twin->cert.ski.p - twin->cert.der.p), dom.ca.cert.ski.p, dom.ca.cert.ski.len);
	hf_cert_clear(&twin->cert);
	assert_ok(hf_cert_copy(&twin->cert, &test_mem, der, len, NULL));
}

/* What a peer put beside its certificate is in its ticket, too: it must lead nobody astray. */
static void a_twin_of_the_ca_brings_no_revoked_peer_back(void **state)
{
	struct hf_tls_session *s;
	struct hf_bytes chain[2];
	struct party twin = { 0 };
	struct hf_crl crl;
	struct hf_buf der;
	struct pair p;

	(void)state;
	twin_of_the_ca(&twin);
	chain[0] = dom.device.cert.der;
	chain[1] = twin.cert.der;
	resumable(&p, NULL);
	p.c.cfg.chain = chain;
	p.c.cfg.n_chain = 2;
	s = session_of(&p);
	list_make(&crl, &der, dom.device.cert.serial, 100);
	assert_ok(hf_crl_check(&crl, &dom.ca.key.pub, NULL));
	resumable(&p, s);
	p.c.cfg.chain = chain;
	p.c.cfg.n_chain = 2;
	p.s.cfg.crls = &crl;
	p.s.cfg.n_crls = 1;
	expect_refusal(&p, &p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	hf_buf_clear(&der);
	hf_tls_session_free(s);
	hf_cert_clear(&twin.cert);
}

/* Opens a pair, resumed where s is there, and asks both ends about their peers by a later list. */
static void recheck_both(struct hf_tls_session *s, const struct hf_bytes *chain, size_t n_chain,
	const struct hf_crl *crls, size_t n_crls, hf_err want)
{
	struct hf_errinfo ei = { 0 };
	struct pair p;

	resumable(&p, s);
	if (chain != NULL) {
		p.c.cfg.chain = chain;
		p.c.cfg.n_chain = n_chain;
	}
	pair_open(&p);
	assert_int_equal(hf_tls_is_resumed(&p.s.t), s != NULL);
	assert_err(hf_tls_recheck(&p.s.t, crls, n_crls, NOW_S, &ei), want);
	assert_true(want == HF_OK || strstr(ei.text, "91020304") != NULL);
	assert_err(hf_tls_recheck(&p.c.t, crls, n_crls, NOW_S, NULL), want);
	assert_ok(hf_tls_error(&p.s.t)); /* it is only asked */
	pair_clear(&p);
}

static void a_list_that_comes_later_is_asked_about_an_open_link(void **state)
{
	static const uint8_t serial[] = { 0x91, 2, 3, 4 };
	const struct hf_crl_entry entry = { serial, sizeof(serial), NOW_S - 10, 1 };
	struct hf_crl_spec spec = { .issuer = dom.ca.subject,
		.this_update_s = NOW_S - 5 * DAY_S, /* age is no matter */
		.next_update_s = NOW_S - DAY_S,
		.number = 1,
		.entries = &entry,
		.n_entries = 1 };
	struct hf_tls_session *s = fresh_session();
	struct party twin = { 0 };
	struct hf_bytes chain[2];
	struct hf_crl crls[2]; /* of somebody else in the CA's name, and the CA's */
	struct hf_buf der[2];

	(void)state;
	twin_of_the_ca(&twin);
	chain[0] = dom.device.cert.der;
	chain[1] = twin.cert.der;
	for (size_t i = 0; i < 2; i++) {
		hf_buf_init(&der[i], &test_mem, 4096);
		assert_ok(hf_crl_build(
			&der[i], &spec, i == 0 ? &dom.device.signer : &dom.ca.signer, NULL));
		assert_ok(hf_crl_parse(&crls[i], der[i].p, der[i].len, NULL));
	}
	recheck_both(NULL, NULL, 0, crls, 0, HF_OK);
	recheck_both(NULL, NULL, 0, crls, 1, HF_OK);
	recheck_both(NULL, NULL, 0, crls, 2, HF_ERR_REVOKED);
	recheck_both(s, NULL, 0, crls, 2, HF_ERR_REVOKED);
	assert_ok(hf_crl_check(&crls[1], &dom.ca.key.pub, NULL));
	recheck_both(NULL, NULL, 0, crls, 2, HF_ERR_REVOKED);
	recheck_both(NULL, chain, 2, crls, 2, HF_ERR_REVOKED);
	hf_buf_clear(&der[0]);
	hf_buf_clear(&der[1]);
	hf_tls_session_free(s);
	hf_cert_clear(&twin.cert);
}

/* Feeds the server one hello after an alteration; frees it. */
static void feed_hello(struct end *e, uint8_t *hello, size_t len)
{
	end_feed(e, hello, len, SIZE_MAX, 1000);
	free(hello);
}

static void altered_binder_ends_the_link(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;
	uint8_t *hello;
	size_t len;

	(void)state;
	for (int bit = 0; bit < 3; bit++) {
		resumable(&p, s);
		pair_start(&p);
		hello = end_out(&p.c, &len);
		if (bit == 0)
			hello[len - 1] ^= 1; /* the binder */
		else if (bit == 1)
			hello[11 + 5] ^= 1; /* the random value, which it covers */
		else
			hello[len - HF_TLS_BINDERS_LEN - 1] ^= 1; /* the age */
		feed_hello(&p.s, hello, len);
		assert_err(hf_tls_error(&p.s.t), HF_ERR_AUTH);
		assert_int_equal(hf_tls_alert_sent(&p.s.t), HF_ALERT_DECRYPT_ERROR);
		assert_non_null(strstr(hf_tls_why(&p.s.t)->text, "binder"));
		pair_clear(&p);
	}
	hf_tls_session_free(s);
}

/* Somebody who saw a ticket on the wire, but has not its key. */
static void stolen_ticket_without_its_key_ends_the_link(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	s->r.psk[0] ^= 1;
	resumable(&p, s);
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, "binder");
	hf_tls_session_free(s);
}

static void altered_ticket_is_declined(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	s->b.p[s->r.ticket.p - s->b.p + 20] ^= 1;
	resumable(&p, s);
	expect_open(&p, false);
	hf_tls_session_free(s);
}

/* --- single use --- */

static void level3(struct pair *p, struct hf_tls_tickets *k, struct hf_tls_session *s)
{
	resumable(p, s);
	p->s.cfg.tickets = k;
	p->c.cfg.level = p->s.cfg.level = HF_L3;
}

static void a_single_use_ticket_resumes_once(void **state)
{
	struct hf_tls_once_mem *once = hf_tls_once_mem_new(&test_mem, 64);
	struct hf_tls_tickets k;
	struct hf_tls_session *s;
	struct pair p;

	(void)state;
	hf_tls_tickets_init(&k, secret, HF_L3);
	level3(&p, &k, NULL); /* no store: refused before a byte is sent */
	pair_start(&p);
	assert_err(p.s.err, HF_ERR_DENIED);
	assert_non_null(strstr(hf_tls_why(&p.s.t)->text, "resume.single-use"));
	pair_clear(&p);

	k.once = hf_tls_once_mem_get(once);
	level3(&p, &k, NULL);
	s = session_of(&p);
	assert_int_equal(s->r.life_s, HOUR_S);
	level3(&p, &k, s);
	expect_open(&p, true);
	assert_false(hf_tls_session_is_fit(s, NOW_S));
	level3(&p, &k, s); /* an honest client does not try again */
	expect_open(&p, false);
	s->is_used = false; /* one that forgot is not heard */
	level3(&p, &k, s);
	expect_open(&p, false);
	hf_tls_session_free(s);
	hf_tls_once_mem_free(once);
}

static void replayed_hello_with_a_single_use_ticket_is_not_resumed(void **state)
{
	struct hf_tls_once_mem *once = hf_tls_once_mem_new(&test_mem, 64);
	struct hf_tls_tickets k;
	struct hf_tls_session *s;
	struct pair p;
	uint8_t *hello;
	uint8_t *copy;
	size_t len;

	(void)state;
	hf_tls_tickets_init(&k, secret, HF_L3);
	k.once = hf_tls_once_mem_get(once);
	level3(&p, &k, NULL);
	s = session_of(&p);
	level3(&p, &k, s);
	pair_start(&p);
	hello = end_out(&p.c, &len);
	copy = malloc(len);
	memcpy(copy, hello, len);
	feed_hello(&p.s, hello, len);
	assert_ok(p.s.err);
	assert_true(hf_tls_is_resumed(&p.s.t));
	hf_tls_clear(&p.s.t);
	assert_ok(hf_tls_init(&p.s.t, &p.s.cfg, &p.s.start));
	feed_hello(&p.s, copy, len);
	assert_ok(p.s.err);
	assert_false(hf_tls_is_resumed(&p.s.t));
	assert_null(hf_tls_peer(&p.s.t));
	pair_clear(&p);
	hf_tls_session_free(s);
	hf_tls_once_mem_free(once);
}

static void a_store_of_used_tickets_is_bounded_and_forgets_in_time(void **state)
{
	struct hf_tls_once_mem *m = hf_tls_once_mem_new(&test_mem, 8);
	struct hf_tls_once once = hf_tls_once_mem_get(m);
	uint8_t id[HF_TLS_TICKET_ID_LEN] = { 0 };

	(void)state;
	assert_null(hf_tls_once_mem_new(&test_mem, 0));
	assert_null(hf_tls_once_mem_new(&test_mem, HF_TLS_ONCE_MAX + 1));
	for (uint8_t i = 0; i < 8; i++) {
		id[15] = i;
		assert_ok(once.take_once(once.ctx, id, 100 + i, 50));
		assert_err(once.take_once(once.ctx, id, 100 + i, 50), HF_ERR_EXISTS);
	}
	id[15] = 8; /* full: nothing is taken, and nothing is forgotten */
	assert_err(once.take_once(once.ctx, id, 200, 50), HF_ERR_LIMIT);
	assert_err(once.take_once(once.ctx, id, 200, 100), HF_ERR_LIMIT);
	assert_ok(once.take_once(once.ctx, id, 200, 101));
	id[15] = 7;
	assert_err(once.take_once(once.ctx, id, 107, 101), HF_ERR_EXISTS);
	hf_tls_once_mem_free(m);
	hf_tls_once_mem_free(NULL);
}

/* --- sessions as bytes --- */

static void a_session_that_was_put_away_resumes(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct hf_tls_session *again = NULL;
	struct hf_buf b;
	struct pair p;

	(void)state;
	hf_buf_init(&b, &test_mem, HF_TLS_SESSION_EMIT_MAX);
	assert_ok(hf_tls_session_emit(&b, s));
	hf_tls_session_free(s);
	for (size_t i = 0; i < b.len; i++)
		assert_int_not_equal(hf_tls_session_parse(&again, &test_mem, b.p, i), HF_OK);
	assert_null(again);
	b.p[1] = 2; /* a later version */
	assert_err(hf_tls_session_parse(&again, &test_mem, b.p, b.len), HF_ERR_UNSUPPORTED);
	b.p[1] = 1;
	b.p[4] = 9; /* level */
	assert_err(hf_tls_session_parse(&again, &test_mem, b.p, b.len), HF_ERR_FORMAT);
	b.p[4] = HF_L1;
	b.p[3] ^= 0x40; /* suite */
	assert_err(hf_tls_session_parse(&again, &test_mem, b.p, b.len), HF_ERR_FORMAT);
	b.p[3] ^= 0x40;
	assert_ok(hf_buf_put(&b, "", 1));
	assert_err(hf_tls_session_parse(&again, &test_mem, b.p, b.len), HF_ERR_FORMAT);
	b.len--;
	assert_ok(hf_tls_session_parse(&again, &test_mem, b.p, b.len));
	resumable(&p, again);
	expect_open(&p, true);
	hf_buf_reset(&b);
	assert_ok(hf_tls_session_emit(&b, again));
	hf_tls_session_free(again);
	assert_ok(hf_tls_session_parse(&again, &test_mem, b.p, b.len));
	assert_true(again->is_used); /* it remembers */
	hf_tls_session_free(again);
	hf_buf_clear(&b);
}

static void a_failed_link_gives_no_session_and_a_cut_one_does(void **state)
{
	struct hf_tls_session *s;
	struct pair p;
	size_t used;

	(void)state;
	resumable(&p, NULL);
	pair_open(&p);
	assert_err(hf_tls_eof(&p.c.t), HF_ERR_TRUNCATED);
	s = hf_tls_session_take(&p.c.t);
	assert_non_null(s);
	hf_tls_session_free(s);
	pair_clear(&p);

	resumable(&p, NULL);
	pair_open(&p);
	assert_err(hf_tls_feed(&p.c.t, &used, (const uint8_t *)"\x17\3\3\0\x11garbagegarbagegar",
			   22, 1000),
		HF_ERR_AUTH);
	assert_null(hf_tls_session_take(&p.c.t));
	pair_clear(&p);
}

static void each_missing_allocation_of_a_resumption_is_survived(void **state)
{
	struct hf_tls_session *s = fresh_session();
	unsigned n = 0;
	bool is_done = false;

	(void)state;
	while (!is_done) {
		struct pair p;

		resumable(&p, s);
		test_mem_fail_at(++n);
		pair_start(&p);
		if (p.c.err == HF_OK && p.s.err == HF_OK)
			pair_run(&p, 100);
		is_done = hf_tls_is_resumed(&p.s.t) && hf_tls_is_open(&p.s.t) &&
			  p.c.t.session != NULL;
		if (!is_done)
			assert_true(hf_tls_error(&p.c.t) == HF_ERR_NO_MEMORY ||
				    hf_tls_error(&p.s.t) == HF_ERR_NO_MEMORY);
		test_mem_fail_at(0);
		pair_clear(&p);
		assert_true(n < 200);
	}
	assert_true(n > 10);
	hf_tls_session_free(s);
}

/* --- keys that both ends were given --- */

static const struct hf_tls_psk given[] = {
	{ { (const uint8_t *)"sensor-17", 9 }, { (const uint8_t *)"sixteen bytes ok", 16 } },
	{ { (const uint8_t *)"sensor-18", 9 },
		{ (const uint8_t *)"another key, which is longer than", 33 } },
};

static void given_keys(struct pair *p, const struct hf_tls_psk *of_client)
{
	pair_init(p);
	p->c.cfg.psks = of_client;
	p->c.cfg.n_psks = 1;
	p->c.cfg.n_chain = p->c.cfg.n_roots = 0;
	p->s.cfg.psks = given;
	p->s.cfg.n_psks = 2;
}

static void a_given_key_opens_a_link_without_certificates(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 16; how++) {
		const struct hf_tls_psk *k = &given[how & 1];
		struct pair p;

		given_keys(&p, k);
		p.c.cfg.psk_ke = p.s.cfg.psk_ke = (how & 2) != 0;
		p.c.cfg.defer_share = (how & 4) != 0;
		if ((how & 8) != 0)
			p.s.cfg.n_chain = 0;
		pair_open(&p);
		assert_true(hf_bytes_eq(hf_tls_psk_identity(&p.s.t), k->identity));
		assert_true(hf_bytes_eq(hf_tls_psk_identity(&p.c.t), k->identity));
		assert_null(hf_tls_peer(&p.s.t));
		assert_null(hf_tls_peer(&p.c.t));
		assert_false(hf_tls_is_resumed(&p.s.t));
		say(&p.c, "ping");
		pair_run(&p, SIZE_MAX);
		hears(&p.s, "ping");
		pair_clear(&p);
	}
}

static void a_wrong_or_unknown_given_key_is_refused(void **state)
{
	const struct hf_tls_psk wrong = { given[0].identity, given[1].key };
	const struct hf_tls_psk unknown = { hf_bytes_str("sensor-99"), given[1].key };
	const struct hf_tls_psk brief = { given[0].identity, { given[0].key.p, 15 } };
	struct pair p;

	(void)state;
	given_keys(&p, &wrong);
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, "binder");
	given_keys(&p, &unknown); /* a server without certificate has nothing else to say */
	p.s.cfg.n_chain = 0;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_HANDSHAKE_FAILURE, "pre-shared key");
	given_keys(&p, &unknown); /* one with certificate shows it, and this client has no root */
	expect_refusal(&p, &p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);
	given_keys(&p, &given[0]); /* the client wants the key alone, the server does not */
	p.c.cfg.psk_ke = true;
	expect_refusal(&p, &p.s, HF_ERR_FORMAT, HF_ALERT_MISSING_EXTENSION, NULL);
	given_keys(&p, &brief);
	pair_start(&p);
	assert_err(p.c.err, HF_ERR_ARG);
	pair_clear(&p);
}

static void clients_with_certificates_are_served_beside_given_keys(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.s.cfg.psks = given;
	p.s.cfg.n_psks = 2;
	pair_open(&p);
	assert_string_equal(hf_tls_peer(&p.s.t)->identity.id, "dev-7");
	assert_int_equal(hf_tls_psk_identity(&p.s.t).len, 0);
	pair_clear(&p);
	pair_init(&p); /* but a client that shows nothing is not, by the key of nobody */
	p.s.cfg.psks = given;
	p.s.cfg.n_psks = 2;
	p.c.cfg.n_chain = 0;
	expect_refusal(&p, &p.s, HF_ERR_AUTH, HF_ALERT_CERTIFICATE_REQUIRED, NULL);
}

static void psk_ke_resumes_without_a_key_exchange(void **state)
{
	struct hf_tls_session *s = fresh_session();
	struct pair p;

	(void)state;
	resumable(&p, s);
	p.c.cfg.psk_ke = p.s.cfg.psk_ke = true;
	pair_start(&p);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	assert_true(p.s.t.hs->is_psk_ke);
	pair_run(&p, SIZE_MAX);
	assert_true(hf_tls_is_open(&p.c.t) && hf_tls_is_resumed(&p.c.t));
	pair_clear(&p);
	for (int side = 0; side < 2; side++) { /* one end alone does not bring it about */
		resumable(&p, s);
		p.c.cfg.psk_ke = side == 0;
		p.s.cfg.psk_ke = side == 1;
		pair_start(&p);
		(void)move(&p, &p.c, &p.s, SIZE_MAX);
		assert_true(p.s.t.hs->is_psk && !p.s.t.hs->is_psk_ke);
		pair_run(&p, SIZE_MAX);
		assert_true(hf_tls_is_resumed(&p.c.t));
		pair_clear(&p);
	}
	hf_tls_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resumed_link_knows_both_ends),
		cmocka_unit_test(resumption_needs_no_signature),
		cmocka_unit_test(a_resumed_link_gives_the_next_ticket),
		cmocka_unit_test(certificates_are_shown_again_in_the_end),
		cmocka_unit_test(tickets_come_only_where_they_are_wanted),
		cmocka_unit_test(a_client_without_certificate_may_be_resumed_as_that),
		cmocka_unit_test(resumption_survives_a_retry),
		cmocka_unit_test(a_server_that_declines_goes_on_with_certificates),
		cmocka_unit_test(a_session_is_offered_to_its_server_alone),
		cmocka_unit_test(ticket_of_another_level_is_declined),
		cmocka_unit_test(ticket_of_another_certificate_is_declined),
		cmocka_unit_test(ticket_of_another_suite_name_or_protocol_is_declined),
		cmocka_unit_test(expired_ticket_is_declined),
		cmocka_unit_test(wrong_age_is_declined),
		cmocka_unit_test(a_key_of_the_epoch_before_opens_and_an_older_one_does_not),
		cmocka_unit_test(revoked_and_expired_peers_are_not_resumed),
		cmocka_unit_test(a_twin_of_the_ca_brings_no_revoked_peer_back),
		cmocka_unit_test(a_list_that_comes_later_is_asked_about_an_open_link),
		cmocka_unit_test(altered_binder_ends_the_link),
		cmocka_unit_test(stolen_ticket_without_its_key_ends_the_link),
		cmocka_unit_test(altered_ticket_is_declined),
		cmocka_unit_test(a_single_use_ticket_resumes_once),
		cmocka_unit_test(replayed_hello_with_a_single_use_ticket_is_not_resumed),
		cmocka_unit_test(a_store_of_used_tickets_is_bounded_and_forgets_in_time),
		cmocka_unit_test(a_session_that_was_put_away_resumes),
		cmocka_unit_test(a_failed_link_gives_no_session_and_a_cut_one_does),
		cmocka_unit_test(each_missing_allocation_of_a_resumption_is_survived),
		cmocka_unit_test(a_given_key_opens_a_link_without_certificates),
		cmocka_unit_test(a_wrong_or_unknown_given_key_is_refused),
		cmocka_unit_test(clients_with_certificates_are_served_beside_given_keys),
		cmocka_unit_test(psk_ke_resumes_without_a_key_exchange),
	};

	return run_both_ways(tests, start);
}
