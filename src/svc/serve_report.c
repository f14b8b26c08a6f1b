/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices say of themselves and send up: receipts, inventories, uploads. All of it is signed
 * by the device, so it does not matter who brings it; who brings something of another device must
 * be an edge all the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"
#include "pkg/receipt.h"
#include "svc/api_json.h"
#include "svc/serve_inner.h"

static void answer_nothing(const struct serve_req *r)
{
	static const uint8_t empty[] = { '{', '}' };

	hf_serve_reply(r, 200, HF_TYPE_JSON, (struct hf_bytes){ empty, sizeof(empty) });
}

static void name_device(char out[HF_AUDIT_NAME_MAX], const char *device)
{
	(void)snprintf(out, HF_AUDIT_NAME_MAX, "device:%s", device);
}

static hf_err check_domain(const struct hf_serve *s, const char *domain, struct hf_errinfo *ei)
{
	if (strcmp(domain, s->node->party.identity.domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "of domain %s, not of %s", domain,
			s->node->party.identity.domain);
	return HF_OK;
}

/* Signed by the device that it names, about a release that is known here. */
static hf_err check_receipt(struct hf_receipt *out, const struct hf_serve_session *session,
	struct hf_bytes object, struct hf_errinfo *ei)
{
	struct hf_serve *s = session->serve;
	struct hf_bytes content;

	HF_TRY(hf_object_peek(&content, HF_OBJECT_RECEIPT, object, ei));
	HF_TRY(hf_receipt_parse(out, content, ei));
	HF_TRY(hf_serve_speaks_for(session, out->device, ei));
	HF_TRY(hf_serve_device_open(&content, s, out->device, HF_OBJECT_RECEIPT, object, ei));
	HF_TRY(hf_receipt_parse(out, content, ei));
	HF_TRY(check_domain(s, out->domain, ei));
	return hf_serve_release_known(s, out->lineage, out->release, out->manifest, NULL, ei);
}

/* Ends a transaction: what is on the record is in the tables, and the other way round. */
static hf_err settle(struct hf_meta *meta, hf_err e)
{
	if (e == HF_OK)
		e = hf_meta_commit(meta, NULL);
	if (e != HF_OK)
		hf_meta_rollback(meta);
	return e;
}

static hf_err keep_receipt(
	const struct serve_req *r, const struct hf_receipt *in, struct hf_bytes object)
{
	struct hf_meta *meta = r->session->serve->node->meta;
	uint8_t name[HF_SM3_LEN];
	char id[SERVE_ID_TEXT];
	char manifest[SERVE_ID_TEXT];
	char subject[HF_AUDIT_NAME_MAX];
	const struct hf_meta_signed row = { .id = id,
		.device = in->device,
		.manifest = manifest,
		.time_s = hf_clock_wall_s(),
		.der = object };
	const struct serve_note note = { .event = HF_EV_MODEL_RECEIPT,
		.subject = subject,
		.lineage = in->lineage,
		.release = in->release,
		.manifest = in->manifest };
	hf_err e;

	hf_object_name(name, object.p, object.len);
	hf_hex_emit(id, name, sizeof(name));
	hf_hex_emit(manifest, in->manifest, sizeof(in->manifest));
	name_device(subject, in->device);
	HF_TRY(hf_meta_begin(meta, NULL));
	e = hf_meta_receipt_put(meta, &row, NULL);
	if (e == HF_OK)
		e = hf_serve_record(r, &note, NULL);
	e = settle(meta, e);
	return e == HF_ERR_EXISTS ? HF_OK : e; /* the same one twice is the same as once */
}

void hf_serve_on_receipt(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_bytes object = { q->body, q->body_len };
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_receipt in;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = check_receipt(&in, session, object, &ei);
	if (e == HF_OK)
		e = keep_receipt(&r, &in, object);
	if (e == HF_OK)
		answer_nothing(&r);
	else
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
}

/*
 * A place for a nonce: a free one, or one whose time is over; an asker that has its share loses its
 * oldest, and so does everybody when all are taken.
 */
static struct serve_nonce *nonce_place(struct hf_serve *s, const char *asker, uint64_t now_ms)
{
	struct serve_nonce *free_one = NULL;
	struct serve_nonce *own = NULL;
	struct serve_nonce *oldest = &s->nonces[0];
	unsigned n_own = 0;

	for (unsigned i = 0; i < SERVE_NONCES_MAX; i++) {
		struct serve_nonce *n = &s->nonces[i];

		if (n->end_ms <= now_ms) {
			free_one = n;
			continue;
		}
		if (n->end_ms < oldest->end_ms)
			oldest = n;
		if (strcmp(n->asker, asker) != 0)
			continue;
		n_own++;
		if (own == NULL || n->end_ms < own->end_ms)
			own = n;
	}
	if (n_own >= SERVE_NONCES_EACH)
		return own;
	return free_one != NULL ? free_one : oldest;
}

/* Good once: it is gone when it was found. HF_ERR_STALE: not ours, used, or too old. */
static hf_err nonce_use(
	struct hf_serve *s, const uint8_t nonce[SERVE_TRACE_LEN], struct hf_errinfo *ei)
{
	uint64_t now_ms = hf_clock_mono_ms();

	for (unsigned i = 0; i < SERVE_NONCES_MAX; i++) {
		struct serve_nonce *n = &s->nonces[i];

		if (n->end_ms <= now_ms || memcmp(n->nonce, nonce, sizeof(n->nonce)) != 0)
			continue;
		n->end_ms = 0;
		return HF_OK;
	}
	return hf_fail(
		ei, HF_ERR_STALE, "the nonce is none of this hub's, or was used; get a new one");
}

void hf_serve_on_nonce(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_serve *s = session->serve;
	uint64_t now_ms = hf_clock_mono_ms();
	struct serve_nonce n = { .end_ms = now_ms + SERVE_NONCE_MS };
	struct hf_buf body;
	struct hf_json_wr j;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = hf_rng_fill(&s->node->env->rng, n.nonce, sizeof(n.nonce));
	if (e != HF_OK) {
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, NULL);
		return;
	}
	memcpy(n.asker, session->identity.id, sizeof(n.asker));
	*nonce_place(s, n.asker, now_ms) = n;
	hf_buf_init(&body, s->mem, 256);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "nonce");
	hf_json_wr_hex(&j, n.nonce, sizeof(n.nonce));
	hf_json_wr_end(&j);
	hf_serve_reply_json(&r, &body, hf_json_wr_done(&j));
	hf_buf_clear(&body);
}

