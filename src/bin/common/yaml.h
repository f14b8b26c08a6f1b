/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files of programs, by a schema of libcyaml. A fault is told as FILE:LINE:COLUMN: key: what
 * is wrong, and what is allowed. What a value may say beyond structure and plain types is decided
 * by whoever reads it, and comes back here for its place.
 */
#ifndef HF_BIN_COMMON_YAML_H
#define HF_BIN_COMMON_YAML_H

#include <stddef.h>

#include <cyaml/cyaml.h>

#include "base/err.h"

/* What may stand at a key, for messages; places without their entry numbers: "grants.device". */
struct yaml_allowed {
	const char *key;
	const char *text;
};

struct yaml_schema {
	const cyaml_schema_value_t *top; /* a mapping behind a pointer, with fewer than 24 keys */
	const struct yaml_allowed *allowed;
	size_t n_allowed;
	const char *manual; /* where it is described */
};

struct yaml_text {
	const struct yaml_schema *schema;
	const char *path; /* for messages */
	const char *text;
	size_t len;
};

/*
 * HF_ERR_FORMAT: no YAML. HF_ERR_ARG: not as the schema says; ei has the place. End *out with
 * yaml_free().
 */
HF_MUST_USE hf_err yaml_load(void **out, const struct yaml_text *t, struct hf_errinfo *ei);
void yaml_free(const struct yaml_schema *schema, void *raw);

/*
 * Records that the value of a key of a text that has been loaded is not allowed, and returns
 * HF_ERR_ARG. key: "poll", "listen.port", or "grants[2].device" for the second entry; what: a few
 * words; what is allowed is added where it is known.
 */
hf_err yaml_refuse(
	const struct yaml_text *t, const char *key, const char *what, struct hf_errinfo *ei);

#endif
