/* SPDX-License-Identifier: Apache-2.0 */
/* Growing byte buffer. Invariant: len <= cap, len <= max; bytes beyond len hold no old secrets. */
#include "base/buf.h"

#include <string.h>

#include "base/checked.h"
#include "base/wipe.h"

enum { BUF_FIRST = 256 }; /* first allocation, bytes */

void hf_buf_init(struct hf_buf *b, const struct hf_mem *mem, size_t max)
{
	*b = (struct hf_buf){ .mem = mem, .max = max };
}

void hf_buf_clear(struct hf_buf *b)
{
	if (b->p != NULL) {
		hf_wipe(b->p, b->cap);
		hf_mem_free(b->mem, b->p);
	}
	b->p = NULL;
	b->len = 0;
	b->cap = 0;
}

void hf_buf_reset(struct hf_buf *b)
{
	hf_wipe(b->p, b->len);
	b->len = 0;
}

static hf_err buf_grow(struct hf_buf *b, size_t need)
{
	size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	uint8_t *p;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max)
		cap = b->max;
	p = hf_mem_new(b->mem, cap);
	if (p == NULL)
		return HF_ERR_NO_MEMORY;
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		hf_wipe(b->p, b->cap);
		hf_mem_free(b->mem, b->p);
	}
	b->p = p;
	b->cap = cap;
	return HF_OK;
}

hf_err hf_buf_room(struct hf_buf *b, uint8_t **room, size_t len)
{
	size_t need = 0;

	HF_TRY(hf_add_size(&need, b->len, len));
	if (need > b->max)
		return HF_ERR_LIMIT;
	if (need > b->cap)
		HF_TRY(buf_grow(b, need));
	*room = b->p == NULL ? NULL : b->p + b->len;
	b->len = need;
	return HF_OK;
}

hf_err hf_buf_put(struct hf_buf *b, const void *bytes, size_t len)
{
	uint8_t *room = NULL;

	HF_TRY(hf_buf_room(b, &room, len));
	if (room != NULL && len > 0)
		memcpy(room, bytes, len);
	return HF_OK;
}

void hf_buf_drop(struct hf_buf *b, size_t len)
{
	if (len > b->len)
		len = b->len;
	if (len == 0)
		return;
	memmove(b->p, b->p + len, b->len - len);
	hf_wipe(b->p + b->len - len, len);
	b->len -= len;
}
