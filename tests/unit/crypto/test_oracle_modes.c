/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modes of SM4 against libgcrypt (all) and libcrypto (ECB, CBC, CTR): every length from 0 to
 * 200, a long one, streams cut at random, and out being in.
 */
/* uses: libgcrypt libcrypto */
#include "test.h"

#include <gcrypt.h>
#include <openssl/evp.h>

#include "base/attr.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/module.h"
#include "crypto/sm4.h"

enum {
	EVERY_LEN = 200,
	LONG_LEN = (1 << 20) + 16 * 5 + 3,
	BLOCK = HF_SM4_BLOCK_LEN,
};

static struct test_rng state_of_rng;
static struct hf_rng rng;

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20261);
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static size_t below(size_t n)
{
	return (size_t)test_rng_below(&state_of_rng, n);
}

/* Exactly len random bytes; free() them. */
static uint8_t *some(size_t len)
{
	uint8_t *p = malloc(len + (len == 0));

	assert_non_null(p);
	assert_ok(hf_rng_fill(&rng, p, len));
	return p;
}

/* --- ECB, CBC, CTR -------------------------------------------------------------------------- */

struct mode {
	int gcry;
	const EVP_CIPHER *(*evp)(void);
	bool whole_blocks;
	hf_err (*run)(const struct hf_sm4_key *k, uint8_t iv[BLOCK], uint8_t *out,
		const uint8_t *in, size_t len, bool encrypt);
};

static hf_err run_ecb(const struct hf_sm4_key *k, uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	(void)iv;
	return (encrypt ? hf_sm4_ecb_encrypt : hf_sm4_ecb_decrypt)(k, out, in, len / BLOCK);
}

static hf_err run_cbc(const struct hf_sm4_key *k, uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	return (encrypt ? hf_sm4_cbc_encrypt : hf_sm4_cbc_decrypt)(k, iv, out, in, len / BLOCK);
}

static hf_err run_ctr(const struct hf_sm4_key *k, uint8_t iv[BLOCK], uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	(void)encrypt;
	return hf_sm4_ctr(k, iv, out, in, len);
}

static const struct mode modes[] = {
	{ GCRY_CIPHER_MODE_ECB, EVP_sm4_ecb, true, run_ecb },
	{ GCRY_CIPHER_MODE_CBC, EVP_sm4_cbc, true, run_cbc },
	{ GCRY_CIPHER_MODE_CTR, EVP_sm4_ctr, false, run_ctr },
};

static void by_gcrypt(const struct mode *m, const uint8_t *key, const uint8_t *iv, uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	gcry_cipher_hd_t h;

	assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, m->gcry, 0), 0);
	assert_int_equal(gcry_cipher_setkey(h, key, 16), 0);
	if (m->gcry == GCRY_CIPHER_MODE_CBC)
		assert_int_equal(gcry_cipher_setiv(h, iv, BLOCK), 0);
	if (m->gcry == GCRY_CIPHER_MODE_CTR)
		assert_int_equal(gcry_cipher_setctr(h, iv, BLOCK), 0);
	if (len > 0)
		assert_int_equal(encrypt ? gcry_cipher_encrypt(h, out, len, in, len)
					 : gcry_cipher_decrypt(h, out, len, in, len),
			0);
	gcry_cipher_close(h);
}

static void by_libcrypto(const struct mode *m, const uint8_t *key, const uint8_t *iv, uint8_t *out,
	const uint8_t *in, size_t len, bool encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_int_equal(EVP_CipherInit_ex(c, m->evp(), NULL, key, iv, encrypt), 1);
	assert_int_equal(EVP_CIPHER_CTX_set_padding(c, 0), 1);
	assert_int_equal(EVP_CipherUpdate(c, out, &n, in, (int)len), 1);
	assert_int_equal(n, len);
	EVP_CIPHER_CTX_free(c);
}

/* In pieces of whole blocks, but for the last, in place. */
static void in_pieces(const struct mode *m, const struct hf_sm4_key *k, const uint8_t *iv,
	uint8_t *out, const uint8_t *in, size_t len, bool encrypt)
{
	uint8_t chain[BLOCK];
	size_t at = 0;

	memcpy(chain, iv, sizeof(chain));
	memcpy(out, in, len);
	while (at < len) {
		size_t n = (1 + below(400)) * BLOCK;

		if (n > len - at)
			n = len - at;
		assert_ok(m->run(k, chain, out + at, out + at, n, encrypt));
		at += n;
	}
}

