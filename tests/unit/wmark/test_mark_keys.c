/* SPDX-License-Identifier: Apache-2.0 */
/* What the mark key decides: the same for the same content and recipient, another for any other. */
#include "test.h"

#include "crypto/module.h"
#include "wmark/mark_keys.h"

enum { SITES = 8192, WORD = SITES / 8 };

static const uint8_t key[HF_MARK_KEY_LEN] = { 1, 2, 3 };
static const struct hf_mark_content content = { 0, 300, 700, 0, { 9, 8, 7 } };

static void keys_of(struct hf_mark_tensor_keys *t, struct hf_mark_keys *k, const uint8_t *mark_key,
	const struct hf_mark_content *c)
{
	assert_ok(hf_mark_keys_init(k, mark_key));
	assert_ok(hf_mark_tensor_keys_init(t, k, c));
}

/* All that is derived for a tensor and a recipient: positions, chips, classes, word. */
static void derive(uint8_t out[4][WORD], const uint8_t *mark_key, const struct hf_mark_content *c,
	const char *recipient)
{
	static uint8_t bias[2 * SITES];
	static uint8_t cls[SITES];
	struct hf_mark_keys k;
	struct hf_mark_tensor_keys t;
	struct hf_sm4_key r;

	keys_of(&t, &k, mark_key, c);
	assert_ok(hf_mark_stream(out[0], WORD, &t, HF_MARK_SITE));
	assert_ok(hf_mark_stream(out[1], WORD, &t, HF_MARK_CHIP));
	assert_ok(hf_mark_stream(bias, sizeof(bias), &t, HF_MARK_BIAS));
	hf_mark_classes(cls, bias, SITES);
	memcpy(out[2], cls, WORD);
	assert_ok(hf_mark_word_key(&r, &k, hf_bytes_str(recipient)));
	memset(out[3], 0, WORD);
	assert_ok(hf_mark_word_put(out[3], 0, &r, &t, cls, SITES));
	hf_sm4_clear(&r);
	hf_mark_tensor_keys_clear(&t);
	hf_mark_keys_clear(&k);
}

static void the_same_comes_out_again(void **state)
{
	static uint8_t a[4][WORD];
	static uint8_t b[4][WORD];

	(void)state;
	derive(a, key, &content, "Alpha Ltd");
	derive(b, key, &content, "Alpha Ltd");
	assert_memory_equal(a, b, sizeof(a));
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(a[i], a[j], WORD);
}

static void any_other_content_or_key_gives_fresh_marks(void **state)
{
	static uint8_t a[4][WORD];
	static uint8_t b[4][WORD];

	(void)state;
	derive(a, key, &content, "Alpha Ltd");
	for (unsigned i = 0; i < 6; i++) {
		struct hf_mark_content c = content;
		uint8_t other[HF_MARK_KEY_LEN];

		memcpy(other, key, sizeof(other));
		c.type ^= i == 0;
		c.rows ^= i == 1;
		c.cols ^= i == 2;
		c.n_before ^= i == 3;
		c.digest[31] ^= i == 4;
		other[31] ^= i == 5;
		derive(b, other, &c, "Alpha Ltd");
		for (unsigned j = 0; j < 4; j++)
			assert_memory_not_equal(a[j], b[j], WORD);
	}
}

static void another_recipient_changes_the_word_alone(void **state)
{
	static uint8_t a[4][WORD];
	static uint8_t b[4][WORD];

	(void)state;
	derive(a, key, &content, "Alpha Ltd");
	derive(b, key, &content, "Alpha Ltd.");
	assert_memory_equal(a, b, sizeof(a[0]) * 3);
	assert_memory_not_equal(a[3], b[3], WORD);
}

