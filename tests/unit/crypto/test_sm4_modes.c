/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in the modes of SM4: against their definitions written down block by block, against
 * OpenSSL and libgcrypt where these have the mode, in pieces, in place, and with wrong padding.
 */
/* uses: libcrypto libgcrypt */
#include "test.h"

#include <gcrypt.h>
#include <openssl/evp.h>

#include "base/attr.h"
#include "crypto/module.h"
#include "crypto/sm4_modes.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	EVERY_LEN = 200,
	LONG_LEN = 16 * 64 * 3 + 16 * 5,
};

static struct test_rng state_of_rng;
static struct hf_rng rng;

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20264);
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

/* Exactly len random bytes; free() them. */
static uint8_t *some(size_t len)
{
	uint8_t *p = malloc(len + (len == 0));

	assert_non_null(p);
	assert_ok(hf_rng_fill(&rng, p, len));
	return p;
}

static bool has_blocks(int mode)
{
	return mode <= HF_SM4_OFBNLF;
}

/* The multiple of a block that a mode of blocks wants. */
static size_t fitting(int mode, size_t len)
{
	return has_blocks(mode) ? len - len % BLOCK : len;
}

/* Runs one message; returns its length, out is of exactly room bytes; free() it. */
static uint8_t *crypt(const struct hf_sm4_key *k, int mode, unsigned how, const uint8_t *iv,
	const uint8_t *in, size_t len, size_t *out_len)
{
	uint8_t *out;

	*out_len = len;
	if (how == (HF_SM4_ENCRYPT | HF_SM4_PADDED))
		*out_len = len - len % BLOCK + BLOCK;
	out = malloc(*out_len + (*out_len == 0));
	assert_non_null(out);
	assert_ok(hf_sm4_crypt(
		k, (enum hf_sm4_mode)mode, how, iv, out, out_len, (struct hf_bytes){ in, len }));
	return out;
}

/* --- the definitions ------------------------------------------------------------------------- */

static void e(const struct hf_sm4_key *k, uint8_t out[BLOCK], const uint8_t in[BLOCK])
{
	assert_ok(hf_sm4_ecb_encrypt(k, out, in, 1));
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(a[i] ^ b[i]);
}

/* One block of a mode of blocks; v is the chaining value. */
static void define_block(const struct hf_sm4_key *k, int mode, uint8_t v[BLOCK], uint8_t out[BLOCK],
	const uint8_t in[BLOCK])
{
	struct hf_sm4_key own;
	uint8_t x[BLOCK];

	memcpy(x, in, BLOCK);
	if (mode == HF_SM4_CBC || mode == HF_SM4_BC)
		add(x, x, v, BLOCK);
	if (mode == HF_SM4_OFBNLF) {
		e(k, v, v);
		hf_sm4_init(&own, v);
		e(&own, out, x);
		return;
	}
	e(k, out, x);
	if (mode == HF_SM4_CBC)
		memcpy(v, out, BLOCK);
	if (mode == HF_SM4_BC)
		add(v, v, out, BLOCK);
}

/* Bits of feedback a mode has; the register moves on by them. */
static void define_cfb(const struct hf_sm4_key *k, size_t bits, const uint8_t iv[BLOCK],
	uint8_t *out, const uint8_t *in, size_t len)
{
	uint8_t window[BLOCK];
	uint8_t y[BLOCK];

	memcpy(window, iv, BLOCK);
	memset(out, 0, len);
	for (size_t at = 0; at < 8 * len; at++) {
		unsigned bit;

		if (at % bits == 0)
			e(k, y, window);
		bit = in[at / 8] >> (7 - at % 8) ^ y[at % bits / 8] >> (7 - at % bits % 8);
		out[at / 8] |= (uint8_t)((bit & 1) << (7 - at % 8));
		if (at % bits != bits - 1)
			continue;
		/* The last bits of ciphertext go in, bit by bit. */
		for (size_t i = at + 1 - bits; i <= at; i++) {
			for (size_t j = 0; j + 1 < BLOCK; j++)
				window[j] = (uint8_t)(window[j] << 1 | window[j + 1] >> 7);
			window[BLOCK - 1] =
				(uint8_t)(window[BLOCK - 1] << 1 | (out[i / 8] >> (7 - i % 8) & 1));
		}
	}
}

