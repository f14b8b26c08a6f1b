/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every self-test can fail. The module is built with HUFU_FAULTS here; each fault is tried in a
 * process of its own: the test of its name finds it, the module enters its error state, and no
 * service is given. The list of tests is the module's own: one without a fault fails this.
 */
#include "refusals.h"
#include "test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/integrity.h"
#include "crypto/selftest.h"
#include "os/cpu.h"

/* What a child found; its exit code. */
enum {
	AS_EXPECTED = 60,
	NO_ERROR,       /* the call did not fail */
	WRONG_STATE,    /* not the error state */
	WRONG_NAME,     /* another test found it */
	GIVES_SERVICE,  /* a service answered */
	NOT_AS_BEFORE,  /* it did not work before the fault */
	FAULT_MAX = 32, /* bytes of a name */
};

struct job {
	char fault[FAULT_MAX];
	const char *finder; /* self-test that must find it */
	int (*run)(const struct job *j);
};

/* The end of every job: the error state, by the right test, without any service. */
static int judge(const struct job *j)
{
	if (hf_module()->state != HF_MODULE_ERROR)
		return WRONG_STATE;
	if (strcmp(hf_module()->failed, j->finder) != 0)
		return WRONG_NAME;
	(void)unsetenv("HUFU_FAULT"); /* which would spoil zeros, too */
	if (!test_all_refuse() || hf_module_start(0) == HF_OK || hf_module_selftest(NULL) == HF_OK)
		return GIVES_SERVICE;
	return AS_EXPECTED;
}

static int in_child(const struct job *j)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(j->run(j));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *fault, const char *finder, int (*run)(const struct job *j))
{
	struct job j = { "", finder, run };
	int found;

	(void)snprintf(j.fault, sizeof(j.fault), "%s", fault);
	found = in_child(&j);
	if (found != AS_EXPECTED)
		(void)fprintf(stderr, "fault '%s', to be found by '%s'\n", fault, finder);
	assert_int_equal(found, AS_EXPECTED);
}

static void set_fault(const struct job *j)
{
	(void)setenv("HUFU_FAULT", j->fault, 1);
}

static int at_the_start(const struct job *j)
{
	set_fault(j);
	return hf_module_start(hf_os_cpu()) == HF_OK ? NO_ERROR : judge(j);
}

static int on_demand(const struct job *j)
{
	if (hf_module_start(hf_os_cpu()) != HF_OK)
		return NOT_AS_BEFORE;
	set_fault(j);
	return hf_module_selftest(NULL) == HF_OK ? NO_ERROR : judge(j);
}

/* Whether a test would be run at all: a sanitized build has no integrity test. */
static bool is_run(const char *name)
{
	return strcmp(name, "integrity") != 0 || hf_integrity_is_tested();
}

static int without_a_fault(const struct job *j)
{
	set_fault(j);
	if (hf_module_start(hf_os_cpu()) != HF_OK || hf_module_selftest(NULL) != HF_OK)
		return NOT_AS_BEFORE;
	if (hf_module()->is_approved) /* never, in such a build */
		return WRONG_STATE;
	return AS_EXPECTED;
}

static void without_a_fault_the_module_serves(void **state)
{
	(void)state;
	expect("no test of this name", "", without_a_fault);
}

static void every_power_up_test_finds_its_fault(void **state)
{
	const char *name;

	(void)state;
	for (size_t i = 0; (name = hf_module_test_at(i)) != NULL; i++)
		if (is_run(name))
			expect(name, name, at_the_start);
}

static void every_test_on_demand_finds_its_fault(void **state)
{
	const char *name;

	(void)state;
	for (size_t i = 0; (name = hf_module_test_at(i)) != NULL; i++)
		if (is_run(name))
			expect(name, name, on_demand);
}

