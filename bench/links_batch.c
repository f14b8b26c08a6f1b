/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Full handshakes of many links at once in bench_links.c, as a loop with many sockets has them:
 * each link in turn gets what its peer has for it, and when nothing moves any more, the SM2
 * operations that links wait for are done in one go. Unbatched there are none: each link does its
 * own.
 */
#include "bench.h"
#include "links.h"
#include "tls/jobs.h"

enum { PAIRS = 64, ROUNDS = 4 };

/* Takes only what the other end takes now. */
static bool move(struct hf_tls *from, struct hf_tls *to)
{
	const uint8_t *bytes;
	size_t n = hf_tls_out(from, &bytes);
	size_t used = 0;

	bench_need(n == 0 || hf_tls_feed(to, &used, bytes, n, 1) == HF_OK, "feeding a link");
	hf_tls_sent(from, used);
	return used > 0;
}

static bool do_jobs(struct hf_tls *const *links, size_t n)
{
	struct hf_tls *waiting[2 * PAIRS];
	size_t n_waiting = 0;
	size_t used;

	for (size_t i = 0; i < n; i++)
		if ((hf_tls_wants(links[i]) & HF_WANT_SM2) != 0)
			waiting[n_waiting++] = links[i];
	hf_tls_jobs_run(waiting, n_waiting);
	for (size_t i = 0; i < n_waiting; i++)
		bench_need(hf_tls_feed(waiting[i], &used, NULL, 0, 1) == HF_OK, "going on");
	return n_waiting > 0;
}

static void meet(struct hf_tls *const *links)
{
	bool any = true;

	while (any) {
		any = false;
		for (size_t i = 0; i < 2 * PAIRS; i += 2) {
			any |= move(links[i], links[i + 1]);
			any |= move(links[i + 1], links[i]);
		}
		while (do_jobs(links, 2 * PAIRS))
			any = true;
	}
	for (size_t i = 0; i < 2 * PAIRS; i++)
		bench_need(hf_tls_is_open(links[i]), "a handshake among many");
}

unsigned links_many(enum links_way way)
{
	const struct links_stack *s = &links_hufu;
	struct links_end *ends[2 * PAIRS];
	struct hf_tls *links[2 * PAIRS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < 2 * PAIRS; i++) {
			ends[i] = s->open(i % 2 != 0, way);
			links[i] = links_hufu_tls(ends[i]);
		}
		meet(links);
		for (size_t i = 0; i < 2 * PAIRS; i++)
			s->close(ends[i]);
	}
	return ROUNDS * PAIRS;
}
