/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/key_wire.h"

#include <string.h>

#include "base/endian.h"

void hf_key_put_raw(struct hf_key_out *o, const void *bytes, size_t len)
{
	if (o->e == HF_OK && len > 0)
		o->e = hf_buf_put(o->buf, bytes, len);
}

void hf_key_put_u8(struct hf_key_out *o, uint8_t v)
{
	hf_key_put_raw(o, &v, 1);
}

void hf_key_put_u16(struct hf_key_out *o, uint16_t v)
{
	uint8_t b[2];

	hf_put_be16(b, v);
	hf_key_put_raw(o, b, sizeof(b));
}

void hf_key_put_u32(struct hf_key_out *o, uint32_t v)
{
	uint8_t b[4];

	hf_put_be32(b, v);
	hf_key_put_raw(o, b, sizeof(b));
}

void hf_key_put_u64(struct hf_key_out *o, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	hf_key_put_raw(o, b, sizeof(b));
}

void hf_key_put_text(struct hf_key_out *o, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len > UINT16_MAX) {
		o->e = o->e == HF_OK ? HF_ERR_LIMIT : o->e;
		return;
	}
	hf_key_put_u16(o, (uint16_t)len);
	hf_key_put_raw(o, text, len);
}

void hf_key_put_object(struct hf_key_out *o, struct hf_bytes object)
{
	if (object.len > UINT32_MAX) {
		o->e = o->e == HF_OK ? HF_ERR_LIMIT : o->e;
		return;
	}
	hf_key_put_u32(o, (uint32_t)object.len);
	hf_key_put_raw(o, object.p, object.len);
}

struct hf_bytes hf_key_take_object(struct hf_reader *r)
{
	size_t len = hf_rd_u32(r);
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

void hf_key_take_text(struct hf_reader *r, char *out, size_t cap)
{
	size_t len = hf_rd_u16(r);
	const uint8_t *p = hf_rd_take(r, len);

	out[0] = '\0';
	if (p == NULL || len == 0)
		return;
	if (len >= cap || memchr(p, '\0', len) != NULL) {
		r->is_short = true;
		return;
	}
	memcpy(out, p, len);
	out[len] = '\0';
}
