/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "os/cpu.h"

_Noreturn void bench_fail(const char *what)
{
	(void)fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

uint32_t bench_cpu(void)
{
	uint32_t cpu = 0;

	bench_need(hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), NULL) == HF_OK, "reading HUFU_CPU");
	return cpu;
}

void bench_start(uint32_t cpu)
{
	const struct hf_module *m = hf_module();
	char text[256];

	bench_need(hf_module_start(cpu) == HF_OK, "the module's self-test");
	hf_os_cpu_text(text, sizeof(text), cpu);
	printf("processor: %s\nkernels: sm3 %s, sm4 %s, ghash %s\n", text, m->sm3->name,
		m->sm4->name, m->ghash->name);
}
