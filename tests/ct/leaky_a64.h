/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HF_TEST_CT_LEAKY_A64_H
#define HF_TEST_CT_LEAKY_A64_H

#include <arm_sve.h>
#include <stdint.h>

uint32_t leak_branch(const uint32_t *secret, uint32_t *out);
uint32_t leak_index(const uint8_t *secret, const uint32_t *table);
uint32_t leak_division(const uint32_t *secret, uint32_t n);
int leak_verdict(const double *secret);
svuint32_t leak_gather(svuint32_t secret, const uint32_t *table);
void leak_jump(void (*const *table)(void), uint64_t i);

#endif
