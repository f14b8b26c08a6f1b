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
	CYAML_FIELD_SEQUENCE_COUNT("urls", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_revocation, urls, n_urls, &url_entry, 0, REVOCATION_URLS_MAX),
	CYAML_FIELD_BOOL_PTR("from-certificates", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_revocation, from_certificates),
	CYAML_FIELD_STRING_PTR("cache", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_revocation, cache, 1, 1000),
	CYAML_FIELD_STRING_PTR("every", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_revocation, every, 1, 32),
	CYAML_FIELD_STRING_PTR("timeout", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_revocation, timeout, 1, 32),
	CYAML_FIELD_END,
};

hf_err revocation_take(struct crl_fetch_plan *out, const struct raw_revocation *raw,
	const struct yaml_text *text, struct hf_errinfo *ei)
{
	struct hf_url url;
	char key[40];
	char what[120];

	*out = (struct crl_fetch_plan){ .every_ms = REVOCATION_EVERY_MS,
		.timeout_ms = REVOCATION_TIMEOUT_MS };
	if (raw == NULL)
		return HF_OK;
	for (unsigned i = 0; i < raw->n_urls; i++) {
		if (hf_url_parse(&url, raw->urls[i], strlen(raw->urls[i])) == HF_OK)
			continue;
		(void)snprintf(key, sizeof(key), "revocation.urls[%u]", i + 1);
		(void)snprintf(what, sizeof(what), "'%.80s' is not allowed here", raw->urls[i]);
		return yaml_refuse(text, key, what, ei);
	}
	out->urls = (const char *const *)raw->urls;
	out->n_urls = raw->n_urls;
	out->from_certificates = raw->from_certificates != NULL && *raw->from_certificates;
	if (!revocation_has(out))
		return yaml_refuse(text, "revocation", "neither urls nor from-certificates", ei);
	return HF_OK;
}

bool revocation_has(const struct crl_fetch_plan *plan)
{
	return plan->n_urls > 0 || plan->from_certificates;
}
