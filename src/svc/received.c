/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/received.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pki/chain.h"

const char *hf_upload_kind_name(enum hf_upload_kind kind)
{
	switch (kind) {
	case HF_UPLOAD_INCREMENT: return "increment";
	case HF_UPLOAD_RECORDS: return "records";
	case HF_UPLOAD_OTHER: return "other";
	}
	return "unknown";
}

static hf_err read_upload(struct hf_received *r, struct hf_errinfo *ei)
{
	struct hf_release *rel = &r->release;
	struct hf_manifest *m = &rel->manifest;
	const struct hf_upload *u = &r->upload;
	struct hf_bytes content;

	HF_TRY(hf_object_peek(&content, HF_OBJECT_UPLOAD,
		(struct hf_bytes){ rel->object.p, rel->object.len }, ei));
	HF_TRY(hf_upload_parse(&r->upload, content, ei));
	memcpy(m->domain, u->domain, sizeof(m->domain));
	memcpy(m->lineage, u->lineage, sizeof(m->lineage));
	m->release = u->release;
	m->level = u->level;
	m->created_s = u->created_s;
	m->body = u->body;
	hf_upload_scope(&rel->scope, u);
	return HF_OK;
}

hf_err hf_received_load(struct hf_received *r, const struct hf_env *env,
	const struct hf_objects *objects, const uint8_t *name, struct hf_errinfo *ei)
{
	struct hf_release *rel = &r->release;
	hf_err e = HF_OK;

	memset(r, 0, sizeof(*r));
	rel->objects = objects;
	hf_buf_init(&rel->object, env->mem, hf_object_max(HF_OBJECT_UPLOAD));
	if (name != NULL)
		memcpy(rel->name, name, sizeof(rel->name));
	else
		e = hf_objects_only(rel->name, objects, HF_OBJECT_UPLOAD, ei);
	if (e == HF_OK)
		e = hf_objects_load(&rel->object, objects, HF_OBJECT_UPLOAD, rel->name, ei);
	if (e == HF_OK)
		e = read_upload(r, ei);
	if (e != HF_OK)
		hf_received_clear(r);
	return e;
}

void hf_received_clear(struct hf_received *r)
{
	hf_release_clear(&r->release);
	memset(r, 0, sizeof(*r));
}

/* The certificate is the one of the device that is named, by this hub's CA, at that time. */
static hf_err check_device(const struct hf_upload *u, const struct hf_party *hub,
	const struct hf_cert *device, struct hf_errinfo *ei)
{
	const struct hf_chain_query q = {
		.leaf = device,
		.intermediates = &hub->issuing_ca,
		.n_intermediates = 1,
		.roots = &hub->root_ca,
		.n_roots = 1,
		.purpose = HF_PURPOSE_SIGN,
		.now_s = u->created_s,
		.crl_age_max_s = HF_CHAIN_ANY_AGE,
		.want = { .roles = HF_ROLE_DEVICE | HF_ROLE_EDGE,
			.domain = u->domain,
			.id = u->device },
	};

	return hf_chain_check(NULL, &q, ei);
}

hf_err hf_received_check(const struct hf_received *r, const struct hf_party *hub,
	const struct hf_cert *device, struct hf_errinfo *ei)
{
	const struct hf_upload *u = &r->upload;
	struct hf_key_set key = hf_key_set_one(&device->key);
	uint8_t enc[HF_SM3_LEN];
	struct hf_bytes content;

	hf_cert_fingerprint(enc, &hub->enc);
	if (strcmp(u->domain, hub->identity.domain) != 0 ||
		strcmp(u->recipient, hub->identity.id) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "upload: for hub %s of %s, not for %s of %s",
			u->recipient, u->domain, hub->identity.id, hub->identity.domain);
	if (memcmp(u->cert, enc, sizeof(enc)) != 0)
		return hf_fail(ei, HF_ERR_DENIED,
			"upload: sealed to another certificate of the hub than certs/enc.crt");
	HF_TRY(check_device(u, hub, device, ei));
	return hf_object_open(&content, NULL, HF_OBJECT_UPLOAD,
		(struct hf_bytes){ r->release.object.p, r->release.object.len }, &key, ei);
}

hf_err hf_received_keys(const struct hf_env *env, const struct hf_received *r,
	const struct hf_party *hub, const struct hf_decrypter *key, struct hf_index_keys *keys,
	struct hf_errinfo *ei)
{
	struct hf_cms_party self = { .pub = hub->enc.key, .cert = &hub->enc };
	struct hf_grant_keys secret;
	hf_err e;

	hf_grant_keys_init(&secret, env->mem);
	e = hf_upload_unwrap(&secret, &r->upload, &self, key, ei);
	if (e == HF_OK) {
		e = hf_index_keys_open(keys, &r->upload.body, secret.cek, &r->release.scope);
		if (e != HF_OK)
			(void)hf_fail(
				ei, e, "upload: its content key is not the one that it commits to");
	}
	hf_grant_keys_clear(&secret);
	return e;
}
