/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded writer. Invariant: len <= cap; once over, nothing is written any more. */
#include "base/wr.h"

#include <string.h>

#include "base/endian.h"

uint8_t *hf_wr_room(struct hf_writer *w, size_t len)
{
	uint8_t *p;

	if (w->is_over || len > w->cap - w->len) {
		w->is_over = true;
		return NULL;
	}
	p = w->p + w->len;
	w->len += len;
	return p;
}

void hf_wr_u8(struct hf_writer *w, uint8_t v)
{
	uint8_t *p = hf_wr_room(w, 1);

	if (p != NULL)
		p[0] = v;
}

void hf_wr_u16(struct hf_writer *w, uint16_t v)
{
	uint8_t *p = hf_wr_room(w, 2);

	if (p != NULL)
		hf_put_be16(p, v);
}

void hf_wr_u24(struct hf_writer *w, uint32_t v)
{
	uint8_t *p = hf_wr_room(w, 3);

	if (p != NULL)
		hf_put_be24(p, v);
}

void hf_wr_u32(struct hf_writer *w, uint32_t v)
{
	uint8_t *p = hf_wr_room(w, 4);

	if (p != NULL)
		hf_put_be32(p, v);
}

void hf_wr_u64(struct hf_writer *w, uint64_t v)
{
	uint8_t *p = hf_wr_room(w, 8);

	if (p != NULL)
		hf_put_be64(p, v);
}

void hf_wr_put(struct hf_writer *w, const void *bytes, size_t len)
{
	uint8_t *p = hf_wr_room(w, len);

	if (p != NULL && len > 0)
		memcpy(p, bytes, len);
}

void hf_wr_str(struct hf_writer *w, const char *s)
{
	hf_wr_put(w, s, strlen(s));
}

size_t hf_wr_open(struct hf_writer *w, unsigned prefix_len)
{
	(void)hf_wr_room(w, prefix_len);
	return w->len;
}

void hf_wr_close(struct hf_writer *w, size_t mark, unsigned prefix_len)
{
	size_t n = w->len - mark;

	if (w->is_over)
		return;
	if (n >> (8 * prefix_len) != 0) {
		w->is_over = true;
		return;
	}
	for (unsigned i = 0; i < prefix_len; i++)
		w->p[mark - 1 - i] = (uint8_t)(n >> (8 * i));
}

hf_err hf_wr_done(const struct hf_writer *w)
{
	return w->is_over ? HF_ERR_LIMIT : HF_OK;
}
