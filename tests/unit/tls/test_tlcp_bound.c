/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session of TLCP is good for links like the one that it comes from, between the two parties that
 * made it: whatever changed since, a full handshake follows. A client that does not look is here,
 * too: so each end is seen to refuse by itself.
 */
#include "tlcp_fixture.h"

enum { RENEWED_S = 3 * DAY_S };

/* One who signs and encrypts. */
struct both {
	struct party sign, enc;
	struct hf_bytes chain[1];
	struct hf_tlcp_enc_key enc_key;
};

static struct both hub_2, dev_8;     /* other parties of the same CA */
static struct both hub_new, dev_new; /* hub-1 and dev-7 with certificates of a later day */
static struct hf_tlcp_store *store;

static void both_issue(struct both *b, const char *cn, const struct hf_identity *id, uint8_t serial,
	uint64_t until_s)
{
	static const char *const dns[] = { "hub.example", "other.example" };
	uint8_t number[] = { 0x61, serial };
	struct hf_cert_spec spec;

	party_init(&b->sign, cn);
	spec = party_spec(&b->sign, &dom.ca);
	spec.identity = id;
	spec.serial = number;
	spec.serial_len = sizeof(number);
	spec.not_after_s = until_s;
	spec.dns = dns;
	spec.n_dns = id->role == HF_ROLE_HUB ? HF_COUNT(dns) : 0;
	party_issue(&b->sign, &spec, &dom.ca);
	party_init(&b->enc, cn);
	spec.key = b->enc.key.pub;
	spec.key_usage = HF_KU_ENCRYPT;
	number[0]++;
	party_issue(&b->enc, &spec, &dom.ca);
	b->chain[0] = b->sign.cert.der;
	b->enc_key = hf_tlcp_enc_key_local(&b->enc.local);
}

static int start(void **state)
{
	static const struct hf_identity hub_1 = { HF_ROLE_HUB, HF_L2, "plant", "hub-1" };
	static const struct hf_identity hub_two = { HF_ROLE_HUB, HF_L2, "plant", "hub-2" };
	static const struct hf_identity dev_7 = { HF_ROLE_DEVICE, HF_L1, "plant", "dev-7" };
	static const struct hf_identity dev_eight = { HF_ROLE_DEVICE, HF_L1, "plant", "dev-8" };

	struct hf_cert_spec spec;

	(void)state;
	tlcp_domain_init();
	spec = ca_spec(&dom.ca, &dom.ca); /* outlives what it issued */
	spec.not_after_s = NOW_S + 2 * RENEWED_S;
	party_issue(&dom.ca, &spec, &dom.ca);
	dom.server_chain[1] = dom.device_chain[1] = dom.ca.cert.der;
	both_issue(&hub_2, "hub-2", &hub_two, 2, NOW_S + DAY_S);
	both_issue(&dev_8, "dev-8", &dev_eight, 8, NOW_S + DAY_S);
	both_issue(&hub_new, "hub-1", &hub_1, 0x11, NOW_S + RENEWED_S);
	both_issue(&dev_new, "dev-7", &dev_7, 0x17, NOW_S + RENEWED_S);
	return 0;
}

static int fresh_store(void **state)
{
	(void)state;
	store = hf_tlcp_store_new(&test_mem, 8);
	return store == NULL;
}

static int end_store(void **state)
{
	(void)state;
	hf_tlcp_store_free(store);
	return 0;
}

static void init(struct tlcp_pair *t)
{
	static uint64_t seed = 100;

	tlcp_init(t);
	/* Each time other ids and secrets. */
	t->p.c.rng = test_rng(&t->p.c.state, seed++);
	t->p.s.rng = test_rng(&t->p.s.state, seed++);
	t->cache = hf_tlcp_store_cache(store);
	t->s.cache = &t->cache;
}

/* An end becomes another party. */
static void become(struct end *e, struct hf_tlcp_config *c, struct both *b)
{
	e->cfg.chain = b->chain;
	e->cfg.n_chain = 1;
	e->cfg.signer = &b->sign.signer;
	c->enc_cert = b->enc.cert.der;
	c->enc_key = &b->enc_key;
}

static void first_link(struct tlcp_pair *t, struct hf_tlcp_session *s)
{
	pair_open(&t->p);
	assert_ok(hf_tlcp_session_get(&t->p.c.t, s));
	pair_clear(&t->p);
}

static bool is_offered(struct tlcp_pair *t)
{
	return t->p.c.t.tlcp->hs->offer.id_len > 0;
}

/* What became of a link that had this session: a client offers it, or does not; both ends agree. */
enum fate { NOT_OFFERED, NOT_TAKEN, RESUMED };

