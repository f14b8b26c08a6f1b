/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipt ::= SEQUENCE { "hufu-receipt", 1, domain, device UTF8String, counter, action INTEGER,
 *	lineage UTF8String, release INTEGER, manifest OCTET STRING, grant [0], sites [1] OPTIONAL,
 *	time GeneralizedTime, nonce OCTET STRING }
 * Inventory ::= SEQUENCE { "hufu-inventory", 1, domain, device UTF8String, nonce OCTET STRING, time
 *	GeneralizedTime, rootVersion, channelSerial INTEGER, event UTF8String, SEQUENCE OF Item }
 * Item ::= SEQUENCE { lineage UTF8String, release, floor INTEGER, active BOOLEAN, manifest OCTET
 *	STRING }
 */
#include "pkg/receipt.h"

#include <string.h>

#include "pkg/statement.h"

enum { ITEM_ROOM = 192 };

hf_err hf_receipt_emit(struct hf_buf *out, const struct hf_receipt *r, struct hf_errinfo *ei)
{
	struct hf_statement s;
	hf_err e;

	if (!hf_id_is_valid(r->domain) || !hf_id_is_valid(r->device) ||
		!hf_id_is_valid(r->lineage) || r->release == 0 || r->action < HF_RECEIPT_VERIFIED ||
		r->action > HF_RECEIPT_OPENED)
		return hf_fail(ei, HF_ERR_ARG, "receipt: fields contradict each other");
	HF_TRY(hf_statement_begin(&s, out, HF_OBJECT_RECEIPT, HF_STATEMENT_ROOM));
	hf_der_put_utf8(&s.w, r->domain);
	hf_der_put_utf8(&s.w, r->device);
	hf_der_put_u64(&s.w, r->counter);
	hf_der_put_u64(&s.w, (uint64_t)r->action);
	hf_der_put_utf8(&s.w, r->lineage);
	hf_der_put_u64(&s.w, r->release);
	hf_field_put_sm3(&s.w, r->manifest);
	hf_field_put_opt_sm3(&s.w, 0, r->has_grant, r->grant);
	hf_field_put_opt_sm3(&s.w, 1, r->has_sites, r->sites);
	hf_der_put_gtime(&s.w, r->time_s);
	hf_der_put_octets(&s.w, r->nonce, sizeof(r->nonce));
	e = hf_statement_end(&s);
	return hf_statement_fail(ei, HF_OBJECT_RECEIPT, e);
}

hf_err hf_receipt_parse(struct hf_receipt *r, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_RECEIPT);
	struct hf_receipt v = { 0 };

	hf_field_take_id(&s, v.domain);
	hf_field_take_id(&s, v.device);
	v.counter = hf_der_u64(&s);
	v.action = (enum hf_receipt_action)hf_field_take_max(&s, HF_RECEIPT_OPENED);
	hf_field_take_id(&s, v.lineage);
	v.release = hf_der_u64(&s);
	hf_field_take_sm3(&s, v.manifest);
	hf_field_take_opt_sm3(&s, 0, &v.has_grant, v.grant);
	hf_field_take_opt_sm3(&s, 1, &v.has_sites, v.sites);
	hf_field_take_time(&s, &v.time_s);
	hf_field_take_bytes(&s, v.nonce, sizeof(v.nonce));
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK && (v.release == 0 || v.action < HF_RECEIPT_VERIFIED))
		hf_der_fail(&d, HF_ERR_FORMAT);
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_RECEIPT, hf_der_done(&d));
	*r = v;
	return HF_OK;
}

hf_err hf_inventory_item_put(struct hf_buf *list, const struct hf_inventory_item *item)
{
	struct hf_statement s;

	if (!hf_id_is_valid(item->lineage) || item->release == 0)
		return HF_ERR_ARG;
	HF_TRY(hf_element_begin(&s, list, ITEM_ROOM));
	hf_der_put_utf8(&s.w, item->lineage);
	hf_der_put_u64(&s.w, item->release);
	hf_der_put_u64(&s.w, item->floor);
	hf_der_put_bool(&s.w, item->is_active);
	hf_field_put_sm3(&s.w, item->manifest);
	return hf_statement_end(&s);
}

