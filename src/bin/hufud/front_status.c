/* SPDX-License-Identifier: Apache-2.0 */
/* What a node tells of itself: the JSON of svc/local.h. */
#include <string.h>

#include "base/attr.h"
#include "codec/json_wr.h"
#include "front.h"
#include "svc/keyd.h"

static const char *step_name(enum hf_agent_step step)
{
	static const char *const names[] = {
		[HF_AGENT_IDLE] = "idle",
		[HF_AGENT_MANIFEST] = "manifest",
		[HF_AGENT_GRANT] = "grant",
		[HF_AGENT_FETCHING] = "fetching",
		[HF_AGENT_ACTIVATING] = "activating",
		[HF_AGENT_ACTIVE] = "active",
	};

	return (size_t)step < HF_COUNT(names) ? names[step] : "unknown";
}

static void put_u64(struct hf_json_wr *j, const char *key, uint64_t value)
{
	hf_json_wr_key(j, key);
	hf_json_wr_u64(j, value);
}

static void put_str(struct hf_json_wr *j, const char *key, const char *value)
{
	hf_json_wr_key(j, key);
	hf_json_wr_str(j, value);
}

static void put_bool(struct hf_json_wr *j, const char *key, bool value)
{
	hf_json_wr_key(j, key);
	hf_json_wr_bool(j, value);
}

static void put_progress(struct hf_json_wr *j, const struct hf_agent_lineage *l)
{
	const struct hf_xfer_progress *p = &l->progress;

	put_str(j, "step", step_name(l->step));
	put_u64(j, "release", l->release);
	put_u64(j, "chunks", p->n_chunks);
	put_u64(j, "chunks_done", p->n_done);
	put_u64(j, "bytes", p->bytes_all);
	put_u64(j, "bytes_done", p->bytes_done);
	put_u64(j, "bytes_twice", p->bytes_twice);
	put_u64(j, "rate", p->rate);
	hf_json_wr_key(j, "eta_ms");
	if (p->eta_ms == UINT64_MAX)
		hf_json_wr_null(j);
	else
		hf_json_wr_u64(j, p->eta_ms);
}

hf_err front_progress_emit(struct hf_buf *out, const char *what, const struct hf_agent_lineage *l)
{
	struct hf_json_wr j = hf_json_wr(out);

	hf_json_wr_object(&j);
	hf_json_wr_key(&j, what);
	hf_json_wr_object(&j);
	if (l != NULL) {
		put_str(&j, "name", l->lineage);
		put_progress(&j, l);
		put_str(&j, "error", l->err == HF_OK ? NULL : hf_err_name(l->err));
		put_str(&j, "text", l->err == HF_OK ? NULL : l->why);
	}
	hf_json_wr_end(&j);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}

