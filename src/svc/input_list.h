/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files go into a package, and under which names: those that were named, each by its last
 * component, and everything in the folders that were named, by its path below the folder.
 *
 *  1. A name is one of a file of a package (hf_pkg_path_is_valid), so it leads nowhere but below.
 *  2. No two names are the same where case and composition of characters do not count, nor are a
 *     file and a folder, nor two folders: the package opens to the same files everywhere.
 *  3. Folders have files and folders in them. A symbolic link stands for the file that it leads to
 *     if that lies in the same folder; every other link is refused, and so is what is neither.
 *  4. No folder that holds keys is among them.
 */
#ifndef HF_SVC_INPUT_LIST_H
#define HF_SVC_INPUT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "pkg/body.h"

enum {
	HF_INPUTS_MAX = 1024,                  /* operands */
	HF_INPUT_FILES_MAX = HF_PKG_FILES_MAX, /* files in all */
	HF_INPUT_DEPTH_MAX = 16,               /* folders in each other */
};

struct hf_listed {
	const char *shown; /* the whole path, for messages */
	const char *dir;   /* NULL: shown is a path of the user's, and links of it are followed */
	const char *below; /* else: the path below dir, without links */
	const char *name;  /* in the package */
};

struct hf_input_list {
	const struct hf_mem *mem;
	struct hf_listed *files; /* in ascending order of name */
	size_t n_files;
	struct hf_list_node *nodes; /* storage */
};

struct hf_input_list_spec {
	const char *const *paths;
	size_t n_paths;          /* 1 .. HF_INPUTS_MAX */
	const char *const *keys; /* folders whose content must not be in a package */
	size_t n_keys;
};

/*
 * End it with hf_input_list_clear(). HF_ERR_ARG: numbers out of range, no name for a file of a
 * package, two that are the same, nothing in a folder, neither file nor folder in one.
 * HF_ERR_LIMIT: too many files, too deep. HF_ERR_PERMISSION: a link out of its folder.
 * HF_ERR_DENIED: keys.
 */
HF_MUST_USE hf_err hf_input_list_make(struct hf_input_list *out, const struct hf_mem *mem,
	const struct hf_input_list_spec *spec, struct hf_errinfo *ei);

/* Accepts { 0 }. */
void hf_input_list_clear(struct hf_input_list *list);

/* A folder, or a symbolic link to one, as an operand may be. */
bool hf_input_is_folder(const char *path);

/* Opens one for reading. HF_ERR_ARG: not a regular file. */
HF_MUST_USE hf_err hf_listed_open(int *fd, const struct hf_listed *f, struct hf_errinfo *ei);

#endif
