/* SPDX-License-Identifier: Apache-2.0 */
/* Records of TLCP: both ways to protect them against records that are made by hand. */
#include "test.h"

#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/sm4_modes.h"
#include "tls/tlcp_record.h"

enum { BLOCK = 16, MAC = 32, ROOM = HF_TLCP_CIPHER_MAX + HF_TLS_HEAD_LEN };

static struct test_rng rng_state;
static struct hf_rng rng;
static uint8_t mac_key[MAC], key[HF_SM4_KEY_LEN], iv[BLOCK];

static int start(void **state)
{
	(void)state;
	assert_ok(hf_module_start(0));
	rng = test_rng(&rng_state, 31);
	assert_ok(hf_rng_fill(&rng, mac_key, sizeof(mac_key)));
	assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
	assert_ok(hf_rng_fill(&rng, iv, sizeof(iv)));
	return 0;
}

static struct hf_tlcp_dir dir_of(const struct hf_tlcp_cipher *c)
{
	struct hf_tlcp_keys k = { mac_key, key, iv };
	struct hf_tlcp_dir d;

	assert_ok(hf_tlcp_dir_set(&d, c, &k, 0));
	return d;
}

static void both_ways_bring_back_what_was_sealed(void **state)
{
	static const struct hf_tlcp_cipher *const ciphers[] = { &hf_tlcp_gcm, &hf_tlcp_cbc };
	static uint8_t in[HF_TLS_PLAIN_MAX], record[ROOM], out[ROOM];

	(void)state;
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	for (size_t i = 0; i < HF_COUNT(ciphers); i++) {
		struct hf_tlcp_dir tx = dir_of(ciphers[i]);
		struct hf_tlcp_dir rx = dir_of(ciphers[i]);

		for (size_t len = 0; len <= sizeof(in); len += len < 600 ? 1 : 5261) {
			size_t n = hf_tlcp_sealed_len(&tx, len);
			size_t got = 9;

			assert_true(n <= ROOM);
			assert_ok(hf_tlcp_seal(&tx, record, HF_TLS_DATA, in, len, &rng));
			assert_int_equal(hf_tls_head_get(record).len, n - HF_TLS_HEAD_LEN);
			assert_int_equal(hf_tls_head_get(record).version, HF_TLCP_VERSION);
			assert_ok(hf_tlcp_open(&rx, out, &got, record));
			assert_int_equal(got, len);
			assert_memory_equal(out, in, len);
		}
		assert_int_equal(tx.n, rx.n);
		assert_int_equal(tx.n_bytes, rx.n_bytes);
	}
}

/* A CBC record by hand: text is content || MAC || padding as the caller wants it. */
static size_t make_cbc(uint8_t *record, const uint8_t *text, size_t n)
{
	struct hf_sm4_key k;
	size_t len = n;

	hf_sm4_init(&k, key);
	record[0] = HF_TLS_DATA;
	hf_put_be16(record + 1, HF_TLCP_VERSION);
	hf_put_be16(record + 3, (uint16_t)(BLOCK + n));
	assert_ok(hf_rng_fill(&rng, record + HF_TLS_HEAD_LEN, BLOCK));
	assert_ok(hf_sm4_crypt(&k, HF_SM4_CBC, HF_SM4_ENCRYPT, record + HF_TLS_HEAD_LEN,
		record + HF_TLS_HEAD_LEN + BLOCK, &len, (struct hf_bytes){ text, n }));
	return HF_TLS_HEAD_LEN + BLOCK + n;
}

/* Content, its MAC under record number 0, and pad + 1 bytes of padding. */
static size_t make_text(uint8_t *text, size_t len, size_t pad)
{
	uint8_t aad[HF_TLCP_AAD_LEN];
	struct hf_hmac m;

	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)(i * 31 + len);
	hf_tlcp_aad(aad, 0, HF_TLS_DATA, len);
	hf_hmac_init(&m, mac_key, sizeof(mac_key));
	hf_hmac_feed(&m, aad, sizeof(aad));
	hf_hmac_feed(&m, text, len);
	hf_hmac_done(&m, text + len);
	memset(text + len + MAC, (int)pad, pad + 1);
	return len + MAC + pad + 1;
}

/* Opens in memory of exactly the record's length. */
static hf_err open_cbc(uint8_t **out, size_t *len, const uint8_t *text, size_t n)
{
	static uint8_t record[ROOM];
	struct hf_tlcp_dir d = dir_of(&hf_tlcp_cbc);
	size_t all = make_cbc(record, text, n);
	uint8_t *copy = malloc(all);
	hf_err e;

	*out = malloc(all - HF_TLS_HEAD_LEN);
	memcpy(copy, record, all);
	e = hf_tlcp_open(&d, *out, len, copy);
	free(copy);
	return e;
}

static void any_padding_is_taken_and_each_length_is_right(void **state)
{
	static uint8_t text[ROOM];

	(void)state;
	for (size_t len = 0; len < 400; len++) {
		for (size_t pad = (BLOCK - 1 - (len + MAC) % BLOCK) % BLOCK; pad < 256;
			pad += BLOCK) {
			size_t n = make_text(text, len, pad);
			size_t got = SIZE_MAX;
			uint8_t *out;

			if (open_cbc(&out, &got, text, n) != HF_OK || got != len ||
				memcmp(out, text, len) != 0)
				fail_msg("%zu bytes and %zu of padding", len, pad);
			free(out);
		}
	}
}

