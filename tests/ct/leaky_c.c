/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel with one of each thing that tools/check-ct-object must find; it is compiled, never run.
 */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "leaky.h"

uint32_t leak_branch(const uint32_t *secret, uint32_t *out)
{
	if (*secret == 7)
		out[3] = out[5] / 3 + out[7];
	return out[1];
}

uint32_t leak_index(const uint8_t *secret, const uint32_t *table)
{
	return table[*secret];
}

uint32_t leak_division(const uint32_t *secret, uint32_t n)
{
	return n / *secret;
}

int leak_verdict(const __m128i *secret)
{
	return _mm_testz_si128(*secret, *secret);
}

__m256i leak_gather(const __m256i *secret, const int *table)
{
	return _mm256_i32gather_epi32(table, *secret, 4);
}

void leak_jump(void (*const *table)(void), uint64_t i)
{
	table[i]();
}

/* A shift and a mask between the load and the address. */
uint32_t leak_masked(const uint32_t *secret, const uint32_t *table)
{
	return table[(*secret >> 7 ^ 3) & 15];
}

/* What is loaded behind the address that it makes comes to it by the jump back. */
uint32_t leak_round(const uint8_t *secret, const uint32_t *table, size_t n)
{
	uint32_t i = 0;
	uint32_t sum = 0;

	do {
		sum += table[i];
		i = *secret++;
	} while (--n > 0);
	return sum;
}
