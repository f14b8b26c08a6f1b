/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests use of cmocka, for machines that Debian has no cmocka for: the same names, the
 * first failed check ends a test, and the output and exit code are what CTest and people expect.
 */
#ifndef HF_TEST_MINI_CMOCKA_H
#define HF_TEST_MINI_CMOCKA_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

typedef void mini_test_fn(void **state);
typedef int mini_fixture_fn(void **state);

struct CMUnitTest {
	const char *name;
	mini_test_fn *test;
	mini_fixture_fn *set_up;
	mini_fixture_fn *tear_down;
};

/* Ends the running test as failed, or as skipped if what is NULL. */
_Noreturn void mini_stop(const char *file, int line, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
void mini_ints(const char *file, int line, uintmax_t a, uintmax_t b, int should_equal);
void mini_bytes(
	const char *file, int line, const void *a, const void *b, size_t len, int should_equal);
void mini_strings(const char *file, int line, const char *a, const char *b, int should_equal);
void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
int mini_run(const struct CMUnitTest *tests, size_t n, mini_fixture_fn *set_up,
	mini_fixture_fn *tear_down);

#define MINI_AT_ __FILE__, __LINE__
#define assert_true(x) \
	do { \
		if (!(x)) \
			mini_stop(MINI_AT_, "%s", #x); \
	} while (0)
#define assert_false(x)                  assert_true(!(x))
#define assert_null(p)                   assert_true((p) == NULL)
#define assert_non_null(p)               assert_true((p) != NULL)
#define assert_ptr_equal(a, b)           assert_true((const void *)(a) == (const void *)(b))
#define assert_ptr_not_equal(a, b)       assert_true((const void *)(a) != (const void *)(b))
#define assert_int_equal(a, b)           mini_ints(MINI_AT_, (uintmax_t)(a), (uintmax_t)(b), 1)
#define assert_int_not_equal(a, b)       mini_ints(MINI_AT_, (uintmax_t)(a), (uintmax_t)(b), 0)
#define assert_in_range(x, lo, hi)       assert_true((x) >= (lo) && (x) <= (hi))
#define assert_memory_equal(a, b, n)     mini_bytes(MINI_AT_, a, b, n, 1)
#define assert_memory_not_equal(a, b, n) mini_bytes(MINI_AT_, a, b, n, 0)
#define assert_string_equal(a, b)        mini_strings(MINI_AT_, a, b, 1)
#define assert_string_not_equal(a, b)    mini_strings(MINI_AT_, a, b, 0)
#define fail_msg(...)                    mini_stop(MINI_AT_, __VA_ARGS__)
#define fail()                           mini_stop(MINI_AT_, "failed")
#define skip()                           mini_stop(MINI_AT_, NULL)

#define cmocka_unit_test(f) \
	{ \
#f, f, NULL, NULL \
	}
#define cmocka_unit_test_setup_teardown(f, up, down) \
	{ \
#f, f, up, down \
	}
#define cmocka_run_group_tests(tests, up, down) \
	mini_run(tests, sizeof(tests) / sizeof((tests)[0]), up, down)

#endif
