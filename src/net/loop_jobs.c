/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 for the links of a loop: those that stop for it gather during a turn, and when the loop has
 * seen to all its sockets their operations are done as one batch. What they ask for next is done in
 * the next turn, which does not wait for anything, together with what comes in by then. Nobody
 * waits for others to come. Asking takes time, too (messages are read twice): so links begin to
 * gather when there are enough that the batch pays, and until then each does everything itself.
 */
#include "net/loop_inner.h"
#include "tls/jobs.h"

enum {
	LINKS_MAX = 64, /* of one batch */
	CROWD = 4,      /* three operations at once cost less than one by one (AVX-512) */
};

static void run_all(struct hf_loop *loop)
{
	struct hf_tls *links[LINKS_MAX];
	size_t n = 0;

	for (struct loop_waiter *w = loop->waiters; w != NULL; w = w->next) {
		links[n++] = w->tls;
		w->is_done = true;
		if (n == LINKS_MAX || w->next == NULL) {
			hf_tls_jobs_run(links, n);
			n = 0;
		}
	}
}

static void unwait(struct hf_loop *loop, struct loop_waiter *w)
{
	if (w->at == NULL)
		return;
	*w->at = w->next;
	*(w->next != NULL ? &w->next->at : &loop->last) = w->at;
	w->at = NULL;
}

static void on_check(uv_check_t *check)
{
	struct hf_loop *loop = check->data;
	struct loop_waiter *w;

	run_all(loop);
	/* Whoever goes on may end others, and come back: behind those that are done. */
	while ((w = loop->waiters) != NULL && w->is_done) {
		unwait(loop, w);
		w->go_on(w->ctx);
	}
	if (loop->waiters != NULL)
		return;
	(void)uv_check_stop(&loop->check);
	(void)uv_idle_stop(&loop->idle);
}

/* That it is there keeps the loop from waiting for its sockets. */
static void on_idle(uv_idle_t *idle)
{
	(void)idle;
}

void hf_loop_jobs_init(struct hf_loop *loop)
{
	(void)uv_check_init(&loop->uv, &loop->check); /* neither can fail */
	(void)uv_idle_init(&loop->uv, &loop->idle);
	loop->check.data = loop;
	loop->last = &loop->waiters;
	loop->crowd = CROWD;
}

bool hf_loop_shake(struct hf_loop *loop, struct loop_waiter *w)
{
	loop->n_shaking += w->is_shaking ? 0 : 1;
	w->is_shaking = true;
	return loop->n_shaking >= loop->crowd;
}

void hf_loop_shaken(struct hf_loop *loop, struct loop_waiter *w)
{
	loop->n_shaking -= w->is_shaking ? 1 : 0;
	w->is_shaking = false;
	unwait(loop, w);
}

bool hf_loop_hurry(struct loop_waiter *w)
{
	if ((hf_tls_wants(w->tls) & HF_WANT_SM2) == 0)
		return false;
	hf_tls_jobs_run(&w->tls, 1);
	return true;
}

void hf_loop_wait(struct hf_loop *loop, struct loop_waiter *w)
{
	if (w->at != NULL || (hf_tls_wants(w->tls) & HF_WANT_SM2) == 0)
		return;
	if (loop->waiters == NULL) {
		(void)uv_check_start(&loop->check, on_check);
		(void)uv_idle_start(&loop->idle, on_idle);
	}
	w->is_done = false;
	w->next = NULL;
	w->at = loop->last;
	*loop->last = w;
	loop->last = &w->next;
}
