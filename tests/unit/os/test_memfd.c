/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that must stay as it is: sealed files, locked pages. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/lockmem.h"
#include "os/memfd.h"
#include "tmp.h"

static hf_err fill(void *ctx, uint8_t *room, size_t len)
{
	memset(room, 'x', len);
	return *(hf_err *)ctx;
}

static void nobody_changes_a_sealed_file(void **state)
{
	char path[HF_MEMFD_PATH_MAX];
	hf_err answer = HF_OK;
	uint8_t got[6] = { 0 };
	int fd = -1;
	int again;

	(void)state;
	assert_ok(hf_memfd_make(&fd, "test", 5, fill, &answer, NULL));
	assert_int_equal(pread(fd, got, 6, 0), 5);
	assert_memory_equal(got, "xxxxx", 5);
	assert_int_equal(pwrite(fd, "y", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 4), -1);
	assert_int_equal(ftruncate(fd, 6), -1);
	assert_ptr_equal(mmap(NULL, 5, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), -1);
	hf_memfd_path(path, fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(again >= 0);
	assert_int_equal(pread(again, got, 6, 0), 5);
	(void)close(again);
	(void)close(fd);
}

static void a_failed_fill_leaves_nothing(void **state)
{
	hf_err answer = HF_ERR_AUTH;
	int fd = -1;
	int probe = dup(0);

	(void)state;
	(void)close(probe);
	assert_err(hf_memfd_make(&fd, "test", 5, fill, &answer, NULL), HF_ERR_AUTH);
	assert_int_equal(fd, -1);
	assert_int_equal(dup(0), probe); /* the same number is free: nothing stayed open */
	(void)close(probe);
}

static void refuses_lengths_that_cannot_be(void **state)
{
	struct hf_memfd m;

	(void)state;
	assert_err(hf_memfd_init(&m, "test", 0, NULL), HF_ERR_ARG);
	assert_err(hf_memfd_init(&m, "test", UINT64_MAX, NULL), HF_ERR_ARG);
	assert_int_equal(m.fd, -1);
	hf_memfd_clear(&m);
}

static int ask_for_more_than_there_is(void *ctx)
{
	const struct rlimit small = { 1 << 20, 1 << 20 };
	struct hf_errinfo ei = { 0 };
	struct hf_memfd m;

	/* Where addresses have 32 bits it is no length at all. */
	const hf_err refused = sizeof(size_t) > 4 ? HF_ERR_NO_MEMORY : HF_ERR_LIMIT;

	/* Belt and braces: should the check under test be missing, the limit stops the kernel. */
	(void)ctx;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &small) != 0)
		return 77;
	if (hf_memfd_init(&m, "test", (uint64_t)1 << 50, &ei) != refused || m.fd != -1)
		return 1;
	return hf_memfd_init(&m, "test", 2 << 20, NULL) == HF_ERR_FULL ? 0 : 2;
}

static void refuses_more_memory_than_the_system_has(void **state)
{
	(void)state;
	assert_int_equal(test_child(ask_for_more_than_there_is, NULL), 0);
}

static void a_sealed_file_can_be_locked_and_taken(void **state)
{
	struct hf_memfd m;
	int fd;

	(void)state;
	assert_ok(hf_memfd_init(&m, "test", 4096, NULL));
	m.map[4095] = 7;
	assert_ok(hf_memfd_seal(&m, NULL));
	assert_int_equal(m.map[4095], 7);
	assert_ok(hf_memfd_lock(&m, NULL));
	fd = hf_memfd_take(&m);
	assert_true(fd >= 0 && m.fd == -1 && m.map == NULL);
	(void)close(fd);
	hf_memfd_clear(&m);
}

static int touch_beyond(void *ctx)
{
	struct hf_lockmem m;

	(void)ctx;
	(void)signal(SIGSEGV, SIG_DFL);
	if (hf_lockmem_init(&m, 64, NULL) != HF_OK)
		return 1;
	((volatile uint8_t *)m.p)[64] = 1;
	return 2;
}

static int touch_closed(void *ctx)
{
	struct hf_lockmem m;

	(void)ctx;
	(void)signal(SIGSEGV, SIG_DFL);
	if (hf_lockmem_init(&m, 64, NULL) != HF_OK ||
		hf_lockmem_access(&m, HF_LOCKMEM_NONE) != HF_OK)
		return 1;
	return ((volatile uint8_t *)m.p)[0] == 0 ? 2 : 3;
}

static void touching_a_guard_or_a_closed_page_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(test_child(touch_beyond, NULL), 0x100 + SIGSEGV);
	assert_int_equal(test_child(touch_closed, NULL), 0x100 + SIGSEGV);
}

static int lock_too_much(void *ctx)
{
	const struct rlimit none = { 0, 0 };
	struct hf_errinfo ei = { 0 };
	struct hf_lockmem m;

	(void)ctx;
	if (!test_drop_root() || setrlimit(RLIMIT_MEMLOCK, &none) != 0)
		return 77;
	if (hf_lockmem_init(&m, 4096, &ei) != HF_ERR_LIMIT || m.base != NULL)
		return 1;
	return strstr(ei.text, "memlock") != NULL ? 0 : 2;
}

static void a_limit_on_locked_memory_is_named(void **state)
{
	(void)state;
	if (!TEST_HAS_MLOCK)
		skip();
	assert_int_equal(test_child(lock_too_much, NULL), 0);
}

static void locked_memory_opens_and_closes(void **state)
{
	struct hf_lockmem m;

	(void)state;
	assert_err(hf_lockmem_init(&m, 0, NULL), HF_ERR_ARG);
	assert_err(hf_lockmem_init(&m, SIZE_MAX, NULL), HF_ERR_ARG);
	for (size_t len = 1; len < 9000; len += 1777) {
		assert_ok(hf_lockmem_init(&m, len, NULL));
		assert_int_equal((uintptr_t)m.p % 16, 0);
		memset(m.p, 0xa5, len);
		assert_ok(hf_lockmem_access(&m, HF_LOCKMEM_NONE));
		assert_ok(hf_lockmem_access(&m, HF_LOCKMEM_READ));
		assert_int_equal(m.p[len - 1], 0xa5);
		hf_lockmem_clear(&m);
	}
	hf_lockmem_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_changes_a_sealed_file),
		cmocka_unit_test(a_failed_fill_leaves_nothing),
		cmocka_unit_test(refuses_lengths_that_cannot_be),
		cmocka_unit_test(refuses_more_memory_than_the_system_has),
		cmocka_unit_test(a_sealed_file_can_be_locked_and_taken),
		cmocka_unit_test(touching_a_guard_or_a_closed_page_ends_the_process),
		cmocka_unit_test(a_limit_on_locked_memory_is_named),
		cmocka_unit_test(locked_memory_opens_and_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
