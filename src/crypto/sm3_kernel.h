/* SPDX-License-Identifier: Apache-2.0 */
/* What an SM3 kernel offers, and the kernels there are. Private to the module. */
#ifndef HF_CRYPTO_SM3_KERNEL_H
#define HF_CRYPTO_SM3_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct hf_sm3_kernel {
	const char *name;
	uint32_t needs;   /* HF_CPU_* */
	unsigned n_lanes; /* states that lanes() works on at once */
	/* One state over n_blocks blocks of 64 bytes that lie one after another. */
	void (*compress)(uint32_t h[8], const uint8_t *in, size_t n_blocks);
	/* n_lanes states (h + 8 * i), each over n_blocks blocks of its own at in[i]. */
	void (*lanes)(uint32_t *h, const uint8_t *const in[], size_t n_blocks);
};

extern const struct hf_sm3_kernel hf_sm3_kernel_c;

/* The best kernel that these CPU features allow and whose self-test passes; NULL: none does. */
const struct hf_sm3_kernel *hf_sm3_choose(uint32_t cpu);

/* The i-th kernel there is, whether it can run or not, NULL after the last: for tests. */
const struct hf_sm3_kernel *hf_sm3_kernel_at(size_t i);

#endif
