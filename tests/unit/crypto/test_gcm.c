/* SPDX-License-Identifier: Apache-2.0 */
/* SM4-GCM: refusals first, random inputs against libgcrypt, streams cut everywhere. */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/gcm.h"
#include "crypto/module.h"

enum {
	TEXT = 300,
	AAD = 70,
	NONCE = 40,
};

/* One random case; in place, text is both in and out. */
struct message {
	uint8_t key[16];
	uint8_t nonce[NONCE];
	size_t nonce_len;
	uint8_t aad[AAD];
	size_t aad_len;
	uint8_t plain[TEXT];
	uint8_t text[TEXT];
	size_t len;
	uint8_t tag[HF_GCM_TAG_LEN];
	size_t tag_len;
	struct hf_gcm_key k;
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

/* A sealed message with random content. */
static void message_new(struct message *m, uint64_t seed, size_t aad_len, size_t len)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, seed);
	struct hf_aead a;

	assert_ok(hf_rng_fill(&rng, (uint8_t *)m, offsetof(struct message, k)));
	m->nonce_len = HF_GCM_NONCE_LEN;
	m->aad_len = aad_len;
	m->len = len;
	m->tag_len = HF_GCM_TAG_LEN;
	memcpy(m->text, m->plain, TEXT);
	assert_ok(hf_gcm_init(&m->k, m->key));
	a = aead_of(m);
	assert_ok(hf_gcm_seal(&m->k, &a));
}

/* Opens a copy and expects a refusal that leaves zeros and no byte beyond them changed. */
static void expect_refusal(const struct message *sealed)
{
	struct message m = *sealed;
	struct hf_aead a = aead_of(&m);
	static const uint8_t zero[TEXT];

	assert_err(hf_gcm_open(&m.k, &a), HF_ERR_AUTH);
	assert_memory_equal(m.text, zero, m.len);
	assert_memory_equal(m.text + m.len, sealed->text + m.len, TEXT - m.len);
}

static void every_altered_bit_of_a_byte_is_refused_and_output_zeroed(void **state)
{
	struct message m;

	(void)state;
	message_new(&m, 10, 21, 53);
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

static void truncated_extended_and_shifted_messages_are_refused(void **state)
{
	struct message sealed;
	struct message m;

	(void)state;
	message_new(&sealed, 11, 33, 100);
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
	m = sealed;
	m.text[100] = 0;
	m.len = 101;
	expect_refusal(&m);
	m = sealed;
	m.aad[33] = 0;
	m.aad_len = 34;
	expect_refusal(&m);
	m = sealed;
	m.nonce[12] = 0;
	m.nonce_len = 13;
	expect_refusal(&m);
}

static void lengths_that_the_mode_does_not_have_are_refused(void **state)
{
	static const size_t bad_tags[] = { 0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 17, 32 };
	struct message m;
	struct message before;
	struct hf_aead a;
	struct hf_gcm g;
	uint8_t tag[32] = { 0 };

	(void)state;
	message_new(&m, 12, 5, 20);
	before = m;
	for (size_t i = 0; i < HF_COUNT(bad_tags); i++) {
		a = aead_of(&m);
		a.tag_len = bad_tags[i];
		a.tag = tag;
		assert_err(hf_gcm_seal(&m.k, &a), HF_ERR_ARG);
		assert_err(hf_gcm_open(&m.k, &a), HF_ERR_ARG);
		assert_ok(hf_gcm_start(&g, &m.k, m.nonce, 12));
		assert_err(hf_gcm_tag(&g, tag, bad_tags[i]), HF_ERR_ARG);
		assert_err(hf_gcm_verify(&g, tag, bad_tags[i]), HF_ERR_ARG);
		hf_gcm_end(&g);
	}
	a = aead_of(&m);
	a.nonce_len = 0;
	assert_err(hf_gcm_seal(&m.k, &a), HF_ERR_ARG);
	a.nonce_len = (1 << 16) + 1;
	assert_err(hf_gcm_seal(&m.k, &a), HF_ERR_ARG);
	a = aead_of(&m);
	a.in_len = HF_GCM_MESSAGE_MAX + 1;
	assert_err(hf_gcm_seal(&m.k, &a), HF_ERR_LIMIT);
	assert_memory_equal(&m, &before, sizeof(m));
}

static void a_stream_refuses_what_comes_too_late(void **state)
{
	struct message m;
	struct hf_gcm g;
	uint8_t b[16] = { 0 };

	(void)state;
	message_new(&m, 13, 5, 20);
	assert_err(hf_gcm_start(&g, &m.k, m.nonce, 0), HF_ERR_ARG);
	assert_err(hf_gcm_aad(&g, b, 1), HF_ERR_STATE);

	assert_ok(hf_gcm_start(&g, &m.k, m.nonce, 12));
	assert_ok(hf_gcm_aad(&g, b, 1));
	assert_ok(hf_gcm_encrypt(&g, b, b, 1));
	assert_err(hf_gcm_aad(&g, b, 1), HF_ERR_STATE);
	g.text_len = HF_GCM_MESSAGE_MAX - 15;
	assert_err(hf_gcm_encrypt(&g, b, b, 16), HF_ERR_LIMIT);
	g.text_len = 1;
	assert_ok(hf_gcm_tag(&g, b, 16));
	assert_err(hf_gcm_tag(&g, b, 16), HF_ERR_STATE);
	assert_err(hf_gcm_verify(&g, b, 16), HF_ERR_STATE);
	assert_err(hf_gcm_encrypt(&g, b, b, 1), HF_ERR_STATE);
	assert_err(hf_gcm_decrypt(&g, b, b, 1), HF_ERR_STATE);
}

/* libgcrypt's ciphertext and whole tag. */
static void peer(const struct message *m, uint8_t *text, uint8_t tag[16])
{
	gcry_cipher_hd_t h;

	assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0), 0);
	assert_int_equal(gcry_cipher_setkey(h, m->key, 16), 0);
	assert_int_equal(gcry_cipher_setiv(h, m->nonce, m->nonce_len), 0);
	if (m->aad_len > 0)
		assert_int_equal(gcry_cipher_authenticate(h, m->aad, m->aad_len), 0);
	gcry_cipher_final(h);
	assert_int_equal(gcry_cipher_encrypt(h, text, m->len, m->plain, m->len), 0);
	assert_int_equal(gcry_cipher_gettag(h, tag, 16), 0);
	gcry_cipher_close(h);
}