static void put_lineages(struct front *f, struct hf_json_wr *j)
{
	struct hf_agent_lineage l;

	hf_json_wr_key(j, "lineages");
	hf_json_wr_array(j);
	for (size_t i = 0; f->agent != NULL && hf_agent_lineage_get(f->agent, i, &l); i++) {
		hf_json_wr_object(j);
		put_str(j, "name", l.lineage);
		put_u64(j, "tries", l.n_tries);
		put_str(j, "error", l.err == HF_OK ? NULL : hf_err_name(l.err));
		put_str(j, "text", l.err == HF_OK ? NULL : l.why);
		put_progress(j, &l);
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void put_sources(struct front *f, struct hf_json_wr *j)
{
	static const char *const kinds[] = {
		[HF_SOURCE_LAN] = "lan", [HF_SOURCE_EDGE] = "edge", [HF_SOURCE_HUB] = "hub"
	};
	const struct hufud_config *c = &f->child.config;

	hf_json_wr_key(j, "sources");
	hf_json_wr_array(j);
	for (size_t i = 0; i < c->n_upstreams; i++) {
		const struct front_source *s = &f->sources[i];
		bool has_failed = !s->is_up && s->why.code != HF_OK;

		hf_json_wr_object(j);
		put_str(j, "name", c->upstreams[i].name);
		put_str(j, "kind", kinds[c->upstreams[i].kind]);
		put_bool(j, "up", s->is_up);
		put_str(j, "error", has_failed ? hf_err_name(s->why.code) : NULL);
		put_str(j, "text", has_failed ? s->why.text : NULL);
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void put_agent(struct front *f, struct hf_json_wr *j)
{
	struct hf_agent_stats stats = { 0 };

	if (f->agent != NULL)
		hf_agent_stats_get(f->agent, &stats, front_now(f));
	hf_json_wr_key(j, "channel");
	hf_json_wr_object(j);
	put_u64(j, "serial", stats.channel_serial);
	put_u64(j, "age_ms", stats.channel_age_ms);
	put_str(j, "error", stats.err == HF_OK ? NULL : hf_err_name(stats.err));
	put_str(j, "text", stats.err == HF_OK ? NULL : stats.why);
	hf_json_wr_end(j);
	hf_json_wr_key(j, "uploads");
	hf_json_wr_object(j);
	put_u64(j, "waiting", stats.n_uploads_waiting);
	put_u64(j, "done", stats.n_uploads_done);
	hf_json_wr_end(j);
	put_u64(j, "receipts_waiting", stats.n_receipts_waiting);
	put_u64(j, "bytes_fetched", stats.bytes_fetched);
	put_u64(j, "bytes_twice", stats.bytes_twice);
}

static void put_serve(struct front *f, struct hf_json_wr *j)
{
	const struct front_serve_numbers n = front_serve_numbers(f);
	struct hf_serve_stats stats = { 0 };

	if (f->serve != NULL)
		hf_serve_stats_get(f->serve, &stats);
	hf_json_wr_key(j, "serve");
	hf_json_wr_object(j);
	put_u64(j, "port", n.port);
	hf_json_wr_key(j, "workers");
	hf_json_wr_array(j);
	for (uint32_t i = 0; i < n.n_workers; i++)
		hf_json_wr_u64(j, n.worker_links[i]);
	hf_json_wr_end(j);
	put_u64(j, "links", n.links);
	put_u64(j, "links_refused", n.refused);
	put_u64(j, "sessions", stats.n_sessions);
	put_u64(j, "requests", stats.n_requests);
	put_u64(j, "refused", stats.n_refused);
	put_u64(j, "bytes_out", stats.bytes_out);
	put_u64(j, "bytes_in", stats.bytes_in);
	put_u64(j, "hits", stats.n_hits);
	put_u64(j, "misses", stats.n_misses);
	hf_json_wr_end(j);
}

static const char *state_name(uint32_t state)
{
	if (state == HF_KEY_STATE_NEWCOMER)
		return "newcomer";
	return state == HF_KEY_STATE_HUB ? "hub" : "member";
}

static hf_err put_keys(struct front *f, struct hf_json_wr *j)
{
	struct hf_key_status s = { 0 };

	HF_TRY(hf_key_status(&f->keys, &s, NULL));
	hf_json_wr_key(j, "keys");
	hf_json_wr_object(j);
	put_str(j, "state", state_name(s.state));
	put_u64(j, "root_version", s.root_version);
	put_u64(j, "channel_serial", s.channel_serial);
	put_u64(j, "records", s.n_records);
	put_u64(j, "head_size", s.head_size);
	hf_json_wr_end(j);
	return HF_OK;
}

hf_err front_status_emit(struct front *f, struct hf_buf *out)
{
	const struct hufud_config *c = &f->child.config;
	struct hf_json_wr j = hf_json_wr(out);
	bool is_member = f->node.is_member;

	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "status");
	hf_json_wr_object(&j);
	put_str(&j, "id", c->node);
	put_str(&j, "role", hf_role_name(c->role));
	put_u64(&j, "level", (uint64_t)c->level);
	put_str(&j, "domain", is_member ? f->node.party.identity.domain : NULL);
	put_bool(&j, "member", is_member);
	put_str(&j, "version", HUFU_VERSION);
	put_agent(f, &j);
	put_lineages(f, &j);
	put_sources(f, &j);
	put_serve(f, &j);
	HF_TRY(put_keys(f, &j));
	hf_json_wr_end(&j);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}
