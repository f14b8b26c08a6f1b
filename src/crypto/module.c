/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's life: OFF, then READY or ERROR, never back. While the known-answer tests run the
 * state is READY already, since they use the services as a caller does; nobody else can, because
 * hf_module_start() comes before any other thread.
 */
#include "crypto/module.h"

#include <string.h>

#include "base/attr.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/selftest.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"

static struct hf_module the_module = { .state = HF_MODULE_OFF };

/* In the order of what stands on what. */
static const struct {
	const char *name;
	bool (*run)(void);
} selftests[] = {
	{ "sm3", hf_sm3_selftest },
	{ "hmac-sm3", hf_hmac_selftest },
	{ "kdf", hf_kdf_selftest },
	{ "tree-sm3", hf_tree_selftest },
	{ "sm3-drbg", hf_drbg_selftest },
	{ "sm2", hf_sm2_selftest },
	{ "sm4", hf_sm4_selftest },
	{ "sm4-gcm", hf_gcm_selftest },
	{ "sm4-ccm", hf_ccm_selftest },
	{ "sm4-xts", hf_xts_selftest },
	{ "sm4-modes", hf_sm4_modes_selftest },
	{ "sm4-hctr", hf_hctr_selftest },
	{ "sm4-mac", hf_sm4_mac_selftest },
	{ "sm4-ctr-drbg", hf_ctr_drbg_selftest },
};

static hf_err enter_error(const char *test)
{
	the_module.state = HF_MODULE_ERROR;
	(void)strncpy(the_module.failed, test, sizeof(the_module.failed) - 1);
	return HF_ERR_SELF_TEST;
}

static hf_err run_selftests(void)
{
	for (size_t i = 0; i < HF_COUNT(selftests); i++)
		if (!selftests[i].run())
			return enter_error(selftests[i].name);
	return HF_OK;
}

hf_err hf_module_start(uint32_t cpu)
{
	if (the_module.state != HF_MODULE_OFF)
		return hf_module_check();
	the_module.cpu = cpu;
	the_module.sm3 = hf_sm3_choose(cpu);
	if (the_module.sm3 == NULL)
		return enter_error("sm3 kernel");
	the_module.sm4 = hf_sm4_choose(cpu);
	if (the_module.sm4 == NULL)
		return enter_error("sm4 kernel");
	the_module.ghash = hf_ghash_choose(cpu);
	if (the_module.ghash == NULL)
		return enter_error("ghash kernel");
	the_module.sm2_batch = hf_sm2_batch_choose(cpu);
	if (the_module.sm2_batch == NULL)
		return enter_error("sm2 batch kernel");
	the_module.state = HF_MODULE_READY;
	return run_selftests();
}

const struct hf_module *hf_module(void)
{
	return &the_module;
}

hf_err hf_module_check(void)
{
	return the_module.state == HF_MODULE_READY ? HF_OK : HF_ERR_SELF_TEST;
}

hf_err hf_module_selftest(void)
{
	HF_TRY(hf_module_check());
	return run_selftests();
}
