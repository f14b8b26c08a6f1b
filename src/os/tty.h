/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal, if there is one. */
#ifndef HF_OS_TTY_H
#define HF_OS_TTY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

bool hf_tty_is(int fd);

/* Columns of the terminal at fd; 80 if it does not say. */
unsigned hf_tty_width(int fd);

/*
 * Shows prompt on the terminal of the process and appends the line typed, unseen and without its
 * end, to out. HF_ERR_NOT_FOUND: no terminal (then a file or descriptor must be given).
 * HF_ERR_CLOSED: the user gave up (Ctrl-C, Ctrl-D), or a signal came that ends a process (INT,
 * TERM, HUP, QUIT): it is taken, so end. HF_ERR_LIMIT: longer than out->max. The echo is on again
 * on return; a process killed by another signal leaves it off.
 */
HF_MUST_USE hf_err hf_tty_passphrase(struct hf_buf *out, const char *prompt, struct hf_errinfo *ei);

/* The same on a terminal that is open already. */
HF_MUST_USE hf_err hf_tty_passphrase_at(
	struct hf_buf *out, int fd, const char *prompt, struct hf_errinfo *ei);

#endif
