/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an agent: agent.c (its life), agent_ask.c (requests, records, retries), and one
 * file for each thing it does.
 *
 *  1. Everything is decided in hf_agent_tick(). Callbacks of sessions and of fetches take what came
 *     and leave a mark (is_due); nothing is freed in them.
 *  2. Control requests go to the first control source that is up and did not just fail.
 *  3. What keeps the agent's promises is durable before anybody is told: a receipt lies in the
 * outbox before its release counts as active here.
 */
#ifndef HF_SVC_AGENT_INNER_H
#define HF_SVC_AGENT_INNER_H

#include "keys/token.h"
#include "pkg/channel.h"
#include "svc/agent.h"
#include "svc/bundle_file.h"
#include "svc/fetch.h"
#include "svc/push.h"

enum {
	AGENT_RETRY_MS = 1000,        /* after the first failure; doubles */
	AGENT_REFUSED_MS = 60 * 1000, /* after the first refusal; doubles */
	AGENT_RETRY_MAX_MS = 5 * 60 * 1000,
	AGENT_AVOID_MS = 30 * 1000,     /* a control source that failed, if there is another */
	AGENT_LIAR_MS = 60 * 60 * 1000, /* one that gave wrong bytes */
	AGENT_WANTS_MAX = 16,
	AGENT_FETCHES_DEVICE = 1,
	AGENT_FETCHES_EDGE = 4,
	AGENT_TRACE_LEN = 16,
};

struct agent_source {
	struct hf_h2 *h; /* NULL: down */
	bool is_stale;   /* opened as a newcomer: good for nothing any more */
	bool is_dirty;   /* has work for its pump */
	uint64_t avoid;  /* another control source is better before this time */
};

/* When a step that failed is tried again. */
struct agent_retry {
	uint32_t n;  /* failures in a row */
	uint64_t at; /* not before */
};

enum agent_ask_state { ASK_FREE, ASK_BUSY, ASK_DONE };

/* One request to a control source. */
struct agent_ask {
	struct hf_agent *a;
	struct agent_ask *next;
	enum agent_ask_state state;
	const char *what; /* of the call */
	bool is_broken;   /* there was no whole answer in time, though the link is there */
	unsigned source;
	int32_t stream;
	uint8_t trace[AGENT_TRACE_LEN]; /* x-hufu-request */
	hf_err e;
	struct hf_errinfo why;
	struct hf_buf body;
};

struct agent_call {
	const char *what; /* "channel", "grant" …: for records */
	enum hf_http_method method;
	const char *path;
	const char *type; /* of body */
	struct hf_bytes body;
	size_t answer_max;
};

/* The release that runs here (device) or is here (edge), and the one before it. */
struct agent_active {
	bool has;
	bool has_before;
	uint64_t release;
	uint8_t manifest[HF_SM3_LEN];
	uint8_t before[HF_SM3_LEN];
};

enum agent_event {
	EV_NEW,  /* the channel names a release that is not here */
	EV_SAME, /* it names the one that is */
	EV_NONE, /* it says nothing about the lineage */
	EV_DONE, /* the step has done its work */
	EV_FAILED,
	EV_COUNT,
};

/* Reading again what is in the store; see agent_heal.c. */
struct agent_heal {
	struct hf_objects objects;
	struct hf_buf manifest;
	struct hf_manifest m; /* borrows from it */
	struct hf_pkg_reader *reader;
	uint8_t *chunk;
	uint64_t next; /* chunk */
	bool is_spoilt;
	bool is_shut; /* device: what the key process keeps of it opens nothing */
};

struct agent_lineage {
	struct hf_agent *a;
	char name[HF_ID_MAX + 1];
	bool is_followed; /* or pulled; else some device of an edge wants it */
	enum hf_agent_step step;
	bool has_target;
	struct hf_channel_release target; /* what the channel says */
	struct hf_buf manifest;           /* of target, checked; empty: not yet */
	struct hf_buf grant;              /* likewise */
	struct agent_ask ask;
	struct agent_retry retry;
	struct hf_fetch *fetch;
	bool is_fetched; /* it ended, with fetch_err */
	hf_err fetch_err;
	struct hf_errinfo fetch_why;
	hf_err err;
	char why[HF_ERRINFO_TEXT];
	struct agent_active active;
	bool is_spoilt;          /* something of it was missing or wrong: it is brought again */
	struct agent_heal *heal; /* NULL: not being looked at */
	struct hf_xfer_progress progress; /* of the last fetch */
};

/* A manifest that a device wants and the channel does not name: the channel is looked at first. */
struct agent_want {
	bool is_used;
	uint8_t name[HF_SM3_LEN];
	uint64_t look; /* looks that had ended by then */
};

