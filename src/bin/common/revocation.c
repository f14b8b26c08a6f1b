/* SPDX-License-Identifier: Apache-2.0 */
/* Where lists are fetched from, as YAML says it. */
#include "bin/common/revocation.h"

#include <stdio.h>
#include <string.h>

#include "http/url.h"

static const cyaml_schema_value_t url_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, HF_URL_MAX),
};

const cyaml_schema_field_t revocation_fields[] = {
	YAML_LIST("urls", struct raw_revocation, urls, &url_entry, REVOCATION_URLS_MAX),
	YAML_BOOL("from-certificates", struct raw_revocation, from_certificates),
	YAML_STR("cache", struct raw_revocation, cache, YAML_STRING_MAX),
	YAML_QUANTITY("every", struct raw_revocation, every),
	YAML_QUANTITY("timeout", struct raw_revocation, timeout),
	CYAML_FIELD_END,
};

hf_err revocation_take(
	struct crl_fetch_plan *out, const struct raw_revocation *raw, const struct settings *s)
{
	struct hf_url url;
	char key[40];

	*out = (struct crl_fetch_plan){ .every_ms = REVOCATION_EVERY_MS,
		.timeout_ms = REVOCATION_TIMEOUT_MS };
	if (raw == NULL)
		return HF_OK;
	for (unsigned i = 0; i < raw->n_urls; i++) {
		(void)snprintf(key, sizeof(key), "revocation.urls[%u]", i + 1);
		if (hf_url_parse(&url, raw->urls[i], strlen(raw->urls[i])) != HF_OK)
			return settings_refuse_value(s, key, raw->urls[i]);
	}
	out->urls = (const char *const *)raw->urls;
	out->n_urls = raw->n_urls;
	out->from_certificates = raw->from_certificates == YAML_TRUE;
	if (!revocation_has(out))
		return settings_refuse(s, "revocation", "neither urls nor from-certificates");
	HF_TRY(settings_u32(s, &out->every_ms, "revocation.every", raw->every));
	return settings_u32(s, &out->timeout_ms, "revocation.timeout", raw->timeout);
}

bool revocation_has(const struct crl_fetch_plan *plan)
{
	return plan->n_urls > 0 || plan->from_certificates;
}
