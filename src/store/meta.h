/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node knows about its objects, devices and releases: one SQLite file. Typed rows in and
 * out, no SQL outside. A call that returned HF_OK is durable (outside of a transaction). One thread
 * at a time; other processes may read. Strings and bytes of a row shown to a callback are borrowed
 * and end with it. A callback may read, and must not write to the table it is walking; what it
 * returns other than HF_OK ends the walk and is returned. SQLite takes its memory from the heap.
 *
 * Codes common to all: HF_ERR_AGAIN another process held the file too long, try again;
 * HF_ERR_FULL nothing was written; HF_ERR_FORMAT the file is damaged or is no such file;
 * HF_ERR_LIMIT a number beyond 2^63 - 1 or a string too long; HF_ERR_NOT_FOUND no such row.
 */
#ifndef HF_STORE_META_H
#define HF_STORE_META_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	HF_META_NAME_MAX = 255,      /* bytes of a name or id */
	HF_META_BYTES_MAX = 1 << 24, /* bytes of one DER object */
	HF_META_BUSY_MS = 5000,      /* how long a call waits for another process */
};

struct hf_meta;

/* Opens or makes the file and brings its tables up to this version. HF_ERR_UNSUPPORTED: it is
 * newer. */
HF_MUST_USE hf_err hf_meta_new(
	struct hf_meta **m, const struct hf_mem *mem, const char *path, struct hf_errinfo *ei);
void hf_meta_free(struct hf_meta *m);

