/* SPDX-License-Identifier: Apache-2.0 */
/* A program that leaks: it must be reported, or the other programs here prove nothing. */
#include "ct.h"

int main(void)
{
	static volatile unsigned taken;
	uint64_t seed = ct_seed(3);
	uint8_t secret;

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, &secret, 1);
	if (secret & 1)
		taken++;
	return 0;
}
