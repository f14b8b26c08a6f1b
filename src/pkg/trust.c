/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of opening as a constant table.
 *
 *  1. A step sees only what the steps before it have proven; nothing is decrypted before the last.
 *  2. Root version and channel serial are made durable before the manifest is looked at, so that a
 *     crash or a later refusal cannot make us believe an older statement (TUF 5.3.8, 5.4.4); and
 *     only after their own checks (tough persisted too early once).
 *  3. Time is read once, by the caller (TUF 5.1), and never goes back.
 */
#include "pkg/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"

struct trust {
	const struct hf_trust_query *q;
	struct hf_trust_result *r;
	uint64_t now_s;
	struct hf_grant grant;
	struct hf_pkg_scope scope;
};

static bool key_in(const struct hf_key_set *set, const struct hf_sm2_pub *key)
{
	for (unsigned i = 0; i < set->n; i++)
		if (memcmp(set->keys[i].x, key->x, sizeof(key->x)) == 0 &&
			memcmp(set->keys[i].y, key->y, sizeof(key->y)) == 0)
			return true;
	return false;
}

static bool set_eq(const struct hf_key_set *a, const struct hf_key_set *b)
{
	if (a->n != b->n || a->threshold != b->threshold)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!key_in(b, &a->keys[i]))
			return false;
	return true;
}

/*
 * TUF 5.3: walk from the trusted root, version by version; expiry counts for the last one only.
 * TUF 5.3.11: when the director's keys change, the remembered serial is dropped, so that a serial
 * driven up with a stolen key does not lock out the true director.
 */
static hf_err step_root(struct trust *t, struct hf_errinfo *ei)
{
	struct hf_root *root = &t->r->root;
	struct hf_trust_state *state = &t->r->state;

	*root = t->q->root;
	if (strcmp(root->domain, t->q->domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "root: of domain %s, not of %s", root->domain,
			t->q->domain);
	if (root->version < state->root_version)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"root: version %" PRIu64 " is older than %" PRIu64 ", which was seen",
			root->version, state->root_version);
	if (t->q->n_roots > HF_ROOT_WALK_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "root: %zu successors at once", t->q->n_roots);
	for (size_t i = 0; i < t->q->n_roots; i++) {
		struct hf_key_set director = root->roles[HF_ROOT_DIRECTOR];

		HF_TRY(hf_root_open_next(root, root, t->q->roots[i], ei));
		if (!set_eq(&director, &root->roles[HF_ROOT_DIRECTOR]))
			state->channel_serial = 0;
	}
	if (t->now_s > root->expires_s)
		return hf_fail(
			ei, HF_ERR_EXPIRED, "root: version %" PRIu64 " has expired", root->version);
	state->root_version = root->version;
	return HF_OK;
}

static hf_err step_channel(struct trust *t, struct hf_errinfo *ei)
{
	struct hf_bytes content = { 0 };

	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_CHANNEL, t->q->channel,
		&t->r->root.roles[HF_ROOT_DIRECTOR], ei));
	HF_TRY(hf_channel_parse(&t->r->channel, content, ei));
	if (strcmp(t->r->channel.domain, t->q->domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "channel: of domain %s, not of %s",
			t->r->channel.domain, t->q->domain);
	return HF_OK;
}

/* Rollback: serial; freeze: expiry, and how old a statement the level takes. */
static hf_err step_fresh(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_channel *c = &t->r->channel;
	struct hf_trust_state *state = &t->r->state;

	if (c->serial < state->channel_serial)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"channel: serial %" PRIu64 " is older than %" PRIu64 ", which was seen",
			c->serial, state->channel_serial);
	/* The director knows a newer root than we do: somebody keeps it from us. */
	if (c->root_version > t->r->root.version)
		return hf_fail(ei, HF_ERR_STALE,
			"channel: made under root %" PRIu64 ", of which we have only %" PRIu64,
			c->root_version, t->r->root.version);
	if (c->issued_s > t->now_s + HF_TRUST_SKEW_S)
		return hf_fail(ei, HF_ERR_STALE,
			"channel: issued in the future; check the clock of this machine");
	if (t->now_s > c->expires_s)
		return hf_fail(
			ei, HF_ERR_EXPIRED, "channel: serial %" PRIu64 " has expired", c->serial);
	state->channel_serial = c->serial;
	if (c->issued_s > state->time_s)
		state->time_s = c->issued_s;
	return HF_OK;
}

