/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: root, sub CA, leaf; then everything that can be wrong with one, each with its reason. */
#include "pki_fixture.h"

#include "pki/chain.h"

static struct party root;
static struct party sub;
static struct party leaf;
static struct party other; /* a CA that nobody trusts, with the root's name */

static const struct hf_identity identity = { HF_ROLE_DEVICE, HF_L2, "plant-7", "dev-01" };

/* Issues all three afresh and gives a query that passes. */
static struct hf_chain_query good_query(void)
{
	struct hf_cert_spec spec = ca_spec(&root, &root);

	party_issue(&root, &spec, &root);
	spec = ca_spec(&sub, &root);
	spec.has_path_len = true;
	party_issue(&sub, &spec, &root);
	spec = party_spec(&leaf, &sub);
	spec.identity = &identity;
	party_issue(&leaf, &spec, &sub);
	return (struct hf_chain_query){ .leaf = &leaf.cert,
		.intermediates = &sub.cert,
		.n_intermediates = 1,
		.roots = &root.cert,
		.n_roots = 1,
		.purpose = HF_PURPOSE_CLIENT,
		.now_s = NOW_S,
		.crl_age_max_s = HF_CHAIN_ANY_AGE };
}

static void expect(const struct hf_chain_query *q, hf_err code, const char *reason)
{
	struct hf_errinfo ei = { 0 };
	struct hf_chain found = { .n = 77 };

	assert_err(hf_chain_check(&found, q, &ei), code);
	if (code == HF_OK)
		return;
	assert_int_equal(found.n, 77);
	assert_int_equal(ei.code, code);
	if (strstr(ei.text, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", ei.text, reason);
}

static void finds_the_path(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_chain found;

	(void)state;
	assert_ok(hf_chain_check(&found, &q, NULL));
	assert_int_equal(found.n, 3);
	assert_ptr_equal(found.path[0], &leaf.cert);
	assert_ptr_equal(found.path[1], &sub.cert);
	assert_ptr_equal(found.path[2], &root.cert);
}

static void refuses_a_path_that_does_not_reach_a_root(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = ca_spec(&other, &other);

	(void)state;
	q.n_intermediates = 0;
	expect(&q, HF_ERR_AUTH, "no path to a trusted root");
	q = good_query();
	q.n_roots = 0;
	expect(&q, HF_ERR_AUTH, "no path");
	q = good_query();
	q.leaf = &root.cert; /* a root alone is no leaf */
	expect(&q, HF_ERR_AUTH, "no path");
	/* same name, another key */
	q = good_query();
	party_issue(&other, &spec, &other);
	q.roots = &other.cert;
	expect(&q, HF_ERR_AUTH, "CN=leaf");
}

static void refuses_a_signature_by_another_key(void **state)
{
	struct hf_chain_query q = good_query();
	struct party forged = other;
	struct hf_cert_spec spec = party_spec(&leaf, &sub);
	uint8_t id[20];

	(void)state;
	memcpy(id, sub.cert.ski.p, sizeof(id));
	spec.aki = (struct hf_bytes){ id, sizeof(id) };
	party_issue(&leaf, &spec, &forged);
	expect(&q, HF_ERR_AUTH, "signature on its path is wrong");
}

static void refuses_what_is_outside_its_validity(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = ca_spec(&sub, &root);

	(void)state;
	q.now_s = NOW_S + DAY_S;
	expect(&q, HF_OK, "");
	q.now_s = NOW_S + DAY_S + 1;
	expect(&q, HF_ERR_EXPIRED, "CN=leaf has expired 1 s ago");
	q.now_s = NOW_S - DAY_S;
	expect(&q, HF_OK, "");
	q.now_s = NOW_S - DAY_S - 1;
	expect(&q, HF_ERR_EXPIRED, "CN=leaf is not valid yet");
	q.now_s = NOW_S;
	spec.not_after_s = NOW_S - 1;
	party_issue(&sub, &spec, &root);
	expect(&q, HF_ERR_EXPIRED, "CN=sub CA has expired");
}

static void refuses_issuers_that_are_no_ca(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = party_spec(&sub, &root);

	(void)state;
	party_issue(&sub, &spec, &root);
	expect(&q, HF_ERR_PURPOSE, "CN=sub CA issued another one but is no CA");
	spec = ca_spec(&sub, &root);
	spec.key_usage = HF_KU_CRL_SIGN;
	party_issue(&sub, &spec, &root);
	expect(&q, HF_ERR_PURPOSE, "does not allow it to issue");
}

static void refuses_a_path_longer_than_a_ca_allows(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = ca_spec(&root, &root);
	struct party deep = { 0 };
	struct hf_cert both[2];

	(void)state;
	party_init(&deep, "deep CA");
	spec = ca_spec(&deep, &sub);
	party_issue(&deep, &spec, &sub);
	spec = party_spec(&leaf, &deep);
	party_issue(&leaf, &spec, &deep);
	both[0] = deep.cert;
	both[1] = sub.cert;
	q.intermediates = both;
	q.n_intermediates = 2;
	expect(&q, HF_ERR_DENIED, "CN=sub CA allows 0 CAs below it, the path has 1");
	spec = ca_spec(&sub, &root);
	party_issue(&sub, &spec, &root);
	both[1] = sub.cert;
	expect(&q, HF_OK, "");
	hf_cert_clear(&deep.cert);
}

static void refuses_another_purpose(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = party_spec(&leaf, &sub);

	(void)state;
	q.purpose = HF_PURPOSE_SIGN;
	expect(&q, HF_OK, "");
	q.purpose = HF_PURPOSE_ENCRYPT;
	expect(&q, HF_ERR_PURPOSE, "key usage is not for encryption");
	spec.key_usage = HF_KU_ENCRYPT;
	party_issue(&leaf, &spec, &sub);
	expect(&q, HF_OK, "");
	q.purpose = HF_PURPOSE_SIGN;
	expect(&q, HF_ERR_PURPOSE, "not for signing");
	q.purpose = HF_PURPOSE_CLIENT;
	expect(&q, HF_ERR_PURPOSE, "not for a client");
	spec.key_usage = 0;
	party_issue(&leaf, &spec, &sub);
	expect(&q, HF_ERR_PURPOSE, "not for a client");
	spec.key_usage = HF_KU_SIGN;
	spec.eku = HF_EKU_SERVER;
	party_issue(&leaf, &spec, &sub);
	expect(&q, HF_ERR_PURPOSE, "extended key usage is not for a client");
	q.purpose = HF_PURPOSE_SERVER;
	expect(&q, HF_OK, "");
	spec = ca_spec(&leaf, &sub);
	spec.key_usage |= HF_KU_SIGN;
	party_issue(&leaf, &spec, &sub);
	q.leaf = &leaf.cert;
	expect(&q, HF_ERR_PURPOSE, "that of a CA");
}

static void refuses_another_identity(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_cert_spec spec = party_spec(&leaf, &sub);

	(void)state;
	q.want = (struct hf_identity_want){ HF_ROLE_DEVICE | HF_ROLE_EDGE, HF_L2, "plant-7",
		"dev-01", NULL, NULL, 0 };
	expect(&q, HF_OK, "");
	q.want.roles = HF_ROLE_HUB;
	expect(&q, HF_ERR_DENIED, "role device");
	q.want.roles = 0;
	q.want.level = HF_L3;
	expect(&q, HF_ERR_DENIED, "level 2, needed is 3");
	q.want.level = HF_L1;
	q.want.domain = "plant-8";
	expect(&q, HF_ERR_DENIED, "domain plant-7, not plant-8");
	q.want.domain = NULL;
	q.want.id = "dev-02";
	expect(&q, HF_ERR_DENIED, "dev-01, not dev-02");
	q.want = (struct hf_identity_want){ .dns = "hub.example" };
	expect(&q, HF_ERR_DENIED, "not for host hub.example");
	q.want = (struct hf_identity_want){ .ip = (const uint8_t[4]){ 127, 0, 0, 1 }, .ip_len = 4 };
	expect(&q, HF_ERR_DENIED, "not for this address");
	q.want = (struct hf_identity_want){ .roles = HF_ROLE_DEVICE };
	party_issue(&leaf, &spec, &sub);
	expect(&q, HF_ERR_DENIED, "carries no identity");
}

/* A list of one CA with n entries (at most one: the serial of every fixture certificate). */
static struct hf_crl make_crl(
	struct hf_buf *der, const struct party *of, const struct party *by, size_t n)
{
	static const uint8_t serial[] = { 0x91, 2, 3, 4 };
	const struct hf_crl_entry entry = { serial, sizeof(serial), NOW_S - 10, 1 };
	struct hf_crl_spec spec = { of->subject, NOW_S - 3600, NOW_S + 3600, 1, &entry, n, 0 };
	struct hf_crl crl;

	hf_buf_init(der, &test_mem, HF_CRL_DER_MAX);
	assert_ok(hf_crl_build(der, &spec, &by->signer, NULL));
	assert_ok(hf_crl_parse(&crl, der->p, der->len, NULL));
	return crl;
}

static void refuses_what_is_revoked_and_lists_that_are_missing_or_old(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_buf der[3];
	struct hf_crl crls[3];

	(void)state;
	crls[0] = make_crl(&der[0], &root, &root, 0);
	crls[1] = make_crl(&der[1], &sub, &sub, 0);
	crls[2] = make_crl(&der[2], &sub, &sub, 1);
	q.crls = crls;
	q.need_crl = true;
	expect(&q, HF_ERR_STALE, "revocation list of C=CN, O=Example, CN=root CA is missing");
	q.n_crls = 1;
	expect(&q, HF_ERR_STALE, "CN=sub CA is missing");
	q.n_crls = 2;
	expect(&q, HF_OK, "");
	q.crl_age_max_s = 3600;
	expect(&q, HF_OK, "");
	q.crl_age_max_s = 3599;
	expect(&q, HF_ERR_STALE, "not fresh enough");
	q.crl_age_max_s = HF_CHAIN_ANY_AGE;
	q.now_s = NOW_S + 3601;
	expect(&q, HF_ERR_STALE, "not fresh enough");
	q.now_s = NOW_S - 3601;
	expect(&q, HF_ERR_STALE, "not fresh enough");
	q.now_s = NOW_S;
	q.n_crls = 3;
	expect(&q, HF_ERR_REVOKED,
		"certificate 91020304 of C=CN, O=Example, CN=leaf is revoked for reason 1 (key "
		"compromise), 10 s ago");
	/* an old list still revokes, and so does one when none is needed */
	q.now_s = NOW_S + 7200;
	q.need_crl = false;
	expect(&q, HF_ERR_REVOKED, "CN=leaf");
	for (int i = 0; i < 3; i++)
		hf_buf_clear(&der[i]);
}

static void refuses_a_path_that_is_too_long(void **state)
{
	static struct party cas[HF_CHAIN_MAX];
	struct hf_cert intermediates[HF_CHAIN_MAX];
	struct hf_chain_query q = good_query();
	const struct party *issuer = &root;
	struct hf_cert_spec spec;

	(void)state;
	for (size_t i = 0; i < HF_CHAIN_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "CA %zu", i);
		party_init(&cas[i], name);
		spec = ca_spec(&cas[i], issuer);
		party_issue(&cas[i], &spec, issuer);
		intermediates[i] = cas[i].cert;
		issuer = &cas[i];
		spec = party_spec(&leaf, issuer);
		party_issue(&leaf, &spec, issuer);
		q.intermediates = intermediates;
		q.n_intermediates = i + 1;
		if (i + 3 <= HF_CHAIN_MAX) /* leaf, i + 1 CAs and the root */
			expect(&q, HF_OK, "");
		else
			expect(&q, HF_ERR_LIMIT,
				"certificate 91020304 of C=CN, O=Example, CN=leaf: its path is "
				"longer than 6 certificates");
	}
	for (size_t i = 0; i < HF_CHAIN_MAX; i++)
		hf_cert_clear(&cas[i].cert);
}

static void lists_of_another_key_do_not_count(void **state)
{
	struct hf_chain_query q = good_query();
	struct hf_buf der;
	struct hf_crl crl = make_crl(&der, &sub, &other, 1);

	(void)state;
	q.crls = &crl;
	q.n_crls = 1;
	expect(&q, HF_OK, "");
	q.need_crl = true;
	expect(&q, HF_ERR_STALE, "missing");
	hf_buf_clear(&der);
}

static void a_loop_of_cas_ends(void **state)
{
	struct hf_chain_query q = good_query();
	struct party a = { 0 };
	struct party b = { 0 };
	struct hf_cert certs[HF_CHAIN_CERTS_MAX];
	struct hf_cert_spec spec;
	struct hf_errinfo ei = { 0 };

	(void)state;
	party_init(&a, "a");
	party_init(&b, "b");
	spec = ca_spec(&a, &b);
	party_issue(&a, &spec, &b);
	spec = ca_spec(&b, &a);
	party_issue(&b, &spec, &a);
	spec = party_spec(&leaf, &a);
	party_issue(&leaf, &spec, &a);
	for (size_t i = 0; i < HF_COUNT(certs); i++)
		certs[i] = i % 2 == 0 ? a.cert : b.cert;
	q.intermediates = certs;
	q.n_intermediates = HF_COUNT(certs);
	assert_int_not_equal(hf_chain_check(NULL, &q, &ei), HF_OK);
	q.n_intermediates = HF_CHAIN_CERTS_MAX + 1;
	expect(&q, HF_ERR_LIMIT, "more than 32 certificates");
	hf_cert_clear(&a.cert);
	hf_cert_clear(&b.cert);
}

static int start(void **state)
{
	(void)state;
	party_init(&root, "root CA");
	party_init(&sub, "sub CA");
	party_init(&leaf, "leaf");
	party_init(&other, "root CA");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&root.cert);
	hf_cert_clear(&sub.cert);
	hf_cert_clear(&leaf.cert);
	hf_cert_clear(&other.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_path),
		cmocka_unit_test(refuses_a_path_that_does_not_reach_a_root),
		cmocka_unit_test(refuses_a_signature_by_another_key),
		cmocka_unit_test(refuses_what_is_outside_its_validity),
		cmocka_unit_test(refuses_issuers_that_are_no_ca),
		cmocka_unit_test(refuses_a_path_longer_than_a_ca_allows),
		cmocka_unit_test(refuses_another_purpose),
		cmocka_unit_test(refuses_another_identity),
		cmocka_unit_test(refuses_what_is_revoked_and_lists_that_are_missing_or_old),
		cmocka_unit_test(refuses_a_path_that_is_too_long),
		cmocka_unit_test(lists_of_another_key_do_not_count),
		cmocka_unit_test(a_loop_of_cas_ends),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
