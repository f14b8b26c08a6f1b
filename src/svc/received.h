/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An upload as it lies among objects, read by the hub that it is sealed to. Load it, check by whom
 * it is, get its keys; then it opens like a release (hf_release_open, hf_unpack).
 */
#ifndef HF_SVC_RECEIVED_H
#define HF_SVC_RECEIVED_H

#include <stdint.h>

#include "base/err.h"
#include "pkg/upload.h"
#include "svc/env.h"
#include "svc/objects.h"
#include "svc/party.h"
#include "svc/release.h"

struct hf_received {
	struct hf_release release; /* its manifest has what the upload says of itself */
	struct hf_upload upload;   /* borrows from release.object */
};

/*
 * Loads it (name NULL: the only one there) and reads what it says; who signed is not checked yet.
 * End it with hf_received_clear().
 */
HF_MUST_USE hf_err hf_received_load(struct hf_received *r, const struct hf_env *env,
	const struct hf_objects *objects, const uint8_t *name, struct hf_errinfo *ei);
void hf_received_clear(struct hf_received *r);

/*
 * Is it signed by the device that it names, and for this hub? device: the signing certificate that
 * the hub gave that device. HF_ERR_AUTH: altered, or not. HF_ERR_DENIED: for another hub or domain.
 * HF_ERR_EXPIRED: made outside the certificate's validity.
 */
HF_MUST_USE hf_err hf_received_check(const struct hf_received *r, const struct hf_party *hub,
	const struct hf_cert *device, struct hf_errinfo *ei);

/* The keys of its pages, by the hub's decryption key. HF_ERR_NOT_FOUND: sealed to another key. */
HF_MUST_USE hf_err hf_received_keys(const struct hf_env *env, const struct hf_received *r,
	const struct hf_party *hub, const struct hf_decrypter *key, struct hf_index_keys *keys,
	struct hf_errinfo *ei);

/* "increment", "records", "other". */
const char *hf_upload_kind_name(enum hf_upload_kind kind);

#endif
