/* SPDX-License-Identifier: Apache-2.0 */
/* What complete lists, deltas and stapled answers say together about one certificate. */
#include "pki_fixture.h"

#include "pki/status.h"

static struct party ca;
static struct party other; /* of the CA's name, with a key of its own */
static struct party leaf;
static struct party responder;

static struct hf_buf ders[8];
static size_t n_ders;

static struct hf_buf *next_der(size_t max)
{
	struct hf_buf *der = &ders[n_ders++];

	hf_buf_init(der, &test_mem, max);
	return der;
}

static int drop(void **state)
{
	(void)state;
	while (n_ders > 0)
		hf_buf_clear(&ders[--n_ders]);
	return 0;
}

/* A list with the leaf on it for a reason; reason < 0: without it. base 0: a complete one. */
static struct hf_crl list_at(uint64_t number, uint64_t base, int reason, uint64_t age_s)
{
	const struct hf_crl_entry entry = { leaf.cert.serial.p, leaf.cert.serial.len, NOW_S - 10,
		(unsigned)reason };
	const struct hf_crl_spec spec = { ca.subject, NOW_S - age_s, NOW_S - age_s + DAY_S, number,
		&entry, reason >= 0, base };
	struct hf_buf *der = next_der(HF_CRL_DER_MAX);
	struct hf_crl crl;

	assert_ok(hf_crl_build(der, &spec, &ca.signer, NULL));
	assert_ok(hf_crl_parse(&crl, der->p, der->len, NULL));
	return crl;
}

static struct hf_ocsp_spec answer_spec(enum hf_ocsp_status status)
{
	return (struct hf_ocsp_spec){ .cert = &leaf.cert,
		.issuer = &ca.cert,
		.produced_s = NOW_S,
		.single = { status, status == HF_OCSP_REVOKED ? NOW_S - 10 : 0,
			status == HF_OCSP_REVOKED ? 1 : 0, NOW_S - 60, NOW_S + 3600 } };
}

static struct hf_ocsp answer(const struct hf_ocsp_spec *spec, const struct party *by)
{
	struct hf_buf *der = next_der(HF_OCSP_DER_MAX);
	struct hf_errinfo ei = { 0 };
	struct hf_ocsp o = { 0 };

