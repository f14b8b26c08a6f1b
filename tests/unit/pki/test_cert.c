/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, requests and revocation lists: what is built is read, what is damaged is not. */
#include "pki_fixture.h"

#include "pki/spki.h"

static const char *const vectors = "tls13_testkeys.txt";
static struct party ca;
static struct party leaf;

static const struct hf_identity identity = { HF_ROLE_EDGE, HF_L2, "plant-7", "gw-01" };

static hf_err try_cert(const uint8_t *in, size_t len)
{
	struct hf_cert c;

	HF_TRY(hf_cert_parse(&c, in, len, NULL));
	return hf_cert_verify_sig(&c, &ca.key.pub, NULL);
}

static void reads_certificates_made_by_openssl(void **state)
{
	static const char *const ids[] = { "server-sign", "server-enc", "client-sign",
		"client-enc" };
	size_t ca_len;
	uint8_t *ca_der = vector_field(vectors, "ca", "Cert", &ca_len);
	struct hf_cert root;
	char text[HF_NAME_TEXT];

	(void)state;
	assert_ok(hf_cert_parse(&root, ca_der, ca_len, NULL));
	assert_true(root.is_ca);
	assert_int_equal(root.key_usage, HF_KU_CA);
	assert_ok(hf_cert_verify_sig(&root, &root.key, NULL));
	hf_name_text(text, root.subject);
	assert_string_equal(text, "O=Example, CN=sm2 test CA");
	for (size_t i = 0; i < HF_COUNT(ids); i++) {
		size_t len;
		uint8_t *der = vector_field(vectors, ids[i], "Cert", &len);
		struct hf_cert c;

		assert_ok(hf_cert_parse(&c, der, len, NULL));
		assert_ok(hf_cert_verify_sig(&c, &root.key, NULL));
		assert_err(hf_cert_verify_sig(&c, &c.key, NULL), HF_ERR_AUTH);
		assert_true(hf_bytes_eq(c.aki, root.ski));
		assert_int_equal(c.key_usage == HF_KU_DIGITAL_SIGNATURE, i % 2 == 0);
		assert_int_equal(hf_cert_has_dns(&c, "server.example"), i == 0);
		free(der);
	}
	free(ca_der);
}

static void everything_in_a_spec_comes_back(void **state)
{
	static const char *const dns[] = { "a.example", "*.b.example" };
	static const uint8_t ip[4] = { 10, 0, 0, 1 };
	struct hf_cert_spec spec = party_spec(&leaf, &ca);
	struct hf_cert *c = &leaf.cert;

	(void)state;
	spec.eku = HF_EKU_SERVER | HF_EKU_CLIENT;
	spec.identity = &identity;
	spec.dns = dns;
	spec.n_dns = 2;
	spec.ip = ip;
	spec.ip_len = 4;
	spec.not_after_s = UINT64_C(2600000000); /* after 2050: the other form of time */
	party_issue(&leaf, &spec, &ca);
	assert_int_equal(c->serial.len, 4);
	assert_true(hf_bytes_eq(c->issuer, ca.subject));
	assert_true(hf_bytes_eq(c->subject, leaf.subject));
	assert_true(c->not_before_s == spec.not_before_s && c->not_after_s == spec.not_after_s);
	assert_memory_equal(&c->key, &leaf.key.pub, sizeof(c->key));
	assert_int_equal(c->key_usage, HF_KU_SIGN);
	assert_int_equal(c->eku, HF_EKU_SERVER | HF_EKU_CLIENT);
	assert_false(c->is_ca);
	assert_true(c->has_identity);
	assert_memory_equal(&c->identity, &identity, sizeof(identity));
	assert_true(hf_cert_has_ip(c, ip, 4));
	assert_false(hf_cert_has_ip(c, (const uint8_t[4]){ 10, 0, 0, 2 }, 4));
	refuses_every_length_but_one(try_cert, c->der.p, c->der.len);
	refuses_every_changed_byte(try_cert, c->der.p, c->der.len);
}

static void host_names_match_as_a_whole_or_by_one_label(void **state)
{
	static const char *const dns[] = { "a.example", "*.b.example", "*.com" };
	struct hf_cert_spec spec = party_spec(&leaf, &ca);

	(void)state;
	spec.dns = dns;
	spec.n_dns = 3;
	party_issue(&leaf, &spec, &ca);
	assert_true(hf_cert_has_dns(&leaf.cert, "A.Example"));
	assert_true(hf_cert_has_dns(&leaf.cert, "x.b.example"));
	assert_false(hf_cert_has_dns(&leaf.cert, "x.y.b.example"));
	assert_false(hf_cert_has_dns(&leaf.cert, "b.example"));
	assert_false(hf_cert_has_dns(&leaf.cert, ".b.example"));
	assert_false(hf_cert_has_dns(&leaf.cert, "a.example."));
	assert_false(hf_cert_has_dns(&leaf.cert, "example"));
	assert_false(hf_cert_has_dns(&leaf.cert, "x.com"));
	assert_false(hf_cert_has_dns(&leaf.cert, ""));
}

