/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a node, hufud.yaml(5): read once, checked whole, immutable from then on. A
 * fault is told as FILE:LINE:COLUMN: key: what is wrong, and what is allowed.
 */
#ifndef HF_BIN_HUFUD_CONFIG_H
#define HF_BIN_HUFUD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bin/common/revocation.h"
#include "pki/name.h"
#include "policy/policy.h"
#include "svc/node.h"
#include "xfer/source.h"

enum {
	HUFUD_CONFIG_MAX = 256 * 1024, /* bytes of the file */
	HUFUD_UPSTREAMS_MAX = 16,
	HUFUD_FOLLOW_MAX = 64,
	HUFUD_GRANTS_MAX = 1024,
	HUFUD_USERS_MAX = 64,
	HUFUD_SHARES_MAX = 15,
	HUFUD_STAPLES_MAX = 3, /* one of each certificate that is shown */
	HUFUD_WORKERS_MAX = 64,
};

struct hufud_upstream {
	const char *host;
	uint16_t port;
	enum hf_source_kind kind;
	uint16_t cost;
	bool is_control;
	char name[272]; /* "host:port" */
};

/* Strings belong to the configuration. */
struct hufud_config {
	const char *node;
	enum hf_role role;
	enum hf_level level;
	char data[HF_PATH_MAX]; /* absolute, as all paths here */
	const char *address;    /* to listen at; NULL: does not listen */
	uint16_t port;
	char passphrase_file[HF_PATH_MAX]; /* hub: one of the two; empty: the other */
	char (*share_files)[HF_PATH_MAX];
	size_t n_share_files;
	char token_file[HF_PATH_MAX]; /* empty: none */
	struct hufud_upstream upstreams[HUFUD_UPSTREAMS_MAX];
	size_t n_upstreams;
	const char *const *follow;
	size_t n_follow;
	const struct hf_grant_rule *grants;
	size_t n_grants;
	uint32_t open_uids[HUFUD_USERS_MAX];
	size_t n_open_uids;
	uint64_t poll_ms;
	uint64_t quota; /* bytes; UINT64_MAX: none */
	uint64_t rate;  /* bytes a second; 0: no limit */
	uint64_t channel_life_s;
	uint32_t workers; /* threads for links that come in; 0: does not listen */
	uint32_t max_links;
	uint32_t max_streams; /* of a link */
	uint32_t max_intakes;
	uint32_t idle_ms;
	struct crl_fetch_plan plan; /* where lists of what is revoked are fetched from */
	char staples[HUFUD_STAPLES_MAX][HF_PATH_MAX];
	size_t n_staples;
	void *raw; /* what the reader of YAML allocated */
};

/*
 * Parses text; path is named in messages, and relative paths in it count from its folder. The
 * caller ends *c with hufud_config_clear(). HF_ERR_FORMAT: no YAML. HF_ERR_ARG: anything else that
 * is not as hufud.yaml(5) says; ei has the place.
 */
HF_MUST_USE hf_err hufud_config_parse(struct hufud_config *c, const char *path, const char *text,
	size_t text_len, struct hf_errinfo *ei);

/* Accepts { 0 }. */
void hufud_config_clear(struct hufud_config *c);

#endif