static void ones_are_as_frequent_as_the_class_says(void **state)
{
	static uint8_t bias[2 * SITES];
	static uint8_t cls[SITES];
	static uint8_t word[WORD];
	double n[HF_MARK_CLASSES] = { 0 };
	double ones[HF_MARK_CLASSES] = { 0 };
	struct hf_mark_keys k;
	struct hf_mark_tensor_keys t;

	(void)state;
	keys_of(&t, &k, key, &content);
	assert_ok(hf_mark_stream(bias, sizeof(bias), &t, HF_MARK_BIAS));
	hf_mark_classes(cls, bias, SITES);
	for (unsigned u = 0; u < 64; u++) {
		char name[2] = { (char)(' ' + u), 0 };
		struct hf_sm4_key r;

		assert_ok(hf_mark_word_key(&r, &k, hf_bytes_str(name)));
		assert_ok(hf_mark_word_put(word, 0, &r, &t, cls, SITES));
		for (size_t j = 0; j < SITES; j++) {
			n[cls[j]]++;
			ones[cls[j]] += word[j >> 3] >> (j & 7) & 1;
		}
	}
	for (unsigned c = 0; c < HF_MARK_CLASSES; c++) {
		double p = hf_mark_threshold[c] / 256.0;
		double off = ones[c] - n[c] * p;

		assert_true(n[c] > 64.0 * SITES / HF_MARK_CLASSES * 0.9);
		assert_true(off * off < 25 * n[c] * p * (1 - p)); /* five standard deviations */
	}
}

static void a_word_of_two_tensors_keeps_the_bits_around_it(void **state)
{
	static const uint8_t cls[7] = { 0, 1, 2, 3, 4, 4, 4 };
	static const uint8_t bytes[7] = { 11, 59, 127, 197, 243, 255, 0 }; /* 1 0 1 0 1 0 1 */
	uint8_t word[2] = { 0xff, 0xff };

	(void)state;
	hf_mark_word_pack(word, 5, bytes, cls, 7);
	assert_int_equal(word[0], 0x1f | 1 << 5 | 1 << 7);
	assert_int_equal(word[1], 0xf0 | 1 << 1 | 1 << 3);
}

static void long_words_are_the_same_in_pieces(void **state)
{
	static uint8_t cls[SITES];
	uint8_t all[WORD] = { 0 };
	uint8_t first[WORD] = { 0 };
	struct hf_mark_keys k;
	struct hf_mark_tensor_keys t;
	struct hf_sm4_key r;

	(void)state;
	memset(cls, 2, sizeof(cls));
	keys_of(&t, &k, key, &content);
	assert_ok(hf_mark_word_key(&r, &k, hf_bytes_str("x")));
	assert_ok(hf_mark_word_put(all, 0, &r, &t, cls, SITES));
	assert_ok(hf_mark_word_put(first, 0, &r, &t, cls, 1024 + 8));
	assert_memory_equal(all, first, (1024 + 8) / 8);
}

static void names_have_bounds(void **state)
{
	static const uint8_t name[HF_MARK_ID_MAX + 1] = { 'a' };
	struct hf_mark_keys k;
	struct hf_sm4_key r;

	(void)state;
	assert_ok(hf_mark_keys_init(&k, key));
	assert_err(hf_mark_word_key(&r, &k, (struct hf_bytes){ name, 0 }), HF_ERR_ARG);
	assert_err(hf_mark_word_key(&r, &k, (struct hf_bytes){ name, sizeof(name) }), HF_ERR_ARG);
	assert_ok(hf_mark_word_key(&r, &k, (struct hf_bytes){ name, HF_MARK_ID_MAX }));
}

static void without_the_module_there_are_no_keys(void **state)
{
	struct hf_mark_keys k;

	(void)state;
	assert_err(hf_mark_keys_init(&k, key), HF_ERR_SELF_TEST);
}

int main(void)
{
	const struct CMUnitTest before[] = {
		cmocka_unit_test(without_the_module_there_are_no_keys),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_comes_out_again),
		cmocka_unit_test(any_other_content_or_key_gives_fresh_marks),
		cmocka_unit_test(another_recipient_changes_the_word_alone),
		cmocka_unit_test(ones_are_as_frequent_as_the_class_says),
		cmocka_unit_test(a_word_of_two_tensors_keeps_the_bits_around_it),
		cmocka_unit_test(long_words_are_the_same_in_pieces),
		cmocka_unit_test(names_have_bounds),
	};
	int failed = cmocka_run_group_tests(before, NULL, NULL);

	if (hf_module_start(0) != HF_OK)
		return 1;
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
