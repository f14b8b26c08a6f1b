/* SPDX-License-Identifier: Apache-2.0 */
/* layer: codec */
/* Walks any DER input eight levels deep with every typed reader; nothing may reach outside it. */
#include <stdlib.h>

#include "codec/der.h"

enum { DEPTH = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void read_typed(struct hf_der d)
{
	struct hf_der copy = d;

	(void)hf_der_u64(&copy);
	copy = d;
	(void)hf_der_bool(&copy);
	copy = d;
	(void)hf_der_oid(&copy);
	copy = d;
	(void)hf_der_bits(&copy);
	copy = d;
	(void)hf_der_named_bits(&copy);
	copy = d;
	(void)hf_der_utf8(&copy);
	copy = d;
	(void)hf_der_time(&copy);
	copy = d;
	hf_der_null(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_der stack[DEPTH];
	unsigned depth = 0;

	stack[0] = hf_der_over(data, len);
	for (;;) {
		struct hf_der *d = &stack[depth];
		struct hf_bytes content;
		uint8_t tag;

		if (!hf_der_more(d)) {
			if (depth == 0)
				return 0;
			hf_der_leave(&stack[depth - 1], d);
			depth--;
			continue;
		}
		read_typed(*d);
		content = hf_der_any(d, &tag);
		if (content.len > len)
			abort();
		if (d->err == HF_OK && (tag & 0x20) != 0 && depth + 1 < DEPTH)
			stack[++depth] = hf_der_over(content.p, content.len);
	}
}
