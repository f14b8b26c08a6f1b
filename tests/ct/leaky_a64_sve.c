/* SPDX-License-Identifier: Apache-2.0 */
/* leaky_c.c once more, as AArch64 would have it; it is compiled, never run. */
#include <arm_sve.h>
#include <stdint.h>

#include "leaky_a64.h"

uint32_t leak_branch(const uint32_t *secret, uint32_t *out)
{
	if ((*secret & 7) == 7) /* a mask and a comparison between the load and the branch */
		out[3] = out[5] / 3 + out[7];
	return out[1];
}

uint32_t leak_index(const uint8_t *secret, const uint32_t *table)
{
	return table[*secret >> 2];
}

uint32_t leak_division(const uint32_t *secret, uint32_t n)
{
	return n / *secret;
}

int leak_verdict(const double *secret)
{
	return *secret > 3;
}

svuint32_t leak_gather(svuint32_t secret, const uint32_t *table)
{
	return svld1_gather_u32index_u32(svptrue_b32(), table, secret);
}

void leak_jump(void (*const *table)(void), uint64_t i)
{
	table[i]();
}
