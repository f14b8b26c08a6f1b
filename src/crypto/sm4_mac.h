/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message authentication codes of SM4: those made from CBC (GB/T 15852.1-2020, ISO/IEC 9797-1) and
 * GMAC (GB/T 15852.3-2019). For something new take CMAC, or HMAC-SM3 (hmac.h). Plain CBC-MAC, EMAC
 * and the others with two keys are there for what exists already: CBC-MAC is safe only where all
 * messages have one length.
 */
#ifndef HF_CRYPTO_SM4_MAC_H
#define HF_CRYPTO_SM4_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/gcm.h"
#include "crypto/sm4.h"

/* The numbers are those of the standard. */
enum hf_sm4_mac_kind {
	HF_SM4_CBC_MAC = 1, /* the last block of CBC */
	HF_SM4_EMAC = 2,    /* encrypted again under a second key */
	HF_SM4_RETAIL = 3,  /* decrypted under a second key, encrypted under the first */
	HF_SM4_MACDES = 4,  /* the first block, too, encrypted twice */
	HF_SM4_CMAC = 5,    /* SP 800-38B */
	HF_SM4_LMAC = 6,    /* the last block under another key; both made from one */
	HF_SM4_TRCBC = 7,   /* half of CBC-MAC's block, the left or the right one */
	HF_SM4_CBCR = 8,    /* the last input turned by a bit, left or right */
};

/* How a message becomes whole blocks. CMAC, TRCBC and CBCR have rules of their own: PAD_OWN. */
enum hf_sm4_mac_pad {
	HF_SM4_PAD_OWN = 0,
	HF_SM4_PAD_ZERO = 1, /* zeros, if any are needed: only for messages of known lengths */
	HF_SM4_PAD_BIT = 2,  /* a one bit, then zeros */
	HF_SM4_PAD_LEN = 3,  /* first a block with the length in bits, zeros at the end */
};

enum {
	HF_SM4_MAC_LEN = 16,     /* bytes of a whole tag; of TRCBC 8 */
	HF_SM4_MAC_LEN_MIN = 4,  /* a tag may be cut to no fewer */
	HF_SM4_MAC_KEY_MAX = 32, /* EMAC, RETAIL and MACDES: two keys one after the other */
};

#define HF_SM4_MAC_MESSAGE_MAX (UINT64_C(1) << 60) /* bytes */

/* Schedules of all keys. Read-only after init; may be shared by threads. */
struct hf_sm4_mac_key {
	enum hf_sm4_mac_kind kind;
	enum hf_sm4_mac_pad pad;
	struct hf_sm4_key k1;
	struct hf_sm4_key k2;             /* of the last step, or the last block */
	struct hf_sm4_key k3;             /* MACDES: of the first block */
	uint8_t whole[HF_SM4_BLOCK_LEN];  /* CMAC: added to a last block that is whole */
	uint8_t padded[HF_SM4_BLOCK_LEN]; /* or is not; CBCR: the first chaining value */
};

/* Bytes of key that a kind takes, 16 or 32; 0: no such kind. */
size_t hf_sm4_mac_key_len(enum hf_sm4_mac_kind kind);

/*
 * Expands a key of hf_sm4_mac_key_len() bytes; end it with hf_sm4_mac_key_clear().
 * HF_ERR_ARG: another length, or a padding that the kind does not have.
 */
HF_MUST_USE hf_err hf_sm4_mac_key_init(struct hf_sm4_mac_key *k, enum hf_sm4_mac_kind kind,
	enum hf_sm4_mac_pad pad, const uint8_t *key, size_t key_len);
void hf_sm4_mac_key_clear(struct hf_sm4_mac_key *k);

/* A message in pieces. */
struct hf_sm4_mac {
	const struct hf_sm4_mac_key *key; /* borrowed; NULL: over, or never started */
	uint8_t chain[HF_SM4_BLOCK_LEN];
	uint8_t part[HF_SM4_BLOCK_LEN]; /* not yet chained: it may be the last block */
	size_t fill;
	uint64_t fed;  /* bytes so far */
	uint64_t told; /* bytes that there will be; PAD_LEN alone looks at it */
	bool is_first; /* no block has been chained */
};

/*
 * Starts a message. With PAD_LEN its length must be told here, since it goes first; without, it is
 * ignored. HF_ERR_LIMIT: longer than MESSAGE_MAX.
 */
HF_MUST_USE hf_err hf_sm4_mac_start(
	struct hf_sm4_mac *m, const struct hf_sm4_mac_key *k, uint64_t message_len);
HF_MUST_USE hf_err hf_sm4_mac_feed(struct hf_sm4_mac *m, const uint8_t *in, size_t len);

/*
 * The first tag_len bytes of the tag (TRCBC: the outer ones of its half). Afterwards the message is
 * over. HF_ERR_ARG: a length that there is not. HF_ERR_STATE: PAD_LEN, and more or fewer bytes than
 * told.
 */
HF_MUST_USE hf_err hf_sm4_mac_done(struct hf_sm4_mac *m, uint8_t *tag, size_t tag_len);

/* As hf_sm4_mac_done(), for a tag that was received. HF_ERR_AUTH: it is another one. */
HF_MUST_USE hf_err hf_sm4_mac_verify(struct hf_sm4_mac *m, const uint8_t *tag, size_t tag_len);
void hf_sm4_mac_end(struct hf_sm4_mac *m); /* wipes */

/* The tag of a whole message. */
HF_MUST_USE hf_err hf_sm4_mac(
	const struct hf_sm4_mac_key *k, uint8_t *tag, size_t tag_len, struct hf_bytes message);

/*
 * GMAC: the tag of GCM with the message as additional data and no text; in pieces it is
 * hf_gcm_start(), hf_gcm_aad() and hf_gcm_tag() or hf_gcm_verify(). A nonce must not repeat under a
 * key. Errors of hf_gcm_seal().
 */
HF_MUST_USE hf_err hf_sm4_gmac(const struct hf_gcm_key *k, struct hf_bytes nonce, uint8_t *tag,
	size_t tag_len, struct hf_bytes message);

#endif
