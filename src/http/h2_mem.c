/* SPDX-License-Identifier: Apache-2.0 */
/* nghttp2's allocator over struct hf_mem. Each block remembers its length, for realloc. */
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "http/h2_session.h"

/* Keeps what follows aligned for any object. */
union block {
	size_t len;
	max_align_t align;
};

static void *block_get(size_t len, void *ctx)
{
	const struct hf_mem *mem = ctx;
	union block *b;
	size_t all = 0;

	if (hf_add_size(&all, len, sizeof(*b)) != HF_OK)
		return NULL;
	b = hf_mem_room(mem, all); /* not touched: a session has a frame's room it seldom fills */
	if (b == NULL)
		return NULL;
	b->len = len;
	return b + 1;
}

static void block_put(void *p, void *ctx)
{
	const struct hf_mem *mem = ctx;

	if (p != NULL)
		hf_mem_free(mem, (union block *)p - 1);
}

static void *block_array(size_t n, size_t size, void *ctx)
{
	size_t len = 0;
	void *p = hf_mul_size(&len, n, size) == HF_OK ? block_get(len, ctx) : NULL;

	if (p != NULL)
		memset(p, 0, len);
	return p;
}

static void *block_resize(void *p, size_t len, void *ctx)
{
	void *bigger = block_get(len, ctx);
	size_t old;

	if (p == NULL || bigger == NULL)
		return bigger;
	old = ((union block *)p - 1)->len;
	memcpy(bigger, p, old < len ? old : len);
	block_put(p, ctx);
	return bigger;
}

/* nghttp2 wants a plain pointer; the allocator behind it is never written. */
static void *plain(const struct hf_mem *mem)
{
	union {
		const struct hf_mem *in;
		void *out;
	} u = { .in = mem };

	return u.out;
}

void hf_h2_mem_init(nghttp2_mem *out, const struct hf_mem *mem)
{
	*out = (nghttp2_mem){ plain(mem), block_get, block_put, block_array, block_resize };
}