static void agrees_with_libgcrypt_at_all_lengths_of_nonce_aad_text_and_tag(void **state)
{
	static const size_t tags[] = { 4, 8, 12, 13, 14, 15, 16 };
	struct message m;
	struct test_rng r;

	(void)state;
	(void)test_rng(&r, 14);
	for (size_t i = 0; i < 600; i++) {
		uint8_t want[TEXT];
		uint8_t want_tag[16];
		uint8_t after;
		struct hf_aead a;

		message_new(&m, 1000 + i, i % (AAD + 1), i % (TEXT + 1));
		m.nonce_len = i % 3 == 0 ? 12 : 1 + test_rng_below(&r, NONCE);
		m.tag_len = tags[i % HF_COUNT(tags)];
		memcpy(m.text, m.plain, TEXT);
		memset(m.tag, 0x5a, sizeof(m.tag));
		peer(&m, want, want_tag);
		a = aead_of(&m);
		assert_ok(hf_gcm_seal(&m.k, &a));
		assert_memory_equal(m.text, want, m.len);
		assert_memory_equal(m.text + m.len, m.plain + m.len, TEXT - m.len);
		assert_memory_equal(m.tag, want_tag, m.tag_len);
		after = m.tag_len < 16 ? m.tag[m.tag_len] : 0x5a;
		assert_int_equal(after, 0x5a);
		assert_ok(hf_gcm_open(&m.k, &a));
		assert_memory_equal(m.text, m.plain, TEXT);
	}
}

