/* SPDX-License-Identifier: Apache-2.0 */
/* The lists that a node has: what is taken, what is kept over a start, and views that stay. */
#include "../pki/pki_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#include "codec/pem.h"
#include "os/cpu.h"
#include "svc/crls.h"
#include "svc/party.h"
#include "tmp.h"

enum { HOUR_S = 3600 };

static char dir[TEST_PATH_MAX];
static struct hf_env env;
static struct party ca;
static struct party other;
static struct party leaf;
static struct hf_crls *crls;

static int begin(void **state)
{
	(void)state;
	test_tmp_make(dir);
	assert_ok(hf_crls_new(&crls, &env, test_path(dir, "crls"), NULL));
	assert_ok(hf_crls_trust(crls, &ca.cert, NULL));
	return 0;
}

static int end(void **state)
{
	(void)state;
	hf_crls_free(crls);
	test_tmp_delete(dir);
	return 0;
}

/* Begins anew over the same folder. */
static void restart(void)
{
	hf_crls_free(crls);
	assert_ok(hf_crls_new(&crls, &env, test_path(dir, "crls"), NULL));
	assert_ok(hf_crls_trust(crls, &ca.cert, NULL));
}

static void build(struct hf_buf *der, const struct party *by, uint64_t number, uint64_t base,
	bool has_leaf, uint64_t age_s)
{
	const struct hf_crl_entry entry = { leaf.cert.serial.p, leaf.cert.serial.len, NOW_S - 10,
		1 };
	const struct hf_crl_spec spec = { by->subject, NOW_S - age_s, NOW_S - age_s + DAY_S * 7,
		number, &entry, has_leaf, base };

	hf_buf_init(der, &test_mem, HF_CRL_DER_MAX);
	assert_ok(hf_crl_build(der, &spec, &by->signer, NULL));
}

static hf_err take(
	const struct party *by, uint64_t number, uint64_t base, bool has_leaf, uint64_t age_s)
{
	struct hf_buf der;
	hf_err e;

	build(&der, by, number, base, has_leaf, age_s);
	e = hf_crls_take(crls, (struct hf_bytes){ der.p, der.len }, NOW_S, NULL);
	hf_buf_clear(&der);
	return e;
}

static hf_err ask(unsigned level)
{
	return hf_crls_check(crls, &leaf.cert, level, NOW_S, NULL);
}

static void a_list_ages_by_level(void **state)
{
	(void)state;
	assert_ok(ask(HF_L1));
	assert_err(ask(HF_L2), HF_ERR_STALE);
	assert_ok(take(&ca, 1, 0, false, 25 * HOUR_S));
	assert_ok(ask(HF_L2));
	assert_err(ask(HF_L3), HF_ERR_STALE);
	assert_ok(take(&ca, 2, 0, false, HOUR_S));
	assert_ok(ask(HF_L3));
	assert_ok(take(&ca, 3, 0, true, 0));
	assert_err(ask(0), HF_ERR_REVOKED);
	assert_ok(hf_crls_check(crls, &other.cert, HF_L3, NOW_S, NULL)); /* not of our issuer */
}

static void a_delta_counts_with_its_base(void **state)
{
	(void)state;
	assert_ok(take(&ca, 4, 0, false, 25 * HOUR_S));
	assert_ok(take(&ca, 5, 4, false, HOUR_S));
	assert_ok(ask(HF_L3));
	assert_ok(take(&ca, 6, 4, true, 0));
	assert_err(ask(0), HF_ERR_REVOKED);
	assert_err(take(&ca, 5, 4, false, HOUR_S), HF_ERR_ROLLBACK);
	assert_ok(take(&ca, 7, 0, true, 0));
	assert_err(take(&ca, 7, 4, true, 0), HF_ERR_ROLLBACK); /* the complete one says it all */
	restart();
	assert_err(ask(0), HF_ERR_REVOKED);
}

static void only_newer_lists_of_our_issuers_are_taken(void **state)
{
	struct hf_buf der;

	(void)state;
	assert_ok(take(&ca, 5, 0, true, HOUR_S));
	assert_err(take(&ca, 5, 0, true, HOUR_S - 1), HF_ERR_ROLLBACK);
	assert_err(take(&ca, 4, 0, false, HOUR_S), HF_ERR_ROLLBACK);
	assert_err(take(&ca, 6, 0, false, 2 * HOUR_S), HF_ERR_ROLLBACK);
	assert_err(take(&ca, 6, 0, false, (uint64_t)-HOUR_S), HF_ERR_ROLLBACK); /* the future */
	assert_err(take(&other, 6, 0, false, 0), HF_ERR_AUTH);
	build(&der, &ca, 6, 0, false, 0);
	assert_err(hf_crls_take(crls, (struct hf_bytes){ der.p, der.len - 1 }, NOW_S, NULL),
		HF_ERR_TRUNCATED);
	der.p[der.len - 1] ^= 1;
	assert_err(
		hf_crls_take(crls, (struct hf_bytes){ der.p, der.len }, NOW_S, NULL), HF_ERR_AUTH);
	hf_buf_clear(&der);
	assert_int_equal(hf_crls_get(crls, &ca.cert)->number, 5);
	assert_err(ask(0), HF_ERR_REVOKED);
	restart();
	assert_int_equal(hf_crls_get(crls, &ca.cert)->number, 5);
	assert_err(take(&ca, 4, 0, false, HOUR_S), HF_ERR_ROLLBACK);
}

