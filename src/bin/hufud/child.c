/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a child. */
#include <stdlib.h>
#include <string.h>

#include "crypto/module.h"
#include "os/cpu.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/process.h"
#include "os/unixsock.h"
#include "roles.h"

enum { TEXT_MAX = HUFUD_CONFIG_MAX + HF_PATH_MAX };

static hf_err read_text(struct hf_buf *text, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	uint8_t *room = NULL;

	if (hf_file_fstat(&st, HUFUD_FD_CONFIG, NULL) != HF_OK)
		return hf_fail(
			ei, HF_ERR_STATE, "this process is started by hufud itself, not by hand");
	if (st.size > TEXT_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "the configuration is too long");
	HF_TRY(hf_buf_room(text, &room, (size_t)st.size));
	return hf_file_pread(HUFUD_FD_CONFIG, room, (size_t)st.size, 0, ei);
}

static hf_err begin(struct hufud_child *c, struct hf_errinfo *ei)
{
	uint32_t cpu = 0;
	const char *path;
	size_t path_len;

	HF_TRY(hf_process_harden(ei));
	HF_TRY(hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), ei)); /* NOLINT(concurrency-mt-unsafe) */
	if (hf_module_start(cpu) != HF_OK)
		return hf_fail(ei, HF_ERR_SELF_TEST,
			"the cryptographic module failed its self-test '%s'; %s",
			hf_module()->failed, hf_module_advice());
	HF_TRY(read_text(&c->text, ei));
	path = (const char *)c->text.p;
	path_len = strnlen(path, c->text.len);
	if (path_len == c->text.len)
		return hf_fail(ei, HF_ERR_FORMAT, "the configuration was cut on its way");
	return hufud_config_parse(
		&c->config, path, path + path_len + 1, c->text.len - path_len - 1, ei);
}

hf_err hufud_child_init(struct hufud_child *c, const char *process, struct hf_errinfo *ei)
{
	hf_err e;

	hf_os_mem_thrifty();
	memset(c, 0, sizeof(*c));
	c->log.process = process;
	hf_buf_init(&c->text, hf_os_mem(), TEXT_MAX);
	e = begin(c, ei);
	if (e != HF_OK)
		hufud_child_clear(c);
	else
		c->log.node = c->config.node;
	return e;
}

void hufud_child_clear(struct hufud_child *c)
{
	hufud_config_clear(&c->config);
	hf_buf_clear(&c->text);
	hf_module_zeroize();
	c->log.node = NULL;
}

void hufud_child_ready(const struct hufud_child *c)
{
	hf_process_trim();
	/* A supervisor that is not there any more needs no message. */
	(void)!hf_msg_send(HUFUD_FD_READY, c->log.process, strlen(c->log.process), NULL, 0, NULL);
}