	if (hf_ocsp_build(der, spec, &by->signer, &ei) != HF_OK ||
		hf_ocsp_parse(&o, der->p, der->len, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	return o;
}

static void expect(const struct hf_status_query *query, hf_err code, const char *reason)
{
	struct hf_status_query q = *query;
	struct hf_errinfo ei = { 0 };

	assert_err(hf_status_check(&q, &leaf.cert, &ca.cert, &ei), code);
	if (code != HF_OK && strstr(ei.text, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", ei.text, reason);
}

static struct hf_status_query ask_lists(const struct hf_crl *crls, size_t n)
{
	return (struct hf_status_query){ .crls = crls,
		.n_crls = n,
		.now_s = NOW_S,
		.need = true,
		.age_max_s = 3600,
		.n_verifies = 32 };
}

static struct hf_status_query ask_staple(const struct hf_ocsp *staple)
{
	return (struct hf_status_query){ .staples = staple,
		.n_staples = 1,
		.now_s = NOW_S,
		.need = true,
		.age_max_s = 3600,
		.n_verifies = 32 };
}

static void a_delta_revokes(void **state)
{
	struct hf_crl crls[] = { list_at(7, 0, -1, 100), list_at(9, 7, 1, 50) };
	struct hf_status_query q = ask_lists(crls, 1);

	(void)state;
	expect(&q, HF_OK, "");
	q.n_crls = 2;
	expect(&q, HF_ERR_REVOKED,
		"certificate 91020304 of C=CN, O=Example, CN=leaf is revoked for reason 1 (key "
		"compromise), 10 s ago");
	/* its word counts without its base, too */
	q = ask_lists(&crls[1], 1);
	expect(&q, HF_ERR_REVOKED, "CN=leaf");
}

static void a_fresh_delta_makes_its_base_fresh(void **state)
{
	struct hf_crl crls[] = { list_at(7, 0, -1, 7200), list_at(9, 7, -1, 50) };
	struct hf_crl gap[] = { list_at(6, 0, -1, 7200), crls[1] };
	struct hf_status_query q = ask_lists(crls, 1);

	(void)state;
	expect(&q, HF_ERR_STALE, "CN=CA is not fresh enough: 7200 s old");
	q.n_crls = 2;
	expect(&q, HF_OK, "");
	q = ask_lists(gap, 2); /* list 6 does not reach up to the base */
	expect(&q, HF_ERR_STALE, "not fresh enough");
	q = ask_lists(&crls[1], 1); /* nor does a delta alone say that all is well */
	expect(&q, HF_ERR_STALE, "missing");
	q = ask_lists(crls, 2);
	q.now_s = NOW_S - 51;
	expect(&q, HF_ERR_STALE, "not fresh enough");
	q.need = false;
	expect(&q, HF_OK, "");
}

static void only_a_hold_is_lifted(void **state)
{
	struct hf_crl hold = list_at(7, 0, HF_CRL_REASON_HOLD, 100);
	struct hf_crl lift = list_at(9, 7, HF_CRL_REASON_REMOVE, 50);
	struct hf_crl early = list_at(6, 5, HF_CRL_REASON_REMOVE, 120);
	struct hf_crl later = list_at(8, 0, -1, 60);
	struct hf_crl gone = list_at(7, 0, 1, 100);
	struct hf_crl crls[2] = { hold, hold };
	struct hf_status_query q = ask_lists(crls, 2);

	(void)state;
	expect(&q, HF_ERR_REVOKED, "(on hold)");
	crls[1] = early;
	expect(&q, HF_ERR_REVOKED, "(on hold)");
	crls[1] = lift;
	expect(&q, HF_OK, "");
	crls[0] = lift; /* the order does not matter */
	crls[1] = hold;
	expect(&q, HF_OK, "");
	crls[0] = later;
	expect(&q, HF_OK, "");
	crls[0] = gone; /* what is revoked for good stays so */
	crls[1] = lift;
	expect(&q, HF_ERR_REVOKED, "key compromise");
	crls[1] = later;
	expect(&q, HF_ERR_REVOKED, "key compromise");
}

static void a_list_is_never_left_unread(void **state)
{
	struct hf_crl crls[] = { list_at(7, 0, -1, 100), list_at(8, 0, 1, 50) };
	struct hf_status_query q = ask_lists(crls, 2);

	(void)state;
	q.need = false;
	q.n_verifies = 1; /* with the other list unread, the leaf would pass */
	expect(&q, HF_ERR_LIMIT, "too many revocation lists");
	assert_ok(hf_crl_check(&crls[0], &ca.key.pub, NULL)); /* costs nothing any more */
	expect(&q, HF_ERR_REVOKED, "CN=leaf");
	q.n_crls = HF_STATUS_CRLS_MAX + 1;
	expect(&q, HF_ERR_LIMIT, "too many revocation lists");
}

static void a_good_answer_stands_in_for_a_list(void **state)
{
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_GOOD);
	struct hf_ocsp good = answer(&spec, &ca);
	struct hf_status_query q = ask_staple(&good);

	(void)state;
	expect(&q, HF_OK, "");
	q.age_max_s = 59;
	expect(&q, HF_ERR_STALE, "60 s old");
	q.age_max_s = 3600;
	q.now_s = NOW_S - 61;
	expect(&q, HF_ERR_STALE, "from the future");
	q.age_max_s = UINT64_MAX;
	q.now_s = NOW_S + 3601;
	expect(&q, HF_ERR_STALE, "past its end");
	spec.single.next_update_s = 0; /* then only the age counts */
	good = answer(&spec, &ca);
	expect(&q, HF_OK, "");
}

static void a_revoking_answer_revokes(void **state)
{
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_REVOKED);
	struct hf_ocsp staple = answer(&spec, &ca);
	struct hf_status_query q = ask_staple(&staple);
	struct hf_crl list = list_at(7, 0, -1, 100);

	(void)state;
	q.crls = &list; /* a good list does not outweigh it */
	q.n_crls = 1;
	expect(&q, HF_ERR_REVOKED, "key compromise");
	q.need = false;
	q.now_s = NOW_S + 2 * DAY_S; /* nor does its age */
	expect(&q, HF_ERR_REVOKED, "key compromise");
}

static void an_answer_about_somebody_else_says_nothing(void **state)
{
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_UNKNOWN);
	struct hf_ocsp staple = answer(&spec, &ca);
	struct hf_status_query q = ask_staple(&staple);

	(void)state;
	expect(&q, HF_ERR_STALE, "missing"); /* the responder does not know it */
	spec = answer_spec(HF_OCSP_GOOD);
	spec.cert = &responder.cert;
	staple = answer(&spec, &ca);
	expect(&q, HF_ERR_STALE, "missing");
	spec = answer_spec(HF_OCSP_GOOD);
	spec.issuer = &other.cert; /* same name, another key */
	staple = answer(&spec, &ca);
	expect(&q, HF_ERR_STALE, "missing");
}

static void an_answer_by_somebody_else_says_nothing(void **state)
{
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_GOOD);
	struct hf_ocsp staple = answer(&spec, &other);
	struct hf_status_query q = ask_staple(&staple);

