/* SPDX-License-Identifier: Apache-2.0 */
/* A model as the library holds it, for its own files and for the tool. */
#ifndef HF_SDK_SDK_MODEL_H
#define HF_SDK_SDK_MODEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hufu/model.h>

#include "base/err.h"
#include "os/memfd.h"
#include "pkg/codec.h"
#include "pkg/index.h"
#include "pkg/pkg_reader.h"
#include "sdk/lockheap.h"
#include "svc/env.h"
#include "svc/objects.h"
#include "svc/party.h"
#include "svc/release.h"
#include "svc/work.h"

/* One file of the package; opened when memory.fd is there. */
struct hf_sdk_file {
	struct hf_pkg_file f;
	struct hf_memfd memory;
};

/* Reading chunk by chunk; made when it is first asked for. */
struct hf_sdk_reader {
	struct hf_pkg_reader *pages;
	struct hf_codec codec;
	uint8_t *sealed;                  /* a chunk as it is stored */
	uint8_t *plain;                   /* the chunk that was opened last */
	struct hf_pkg_reader *base_pages; /* both for releases with base chunks only */
	uint8_t *base;
	bool has_chunk;
	uint64_t chunk_no;
	uint32_t chunk_len;
};

struct hufu_model {
	pthread_mutex_t lock; /* of memory and reader */
	struct hf_env env;    /* its memory is locked where the level wants that */
	struct hf_lockheap locked;
	char node_dir[HF_PATH_MAX];
	char objects_dir[HF_PATH_MAX];
	struct hf_objects objects;
	struct hf_release release;
	enum hf_level level;        /* at which it runs: the higher of release and device */
	struct hf_index_keys *keys; /* NULL once all files are open */
	struct hf_sdk_file *files;
	size_t n_files;
	struct hf_sdk_reader reader;
	struct hf_work_progress progress;
};

struct hf_sdk_open {
	const char *node_dir; /* may be NULL */
	const char *name;
	unsigned flags;
	struct hf_work_progress progress; /* of opening whole files */
};

HF_MUST_USE hf_err hf_sdk_model_open(
	struct hufu_model **out, const struct hf_sdk_open *how, struct hf_errinfo *ei);

/* Opens file `number`, or all of them (SIZE_MAX), unless that has been done. Call with the lock. */
HF_MUST_USE hf_err hf_sdk_model_load(struct hufu_model *m, size_t number, struct hf_errinfo *ei);

/*
 * Says in ei why opening failed, and returns e. What an altered or missing object looks like is
 * recorded by the node, and the text says what to do.
 */
hf_err hf_sdk_refuse(
	const struct hufu_model *m, hf_err e, const struct hf_errinfo *why, struct hf_errinfo *ei);

/* The number of a file; name NULL: of the only one. */
HF_MUST_USE hf_err hf_sdk_model_find(
	const struct hufu_model *m, size_t *number, const char *name, struct hf_errinfo *ei);

/*
 * Up to len bytes at offset of file `number`, out of its chunks. Call with the lock. On failure out
 * has been zeroed.
 */
HF_MUST_USE hf_err hf_sdk_model_read(struct hufu_model *m, size_t number, uint64_t offset,
	uint8_t *out, size_t len, struct hf_errinfo *ei);

/* Why memory ran out: HF_ERR_DENIED where it has to be locked and cannot be. */
hf_err hf_sdk_no_memory(const struct hufu_model *m, struct hf_errinfo *ei);

/* Wipes and frees what reading took. Accepts { 0 }. */
void hf_sdk_reader_clear(struct hufu_model *m);

#endif