/* Deleting what no kept release needs; see agent_tidy.c. */
struct agent_tidy {
	bool is_wanted;
	bool is_running;
	struct hf_buf manifests; /* names: n_kept kept ones, then those to be deleted */
	size_t n_kept;
	size_t n_all;
	size_t at;           /* manifest that is being looked at */
	uint32_t page;       /* and its page */
	uint32_t base_page;  /* or that of an earlier release */
	struct hf_buf names; /* of packs and pages of kept releases, sorted once all are there */
	bool is_sorted;
};

struct agent_send {
	struct agent_ask receipt;
	struct agent_retry receipt_retry;
	char receipt_file[64];
	uint64_t n_receipts;
	struct agent_ask inventory;
	struct agent_retry inventory_retry;
	uint64_t inventory_at;   /* the next one is due */
	struct hf_buf statement; /* the signed inventory, once there is a nonce for it */
	struct hf_push *push;
	unsigned push_source;
	bool is_pushed; /* it ended, with push_err */
	hf_err push_err;
	struct hf_bundle_file bundle;
	struct hf_objects objects; /* of it */
	uint8_t upload[HF_SM3_LEN];
	char upload_file[256];
	struct agent_retry push_retry;
	uint64_t look_at; /* into the outbox */
	uint64_t n_uploads;
	uint64_t n_uploads_done;
};

struct hf_agent {
	struct hf_agent_config config;
	struct hf_node *node;
	const struct hf_mem *mem;
	char actor[HF_AUDIT_NAME_MAX];
	uint64_t now_ms;
	bool is_due;
	bool has_news;   /* what a cache's readers wait for may be there */
	bool is_joining; /* on_member is to be called */
	struct agent_source sources[HF_AGENT_SOURCES_MAX];
	struct agent_ask *asks; /* all that there are */
	hf_err err;             /* what keeps it from the hub: enrolment, channel */
	char why[HF_ERRINFO_TEXT];

	char token[HF_TOKEN_TEXT_MAX];
	uint8_t root_ca[HF_SM3_LEN];
	struct agent_ask enrol;
	struct agent_retry enrol_retry;

	struct agent_ask look;
	struct agent_retry look_retry;
	uint64_t look_at;
	uint64_t looked_ms; /* when the last look ended */
	uint64_t n_looks;   /* that have ended */
	bool look_again;    /* asked for while one was under way */
	bool has_looked;    /* the kept channel was looked at */
	struct hf_buf channel;
	struct hf_channel view; /* borrows from channel */
	bool has_channel;
	bool was_released;   /* there was a channel, by now or before the last stop */
	uint64_t channel_ms; /* when it came */

	struct agent_lineage *lineages[HF_AGENT_LINEAGES_MAX];
	size_t n_lineages;
	size_t n_fetches;
	uint64_t bytes_fetched; /* by fetches that have ended */
	uint64_t bytes_twice;

	struct agent_want wants[AGENT_WANTS_MAX];
	struct agent_tidy tidy;
	struct agent_send send;
};

static inline bool hf_agent_is_edge(const struct hf_agent *a)
{
	return a->node->config.role == HF_ROLE_EDGE;
}

/* agent_ask.c */

/* The control source to ask; false: none is up. */
bool hf_agent_control(const struct hf_agent *a, unsigned *source);

/* Another one is better for so long. True if there is one that was not avoided itself. */
bool hf_agent_avoid(struct hf_agent *a, unsigned source, uint64_t ms);

void hf_agent_ask_init(struct hf_agent *a, struct agent_ask *q);
void hf_agent_ask_end(struct agent_ask *q); /* accepts { 0 } */

/* Forgets the answer, or the request that is under way. */
void hf_agent_ask_clear(struct agent_ask *q);

/*
 * Begins the request, or gives its answer. HF_ERR_AGAIN: under way, or no source is up. HF_OK: the
 * answer is in q->body. Else it failed. After the last two the caller ends with _ask_clear().
 */
HF_MUST_USE hf_err hf_agent_ask_run(
	struct agent_ask *q, const struct agent_call *call, struct hf_errinfo *ei);

/* It is on the record that this source gave what is of no use, and why. l: for which; or NULL. */
void hf_agent_ask_blame(struct agent_ask *q, hf_err e, const struct agent_lineage *l);

/*
 * What a control source would not give, another one may have: forgets the answer. True if there is
 * one to be asked at once.
 */
bool hf_agent_ask_elsewhere(struct agent_ask *q);

/* The session of a source is gone: what was asked of it has failed. */
void hf_agent_asks_lost(struct hf_agent *a, unsigned source);

/* A refusal: trying again soon would not help. */
bool hf_agent_is_refusal(hf_err e);

