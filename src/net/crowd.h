/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at a listener: how many links of each address, and which of them have no session. What is
 * asked when a link comes is answered in the same time, however many links there are.
 *
 *	origin     an address, an IPv4 one as IPv6 maps it, an IPv6 one cut to its /64: one site
 *	opening    of an origin: its links without a session, the oldest first
 *	rank n     the origins with n such links, who came to it first first
 */
#ifndef HF_NET_CROWD_H
#define HF_NET_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/link.h"

enum { HF_CROWD_BUCKETS = 1024 };

/* Lives as long as its links. */
struct crowd_origin {
	struct crowd_origin *next; /* of the bucket */
	uint8_t address[HF_LINK_SITE_LEN];
	uint32_t n_links;
	uint32_t n_opening;
	struct hf_link *oldest;
	struct hf_link *youngest;
	struct crowd_origin *before; /* of its rank */
	struct crowd_origin *after;
};

struct crowd_rank {
	struct crowd_origin *first;
	struct crowd_origin *last;
};

struct hf_crowd {
	const struct hf_mem *mem;
	uint32_t n_alive; /* links that are not dead */
	uint32_t n_opening;
	uint32_t share;           /* links without a session that one address may have */
	uint32_t most;            /* that one has */
	struct crowd_rank *ranks; /* share + 1 */
	struct crowd_origin *bucket[HF_CROWD_BUCKETS];
};

HF_MUST_USE hf_err hf_crowd_init(struct hf_crowd *c, const struct hf_mem *mem, uint32_t share);

/* All links were forgotten before. Accepts { 0 }. */
void hf_crowd_clear(struct hf_crowd *c);

/* l has an origin from now on; it counts in nothing yet. HF_ERR_NO_MEMORY. */
HF_MUST_USE hf_err hf_crowd_meet(
	struct hf_crowd *c, struct hf_link *l, const struct sockaddr_storage *addr);

/* It is alive and without a session. Its origin has fewer than share such links. */
void hf_crowd_enter(struct hf_crowd *c, struct hf_link *l);

/* It has a session. */
void hf_crowd_opened(struct hf_crowd *c, struct hf_link *l);

/* It is dead. */
void hf_crowd_left(struct hf_crowd *c, struct hf_link *l);

/* It is gone. Whatever was not said of it before is said now. */
void hf_crowd_forget(struct hf_crowd *c, struct hf_link *l);

/* The oldest without a session of an origin; NULL: of one that has most of them. NULL: none. */
struct hf_link *hf_crowd_oldest(const struct hf_crowd *c, const struct crowd_origin *of);

#endif
