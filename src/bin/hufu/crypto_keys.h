/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys as the commands of hufu crypto are given them: from files and from variables of the
 * environment, never from the command line, where every user of the machine sees them. Before it
 * reads one, each of these makes the process one that nobody can look into.
 */
#ifndef HF_BIN_HUFU_CRYPTO_KEYS_H
#define HF_BIN_HUFU_CRYPTO_KEYS_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd.h"
#include "crypto/sm2.h"

enum { HUFU_KEY_FILE_MAX = 65536 }; /* bytes of any key file */

/* The options that these functions read, for the tables of the commands. */
#define HUFU_OPTS_KEY \
	{ "key-file", "FILE", "the key: its bytes, or the same in hexadecimal" }, \
		{ "key-env", "NAME", "variable that holds the key in hexadecimal" }, \
	{ \
		"key-hex", "HEX", "refused: a command line is seen by everybody" \
	}
#define HUFU_OPTS_PASSPHRASE \
	{ "passphrase-file", "FILE", "one line: the passphrase of the private key" }, \
	{ \
		"passphrase-env", "NAME", "variable that holds it (else it is asked for)" \
	}

/*
 * A key of len bytes from --key-file or --key-env. HF_ERR_ARG: neither, both, or --key-hex.
 * HF_ERR_FORMAT: another length, no hexadecimal, or bytes that are one SM4 key in hexadecimal.
 */
HF_MUST_USE hf_err hufu_key_get(
	const struct hufu_args *a, uint8_t *key, size_t len, struct hf_errinfo *ei);

/* A key of any length: the bytes of the file, or what the hexadecimal of the variable says. */
HF_MUST_USE hf_err hufu_key_get_any(
	const struct hufu_args *a, struct hf_buf *key, struct hf_errinfo *ei);

/*
 * The passphrase from --passphrase-file or --passphrase-env, or asked for on the terminal, twice if
 * it is new. HF_ERR_ARG: both options, or no option and no terminal. HF_ERR_CLOSED: stopped there.
 */
HF_MUST_USE hf_err hufu_passphrase_get(
	const struct hufu_args *a, struct hf_buf *out, bool is_new, struct hf_errinfo *ei);

/*
 * The private key that the option names: PEM or DER, PKCS#8 or ECPrivateKey; the passphrase is
 * fetched if it is encrypted. End it with hf_sm2_key_clear(). HF_ERR_FORMAT, HF_ERR_UNSUPPORTED: no
 * private key, or one of another kind.
 */
HF_MUST_USE hf_err hufu_private_get(const struct hufu_args *a, const char *option,
	struct hf_sm2_key *key, struct hf_errinfo *ei);

/* The public key that the option names: PUBLIC KEY or CERTIFICATE in PEM, or the first in DER. */
HF_MUST_USE hf_err hufu_public_get(const struct hufu_args *a, const char *option,
	struct hf_sm2_pub *pub, struct hf_errinfo *ei);

/* Public bytes in hexadecimal from an option, min to max of them; *len 0 if it is not given. */
HF_MUST_USE hf_err hufu_hex_get(const struct hufu_args *a, const char *option, uint8_t *out,
	size_t min, size_t max, size_t *len, struct hf_errinfo *ei);

#endif
