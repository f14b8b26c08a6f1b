/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice among GHASH kernels for small ends: stands in for ghash_kernels.c where HUFU_SMALL is
 * set. There is the reference alone, and the module's test of SM4-GCM (gcm.c) is the test of it.
 */
#include "crypto/modes/ghash_kernel.h"

const struct hf_ghash_kernel *hf_ghash_kernel_at(size_t i)
{
	return i == 0 ? &hf_ghash_kernel_c : NULL;
}

const struct hf_ghash_kernel *hf_ghash_choose(uint32_t cpu)
{
	(void)cpu;
	return &hf_ghash_kernel_c;
}