static enum fate fate_of(struct tlcp_pair *t, const struct hf_tlcp_session *s)
{
	bool offers, is;

	t->p.c.start.tlcp_session = s;
	pair_start(&t->p);
	offers = is_offered(t);
	pair_run(&t->p, SIZE_MAX);
	if (!hf_tls_is_open(&t->p.c.t) || !hf_tls_is_open(&t->p.s.t))
		fail_msg("%s / %s", hf_tls_why(&t->p.c.t)->text, hf_tls_why(&t->p.s.t)->text);
	is = hf_tlcp_is_resumed(&t->p.c.t);
	assert_int_equal(hf_tlcp_is_resumed(&t->p.s.t), is);
	assert_true(offers || !is);
	t->p.c.start.tlcp_session = NULL;
	if (!offers)
		return NOT_OFFERED;
	return is ? RESUMED : NOT_TAKEN;
}

static void expect_fate(
	struct tlcp_pair *t, const struct hf_tlcp_session *s, enum fate fate, const char *who)
{
	assert_int_equal(fate_of(t, s), fate);
	assert_string_equal(hf_tls_peer(&t->p.s.t)->identity.id, who);
	pair_clear(&t->p);
}

/* The client's copy says that it is good for the link that the client has now. */
static void rebind(struct tlcp_pair *t, struct hf_tlcp_session *s)
{
	pair_start(&t->p);
	hf_tlcp_bound(&t->p.c.t, hf_tlcp_suite_find(s->suite), s->bound);
	pair_clear(&t->p);
}

/* After a change on either side: the client does not offer it, and if it did, nobody took it. */
static void expect_changed(struct tlcp_pair *t, const struct hf_tlcp_session *s, const char *who)
{
	struct hf_tlcp_session forced;

	expect_fate(t, s, NOT_OFFERED, who);
	assert_ok(hf_tlcp_session_copy(&forced, s, &test_mem));
	rebind(t, &forced);
	expect_fate(t, &forced, NOT_TAKEN, who);
	hf_tlcp_session_clear(&forced);
}

