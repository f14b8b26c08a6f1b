/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HF_TEST_CT_LEAKY_H
#define HF_TEST_CT_LEAKY_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

uint32_t leak_branch(const uint32_t *secret, uint32_t *out);
uint32_t leak_index(const uint8_t *secret, const uint32_t *table);
uint32_t leak_division(const uint32_t *secret, uint32_t n);
int leak_verdict(const __m128i *secret);
__m256i leak_gather(const __m256i *secret, const int *table);
void leak_jump(void (*const *table)(void), uint64_t i);
uint32_t leak_masked(const uint32_t *secret, const uint32_t *table);
uint32_t leak_round(const uint8_t *secret, const uint32_t *table, size_t n);

#endif
