/* SPDX-License-Identifier: Apache-2.0 */
/* What schemas of all programs say the same way. */
#include "bin/common/yaml_schema.h"

#include "policy/policy.h"

/* libcyaml's own kind takes any word for true. */
const cyaml_strval_t yaml_bools[2] = { { "true", YAML_TRUE }, { "false", YAML_FALSE } };

const cyaml_strval_t yaml_levels[3] = { { "1", HF_L1 }, { "2", HF_L2 }, { "3", HF_L3 } };

const cyaml_schema_value_t yaml_string_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, YAML_STRING_MAX),
};
