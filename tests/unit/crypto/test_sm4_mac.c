/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MACs of SM4 against their definitions, written down over the whole padded message; CMAC
 * against OpenSSL; in pieces, cut short, and altered.
 */
/* uses: libcrypto */
#include "test.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/attr.h"
#include "crypto/module.h"
#include "crypto/sm4_mac.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	EVERY_LEN = 100,
};

static struct test_rng state_of_rng;
static struct hf_rng rng;

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20266);
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static bool is_own(int kind)
{
	return kind == HF_SM4_CMAC || kind == HF_SM4_TRCBC || kind == HF_SM4_CBCR;
}

static size_t tag_len_of(int kind)
{
	return kind == HF_SM4_TRCBC ? 8 : 16;
}

/* Calls f for every kind with every padding it has. */
static void for_all(void (*f)(enum hf_sm4_mac_kind kind, enum hf_sm4_mac_pad pad))
{
	for (int kind = HF_SM4_CBC_MAC; kind <= HF_SM4_CBCR; kind++)
		for (int pad = is_own(kind) ? 0 : 1; pad <= (is_own(kind) ? 0 : 3); pad++)
			f((enum hf_sm4_mac_kind)kind, (enum hf_sm4_mac_pad)pad);
}

/* --- the definitions ------------------------------------------------------------------------- */

static void e(const uint8_t *key, uint8_t b[BLOCK])
{
	struct hf_sm4_key k;

	hf_sm4_init(&k, key);
	assert_ok(hf_sm4_ecb_encrypt(&k, b, b, 1));
}

static void d(const uint8_t *key, uint8_t b[BLOCK])
{
	struct hf_sm4_key k;

	hf_sm4_init(&k, key);
	assert_ok(hf_sm4_ecb_decrypt(&k, b, b, 1));
}

static void add(uint8_t *to, const uint8_t *b)
{
	for (size_t i = 0; i < BLOCK; i++)
		to[i] ^= b[i];
}

/* All bits one place to the left (or right); returns the one that fell out. */
static unsigned shift(uint8_t b[BLOCK], bool left)
{
	unsigned carry = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		size_t at = left ? BLOCK - 1 - i : i;
		unsigned v = b[at];

		b[at] = (uint8_t)(left ? v << 1 | carry : v >> 1 | carry << 7);
		carry = left ? v >> 7 : v & 1;
	}
	return carry;
}

static void twice(uint8_t b[BLOCK])
{
	if (shift(b, true) != 0)
		b[BLOCK - 1] ^= 0x87;
}

/* The padded message; true: with a bit (or, at the end of an empty CBCR message, without). */
static bool pad_message(uint8_t *out, size_t *n, int kind, int pad, const uint8_t *in, size_t len)
{
	size_t at = 0;
	bool bit =
		pad == HF_SM4_PAD_BIT || (pad == HF_SM4_PAD_OWN && (len == 0 || len % BLOCK != 0));

	memset(out, 0, EVERY_LEN + 3 * BLOCK);
	if (pad == HF_SM4_PAD_LEN) {
		out[14] = (uint8_t)(8 * len >> 8);
		out[15] = (uint8_t)(8 * len);
		at = BLOCK;
	}
	memcpy(out + at, in, len);
	at += len;
	if (bit && !(kind == HF_SM4_CBCR && len == 0))
		out[at] = 0x80;
	if (bit || len == 0)
		at++;
	*n = (at + BLOCK - 1) / BLOCK;
	return bit;
}

static void define(
	uint8_t tag[BLOCK], int kind, int pad, const uint8_t *keys, const uint8_t *in, size_t len)
{
	uint8_t m[EVERY_LEN + 3 * BLOCK];
	uint8_t k1[BLOCK];
	uint8_t k2[BLOCK];
	uint8_t t[BLOCK] = { 0 };
	uint8_t l[BLOCK] = { 0 };
	size_t n;
	bool bit = pad_message(m, &n, kind, pad, in, len);

	memcpy(k1, keys, BLOCK);
	memcpy(k2, keys + BLOCK, BLOCK);
	if (kind == HF_SM4_LMAC) {
		memset(k1, 0, BLOCK);
		memset(k2, 0, BLOCK);
		k1[BLOCK - 1] = 1;
		k2[BLOCK - 1] = 2;
		e(keys, k1);
		e(keys, k2);
	}
	e(keys, l);
	if (kind == HF_SM4_CBCR)
		memcpy(t, l, BLOCK);
	for (size_t i = 0; i < n; i++) {
		bool last = i == n - 1;

		add(t, m + i * BLOCK);
		if (last && kind == HF_SM4_CMAC) {
			twice(l);
			if (bit)
				twice(l);
			add(t, l);
		}
		if (last && kind == HF_SM4_CBCR) {
			unsigned lost = shift(t, bit);

			t[bit ? BLOCK - 1 : 0] |= (uint8_t)(lost << (bit ? 0 : 7));
		}
		e(last && kind == HF_SM4_LMAC ? k2 : k1, t);
		if (i == 0 && kind == HF_SM4_MACDES) {
			uint8_t k3[BLOCK];

			for (size_t j = 0; j < BLOCK; j++)
				k3[j] = k2[j] ^ 0xf0;
			e(k3, t);
		}
	}
	if (kind == HF_SM4_EMAC || kind == HF_SM4_MACDES)
		e(k2, t);
	if (kind == HF_SM4_RETAIL) {
		d(k2, t);
		e(k1, t);
	}
	if (kind == HF_SM4_TRCBC && bit)
		memmove(t, t + 8, 8);
	memcpy(tag, t, BLOCK);
}

