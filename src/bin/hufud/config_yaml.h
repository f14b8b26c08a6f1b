/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML of a configuration as libcyaml sees it: structure, names of keys, plain types. What a
 * value may say beyond that is decided in config.c.
 */
#ifndef HF_BIN_HUFUD_CONFIG_YAML_H
#define HF_BIN_HUFUD_CONFIG_YAML_H

#include "bin/common/revocation.h"
#include "bin/common/yaml.h"

/* Strings are as written, or NULL where the key is not there; so are numbers (settings.h). */
struct raw_listen {
	char *address;
	char *port;
};

struct raw_unlock {
	char *passphrase_file;
	char **share_files;
	unsigned n_share_files;
};

struct raw_enrol {
	char *token_file;
};

struct raw_upstream {
	char *host;
	char *port;
	int kind;
	char *cost;
	int control; /* enum yaml_bool */
};

struct raw_grant {
	char *lineage;
	char *device;
};

struct raw_limits {
	char *links;
	char *streams;
	char *intakes;
	char *idle;
};

struct raw_config {
	char *node;
	int role;
	int level; /* 0: not said */
	char *data;
	struct raw_listen *listen;
	struct raw_unlock *unlock;
	struct raw_enrol *enrol;
	struct raw_upstream *upstreams;
	unsigned n_upstreams;
	char **follow;
	unsigned n_follow;
	char *poll;
	char *quota;
	char *rate;
	struct raw_grant *grants;
	unsigned n_grants;
	char *channel_life;
	char **open_users;
	unsigned n_open_users;
	char *workers;
	struct raw_limits *limits;
	struct raw_revocation *revocation;
	char **staples;
	unsigned n_staples;
};

extern const struct yaml_schema hufud_yaml_schema;

#endif