	(void)state;
	expect(&q, HF_ERR_STALE, "missing");
	spec = answer_spec(HF_OCSP_REVOKED);
	staple = answer(&spec, &other);
	expect(&q, HF_ERR_STALE, "missing");
	staple = answer(&spec, &ca);
	q.n_verifies = HF_OCSP_VERIFIES_MAX - 1; /* left unread, it could be the one that revokes */
	expect(&q, HF_ERR_LIMIT, "too many");
	q.n_staples = HF_STATUS_STAPLES_MAX + 1;
	expect(&q, HF_ERR_LIMIT, "too many");
}

/* Gives the responder a certificate with these usages by a CA, and its answer about the leaf. */
static struct hf_ocsp delegated(unsigned eku, unsigned key_usage, const struct party *by)
{
	static const uint8_t serial[] = { 0x77 };
	struct hf_cert_spec cert = party_spec(&responder, by);
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_GOOD);

	cert.serial = serial;
	cert.serial_len = sizeof(serial);
	cert.eku = eku;
	cert.key_usage = key_usage;
	party_issue(&responder, &cert, by);
	spec.delegate = &responder.cert;
	return answer(&spec, &responder);
}

static void a_delegate_answers_if_the_issuer_said_so(void **state)
{
	struct hf_ocsp staple = delegated(HF_EKU_OCSP, HF_KU_SIGN, &ca);
	struct hf_status_query q = ask_staple(&staple);
	const struct hf_crl_entry entry = { responder.cert.serial.p, 1, NOW_S - 10, 1 };
	const struct hf_crl_spec spec = { ca.subject, NOW_S - 7200, NOW_S, 1, &entry, 1, 0 };
	struct hf_buf *der = next_der(HF_CRL_DER_MAX);
	struct hf_crl crl;
	struct hf_cert by;
	struct hf_errinfo ei = { 0 };

	(void)state;
	expect(&q, HF_OK, "");
	assert_err(
		hf_ocsp_verify_sig(&staple, &ca.cert, NOW_S + 2 * DAY_S, &by, &ei), HF_ERR_EXPIRED);
	assert_non_null(strstr(ei.text, "outside its validity"));
	assert_ok(hf_crl_build(der, &spec, &ca.signer, NULL));
	assert_ok(hf_crl_parse(&crl, der->p, der->len, NULL));
	q.crls = &crl; /* and is not revoked itself */
	q.n_crls = 1;
	expect(&q, HF_ERR_STALE, "not fresh enough");

	staple = delegated(HF_EKU_SERVER, HF_KU_SIGN, &ca);
	assert_err(hf_ocsp_verify_sig(&staple, &ca.cert, NOW_S, &by, NULL), HF_ERR_PURPOSE);
	staple = delegated(HF_EKU_OCSP, HF_KU_ENCRYPT, &ca);
	assert_err(hf_ocsp_verify_sig(&staple, &ca.cert, NOW_S, &by, NULL), HF_ERR_PURPOSE);
	staple = delegated(HF_EKU_OCSP, HF_KU_SIGN, &other);
	assert_err(hf_ocsp_verify_sig(&staple, &ca.cert, NOW_S, &by, NULL), HF_ERR_AUTH);
}

