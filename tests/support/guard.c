/* SPDX-License-Identifier: Apache-2.0 */
/* Guard pages by mmap and mprotect. */
#include "guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static size_t page_len(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void test_guard_new(struct test_guard *g, size_t len)
{
	size_t page = page_len();
	uint8_t *map;

	g->room = (len + page - 1) / page * page;
	if (g->room == 0)
		g->room = page;
	map = mmap(NULL, g->room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	g->page = map + page;
	assert_int_equal(mprotect(g->page, g->room, PROT_READ | PROT_WRITE), 0);
}

void test_guard_free(struct test_guard *g)
{
	size_t page = page_len();

	assert_int_equal(munmap(g->page - page, g->room + 2 * page), 0);
}

uint8_t *test_guard_low(const struct test_guard *g, size_t len)
{
	assert_true(len <= g->room);
	return g->page;
}

uint8_t *test_guard_high(const struct test_guard *g, size_t len)
{
	assert_true(len <= g->room);
	return g->page + g->room - len;
}
