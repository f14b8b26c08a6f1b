/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files of programs, by a schema of libcyaml. A fault is told as FILE:LINE:COLUMN: key: what
 * is wrong, and what is allowed. What a value may say beyond structure and plain types is decided
 * by whoever reads it, and comes back here for its place.
 */
#ifndef HF_BIN_COMMON_YAML_H
#define HF_BIN_COMMON_YAML_H

#include <stddef.h>
#include <stdint.h>

#include <cyaml/cyaml.h>

#include "base/err.h"

enum yaml_kind {
	YAML_TEXT,
	YAML_NUMBER,
	YAML_TIME, /* in ms */
	YAML_SIZE, /* in bytes */
};

/*
 * A row of a program's table: what may stand at a key, without entry numbers: "grants.device". Of a
 * quantity (settings.h) the bounds, and maybe a word that stands for a number.
 */
struct yaml_setting {
	const char *key;
	const char *help; /* what is allowed, for messages */
	enum yaml_kind kind;
	uint64_t min;
	uint64_t max;
	const char *word;
	uint64_t word_is;
};

/* clang-format off */
#define YAML_SAYS(key, help)                           { key, help, YAML_TEXT, 0, 0, NULL, 0 }
#define YAML_FROM_TO(key, kind, min, max, help)        { key, help, kind, min, max, NULL, 0 }
#define YAML_OR(key, kind, min, max, word, is, help)   { key, help, kind, min, max, word, is }
/* clang-format on */

struct yaml_schema {
	const cyaml_schema_value_t *top; /* a mapping behind a pointer */
	const struct yaml_setting *settings;
	size_t n_settings;
	const char *manual; /* where it is described */
};

struct yaml_text {
	const struct yaml_schema *schema;
	const char *path; /* for messages */
	const char *text;
	size_t len;
};

/*
 * HF_ERR_FORMAT: no YAML. HF_ERR_ARG: not as the schema says, a key without a value, or more than
 * one document; ei has the place. End *out with yaml_free().
 */
HF_MUST_USE hf_err yaml_load(void **out, const struct yaml_text *t, struct hf_errinfo *ei);
void yaml_free(const struct yaml_schema *schema, void *raw);

/* The row of a key, which may have entry numbers; NULL: there is none. */
const struct yaml_setting *yaml_setting_at(const struct yaml_schema *schema, const char *key);

/*
 * Records that the value of a key of a text that has been loaded is not allowed, and returns
 * HF_ERR_ARG. key: "poll", "listen.port", or "grants[2].device" for the second entry; what: a few
 * words; what is allowed is added where it is known.
 */
hf_err yaml_refuse(
	const struct yaml_text *t, const char *key, const char *what, struct hf_errinfo *ei);

#endif
