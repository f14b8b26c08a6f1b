/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs code that writes files in a child and kills it right before its n-th call that changes a
 * file, as kill -9 would; or cuts the power there, as far as data goes: every file it wrote falls
 * back to what it last synced (to what it was before, or to nothing, if it never did). Renames and
 * new names that no directory sync covered are *not* undone.
 */
#ifndef HF_TEST_CRASH_H
#define HF_TEST_CRASH_H

#include <stdbool.h>

enum test_crash_how { TEST_KILL, TEST_POWER_CUT };
enum { TEST_CRASH_DONE = -1, TEST_CRASH_UNABLE = -2 };

/*
 * body runs in a child; dir is where its files are. Gives the number of calls that were made (n -
 * 1) if it was stopped, TEST_CRASH_DONE if it ended with 0 before its n-th call, TEST_CRASH_UNABLE
 * if this system does not allow tracing; fails the test if body ended otherwise.
 */
int test_crash_at(
	unsigned n, enum test_crash_how how, const char *dir, int (*body)(void *ctx), void *ctx);

#endif