static void a_changed_certificate_of_the_server_ends_its_sessions(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	become(&t.p.s, &t.s, &hub_new);
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	init(&t);
	expect_fate(&t, &s, RESUMED, "dev-7");
	t.s.enc_cert = hub_new.enc.cert.der; /* the one for encryption alone */
	t.s.enc_key = &hub_new.enc_key;
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	init(&t);
	become(&t.p.s, &t.s, &hub_new); /* the one for signing alone */
	t.s.enc_cert = two.server.cert.der;
	t.s.enc_key = &two.server_key;
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	init(&t);
	t.p.s.cfg.n_chain = 2; /* it shows its CA's, too */
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void a_changed_certificate_of_the_client_ends_its_sessions(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	become(&t.p.c, &t.c, &dev_new);
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	init(&t);
	t.c.enc_cert = dev_new.enc.cert.der;
	t.c.enc_key = &dev_new.enc_key;
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	init(&t);
	become(&t.p.c, &t.c, &dev_new); /* the one for signing alone */
	t.c.enc_cert = two.device.cert.der;
	t.c.enc_key = &two.device_key;
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	init(&t);
	expect_fate(&t, &s, RESUMED, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void a_changed_list_of_roots_ends_sessions(void **state)
{
	struct hf_cert roots[2] = { dom.ca.cert, dom.other_ca.cert };
	static uint8_t pin[HF_SM3_LEN];
	struct hf_bytes chain[2] = { dom.server.cert.der, dom.ca.cert.der };
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	t.p.s.cfg.roots = roots;
	t.p.s.cfg.n_roots = 2;
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	init(&t);
	t.p.c.cfg.roots = roots;
	t.p.c.cfg.n_roots = 2;
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	init(&t);
	t.p.s.cfg.roots = roots;
	t.p.s.cfg.n_roots = 2;
	hf_tlcp_session_clear(&s);
	first_link(&t, &s);
	expect_fate(&t, &s, RESUMED, "dev-7");
	roots[1] = dom.lonely.cert; /* as many as before */
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	init(&t);
	hf_tlcp_session_clear(&s);
	hf_cert_fingerprint(pin, &dom.ca.cert);
	t.p.s.cfg.chain = chain;
	t.p.s.cfg.n_chain = 2;
	first_link(&t, &s);
	expect_fate(&t, &s, RESUMED, "dev-7");
	t.p.c.cfg.root_pin = pin;
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void another_server_name_has_sessions_of_its_own(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	become(&t.p.s, &t.s, &hub_2);
	t.c.extensions = true;
	first_link(&t, &s);
	expect_fate(&t, &s, RESUMED, "dev-7");
	t.p.c.start.server_name = "other.example";
	expect_changed(&t, &s, "dev-7");
	t.p.c.start.server_name = NULL;
	expect_changed(&t, &s, "dev-7");
	t.p.c.start.server_name = "hub.example";
	t.c.extensions = false; /* the name is still asked of the certificate, and not sent */
	rebind(&t, &s);
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	t.p.c.start.server_name = "other.example";
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void another_application_protocol_has_sessions_of_its_own(void **state)
{
	static const char *const other[] = { "hufu/1" };
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	t.c.extensions = true;
	t.p.s.cfg.n_alpn = 2;
	first_link(&t, &s);
	assert_int_equal(fate_of(&t, &s), RESUMED);
	assert_string_equal(hf_tls_alpn(&t.p.c.t), "h2");
	pair_clear(&t.p);
	t.p.c.cfg.alpn = other;
	t.p.c.cfg.n_alpn = 1;
	expect_changed(&t, &s, "dev-7");
	t.p.c.cfg.n_alpn = 0;
	expect_changed(&t, &s, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void a_session_under_another_suite_is_none(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	s.suite = hf_tlcp_suites[1].code; /* what it says is not what it was */
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	assert_ok(t.cache.put(t.cache.ctx, &s));
	rebind(&t, &s);
	expect_fate(&t, &s, NOT_TAKEN, "dev-7");
	hf_tlcp_session_clear(&s);
}

/* Days later, both parties have certificates that hold; the session remembers those that do not. */
static void an_expired_peer_is_not_resumed_and_a_renewed_one_opens(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	become(&t.p.c, &t.c, &dev_new);
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S + DAY_S - 10;
	first_link(&t, &s); /* with a server whose certificate ends in ten seconds */
	expect_fate(&t, &s, RESUMED, "dev-7");
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S + DAY_S + 1;
	become(&t.p.s, &t.s, &hub_new);
	expect_fate(&t, &s, NOT_OFFERED, "dev-7");
	hf_tlcp_session_clear(&s);

	init(&t);
	become(&t.p.s, &t.s, &hub_new);
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S + DAY_S - 10;
	first_link(&t, &s); /* and now the client's */
	expect_fate(&t, &s, RESUMED, "dev-7");
	t.p.c.start.now_s = t.p.s.start.now_s = NOW_S + DAY_S + 1;
	become(&t.p.c, &t.c, &dev_new);
	expect_changed(&t, &s, "dev-7");
	hf_tlcp_session_clear(&s);
}

static void a_revoked_peer_is_not_resumed(void **state)
{
	const struct hf_bytes serials[] = { dev_8.sign.cert.serial, dev_8.enc.cert.serial };
	const struct hf_bytes hubs[] = { hub_2.sign.cert.serial, hub_2.enc.cert.serial };
	struct hf_tlcp_session s;
	struct tlcp_pair t;
	struct hf_buf der;
	struct hf_crl crl;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(serials); i++) {
		init(&t);
		become(&t.p.c, &t.c, &dev_8);
		first_link(&t, &s);
		list_make(&crl, &der, serials[i], 100);
		t.p.s.cfg.crls = &crl;
		t.p.s.cfg.n_crls = 1;
		t.p.c.start.tlcp_session = &s;
		tlcp_refusal(&t, &t.p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
		/* The server has forgotten nothing and looks each time: without the list it goes
		 * on. */
		t.p.s.cfg.n_crls = 0;
		expect_fate(&t, &s, RESUMED, "dev-8");
		hf_tlcp_session_clear(&s);
		hf_buf_clear(&der);

		init(&t);
		become(&t.p.s, &t.s, &hub_2);
		first_link(&t, &s);
		list_make(&crl, &der, hubs[i], 100);
		t.p.c.cfg.crls = &crl;
		t.p.c.cfg.n_crls = 1;
		t.p.c.start.tlcp_session = &s;
		pair_start(&t.p);
		assert_false(is_offered(&t));
		pair_clear(&t.p);
		tlcp_refusal(&t, &t.p.c, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
		become(&t.p.s, &t.s, &hub_new); /* the same party, with new certificates */
		expect_fate(&t, &s, NOT_OFFERED, "dev-7");
		hf_tlcp_session_clear(&s);
		hf_buf_clear(&der);
	}
}

/* A session that lost its proof of status is stale, and so not taken up either. */
static void a_peer_of_unknown_status_is_not_resumed(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	t.p.c.start.tlcp_session = &s;
	t.p.c.cfg.need_crl = true;
	pair_start(&t.p);
	assert_false(is_offered(&t));
	pair_clear(&t.p);
	t.p.c.cfg.need_crl = false;
	t.p.s.cfg.need_crl = true;
	tlcp_refusal(&t, &t.p.s, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN, NULL);
	hf_tlcp_session_clear(&s);
}

/* Twice the same link, but for who is at one end of it. */
static void two_links(
	struct tlcp_pair *t, struct hf_tlcp_session *seven, struct hf_tlcp_session *eight)
{
	init(t);
	first_link(t, seven);
	init(t);
	become(&t->p.c, &t->c, &dev_8);
	first_link(t, eight);
}

static void nobody_comes_in_by_the_id_of_somebody_else(void **state)
{
	struct hf_tlcp_session seven, eight, mixed;
	struct tlcp_pair t;

	(void)state;
	two_links(&t, &seven, &eight);
	expect_fate(&t, &eight, RESUMED, "dev-8");

	/* The id was seen on the wire; the secret is one's own. */
	assert_ok(hf_tlcp_session_copy(&mixed, &eight, &test_mem));
	memcpy(mixed.id, seven.id, sizeof(mixed.id));
	t.p.c.start.tlcp_session = &mixed;
	pair_start(&t.p);
	assert_true(is_offered(&t));
	pair_run(&t.p, SIZE_MAX);
	assert_false(hf_tls_is_open(&t.p.c.t));
	assert_false(hf_tls_is_open(&t.p.s.t));
	assert_int_not_equal(hf_tls_error(&t.p.s.t), HF_OK);
	pair_clear(&t.p);
	hf_tlcp_session_clear(&mixed);

	/* All of it, as if two parties of one process were mixed up: each is itself. */
	expect_fate(&t, &seven, NOT_OFFERED, "dev-8");
	init(&t);
	expect_fate(&t, &eight, NOT_OFFERED, "dev-7");
	/* And whose it is was not harmed. */
	expect_fate(&t, &seven, RESUMED, "dev-7");
	hf_tlcp_session_clear(&seven);
	hf_tlcp_session_clear(&eight);
}

/* Two servers that share what they remember are two parties still. */
static void one_server_does_not_take_up_what_another_began(void **state)
{
	struct hf_tlcp_session s;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	become(&t.p.s, &t.s, &hub_2);
	assert_int_equal(fate_of(&t, &s), NOT_TAKEN);
	assert_string_equal(hf_tls_peer(&t.p.c.t)->identity.id, "hub-2");
	pair_clear(&t.p);
	init(&t);
	expect_fate(&t, &s, RESUMED, "dev-7");
	hf_tlcp_session_clear(&s);
}

/* A server that says it resumes, and was not there when the secret was made. */
static void a_server_that_lacks_the_secret_is_not_believed(void **state)
{
	struct hf_tlcp_session s, forged;
	struct tlcp_pair t;

	(void)state;
	init(&t);
	first_link(&t, &s);
	become(&t.p.s, &t.s, &hub_2);
	assert_ok(hf_tlcp_session_copy(&forged, &s, &test_mem));
	memset(forged.master, 7, sizeof(forged.master));
	pair_start(&t.p); /* what it binds its own sessions to */
	hf_tlcp_bound(&t.p.s.t, hf_tlcp_suite_find(forged.suite), forged.bound);
	pair_clear(&t.p);
	assert_ok(t.cache.put(t.cache.ctx, &forged));
	t.p.c.start.tlcp_session = &s;
	tlcp_refusal(&t, &t.p.c, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC, NULL);
	hf_tlcp_session_clear(&forged);
	hf_tlcp_session_clear(&s);
}

int main(void)
{
#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, fresh_store, end_store)
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_changed_certificate_of_the_server_ends_its_sessions),
		WITH_STORE(a_changed_certificate_of_the_client_ends_its_sessions),
		WITH_STORE(a_changed_list_of_roots_ends_sessions),
		WITH_STORE(another_server_name_has_sessions_of_its_own),
		WITH_STORE(another_application_protocol_has_sessions_of_its_own),
		WITH_STORE(a_session_under_another_suite_is_none),
		WITH_STORE(an_expired_peer_is_not_resumed_and_a_renewed_one_opens),
		WITH_STORE(a_revoked_peer_is_not_resumed),
		WITH_STORE(a_peer_of_unknown_status_is_not_resumed),
		WITH_STORE(nobody_comes_in_by_the_id_of_somebody_else),
		WITH_STORE(one_server_does_not_take_up_what_another_began),
		WITH_STORE(a_server_that_lacks_the_secret_is_not_believed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
