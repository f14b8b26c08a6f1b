/* SPDX-License-Identifier: Apache-2.0 */
/* What every use case needs from the program it runs in. Read-only; outlives all that got it. */
#ifndef HF_SVC_ENV_H
#define HF_SVC_ENV_H

#include <stdint.h>

#include "base/mem.h"
#include "base/rng.h"
#include "crypto/drbg.h"
#include "os/thread.h"

struct hf_env {
	const struct hf_mem *mem;
	struct hf_rng rng;    /* the module's generator; this thread only */
	struct hf_pool *pool; /* for per-chunk work; may be NULL: work is done by the caller */
	struct hf_drbg drbg;  /* what rng draws from */
};

/*
 * The environment of a program: C heap, a generator seeded by the system. n_workers 0: no pool.
 * The module has been started. HF_ERR_ENTROPY, HF_ERR_SELF_TEST, HF_ERR_NO_MEMORY.
 */
HF_MUST_USE hf_err hf_env_init(struct hf_env *env, unsigned n_workers, struct hf_errinfo *ei);
void hf_env_clear(struct hf_env *env);

#endif
