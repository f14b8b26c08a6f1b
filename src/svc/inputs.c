/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each round reads and seals as many chunks as there are slots, on all workers, and then hands them
 * to the writer in order. With a base a stretch that is what it was is not sealed but pointed to,
 * and one that changed may be XORed with what it was, whichever codec makes it shorter.
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
	const struct hf_listed *at;
	struct hf_file_stat stat; /* when its header was read */
	struct hf_pkg_file file;
	struct hf_model_map map;
	bool is_strange; /* a model with something in it that this version does not know */
};

struct hf_inputs {
	const struct hf_env *env;
	const struct hf_inputs_spec *spec;
	struct hf_input_list list;
	struct input *files; /* list.n_files of them, in the same order */
	uint64_t total;      /* plaintext bytes */
	uint64_t done;
	uint32_t cut;
	struct hf_work work;
	/* the round that is being worked on */
	const struct hf_chunk_keys *keys;
	const struct input *file;
	struct hf_cut cuts[HF_WORK_SLOTS_MAX];
	struct hf_sealed sealed[HF_WORK_SLOTS_MAX];
	struct hf_base_match match[HF_WORK_SLOTS_MAX];
	struct hf_chunk_base xored[HF_WORK_SLOTS_MAX];
	bool is_same[HF_WORK_SLOTS_MAX];
	struct hf_buf bases; /* numbers in the base of the chunks that ours are XORed with */
	struct hf_inputs_totals totals;
};

enum { BASES_MAX = 1 << 28 }; /* bytes of bases */

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
	return hf_fail(
		ei, e, "%s: %s", in->at->shown, why.code == HF_OK ? hf_err_text(e) : why.text);
}

/* Opens one file and reads where its tensors lie; it is open again only while it is sealed. */
static hf_err load_input(const struct hf_env *env, struct input *in, struct hf_errinfo *ei)
{
	hf_err e;

	HF_TRY(hf_listed_open(&in->fd, in->at, ei));
	e = hf_file_fstat(&in->stat, in->fd, ei);
	if (e == HF_OK) {
		(void)snprintf(in->file.path, sizeof(in->file.path), "%s", in->at->name);
		in->file.len = in->stat.size;
		in->file.is_executable = (in->stat.mode & 0111) != 0;
		e = load_map(env, in, ei);
	}
	hf_file_close(&in->fd);
	return e;
}

/* The path of a file as one in the folder of the model says it; NULL: it lies elsewhere. */
static const char *beside(const struct input *model, const struct input *f)
{
	const char *slash = strrchr(model->file.path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - model->file.path) + 1;

	return strncmp(f->file.path, model->file.path, len) == 0 ? f->file.path + len : NULL;
}

/* Files in which an ONNX model keeps tensors are cut at those. */
static hf_err load_beside(struct hf_inputs *in, const struct input *model, struct hf_errinfo *ei)
{
	for (size_t i = 0; model->map.n_elsewhere > 0 && i < in->list.n_files; i++) {
		struct input *f = &in->files[i];
		const char *name = beside(model, f);
		struct hf_model_map map = { .n_tensors = 0 };

		if (f->map.format != HF_MODEL_UNKNOWN || name == NULL)
			continue;
		HF_TRY(hf_model_map_beside(&map, &model->map, name, f->file.len, ei));
		hf_model_map_clear(&f->map);
		f->map = map;
		f->file.format = (uint16_t)map.format;
	}
	return HF_OK;
}

static hf_err load_inputs(struct hf_inputs *in, struct hf_errinfo *ei)
{
	const struct hf_input_list_spec spec = { .paths = in->spec->files,
		.n_paths = in->spec->n_files,
		.keys = in->spec->keys,
		.n_keys = in->spec->n_keys };

	HF_TRY(hf_input_list_make(&in->list, in->env->mem, &spec, ei));
	in->files = hf_mem_array(in->env->mem, in->list.n_files, sizeof(*in->files));
	if (in->files == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < in->list.n_files; i++)
		in->files[i].fd = -1;
	for (size_t i = 0; i < in->list.n_files; i++) {
		in->files[i].at = &in->list.files[i];
		HF_TRY(load_input(in->env, &in->files[i], ei));
		in->total += in->files[i].file.len;
	}
	for (size_t i = 0; i < in->list.n_files; i++)
		if (in->files[i].map.format == HF_MODEL_ONNX)
			HF_TRY(load_beside(in, &in->files[i], ei));
	return HF_OK;
}

/* Is the stretch what it was? Else it may be XORed with that. */
static hf_err look_at_base(struct hf_inputs *in, size_t i)
{
	const struct hf_base_match *m = &in->match[i];
	struct hf_work_slot *slot = &in->work.slot[i];
	struct hf_sealed *out = &in->sealed[i];
	struct hf_chunk_base *x = &in->xored[i];

	HF_TRY(hf_base_read(in->spec->base, m, slot));
	in->is_same[i] = memcmp(slot->other, slot->plain, in->cuts[i].len) == 0;
	x->plain = slot->base;
	x->chunk = 0;
	memcpy(x->cid, m->has_anchor ? m->anchor_place.cid : m->place.cid, sizeof(x->cid));
	out->base = x;
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
	in->is_same[i] = false;
	if (in->match[i].has) {
		HF_TRY(look_at_base(in, i));
		if (in->is_same[i])
			return HF_OK;
	}
	return hf_chunk_seal(out, in->keys, &slot->codec, slot->plain, cut->len);
}

