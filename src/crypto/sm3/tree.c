/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree-SM3. Invariants between calls: 1. n_nodes[l] < 16 and n_leaves < 256: a full group has
 * become one digest of the level above, a full queue of leaves 16 nodes at once. 2. What is queued
 * is what no node covers yet, in order. Leaves go to the lanes as many as these take, straight from
 * the caller's bytes where they can.
 */
#include "crypto/tree.h"

#include <stdbool.h>
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/selftest.h"

enum {
	LABEL_LEAF = 0x00,
	LABEL_NODE = 0x01,
	LABEL_ROOT = 0x02,
	LEAF_PREFIX_LEN = 1 + 8,
	PENDING_LEN = HF_TREE_PENDING * HF_TREE_LEAF_LEN,
};

/* n <= 16 nodes of n_children each, which lie back to back. */
static void hash_nodes(uint8_t *out, const uint8_t *children, size_t n_children, size_t n)
{
	static const uint8_t label = LABEL_NODE;
	const uint8_t *prefixes[HF_TREE_FANOUT] = { NULL };
	const uint8_t *groups[HF_TREE_FANOUT] = { NULL };

	for (size_t i = 0; i < n; i++) {
		prefixes[i] = &label;
		groups[i] = children + i * n_children * HF_SM3_LEN;
	}
	hf_sm3_lanes(out, prefixes, 1, groups, n_children * HF_SM3_LEN, n);
}

/* Adds one digest at a level; a group that is full by it moves up. */
static void push_node(struct hf_tree_digests *d, unsigned level, const uint8_t digest[HF_SM3_LEN])
{
	uint8_t up[HF_SM3_LEN];

	memcpy(up, digest, sizeof(up));
	for (; level < HF_TREE_LEVELS; level++) {
		memcpy(d->nodes[level][d->n_nodes[level]], up, sizeof(up));
		if (++d->n_nodes[level] < HF_TREE_FANOUT)
			return;
		hash_nodes(up, d->nodes[level][0], HF_TREE_FANOUT, 1);
		d->n_nodes[level] = 0;
	}
}

/* The full groups of the queued leaves become nodes. */
static void flush_leaves(struct hf_tree_digests *d)
{
	uint8_t nodes[HF_TREE_FANOUT][HF_SM3_LEN];
	size_t n = d->n_leaves / HF_TREE_FANOUT;

	if (n == 0)
		return;
	hash_nodes(nodes[0], d->leaves[0], HF_TREE_FANOUT, n);
	for (size_t i = 0; i < n; i++)
		push_node(d, 0, nodes[i]);
	d->n_leaves -= n * HF_TREE_FANOUT;
	if (d->n_leaves > 0)
		memmove(d->leaves[0], d->leaves[n * HF_TREE_FANOUT], d->n_leaves * HF_SM3_LEN);
}

/* Hashes n leaves of one length that lie back to back; index is that of the first. */
static void push_leaves(
	struct hf_tree_digests *d, const uint8_t *in, size_t leaf_len, size_t n, uint64_t index)
{
	uint8_t prefix[HF_SM3_LANES_MAX][LEAF_PREFIX_LEN];
	uint8_t digests[HF_SM3_LANES_MAX][HF_SM3_LEN];
	const uint8_t *prefixes[HF_SM3_LANES_MAX] = { NULL };
	const uint8_t *leaves[HF_SM3_LANES_MAX] = { NULL };

	for (size_t i = 0; i < n; i++) {
		prefix[i][0] = LABEL_LEAF;
		hf_put_be64(prefix[i] + 1, index + i);
		prefixes[i] = prefix[i];
		leaves[i] = in + i * leaf_len;
	}
	hf_sm3_lanes(digests[0], prefixes, LEAF_PREFIX_LEN, leaves, leaf_len, n);
	for (size_t i = 0; i < n; i++) {
		memcpy(d->leaves[d->n_leaves++], digests[i], HF_SM3_LEN);
		if (d->n_leaves == HF_TREE_QUEUE)
			flush_leaves(d);
	}
}

/* All of the leaves in sight, the last one shorter; or the one empty leaf. */
static void push_rest(struct hf_tree_digests *d, const uint8_t *in, size_t len, uint64_t index)
{
	while (len >= HF_TREE_LEAF_LEN) {
		size_t n = len / HF_TREE_LEAF_LEN;

		if (n > HF_SM3_LANES_MAX)
			n = HF_SM3_LANES_MAX;
		push_leaves(d, in, HF_TREE_LEAF_LEN, n, index);
		in += n * HF_TREE_LEAF_LEN;
		len -= n * HF_TREE_LEAF_LEN;
		index += n;
	}
	if (len > 0 || index == 0)
		push_leaves(d, in, len, 1, index);
}

