/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints processors, a line each, such that every kernel of the tables that this processor can run
 * is chosen by the module on one of them: the HF_CPU_* bits, whether valgrind knows all
 * instructions of theirs, and the kernels that are new there. A new kernel shows up here by itself.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "crypto/modes/gcm_kernel.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "os/cpu.h"

enum { MASKS_MAX = 64, KERNELS_MAX = 64 };

static const uint32_t valgrind_knows = HF_CPU_SSE41 | HF_CPU_AES | HF_CPU_PCLMUL | HF_CPU_AVX |
				       HF_CPU_AVX2 | HF_CPU_BMI2 | HF_CPU_ADX;

static uint32_t masks[MASKS_MAX];
static size_t n_masks;
static const void *seen[KERNELS_MAX];
static size_t n_seen;

/* A processor with these features, unless this one cannot play it. */
static void add(uint32_t needs)
{
	if ((needs & ~hf_os_cpu()) != 0 || n_masks == MASKS_MAX)
		return;
	masks[n_masks++] = needs;
}

/* Adds the name of the kernel to the line if no processor before had it. */
static void note(char *line, size_t cap, const char *table, const void *kernel, const char *name)
{
	for (size_t i = 0; i < n_seen; i++)
		if (seen[i] == kernel)
			return;
	if (n_seen < KERNELS_MAX)
		seen[n_seen++] = kernel;
	(void)snprintf(line + strlen(line), cap - strlen(line), " %s=%s", table, name);
}

/* Every table of kernels: the processors they need, and what the module took. */
#define TABLES(X) \
	X("sm4", hf_sm4_kernel_at, sm4) \
	X("ghash", hf_ghash_kernel_at, ghash) \
	X("gcm", hf_gcm_kernel_at, gcm) \
	X("sm3", hf_sm3_kernel_at, sm3) \
	X("sm2", hf_sm2_kernel_at, sm2) \
	X("sm2-batch", hf_sm2_batch_kernel_at, sm2_batch)

#define ADD(table, at, field) \
	for (size_t i = 0; at(i) != NULL; i++) \
		add(at(i)->needs);

#define NOTE(table, at, field) note(line, sizeof(line), table, m->field, m->field->name);

int main(void)
{
	const struct hf_module *m = hf_module();

	/* What valgrind knows first: it sees more than a trace. */
	add(hf_os_cpu() & valgrind_knows);
	add(0);
	for (unsigned by_trace = 0; by_trace < 2; by_trace++) {
		size_t from = n_masks;

		if (by_trace)
			add(hf_os_cpu());
		TABLES(ADD)
		for (size_t i = by_trace ? from : 0; i < n_masks; i++) {
			uint32_t mask = masks[i];
			char line[256] = "";

			if (((mask & ~valgrind_knows) != 0) != (by_trace != 0))
				continue;
			if (hf_module_start(mask) != HF_OK)
				return 1;
			TABLES(NOTE)
			hf_module_zeroize();
			if (line[0] != '\0')
				printf("%08" PRIx32 " %s%s\n", mask,
					by_trace ? "trace" : "valgrind", line);
		}
	}
	return 0;
}