static void define_stream(const struct hf_sm4_key *k, int mode, const uint8_t iv[BLOCK],
	uint8_t *out, const uint8_t *in, size_t len)
{
	uint8_t v[BLOCK];
	uint8_t y[BLOCK];

	memcpy(v, iv, BLOCK);
	for (size_t at = 0; at < len; at += BLOCK) {
		size_t n = len - at < BLOCK ? len - at : BLOCK;

		e(k, y, v);
		add(out + at, in + at, y, n);
		if (mode == HF_SM4_OFB)
			memcpy(v, y, BLOCK);
		for (size_t i = BLOCK; mode == HF_SM4_CTR && i-- > 0;)
			if (++v[i] != 0)
				break;
	}
}

static void define(const struct hf_sm4_key *k, int mode, const uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len)
{
	uint8_t v[BLOCK];

	memcpy(v, iv, BLOCK);
	if (mode == HF_SM4_CFB || mode == HF_SM4_CFB8 || mode == HF_SM4_CFB1)
		define_cfb(k,
			mode == HF_SM4_CFB    ? 128
			: mode == HF_SM4_CFB8 ? 8
					      : 1,
			iv, out, in, len);
	else if (!has_blocks(mode))
		define_stream(k, mode, iv, out, in, len);
	else
		for (size_t at = 0; at < len; at += BLOCK)
			define_block(k, mode, v, out + at, in + at);
}

static void check_len(int mode, size_t len)
{
	uint8_t *key = some(HF_SM4_KEY_LEN);
	uint8_t *iv = some(BLOCK);
	uint8_t *in = some(len);
	uint8_t *want = some(len);
	struct hf_sm4_key k;
	uint8_t *out;
	size_t out_len;

	if (mode == HF_SM4_CTR)
		memset(iv + 1, 0xff, BLOCK - 1); /* the counter's carry goes all the way */
	hf_sm4_init(&k, key);
	define(&k, mode, iv, want, in, len);
	out = crypt(&k, mode, HF_SM4_ENCRYPT, iv, in, len, &out_len);
	assert_int_equal(out_len, len);
	assert_memory_equal(out, want, len);
	assert_ok(hf_sm4_crypt(&k, (enum hf_sm4_mode)mode, HF_SM4_DECRYPT, iv, out, &out_len,
		(struct hf_bytes){ out, len }));
	assert_int_equal(out_len, len);
	assert_memory_equal(out, in, len);
	free(out);
	free(want);
	free(in);
	free(iv);
	free(key);
}

static void every_mode_is_its_definition_at_every_length(void **state)
{
	(void)state;
	for (int mode = 0; mode < HF_SM4_N_MODES; mode++) {
		for (size_t len = 0; len <= EVERY_LEN; len++)
			check_len(mode, fitting(mode, len));
		check_len(mode, LONG_LEN);
	}
}

/* --- peers ----------------------------------------------------------------------------------- */

static uint8_t *openssl(const EVP_CIPHER *cipher, bool padded, const uint8_t *key,
	const uint8_t *iv, const uint8_t *in, size_t len, size_t *out_len)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t *out = malloc(len + BLOCK);
	int n = 0;
	int m = 0;

	assert_non_null(c);
	assert_non_null(out);
	assert_int_equal(EVP_EncryptInit_ex(c, cipher, NULL, key, iv), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(c, padded), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &n, in, (int)len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, out + n, &m), 1);
	EVP_CIPHER_CTX_free(c);
	*out_len = (size_t)n + (size_t)m;
	return out;
}

