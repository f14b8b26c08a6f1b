/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes of TLCP that must fail, and are refused in TLS 1.3 as well (test_tls.c,
 * test_tls_attacks.c): who is not known or no longer, points that give a secret away, hellos that
 * are sent again, and what the other protocol has and this one not.
 */
#include "tlcp_fixture.h"

enum { MORE_CERTS = HF_CHAIN_MAX + 1 };

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	return 0;
}

/* --- points --- */

static void infinity(uint8_t *b, size_t *len)
{
	(void)len;
	memset(b + 5, 0, 2 * HF_SM2_LEN);
}

static void beyond_the_field(uint8_t *b, size_t *len)
{
	(void)len;
	memset(b + 5, 0xff, 2 * HF_SM2_LEN);
}

static void infinity_in_short(uint8_t *b, size_t *len)
{
	(void)len;
	b[4] = 0;
}

static void hybrid(uint8_t *b, size_t *len)
{
	(void)len;
	b[4] = (uint8_t)(6 | (b[4 + 2 * HF_SM2_LEN] & 1));
}

/* The curve has no small subgroups; the point at infinity, in whatever dress, would be one. */
static void points_that_give_the_secret_away_are_refused(void **state)
{
	static const alter_fn wrong[] = { infinity, beyond_the_field, infinity_in_short, hybrid };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		altered_is_refused(&t, HF_TLCP_MSG_SKE, wrong[i], &t.p.c,
			HF_ALERT_ILLEGAL_PARAMETER, "malformed ServerKeyExchange");
		altered_is_refused(&t, HF_TLCP_MSG_CKE, wrong[i], &t.p.s,
			HF_ALERT_ILLEGAL_PARAMETER, "malformed ClientKeyExchange");
	}
}

/* --- hellos --- */

static void suites_of_nobody(uint8_t *b, size_t *len)
{
	(void)len;
	hf_put_be16(b + 2 + HF_TLS_RANDOM_LEN + 1 + 2, 0xe0ff);
}

static void suites_of_tls13(uint8_t *b, size_t *len)
{
	(void)len;
	hf_put_be16(b + 2 + HF_TLS_RANDOM_LEN + 1 + 2, 0x00c6);
}

static void unknown_suites_alone_are_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, suites_of_nobody, &t.p.s,
		HF_ALERT_HANDSHAKE_FAILURE, "no suite in common");
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, suites_of_tls13, &t.p.s,
		HF_ALERT_HANDSHAKE_FAILURE, "no suite in common");
}

/* All that a client said when it resumed, said again by who only heard it. */
static void a_replayed_hello_resumes_nothing(void **state)
{
	struct hf_tlcp_store *store = hf_tlcp_store_new(&test_mem, 4);
	struct hf_tlcp_session s;
	struct tlcp_pair t;
	uint8_t *hello, *rest;
	size_t hello_len, rest_len;

	(void)state;
	tlcp_init(&t);
	t.cache = hf_tlcp_store_cache(store);
	t.s.cache = &t.cache;
	pair_open(&t.p);
	assert_ok(hf_tlcp_session_get(&t.p.c.t, &s));
	pair_clear(&t.p);

	t.p.c.start.tlcp_session = &s;
	pair_start(&t.p);
	hello = end_out(&t.p.c, &hello_len);
	end_feed(&t.p.s, hello, hello_len, SIZE_MAX, 1000);
	(void)move(&t.p, &t.p.s, &t.p.c, SIZE_MAX);
	say(&t.p.c, "pay");
	rest = end_out(&t.p.c, &rest_len);
	end_feed(&t.p.s, rest, rest_len, SIZE_MAX, 1000);
	assert_true(hf_tlcp_is_resumed(&t.p.s.t));
	hears(&t.p.s, "pay");
	pair_clear(&t.p);

	pair_start(&t.p);
	end_feed(&t.p.s, hello, hello_len, SIZE_MAX, 1000);
	end_feed(&t.p.s, rest, rest_len, SIZE_MAX, 1000);
	must_fail(&t.p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC, "not authentic");
	assert_false(hf_tls_is_open(&t.p.s.t));
	assert_int_equal(hf_tls_plain(&t.p.s.t, &(const uint8_t *){ NULL }), 0);
	pair_clear(&t.p);

	pair_open(&t.p); /* and the client whose hello it was comes back as before */
	assert_true(hf_tlcp_is_resumed(&t.p.s.t));
	pair_clear(&t.p);
	free(hello);
	free(rest);
	hf_tlcp_session_clear(&s);
	hf_tlcp_store_free(store);
}

/* --- certificates --- */

/* One of the four certificates of a link, made anew. */
static struct {
	struct hf_cert cert;
	struct hf_bytes chain[1];
} odd;

static const uint8_t odd_serial[] = { 0x66, 6 };

static void give_odd(struct tlcp_pair *t, bool to_server, bool is_enc, int64_t from, int64_t until)
{
	static const char *const dns[] = { "hub.example" };
	const struct party *sign = to_server ? &dom.server : &dom.device;
	struct party p = is_enc ? (to_server ? two.server : two.device) : *sign;
	struct hf_cert_spec spec = party_spec(&p, &dom.ca);
	struct hf_tlcp_config *c = to_server ? &t->s : &t->c;

	spec.serial = odd_serial;
	spec.serial_len = sizeof(odd_serial);
	spec.not_before_s = (uint64_t)((int64_t)NOW_S + from);
	spec.not_after_s = (uint64_t)((int64_t)NOW_S + until);
	spec.key_usage = is_enc ? HF_KU_ENCRYPT : HF_KU_SIGN;
	spec.dns = dns;
	spec.n_dns = to_server ? 1 : 0;
	p.cert = (struct hf_cert){ 0 };
	party_issue(&p, &spec, &dom.ca);
	hf_cert_clear(&odd.cert);
	odd.cert = p.cert;
	odd.chain[0] = odd.cert.der;
	if (is_enc)
		c->enc_cert = odd.cert.der;
	else
		(to_server ? &t->p.s : &t->p.c)->cfg.chain = odd.chain;
}

