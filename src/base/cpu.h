/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the CPU features that kernels may ask for. The base floor only names them: os/cpu.h
 * finds them, crypto/module.h is started with them, a test masks them.
 */
#ifndef HF_BASE_CPU_H
#define HF_BASE_CPU_H

/* One bit a feature, in a uint32_t. */
enum {
	HF_CPU_SSE41 = 1 << 0,
	HF_CPU_AES = 1 << 1,
	HF_CPU_PCLMUL = 1 << 2,
	HF_CPU_AVX = 1 << 3,
	HF_CPU_AVX2 = 1 << 4,
	HF_CPU_BMI2 = 1 << 5, /* and BMI1 */
	HF_CPU_ADX = 1 << 6,
	HF_CPU_GFNI = 1 << 7,
	HF_CPU_VAES = 1 << 8,
	HF_CPU_VPCLMUL = 1 << 9,
	HF_CPU_AVX512 = 1 << 10, /* F, BW, DQ, VL together, and the OS saves ZMM */
	HF_CPU_AVX512_IFMA = 1 << 11,
	HF_CPU_NEON = 1 << 16,
	HF_CPU_ARM_SM3 = 1 << 17,
	HF_CPU_ARM_SM4 = 1 << 18,
	HF_CPU_ARM_PMULL = 1 << 19,
};

#endif