static hf_err step_persist(struct trust *t, struct hf_errinfo *ei)
{
	hf_err e;

	if (t->q->persist == NULL)
		return HF_OK;
	e = t->q->persist(t->q->persist_ctx, &t->r->state, &t->r->root);
	if (e != HF_OK)
		return hf_fail(ei, e, "state: root version and channel serial cannot be kept");
	return HF_OK;
}

static hf_err step_manifest(struct trust *t, struct hf_errinfo *ei)
{
	struct hf_trust_result *r = t->r;
	hf_err e = hf_channel_find(&r->entry, &r->channel, t->q->lineage);

	if (e != HF_OK)
		return hf_fail(ei, e, "channel: says nothing about %s", t->q->lineage);
	HF_TRY(hf_trust_manifest(&r->manifest, &r->n_signed, &r->root, t->q->manifest, ei));
	hf_object_name(r->manifest_name, t->q->manifest.p, t->q->manifest.len);
	/* Mix-and-match: genuine, but not the one the director speaks of. */
	if (memcmp(r->manifest_name, r->entry.manifest, HF_SM3_LEN) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "manifest: not the one that the channel names");
	if (strcmp(r->manifest.domain, t->q->domain) != 0 ||
		strcmp(r->manifest.lineage, t->q->lineage) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "manifest: of %s, not of %s", r->manifest.lineage,
			t->q->lineage);
	hf_manifest_scope(&t->scope, &r->manifest);
	return HF_OK;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static hf_err step_release(struct trust *t, struct hf_errinfo *ei)
{
	struct hf_trust_result *r = t->r;
	const struct hf_manifest *m = &r->manifest;
	uint64_t floor = max_u64(t->q->state.floor, r->entry.floor);

	if (m->release != r->entry.release)
		return hf_fail(ei, HF_ERR_AUTH,
			"manifest: release %" PRIu64 ", but the channel says %" PRIu64, m->release,
			r->entry.release);
	if (m->release < floor)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"manifest: release %" PRIu64 " of %s is below the floor %" PRIu64,
			m->release, m->lineage, floor);
	if (m->created_s > t->now_s + HF_TRUST_SKEW_S)
		return hf_fail(ei, HF_ERR_STALE,
			"manifest: made in the future; check the clock of this machine");
	if (t->now_s > m->expires_s)
		return hf_fail(ei, HF_ERR_EXPIRED,
			"manifest: release %" PRIu64 " of %s has expired", m->release, m->lineage);
	r->floor = max_u64(floor, m->floor);
	return HF_OK;
}

