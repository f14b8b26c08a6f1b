/* SPDX-License-Identifier: Apache-2.0 */
/* hufu bench crypto: the rows of speed.h, on standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "os/cpu.h"
#include "speed.h"

enum {
	SAMPLES = 25, /* of each row */
};

static bool begins_with(const struct hufu_speed_row *row, const char *name)
{
	return strncasecmp(row->name, name, strlen(name)) == 0;
}

static bool is_wanted(const struct hufu_args *a, const struct hufu_speed_row *row)
{
	for (size_t i = 0; i < a->n_args; i++)
		if (begins_with(row, a->arg[i]))
			return true;
	return a->n_args == 0;
}

static hf_err check_names(const struct hufu_args *a, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < a->n_args; i++) {
		const struct hufu_speed_row *row;
		size_t at = 0;

		do
			row = hufu_speed_row_at(at++);
		while (row != NULL && !begins_with(row, a->arg[i]));
		if (row == NULL)
			return hf_fail(ei, HF_ERR_ARG,
				"'%s': no row begins so; without operands all are listed",
				a->arg[i]);
	}
	return HF_OK;
}

static void print_head(bool is_json)
{
	const struct hf_module *m = hf_module();
	char cpu[256];

	hf_os_cpu_text(cpu, sizeof(cpu), m->cpu);
	if (is_json)
		printf("{\"version\":\"%s\",\"cpu\":\"%s\",\"kernels\":{\"sm3\":\"%s\",\"sm4\":\"%"
		       "s\","
		       "\"ghash\":\"%s\"},\"rows\":[",
			HUFU_VERSION, cpu, m->sm3->name, m->sm4->name, m->ghash->name);
	else
		printf("processor: %s\nkernels: sm3 %s, sm4 %s, ghash %s\n", cpu, m->sm3->name,
			m->sm4->name, m->ghash->name);
}

static void print_row(const struct hufu_speed_row *row, double rate, bool is_json, bool is_first)
{
	const char *unit = hufu_speed_unit(row);
	double value = hufu_speed_value(row, rate);
	char size[32];

	hufu_speed_size_text(size, sizeof(size), row);
	if (is_json)
		printf("%s\n{\"name\":\"%s\",\"bytes\":%zu,\"n\":%zu,\"unit\":\"%s\",\"value\":%."
		       "4f}",
			is_first ? "" : ",", row->name, row->len, row->n, unit, value);
	else
		printf("%-17s %11s %9.3f %s\n", row->name, size, value, unit);
}

static hf_err run_rows(const struct hufu_args *a, struct hufu_speed *s, struct hf_errinfo *ei)
{
	const struct hufu_speed_row *row;
	bool is_json = hufu_has(a, "json");
	bool is_first = true;

	for (size_t i = 0; (row = hufu_speed_row_at(i)) != NULL; i++) {
		double best = 0;

		if (!is_wanted(a, row))
			continue;
		for (size_t n = 0; n < SAMPLES; n++) {
			double rate = hufu_speed_sample(row->run, s, row, row->n);

			if (rate <= 0)
				return hf_fail(
					ei, HF_ERR_STATE, "%s: the operation failed", row->name);
			best = rate > best ? rate : best;
		}
		print_row(row, best, is_json, is_first);
		is_first = false;
		(void)fflush(stdout); /* people watch */
	}
	return HF_OK;
}

int hufu_run_bench_crypto(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hufu_speed *s;
	hf_err e = check_names(a, ei);

	if (e != HF_OK)
		return HUFU_EXIT_USAGE;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return hufu_exit(HF_ERR_NO_MEMORY, ei);
	e = hufu_speed_init(s);
	if (e == HF_OK) {
		print_head(hufu_has(a, "json"));
		e = run_rows(a, s, ei);
		if (hufu_has(a, "json"))
			printf("\n]}\n");
	}
	hufu_speed_clear(s);
	free(s);
	return hufu_exit(e, ei);
}