static hf_err check_inventory(struct hf_inventory *out, const struct hf_serve_session *session,
	struct hf_bytes object, struct hf_errinfo *ei)
{
	struct hf_serve *s = session->serve;
	struct hf_bytes content;

	HF_TRY(hf_object_peek(&content, HF_OBJECT_INVENTORY, object, ei));
	HF_TRY(hf_inventory_parse(out, content, ei));
	HF_TRY(hf_serve_speaks_for(session, out->device, ei));
	HF_TRY(hf_serve_device_open(&content, s, out->device, HF_OBJECT_INVENTORY, object, ei));
	HF_TRY(hf_inventory_parse(out, content, ei));
	HF_TRY(check_domain(s, out->domain, ei));
	return nonce_use(s, out->nonce, ei);
}

/* The floor that an inventory shows for a lineage: the highest of its items; 0: none. */
static uint64_t floor_of(const struct hf_inventory *inv, const char *lineage)
{
	struct hf_bytes rest = inv->items;
	struct hf_inventory_item item;
	uint64_t floor = 0;

	while (hf_inventory_item_take(&item, &rest) == HF_OK)
		if (strcmp(item.lineage, lineage) == 0 && item.floor > floor)
			floor = item.floor;
	return floor;
}

/* What the device showed last time, against what it shows now. */
struct last_look {
	const struct hf_inventory *now;
	const char *went_back; /* what did; NULL: nothing */
	char lineage[HF_ID_MAX + 1];
};

