/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The primitives that have kernels, as the module's start, its self-test on demand and its report
 * see them: one row each. What a kernel must do stands in the header of its primitive.
 */
#include "base/attr.h"
#include "crypto/modes/gcm_kernel.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/selftest.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"

static bool sm3_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_sm3_kernel *kernel = hf_sm3_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "sm3", kernel->name, kernel->needs,
		hf_module()->sm3 == kernel };
	return true;
}

static bool sm3_choose(struct hf_module *m, uint32_t cpu)
{
	m->sm3 = hf_sm3_choose(cpu);
	return m->sm3 != NULL;
}

static void sm3_use(struct hf_module *m, size_t i)
{
	m->sm3 = hf_sm3_kernel_at(i);
}

static bool sm4_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_sm4_kernel *kernel = hf_sm4_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "sm4", kernel->name, kernel->needs,
		hf_module()->sm4 == kernel };
	return true;
}

static bool sm4_choose(struct hf_module *m, uint32_t cpu)
{
	m->sm4 = hf_sm4_choose(cpu);
	return m->sm4 != NULL;
}

static void sm4_use(struct hf_module *m, size_t i)
{
	m->sm4 = hf_sm4_kernel_at(i);
}

static bool ghash_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_ghash_kernel *kernel = hf_ghash_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "ghash", kernel->name, kernel->needs,
		hf_module()->ghash == kernel };
	return true;
}

static bool ghash_choose(struct hf_module *m, uint32_t cpu)
{
	m->ghash = hf_ghash_choose(cpu);
	return m->ghash != NULL;
}

static void ghash_use(struct hf_module *m, size_t i)
{
	m->ghash = hf_ghash_kernel_at(i);
}

static bool gcm_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_gcm_kernel *kernel = hf_gcm_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "gcm", kernel->name, kernel->needs,
		hf_module()->gcm == kernel };
	return true;
}

/* It stands on the two before it. */
static bool gcm_choose(struct hf_module *m, uint32_t cpu)
{
	m->gcm = hf_gcm_choose(cpu, m->sm4, m->ghash);
	return m->gcm != NULL;
}

static void gcm_use(struct hf_module *m, size_t i)
{
	m->gcm = hf_gcm_kernel_at(i);
}

static bool sm2_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_sm2_kernel *kernel = hf_sm2_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "sm2", kernel->name, kernel->needs,
		hf_module()->sm2 == kernel };
	return true;
}

static bool sm2_choose(struct hf_module *m, uint32_t cpu)
{
	m->sm2 = hf_sm2_choose(cpu);
	return m->sm2 != NULL;
}

static void sm2_use(struct hf_module *m, size_t i)
{
	m->sm2 = hf_sm2_kernel_at(i);
}

static bool sm2_batch_at(struct hf_kernel_info *k, size_t i)
{
	const struct hf_sm2_batch_kernel *kernel = hf_sm2_batch_kernel_at(i);

	if (kernel == NULL)
		return false;
	*k = (struct hf_kernel_info){ "sm2-batch", kernel->name, kernel->needs,
		hf_module()->sm2_batch == kernel };
	return true;
}

static bool sm2_batch_choose(struct hf_module *m, uint32_t cpu)
{
	m->sm2_batch = hf_sm2_batch_choose(cpu);
	return m->sm2_batch != NULL;
}

static void sm2_batch_use(struct hf_module *m, size_t i)
{
	m->sm2_batch = hf_sm2_batch_kernel_at(i);
}

/* In the order of what stands on what. */
static const struct hf_kernel_family families[] = {
	{ "sm3 kernel", sm3_at, sm3_choose, sm3_use, false },
	{ "sm4 kernel", sm4_at, sm4_choose, sm4_use, false },
	{ "ghash kernel", ghash_at, ghash_choose, ghash_use, false },
	{ "gcm kernel", gcm_at, gcm_choose, gcm_use, true },
	{ "sm2 kernel", sm2_at, sm2_choose, sm2_use, false },
	{ "sm2-batch kernel", sm2_batch_at, sm2_batch_choose, sm2_batch_use, false },
};

const struct hf_kernel_family *hf_kernel_family_at(size_t i)
{
	return i < HF_COUNT(families) ? &families[i] : NULL;
}

bool hf_module_kernel_at(struct hf_kernel_info *k, size_t i)
{
	for (size_t f = 0; f < HF_COUNT(families); f++)
		for (size_t at = 0; families[f].at(k, at); at++)
			if (i-- == 0)
				return true;
	return false;
}