static void a_primitive_without_a_right_kernel_is_found(void **state)
{
	const struct hf_kernel_family *f;

	(void)state;
	if (TEST_SMALL) /* nothing is chosen there; the algorithms' own tests stand alone */
		skip();
	for (size_t i = 0; (f = hf_kernel_family_at(i)) != NULL; i++)
		expect(f->test, f->test, at_the_start);
}

/* Bytes as a working source gives them (splitmix64). */
static hf_err good_source(void *ctx, uint8_t *out, size_t len)
{
	uint64_t *state = ctx;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		out[i] = (uint8_t)(z >> 24);
	}
	return HF_OK;
}

static int new_pair(const struct job *j)
{
	static const struct hf_sm2_key none = { { 0 }, { { 0 }, { 0 } } };
	uint64_t seed = 1;
	const struct hf_rng rng = { good_source, &seed };
	struct hf_sm2_key k;

	if (hf_module_start(hf_os_cpu()) != HF_OK || hf_sm2_key_new(&k, &rng) != HF_OK)
		return NOT_AS_BEFORE;
	set_fault(j);
	if (hf_sm2_key_new(&k, &rng) != HF_ERR_SELF_TEST)
		return NO_ERROR;
	return memcmp(&k, &none, sizeof(k)) == 0 ? judge(j) : GIVES_SERVICE;
}

static int new_pairs(const struct job *j)
{
	static const struct hf_sm2_key none = { { 0 }, { { 0 }, { 0 } } };
	uint64_t seed = 1;
	const struct hf_rng rng = { good_source, &seed };
	struct hf_sm2_key k[3];
	struct hf_sm2_key_job jobs[3];

	for (size_t i = 0; i < HF_COUNT(jobs); i++)
		jobs[i] = (struct hf_sm2_key_job){ &k[i], HF_OK };
	if (hf_module_start(hf_os_cpu()) != HF_OK || hf_sm2_key_new_batch(jobs, 3, &rng) != HF_OK)
		return NOT_AS_BEFORE;
	set_fault(j);
	if (hf_sm2_key_new_batch(jobs, 3, &rng) != HF_ERR_SELF_TEST)
		return NO_ERROR;
	for (size_t i = 0; i < HF_COUNT(jobs); i++)
		if (jobs[i].result == HF_OK || memcmp(&k[i], &none, sizeof(none)) != 0)
			return GIVES_SERVICE;
	return judge(j);
}

static void a_pair_of_keys_that_does_not_match_is_found(void **state)
{
	(void)state;
	expect("sm2 pair", "sm2 pair", new_pair);
	expect("sm2 pair", "sm2 pair", new_pairs);
}

static int new_generator(const struct job *j)
{
	uint64_t seed = 1;
	const struct hf_rng source = { good_source, &seed };
	uint8_t out[32];
	struct hf_drbg d;

	if (hf_module_start(0) != HF_OK || hf_drbg_init(&d, &source, NULL, NULL, NULL, 0) != HF_OK)
		return NOT_AS_BEFORE;
	set_fault(j);
	d.n_requests = HF_DRBG_REQUESTS_MAX + 1; /* a reseed is due */
	if (hf_drbg_fill(&d, out, sizeof(out)) == HF_OK)
		return NO_ERROR;
	for (size_t i = 0; i < sizeof(out); i++)
		if (out[i] != 0)
			return GIVES_SERVICE;
	return judge(j);
}

static void the_health_tests_of_entropy_find_their_faults(void **state)
{
	(void)state;
	expect("entropy repetition", "entropy repetition", new_generator);
	expect("entropy proportion", "entropy proportion", new_generator);
	expect("entropy continuous", "entropy continuous", new_generator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_fault_the_module_serves),
		cmocka_unit_test(every_power_up_test_finds_its_fault),
		cmocka_unit_test(every_test_on_demand_finds_its_fault),
		cmocka_unit_test(a_primitive_without_a_right_kernel_is_found),
		cmocka_unit_test(a_pair_of_keys_that_does_not_match_is_found),
		cmocka_unit_test(the_health_tests_of_entropy_find_their_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
