/* SPDX-License-Identifier: Apache-2.0 */
/* hufu domain revoke: certificates onto the revocation list, by the hub of this machine. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/unixsock.h"
#include "svc/key_client.h"
#include "svc/local.h"
#include "svc/local_client.h"

/* RFC 5280 5.3.1: those that are an end. */
static const struct {
	const char *name;
	unsigned reason;
} reasons[] = {
	{ "unspecified", 0 },
	{ "key-compromise", 1 },
	{ "affiliation-changed", 3 },
	{ "superseded", 4 },
	{ "cessation", 5 },
	{ "privilege-withdrawn", 9 },
};

static hf_err take_reason(unsigned *reason, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *name = hufu_arg(a, "reason");

	for (size_t i = 0; name != NULL && i < HF_COUNT(reasons); i++) {
		if (strcmp(reasons[i].name, name) == 0) {
			*reason = reasons[i].reason;
			return HF_OK;
		}
	}
	return hf_fail(ei, HF_ERR_ARG,
		"--reason: unspecified, key-compromise, affiliation-changed, superseded, cessation "
		"or privilege-withdrawn");
}

int hufu_run_domain_revoke(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_key_client c = { .mem = hf_os_mem(), .fd = -1 };
	const char *dir = hf_local_dir(hufu_arg(a, "node"));
	uint64_t number = 0;
	unsigned reason = 0;
	hf_err e;

	e = take_reason(&reason, a, ei);
	if (e == HF_OK)
		e = hf_local_connect(&c.fd, dir, HF_LOCAL_KEYD, ei);
	if (e == HF_OK)
		e = hf_unixsock_timeout(c.fd, HF_LOCAL_QUICK_MS);
	if (e == HF_OK)
		e = hf_key_revoke(&c, a->arg[0], reason, &number, ei);
	hf_file_close(&c.fd);
	if (e == HF_OK)
		printf("%s: revoked, revocation list %" PRIu64 "\n", a->arg[0], number);
	return hufu_exit(e, ei);
}
