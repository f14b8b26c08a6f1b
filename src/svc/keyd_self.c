/* SPDX-License-Identifier: Apache-2.0 */
/* What a node signs for itself: links, its inventory, its uploads; and its status. */
#include "svc/keyd_inner.h"

#include <stdio.h>
#include <string.h>

#include "pkg/receipt.h"
#include "pkg/upload.h"
#include "tls/tls.h"

hf_err hf_keyd_sign_link(struct hf_keyd *k, struct hf_key_ask *a)
{
	const struct hf_keyd_note note = {
		.event = HF_EV_SIGN, .tier = 2, .subject = "key:sign", .code = "link"
	};
	struct hf_tls_cv cv = { HF_TLS_CLIENT, { 0 } };
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm2_sig sig = { { 0 }, { 0 } };
	uint8_t is_server = hf_rd_u8(&a->in);
	hf_err e;

	hf_rd_copy(&a->in, cv.transcript, sizeof(cv.transcript));
	HF_TRY(hf_key_ask_done(a));
	if (is_server > 1)
		return hf_fail(a->ei, HF_ERR_FORMAT, "link: neither client nor server signs");
	cv.role = is_server == 1 ? HF_TLS_SERVER : HF_TLS_CLIENT;
	e = hf_tls_cv_digest(digest, &cv, &k->sign.pub);
	if (e == HF_OK)
		e = k->sign.sign_digest(k->sign.ctx, digest, &sig);
	if (e != HF_OK)
		return hf_fail(a->ei, e, "key sign: %s", hf_err_text(e));
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	hf_key_put_raw(&a->out, sig.r, sizeof(sig.r));
	hf_key_put_raw(&a->out, sig.s, sizeof(sig.s));
	return HF_OK;
}

hf_err hf_keyd_status(struct hf_keyd *k, struct hf_key_ask *a)
{
	HF_TRY(hf_key_ask_done(a));
	hf_key_put_u32(&a->out, (uint32_t)k->state);
	hf_key_put_u32(&a->out, (uint32_t)k->identity.role);
	hf_key_put_u8(&a->out, (uint8_t)k->identity.level);
	hf_key_put_text(&a->out, k->identity.domain);
	hf_key_put_text(&a->out, k->identity.id);
	hf_key_put_u64(&a->out, k->memory.root_version);
	hf_key_put_u64(&a->out, k->memory.channel_serial);
	hf_key_put_u64(&a->out, k->journal.writer.next_seq);
	hf_key_put_u64(&a->out, k->journal.head_size);
	return HF_OK;
}

/* Which key signs, for the record. */
static const char *name_of(const struct hf_keyd *k, const struct hf_signer *signer)
{
	return signer == &k->director ? "key:director" : "key:sign";
}

hf_err hf_keyd_sign_object(struct hf_keyd *k, struct hf_key_ask *a, enum hf_object kind,
	const struct hf_signer *signer, struct hf_bytes content, struct hf_buf *out)
{
	const struct hf_keyd_note note = { .event = HF_EV_SIGN,
		.tier = 2,
		.subject = name_of(k, signer),
		.code = hf_object_kind(kind) };

	HF_TRY(hf_object_sign(out, kind, content, &signer, 1, a->ei));
	return hf_keyd_note(k, a, &note, a->ei);
}

/* Signs and puts the object as the result. */
static hf_err put_signed(
	struct hf_keyd *k, struct hf_key_ask *a, enum hf_object kind, struct hf_bytes content)
{
	struct hf_buf object;
	hf_err e;

	hf_buf_init(&object, k->env->mem, hf_object_max(kind));
	e = hf_keyd_sign_object(k, a, kind, &k->sign, content, &object);
	if (e == HF_OK)
		hf_key_put_object(&a->out, (struct hf_bytes){ object.p, object.len });
	hf_buf_clear(&object);
	return e;
}

static hf_err put_items(struct hf_buf *items, const struct hf_keyd_memory *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct hf_keyd_lineage *l = &m->lineage[i];
		struct hf_inventory_item item = {
			.release = l->release, .floor = l->floor, .is_active = l->is_active
		};

		memcpy(item.lineage, l->name, sizeof(item.lineage));
		memcpy(item.manifest, l->manifest, sizeof(item.manifest));
		if (l->is_active)
			HF_TRY(hf_inventory_item_put(items, &item));
	}
	return HF_OK;
}

static hf_err emit_inventory(const struct hf_keyd *k, struct hf_key_ask *a, struct hf_buf *items,
	const uint8_t *nonce, struct hf_buf *content)
{
	struct hf_inventory inv = { .time_s = a->now_s,
		.root_version = k->memory.root_version,
		.channel_serial = k->memory.channel_serial };
	hf_err e = put_items(items, &k->memory);

	if (e != HF_OK)
		return hf_fail(a->ei, e, "inventory: %s", hf_err_text(e));
	memcpy(inv.domain, k->identity.domain, sizeof(inv.domain));
	memcpy(inv.device, k->identity.id, sizeof(inv.device));
	memcpy(inv.nonce, nonce, sizeof(inv.nonce));
	memcpy(inv.event, k->last_refusal, sizeof(inv.event));
	inv.items = (struct hf_bytes){ items->p, items->len };
	return hf_inventory_emit(content, &inv, a->ei);
}

hf_err hf_keyd_sign_inventory(struct hf_keyd *k, struct hf_key_ask *a)
{
	const uint8_t *nonce = hf_rd_take(&a->in, HF_RECEIPT_NONCE_LEN);
	struct hf_buf items;
	struct hf_buf content;
	hf_err e;

	HF_TRY(hf_key_ask_done(a));
	hf_buf_init(&items, k->env->mem, hf_object_max(HF_OBJECT_INVENTORY));
	hf_buf_init(&content, k->env->mem, hf_object_max(HF_OBJECT_INVENTORY));
	e = emit_inventory(k, a, &items, nonce, &content);
	if (e == HF_OK)
		e = put_signed(
			k, a, HF_OBJECT_INVENTORY, (struct hf_bytes){ content.p, content.len });
	hf_buf_clear(&content);
	hf_buf_clear(&items);
	return e;
}

/* Our signature says that this is our upload: so it must say the same itself. */
hf_err hf_keyd_sign_upload(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_bytes content = hf_key_take_object(&a->in);
	struct hf_keyd_note note = { .event = HF_EV_MODEL_UPLOAD };
	struct hf_upload u;

	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_keyd_allow_uid(k, a, true));
	HF_TRY(hf_upload_parse(&u, content, a->ei));
	(void)snprintf(a->lineage, sizeof(a->lineage), "%s", u.lineage);
	if (strcmp(u.domain, k->identity.domain) != 0 || strcmp(u.device, k->identity.id) != 0)
		return hf_fail(a->ei, HF_ERR_DENIED, "upload: of device %s of %s, not of this one",
			u.device, u.domain);
	if (u.level > k->identity.level)
		return hf_fail(a->ei, HF_ERR_DENIED, "upload: of L%d, this device is of L%d",
			(int)u.level, (int)k->identity.level);
	HF_TRY(put_signed(k, a, HF_OBJECT_UPLOAD, content));
	note.lineage = u.lineage;
	note.release = u.release;
	return hf_keyd_note(k, a, &note, a->ei);
}
