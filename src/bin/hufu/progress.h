/* SPDX-License-Identifier: Apache-2.0 */
/* The progress bar of long work: on standard error, only if that is a terminal, five times a
 * second. */
#ifndef HF_BIN_HUFU_PROGRESS_H
#define HF_BIN_HUFU_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct hufu_progress {
	const char *what; /* "sealing" */
	bool is_on;
	uint64_t started_ms;
	uint64_t shown_ms;
	int stop_fd; /* signals that shall stop the work; -1: they end the process, as usual */
	bool is_stopped;
};

/* is_quiet: the user asked for none. */
void hufu_progress_init(struct hufu_progress *p, const char *what, bool is_quiet);

/* done of total bytes; ctx is the struct, so that it fits where svc wants a callback. */
void hufu_progress_show(void *ctx, uint64_t done, uint64_t total);

/*
 * From now on a signal that asks the process to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT) stops the
 * work, so that it can clear up behind it. For work that asks hufu_progress_is_stopped().
 */
HF_MUST_USE hf_err hufu_progress_can_stop(struct hufu_progress *p, struct hf_errinfo *ei);
bool hufu_progress_is_stopped(void *ctx);

/* Clears the line. */
void hufu_progress_end(struct hufu_progress *p);

/* "12.3 MiB" into text of at least 16 bytes. */
void hufu_bytes_text(char text[16], uint64_t bytes);

#endif
