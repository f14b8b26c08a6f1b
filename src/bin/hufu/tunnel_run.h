/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu tunnel at work: one thread listens to signals and to who asks for numbers, and each worker
 * runs all services in a loop of its own.
 *
 *	setup   a configuration with all that was loaded for it; lives as long as a connection of it
 *	lane    a service of a setup in one worker
 *	door    a place where connections are accepted: a socket a worker; outlives setups
 *	lists   by which a service knows who is revoked; others take their place at any time
 *	tally   places, numbers and memory of a service, by its name; outlives setups
 *
 * Another setup takes over while connections of the one before live on. Workers share nothing but
 * the gates and memories of services, which are asked when connections come and go, and lists,
 *which they look for when they are told.
 */
#ifndef HF_BIN_HUFU_TUNNEL_RUN_H
#define HF_BIN_HUFU_TUNNEL_RUN_H

#include <limits.h>
#include <stdatomic.h>

#include <uv.h>

#include "bin/common/crl_fetch.h"
#include "bin/common/log.h"
#include "net/tunnel.h"
#include "os/service.h"
#include "svc/env.h"
#include "tls/tlcp.h"
#include "tunnel_config.h"
#include "tunnel_keys.h"
#include "tunnel_lists.h"
#include "tunnel_memory.h"

enum { TUNNEL_DOORS_MAX = 2 * TUNNEL_SERVICES_MAX, TUNNEL_TALLIES_MAX = 4 * TUNNEL_SERVICES_MAX };

#define TUNNEL_SERIAL_NONE UINT_MAX /* of a worker that has taken over none so far */

struct tunnel_run;
struct tunnel_worker;
struct tunnel_setup;

struct tunnel_tally {
	char name[HF_ID_MAX + 1]; /* empty: free */
	struct hf_tunnel_gate *gate;
	struct hf_tunnel_numbers *numbers; /* one a worker */
	struct tunnel_memory *memory;      /* NULL: it was no server so far */
};

struct tunnel_door {
	char accept[300]; /* as the configuration says it; empty: free */
	char address[HF_SOCK_TEXT];
	int *fds;        /* one a worker */
	unsigned handed; /* of the sockets that we were handed its number from 1 on; 0: ours */
	bool is_needed;
};

struct tunnel_lane {
	struct tunnel_setup *setup;
	const struct tunnel_service *service;
	struct tunnel_worker *worker;
	struct hf_tls_config tls;
	struct tunnel_lists *lists; /* what tls goes by; the worker's own hold */
	struct hf_tls_tickets tickets;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_local_key enc_local; /* with TLCP: */
	struct hf_tlcp_enc_key enc_key;
	struct hf_tlcp_cache cache;
	struct hf_tlcp_config tlcp;
	struct hf_tunnel *tunnel;
	struct tunnel_lane *next; /* of the worker, alive */
};

struct tunnel_setup {
	struct tunnel_config config;
	struct tunnel_keys *keys;  /* one a service */
	struct tunnel_lane *lanes; /* of worker w and service s: [w * n_services + s] */
	size_t n_lanes;
	struct tunnel_tally *tally[TUNNEL_SERVICES_MAX];
	struct tunnel_door *door[TUNNEL_SERVICES_MAX];
	struct tunnel_files *files[TUNNEL_SERVICES_MAX];
	struct tunnel_lists *lists[TUNNEL_SERVICES_MAX]; /* under lists_lock, once at work */
	struct hf_crls *crls;    /* what was fetched; the main thread's. NULL: nothing is */
	struct crl_fetch *fetch; /* likewise, as long as the setup is the current one */
	unsigned serial;
	atomic_uint refs; /* one a lane, and one while it is the current one */
};

enum tunnel_order { TUNNEL_GO_ON, TUNNEL_DRAIN, TUNNEL_ABORT };

struct tunnel_worker {
	struct tunnel_run *run;
	unsigned index;
	uv_thread_t thread;
	bool has_thread;
	struct hf_env env;
	struct hf_loop *loop;
	uv_async_t wake;
	_Atomic(struct tunnel_setup *) next; /* to be taken over */
	atomic_int order;                    /* enum tunnel_order */
	atomic_bool has_lists;               /* other ones than it has seen */
	atomic_uint serial; /* of the setup it has taken over; 0: accepts nothing any more */
	atomic_bool is_over;
	struct tunnel_setup *current;
	struct tunnel_lane *alive;
	bool is_ending;
	uint64_t log_second; /* lines of one second are bounded */
	unsigned n_lines;
	uint64_t n_unsaid;
};

struct tunnel_run {
	const char *path; /* of the configuration; NULL: text is all there is */
	struct hf_buf text;
	struct hufud_log log;
	struct hf_env env;
	struct hf_loop *loop;
	int signal_fd;
	uv_poll_t signals;
	uv_async_t news; /* a worker has done what it was told */
	uv_timer_t drain;
	int control_fd;
	uv_poll_t control;
	bool has_control;
	struct hf_service_fds handed;
	bool handed_taken[HF_SERVICE_FDS_MAX];
	unsigned n_workers;
	struct tunnel_worker *workers;
	struct tunnel_door doors[TUNNEL_DOORS_MAX];
	struct tunnel_tally tallies[TUNNEL_TALLIES_MAX];
	struct tunnel_setup *setup;
	uv_mutex_t lists_lock;
	bool has_lock;
	unsigned n_reloads;
	bool is_draining;
	unsigned may; /* enum hf_sandbox_more, still */
	uint64_t begin_ms;
	hf_err err;
};

/* Runs until SIGTERM. path NULL: text is the configuration, and cannot change. Exit code. */
HF_MUST_USE hf_err tunnel_run(const char *path, const struct hf_buf *text, struct hf_errinfo *ei);

/*
 * tunnel_setup.c: everything a configuration needs, its doors open; nothing is at work yet. After a
 * failure doors may be left that nobody needs.
 */
HF_MUST_USE hf_err tunnel_setup_new(
	struct tunnel_run *r, struct tunnel_setup **out, struct hf_errinfo *ei);
void tunnel_setup_unref(struct tunnel_setup *s, unsigned n);
/* A list was fetched: the services of the setup get new ones, and workers are told. */
void tunnel_setup_refresh(struct tunnel_run *r, struct tunnel_setup *s);
void tunnel_doors_close(struct tunnel_run *r); /* those that no setup needs any more */

/* tunnel_worker.c */
HF_MUST_USE hf_err tunnel_worker_init(struct tunnel_worker *w, struct hf_errinfo *ei);
HF_MUST_USE hf_err tunnel_worker_start(struct tunnel_worker *w, struct hf_errinfo *ei);
void tunnel_worker_tell(struct tunnel_worker *w, struct tunnel_setup *next); /* any thread */
void tunnel_worker_lists(struct tunnel_worker *w); /* there are other lists; any thread */
void tunnel_worker_order(struct tunnel_worker *w, enum tunnel_order order);
void tunnel_worker_clear(struct tunnel_worker *w); /* its thread has ended, or was not begun */

/* tunnel_status.c: as JSON, and as lines of diagnostics. */
HF_MUST_USE hf_err tunnel_status_emit(const struct tunnel_run *r, struct hf_buf *out);
void tunnel_status_log(const struct tunnel_run *r);

#endif
