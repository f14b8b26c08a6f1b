/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a node (design 7) and what they inherit from the supervisor:
 *
 *	supervisor   starts the other two, watches them; no network, no keys
 *	keyd         keys, trust state, audit log; no network
 *	front        network and objects; no keys
 */
#ifndef HF_BIN_HUFUD_ROLES_H
#define HF_BIN_HUFUD_ROLES_H

#include "base/err.h"
#include "bin/common/log.h"
#include "config.h"

/* Descriptors of a child, see os/process.h. */
enum {
	HUFUD_FD_PAIR = 3,   /* keyd and front talk here */
	HUFUD_FD_CONFIG = 4, /* sealed memory file: path of the file, NUL, its text */
	HUFUD_FD_LOCK = 5,   /* the lock of the data folder: held until the last process is gone */
	HUFUD_FD_READY = 6,  /* to the supervisor: one message when the child is at work */
};

/* First arguments by which the program starts itself again; not for people. */
#define HUFUD_AS_KEYD  "--as-keyd"
#define HUFUD_AS_FRONT "--as-front"

/* What both children begin with: hardened, module started, configuration read. */
struct hufud_child {
	struct hufud_log log;
	struct hufud_config config;
	struct hf_buf text; /* of the configuration, which points into it */
};

HF_MUST_USE hf_err hufud_child_init(
	struct hufud_child *c, const char *process, struct hf_errinfo *ei);
void hufud_child_clear(struct hufud_child *c);

/* Tells the supervisor that this child is at work. */
void hufud_child_ready(const struct hufud_child *c);

/* Exit codes. */
int hufud_supervise(const char *config_path);
int hufud_keyd(void);
int hufud_front(void);

#endif
