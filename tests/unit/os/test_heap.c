/* SPDX-License-Identifier: Apache-2.0 */
/* The limited heap gives no byte too many and forgets none that comes back. */
#include "test.h"

#include <stdio.h>

#include "os/heap.h"

static void refuses_one_byte_too_many(void **state)
{
	struct hf_heap h;
	void *a;
	void *b;

	(void)state;
	hf_heap_init(&h, 100);
	a = h.mem.get(h.mem.ctx, 60);
	assert_non_null(a);
	assert_null(h.mem.get(h.mem.ctx, 41));
	b = h.mem.get(h.mem.ctx, 40);
	assert_non_null(b);
	assert_null(h.mem.get(h.mem.ctx, 1));
	hf_mem_free(&h.mem, a);
	assert_int_equal(hf_heap_used(&h), 40);
	hf_mem_free(&h.mem, b);
	assert_int_equal(hf_heap_used(&h), 0);
	assert_int_equal(hf_heap_peak(&h), 100);
}

static void refuses_a_length_that_overflows(void **state)
{
	struct hf_heap h;

	(void)state;
	hf_heap_init(&h, SIZE_MAX);
	assert_null(h.mem.get(h.mem.ctx, SIZE_MAX));
	assert_null(h.mem.get(h.mem.ctx, SIZE_MAX / 2 + 1));
	assert_int_equal(hf_heap_used(&h), 0);
}

static void gives_aligned_memory(void **state)
{
	struct hf_heap h;
	void *p;

	(void)state;
	hf_heap_init(&h, 1000);
	p = hf_mem_new(&h.mem, 3);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	hf_mem_free(&h.mem, p);
	p = hf_mem_new(hf_os_mem(), 0);
	hf_mem_free(hf_os_mem(), p);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static long resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long n = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %ld", &n), 1);
	(void)fclose(f);
	return n;
}

/* Twice: glibc learns from the first time, and would keep what is freed the second time. */
static void thrifty_memory_goes_back(void **state)
{
	enum { N = 8, LEN = 1 << 20, PAGE = 4096 };
	void *p[N];
	long before;

	(void)state;
	hf_os_mem_thrifty();
	before = resident_pages();
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < N; i++) {
			p[i] = hf_mem_new(hf_os_mem(), LEN);
			assert_non_null(p[i]);
			memset(p[i], 1, LEN);
		}
		assert_true(resident_pages() - before > N * LEN / PAGE / 2);
		for (size_t i = N; i > 0; i--)
			hf_mem_free(hf_os_mem(), p[i - 1]);
	}
	assert_true(resident_pages() - before < LEN / PAGE);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_one_byte_too_many),
		cmocka_unit_test(refuses_a_length_that_overflows),
		cmocka_unit_test(gives_aligned_memory),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(thrifty_memory_goes_back),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
