/* SPDX-License-Identifier: Apache-2.0 */
/* What this processor can do, as HF_CPU_* bits (base/cpu.h). */
#ifndef HF_OS_CPU_H
#define HF_OS_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/err.h"

/* The features that processor and system both offer. */
uint32_t hf_os_cpu(void);

/*
 * The features found, reduced to those named in list ("avx2,gfni"; "none" for the C reference). It
 * can only take away. Programs hand in the environment variable HUFU_CPU, which is a documented
 * switch for tests and for ruling out a kernel in the field; list NULL leaves all.
 * HF_ERR_ARG: a name that no feature has; *cpu is unchanged.
 */
HF_MUST_USE hf_err hf_os_cpu_limit(uint32_t *cpu, const char *list, struct hf_errinfo *ei);

/* Writes the names of the bits, separated by commas, "none" for 0, cut at cap bytes. */
void hf_os_cpu_text(char *text, size_t cap, uint32_t cpu);

/* The architecture by Debian's name: "amd64", "arm64", "armhf", ...; "other" for the rest. */
const char *hf_os_arch(void);

/* Processors this process may run on, at least 1. */
unsigned hf_os_cpu_count(void);

#endif
