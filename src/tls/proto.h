/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam of the engine: what tls.c, which speaks no protocol, needs of one. Each protocol is a
 * constant table of functions with its own states, messages and record layer; a link has one from
 * its first record on and never changes it. No message ever asks which protocol it is of.
 */
#ifndef HF_TLS_PROTO_H
#define HF_TLS_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tls/hs.h"
#include "tls/tls.h"

/* What a state means to the surface. */
enum hf_tls_phase {
	HF_TLS_PHASE_SHAKING, /* the handshake goes on when bytes come */
	HF_TLS_PHASE_SIGN,    /* it waits for our signature */
	HF_TLS_PHASE_SM2,     /* or for SM2 jobs; of no state in particular */
	HF_TLS_PHASE_OPEN,    /* the link carries data */
};

struct hf_tls_proto {
	unsigned id;       /* one of HF_TLS_13, HF_TLS_TLCP */
	uint16_t version;  /* in the head of the records that begin it */
	size_t cipher_max; /* bytes of a protected record after its head */

	/* What the configuration must be for it; NULL: nothing more. */
	hf_err (*check_config)(const struct hf_tls_config *cfg, struct hf_errinfo *ei);

	enum hf_tls_phase (*phase)(uint8_t state);
	const char *(*state_name)(uint8_t state);

	/* Begins a handshake: a client's hello goes out. server_name NULL: none. */
	hf_err (*start)(struct hf_tls *t, const char *server_name);

	/* Frees what only the handshake needs; false: there was nothing any more. */
	bool (*drop)(struct hf_tls *t);

	/* Wipes the keys of both directions, and frees what the protocol holds besides. */
	void (*wipe)(struct hf_tls *t);

	/* The five bytes of a record's head, then the whole record. */
	hf_err (*check_head)(struct hf_tls *t, const uint8_t *in);
	hf_err (*take_record)(struct hf_tls *t, const uint8_t *record);

	/* A whole message of the handshake. HF_ERR_AGAIN: it has to wait for its SM2 jobs. */
	hf_err (*take_msg)(struct hf_tls *t, const struct hf_tls_msg *m);

	/* Bytes of a record with this content, and the record. */
	size_t (*sealed_len)(const struct hf_tls *t, size_t len, size_t pad);
	hf_err (*seal)(struct hf_tls *t, uint8_t *out, enum hf_tls_type type, const uint8_t *in,
		size_t len, size_t pad);

	/* Goes on where it stopped to have jobs done. */
	hf_err (*go_on)(struct hf_tls *t);

	/* The signature that HF_TLS_PHASE_SIGN waits for. */
	hf_err (*has_signed)(struct hf_tls *t, const struct hf_sm2_sig *sig);

	/* Keys that have served long enough. */
	bool (*tx_is_due)(const struct hf_tls *t);
	hf_err (*rekey_if_due)(struct hf_tls *t);
	uint64_t (*rekey_deadline)(const struct hf_tls *t);

	/* As hf_tls_sign_get(), hf_tls_key_update() and hf_tls_export(); NULL: there is none. */
	hf_err (*sign_get)(const struct hf_tls *t, struct hf_tls_cv *cv);
	hf_err (*key_update)(struct hf_tls *t, bool ask);
	hf_err (*export)(const struct hf_tls *t, uint8_t *out, size_t out_len, const char *label,
		const void *context, size_t context_len);
};

extern const struct hf_tls_proto hf_tls_proto_13;
extern const struct hf_tls_proto hf_tls_proto_tlcp;

#endif
