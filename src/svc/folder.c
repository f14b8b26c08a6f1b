/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a data folder, read by whoever may: beside the node that runs there, without it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/heap.h"
#include "store/blob.h"
#include "svc/node.h"

enum { FOLDER_PATH_MAX = HF_PATH_MAX + HF_OBJECT_PATH_MAX };

/* An object of a folder, opened for reading. */
static hf_err folder_open(const char *dir, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	int *fd, uint64_t *size, struct hf_errinfo *ei)
{
	char object[HF_OBJECT_PATH_MAX];
	char path[FOLDER_PATH_MAX];
	struct hf_file_stat st;
	int f = -1;
	hf_err e;

	hf_object_path(object, kind, name);
	if (snprintf(path, sizeof(path), "%s/%s", dir, object) >= (int)sizeof(path))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	HF_TRY(hf_file_open(&f, path, HF_FILE_READ, 0, ei));
	e = hf_file_fstat(&st, f, ei);
	if (e != HF_OK) {
		hf_file_close(&f);
		return e;
	}
	*fd = f;
	*size = st.size;
	return HF_OK;
}

static hf_err folder_load(void *ctx, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	uint8_t *out, size_t *len, struct hf_errinfo *ei)
{
	uint64_t size = 0;
	int fd = -1;
	hf_err e;

	HF_TRY(folder_open(ctx, kind, name, &fd, &size, ei));
	if (size > *len)
		e = hf_fail(ei, HF_ERR_LIMIT, "%s: a %s of %" PRIu64 " bytes", (const char *)ctx,
			hf_object_kind(kind), size);
	else
		e = hf_file_pread(fd, out, (size_t)size, 0, ei);
	if (e == HF_OK)
		*len = (size_t)size;
	hf_file_close(&fd);
	return e;
}

static hf_err folder_read_at(void *ctx, const uint8_t pack[HF_SM3_LEN], uint8_t *out, size_t len,
	uint64_t offset, struct hf_errinfo *ei)
{
	uint64_t size = 0;
	int fd = -1;
	hf_err e;

	HF_TRY(folder_open(ctx, HF_OBJECT_PACK, pack, &fd, &size, ei));
	e = hf_file_pread(fd, out, len, offset, ei);
	hf_file_close(&fd);
	return e;
}

struct folder_walk {
	const char *dir;
	enum hf_object kind;
	hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len);
	void *visit_ctx;
	struct hf_errinfo *ei;
};

static hf_err folder_one(void *ctx, const char *text)
{
	const struct folder_walk *w = ctx;
	uint8_t name[HF_SM3_LEN];
	uint64_t size = 0;
	size_t len = 0;
	int fd = -1;
	hf_err e;

	if (!hf_blob_is_id(text) ||
		hf_hex_parse(name, sizeof(name), &len, text, strlen(text)) != HF_OK)
		return HF_OK; /* not ours: leave it alone */
	e = folder_open(w->dir, w->kind, name, &fd, &size, w->ei);
	hf_file_close(&fd);
	return e == HF_OK ? w->visit(w->visit_ctx, name, size) : e;
}

static hf_err folder_each(void *ctx, enum hf_object kind,
	hf_err (*visit)(void *visit_ctx, const uint8_t name[HF_SM3_LEN], uint64_t len),
	void *visit_ctx, struct hf_errinfo *ei)
{
	struct folder_walk w = { ctx, kind, visit, visit_ctx, ei };
	char path[FOLDER_PATH_MAX];
	struct hf_file_stat st;

	if (snprintf(path, sizeof(path), "%s/%s", w.dir, hf_object_kind(kind)) >= (int)sizeof(path))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", w.dir);
	if (hf_file_stat(&st, path, NULL) == HF_ERR_NOT_FOUND)
		return HF_OK; /* nothing of this kind has ever come */
	return hf_dir_list(hf_os_mem(), path, HF_BLOB_LIST_MAX, folder_one, &w, ei);
}

struct hf_objects hf_folder_objects(const char *dir)
{
	/* The callbacks take what was given; they never write through it. */
	union {
		const char *dir;
		void *ctx;
	} u = { .dir = dir };

	return (struct hf_objects){
		.load = folder_load, .read_at = folder_read_at, .each = folder_each, .ctx = u.ctx
	};
}
