/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML of hufu tunnel as libcyaml sees it; what it means is decided in tunnel_config.c. */
#ifndef HF_BIN_HUFU_TUNNEL_YAML_H
#define HF_BIN_HUFU_TUNNEL_YAML_H

#include "bin/common/revocation.h"
#include "bin/common/yaml.h"

/* Strings are as written, or NULL where the key is not there; so are numbers (settings.h). */
struct raw_identity {
	char *party;
	char *certificate;
	char *key;
	char *passphrase_file;
	char *enc_certificate;
	char *enc_key;
	char **staples;
	unsigned n_staples;
};

struct raw_trust {
	char **roots;
	unsigned n_roots;
	char **crls;
	unsigned n_crls;
};

struct raw_allow {
	char *name;
	char *domain;
	int role;
	int level;
	char *digest;
};

struct raw_proxy {
	int send; /* enum yaml_bool */
	char **from;
	unsigned n_from;
};

struct raw_tunnel_limits {
	char *connections;
	char *per_address;
	char *opening;
	char *connect;
	char *handshake;
	char *idle;
};

struct raw_service {
	char *name;
	int side;
	int level;
	char *accept;
	char *mode;
	char **connect;
	unsigned n_connect;
	char *server_name;
	char **protocols;
	unsigned n_protocols;
	int allow_cbc; /* enum yaml_bool */
	struct raw_identity *identity;
	struct raw_trust *trust;
	struct raw_allow *allow;
	unsigned n_allow;
	struct raw_proxy *proxy;
	struct raw_tunnel_limits *limits;
};

struct raw_tunnel {
	int level;
	char *user;
	char *group;
	char *threads;
	char *control;
	char *drain;
	int log;
	struct raw_identity *identity;
	struct raw_trust *trust;
	struct raw_revocation *revocation;
	struct raw_service *services;
	unsigned n_services;
};

enum { TUNNEL_LOG_FAULTS = 1, TUNNEL_LOG_ALL };
enum { TUNNEL_SIDE_CLIENT = 1, TUNNEL_SIDE_SERVER };

extern const struct yaml_schema hufu_tunnel_schema;

#endif
