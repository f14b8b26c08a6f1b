/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integrity records, of each kind, over a piece of this program's own code and constants: the right
 * one is accepted, and no flipped bit of it is, nor does any turn the test off. What the build
 * writes into whole programs is tested by tests/e2e/test_selftest.py.
 */
#include "test.h"

#include "base/attr.h"
#include "base/endian.h"
#include "crypto/integrity.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"

enum { CODE_LEN = 16 };

static void set_span(struct hf_integrity *r, struct hf_bytes *span, size_t i)
{
	hf_put_be64(r->spans[i].at, (uint64_t)((uintptr_t)span->p - (uintptr_t)r));
	hf_put_be64(r->spans[i].len, span->len);
}

/* Tags over the beginning of hf_module_start() and over the constants of SM3. */
static void write_tags(struct hf_integrity *r)
{
	struct hf_bytes spans[HF_INTEGRITY_SPANS] = {
		{ (const uint8_t *)(uintptr_t)&hf_module_start, CODE_LEN },
		{ (const uint8_t *)hf_sm3_t, 16 },
		{ (const uint8_t *)hf_sm3_t, 0 },
	};

	for (size_t i = 0; i < HF_COUNT(spans); i++)
		set_span(r, &spans[i], i);
	hf_integrity_head_tag(r->head_tag, r);
	hf_integrity_tag(r->tag, r, spans);
}

static const enum hf_integrity_kind kinds[] = { HF_INTEGRITY_MUST, HF_INTEGRITY_LATER,
	HF_INTEGRITY_NONE };

static struct hf_integrity record_of(enum hf_integrity_kind kind)
{
	struct hf_integrity r = HF_INTEGRITY_RECORD((uint8_t)kind);

	return r;
}

static void every_kind_is_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		struct hf_integrity r = record_of(kinds[i]);

		assert_int_equal(hf_integrity_kind_get(&r), kinds[i]);
	}
}

static void no_word_with_up_to_three_flipped_bits_is_a_kind(void **state)
{
	enum { BITS = 64 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		for (unsigned a = 0; a < BITS; a++)
			for (unsigned b = a; b < BITS; b++)
				for (unsigned c = b; c < BITS; c++) {
					struct hf_integrity r = record_of(kinds[i]);
					uint64_t flips = UINT64_C(1) << a | UINT64_C(1) << b |
							 UINT64_C(1) << c;

					hf_put_be64(r.kind, hf_get_be64(r.kind) ^ flips);
					assert_int_equal(
						hf_integrity_kind_get(&r), HF_INTEGRITY_BROKEN);
				}
}

static void no_other_byte_is_a_kind(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		struct hf_integrity r = HF_INTEGRITY_RECORD((uint8_t)byte);
		bool is_kind = byte == HF_INTEGRITY_MUST || byte == HF_INTEGRITY_LATER ||
			       byte == HF_INTEGRITY_NONE;

		assert_int_equal(hf_integrity_kind_get(&r), is_kind ? byte : HF_INTEGRITY_BROKEN);
	}
}

static void tags_decide_about_what_must_have_them(void **state)
{
	struct hf_integrity must = record_of(HF_INTEGRITY_MUST);
	struct hf_integrity later = record_of(HF_INTEGRITY_LATER);
	struct hf_integrity none = record_of(HF_INTEGRITY_NONE);

	(void)state;
	assert_false(hf_integrity_is_good(&must)); /* not written */
	assert_true(hf_integrity_is_good(&later));
	assert_true(hf_integrity_is_good(&none));
	write_tags(&must);
	assert_true(hf_integrity_is_good(&must));
	write_tags(&later);
	assert_true(hf_integrity_is_good(&later));
}

static void a_record_with_one_flipped_bit_is_refused(void **state)
{
	static const enum hf_integrity_kind tested[] = { HF_INTEGRITY_MUST, HF_INTEGRITY_LATER };

	(void)state;
	for (size_t k = 0; k < HF_COUNT(tested); k++) {
		/* In its place: spans count from the record. */
		struct hf_integrity r = record_of(tested[k]);
		uint8_t *bytes = (uint8_t *)&r;

		write_tags(&r);
		for (size_t bit = 0; bit < 8 * sizeof(r); bit++) {
			bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_false(hf_integrity_is_good(&r));
			bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		assert_true(hf_integrity_is_good(&r));
	}
}

/* Tags do not make a kind of what is none: who wrote them did not know it either. */
static void a_kind_that_is_not_known_is_refused_with_good_tags(void **state)
{
	struct hf_integrity r = record_of(HF_INTEGRITY_MUST);

	(void)state;
	r.kind[3] ^= 4;
	write_tags(&r);
	assert_false(hf_integrity_is_good(&r));
}

static void spans_that_do_not_hold_this_code_are_refused(void **state)
{
	struct hf_integrity r = record_of(HF_INTEGRITY_MUST);
	struct hf_bytes spans[HF_INTEGRITY_SPANS];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(spans); i++) {
		spans[i] = (struct hf_bytes){ (const uint8_t *)hf_sm3_t, 16 };
		set_span(&r, &spans[i], i);
	}
	hf_integrity_head_tag(r.head_tag, &r);
	hf_integrity_tag(r.tag, &r, spans);
	assert_false(hf_integrity_is_good(&r));
}

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_read_back),
		cmocka_unit_test(no_word_with_up_to_three_flipped_bits_is_a_kind),
		cmocka_unit_test(no_other_byte_is_a_kind),
		cmocka_unit_test(tags_decide_about_what_must_have_them),
		cmocka_unit_test(a_record_with_one_flipped_bit_is_refused),
		cmocka_unit_test(a_kind_that_is_not_known_is_refused_with_good_tags),
		cmocka_unit_test(spans_that_do_not_hold_this_code_are_refused),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
