/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the key process share; for them alone. */
#ifndef HF_SVC_KEYD_INNER_H
#define HF_SVC_KEYD_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sm2.h"
#include "os/lockmem.h"
#include "pkg/trust.h"
#include "pki/signer.h"
#include "store/meta.h"
#include "store/state.h"
#include "svc/journal.h"
#include "svc/key_proto.h"
#include "svc/key_wire.h"
#include "svc/keyd.h"
#include "svc/party.h"

enum {
	HF_KEYD_UIDS_MAX = 64,
	HF_KEYD_TAGS_MAX = HF_MANIFEST_HARDWARE_MAX,
	HF_KEYD_LINEAGES_MAX = 512,
	HF_KEYD_HARDWARE_CLASS = 4, /* D: the storage seed is a file and a fingerprint */
};

/* hf_meta_device.state in keys.db. */
enum hf_keyd_device { HF_KEYD_DEVICE_GOOD = 0, HF_KEYD_DEVICE_REVOKED = 1 };

/* Everything secret that lives as long as the process, in one run of locked pages. */
struct hf_keyd_secrets {
	uint8_t seed[HF_KEY_SEED_LEN];      /* wraps the keys of this node */
	uint8_t state_key[HF_SM3_LEN];      /* authenticates the trust state */
	uint8_t token_key[HF_KEY_SEED_LEN]; /* hub */
	struct hf_sm2_key sign;
	struct hf_sm2_key enc;
	struct hf_sm2_key issuing_ca; /* hub */
	struct hf_sm2_key director;   /* hub */
	struct hf_sm2_key audit;      /* hub */
};

/* What is remembered of a lineage. */
struct hf_keyd_lineage {
	char name[HF_ID_MAX + 1];
	uint64_t floor;
	bool is_active; /* the rest is of the active release */
	uint64_t release;
	uint64_t serial; /* of the channel that is kept with it */
	uint8_t manifest[HF_SM3_LEN];
};

/* What must never go back, sealed in state.a and state.b (docs/formats/node-state.md). */
struct hf_keyd_memory {
	bool is_member; /* log is the member's, not the newcomer's */
	struct hf_journal_known log;
	uint64_t root_version;
	uint64_t channel_serial;
	uint64_t time_s;
	uint64_t n_receipts; /* signed so far */
	size_t n;
	struct hf_keyd_lineage lineage[HF_KEYD_LINEAGES_MAX]; /* ascending by name */
};

struct hf_keyd {
	const struct hf_env *env;
	char dir[HF_PATH_MAX];
	uint32_t uids[HF_KEYD_UIDS_MAX];
	size_t n_uids;
	char tag_text[HF_KEYD_TAGS_MAX][HF_HARDWARE_TAG_MAX + 1];
	const char *tags[HF_KEYD_TAGS_MAX];
	size_t n_tags;
	uint64_t (*now_s)(void *ctx);
	void *now_ctx;

	enum hf_key_state state;
	struct hf_identity identity; /* a newcomer's has an empty domain */
	struct hf_party party;       /* not of a newcomer */
	struct hf_lockmem locked;
	struct hf_keyd_secrets *secrets; /* in locked, or on the heap where locking is denied */
	bool is_key_new;                 /* the pairs were made at this start */

	struct hf_local_key sign_key;
	struct hf_local_key enc_key;
	struct hf_local_key ca_key;
	struct hf_local_key director_key;
	struct hf_local_key audit_key;
	struct hf_signer sign;
	struct hf_signer ca;
	struct hf_signer director;
	struct hf_signer log_signer;
	struct hf_decrypter enc;
	uint8_t enc_cert[HF_SM3_LEN]; /* fingerprint of our encryption certificate */

	struct hf_state store;
	struct hf_keyd_memory memory; /* as it is durable */
	struct hf_keyd_memory draft;  /* as it shall become */
	struct hf_journal journal;
	struct hf_meta *meta; /* hub */
	uint64_t crl_number;  /* hub: of the last revocation list; 0: not looked yet */
	uint64_t crl_renew_s; /* the next one is due, at the latest */

