/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed number of worker threads. Results and their order are the caller's business: a job writes
 * to a place of its own. All calls on one pool come from one thread, jobs excepted.
 */
#ifndef HF_OS_THREAD_H
#define HF_OS_THREAD_H

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { HF_POOL_WORKERS_MAX = 256 };

struct hf_pool;

/*
 * Starts n_workers threads (0: jobs run in the caller, at submit) with room for n_queue waiting
 * jobs. Signals stay with the caller: the workers block all of them.
 */
HF_MUST_USE hf_err hf_pool_new(struct hf_pool **pool, const struct hf_mem *mem, unsigned n_workers,
	size_t n_queue, struct hf_errinfo *ei);

/* Waits for all jobs, ends the threads. Accepts NULL. */
void hf_pool_free(struct hf_pool *pool);

unsigned hf_pool_workers(const struct hf_pool *pool);

/* Queues job(arg); waits while the queue is full. */
void hf_pool_submit(struct hf_pool *pool, void (*job)(void *arg), void *arg);

/* Returns when no job is waiting or running. */
void hf_pool_wait(struct hf_pool *pool);

/*
 * Runs job(ctx, i) for every i below n, in any order and number at once; returns when all have
 * ended. After a failure no further i is begun. Gives the error of the lowest i that failed.
 */
HF_MUST_USE hf_err hf_pool_for(
	struct hf_pool *pool, size_t n, hf_err (*job)(void *ctx, size_t i), void *ctx);

#endif
