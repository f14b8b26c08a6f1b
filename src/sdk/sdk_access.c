/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of a model (hufu/model.h). */
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "sdk/sdk_err.h"
#include "sdk/sdk_model.h"

HF_EXPORT int hufu_model_open(struct hufu_model **out, const char *node_dir, const char *name,
	unsigned flags, struct hufu_error *error)
{
	struct hf_sdk_open how = { .node_dir = node_dir, .name = name, .flags = flags };
	struct hf_errinfo ei = { .code = HF_OK };

	return hf_sdk_result(hf_sdk_model_open(out, &how, &ei), &ei, error);
}

HF_EXPORT const char *hufu_model_lineage(const struct hufu_model *model)
{
	return model->release.manifest.lineage;
}

HF_EXPORT const char *hufu_model_version(const struct hufu_model *model)
{
	return model->release.manifest.version;
}

HF_EXPORT uint64_t hufu_model_release(const struct hufu_model *model)
{
	return model->release.manifest.release;
}

HF_EXPORT unsigned hufu_model_level(const struct hufu_model *model)
{
	return (unsigned)model->level;
}

HF_EXPORT size_t hufu_model_n_files(const struct hufu_model *model)
{
	return model->n_files;
}

HF_EXPORT const char *hufu_model_file_name(const struct hufu_model *model, size_t i)
{
	return i < model->n_files ? model->files[i].f.path : NULL;
}

HF_EXPORT int hufu_model_size(
	const struct hufu_model *model, const char *file, uint64_t *size, struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };
	size_t number = 0;
	hf_err e = hf_sdk_model_find(model, &number, file, &ei);

	if (e == HF_OK)
		*size = model->files[number].f.len;
	return hf_sdk_result(e, &ei, error);
}

/* The file in memory; opened now if it has not been. */
static hf_err get_file(struct hufu_model *m, const struct hf_sdk_file **out, const char *name,
	struct hf_errinfo *ei)
{
	size_t number = 0;
	hf_err e;

	HF_TRY(hf_sdk_model_find(m, &number, name, ei));
	(void)pthread_mutex_lock(&m->lock);
	e = hf_sdk_model_load(m, number, ei);
	(void)pthread_mutex_unlock(&m->lock);
	if (e == HF_OK)
		*out = &m->files[number];
	return e;
}

HF_EXPORT int hufu_model_file(struct hufu_model *model, const char *file, const void **bytes,
	size_t *len, struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };
	const struct hf_sdk_file *f = NULL;
	hf_err e = get_file(model, &f, file, &ei);

	if (e == HF_OK) {
		*bytes = f->f.len == 0 ? "" : (const void *)f->memory.map;
		*len = f->memory.len;
	}
	return hf_sdk_result(e, &ei, error);
}

static hf_err get_fd(struct hufu_model *m, const char *file, int *fd, struct hf_errinfo *ei)
{
	const struct hf_sdk_file *f = NULL;

	HF_TRY(get_file(m, &f, file, ei));
	if (f->f.len == 0)
		return hf_fail(
			ei, HF_ERR_FORMAT, "%s is empty: there is no memory file of it", f->f.path);
	*fd = f->memory.fd;
	return HF_OK;
}

HF_EXPORT int hufu_model_fd(
	struct hufu_model *model, const char *file, int *fd, struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };

	return hf_sdk_result(get_fd(model, file, fd, &ei), &ei, error);
}

_Static_assert((int)HUFU_PATH_MAX == (int)HF_MEMFD_PATH_MAX, "paths have the same room");

HF_EXPORT int hufu_model_path(struct hufu_model *model, const char *file, char path[HUFU_PATH_MAX],
	struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };
	int fd = -1;
	hf_err e = get_fd(model, file, &fd, &ei);

	if (e == HF_OK)
		hf_memfd_path(path, fd);
	return hf_sdk_result(e, &ei, error);
}

/* len bytes that the file has. */
static hf_err read_bytes(struct hufu_model *m, size_t number, uint64_t offset, void *out,
	size_t len, struct hf_errinfo *ei)
{
	const struct hf_sdk_file *f = &m->files[number];
	hf_err e = HF_OK;

	(void)pthread_mutex_lock(&m->lock);
	if (f->memory.map != NULL)
		memcpy(out, f->memory.map + offset, len);
	else
		e = hf_sdk_model_read(m, number, offset, out, len, ei);
	(void)pthread_mutex_unlock(&m->lock);
	return e;
}

HF_EXPORT int hufu_model_read(struct hufu_model *model, const char *file, uint64_t offset,
	void *out, size_t len, size_t *got, struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };
	size_t number = 0;
	size_t n = 0;
	hf_err e = hf_sdk_model_find(model, &number, file, &ei);

	if (e == HF_OK && offset < model->files[number].f.len) {
		uint64_t left = model->files[number].f.len - offset;

		n = left < len ? (size_t)left : len;
		e = read_bytes(model, number, offset, out, n, &ei);
	}
	if (e == HF_OK)
		*got = n;
	return hf_sdk_result(e, &ei, error);
}
