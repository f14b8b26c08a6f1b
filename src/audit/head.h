/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signed head of an audit log: a text note in the shape of C2SP signed notes and checkpoints,
 * with SM3 and SM2 in the place of what they fix:
 *
 *     <log id>\n<records>\n<base64 of the root>\n\n— <log id> <base64 of key id (4) and r || s>\n
 *
 * key id = the first 4 bytes of SM3(log id || '\n' || 0xff || "hufu-sm2-v1" || 04 || X || Y). The
 * signature covers the text up to and including the newline after the root, with the default ID.
 */
#ifndef HF_AUDIT_HEAD_H
#define HF_AUDIT_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/signer.h"

enum {
	HF_AUDIT_HEAD_MAX = 512, /* bytes of a note */
};

struct hf_audit_head {
	char id[HF_AUDIT_LOG_ID_MAX];
	uint64_t size; /* records covered */
	uint8_t root[HF_SM3_LEN];
};

/* Writes the signed note to out. Errors are the signer's. */
HF_MUST_USE hf_err hf_audit_head_emit(uint8_t out[HF_AUDIT_HEAD_MAX], size_t *len,
	const struct hf_audit_head *head, const struct hf_signer *signer);

/*
 * Reads a note and checks its signature. HF_ERR_FORMAT: not such a note. HF_ERR_AUTH: another key,
 * or altered.
 */
HF_MUST_USE hf_err hf_audit_head_parse(
	struct hf_audit_head *head, const uint8_t *in, size_t in_len, const struct hf_sm2_pub *pub);

#endif
