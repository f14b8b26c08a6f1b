/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function broken on purpose, so that its constant-time checks must fail: before it does its
 * work, the lowest bit of the first byte that one of its arguments points to decides a branch. The
 * linker puts this in its place (--wrap), for every caller in another file. HUFU_CT_BREAK=NAME:N in
 * the build (docs/module/constant-time.md) gives the function and which argument, from 1; it has at
 * most six, all integers or pointers.
 */
#include <stdint.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define WRAPPED     JOIN(__wrap_, CT_BREAK)
#define REAL        JOIN(__real_, CT_BREAK)

uint64_t REAL(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
uint64_t WRAPPED(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

static volatile unsigned taken;

uint64_t WRAPPED(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	const uint64_t args[] = { a, b, c, d, e, f };
	const uint8_t *secret = (const uint8_t *)(uintptr_t)args[CT_BREAK_ARG - 1];

	if (*secret & 1)
		taken++;
	return REAL(a, b, c, d, e, f);
}
