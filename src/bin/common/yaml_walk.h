/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things stand in a YAML text: a walk over all of its values, by the events of libyaml that
 * libcyaml is made of, too. It looks for no errors: where the text is no YAML the walk is over.
 */
#ifndef HF_BIN_COMMON_YAML_WALK_H
#define HF_BIN_COMMON_YAML_WALK_H

#include <stdbool.h>
#include <stddef.h>

enum { YAML_PATH_MAX = 256 };

struct yaml_spot {
	unsigned line; /* from 1; 0: nowhere */
	unsigned column;
};

struct yaml_value {
	const char *path; /* "services[2].limits.idle"; empty: all of the text */
	struct yaml_spot at;
	struct yaml_spot key;  /* of the key before it; nowhere: it has none */
	bool is_nothing;       /* ~, null or nothing at all, not quoted */
	bool is_next_document; /* another one begins here; nothing follows */
};

/* False: that was enough. */
typedef bool (*yaml_visit)(void *ctx, const struct yaml_value *v);

void yaml_walk(const char *text, size_t len, yaml_visit visit, void *ctx);

#endif
