/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network process from the inside: one loop, one thread, and those of the gate. Engines of svc
 *do the work; these files bring links to them, time, and the questions of local users.
 *
 *	front_main.c    life: start, deadlines, becoming a member, stop
 *	front_tls.c     what a link shows and believes
 *	front_serve.c   links that come in       (hub, edge)     -> svc/serve.h
 *	front_gate.c    likewise, their TLS on other threads
 *	front_dial.c    links to our sources     (edge, device)  -> svc/agent.h
 *	front_crl.c     revocation lists: made (hub), fetched (edge, device; by HTTP), gone by
 *	front_record.c  what is recorded and logged about links
 *	front_local.c   front.sock               (svc/local.h)
 *	front_status.c  what it tells
 */
#ifndef HF_BIN_HUFUD_FRONT_H
#define HF_BIN_HUFUD_FRONT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bin/common/crl_fetch.h"
#include "door.h"
#include "keys/token.h"
#include "net/link.h"
#include "net/loop.h"
#include "roles.h"
#include "stop.h"
#include "svc/agent.h"
#include "svc/crls.h"
#include "svc/env.h"
#include "svc/node.h"
#include "svc/serve.h"
#include "svc/upstream.h"

enum {
	FRONT_CHAIN_MAX = 3,
	FRONT_ROOTS_MAX = 2,
	FRONT_BUDGETS = 256,
	FRONT_WAITERS_MAX = 32, /* local users that wait for a pull */
};

struct front;

/* Who we are on links, once as a newcomer and once as a member. Links point into it. */
struct front_tls {
	bool is_there;
	struct hf_tls_config client;
	struct hf_tls_config server;
	struct hf_buf der[FRONT_CHAIN_MAX];
	struct hf_bytes chain[FRONT_CHAIN_MAX]; /* leaf, issuing CA, root CA */
	size_t n_chain;
	struct hf_tls_config late; /* as client, where the peer's status is asked afterwards */
	struct hf_cert roots[FRONT_ROOTS_MAX]; /* of a member: issuing CA, root CA */
	size_t n_roots;
	struct hf_buf staple[FRONT_CHAIN_MAX]; /* of a member: status of each of chain, or empty */
	struct hf_bytes staples[FRONT_CHAIN_MAX];
	uint8_t root_pin[HF_SM3_LEN]; /* newcomer: of the root CA, from the token */
	char domain[HF_ID_MAX + 1];
	struct hf_identity_want want[3]; /* by enum hf_source_kind */
	struct hf_tls_tickets tickets; /* of a member's server; its secret lives with the process */
	struct hf_tls_once_mem *once;  /* where the level wants each ticket used once */
};

/* Who is at the other end of a link that is open. */
struct front_peer {
	const struct hf_cert *cert; /* NULL: none */
	bool is_self_signed;
	bool is_resumed;
};

/* What is said of a link in the audit log and in diagnostics. */
struct front_link {
	struct front *f;
	struct hf_link *link; /* NULL: its TLS is on another thread */
	const char *address;
	uint64_t session; /* number in records of both ends' logs of this link */
	char peer[HF_AUDIT_NAME_MAX];
	bool is_ours; /* we began it */
	bool is_open;
	bool is_unrecorded; /* one of a flood: counted, not told */
	uint64_t opened_ms;
};

/* What may be recorded one by one in a minute. */
struct front_budget {
	uint64_t since_ms;
	uint32_t n;
};

/* A link that came in: its context from its first byte on. */
struct front_incoming {
	struct front_link k;
	struct hf_serve_session *session; /* NULL: none */
};

/* What was turned away for want of a place, and when that was said last. */
struct front_busy {
	uint64_t n;
	uint64_t said_ms;
};

