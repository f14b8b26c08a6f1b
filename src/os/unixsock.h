/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unix sockets between the processes of one machine, and messages over them: u32 length (big
 * endian), payload, and with the first byte up to HF_MSG_FDS_MAX descriptors. Calls wait; for an
 * event loop poll the descriptor first. All descriptors close on exec; ei may be NULL.
 */
#ifndef HF_OS_UNIXSOCK_H
#define HF_OS_UNIXSOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { HF_MSG_FDS_MAX = 8 }; /* descriptors in one message */

/* Two connected ends. */
HF_MUST_USE hf_err hf_unixsock_pair(int fds[2], struct hf_errinfo *ei);

/*
 * Listens at path with permission bits mode. A socket nobody listens on is replaced; HF_ERR_EXISTS:
 * somebody does, or something else is there. HF_ERR_LIMIT: path longer than 107 bytes. No other
 * thread may make files meanwhile: the mask of the process changes for a moment.
 */
HF_MUST_USE hf_err hf_unixsock_listen(
	int *fd, const char *path, unsigned mode, unsigned backlog, struct hf_errinfo *ei);

/* The next connection. */
HF_MUST_USE hf_err hf_unixsock_accept(int *fd, int listener, struct hf_errinfo *ei);

/* HF_ERR_NET: nobody listens. HF_ERR_NOT_FOUND, HF_ERR_PERMISSION: the path. */
HF_MUST_USE hf_err hf_unixsock_connect(int *fd, const char *path, struct hf_errinfo *ei);

/* Calls on fd that wait longer than this are HF_ERR_AGAIN; 0 waits for ever. */
HF_MUST_USE hf_err hf_unixsock_timeout(int fd, unsigned timeout_ms);

/* Who connected, as the kernel saw it then. */
struct hf_unixsock_peer {
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
};
HF_MUST_USE hf_err hf_unixsock_peer(struct hf_unixsock_peer *peer, int fd, struct hf_errinfo *ei);

/*
 * Sends one message; the descriptors stay the caller's. HF_ERR_CLOSED: the peer has gone. After a
 * failure, HF_ERR_AGAIN too, the stream may stand inside a message: close it.
 */
HF_MUST_USE hf_err hf_msg_send(
	int fd, const void *bytes, size_t len, const int *fds, size_t n_fds, struct hf_errinfo *ei);

/*
 * Receives one message, appending its payload to out, and its descriptors (the caller closes them)
 * into fds, which has room for cap. HF_ERR_CLOSED: the peer closed between two messages;
 * HF_ERR_TRUNCATED: within one; HF_ERR_LIMIT: longer than out->max leaves room for, or more than
 * cap descriptors. On failure out is as before, no descriptor is left open, and the stream must be
 * closed (except after HF_ERR_AGAIN with nothing received yet).
 */
HF_MUST_USE hf_err hf_msg_receive(
	int fd, struct hf_buf *out, int *fds, size_t cap, size_t *n_fds, struct hf_errinfo *ei);

#endif
