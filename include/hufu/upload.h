/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending data up to the hub: training increments, inference records. Files are sealed to the hub
 * and signed by this device, and wait in the node's outbox until the node has brought them there.
 */
#ifndef HUFU_UPLOAD_H
#define HUFU_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <hufu/err.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hufu_upload_kind {
	HUFU_UPLOAD_INCREMENT = 1, /* training increment */
	HUFU_UPLOAD_RECORDS = 2,   /* inference records */
	HUFU_UPLOAD_OTHER = 3
};

struct hufu_upload {
	const char *node_dir; /* data folder; NULL: $HUFU_NODE, or else /var/lib/hufu */
	/*
	 * Paths. A file travels under its last component, what is in a folder under its path below
	 * the folder; links out of it, other things than files, and more than 4096 files are
	 * refused.
	 */
	const char *const *files;
	size_t n_files; /* 1 .. 1024 */
	enum hufu_upload_kind kind;
	const char *lineage; /* what it belongs to; NULL: nothing */
	uint64_t release;    /* of that lineage; 0 without lineage */
};

/*
 * Seals the files into the outbox. On return the upload is durable and needs the files no more;
 * *counter (may be NULL) tells this device's uploads apart. The node sends it when it can.
 *
 * HUFU_ERR_NET: no node runs there. HUFU_ERR_PERMISSION: this user may not write to the outbox.
 * HUFU_ERR_AGAIN: another upload is being sealed. HUFU_ERR_FULL: no space. On failure nothing is
 * left in the outbox.
 */
int hufu_push(const struct hufu_upload *upload, uint64_t *counter, struct hufu_error *error);

#ifdef __cplusplus
}
#endif

#endif
