/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The YAML of a configuration as libcyaml sees it: structure, names of keys, plain types. What a
 * value may say beyond that is decided in config.c.
 */
#ifndef HF_BIN_HUFUD_CONFIG_YAML_H
#define HF_BIN_HUFUD_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bin/common/revocation.h"
#include "bin/common/yaml.h"

/* Members that are no number are strings as written, or NULL where the key is not there. */
struct raw_listen {
	char *address;
	uint16_t port;
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
	uint16_t port;
	int kind;
	uint16_t cost;
	bool *control;
};

struct raw_grant {
	char *lineage;
	char *device;
};

struct raw_limits {
	uint32_t *links;
	uint32_t *streams;
	uint32_t *intakes;
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
	struct raw_limits *limits;
	struct raw_revocation *revocation;
	char **staples;
	unsigned n_staples;
};

extern const struct yaml_schema hufud_yaml_schema;

#endif
