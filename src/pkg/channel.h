/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel: what the director says is current, for each lineage. Its serial strictly rises, it
 * expires soon, and devices remember the highest serial they saw.
 */
#ifndef HF_PKG_CHANNEL_H
#define HF_PKG_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "pkg/object.h"
#include "policy/policy.h"

enum { HF_CHANNEL_RELEASES_MAX = 16384 };

struct hf_channel_release {
	char lineage[HF_ID_MAX + 1];
	uint64_t release;
	uint64_t floor; /* <= release */
	enum hf_level level;
	uint8_t manifest[HF_SM3_LEN]; /* name of the manifest object */
};

struct hf_channel {
	char domain[HF_ID_MAX + 1];
	uint64_t serial; /* 1.. */
	uint64_t root_version;
	uint64_t revocation; /* number of the revocation list that goes with it; 0: none yet */
	uint64_t issued_s;
	uint64_t expires_s;
	struct hf_bytes releases; /* elements in ascending order of lineage */
	size_t n_releases;
};

/* Appends one element; the caller keeps them in ascending order. HF_ERR_ARG. */
HF_MUST_USE hf_err hf_channel_release_put(
	struct hf_buf *list, const struct hf_channel_release *release);

/* Walks channel.releases. HF_ERR_NOT_FOUND: no further one. */
HF_MUST_USE hf_err hf_channel_release_take(
	struct hf_channel_release *release, struct hf_bytes *rest);

/* What the channel says about a lineage. HF_ERR_NOT_FOUND: nothing. */
HF_MUST_USE hf_err hf_channel_find(
	struct hf_channel_release *release, const struct hf_channel *c, const char *lineage);

HF_MUST_USE hf_err hf_channel_emit(
	struct hf_buf *out, const struct hf_channel *c, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_channel_parse(
	struct hf_channel *c, struct hf_bytes content, struct hf_errinfo *ei);

#endif