static void check_mode(const struct mode *m, size_t len, bool encrypt)
{
	uint8_t *key = some(16);
	uint8_t *iv = some(BLOCK);
	uint8_t *in = some(len);
	uint8_t *want = some(len);
	uint8_t *also = some(len);
	uint8_t *got = some(len);
	uint8_t chain[BLOCK];
	struct hf_sm4_key k;

	if (len % 3 == 0)
		memset(iv, 0xff, BLOCK - 1); /* the counter is about to carry */
	hf_sm4_init(&k, key);
	memcpy(chain, iv, sizeof(chain));
	by_gcrypt(m, key, iv, want, in, len, encrypt);
	by_libcrypto(m, key, iv, also, in, len, encrypt);
	assert_ok(m->run(&k, chain, got, in, len, encrypt));
	assert_memory_equal(got, want, len);
	assert_memory_equal(got, also, len);
	in_pieces(m, &k, iv, got, in, len, encrypt);
	assert_memory_equal(got, want, len);
	hf_sm4_clear(&k);
	free(key);
	free(iv);
	free(in);
	free(want);
	free(also);
	free(got);
}

static void plain_modes_agree_at_every_length_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(modes); i++) {
		size_t step = modes[i].whole_blocks ? BLOCK : 1;

		for (size_t n = 1; n <= EVERY_LEN; n++) {
			check_mode(&modes[i], n * step, true);
			check_mode(&modes[i], n * step, false);
		}
		check_mode(&modes[i], LONG_LEN / step * step, true);
		check_mode(&modes[i], LONG_LEN / step * step, false);
	}
}

/* --- GCM, CCM --------------------------------------------------------------------------------- */

struct message {
	uint8_t *key;
	uint8_t *nonce;
	size_t nonce_len;
	uint8_t *aad;
	size_t aad_len;
	uint8_t *text;
	size_t len;
	uint8_t *cipher; /* by libgcrypt */
	uint8_t tag[16];
	size_t tag_len;
};

static void message_seal(struct message *m, int mode)
{
	const uint64_t lens[] = { m->len, m->aad_len, m->tag_len };
	gcry_cipher_hd_t h;

	assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, mode, 0), 0);
	assert_int_equal(gcry_cipher_setkey(h, m->key, 16), 0);
	assert_int_equal(gcry_cipher_setiv(h, m->nonce, m->nonce_len), 0);
	if (mode == GCRY_CIPHER_MODE_CCM)
		assert_int_equal(gcry_cipher_ctl(h, GCRYCTL_SET_CCM_LENGTHS,
					 (void *)(uintptr_t)lens, sizeof(lens)),
			0);
	if (m->aad_len > 0)
		assert_int_equal(gcry_cipher_authenticate(h, m->aad, m->aad_len), 0);
	assert_int_equal(gcry_cipher_encrypt(h, m->cipher, m->len, m->text, m->len), 0);
	assert_int_equal(gcry_cipher_gettag(h, m->tag, m->tag_len), 0);
	gcry_cipher_close(h);
}

static struct message message(int mode, size_t len)
{
	bool is_ccm = mode == GCRY_CIPHER_MODE_CCM;
	/* CCM: with nonces of 13 bytes, 65535 bytes of text are the most. */
	size_t nonce_max = len > 65535 ? 11 : 13;
	struct message m = { .nonce_len = is_ccm ? 7 + below(nonce_max - 6) : 1 + below(40),
		.aad_len = below(3) == 0 ? 0 : below(EVERY_LEN),
		.len = len,
		.tag_len = is_ccm ? 4 + 2 * below(7) : 16 };

	if (!is_ccm && below(2) == 0)
		m.nonce_len = 12;
	m.key = some(16);
	m.nonce = some(m.nonce_len);
	m.aad = some(m.aad_len);
	m.text = some(len);
	m.cipher = some(len);
	message_seal(&m, mode);
	return m;
}

static void message_free(struct message *m)
{
	free(m->key);
	free(m->nonce);
	free(m->aad);
	free(m->text);
	free(m->cipher);
}

static struct hf_aead aead_of(
	const struct message *m, const uint8_t *in, uint8_t *out, uint8_t *tag)
{
	return (struct hf_aead){ m->nonce, m->nonce_len, m->aad, m->aad_len, in, m->len, out, tag,
		m->tag_len };
}