/* Rows of the level table that a package must meet, in the table's order. */
static hf_err check_package_rows(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &t->r->manifest;
	enum hf_level level = t->r->level;
	uint64_t issued_s = t->r->channel.issued_s;
	uint64_t age_s = t->now_s > issued_s ? t->now_s - issued_s : 0;

	if (m->expires_s - m->created_s > hf_policy(HF_ROW_PACKAGE_EXPIRY, level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_EXPIRY, level,
			"%s is valid for %" PRIu64 " days", m->lineage,
			(m->expires_s - m->created_s) / 86400);
	if (age_s > hf_policy(HF_ROW_PACKAGE_FRESHNESS, level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_FRESHNESS, level,
			"the channel is %" PRIu64 " hours old", age_s / 3600);
	if (age_s > hf_policy(HF_ROW_OFFLINE, level))
		return hf_policy_refuse(ei, HF_ROW_OFFLINE, level,
			"the channel is %" PRIu64 " hours old", age_s / 3600);
	if (t->r->n_signed < hf_policy(HF_ROW_PACKAGE_SIGNATURES, level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_SIGNATURES, level,
			"%u publisher key has signed", t->r->n_signed);
	if (!m->body.has_marks && hf_policy(HF_ROW_PACKAGE_MARKS, level) != 0)
		return hf_policy_refuse(
			ei, HF_ROW_PACKAGE_MARKS, level, "%s carries none", m->lineage);
	if (t->q->wants_disk && hf_policy(HF_ROW_PACKAGE_MEMORY_ONLY, level) != 0)
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_MEMORY_ONLY, level,
			"%s would be written to a disk", m->lineage);
	if (!t->q->is_time_signed && hf_policy(HF_ROW_TIME_SIGNED, level) != 0)
		return hf_policy_refuse(
			ei, HF_ROW_TIME_SIGNED, level, "no signed time answer since the start");
	return HF_OK;
}

/* Wrong target: the device must have every tag the publisher asks for. */
static hf_err check_hardware(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_trust_device *d = t->q->device;
	struct hf_bytes rest = t->r->manifest.hardware;
	char tag[HF_HARDWARE_TAG_MAX + 1];

	while (hf_hardware_take(tag, &rest) == HF_OK) {
		bool has = false;

		for (size_t i = 0; i < d->n_hardware; i++)
			has = has || strcmp(d->hardware[i], tag) == 0;
		if (!has)
			return hf_fail(ei, HF_ERR_DENIED,
				"manifest: made for %s, which this device is not", tag);
	}
	return HF_OK;
}

static hf_err check_dependencies(struct trust *t, struct hf_errinfo *ei)
{
	struct hf_bytes rest = t->r->manifest.dependencies;
	struct hf_dependency dep;

	while (hf_dependency_take(&dep, &rest) == HF_OK) {
		bool has = false;

		for (size_t i = 0; i < t->q->n_have; i++)
			has = has || (strcmp(t->q->have[i].lineage, dep.lineage) == 0 &&
					     t->q->have[i].release == dep.release &&
					     memcmp(t->q->have[i].manifest, dep.manifest,
						     HF_SM3_LEN) == 0);
		if (!has)
			return hf_fail(ei, HF_ERR_NOT_FOUND,
				"manifest: needs release %" PRIu64
				" of %s, which is not active here",
				dep.release, dep.lineage);
	}
	return HF_OK;
}

static hf_err step_level(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_trust_device *d = t->q->device;
	enum hf_level level = hf_level_max(t->r->manifest.level, t->r->entry.level);

	if (d == NULL)
		return hf_fail(ei, HF_ERR_ARG, "trust: no device given");
	/* A3: an operation runs at the highest level of those involved. */
	t->r->level = hf_level_max(level, d->level);
	if (d->level < level)
		return hf_fail(ei, HF_ERR_DENIED, "policy: %s is of L%d, this device of L%d",
			t->q->lineage, (int)level, (int)d->level);
	HF_TRY(check_package_rows(t, ei));
	if (d->hardware_class > hf_policy(HF_ROW_HARDWARE_CLASS, t->r->level))
		return hf_policy_refuse(ei, HF_ROW_HARDWARE_CLASS, t->r->level,
			"this device is of class %c", (char)('A' + d->hardware_class - 1));
	HF_TRY(check_hardware(t, ei));
	return check_dependencies(t, ei);
}

/* Not lifted from another release, nor from another device. */
static hf_err check_binding(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_grant_context *c = &t->grant.context;
	const struct hf_manifest *m = &t->r->manifest;

	if (strcmp(c->recipient, t->q->device->id) != 0 ||
		memcmp(c->cert, t->q->device->enc_cert, HF_SM3_LEN) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "grant: for device %s, not for this one (%s)",
			c->recipient, t->q->device->id);
	if (strcmp(c->domain, m->domain) != 0 || strcmp(c->lineage, m->lineage) != 0 ||
		c->epoch != m->epoch || c->release != m->release ||
		memcmp(c->manifest, t->r->manifest_name, HF_SM3_LEN) != 0)
		return hf_fail(ei, HF_ERR_DENIED,
			"grant: for release %" PRIu64 " of %s, not for this package", c->release,
			c->lineage);
	return HF_OK;
}

static hf_err step_grant(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_grant_context *c = &t->grant.context;
	enum hf_level level = t->r->level;
	struct hf_bytes content = { 0 };
	uint64_t age_s;

	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_GRANT, t->q->grant,
		&t->r->root.roles[HF_ROOT_DIRECTOR], ei));
	HF_TRY(hf_grant_parse(&t->grant, HF_OBJECT_GRANT, content, ei));
	HF_TRY(check_binding(t, ei));
	if (c->issued_s > t->now_s + HF_TRUST_SKEW_S)
		return hf_fail(ei, HF_ERR_STALE,
			"grant: issued in the future; check the clock of this machine");
	if (t->now_s > c->not_after_s)
		return hf_fail(ei, HF_ERR_EXPIRED,
			"grant: of %s for release %" PRIu64 " has expired; ask for a new one",
			c->lineage, c->release);
	if (!t->q->is_grant_online &&
		(!c->may_travel || hf_policy(HF_ROW_GRANT_TRAVELS, level) == 0))
		return hf_policy_refuse(
			ei, HF_ROW_GRANT_TRAVELS, level, "this one came with the package");
	age_s = t->now_s > c->issued_s ? t->now_s - c->issued_s : 0;
	if (age_s > hf_policy(HF_ROW_GRANT_CACHE, level))
		return hf_policy_refuse(ei, HF_ROW_GRANT_CACHE, level,
			"this one is %" PRIu64 " hours old", age_s / 3600);
	return HF_OK;
}

