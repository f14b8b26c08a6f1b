/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of the checks of a batch: form and own hash; place in the chain; its records one after
 * another (number, form, names); its root; the heads that its end passes. Only after the root is
 * right are the records shown.
 */
#include "audit/verify.h"

#include <inttypes.h>
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"

hf_err hf_audit_verify_init(struct hf_audit_verify *v, const struct hf_mem *mem, const char *log_id,
	const struct hf_audit_head *heads, size_t n_heads)
{
	size_t id_len = strlen(log_id);

	if (id_len >= sizeof(v->id))
		return HF_ERR_LIMIT;
	for (size_t i = 1; i < n_heads; i++)
		if (heads[i].size <= heads[i - 1].size)
			return HF_ERR_FORMAT;
	memset(v, 0, sizeof(*v));
	v->names = hf_mem_array(mem, HF_AUDIT_NAMES_MAX, sizeof(*v->names));
	if (v->names == NULL)
		return HF_ERR_NO_MEMORY;
	memcpy(v->id, log_id, id_len);
	hf_audit_genesis(v->prev, log_id);
	hf_merkle_init(&v->tree);
	v->heads = heads;
	v->n_heads = n_heads;
	v->mem = mem;
	return HF_OK;
}

void hf_audit_verify_visit(struct hf_audit_verify *v, hf_audit_visit visit, void *ctx)
{
	v->visit = visit;
	v->visit_ctx = ctx;
}

void hf_audit_verify_clear(struct hf_audit_verify *v)
{
	if (v->mem != NULL)
		hf_mem_free(v->mem, v->names);
	memset(v, 0, sizeof(*v));
}

static hf_err refuse(struct hf_audit_verify *v, struct hf_errinfo *ei, const char *what)
{
	v->failed = HF_ERR_AUTH;
	return hf_fail(
		ei, HF_ERR_AUTH, "audit log %s: record %" PRIu64 ": %s", v->id, v->tree.size, what);
}

/* The next record of the payload, without its length checked against anything but the payload. */
static const uint8_t *next_record(const uint8_t *p, size_t left, size_t *len)
{
	if (left < HF_RECORD_FIXED_LEN)
		return NULL;
	*len = hf_get_be16(p);
	return *len >= HF_RECORD_FIXED_LEN && *len <= left ? p : NULL;
}

static hf_err define_name(struct hf_audit_verify *v, const struct hf_audit_record *r)
{
	struct hf_audit_attr a = { 0 };
	size_t at = 0;

	HF_TRY(hf_audit_attr_next(&a, r, &at));
	if (a.type != HF_ATTR_NAME || a.value_len == 0 || a.value_len >= HF_AUDIT_NAME_MAX)
		return HF_ERR_FORMAT;
	/* Numbers are given in order; number 1 starts the list over. */
	if (r->subject != 1 && r->subject != v->n_names + 1)
		return HF_ERR_FORMAT;
	if (r->subject > HF_AUDIT_NAMES_MAX)
		return HF_ERR_LIMIT;
	v->n_names = r->subject;
	memset(v->names[r->subject - 1], 0, HF_AUDIT_NAME_MAX);
	memcpy(v->names[r->subject - 1], a.value, a.value_len);
	return HF_OK;
}

static const char *name_of(const struct hf_audit_verify *v, uint32_t number)
{
	return number == 0 || number > v->n_names ? NULL : v->names[number - 1];
}

/* Adds all records of the batch to the tree and compares the batch's own root. */
static hf_err check_records(
	struct hf_audit_verify *v, const struct hf_audit_batch *b, struct hf_errinfo *ei)
{
	const uint8_t *p = b->payload;
	size_t left = b->payload_len;
	struct hf_merkle own;
	uint8_t root[HF_SM3_LEN];

	hf_merkle_init(&own);
	while (left > 0) {
		uint8_t leaf[HF_SM3_LEN];
		struct hf_audit_record r = { 0 };
		size_t len = 0;

		if (next_record(p, left, &len) == NULL ||
			hf_audit_record_parse(&r, p, len) != HF_OK)
			return refuse(v, ei, "malformed");
		if (r.seq != v->tree.size)
			return refuse(v, ei, "wrong number: a record was removed or moved");
		hf_merkle_leaf(leaf, p, len);
		hf_merkle_add(&own, leaf);
		hf_merkle_add(&v->tree, leaf);
		v->last_hlc = r.hlc;
		p += len;
		left -= len;
	}
	hf_merkle_root(&own, root);
	if (own.size != b->n_records || !hf_ct_eq(root, b->root, sizeof(root)))
		return refuse(v, ei, "altered: the batch that ends here has another root");
	return HF_OK;
}

static hf_err check_heads(struct hf_audit_verify *v, struct hf_errinfo *ei)
{
	uint8_t root[HF_SM3_LEN];

	if (v->next_head == v->n_heads || v->heads[v->next_head].size > v->tree.size)
		return HF_OK;
	if (v->heads[v->next_head].size < v->tree.size)
		return refuse(v, ei, "a signed head lies inside a batch: the log was rewritten");
	hf_merkle_root(&v->tree, root);
	if (!hf_ct_eq(root, v->heads[v->next_head].root, sizeof(root)))
		return refuse(v, ei, "the signed head has another root: the log was rewritten");
	v->next_head++;
	return HF_OK;
}

static hf_err show(struct hf_audit_verify *v, const struct hf_audit_batch *b, struct hf_errinfo *ei)
{
	const uint8_t *p = b->payload;
	size_t left = b->payload_len;

	while (left > 0) {
		struct hf_audit_record r = { 0 };
		size_t len = hf_get_be16(p);

		HF_TRY(hf_audit_record_parse(&r, p, len));
		if (r.class_id == 'D' && define_name(v, &r) != HF_OK)
			return refuse(v, ei, "bad name definition in the batch that ends here");
		if (r.class_id != 'D' && v->visit != NULL)
			HF_TRY(v->visit(
				v->visit_ctx, &r, name_of(v, r.actor), name_of(v, r.subject)));
		p += len;
		left -= len;
	}
	return HF_OK;
}

hf_err hf_audit_verify_batch(
	struct hf_audit_verify *v, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	struct hf_audit_batch b = { 0 };

	if (v->failed != HF_OK)
		return v->failed;
	if (hf_audit_batch_parse(&b, in, in_len) != HF_OK)
		return refuse(v, ei, "the batch that begins here is malformed or altered");
	if (!hf_ct_eq(b.prev, v->prev, sizeof(b.prev)))
		return refuse(v, ei, "the batch that begins here does not follow the one before");
	if (b.first_seq != v->tree.size)
		return refuse(v, ei, "the batch that begins here has another number");
	HF_TRY(check_records(v, &b, ei));
	HF_TRY(check_heads(v, ei));
	memcpy(v->prev, b.hash, sizeof(v->prev));
	return show(v, &b, ei);
}

hf_err hf_audit_verify_done(struct hf_audit_verify *v, struct hf_errinfo *ei)
{
	if (v->failed != HF_OK)
		return v->failed;
	if (v->next_head == v->n_heads)
		return HF_OK;
	v->failed = HF_ERR_AUTH;
	return hf_fail(ei, HF_ERR_AUTH,
		"audit log %s: cut: a signed head covers %" PRIu64
		" records, the log ends after %" PRIu64,
		v->id, v->heads[v->n_heads - 1].size, v->tree.size);
}
