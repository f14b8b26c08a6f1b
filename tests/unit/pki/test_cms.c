/* SPDX-License-Identifier: Apache-2.0 */
/* Signed messages count distinct keys; envelopes open for one key, one context, unaltered. */
#include "pki_fixture.h"

#include "pki/cms.h"

static struct party ca;
static struct party a;
static struct party b;
static struct party c;
static const struct hf_bytes text = { (const uint8_t *)"hufu manifest", 13 };

static struct hf_cms_party keys[3];

static void sign(struct hf_buf *out, const struct hf_cms_signer *signers, size_t n,
	bool is_detached, bool has_certs)
{
	const struct hf_cms_sign_spec spec = { text, is_detached, signers, n, has_certs };
	struct hf_errinfo ei = { 0 };

	hf_buf_init(out, &test_mem, 1 << 16);
	if (hf_cms_sign(out, &spec, &ei) != HF_OK)
		fail_msg("%s", ei.text);
}

static hf_err verify(
	struct hf_cms_result *res, struct hf_bytes in, struct hf_bytes content, unsigned threshold)
{
	struct hf_cms_signed m;

	HF_TRY(hf_cms_parse(&m, in.p, in.len, NULL));
	return hf_cms_verify(res, &m, content, keys, HF_COUNT(keys), threshold, NULL);
}

static hf_err try_one(const uint8_t *in, size_t len)
{
	struct hf_cms_result res;

	return verify(&res, (struct hf_bytes){ in, len }, (struct hf_bytes){ 0 }, 1);
}

static void signers_named_by_key_or_by_serial_are_found(void **state)
{
	const struct hf_cms_signer by_key[] = { { &a.signer, NULL } };
	const struct hf_cms_signer by_serial[] = { { &b.signer, &b.cert } };
	struct hf_cms_result res = { 0 };
	struct hf_cms_signed m;
	struct hf_buf der;

	(void)state;
	sign(&der, by_key, 1, false, false);
	assert_ok(verify(&res, (struct hf_bytes){ der.p, der.len }, (struct hf_bytes){ 0 }, 1));
	assert_true(res.signed_by == 1 && res.n_keys == 1);
	assert_ok(hf_cms_parse(&m, der.p, der.len, NULL));
	assert_true(hf_bytes_eq(m.content, text));
	refuses_every_length_but_one(try_one, der.p, der.len);
	refuses_every_changed_byte(try_one, der.p, der.len);
	hf_buf_clear(&der);
	sign(&der, by_serial, 1, false, false);
	assert_ok(verify(&res, (struct hf_bytes){ der.p, der.len }, (struct hf_bytes){ 0 }, 1));
	assert_true(res.signed_by == 2 && res.n_keys == 1);
	refuses_every_length_but_one(try_one, der.p, der.len);
	refuses_every_changed_byte(try_one, der.p, der.len);
	hf_buf_clear(&der);
}

static void a_certificate_carried_along_only_names_a_known_key(void **state)
{
	const struct hf_cms_signer signers[] = { { &c.signer, &c.cert } };
	struct hf_cms_result res = { 0 };
	struct hf_cms_signed m;
	struct hf_cert cert;
	struct hf_buf der;

	(void)state;
	/* keys[2] has no certificate: without the carried one the serial says nothing */
	sign(&der, signers, 1, false, false);
	assert_err(try_one(der.p, der.len), HF_ERR_AUTH);
	hf_buf_clear(&der);
	sign(&der, signers, 1, false, true);
	assert_ok(verify(&res, (struct hf_bytes){ der.p, der.len }, (struct hf_bytes){ 0 }, 1));
	assert_true(res.signed_by == 4);
	assert_ok(hf_cms_parse(&m, der.p, der.len, NULL));
	assert_ok(hf_cms_cert(&cert, &m, 0));
	assert_true(hf_bytes_eq(cert.der, c.cert.der));
	assert_err(hf_cms_cert(&cert, &m, 1), HF_ERR_NOT_FOUND);
	/* and an unknown key stays unknown, whatever it carries */
	assert_err(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 2, 1, NULL), HF_ERR_AUTH);
	hf_buf_clear(&der);
}

