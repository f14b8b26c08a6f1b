/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded writer writes nothing after the first overflow, and never beyond its storage. */
#include "test.h"

#include "base/wr.h"

/* Writes one of each; 27 bytes. */
static void write_all(struct hf_writer *w)
{
	size_t mark;

	hf_wr_u8(w, 1);
	hf_wr_u16(w, 0x0203);
	hf_wr_u24(w, 0x040506);
	hf_wr_u32(w, 0x0708090a);
	hf_wr_u64(w, UINT64_C(0x0b0c0d0e0f101112));
	mark = hf_wr_open(w, 2);
	hf_wr_str(w, "abc");
	hf_wr_put(w, "\x13\x14", 2);
	hf_wr_put(w, NULL, 0);
	hf_wr_close(w, mark, 2);
	(void)hf_wr_room(w, 2);
}

static const uint8_t all[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0, 5,
	'a', 'b', 'c', 0x13, 0x14, 0xee, 0xee };

static void overflows_in_every_shorter_storage_and_stays_within(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < sizeof(all); cap++) {
		uint8_t *out = malloc(cap + (cap == 0));
		struct hf_writer w = { .p = out, .cap = cap };
		size_t len;

		write_all(&w);
		assert_err(hf_wr_done(&w), HF_ERR_LIMIT);
		assert_true(w.len <= cap);
		len = w.len;
		hf_wr_u8(&w, 9);
		assert_null(hf_wr_room(&w, 0));
		assert_int_equal(w.len, len);
		free(out);
	}
}

static void writes_big_endian_with_its_prefixes(void **state)
{
	uint8_t *out = malloc(sizeof(all));
	struct hf_writer w = { .p = out, .cap = sizeof(all) };

	(void)state;
	memset(out, 0xee, sizeof(all));
	write_all(&w);
	assert_ok(hf_wr_done(&w));
	assert_int_equal(w.len, sizeof(all));
	assert_memory_equal(out, all, sizeof(all));
	free(out);
}

static void a_prefix_holds_as_much_as_it_can_count_and_no_byte_more(void **state)
{
	static uint8_t out[70000];

	(void)state;
	for (unsigned prefix = 1; prefix <= 2; prefix++) {
		size_t most = ((size_t)1 << 8 * prefix) - 1;

		for (size_t more = 0; more < 2; more++) {
			struct hf_writer w = { .p = out, .cap = sizeof(out) };
			size_t mark = hf_wr_open(&w, prefix);

			assert_non_null(hf_wr_room(&w, most + more));
			hf_wr_close(&w, mark, prefix);
			assert_err(hf_wr_done(&w), more == 0 ? HF_OK : HF_ERR_LIMIT);
		}
	}
}

static void lengths_near_the_end_of_numbers_are_refused(void **state)
{
	uint8_t out[4];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };

	(void)state;
	hf_wr_u8(&w, 1);
	assert_null(hf_wr_room(&w, SIZE_MAX));
	assert_err(hf_wr_done(&w), HF_ERR_LIMIT);
	assert_int_equal(w.len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overflows_in_every_shorter_storage_and_stays_within),
		cmocka_unit_test(writes_big_endian_with_its_prefixes),
		cmocka_unit_test(a_prefix_holds_as_much_as_it_can_count_and_no_byte_more),
		cmocka_unit_test(lengths_near_the_end_of_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
