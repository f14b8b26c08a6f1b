/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists: complete ones and deltas, their numbers, and finding a serial in a long one. */
#include "pki_fixture.h"

static struct party ca;
static struct party other;
static const uint8_t serials[3][2] = { { 0x80, 1 }, { 2, 2 }, { 3, 3 } };

enum { N_LONG = 20000, LONG_LEN = 3 };

static struct hf_crl_spec full_spec(void)
{
	return (struct hf_crl_spec){ .issuer = ca.subject,
		.this_update_s = NOW_S,
		.next_update_s = NOW_S + DAY_S,
		.number = 7 };
}

static struct hf_crl_spec delta_spec(void)
{
	struct hf_crl_spec spec = full_spec();

	spec.number = 9;
	spec.base = 7;
	return spec;
}

/* Makes it and reads it back; der stays with the caller. */
static struct hf_crl make(struct hf_buf *der, const struct hf_crl_spec *spec)
{
	struct hf_errinfo ei = { 0 };
	struct hf_crl crl = { 0 };

	hf_buf_init(der, &test_mem, HF_CRL_DER_MAX);
	if (hf_crl_build(der, spec, &ca.signer, &ei) != HF_OK ||
		hf_crl_parse(&crl, der->p, der->len, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	return crl;
}

static hf_err try_crl(const uint8_t *in, size_t len)
{
	struct hf_crl c;

	HF_TRY(hf_crl_parse(&c, in, len, NULL));
	return hf_crl_verify_sig(&c, &ca.key.pub, NULL);
}

static void reads_deltas(void **state)
{
	const struct hf_crl_entry entries[] = { { serials[0], 2, NOW_S, HF_CRL_REASON_REMOVE },
		{ serials[1], 2, NOW_S, 1 } };
	struct hf_crl_spec spec = delta_spec();
	struct hf_crl_entry x = { 0 };
	struct hf_crl delta;
	struct hf_buf der;

	(void)state;
	spec.entries = entries;
	spec.n_entries = 2;
	delta = make(&der, &spec);
	assert_true(delta.is_delta && delta.base == 7 && delta.number == 9);
	assert_true(hf_crl_has(&delta, (struct hf_bytes){ serials[0], 2 }, &x));
	assert_int_equal(x.reason, HF_CRL_REASON_REMOVE);
	refuses_every_length_but_one(try_crl, der.p, der.len);
	refuses_every_changed_byte(try_crl, der.p, der.len);
	hf_buf_clear(&der);
}

static void refuses_deltas_that_contradict_themselves(void **state)
{
	const struct hf_crl_entry removed = { serials[0], 2, NOW_S, HF_CRL_REASON_REMOVE };
	struct hf_crl_spec spec = delta_spec();
	struct hf_buf der;

	(void)state;
	hf_buf_init(&der, &test_mem, HF_CRL_DER_MAX);
	spec.base = spec.number; /* nothing lies between */
	assert_err(hf_crl_build(&der, &spec, &ca.signer, NULL), HF_ERR_ARG);
	spec = full_spec();
	spec.entries = &removed; /* a complete list leaves it out */
	spec.n_entries = 1;
	assert_err(hf_crl_build(&der, &spec, &ca.signer, NULL), HF_ERR_ARG);
	hf_buf_clear(&der);
}

/* Where bytes stand for the n-th time (from 0). */
static uint8_t *find(const struct hf_buf *der, const void *bytes, size_t len, unsigned n)
{
	for (size_t i = 0; i + len <= der->len; i++)
		if (memcmp(der->p + i, bytes, len) == 0 && n-- == 0)
			return der->p + i;
	fail_msg("not there");
	return NULL;
}

static void refuses_what_no_list_may_say(void **state)
{
	const struct hf_crl_entry entry = { serials[0], 2, NOW_S, 1 };
	struct hf_crl_spec spec = delta_spec();
	struct hf_crl delta;
	struct hf_buf der;
	uint8_t *p;

	(void)state;
	spec.entries = &entry;
	spec.n_entries = 1;
	delta = make(&der, &spec);
	p = find(&der, "\x0a\x01\x01", 3, 0);
	p[2] = 7; /* no such reason */
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_FORMAT);
	p[2] = HF_CRL_REASON_LAST + 1;
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_FORMAT);
	p[2] = 1;
	p = find(&der, "\x55\x1d\x1b\x01\x01\xff", 6, 0);
	p[2] = 0x1c; /* issuingDistributionPoint: a part of a list, or one of many issuers */
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_UNSUPPORTED);
	p[2] = 0x63; /* critical and unknown */
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_UNSUPPORTED);
	p[2] = 0x1b;
	p[9] = 10; /* the base comes after the list */
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_TRUNCATED);
	p[9] = 1;
	p[10] = 9;
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_FORMAT);
	p[10] = 7;
	assert_ok(hf_crl_parse(&delta, der.p, der.len, NULL));
	p = find(&der, "\x55\x1d\x14", 3, 0);
	p[2] = 0x63; /* a delta without number */
	assert_err(hf_crl_parse(&delta, der.p, der.len, NULL), HF_ERR_FORMAT);
	hf_buf_clear(&der);
}

