/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from other processes of this machine (os/unixsock.h has their form), taken in pieces, so
 * that a slow or silent asker holds nobody up. A door is a unix socket; askers come through it, or
 * are handed in as a descriptor. Places are shared by user: strangers have few, some are kept for
 * root and the node's own user, and where there is none who has not asked yet goes first.
 */
#ifndef HF_BIN_HUFUD_DOOR_H
#define HF_BIN_HUFUD_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/loop.h"

struct hufud_door;
struct hufud_asker;

struct hufud_door_config {
	struct hf_loop *loop;
	const struct hf_mem *mem;
	const char *path;          /* of the socket */
	uint32_t max_askers;       /* through the socket */
	const uint32_t *open_uids; /* users that are no strangers, besides root and our own */
	size_t n_open_uids;
	uint32_t slow_ms; /* a message must be whole in this time; a silent asker goes after it too
			   */
	/* Longest message this user may send; 0: it may not come in at all. */
	size_t (*on_knock)(void *ctx, uint32_t uid);
	/* There is no place for this one: tell it, with hufud_asker_send(). */
	void (*on_busy)(void *ctx, struct hufud_asker *a);
	/* A whole message. The bytes are wiped afterwards. */
	void (*on_message)(void *ctx, struct hufud_asker *a, const uint8_t *bytes, size_t len);
	/* The asker is gone when this returns; not called for one that never sent a message. */
	void (*on_gone)(void *ctx, struct hufud_asker *a);
	void *ctx;
};

/* Anybody may connect (mode 0666): who may ask what is decided by user. Errors of
 * hf_unixsock_listen. */
HF_MUST_USE hf_err hufud_door_open(
	struct hufud_door **out, const struct hufud_door_config *config, struct hf_errinfo *ei);

/* An asker at the other end of fd, which is taken over; it may be silent for ever. */
HF_MUST_USE hf_err hufud_door_adopt(struct hufud_asker **out, struct hufud_door *d, int fd,
	size_t message_max, struct hf_errinfo *ei);

/* Sends a message; an asker that cannot take it is closed. */
void hufud_asker_send(struct hufud_asker *a, const void *bytes, size_t len);

/* Closes once everything is sent. */
void hufud_asker_close(struct hufud_asker *a);

/* From now on it may be silent: its answer takes long. */
void hufud_asker_wait(struct hufud_asker *a);

uint32_t hufud_asker_uid(const struct hufud_asker *a);
void *hufud_asker_ctx(const struct hufud_asker *a);
void hufud_asker_ctx_set(struct hufud_asker *a, void *ctx);

/* Closes the socket and all askers; the door is gone after the loop's next rounds. */
void hufud_door_close(struct hufud_door *d);

#endif
