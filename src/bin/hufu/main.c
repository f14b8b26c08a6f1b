/* SPDX-License-Identifier: Apache-2.0 */
/* The tool: finds the command, parses its options, runs it, says what went wrong. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "crypto/module.h"
#include "os/cpu.h"

static const struct hufu_opt opts_json[] = {
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

/* clang-format off */
static const struct hufu_cmd commands[] = {
	{ .name = "check vectors", .usage = "[--json] FILE...", .opts = opts_json,
	  .min_args = 1, .max_args = HUFU_ARGS_MAX,
	  .summary = "run files of test vectors against the ciphers that are built in",
	  .help = "Tells per file and algorithm how many cases passed, failed or were skipped, and why.\n"
		  "Exit codes: 0 nothing failed, 1 something did, 4 a file cannot be read.",
	  .run = hufu_run_check_vectors },
	{ .name = "policy show", .usage = "[--json]", .opts = opts_json,
	  .summary = "print the level table that every refusal names",
	  .run = hufu_run_policy_show },
	{ .name = "version", .usage = "[--json]", .opts = opts_json,
	  .summary = "print the version, the chosen kernels and the self-test's state",
	  .run = hufu_run_version },
};
/* clang-format on */

const struct hufu_cmd *hufu_cmd_table(size_t *n)
{
	*n = HF_COUNT(commands);
	return commands;
}

/* How many of argv's first words are the command's name; 0 if they are not. */
static int match(const char *name, int argc, char **argv)
{
	int words = 0;

	while (words < argc) {
		size_t len = strlen(argv[words]);

		if (strncmp(name, argv[words], len) != 0)
			return 0;
		words++;
		if (name[len] == '\0')
			return words;
		if (name[len] != ' ')
			return 0;
		name += len + 1;
	}
	return 0;
}

const struct hufu_cmd *hufu_cmd_find(int argc, char **argv, int *n_words)
{
	for (size_t i = 0; i < HF_COUNT(commands); i++) {
		*n_words = match(commands[i].name, argc, argv);
		if (*n_words > 0)
			return &commands[i];
	}
	return NULL;
}

/* The commands that begin with this word, when the second one is missing or wrong. */
static bool print_group(const char *word)
{
	size_t len = strlen(word);
	bool any = false;

	for (size_t i = 0; i < HF_COUNT(commands); i++) {
		if (strncmp(commands[i].name, word, len) == 0 && commands[i].name[len] == ' ') {
			fprintf(stderr, "%s  hufu %s %s\n", any ? "" : "usage:\n", commands[i].name,
				commands[i].usage);
			any = true;
		}
	}
	return any;
}

static int no_command(const char *word)
{
	if (!print_group(word))
		fprintf(stderr, "hufu: no command '%s'; 'hufu --help' lists them\n", word);
	return HUFU_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct hufu_cmd *cmd;
	struct hufu_args args;
	struct hf_errinfo ei = { .code = HF_OK };
	int n_words = 0;
	int status;

	if (argc < 2) {
		hufu_help_all();
		return HUFU_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		hufu_help_all();
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	cmd = hufu_cmd_find(argc - 1, argv + 1, &n_words);
	if (cmd == NULL)
		return no_command(argv[1]);
	if (hufu_args_parse(&args, cmd, argc - 1 - n_words, argv + 1 + n_words, &ei) != HF_OK) {
		fprintf(stderr, "hufu %s: %s\n", cmd->name, ei.text);
		return HUFU_EXIT_USAGE;
	}
	if (hufu_has(&args, "help")) {
		hufu_help_cmd(cmd);
		return 0;
	}
	if (hf_module_start(hf_os_cpu()) != HF_OK) {
		fprintf(stderr,
			"hufu: the cryptographic module failed its self-test '%s'; do not use it\n",
			hf_module()->failed);
		return hf_err_exit(HF_ERR_SELF_TEST);
	}
	status = cmd->run(&args, &ei);
	if (ei.code != HF_OK)
		fprintf(stderr, "hufu %s: %s [%s]\n", cmd->name, ei.text, hf_err_name(ei.code));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "hufu %s: standard output: write failed\n", cmd->name);
		return status == 0 ? hf_err_exit(HF_ERR_IO) : status;
	}
	return status;
}
