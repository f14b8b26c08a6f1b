/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SM3 Merkle tree over records, in the shape of RFC 9162 2.1: leaf = SM3(0x00 || record),
 * node = SM3(0x01 || left || right), empty tree = SM3(""). Appending needs one digest a level.
 */
#ifndef HF_AUDIT_MERKLE_H
#define HF_AUDIT_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sm3.h"

struct hf_merkle {
	uint64_t size;                 /* leaves so far */
	uint8_t level[64][HF_SM3_LEN]; /* level[i] is a full subtree where bit i of size is set */
};

void hf_merkle_init(struct hf_merkle *m);
void hf_merkle_leaf(uint8_t out[HF_SM3_LEN], const uint8_t *record, size_t len);
void hf_merkle_add(struct hf_merkle *m, const uint8_t leaf[HF_SM3_LEN]);
void hf_merkle_root(const struct hf_merkle *m, uint8_t out[HF_SM3_LEN]);

#endif
