/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the tests of a program one after another; see cmocka.h beside this file. */
#include "cmocka.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PASSED = 0,
	FAILED = 1,
	SKIPPED = 2,
};

static jmp_buf back;

void mini_stop(const char *file, int line, const char *what, ...)
{
	va_list ap;

	if (what == NULL)
		longjmp(back, SKIPPED);
	va_start(ap, what);
	(void)fprintf(stderr, "%s:%d: ", file, line);
	(void)vfprintf(stderr, what, ap);
	(void)fprintf(stderr, "\n");
	va_end(ap);
	longjmp(back, FAILED);
}

void mini_ints(const char *file, int line, uintmax_t a, uintmax_t b, int should_equal)
{
	if ((a == b) != (should_equal != 0))
		mini_stop(file, line, "%#jx %s %#jx", a, should_equal ? "!=" : "==", b);
}

void mini_bytes(
	const char *file, int line, const void *a, const void *b, size_t len, int should_equal)
{
	if ((len == 0 || memcmp(a, b, len) == 0) != (should_equal != 0))
		mini_stop(file, line, "%zu bytes %s", len, should_equal ? "differ" : "are equal");
}

void mini_strings(const char *file, int line, const char *a, const char *b, int should_equal)
{
	if ((strcmp(a, b) == 0) != (should_equal != 0))
		mini_stop(file, line, "\"%s\" %s \"%s\"", a, should_equal ? "!=" : "==", b);
}

void print_message(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vprintf(format, ap);
	va_end(ap);
}

static int run_one(const struct CMUnitTest *t, void *group)
{
	void *state = group;
	int result;

	if (t->set_up != NULL && t->set_up(&state) != 0)
		return FAILED;
	result = setjmp(back);
	if (result == PASSED)
		t->test(&state);
	if (t->tear_down != NULL && t->tear_down(&state) != 0)
		return FAILED;
	return result;
}

static int set_up_group(mini_fixture_fn *set_up, void **state)
{
	if (set_up == NULL || (setjmp(back) == PASSED && set_up(state) == 0))
		return 0;
	(void)fprintf(stderr, "the set-up of the group failed\n");
	return 1;
}

int mini_run(const struct CMUnitTest *tests, size_t n, mini_fixture_fn *set_up,
	mini_fixture_fn *tear_down)
{
	static const char *const words[] = { "OK", "FAILED", "SKIPPED" };
	void *state = NULL;
	int n_failed = 0;

	if (set_up_group(set_up, &state) != 0)
		return 1;
	for (size_t i = 0; i < n; i++) {
		int result = run_one(&tests[i], state);

		printf("[ %8s ] %s\n", words[result], tests[i].name);
		(void)fflush(stdout);
		n_failed += result == FAILED;
	}
	if (tear_down != NULL && tear_down(&state) != 0)
		n_failed++;
	printf("%zu tests, %d failed\n", n, n_failed);
	return n_failed;
}
