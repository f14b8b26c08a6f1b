/* SPDX-License-Identifier: Apache-2.0 */
/* Where something is fetched from in the plain: the one form of URL that is followed. */
#ifndef HF_HTTP_URL_H
#define HF_HTTP_URL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_URL_MAX = 1000, HF_URL_HOST_MAX = 253 };

struct hf_url {
	char host[HF_URL_HOST_MAX + 1]; /* a name or an address, an IPv6 one without brackets */
	uint16_t port;
	char path[HF_URL_MAX + 1]; /* with the query; "/" at least */
};

/*
 * Reads "http://HOST[:PORT][/PATH]" in printable ASCII. HF_ERR_UNSUPPORTED: another scheme.
 * HF_ERR_LIMIT: too long. HF_ERR_FORMAT: no URL, or one with a user or a fragment. On failure *out
 * is unchanged.
 */
HF_MUST_USE hf_err hf_url_parse(struct hf_url *out, const char *text, size_t text_len);

#endif
