/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences at their limits; their nonces against single calls whose nonces are made here. */
#include "test.h"

#include "base/attr.h"
#include "base/endian.h"
#include "crypto/module.h"
#include "crypto/seq.h"

enum { TEXT = 45, AAD = 7, LIMIT = 3 };

static const uint8_t key[HF_SM4_KEY_LEN] = "a key of a test";
static const uint8_t iv[HF_GCM_NONCE_LEN] = { 9, 8, 7, 6, 0xff, 0xfe, 3, 0, 0, 0xff, 1, 0x80 };
static const uint8_t plain[TEXT] = "a message, and a part of the next block of it";

/* Both modes behind one face. */
struct seq {
	bool is_ccm;
	struct hf_gcm_seq gcm;
	struct hf_ccm_seq ccm;
};

static hf_err seq_init(struct seq *s, uint64_t limit)
{
	return s->is_ccm ? hf_ccm_seq_init(&s->ccm, key, iv, limit)
			 : hf_gcm_seq_init(&s->gcm, key, iv, limit);
}

static struct hf_aead_count *count_of(struct seq *s)
{
	return s->is_ccm ? &s->ccm.count : &s->gcm.count;
}

static hf_err seq_seal(struct seq *s, const struct hf_aead *a)
{
	return s->is_ccm ? hf_ccm_seq_seal(&s->ccm, a) : hf_gcm_seq_seal(&s->gcm, a);
}

static hf_err seq_open(struct seq *s, const struct hf_aead *a)
{
	return s->is_ccm ? hf_ccm_seq_open(&s->ccm, a) : hf_gcm_seq_open(&s->gcm, a);
}

static void seq_clear(struct seq *s)
{
	if (s->is_ccm)
		hf_ccm_seq_clear(&s->ccm);
	else
		hf_gcm_seq_clear(&s->gcm);
}

struct sealed {
	uint8_t text[TEXT];
	uint8_t tag[HF_GCM_TAG_LEN];
};

static struct hf_aead to_seal(struct sealed *m)
{
	return (struct hf_aead){ NULL, 0, iv, AAD, plain, TEXT, m->text, m->tag, sizeof(m->tag) };
}

/* Opens a copy; what came out must be the message, or zeros. */
static hf_err open_copy(struct seq *s, const struct sealed *m)
{
	static const uint8_t zeros[TEXT];
	struct sealed copy = *m;
	uint8_t out[TEXT];
	struct hf_aead a = { NULL, 0, iv, AAD, copy.text, TEXT, out, copy.tag, sizeof(copy.tag) };
	hf_err e;

	memset(out, 7, sizeof(out));
	e = seq_open(s, &a);
	if (e == HF_OK)
		assert_memory_equal(out, plain, TEXT);
	if (e == HF_ERR_AUTH)
		assert_memory_equal(out, zeros, TEXT);
	return e;
}