static void thresholds_count_distinct_keys(void **state)
{
	const struct hf_cms_signer two[] = { { &a.signer, NULL }, { &b.signer, &b.cert } };
	const struct hf_cms_party twice[] = { keys[0], keys[0], keys[1] };
	const struct hf_cms_party named_second[] = { { b.key.pub, NULL }, keys[1] };
	struct hf_cms_result res = { 0 };
	struct hf_errinfo ei = { 0 };
	struct hf_cms_signed m;
	struct hf_buf der;

	(void)state;
	sign(&der, two, 2, false, true);
	assert_ok(hf_cms_parse(&m, der.p, der.len, NULL));
	assert_ok(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 3, 2, NULL));
	assert_true(res.signed_by == 3 && res.n_keys == 2);
	assert_err(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 3, 3, &ei), HF_ERR_AUTH);
	assert_string_equal(
		ei.text, "signed message: 2 of the known keys have signed, needed are 3");
	assert_ok(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, twice, 3, 2, NULL));
	assert_true(res.signed_by == 5 && res.n_keys == 2);
	assert_err(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, twice, 2, 2, NULL), HF_ERR_AUTH);
	assert_ok(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, named_second, 2, 1, NULL));
	assert_true(res.signed_by == 1 && res.n_keys == 1);
	assert_err(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 3, 0, NULL), HF_ERR_ARG);
	assert_err(hf_cms_verify(&res, &m, text, keys, 3, 1, NULL), HF_ERR_ARG);
	hf_buf_clear(&der);
}

/* The one SignerInfo of a message, twice: built by hand, since hf_cms_sign() does not. */
static void the_same_signer_twice_counts_once(void **state)
{
	const struct hf_cms_signer one[] = { { &a.signer, NULL } };
	struct hf_cms_result res = { 0 };
	struct hf_cms_signed m;
	struct hf_buf der;
	uint8_t both[1024];

	(void)state;
	sign(&der, one, 1, false, false);
	assert_ok(hf_cms_parse(&m, der.p, der.len, NULL));
	memcpy(both, m.signers.p, m.signers.len);
	memcpy(both + m.signers.len, m.signers.p, m.signers.len);
	m.signers = (struct hf_bytes){ both, 2 * m.signers.len };
	assert_ok(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 3, 1, NULL));
	assert_int_equal(res.n_keys, 1);
	assert_err(hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, 3, 2, NULL), HF_ERR_AUTH);
	hf_buf_clear(&der);
}

static void detached_content_must_be_the_signed_one(void **state)
{
	const struct hf_cms_signer one[] = { { &a.signer, NULL } };
	const struct hf_bytes wrong = { (const uint8_t *)"hufu manifesT", 13 };
	struct hf_cms_result res = { 0 };
	struct hf_bytes in;
	struct hf_buf der;

	(void)state;
	sign(&der, one, 1, true, false);
	in = (struct hf_bytes){ der.p, der.len };
	assert_ok(verify(&res, in, text, 1));
	assert_err(verify(&res, in, wrong, 1), HF_ERR_AUTH);
	assert_err(verify(&res, in, (struct hf_bytes){ text.p, 12 }, 1), HF_ERR_AUTH);
	assert_err(verify(&res, in, (struct hf_bytes){ 0 }, 1), HF_ERR_ARG);
	hf_buf_clear(&der);
}

static void refuses_to_sign_without_or_twice_with_a_signer(void **state)
{
	const struct hf_cms_signer bad[][2] = { { { &a.signer, NULL }, { &a.signer, &a.cert } },
		{ { &a.signer, &b.cert }, { &b.signer, NULL } } };
	struct hf_cms_sign_spec spec = { .content = text };
	struct hf_buf out;

	(void)state;
	hf_buf_init(&out, &test_mem, 1 << 16);
	assert_err(hf_cms_sign(&out, &spec, NULL), HF_ERR_ARG);
	spec.n_signers = 2;
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		spec.signers = bad[i];
		assert_err(hf_cms_sign(&out, &spec, NULL), HF_ERR_ARG);
	}
	assert_int_equal(out.len, 0);
	hf_buf_clear(&out);
}

static const struct hf_bytes context = { (const uint8_t *)"grant 1", 7 };
static struct hf_cms_party recipient;

static hf_err try_open(const uint8_t *in, size_t len)
{
	struct hf_buf out;
	hf_err e;

	hf_buf_init(&out, &test_mem, 1 << 16);
	e = hf_cms_envelope_open(
		&out, (struct hf_bytes){ in, len }, context, &recipient, &a.decrypter, NULL);
	if (e == HF_OK)
		assert_true(hf_bytes_eq((struct hf_bytes){ out.p, out.len }, text));
	else
		assert_int_equal(out.len, 0);
	hf_buf_clear(&out);
	return e;
}