static void the_same_list_is_not_taken_twice(void **state)
{
	struct hf_buf der;

	(void)state;
	build(&der, &ca, 1, 0, false, 0);
	assert_ok(hf_crls_take(crls, (struct hf_bytes){ der.p, der.len }, NOW_S, NULL));
	assert_err(hf_crls_take(crls, (struct hf_bytes){ der.p, der.len }, NOW_S, NULL),
		HF_ERR_EXISTS);
	hf_buf_clear(&der);
}

static void a_view_stays_as_it_is(void **state)
{
	const struct hf_crls_view *before;
	const struct hf_crls_view *none = hf_crls_hold(crls);

	(void)state;
	assert_int_equal(none->n_crls, 0);
	assert_ok(take(&ca, 1, 0, false, HOUR_S));
	before = hf_crls_hold(crls);
	assert_ok(take(&ca, 2, 0, true, 0));
	assert_int_equal(none->n_crls, 0);
	assert_int_equal(before->n_crls, 1);
	assert_int_equal(before->crls[0].number, 1);
	assert_false(hf_crl_has(&before->crls[0], leaf.cert.serial, NULL));
	hf_crls_free(crls); /* and outlives the cache */
	crls = NULL;
	assert_true(before->crls[0].is_checked);
	hf_crls_unhold(before);
	hf_crls_unhold(none);
}

/* Path of the one file in the folder of lists. */
static const char *list_path(void)
{
	uint8_t print[HF_SM3_LEN];
	char name[64] = "crls/";

	hf_cert_fingerprint(print, &ca.cert);
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(name + 5 + 2 * i, 3, "%02x", print[i]);
	(void)snprintf(name + 37, sizeof(name) - 37, ".crl");
	return test_path(dir, name);
}

static void a_spoilt_file_is_passed_over(void **state)
{
	struct hf_buf der;

	(void)state;
	assert_ok(take(&ca, 3, 0, true, 0));
	assert_int_equal(test_dir_count(test_path(dir, "crls")), 1);
	test_file_put(list_path(), "spoilt", 6);
	restart();
	assert_null(hf_crls_get(crls, &ca.cert));
	build(&der, &other, 9, 0, false, 0); /* a list, but somebody else's */
	test_file_put(list_path(), der.p, der.len);
	hf_buf_clear(&der);
	restart();
	assert_null(hf_crls_get(crls, &ca.cert));
	build(&der, &ca, 9, 8, false, 0); /* a delta in the place of a complete one */
	test_file_put(list_path(), der.p, der.len);
	hf_buf_clear(&der);
	restart();
	assert_null(hf_crls_get(crls, &ca.cert));
	assert_ok(take(&ca, 3, 0, true, 0));
}

static void a_folder_of_lists_is_taken(void **state)
{
	static uint8_t text[4096];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	char from[TEST_PATH_MAX];
	struct hf_buf der;
	size_t n = 0;

	(void)state;
	(void)snprintf(from, sizeof(from), "%s", test_path(dir, "in"));
	assert_int_equal(mkdir(from, 0755), 0);
	build(&der, &ca, 1, 0, false, 0);
	test_file_put(test_path(from, "a.crl"), der.p, der.len);
	hf_buf_clear(&der);
	build(&der, &ca, 2, 0, true, 0);
	hf_pem_emit(&w, "X509 CRL", der.p, der.len);
	test_file_put(test_path(from, "b.pem"), text, w.len);
	hf_buf_clear(&der);
	build(&der, &other, 3, 0, true, 0);
	test_file_put(test_path(from, "c.crl"), der.p, der.len);
	hf_buf_clear(&der);
	test_file_put(test_path(from, "readme"), "-----BEGIN nothing", 18);
	assert_ok(hf_crls_take_dir(crls, from, NOW_S, &n, NULL));
	assert_int_equal(n, 2);
	assert_err(ask(0), HF_ERR_REVOKED);
	assert_ok(hf_crls_take_dir(crls, from, NOW_S, &n, NULL));
	assert_int_equal(n, 0);
	assert_err(
		hf_crls_take_dir(crls, test_path(dir, "none"), NOW_S, &n, NULL), HF_ERR_NOT_FOUND);
}

static int start(void **state)
{
	struct hf_cert_spec spec;

	(void)state;
	party_init(&ca, "CA");
	party_init(&other, "other");
	party_init(&leaf, "leaf");
	spec = ca_spec(&ca, &ca);
	party_issue(&ca, &spec, &ca);
	spec = ca_spec(&other, &other);
	party_issue(&other, &spec, &other);
	spec = party_spec(&leaf, &ca);
	party_issue(&leaf, &spec, &ca);
	assert_ok(hf_env_init(&env, 0, NULL));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_env_clear(&env);
	hf_cert_clear(&ca.cert);
	hf_cert_clear(&other.cert);
	hf_cert_clear(&leaf.cert);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_ages_by_level, begin, end),
		cmocka_unit_test_setup_teardown(a_delta_counts_with_its_base, begin, end),
		cmocka_unit_test_setup_teardown(
			only_newer_lists_of_our_issuers_are_taken, begin, end),
		cmocka_unit_test_setup_teardown(the_same_list_is_not_taken_twice, begin, end),
		cmocka_unit_test_setup_teardown(a_view_stays_as_it_is, begin, end),
		cmocka_unit_test_setup_teardown(a_spoilt_file_is_passed_over, begin, end),
		cmocka_unit_test_setup_teardown(a_folder_of_lists_is_taken, begin, end),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
