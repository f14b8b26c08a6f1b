/* SPDX-License-Identifier: Apache-2.0 */
/* What a process may still ask of the system once it is set up: a filter of system calls. */
#ifndef HF_OS_SANDBOX_H
#define HF_OS_SANDBOX_H

#include "base/err.h"

/* What else a process needs, a set. */
enum hf_sandbox_more {
	HF_SANDBOX_UNLINK =
		1, /* take names of files away, as a new unix socket at an old name does */
	HF_SANDBOX_STORE = 2, /* write files, make and replace them, too: hf_file_replace() */
};

/*
 * From now on all threads of this process, and those to come, can do only what serving links takes:
 * sockets of the network and of this machine, files for reading, memory without code, threads,
 * time. Starting a program or looking into another process ends this one (SIGSYS); anything else is
 * refused (EPERM, or ENOSYS as if the kernel did not know it), so a library that tries falls back
 * or reports. No way back. Host names can be looked up afterwards with what hf_sock_names_load()
 * has loaded. HF_ERR_UNSUPPORTED: this system has no such filter, nothing has changed.
 */
HF_MUST_USE hf_err hf_sandbox_serve(unsigned more, struct hf_errinfo *ei);

#endif
