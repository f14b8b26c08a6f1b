/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A grant, from the publisher's deposit to one device: what may be believed about manifest, deposit
 * and device first, then whether the device may have it, and only then the content key is
 * unwrapped, compared with the publisher's commitment, and sealed to the device.
 */
#include "svc/keyd_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pki/chain.h"

/* A grant in the making. */
struct making {
	struct hf_keyd *k;
	struct hf_key_ask *a;
	struct hf_bytes manifest_object;
	struct hf_bytes deposit_object;
	uint64_t life_s;
	struct hf_manifest manifest;
	uint8_t manifest_name[HF_SM3_LEN];
	unsigned n_signed;
	struct hf_grant deposit;
	struct hf_cert device;
	uint8_t device_cert[HF_SM3_LEN];
	enum hf_level level; /* at which it is given */
	struct hf_deposit_keys secret;
	struct hf_grant_keys keys;
	struct hf_grant_context context;
	struct hf_buf content;
	struct hf_buf object;
};

/* E2: publishers of the trust root have signed both. */
static hf_err check_statements(struct making *m)
{
	const struct hf_root *root = &m->k->party.root;
	struct hf_errinfo *ei = m->a->ei;
	struct hf_bytes content = { 0 };

	m->a->step = "manifest";
	HF_TRY(hf_trust_manifest(&m->manifest, &m->n_signed, root, m->manifest_object, ei));
	hf_object_name(m->manifest_name, m->manifest_object.p, m->manifest_object.len);
	(void)snprintf(m->a->lineage, sizeof(m->a->lineage), "%s", m->manifest.lineage);
	if (strcmp(m->manifest.domain, m->k->identity.domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "manifest: of domain %s, not of %s",
			m->manifest.domain, m->k->identity.domain);
	if (m->a->now_s > m->manifest.expires_s)
		return hf_fail(ei, HF_ERR_EXPIRED, "manifest: release %" PRIu64 " has expired",
			m->manifest.release);
	m->a->step = "deposit";
	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_DEPOSIT, m->deposit_object,
		&root->roles[HF_ROOT_PUBLISHER], ei));
	return hf_grant_parse(&m->deposit, HF_OBJECT_DEPOSIT, content, ei);
}

/* The deposit is for this release and for us. */
static hf_err check_deposit(const struct making *m)
{
	const struct hf_grant_context *c = &m->deposit.context;
	const struct hf_manifest *f = &m->manifest;

	if (memcmp(c->manifest, m->manifest_name, HF_SM3_LEN) != 0 ||
		strcmp(c->domain, f->domain) != 0 || strcmp(c->lineage, f->lineage) != 0 ||
		c->epoch != f->epoch || c->release != f->release)
		return hf_fail(m->a->ei, HF_ERR_DENIED,
			"deposit: for release %" PRIu64 " of %s, not for this manifest", c->release,
			c->lineage);
	if (memcmp(c->cert, m->k->enc_cert, HF_SM3_LEN) != 0)
		return hf_fail(m->a->ei, HF_ERR_DENIED,
			"deposit: sealed to another hub, or to an older certificate of this one");
	if (f->body.has_marks)
		return hf_fail(m->a->ei, HF_ERR_UNSUPPORTED,
			"manifest: has forensic marks, for which this version gives no keys");
	return HF_OK;
}

static hf_err check_chain(const struct making *m)
{
	const struct hf_keyd *k = m->k;
	const struct hf_chain_query q = { .leaf = &m->device,
		.intermediates = &k->party.issuing_ca,
		.n_intermediates = 1,
		.roots = &k->party.root_ca,
		.n_roots = 1,
		.purpose = HF_PURPOSE_ENCRYPT,
		.now_s = m->a->now_s,
		.want = { .roles = HF_ROLE_DEVICE | HF_ROLE_EDGE | HF_ROLE_HUB,
			.domain = k->identity.domain } };

	return hf_chain_check(NULL, &q, m->a->ei);
}

/* A device has one encryption certificate at a time: the one of its last enrolment. */
static hf_err check_row(void *ctx, const struct hf_meta_device *row)
{
	const struct making *m = ctx;

	if (row->state != HF_KEYD_DEVICE_GOOD)
		return hf_fail(m->a->ei, HF_ERR_REVOKED, "device %s is suspended", row->id);
	if (!hf_bytes_eq(row->enc_cert, m->device.der))
		return hf_fail(m->a->ei, HF_ERR_DENIED,
			"device %s: not its present encryption certificate", row->id);
	return HF_OK;
}

static hf_err check_device(struct making *m)
{
	const struct hf_identity *id = &m->device.identity;
	struct hf_keyd *k = m->k;
	hf_err e;

	m->a->step = "device";
	HF_TRY(check_chain(m));
	hf_cert_fingerprint(m->device_cert, &m->device);
	(void)snprintf(
		m->a->subject, sizeof(m->a->subject), "%s:%s", hf_role_name(id->role), id->id);
	if (id->role == HF_ROLE_HUB) {
		if (memcmp(m->device_cert, k->enc_cert, HF_SM3_LEN) != 0)
			return hf_fail(m->a->ei, HF_ERR_DENIED, "hub %s: not this one", id->id);
		return HF_OK;
	}
	HF_TRY(hf_keyd_check_revoked(k, &m->device, m->a->ei));
	e = hf_meta_device_get(k->meta, id->id, check_row, m, NULL);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(m->a->ei, HF_ERR_DENIED, "device %s is not enrolled here", id->id);
	return e == HF_OK ? HF_OK : hf_fail(m->a->ei, e, "device %s: %s", id->id, hf_err_text(e));
}

