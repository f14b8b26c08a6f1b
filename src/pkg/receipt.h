/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device signs about itself: receipts (what it verified, activated, opened) and inventories
 * (what it runs and the highest counters it saw). The nonce of an inventory is the hub's, so an old
 * one cannot be shown again.
 */
#ifndef HF_PKG_RECEIPT_H
#define HF_PKG_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "pkg/object.h"

enum {
	HF_RECEIPT_NONCE_LEN = 16,
	HF_INVENTORY_ITEMS_MAX = 1024,
	HF_INVENTORY_EVENT_MAX = 63,
};

enum hf_receipt_action {
	HF_RECEIPT_VERIFIED = 1,
	HF_RECEIPT_ACTIVATED = 2,
	HF_RECEIPT_OPENED = 3,
};

struct hf_receipt {
	char domain[HF_ID_MAX + 1];
	char device[HF_ID_MAX + 1];
	uint64_t counter; /* of this device's receipts, rising */
	enum hf_receipt_action action;
	char lineage[HF_ID_MAX + 1];
	uint64_t release;
	uint8_t manifest[HF_SM3_LEN];
	bool has_grant;
	uint8_t grant[HF_SM3_LEN]; /* name of the grant it used */
	bool has_sites;
	uint8_t sites[HF_SM3_LEN]; /* SM3 over the site keys it holds */
	uint64_t time_s;
	uint8_t nonce[HF_RECEIPT_NONCE_LEN]; /* random */
};

HF_MUST_USE hf_err hf_receipt_emit(
	struct hf_buf *out, const struct hf_receipt *r, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_receipt_parse(
	struct hf_receipt *r, struct hf_bytes content, struct hf_errinfo *ei);

struct hf_inventory_item {
	char lineage[HF_ID_MAX + 1];
	uint64_t release;
	uint64_t floor;
	bool is_active;
	uint8_t manifest[HF_SM3_LEN];
};

struct hf_inventory {
	char domain[HF_ID_MAX + 1];
	char device[HF_ID_MAX + 1];
	uint8_t nonce[HF_RECEIPT_NONCE_LEN]; /* the hub's */
	uint64_t time_s;
	uint64_t root_version;   /* highest seen */
	uint64_t channel_serial; /* highest seen */
	char event[HF_INVENTORY_EVENT_MAX +
		   1];         /* name of the last refusal ("rollback"), or empty */
	struct hf_bytes items; /* elements in ascending order of lineage, then release */
	size_t n_items;
};

HF_MUST_USE hf_err hf_inventory_item_put(struct hf_buf *list, const struct hf_inventory_item *item);

/* Walks inventory.items. HF_ERR_NOT_FOUND: no further one. */
HF_MUST_USE hf_err hf_inventory_item_take(struct hf_inventory_item *item, struct hf_bytes *rest);

HF_MUST_USE hf_err hf_inventory_emit(
	struct hf_buf *out, const struct hf_inventory *inv, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_inventory_parse(
	struct hf_inventory *inv, struct hf_bytes content, struct hf_errinfo *ei);

#endif
