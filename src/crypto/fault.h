/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on purpose, to show that every self-test can fail. A build with HUFU_FAULTS spoils what
 * the environment variable HUFU_FAULT names; any other build has nothing of it, and no program that
 * is installed is built so. Names are those of the self-tests: each has one place where it is
 * spoilt, in the algorithm and not in the test. Private to the module.
 */
#ifndef HF_CRYPTO_FAULT_H
#define HF_CRYPTO_FAULT_H

#include <stdbool.h>

#if defined(HUFU_FAULTS)
bool hf_fault_is(const char *test);

/* Flips the lowest bit of the integer x when this is the fault that is wanted. */
#define HF_FAULT(test, x) ((x) ^= (hf_fault_is(test) ? 1 : 0))
#define HF_HAS_FAULTS     true
#else
#define HF_FAULT(test, x) (void)0
#define HF_HAS_FAULTS     false
#endif

#endif
