/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice among SM3 kernels for small ends: stands in for sm3_kernels.c where HUFU_SMALL is set.
 * There is the reference alone, and the module's test of SM3 (sm3.c) is the test of it.
 */
#include "crypto/sm3/sm3_kernel.h"

const struct hf_sm3_kernel *hf_sm3_kernel_at(size_t i)
{
	return i == 0 ? &hf_sm3_kernel_c : NULL;
}

const struct hf_sm3_kernel *hf_sm3_choose(uint32_t cpu)
{
	(void)cpu;
	return &hf_sm3_kernel_c;
}
