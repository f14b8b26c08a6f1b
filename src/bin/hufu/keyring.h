/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as the command line hands them in: passphrases and shares in files, or typed. */
#ifndef HF_BIN_HUFU_KEYRING_H
#define HF_BIN_HUFU_KEYRING_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd.h"
#include "crypto/sm2.h"
#include "svc/env.h"
#include "svc/party.h"

enum { HUFU_PASSPHRASE_MAX = 1024 }; /* bytes */

/*
 * Appends the first line of a file, without its end, to out. HF_ERR_FORMAT: there is more than one
 * line, or nothing. Clear out afterwards.
 */
HF_MUST_USE hf_err hufu_passphrase_load(
	struct hf_buf *out, const char *path, struct hf_errinfo *ei);

/*
 * The hub named by dir (its data folder, or the domain's folder) and its decryption key. The root
 * seed is opened with --share or --passphrase-file; without both the passphrase is asked for. End
 * both with hf_party_clear() and hf_sm2_key_clear(). HF_ERR_DENIED: another party.
 */
HF_MUST_USE hf_err hufu_hub_open(struct hf_party *hub, struct hf_sm2_key *key,
	const struct hf_env *env, const char *dir, const struct hufu_args *a,
	struct hf_errinfo *ei);

#endif