static void refuses_removal_in_a_complete_list(void **state)
{
	const struct hf_crl_entry entry = { serials[0], 2, NOW_S, HF_CRL_REASON_HOLD };
	struct hf_crl_spec spec = full_spec();
	struct hf_crl crl;
	struct hf_buf der;

	(void)state;
	spec.entries = &entry;
	spec.n_entries = 1;
	crl = make(&der, &spec);
	find(&der, "\x0a\x01\x06", 3, 0)[2] = HF_CRL_REASON_REMOVE;
	assert_err(hf_crl_parse(&crl, der.p, der.len, NULL), HF_ERR_FORMAT);
	hf_buf_clear(&der);
}

static void a_delta_applies_between_its_base_and_itself(void **state)
{
	struct hf_crl_spec spec = delta_spec();
	struct hf_buf der[2];
	struct hf_crl delta = make(&der[0], &spec);
	struct hf_crl full;

	(void)state;
	spec = full_spec();
	full = make(&der[1], &spec);
	assert_true(hf_crl_applies(&delta, &full));
	full.number = 8;
	assert_true(hf_crl_applies(&delta, &full));
	full.number = 6; /* what happened until 7 would be lost */
	assert_false(hf_crl_applies(&delta, &full));
	full.number = 9; /* the list is not older than the delta */
	assert_false(hf_crl_applies(&delta, &full));
	full.number = 7;
	full.issuer = other.subject;
	assert_false(hf_crl_applies(&delta, &full));
	full.issuer = delta.issuer;
	full.aki.len--; /* of another key */
	assert_false(hf_crl_applies(&delta, &full));
	assert_false(hf_crl_applies(&full, &delta));
	hf_buf_clear(&der[0]);
	hf_buf_clear(&der[1]);
}

static void numbers_never_go_back(void **state)
{
	struct hf_crl_spec spec = full_spec();
	struct hf_errinfo ei = { 0 };
	struct hf_buf der[2];
	struct hf_crl have = make(&der[0], &spec);
	struct hf_crl next;

	(void)state;
	spec.number = 8;
	next = make(&der[1], &spec);
	assert_ok(hf_crl_follows(&next, &have, NULL));
	assert_err(hf_crl_follows(&have, &have, NULL), HF_ERR_EXISTS);
	assert_err(hf_crl_follows(&have, &next, &ei), HF_ERR_ROLLBACK);
	assert_non_null(strstr(ei.text, "CN=CA: number 7 comes after number 8"));
	next.number = have.number; /* the same number over other bytes */
	assert_err(hf_crl_follows(&next, &have, NULL), HF_ERR_ROLLBACK);
	next.number = 8;
	next.this_update_s = have.this_update_s - 1;
	assert_err(hf_crl_follows(&next, &have, NULL), HF_ERR_ROLLBACK);
	next.issuer = other.subject;
	assert_err(hf_crl_follows(&next, &have, NULL), HF_ERR_ARG);
	next.issuer = have.issuer;
	next.is_delta = true;
	assert_err(hf_crl_follows(&next, &have, NULL), HF_ERR_ARG);
	hf_buf_clear(&der[0]);
	hf_buf_clear(&der[1]);
}

/* Serial of the i-th entry of a long list: scattered, and no two the same. */
static void long_serial(uint8_t out[LONG_LEN], unsigned i)
{
	unsigned v = 0x800000u | (i * 40503u & 0x7fffffu);

	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
}

