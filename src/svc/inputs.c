/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each round reads and seals as many chunks as there are slots, on all workers, and then hands them
 * to the writer in order.
 */
#include "svc/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "model/model_map.h"
#include "os/file.h"
#include "pkg/planner.h"

enum { HEAD_MAX = 32 << 20 }; /* bytes of a model's header that are read into memory */

/* One input file. */
struct input {
	int fd;
	const char *path;
	struct hf_pkg_file file;
	struct hf_model_map map;
	bool is_strange; /* a model with something in it that this version does not know */
};

struct hf_inputs {
	const struct hf_env *env;
	const struct hf_inputs_spec *spec;
	struct input *files;
	uint64_t total; /* plaintext bytes */
	uint64_t done;
	uint32_t cut;
	struct hf_work work;
	/* the round that is being worked on */
	const struct hf_chunk_keys *keys;
	const struct input *file;
	struct hf_cut cuts[HF_WORK_SLOTS_MAX];
	struct hf_sealed sealed[HF_WORK_SLOTS_MAX];
};

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int input_order(const void *a, const void *b)
{
	const struct input *x = a;
	const struct input *y = b;

	return strcmp(x->file.path, y->file.path);
}

static hf_err read_input(void *ctx, uint8_t *out, size_t len, uint64_t at)
{
	const struct input *in = ctx;

	return hf_file_pread(in->fd, out, len, at, NULL);
}

/* Where the tensors of a file lie. What this version does not know of a format has no map. */
static hf_err load_map(const struct hf_env *env, struct input *in, struct hf_errinfo *ei)
{
	const struct hf_model_source src = { read_input, in, in->file.len };
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e = hf_model_map_read(&in->map, &src, HEAD_MAX, env->mem, &why);

	in->is_strange = e == HF_ERR_UNSUPPORTED;
	if (in->is_strange)
		e = hf_model_map_parse(
			&in->map, HF_MODEL_UNKNOWN, NULL, 0, 0, in->file.len, env->mem, ei);
	in->file.format = (uint16_t)in->map.format;
	if (e == HF_OK)
		return HF_OK;
	return hf_fail(ei, e, "%s: %s", in->path, why.code == HF_OK ? hf_err_text(e) : why.text);
}

/* Opens one file and reads where its tensors lie. */
static hf_err load_input(const struct hf_env *env, struct input *in, struct hf_errinfo *ei)
{
	struct hf_file_stat st;

	HF_TRY(hf_file_open(&in->fd, in->path, HF_FILE_READ | HF_FILE_FOLLOW, 0, ei));
	HF_TRY(hf_file_fstat(&st, in->fd, ei));
	if (!st.is_file)
		return hf_fail(ei, HF_ERR_ARG, "%s: not a regular file", in->path);
	if (snprintf(in->file.path, sizeof(in->file.path), "%s", last_component(in->path)) >=
			(int)sizeof(in->file.path) ||
		!hf_pkg_path_is_valid(hf_bytes_str(in->file.path)))
		return hf_fail(ei, HF_ERR_ARG,
			"%s: no name for a file of a package: UTF-8 without control characters, "
			"'\\' and ':', at most %d bytes",
			in->path, HF_PKG_PATH_MAX);
	in->file.len = st.size;
	in->file.is_executable = (st.mode & 0111) != 0;
	return load_map(env, in, ei);
}

/* Files in which an ONNX model keeps tensors are cut at those. */
static hf_err load_beside(struct hf_inputs *in, const struct input *model, struct hf_errinfo *ei)
{
	for (size_t i = 0; model->map.n_elsewhere > 0 && i < in->spec->n_files; i++) {
		struct input *f = &in->files[i];
		struct hf_model_map map = { .n_tensors = 0 };

		if (f->map.format != HF_MODEL_UNKNOWN)
			continue;
		HF_TRY(hf_model_map_beside(&map, &model->map, f->file.path, f->file.len, ei));
		hf_model_map_clear(&f->map);
		f->map = map;
		f->file.format = (uint16_t)map.format;
	}
	return HF_OK;
}

static hf_err load_inputs(struct hf_inputs *in, struct hf_errinfo *ei)
{
	in->files = hf_mem_array(in->env->mem, in->spec->n_files, sizeof(*in->files));
	if (in->files == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < in->spec->n_files; i++)
		in->files[i].fd = -1;
	for (size_t i = 0; i < in->spec->n_files; i++) {
		in->files[i].path = in->spec->files[i];
		HF_TRY(load_input(in->env, &in->files[i], ei));
		in->total += in->files[i].file.len;
	}
	qsort(in->files, in->spec->n_files, sizeof(*in->files), input_order);
	for (size_t i = 1; i < in->spec->n_files; i++)
		if (strcmp(in->files[i - 1].file.path, in->files[i].file.path) == 0)
			return hf_fail(ei, HF_ERR_ARG, "two files are called '%s'",
				in->files[i].file.path);
	for (size_t i = 0; i < in->spec->n_files; i++)
		if (in->files[i].map.format == HF_MODEL_ONNX)
			HF_TRY(load_beside(in, &in->files[i], ei));
	return HF_OK;
}

