/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-tests that the module runs before it serves anybody (GB/T 37092-2018 7.10), and the
 * kernels it runs them with. Each file that has an algorithm has its test; module.c has the table
 * of them, kernels.c that of the primitives that have kernels. Private to the module.
 */
#ifndef HF_CRYPTO_SELFTEST_H
#define HF_CRYPTO_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/module.h"

bool hf_sm3_selftest(void);
bool hf_hmac_selftest(void);
bool hf_sm2_kdf_selftest(void);
bool hf_hkdf_selftest(void);
bool hf_pbkdf2_selftest(void);
bool hf_tlcp_prf_selftest(void);
bool hf_tree_selftest(void);
bool hf_drbg_selftest(void);
bool hf_sm2_selftest(void);
bool hf_sm2_batch_selftest(void);
bool hf_sm4_selftest(void);
bool hf_gcm_selftest(void);
bool hf_ccm_selftest(void);
bool hf_xts_selftest(void);
bool hf_sm4_modes_selftest(void);
bool hf_hctr_selftest(void);
bool hf_sm4_mac_selftest(void);
bool hf_ctr_drbg_selftest(void);

/* A primitive that has kernels. */
struct hf_kernel_family {
	const char *test; /* name of the self-test that finds no kernel to be right */

	/* Kernel i, best first; false from the count on. */
	bool (*at)(struct hf_kernel_info *k, size_t i);

	/*
	 * Makes m use the best kernel for these CPU bits that agrees with the reference; false:
	 * there is none.
	 */
	bool (*choose)(struct hf_module *m, uint32_t cpu);

	/* Makes m use kernel i without a test. */
	void (*use)(struct hf_module *m, size_t i);

	/* Its kernels are made for kernels of families before it: chosen anew when those change. */
	bool is_dependent;
};

/* The families; NULL from the count on. */
const struct hf_kernel_family *hf_kernel_family_at(size_t i);

#endif
