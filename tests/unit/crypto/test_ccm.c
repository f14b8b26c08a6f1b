/* SPDX-License-Identifier: Apache-2.0 */
/* SM4-CCM: refusals first, random inputs against libgcrypt at every nonce and tag length. */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/ccm.h"
#include "crypto/module.h"

enum {
	TEXT = 200,
	AAD = 120, /* more and less than a batch hashes with the others */
};

struct message {
	uint8_t key[16];
	uint8_t nonce[13];
	size_t nonce_len;
	uint8_t aad[AAD];
	size_t aad_len;
	uint8_t plain[TEXT];
	uint8_t text[TEXT];
	size_t len;
	uint8_t tag[16];
	size_t tag_len;
	struct hf_sm4_key k;
};

static int start(void **state)
{
	(void)state;
	return gcry_check_version(NULL) != NULL && hf_module_start(0) == HF_OK ? 0 : -1;
}

static struct hf_aead aead_of(struct message *m)
{
	return (struct hf_aead){ m->nonce, m->nonce_len, m->aad, m->aad_len, m->text, m->len,
		m->text, m->tag, m->tag_len };
}

static void message_new(struct message *m, uint64_t seed, size_t aad_len, size_t len)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, seed);
	struct hf_aead a;

	assert_ok(hf_rng_fill(&rng, (uint8_t *)m, offsetof(struct message, k)));
	m->nonce_len = 12;
	m->aad_len = aad_len;
	m->len = len;
	m->tag_len = 16;
	memcpy(m->text, m->plain, TEXT);
	hf_sm4_init(&m->k, m->key);
	a = aead_of(m);
	assert_ok(hf_ccm_seal(&m->k, &a));
}

static void expect_refusal(const struct message *sealed)
{
	struct message m = *sealed;
	struct hf_aead a = aead_of(&m);
	static const uint8_t zero[TEXT];

	assert_err(hf_ccm_open(&m.k, &a), HF_ERR_AUTH);
	assert_memory_equal(m.text, zero, m.len);
	assert_memory_equal(m.text + m.len, sealed->text + m.len, TEXT - m.len);
}

