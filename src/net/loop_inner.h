/* SPDX-License-Identifier: Apache-2.0 */
/* What the links of a loop share inside this folder. */
#ifndef HF_NET_LOOP_INNER_H
#define HF_NET_LOOP_INNER_H

#include "net/loop.h"
#include "tls/tls.h"

enum { LOOP_SCRATCH = 64 * 1024 };

/* A link that stops for SM2 (HF_WANT_SM2). */
struct loop_waiter {
	struct hf_tls *tls;
	void (*go_on)(void *ctx); /* the work is done; call hf_tls_feed() */
	void *ctx;
	struct loop_waiter *next;
	struct loop_waiter **at; /* what points to it; NULL: it does not wait */
	bool is_done;
	bool is_shaking; /* is counted */
};

struct hf_loop {
	const struct hf_mem *mem;
	uv_loop_t uv;
	uv_check_t check; /* both run while somebody waits */
	uv_idle_t idle;
	unsigned n_shaking; /* links in a handshake */
	unsigned crowd;     /* so many of them do SM2 together; fewer, each for itself */
	struct loop_waiter *waiters;
	struct loop_waiter **last;
	/* Every read of every link goes here and is dealt with at once: idle links hold no buffer.
	 */
	uint8_t scratch[LOOP_SCRATCH];
};

/* loop_jobs.c */
void hf_loop_jobs_init(struct hf_loop *loop);

/* A handshake begins: counts it. True if it shall defer its SM2 operations. */
HF_MUST_USE bool hf_loop_shake(struct hf_loop *loop, struct loop_waiter *w);

/* It is over, or the link is; twice is once. */
void hf_loop_shaken(struct hf_loop *loop, struct loop_waiter *w);

/* Does what the link waits for now, for it alone; false: it waits for nothing. */
HF_MUST_USE bool hf_loop_hurry(struct loop_waiter *w);

/* If the link wants it: go_on is called in this turn of the loop, or in the next. Twice is once. */
void hf_loop_wait(struct hf_loop *loop, struct loop_waiter *w);

#endif