static void cbc_is_refused(uint8_t *text, size_t n, const char *what, size_t at)
{
	size_t got = 9;
	uint8_t *out;

	if (open_cbc(&out, &got, text, n) != HF_ERR_AUTH)
		fail_msg("%s at %zu of %zu", what, at, n);
	assert_int_equal(got, 9);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(out[i], 0);
	free(out);
}

static void no_wrong_byte_of_text_mac_or_padding_is_taken(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 16, 40, 51, 52, 120, 300 };
	static uint8_t text[ROOM];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		size_t least = (BLOCK - 1 - (lens[i] + MAC) % BLOCK) % BLOCK;

		for (size_t pad = least; pad < 256; pad += 5 * BLOCK) {
			size_t n = make_text(text, lens[i], pad);

			for (size_t at = 0; at < n; at++) {
				text[at] ^= 1;
				cbc_is_refused(text, n, "wrong byte", at);
				text[at] ^= 0x81;
				cbc_is_refused(text, n, "wrong byte", at);
				text[at] ^= 0x80;
			}
		}
	}
}

/* The last byte may say anything; only one number is right. */
static void no_other_length_of_padding_is_taken(void **state)
{
	static uint8_t text[ROOM];

	(void)state;
	for (size_t len = 0; len < 300; len += 37) {
		size_t least = (BLOCK - 1 - (len + MAC) % BLOCK) % BLOCK;
		size_t n = make_text(text, len, least);

		for (size_t last = 0; last < 256; last++) {
			if (last == least)
				continue;
			text[n - 1] = (uint8_t)last;
			cbc_is_refused(text, n, "padding", last);
			/* And where all bytes agree, as far as there are any. */
			for (size_t i = 0; i <= last && i < n; i++)
				text[n - 1 - i] = (uint8_t)last;
			cbc_is_refused(text, n, "padding", last);
			n = make_text(text, len, least);
		}
	}
}

static void records_that_are_too_short_are_refused(void **state)
{
	static const struct hf_tlcp_cipher *const ciphers[] = { &hf_tlcp_gcm, &hf_tlcp_cbc };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(ciphers); i++) {
		struct hf_tlcp_dir d = dir_of(ciphers[i]);

		for (uint16_t n = 0; n < 70; n++) {
			uint8_t *record = calloc(1, HF_TLS_HEAD_LEN + n);
			uint8_t *out = malloc(n + (n == 0));
			size_t got;

			record[0] = HF_TLS_DATA;
			hf_put_be16(record + 3, n);
			assert_err(hf_tlcp_open(&d, out, &got, record), HF_ERR_AUTH);
			free(out);
			free(record);
		}
		assert_int_equal(d.n, 0); /* what is refused uses no number up */
	}
}

/* Peers begin their nonces anywhere; what makes a record new is its number. */
static void the_peer_s_nonce_may_be_anything(void **state)
{
	uint8_t record[64], out[64];
	uint8_t nonce[HF_GCM_NONCE_LEN], aad[HF_TLCP_AAD_LEN];
	struct hf_tlcp_dir d = dir_of(&hf_tlcp_gcm);
	struct hf_gcm_key k;
	size_t got;

	(void)state;
	assert_ok(hf_gcm_init(&k, key));
	memcpy(nonce, iv, 4);
	memset(nonce + 4, 0xa7, 8);
	hf_tlcp_aad(aad, 0, HF_TLS_DATA, 3);
	record[0] = HF_TLS_DATA;
	hf_put_be16(record + 1, HF_TLCP_VERSION);
	hf_put_be16(record + 3, 8 + 3 + 16);
	memcpy(record + 5, nonce + 4, 8);
	assert_ok(
		hf_gcm_seal(&k, &(struct hf_aead){ nonce, sizeof(nonce), aad, sizeof(aad),
					(const uint8_t *)"abc", 3, record + 13, record + 16, 16 }));
	assert_ok(hf_tlcp_open(&d, out, &got, record));
	assert_int_equal(got, 3);
	assert_memory_equal(out, "abc", 3);
	assert_err(hf_tlcp_open(&d, out, &got, record), HF_ERR_AUTH);
}

static void a_direction_ends_with_its_numbers(void **state)
{
	struct hf_tlcp_dir d = dir_of(&hf_tlcp_gcm);
	uint8_t record[64];
	static const uint8_t zeros[64];
	size_t n = hf_tlcp_sealed_len(&d, 4);

	(void)state;
	d.n = HF_TLCP_RECORDS_MAX - 1;
	assert_ok(hf_tlcp_seal(&d, record, HF_TLS_DATA, (const uint8_t *)"last", 4, &rng));
	assert_err(hf_tlcp_seal(&d, record, HF_TLS_DATA, (const uint8_t *)"more", 4, &rng),
		HF_ERR_LIMIT);
	assert_memory_equal(record, zeros, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_bring_back_what_was_sealed),
		cmocka_unit_test(any_padding_is_taken_and_each_length_is_right),
		cmocka_unit_test(no_wrong_byte_of_text_mac_or_padding_is_taken),
		cmocka_unit_test(no_other_length_of_padding_is_taken),
		cmocka_unit_test(records_that_are_too_short_are_refused),
		cmocka_unit_test(the_peer_s_nonce_may_be_anything),
		cmocka_unit_test(a_direction_ends_with_its_numbers),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