static void every_altered_byte_is_refused_and_output_zeroed(void **state)
{
	struct message m;

	(void)state;
	message_new(&m, 30, 21, 53);
	for (size_t i = 0; i < m.nonce_len; i++) {
		m.nonce[i] ^= (uint8_t)(1u << i % 8);
		expect_refusal(&m);
		m.nonce[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < m.aad_len; i++) {
		m.aad[i] ^= (uint8_t)(1u << i % 8);
		expect_refusal(&m);
		m.aad[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < m.len; i++) {
		m.text[i] ^= (uint8_t)(1u << i % 8);
		expect_refusal(&m);
		m.text[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < 8 * m.tag_len; i++) {
		m.tag[i / 8] ^= (uint8_t)(1u << i % 8);
		expect_refusal(&m);
		m.tag[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

static void every_truncation_is_refused(void **state)
{
	struct message sealed;
	struct message m;

	(void)state;
	message_new(&sealed, 31, 33, 100);
	for (size_t i = 0; i < 100; i++) {
		m = sealed;
		m.len = i;
		expect_refusal(&m);
	}
	for (size_t i = 0; i < 33; i++) {
		m = sealed;
		m.aad_len = i;
		expect_refusal(&m);
	}
	for (size_t i = 4; i < 16; i += 2) {
		m = sealed;
		m.tag_len = i; /* the length is part of what is authenticated */
		expect_refusal(&m);
	}
}

static void lengths_that_the_mode_does_not_have_are_refused(void **state)
{
	static const size_t bad_tags[] = { 0, 1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 18 };
	struct message m;
	struct message before;
	struct hf_aead a;
	uint8_t tag[32] = { 0 };

	(void)state;
	message_new(&m, 32, 5, 20);
	before = m;
	for (size_t i = 0; i < HF_COUNT(bad_tags); i++) {
		a = aead_of(&m);
		a.tag = tag;
		a.tag_len = bad_tags[i];
		assert_err(hf_ccm_seal(&m.k, &a), HF_ERR_ARG);
		assert_err(hf_ccm_open(&m.k, &a), HF_ERR_ARG);
	}
	a = aead_of(&m);
	a.nonce_len = 6;
	assert_err(hf_ccm_seal(&m.k, &a), HF_ERR_ARG);
	a.nonce_len = 14;
	assert_err(hf_ccm_open(&m.k, &a), HF_ERR_ARG);
	/* 13 bytes of nonce leave two for the length. */
	a.nonce_len = 13;
	a.in_len = 65536;
	assert_err(hf_ccm_seal(&m.k, &a), HF_ERR_LIMIT);
	assert_err(hf_ccm_open(&m.k, &a), HF_ERR_LIMIT);
	a.nonce_len = 12;
	a.in_len = (size_t)1 << 24;
	assert_err(hf_ccm_seal(&m.k, &a), HF_ERR_LIMIT);
	assert_memory_equal(&m, &before, sizeof(m));
}

static void peer(const struct hf_aead *a, const uint8_t *key, const uint8_t *plain, uint8_t *text,
	uint8_t *tag)
{
	gcry_cipher_hd_t h;
	uint64_t lengths[3] = { a->in_len, a->aad_len, a->tag_len };

	assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_CCM, 0), 0);
	assert_int_equal(gcry_cipher_setkey(h, key, 16), 0);
	assert_int_equal(gcry_cipher_setiv(h, a->nonce, a->nonce_len), 0);
	assert_int_equal(gcry_cipher_ctl(h, GCRYCTL_SET_CCM_LENGTHS, lengths, sizeof(lengths)), 0);
	if (a->aad_len > 0)
		assert_int_equal(gcry_cipher_authenticate(h, a->aad, a->aad_len), 0);
	assert_int_equal(gcry_cipher_encrypt(h, text, a->in_len, plain, a->in_len), 0);
	assert_int_equal(gcry_cipher_gettag(h, tag, a->tag_len), 0);
	gcry_cipher_close(h);
}

static void agrees_with_libgcrypt_at_all_lengths(void **state)
{
	struct message m;

	(void)state;
	for (size_t i = 0; i < 420; i++) {
		uint8_t want[TEXT];
		uint8_t want_tag[16];
		struct hf_aead a;

		message_new(&m, 2000 + i, i % (AAD + 1), i % (TEXT + 1));
		m.nonce_len = 7 + i % 7;
		m.tag_len = 4 + i % 7 * 2;
		if (i % 5 == 0)
			m.tag_len = 16;
		memcpy(m.text, m.plain, TEXT);
		a = aead_of(&m);
		peer(&a, m.key, m.plain, want, want_tag);
		assert_ok(hf_ccm_seal(&m.k, &a));
		assert_memory_equal(m.text, want, m.len);
		assert_memory_equal(m.text + m.len, m.plain + m.len, TEXT - m.len);
		assert_memory_equal(m.tag, want_tag, m.tag_len);
		assert_ok(hf_ccm_open(&m.k, &a));
		assert_memory_equal(m.text, m.plain, TEXT);
	}
}

static void long_text_and_long_additional_data_agree_with_libgcrypt(void **state)
{
	enum { LONG = 70000 };
	static const size_t aads[] = { 0xfeff, 0xff00, 0xff01, 65536, LONG };
	uint8_t *in = malloc(LONG);
	uint8_t *aad = malloc(LONG);
	uint8_t *out = malloc(LONG);
	uint8_t *want = malloc(LONG);
	struct message m;
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 33);

	(void)state;
	message_new(&m, 33, 0, 0);
	assert_ok(hf_rng_fill(&rng, in, LONG));
	assert_ok(hf_rng_fill(&rng, aad, LONG));
	for (size_t i = 0; i < HF_COUNT(aads); i++) {
		struct hf_aead a = { m.nonce, 12, aad, aads[i], in, LONG - 9 * i, out, m.tag, 16 };
		uint8_t want_tag[16];

		peer(&a, m.key, in, want, want_tag);
		assert_ok(hf_ccm_seal(&m.k, &a));
		assert_memory_equal(out, want, a.in_len);
		assert_memory_equal(m.tag, want_tag, 16);
		a.in = out;
		assert_ok(hf_ccm_open(&m.k, &a));
		assert_memory_equal(out, in, a.in_len);
	}
	free(in);
	free(aad);
	free(out);
	free(want);
}

/* Keys, lengths and nonces of any mix: all as one by one. */
static void a_batch_equals_single_messages(void **state)
{
	enum { N = 60 };
	static struct message m[N];
	static struct message one[N];
	static struct hf_ccm_job jobs[N];
	static const uint8_t zero[TEXT];
	struct test_rng r;

	(void)state;
	(void)test_rng(&r, 78);
	for (size_t i = 0; i < N; i++) {
		message_new(&one[i], 700 + i, i % 5 == 0 ? 0 : (size_t)test_rng_below(&r, AAD + 1),
			i % 7 == 3 ? 0 : (size_t)test_rng_below(&r, TEXT + 1));
		one[i].nonce_len = 7 + i % 7;
		one[i].tag_len = i % 3 == 0 ? 8 : 16;
		m[i] = one[i];
		memcpy(m[i].text, m[i].plain, TEXT);
		memcpy(one[i].text, one[i].plain, TEXT);
		jobs[i] = (struct hf_ccm_job){ &m[i].k, aead_of(&m[i]), HF_ERR_INTERNAL };
	}
	for (size_t i = 0; i < N; i++) {
		struct hf_aead a = aead_of(&one[i]);

		assert_ok(hf_ccm_seal(&one[i].k, &a));
	}
	assert_ok(hf_ccm_seal_batch(jobs, N));
	for (size_t i = 0; i < N; i++) {
		assert_memory_equal(m[i].text, one[i].text, TEXT);
		assert_memory_equal(m[i].tag, one[i].tag, 16);
	}
	for (size_t i = 0; i < N; i += 7)
		m[i].tag[i % 8] ^= 0x80;
	jobs[1].a.tag_len = 5;
	assert_err(hf_ccm_open_batch(jobs, N), HF_ERR_AUTH);
	for (size_t i = 2; i < N; i++) {
		assert_int_equal(jobs[i].result, i % 7 == 0 ? HF_ERR_AUTH : HF_OK);
		assert_memory_equal(m[i].text, i % 7 == 0 ? zero : m[i].plain, m[i].len);
	}
	assert_int_equal(jobs[1].result, HF_ERR_ARG);
	assert_memory_equal(m[1].text, one[1].text, TEXT); /* untouched */
	assert_ok(hf_ccm_seal_batch(jobs, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_altered_byte_is_refused_and_output_zeroed),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(lengths_that_the_mode_does_not_have_are_refused),
		cmocka_unit_test(agrees_with_libgcrypt_at_all_lengths),
		cmocka_unit_test(long_text_and_long_additional_data_agree_with_libgcrypt),
		cmocka_unit_test(a_batch_equals_single_messages),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
