/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree-SM3: the digest of long data, made for kernels that hash many messages at once and for
 * many cores (docs/formats/tree-sm3.md).
 *
 *   leaf i = SM3(0x00 || u64 i || up to 4096 bytes)      the last leaf may be shorter
 *   node   = SM3(0x01 || 1..16 children)                 levels until one digest is left
 *   digest = SM3(0x02 || u64 length || top)              empty input: one empty leaf
 */
#ifndef HF_CRYPTO_TREE_H
#define HF_CRYPTO_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sm3.h"

enum {
	HF_TREE_LEAF_LEN = 4096,
	HF_TREE_FANOUT = 16,
	HF_TREE_LEVELS = 13,  /* of nodes: 16^13 leaves of 4 KiB make 2^64 bytes */
	HF_TREE_QUEUE = 256,  /* digests of leaves that wait for their 16 nodes */
	HF_TREE_PENDING = 16, /* leaves that wait to be hashed together */
};

/* The digests that no node covers yet, in order. */
struct hf_tree_digests {
	uint8_t leaves[HF_TREE_QUEUE][HF_SM3_LEN];
	uint8_t nodes[HF_TREE_LEVELS][HF_TREE_FANOUT][HF_SM3_LEN]; /* an open group a level */
	size_t n_leaves;
	size_t n_nodes[HF_TREE_LEVELS];
};

/* A tree in progress. About 80 KiB. */
struct hf_tree {
	uint64_t len; /* bytes fed so far */
	struct hf_tree_digests digests;
	size_t pending_len; /* bytes in pending */
	uint8_t pending[HF_TREE_PENDING * HF_TREE_LEAF_LEN];
};

void hf_tree_init(struct hf_tree *t);
void hf_tree_feed(struct hf_tree *t, const void *in, size_t len);

/* Writes the digest and wipes the state. */
void hf_tree_done(struct hf_tree *t, uint8_t out[HF_SM3_LEN]);

/* Digest of data that lies in memory as a whole; needs no large state. */
void hf_tree_sm3(uint8_t out[HF_SM3_LEN], const void *in, size_t len);

#endif