/* Each of both certificates of each side, in turn, from .. until seconds from now. */
static void each_is_refused(int64_t from, int64_t until, const struct hf_crl *crl, hf_err e,
	unsigned alert, const char *says)
{
	for (int i = 0; i < 4; i++) {
		bool to_server = i % 2 == 0;
		struct tlcp_pair t;
		struct end *by = to_server ? &t.p.c : &t.p.s;

		tlcp_init(&t);
		give_odd(&t, to_server, i < 2, -DAY_S, DAY_S);
		pair_open(&t.p); /* nothing else is wrong with it */
		pair_clear(&t.p);
		give_odd(&t, to_server, i < 2, from, until);
		by->cfg.crls = crl;
		by->cfg.n_crls = crl == NULL ? 0 : 1;
		tlcp_refusal(&t, by, e, alert, says);
	}
	hf_cert_clear(&odd.cert);
}

static void certificates_out_of_time_are_refused(void **state)
{
	(void)state;
	each_is_refused(
		-DAY_S, -1, NULL, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, "has expired");
	each_is_refused(
		60, DAY_S, NULL, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, "not valid yet");
}

static void revoked_certificates_are_refused(void **state)
{
	struct hf_crl crl;
	struct hf_buf der;

	(void)state;
	list_make(&crl, &der, (struct hf_bytes){ odd_serial, sizeof(odd_serial) }, 100);
	each_is_refused(-DAY_S, DAY_S, &crl, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	hf_buf_clear(&der);
}

/* The last certificate of the list again and again, until there are more than a path may have. */
static void more_certificates(uint8_t *b, size_t *len)
{
	size_t first = 3 + 3 + hf_get_be24(b + 3);
	size_t last = *len - first;

	for (int n = 2; n < MORE_CERTS; n++) {
		memcpy(b + *len, b + first, last);
		*len += last;
	}
	b[0] = 0;
	hf_put_be16(b + 1, (uint16_t)(*len - 3));
}

static void more_certificates_than_a_path_may_have_are_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	altered_is_refused(&t, HF_TLS_MSG_CERTIFICATE, more_certificates, &t.p.c,
		HF_ALERT_ILLEGAL_PARAMETER, "malformed Certificate: a configured limit");
}

/* --- what TLCP does not have --- */

/* New keys, and tickets behind the handshake, are messages like any other wrong one. */
static void floods_of_other_protocols_end_with_the_first(void **state)
{
	static const uint8_t update[] = { HF_TLS_MSG_KEY_UPDATE, 0, 0, 1, 1 };
	static const uint8_t ticket[] = { HF_TLS_MSG_TICKET, 0, 0, 7, 0, 0, 0, 9, 0, 1, 7 };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	inject(&t.p.s, HF_TLS_HANDSHAKE, update, sizeof(update));
	must_fail(&t.p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "message 24");
	inject(&t.p.c, HF_TLS_HANDSHAKE, update, sizeof(update));
	must_fail(&t.p.c, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "message 24");
	pair_clear(&t.p);
	pair_open(&t.p);
	inject(&t.p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
	must_fail(&t.p.c, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "message 4");
	pair_clear(&t.p);

	/* In the handshake there may be one, which changes nothing. */
	pair_start(&t.p);
	(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
	(void)move(&t.p, &t.p.s, &t.p.c, SIZE_MAX);
	inject(&t.p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
	assert_ok(hf_tls_error(&t.p.c.t));
	inject(&t.p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
	must_fail(&t.p.c, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "message 4");
	pair_clear(&t.p);
}

/* A byte now and then: the time is that of the whole handshake. */
static void a_slow_handshake_is_given_up(void **state)
{
	struct tlcp_pair t;
	uint8_t *hello;
	size_t len, at = 0;
	uint64_t now_ms;

	(void)state;
	tlcp_init(&t);
	pair_start(&t.p);
	now_ms = t.p.now_ms;
	hello = end_out(&t.p.c, &len);
	while (at < len && hf_tls_error(&t.p.s.t) == HF_OK) {
		now_ms += t.p.s.cfg.limits.handshake_ms / 10;
		end_feed(&t.p.s, hello + at++, 1, 1, now_ms);
	}
	assert_true(at < len);
	assert_err(hf_tls_error(&t.p.s.t), HF_ERR_TIMEOUT);
	free(hello);
	pair_clear(&t.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_that_give_the_secret_away_are_refused),
		cmocka_unit_test(unknown_suites_alone_are_refused),
		cmocka_unit_test(a_replayed_hello_resumes_nothing),
		cmocka_unit_test(certificates_out_of_time_are_refused),
		cmocka_unit_test(revoked_certificates_are_refused),
		cmocka_unit_test(more_certificates_than_a_path_may_have_are_refused),
		cmocka_unit_test(floods_of_other_protocols_end_with_the_first),
		cmocka_unit_test(a_slow_handshake_is_given_up),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
