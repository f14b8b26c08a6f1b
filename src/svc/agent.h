/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetching side of an edge or a device, without sockets: enrols, follows the channel, brings
 * releases into the store, activates them, sends receipts, inventory and waiting uploads. An edge
 * does the public part only, on demand of its devices and for lineages it follows (svc/upstream.h).
 *
 *	newcomer -> enrolling -> member
 *	lineage: idle -> manifest -> grant -> fetching -> activating -> active   (device)
 *	         idle -> manifest -> fetching -> there                           (edge)
 *
 * A failed step is tried again after a time that doubles (1 s .. 5 min; a refused one 1 min .. 5
 * min); its first cause is shown. Everything is decided in hf_agent_tick(): callbacks of sessions
 * only take what came, so ask for the deadline again whenever bytes were fed to a session.
 */
#ifndef HF_SVC_AGENT_H
#define HF_SVC_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/h2.h"
#include "svc/node.h"
#include "svc/upstream.h"
#include "xfer/source.h"
#include "xfer/xfer.h"

enum {
	HF_AGENT_SOURCES_MAX = 16,
	HF_AGENT_LINEAGES_MAX = 64, /* followed or pulled at a time */
};

struct hf_agent_source {
	const char *name; /* "host:port", for records */
	enum hf_source_kind kind;
	uint16_t cost;
	bool is_control; /* channel, grants, receipts may be asked of it (not a LAN sibling) */
};

struct hf_agent_config {
	struct hf_node *node;
	const struct hf_agent_source *sources; /* outlive the agent */
	size_t n_sources;
	const char *const *follow; /* lineages */
	size_t n_follow;
	const char *token; /* text of the enrolment token; NULL: a member already */
	uint64_t poll_ms;  /* between two looks at the channel */
	uint64_t rate;     /* bytes a second; 0: no limit */
	/*
	 * The session of a source has work. All three are called by hf_agent_tick(), pump also on
	 * behalf of hf_upstream's; none may free the agent.
	 */
	void (*pump)(void *ctx, unsigned source);
	/* We are a member now: end the links made as a newcomer and make them anew. */
	void (*on_member)(void *ctx);
	/* What the serving side waits for may be there, or will not come: hf_serve_wake(). May be
	 * NULL. */
	void (*on_bytes)(void *ctx);
	void *ctx;
};

struct hf_agent;

/*
 * HF_ERR_STATE: not a member, and no token. HF_ERR_FORMAT, HF_ERR_DENIED: no token, or one for
 * another node. HF_ERR_ARG. Failures of the outbox folder.
 */
HF_MUST_USE hf_err hf_agent_new(struct hf_agent **out, const struct hf_agent_config *config,
	uint64_t now_ms, struct hf_errinfo *ei);

/* Cancels what is under way; what waits lies on the disk. NULL is accepted. Not in a callback. */
void hf_agent_free(struct hf_agent *a);

/*
 * The link to a source is open with this session; it is over (before or after the session was
 * freed, if nothing was called in between).
 */
void hf_agent_source_up(struct hf_agent *a, unsigned source, struct hf_h2 *h, uint64_t now_ms);
void hf_agent_source_down(struct hf_agent *a, unsigned source, uint64_t now_ms);

void hf_agent_tick(struct hf_agent *a, uint64_t now_ms);

/* 0: at once. UINT64_MAX: only when something happens. */
uint64_t hf_agent_deadline(const struct hf_agent *a);

/*
 * Look at the channel now, and bring this lineage too from now on; what failed is tried again at
 * once. Of a release that is active already everything is read again, little by little, and what
 * is missing or not what was signed is brought again. HF_ERR_LIMIT: too many. HF_ERR_ARG: no name
 * of one.
 */
HF_MUST_USE hf_err hf_agent_pull(
	struct hf_agent *a, const char *lineage, uint64_t now_ms, struct hf_errinfo *ei);

/* Look into the outbox now. */
void hf_agent_push(struct hf_agent *a, uint64_t now_ms);

enum hf_agent_step {
	HF_AGENT_IDLE,
	HF_AGENT_MANIFEST,
	HF_AGENT_GRANT,
	HF_AGENT_FETCHING,
	HF_AGENT_ACTIVATING,
	HF_AGENT_ACTIVE, /* device: what the channel says runs here; edge: is here */
};

struct hf_agent_lineage {
	char lineage[HF_ID_MAX + 1];
	enum hf_agent_step step;
	uint64_t release; /* the one being brought or active; 0: none known */
	uint64_t n_tries; /* since the last success */
	hf_err err;       /* first cause of the last failure; HF_OK: none */
	char why[HF_ERRINFO_TEXT];
	struct hf_xfer_progress progress; /* while fetching, and of the last fetch */
};

/* The n-th lineage, in order of arrival; false beyond the last. */
bool hf_agent_lineage_get(const struct hf_agent *a, size_t n, struct hf_agent_lineage *out);

struct hf_agent_stats {
	bool is_member;
	uint64_t channel_serial; /* last one believed */
	uint64_t channel_age_ms; /* since it was fetched; 0: not in this run */
	uint64_t n_looks;        /* at the channel, that have ended */
	bool is_looking; /* one is under way; what was asked for after it began comes next */
	uint64_t n_uploads_waiting;
	uint64_t n_uploads_done;
	uint64_t n_receipts_waiting;
	uint64_t bytes_fetched;
	uint64_t bytes_twice;
	hf_err err; /* first cause why the last enrolment or look at the channel failed; HF_OK */
	char why[HF_ERRINFO_TEXT];
};
void hf_agent_stats_get(const struct hf_agent *a, struct hf_agent_stats *out, uint64_t now_ms);

/* What the serving side of an edge asks; ctx is the agent. */
struct hf_upstream hf_agent_upstream(struct hf_agent *a);

#endif