/* The number among our base chunks of chunk `no` of the base. Neighbours share one now and then. */
static hf_err base_number(struct hf_inputs *in, uint64_t no, uint64_t *out)
{
	uint64_t last = UINT64_MAX;
	size_t n = in->bases.len / sizeof(no);

	if (n > 0)
		memcpy(&last, in->bases.p + in->bases.len - sizeof(last), sizeof(last));
	*out = last == no ? n - 1 : n;
	return last == no ? HF_OK : hf_buf_put(&in->bases, &no, sizeof(no));
}

/* What is the base's, with the place in the file that it has now. */
static void point_to(struct hf_sealed *s, const struct hf_base_match *m)
{
	struct hf_chunk c = m->chunk;

	c.file = s->chunk.file;
	c.tensor = s->chunk.tensor;
	c.offset = s->chunk.offset;
	s->chunk = c;
	s->ct_len = m->place.len;
	memcpy(s->cid, m->place.cid, sizeof(s->cid));
	hf_wipe(&c, sizeof(c));
}

static hf_err put_known(struct hf_inputs *in, struct hf_pkg_writer *writer, struct hf_sealed *s,
	const struct hf_base_match *m)
{
	point_to(s, m);
	if (s->chunk.base != 0)
		HF_TRY(base_number(in, m->no, &s->chunk.base_chunk));
	in->totals.known_len += s->ct_len;
	HF_TRY(hf_base_use(in->spec->base, m->place.pack_id));
	return hf_pkg_writer_known(writer, s, &m->place);
}

/* One chunk of a round goes to the writer. */
static hf_err put_chunk(
	struct hf_inputs *in, struct hf_pkg_writer *writer, size_t i, struct hf_errinfo *ei)
{
	struct hf_sealed *s = &in->sealed[i];
	struct hf_base_match *m = &in->match[i];

	in->done += in->cuts[i].len;
	if (in->is_same[i])
		return put_known(in, writer, s, m);
	if (s->chunk.base != 0) {
		HF_TRY(base_number(in, m->no, &s->chunk.base_chunk));
	} else if (in->spec->base != NULL) {
		HF_TRY(hf_base_same(in->spec->base, m, s->cid, ei));
		if (m->has)
			return put_known(in, writer, s, m);
	}
	in->totals.new_len += s->ct_len;
	in->totals.coded_len += s->chunk.plain_len - s->chunk.encoded_len;
	return hf_pkg_writer_chunk(writer, s);
}

/* Where the cuts of a round were in the base. */
static hf_err find_cuts(
	struct hf_inputs *in, const struct input *f, size_t n, struct hf_errinfo *ei)
{
	uint64_t data_at = f->map.n_tensors > 0 ? f->map.tensors[0].offset : 0;

	for (size_t i = 0; i < n; i++) {
		in->match[i].has = false;
		if (in->spec->base != NULL)
			HF_TRY(hf_base_find(in->spec->base, &in->match[i], f->file.path,
				in->cuts[i].offset, in->cuts[i].len, data_at, ei));
	}
	return HF_OK;
}

static hf_err put_bases(struct hf_inputs *in, struct hf_pkg_writer *writer, struct hf_errinfo *ei)
{
	struct hf_sealed s = { .ct = NULL };
	struct hf_place place;
	uint64_t no;
	hf_err e = HF_OK;

	for (size_t at = 0; e == HF_OK && at < in->bases.len; at += sizeof(no)) {
		memcpy(&no, in->bases.p + at, sizeof(no));
		e = hf_base_chunk(in->spec->base, no, &s.chunk, &place, ei);
		if (e != HF_OK)
			break;
		s.ct_len = place.len;
		s.chunk.tensor = HF_CHUNK_NO_TENSOR;
		s.chunk.offset = 0;
		memcpy(s.cid, place.cid, sizeof(s.cid));
		e = hf_base_use(in->spec->base, place.pack_id);
		if (e == HF_OK)
			e = hf_pkg_writer_base(writer, &s, &place);
	}
	hf_wipe(&s, sizeof(s));
	return e;
}

static hf_err seal_chunks(struct hf_inputs *in, struct hf_pkg_writer *writer, const struct input *f,
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
		HF_TRY(find_cuts(in, f, n, ei));
		e = hf_work_run(&in->work, n, seal_job, in);
		for (size_t i = 0; e == HF_OK && i < n; i++)
			e = put_chunk(in, writer, i, ei);
		hf_wipe(in->sealed, sizeof(in->sealed));
		hf_wipe(in->match, sizeof(in->match));
		if (e != HF_OK)
			return hf_fail(ei, e, "%s: sealing failed: %s", f->at->shown,
				e == HF_ERR_TRUNCATED ? "the file shrank meanwhile"
						      : hf_err_text(e));
		HF_TRY(hf_work_show(&in->spec->progress, in->done, in->total, ei));
	}
}

