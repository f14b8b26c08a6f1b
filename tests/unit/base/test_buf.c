/* SPDX-License-Identifier: Apache-2.0 */
/* The growing buffer never passes its maximum, changes nothing on failure, and wipes what it
 * leaves. */
#include "test.h"

#include "base/buf.h"

/* An allocator that looks at what it is given back: every byte must be zero. */
struct watch {
	size_t len[8]; /* of what is out */
	void *p[8];
	unsigned n_dirty;
	unsigned n_back;
};

static void *watch_get(void *ctx, size_t len)
{
	struct watch *w = ctx;

	for (size_t i = 0; i < 8; i++) {
		if (w->p[i] != NULL)
			continue;
		w->p[i] = malloc(len == 0 ? 1 : len);
		w->len[i] = len;
		return w->p[i];
	}
	return NULL;
}

static void watch_put(void *ctx, void *p)
{
	struct watch *w = ctx;

	for (size_t i = 0; i < 8; i++) {
		if (w->p[i] != p)
			continue;
		for (size_t k = 0; k < w->len[i]; k++)
			if (((uint8_t *)p)[k] != 0) {
				w->n_dirty++;
				break;
			}
		w->p[i] = NULL;
		w->n_back++;
	}
	free(p);
}

static void refuses_one_byte_more_than_its_maximum(void **state)
{
	struct hf_buf b;
	uint8_t *room = NULL;

	(void)state;
	hf_buf_init(&b, &test_mem, 1000);
	assert_err(hf_buf_put(&b, "", 1001), HF_ERR_LIMIT);
	assert_null(b.p);
	for (size_t i = 0; i < 1000; i++)
		assert_ok(hf_buf_put(&b, "x", 1));
	assert_err(hf_buf_put(&b, "y", 1), HF_ERR_LIMIT);
	assert_err(hf_buf_room(&b, &room, SIZE_MAX), HF_ERR_LIMIT);
	assert_err(hf_buf_room(&b, &room, SIZE_MAX - 999), HF_ERR_LIMIT);
	assert_null(room);
	assert_int_equal(b.len, 1000);
	assert_true(b.cap <= 1000);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(b.p[i], 'x');
	assert_ok(hf_buf_put(&b, NULL, 0));
	hf_buf_clear(&b);
}

static void a_maximum_of_nothing_holds_nothing(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, &test_mem, 0);
	assert_ok(hf_buf_put(&b, NULL, 0));
	assert_err(hf_buf_put(&b, "x", 1), HF_ERR_LIMIT);
	hf_buf_clear(&b);
}

static void is_as_before_when_there_is_no_memory(void **state)
{
	uint8_t first[300];
	struct hf_buf b;

	(void)state;
	memset(first, 7, sizeof(first));
	hf_buf_init(&b, &test_mem, 1 << 20);
	test_mem_fail_at(1);
	assert_err(hf_buf_put(&b, first, sizeof(first)), HF_ERR_NO_MEMORY);
	assert_int_equal(b.len, 0);
	assert_ok(hf_buf_put(&b, first, sizeof(first)));
	test_mem_fail_at(1);
	assert_err(hf_buf_put(&b, first, sizeof(first)), HF_ERR_NO_MEMORY);
	test_mem_fail_at(0);
	assert_int_equal(b.len, sizeof(first));
	assert_memory_equal(b.p, first, sizeof(first));
	hf_buf_clear(&b);
}

static void every_piece_of_memory_comes_back_wiped(void **state)
{
	struct watch w = { .n_dirty = 0 };
	struct hf_mem mem = { watch_get, watch_put, &w };
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, &mem, 1 << 20);
	for (size_t i = 0; i < 5000; i++)
		assert_ok(hf_buf_put(&b, "secret", 6));
	hf_buf_drop(&b, 10000);
	hf_buf_reset(&b);
	assert_ok(hf_buf_put(&b, "again", 5));
	hf_buf_clear(&b);
	assert_int_equal(w.n_dirty, 0);
	assert_true(w.n_back > 3);
	for (size_t i = 0; i < 8; i++)
		assert_null(w.p[i]);
}

static void what_is_dropped_or_reset_leaves_no_trace(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, &test_mem, 100);
	assert_ok(hf_buf_put(&b, "0123456789", 10));
	hf_buf_drop(&b, 0);
	hf_buf_drop(&b, 4);
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.p, "456789\0\0\0\0", 10);
	hf_buf_drop(&b, 7);
	assert_int_equal(b.len, 0);
	assert_memory_equal(b.p, "\0\0\0\0\0\0\0\0\0\0", 10);
	assert_ok(hf_buf_put(&b, "abc", 3));
	hf_buf_reset(&b);
	assert_memory_equal(b.p, "\0\0\0", 3);
	hf_buf_clear(&b);
	hf_buf_clear(&b);
	hf_buf_clear(&(struct hf_buf){ 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_one_byte_more_than_its_maximum),
		cmocka_unit_test(a_maximum_of_nothing_holds_nothing),
		cmocka_unit_test(is_as_before_when_there_is_no_memory),
		cmocka_unit_test(every_piece_of_memory_comes_back_wiped),
		cmocka_unit_test(what_is_dropped_or_reset_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
