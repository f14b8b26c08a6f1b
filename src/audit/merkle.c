/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: level[i] is valid exactly where bit i of size is set. */
#include "audit/merkle.h"

#include <string.h>

static void node(uint8_t out[HF_SM3_LEN], const uint8_t *left, const uint8_t *right)
{
	static const uint8_t label = 0x01;
	struct hf_sm3 h;

	hf_sm3_init(&h);
	hf_sm3_feed(&h, &label, 1);
	hf_sm3_feed(&h, left, HF_SM3_LEN);
	hf_sm3_feed(&h, right, HF_SM3_LEN);
	hf_sm3_done(&h, out);
}

void hf_merkle_init(struct hf_merkle *m)
{
	memset(m, 0, sizeof(*m));
}

void hf_merkle_leaf(uint8_t out[HF_SM3_LEN], const uint8_t *record, size_t len)
{
	static const uint8_t label = 0x00;
	struct hf_sm3 h;

	hf_sm3_init(&h);
	hf_sm3_feed(&h, &label, 1);
	hf_sm3_feed(&h, record, len);
	hf_sm3_done(&h, out);
}

void hf_merkle_add(struct hf_merkle *m, const uint8_t leaf[HF_SM3_LEN])
{
	uint8_t carry[HF_SM3_LEN];
	unsigned i = 0;

	memcpy(carry, leaf, sizeof(carry));
	for (; (m->size >> i & 1) != 0; i++)
		node(carry, m->level[i], carry);
	memcpy(m->level[i], carry, sizeof(carry));
	m->size++;
}

void hf_merkle_root(const struct hf_merkle *m, uint8_t out[HF_SM3_LEN])
{
	uint8_t root[HF_SM3_LEN];
	unsigned i = 0;

	if (m->size == 0) {
		hf_sm3(out, "", 0);
		return;
	}
	while ((m->size >> i & 1) == 0)
		i++;
	memcpy(root, m->level[i], sizeof(root));
	for (i++; i < 64; i++)
		if ((m->size >> i & 1) != 0)
			node(root, m->level[i], root);
	memcpy(out, root, sizeof(root));
}