	char last_refusal[HF_ERRINFO_TEXT / 4]; /* name of its reason, for the inventory */
	uint64_t refusals_ms;                   /* start of the present span of refusals */
	unsigned n_refusals;                    /* recorded in it */
	uint64_t n_unrecorded;                  /* since the last recorded one */
};

/* One request on its way. */
struct hf_key_ask {
	enum hf_key_asker asker;
	uint32_t uid;
	uint64_t now_s;
	struct hf_reader in;
	struct hf_key_out out;
	struct hf_errinfo *ei;
	char actor[HF_AUDIT_NAME_MAX];   /* who asks, for records */
	char subject[HF_AUDIT_NAME_MAX]; /* what a refusal is about; may be empty */
	char lineage[HF_ID_MAX + 1];     /* likewise */
	const char *step;                /* at which it was refused, or NULL */
};

/* Keys: where they lie, and reading or making them. */
HF_MUST_USE hf_err hf_keyd_secrets_new(struct hf_keyd *k);
HF_MUST_USE hf_err hf_keyd_keys_load(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei);
void hf_keyd_keys_clear(struct hf_keyd *k);
/* The key pages are open between these two. */
void hf_keyd_keys_open(struct hf_keyd *k);
void hf_keyd_keys_close(struct hf_keyd *k);

/* Memory. Change k->draft after hf_keyd_draft(); saving makes it durable and the present one. */
HF_MUST_USE hf_err hf_keyd_memory_load(struct hf_keyd *k, struct hf_errinfo *ei);
struct hf_keyd_memory *hf_keyd_draft(struct hf_keyd *k);
HF_MUST_USE hf_err hf_keyd_save(struct hf_keyd *k, struct hf_errinfo *ei);
/* The lineage, or NULL. */
const struct hf_keyd_lineage *hf_keyd_find(const struct hf_keyd *k, const char *name);
/* The lineage in the draft, made if it is missing. HF_ERR_LIMIT. */
HF_MUST_USE hf_err hf_keyd_draft_lineage(
	struct hf_keyd_lineage **out, struct hf_keyd *k, const char *name, struct hf_errinfo *ei);

/* What is to be recorded; zero means none. */
struct hf_keyd_note {
	enum hf_audit_event event;
	enum hf_record_result result;
	hf_err reason;
	uint8_t tier;
	uint8_t level; /* 0: that of the node */
	const char *subject;
	const char *lineage;
	uint64_t release;
	const uint8_t *manifest; /* SM3 */
	const uint8_t *cert;     /* SM3 */
	const uint8_t *context;  /* SM3 */
	const char *rule;
	const char *code;
	uint64_t n_failed;
};

/* Records; of class S it is durable on return. ask may be NULL: nobody asked. */
HF_MUST_USE hf_err hf_keyd_note(struct hf_keyd *k, const struct hf_key_ask *ask,
	const struct hf_keyd_note *note, struct hf_errinfo *ei);
/* Records that a request was refused, within a bound on how many of those there may be. */
void hf_keyd_note_refusal(
	struct hf_keyd *k, const struct hf_key_ask *ask, enum hf_audit_event event, hf_err e);
/*
 * Remembers the last head of the log, if it is newer than the one that is remembered. Without space
 * it waits for the next one: what is remembered is only ever older than what is on the disk.
 */
HF_MUST_USE hf_err hf_keyd_keep_head(struct hf_keyd *k, struct hf_errinfo *ei);
/* Signs a last head, remembers it, closes. */
void hf_keyd_log_close(struct hf_keyd *k);
/* Opens the log of the present state; a newcomer's log is closed once it is a member. */
HF_MUST_USE hf_err hf_keyd_log_open(struct hf_keyd *k, struct hf_errinfo *ei);

/* Reads certificates and becomes what they say. */
HF_MUST_USE hf_err hf_keyd_become_member(struct hf_keyd *k, struct hf_errinfo *ei);
/*
 * The order of opening (pkg/trust.h) over what this node remembers. Start it with hf_keyd_ask_trust
 * and end it with hf_trust_clear(&t->result) in any case.
 */
