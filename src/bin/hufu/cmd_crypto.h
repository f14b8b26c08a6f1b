/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of commands takes from the files of hufu crypto: options, help and functions. */
#ifndef HF_BIN_HUFU_CMD_CRYPTO_H
#define HF_BIN_HUFU_CMD_CRYPTO_H

#include "cmd.h"

extern const struct hufu_opt hufu_opts_crypto_sm3[];
extern const struct hufu_opt hufu_opts_crypto_hmac[];
extern const struct hufu_opt hufu_opts_crypto_mac[];
extern const struct hufu_opt hufu_opts_crypto_blocks[]; /* modes of whole blocks */
extern const struct hufu_opt hufu_opts_crypto_stream[]; /* the others */
extern const struct hufu_opt hufu_opts_crypto_xts[];
extern const struct hufu_opt hufu_opts_crypto_aead[];
extern const struct hufu_opt hufu_opts_crypto_keygen[];
extern const struct hufu_opt hufu_opts_crypto_pub[];
extern const struct hufu_opt hufu_opts_crypto_sign[];
extern const struct hufu_opt hufu_opts_crypto_verify[];
extern const struct hufu_opt hufu_opts_crypto_sm2_encrypt[];
extern const struct hufu_opt hufu_opts_crypto_sm2_decrypt[];
extern const struct hufu_opt hufu_opts_crypto_exchange[];

int hufu_run_crypto_sm3(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_hmac(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_mac(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_mode(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_xts(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_hctr(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_gcm(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_ccm(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_keygen(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_pub(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_sign(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_verify(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_sm2_encrypt(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_sm2_decrypt(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_crypto_exchange(const struct hufu_args *a, struct hf_errinfo *ei);

/* What the first operand says, encrypt or decrypt. HF_ERR_ARG: something else. */
HF_MUST_USE hf_err hufu_crypto_way(
	const struct hufu_args *a, bool *decrypts, struct hf_errinfo *ei);

/* An option every command with an output has. */
#define HUFU_OPTS_OUT \
	{ "out", "FILE", "or -o: where to write (standard output)" }, \
	{ \
		"force", NULL, "write in place of a file that is there" \
	}

#endif
