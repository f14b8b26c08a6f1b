/* SPDX-License-Identifier: Apache-2.0 */
/* Status of certificates, stapled to them in either direction (RFC 8446 4.4.2.1). */
#include "tls_fixture.h"

#include "base/rd.h"
#include "pki/ocsp.h"

enum { AGE_S = 60, ENTRY_HEAD = 4 + 1 + 3 };

/* An answer about a party, made AGE_S ago; der stays with the caller. */
static struct hf_bytes answer(struct hf_buf *der, const struct party *about,
	enum hf_ocsp_status status, const struct party *by)
{
	struct hf_ocsp_spec spec = { .cert = &about->cert,
		.issuer = &dom.ca.cert,
		.produced_s = NOW_S - AGE_S,
		.single = { status, NOW_S - 3600, status == HF_OCSP_REVOKED, NOW_S - AGE_S,
			NOW_S + DAY_S } };

	hf_buf_init(der, &test_mem, HF_OCSP_DER_MAX);
	assert_ok(hf_ocsp_build(der, &spec, &by->signer, NULL));
	return (struct hf_bytes){ der->p, der->len };
}

/* A client that needs the status of the server's certificate, and a server that has one. */
static void needs_at_client(struct pair *p, const struct hf_bytes *staple)
{
	pair_init(p);
	p->c.cfg.need_crl = p->c.cfg.ask_staple = true;
	p->c.cfg.crl_age_max_s = 3600;
	p->s.cfg.staples = staple;
}

static void needs_at_server(struct pair *p, const struct hf_bytes *staple)
{
	pair_init(p);
	p->s.cfg.need_crl = p->s.cfg.ask_staple = true;
	p->s.cfg.crl_age_max_s = 3600;
	p->c.cfg.staples = staple;
}

static void a_staple_stands_in_for_a_list(void **state)
{
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_GOOD, &dom.ca);
	struct pair p;

	(void)state;
	needs_at_client(&p, NULL);
	expect_refusal(&p, &p.c, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN,
		"policy link.revocation-age at L1: peer's certificate: revocation list of");
	needs_at_client(&p, &staple);
	pair_open(&p);
	pair_clear(&p);
	needs_at_server(&p, &staple); /* the device's serial is the same */
	pair_open(&p);
	pair_clear(&p);
	needs_at_client(&p, &staple);
	p.c.cfg.defer_share = true; /* over a HelloRetryRequest, too */
	pair_open(&p);
	pair_clear(&p);
	hf_buf_clear(&der);
}

static void a_revoking_staple_ends_the_link(void **state)
{
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_REVOKED, &dom.ca);
	struct pair p;

	(void)state;
	needs_at_client(&p, &staple);
	expect_refusal(&p, &p.c, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED,
		"peer's certificate: certificate 91020304 of C=CN, O=Example, CN=hub-1 is revoked "
		"for reason 1 (key compromise), 3600 s ago");
	needs_at_client(&p, &staple);
	p.c.cfg.need_crl = false; /* also where nobody needs it */
	expect_refusal(&p, &p.c, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, NULL);
	needs_at_server(&p, &staple);
	expect_refusal(&p, &p.s, HF_ERR_REVOKED, HF_ALERT_CERTIFICATE_REVOKED, "CN=dev-7");
	hf_buf_clear(&der);
}

static void a_staple_that_proves_nothing_does_not_count(void **state)
{
	static const uint8_t try_later[] = { 0x30, 3, 0x0a, 1, 3 };
	struct hf_bytes none = { try_later, sizeof(try_later) };
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_GOOD, &dom.other_ca);
	struct pair p;

	(void)state;
	needs_at_client(&p, &staple); /* signed by somebody else */
	expect_refusal(&p, &p.c, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN, "missing");
	needs_at_client(&p, &none);
	expect_refusal(&p, &p.c, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN, "missing");
	hf_buf_clear(&der);
	staple = answer(&der, &dom.server, HF_OCSP_GOOD, &dom.ca);
	needs_at_client(&p, &staple);
	p.c.cfg.crl_age_max_s = AGE_S - 1;
	expect_refusal(&p, &p.c, HF_ERR_STALE, HF_ALERT_CERTIFICATE_UNKNOWN, "60 s old");
	hf_buf_clear(&der);
}

static void a_staple_that_is_none_ends_the_link(void **state)
{
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_GOOD, &dom.ca);
	struct pair p;

	(void)state;
	staple.len--;
	needs_at_client(&p, &staple);
	expect_refusal(&p, &p.c, HF_ERR_TRUNCATED, HF_ALERT_BAD_STATUS_RESPONSE, "status response");
	staple.len = HF_OCSP_DER_MAX + 1;
	needs_at_client(&p, &staple);
	pair_start(&p);
	assert_err(p.s.err, HF_ERR_ARG);
	pair_clear(&p);
	hf_buf_clear(&der);
}

static void nobody_staples_who_was_not_asked(void **state)
{
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_REVOKED, &dom.ca);
	struct pair p;

	(void)state;
	needs_at_client(&p, &staple);
	p.c.cfg.need_crl = p.c.cfg.ask_staple = false;
	pair_open(&p);
	pair_clear(&p);
	needs_at_server(&p, &staple);
	p.s.cfg.need_crl = p.s.cfg.ask_staple = false;
	pair_open(&p);
	pair_clear(&p);
	hf_buf_clear(&der);
}

