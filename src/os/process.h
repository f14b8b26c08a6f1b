/* SPDX-License-Identifier: Apache-2.0 */
/* Starting this program again in another role, waiting for it, and making a process hard to spy on.
 */
#ifndef HF_OS_PROCESS_H
#define HF_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HF_PROCESS_FD_FIRST = 3, /* the first handed descriptor has this number in the child */
	HF_PROCESS_FDS_MAX = 32,
};

struct hf_process {
	int pid; /* 0 when empty */
	int fd;  /* readable when it has ended (for a poll loop); -1 if the kernel has none */
};

#define HF_PROCESS_EMPTY ((struct hf_process){ .fd = -1 })

struct hf_process_start {
	const char *path;        /* program; NULL: this one, whatever became of its file */
	const char *const *argv; /* ends with NULL; argv[0] is shown as the name */
	const char *const *env;  /* ends with NULL; NULL: as this process has it */
	const int *fds;          /* descriptor i becomes HF_PROCESS_FD_FIRST + i */
	size_t n_fds;
	bool dies_with_parent; /* SIGKILL when the thread that started it ends */
};

/*
 * Starts a child that has standard input, output and error of this process, the given descriptors
 * and no other; signals are unblocked and at their defaults. Whether the program could be executed
 * is known on return (HF_ERR_NOT_FOUND, HF_ERR_PERMISSION …).
 */
HF_MUST_USE hf_err hf_process_start(
	struct hf_process *p, const struct hf_process_start *how, struct hf_errinfo *ei);

struct hf_process_end {
	bool is_signal; /* ended by a signal */
	int number;     /* exit code, or the signal */
};

/* Waits for the end; *p is empty afterwards. */
HF_MUST_USE hf_err hf_process_wait(struct hf_process *p, struct hf_process_end *end);

/* As hf_process_wait, at once: HF_ERR_AGAIN while it is running. */
HF_MUST_USE hf_err hf_process_poll(struct hf_process *p, struct hf_process_end *end);

/* Sends a signal. HF_ERR_STATE: *p is empty. */
HF_MUST_USE hf_err hf_process_signal(const struct hf_process *p, int sig);

/* The user this process acts as. */
uint32_t hf_process_uid(void);

/*
 * Lets this process have as many files open as the system allows it without asking; gives how many.
 */
uint64_t hf_process_raise_files(void);

/*
 * First thing in main. No file gets the number of a standard descriptor that was closed: something
 * lies there that can be neither read (0) nor written (1, 2). Files beyond a limit of their size
 * are an error, HF_ERR_FULL, not SIGXFSZ.
 */
void hf_process_begin(void);

/*
 * No core dumps, no ptrace and no /proc/<pid>/mem by the same user, no new privileges by exec.
 * First thing in every process that may see a key. Children must call it again.
 */
HF_MUST_USE hf_err hf_process_harden(struct hf_errinfo *ei);

/*
 * Gives back what only the beginning of this process needed: stack below the caller's, which must
 * be the first thread, and code. Stack comes back as zeros, code from its file, when it is used.
 */
void hf_process_trim(void);

#endif
