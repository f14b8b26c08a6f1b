/* SPDX-License-Identifier: Apache-2.0 */
/* The node: looks at its arguments and becomes a supervisor, or one of the processes it starts. */
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "roles.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
	"usage: hufud --config FILE [--check]\n"
	"\n"
	"Runs a node of a Hufu domain: a hub, an edge or a device, as FILE says (hufud.yaml(5)).\n"
	"\n"
	"  --config FILE  the configuration\n"
	"  --check        read and check it, say what is wrong, start nothing\n"
	"  --version      print the version\n"
	"  --help         print this\n"
	"\n"
	"It stays in the foreground, writes diagnostics as key=value lines to standard error, and "
	"ends\n"
	"in an orderly way on SIGTERM and SIGINT. See hufud(8).\n";

static int usage(const char *what, const char *arg)
{
	fprintf(stderr, "hufud: %s%s; see hufud --help\n", what, arg);
	return EXIT_USAGE;
}

static int check(const char *path)
{
	struct hufud_config c = { 0 };
	struct hf_errinfo ei = { 0 };
	struct hf_buf text;
	hf_err e;

	hf_buf_init(&text, hf_os_mem(), HUFUD_CONFIG_MAX);
	e = hf_file_load(&text, path, &ei);
	if (e == HF_OK)
		e = hufud_config_parse(&c, path, (const char *)text.p, text.len, &ei);
	if (e == HF_OK)
		printf("%s: %s %s at level %d, ok\n", path, hf_role_name(c.role), c.node,
			(int)c.level);
	else
		fprintf(stderr, "hufud: %s [%s]\n", ei.text, hf_err_name(ei.code));
	hufud_config_clear(&c);
	hf_buf_clear(&text);
	if (e == HF_OK && fflush(stdout) != 0)
		e = HF_ERR_IO;
	return hf_err_exit(e);
}

int main(int argc, char **argv)
{
	const char *config = NULL;
	bool is_check = false;

	hf_process_begin();
	if (argc > 1 && strcmp(argv[1], HUFUD_AS_KEYD) == 0)
		return hufud_keyd();
	if (argc > 1 && strcmp(argv[1], HUFUD_AS_FRONT) == 0)
		return hufud_front();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return fflush(stdout) == 0 ? 0 : hf_err_exit(HF_ERR_IO);
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("hufud " HUFU_VERSION);
			return fflush(stdout) == 0 ? 0 : hf_err_exit(HF_ERR_IO);
		} else if (strcmp(argv[i], "--check") == 0) {
			is_check = true;
		} else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			config = argv[++i];
		} else if (strncmp(argv[i], "--config=", 9) == 0) {
			config = argv[i] + 9;
		} else {
			return usage("unknown or incomplete argument ", argv[i]);
		}
	}
	if (config == NULL)
		return usage("--config FILE is needed", "");
	return is_check ? check(config) : hufud_supervise(config);
}