/* What came is not as it should be, so who sent it is at fault or was deceived itself. */
static inline bool hf_agent_is_bad(hf_err e)
{
	return hf_agent_is_refusal(e) || e == HF_ERR_FORMAT || e == HF_ERR_TRUNCATED;
}

/* The same statement will never be taken. */
static inline bool hf_agent_is_final(hf_err e)
{
	return e == HF_ERR_AUTH || e == HF_ERR_FORMAT || e == HF_ERR_DENIED || e == HF_ERR_PURPOSE;
}

void hf_agent_retry_fail(struct hf_agent *a, struct agent_retry *r, hf_err e);

struct agent_note {
	enum hf_audit_event event;
	hf_err reason;
	const char *source; /* name of one */
	const char *lineage;
	uint64_t release;
	const uint8_t *manifest;
	uint64_t bytes;
	const char *code;
	const uint8_t *trace;
};
hf_err hf_agent_record(struct hf_agent *a, const struct agent_note *note, struct hf_errinfo *ei);

/* Keeps the first cause of a failure, cut, for whoever asks. */
void hf_agent_why(char why[HF_ERRINFO_TEXT], const struct hf_errinfo *ei, hf_err e);

/* agent_enrol.c */
HF_MUST_USE hf_err hf_agent_enrol_init(struct hf_agent *a, struct hf_errinfo *ei);
void hf_agent_enrol_run(struct hf_agent *a);
uint64_t hf_agent_enrol_deadline(const struct hf_agent *a);

/* agent_channel.c */
void hf_agent_channel_run(struct hf_agent *a);
uint64_t hf_agent_channel_deadline(const struct hf_agent *a);
void hf_agent_channel_look(struct hf_agent *a); /* now */

/* agent_lineage.c */
int hf_agent_step_next(bool is_edge, enum hf_agent_step step, enum agent_event event);
struct agent_lineage *hf_agent_lineage_find(const struct hf_agent *a, const char *name);
HF_MUST_USE hf_err hf_agent_lineage_add(struct hf_agent *a, const char *name, bool is_followed,
	struct agent_lineage **out, struct hf_errinfo *ei);
void hf_agent_lineage_drop(struct hf_agent *a, size_t n);

/* Compares with the channel. */
void hf_agent_lineage_look(struct agent_lineage *l);
void hf_agent_lineage_run(struct agent_lineage *l);
uint64_t hf_agent_lineage_deadline(const struct agent_lineage *l);

/* True if the object lies in the store. */
bool hf_agent_has(struct hf_agent *a, enum hf_object kind, const uint8_t name[HF_SM3_LEN]);

/* agent_fetch.c */
HF_MUST_USE hf_err hf_agent_fetch_run(struct agent_lineage *l, struct hf_errinfo *ei);
void hf_agent_fetch_end(struct agent_lineage *l);
/* Adds the bytes of the fetch that runs. */
void hf_agent_fetch_count(const struct agent_lineage *l, uint64_t *bytes, uint64_t *twice);
void hf_agent_fetch_join(struct agent_lineage *l, unsigned source);

/* What the row "active/<lineage>" says; .has false: nothing. */
void hf_agent_active_get(struct hf_agent *a, const char *lineage, struct agent_active *out);
HF_MUST_USE hf_err hf_agent_active_put(struct agent_lineage *l, struct hf_errinfo *ei);

/* agent_tidy.c */
bool hf_agent_tidy_is_due(const struct hf_agent *a); /* then no fetch begins */
void hf_agent_tidy_run(struct hf_agent *a);
void hf_agent_tidy_clear(struct hf_agent *a);

/* agent_heal.c */
void hf_agent_heal_begin(struct agent_lineage *l); /* if it is active and not being looked at */
void hf_agent_heal_run(struct agent_lineage *l);
void hf_agent_heal_end(struct agent_lineage *l);

/* agent_send.c, agent_push.c */
HF_MUST_USE hf_err hf_agent_send_init(struct hf_agent *a, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_agent_receipt_put(
	struct hf_agent *a, struct hf_bytes receipt, struct hf_errinfo *ei);
void hf_agent_send_run(struct hf_agent *a);
uint64_t hf_agent_send_deadline(const struct hf_agent *a);
void hf_agent_send_clear(struct hf_agent *a);
void hf_agent_push_run(struct hf_agent *a);
void hf_agent_push_lost(struct hf_agent *a, unsigned source);
uint64_t hf_agent_push_deadline(const struct hf_agent *a);
void hf_agent_push_clear(struct hf_agent *a);

/* Moves what will never be taken out of the way. */
void hf_agent_put_aside(struct hf_agent *a, const char *dir, const char *file);

#endif
