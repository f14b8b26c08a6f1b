/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/env.h"

#include <string.h>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/heap.h"

enum { POOL_QUEUE = 64 };

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return hf_clock_mono_ms();
}

hf_err hf_env_init(struct hf_env *env, unsigned n_workers, struct hf_errinfo *ei)
{
	static const char personal[] = "hufu";
	struct hf_rng system = hf_os_rng();
	hf_err e;

	memset(env, 0, sizeof(*env));
	env->mem = hf_os_mem();
	e = hf_drbg_init(&env->drbg, &system, now_ms, NULL, personal, sizeof(personal) - 1);
	if (e != HF_OK)
		return hf_fail(ei, e, "random generator: %s", hf_err_text(e));
	env->rng = hf_drbg_rng(&env->drbg);
	if (n_workers > 0)
		return hf_pool_new(&env->pool, env->mem, n_workers, POOL_QUEUE, ei);
	return HF_OK;
}

void hf_env_clear(struct hf_env *env)
{
	hf_pool_free(env->pool);
	hf_drbg_clear(&env->drbg);
	memset(env, 0, sizeof(*env));
}
