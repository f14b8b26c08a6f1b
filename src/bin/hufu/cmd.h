/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the tool: one table, one file a verb. A command gets its options parsed, does its
 * work through svc, and returns the error whose class becomes the exit code. What it was asked for
 * goes to standard output, everything else to standard error.
 */
#ifndef HF_BIN_HUFU_CMD_H
#define HF_BIN_HUFU_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "svc/env.h"

enum {
	HUFU_OPTS_MAX = 24,   /* options given on one command line */
	HUFU_ARGS_MAX = 1024, /* operands */
	/* Exit codes beside those of hf_err_exit(): the check ran and found something. */
	HUFU_EXIT_FOUND = 1,
	HUFU_EXIT_USAGE = 2,
};

struct hufu_opt {
	const char *name;  /* without the dashes */
	const char *value; /* what its value is called in the help, or NULL: a switch */
	const char *help;
};

struct hufu_cmd;

/* An option as it was given. */
struct hufu_given {
	const char *name;
	const char *value; /* "" for a switch */
};

/* A command line after parsing; strings are those of argv. */
struct hufu_args {
	const struct hufu_cmd *cmd;
	struct hufu_given opt[HUFU_OPTS_MAX];
	size_t n_opts;
	const char *arg[HUFU_ARGS_MAX];
	size_t n_args;
	char **rest; /* after "--", NULL-terminated; NULL if there was none */
};

struct hufu_cmd {
	const char *name;            /* one or two words */
	const char *summary;         /* for the list */
	const char *usage;           /* what follows the name */
	const char *help;            /* paragraphs; may be NULL */
	const struct hufu_opt *opts; /* ended by a row of NULL; may be NULL */
	size_t min_args;
	size_t max_args;
	bool runs_without_module; /* even if it failed its self-test */
	/* Returns the exit code. ei has the cause, which main prints if there is one. */
	int (*run)(const struct hufu_args *a, struct hf_errinfo *ei);
};

/* The command named by the first words of argv, and how many words that took; NULL: none. */
const struct hufu_cmd *hufu_cmd_find(int argc, char **argv, int *n_words);
const struct hufu_cmd *hufu_cmd_table(size_t *n);

/* Value of an option, or NULL if it was not given; the last one wins. */
const char *hufu_arg(const struct hufu_args *a, const char *name);

/* Each value of an option that may be repeated; *at starts at 0. NULL: no more. */
const char *hufu_arg_next(const struct hufu_args *a, const char *name, size_t *at);
bool hufu_has(const struct hufu_args *a, const char *name);

/* Value as a number with bounds. HF_ERR_ARG, with a text, if it is none. Absent: fallback. */
HF_MUST_USE hf_err hufu_arg_u64(const struct hufu_args *a, const char *name, uint64_t fallback,
	uint64_t min, uint64_t max, uint64_t *out, struct hf_errinfo *ei);

/*
 * Parses what follows the command's name. HF_ERR_ARG: an unknown option, a missing value, too few
 * or too many operands; ei says which.
 */
HF_MUST_USE hf_err hufu_args_parse(struct hufu_args *a, const struct hufu_cmd *cmd, int argc,
	char **argv, struct hf_errinfo *ei);

void hufu_help_cmd(const struct hufu_cmd *cmd);
void hufu_help_all(void);

/* Exit code of a command that ends with e. ei gets the words of e if it has none yet. */
int hufu_exit(hf_err e, struct hf_errinfo *ei);

/*
 * What a command needs that works on chunks or keys: a generator, a thread a processor, and a
 * process that nobody can look into. End it with hf_env_clear().
 */
HF_MUST_USE hf_err hufu_start(struct hf_env *env, struct hf_errinfo *ei);

/* One function a verb. */
int hufu_run_audit_show(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_audit_verify(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_bench_crypto(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_domain_init(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_domain_revoke(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_domain_token(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_open(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_publish(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_pull(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_push(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_run(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_seal(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_selftest(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_show(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_status(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_uploads_list(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_uploads_open(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_verify(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_version(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_check_random(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_check_vectors(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_policy_show(const struct hufu_args *a, struct hf_errinfo *ei);
#endif
