/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 operations that links leave to whoever drives them (hf_tls_start.defer_sm2), so that those
 * of many links are done at once:
 *
 *	a message is there -> it asks for what it will need -> HF_WANT_SM2
 *	hf_tls_jobs_run() -> hf_tls_feed() takes the message, and finds the results
 *
 * What was asked for decides when work is done, never what comes of it: a message is taken by the
 * same code as ever, which does on the spot what nobody foresaw. The results live until the message
 * is dealt with, in memory that only a handshake has.
 */
#ifndef HF_TLS_JOBS_H
#define HF_TLS_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "tls/tls.h"

/*
 * Does what these links wait for, as one batch; links that want nothing are passed over. Each then
 * goes on with hf_tls_feed(), which needs no bytes for it, and may want something again. Failures
 * are the links' own, and show there.
 */
void hf_tls_jobs_run(struct hf_tls *const *links, size_t n);

/* --- inside of the engine --- */

enum { HF_TLS_JOBS_MAX = 6 }; /* of one message */

/* In the order in which they are done: a new key may be used by what follows. */
enum hf_tls_job_kind {
	HF_TLS_JOB_KEY,
	HF_TLS_JOB_ECDH,
	HF_TLS_JOB_VERIFY,
	HF_TLS_JOB_SIGN,
	HF_TLS_JOB_KINDS,
};

struct hf_tls_job {
	enum hf_tls_job_kind kind;
	hf_err result;
	const struct hf_rng *rng;     /* KEY, SIGN */
	const struct hf_sm2_key *own; /* ECDH, SIGN */
	struct hf_sm2_key *made;      /* KEY */
	struct hf_sm2_pub pub;        /* ECDH: the peer's; VERIFY: the signer's */
	struct hf_sm2_sig sig;        /* VERIFY; SIGN: made */
	uint8_t b[HF_SM2_LEN];        /* ECDH: the shared value; VERIFY, SIGN: the digest */
};

struct hf_tls_jobs {
	bool is_done;
	size_t n;
	struct hf_sm2_key key; /* made by KEY */
	struct hf_tls_job job[HF_TLS_JOBS_MAX];
};

/* During hf_tls_init(): room for them, where they are wanted; and its end, wiped. */
HF_MUST_USE hf_err hf_tls_jobs_new(struct hf_tls *t);
void hf_tls_jobs_free(struct hf_tls *t);

/* The message that they were for is dealt with: wipes what is done. */
void hf_tls_jobs_clear(struct hf_tls *t);

/* True from the first wish to hf_tls_jobs_clear(); and when it is fulfilled. */
bool hf_tls_jobs_has(const struct hf_tls *t);
bool hf_tls_jobs_is_done(const struct hf_tls *t);

/*
 * Wishes. What does not fit, or cannot be read, is no wish. NULL for own is the key that is made.
 * False: there will be none; do it now.
 */
bool hf_tls_ask_key(struct hf_tls *t);
bool hf_tls_ask_ecdh(struct hf_tls *t, const struct hf_sm2_key *own, struct hf_bytes share);
bool hf_tls_ask_verify(struct hf_tls *t, const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN],
	const struct hf_sm2_sig *sig);
/* By the signer of the configuration, if its key is at hand. What was done before is wiped. */
bool hf_tls_ask_sign(struct hf_tls *t, const uint8_t e[HF_SM3_LEN]);

/* The operations: what was done already, or done here. As hf_sm2_key_new() and so on. */
HF_MUST_USE hf_err hf_tls_do_key(struct hf_tls *t, struct hf_sm2_key *key);
HF_MUST_USE hf_err hf_tls_do_ecdh(struct hf_tls *t, uint8_t x[HF_SM2_LEN],
	const struct hf_sm2_key *own, const struct hf_sm2_pub *peer);
HF_MUST_USE hf_err hf_tls_do_verify(struct hf_tls *t, const struct hf_sm2_pub *pub,
	const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tls_do_sign(
	struct hf_tls *t, struct hf_sm2_sig *sig, const uint8_t e[HF_SM3_LEN]);

/* RFC 8998 3.3.2: the point of a key share is uncompressed, and on the curve. */
HF_MUST_USE hf_err hf_tls_share_parse(struct hf_sm2_pub *out, struct hf_bytes share);

#endif
