/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key process of a node, without its sockets: private keys, trust state and audit log. It sees
 * no network; the network process sees no key. Requests come in whole and are answered at once
 * (svc/key_proto.h); what is not in the table, or not allowed to that asker in that state, is
 * refused and recorded.
 */
#ifndef HF_SVC_KEYD_H
#define HF_SVC_KEYD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/name.h"
#include "policy/policy.h"
#include "svc/env.h"

enum hf_key_asker {
	HF_ASKER_FRONT = 1 << 0, /* the network process, over the pair made at start */
	HF_ASKER_LOCAL = 1 << 1, /* a user of this machine, over the unix socket */
};

enum hf_key_state {
	HF_KEY_STATE_NEWCOMER = 1 << 0, /* key pairs, no certificates yet */
	HF_KEY_STATE_MEMBER = 1 << 1,   /* edge or device of a domain */
	HF_KEY_STATE_HUB = 1 << 2,      /* a hub; what a member may, a hub may too */
};

struct hf_keyd_config {
	const char *dir; /* data folder of the node: a party (svc/party.h), or empty: a newcomer */
	const char *id;  /* of a newcomer */
	enum hf_role role;
	enum hf_level level;       /* of the node; of a newcomer what it will ask for */
	const uint8_t *root_seed;  /* hub: HF_KEY_SEED_LEN bytes; others NULL */
	const uint32_t *open_uids; /* users that may open models besides root and our own */
	size_t n_open_uids;
	const char *const *hardware; /* tags of this machine: "arch=amd64" */
	size_t n_hardware;
	uint64_t (*now_s)(void *ctx); /* tests: seconds since 1970; NULL: the system's clock */
	void *now_ctx;
};

struct hf_keyd;

/*
 * Loads or makes keys, opens trust state and audit log; config and what it points to is copied.
 * HF_ERR_AUTH: keys, state or log are not what they were; do not start anew by yourself.
 */
HF_MUST_USE hf_err hf_keyd_new(struct hf_keyd **out, const struct hf_env *env,
	const struct hf_keyd_config *config, struct hf_errinfo *ei);

/* Closes the log in an orderly way, wipes. NULL is accepted. */
void hf_keyd_free(struct hf_keyd *k);

/*
 * Answers one request; the reply is appended to out (never more than HF_KEY_MESSAGE_MAX). uid: of a
 * local asker. Returns HF_OK if there is a reply, also a refusing one; else close that asker.
 */
HF_MUST_USE hf_err hf_keyd_handle(struct hf_keyd *k, struct hf_buf *out, enum hf_key_asker asker,
	uint32_t uid, const uint8_t *in, size_t in_len);

/* Commits audit records that are due and signs heads. Monotonic ms; UINT64_MAX: nothing is due. */
HF_MUST_USE hf_err hf_keyd_tick(struct hf_keyd *k, struct hf_errinfo *ei);
uint64_t hf_keyd_deadline(const struct hf_keyd *k);

enum hf_key_state hf_keyd_state(const struct hf_keyd *k);

#endif
