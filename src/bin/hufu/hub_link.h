/* SPDX-License-Identifier: Apache-2.0 */
/* A link to a hub, as a publisher, for bringing one release there. */
#ifndef HF_BIN_HUFU_HUB_LINK_H
#define HF_BIN_HUFU_HUB_LINK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "progress.h"
#include "svc/env.h"
#include "svc/objects.h"
#include "svc/party.h"
#include "svc/release.h"

enum { HUFU_HOST_MAX = 256 }; /* bytes of a host name, with its terminator */

struct hufu_hub_push {
	const struct hf_env *env;
	const struct hf_party *party; /* the publisher that speaks to the hub */
	const struct hf_sm2_key *key; /* its signing key */
	const char *hub;              /* "host:port" or "[address]:port" */
	const struct hf_release *release;
	struct hufu_progress *bar;
};

/* Parses where a hub is. HF_ERR_ARG. */
HF_MUST_USE hf_err hufu_host_port(
	char host[HUFU_HOST_MAX], uint16_t *port, const char *text, struct hf_errinfo *ei);

/*
 * Connects, checks that the other end is the hub of the party's domain, brings everything of the
 * release and appends the hub's answer (JSON). HF_ERR_CLOSED: the user stopped it. Others: what the
 * hub said, or why the link failed.
 */
HF_MUST_USE hf_err hufu_hub_push(
	struct hf_buf *answer, const struct hufu_hub_push *what, struct hf_errinfo *ei);

#endif
