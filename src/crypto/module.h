/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cryptographic module: its state and the kernels it chose. This is the one process-wide object
 * of the house: started once, before any other thread, read-only afterwards but for its state.
 *
 *                 +--------- TEST ---------+
 *                 v                        |
 *   OFF -START-> SELF_TEST -PASSED-----> READY -ZEROIZE-> ZEROIZED -START-> SELF_TEST
 *                 |                        |
 *                 +-FAILED--> ERROR <-FAILED
 *
 * FAILED leads from OFF and ZEROIZED to ERROR, too: a conditional self-test may fail before the
 * start (health.h) or while another thread zeroizes, and no new start may make up for that.
 *
 * hf_module_start() picks for every primitive the best kernel whose CPU bits are there *and* whose
 * self-test passes, tests the integrity of the program's code, and runs the known-answer test of
 * every algorithm. Outside READY every service that can fail returns HF_ERR_SELF_TEST, and the
 * hashing services, which cannot, give all-zero output.
 */
#ifndef HF_CRYPTO_MODULE_H
#define HF_CRYPTO_MODULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/err.h"

#define HF_MODULE_NAME "Hufu cryptographic module"

/* GB/T 37092-2018 7.11.4; docs/module/security-policy.md tells which state of the standard each is.
 */
enum hf_module_state {
	HF_MODULE_OFF,       /* not started: no service */
	HF_MODULE_SELF_TEST, /* the module tests itself; nobody else may call it */
	HF_MODULE_READY,     /* self-tests passed: all services */
	HF_MODULE_ERROR,     /* a self-test failed: no service until the process ends */
	HF_MODULE_ZEROIZED,  /* it holds nothing any more: no service until it is started again */
	HF_MODULE_STATES,
};

enum hf_module_event {
	HF_MODULE_EV_START,
	HF_MODULE_EV_PASSED,
	HF_MODULE_EV_FAILED,
	HF_MODULE_EV_TEST,
	HF_MODULE_EV_ZEROIZE,
	HF_MODULE_EVENTS,
};

struct hf_sm3_kernel;
struct hf_sm4_kernel;
struct hf_ghash_kernel;
struct hf_gcm_kernel;
struct hf_sm2_kernel;
struct hf_sm2_batch_kernel;

struct hf_module {
	_Atomic(enum hf_module_state) state;
	_Atomic(const char *) failed; /* name of the self-test that failed first, or "" */
	uint32_t cpu;                 /* HF_CPU_* bits it was started with */
	bool is_approved;             /* in READY: the integrity of its code was tested, too */
	const struct hf_sm3_kernel *sm3;
	const struct hf_sm4_kernel *sm4;
	const struct hf_ghash_kernel *ghash;
	const struct hf_gcm_kernel *gcm; /* may stand on the two before it */
	const struct hf_sm2_kernel *sm2;
	const struct hf_sm2_batch_kernel *sm2_batch;
};

/*
 * Starts the module with the CPU features at hand (0 gives the C reference everywhere). Calling it
 * again in READY returns HF_OK and changes nothing. HF_ERR_SELF_TEST: a self-test failed; the
 * module is in its error state and hf_module()->failed names the test.
 */
HF_MUST_USE hf_err hf_module_start(uint32_t cpu);

/* The module, read-only. Never NULL. */
const struct hf_module *hf_module(void);

/* HF_OK where there is service, else HF_ERR_SELF_TEST. First line of every service that can fail.
 */
HF_MUST_USE hf_err hf_module_check(void);

/*
 * The end of a service that hashes: hashes are zeros as soon as the module is not READY any more,
 * which another thread may bring about at any time. HF_OK, or out is wiped and HF_ERR_SELF_TEST.
 */
HF_MUST_USE hf_err hf_module_check_out(void *out, size_t len);

/* A kernel that was built, whatever the processor can do. */
struct hf_kernel_info {
	const char *primitive;
	const char *name;
	uint32_t needs; /* HF_CPU_* */
	bool is_chosen;
};

/* Hears of every test as it ends: for a report, and for the clock that the module does not have. */
struct hf_selftest_watch {
	/* kernel: with which one in place of the chosen it ran, or NULL. */
	void (*done)(void *ctx, const char *test, const struct hf_kernel_info *kernel, bool passed);
	void *ctx;
};

/*
 * Runs all self-tests on demand: those of the start, and then every kernel this processor can run
 * against the reference and through the known answers. No other thread may use the module
 * meanwhile. watch may be NULL. A failure ends in the error state.
 */
HF_MUST_USE hf_err hf_module_selftest(const struct hf_selftest_watch *watch);

/*
 * A conditional self-test (pair of keys, entropy source) failed: enters the error state, whatever
 * the state was, and returns HF_ERR_SELF_TEST. test is a constant string. The first failure keeps
 * its name.
 */
hf_err hf_module_fail(const char *test);

/*
 * Ends all service at once and forgets what the module holds. Keys of callers lie in their own
 * objects, which their clear functions wipe in every state. In the error state nothing changes.
 */
void hf_module_zeroize(void);

/* In the error state: what to do about it, as the end of a sentence. */
const char *hf_module_advice(void);

/* Names for reports. The state that follows, or -1: not allowed, nothing changes. */
const char *hf_module_state_name(enum hf_module_state state);
const char *hf_module_event_name(enum hf_module_event event);
int hf_module_next(enum hf_module_state state, enum hf_module_event event);

/* Names of the power-up self-tests in their order; NULL from the count on. */
const char *hf_module_test_at(size_t i);

/* All kernels of all primitives, best first within each; false from the count on. */
bool hf_module_kernel_at(struct hf_kernel_info *k, size_t i);

#endif