static void check_definition(enum hf_sm4_mac_kind kind, enum hf_sm4_mac_pad pad)
{
	for (size_t len = 0; len <= EVERY_LEN; len++) {
		uint8_t keys[HF_SM4_MAC_KEY_MAX];
		uint8_t want[BLOCK];
		uint8_t tag[BLOCK];
		uint8_t *in = malloc(len + (len == 0));
		struct hf_sm4_mac_key k;

		assert_non_null(in);
		assert_ok(hf_rng_fill(&rng, keys, sizeof(keys)));
		assert_ok(hf_rng_fill(&rng, in, len));
		define(want, kind, pad, keys, in, len);
		assert_ok(hf_sm4_mac_key_init(&k, kind, pad, keys, hf_sm4_mac_key_len(kind)));
		assert_ok(hf_sm4_mac(&k, tag, tag_len_of(kind), (struct hf_bytes){ in, len }));
		assert_memory_equal(tag, want, tag_len_of(kind));
		hf_sm4_mac_key_clear(&k);
		free(in);
	}
}

static void every_kind_is_its_definition_at_every_length(void **state)
{
	(void)state;
	for_all(check_definition);
}

/* GB/T 15852.1-2020 annex B: the kinds whose examples are in no file of vectors. */
static void the_examples_of_the_standard_come_out(void **state)
{
	static const struct {
		enum hf_sm4_mac_kind kind;
		const char *text;
		const char *tag;
	} rows[] = {
		{ HF_SM4_LMAC, "", "cd7ed27964e257c077f055f8ee383c3f" },
		{ HF_SM4_LMAC, "This is the test message for mac",
			"a0c465ee5896972f8337aa1f92c99d10" },
		{ HF_SM4_LMAC, "This is the test message ", "60dd955ed0ca3d7a64227174dd98dd81" },
		{ HF_SM4_TRCBC, "", "ae39214feda97099" },
		{ HF_SM4_TRCBC, "This is the test message for mac", "16e02904efb765b7" },
		{ HF_SM4_TRCBC, "This is the test message ", "846fa2a5d83445a9" },
		{ HF_SM4_CBCR, "", "909f5e6ed15518c01252302383c63e8c" },
		{ HF_SM4_CBCR, "This is the test message for mac",
			"e40ed79c3149a1c9d42f04c423049935" },
		{ HF_SM4_CBCR, "This is the test message ", "a99d13013e892ee2c25be2daaa6c82e8" },
	};
	size_t key_len;
	uint8_t *key = test_hex("0123456789abcdeffedcba9876543210", &key_len);

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		size_t len;
		uint8_t *want = test_hex(rows[i].tag, &len);
		uint8_t tag[BLOCK];
		struct hf_sm4_mac_key k;

		assert_ok(hf_sm4_mac_key_init(&k, rows[i].kind,
			is_own(rows[i].kind) ? HF_SM4_PAD_OWN : HF_SM4_PAD_BIT, key, key_len));
		assert_ok(hf_sm4_mac(&k, tag, len, hf_bytes_str(rows[i].text)));
		assert_memory_equal(tag, want, len);
		free(want);
	}
	free(key);
}

static void cmac_is_that_of_openssl(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	char cipher[] = "SM4-CBC";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_end(),
	};

	(void)state;
	assert_non_null(mac);
	for (size_t len = 0; len <= EVERY_LEN; len++) {
		EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
		uint8_t in[EVERY_LEN];
		uint8_t key[HF_SM4_KEY_LEN];
		uint8_t want[BLOCK];
		uint8_t tag[BLOCK];
		size_t n = 0;
		struct hf_sm4_mac_key k;

		assert_non_null(c);
		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
		assert_int_equal(EVP_MAC_init(c, key, sizeof(key), params), 1);
		assert_int_equal(EVP_MAC_update(c, in, len), 1);
		assert_int_equal(EVP_MAC_final(c, want, &n, sizeof(want)), 1);
		EVP_MAC_CTX_free(c);
		assert_ok(hf_sm4_mac_key_init(&k, HF_SM4_CMAC, HF_SM4_PAD_OWN, key, sizeof(key)));
		assert_ok(hf_sm4_mac(&k, tag, sizeof(tag), (struct hf_bytes){ in, len }));
		assert_memory_equal(tag, want, sizeof(tag));
	}
	EVP_MAC_free(mac);
}

