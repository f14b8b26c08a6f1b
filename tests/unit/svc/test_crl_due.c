/* SPDX-License-Identifier: Apache-2.0 */
/* When lists are fetched: often enough, not too often, and ever less often in vain. */
#include "test.h"

#include <stdio.h>

#include "svc/crl_due.h"

enum { HOUR_MS = 3600 * 1000 };

static uint16_t chance;

static hf_err fill(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	assert_int_equal(len, sizeof(chance));
	memcpy(out, &chance, len);
	return HF_OK;
}

static const struct hf_rng rng = { .fill = fill };
static struct hf_crl_due due;

static int begin(void **state)
{
	(void)state;
	memset(&due, 0, sizeof(due));
	due.rng = &rng;
	due.every_ms = HOUR_MS;
	chance = UINT16_MAX;
	assert_ok(hf_crl_due_add(&due, "http://a/1", 10));
	assert_ok(hf_crl_due_add(&due, "http://a/2", 10));
	return 0;
}

static void every_place_is_looked_at_once_and_then_every_so_often(void **state)
{
	size_t at = 9;

	(void)state;
	assert_true(hf_crl_due_next(&due, 5, &at));
	assert_int_equal(at, 0);
	hf_crl_due_good(&due, 0, UINT64_MAX, 5);
	assert_true(hf_crl_due_next(&due, 5, &at));
	assert_int_equal(at, 1);
	hf_crl_due_good(&due, 1, UINT64_MAX, 6);
	assert_false(hf_crl_due_next(&due, 6, &at));
	assert_int_equal(hf_crl_due_deadline(&due), 5 + HOUR_MS);
	assert_true(hf_crl_due_next(&due, 6 + HOUR_MS, &at)); /* who waited longest */
	assert_int_equal(at, 0);
	chance = 0;
	hf_crl_due_good(&due, 0, UINT64_MAX, 0);
	assert_int_equal(due.place[0].next_ms, HOUR_MS / 4 * 3);
}

static void a_list_that_ends_is_looked_for_before(void **state)
{
	(void)state;
	hf_crl_due_good(&due, 0, HOUR_MS / 2, 0);
	assert_int_equal(due.place[0].next_ms, HOUR_MS / 2);
	hf_crl_due_good(&due, 0, 1, 0); /* though not without a pause */
	assert_int_equal(due.place[0].next_ms, HF_CRL_DUE_SOON_MS);
	hf_crl_due_good(&due, 0, 0, 100);
	assert_int_equal(due.place[0].next_ms, 100 + HF_CRL_DUE_SOON_MS);
	due.every_ms = 1000;
	hf_crl_due_good(&due, 0, 0, 0);
	assert_int_equal(due.place[0].next_ms, 1000);
}

static void failures_are_repeated_ever_less_often(void **state)
{
	uint64_t before = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		hf_crl_due_failed(&due, 0, 0);
		assert_true(due.place[0].next_ms >= before);
		assert_in_range(due.place[0].next_ms, HF_CRL_DUE_RETRY_MS, HF_CRL_DUE_RETRY_MAX_MS);
		assert_true(i > 4 || due.place[0].next_ms > before);
		before = due.place[0].next_ms;
	}
	assert_int_equal(before, HF_CRL_DUE_RETRY_MAX_MS);
	assert_int_equal(due.place[1].next_ms, 0); /* the other one's affair */
	hf_crl_due_good(&due, 0, UINT64_MAX, 0);
	hf_crl_due_failed(&due, 0, 0);
	assert_int_equal(due.place[0].next_ms, HF_CRL_DUE_RETRY_MS);
	due.place[0].n_fails = UINT32_MAX;
	hf_crl_due_failed(&due, 0, 0);
	assert_true(due.place[0].next_ms >= HF_CRL_DUE_RETRY_MS);
}

static void places_are_bounded_and_there_once(void **state)
{
	char url[24];

	(void)state;
	assert_err(hf_crl_due_add(&due, "http://a/1", 10), HF_ERR_EXISTS);
	assert_err(hf_crl_due_add(&due, "ldap://a/1", 10), HF_ERR_UNSUPPORTED);
	assert_err(hf_crl_due_add(&due, "http://a b", 10), HF_ERR_FORMAT);
	while (due.n < HF_CRL_PLACES_MAX) {
		(void)snprintf(url, sizeof(url), "http://b/%zu", due.n);
		assert_ok(hf_crl_due_add(&due, url, strlen(url)));
	}
	assert_err(hf_crl_due_add(&due, "http://c/", 9), HF_ERR_LIMIT);
	due.n = 0;
	assert_int_equal(hf_crl_due_deadline(&due), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			every_place_is_looked_at_once_and_then_every_so_often, begin),
		cmocka_unit_test_setup(a_list_that_ends_is_looked_for_before, begin),
		cmocka_unit_test_setup(failures_are_repeated_ever_less_often, begin),
		cmocka_unit_test_setup(places_are_bounded_and_there_once, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
