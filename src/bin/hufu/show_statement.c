/* SPDX-License-Identifier: Apache-2.0 */
/* Signed objects: manifest, root, channel, deposit, grant, receipt, inventory, upload. */
#include <string.h>

#include "base/attr.h"
#include "codec/der.h"
#include "model/model_map.h"
#include "pkg/channel.h"
#include "pkg/grant.h"
#include "pkg/manifest.h"
#include "pkg/receipt.h"
#include "pkg/root.h"
#include "pkg/upload.h"
#include "pki/cms.h"
#include "show.h"

enum { KEY_ID_LEN = 8 }; /* bytes of a key's digest that are shown */

static void show_level(struct hufu_view *v, enum hf_level level)
{
	hufu_view_u64(v, "level", (uint64_t)level);
}

/* What the release takes from earlier ones, and what it costs who has one of them. */
static void show_bases(struct hufu_view *v, const struct hf_pkg_bases *bases)
{
	struct hf_bytes rest = bases->steps;
	struct hf_pkg_step step;

	hufu_view_bool(v, "increment", bases->has);
	if (!bases->has)
		return;
	hufu_view_u64(v, "base_chunks", bases->n_chunks);
	hufu_view_u64(v, "base_pages", bases->n_pages);
	hufu_view_list(v, "from");
	while (hf_pkg_step_take(&step, &rest) == HF_OK) {
		hufu_view_row(v);
		hufu_view_u64(v, "release", step.release);
		hufu_view_hex(v, "manifest", step.manifest, HF_SM3_LEN);
		hufu_view_len(v, "to_fetch", step.bytes);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

static void show_body(struct hufu_view *v, const struct hf_pkg_body *body)
{
	struct hf_bytes rest = body->files;
	struct hf_pkg_file f;
	const char *format;

	hufu_view_u64(v, "chunks", body->n_chunks);
	hufu_view_len(v, "plain_len", body->plain_len);
	hufu_view_len(v, "sealed_len", body->sealed_len);
	hufu_view_len(v, "chunk_max", body->chunk_max);
	hufu_view_u64(v, "pages", body->n_pages);
	hufu_view_hex(v, "table_root", body->table_root, HF_SM3_LEN);
	hufu_view_hex(v, "commitment", body->commitment, HF_SM3_LEN);
	hufu_view_bool(v, "marks", body->has_marks);
	show_bases(v, &body->bases);
	hufu_view_list(v, "files");
	while (hf_pkg_file_take(&f, &rest) == HF_OK) {
		hufu_view_row(v);
		hufu_view_str(v, "path", f.path);
		hufu_view_len(v, "len", f.len);
		hufu_view_u64(v, "chunks", f.n_chunks);
		format = hf_model_format_name(f.format);
		hufu_view_str(v, "format", format == NULL ? "unknown" : format);
		hufu_view_bool(v, "executable", f.is_executable);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

static hf_err show_manifest(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_manifest m;
	struct hf_dependency dep;
	char tag[HF_HARDWARE_TAG_MAX + 1];

	HF_TRY(hf_manifest_parse(&m, content, ei));
	hufu_view_str(v, "domain", m.domain);
	hufu_view_str(v, "lineage", m.lineage);
	hufu_view_str(v, "version", m.version);
	hufu_view_u64(v, "epoch", m.epoch);
	hufu_view_u64(v, "release", m.release);
	hufu_view_u64(v, "floor", m.floor);
	show_level(v, m.level);
	hufu_view_time(v, "created", m.created_s);
	hufu_view_time(v, "expires", m.expires_s);
	show_body(v, &m.body);
	hufu_view_list(v, "dependencies");
	while (hf_dependency_take(&dep, &m.dependencies) == HF_OK) {
		hufu_view_row(v);
		hufu_view_str(v, "lineage", dep.lineage);
		hufu_view_u64(v, "release", dep.release);
		hufu_view_hex(v, "manifest", dep.manifest, HF_SM3_LEN);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	hufu_view_list(v, "hardware");
	while (hf_hardware_take(tag, &m.hardware) == HF_OK)
		hufu_view_str(v, NULL, tag);
	hufu_view_end(v);
	return HF_OK;
}

static hf_err show_root(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	static const char *const roles[HF_ROOT_ROLES] = {
		[HF_ROOT_ROOT] = "root",
		[HF_ROOT_PUBLISHER] = "publisher",
		[HF_ROOT_DIRECTOR] = "director",
		[HF_ROOT_POLICY] = "policy",
	};
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t digest[HF_SM3_LEN];
	struct hf_root root;

	HF_TRY(hf_root_parse(&root, content, ei));
	hufu_view_str(v, "domain", root.domain);
	hufu_view_u64(v, "root_version", root.version);
	hufu_view_time(v, "issued", root.issued_s);
	hufu_view_time(v, "expires", root.expires_s);
	hufu_view_list(v, "keys");
	for (unsigned r = 0; r < HF_ROOT_ROLES; r++) {
		for (unsigned i = 0; i < root.roles[r].n; i++) {
			hf_sm2_pub_emit(point, &root.roles[r].keys[i]);
			hf_sm3(digest, point, sizeof(point));
			hufu_view_row(v);
			hufu_view_str(v, "role", roles[r]);
			hufu_view_u64(v, "threshold", root.roles[r].threshold);
			hufu_view_hex(v, "key_sm3", digest, KEY_ID_LEN);
			hufu_view_end(v);
		}
	}
	hufu_view_end(v);
	return HF_OK;
}

static hf_err show_channel(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_channel_release r;
	struct hf_channel c;

	HF_TRY(hf_channel_parse(&c, content, ei));
	hufu_view_str(v, "domain", c.domain);
	hufu_view_u64(v, "serial", c.serial);
	hufu_view_u64(v, "root_version", c.root_version);
	hufu_view_u64(v, "revocation", c.revocation);
	hufu_view_time(v, "issued", c.issued_s);
	hufu_view_time(v, "expires", c.expires_s);
	hufu_view_list(v, "releases");
	while (hf_channel_release_take(&r, &c.releases) == HF_OK) {
		hufu_view_row(v);
		hufu_view_str(v, "lineage", r.lineage);
		hufu_view_u64(v, "release", r.release);
		hufu_view_u64(v, "floor", r.floor);
		show_level(v, r.level);
		hufu_view_hex(v, "manifest", r.manifest, HF_SM3_LEN);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	return HF_OK;
}

static hf_err show_grant(
	struct hufu_view *v, enum hf_object kind, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_grant g;

	HF_TRY(hf_grant_parse(&g, kind, content, ei));
	hufu_view_str(v, "domain", g.context.domain);
	hufu_view_str(v, "lineage", g.context.lineage);
	hufu_view_u64(v, "epoch", g.context.epoch);
	hufu_view_u64(v, "release", g.context.release);
	hufu_view_hex(v, "manifest", g.context.manifest, HF_SM3_LEN);
	hufu_view_str(v, "recipient", g.context.recipient);
	hufu_view_hex(v, "cert_sm3", g.context.cert, HF_SM3_LEN);
	hufu_view_time(v, "issued", g.context.issued_s);
	hufu_view_time(v, "not_after", g.context.not_after_s);
	show_level(v, g.context.level);
	hufu_view_bool(v, "may_travel", g.context.may_travel);
	hufu_view_len(v, "envelope_len", g.envelope.len);
	return HF_OK;
}

static hf_err show_deposit(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	return show_grant(v, HF_OBJECT_DEPOSIT, content, ei);
}

static hf_err show_device_grant(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	return show_grant(v, HF_OBJECT_GRANT, content, ei);
}

static hf_err show_receipt(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	static const char *const actions[] = {
		[HF_RECEIPT_VERIFIED] = "verified",
		[HF_RECEIPT_ACTIVATED] = "activated",
		[HF_RECEIPT_OPENED] = "opened",
	};
	struct hf_receipt r;

	HF_TRY(hf_receipt_parse(&r, content, ei));
	hufu_view_str(v, "domain", r.domain);
	hufu_view_str(v, "device", r.device);
	hufu_view_u64(v, "counter", r.counter);
	hufu_view_str(v, "action",
		(size_t)r.action < HF_COUNT(actions) && actions[r.action] != NULL
			? actions[r.action]
			: "unknown");
	hufu_view_str(v, "lineage", r.lineage);
	hufu_view_u64(v, "release", r.release);
	hufu_view_hex(v, "manifest", r.manifest, HF_SM3_LEN);
	if (r.has_grant)
		hufu_view_hex(v, "grant", r.grant, HF_SM3_LEN);
	if (r.has_sites)
		hufu_view_hex(v, "sites_sm3", r.sites, HF_SM3_LEN);
	hufu_view_time(v, "time", r.time_s);
	hufu_view_hex(v, "nonce", r.nonce, sizeof(r.nonce));
	return HF_OK;
}

static hf_err show_inventory(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_inventory_item item;
	struct hf_inventory inv;

	HF_TRY(hf_inventory_parse(&inv, content, ei));
	hufu_view_str(v, "domain", inv.domain);
	hufu_view_str(v, "device", inv.device);
	hufu_view_hex(v, "nonce", inv.nonce, sizeof(inv.nonce));
	hufu_view_time(v, "time", inv.time_s);
	hufu_view_u64(v, "root_version", inv.root_version);
	hufu_view_u64(v, "channel_serial", inv.channel_serial);
	hufu_view_str(v, "event", inv.event);
	hufu_view_list(v, "items");
	while (hf_inventory_item_take(&item, &inv.items) == HF_OK) {
		hufu_view_row(v);
		hufu_view_str(v, "lineage", item.lineage);
		hufu_view_u64(v, "release", item.release);
		hufu_view_u64(v, "floor", item.floor);
		hufu_view_bool(v, "active", item.is_active);
		hufu_view_hex(v, "manifest", item.manifest, HF_SM3_LEN);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	return HF_OK;
}

static hf_err show_upload(struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei)
{
	static const char *const kinds[] = {
		[HF_UPLOAD_INCREMENT] = "training increment",
		[HF_UPLOAD_RECORDS] = "inference records",
		[HF_UPLOAD_OTHER] = "other",
	};
	struct hf_upload u;

	HF_TRY(hf_upload_parse(&u, content, ei));
	hufu_view_str(v, "domain", u.domain);
	hufu_view_str(v, "device", u.device);
	hufu_view_hex(v, "id", u.id, sizeof(u.id));
	hufu_view_u64(v, "counter", u.counter);
	hufu_view_str(v, "content",
		(size_t)u.kind < HF_COUNT(kinds) && kinds[u.kind] != NULL ? kinds[u.kind]
									  : "unknown");
	show_level(v, u.level);
	hufu_view_time(v, "created", u.created_s);
	hufu_view_str(v, "lineage", u.lineage);
	hufu_view_u64(v, "release", u.release);
	hufu_view_str(v, "recipient", u.recipient);
	hufu_view_hex(v, "cert_sm3", u.cert, HF_SM3_LEN);
	show_body(v, &u.body);
	return HF_OK;
}

static hf_err (*const statements[HF_OBJECT_KINDS + 1])(
	struct hufu_view *v, struct hf_bytes content, struct hf_errinfo *ei) = {
	[HF_OBJECT_MANIFEST] = show_manifest,
	[HF_OBJECT_ROOT] = show_root,
	[HF_OBJECT_CHANNEL] = show_channel,
	[HF_OBJECT_DEPOSIT] = show_deposit,
	[HF_OBJECT_GRANT] = show_device_grant,
	[HF_OBJECT_RECEIPT] = show_receipt,
	[HF_OBJECT_INVENTORY] = show_inventory,
	[HF_OBJECT_UPLOAD] = show_upload,
};

hf_err hufu_show_which(enum hf_object *kind, struct hf_bytes object, struct hf_errinfo *ei)
{
	static const char prefix[] = "hufu-";
	struct hf_bytes content;
	struct hf_der d;
	struct hf_der s;
	struct hf_bytes found;

	/* The longest kind: which bound holds is not known before the kind is. */
	HF_TRY(hf_object_peek(&content, HF_OBJECT_MANIFEST, object, ei));
	d = hf_der_over(content.p, content.len);
	s = hf_der_enter(&d, HF_DER_SEQUENCE);
	found = hf_der_utf8(&s);
	for (unsigned k = 1; s.err == HF_OK && k <= HF_OBJECT_KINDS; k++) {
		const char *name = hf_object_kind((enum hf_object)k);

		if (statements[k] != NULL && found.len == sizeof(prefix) - 1 + strlen(name) &&
			memcmp(found.p, prefix, sizeof(prefix) - 1) == 0 &&
			memcmp(found.p + sizeof(prefix) - 1, name, strlen(name)) == 0) {
			*kind = (enum hf_object)k;
			return HF_OK;
		}
	}
	return hf_fail(ei, HF_ERR_FORMAT, "signed, but no object that this version knows");
}

hf_err hufu_show_statement(
	struct hufu_view *v, enum hf_object kind, struct hf_bytes object, struct hf_errinfo *ei)
{
	uint8_t name[HF_SM3_LEN];
	char path[HF_OBJECT_PATH_MAX];
	struct hf_bytes content;
	struct hf_cms_signed m;

	HF_TRY(hf_object_peek(&content, kind, object, ei));
	HF_TRY(hf_cms_parse(&m, object.p, object.len, ei));
	hf_object_name(name, object.p, object.len);
	hf_object_path(path, kind, name);
	hufu_view_str(v, "object", path);
	hufu_view_u64(v, "signatures", m.n_signers);
	return statements[kind](v, content, ei);
}
