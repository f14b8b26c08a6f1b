/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a model that this machine was granted, in memory. The node (hufud) must run: its key
 * process checks everything that a release must satisfy, records the opening, and gives the content
 * key; this library reads the sealed objects, checks every chunk and decrypts it here. Plaintext
 * never touches a disk: files lie in sealed memory files (memfd), which nobody can change.
 *
 *	struct hufu_model *model;
 *	struct hufu_error error;
 *	const void *bytes;
 *	size_t len;
 *
 *	if (hufu_model_open(&model, NULL, "digits", 0, &error) != HUFU_OK ||
 *		hufu_model_file(model, NULL, &bytes, &len, &error) != HUFU_OK)
 *		errx(1, "%s", error.text);
 *	...
 *	hufu_model_close(model);
 *
 * Any number of threads may use a model at once, except for hufu_model_close(). Where an argument
 * is the name of a file of the package, NULL means its only file. What a function gives (pointers,
 * descriptors, strings) belongs to the model and ends with it.
 *
 * Not guaranteed: protection from whoever may read the memory of this process.
 */
#ifndef HUFU_MODEL_H
#define HUFU_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <hufu/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Flags of hufu_model_open(). LAZY: nothing is decrypted until it is asked for; a file as a whole
 * by hufu_model_file(), _fd() and _path(), single chunks by hufu_model_read().
 */
#define HUFU_MODEL_LAZY 1u

enum { HUFU_PATH_MAX = 32 }; /* bytes of a path from hufu_model_path(), with its terminator */

struct hufu_model;

/*
 * Opens the active release of the lineage `name`. node_dir is the data folder of the node, NULL:
 * $HUFU_NODE, or else /var/lib/hufu. End it with hufu_model_close(). On failure *out is unchanged.
 *
 * HUFU_ERR_NOT_FOUND: no such folder, nothing of that lineage is active, or an object is missing.
 * HUFU_ERR_NET: no node runs there. HUFU_ERR_PERMISSION: this user may not. HUFU_ERR_AUTH: a byte
 * of the store is not what was signed; pull again. HUFU_ERR_DENIED, _EXPIRED, _STALE, _ROLLBACK,
 * _REVOKED: refused by the node. HUFU_ERR_DENIED also where the level demands that plaintext is
 * locked in memory and the system does not let this process lock so much (the text says what to
 * raise). HUFU_ERR_NO_MEMORY: the model does not fit.
 */
int hufu_model_open(struct hufu_model **out, const char *node_dir, const char *name, unsigned flags,
	struct hufu_error *error);

/* Closes, wipes keys, gives memory back. NULL is accepted. */
void hufu_model_close(struct hufu_model *model);

/* What was opened. */
const char *hufu_model_lineage(const struct hufu_model *model);
const char *hufu_model_version(const struct hufu_model *model); /* for people; may be "" */
uint64_t hufu_model_release(const struct hufu_model *model);    /* counter, from 1 */
unsigned hufu_model_level(const struct hufu_model *model);      /* 1 .. 3 */

/*
 * Its files, in ascending order of name; what was sealed as a folder has names with '/' in them
 * ("tokenizer/vocab.json"). There may be thousands, and each that is open takes a descriptor and
 * its memory: open such a model LAZY and ask for the files that are wanted. No folder with these
 * files exists anywhere, so a library that wants one, or opens further files beside the one that it
 * was given (the external data of an ONNX model), has to be handed each of them.
 */
size_t hufu_model_n_files(const struct hufu_model *model);

/* The name of file i; NULL: there are not so many. */
const char *hufu_model_file_name(const struct hufu_model *model, size_t i);

/*
 * Bytes of a file. HUFU_ERR_NOT_FOUND: no file of that name. HUFU_ERR_ARG: file is NULL and there
 * are several; the text names them. These two codes hold for all functions below.
 */
int hufu_model_size(
	const struct hufu_model *model, const char *file, uint64_t *size, struct hufu_error *error);

/* The whole file in memory, readable. Errors as hufu_model_open(). */
int hufu_model_file(struct hufu_model *model, const char *file, const void **bytes, size_t *len,
	struct hufu_error *error);

/*
 * The same as a descriptor, for mmap() and for children. It closes on exec: a dup() of it does not.
 * HUFU_ERR_FORMAT: an empty file has none.
 */
int hufu_model_fd(struct hufu_model *model, const char *file, int *fd, struct hufu_error *error);

/* A path ("/proc/self/fd/7") under which this process can open the file, for libraries that want
 * one. */
int hufu_model_path(struct hufu_model *model, const char *file, char path[HUFU_PATH_MAX],
	struct hufu_error *error);

/*
 * Reads up to len bytes at offset, as pread() does: *got is less than len only at the end of the
 * file, and 0 behind it. On a lazy model only the chunks that hold these bytes are read, checked
 * and decrypted. On failure nothing of out is left.
 */
int hufu_model_read(struct hufu_model *model, const char *file, uint64_t offset, void *out,
	size_t len, size_t *got, struct hufu_error *error);

#ifdef __cplusplus
}
#endif

#endif