hf_err hf_inventory_item_take(struct hf_inventory_item *item, struct hf_bytes *rest)
{
	struct hf_inventory_item v = { 0 };
	struct hf_der list;
	struct hf_der d;

	HF_TRY(hf_element_take(&list, &d, rest));
	hf_field_take_id(&d, v.lineage);
	v.release = hf_der_u64(&d);
	v.floor = hf_der_u64(&d);
	v.is_active = hf_der_bool(&d);
	hf_field_take_sm3(&d, v.manifest);
	if (v.release == 0)
		hf_der_fail(&d, HF_ERR_FORMAT);
	HF_TRY(hf_element_left(&list, &d, rest));
	*item = v;
	return HF_OK;
}

/* Ascending by lineage, then release; none stands twice. */
static hf_err check_items(struct hf_inventory *inv)
{
	struct hf_inventory_item last = { 0 };
	struct hf_inventory_item v;
	struct hf_bytes rest = inv->items;
	hf_err e;

	for (inv->n_items = 0; (e = hf_inventory_item_take(&v, &rest)) == HF_OK; last = v) {
		int order = strcmp(last.lineage, v.lineage);

		if (++inv->n_items > HF_INVENTORY_ITEMS_MAX)
			return HF_ERR_LIMIT;
		if (order > 0 || (order == 0 && last.release >= v.release))
			return HF_ERR_FORMAT;
	}
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

hf_err hf_inventory_emit(struct hf_buf *out, const struct hf_inventory *inv, struct hf_errinfo *ei)
{
	struct hf_inventory check = *inv;
	struct hf_statement s;
	hf_err e;

	if (!hf_id_is_valid(inv->domain) || !hf_id_is_valid(inv->device) ||
		check_items(&check) != HF_OK)
		return hf_fail(ei, HF_ERR_ARG, "inventory: fields contradict each other");
	HF_TRY(hf_statement_begin(
		&s, out, HF_OBJECT_INVENTORY, HF_STATEMENT_ROOM + inv->items.len));
	hf_der_put_utf8(&s.w, inv->domain);
	hf_der_put_utf8(&s.w, inv->device);
	hf_der_put_octets(&s.w, inv->nonce, sizeof(inv->nonce));
	hf_der_put_gtime(&s.w, inv->time_s);
	hf_der_put_u64(&s.w, inv->root_version);
	hf_der_put_u64(&s.w, inv->channel_serial);
	hf_der_put_utf8(&s.w, inv->event);
	hf_field_put_list(&s.w, inv->items);
	e = hf_statement_end(&s);
	return hf_statement_fail(ei, HF_OBJECT_INVENTORY, e);
}

hf_err hf_inventory_parse(struct hf_inventory *inv, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_der d = hf_der_over(content.p, content.len);
	struct hf_der s = hf_statement_enter(&d, HF_OBJECT_INVENTORY);
	struct hf_inventory v = { 0 };

	hf_field_take_id(&s, v.domain);
	hf_field_take_id(&s, v.device);
	hf_field_take_bytes(&s, v.nonce, sizeof(v.nonce));
	hf_field_take_time(&s, &v.time_s);
	v.root_version = hf_der_u64(&s);
	v.channel_serial = hf_der_u64(&s);
	hf_field_take_text(&s, v.event, sizeof(v.event));
	v.items = hf_der_take(&s, HF_DER_SEQUENCE);
	hf_der_leave(&d, &s);
	if (hf_der_done(&d) == HF_OK)
		hf_der_fail(&d, check_items(&v));
	if (hf_der_done(&d) != HF_OK)
		return hf_statement_fail(ei, HF_OBJECT_INVENTORY, hf_der_done(&d));
	*inv = v;
	return HF_OK;
}
