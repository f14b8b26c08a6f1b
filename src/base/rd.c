/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reader. Invariant: p..p+left is always inside the input; once short, left is 0. */
#include "base/rd.h"

#include <string.h>

#include "base/endian.h"

const uint8_t *hf_rd_take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->is_short || len > r->left) {
		r->is_short = true;
		r->left = 0;
		return NULL;
	}
	if (len > 0)
		r->p += len;
	r->left -= len;
	return p;
}

uint8_t hf_rd_u8(struct hf_reader *r)
{
	const uint8_t *p = hf_rd_take(r, 1);

	return p == NULL ? 0 : p[0];
}

uint16_t hf_rd_u16(struct hf_reader *r)
{
	const uint8_t *p = hf_rd_take(r, 2);

	return p == NULL ? 0 : hf_get_be16(p);
}

uint32_t hf_rd_u24(struct hf_reader *r)
{
	const uint8_t *p = hf_rd_take(r, 3);

	return p == NULL ? 0 : hf_get_be24(p);
}

uint32_t hf_rd_u32(struct hf_reader *r)
{
	const uint8_t *p = hf_rd_take(r, 4);

	return p == NULL ? 0 : hf_get_be32(p);
}

uint64_t hf_rd_u64(struct hf_reader *r)
{
	const uint8_t *p = hf_rd_take(r, 8);

	return p == NULL ? 0 : hf_get_be64(p);
}

void hf_rd_copy(struct hf_reader *r, uint8_t *out, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	if (len == 0)
		return;
	if (p == NULL)
		memset(out, 0, len);
	else
		memcpy(out, p, len);
}

struct hf_reader hf_rd_sub(struct hf_reader *r, size_t len)
{
	struct hf_reader sub = { 0 };

	sub.p = hf_rd_take(r, len);
	sub.is_short = r->is_short;
	sub.left = r->is_short ? 0 : len;
	return sub;
}

hf_err hf_rd_done(const struct hf_reader *r)
{
	if (r->is_short)
		return HF_ERR_TRUNCATED;
	return r->left == 0 ? HF_OK : HF_ERR_FORMAT;
}
