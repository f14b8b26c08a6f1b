/* SPDX-License-Identifier: Apache-2.0 */
/* Record protection at the limit of a key, without a connection around it. */
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

static void each_record_has_a_number_of_its_own(void **state)
{
	struct hf_tls_dir tx;
	struct hf_tls_dir rx;
	uint8_t a[RECORD_LEN];
	uint8_t b[RECORD_LEN];

	(void)state;
	assert_ok(hf_tls_dir_set(&tx, secret, 5));
	assert_ok(hf_tls_dir_set(&rx, secret, 5));
	assert_ok(seal(&tx, a));
	assert_ok(seal(&tx, b));
	assert_true(memcmp(a, b, RECORD_LEN) != 0);
	assert_err(open_it(&rx, b), HF_ERR_AUTH); /* out of order */
	assert_ok(open_it(&rx, a));
	assert_err(open_it(&rx, a), HF_ERR_AUTH); /* repeated */
	assert_ok(open_it(&rx, b));
	assert_int_equal(tx.n_bytes, 2 * LEN);
}

/* RFC 8446 5.5: a configuration without limits does not wear a key out. */
static void a_key_seals_its_last_record_and_none_after_it(void **state)
{
	static const uint8_t zeros[RECORD_LEN];
	struct hf_tls_dir tx;
	struct hf_tls_dir rx;
	uint8_t record[RECORD_LEN];

	(void)state;
	assert_ok(hf_tls_dir_set(&tx, secret, 5));
	assert_ok(hf_tls_dir_set(&rx, secret, 5));
	tx.gcm.count.n = HF_TLS_KEY_RECORDS_MAX - 1;
	rx.gcm.count.n = HF_TLS_KEY_RECORDS_MAX - 1;
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
	assert_int_equal(tx.gcm.count.n, 0);
	assert_ok(seal(&tx, record));
	assert_ok(open_it(&rx, record));
}

static void a_peer_that_used_all_numbers_is_not_heard(void **state)
{
	struct hf_tls_dir rx;
	uint8_t record[RECORD_LEN];

	(void)state;
	assert_ok(hf_tls_dir_set(&rx, secret, 5));
	assert_ok(seal(&rx, record));
	rx.gcm.count.n = UINT64_MAX;
	assert_err(open_it(&rx, record), HF_ERR_LIMIT);
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
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
