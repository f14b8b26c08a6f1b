/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The package in the other direction (A1, E7): a device seals training increments or inference
 * records to the hub and signs them. Packs, tables and index pages are those of a release; K_dom
 * is random and used once, and the content key goes with it in an envelope to the hub.
 */
#ifndef HF_PKG_UPLOAD_H
#define HF_PKG_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "pkg/body.h"
#include "pkg/grant.h"
#include "pkg/object.h"

enum { HF_UPLOAD_ID_LEN = 16 };

enum hf_upload_kind {
	HF_UPLOAD_INCREMENT = 1, /* training increment */
	HF_UPLOAD_RECORDS = 2,   /* inference records */
	HF_UPLOAD_OTHER = 3,
};

struct hf_upload {
	char domain[HF_ID_MAX + 1];
	char device[HF_ID_MAX + 1];
	uint8_t id[HF_UPLOAD_ID_LEN]; /* random; makes the scope unique */
	uint64_t counter;             /* of this device's uploads, rising: a replay shows */
	enum hf_upload_kind kind;
	enum hf_level level;
	uint64_t created_s;
	char lineage[HF_ID_MAX + 1]; /* what it belongs to; may be empty */
	uint64_t release;            /* of that lineage; 0 without */
	char recipient[HF_ID_MAX + 1];
	uint8_t cert[HF_SM3_LEN]; /* fingerprint of the recipient's encryption certificate */
	struct hf_pkg_body body;
	struct hf_bytes bound;    /* DER of everything above: additional data of the envelope */
	struct hf_bytes envelope; /* CMS EnvelopedData of the content key */
};

/* What the chunks of an upload are bound to; needs domain, device and id. */
void hf_upload_scope(struct hf_pkg_scope *scope, const struct hf_upload *u);

/* Appends the DER content, not signed; bound and envelope of *u are not read. */
HF_MUST_USE hf_err hf_upload_emit(struct hf_buf *out, const struct hf_upload *u,
	const uint8_t cek[HF_CEK_LEN], const struct hf_cms_party *to, const struct hf_rng *rng,
	struct hf_errinfo *ei);

/* Reads DER content, of which *u borrows. */
HF_MUST_USE hf_err hf_upload_parse(
	struct hf_upload *u, struct hf_bytes content, struct hf_errinfo *ei);

/* The content key. Errors as hf_grant_unwrap; keys has been init'ed. */
HF_MUST_USE hf_err hf_upload_unwrap(struct hf_grant_keys *keys, const struct hf_upload *u,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei);

#endif