static void streams_cut_anywhere_give_the_same(void **state)
{
	struct message m;

	(void)state;
	message_new(&m, 15, 39, 83);
	for (size_t i = 0; i <= m.aad_len; i++)
		for (size_t j = 0; j <= m.len; j++) {
			uint8_t b[TEXT];
			uint8_t tag[16];
			struct hf_gcm g;

			assert_ok(hf_gcm_start(&g, &m.k, m.nonce, m.nonce_len));
			assert_ok(hf_gcm_aad(&g, m.aad, i));
			assert_ok(hf_gcm_aad(&g, m.aad + i, m.aad_len - i));
			assert_ok(hf_gcm_encrypt(&g, b, m.plain, j));
			assert_ok(hf_gcm_encrypt(&g, b + j, m.plain + j, m.len - j));
			assert_ok(hf_gcm_tag(&g, tag, 16));
			assert_memory_equal(b, m.text, m.len);
			assert_memory_equal(tag, m.tag, 16);

			assert_ok(hf_gcm_start(&g, &m.k, m.nonce, m.nonce_len));
			assert_ok(hf_gcm_aad(&g, m.aad, m.aad_len));
			assert_ok(hf_gcm_decrypt(&g, b, b, j));
			assert_ok(hf_gcm_decrypt(&g, b + j, b + j, m.len - j));
			tag[i % 16] ^= (uint8_t)(j % 2);
			assert_err(hf_gcm_verify(&g, tag, 16), j % 2 == 0 ? HF_OK : HF_ERR_AUTH);
			assert_memory_equal(b, m.plain, m.len);
		}
}

static void streams_of_single_bytes_and_empty_pieces_give_the_same(void **state)
{
	struct message m;
	uint8_t b[TEXT];
	uint8_t tag[16];
	struct hf_gcm g;

	(void)state;
	message_new(&m, 16, 50, 130);
	assert_ok(hf_gcm_start(&g, &m.k, m.nonce, m.nonce_len));
	for (size_t i = 0; i < m.aad_len; i++) {
		assert_ok(hf_gcm_aad(&g, m.aad + i, 1));
		assert_ok(hf_gcm_aad(&g, NULL, 0));
	}
	for (size_t i = 0; i < m.len; i++) {
		assert_ok(hf_gcm_encrypt(&g, b + i, m.plain + i, 1));
		assert_ok(hf_gcm_encrypt(&g, NULL, NULL, 0));
	}
	assert_ok(hf_gcm_tag(&g, tag, 16));
	assert_memory_equal(b, m.text, m.len);
	assert_memory_equal(tag, m.tag, 16);
}

static void long_messages_agree_with_libgcrypt_at_every_alignment(void **state)
{
	enum { LONG = 40000 };
	uint8_t *in = malloc(LONG);
	uint8_t *want = malloc(LONG);
	uint8_t *room = malloc(LONG + 32);
	struct message m;
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 17);

	(void)state;
	message_new(&m, 17, 13, 0);
	assert_ok(hf_rng_fill(&rng, in, LONG));
	for (size_t i = 0; i < 17; i++) {
		size_t len = LONG - 7 * i;
		uint8_t want_tag[16];
		struct hf_aead a = { m.nonce, 12, m.aad, 13, in, len, room + i, m.tag, 16 };
		gcry_cipher_hd_t h;

		assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0), 0);
		assert_int_equal(gcry_cipher_setkey(h, m.key, 16), 0);
		assert_int_equal(gcry_cipher_setiv(h, m.nonce, 12), 0);
		assert_int_equal(gcry_cipher_authenticate(h, m.aad, 13), 0);
		gcry_cipher_final(h);
		assert_int_equal(gcry_cipher_encrypt(h, want, len, in, len), 0);
		assert_int_equal(gcry_cipher_gettag(h, want_tag, 16), 0);
		gcry_cipher_close(h);

		assert_ok(hf_gcm_seal(&m.k, &a));
		assert_memory_equal(room + i, want, len);
		assert_memory_equal(m.tag, want_tag, 16);
		a.in = room + i;
		assert_ok(hf_gcm_open(&m.k, &a));
		assert_memory_equal(room + i, in, len);
	}
	free(in);
	free(want);
	free(room);
}

static void a_counter_about_to_wrap_keeps_its_upper_bytes(void **state)
{
	struct message m;
	struct hf_gcm g;
	struct hf_gcm h;
	uint8_t whole[64] = { 0 };
	uint8_t pieces[64] = { 0 };
	uint8_t block[16];

	(void)state;
	message_new(&m, 18, 0, 0);
	assert_ok(hf_gcm_start(&g, &m.k, m.nonce, 12));
	memset(g.counter + 12, 0xff, 4);
	h = g;
	assert_ok(hf_gcm_encrypt(&g, whole, whole, 64));
	for (size_t i = 0; i < 64; i++)
		assert_ok(hf_gcm_encrypt(&h, pieces + i, pieces + i, 1));
	assert_memory_equal(whole, pieces, 64);
	/* inc32, SP 800-38D 6.2: the second block is E(nonce || 0), no carry into the nonce. */
	memcpy(block, m.nonce, 12);
	memset(block + 12, 0, 4);
	assert_ok(hf_sm4_ecb_encrypt(&m.k.sm4, block, block, 1));
	assert_memory_equal(whole + 16, block, 16);
}

