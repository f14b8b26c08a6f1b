/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the network process of a node has: its objects, its metadata, its public papers, and the way
 * to the key process. One thread. The data folder:
 *
 *	certs/ keys/ trust/    a party (svc/party.h); a newcomer has keys/ only
 *	state.a state.b active/ audit/ keys.db   the key process's own
 *	objects/ meta.db resume/                 the network process's own
 *	outbox/<id>.hufu       uploads that wait for the hub, each a bundle
 *	outbox/receipts/       receipts that wait for it, one file each
 *	outbox/refused/        what it will never take
 *	keyd.sock front.sock   for users of this machine
 */
#ifndef HF_SVC_NODE_H
#define HF_SVC_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/blob.h"
#include "store/meta.h"
#include "svc/env.h"
#include "svc/key_client.h"
#include "svc/objects.h"
#include "svc/party.h"

/* Who may have which lineage (hub). "*" stands for any, "dev-*" for a beginning. */
struct hf_grant_rule {
	const char *lineage;
	const char *device;
};

struct hf_node_config {
	const char *dir;
	const char *id;
	enum hf_role role; /* hub, edge or device */
	enum hf_level level;
	uint64_t quota;                    /* bytes of objects; UINT64_MAX: none but the disk */
	uint64_t channel_life_s;           /* hub: how long a channel is good */
	const struct hf_grant_rule *rules; /* hub; borrowed */
	size_t n_rules;
};

struct hf_node {
	const struct hf_env *env;
	struct hf_key_client *keys;
	struct hf_node_config config;
	char dir[HF_PATH_MAX];
	struct hf_blobs blobs;
	struct hf_meta *meta;
	bool is_member; /* party is there */
	struct hf_party party;
	struct hf_cert hub_enc; /* members that are no hub: uploads are sealed to it */
};

/*
 * Opens objects and metadata (making them if missing) and reads the party, if there is one yet.
 * config's strings outlive the node. HF_ERR_AGAIN: another process has this folder open.
 */
HF_MUST_USE hf_err hf_node_open(struct hf_node *n, const struct hf_env *env,
	const struct hf_node_config *config, struct hf_key_client *keys, struct hf_errinfo *ei);
void hf_node_close(struct hf_node *n);

/* Reads the party anew: after enrolment. */
HF_MUST_USE hf_err hf_node_reload(struct hf_node *n, struct hf_errinfo *ei);

/* What an audit record says (actor and subject as "device:dev-1"); a failure is returned. */
HF_MUST_USE hf_err hf_node_audit(
	struct hf_node *n, const struct hf_audit_event_in *in, struct hf_errinfo *ei);

/*
 * The objects of a data folder, for reading, also while the node runs and from another process:
 * dir is <data>/objects. The struct owns nothing; dir outlives it.
 */
struct hf_objects hf_folder_objects(const char *dir);

#endif
