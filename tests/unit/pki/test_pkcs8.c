/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: every flavour of the vector file is read; nothing damaged is. */
#include "pki_fixture.h"

#include "codec/pem.h"
#include "pki/pkcs8.h"
#include "pki/spki.h"

static const char *const file = "keyfiles.txt";
static const struct hf_bytes pass = { (const uint8_t *)"pass1234", 8 };

static void expect_test_key(const struct hf_sm2_key *key)
{
	size_t len;
	uint8_t *d = vector_field("tls13_testkeys.txt", "server-sign", "PrivateKey", &len);

	assert_int_equal(len, HF_SM2_LEN);
	assert_memory_equal(key->d, d, len);
	free(d);
}

static hf_err try_parse(const uint8_t *in, size_t len)
{
	struct hf_sm2_key key;

	return hf_pkcs8_parse(&key, in, len, NULL);
}

static hf_err try_open(const uint8_t *in, size_t len)
{
	struct hf_sm2_key key;

	return hf_pkcs8_open(&key, in, len, pass, NULL);
}

static void plain_files_are_read_and_damaged_ones_refused(void **state)
{
	static const char *const ids[] = { "pkcs8-plain", "sec1" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(ids); i++) {
		size_t len;
		uint8_t *der = vector_field(file, ids[i], "Der", &len);
		struct hf_sm2_key key;

		assert_ok(hf_pkcs8_parse(&key, der, len, NULL));
		expect_test_key(&key);
		refuses_every_length_but_one(try_parse, der, len);
		refuses_every_changed_byte(try_parse, der, len);
		free(der);
	}
}

static const char *const sealed[] = { "pbes2-gmssl", "pbes2-hmacWithSM3", "pbes2-sha256-sm4",
	"pbes2-sha256-aes256" };

static void encrypted_files_of_every_flavour_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(sealed); i++) {
		size_t len;
		uint8_t *der = vector_field(file, sealed[i], "Der", &len);
		struct hf_sm2_key key;

		assert_ok(hf_pkcs8_open(&key, der, len, pass, NULL));
		expect_test_key(&key);
		free(der);
	}
}

static void a_wrong_passphrase_is_one_plain_no(void **state)
{
	static const struct hf_bytes wrong = { (const uint8_t *)"pass1235", 8 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(sealed); i++) {
		size_t len;
		uint8_t *der = vector_field(file, sealed[i], "Der", &len);
		struct hf_errinfo ei = { 0 };
		struct hf_sm2_key key;
		struct hf_sm2_key zero = { 0 };

		assert_err(hf_pkcs8_open(&key, der, len, wrong, &ei), HF_ERR_AUTH);
		assert_string_equal(ei.text, "encrypted key: wrong passphrase, or altered");
		assert_memory_equal(&key, &zero, sizeof(key));
		assert_err(hf_pkcs8_read(&key, (struct hf_bytes){ der, len },
				   (struct hf_bytes){ 0 }, NULL),
			HF_ERR_AUTH);
		free(der);
	}
}

static void damaged_encrypted_files_are_refused(void **state)
{
	size_t len;
	uint8_t *der = vector_field(file, "pbes2-gmssl", "Der", &len);

	(void)state;
	for (size_t n = 0; n < len; n += 7)
		assert_int_not_equal(run_changed(try_open, der, n, SIZE_MAX), HF_OK);
	/* The first block holds only the version and the algorithm, the last ones the public key.
	 */
	for (size_t at = 0; at < len; at += 5)
		assert_int_not_equal(run_changed(try_open, der, len, at), HF_OK);
	free(der);
}

static void refuses_more_iterations_than_the_limit(void **state)
{
	size_t len;
	uint8_t *der = vector_field(file, "pbes2-gmssl", "Der", &len);
	struct hf_sm2_key key;

	(void)state;
	for (size_t i = 0; i + 4 < len; i++) {
		if (memcmp(der + i, "\x02\x02\x04\x00\x02", 5) != 0)
			continue;
		/* 1024 and key length 16 become one number of four bytes, 0x04000201 and so on. */
		memcpy(der + i, "\x02\x05\x00\xff\xff\xff\xff", 7);
	}
	assert_err(hf_pkcs8_open(&key, der, len, pass, NULL), HF_ERR_LIMIT);
	free(der);
}