static void refuses_to_build_what_contradicts_itself(void **state)
{
	static const uint8_t zero[HF_CERT_SERIAL_MAX];
	struct hf_identity no_role = identity;
	struct hf_cert_spec bad[9];
	struct hf_buf out;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		bad[i] = party_spec(&leaf, &ca);
	no_role.role = 0;
	bad[0].serial_len = 0;
	bad[1].serial = zero;
	bad[2].subject = (struct hf_bytes){ zero, 4 };
	bad[3].not_after_s = bad[3].not_before_s - 1;
	bad[4].key = (struct hf_sm2_pub){ 0 };
	bad[5].key_usage |= HF_KU_CERT_SIGN;
	bad[6].has_path_len = true;
	bad[7].identity = &no_role;
	bad[8].ip = zero;
	bad[8].ip_len = 5;
	hf_buf_init(&out, &test_mem, HF_CERT_DER_MAX);
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		struct hf_errinfo ei = { 0 };

		assert_err(hf_cert_build(&out, &bad[i], &ca.signer, &ei), HF_ERR_ARG);
		assert_int_equal(out.len, 0);
		assert_int_not_equal(ei.text[0], 0);
	}
	hf_buf_clear(&out);
}

/* A certificate whose extension is replaced by the given bytes, without a valid signature. */
static hf_err parse_with_ext(const char *find_hex, const char *put_hex)
{
	size_t find_len;
	size_t put_len;
	uint8_t *find = test_hex(find_hex, &find_len);
	uint8_t *put = test_hex(put_hex, &put_len);
	uint8_t der[HF_CERT_DER_MAX];
	size_t len = leaf.cert.der.len;
	struct hf_cert c;
	bool found = false;

	assert_int_equal(find_len, put_len);
	memcpy(der, leaf.cert.der.p, len);
	for (size_t i = 0; i + find_len <= len && !found; i++) {
		found = memcmp(der + i, find, find_len) == 0;
		if (found)
			memcpy(der + i, put, put_len);
	}
	assert_true(found);
	free(find);
	free(put);
	return hf_cert_parse(&c, der, len, NULL);
}

static void refuses_unknown_critical_and_repeated_extensions(void **state)
{
	struct hf_cert_spec spec = party_spec(&leaf, &ca);

	(void)state;
	spec.identity = &identity;
	party_issue(&leaf, &spec, &ca);
	/* keyUsage, critical, under an unknown number; a key identifier under one that comes twice
	 */
	assert_err(parse_with_ext("0603551d0f0101ff", "0603551d7f0101ff"), HF_ERR_UNSUPPORTED);
	assert_err(parse_with_ext("0603551d0e", "0603551d23"), HF_ERR_FORMAT);
	/* critical FALSE written out; the version is 2; another key type; another signature */
	assert_err(parse_with_ext("0603551d0f0101ff", "0603551d0f010100"), HF_ERR_FORMAT);
	assert_err(parse_with_ext("a003020102", "a003020101"), HF_ERR_UNSUPPORTED);
	assert_err(parse_with_ext("2a811ccf5501822d", "2a811ccf5501822e"), HF_ERR_UNSUPPORTED);
	assert_err(parse_with_ext("2a811ccf55018375", "2a811ccf55018378"), HF_ERR_UNSUPPORTED);
	/* an identity that is none: role=edgx; another scheme is just another URI */
	assert_err(parse_with_ext("65646765", "65646778"), HF_ERR_FORMAT);
	assert_ok(parse_with_ext("687566753a", "687567753a"));
}

static void identities_have_one_form(void **state)
{
	static const char *const bad[] = { "", "hufu:", "hufu:role=hub;level=1;domain=d",
		"hufu:role=hub;level=4;domain=d;id=i", "hufu:role=hub;level=0;domain=d;id=i",
		"hufu:role=hub;level=11;domain=d;id=i", "hufu:role=king;level=1;domain=d;id=i",
		"hufu:level=1;role=hub;domain=d;id=i", "hufu:role=hub;level=1;domain=;id=i",
		"hufu:role=hub;level=1;domain=d;id=i;", "hufu:role=hub;level=1;domain=d;id=a b",
		"hufu:role=hub;level=1;domain=d/;id=i", "Hufu:role=hub;level=1;domain=d;id=i",
		"hufu:role=hub;level=1;domain=d;id=i;id=j" };
	struct hf_identity id = { .id = "kept" };
	struct hf_identity long_id = identity;
	char uri[HF_URI_MAX];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(hf_identity_parse(&id, hf_bytes_str(bad[i])), HF_ERR_FORMAT);
	assert_string_equal(id.id, "kept");
	memset(long_id.id, 'x', HF_ID_MAX);
	memset(long_id.domain, 'y', HF_ID_MAX);
	long_id.role = HF_ROLE_PUBLISHER;
	assert_ok(hf_identity_emit(uri, &long_id));
	assert_ok(hf_identity_parse(&id, hf_bytes_str(uri)));
	assert_memory_equal(&id, &long_id, sizeof(id));
	long_id.domain[0] = ';';
	assert_err(hf_identity_emit(uri, &long_id), HF_ERR_ARG);
}