struct hf_keyd_trust {
	struct hf_keyd *k;
	struct hf_key_ask *ask;
	struct hf_trust_query query;
	struct hf_trust_device device;
	struct hf_trust_result result;
	struct hf_dependency have[HF_KEYD_LINEAGES_MAX];
	bool is_newer; /* persist found something that was not known yet */
};

/* lineage: of the ask. Nothing is persisted unless the caller sets query.persist. */
void hf_keyd_trust_init(struct hf_keyd_trust *t, struct hf_keyd *k, struct hf_key_ask *a);
/* The callback for query.persist, with the trust as its context. */
hf_err hf_keyd_persist(void *ctx, const struct hf_trust_state *state, const struct hf_root *root);
/* Runs the steps and notes for a refusal which one failed. */
HF_MUST_USE hf_err hf_keyd_trust_run(struct hf_keyd_trust *t, enum hf_trust_step last);
/* Takes a lineage's name. HF_ERR_FORMAT. */
HF_MUST_USE hf_err hf_keyd_take_lineage(struct hf_key_ask *a);
/* Path of the newest channel that was believed. */
HF_MUST_USE hf_err hf_keyd_channel_path(
	char path[HF_PATH_MAX], const struct hf_keyd *k, struct hf_errinfo *ei);
/* Records that the content key of a release was unwrapped. */
HF_MUST_USE hf_err hf_keyd_note_unwrap(struct hf_keyd *k, const struct hf_key_ask *a,
	const struct hf_manifest *m, const uint8_t *manifest);

/* Files in active/ that no lineage needs go. */
void hf_keyd_active_tidy(struct hf_keyd *k);

/* Signs content as an object and appends it to out; recorded. */
HF_MUST_USE hf_err hf_keyd_sign_object(struct hf_keyd *k, struct hf_key_ask *a, enum hf_object kind,
	const struct hf_signer *signer, struct hf_bytes content, struct hf_buf *out);

/* The answers, by request. Each reads its fields to the end, then puts its result. */
typedef hf_err hf_keyd_answer(struct hf_keyd *k, struct hf_key_ask *a);
hf_keyd_answer hf_keyd_sign_link;
hf_keyd_answer hf_keyd_audit;
hf_keyd_answer hf_keyd_status;
hf_keyd_answer hf_keyd_newcomer;
hf_keyd_answer hf_keyd_enrolled;
hf_keyd_answer hf_keyd_check_channel;
hf_keyd_answer hf_keyd_check_release;
hf_keyd_answer hf_keyd_check_grant;
hf_keyd_answer hf_keyd_activate;
hf_keyd_answer hf_keyd_open;
hf_keyd_answer hf_keyd_report;
hf_keyd_answer hf_keyd_check_active;
hf_keyd_answer hf_keyd_sign_inventory;
hf_keyd_answer hf_keyd_sign_upload;
hf_keyd_answer hf_keyd_enrol;
hf_keyd_answer hf_keyd_make_channel;
hf_keyd_answer hf_keyd_make_grant;
hf_keyd_answer hf_keyd_make_token;
hf_keyd_answer hf_keyd_revoke;
hf_keyd_answer hf_keyd_revocations;

/* Hub: the list of revoked certificates has this one. HF_ERR_REVOKED; failures of reading it. */
HF_MUST_USE hf_err hf_keyd_check_revoked(
	struct hf_keyd *k, const struct hf_cert *cert, struct hf_errinfo *ei);

/* The end of a request's fields. HF_ERR_TRUNCATED, HF_ERR_FORMAT. */
HF_MUST_USE hf_err hf_key_ask_done(const struct hf_key_ask *a);

/* For local askers: HF_ERR_DENIED unless root, our own user, or (is_open) a user of the list. */
HF_MUST_USE hf_err hf_keyd_allow_uid(
	const struct hf_keyd *k, const struct hf_key_ask *a, bool is_open);

#endif