/* --- pieces, lengths, refusals --------------------------------------------------------------- */

static void check_pieces(enum hf_sm4_mac_kind kind, enum hf_sm4_mac_pad pad)
{
	uint8_t keys[HF_SM4_MAC_KEY_MAX];
	uint8_t in[300];
	struct hf_sm4_mac_key k;

	assert_ok(hf_rng_fill(&rng, keys, sizeof(keys)));
	assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
	assert_ok(hf_sm4_mac_key_init(&k, kind, pad, keys, hf_sm4_mac_key_len(kind)));
	for (size_t round = 0; round < 50; round++) {
		size_t len = (size_t)test_rng_below(&state_of_rng, sizeof(in) + 1);
		size_t tag_len = tag_len_of(kind);
		uint8_t want[BLOCK];
		struct hf_sm4_mac m;

		assert_ok(hf_sm4_mac(&k, want, tag_len, (struct hf_bytes){ in, len }));
		assert_ok(hf_sm4_mac_start(&m, &k, len));
		for (size_t at = 0; at < len;) {
			size_t n = 1 + (size_t)test_rng_below(&state_of_rng, 40);
			uint8_t *copy;

			n = n < len - at ? n : len - at;
			copy = malloc(n);
			assert_non_null(copy);
			memcpy(copy, in + at, n);
			assert_ok(hf_sm4_mac_feed(&m, copy, n));
			free(copy);
			at += n;
		}
		assert_ok(hf_sm4_mac_verify(&m, want, tag_len));
		assert_err(hf_sm4_mac_verify(&m, want, tag_len), HF_ERR_STATE);
		assert_err(hf_sm4_mac_feed(&m, want, 1), HF_ERR_STATE);
	}
}

static void pieces_are_the_whole(void **state)
{
	(void)state;
	for_all(check_pieces);
}

static void check_altered(enum hf_sm4_mac_kind kind, enum hf_sm4_mac_pad pad)
{
	uint8_t keys[HF_SM4_MAC_KEY_MAX] = { 9, 9 };
	uint8_t in[40] = { 5 };
	uint8_t tag[BLOCK];
	size_t len = tag_len_of(kind);
	struct hf_sm4_mac_key k;
	struct hf_sm4_mac m;

	assert_ok(hf_sm4_mac_key_init(&k, kind, pad, keys, hf_sm4_mac_key_len(kind)));
	assert_ok(hf_sm4_mac(&k, tag, len, (struct hf_bytes){ in, sizeof(in) }));
	for (size_t i = 0; i < 8 * (sizeof(in) + len); i++) {
		uint8_t *at = i / 8 < sizeof(in) ? in + i / 8 : tag + i / 8 - sizeof(in);

		*at ^= (uint8_t)(1 << i % 8);
		assert_ok(hf_sm4_mac_start(&m, &k, sizeof(in)));
		assert_ok(hf_sm4_mac_feed(&m, in, sizeof(in)));
		assert_err(hf_sm4_mac_verify(&m, tag, len), HF_ERR_AUTH);
		*at ^= (uint8_t)(1 << i % 8);
	}
}

static void every_altered_bit_is_refused(void **state)
{
	(void)state;
	for_all(check_altered);
}

static void tags_may_be_cut_to_four_bytes_and_no_fewer(void **state)
{
	uint8_t key[HF_SM4_KEY_LEN] = { 3 };
	uint8_t whole[BLOCK];
	uint8_t cut[BLOCK + 1];
	struct hf_bytes text = hf_bytes_str("twenty bytes of text");
	struct hf_sm4_mac_key k;

	(void)state;
	assert_ok(hf_sm4_mac_key_init(&k, HF_SM4_CMAC, HF_SM4_PAD_OWN, key, sizeof(key)));
	assert_ok(hf_sm4_mac(&k, whole, sizeof(whole), text));
	for (size_t n = 0; n <= sizeof(cut); n++) {
		hf_err want = n < 4 || n > BLOCK ? HF_ERR_ARG : HF_OK;

		assert_err(hf_sm4_mac(&k, cut, n, text), want);
		if (want == HF_OK)
			assert_memory_equal(cut, whole, n);
	}
	assert_ok(hf_sm4_mac_key_init(&k, HF_SM4_TRCBC, HF_SM4_PAD_OWN, key, sizeof(key)));
	assert_err(hf_sm4_mac(&k, cut, 9, text), HF_ERR_ARG);
	assert_ok(hf_sm4_mac(&k, whole, 8, text));
	assert_ok(hf_sm4_mac(&k, cut, 5, text));
	assert_memory_equal(cut, whole + 3, 5); /* the last ones of a padded message */
	assert_ok(hf_sm4_mac(&k, whole, 8, (struct hf_bytes){ key, 16 }));
	assert_ok(hf_sm4_mac(&k, cut, 5, (struct hf_bytes){ key, 16 }));
	assert_memory_equal(cut, whole, 5);
}

