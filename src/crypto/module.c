/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's life. The tests use the services as a caller does, so there is service in SELF_TEST,
 * too; nobody else can have it, because hf_module_start() comes before any other thread and
 * hf_module_selftest() asks its caller to be alone. Any thread may find a failure: state and
 * name of the failed test are therefore atomic, the name being written first.
 */
#include "crypto/module.h"

#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/integrity.h"
#include "crypto/selftest.h"

enum { NO = -1 };

static const int module_next[HF_MODULE_STATES][HF_MODULE_EVENTS] = {
	/* clang-format off */
	/*                        START                PASSED           FAILED           TEST                 ZEROIZE */
	[HF_MODULE_OFF]       = { HF_MODULE_SELF_TEST, NO,              HF_MODULE_ERROR, NO,                  HF_MODULE_ZEROIZED },
	[HF_MODULE_SELF_TEST] = { NO,                  HF_MODULE_READY, HF_MODULE_ERROR, NO,                  NO                 },
	[HF_MODULE_READY]     = { NO,                  NO,              HF_MODULE_ERROR, HF_MODULE_SELF_TEST, HF_MODULE_ZEROIZED },
	[HF_MODULE_ERROR]     = { NO,                  NO,              HF_MODULE_ERROR, NO,                  NO                 },
	[HF_MODULE_ZEROIZED]  = { HF_MODULE_SELF_TEST, NO,              HF_MODULE_ERROR, NO,                  HF_MODULE_ZEROIZED },
	/* clang-format on */
};

static const char no_test[] = "";

static struct hf_module the_module = { .state = HF_MODULE_OFF, .failed = no_test };

/*
 * In the order of what stands on what. Integrity comes as soon as what it needs was tested
 * (GB/T 37092-2018 7.10.2).
 */
static const struct {
	const char *name;
	bool (*run)(void);
} selftests[] = {
	{ "sm3", hf_sm3_selftest },
	{ "hmac-sm3", hf_hmac_selftest },
	{ "integrity", hf_integrity_selftest },
	{ "sm2-kdf", hf_sm2_kdf_selftest },
	{ "hkdf-sm3", hf_hkdf_selftest },
	{ "pbkdf2-sm3", hf_pbkdf2_selftest },
	{ "tlcp-prf", hf_tlcp_prf_selftest },
	{ "tree-sm3", hf_tree_selftest },
	{ "sm3-drbg", hf_drbg_selftest },
	{ "sm2", hf_sm2_selftest },
	{ "sm2-batch", hf_sm2_batch_selftest },
	{ "sm4", hf_sm4_selftest },
	{ "sm4-gcm", hf_gcm_selftest },
	{ "sm4-ccm", hf_ccm_selftest },
	{ "sm4-xts", hf_xts_selftest },
	{ "sm4-modes", hf_sm4_modes_selftest },
	{ "sm4-hctr", hf_hctr_selftest },
	{ "sm4-mac", hf_sm4_mac_selftest },
	{ "sm4-ctr-drbg", hf_ctr_drbg_selftest },
};

int hf_module_next(enum hf_module_state state, enum hf_module_event event)
{
	return module_next[state][event];
}

/* False: not allowed in this state, which stays. */
static bool step(enum hf_module_event event)
{
	enum hf_module_state now = atomic_load(&the_module.state);
	int next;

	do {
		next = module_next[now][event];
		if (next == NO)
			return false;
	} while (
		!atomic_compare_exchange_weak(&the_module.state, &now, (enum hf_module_state)next));
	return true;
}

hf_err hf_module_fail(const char *test)
{
	const char *none = no_test;

	(void)atomic_compare_exchange_strong(&the_module.failed, &none, test);
	(void)step(HF_MODULE_EV_FAILED);
	return HF_ERR_SELF_TEST;
}

static hf_err run_tests(const struct hf_selftest_watch *watch, const struct hf_kernel_info *kernel)
{
	for (size_t i = 0; i < HF_COUNT(selftests); i++) {
		bool passed = selftests[i].run();

		if (watch != NULL)
			watch->done(watch->ctx, selftests[i].name, kernel, passed);
		if (!passed)
			return hf_module_fail(selftests[i].name);
	}
	return HF_OK;
}

static hf_err finish(hf_err e)
{
	if (e == HF_OK && step(HF_MODULE_EV_PASSED))
		return HF_OK;
	return HF_ERR_SELF_TEST;
}

