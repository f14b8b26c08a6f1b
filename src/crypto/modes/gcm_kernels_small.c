/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The choice among GCM kernels for small ends: stands in for gcm_kernels.c where HUFU_SMALL is
 * set. There is the one of two parts alone, and the module's test of SM4-GCM (gcm.c) is the test of
 * it.
 */
#include "crypto/modes/gcm_kernel.h"

const struct hf_gcm_kernel *hf_gcm_kernel_at(size_t i)
{
	return i == 0 ? &hf_gcm_kernel_parts : NULL;
}

const struct hf_gcm_kernel *hf_gcm_choose(
	uint32_t cpu, const struct hf_sm4_kernel *sm4, const struct hf_ghash_kernel *ghash)
{
	(void)cpu;
	(void)sm4;
	(void)ghash;
	return &hf_gcm_kernel_parts;
}
