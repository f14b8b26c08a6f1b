/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of hufu show: one function a kind of thing. Nothing here says whether to believe it. */
#ifndef HF_BIN_HUFU_SHOW_H
#define HF_BIN_HUFU_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "pkg/object.h"
#include "view.h"

/* Which signed object it is, by its first field. HF_ERR_FORMAT: none of ours. */
HF_MUST_USE hf_err hufu_show_which(
	enum hf_object *kind, struct hf_bytes object, struct hf_errinfo *ei);

/* The fields of a signed object, in the object that is open. */
HF_MUST_USE hf_err hufu_show_statement(
	struct hufu_view *v, enum hf_object kind, struct hf_bytes object, struct hf_errinfo *ei);

/* Table and index pages, key blobs, files of key slots: what is public about them. */
HF_MUST_USE hf_err hufu_show_table(
	struct hufu_view *v, struct hf_bytes page, bool with_chunks, struct hf_errinfo *ei);
HF_MUST_USE hf_err hufu_show_index(
	struct hufu_view *v, struct hf_bytes page, struct hf_errinfo *ei);
HF_MUST_USE hf_err hufu_show_blob(struct hufu_view *v, struct hf_bytes blob, struct hf_errinfo *ei);
HF_MUST_USE hf_err hufu_show_slots(
	struct hufu_view *v, struct hf_bytes slots, struct hf_errinfo *ei);

HF_MUST_USE hf_err hufu_show_cert(struct hufu_view *v, struct hf_bytes der, struct hf_errinfo *ei);

/* Certificates in PEM. */
HF_MUST_USE hf_err hufu_show_pem(struct hufu_view *v, struct hf_bytes text, struct hf_errinfo *ei);

/* The tensors of a model file; *is_model false: it is none, and nothing was shown. */
HF_MUST_USE hf_err hufu_show_model(struct hufu_view *v, int fd, const char *path, uint64_t file_len,
	bool *is_model, struct hf_errinfo *ei);

/* The files of a folder with their tensors, as they would be sealed. */
HF_MUST_USE hf_err hufu_show_folder(struct hufu_view *v, const char *path, struct hf_errinfo *ei);

/* A bundle file: members, statements, and each chunk's place if asked for. */
HF_MUST_USE hf_err hufu_show_bundle(
	struct hufu_view *v, const char *path, bool with_chunks, struct hf_errinfo *ei);

#endif
