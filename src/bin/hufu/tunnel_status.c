/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a tunnel, summed over its workers. */
#include <unistd.h>

#include "base/attr.h"
#include "codec/json_wr.h"
#include "os/clock.h"
#include "tunnel_run.h"

static const char *const names[] = {
	[HF_TUNNEL_ACCEPTED] = "accepted",
	[HF_TUNNEL_OPENED] = "opened",
	[HF_TUNNEL_RESUMED] = "resumed",
	[HF_TUNNEL_REFUSED_LIMIT] = "refused_limit",
	[HF_TUNNEL_REFUSED_ACCESS] = "refused_access",
	[HF_TUNNEL_BAD_HANDSHAKE] = "bad_handshake",
	[HF_TUNNEL_BAD_TARGET] = "bad_target",
	[HF_TUNNEL_TRUNCATED] = "truncated",
	[HF_TUNNEL_BAD_LINK] = "bad_link",
	[HF_TUNNEL_RESET] = "reset",
	[HF_TUNNEL_TIMED_OUT] = "timed_out",
	[HF_TUNNEL_REVOKED] = "revoked",
	[HF_TUNNEL_BYTES_SEALED] = "bytes_sealed",
	[HF_TUNNEL_BYTES_OPENED] = "bytes_opened",
};

static uint64_t sum(const struct tunnel_run *r, const struct tunnel_tally *t, size_t which)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < r->n_workers; w++)
		n += atomic_load_explicit(&t->numbers[w].n[which], memory_order_relaxed);
	return n;
}

static uint64_t links(const struct tunnel_run *r, const struct tunnel_tally *t)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < r->n_workers; w++)
		n += atomic_load_explicit(&t->numbers[w].links, memory_order_relaxed);
	return n;
}

static void put_service(const struct tunnel_run *r, struct hf_json_wr *j, size_t i)
{
	const struct tunnel_service *s = &r->setup->config.services[i];
	const struct tunnel_tally *t = r->setup->tally[i];

	hf_json_wr_object(j);
	hf_json_wr_key(j, "name");
	hf_json_wr_str(j, s->name);
	hf_json_wr_key(j, "side");
	hf_json_wr_str(j, s->is_server ? "server" : "client");
	hf_json_wr_key(j, "accept");
	hf_json_wr_str(j, r->setup->door[i]->address);
	hf_json_wr_key(j, "connections");
	hf_json_wr_u64(j, links(r, t));
	for (size_t k = 0; k < HF_COUNT(names); k++) {
		hf_json_wr_key(j, names[k]);
		hf_json_wr_u64(j, sum(r, t, k));
	}
	hf_json_wr_end(j);
}

hf_err tunnel_status_emit(const struct tunnel_run *r, struct hf_buf *out)
{
	struct hf_json_wr j = hf_json_wr(out);

	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "version");
	hf_json_wr_str(&j, HUFU_VERSION);
	hf_json_wr_key(&j, "pid");
	hf_json_wr_u64(&j, (uint64_t)getpid());
	hf_json_wr_key(&j, "uptime_ms");
	hf_json_wr_u64(&j, hf_clock_mono_ms() - r->begin_ms);
	hf_json_wr_key(&j, "threads");
	hf_json_wr_u64(&j, r->n_workers);
	hf_json_wr_key(&j, "reloads");
	hf_json_wr_u64(&j, r->n_reloads);
	hf_json_wr_key(&j, "draining");
	hf_json_wr_bool(&j, r->is_draining);
	hf_json_wr_key(&j, "services");
	hf_json_wr_array(&j);
	for (size_t i = 0; i < r->setup->config.n_services; i++)
		put_service(r, &j, i);
	hf_json_wr_end(&j);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}

void tunnel_status_log(const struct tunnel_run *r)
{
	struct hufud_line l;

	for (size_t i = 0; i < r->setup->config.n_services; i++) {
		const struct tunnel_tally *t = r->setup->tally[i];

		hufud_line_begin(&l, &r->log, "numbers");
		hufud_line_str(&l, "service", t->name);
		hufud_line_num(&l, "connections", links(r, t));
		for (size_t k = 0; k < HF_COUNT(names); k++)
			hufud_line_num(&l, names[k], sum(r, t, k));
		hufud_line_end(&l);
	}
}