hf_err hf_module_start(uint32_t cpu)
{
	const struct hf_kernel_family *f;

	if (!step(HF_MODULE_EV_START))
		return hf_module_check();
	the_module.cpu = cpu;
	the_module.is_approved = hf_integrity_is_tested() && !HF_HAS_FAULTS;
	for (size_t i = 0; (f = hf_kernel_family_at(i)) != NULL; i++)
		if (!f->choose(&the_module, cpu))
			return hf_module_fail(f->test);
	return finish(run_tests(NULL, NULL));
}

const struct hf_module *hf_module(void)
{
	return &the_module;
}

hf_err hf_module_check(void)
{
	enum hf_module_state now = atomic_load_explicit(&the_module.state, memory_order_acquire);

	return now == HF_MODULE_READY || now == HF_MODULE_SELF_TEST ? HF_OK : HF_ERR_SELF_TEST;
}

hf_err hf_module_check_out(void *out, size_t len)
{
	hf_err e = hf_module_check();

	if (e != HF_OK)
		hf_wipe(out, len);
	return e;
}

/* The kernel of the family that the module uses; the count if it uses none. */
static size_t chosen(const struct hf_kernel_family *f)
{
	struct hf_kernel_info k = { .is_chosen = false };
	size_t i = 0;

	while (f->at(&k, i) && !k.is_chosen)
		i++;
	return i;
}

static hf_err choose_dependents(void)
{
	const struct hf_kernel_family *f;

	for (size_t i = 0; (f = hf_kernel_family_at(i)) != NULL; i++)
		if (f->is_dependent && !f->choose(&the_module, the_module.cpu))
			return hf_module_fail(f->test);
	return HF_OK;
}

/*
 * One kernel in place of the chosen one. With the features that it needs and no other it is chosen
 * if it agrees with the reference, unless a better one needs no more than it.
 */
static hf_err test_kernel(const struct hf_selftest_watch *watch, const struct hf_kernel_family *f,
	size_t i, const struct hf_kernel_info *k)
{
	bool agrees = f->choose(&the_module, k->needs) && chosen(f) <= i;

	if (watch != NULL)
		watch->done(watch->ctx, f->test, k, agrees);
	if (!agrees)
		return hf_module_fail(f->test);
	f->use(&the_module, i);
	if (!f->is_dependent)
		HF_TRY(choose_dependents());
	return run_tests(watch, k);
}

static hf_err test_family(const struct hf_selftest_watch *watch, const struct hf_kernel_family *f)
{
	struct hf_kernel_info k;
	size_t before = chosen(f);
	hf_err e = HF_OK;

	for (size_t i = 0; e == HF_OK && f->at(&k, i); i++)
		if (i != before && (k.needs & ~the_module.cpu) == 0)
			e = test_kernel(watch, f, i, &k);
	f->use(&the_module, before);
	if (e == HF_OK && !f->is_dependent)
		e = choose_dependents();
	return e;
}

hf_err hf_module_selftest(const struct hf_selftest_watch *watch)
{
	const struct hf_kernel_family *f;
	hf_err e;

	if (!step(HF_MODULE_EV_TEST))
		return HF_ERR_SELF_TEST;
	e = run_tests(watch, NULL);
	for (size_t i = 0; e == HF_OK && (f = hf_kernel_family_at(i)) != NULL; i++)
		e = test_family(watch, f);
	return finish(e);
}

void hf_module_zeroize(void)
{
	/* Kernels stay: a thread may be in the middle of one. They are no secret. */
	(void)step(HF_MODULE_EV_ZEROIZE);
}

const char *hf_module_advice(void)
{
	const char *failed = the_module.failed;

	if (strcmp(failed, "integrity") == 0)
		return "its code was altered after it was built: install it again";
	if (strncmp(failed, "entropy", 7) == 0)
		return "the entropy source of this machine is broken: do not use it";
	return "do not use it";
}

const char *hf_module_state_name(enum hf_module_state state)
{
	static const char *const names[HF_MODULE_STATES] = {
		[HF_MODULE_OFF] = "off",
		[HF_MODULE_SELF_TEST] = "self-test",
		[HF_MODULE_READY] = "ready",
		[HF_MODULE_ERROR] = "error",
		[HF_MODULE_ZEROIZED] = "zeroized",
	};

	return names[state];
}

const char *hf_module_event_name(enum hf_module_event event)
{
	static const char *const names[HF_MODULE_EVENTS] = {
		[HF_MODULE_EV_START] = "start",
		[HF_MODULE_EV_PASSED] = "passed",
		[HF_MODULE_EV_FAILED] = "failed",
		[HF_MODULE_EV_TEST] = "test",
		[HF_MODULE_EV_ZEROIZE] = "zeroize",
	};

	return names[event];
}

const char *hf_module_test_at(size_t i)
{
	return i < HF_COUNT(selftests) ? selftests[i].name : NULL;
}
