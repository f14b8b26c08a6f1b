/* SPDX-License-Identifier: Apache-2.0 */
/* The key "revocation" of hufud.yaml(5) and hufu-tunnel(1): where lists are fetched from. */
#ifndef HF_BIN_COMMON_REVOCATION_H
#define HF_BIN_COMMON_REVOCATION_H

#include "bin/common/crl_fetch.h"
#include "bin/common/settings.h"
#include "bin/common/yaml_schema.h"

enum {
	REVOCATION_URLS_MAX = 16,
	REVOCATION_EVERY_MS = 3600 * 1000,          /* if it is left out */
	REVOCATION_EVERY_MAX_MS = 12 * 3600 * 1000, /* half of what the highest level allows */
	REVOCATION_TIMEOUT_MS = 30 * 1000,
	REVOCATION_TIMEOUT_MAX_MS = 600 * 1000,
	REVOCATION_MIN_MS = 1000, /* of both */
};

/* Strings are as written, or NULL where the key is not there; so are times (settings.h). */
struct raw_revocation {
	char **urls;
	unsigned n_urls;
	int from_certificates; /* enum yaml_bool */
	char *cache;
	char *every;
	char *timeout;
};

extern const cyaml_schema_field_t revocation_fields[];

/* clang-format off */
#define REVOCATION_SETTINGS \
	YAML_SAYS("revocation", "urls, from-certificates or both"), \
	YAML_SAYS("revocation.urls", "at most 16 of http://HOST[:PORT]/PATH"), \
	YAML_SAYS("revocation.from-certificates", "true or false"), \
	YAML_SAYS("revocation.cache", "the path of a folder; for hufu tunnel"), \
	YAML_FROM_TO("revocation.every", YAML_TIME, REVOCATION_MIN_MS, REVOCATION_EVERY_MAX_MS, \
		"1 s to 12 h, with a unit: ms, s, min, h"), \
	YAML_FROM_TO("revocation.timeout", YAML_TIME, REVOCATION_MIN_MS, REVOCATION_TIMEOUT_MAX_MS, \
		"1 s to 10 min, with a unit: ms, s, min")
/* clang-format on */

/* All but the cache, with the usual times where none are said. raw NULL: the key is not there. */
HF_MUST_USE hf_err revocation_take(
	struct crl_fetch_plan *out, const struct raw_revocation *raw, const struct settings *s);

/* Is there anything to fetch? */
bool revocation_has(const struct crl_fetch_plan *plan);

#endif
