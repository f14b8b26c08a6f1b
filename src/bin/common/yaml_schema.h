/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for the schema of a program. Numbers, times and sizes are text here: what they may be is in
 * the program's table of settings, and settings.h reads them.
 */
#ifndef HF_BIN_COMMON_YAML_SCHEMA_H
#define HF_BIN_COMMON_YAML_SCHEMA_H

#include <stdbool.h>

#include <cyaml/cyaml.h>

#include "base/attr.h"

enum { YAML_STRING_MAX = 1000, YAML_QUANTITY_MAX = 32 };

#define YAML_STR(key, struct_, member, max) \
	CYAML_FIELD_STRING_PTR( \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, 1, max)
#define YAML_NEEDED_STR(key, struct_, member, max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct_, member, 1, max)
#define YAML_QUANTITY(key, struct_, member) YAML_STR(key, struct_, member, YAML_QUANTITY_MAX)
#define YAML_NEEDED_QUANTITY(key, struct_, member) \
	YAML_NEEDED_STR(key, struct_, member, YAML_QUANTITY_MAX)
#define YAML_MAP(key, struct_, member, fields) \
	CYAML_FIELD_MAPPING_PTR( \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, fields)
/* A list has its length in the member n_<member>. */
#define YAML_LIST(key, struct_, member, entry, max) \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, \
		n_##member, entry, 0, max)
#define YAML_NEEDED_LIST(key, struct_, member, entry, max) \
	CYAML_FIELD_SEQUENCE_COUNT( \
		key, CYAML_FLAG_POINTER, struct_, member, n_##member, entry, 1, max)
/* One of some words, each with a number above 0, which stays 0 where the key is not there. */
#define YAML_ENUM(key, struct_, member, names) \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct_, member, names, \
		HF_COUNT(names))
#define YAML_NEEDED_ENUM(key, struct_, member, names) \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT, struct_, member, names, HF_COUNT(names))

enum yaml_bool { YAML_UNSAID, YAML_TRUE, YAML_FALSE };

extern const cyaml_strval_t yaml_bools[2];
extern const cyaml_strval_t yaml_levels[3];
extern const cyaml_schema_value_t yaml_string_entry;

#define YAML_BOOL(key, struct_, member)  YAML_ENUM(key, struct_, member, yaml_bools)
#define YAML_LEVEL(key, struct_, member) YAML_ENUM(key, struct_, member, yaml_levels)

#endif