/* A3: the grant is given at the highest level involved, and every row of it must hold. */
static hf_err check_level(struct making *m)
{
	const struct hf_manifest *f = &m->manifest;
	const struct hf_identity *id = &m->device.identity;

	m->a->step = "level";
	if (id->level < f->level)
		return hf_fail(m->a->ei, HF_ERR_DENIED, "policy: %s is of L%d, device %s of L%d",
			f->lineage, (int)f->level, id->id, (int)id->level);
	m->level = hf_level_max(f->level, id->level);
	if (m->n_signed < hf_policy(HF_ROW_PACKAGE_SIGNATURES, m->level))
		return hf_policy_refuse(m->a->ei, HF_ROW_PACKAGE_SIGNATURES, m->level,
			"%u publisher key has signed", m->n_signed);
	if (!f->body.has_marks && hf_policy(HF_ROW_PACKAGE_MARKS, m->level) != 0)
		return hf_policy_refuse(
			m->a->ei, HF_ROW_PACKAGE_MARKS, m->level, "%s carries none", f->lineage);
	return HF_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bounded by what was asked for, by policy, by the certificate and by the manifest. */
static hf_err fill_context(struct making *m)
{
	const struct hf_manifest *f = &m->manifest;
	struct hf_grant_context *c = &m->context;
	uint64_t life_s = least(m->life_s, hf_policy(HF_ROW_GRANT_CACHE, m->level));
	uint64_t end_s = least(m->device.not_after_s, f->expires_s);

	if (life_s == 0)
		return hf_fail(m->a->ei, HF_ERR_ARG, "life of a grant: at least 1 s");
	memcpy(c->domain, f->domain, sizeof(c->domain));
	memcpy(c->lineage, f->lineage, sizeof(c->lineage));
	memcpy(c->manifest, m->manifest_name, sizeof(c->manifest));
	memcpy(c->recipient, m->device.identity.id, sizeof(c->recipient));
	memcpy(c->cert, m->device_cert, sizeof(c->cert));
	c->epoch = f->epoch;
	c->release = f->release;
	c->issued_s = m->a->now_s;
	c->not_after_s = end_s;
	if (end_s > m->a->now_s && life_s < end_s - m->a->now_s)
		c->not_after_s = m->a->now_s + life_s;
	c->level = m->level;
	c->may_travel = hf_policy(HF_ROW_GRANT_TRAVELS, m->level) != 0;
	return HF_OK;
}

/* The only place where a hub has a content key in its hands. */
static hf_err unwrap(struct making *m)
{
	struct hf_keyd *k = m->k;
	const struct hf_cms_party self = { .pub = k->party.enc.key, .cert = &k->party.enc };
	struct hf_index_keys index = { .nonce = { 0 } };
	struct hf_pkg_scope scope;
	hf_err e;

	m->a->step = "unwrap";
	HF_TRY(hf_deposit_unwrap(&m->secret, &m->deposit, &self, &k->enc, m->a->ei));
	m->a->step = "commitment";
	hf_manifest_scope(&scope, &m->manifest);
	e = hf_index_keys_open(&index, &m->manifest.body, m->secret.cek, &scope);
	hf_index_keys_clear(&index);
	if (e != HF_OK)
		return hf_fail(m->a->ei, e,
			"deposit: its content key is not the one that the manifest commits to");
	return hf_keyd_note_unwrap(k, m->a, &m->manifest, m->manifest_name);
}

static hf_err seal(struct making *m)
{
	const struct hf_cms_party to = { .pub = m->device.key, .cert = &m->device };
	const struct hf_keyd_note note = { .event = HF_EV_MODEL_GRANT,
		.tier = 3,
		.level = (uint8_t)m->level,
		.subject = m->a->subject,
		.lineage = m->manifest.lineage,
		.release = m->manifest.release,
		.manifest = m->manifest_name,
		.cert = m->device_cert };
	struct hf_keyd *k = m->k;

	m->a->step = "grant";
	memcpy(m->keys.cek, m->secret.cek, HF_CEK_LEN);
	HF_TRY(hf_grant_emit(&m->content, &m->context, &m->keys, &to, &k->env->rng, m->a->ei));
	HF_TRY(hf_keyd_sign_object(k, m->a, HF_OBJECT_GRANT, &k->director,
		(struct hf_bytes){ m->content.p, m->content.len }, &m->object));
	HF_TRY(hf_keyd_note(k, m->a, &note, m->a->ei));
	hf_key_put_object(&m->a->out, (struct hf_bytes){ m->object.p, m->object.len });
	return HF_OK;
}

static hf_err make(struct making *m)
{
	HF_TRY(check_statements(m));
	HF_TRY(check_deposit(m));
	HF_TRY(check_device(m));
	HF_TRY(check_level(m));
	HF_TRY(fill_context(m));
	HF_TRY(unwrap(m));
	return seal(m);
}

hf_err hf_keyd_make_grant(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct making m = { .k = k, .a = a };
	struct hf_bytes cert;
	hf_err e;

	m.manifest_object = hf_key_take_object(&a->in);
	m.deposit_object = hf_key_take_object(&a->in);
	cert = hf_key_take_object(&a->in);
	m.life_s = hf_rd_u64(&a->in);
	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_cert_parse(&m.device, cert.p, cert.len, a->ei));
	hf_deposit_keys_init(&m.secret, k->env->mem);
	hf_grant_keys_init(&m.keys, k->env->mem);
	hf_buf_init(&m.content, k->env->mem, hf_object_max(HF_OBJECT_GRANT));
	hf_buf_init(&m.object, k->env->mem, hf_object_max(HF_OBJECT_GRANT));
	e = make(&m);
	hf_buf_clear(&m.object);
	hf_buf_clear(&m.content);
	hf_grant_keys_clear(&m.keys);
	hf_deposit_keys_clear(&m.secret);
	return e;
}