static bool is_alone(const struct hf_tree_digests *d, unsigned level)
{
	for (unsigned l = level + 1; l < HF_TREE_LEVELS; l++)
		if (d->n_nodes[l] > 0)
			return false;
	return d->n_nodes[level] == 1;
}

/* Closes group after group until one digest is left, and returns it. */
static const uint8_t *close_groups(struct hf_tree_digests *d, bool is_one_leaf)
{
	uint8_t node[HF_SM3_LEN];
	unsigned level = 0;

	if (is_one_leaf)
		return d->leaves[0];
	flush_leaves(d);
	if (d->n_leaves > 0) {
		hash_nodes(node, d->leaves[0], d->n_leaves, 1);
		push_node(d, 0, node);
	}
	while (!is_alone(d, level)) {
		size_t n = d->n_nodes[level];

		if (n > 0) {
			d->n_nodes[level] = 0;
			hash_nodes(node, d->nodes[level][0], n, 1);
			push_node(d, level + 1, node);
		}
		level++;
	}
	return d->nodes[level][0];
}

/* The root binds the length to the last digest. */
static void put_root(uint8_t out[HF_SM3_LEN], struct hf_tree_digests *d, uint64_t len)
{
	uint8_t last[1 + 8 + HF_SM3_LEN] = { LABEL_ROOT };

	hf_put_be64(last + 1, len);
	memcpy(last + 9, close_groups(d, len <= HF_TREE_LEAF_LEN), HF_SM3_LEN);
	hf_sm3(out, last, sizeof(last));
	HF_FAULT("tree-sm3", out[0]);
}

static void init_digests(struct hf_tree_digests *d)
{
	d->n_leaves = 0;
	memset(d->n_nodes, 0, sizeof(d->n_nodes));
}

void hf_tree_init(struct hf_tree *t)
{
	t->len = 0;
	t->pending_len = 0;
	init_digests(&t->digests);
}

void hf_tree_feed(struct hf_tree *t, const void *in, size_t len)
{
	const uint8_t *p = in;

	while (len > 0) {
		uint64_t index = (t->len - t->pending_len) / HF_TREE_LEAF_LEN;
		size_t n = PENDING_LEN - t->pending_len;

		if (n == PENDING_LEN && len >= PENDING_LEN) {
			size_t n_leaves = len / HF_TREE_LEAF_LEN;

			if (n_leaves > HF_SM3_LANES_MAX)
				n_leaves = HF_SM3_LANES_MAX;
			n = n_leaves * HF_TREE_LEAF_LEN;
			push_leaves(&t->digests, p, HF_TREE_LEAF_LEN, n_leaves, index);
		} else {
			n = n < len ? n : len;
			memcpy(t->pending + t->pending_len, p, n);
			t->pending_len += n;
		}
		if (t->pending_len == PENDING_LEN) {
			push_leaves(
				&t->digests, t->pending, HF_TREE_LEAF_LEN, HF_TREE_PENDING, index);
			t->pending_len = 0;
		}
		t->len += n;
		p += n;
		len -= n;
	}
}

void hf_tree_done(struct hf_tree *t, uint8_t out[HF_SM3_LEN])
{
	uint64_t index = (t->len - t->pending_len) / HF_TREE_LEAF_LEN;

	push_rest(&t->digests, t->pending, t->pending_len, index);
	put_root(out, &t->digests, t->len);
	hf_wipe(t, sizeof(*t));
}

void hf_tree_sm3(uint8_t out[HF_SM3_LEN], const void *in, size_t len)
{
	struct hf_tree_digests d;

	init_digests(&d);
	push_rest(&d, in, len, 0);
	put_root(out, &d, len);
}

/* Seventeen leaves, the last one of one byte: two groups, two levels, both ways. */
bool hf_tree_selftest(void)
{
	static const uint8_t want[HF_SM3_LEN] = { 0x7f, 0x3a, 0x68, 0x6a, 0x28, 0xe2, 0x66, 0xff,
		0x48, 0x0a, 0xc2, 0x0b, 0xd9, 0x48, 0x70, 0x85, 0x5e, 0x2c, 0xfd, 0x0c, 0x78, 0x9e,
		0x0f, 0xf4, 0x35, 0xef, 0x7a, 0x61, 0xbd, 0x2d, 0x73, 0x71 };
	struct hf_tree t;
	uint8_t in[1024];
	uint8_t out[HF_SM3_LEN];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	hf_tree_init(&t);
	for (unsigned i = 0; i < PENDING_LEN / sizeof(in); i++)
		hf_tree_feed(&t, in, sizeof(in));
	hf_tree_feed(&t, in, 1);
	hf_tree_done(&t, out);
	return memcmp(out, want, sizeof(out)) == 0;
}
