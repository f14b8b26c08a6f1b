/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many messages of unequal lengths in the lanes of a kernel. A lane has a run of blocks before it:
 * first those that an edge holds (what was fed before, with the first bytes of the message), then
 * those in their place, then the edge again with the last bytes and the padding. All lanes step as
 * far as the shortest run goes; a lane that is through takes the next message, and where there is
 * none left, the last lane moves into its place.
 */
#include <stdbool.h>
#include <string.h>

#include "base/wipe.h"
#include "crypto/module.h"
#include "crypto/sm3.h"
#include "crypto/sm3/sm3_kernel.h"

struct lane {
	const struct hf_sm3_job *job;
	const uint8_t *at; /* the run: n_blocks from here */
	size_t n_blocks;
	size_t used;    /* bytes of the message that the run and those before it take */
	bool is_padded; /* the run is the last */
	uint8_t edge[2 * HF_SM3_BLOCK_LEN];
};

/* Lane i is the one of state h + 8 * i. */
struct batch {
	struct lane lanes[HF_SM3_LANES_MAX];
	uint32_t h[HF_SM3_LANES_MAX * 8];
	size_t n_lanes;
};

static uint64_t len_before(const struct hf_sm3_job *job)
{
	return job->from == NULL ? 0 : job->from->len;
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 0)
		memcpy(to, from, len);
}

/* The rest of the message, behind held bytes that the edge has, and its padding. */
static void run_last(struct lane *l, size_t held)
{
	const uint8_t *in = l->job->in;
	size_t n = l->job->len - l->used;

	copy(l->edge + held, in + l->used, n);
	l->used += n;
	l->n_blocks = hf_sm3_pad(l->edge, held + n, len_before(l->job) + (uint64_t)l->job->len);
	l->at = l->edge;
	l->is_padded = true;
}

/* The run after the one that is done. */
static void run_next(struct lane *l)
{
	size_t n = (l->job->len - l->used) / HF_SM3_BLOCK_LEN;

	if (n == 0) {
		run_last(l, 0);
		return;
	}
	l->at = (const uint8_t *)l->job->in + l->used;
	l->n_blocks = n;
	l->used += n * HF_SM3_BLOCK_LEN;
}

static void begin(struct lane *l, uint32_t h[8], const struct hf_sm3_job *job)
{
	size_t held = (size_t)(len_before(job) % HF_SM3_BLOCK_LEN);
	size_t n = HF_SM3_BLOCK_LEN - held;
	struct hf_sm3 fresh;

	hf_sm3_init(&fresh);
	memcpy(h, job->from == NULL ? fresh.h : job->from->h, sizeof(fresh.h));
	l->job = job;
	l->used = 0;
	l->is_padded = false;
	if (held == 0) {
		run_next(l);
		return;
	}
	memcpy(l->edge, job->from->block, held);
	if (job->len < n) {
		run_last(l, held);
		return;
	}
	copy(l->edge + held, job->in, n);
	l->at = l->edge;
	l->n_blocks = 1;
	l->used = n;
}

static size_t shortest_run(const struct batch *b)
{
	size_t n = b->lanes[0].n_blocks;

	for (size_t i = 1; i < b->n_lanes; i++)
		if (b->lanes[i].n_blocks < n)
			n = b->lanes[i].n_blocks;
	return n;
}

static void step(struct batch *b, size_t n_blocks)
{
	const uint8_t *in[HF_SM3_LANES_MAX];

	for (size_t i = 0; i < b->n_lanes; i++) {
		in[i] = b->lanes[i].at;
		b->lanes[i].at += n_blocks * HF_SM3_BLOCK_LEN;
		b->lanes[i].n_blocks -= n_blocks;
	}
	if (hf_module()->sm3 != NULL)
		hf_module()->sm3->lanes(b->h, in, b->n_lanes, n_blocks);
}

/*
 * The last lane moves into the place of lane i. A run in its edge goes on where that was: no lane
 * comes there any more, since there are no messages left.
 */
static void close_lane(struct batch *b, size_t i)
{
	size_t last = --b->n_lanes;

	if (i == last)
		return;
	b->lanes[i] = b->lanes[last];
	memcpy(b->h + 8 * i, b->h + 8 * last, HF_SM3_LEN);
}

void hf_sm3_batch(const struct hf_sm3_job *jobs, size_t n)
{
	struct batch b;
	size_t next = 0;

	for (b.n_lanes = 0; b.n_lanes < HF_SM3_LANES_MAX && next < n; b.n_lanes++)
		begin(&b.lanes[b.n_lanes], b.h + 8 * b.n_lanes, &jobs[next++]);
	while (b.n_lanes > 0) {
		step(&b, shortest_run(&b));
		for (size_t i = b.n_lanes; i-- > 0;) {
			struct lane *l = &b.lanes[i];

			if (l->n_blocks > 0)
				continue;
			if (!l->is_padded) {
				run_next(l);
				continue;
			}
			hf_sm3_emit(l->job->out, b.h + 8 * i);
			if (next < n)
				begin(l, b.h + 8 * i, &jobs[next++]);
			else
				close_lane(&b, i);
		}
	}
	hf_wipe(&b, sizeof(b));
	hf_wipe_stack();
}
