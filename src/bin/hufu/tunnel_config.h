/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of hufu tunnel, hufu-tunnel(1): read once, checked whole, immutable from then
 * on. A fault is told as FILE:LINE:COLUMN: key: what is wrong, and what is allowed.
 */
#ifndef HF_BIN_HUFU_TUNNEL_CONFIG_H
#define HF_BIN_HUFU_TUNNEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bin/common/revocation.h"
#include "net/tunnel.h"
#include "policy/policy.h"
#include "svc/access.h"
#include "svc/party.h"

enum {
	TUNNEL_CONFIG_MAX = 1024 * 1024, /* bytes of the file */
	TUNNEL_SERVICES_MAX = 64,
	TUNNEL_ROOTS_MAX = 16, /* files */
	TUNNEL_CRLS_MAX = 32,
	TUNNEL_STAPLES_MAX = 6, /* one of each certificate that is shown */
	TUNNEL_RULES_MAX = 1024,
	TUNNEL_THREADS_MAX = 256,
};

/* Paths are whole, as all paths here; empty: not given. */
struct tunnel_identity {
	char party[HF_PATH_MAX];
	char certificate[HF_PATH_MAX];
	char key[HF_PATH_MAX];
	char passphrase_file[HF_PATH_MAX]; /* of both keys */
	char enc_certificate[HF_PATH_MAX]; /* TLCP's second pair */
	char enc_key[HF_PATH_MAX];
	char staples[TUNNEL_STAPLES_MAX][HF_PATH_MAX];
	size_t n_staples;
};

struct tunnel_trust {
	char roots[TUNNEL_ROOTS_MAX][HF_PATH_MAX];
	size_t n_roots;
	char crls[TUNNEL_CRLS_MAX][HF_PATH_MAX];
	size_t n_crls;
};

/* Strings belong to the configuration. */
struct tunnel_service {
	const char *name;
	bool is_server;
	enum hf_level level;
	unsigned protocols; /* set of HF_TLS_13, HF_TLS_TLCP */
	bool allow_cbc;
	const char *accept; /* as written; tells services apart */
	bool is_systemd;
	const char *systemd_name; /* "": the one with the same number */
	struct hf_sock_addr address;
	char path[HF_PATH_MAX]; /* of a unix socket; empty: TCP */
	unsigned mode;
	struct hf_tunnel_target targets[HF_TUNNEL_TARGETS_MAX];
	struct hf_identity_want want[HF_TUNNEL_TARGETS_MAX];
	uint8_t want_ip[HF_TUNNEL_TARGETS_MAX][16];
	size_t n_targets;
	char (*target_paths)[HF_PATH_MAX];
	char (*hosts)[256];
	struct tunnel_identity identity;
	struct tunnel_trust trust;
	struct hf_access_rule *rules;
	size_t n_rules;
	bool sends_proxy;
	struct hf_sock_addr fronts[HF_TUNNEL_FRONTS_MAX];
	size_t n_fronts;
	struct hf_tunnel_limits limits;
	uint32_t handshake_ms;
};

struct tunnel_config {
	const char *user; /* NULL: who we are */
	const char *group;
	uint32_t threads;          /* 0: as many as processors */
	char control[HF_PATH_MAX]; /* empty: none */
	uint32_t drain_ms;
	bool logs_all;
	struct crl_fetch_plan plan;  /* where lists are fetched from */
	char crl_cache[HF_PATH_MAX]; /* empty: nothing is fetched */
	struct tunnel_service *services;
	size_t n_services;
	void *raw; /* what the reader of YAML allocated */
};

/*
 * Parses text; path is named in messages, and relative paths in it count from its folder. The
 * caller ends *c with tunnel_config_clear(). HF_ERR_FORMAT: no YAML. HF_ERR_ARG: anything else that
 * is not as hufu-tunnel(1) says; ei has the place.
 */
HF_MUST_USE hf_err tunnel_config_parse(struct tunnel_config *c, const char *path, const char *text,
	size_t text_len, struct hf_errinfo *ei);

/* Accepts { 0 }. */
void tunnel_config_clear(struct tunnel_config *c);

#endif