static void what_is_sealed_is_read_again(void **state)
{
	struct party p = { 0 };

	(void)state;
	party_init(&p, "key");
	for (int flavour = HF_PKCS8_STANDARD; flavour <= HF_PKCS8_GMSSL; flavour++) {
		uint8_t der[HF_PKCS8_EMIT_MAX];
		uint8_t text[1024];
		struct hf_writer w = { .p = der, .cap = sizeof(der) };
		struct hf_writer pem = { .p = text, .cap = sizeof(text) };
		struct hf_sm2_key back;

		assert_ok(hf_pkcs8_seal(
			&w, &p.key, pass, 1024, (enum hf_pkcs8_flavour)flavour, &fixture_rng));
		hf_pem_emit(&pem, "ENCRYPTED PRIVATE KEY", der, w.len);
		assert_ok(hf_wr_done(&pem));
		assert_ok(hf_pkcs8_read(&back, (struct hf_bytes){ text, pem.len }, pass, NULL));
		assert_memory_equal(&back, &p.key, sizeof(back));
	}
}

static void refuses_to_seal_with_few_iterations(void **state)
{
	uint8_t der[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = der, .cap = sizeof(der) };
	struct party p = { 0 };

	(void)state;
	party_init(&p, "key");
	assert_err(
		hf_pkcs8_seal(&w, &p.key, pass, 1023, HF_PKCS8_STANDARD, &fixture_rng), HF_ERR_ARG);
	assert_err(hf_pkcs8_seal(&w, &p.key, pass, 10000001, HF_PKCS8_STANDARD, &fixture_rng),
		HF_ERR_ARG);
	w.cap = 200;
	assert_err(hf_pkcs8_seal(&w, &p.key, pass, 1024, HF_PKCS8_STANDARD, &fixture_rng),
		HF_ERR_LIMIT);
}

static void writes_the_plain_form_byte_for_byte(void **state)
{
	uint8_t out[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	size_t len;
	uint8_t *der = vector_field(file, "pkcs8-plain", "Der", &len);
	struct hf_sm2_key key;

	(void)state;
	assert_ok(hf_pkcs8_parse(&key, der, len, NULL));
	hf_pkcs8_emit(&w, &key);
	assert_ok(hf_wr_done(&w));
	assert_int_equal(w.len, len);
	assert_memory_equal(out, der, len);
	free(der);
}

static void a_file_without_a_key_is_not_found(void **state)
{
	struct hf_sm2_key key;

	(void)state;
	assert_err(
		hf_pkcs8_read(&key, hf_bytes_str("no key here\n"), pass, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_pkcs8_read(&key, hf_bytes_str(""), pass, NULL), HF_ERR_NOT_FOUND);
}

static hf_err try_spki(const uint8_t *in, size_t len)
{
	struct hf_sm2_pub pub;

	return hf_spki_parse(&pub, in, len);
}

static void a_public_key_comes_back_and_no_other_form_passes(void **state)
{
	uint8_t out[HF_SPKI_LEN];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	struct hf_sm2_pub pub;
	size_t len;
	uint8_t *der = vector_field(file, "spki", "Der", &len);

	(void)state;
	assert_ok(hf_spki_parse(&pub, der, len));
	hf_spki_put(&w, &pub);
	assert_ok(hf_wr_done(&w));
	assert_int_equal(w.len, len);
	assert_memory_equal(out, der, len);
	refuses_every_length_but_one(try_spki, der, len);
	refuses_every_changed_byte(try_spki, der, len);
	free(der);
}

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_files_are_read_and_damaged_ones_refused),
		cmocka_unit_test(encrypted_files_of_every_flavour_are_read),
		cmocka_unit_test(a_wrong_passphrase_is_one_plain_no),
		cmocka_unit_test(damaged_encrypted_files_are_refused),
		cmocka_unit_test(refuses_more_iterations_than_the_limit),
		cmocka_unit_test(what_is_sealed_is_read_again),
		cmocka_unit_test(refuses_to_seal_with_few_iterations),
		cmocka_unit_test(writes_the_plain_form_byte_for_byte),
		cmocka_unit_test(a_file_without_a_key_is_not_found),
		cmocka_unit_test(a_public_key_comes_back_and_no_other_form_passes),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