static hf_err step_unwrap(struct trust *t, struct hf_errinfo *ei)
{
	const struct hf_trust_device *d = t->q->device;

	return hf_grant_unwrap(&t->r->keys, &t->grant, &d->enc, d->key, ei);
}

static hf_err step_commitment(struct trust *t, struct hf_errinfo *ei)
{
	hf_err e =
		hf_index_keys_open(&t->r->index, &t->r->manifest.body, t->r->keys.cek, &t->scope);

	if (e != HF_OK)
		return hf_fail(ei, e,
			"commitment: the grant's content key is not the one that was signed");
	return HF_OK;
}

static const struct {
	const char *name;
	hf_err (*run)(struct trust *t, struct hf_errinfo *ei);
} steps[HF_TRUST_STEPS] = {
	/* clang-format off */
	[HF_TRUST_ROOT]       = { "root",       step_root },
	[HF_TRUST_CHANNEL]    = { "channel",    step_channel },
	[HF_TRUST_FRESH]      = { "fresh",      step_fresh },
	[HF_TRUST_PERSIST]    = { "persist",    step_persist },
	[HF_TRUST_MANIFEST]   = { "manifest",   step_manifest },
	[HF_TRUST_RELEASE]    = { "release",    step_release },
	[HF_TRUST_LEVEL]      = { "level",      step_level },
	[HF_TRUST_GRANT]      = { "grant",      step_grant },
	[HF_TRUST_UNWRAP]     = { "unwrap",     step_unwrap },
	[HF_TRUST_COMMITMENT] = { "commitment", step_commitment },
	/* clang-format on */
};

const char *hf_trust_step_name(enum hf_trust_step step)
{
	return (unsigned)step < HF_TRUST_STEPS ? steps[step].name : "none";
}

hf_err hf_trust_run(struct hf_trust_result *out, const struct hf_trust_query *q,
	enum hf_trust_step last, const struct hf_mem *mem, struct hf_errinfo *ei)
{
	struct trust t = { .q = q, .r = out };
	hf_err e = HF_OK;

	*out = (struct hf_trust_result){ .state = q->state, .failed = HF_TRUST_STEPS };
	hf_grant_keys_init(&out->keys, mem);
	t.now_s = max_u64(q->now_s, q->state.time_s); /* never backwards */
	for (unsigned i = 0; i < HF_TRUST_STEPS && i <= (unsigned)last && e == HF_OK; i++) {
		e = steps[i].run(&t, ei);
		if (e != HF_OK)
			out->failed = (enum hf_trust_step)i;
	}
	if (e != HF_OK)
		hf_trust_clear(out);
	return e;
}

void hf_trust_clear(struct hf_trust_result *r)
{
	hf_grant_keys_clear(&r->keys);
	hf_index_keys_clear(&r->index);
}

hf_err hf_trust_manifest(struct hf_manifest *m, unsigned *n_signed, const struct hf_root *root,
	struct hf_bytes signed_manifest, struct hf_errinfo *ei)
{
	struct hf_bytes content = { 0 };
	unsigned n = 0;

	HF_TRY(hf_object_open(&content, &n, HF_OBJECT_MANIFEST, signed_manifest,
		&root->roles[HF_ROOT_PUBLISHER], ei));
	HF_TRY(hf_manifest_parse(m, content, ei));
	*n_signed = n;
	return HF_OK;
}