/* A source of an edge or a device, and the link to it. */
struct front_source {
	struct front_link link; /* link.link NULL: none now */
	unsigned no;
	bool is_up;       /* the agent has its session */
	bool is_late;     /* it gets it once the peer's status is known */
	struct hf_h2 *h;  /* while the link is open */
	bool is_asking;   /* for the revocation list, on this stream */
	bool is_answered; /* so, or it will not be: to be looked at outside of the session */
	int32_t crl_stream;
	uint64_t opened_ms;             /* when the link opened */
	uint64_t next_ms;               /* not tried again before */
	unsigned n_fails;               /* in a row */
	struct hf_errinfo why;          /* of the last failure */
	struct hf_tls_session *session; /* of the last link, to resume it; NULL: none */
};

/* A local user that waits for a pull to end. */
struct front_waiter {
	struct hufud_asker *asker; /* NULL: free */
	char lineage[HF_ID_MAX + 1];
	uint64_t n_looks; /* at the channel, after which what is known is current */
	uint64_t told_ms; /* when it last heard something */
	uint64_t told_bytes;
};

struct front_gate;

struct front {
	struct hufud_child child;
	struct hf_env env;
	struct hf_key_client keys;
	uv_mutex_t keyd_lock; /* one question at a time: threads of the gate ask for signatures */
	struct hf_node node;
	struct hf_loop *loop;
	struct hufud_stop stop;
	uv_prepare_t prepare;
	uv_timer_t timer;
	uv_async_t alarm; /* is_deaf */
	bool is_stopping;
	atomic_bool is_deaf; /* the key process does not answer: nothing can go on */
	struct front_tls newcomer;
	struct front_tls member;
	/* The fetching side. */
	struct hf_agent *agent;
	struct hf_agent_source agent_sources[HUFUD_UPSTREAMS_MAX];
	struct front_source sources[HUFUD_UPSTREAMS_MAX];
	char token[HF_TOKEN_TEXT_MAX];
	bool has_joined; /* became a member just now: links are to be made anew */
	/* The serving side. */
	struct hf_upstream up;
	struct hf_serve *serve;
	struct hf_listener *listener; /* with one worker, else the gate */
	struct front_gate *gate;
	struct front_incoming lobby; /* where links are until they are open */
	uint64_t next_session;
	struct front_busy busy_links;
	struct front_busy busy_requests;
	uint32_t max_files; /* of objects that go out and come in; see fit_files() */
	struct front_budget refused_links;
	struct front_budget open_newcomers;
	struct front_budget open_members;               /* all of them together */
	struct front_budget open_member[FRONT_BUDGETS]; /* each, by a hash of its name */
	uint64_t n_refused_unrecorded; /* since the last refused one that was recorded */
	uint64_t n_open_unrecorded;    /* likewise of links that opened */
	/* Revocation. */
	struct hf_crls *crls; /* of a member */
	const struct hf_crls_view *view;
	uint64_t crl_ms;                      /* the next look for a newer list */
	bool is_swept;                        /* nobody who is on the list has a link */
	struct crl_fetch *fetch;              /* by plain HTTP; NULL: nothing is */
	uint64_t staples_ms;                  /* the next look at files of our own status */
	hf_err staple_err[HUFUD_STAPLES_MAX]; /* of the last look: told once */
	/* Local users. */
	struct hufud_door *door;
	struct front_waiter waiters[FRONT_WAITERS_MAX];
	uint64_t look_ms; /* when to look at what they wait for; UINT64_MAX: nobody waits */
};

static inline uint64_t front_now(const struct front *f)
{
	return hf_loop_now_ms(f->loop);
}

/* --- front_tls.c --- */

/* From the node's party. */
HF_MUST_USE hf_err front_tls_member(struct front *f, struct hf_errinfo *ei);

/* From the key process's self-signed certificate and the token. */
HF_MUST_USE hf_err front_tls_newcomer(struct front *f, struct hf_errinfo *ei);
void front_tls_clear(struct front_tls *t);

/* The status of our own certificates, from files that somebody renews: looked at every minute. */
void front_tls_tick(struct front *f, uint64_t now_ms);
uint64_t front_tls_deadline(const struct front *f);

/* on_sign of every link: the key process signs. */
void front_sign(struct front *f, struct hf_link *l, const struct hf_tls_cv *cv);

/* --- front_crl.c --- */

