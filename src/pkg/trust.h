/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of opening: what must hold before one byte of a package is decrypted, in the one order
 * in which it is checked (TUF 5, Uptane 5.4.4). The steps are a constant table in trust.c:
 *
 *	root chain -> channel signature -> channel serial, freshness -> persist -> manifest
 *	threshold, digest -> release and floor -> level, hardware, dependencies -> grant signature,
 *	binding, not-after -> unwrap -> commitment
 *
 * Nothing here reads a clock or a file: time, objects and remembered counters are arguments, and
 * what must be remembered is handed to a callback before anything is believed that depends on it.
 * The rollback floor is not raised here: the caller does that once the release runs and is healthy,
 * to hf_trust_result.floor.
 */
#ifndef HF_PKG_TRUST_H
#define HF_PKG_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "pkg/channel.h"
#include "pkg/grant.h"
#include "pkg/index.h"
#include "pkg/manifest.h"
#include "pkg/root.h"
#include "policy/policy.h"

enum { HF_TRUST_SKEW_S = 300 }; /* how far ahead of our clock an issuer's may be */

enum hf_trust_step {
	HF_TRUST_ROOT,       /* root chain, last root not expired */
	HF_TRUST_CHANNEL,    /* director threshold */
	HF_TRUST_FRESH,      /* serial not lower than seen, not expired, not too old */
	HF_TRUST_PERSIST,    /* root version and channel serial are durable */
	HF_TRUST_MANIFEST,   /* publisher threshold, digest is the channel's */
	HF_TRUST_RELEASE,    /* release of the channel, at or above every floor, not expired */
	HF_TRUST_LEVEL,      /* level rows, hardware, dependencies */
	HF_TRUST_GRANT,      /* director threshold, bound to this device and manifest, not-after */
	HF_TRUST_UNWRAP,     /* envelope */
	HF_TRUST_COMMITMENT, /* content key is the one the publisher committed to */
	HF_TRUST_STEPS,
};

/* "root", "channel" and so on. */
const char *hf_trust_step_name(enum hf_trust_step step);

/* What a device remembers, durably. All 0: nothing yet. */
struct hf_trust_state {
	uint64_t root_version;
	uint64_t channel_serial;
	uint64_t time_s; /* latest time that was proven: time never goes back */
	uint64_t floor;  /* of this lineage; raised after activation only */
};

/* Says who we are. */
struct hf_trust_device {
	const char *id;
	enum hf_level level;
	unsigned hardware_class;     /* 1 = A .. 4 = D */
	const char *const *hardware; /* tags: "arch=arm64" */
	size_t n_hardware;
	struct hf_cms_party enc;      /* encryption key and certificate */
	uint8_t enc_cert[HF_SM3_LEN]; /* its fingerprint */
	const struct hf_decrypter *key;
};

struct hf_trust_query {
	const char *domain;
	const char *lineage; /* what was asked for */
	uint64_t now_s;
	bool is_time_signed;  /* now_s rests on a signed answer */
	bool is_grant_online; /* the grant came over a link from hub or edge, not with the package
			       */
	bool wants_disk;      /* plaintext would be written to a disk */
	struct hf_trust_state state;
	struct hf_root root;          /* trusted: state.root_version or the first one ever */
	const struct hf_bytes *roots; /* successors, in order, signed */
	size_t n_roots;
	struct hf_bytes channel;
	struct hf_bytes manifest;
	struct hf_bytes grant;
	const struct hf_dependency *have; /* releases that are active here */
	size_t n_have;
	const struct hf_trust_device *device; /* NULL is enough up to HF_TRUST_RELEASE */
	/*
	 * Makes state and root (last of roots, or the trusted one) durable before it returns. May
	 * be NULL when nothing has to be remembered (an inspection).
	 */
	hf_err (*persist)(
		void *ctx, const struct hf_trust_state *state, const struct hf_root *root);
	void *persist_ctx;
};

struct hf_trust_result {
	struct hf_root root;
	struct hf_trust_state state; /* as it was persisted */
	struct hf_channel channel;   /* borrows from the query */
	struct hf_channel_release entry;
	struct hf_manifest manifest; /* borrows from the query */
	uint8_t manifest_name[HF_SM3_LEN];
	unsigned n_signed;          /* distinct publisher keys */
	enum hf_level level;        /* at which the operation runs */
	uint64_t floor;             /* raise the floor to this once the release is active */
	struct hf_grant_keys keys;  /* secret; after HF_TRUST_UNWRAP */
	struct hf_index_keys index; /* secret; after HF_TRUST_COMMITMENT */
	enum hf_trust_step failed;  /* the step that refused; HF_TRUST_STEPS: none */
};

/*
 * Runs the steps up to and including `last`. A cache stops at HF_TRUST_RELEASE, a device that only
 * verifies at HF_TRUST_LEVEL, one that opens goes to the end (HF_TRUST_COMMITMENT).
 * HF_ERR_AUTH: a signature or a digest. HF_ERR_ROLLBACK: an old root, channel or release.
 * HF_ERR_EXPIRED: outside a validity. HF_ERR_DENIED: policy (the text names the row), or not for
 * this device. HF_ERR_STALE: issued in our future. HF_ERR_NOT_FOUND: not in the channel, or a
 * dependency is missing. Failures of persist.
 * On failure the result holds no secret, and only `failed` and what the steps before it found.
 * End it with hf_trust_clear() in any case.
 */
HF_MUST_USE hf_err hf_trust_run(struct hf_trust_result *out, const struct hf_trust_query *q,
	enum hf_trust_step last, const struct hf_mem *mem, struct hf_errinfo *ei);

/* Wipes. Accepts { 0 }. */
void hf_trust_clear(struct hf_trust_result *r);

/*
 * What `hufu verify` can say with a trust root alone: the manifest has enough publisher signatures
 * for its level. The rest of *m's promises (current, fresh, granted) is not checked.
 */
HF_MUST_USE hf_err hf_trust_manifest(struct hf_manifest *m, unsigned *n_signed,
	const struct hf_root *root, struct hf_bytes signed_manifest, struct hf_errinfo *ei);

#endif