static void openssl_makes_the_same(void **state)
{
	static const struct {
		int mode;
		const EVP_CIPHER *(*evp)(void);
		unsigned how;
	} rows[] = {
		{ HF_SM4_ECB, EVP_sm4_ecb, HF_SM4_PADDED },
		{ HF_SM4_CBC, EVP_sm4_cbc, HF_SM4_PADDED },
		{ HF_SM4_CFB, EVP_sm4_cfb128, 0 },
		{ HF_SM4_OFB, EVP_sm4_ofb, 0 },
		{ HF_SM4_CTR, EVP_sm4_ctr, 0 },
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		for (size_t len = 0; len <= EVERY_LEN; len++) {
			uint8_t *key = some(HF_SM4_KEY_LEN);
			uint8_t *iv = some(BLOCK);
			uint8_t *in = some(len);
			size_t want_len;
			size_t out_len;
			uint8_t *want = openssl(
				rows[i].evp(), rows[i].how != 0, key, iv, in, len, &want_len);
			struct hf_sm4_key k;
			uint8_t *out;

			hf_sm4_init(&k, key);
			out = crypt(&k, rows[i].mode, rows[i].how, iv, in, len, &out_len);
			assert_int_equal(out_len, want_len);
			assert_memory_equal(out, want, want_len);
			free(want);
			want = crypt(&k, rows[i].mode, rows[i].how | HF_SM4_DECRYPT, iv, out,
				out_len, &want_len);
			assert_int_equal(want_len, len);
			assert_memory_equal(want, in, len);
			free(out);
			free(want);
			free(in);
			free(iv);
			free(key);
		}
}

static void libgcrypt_makes_the_same_feedback(void **state)
{
	static const struct {
		int mode;
		int gcry;
	} rows[] = {
		{ HF_SM4_CFB, GCRY_CIPHER_MODE_CFB },
		{ HF_SM4_CFB8, GCRY_CIPHER_MODE_CFB8 },
		{ HF_SM4_OFB, GCRY_CIPHER_MODE_OFB },
	};

	(void)state;
	assert_non_null(gcry_check_version(NULL));
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		for (size_t len = 1; len <= EVERY_LEN; len++) {
			uint8_t *key = some(HF_SM4_KEY_LEN);
			uint8_t *iv = some(BLOCK);
			uint8_t *in = some(len);
			uint8_t *want = some(len);
			gcry_cipher_hd_t h;
			struct hf_sm4_key k;
			size_t out_len;
			uint8_t *out;

			assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, rows[i].gcry, 0), 0);
			assert_int_equal(gcry_cipher_setkey(h, key, HF_SM4_KEY_LEN), 0);
			assert_int_equal(gcry_cipher_setiv(h, iv, BLOCK), 0);
			assert_int_equal(gcry_cipher_encrypt(h, want, len, in, len), 0);
			gcry_cipher_close(h);
			hf_sm4_init(&k, key);
			out = crypt(&k, rows[i].mode, HF_SM4_ENCRYPT, iv, in, len, &out_len);
			assert_memory_equal(out, want, len);
			free(out);
			free(want);
			free(in);
			free(iv);
			free(key);
		}
}

/* --- pieces ---------------------------------------------------------------------------------- */

/* Feeds random pieces into buffers that are exactly as long as promised. */
static uint8_t *in_pieces(const struct hf_sm4_key *k, int mode, unsigned how, const uint8_t *iv,
	const uint8_t *in, size_t len, size_t *out_len)
{
	uint8_t *all = malloc(len + 2 * BLOCK);
	struct hf_sm4_stream s;
	uint8_t last[BLOCK];
	size_t n;

	assert_non_null(all);
	*out_len = 0;
	assert_ok(hf_sm4_stream_start(&s, k, (enum hf_sm4_mode)mode, how, iv));
	while (len > 0) {
		size_t piece = 1 + (size_t)test_rng_below(&state_of_rng, len < 70 ? len : 70);
		uint8_t *out = malloc(piece + BLOCK - 1);
		uint8_t *copy = malloc(piece);

		assert_non_null(out);
		assert_non_null(copy);
		memcpy(copy, in, piece);
		n = piece + BLOCK - 1;
		assert_ok(hf_sm4_stream_feed(&s, out, &n, copy, piece));
		memcpy(all + *out_len, out, n);
		*out_len += n;
		in += piece;
		len -= piece;
		free(out);
		free(copy);
	}
	assert_ok(hf_sm4_stream_done(&s, last, &n));
	memcpy(all + *out_len, last, n);
	*out_len += n;
	assert_err(hf_sm4_stream_feed(&s, last, &n, last, 0), HF_ERR_STATE);
	assert_err(hf_sm4_stream_done(&s, last, &n), HF_ERR_STATE);
	return all;
}