static hf_err try_answer(const uint8_t *in, size_t len)
{
	struct hf_ocsp_single s;
	struct hf_ocsp o;
	struct hf_cert by;

	HF_TRY(hf_ocsp_parse(&o, in, len, NULL));
	HF_TRY(hf_ocsp_verify_sig(&o, &ca.cert, NOW_S, &by, NULL));
	return hf_ocsp_has(&o, &leaf.cert, &ca.cert, &s) ? HF_OK : HF_ERR_NOT_FOUND;
}

static void an_answer_holds_as_a_whole_or_not_at_all(void **state)
{
	struct hf_ocsp_spec spec = answer_spec(HF_OCSP_REVOKED);
	struct hf_ocsp o = answer(&spec, &ca);

	(void)state;
	refuses_every_length_but_one(try_answer, o.der.p, o.der.len);
	refuses_every_changed_byte(try_answer, o.der.p, o.der.len);
}

static void a_responder_without_answer_is_heard(void **state)
{
	static const uint8_t try_later[] = { 0x30, 3, 0x0a, 1, 3 };
	static const uint8_t no_bytes[] = { 0x30, 3, 0x0a, 1, 0 };
	static const uint8_t no_status[] = { 0x30, 3, 0x0a, 1, 7 };
	struct hf_errinfo ei = { 0 };
	struct hf_ocsp o;

	(void)state;
	assert_err(hf_ocsp_parse(&o, try_later, sizeof(try_later), &ei), HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "no answer (status 3)"));
	assert_err(hf_ocsp_parse(&o, no_bytes, sizeof(no_bytes), NULL), HF_ERR_TRUNCATED);
	assert_err(hf_ocsp_parse(&o, no_status, sizeof(no_status), NULL), HF_ERR_FORMAT);
	assert_err(hf_ocsp_parse(&o, try_later, HF_OCSP_DER_MAX + 1, NULL), HF_ERR_LIMIT);
}

static int start(void **state)
{
	static const uint8_t serial[] = { 0x66 };
	struct hf_cert_spec spec;

	(void)state;
	party_init(&ca, "CA");
	party_init(&other, "CA");
	party_init(&leaf, "leaf");
	party_init(&responder, "responder");
	spec = ca_spec(&ca, &ca);
	party_issue(&ca, &spec, &ca);
	spec = ca_spec(&other, &other);
	party_issue(&other, &spec, &other);
	spec = party_spec(&leaf, &ca);
	party_issue(&leaf, &spec, &ca);
	spec = party_spec(&responder, &ca);
	spec.serial = serial;
	spec.serial_len = sizeof(serial);
	party_issue(&responder, &spec, &ca);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&ca.cert);
	hf_cert_clear(&other.cert);
	hf_cert_clear(&leaf.cert);
	hf_cert_clear(&responder.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_delta_revokes, drop),
		cmocka_unit_test_teardown(a_fresh_delta_makes_its_base_fresh, drop),
		cmocka_unit_test_teardown(only_a_hold_is_lifted, drop),
		cmocka_unit_test_teardown(a_list_is_never_left_unread, drop),
		cmocka_unit_test_teardown(a_good_answer_stands_in_for_a_list, drop),
		cmocka_unit_test_teardown(a_revoking_answer_revokes, drop),
		cmocka_unit_test_teardown(an_answer_about_somebody_else_says_nothing, drop),
		cmocka_unit_test_teardown(an_answer_by_somebody_else_says_nothing, drop),
		cmocka_unit_test_teardown(a_delegate_answers_if_the_issuer_said_so, drop),
		cmocka_unit_test_teardown(an_answer_holds_as_a_whole_or_not_at_all, drop),
		cmocka_unit_test_teardown(a_responder_without_answer_is_heard, drop),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