static void a_batch_gives_every_job_its_own_result(void **state)
{
	struct message m[9];
	struct hf_gcm_job jobs[9];
	static const uint8_t zero[TEXT];

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		message_new(&m[i], 20 + i, i, 30 * i);
		memcpy(m[i].text, m[i].plain, TEXT);
		memset(m[i].tag, 0, 16);
		jobs[i] = (struct hf_gcm_job){ &m[i].k, aead_of(&m[i]), HF_ERR_INTERNAL };
	}
	assert_ok(hf_gcm_seal_batch(jobs, 9));
	m[4].tag[3] ^= 1;
	jobs[6].a.tag_len = 5;
	assert_err(hf_gcm_open_batch(jobs, 9), HF_ERR_AUTH);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(jobs[i].result, i == 4   ? HF_ERR_AUTH
						 : i == 6 ? HF_ERR_ARG
							  : HF_OK);
		if (i != 6)
			assert_memory_equal(m[i].text, i == 4 ? zero : m[i].plain, m[i].len);
	}
	assert_ok(hf_gcm_open_batch(jobs, 0));
}

/* Few keys and short messages share passes of the cipher; others do not: all as one by one. */
static void a_batch_of_any_mix_equals_single_messages(void **state)
{
	enum { N = 150 };
	static struct message m[N];
	static struct message one[N];
	static struct hf_gcm_job jobs[N];
	struct test_rng r;

	(void)state;
	(void)test_rng(&r, 77);
	for (size_t i = 0; i < N; i++) {
		message_new(&one[i], 300 + i, (size_t)test_rng_below(&r, AAD + 1),
			(size_t)test_rng_below(&r, i % 3 == 0 ? TEXT + 1 : 40));
		one[i].nonce_len = i % 10 == 9 ? 8 : HF_GCM_NONCE_LEN;
		m[i] = one[i];
		memcpy(m[i].text, m[i].plain, TEXT);
		memcpy(one[i].text, one[i].plain, TEXT);
		jobs[i] = (struct hf_gcm_job){ &m[i < 100 ? i / 40 : i].k, aead_of(&m[i]),
			HF_ERR_INTERNAL };
	}
	for (size_t i = 0; i < N; i++) {
		struct hf_aead a = aead_of(&one[i]);

		assert_ok(hf_gcm_seal(jobs[i].key, &a));
	}
	assert_ok(hf_gcm_seal_batch(jobs, N));
	for (size_t i = 0; i < N; i++) {
		assert_memory_equal(m[i].text, one[i].text, TEXT);
		assert_memory_equal(m[i].tag, one[i].tag, 16);
	}
	for (size_t i = 0; i < N; i += 7)
		m[i].tag[i % 16] ^= 0x80;
	assert_err(hf_gcm_open_batch(jobs, N), HF_ERR_AUTH);
	for (size_t i = 0; i < N; i++) {
		static const uint8_t zero[TEXT];

		assert_int_equal(jobs[i].result, i % 7 == 0 ? HF_ERR_AUTH : HF_OK);
		assert_memory_equal(m[i].text, i % 7 == 0 ? zero : m[i].plain, m[i].len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_altered_bit_of_a_byte_is_refused_and_output_zeroed),
		cmocka_unit_test(truncated_extended_and_shifted_messages_are_refused),
		cmocka_unit_test(lengths_that_the_mode_does_not_have_are_refused),
		cmocka_unit_test(a_stream_refuses_what_comes_too_late),
		cmocka_unit_test(agrees_with_libgcrypt_at_all_lengths_of_nonce_aad_text_and_tag),
		cmocka_unit_test(streams_cut_anywhere_give_the_same),
		cmocka_unit_test(streams_of_single_bytes_and_empty_pieces_give_the_same),
		cmocka_unit_test(long_messages_agree_with_libgcrypt_at_every_alignment),
		cmocka_unit_test(a_counter_about_to_wrap_keeps_its_upper_bytes),
		cmocka_unit_test(a_batch_gives_every_job_its_own_result),
		cmocka_unit_test(a_batch_of_any_mix_equals_single_messages),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