static hf_err seal(bool is_ccm, const struct message *m, const struct hf_aead *a)
{
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;

	if (is_ccm) {
		hf_sm4_init(&sm4, m->key);
		return hf_ccm_seal(&sm4, a);
	}
	assert_ok(hf_gcm_init(&gcm, m->key));
	return hf_gcm_seal(&gcm, a);
}

static hf_err open_it(bool is_ccm, const struct message *m, const struct hf_aead *a)
{
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;

	if (is_ccm) {
		hf_sm4_init(&sm4, m->key);
		return hf_ccm_open(&sm4, a);
	}
	assert_ok(hf_gcm_init(&gcm, m->key));
	return hf_gcm_open(&gcm, a);
}

static void check_aead(int mode, size_t len)
{
	bool is_ccm = mode == GCRY_CIPHER_MODE_CCM;
	struct message m = message(mode, len);
	uint8_t *buf = some(len);
	uint8_t tag[16];
	struct hf_aead a = aead_of(&m, m.text, buf, tag);

	assert_ok(seal(is_ccm, &m, &a));
	assert_memory_equal(buf, m.cipher, len);
	assert_memory_equal(tag, m.tag, m.tag_len);

	a.in = buf; /* in place */
	assert_ok(open_it(is_ccm, &m, &a));
	assert_memory_equal(buf, m.text, len);

	a.in = m.cipher;
	tag[below(m.tag_len)] ^= (uint8_t)(1 << below(8));
	assert_err(open_it(is_ccm, &m, &a), HF_ERR_AUTH);
	memcpy(tag, m.tag, m.tag_len);
	if (len > 0) {
		m.cipher[below(len)] ^= (uint8_t)(1 << below(8));
		assert_err(open_it(is_ccm, &m, &a), HF_ERR_AUTH);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(buf[i], 0);
	}
	message_free(&m);
	free(buf);
}

static void gcm_and_ccm_agree_at_every_length(void **state)
{
	static const int aeads[] = { GCRY_CIPHER_MODE_GCM, GCRY_CIPHER_MODE_CCM };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(aeads); i++) {
		for (size_t len = 0; len <= EVERY_LEN; len++)
			for (int k = 0; k < 3; k++)
				check_aead(aeads[i], len);
		check_aead(aeads[i], LONG_LEN);
	}
}

/* Feeds additional data and text in pieces of random lengths, empty ones among them. */
static void stream(const struct message *m, uint8_t *out, uint8_t tag[16], bool encrypt)
{
	hf_err (*work)(struct hf_gcm *, uint8_t *, const uint8_t *, size_t) =
		encrypt ? hf_gcm_encrypt : hf_gcm_decrypt;
	const uint8_t *in = encrypt ? m->text : m->cipher;
	size_t at = 0;
	struct hf_gcm_key k;
	struct hf_gcm g;

	assert_ok(hf_gcm_init(&k, m->key));
	assert_ok(hf_gcm_start(&g, &k, m->nonce, m->nonce_len));
	while (at < m->aad_len) {
		size_t n = below(m->aad_len - at + 1);

		assert_ok(hf_gcm_aad(&g, m->aad + at, n));
		at += n;
	}
	for (at = 0; at < m->len;) {
		size_t n = below((m->len - at < 3000 ? m->len - at : 3000) + 1);

		assert_ok(work(&g, out + at, in + at, n));
		at += n;
	}
	if (encrypt)
		assert_ok(hf_gcm_tag(&g, tag, 16));
	else
		assert_ok(hf_gcm_verify(&g, m->tag, 16));
	hf_gcm_end(&g);
	hf_gcm_clear(&k);
}

static void streams_of_gcm_cut_at_random_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < 400; i++) {
		size_t len = i < 390 ? below(2 * EVERY_LEN) : below(LONG_LEN);
		struct message m = message(GCRY_CIPHER_MODE_GCM, len);
		uint8_t *out = some(len);
		uint8_t tag[16];

		stream(&m, out, tag, true);
		assert_memory_equal(out, m.cipher, len);
		assert_memory_equal(tag, m.tag, 16);
		stream(&m, out, tag, false);
		assert_memory_equal(out, m.text, len);
		message_free(&m);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_modes_agree_at_every_length_both_ways),
		cmocka_unit_test(gcm_and_ccm_agree_at_every_length),
		cmocka_unit_test(streams_of_gcm_cut_at_random_agree),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
