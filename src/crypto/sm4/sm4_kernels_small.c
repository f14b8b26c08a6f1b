/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice among SM4 kernels for small ends: stands in for sm4_kernels.c where HUFU_SMALL is set.
 * There is the reference alone, and the module's test of SM4 (sm4.c) is the test of it.
 */
#include "crypto/sm4/sm4_kernel.h"

const struct hf_sm4_kernel *hf_sm4_kernel_at(size_t i)
{
	return i == 0 ? &hf_sm4_kernel_c : NULL;
}

const struct hf_sm4_kernel *hf_sm4_choose(uint32_t cpu)
{
	(void)cpu;
	return &hf_sm4_kernel_c;
}
