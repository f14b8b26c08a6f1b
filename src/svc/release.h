/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One release as it lies among objects: loading its manifest, verifying everything public about it,
 * opening it. All cores work on chunks; memory does not grow with the model.
 */
#ifndef HF_SVC_RELEASE_H
#define HF_SVC_RELEASE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pkg/manifest.h"
#include "pkg/pkg_reader.h"
#include "pkg/trust.h"
#include "svc/env.h"
#include "svc/objects.h"
#include "svc/party.h"
#include "svc/work.h"

struct hf_release {
	const struct hf_objects *objects; /* borrowed */
	struct hf_buf object;             /* the manifest as it is signed */
	uint8_t name[HF_SM3_LEN];
	struct hf_manifest manifest; /* borrows from object */
	struct hf_pkg_scope scope;   /* of its chunks and pages */
	unsigned n_signed;           /* distinct publisher keys */
};

/*
 * Loads a manifest (name NULL: the only one there) and checks who signed it. End it with
 * hf_release_clear(). HF_ERR_AUTH: altered, or not by enough publishers of this root.
 * HF_ERR_DENIED: of another domain.
 */
HF_MUST_USE hf_err hf_release_load(struct hf_release *r, const struct hf_env *env,
	const struct hf_objects *objects, const uint8_t *name, const struct hf_root *root,
	struct hf_errinfo *ei);
void hf_release_clear(struct hf_release *r);

/*
 * What a release alone meets or misses of its level's rows, and whether it is still valid.
 * HF_ERR_DENIED: the text names the row. HF_ERR_EXPIRED. That it is the current release, and who
 * may have it, only a channel and a grant can say.
 */
HF_MUST_USE hf_err hf_release_rows(
	const struct hf_release *r, uint64_t now_s, struct hf_errinfo *ei);

/*
 * Checks every page and the digest of every chunk, as far as that needs no key. HF_ERR_AUTH: the
 * text names the chunk and the pack that are not what was signed. HF_ERR_NOT_FOUND,
 * HF_ERR_TRUNCATED: bytes are missing.
 */
HF_MUST_USE hf_err hf_release_verify(const struct hf_env *env, const struct hf_release *r,
	const struct hf_work_progress *progress, struct hf_pkg_totals *totals,
	struct hf_errinfo *ei);

/* Where plaintext goes. Both are called with bytes that have passed every check. */
struct hf_release_target {
	/* A file begins, in order; HF_ERR_AGAIN skips it. */
	hf_err (*file)(void *ctx, size_t number, const struct hf_pkg_file *f);
	/* Bytes of file `number` at offset, in any order, from several threads at once. */
	hf_err (*write)(
		void *ctx, size_t number, const uint8_t *bytes, size_t len, uint64_t offset);
	void *ctx;
};

/*
 * Opens all files. keys: from hf_trust_run() or hf_release_deposit_keys(). Errors as
 * hf_release_verify, and those of the target. HF_ERR_FORMAT: what was sealed does not decode.
 */
HF_MUST_USE hf_err hf_release_open(const struct hf_env *env, const struct hf_release *r,
	const struct hf_index_keys *keys, const struct hf_release_target *target,
	const struct hf_work_progress *progress, struct hf_errinfo *ei);

/*
 * The deposit that goes with the release and that a publisher of root has signed: its bytes in
 * object (empty before), read into *deposit, which borrows from them. HF_ERR_NOT_FOUND: there is
 * none. HF_ERR_AUTH: the last one looked at is altered or signed by somebody else.
 */
HF_MUST_USE hf_err hf_release_deposit(const struct hf_release *r, const struct hf_root *root,
	struct hf_buf *object, struct hf_grant *deposit, struct hf_errinfo *ei);

/*
 * The way of the key service: content key from the release's deposit. root says which publishers
 * may sign one. HF_ERR_NOT_FOUND: no deposit for this release. HF_ERR_AUTH: altered, other key.
 */
HF_MUST_USE hf_err hf_release_deposit_keys(const struct hf_env *env, const struct hf_release *r,
	const struct hf_party *hub, const struct hf_decrypter *key, struct hf_index_keys *keys,
	struct hf_errinfo *ei);

/* Parses "64 hex digits" or "manifest/64 hex digits". HF_ERR_ARG. */
HF_MUST_USE hf_err hf_release_name_parse(
	uint8_t name[HF_SM3_LEN], const char *text, struct hf_errinfo *ei);

#endif