static hf_err seal_job(void *ctx, size_t i)
{
	struct hf_inputs *in = ctx;
	struct hf_work_slot *slot = &in->work.slot[i];
	struct hf_sealed *out = &in->sealed[i];
	const struct hf_cut *cut = &in->cuts[i];

	memset(out, 0, sizeof(*out));
	out->ct = slot->sealed;
	out->ct_cap = in->work.plain_cap + HF_CHUNK_TAG_LEN;
	out->chunk.tensor = cut->tensor;
	out->chunk.offset = cut->offset;
	out->chunk.file = (uint32_t)(in->file - in->files);
	HF_TRY(hf_file_pread(in->file->fd, slot->plain, cut->len, cut->offset, NULL));
	return hf_chunk_seal(out, in->keys, &slot->codec, slot->plain, cut->len);
}

static hf_err seal_file(struct hf_inputs *in, struct hf_pkg_writer *writer, const struct input *f,
	struct hf_errinfo *ei)
{
	struct hf_planner planner;
	hf_err e;

	in->file = f;
	HF_TRY(hf_planner_init(&planner, &f->map, f->file.len, in->cut));
	HF_TRY(hf_pkg_writer_file(writer, &f->file));
	for (;;) {
		size_t n = 0;

		while (n < in->work.n_slots && hf_planner_next(&planner, &in->cuts[n]))
			n++;
		if (n == 0)
			return HF_OK;
		e = hf_work_run(&in->work, n, seal_job, in);
		for (size_t i = 0; e == HF_OK && i < n; i++) {
			e = hf_pkg_writer_chunk(writer, &in->sealed[i]);
			in->done += in->cuts[i].len;
		}
		hf_wipe(in->sealed, sizeof(in->sealed));
		if (e != HF_OK)
			return hf_fail(ei, e, "%s: sealing failed: %s", f->path,
				e == HF_ERR_TRUNCATED ? "the file shrank meanwhile"
						      : hf_err_text(e));
		HF_TRY(hf_work_show(&in->spec->progress, in->done, in->total, ei));
	}
}

hf_err hf_inputs_new(struct hf_inputs **out, const struct hf_env *env,
	const struct hf_inputs_spec *spec, struct hf_errinfo *ei)
{
	struct hf_inputs *in;
	hf_err e;

	if (spec->n_files == 0 || spec->n_files > HF_INPUTS_MAX)
		return hf_fail(ei, HF_ERR_ARG, "files: 1 to %d", HF_INPUTS_MAX);
	if (spec->cut != 0 && (spec->cut < HF_CUT_MIN || spec->cut > HF_CUT_MAX))
		return hf_fail(ei, HF_ERR_ARG, "chunks: %d to %d bytes", HF_CUT_MIN, HF_CUT_MAX);
	in = hf_mem_new(env->mem, sizeof(*in));
	if (in == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	in->env = env;
	in->spec = spec;
	in->cut = spec->cut == 0 ? HF_CUT_DEFAULT : spec->cut;
	e = load_inputs(in, ei);
	if (e == HF_OK)
		e = hf_work_init(&in->work, env, hf_planner_chunk_max(in->cut),
			spec->no_compress ? HF_CODEC_ENCODE_NONE : HF_CODEC_ENCODE, ei);
	if (e != HF_OK) {
		hf_inputs_free(in);
		return e;
	}
	*out = in;
	return HF_OK;
}

void hf_inputs_free(struct hf_inputs *in)
{
	const struct hf_mem *mem;

	if (in == NULL)
		return;
	mem = in->env->mem;
	for (size_t i = 0; in->files != NULL && i < in->spec->n_files; i++) {
		hf_file_close(&in->files[i].fd);
		hf_model_map_clear(&in->files[i].map);
	}
	hf_mem_free(mem, in->files);
	hf_work_clear(&in->work);
	hf_wipe(in, sizeof(*in));
	hf_mem_free(mem, in);
}

void hf_inputs_notes(struct hf_inputs_notes *out, const struct hf_inputs *in)
{
	*out = (struct hf_inputs_notes){ .n_pickles = 0 };
	for (size_t i = 0; i < in->spec->n_files; i++) {
		const struct input *f = &in->files[i];

		if (f->map.format == HF_MODEL_PICKLE && out->n_pickles++ == 0)
			memcpy(out->pickle, f->file.path, sizeof(out->pickle));
		if (f->is_strange && out->n_strange++ == 0)
			memcpy(out->strange, f->file.path, sizeof(out->strange));
	}
}

hf_err hf_inputs_seal(struct hf_inputs *in, const struct hf_chunk_keys *keys,
	struct hf_pkg_writer *writer, struct hf_errinfo *ei)
{
	in->keys = keys;
	for (size_t i = 0; i < in->spec->n_files; i++)
		HF_TRY(seal_file(in, writer, &in->files[i], ei));
	return HF_OK;
}