/* As a member: opens the lists; a hub asks its key process for the first one. */
HF_MUST_USE hf_err front_crl_begin(struct front *f, struct hf_errinfo *ei);
void front_crl_stop(struct front *f); /* while the loop still goes on */
void front_crl_end(struct front *f);
void front_crl_tick(struct front *f, uint64_t now_ms);
uint64_t front_crl_deadline(const struct front *f);

/* Is what we have good enough to ask it about a peer during the handshake? */
bool front_crl_is_fresh(const struct front *f);

/* A link to a source is open: who is late is checked first, and given to the agent then. */
void front_crl_source_open(struct front_source *s);
void front_crl_source_ending(struct front_source *s);

/* --- front_record.c --- */

/* A link gets its number. address outlives it. */
void front_link_init(struct front_link *k, struct front *f, const char *address);

/* As the TLS of a link of this thread tells. */
struct front_peer front_peer_of(const struct hf_link *l);

/*
 * The handshake is over: recorded before a byte is exchanged. A failure ends the link: what cannot
 * be recorded must not happen.
 */
HF_MUST_USE hf_err front_record_open(struct front_link *k, const struct front_peer *peer);

/* It is over: closed, or never opened (refused). */
void front_record_close(struct front_link *k, hf_err e, const struct hf_errinfo *why);

/* --- front_serve.c --- */

HF_MUST_USE hf_err front_serve_begin(struct front *f, struct hf_errinfo *ei);
void front_serve_end(struct front *f);

/* For the session of a link; what is special to its kind is filled in by the caller. */
HF_MUST_USE hf_err front_serve_session(struct front_incoming *in, struct hf_h2 **h,
	const struct hf_serve_peer *peer, const struct front_peer *who);
/* n links more were turned away for want of a place. */
void front_serve_turned_away(struct front *f, uint64_t n, hf_err e);

/* Numbers of the listener, or of the gate. */
struct front_serve_numbers {
	uint16_t port;
	uint64_t links;
	uint64_t refused;
	uint32_t n_workers;
	uint64_t worker_links[HUFUD_WORKERS_MAX]; /* the links of each */
};
struct front_serve_numbers front_serve_numbers(const struct front *f);

/* --- front_gate.c --- */

/* Listens with so many threads. Errors of hf_listener_new(). */
HF_MUST_USE hf_err front_gate_new(struct front *f, uint16_t port, struct hf_errinfo *ei);
void front_gate_stop(struct front *f); /* its handles are closed when the last link is over */
void front_gate_free(struct front *f); /* after the loop */
void front_gate_show(struct front *f); /* there are newer revocation lists */
void front_gate_show_staples(struct front *f); /* or stapled statuses */
struct front_serve_numbers front_gate_numbers(const struct front_gate *g);

/* --- front_dial.c --- */

void front_dial_init(struct front *f);

/* The peer is known to be good: the agent gets the session. */
void front_dial_up(struct front_source *s);

/* Begins links that are due. */
void front_dial_tick(struct front *f, uint64_t now_ms);
uint64_t front_dial_deadline(const struct front *f);

/* Ends all of them; at_once: they are made anew without waiting. */
void front_dial_end(struct front *f, bool at_once);

/* What the agent calls. */
void front_dial_pump(void *ctx, unsigned source);

/* After the last link: what would have resumed them is wiped. */
void front_dial_forget(struct front *f);

/* --- front_local.c --- */

HF_MUST_USE hf_err front_local_open(struct front *f, struct hf_errinfo *ei);
void front_local_close(struct front *f);
void front_local_tick(struct front *f, uint64_t now_ms);
uint64_t front_local_deadline(const struct front *f);

/* --- front_status.c --- */

/* Appends {"status":{...}}. */
HF_MUST_USE hf_err front_status_emit(struct front *f, struct hf_buf *out);

/* Appends {"progress":{...}}, or {"done":{...}}. */
HF_MUST_USE hf_err front_progress_emit(
	struct hf_buf *out, const char *what, const struct hf_agent_lineage *l);

#endif
