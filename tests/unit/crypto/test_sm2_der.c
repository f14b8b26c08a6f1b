/* SPDX-License-Identifier: Apache-2.0 */
/* The DER forms of GM/T 0009-2012: one encoding for each value, and nothing else. */
#include "test.h"

#include "crypto/sm2.h"

/* A signature with integers of chosen lengths: first byte of r, s and how many bytes they have. */
static struct hf_sm2_sig sig_of(size_t r_len, uint8_t r0, size_t s_len, uint8_t s0)
{
	struct hf_sm2_sig sig = { { 0 }, { 0 } };

	memset(sig.r + 32 - r_len, 0x55, r_len);
	memset(sig.s + 32 - s_len, 0xaa, s_len);
	if (r_len > 0)
		sig.r[32 - r_len] = r0;
	if (s_len > 0)
		sig.s[32 - s_len] = s0;
	return sig;
}

static void every_length_of_integer_comes_back(void **state)
{
	static const uint8_t first[] = { 0x01, 0x7f, 0x80, 0xff };

	(void)state;
	for (size_t r = 0; r <= 32; r++) {
		for (size_t s = 0; s <= 32; s++) {
			for (size_t f = 0; f < 16; f++) {
				struct hf_sm2_sig sig = sig_of(r, first[f / 4], s, first[f % 4]);
				struct hf_sm2_sig back;
				uint8_t der[HF_SM2_SIG_DER_MAX];
				size_t len = hf_sm2_sig_emit_der(der, &sig);

				assert_true(len <= sizeof(der));
				assert_ok(hf_sm2_sig_parse_der(&back, der, len));
				assert_memory_equal(&back, &sig, sizeof(sig));
			}
		}
	}
}

static void truncations_and_trailing_bytes_are_refused(void **state)
{
	struct hf_sm2_sig sig = sig_of(32, 0xff, 32, 0x01);
	struct hf_sm2_sig back = { { 42 }, { 0 } };
	uint8_t der[HF_SM2_SIG_DER_MAX + 1];
	size_t len = hf_sm2_sig_emit_der(der, &sig);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, der, n);
		assert_err(hf_sm2_sig_parse_der(&back, cut, n), HF_ERR_FORMAT);
		free(cut);
	}
	der[len] = 0;
	assert_err(hf_sm2_sig_parse_der(&back, der, len + 1), HF_ERR_FORMAT);
	assert_int_equal(back.r[0], 42); /* untouched on failure */
}

static void one_value_has_one_encoding(void **state)
{
	static const char *const bad[] = {
		"", "30", "3000", "3003020101", /* one integer */
		"3006020101020101ff",           /* trailing outside */
		"3007020101020101ff",           /* trailing inside, no element */
		"3009020101020101020101",       /* a third integer */
		"300702020001020101",           /* redundant zero */
		"30070201010202007f",           /* redundant zero in s */
		"3006020180020101",             /* negative */
		"3006020101020181",             /* negative s */
		"300702028000020101",           /* negative, two bytes */
		"30050200020101",               /* empty integer */
		"308106020101020101",           /* long form where the short one does */
		"30820006020101020101",         /* longer still */
		"30800201010201010000",         /* indefinite */
		"308400000006020101020101",     /* a length of four bytes */
		"300702810101020101",           /* long form in the integer */
		"3106020101020101",             /* SET */
		"3006030101020101",             /* BIT STRING */
		"3006020101040101",             /* OCTET STRING */
		"2006020101020101",             /* primitive SEQUENCE */
		"3006220101020101",             /* constructed INTEGER */
		"3005020101020101",             /* outer too short */
		"3007020101020101",             /* outer too long */
	};
	static const char good[] = "3006020101020101";
	struct hf_sm2_sig back;
	uint8_t *in;
	size_t len;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		in = test_hex(bad[i], &len);
		assert_err(hf_sm2_sig_parse_der(&back, in, len), HF_ERR_FORMAT);
		free(in);
	}
	in = test_hex(good, &len);
	assert_ok(hf_sm2_sig_parse_der(&back, in, len));
	free(in);
}

