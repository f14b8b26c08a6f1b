/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice among SM2 kernels for small ends: stands in for sm2_kernels.c where HUFU_SMALL is set.
 * There is the reference alone, and the module's test of SM2 (sm2_selftest.c) is the test of it.
 */
#include "crypto/sm2/sm2_kernel.h"

const struct hf_sm2_kernel *hf_sm2_kernel_at(size_t i)
{
	return i == 0 ? &hf_sm2_kernel_c : NULL;
}

const struct hf_sm2_kernel *hf_sm2_choose(uint32_t cpu)
{
	(void)cpu;
	return &hf_sm2_kernel_c;
}
