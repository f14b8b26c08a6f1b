/* SPDX-License-Identifier: Apache-2.0 */
/* The foreign algorithms against the vectors of their standards. */
#include "test.h"

#include "base/hex.h"
#include "pki/foreign.h"

static void expect_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	char text[129];

	hf_hex_emit(text, bytes, len);
	assert_string_equal(text, hex);
}

static void refuses_lengths_it_does_not_have(void **state)
{
	uint8_t out[33] = { 0 };

	(void)state;
	assert_err(hf_foreign_pbkdf2_sha256(out, 33, "p", 1, "s", 1, 1), HF_ERR_ARG);
	assert_err(hf_foreign_pbkdf2_sha256(out, 32, "p", 1, "s", 1, 0), HF_ERR_ARG);
	assert_err(hf_foreign_aes_cbc_decrypt(out, out, 1, out, 24, out), HF_ERR_ARG);
}

static void pbkdf2_agrees_with_rfc_7914(void **state)
{
	uint8_t out[32];
	char long_password[65];

	(void)state;
	assert_ok(hf_foreign_pbkdf2_sha256(out, 32, "passwd", 6, "salt", 4, 1));
	expect_hex(out, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	/* a password longer than a block is hashed first; the value is Python's hashlib's */
	memset(long_password, 'x', sizeof(long_password));
	assert_ok(hf_foreign_pbkdf2_sha256(out, 32, long_password, 65, "salt", 4, 1000));
	expect_hex(out, 32, "7a376e3c42d7a023046642e9868ba805fe08a73c53e2c489a4a06279d921a43e");
}

static void aes_agrees_with_fips_197(void **state)
{
	static const char *const ciphers[] = { "69c4e0d86a7b0430d8cdb78070b4c55a",
		"8ea2b7ca516745bfeafc49904b496089" };
	const uint8_t iv[16] = { 0 };
	uint8_t key[32];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		uint8_t *in = test_hex(ciphers[i], &len);
		uint8_t out[16];

		assert_ok(hf_foreign_aes_cbc_decrypt(out, in, 1, key, i == 0 ? 16 : 32, iv));
		expect_hex(out, 16, "00112233445566778899aabbccddeeff");
		free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_lengths_it_does_not_have),
		cmocka_unit_test(pbkdf2_agrees_with_rfc_7914),
		cmocka_unit_test(aes_agrees_with_fips_197),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