static void keys_and_paddings_that_there_are_not_are_refused(void **state)
{
	uint8_t key[HF_SM4_MAC_KEY_MAX + 1] = { 3 };
	struct hf_sm4_mac_key k;

	(void)state;
	for (int kind = 0; kind <= 9; kind++)
		for (int pad = 0; pad <= 4; pad++)
			for (size_t len = 0; len <= sizeof(key); len++) {
				bool is_kind = kind >= 1 && kind <= 8;
				bool fits = is_own(kind) ? pad == 0 : pad >= 1 && pad <= 3;
				size_t want = kind >= 2 && kind <= 4 ? 32 : 16;
				hf_err result = hf_sm4_mac_key_init(&k, (enum hf_sm4_mac_kind)kind,
					(enum hf_sm4_mac_pad)pad, key, len);

				assert_int_equal(result,
					is_kind && fits && len == want ? HF_OK : HF_ERR_ARG);
			}
}

static void a_length_that_was_told_must_be_kept(void **state)
{
	uint8_t key[HF_SM4_KEY_LEN] = { 3 };
	uint8_t tag[BLOCK];
	struct hf_sm4_mac_key k;
	struct hf_sm4_mac m;

	(void)state;
	assert_ok(hf_sm4_mac_key_init(&k, HF_SM4_CBC_MAC, HF_SM4_PAD_LEN, key, sizeof(key)));
	for (uint64_t told = 15; told <= 17; told++) {
		assert_ok(hf_sm4_mac_start(&m, &k, told));
		assert_ok(hf_sm4_mac_feed(&m, key, sizeof(key)));
		assert_err(hf_sm4_mac_done(&m, tag, sizeof(tag)),
			told == sizeof(key) ? HF_OK : HF_ERR_STATE);
		hf_sm4_mac_end(&m);
	}
	assert_err(hf_sm4_mac_start(&m, &k, HF_SM4_MAC_MESSAGE_MAX + 1), HF_ERR_LIMIT);
	assert_err(hf_sm4_mac_feed(&m, key, 1), HF_ERR_STATE);
}

static void gmac_is_gcm_without_text(void **state)
{
	uint8_t key[HF_SM4_KEY_LEN] = { 3 };
	uint8_t nonce[HF_GCM_NONCE_LEN] = { 4 };
	uint8_t text[37] = { 6 };
	uint8_t tag[BLOCK];
	struct hf_gcm_key k;
	struct hf_gcm g;

	(void)state;
	assert_ok(hf_gcm_init(&k, key));
	assert_ok(hf_sm4_gmac(&k, (struct hf_bytes){ nonce, sizeof(nonce) }, tag, sizeof(tag),
		(struct hf_bytes){ text, sizeof(text) }));
	assert_ok(hf_gcm_start(&g, &k, nonce, sizeof(nonce)));
	assert_ok(hf_gcm_aad(&g, text, 20));
	assert_ok(hf_gcm_aad(&g, text + 20, 17));
	assert_ok(hf_gcm_verify(&g, tag, sizeof(tag)));
	assert_err(hf_sm4_gmac(&k, (struct hf_bytes){ nonce, 0 }, tag, sizeof(tag),
			   (struct hf_bytes){ text, sizeof(text) }),
		HF_ERR_ARG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_its_definition_at_every_length),
		cmocka_unit_test(the_examples_of_the_standard_come_out),
		cmocka_unit_test(cmac_is_that_of_openssl),
		cmocka_unit_test(pieces_are_the_whole),
		cmocka_unit_test(every_altered_bit_is_refused),
		cmocka_unit_test(tags_may_be_cut_to_four_bytes_and_no_fewer),
		cmocka_unit_test(keys_and_paddings_that_there_are_not_are_refused),
		cmocka_unit_test(a_length_that_was_told_must_be_kept),
		cmocka_unit_test(gmac_is_gcm_without_text),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
