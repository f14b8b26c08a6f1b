/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation on top of any allocator. */
#include "base/mem.h"

#include <string.h>

#include "base/checked.h"

void *hf_mem_new(const struct hf_mem *m, size_t len)
{
	void *p = m->get(m->ctx, len);

	if (p != NULL)
		memset(p, 0, len);
	return p;
}

void *hf_mem_room(const struct hf_mem *m, size_t len)
{
	return m->get(m->ctx, len);
}

void *hf_mem_array(const struct hf_mem *m, size_t n, size_t size)
{
	size_t len = 0;

	if (hf_mul_size(&len, n, size) != HF_OK)
		return NULL;
	return hf_mem_new(m, len);
}

void hf_mem_free(const struct hf_mem *m, void *p)
{
	if (p != NULL)
		m->put(m->ctx, p);
}
