/* SPDX-License-Identifier: Apache-2.0 */
/* Names of objects, and their signatures by key sets. */
#include "pkg/object.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "pki/cms.h"
#include "pki/signer.h"

static const struct {
	const char *name;
	size_t max;
} objects[HF_OBJECT_KINDS + 1] = {
#define ENTRY(kind, number, name, max) [number] = { name, max },
	HF_OBJECT_LIST(ENTRY)
#undef ENTRY
};

static bool is_kind(enum hf_object kind)
{
	return (unsigned)kind >= 1 && (unsigned)kind <= HF_OBJECT_KINDS;
}

const char *hf_object_kind(enum hf_object kind)
{
	return is_kind(kind) ? objects[kind].name : NULL;
}

size_t hf_object_max(enum hf_object kind)
{
	return is_kind(kind) ? objects[kind].max : 0;
}

void hf_object_name(uint8_t name[HF_SM3_LEN], const uint8_t *object, size_t len)
{
	hf_sm3(name, object, len);
}

void hf_object_path(
	char out[HF_OBJECT_PATH_MAX], enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	int n = snprintf(out, HF_OBJECT_PATH_MAX, "%s/", hf_object_kind(kind));

	hf_hex_emit(out + n, name, HF_SM3_LEN);
}

hf_err hf_object_path_parse(
	enum hf_object *kind, uint8_t name[HF_SM3_LEN], const char *path, size_t path_len)
{
	const char *slash = path_len == 0 ? NULL : memchr(path, '/', path_len);
	size_t kind_len = slash == NULL ? 0 : (size_t)(slash - path);
	uint8_t digest[HF_SM3_LEN];
	size_t len = 0;

	if (slash == NULL || path_len - kind_len - 1 != 2 * HF_SM3_LEN)
		return HF_ERR_FORMAT;
	for (size_t i = kind_len + 1; i < path_len; i++)
		if (path[i] >= 'A' && path[i] <= 'F')
			return HF_ERR_FORMAT;
	HF_TRY(hf_hex_parse(digest, sizeof(digest), &len, slash + 1, 2 * HF_SM3_LEN));
	for (unsigned k = 1; k <= HF_OBJECT_KINDS; k++) {
		if (strlen(objects[k].name) != kind_len ||
			memcmp(objects[k].name, path, kind_len) != 0)
			continue;
		*kind = (enum hf_object)k;
		memcpy(name, digest, HF_SM3_LEN);
		return HF_OK;
	}
	return HF_ERR_FORMAT;
}

struct hf_key_set hf_key_set_one(const struct hf_sm2_pub *key)
{
	return (struct hf_key_set){ .keys = { *key }, .n = 1, .threshold = 1 };
}

hf_err hf_object_sign(struct hf_buf *out, enum hf_object kind, struct hf_bytes content,
	const struct hf_signer *const *signers, size_t n, struct hf_errinfo *ei)
{
	struct hf_cms_signer by[HF_ROLE_KEYS_MAX] = { { 0 } };
	struct hf_cms_sign_spec spec = { .content = content, .signers = by, .n_signers = n };
	size_t start = out->len;

	if (n == 0 || n > HF_ROLE_KEYS_MAX)
		return hf_fail(ei, HF_ERR_ARG, "%s: %zu signers", hf_object_kind(kind), n);
	for (size_t i = 0; i < n; i++)
		by[i].signer = signers[i];
	HF_TRY(hf_cms_sign(out, &spec, ei));
	if (out->len - start > hf_object_max(kind)) {
		out->len = start;
		return hf_fail(ei, HF_ERR_LIMIT, "%s: longer than such an object may be",
			hf_object_kind(kind));
	}
	return HF_OK;
}

static hf_err parse(
	struct hf_cms_signed *m, enum hf_object kind, struct hf_bytes in, struct hf_errinfo *ei)
{
	/* Endless data: the bound comes before the first look at the bytes. */
	if (in.len > hf_object_max(kind))
		return hf_fail(ei, HF_ERR_LIMIT,
			"%s: %zu bytes are more than such an object may be", hf_object_kind(kind),
			in.len);
	HF_TRY(hf_cms_parse(m, in.p, in.len, ei));
	if (m->is_detached || m->content.len == 0)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: carries no content", hf_object_kind(kind));
	return HF_OK;
}

hf_err hf_object_open(struct hf_bytes *content, unsigned *n_signed, enum hf_object kind,
	struct hf_bytes in, const struct hf_key_set *set, struct hf_errinfo *ei)
{
	struct hf_cms_party keys[HF_ROLE_KEYS_MAX] = { 0 };
	struct hf_cms_result res = { 0 };
	struct hf_cms_signed m = { 0 };

	/* A threshold of 0 would switch the check off (go-tuf, January 2026). */
	if (set->n == 0 || set->n > HF_ROLE_KEYS_MAX || set->threshold == 0 ||
		set->threshold > set->n)
		return hf_fail(ei, HF_ERR_ARG, "%s: no usable set of keys", hf_object_kind(kind));
	HF_TRY(parse(&m, kind, in, ei));
	for (unsigned i = 0; i < set->n; i++)
		keys[i].pub = set->keys[i];
	if (hf_cms_verify(&res, &m, (struct hf_bytes){ 0 }, keys, set->n, set->threshold, NULL) !=
		HF_OK)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: not signed by %u of the %u keys that may say this",
			hf_object_kind(kind), set->threshold, set->n);
	*content = m.content;
	if (n_signed != NULL)
		*n_signed = res.n_keys;
	return HF_OK;
}

hf_err hf_object_peek(
	struct hf_bytes *content, enum hf_object kind, struct hf_bytes in, struct hf_errinfo *ei)
{
	struct hf_cms_signed m = { 0 };

	HF_TRY(parse(&m, kind, in, ei));
	*content = m.content;
	return HF_OK;
}
