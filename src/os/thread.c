/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of waiting jobs behind one mutex. Invariants, all under the mutex:
 *   1. count <= cap; the waiting jobs are ring[head … head + count) modulo cap
 *   2. n_busy is the number of workers inside a job
 *   3. is_done is signalled when count and n_busy are both 0
 */
#include "os/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/sys.h"

struct pool_job {
	void (*run)(void *arg);
	void *arg;
};

struct hf_pool {
	const struct hf_mem *mem;
	pthread_mutex_t mutex;
	pthread_cond_t has_job;
	pthread_cond_t has_room;
	pthread_cond_t is_done;
	struct pool_job *ring;
	size_t cap;
	size_t head;
	size_t count;
	unsigned n_busy;
	bool is_ending;
	unsigned n_workers;
	pthread_t workers[];
};

static void *worker(void *arg)
{
	struct hf_pool *p = arg;

	(void)pthread_mutex_lock(&p->mutex);
	for (;;) {
		struct pool_job job;

		while (p->count == 0 && !p->is_ending)
			(void)pthread_cond_wait(&p->has_job, &p->mutex);
		if (p->count == 0)
			break;
		job = p->ring[p->head];
		p->head = (p->head + 1) % p->cap;
		p->count--;
		p->n_busy++;
		(void)pthread_cond_signal(&p->has_room);
		(void)pthread_mutex_unlock(&p->mutex);
		job.run(job.arg);
		(void)pthread_mutex_lock(&p->mutex);
		p->n_busy--;
		if (p->count == 0 && p->n_busy == 0)
			(void)pthread_cond_broadcast(&p->is_done);
	}
	(void)pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Workers inherit the mask they are born with. */
static int start_workers(struct hf_pool *p, unsigned n)
{
	sigset_t all;
	sigset_t before;
	int sys = 0;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (p->n_workers < n && sys == 0) {
		sys = pthread_create(&p->workers[p->n_workers], NULL, worker, p);
		if (sys == 0)
			p->n_workers++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sys;
}

hf_err hf_pool_new(struct hf_pool **pool, const struct hf_mem *mem, unsigned n_workers,
	size_t n_queue, struct hf_errinfo *ei)
{
	struct hf_pool *p;
	int sys;

	if (n_workers > HF_POOL_WORKERS_MAX || n_queue == 0)
		return hf_fail(ei, HF_ERR_ARG, "a pool cannot have %u workers", n_workers);
	p = hf_mem_new(mem, sizeof(*p) + n_workers * sizeof(p->workers[0]));
	if (p == NULL)
		return HF_ERR_NO_MEMORY;
	p->mem = mem;
	p->cap = n_queue;
	p->ring = hf_mem_array(mem, n_queue, sizeof(*p->ring));
	if (p->ring == NULL) {
		hf_mem_free(mem, p);
		return HF_ERR_NO_MEMORY;
	}
	(void)pthread_mutex_init(&p->mutex, NULL); /* cannot fail with default attributes */
	(void)pthread_cond_init(&p->has_job, NULL);
	(void)pthread_cond_init(&p->has_room, NULL);
	(void)pthread_cond_init(&p->is_done, NULL);
	sys = start_workers(p, n_workers);
	if (sys != 0) {
		hf_pool_free(p);
		return hf_sys_fail(ei, sys, "cannot start %u threads", n_workers);
	}
	*pool = p;
	return HF_OK;
}

void hf_pool_free(struct hf_pool *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->mutex);
	p->is_ending = true;
	(void)pthread_cond_broadcast(&p->has_job);
	(void)pthread_mutex_unlock(&p->mutex);
	for (unsigned i = 0; i < p->n_workers; i++)
		(void)pthread_join(p->workers[i], NULL);
	(void)pthread_cond_destroy(&p->is_done);
	(void)pthread_cond_destroy(&p->has_room);
	(void)pthread_cond_destroy(&p->has_job);
	(void)pthread_mutex_destroy(&p->mutex);
	hf_mem_free(p->mem, p->ring);
	hf_mem_free(p->mem, p);
}

unsigned hf_pool_workers(const struct hf_pool *p)
{
	return p->n_workers;
}

void hf_pool_submit(struct hf_pool *p, void (*job)(void *arg), void *arg)
{
	if (p->n_workers == 0) {
		job(arg);
		return;
	}
	(void)pthread_mutex_lock(&p->mutex);
	while (p->count == p->cap)
		(void)pthread_cond_wait(&p->has_room, &p->mutex);
	p->ring[(p->head + p->count) % p->cap] = (struct pool_job){ job, arg };
	p->count++;
	(void)pthread_cond_signal(&p->has_job);
	(void)pthread_mutex_unlock(&p->mutex);
}

void hf_pool_wait(struct hf_pool *p)
{
	(void)pthread_mutex_lock(&p->mutex);
	while (p->count > 0 || p->n_busy > 0)
		(void)pthread_cond_wait(&p->is_done, &p->mutex);
	(void)pthread_mutex_unlock(&p->mutex);
}

/* One parallel loop: every worker takes the next index until none is left. */
struct pool_for {
	hf_err (*job)(void *ctx, size_t i);
	void *ctx;
	size_t n;
	atomic_size_t next;
	atomic_bool is_failed;
	pthread_mutex_t mutex;
	size_t failed_at; /* lowest index that failed, under the mutex */
	hf_err e;
};

static void for_run(void *arg)
{
	struct pool_for *f = arg;

	while (!atomic_load(&f->is_failed)) {
		size_t i = atomic_fetch_add(&f->next, 1);
		hf_err e;

		if (i >= f->n)
			break;
		e = f->job(f->ctx, i);
		if (e == HF_OK)
			continue;
		(void)pthread_mutex_lock(&f->mutex);
		if (i < f->failed_at) {
			f->failed_at = i;
			f->e = e;
		}
		(void)pthread_mutex_unlock(&f->mutex);
		atomic_store(&f->is_failed, true);
	}
}

hf_err hf_pool_for(struct hf_pool *p, size_t n, hf_err (*job)(void *ctx, size_t i), void *ctx)
{
	struct pool_for f = { .job = job, .ctx = ctx, .n = n, .failed_at = SIZE_MAX };
	unsigned n_runs = p->n_workers == 0 ? 1 : p->n_workers;

	atomic_init(&f.next, 0);
	atomic_init(&f.is_failed, false);
	(void)pthread_mutex_init(&f.mutex, NULL);
	for (unsigned i = 0; i < n_runs; i++)
		hf_pool_submit(p, for_run, &f);
	hf_pool_wait(p);
	(void)pthread_mutex_destroy(&f.mutex);
	return f.e;
}