/* A client whose mind changed about asking: to it the staple comes unasked. */
static void an_unasked_staple_is_refused(void **state)
{
	struct hf_buf der;
	struct hf_bytes staple = answer(&der, &dom.server, HF_OCSP_GOOD, &dom.ca);
	struct pair p;

	(void)state;
	needs_at_client(&p, &staple);
	pair_start(&p);
	p.c.cfg.ask_staple = false;
	pair_run(&p, SIZE_MAX);
	assert_err(hf_tls_error(&p.c.t), HF_ERR_FORMAT);
	assert_int_equal(hf_tls_alert_sent(&p.c.t), HF_ALERT_UNSUPPORTED_EXTENSION);
	pair_clear(&p);
	hf_buf_clear(&der);
}

static hf_err parse(struct hf_tls_cert_list *out, const uint8_t *msg, size_t len)
{
	uint8_t *copy = malloc(len - 4);
	hf_err e;

	memcpy(copy, msg + 4, len - 4);
	e = hf_tls_cert_list_parse(out, copy, len - 4);
	free(copy);
	return e;
}

static void entries_are_read_to_the_last_byte(void **state)
{
	static const uint8_t cert[] = { 1, 2, 3 };
	static const uint8_t response[] = { 9, 8 };
	const struct hf_bytes ders[] = { { cert, 3 }, { cert, 2 } };
	const struct hf_bytes staples[] = { { 0 }, { response, 2 } };
	struct hf_tls_cert_list list;
	uint8_t msg[64];
	struct hf_writer w = { .p = msg, .cap = sizeof(msg) };
	size_t ext; /* of the second entry: type, length, status type, length of 3 bytes */

	(void)state;
	hf_tls_cert_list_emit(&w, ders, staples, 2);
	assert_ok(hf_wr_done(&w));
	assert_int_equal(w.len, hf_tls_cert_list_len(ders, staples, 2));
	assert_ok(hf_tls_cert_list_parse(&list, msg + 4, w.len - 4));
	assert_true(list.n == 2 && list.has_staple && !list.has_other);
	assert_true(list.staple[0].len == 0 && hf_bytes_eq(list.staple[1], staples[1]));
	ext = ENTRY_HEAD + 3 + 3 + 2 + 3 + 2 + 2;
	for (size_t n = 5; n < w.len; n++)
		assert_int_not_equal(parse(&list, msg, n), HF_OK);
	msg[ext + 1] = HF_TLS_EXT_ALPN;
	assert_ok(parse(&list, msg, w.len));
	assert_true(list.has_other && !list.has_staple);
	msg[ext + 1] = HF_TLS_EXT_STATUS;
	msg[ext + 4] = 2; /* another kind of status */
	assert_err(parse(&list, msg, w.len), HF_ERR_FORMAT);
	msg[ext + 4] = 1;
	msg[ext + 7] = 1; /* a byte is left */
	assert_err(parse(&list, msg, w.len), HF_ERR_FORMAT);
	msg[ext + 7] = 3;
	assert_err(parse(&list, msg, w.len), HF_ERR_TRUNCATED);
}

static hf_err parse_ask(bool *asks, const char *bytes, size_t len)
{
	struct hf_reader r = { .p = (const uint8_t *)bytes, .left = len };

	return hf_tls_status_ask_parse(asks, &r);
}

static void what_clients_ask_for_is_checked(void **state)
{
	bool asks = false;

	(void)state;
	assert_ok(parse_ask(&asks, "\x01\x00\x00\x00\x00", 5));
	assert_true(asks);
	assert_ok(parse_ask(&asks, "\x01\x00\x02xy\x00\x01z", 8));
	assert_err(parse_ask(&asks, "\x01\x00\x00\x00", 4), HF_ERR_TRUNCATED);
	assert_err(parse_ask(&asks, "\x01\x00\x00\x00\x00\x00", 6), HF_ERR_FORMAT);
	assert_err(parse_ask(&asks, "", 0), HF_ERR_TRUNCATED);
	assert_ok(parse_ask(&asks, "\x02\x07", 2)); /* of a kind that is not ours */
	assert_false(asks);
}

static int start(void **state)
{
	(void)state;
	domain_init();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&dom.ca.cert);
	hf_cert_clear(&dom.other_ca.cert);
	hf_cert_clear(&dom.server.cert);
	hf_cert_clear(&dom.device.cert);
	hf_cert_clear(&dom.stranger.cert);
	hf_cert_clear(&dom.lonely.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_staple_stands_in_for_a_list),
		cmocka_unit_test(a_revoking_staple_ends_the_link),
		cmocka_unit_test(a_staple_that_proves_nothing_does_not_count),
		cmocka_unit_test(a_staple_that_is_none_ends_the_link),
		cmocka_unit_test(nobody_staples_who_was_not_asked),
		cmocka_unit_test(an_unasked_staple_is_refused),
		cmocka_unit_test(entries_are_read_to_the_last_byte),
		cmocka_unit_test(what_clients_ask_for_is_checked),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