/* What message n must be, by the calls that take a nonce. */
static void expect_number(const struct seq *s, const struct sealed *m, uint64_t n)
{
	uint8_t nonce[HF_GCM_NONCE_LEN];
	struct sealed want;
	struct hf_aead a = to_seal(&want);

	memcpy(nonce, iv, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(n >> 8 * i);
	a.nonce = nonce;
	a.nonce_len = sizeof(nonce);
	assert_ok(s->is_ccm ? hf_ccm_seal(&s->ccm.key, &a) : hf_gcm_seal(&s->gcm.key, &a));
	assert_memory_equal(m, &want, sizeof(want));
}

static void seals_up_to_the_limit_and_not_once_more(bool is_ccm)
{
	struct seq tx = { .is_ccm = is_ccm };
	struct seq rx = { .is_ccm = is_ccm };
	struct sealed m;
	struct hf_aead a = to_seal(&m);

	assert_ok(seq_init(&tx, LIMIT));
	assert_ok(seq_init(&rx, 1)); /* the limit binds who seals */
	for (uint64_t n = 0; n < LIMIT; n++) {
		assert_ok(seq_seal(&tx, &a));
		expect_number(&tx, &m, n);
		assert_ok(open_copy(&rx, &m));
		assert_err(open_copy(&rx, &m), HF_ERR_AUTH); /* repeated */
	}
	memset(&m, 7, sizeof(m));
	for (int again = 0; again < 3; again++)
		assert_err(seq_seal(&tx, &a), HF_ERR_LIMIT);
	for (size_t i = 0; i < sizeof(m); i++)
		assert_int_equal(((const uint8_t *)&m)[i], 7);
	assert_int_equal(count_of(&tx)->n, LIMIT);
	seq_clear(&tx);
	seq_clear(&rx);
}

static void gcm_stops_at_its_limit(void **state)
{
	(void)state;
	seals_up_to_the_limit_and_not_once_more(false);
}

static void ccm_stops_at_its_limit(void **state)
{
	(void)state;
	seals_up_to_the_limit_and_not_once_more(true);
}

static void a_limit_that_cannot_be_is_refused(void **state)
{
	struct seq s = { .is_ccm = true };

	(void)state;
	assert_err(seq_init(&s, 0), HF_ERR_ARG);
	assert_err(seq_init(&s, HF_CCM_SEQ_MAX + 1), HF_ERR_ARG);
	assert_ok(seq_init(&s, HF_CCM_SEQ_MAX));
	s.is_ccm = false;
	assert_err(seq_init(&s, 0), HF_ERR_ARG);
	assert_ok(seq_init(&s, UINT64_MAX));
}

/* The widest numbers: every byte of them reaches the nonce, and none comes back as 0. */
static void the_last_number_is_never_passed(void **state)
{
	static const uint64_t numbers[] = { UINT64_C(0xff), UINT64_C(0x8000000000000001),
		UINT64_MAX - 1 };
	struct sealed m;
	struct hf_aead a = to_seal(&m);

	(void)state;
	for (int is_ccm = 0; is_ccm < 2; is_ccm++) {
		struct seq s = { .is_ccm = is_ccm != 0 };

		assert_ok(seq_init(&s, HF_CCM_SEQ_MAX));
		count_of(&s)->limit = UINT64_MAX;
		for (size_t i = 0; i < HF_COUNT(numbers); i++) {
			count_of(&s)->n = numbers[i];
			assert_ok(seq_seal(&s, &a));
			expect_number(&s, &m, numbers[i]);
			count_of(&s)->n = numbers[i];
			assert_ok(open_copy(&s, &m));
		}
		assert_int_equal(count_of(&s)->n, UINT64_MAX);
		assert_err(seq_seal(&s, &a), HF_ERR_LIMIT);
		assert_err(open_copy(&s, &m), HF_ERR_LIMIT);
	}
}

static void altered_and_swapped_messages_are_refused_and_use_no_number(void **state)
{
	struct sealed m[2];

	(void)state;
	for (int is_ccm = 0; is_ccm < 2; is_ccm++) {
		struct seq s = { .is_ccm = is_ccm != 0 };
		struct hf_aead first = to_seal(&m[0]);
		struct hf_aead second = to_seal(&m[1]);

		assert_ok(seq_init(&s, LIMIT));
		assert_ok(seq_seal(&s, &first));
		assert_ok(seq_seal(&s, &second));
		count_of(&s)->n = 0;
		assert_err(open_copy(&s, &m[1]), HF_ERR_AUTH);
		m[0].tag[3] ^= 1;
		assert_err(open_copy(&s, &m[0]), HF_ERR_AUTH);
		m[0].tag[3] ^= 1;
		assert_ok(open_copy(&s, &m[0]));
		assert_ok(open_copy(&s, &m[1]));
	}
}

static void a_nonce_of_the_caller_is_refused_and_uses_no_number(void **state)
{
	struct sealed m;

	(void)state;
	for (int is_ccm = 0; is_ccm < 2; is_ccm++) {
		struct seq s = { .is_ccm = is_ccm != 0 };
		struct hf_aead a = to_seal(&m);

		assert_ok(seq_init(&s, LIMIT));
		a.nonce = iv;
		assert_err(seq_seal(&s, &a), HF_ERR_ARG);
		assert_err(seq_open(&s, &a), HF_ERR_ARG);
		a.nonce = NULL;
		a.nonce_len = 12;
		assert_err(seq_seal(&s, &a), HF_ERR_ARG);
		assert_err(seq_open(&s, &a), HF_ERR_ARG);
		assert_int_equal(count_of(&s)->n, 0);
	}
}

/* A number that was given out does not come back, even if nothing was sealed under it. */
static void a_seal_that_fails_uses_its_number(void **state)
{
	struct sealed m;

	(void)state;
	for (int is_ccm = 0; is_ccm < 2; is_ccm++) {
		struct seq s = { .is_ccm = is_ccm != 0 };
		struct hf_aead a = to_seal(&m);

		assert_ok(seq_init(&s, LIMIT));
		a.tag_len = 3;
		assert_err(seq_seal(&s, &a), HF_ERR_ARG);
		a.tag_len = sizeof(m.tag);
		assert_ok(seq_seal(&s, &a));
		expect_number(&s, &m, 1);
	}
}

static void a_sequence_that_was_not_begun_or_has_ended_is_refused(void **state)
{
	struct sealed m = { .tag = { 0 } };
	struct hf_aead a = to_seal(&m);

	(void)state;
	for (int is_ccm = 0; is_ccm < 2; is_ccm++) {
		struct seq s = { .is_ccm = is_ccm != 0 };

		assert_err(seq_seal(&s, &a), HF_ERR_STATE);
		assert_err(open_copy(&s, &m), HF_ERR_STATE);
		assert_ok(seq_init(&s, LIMIT));
		seq_clear(&s);
		assert_err(seq_seal(&s, &a), HF_ERR_STATE);
		assert_err(open_copy(&s, &m), HF_ERR_STATE);
	}
}

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_that_cannot_be_is_refused),
		cmocka_unit_test(a_nonce_of_the_caller_is_refused_and_uses_no_number),
		cmocka_unit_test(a_sequence_that_was_not_begun_or_has_ended_is_refused),
		cmocka_unit_test(altered_and_swapped_messages_are_refused_and_use_no_number),
		cmocka_unit_test(gcm_stops_at_its_limit),
		cmocka_unit_test(ccm_stops_at_its_limit),
		cmocka_unit_test(the_last_number_is_never_passed),
		cmocka_unit_test(a_seal_that_fails_uses_its_number),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
