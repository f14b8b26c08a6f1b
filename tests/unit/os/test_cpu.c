/* SPDX-License-Identifier: Apache-2.0 */
/* The mask of CPU features only takes away, and knows its names. */
#include "test.h"

#include <stdio.h>

#include "os/clock.h"
#include "os/cpu.h"
#include "os/entropy.h"

static void refuses_names_that_no_feature_has(void **state)
{
	const char *const bad[] = { "", "avx3", "avx2,", ",avx2", "avx2,,gfni", "AVX2",
		"none,avx2" };
	uint32_t cpu = 42;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(hf_os_cpu_limit(&cpu, bad[i], NULL), HF_ERR_ARG);
	assert_int_equal(cpu, 42);
}

static void a_mask_only_takes_away(void **state)
{
	uint32_t all = hf_os_cpu();
	uint32_t cpu = 1;

	(void)state;
	assert_ok(hf_os_cpu_limit(&cpu, "none", NULL));
	assert_int_equal(cpu, 0);
	assert_ok(hf_os_cpu_limit(&cpu, NULL, NULL));
	assert_int_equal(cpu, all);
	assert_ok(hf_os_cpu_limit(&cpu, "avx2,armsm3", NULL));
	assert_int_equal(cpu, all & (HF_CPU_AVX2 | HF_CPU_ARM_SM3));
	assert_true(hf_os_cpu_count() >= 1);
}

/* The kernel's own list is the oracle. */
static void agrees_with_proc_cpuinfo(void **state)
{
#if defined(__x86_64__)
	static const struct {
		const char *word;
		uint32_t bit;
	} rows[] = { { " aes ", HF_CPU_AES }, { " avx2 ", HF_CPU_AVX2 }, { " gfni ", HF_CPU_GFNI },
		{ " vaes ", HF_CPU_VAES }, { " adx ", HF_CPU_ADX }, { " bmi2 ", HF_CPU_BMI2 },
		{ " avx512ifma ", HF_CPU_AVX512_IFMA }, { " avx512vl ", HF_CPU_AVX512 },
		{ " vpclmulqdq ", HF_CPU_VPCLMUL }, { " pclmulqdq ", HF_CPU_PCLMUL },
		{ " sse4_1 ", HF_CPU_SSE41 } };
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "r");
	uint32_t cpu = hf_os_cpu();

	(void)state;
	if (f == NULL)
		skip();
	while (fgets(line, sizeof(line) - 1, f) != NULL && strncmp(line, "flags", 5) != 0)
		;
	(void)fclose(f);
	line[strcspn(line, "\n")] = ' ';
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		assert_int_equal((cpu & rows[i].bit) != 0, strstr(line, rows[i].word) != NULL);
#else
	(void)state;
	skip();
#endif
}

static void writes_names_that_it_reads_back(void **state)
{
	char text[256];
	char cut[4];
	uint32_t cpu = 0;

	(void)state;
	hf_os_cpu_text(text, sizeof(text), 0);
	assert_string_equal(text, "none");
	hf_os_cpu_text(text, sizeof(text), HF_CPU_AVX2 | HF_CPU_ARM_SM4);
	assert_string_equal(text, "avx2,armsm4");
	hf_os_cpu_text(cut, sizeof(cut), HF_CPU_AVX2 | HF_CPU_ARM_SM4);
	assert_string_equal(cut, "avx");
	hf_os_cpu_text(text, sizeof(text), hf_os_cpu());
	assert_ok(hf_os_cpu_limit(&cpu, text, NULL));
	assert_int_equal(cpu, hf_os_cpu());
}

static void time_moves_forward_and_entropy_differs(void **state)
{
	uint64_t t = hf_clock_mono_ns();
	struct hf_rng rng = hf_os_rng();
	uint8_t a[600] = { 0 };
	uint8_t b[600] = { 0 };

	(void)state;
	hf_clock_sleep_ms(2);
	assert_true(hf_clock_mono_ns() - t >= 2000000u);
	assert_true(hf_clock_wall_ms() / 1000 - hf_clock_wall_s() <= 1);
	assert_true(hf_clock_wall_s() > 1700000000u);
	assert_ok(hf_rng_fill(&rng, a, sizeof(a)));
	assert_ok(hf_entropy_fill(b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 500, b + 500, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_names_that_no_feature_has),
		cmocka_unit_test(a_mask_only_takes_away),
		cmocka_unit_test(agrees_with_proc_cpuinfo),
		cmocka_unit_test(writes_names_that_it_reads_back),
		cmocka_unit_test(time_moves_forward_and_entropy_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