static void a_failed_allocation_is_reported(void **state)
{
	struct hf_cert c = { 0 };

	(void)state;
	test_mem_fail_at(1);
	assert_err(hf_cert_copy(&c, &test_mem, leaf.cert.der.p, leaf.cert.der.len, NULL),
		HF_ERR_NO_MEMORY);
	test_mem_fail_at(0);
	assert_null(c.der.p);
	hf_cert_clear(&c);
}

static hf_err try_csr(const uint8_t *in, size_t len)
{
	struct hf_csr r;

	HF_TRY(hf_csr_parse(&r, in, len, NULL));
	return hf_csr_verify(&r, NULL);
}

static void requests_prove_possession(void **state)
{
	struct hf_csr_spec spec = { .subject = leaf.subject, .identity = &identity };
	struct hf_csr r;
	struct hf_buf der;
	size_t len;
	uint8_t *sample = vector_field("keyfiles.txt", "csr", "Der", &len);

	(void)state;
	refuses_every_length_but_one(try_csr, sample, len);
	refuses_every_changed_byte(try_csr, sample, len);
	free(sample);
	hf_buf_init(&der, &test_mem, HF_CSR_DER_MAX);
	assert_ok(hf_csr_build(&der, &spec, &leaf.signer, NULL));
	assert_ok(hf_csr_parse(&r, der.p, der.len, NULL));
	assert_true(r.has_identity);
	assert_memory_equal(&r.identity, &identity, sizeof(identity));
	refuses_every_length_but_one(try_csr, der.p, der.len);
	refuses_every_changed_byte(try_csr, der.p, der.len);
	hf_buf_clear(&der);
}

static hf_err try_crl(const uint8_t *in, size_t len)
{
	struct hf_crl c;

	HF_TRY(hf_crl_parse(&c, in, len, NULL));
	return hf_crl_verify_sig(&c, &ca.key.pub, NULL);
}

static void lists_name_what_is_revoked(void **state)
{
	static const uint8_t serials[3][2] = { { 0x80, 1 }, { 2, 2 }, { 3, 3 } };
	const struct hf_crl_entry entries[] = { { serials[0], 2, NOW_S - 5, 1 },
		{ serials[1], 2, NOW_S, 0 } };
	struct hf_crl_spec spec = { ca.subject, NOW_S, NOW_S + DAY_S, 7, entries, 2, 0 };
	struct hf_crl_entry found = { 0 };
	struct hf_crl c;
	struct hf_buf der;

	(void)state;
	hf_buf_init(&der, &test_mem, HF_CRL_DER_MAX);
	assert_ok(hf_crl_build(&der, &spec, &ca.signer, NULL));
	assert_ok(hf_crl_parse(&c, der.p, der.len, NULL));
	assert_true(c.number == 7 && c.n_entries == 2);
	assert_true(hf_crl_has(&c, (struct hf_bytes){ serials[0], 2 }, &found));
	assert_true(found.revoked_s == NOW_S - 5 && found.reason == 1);
	assert_true(hf_crl_has(&c, (struct hf_bytes){ serials[1], 2 }, NULL));
	assert_false(hf_crl_has(&c, (struct hf_bytes){ serials[2], 2 }, NULL));
	assert_false(hf_crl_has(&c, (struct hf_bytes){ serials[0], 1 }, NULL));
	refuses_every_length_but_one(try_crl, der.p, der.len);
	refuses_every_changed_byte(try_crl, der.p, der.len);

	hf_buf_reset(&der);
	spec.n_entries = 0;
	assert_ok(hf_crl_build(&der, &spec, &ca.signer, NULL));
	assert_ok(hf_crl_parse(&c, der.p, der.len, NULL));
	assert_int_equal(c.n_entries, 0);
	assert_false(hf_crl_has(&c, (struct hf_bytes){ serials[0], 2 }, NULL));
	spec.number = 0;
	assert_err(hf_crl_build(&der, &spec, &ca.signer, NULL), HF_ERR_ARG);
	hf_buf_clear(&der);
}

static int start(void **state)
{
	struct hf_cert_spec spec;

	(void)state;
	party_init(&ca, "CA");
	party_init(&leaf, "leaf");
	spec = ca_spec(&ca, &ca);
	party_issue(&ca, &spec, &ca);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&ca.cert);
	hf_cert_clear(&leaf.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_certificates_made_by_openssl),
		cmocka_unit_test(everything_in_a_spec_comes_back),
		cmocka_unit_test(host_names_match_as_a_whole_or_by_one_label),
		cmocka_unit_test(refuses_to_build_what_contradicts_itself),
		cmocka_unit_test(refuses_unknown_critical_and_repeated_extensions),
		cmocka_unit_test(identities_have_one_form),
		cmocka_unit_test(a_failed_allocation_is_reported),
		cmocka_unit_test(requests_prove_possession),
		cmocka_unit_test(lists_name_what_is_revoked),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
