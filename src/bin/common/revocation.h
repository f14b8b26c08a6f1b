/* SPDX-License-Identifier: Apache-2.0 */
/* The key "revocation" of hufud.yaml(5) and hufu-tunnel(1): where lists are fetched from. */
#ifndef HF_BIN_COMMON_REVOCATION_H
#define HF_BIN_COMMON_REVOCATION_H

#include <stdbool.h>

#include "bin/common/crl_fetch.h"
#include "bin/common/yaml.h"

enum {
	REVOCATION_URLS_MAX = 16,
	REVOCATION_EVERY_MS = 3600 * 1000,          /* if it is left out */
	REVOCATION_EVERY_MAX_MS = 12 * 3600 * 1000, /* half of what the highest level allows */
	REVOCATION_TIMEOUT_MS = 30 * 1000,
	REVOCATION_TIMEOUT_MAX_MS = 600 * 1000,
	REVOCATION_MIN_MS = 1000, /* of both */
};

/* As written, or NULL. */
struct raw_revocation {
	char **urls;
	unsigned n_urls;
	bool *from_certificates;
	char *cache;
	char *every;
	char *timeout;
};

extern const cyaml_schema_field_t revocation_fields[];

/* For messages: what may stand at its keys. */
#define REVOCATION_ALLOWED \
	{ "revocation.urls", "at most 16 of http://HOST[:PORT]/PATH" }, \
		{ "revocation.from-certificates", "true or false" }, \
		{ "revocation.cache", "the path of a folder; for hufu tunnel" }, \
		{ "revocation.every", "1 s to 12 h, with a unit: ms, s, min, h" }, \
	{ \
		"revocation.timeout", "1 s to 10 min, with a unit: ms, s, min" \
	}

/* URLs and from-certificates, with the usual times; ei has the place of a fault. */
HF_MUST_USE hf_err revocation_take(struct crl_fetch_plan *out, const struct raw_revocation *raw,
	const struct yaml_text *text, struct hf_errinfo *ei);

/* Is there anything to fetch? */
bool revocation_has(const struct crl_fetch_plan *plan);

#endif
