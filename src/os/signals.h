/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as something to read, not as handlers. */
#ifndef HF_OS_SIGNALS_H
#define HF_OS_SIGNALS_H

#include <stddef.h>

#include "base/err.h"

/*
 * Blocks the n signals in this thread and gives a descriptor that becomes readable when one comes.
 * Call it before any other thread is started, so that all of them block. SIGPIPE is ignored from
 * now on: a closed peer is an error code.
 */
HF_MUST_USE hf_err hf_signals_open(int *fd, const int *sigs, size_t n, struct hf_errinfo *ei);

/* The next signal; HF_ERR_AGAIN if there is none. */
HF_MUST_USE hf_err hf_signals_next(int fd, int *sig);

/* Waits for the next signal, at most timeout_ms. HF_ERR_TIMEOUT. */
HF_MUST_USE hf_err hf_signals_wait(int fd, int *sig, unsigned timeout_ms);

#endif
