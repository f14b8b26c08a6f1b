/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: --name value, --name=value, switches, operands, and what follows "--". There are
 * two short forms: -h and -o.
 */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *hufu_arg_next(const struct hufu_args *a, const char *name, size_t *at)
{
	while (*at < a->n_opts) {
		size_t i = (*at)++;

		if (strcmp(a->opt[i].name, name) == 0)
			return a->opt[i].value;
	}
	return NULL;
}

const char *hufu_arg(const struct hufu_args *a, const char *name)
{
	const char *last = NULL;
	const char *value;
	size_t at = 0;

	while ((value = hufu_arg_next(a, name, &at)) != NULL)
		last = value;
	return last;
}

bool hufu_has(const struct hufu_args *a, const char *name)
{
	return hufu_arg(a, name) != NULL;
}

hf_err hufu_arg_u64(const struct hufu_args *a, const char *name, uint64_t fallback, uint64_t min,
	uint64_t max, uint64_t *out, struct hf_errinfo *ei)
{
	const char *text = hufu_arg(a, name);
	char *end = NULL;
	unsigned long long v;

	if (text == NULL) {
		*out = fallback;
		return HF_OK;
	}
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9' || v < min || v > max)
		return hf_fail(ei, HF_ERR_ARG,
			"--%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, name, text, min,
			max);
	*out = v;
	return HF_OK;
}

/* Every command has these two. */
static const struct hufu_opt opts_common[] = {
	{ "help", NULL, "show this help" },
	{ "quiet", NULL, "no progress on standard error" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt *find_opt(
	const struct hufu_opt *list, const char *name, size_t name_len)
{
	for (; list != NULL && list->name != NULL; list++)
		if (strlen(list->name) == name_len && memcmp(list->name, name, name_len) == 0)
			return list;
	return NULL;
}

/* The two options that have a short form; NULL: not one of them. */
static const char *long_form(const char *arg)
{
	return strcmp(arg, "-h") == 0 ? "--help" : strcmp(arg, "-o") == 0 ? "--out" : NULL;
}

/* One option; *i stands on it and is moved over a value of its own. */
static hf_err parse_opt(struct hufu_args *a, int argc, char **argv, int *i, struct hf_errinfo *ei)
{
	const char *is_short = long_form(argv[*i]);
	const char *name = (is_short == NULL ? argv[*i] : is_short) + 2;
	const char *equals = strchr(name, '=');
	size_t name_len = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct hufu_opt *o = find_opt(a->cmd->opts, name, name_len);
	const char *value = equals == NULL ? NULL : equals + 1;

	if (o == NULL)
		o = find_opt(opts_common, name, name_len);
	if (o == NULL)
		return hf_fail(ei, HF_ERR_ARG, "unknown option '%s'; see hufu %s --help", argv[*i],
			a->cmd->name);
	if (o->value == NULL && value != NULL)
		return hf_fail(ei, HF_ERR_ARG, "--%s takes no value", o->name);
	if (o->value != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return hf_fail(ei, HF_ERR_ARG, "--%s needs a value: %s", o->name, o->value);
		value = argv[++*i];
	}
	if (a->n_opts >= HUFU_OPTS_MAX)
		return hf_fail(ei, HF_ERR_ARG, "too many options");
	a->opt[a->n_opts].name = o->name;
	a->opt[a->n_opts].value = value == NULL ? "" : value;
	a->n_opts++;
	return HF_OK;
}

hf_err hufu_args_parse(struct hufu_args *a, const struct hufu_cmd *cmd, int argc, char **argv,
	struct hf_errinfo *ei)
{
	memset(a, 0, sizeof(*a));
	a->cmd = cmd;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			a->rest = argv + i + 1;
			break;
		}
		if (strncmp(argv[i], "--", 2) == 0 || long_form(argv[i]) != NULL) {
			HF_TRY(parse_opt(a, argc, argv, &i, ei));
			continue;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			return hf_fail(ei, HF_ERR_ARG, "unknown option '%s'; see hufu %s --help",
				argv[i], cmd->name);
		if (a->n_args == HUFU_ARGS_MAX)
			return hf_fail(ei, HF_ERR_ARG, "'%s': more than %d operands", argv[i],
				HUFU_ARGS_MAX);
		if (a->n_args == cmd->max_args)
			return hf_fail(ei, HF_ERR_ARG,
				"'%s' is one operand too many; usage: hufu %s %s", argv[i],
				cmd->name, cmd->usage);
		a->arg[a->n_args++] = argv[i];
	}
	if (a->n_args < cmd->min_args && !hufu_has(a, "help"))
		return hf_fail(ei, HF_ERR_ARG, "usage: hufu %s %s", cmd->name, cmd->usage);
	return HF_OK;
}

static void print_opts(const struct hufu_opt *list)
{
	char left[64];

	for (; list != NULL && list->name != NULL; list++) {
		(void)snprintf(left, sizeof(left), "--%s%s%s", list->name,
			list->value == NULL ? "" : " ", list->value == NULL ? "" : list->value);
		printf("  %-26s %s\n", left, list->help);
	}
}

void hufu_help_cmd(const struct hufu_cmd *cmd)
{
	printf("usage: hufu %s %s\n\n%s\n", cmd->name, cmd->usage, cmd->summary);
	if (cmd->help != NULL)
		printf("\n%s\n", cmd->help);
	printf("\noptions:\n");
	print_opts(cmd->opts);
	print_opts(opts_common);
}

void hufu_help_all(void)
{
	size_t n = 0;
	const struct hufu_cmd *cmd = hufu_cmd_table(&n);

	printf("usage: hufu COMMAND [OPTION]... [OPERAND]...\n\n"
	       "Moves AI models between cloud, edge and end devices with SM2, SM3 and SM4.\n\n"
	       "commands:\n");
	for (size_t i = 0; i < n; i++)
		printf("  %-16s %s\n", cmd[i].name, cmd[i].summary);
	printf("\n'hufu COMMAND --help' tells more. Exit codes: 0 done, 1 a check found "
	       "something,\n"
	       "2 usage, 3 resources, 4 bad input, 5 refused, 6 state, 7 system, 8 internal.\n");
}
