/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the node of this machine, over the sockets in its data folder (svc/local.h). Calls wait.
 * Failures of the node come back with its own code and text.
 */
#ifndef HF_SVC_LOCAL_CLIENT_H
#define HF_SVC_LOCAL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

#define HF_LOCAL_DIR "/var/lib/hufu"

enum {
	HF_LOCAL_STEP_MAX = 32, /* bytes of the name of a step */
	HF_LOCAL_WHY_MAX = 256,
	HF_LOCAL_QUICK_MS = 30 * 1000,     /* a question that is answered at once */
	HF_LOCAL_QUIET_MS = 5 * 60 * 1000, /* a node that says nothing about work under way */
};

/* The data folder that is meant: dir, or $HUFU_NODE, or HF_LOCAL_DIR. */
const char *hf_local_dir(const char *dir);

/*
 * Connects to one of the sockets of a data folder (HF_LOCAL_FRONT, HF_LOCAL_KEYD); the caller
 * closes *fd. HF_ERR_NOT_FOUND: no such folder. HF_ERR_NET: no node runs there. HF_ERR_PERMISSION:
 * this user may not. The texts say what to do.
 */
HF_MUST_USE hf_err hf_local_connect(
	int *fd, const char *dir, const char *socket, struct hf_errinfo *ei);

/* How far a pull is. What the node does not say is 0. */
struct hf_local_progress {
	char step[HF_LOCAL_STEP_MAX];
	uint64_t release;
	uint64_t chunks;
	uint64_t chunks_done;
	uint64_t bytes;
	uint64_t bytes_done;
	uint64_t bytes_twice;
	uint64_t rate; /* bytes a second */
	uint64_t eta_ms;
	char why[HF_LOCAL_WHY_MAX]; /* why the last try failed, if there is another one; or "" */
};

/* Reads such an object, also the "done" of a pull. HF_ERR_FORMAT, HF_ERR_TRUNCATED: it is none. */
HF_MUST_USE hf_err hf_local_progress_parse(
	struct hf_local_progress *p, struct hf_bytes json, struct hf_errinfo *ei);

struct hf_local_question {
	const char *what;    /* "status", "pull", "push" */
	const char *lineage; /* pull */
	bool wait;           /* pull: until it is active, or cannot be */
	void (*on_progress)(void *ctx, const struct hf_local_progress *p); /* may be NULL */
	void *ctx;
};

/*
 * Asks and appends the JSON object of the answer ("done" or "status") to answer. HF_ERR_CLOSED: the
 * node went away meanwhile. HF_ERR_TIMEOUT: it said nothing for too long. HF_ERR_FORMAT: something
 * else than a node answered. HF_ERR_LIMIT: an answer longer than HF_LOCAL_MESSAGE_MAX.
 */
HF_MUST_USE hf_err hf_local_ask(struct hf_buf *answer, const struct hf_mem *mem, const char *dir,
	const struct hf_local_question *q, struct hf_errinfo *ei);

#endif
