/* SPDX-License-Identifier: Apache-2.0 */
/* Derivations: what they refuse, where they overlap, and that every input counts. */
#include "test.h"

#include "base/attr.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/module.h"

enum { HKDF_MAX = 255 * HF_SM3_LEN };

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static void hkdf_refuses_more_than_255_blocks(void **state)
{
	uint8_t prk[HF_SM3_LEN] = { 1 };
	uint8_t *out = calloc(1, HKDF_MAX + 1);

	(void)state;
	assert_err(hf_hkdf_expand(out, HKDF_MAX + 1, prk, NULL, 0), HF_ERR_ARG);
	assert_err(hf_hkdf(out, HKDF_MAX + 1, NULL, 0, "x", 1, NULL, 0), HF_ERR_ARG);
	assert_err(hf_hkdf(out, SIZE_MAX, NULL, 0, "x", 1, NULL, 0), HF_ERR_ARG);
	for (size_t i = 0; i <= HKDF_MAX; i++)
		assert_int_equal(out[i], 0);
	assert_ok(hf_hkdf_expand(out, HKDF_MAX, prk, NULL, 0));
	assert_int_equal(out[HKDF_MAX], 0);
	assert_ok(hf_hkdf_expand(out, 0, prk, NULL, 0));
	free(out);
}

static void hkdf_of_a_shorter_length_is_the_beginning_of_a_longer_one(void **state)
{
	uint8_t prk[HF_SM3_LEN] = { 7 };
	uint8_t whole[100];
	uint8_t zeros[HF_SM3_LEN] = { 0 };
	uint8_t a[HF_SM3_LEN];
	uint8_t b[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_hkdf_expand(whole, sizeof(whole), prk, "info", 4));
	for (size_t len = 0; len <= sizeof(whole); len++) {
		uint8_t *part = malloc(len + (len == 0));

		assert_ok(hf_hkdf_expand(part, len, prk, "info", 4));
		assert_memory_equal(part, whole, len);
		free(part);
	}
	hf_hkdf_extract(a, NULL, 0, "ikm", 3);
	hf_hkdf_extract(b, zeros, sizeof(zeros), "ikm", 3);
	assert_memory_equal(a, b, sizeof(a));
	memcpy(a, "ikm", 3);
	hf_hkdf_extract(a, NULL, 0, a, 3);
	assert_memory_equal(a, b, sizeof(a));
}

static void expand_label_refuses_long_labels_and_contexts(void **state)
{
	uint8_t secret[HF_SM3_LEN] = { 3 };
	uint8_t context[256] = { 0 };
	char label[251];
	uint8_t out[HF_SM3_LEN];

	(void)state;
	memset(label, 'l', sizeof(label) - 1);
	label[250] = '\0';
	assert_err(hf_hkdf_expand_label(out, 16, secret, label, NULL, 0), HF_ERR_ARG);
	assert_err(hf_hkdf_expand_label(out, 16, secret, "key", context, 256), HF_ERR_ARG);
	assert_err(hf_hkdf_expand_label(out, HKDF_MAX + 1, secret, "key", NULL, 0), HF_ERR_ARG);
	assert_err(hf_hkdf_expand_label(out, (size_t)UINT16_MAX + 1, secret, "key", NULL, 0),
		HF_ERR_ARG);
	label[249] = '\0';
	assert_ok(hf_hkdf_expand_label(out, 16, secret, label, context, 255));
}

static void expand_label_may_write_over_its_secret(void **state)
{
	uint8_t secret[HF_SM3_LEN] = { 3 };
	uint8_t out[HF_SM3_LEN];
	uint8_t other[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_hkdf_expand_label(out, sizeof(out), secret, "traffic upd", NULL, 0));
	assert_ok(hf_hkdf_expand_label(other, 16, secret, "traffic upd", NULL, 0));
	/* The length is part of the input: a shorter one is not the beginning of a longer one. */
	assert_memory_not_equal(out, other, 16);
	assert_ok(hf_hkdf_expand_label(secret, sizeof(secret), secret, "traffic upd", NULL, 0));
	assert_memory_equal(secret, out, sizeof(out));
}

static void pbkdf2_refuses_no_iterations_and_counts_each(void **state)
{
	uint8_t out[40] = { 0 };
	uint8_t last[40] = { 0 };
	uint8_t u[HF_SM3_LEN];

	(void)state;
	assert_err(hf_pbkdf2(out, sizeof(out), "pw", 2, "salt", 4, 0), HF_ERR_ARG);
	assert_memory_equal(out, last, sizeof(out));
	if (sizeof(size_t) > sizeof(uint32_t)) /* else there are not too many blocks */
		assert_err(hf_pbkdf2(out, SIZE_MAX, "pw", 2, "salt", 4, 1), HF_ERR_ARG);
	for (uint32_t n = 1; n < 20; n++) {
		assert_ok(hf_pbkdf2(out, sizeof(out), "pw", 2, "salt", 4, n));
		assert_memory_not_equal(out, last, sizeof(out));
		memcpy(last, out, sizeof(last));
	}
	hf_hmac_sm3(u, "pw", 2, "salt\0\0\0\1", 8);
	assert_ok(hf_pbkdf2(out, sizeof(out), "pw", 2, "salt", 4, 1));
	assert_memory_equal(out, u, sizeof(u));
}

static void sm2_kdf_counts_from_one_and_refuses_too_much(void **state)
{
	uint8_t out[HF_SM3_LEN + 1];
	uint8_t first[HF_SM3_LEN];
	uint8_t second[HF_SM3_LEN];

	(void)state;
	if (sizeof(size_t) > sizeof(uint32_t))
		assert_err(hf_sm2_kdf(out, SIZE_MAX, "z", 1), HF_ERR_ARG);
	hf_sm3(first, "z\0\0\0\1", 5);
	hf_sm3(second, "z\0\0\0\2", 5);
	assert_ok(hf_sm2_kdf(out, sizeof(out), "z", 1));
	assert_memory_equal(out, first, HF_SM3_LEN);
	assert_int_equal(out[HF_SM3_LEN], second[0]);
	assert_ok(hf_sm2_kdf(out, 0, "z", 1));
}

static void the_prf_of_tlcp_parts_label_and_seed_by_nothing(void **state)
{
	uint8_t a[70];
	uint8_t b[70];

	(void)state;
	hf_tlcp_prf(a, sizeof(a), "secret", 6, "label", "seed", 4);
	hf_tlcp_prf(b, sizeof(b), "secret", 6, "labels", "eed", 3);
	assert_memory_equal(a, b, sizeof(a));
	hf_tlcp_prf(b, sizeof(b), "secreT", 6, "label", "seed", 4);
	assert_memory_not_equal(a, b, sizeof(a));
	memset(b, 0, sizeof(b));
	hf_tlcp_prf(b, 33, "secret", 6, "label", "seed", 4);
	assert_memory_equal(a, b, 33);
	for (size_t i = 33; i < sizeof(b); i++)
		assert_int_equal(b[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hkdf_refuses_more_than_255_blocks),
		cmocka_unit_test(hkdf_of_a_shorter_length_is_the_beginning_of_a_longer_one),
		cmocka_unit_test(expand_label_refuses_long_labels_and_contexts),
		cmocka_unit_test(expand_label_may_write_over_its_secret),
		cmocka_unit_test(pbkdf2_refuses_no_iterations_and_counts_each),
		cmocka_unit_test(sm2_kdf_counts_from_one_and_refuses_too_much),
		cmocka_unit_test(the_prf_of_tlcp_parts_label_and_seed_by_nothing),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
