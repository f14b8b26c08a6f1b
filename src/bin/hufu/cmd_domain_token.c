/* SPDX-License-Identifier: Apache-2.0 */
/* hufu domain token: an enrolment token for one device, made by the hub of this machine. */
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "cmd.h"
#include "keys/token.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/unixsock.h"
#include "svc/key_client.h"
#include "svc/local.h"
#include "svc/local_client.h"

enum { HOUR_S = 3600, HOURS_DEFAULT = 24, HOURS_MAX = 24 * 365 };

/* A node that makes none says so before it is asked for one. */
static hf_err check_hub(struct hf_key_client *c, const char *dir, struct hf_errinfo *ei)
{
	struct hf_key_status s;

	HF_TRY(hf_key_status(c, &s, ei));
	if (s.identity.role != HF_ROLE_HUB)
		return hf_fail(ei, HF_ERR_STATE, "%s: is a %s; tokens are made where the hub runs",
			dir,
			s.identity.domain[0] == '\0' ? "newcomer" : hf_role_name(s.identity.role));
	return HF_OK;
}

static hf_err make_token(
	char text[HF_TOKEN_TEXT_MAX], const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_key_client c = { .mem = hf_os_mem(), .fd = -1 };
	const char *device = hufu_arg(a, "device");
	const char *role = hufu_arg(a, "role");
	const char *dir = hf_local_dir(hufu_arg(a, "node"));
	uint64_t level = HF_L1;
	uint64_t hours = HOURS_DEFAULT;
	hf_err e;

	if (device == NULL || !hf_id_is_valid(device))
		return hf_fail(ei, HF_ERR_ARG,
			"--device: the id of the new member, of letters, digits, '.', '_' and '-'");
	if (role == NULL || (strcmp(role, "device") != 0 && strcmp(role, "edge") != 0))
		return hf_fail(ei, HF_ERR_ARG, "--role: device or edge");
	HF_TRY(hufu_arg_u64(a, "level", HF_L1, HF_L1, HF_L3, &level, ei));
	HF_TRY(hufu_arg_u64(a, "expires", HOURS_DEFAULT, 1, HOURS_MAX, &hours, ei));
	HF_TRY(hf_local_connect(&c.fd, dir, HF_LOCAL_KEYD, ei));
	e = hf_unixsock_timeout(c.fd, HF_LOCAL_QUICK_MS);
	if (e == HF_OK)
		e = check_hub(&c, dir, ei);
	if (e == HF_OK)
		e = hf_key_make_token(
			&c, device, role, (enum hf_level)level, hours * HOUR_S, text, ei);
	hf_file_close(&c.fd);
	return e;
}

int hufu_run_domain_token(const struct hufu_args *a, struct hf_errinfo *ei)
{
	char text[HF_TOKEN_TEXT_MAX];
	hf_err e = make_token(text, a, ei);

	if (e == HF_OK)
		printf("%s\n", text);
	hf_wipe(text, sizeof(text));
	return hufu_exit(e, ei);
}
