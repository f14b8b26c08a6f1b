/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cryptographic module: its state and the kernels it chose. This is the one process-wide object
 * of the house: started once, before any other thread, read-only afterwards.
 *
 * hf_module_start() picks for every primitive the best kernel whose CPU bits are there *and* whose
 * self-test passes, and then runs the known-answer test of every algorithm. Until it has been
 * called, and in the error state, every service that can fail returns HF_ERR_SELF_TEST, and the
 * hashing services, which cannot, give all-zero output.
 */
#ifndef HF_CRYPTO_MODULE_H
#define HF_CRYPTO_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* CPU features that kernels may ask for. os/cpu.h finds them; a test masks them. */
enum {
	HF_CPU_SSE41 = 1 << 0,
	HF_CPU_AES = 1 << 1,
	HF_CPU_PCLMUL = 1 << 2,
	HF_CPU_AVX = 1 << 3,
	HF_CPU_AVX2 = 1 << 4,
	HF_CPU_BMI2 = 1 << 5,
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

enum hf_module_state {
	HF_MODULE_OFF,   /* not started: no service */
	HF_MODULE_READY, /* self-tests passed */
	HF_MODULE_ERROR, /* a self-test failed: no service until the process ends */
};

struct hf_sm3_kernel;
struct hf_sm4_kernel;
struct hf_ghash_kernel;

struct hf_module {
	enum hf_module_state state;
	uint32_t cpu; /* HF_CPU_* bits it was started with */
	const struct hf_sm3_kernel *sm3;
	const struct hf_sm4_kernel *sm4;
	const struct hf_ghash_kernel *ghash;
	char failed[32]; /* name of the self-test that failed, or empty */
};

/*
 * Starts the module with the CPU features at hand (0 gives the C reference everywhere). Calling it
 * again in READY returns HF_OK and changes nothing. HF_ERR_SELF_TEST: a known-answer test failed;
 * the module is in its error state and hf_module()->failed names the test.
 */
HF_MUST_USE hf_err hf_module_start(uint32_t cpu);

/* The module, read-only. Never NULL. */
const struct hf_module *hf_module(void);

/* HF_OK in READY, else HF_ERR_SELF_TEST. The first line of every service that can fail. */
HF_MUST_USE hf_err hf_module_check(void);

/* Runs the known-answer tests again, on demand. A failure ends in the error state. */
HF_MUST_USE hf_err hf_module_selftest(void);

#endif
