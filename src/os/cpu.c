/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detection of CPU features. A vector feature counts only if the system also saves its registers
 * (XCR0), or the first context switch would corrupt them.
 */
#include "os/cpu.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

struct cpu_name {
	const char *name;
	uint32_t bit;
};

static const struct cpu_name cpu_names[] = {
	{ "sse41", HF_CPU_SSE41 },
	{ "aes", HF_CPU_AES },
	{ "pclmul", HF_CPU_PCLMUL },
	{ "avx", HF_CPU_AVX },
	{ "avx2", HF_CPU_AVX2 },
	{ "bmi2", HF_CPU_BMI2 },
	{ "adx", HF_CPU_ADX },
	{ "gfni", HF_CPU_GFNI },
	{ "vaes", HF_CPU_VAES },
	{ "vpclmul", HF_CPU_VPCLMUL },
	{ "avx512", HF_CPU_AVX512 },
	{ "avx512ifma", HF_CPU_AVX512_IFMA },
	{ "neon", HF_CPU_NEON },
	{ "armsm3", HF_CPU_ARM_SM3 },
	{ "armsm4", HF_CPU_ARM_SM4 },
	{ "armpmull", HF_CPU_ARM_PMULL },
};

#if defined(__x86_64__) || defined(__i386__)

enum {
	XCR0_YMM = 0x06, /* SSE and AVX state */
	XCR0_ZMM = 0xe6, /* and opmask, ZMM0-15 high halves, ZMM16-31 */
};

static uint32_t cpu_xcr0(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static uint32_t pick(uint32_t reg, unsigned bit, uint32_t feature)
{
	return ((reg >> bit) & 1) != 0 ? feature : 0;
}

/* Intel SDM volume 2, CPUID: leaf 1 ECX, leaf 7 EBX and ECX. */
uint32_t hf_os_cpu(void)
{
	const uint32_t avx512_parts = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F DQ BW VL */
	uint32_t a = 0, b = 0, c1 = 0, b7 = 0, c7 = 0, d = 0;
	uint32_t cpu = 0;
	uint32_t xcr0 = 0;

	if (__get_cpuid(1, &a, &b, &c1, &d) == 0)
		return 0;
	if (__get_cpuid_count(7, 0, &a, &b7, &c7, &d) == 0)
		b7 = c7 = 0;
	if ((c1 >> 27 & 1) != 0) /* OSXSAVE */
		xcr0 = cpu_xcr0();

	cpu |= pick(c1, 19, HF_CPU_SSE41);
	cpu |= pick(c1, 25, HF_CPU_AES);
	cpu |= pick(c1, 1, HF_CPU_PCLMUL);
	cpu |= pick(b7 & b7 << 5, 8, HF_CPU_BMI2); /* BMI1 is bit 3 */
	cpu |= pick(b7, 19, HF_CPU_ADX);
	cpu |= pick(c7, 8, HF_CPU_GFNI);
	if ((xcr0 & XCR0_YMM) == XCR0_YMM) {
		cpu |= pick(c1, 28, HF_CPU_AVX);
		cpu |= pick(b7, 5, HF_CPU_AVX2);
		cpu |= pick(c7, 9, HF_CPU_VAES);
		cpu |= pick(c7, 10, HF_CPU_VPCLMUL);
	}
	if ((xcr0 & XCR0_ZMM) == XCR0_ZMM && (b7 & avx512_parts) == avx512_parts) {
		cpu |= HF_CPU_AVX512;
		cpu |= pick(b7, 21, HF_CPU_AVX512_IFMA);
	}
	return cpu;
}

#elif defined(__aarch64__)

uint32_t hf_os_cpu(void)
{
	unsigned long caps = getauxval(AT_HWCAP);
	uint32_t cpu = 0;

	cpu |= (caps & HWCAP_ASIMD) != 0 ? HF_CPU_NEON : 0;
	cpu |= (caps & HWCAP_SM3) != 0 ? HF_CPU_ARM_SM3 : 0;
	cpu |= (caps & HWCAP_SM4) != 0 ? HF_CPU_ARM_SM4 : 0;
	cpu |= (caps & HWCAP_PMULL) != 0 ? HF_CPU_ARM_PMULL : 0;
	return cpu;
}

#else

uint32_t hf_os_cpu(void)
{
	return 0;
}

#endif

static bool cpu_find(uint32_t *bit, const char *name, size_t len)
{
	for (size_t i = 0; i < HF_COUNT(cpu_names); i++)
		if (strlen(cpu_names[i].name) == len && memcmp(cpu_names[i].name, name, len) == 0) {
			*bit = cpu_names[i].bit;
			return true;
		}
	return false;
}

hf_err hf_os_cpu_limit(uint32_t *cpu, const char *list, struct hf_errinfo *ei)
{
	uint32_t wanted = 0;

	if (list == NULL) {
		*cpu = hf_os_cpu();
		return HF_OK;
	}
	if (strcmp(list, "none") == 0) {
		*cpu = 0;
		return HF_OK;
	}
	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");
		uint32_t bit = 0;

		if (!cpu_find(&bit, p, len))
			return hf_fail(ei, HF_ERR_ARG, "\"%.*s\" is no CPU feature",
				len > 32 ? 32 : (int)len, p);
		wanted |= bit;
		p += len;
		if (*p == '\0')
			break;
	}
	*cpu = hf_os_cpu() & wanted;
	return HF_OK;
}

void hf_os_cpu_text(char *text, size_t cap, uint32_t cpu)
{
	size_t len = 0;

	(void)snprintf(text, cap, "%s", cpu == 0 ? "none" : "");
	for (size_t i = 0; i < HF_COUNT(cpu_names); i++) {
		if ((cpu & cpu_names[i].bit) == 0 || len >= cap)
			continue;
		len += (size_t)snprintf(
			text + len, cap - len, "%s%s", len > 0 ? "," : "", cpu_names[i].name);
	}
}

const char *hf_os_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#elif defined(__riscv) && __riscv_xlen == 64
	return "riscv64";
#elif defined(__arm__)
	return "armhf";
#elif defined(__loongarch64)
	return "loong64";
#else
	return "other";
#endif
}

unsigned hf_os_cpu_count(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : (unsigned)n;
}
