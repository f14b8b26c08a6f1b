/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for one test, and what tests of files need: a full disk, another user. */
#ifndef HF_TEST_TMP_H
#define HF_TEST_TMP_H

#include <stdbool.h>
#include <stddef.h>

enum { TEST_PATH_MAX = 256 };

/* A fresh empty directory; its path without a slash at the end. */
void test_tmp_make(char dir[TEST_PATH_MAX]);

/* Deletes the directory with everything in it. */
void test_tmp_delete(const char *dir);

/* dir/name, in one of four rotating buffers. */
const char *test_path(const char *dir, const char *name);

/* Writes a file anew. */
void test_file_put(const char *path, const void *bytes, size_t len);

/* Names in a directory, without . and .. */
size_t test_dir_count(const char *dir);

/*
 * Runs body in a child and gives its exit code (0x100 + signal if one ended it). A body that must
 * not keep its rights or limits runs here.
 */
int test_child(int (*body)(void *ctx), void *ctx);

/* Zeroed memory that a child shares with the test; lives to the end of the program. */
void *test_shared(size_t len);

/* In a child: gives up root for good. False where there is no right to do so. */
bool test_drop_root(void);

/* In a child: no file can grow beyond len bytes from now on (EFBIG, as on a full disk). */
void test_limit_files(size_t len);

/*
 * In a child: puts an empty file system of so few KiB on dir, seen by this child only and gone with
 * it: a real full disk (ENOSPC). False where there is no right to do so.
 */
bool test_small_disk(const char *dir, unsigned kib);

#endif
