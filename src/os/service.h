/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program needs that the system starts and watches: sockets it is handed, being told when it
 * is ready, and giving up rights it no longer needs. The protocol is systemd's, without its
 * library.
 */
#ifndef HF_OS_SERVICE_H
#define HF_OS_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_SERVICE_FDS_MAX = 64, HF_SERVICE_FD_FIRST = 3, HF_SERVICE_NAME = 64 };

/* Sockets that were handed to this process: descriptor HF_SERVICE_FD_FIRST + i is called name[i].
 */
struct hf_service_fds {
	size_t n;
	char name[HF_SERVICE_FDS_MAX][HF_SERVICE_NAME];
};

/*
 * Reads LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES; none for us is n 0. First thread only, before
 * files are opened.
 */
HF_MUST_USE hf_err hf_service_fds(struct hf_service_fds *out, struct hf_errinfo *ei);

/* Tells NOTIFY_SOCKET ("READY=1"); nothing happens where nobody asked to be told. */
void hf_service_tell(const char *state);

/*
 * From now on this process acts as that user and group, and no other: no way back. user may be a
 * name or a number; group NULL: the user's own. HF_ERR_NOT_FOUND: there is no such user or group.
 * First thread only, before others are started.
 */
HF_MUST_USE hf_err hf_service_become(const char *user, const char *group, struct hf_errinfo *ei);

#endif
