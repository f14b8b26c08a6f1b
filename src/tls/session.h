/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client keeps to resume a link of TLS 1.3: a ticket of the server, the key that goes with
 * it, and the server's certificates. hf_tls_session_take() gives one after the server sent it,
 * hf_tls_start.session offers it. It holds a secret as worth keeping as that of the link itself.
 */
#ifndef HF_TLS_SESSION_H
#define HF_TLS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum { HF_TLS_SESSION_EMIT_MAX = 32768 }; /* bytes of a session that was put away */

struct hf_tls_session;

/* Wipes and frees. Accepts NULL. */
void hf_tls_session_free(struct hf_tls_session *s);

/* False: it is too old at this time, or it may be offered once and was. */
bool hf_tls_session_is_fit(const struct hf_tls_session *s, uint64_t now_s);

/*
 * Appends what hf_tls_session_parse() reads. It is secret: seal it. A session that is put away
 * before it was offered can be taken out twice; whoever stores it sees to it that it is not, where
 * the level demands a single use.
 */
HF_MUST_USE hf_err hf_tls_session_emit(struct hf_buf *out, const struct hf_tls_session *s);

/* HF_ERR_TRUNCATED, _FORMAT, _LIMIT, _UNSUPPORTED: not one of ours. *out is unchanged then. */
HF_MUST_USE hf_err hf_tls_session_parse(
	struct hf_tls_session **out, const struct hf_mem *mem, const uint8_t *in, size_t len);

#endif
