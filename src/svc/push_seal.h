/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing an upload (A1, E7): files in, one bundle in the outbox of a node out, sealed to the hub
 * and signed by the node's key process. K_dom is random and used once, so nothing about the files
 * can be learnt by comparing chunks. The outbox:
 *
 *	<counter, 20 digits>.hufu   ready, in the order in which the hub will take them
 *	<id>.part…                  being sealed, or left by a process that died
 *	counter .lock               the last counter that was given out, and who may give the next
 */
#ifndef HF_SVC_PUSH_SEAL_H
#define HF_SVC_PUSH_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "pkg/object.h"
#include "pkg/upload.h"
#include "svc/env.h"
#include "svc/inputs.h"
#include "svc/work.h"

struct hf_push_spec {
	const char *dir; /* data folder of the node */
	const char *const *files;
	size_t n_files;
	enum hf_upload_kind kind;
	const char *lineage; /* what it belongs to; "": nothing */
	uint64_t release;    /* of that lineage; 0 without */
	struct hf_work_progress progress;
};

struct hf_push_result {
	uint8_t upload[HF_SM3_LEN];
	uint64_t counter;
	uint64_t plain_len;
	uint64_t sealed_len;
	struct hf_inputs_notes notes;
};

/*
 * HF_ERR_ARG: what cannot be. HF_ERR_NET: no node runs there. HF_ERR_STATE: it is no member of a
 * domain yet. HF_ERR_EXPIRED: the hub's certificate; the node must get the new one first.
 * HF_ERR_PERMISSION, HF_ERR_FULL: the outbox. HF_ERR_AGAIN: somebody kept it locked for too long.
 * On success the upload is durable; on failure nothing of it is left in the outbox.
 */
HF_MUST_USE hf_err hf_push_seal(const struct hf_env *env, const struct hf_push_spec *spec,
	struct hf_push_result *result, struct hf_errinfo *ei);

#endif
