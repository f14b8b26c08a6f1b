/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-string forms of the constant-time choices. */
#include "base/ct.h"

hf_ct_mask hf_ct_eq_mask(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a;
	const uint8_t *y = b;
	uint64_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= (uint64_t)(x[i] ^ y[i]);
	return hf_ct_zero(diff);
}

bool hf_ct_eq(const void *a, const void *b, size_t len)
{
	return hf_ct_declassify(hf_ct_eq_mask(a, b, len));
}

void hf_ct_pick_bytes(hf_ct_mask m, void *dst, const void *a, const void *b, size_t len)
{
	const uint8_t *x = a;
	const uint8_t *y = b;
	uint8_t *d = dst;
	uint8_t k = (uint8_t)hf_ct_barrier(m);

	for (size_t i = 0; i < len; i++)
		d[i] = (uint8_t)((x[i] & k) | (y[i] & (uint8_t)~k));
}