static void pieces_are_the_whole(void **state)
{
	(void)state;
	for (int mode = 0; mode < HF_SM4_N_MODES; mode++)
		for (size_t round = 0; round < 60; round++) {
			unsigned how = has_blocks(mode) && round % 2 == 0 ? HF_SM4_PADDED : 0;
			size_t len = (size_t)test_rng_below(&state_of_rng, 400);
			uint8_t *key = some(HF_SM4_KEY_LEN);
			uint8_t *iv = some(BLOCK);
			struct hf_sm4_key k;
			uint8_t *in;
			uint8_t *want;
			uint8_t *out;
			size_t want_len;
			size_t out_len;

			len = how == 0 ? fitting(mode, len) : len;
			in = some(len);
			hf_sm4_init(&k, key);
			want = crypt(&k, mode, how, iv, in, len, &want_len);
			out = in_pieces(&k, mode, how, iv, in, len, &out_len);
			assert_int_equal(out_len, want_len);
			assert_memory_equal(out, want, want_len);
			free(out);
			out = in_pieces(
				&k, mode, how | HF_SM4_DECRYPT, iv, want, want_len, &out_len);
			assert_int_equal(out_len, len);
			assert_memory_equal(out, in, len);
			free(out);
			free(want);
			free(in);
			free(iv);
			free(key);
		}
}

static void out_may_be_in(void **state)
{
	(void)state;
	for (int mode = 0; mode < HF_SM4_N_MODES; mode++)
		for (size_t len = 0; len <= EVERY_LEN; len += 7) {
			unsigned how = has_blocks(mode) ? HF_SM4_PADDED : 0;
			uint8_t *key = some(HF_SM4_KEY_LEN);
			uint8_t *iv = some(BLOCK);
			uint8_t *in = some(len);
			uint8_t *same = malloc(len + BLOCK);
			size_t want_len;
			size_t n = len + BLOCK;
			struct hf_sm4_key k;
			uint8_t *want;

			assert_non_null(same);
			hf_sm4_init(&k, key);
			want = crypt(&k, mode, how, iv, in, len, &want_len);
			memcpy(same, in, len);
			assert_ok(hf_sm4_crypt(&k, (enum hf_sm4_mode)mode, how, iv, same, &n,
				(struct hf_bytes){ same, len }));
			assert_int_equal(n, want_len);
			assert_memory_equal(same, want, n);
			assert_ok(hf_sm4_crypt(&k, (enum hf_sm4_mode)mode, how | HF_SM4_DECRYPT, iv,
				same, &n, (struct hf_bytes){ same, n }));
			assert_int_equal(n, len);
			assert_memory_equal(same, in, len);
			free(want);
			free(same);
			free(in);
			free(iv);
			free(key);
		}
}

/* --- refusals -------------------------------------------------------------------------------- */

/* Decrypts a ciphertext whose last block has this plaintext; the answer, and what is left in out.
 */