static void envelopes_open_for_their_recipient_only(void **state)
{
	const struct hf_cms_party parties[] = { { a.key.pub, NULL }, { a.key.pub, &a.cert } };
	const struct hf_cms_party foreign = { b.key.pub, &b.cert };
	struct hf_buf der;
	struct hf_buf out;

	(void)state;
	hf_buf_init(&out, &test_mem, 1 << 16);
	for (size_t i = 0; i < HF_COUNT(parties); i++) {
		struct hf_bytes in;

		recipient = parties[i];
		hf_buf_init(&der, &test_mem, 1 << 16);
		assert_ok(
			hf_cms_envelope_seal(&der, &recipient, context, text, &fixture_rng, NULL));
		in = (struct hf_bytes){ der.p, der.len };
		refuses_every_length_but_one(try_open, der.p, der.len);
		refuses_every_changed_byte(try_open, der.p, der.len);
		assert_err(hf_cms_envelope_open(&out, in, (struct hf_bytes){ 0 }, &recipient,
				   &a.decrypter, NULL),
			HF_ERR_AUTH);
		assert_err(hf_cms_envelope_open(&out, in, context, &foreign, &b.decrypter, NULL),
			HF_ERR_NOT_FOUND);
		assert_err(hf_cms_envelope_open(&out, in, context, &recipient, &b.decrypter, NULL),
			HF_ERR_AUTH);
		assert_int_equal(out.len, 0);
		hf_buf_clear(&der);
	}
	hf_buf_clear(&out);
}

static void two_envelopes_of_one_text_differ_everywhere(void **state)
{
	struct hf_cms_party to = { a.key.pub, NULL };
	struct hf_buf x;
	struct hf_buf y;

	(void)state;
	hf_buf_init(&x, &test_mem, 1 << 16);
	hf_buf_init(&y, &test_mem, 1 << 16);
	assert_ok(hf_cms_envelope_seal(&x, &to, context, text, &fixture_rng, NULL));
	assert_ok(hf_cms_envelope_seal(&y, &to, context, text, &fixture_rng, NULL));
	assert_memory_not_equal(x.p + x.len - 29, y.p + y.len - 29, 29);
	hf_buf_clear(&x);
	hf_buf_clear(&y);
}

static hf_err no_entropy(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0, len);
	return HF_ERR_ENTROPY;
}

static void a_failed_generator_seals_nothing(void **state)
{
	const struct hf_rng rng = { no_entropy, NULL };
	struct hf_cms_party to = { a.key.pub, NULL };
	struct hf_buf out;

	(void)state;
	hf_buf_init(&out, &test_mem, 1 << 16);
	assert_err(hf_cms_envelope_seal(&out, &to, context, text, &rng, NULL), HF_ERR_ENTROPY);
	assert_int_equal(out.len, 0);
	to.cert = &b.cert;
	assert_err(hf_cms_envelope_seal(&out, &to, context, text, &fixture_rng, NULL), HF_ERR_ARG);
	hf_buf_clear(&out);
}

static int start(void **state)
{
	static const uint8_t serials[2] = { 7, 8 };
	struct hf_cert_spec spec;

	(void)state;
	party_init(&ca, "CA");
	party_init(&a, "a");
	party_init(&b, "b");
	party_init(&c, "c");
	spec = party_spec(&a, &ca);
	party_issue(&a, &spec, &ca);
	spec = party_spec(&b, &ca);
	spec.serial = serials;
	spec.serial_len = 1;
	party_issue(&b, &spec, &ca);
	spec = party_spec(&c, &ca);
	spec.serial = serials + 1;
	spec.serial_len = 1;
	party_issue(&c, &spec, &ca);
	keys[0] = (struct hf_cms_party){ a.key.pub, NULL };
	keys[1] = (struct hf_cms_party){ b.key.pub, &b.cert };
	keys[2] = (struct hf_cms_party){ c.key.pub, NULL };
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&a.cert);
	hf_cert_clear(&b.cert);
	hf_cert_clear(&c.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signers_named_by_key_or_by_serial_are_found),
		cmocka_unit_test(a_certificate_carried_along_only_names_a_known_key),
		cmocka_unit_test(thresholds_count_distinct_keys),
		cmocka_unit_test(the_same_signer_twice_counts_once),
		cmocka_unit_test(detached_content_must_be_the_signed_one),
		cmocka_unit_test(refuses_to_sign_without_or_twice_with_a_signer),
		cmocka_unit_test(envelopes_open_for_their_recipient_only),
		cmocka_unit_test(two_envelopes_of_one_text_differ_everywhere),
		cmocka_unit_test(a_failed_generator_seals_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