/* Several changes as one: all or none. Not nested (HF_ERR_STATE). */
HF_MUST_USE hf_err hf_meta_begin(struct hf_meta *m, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_commit(struct hf_meta *m, struct hf_errinfo *ei);
void hf_meta_rollback(struct hf_meta *m); /* does nothing outside of one */

/* Objects: what blob.h holds, with its age. */
struct hf_meta_object {
	const char *kind;
	const char *id;
	uint64_t size;
	uint64_t created_s;
};
typedef hf_err hf_meta_object_fn(void *ctx, const struct hf_meta_object *row);
/* An object that is there keeps its row. */
HF_MUST_USE hf_err hf_meta_object_put(
	struct hf_meta *m, const struct hf_meta_object *row, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_object_delete(
	struct hf_meta *m, const char *kind, const char *id, struct hf_errinfo *ei);
/* Oldest first, at most limit rows. */
HF_MUST_USE hf_err hf_meta_object_list(struct hf_meta *m, const char *kind, size_t limit,
	hf_meta_object_fn *each, void *ctx, struct hf_errinfo *ei);

/* Releases of a lineage. */
struct hf_meta_release {
	const char *lineage;
	uint64_t release;
	const char *manifest;
	uint64_t level;
	uint64_t created_s;
	uint64_t floor;      /* as its manifest says */
	const char *deposit; /* hub: name of the deposit that goes with it; NULL, "": none */
};
typedef hf_err hf_meta_release_fn(void *ctx, const struct hf_meta_release *row);
/* HF_ERR_EXISTS: this number of the lineage is taken. */
HF_MUST_USE hf_err hf_meta_release_put(
	struct hf_meta *m, const struct hf_meta_release *row, struct hf_errinfo *ei);
/* Newest first; lineage NULL: all, by lineage. */
HF_MUST_USE hf_err hf_meta_release_list(struct hf_meta *m, const char *lineage, size_t limit,
	hf_meta_release_fn *each, void *ctx, struct hf_errinfo *ei);

/* Devices. */
struct hf_meta_device {
	const char *id;
	uint64_t level;
	uint64_t state; /* the numbers are svc's */
	uint64_t enrolled_s;
	struct hf_bytes sign_cert; /* DER */
	struct hf_bytes enc_cert;  /* DER */
};
typedef hf_err hf_meta_device_fn(void *ctx, const struct hf_meta_device *row);
/* Makes or replaces the row. */
HF_MUST_USE hf_err hf_meta_device_put(
	struct hf_meta *m, const struct hf_meta_device *row, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_device_state(
	struct hf_meta *m, const char *id, uint64_t state, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_device_get(struct hf_meta *m, const char *id, hf_meta_device_fn *each,
	void *ctx, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_device_list(
	struct hf_meta *m, size_t limit, hf_meta_device_fn *each, void *ctx, struct hf_errinfo *ei);

/* Enrolment tokens. A token binds to the first key it is used with. */
HF_MUST_USE hf_err hf_meta_token_put(struct hf_meta *m, const char *id, uint64_t expires_s,
	uint64_t uses, struct hf_errinfo *ei);
/*
 * Uses it with a key. The same key again is HF_OK and costs no use. HF_ERR_EXPIRED; HF_ERR_DENIED:
 * no use left, or bound to another key (raise the alarm).
 */
HF_MUST_USE hf_err hf_meta_token_use(struct hf_meta *m, const char *id, struct hf_bytes key_digest,
	uint64_t now_s, struct hf_errinfo *ei);

/* Grants and receipts: signed objects of a device about a manifest. */
struct hf_meta_signed {
	const char *id;
	const char *device;
	const char *manifest;
	uint64_t time_s; /* grant: not after; receipt: when it came */
	struct hf_bytes der;
};
typedef hf_err hf_meta_signed_fn(void *ctx, const struct hf_meta_signed *row);
/* HF_ERR_EXISTS: this id is there. */
HF_MUST_USE hf_err hf_meta_grant_put(
	struct hf_meta *m, const struct hf_meta_signed *row, struct hf_errinfo *ei);
/* The one that holds longest. */
HF_MUST_USE hf_err hf_meta_grant_get(struct hf_meta *m, const char *device, const char *manifest,
	hf_meta_signed_fn *each, void *ctx, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_receipt_put(
	struct hf_meta *m, const struct hf_meta_signed *row, struct hf_errinfo *ei);
/* Newest first. */
HF_MUST_USE hf_err hf_meta_receipt_list(struct hf_meta *m, const char *device, size_t limit,
	hf_meta_signed_fn *each, void *ctx, struct hf_errinfo *ei);

/* Named signed objects with a number that only rises: channels, inventories of devices. */
struct hf_meta_serial {
	const char *name;
	uint64_t serial;
	struct hf_bytes der;
};
typedef hf_err hf_meta_serial_fn(void *ctx, const struct hf_meta_serial *row);
/* HF_ERR_ROLLBACK: the number is lower, or the same with other bytes; the row stays. */
HF_MUST_USE hf_err hf_meta_channel_put(
	struct hf_meta *m, const struct hf_meta_serial *row, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_channel_get(struct hf_meta *m, const char *name, hf_meta_serial_fn *each,
	void *ctx, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_inventory_put(
	struct hf_meta *m, const struct hf_meta_serial *row, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_inventory_get(struct hf_meta *m, const char *device,
	hf_meta_serial_fn *each, void *ctx, struct hf_errinfo *ei);

/* Uploads of devices. */
struct hf_meta_upload {
	const char *id;
	const char *device;
	uint64_t size;
	uint64_t state; /* the numbers are svc's */
	uint64_t received_s;
};
typedef hf_err hf_meta_upload_fn(void *ctx, const struct hf_meta_upload *row);
/* Makes or replaces the row. */
HF_MUST_USE hf_err hf_meta_upload_put(
	struct hf_meta *m, const struct hf_meta_upload *row, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_meta_upload_get(struct hf_meta *m, const char *id, hf_meta_upload_fn *each,
	void *ctx, struct hf_errinfo *ei);
/* Oldest first; device NULL: all. */
HF_MUST_USE hf_err hf_meta_upload_list(struct hf_meta *m, const char *device, size_t limit,
	hf_meta_upload_fn *each, void *ctx, struct hf_errinfo *ei);

/* Counters that never go back. One that was never raised is 0. */
HF_MUST_USE hf_err hf_meta_counter_get(
	struct hf_meta *m, uint64_t *value, const char *name, struct hf_errinfo *ei);
/* HF_ERR_ROLLBACK: value is lower than what is there. */
HF_MUST_USE hf_err hf_meta_counter_raise(
	struct hf_meta *m, const char *name, uint64_t value, struct hf_errinfo *ei);
/* Adds one and gives the new value. */
HF_MUST_USE hf_err hf_meta_counter_next(
	struct hf_meta *m, uint64_t *value, const char *name, struct hf_errinfo *ei);

#endif