static hf_err decrypt_ending(const uint8_t last[BLOCK], uint8_t out[2 * BLOCK], size_t *out_len)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 1 };
	static const uint8_t iv[BLOCK] = { 2 };
	uint8_t c[2 * BLOCK] = { 3 };
	uint8_t streamed[2 * BLOCK];
	struct hf_sm4_stream s;
	struct hf_sm4_key k;
	size_t n = sizeof(streamed);
	size_t m = 0;
	hf_err result;

	memcpy(c + BLOCK, last, BLOCK);
	hf_sm4_init(&k, key);
	*out_len = sizeof(c);
	assert_ok(hf_sm4_crypt(
		&k, HF_SM4_CBC, HF_SM4_ENCRYPT, iv, c, out_len, (struct hf_bytes){ c, sizeof(c) }));
	memset(out, 0xaa, 2 * BLOCK);
	result = hf_sm4_crypt(&k, HF_SM4_CBC, HF_SM4_DECRYPT | HF_SM4_PADDED, iv, out, out_len,
		(struct hf_bytes){ c, sizeof(c) });
	assert_ok(hf_sm4_stream_start(&s, &k, HF_SM4_CBC, HF_SM4_DECRYPT | HF_SM4_PADDED, iv));
	assert_ok(hf_sm4_stream_feed(&s, streamed, &n, c, sizeof(c)));
	assert_int_equal(n, BLOCK);
	assert_int_equal(hf_sm4_stream_done(&s, streamed + n, &m), result);
	assert_int_equal(m, result == HF_OK ? *out_len - BLOCK : 0);
	return result;
}

static void only_right_padding_is_accepted(void **state)
{
	uint8_t out[2 * BLOCK];
	uint8_t last[BLOCK];
	size_t n;

	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		memset(last, (int)v, sizeof(last));
		if (v >= 1 && v <= BLOCK) {
			assert_ok(decrypt_ending(last, out, &n));
			assert_int_equal(n, 2 * BLOCK - v);
			continue;
		}
		assert_err(decrypt_ending(last, out, &n), HF_ERR_AUTH);
		assert_int_equal(n, 0);
		for (size_t i = 0; i < BLOCK; i++)
			assert_int_equal(out[i], 0);
	}
}

static void one_wrong_byte_of_padding_is_refused_and_text_before_it_is_not(void **state)
{
	uint8_t out[2 * BLOCK];
	uint8_t last[BLOCK];
	size_t n;

	(void)state;
	for (unsigned v = 1; v <= BLOCK; v++)
		for (size_t at = 0; at < BLOCK - 1; at++) {
			bool in_text = at < BLOCK - v;

			memset(last, 0x55, sizeof(last));
			memset(last + BLOCK - v, (int)v, v);
			last[at] ^= 0x40;
			assert_err(decrypt_ending(last, out, &n), in_text ? HF_OK : HF_ERR_AUTH);
		}
}

static void lengths_and_arguments_that_there_are_not_are_refused(void **state)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 1 };
	uint8_t b[3 * BLOCK] = { 0 };
	struct hf_sm4_stream s;
	struct hf_sm4_key k;
	size_t n;

	(void)state;
	hf_sm4_init(&k, key);
	for (int mode = 0; mode < HF_SM4_N_MODES; mode++) {
		enum hf_sm4_mode m = (enum hf_sm4_mode)mode;

		n = sizeof(b);
		if (has_blocks(mode)) {
			for (size_t len = 1; len < 2 * BLOCK; len += len == 15 ? 2 : 1) {
				n = sizeof(b);
				assert_err(hf_sm4_crypt(
						   &k, m, 0, b, b, &n, (struct hf_bytes){ b, len }),
					HF_ERR_FORMAT);
				assert_err(hf_sm4_crypt(&k, m, HF_SM4_DECRYPT | HF_SM4_PADDED, b, b,
						   &n, (struct hf_bytes){ b, len }),
					HF_ERR_FORMAT);
			}
			assert_err(hf_sm4_crypt(&k, m, HF_SM4_DECRYPT | HF_SM4_PADDED, b, b, &n,
					   (struct hf_bytes){ b, 0 }),
				HF_ERR_FORMAT);
			n = 2 * BLOCK - 1;
			assert_err(hf_sm4_crypt(&k, m, HF_SM4_PADDED, b, b, &n,
					   (struct hf_bytes){ b, BLOCK }),
				HF_ERR_LIMIT);
		} else {
			assert_err(hf_sm4_crypt(&k, m, HF_SM4_PADDED, b, b, &n,
					   (struct hf_bytes){ b, 1 }),
				HF_ERR_ARG);
		}
		n = BLOCK - 1;
		assert_err(hf_sm4_crypt(&k, m, 0, b, b, &n, (struct hf_bytes){ b, BLOCK }),
			HF_ERR_LIMIT);
		assert_err(hf_sm4_crypt(&k, m, 4, b, b, &n, (struct hf_bytes){ b, BLOCK }),
			HF_ERR_ARG);
		n = BLOCK;
		assert_err(hf_sm4_crypt(&k, m, 0, NULL, b, &n, (struct hf_bytes){ b, BLOCK }),
			mode == HF_SM4_ECB ? HF_OK : HF_ERR_ARG);
		assert_ok(hf_sm4_stream_start(&s, &k, m, 0, b));
		n = BLOCK - 1;
		assert_err(hf_sm4_stream_feed(&s, b, &n, b, BLOCK), HF_ERR_LIMIT);
		hf_sm4_stream_end(&s);
	}
	assert_err(hf_sm4_stream_start(&s, &k, HF_SM4_N_MODES, 0, b), HF_ERR_ARG);
	n = sizeof(b);
	assert_err(hf_sm4_stream_feed(&s, b, &n, b, 1), HF_ERR_STATE);
}