static hf_err look_at_last(void *ctx, const struct hf_meta_serial *row)
{
	struct last_look *l = ctx;
	struct hf_inventory_item item;
	struct hf_inventory last;
	struct hf_bytes content;
	struct hf_bytes rest;

	if (hf_object_peek(&content, HF_OBJECT_INVENTORY, row->der, NULL) != HF_OK ||
		hf_inventory_parse(&last, content, NULL) != HF_OK)
		return HF_OK;
	if (l->now->root_version < last.root_version)
		l->went_back = "root version";
	else if (l->now->channel_serial < last.channel_serial)
		l->went_back = "channel serial";
	rest = last.items;
	while (l->went_back == NULL && hf_inventory_item_take(&item, &rest) == HF_OK)
		if (floor_of(l->now, item.lineage) < item.floor) {
			l->went_back = "floor";
			memcpy(l->lineage, item.lineage, sizeof(l->lineage));
		}
	return HF_OK;
}

/*
 * A device whose counters went back was put back to an older state, or copied: an alarm, but it is
 * answered, so that it goes on reporting. A serial above ours: it is the hub that went back.
 */
static hf_err compare_inventory(
	const struct serve_req *r, const struct hf_inventory *inv, const char *subject)
{
	struct hf_serve *s = r->session->serve;
	struct last_look l = { .now = inv };
	char code[SERVE_WHAT_MAX];
	const struct serve_note note = { .event = HF_EV_MODEL_REFUSED,
		.result = HF_RESULT_DENIED,
		.reason = HF_ERR_ROLLBACK,
		.subject = subject,
		.lineage = l.lineage,
		.code = code };
	hf_err e = hf_meta_inventory_get(s->node->meta, inv->device, look_at_last, &l, NULL);

	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		return e;
	if (l.went_back == NULL &&
		inv->channel_serial > (s->channel == NULL ? 0 : s->channel->serial))
		l.went_back = "channel of this hub";
	if (l.went_back == NULL)
		return HF_OK;
	(void)snprintf(code, sizeof(code), "rollback: %s", l.went_back);
	s->stats.n_refused++;
	return hf_serve_record(r, &note, NULL);
}

static hf_err keep_inventory(
	const struct serve_req *r, const struct hf_inventory *inv, struct hf_bytes object)
{
	struct hf_meta *meta = r->session->serve->node->meta;
	char subject[HF_AUDIT_NAME_MAX];
	char counter[HF_ID_MAX + sizeof("inventory/")];
	struct hf_meta_serial row = { .name = inv->device, .der = object };
	const struct serve_note note = { .event = HF_EV_MODEL_INVENTORY,
		.subject = subject,
		.code = inv->event[0] != '\0' ? inv->event : NULL };
	hf_err e;

	name_device(subject, inv->device);
	(void)snprintf(counter, sizeof(counter), "inventory/%s", inv->device);
	HF_TRY(compare_inventory(r, inv, subject));
	HF_TRY(hf_meta_begin(meta, NULL));
	e = hf_meta_counter_next(meta, &row.serial, counter, NULL);
	if (e == HF_OK)
		e = hf_meta_inventory_put(meta, &row, NULL);
	if (e == HF_OK)
		e = hf_serve_record(r, &note, NULL);
	return settle(meta, e);
}

void hf_serve_on_inventory(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_bytes object = { q->body, q->body_len };
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_inventory inv;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = check_inventory(&inv, session, object, &ei);
	if (e == HF_OK)
		e = keep_inventory(&r, &inv, object);
	if (e == HF_OK)
		answer_nothing(&r);
	else
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
}

static hf_err look_at_upload(void *ctx, const struct hf_meta_upload *row)
{
	bool *is_taken = ctx;

	*is_taken = row->state == SERVE_UPLOAD_TAKEN;
	return HF_OK;
}

