/* SPDX-License-Identifier: Apache-2.0 */
/* Record protection at the limit of a key, of each suite, without a connection around it. */
#include "test.h"

#include "crypto/module.h"
#include "tls/record.h"

enum { LEN = 37, RECORD_LEN = LEN + HF_TLS_OVERHEAD };

static const uint8_t secret[HF_SM3_LEN] = "a traffic secret of this test..";
static const uint8_t plain[LEN] = "what an application sends to another";

static hf_err seal(struct hf_tls_dir *d, uint8_t record[RECORD_LEN])
{
	return hf_tls_seal(d, record, HF_TLS_DATA, plain, LEN, 0);
}

static hf_err open_it(struct hf_tls_dir *d, const uint8_t record[RECORD_LEN])
{
	uint8_t out[RECORD_LEN - HF_TLS_HEAD_LEN - HF_GCM_TAG_LEN];
	struct hf_tls_inner inner;
	hf_err e = hf_tls_open(d, out, &inner, record);

	if (e == HF_OK) {
		assert_int_equal(inner.type, HF_TLS_DATA);
		assert_int_equal(inner.len, LEN);
		assert_memory_equal(out, plain, LEN);
	}
	return e;
}

/* Puts the number of the next record. */
static void set_count(struct hf_tls_dir *d, uint64_t n)
{
	if (d->suite->bit == HF_TLS_SUITE_GCM)
		d->gcm.count.n = n;
	else
		d->ccm.count.n = n;
	assert_int_equal(hf_tls_dir_records(d), n);
}

static void each_record_has_a_number_of_its_own(void **state)
{
	const struct hf_tls_suite *suite;

	(void)state;
	for (size_t i = 0; (suite = hf_tls_suite_at(i)) != NULL; i++) {
		struct hf_tls_dir tx;
		struct hf_tls_dir rx;
		uint8_t a[RECORD_LEN];
		uint8_t b[RECORD_LEN];

		assert_ok(hf_tls_dir_set(&tx, suite, secret, 5));
		assert_ok(hf_tls_dir_set(&rx, suite, secret, 5));
		assert_ok(seal(&tx, a));
		assert_ok(seal(&tx, b));
		assert_true(memcmp(a, b, RECORD_LEN) != 0);
		assert_err(open_it(&rx, b), HF_ERR_AUTH); /* out of order */
		assert_ok(open_it(&rx, a));
		assert_err(open_it(&rx, a), HF_ERR_AUTH); /* repeated */
		assert_ok(open_it(&rx, b));
		assert_int_equal(tx.n_bytes, 2 * LEN);
		assert_int_equal(hf_tls_dir_records(&tx), 2);
	}
}

static void suites_do_not_open_each_others_records(void **state)
{
	struct hf_tls_dir tx;
	struct hf_tls_dir rx;
	uint8_t record[RECORD_LEN];

	(void)state;
	assert_ok(hf_tls_dir_set(&tx, hf_tls_suite_best(HF_TLS_SUITE_GCM), secret, 5));
	assert_ok(hf_tls_dir_set(&rx, hf_tls_suite_best(HF_TLS_SUITE_CCM), secret, 5));
	assert_ok(seal(&tx, record));
	assert_err(open_it(&rx, record), HF_ERR_AUTH);
	assert_null(hf_tls_suite_best(0));
	assert_null(hf_tls_suite_of(0x1301));
	assert_int_equal(hf_tls_suite_best(HF_TLS_SUITES)->number, 0x00c6);
	assert_int_equal(hf_tls_suite_of(0x00c7)->bit, HF_TLS_SUITE_CCM);
}

/* RFC 8446 5.5: a configuration without limits does not wear a key out. */
static void a_key_seals_its_last_record_and_none_after_it(void **state)
{
	static const uint8_t zeros[RECORD_LEN];
	static const uint64_t last[] = { HF_TLS_KEY_RECORDS_MAX - 1, HF_TLS_CCM_RECORDS_MAX - 1 };
	const struct hf_tls_suite *suite;

	(void)state;
	for (size_t i = 0; (suite = hf_tls_suite_at(i)) != NULL; i++) {
		struct hf_tls_dir tx;
		struct hf_tls_dir rx;
		uint8_t record[RECORD_LEN];

		assert_true(suite->records_max < last[i]); /* new keys come before that */
		assert_ok(hf_tls_dir_set(&tx, suite, secret, 5));
		assert_ok(hf_tls_dir_set(&rx, suite, secret, 5));
		set_count(&tx, last[i]);
		set_count(&rx, last[i]);
		assert_ok(seal(&tx, record));
		assert_ok(open_it(&rx, record));
		for (int again = 0; again < 2; again++) {
			memset(record, 7, sizeof(record));
			assert_err(seal(&tx, record), HF_ERR_LIMIT);
			assert_memory_equal(record, zeros, sizeof(record));
		}
		/* The next key begins anew. */
		assert_ok(hf_tls_dir_next(&tx, 6));
		assert_ok(hf_tls_dir_next(&rx, 6));
		assert_int_equal(hf_tls_dir_records(&tx), 0);
		assert_ptr_equal(tx.suite, suite);
		assert_ok(seal(&tx, record));
		assert_ok(open_it(&rx, record));
	}
}

static void a_peer_that_used_all_numbers_is_not_heard(void **state)
{
	const struct hf_tls_suite *suite;

	(void)state;
	for (size_t i = 0; (suite = hf_tls_suite_at(i)) != NULL; i++) {
		struct hf_tls_dir rx;
		uint8_t record[RECORD_LEN];

		assert_ok(hf_tls_dir_set(&rx, suite, secret, 5));
		assert_ok(seal(&rx, record));
		set_count(&rx, UINT64_MAX);
		assert_err(open_it(&rx, record), HF_ERR_LIMIT);
	}
}

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_used_all_numbers_is_not_heard),
		cmocka_unit_test(a_key_seals_its_last_record_and_none_after_it),
		cmocka_unit_test(each_record_has_a_number_of_its_own),
		cmocka_unit_test(suites_do_not_open_each_others_records),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