static void a_stream_cut_within_a_block_is_refused_at_the_end(void **state)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 1 };
	uint8_t in[3 * BLOCK] = { 0 };
	uint8_t out[4 * BLOCK];
	struct hf_sm4_stream s;
	struct hf_sm4_key k;

	(void)state;
	hf_sm4_init(&k, key);
	for (size_t len = 0; len <= 3 * BLOCK; len++) {
		size_t n = sizeof(out);

		assert_ok(hf_sm4_stream_start(&s, &k, HF_SM4_CBC, HF_SM4_DECRYPT, in));
		assert_ok(hf_sm4_stream_feed(&s, out, &n, in, len));
		assert_err(
			hf_sm4_stream_done(&s, out, &n), len % BLOCK == 0 ? HF_OK : HF_ERR_FORMAT);
		n = sizeof(out);
		assert_ok(hf_sm4_stream_start(
			&s, &k, HF_SM4_CBC, HF_SM4_DECRYPT | HF_SM4_PADDED, in));
		assert_ok(hf_sm4_stream_feed(&s, out, &n, in, len));
		assert_int_equal(n, len == 0 ? 0 : (len - 1) / BLOCK * BLOCK);
		if (len % BLOCK != 0 || len == 0)
			assert_err(hf_sm4_stream_done(&s, out, &n), HF_ERR_FORMAT);
		else
			assert_err(hf_sm4_stream_done(&s, out, &n), HF_ERR_AUTH);
	}
}

static void a_stream_that_is_over_holds_nothing(void **state)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 1 };
	static const struct hf_sm4_stream empty;
	uint8_t b[BLOCK + 3] = { 7 };
	struct hf_sm4_stream s;
	struct hf_sm4_key k;
	size_t n = sizeof(b);

	(void)state;
	hf_sm4_init(&k, key);
	assert_ok(hf_sm4_stream_start(&s, &k, HF_SM4_OFB, 0, b));
	assert_ok(hf_sm4_stream_feed(&s, b, &n, b, sizeof(b)));
	assert_ok(hf_sm4_stream_done(&s, b, &n));
	assert_memory_equal(&s, &empty, sizeof(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_is_its_definition_at_every_length),
		cmocka_unit_test(openssl_makes_the_same),
		cmocka_unit_test(libgcrypt_makes_the_same_feedback),
		cmocka_unit_test(pieces_are_the_whole),
		cmocka_unit_test(out_may_be_in),
		cmocka_unit_test(only_right_padding_is_accepted),
		cmocka_unit_test(one_wrong_byte_of_padding_is_refused_and_text_before_it_is_not),
		cmocka_unit_test(lengths_and_arguments_that_there_are_not_are_refused),
		cmocka_unit_test(a_stream_cut_within_a_block_is_refused_at_the_end),
		cmocka_unit_test(a_stream_that_is_over_holds_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