static void finds_every_serial_of_a_long_list(void **state)
{
	static struct hf_crl_entry entries[N_LONG];
	static uint8_t bytes[N_LONG][LONG_LEN];
	struct hf_crl_spec spec = full_spec();
	uint8_t absent[LONG_LEN];
	struct hf_crl_entry x = { 0 };
	struct hf_crl copy = { 0 };
	struct hf_buf der;

	(void)state;
	for (unsigned i = 0; i < N_LONG; i++) {
		long_serial(bytes[i], i);
		entries[i] = (struct hf_crl_entry){ bytes[i], LONG_LEN - i % 2, NOW_S - i, i % 6 };
		if (i % 2 != 0) /* shorter ones among them, with bytes of their own */
			bytes[i][0] = (uint8_t)(1 + i / 2 % 255), bytes[i][1] = (uint8_t)(i / 510);
	}
	spec.entries = entries;
	spec.n_entries = N_LONG;
	(void)make(&der, &spec);
	assert_ok(hf_crl_copy(&copy, &test_mem, der.p, der.len, NULL));
	hf_buf_clear(&der); /* the copy owns its bytes */
	assert_int_equal(copy.n_entries, N_LONG);
	for (unsigned i = 0; i < N_LONG; i++) {
		struct hf_bytes s = { bytes[i], entries[i].serial_len };

		if (!hf_crl_has(&copy, s, &x) ||
			!hf_bytes_eq((struct hf_bytes){ x.serial, x.serial_len }, s))
			fail_msg("serial %u is not found", i);
		if (i % 2 == 0)
			assert_true(x.revoked_s == NOW_S - i && x.reason == i % 6);
	}
	for (unsigned i = N_LONG; i < 2 * N_LONG; i++) {
		if (i % 2 != 0)
			continue;
		long_serial(absent, i);
		assert_false(hf_crl_has(&copy, (struct hf_bytes){ absent, LONG_LEN }, NULL));
	}
	hf_crl_clear(&copy);
	assert_null(copy.own);
}

static void a_copy_survives_no_lack_of_memory(void **state)
{
	const struct hf_crl_entry entry = { serials[0], 2, NOW_S, 1 };
	struct hf_crl_spec spec = full_spec();
	struct hf_crl copy = { .number = 42 };
	struct hf_buf der;

	(void)state;
	spec.entries = &entry;
	spec.n_entries = 1;
	(void)make(&der, &spec);
	for (unsigned n = 1; n <= 2; n++) {
		test_mem_fail_at(n);
		assert_err(hf_crl_copy(&copy, &test_mem, der.p, der.len, NULL), HF_ERR_NO_MEMORY);
		assert_int_equal(copy.number, 42);
	}
	test_mem_fail_at(0);
	assert_err(hf_crl_copy(&copy, &test_mem, der.p, der.len - 1, NULL), HF_ERR_TRUNCATED);
	assert_ok(hf_crl_copy(&copy, &test_mem, der.p, der.len, NULL));
	hf_crl_clear(&copy);
	hf_buf_clear(&der);
}

static void a_checked_list_is_checked_for_its_key_only(void **state)
{
	struct hf_crl_spec spec = full_spec();
	struct hf_buf der;
	struct hf_crl crl = make(&der, &spec);

	(void)state;
	assert_err(hf_crl_check(&crl, &other.key.pub, NULL), HF_ERR_AUTH);
	assert_false(crl.is_checked);
	assert_ok(hf_crl_check(&crl, &ca.key.pub, NULL));
	crl.tbs.len--; /* it is not computed again */
	assert_ok(hf_crl_verify_sig(&crl, &ca.key.pub, NULL));
	assert_err(hf_crl_verify_sig(&crl, &other.key.pub, NULL), HF_ERR_AUTH);
	hf_buf_clear(&der);
}

static int start(void **state)
{
	(void)state;
	party_init(&ca, "CA");
	party_init(&other, "other");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_deltas),
		cmocka_unit_test(refuses_deltas_that_contradict_themselves),
		cmocka_unit_test(refuses_what_no_list_may_say),
		cmocka_unit_test(refuses_removal_in_a_complete_list),
		cmocka_unit_test(a_delta_applies_between_its_base_and_itself),
		cmocka_unit_test(numbers_never_go_back),
		cmocka_unit_test(finds_every_serial_of_a_long_list),
		cmocka_unit_test(a_copy_survives_no_lack_of_memory),
		cmocka_unit_test(a_checked_list_is_checked_for_its_key_only),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