/* 33 significant bytes do not fit, whatever their value; 2^256 is the smallest. */
static void integers_of_more_than_256_bits_are_refused(void **state)
{
	uint8_t der[2 + 2 + 33 + 3] = { 0x30, 38, 0x02, 33, 0x01 };
	struct hf_sm2_sig back;

	(void)state;
	memcpy(der + 37, "\x02\x01\x01", 3);
	assert_err(hf_sm2_sig_parse_der(&back, der, sizeof(der)), HF_ERR_FORMAT);
	der[4] = 0;
	der[5] = 0x80;
	assert_ok(hf_sm2_sig_parse_der(&back, der, sizeof(der)));
	assert_int_equal(back.r[0], 0x80);
}

static void ciphers_of_every_length_form_come_back(void **state)
{
	static const size_t lens[] = { 1, 18, 19, 22, 23, 24, 47, 48, 127, 128, 140, 141, 142, 143,
		144, 255, 256, 257, 65380, 65390, 65391, 65392, 65393, 65394, 65395, 65396, 65535,
		65536 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		size_t raw_len = lens[i] + HF_SM2_CIPHER_OVERHEAD;
		size_t back_len = raw_len;
		size_t room = raw_len + 64;
		size_t der_len = room;
		size_t exact;
		uint8_t *raw = malloc(raw_len);
		uint8_t *back = malloc(raw_len);
		uint8_t *der = malloc(room);

		memset(raw, 0x99, raw_len);
		assert_ok(hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len));
		assert_ok(hf_sm2_cipher_parse_der(back, &back_len, der, der_len));
		assert_int_equal(back_len, raw_len);
		assert_memory_equal(back, raw, raw_len);

		back_len = raw_len - 1;
		assert_err(hf_sm2_cipher_parse_der(back, &back_len, der, der_len), HF_ERR_LIMIT);
		assert_int_equal(back_len, raw_len - 1);
		exact = der_len;
		der_len--;
		assert_err(hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len), HF_ERR_LIMIT);
		der_len = exact;
		assert_ok(hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len));
		free(raw);
		free(back);
		free(der);
	}
}

static void ciphers_truncated_lengthened_or_of_wrong_shape_are_refused(void **state)
{
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + 19];
	uint8_t back[sizeof(raw) + 8];
	uint8_t der[256];
	size_t der_len = sizeof(der) - 1;
	size_t len = sizeof(back);
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 51);

	(void)state;
	assert_ok(hf_rng_fill(&rng, raw, sizeof(raw)));
	raw[0] = 0x70;
	raw[32] = 0x70;
	assert_ok(hf_sm2_cipher_emit_der(der, &der_len, raw, sizeof(raw)));
	for (size_t n = 0; n < der_len; n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, der, n);
		assert_err(hf_sm2_cipher_parse_der(back, &len, cut, n), HF_ERR_FORMAT);
		free(cut);
	}
	der[der_len] = 0;
	assert_err(hf_sm2_cipher_parse_der(back, &len, der, der_len + 1), HF_ERR_FORMAT);
	/* Offsets: 30 LL, 02 20 x, 02 20 y, 04 20 C3, 04 13 C2. All tags and lengths in turn. */
	for (size_t i = 0; i < 5; i++) {
		static const size_t at[] = { 0, 2, 36, 70, 104 };

		for (unsigned v = 1; v < 256; v++) {
			der[at[i]] ^= (uint8_t)v;
			assert_err(
				hf_sm2_cipher_parse_der(back, &len, der, der_len), HF_ERR_FORMAT);
			der[at[i]] ^= (uint8_t)v;
			der[at[i] + 1] ^= (uint8_t)v;
			assert_err(
				hf_sm2_cipher_parse_der(back, &len, der, der_len), HF_ERR_FORMAT);
			der[at[i] + 1] ^= (uint8_t)v;
		}
	}
	assert_ok(hf_sm2_cipher_parse_der(back, &len, der, der_len));
	assert_err(
		hf_sm2_cipher_emit_der(der, &der_len, raw, HF_SM2_CIPHER_OVERHEAD), HF_ERR_FORMAT);
	assert_err(hf_sm2_cipher_emit_der(der, &der_len, raw, 5), HF_ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_of_integer_comes_back),
		cmocka_unit_test(truncations_and_trailing_bytes_are_refused),
		cmocka_unit_test(one_value_has_one_encoding),
		cmocka_unit_test(integers_of_more_than_256_bits_are_refused),
		cmocka_unit_test(ciphers_of_every_length_form_come_back),
		cmocka_unit_test(ciphers_truncated_lengthened_or_of_wrong_shape_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
