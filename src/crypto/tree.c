/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree-SM3. Invariants of the open groups: 1. n_digests[l] < 16 between calls: a full group has
 * become one digest of the level above. 2. Groups hold the digests that no node covers yet, in
 * order. Leaves go to the lanes sixteen at a time, straight from the caller's bytes where they can.
 */
#include "crypto/tree.h"

#include <stdbool.h>
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/selftest.h"

enum {
	LABEL_LEAF = 0x00,
	LABEL_NODE = 0x01,
	LABEL_ROOT = 0x02,
	LEAF_PREFIX_LEN = 1 + 8,
	GROUP_LEN = HF_TREE_FANOUT * HF_TREE_LEAF_LEN,
};

/* The open groups, wherever they are kept. */
struct groups {
	uint8_t (*digests)[HF_TREE_FANOUT * HF_SM3_LEN];
	uint8_t *n;
};

static void hash_node(uint8_t out[HF_SM3_LEN], const uint8_t *children, size_t n)
{
	static const uint8_t label = LABEL_NODE;
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, &label, 1);
	hf_sm3_feed(&s, children, n * HF_SM3_LEN);
	hf_sm3_done(&s, out);
}

/* Adds one digest at a level; a group that is full by it moves up. */
static void push(const struct groups *g, unsigned level, const uint8_t digest[HF_SM3_LEN])
{
	uint8_t up[HF_SM3_LEN];

	memcpy(up, digest, sizeof(up));
	for (; level < HF_TREE_LEVELS; level++) {
		memcpy(g->digests[level] + (size_t)g->n[level] * HF_SM3_LEN, up, sizeof(up));
		if (++g->n[level] < HF_TREE_FANOUT)
			return;
		hash_node(up, g->digests[level], HF_TREE_FANOUT);
		g->n[level] = 0;
	}
}

/* Hashes n leaves of the same length that lie back to back; index is that of the first. */
static void push_leaves(
	const struct groups *g, const uint8_t *in, size_t leaf_len, size_t n, uint64_t index)
{
	uint8_t prefix[HF_TREE_FANOUT][LEAF_PREFIX_LEN];
	uint8_t digests[HF_TREE_FANOUT * HF_SM3_LEN];
	const uint8_t *prefixes[HF_TREE_FANOUT] = { NULL };
	const uint8_t *leaves[HF_TREE_FANOUT] = { NULL };

	for (size_t i = 0; i < n; i++) {
		prefix[i][0] = LABEL_LEAF;
		hf_put_be64(prefix[i] + 1, index + i);
		prefixes[i] = prefix[i];
		leaves[i] = in + i * leaf_len;
	}
	hf_sm3_lanes(digests, prefixes, LEAF_PREFIX_LEN, leaves, leaf_len, n);
	for (size_t i = 0; i < n; i++)
		push(g, 0, digests + i * HF_SM3_LEN);
}

/* What is left at the end: full leaves, then a shorter one; or the one empty leaf. */
static void push_rest(const struct groups *g, const uint8_t *in, size_t len, uint64_t index)
{
	size_t n_full = len / HF_TREE_LEAF_LEN;
	size_t last_len = len % HF_TREE_LEAF_LEN;

	if (n_full > 0)
		push_leaves(g, in, HF_TREE_LEAF_LEN, n_full, index);
	if (last_len > 0 || index + n_full == 0)
		push_leaves(g, in + n_full * HF_TREE_LEAF_LEN, last_len, 1, index + n_full);
}

static bool is_alone(const struct groups *g, unsigned level)
{
	for (unsigned l = level + 1; l < HF_TREE_LEVELS; l++)
		if (g->n[l] > 0)
			return false;
	return g->n[level] == 1;
}

/* Closes group after group until one digest is left, and binds the length to it. */
static void close_groups(const struct groups *g, uint64_t len, uint8_t out[HF_SM3_LEN])
{
	uint8_t last[1 + 8 + HF_SM3_LEN] = { LABEL_ROOT };
	uint8_t node[HF_SM3_LEN];
	unsigned level = 0;

	while (!is_alone(g, level)) {
		if (g->n[level] > 0) {
			size_t n = g->n[level];

			g->n[level] = 0;
			hash_node(node, g->digests[level], n);
			push(g, level + 1, node);
		}
		level++;
	}
	hf_put_be64(last + 1, len);
	memcpy(last + 9, g->digests[level], HF_SM3_LEN);
	hf_sm3(out, last, sizeof(last));
}

static struct groups groups_of(struct hf_tree *t)
{
	return (struct groups){ t->digests, t->n_digests };
}

void hf_tree_init(struct hf_tree *t)
{
	t->len = 0;
	t->pending_len = 0;
	memset(t->n_digests, 0, sizeof(t->n_digests));
}

void hf_tree_feed(struct hf_tree *t, const void *in, size_t len)
{
	struct groups g = groups_of(t);
	const uint8_t *p = in;

	while (len > 0) {
		uint64_t index = (t->len - t->pending_len) / HF_TREE_LEAF_LEN;
		size_t n = GROUP_LEN - t->pending_len;

		if (n > len)
			n = len;
		t->len += n;
		len -= n;
		if (n == GROUP_LEN) {
			push_leaves(&g, p, HF_TREE_LEAF_LEN, HF_TREE_FANOUT, index);
			p += n;
			continue;
		}
		memcpy(t->pending + t->pending_len, p, n);
		t->pending_len += n;
		p += n;
		if (t->pending_len == GROUP_LEN) {
			push_leaves(&g, t->pending, HF_TREE_LEAF_LEN, HF_TREE_FANOUT, index);
			t->pending_len = 0;
		}
	}
}

void hf_tree_done(struct hf_tree *t, uint8_t out[HF_SM3_LEN])
{
	struct groups g = groups_of(t);

	push_rest(&g, t->pending, t->pending_len, (t->len - t->pending_len) / HF_TREE_LEAF_LEN);
	close_groups(&g, t->len, out);
	hf_wipe(t, sizeof(*t));
}

void hf_tree_sm3(uint8_t out[HF_SM3_LEN], const void *in, size_t len)
{
	uint8_t digests[HF_TREE_LEVELS][HF_TREE_FANOUT * HF_SM3_LEN];
	uint8_t n[HF_TREE_LEVELS] = { 0 };
	struct groups g = { digests, n };
	const uint8_t *p = in;
	size_t at = 0;

	for (; len - at >= GROUP_LEN; at += GROUP_LEN)
		push_leaves(&g, p + at, HF_TREE_LEAF_LEN, HF_TREE_FANOUT, at / HF_TREE_LEAF_LEN);
	push_rest(&g, at < len ? p + at : p, len - at, at / HF_TREE_LEAF_LEN);
	close_groups(&g, len, out);
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
	for (unsigned i = 0; i < GROUP_LEN / sizeof(in); i++)
		hf_tree_feed(&t, in, sizeof(in));
	hf_tree_feed(&t, in, 1);
	hf_tree_done(&t, out);
	return memcmp(out, want, sizeof(out)) == 0;
}
