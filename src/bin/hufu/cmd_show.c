/* SPDX-License-Identifier: Apache-2.0 */
/* hufu show: what a file is, told by its first bytes, and what stands in it. Believes nothing. */
#include <string.h>

#include "cmd.h"
#include "os/file.h"
#include "os/heap.h"
#include "pkg/bundle.h"
#include "pkg/index.h"
#include "pkg/table.h"
#include "pki/cert.h"
#include "show.h"
#include "svc/input_list.h"

enum { FIRST_LEN = 16 };

struct file {
	const char *path;
	int fd;
	uint64_t len;
	uint8_t first[FIRST_LEN];
	size_t first_len;
	bool with_chunks;
};

static bool begins(const struct file *f, const char *with, size_t len)
{
	return f->first_len >= len && memcmp(f->first, with, len) == 0;
}

/* A signed object or a certificate. */
static hf_err show_der(struct hufu_view *v, struct hf_bytes der, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	enum hf_object kind;
	struct hf_cert cert;

	if (hf_cert_parse(&cert, der.p, der.len, NULL) == HF_OK)
		return hufu_show_cert(v, der, ei);
	if (hufu_show_which(&kind, der, &why) != HF_OK)
		return hf_fail(ei, why.code, "%s", why.text);
	hufu_view_str(v, "kind", hf_object_kind(kind));
	return hufu_show_statement(v, kind, der, ei);
}

/* What fits into memory as a whole. */
static hf_err show_loaded(
	struct hufu_view *v, const struct file *f, struct hf_bytes bytes, struct hf_errinfo *ei)
{
	if (begins(f, "-----BEGIN", 10))
		return hufu_show_pem(v, bytes, ei);
	if (begins(f, HF_TABLE_MAGIC, HF_TABLE_MAGIC_LEN))
		return hufu_show_table(v, bytes, f->with_chunks, ei);
	if (begins(f, HF_INDEX_MAGIC, HF_INDEX_MAGIC_LEN))
		return hufu_show_index(v, bytes, ei);
	if (begins(f, "HFKB", 4))
		return hufu_show_blob(v, bytes, ei);
	if (begins(f, "HFSL", 4))
		return hufu_show_slots(v, bytes, ei);
	if (begins(f, "\x30", 1))
		return show_der(v, bytes, ei);
	return hf_fail(
		ei, HF_ERR_FORMAT, "neither bundle, object, certificate, key file nor model");
}

static hf_err show_file(struct hufu_view *v, const struct file *f, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	bool is_model = false;
	struct hf_buf bytes;
	hf_err e;

	if (begins(f, HF_BUNDLE_MARK, sizeof(HF_BUNDLE_MARK)))
		return hufu_show_bundle(v, f->path, f->with_chunks, ei);
	e = hufu_show_model(v, f->fd, f->path, f->len, &is_model, ei);
	if (is_model)
		return e;
	hf_buf_init(&bytes, hf_os_mem(), hf_object_max(HF_OBJECT_MANIFEST));
	e = hf_file_load_input(&bytes, f->path, ei);
	if (e == HF_OK) {
		e = show_loaded(v, f, (struct hf_bytes){ bytes.p, bytes.len }, &why);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: %s", f->path,
				why.code == HF_OK ? hf_err_text(e) : why.text);
	}
	hf_buf_clear(&bytes);
	return e;
}

static int run_folder(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hufu_view v;
	hf_err e;

	hufu_view_begin(&v, hufu_has(a, "json"));
	hufu_view_str(&v, "path", a->arg[0]);
	e = hufu_show_folder(&v, a->arg[0], ei);
	if (e == HF_OK)
		e = hufu_view_done(&v, ei);
	else
		hufu_view_drop(&v);
	return hufu_exit(e, ei);
}

int hufu_run_show(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct file f = { .path = a->arg[0], .fd = -1, .with_chunks = hufu_has(a, "chunks") };
	struct hf_file_stat st;
	struct hufu_view v;
	hf_err e;

	if (hf_input_is_folder(f.path))
		return run_folder(a, ei);
	e = hf_file_open(&f.fd, f.path, HF_FILE_READ | HF_FILE_FOLLOW, 0, ei);
	if (e == HF_OK)
		e = hf_file_fstat(&st, f.fd, ei);
	if (e == HF_OK) {
		f.len = st.size;
		f.first_len = st.size < FIRST_LEN ? (size_t)st.size : FIRST_LEN;
		e = hf_file_pread(f.fd, f.first, f.first_len, 0, ei);
	}
	if (e == HF_OK) {
		hufu_view_begin(&v, hufu_has(a, "json"));
		hufu_view_str(&v, "path", f.path);
		e = show_file(&v, &f, ei);
		if (e == HF_OK)
			e = hufu_view_done(&v, ei);
		else
			hufu_view_drop(&v);
	}
	hf_file_close(&f.fd);
	return hufu_exit(e, ei);
}