/* Its tensors lie where they lay when its header was read, if nobody has changed it. */
static hf_err seal_file(
	struct hf_inputs *in, struct hf_pkg_writer *writer, struct input *f, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e;

	HF_TRY(hf_listed_open(&f->fd, f->at, ei));
	e = hf_file_fstat(&st, f->fd, ei);
	if (e == HF_OK && (st.inode != f->stat.inode || st.size != f->stat.size ||
				  st.mtime_s != f->stat.mtime_s))
		e = hf_fail(ei, HF_ERR_STATE, "%s: was changed meanwhile", f->at->shown);
	if (e == HF_OK)
		e = seal_chunks(in, writer, f, ei);
	hf_file_close(&f->fd);
	return e;
}

hf_err hf_inputs_new(struct hf_inputs **out, const struct hf_env *env,
	const struct hf_inputs_spec *spec, struct hf_errinfo *ei)
{
	struct hf_inputs *in;
	hf_err e;

	if (spec->cut != 0 && (spec->cut < HF_CUT_MIN || spec->cut > HF_CUT_MAX))
		return hf_fail(ei, HF_ERR_ARG, "chunks: %d to %d bytes", HF_CUT_MIN, HF_CUT_MAX);
	in = hf_mem_new(env->mem, sizeof(*in));
	if (in == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	in->env = env;
	in->spec = spec;
	in->cut = spec->cut == 0 ? HF_CUT_DEFAULT : spec->cut;
	hf_buf_init(&in->bases, env->mem, BASES_MAX);
	e = load_inputs(in, ei);
	if (e == HF_OK && !spec->is_look)
		e = hf_work_init(&in->work, env, hf_planner_chunk_max(in->cut),
			spec->no_compress ? HF_CODEC_ENCODE_NONE : HF_CODEC_ENCODE,
			spec->base != NULL, ei);
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
	for (size_t i = 0; in->files != NULL && i < in->list.n_files; i++) {
		hf_file_close(&in->files[i].fd);
		hf_model_map_clear(&in->files[i].map);
	}
	hf_mem_free(mem, in->files);
	hf_input_list_clear(&in->list);
	hf_buf_clear(&in->bases);
	hf_work_clear(&in->work);
	hf_wipe(in, sizeof(*in));
	hf_mem_free(mem, in);
}

size_t hf_inputs_count(const struct hf_inputs *in)
{
	return in->list.n_files;
}

const char *hf_inputs_get(
	const struct hf_model_map **map, const struct hf_inputs *in, size_t number)
{
	*map = &in->files[number].map;
	return in->files[number].file.path;
}

static bool has_file(const struct hf_inputs *in, const char *dir, size_t dir_len, const char *name)
{
	char path[HF_PKG_PATH_MAX + 1];
	size_t low = 0;
	size_t high = in->list.n_files;

	name += strncmp(name, "./", 2) == 0 ? 2 : 0;
	if (snprintf(path, sizeof(path), "%.*s%s", (int)dir_len, dir, name) >= (int)sizeof(path))
		return false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(in->list.files[mid].name, path);

		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* Tensors that a model keeps in files which are not here. */
static void note_missing(
	struct hf_inputs_notes *out, const struct hf_inputs *in, const struct input *f)
{
	const struct hf_tensor *t = f->map.tensors;
	const char *slash = strrchr(f->file.path, '/');
	size_t dir_len = slash == NULL ? 0 : (size_t)(slash - f->file.path) + 1;

	for (size_t i = f->map.n_tensors; i < f->map.n_tensors + f->map.n_elsewhere; i++)
		if (!has_file(in, f->file.path, dir_len, t[i].location) && out->n_missing++ == 0)
			(void)snprintf(out->missing, sizeof(out->missing), "%s", t[i].location);
}

void hf_inputs_totals(struct hf_inputs_totals *out, const struct hf_inputs *in)
{
	*out = in->totals;
}

void hf_inputs_notes(struct hf_inputs_notes *out, const struct hf_inputs *in)
{
	*out = (struct hf_inputs_notes){ .n_files = in->list.n_files };
	for (size_t i = 0; i < in->list.n_files; i++) {
		const struct input *f = &in->files[i];

		if (f->map.format == HF_MODEL_PICKLE && out->n_pickles++ == 0)
			memcpy(out->pickle, f->file.path, sizeof(out->pickle));
		if (f->is_strange && out->n_strange++ == 0)
			memcpy(out->strange, f->file.path, sizeof(out->strange));
		note_missing(out, in, f);
	}
}

hf_err hf_inputs_seal(struct hf_inputs *in, const struct hf_chunk_keys *keys,
	struct hf_pkg_writer *writer, struct hf_errinfo *ei)
{
	in->keys = keys;
	for (size_t i = 0; i < in->list.n_files; i++)
		HF_TRY(seal_file(in, writer, &in->files[i], ei));
	return put_bases(in, writer, ei);
}
