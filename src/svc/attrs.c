/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/attrs.h"

#include <string.h>

#include "base/endian.h"

void hf_attrs_put(struct hf_attrs *a, enum hf_record_attr type, const void *value, size_t len)
{
	const struct hf_audit_attr attr = { (uint16_t)type, value, len };

	if (a->e == HF_OK && len > 0)
		a->e = hf_audit_attr_put(a->bytes, sizeof(a->bytes), &a->len, &attr);
}

void hf_attrs_text(struct hf_attrs *a, enum hf_record_attr type, const char *text)
{
	if (text != NULL)
		hf_attrs_put(a, type, text, strlen(text));
}

void hf_attrs_u64(struct hf_attrs *a, enum hf_record_attr type, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	if (v != 0)
		hf_attrs_put(a, type, b, sizeof(b));
}
