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

#include "base/cpu.h"
#include "base/err.h"

enum hf_module_state {
	HF_MODULE_OFF,   /* not started: no service */
	HF_MODULE_READY, /* self-tests passed */
	HF_MODULE_ERROR, /* a self-test failed: no service until the process ends */
};

struct hf_sm3_kernel;
struct hf_sm4_kernel;
struct hf_ghash_kernel;
struct hf_sm2_batch_kernel;

struct hf_module {
	enum hf_module_state state;
	uint32_t cpu; /* HF_CPU_* bits it was started with */
	const struct hf_sm3_kernel *sm3;
	const struct hf_sm4_kernel *sm4;
	const struct hf_ghash_kernel *ghash;
	const struct hf_sm2_batch_kernel *sm2_batch;
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