/* One counter of a device names one upload: a second one shows a copied or set-back device. */
static hf_err take_counter(struct hf_serve *s, const struct hf_upload *u, struct hf_errinfo *ei)
{
	char name[2 * HF_ID_MAX + sizeof("upload//18446744073709551615")];
	uint64_t taken = 0;

	(void)snprintf(name, sizeof(name), "upload/%s/%" PRIu64, u->device, u->counter);
	HF_TRY(hf_meta_counter_get(s->node->meta, &taken, name, NULL));
	if (taken != 0)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"upload %" PRIu64 " of %s was taken before, with other content", u->counter,
			u->device);
	return hf_meta_counter_raise(s->node->meta, name, 1, NULL);
}

/* In a transaction that is open. */
static hf_err write_upload(
	const struct serve_req *r, const struct serve_intake *in, struct hf_errinfo *ei)
{
	struct hf_serve *s = r->session->serve;
	const struct hf_upload *u = &in->upload;
	char id[SERVE_ID_TEXT];
	char subject[HF_AUDIT_NAME_MAX];
	const struct hf_meta_upload row = { .id = id,
		.device = u->device,
		.size = u->body.sealed_len,
		.state = SERVE_UPLOAD_TAKEN,
		.received_s = hf_clock_wall_s() };
	const struct serve_note note = { .event = HF_EV_MODEL_UPLOAD,
		.level = u->level,
		.subject = subject,
		.lineage = u->lineage,
		.release = u->release,
		.bytes = u->body.sealed_len };

	hf_hex_emit(id, in->name, sizeof(in->name));
	name_device(subject, u->device);
	HF_TRY(take_counter(s, u, ei));
	HF_TRY(hf_meta_upload_put(s->node->meta, &row, NULL));
	return hf_serve_record(r, &note, ei);
}

static hf_err take_upload(
	const struct serve_req *r, const struct serve_intake *in, struct hf_errinfo *ei)
{
	struct hf_serve *s = r->session->serve;
	char id[SERVE_ID_TEXT];
	bool is_taken = false;
	hf_err e;

	HF_TRY(hf_serve_speaks_for(r->session, in->upload.device, ei));
	hf_hex_emit(id, in->name, sizeof(in->name));
	e = hf_meta_upload_get(s->node->meta, id, look_at_upload, &is_taken, NULL);
	if (e != HF_ERR_NOT_FOUND && (e != HF_OK || is_taken))
		return e;
	HF_TRY(hf_serve_intake_whole(in, s, ei));
	HF_TRY(hf_meta_begin(s->node->meta, NULL));
	e = write_upload(r, in, ei);
	return settle(s->node->meta, e);
}

static void answer_upload(const struct serve_req *r, const struct hf_upload *u)
{
	struct hf_buf body;
	struct hf_json_wr j;

	hf_buf_init(&body, r->session->serve->mem, 256);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "counter");
	hf_json_wr_u64(&j, u->counter);
	hf_json_wr_end(&j);
	hf_serve_reply_json(r, &body, hf_json_wr_done(&j));
	hf_buf_clear(&body);
}

void hf_serve_on_upload(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_errinfo ei = { .code = HF_OK };
	struct serve_intake *in = NULL;
	uint8_t name[HF_SM3_LEN];
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = hf_api_name_parse(name, "upload", (struct hf_bytes){ q->body, q->body_len }, &ei);
	if (e == HF_OK)
		e = hf_serve_intake_get(&in, session->serve, HF_OBJECT_UPLOAD, name, &ei);
	if (e == HF_OK)
		e = take_upload(&r, in, &ei);
	if (e != HF_OK) {
		hf_serve_refuse(&r, HF_EV_MODEL_REFUSED, e, &ei);
		return;
	}
	answer_upload(&r, &in->upload);
	hf_serve_intake_drop(in);
}
