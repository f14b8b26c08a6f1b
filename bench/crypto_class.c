/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of processors, and processes that run with the kernels of one. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cpu.h"
#include "bench.h"
#include "crypto.h"
#include "crypto/module.h"

enum {
	ONLY_AVX512 = HF_CPU_AVX512 | HF_CPU_AVX512_IFMA,
	ONLY_GFNI = HF_CPU_GFNI | HF_CPU_VAES | HF_CPU_VPCLMUL,
	OF_SSE = HF_CPU_SSE41 | HF_CPU_AES | HF_CPU_PCLMUL,
};

static const struct {
	const char *name;
	uint32_t needs;
	uint32_t keeps; /* when it is forced */
} classes[CRYPTO_CLASSES] = {
	[CRYPTO_AVX512] = { "AVX-512 + GFNI", HF_CPU_AVX512 | HF_CPU_GFNI | HF_CPU_VPCLMUL,
		UINT32_MAX },
	[CRYPTO_GFNI] = { "AVX2 + GFNI", HF_CPU_AVX2 | HF_CPU_GFNI, ~(uint32_t)ONLY_AVX512 },
	[CRYPTO_AVX2] = { "AVX2 + AES-NI", HF_CPU_AVX2 | HF_CPU_AES | HF_CPU_PCLMUL,
		~(uint32_t)(ONLY_AVX512 | ONLY_GFNI) },
	[CRYPTO_SSE] = { "SSE + AES-NI", OF_SSE, OF_SSE },
	[CRYPTO_C] = { "C", 0, 0 },
};

enum crypto_class crypto_class_of(uint32_t cpu)
{
	for (int c = 0; c < CRYPTO_C; c++)
		if ((classes[c].needs & ~cpu) == 0)
			return (enum crypto_class)c;
	return CRYPTO_C;
}

uint32_t crypto_class_cpu(enum crypto_class class, uint32_t cpu)
{
	return cpu & classes[class].keeps;
}

const char *crypto_class_name(enum crypto_class class)
{
	return classes[class].name;
}

/* Answers until nobody asks any more. */
static void serve(int ask, int answer, uint32_t cpu)
{
	struct hufu_speed *s = malloc(sizeof(*s));
	size_t i;

	bench_need(s != NULL && hf_module_start(cpu) == HF_OK && hufu_speed_init(s) == HF_OK,
		"the start of a lower class");
	while (read(ask, &i, sizeof(i)) == (ssize_t)sizeof(i)) {
		const struct hufu_speed_row *row = hufu_speed_row_at(i);
		double rate = hufu_speed_sample(row->run, s, row, row->n);

		bench_need(write(answer, &rate, sizeof(rate)) == (ssize_t)sizeof(rate), "a pipe");
	}
	hufu_speed_clear(s);
	free(s);
}

void crypto_worker_start(struct crypto_worker *w, uint32_t cpu)
{
	int ask[2];
	int answer[2];
	pid_t pid;

	bench_need(pipe(ask) == 0 && pipe(answer) == 0, "a pipe");
	pid = fork();
	bench_need(pid >= 0, "fork");
	if (pid == 0) {
		(void)close(ask[1]);
		(void)close(answer[0]);
		serve(ask[0], answer[1], cpu);
		_exit(0);
	}
	(void)close(ask[0]);
	(void)close(answer[1]);
	w->ask = ask[1];
	w->answer = answer[0];
}

double crypto_worker_sample(const struct crypto_worker *w, size_t row)
{
	double rate = 0;

	bench_need(write(w->ask, &row, sizeof(row)) == (ssize_t)sizeof(row) &&
			   read(w->answer, &rate, sizeof(rate)) == (ssize_t)sizeof(rate),
		"a process of a lower class");
	return rate;
}
