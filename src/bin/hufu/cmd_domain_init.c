/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu domain init: a new domain. The shares of its root seed go to the terminal, once, or to files
 * of their own; whatever cannot take them is refused before anything is made, and if writing them
 * fails the domain is deleted again.
 */
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "cmd.h"
#include "keyring.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/tty.h"
#include "svc/domain.h"
#include "svc/party.h"

enum { SHARES = 5, THRESHOLD = 3 };

/* <dir>/share-<i>.txt */
static hf_err share_path(char path[HF_PATH_MAX], const char *dir, unsigned i, struct hf_errinfo *ei)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "share-%u.txt", i);
	return hf_path_join(path, dir, name, ei);
}

/* Can the shares be handed out where they shall go? */
static hf_err check_way_out(const char *shares_dir, unsigned n, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	char path[HF_PATH_MAX];

	if (shares_dir == NULL) {
		if (!hf_tty_is(1))
			return hf_fail(ei, HF_ERR_ARG,
				"standard output is no terminal, and shares are secrets: give "
				"--shares-dir");
		return HF_OK;
	}
	for (unsigned i = 1; i <= n; i++) {
		HF_TRY(share_path(path, shares_dir, i, ei));
		if (hf_file_stat(&st, path, NULL) == HF_OK)
			return hf_fail(ei, HF_ERR_EXISTS,
				"%s: already there; choose another folder", path);
	}
	return hf_dir_make(shares_dir, 0700, ei);
}

static hf_err write_share(const char *dir, const struct hf_share *s, struct hf_errinfo *ei)
{
	char text[HF_SHARE_TEXT_MAX + 1];
	char path[HF_PATH_MAX];
	size_t len;
	hf_err e;

	HF_TRY(share_path(path, dir, s->index, ei));
	hf_share_emit(text, s);
	len = strlen(text);
	text[len] = '\n';
	e = hf_file_replace(path, 0600, text, len + 1, ei);
	hf_wipe(text, sizeof(text));
	return e;
}

static hf_err write_shares(
	const char *dir, const struct hf_share *shares, unsigned n, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	hf_err e = HF_OK;

	for (unsigned i = 0; e == HF_OK && i < n; i++)
		e = write_share(dir, &shares[i], ei);
	for (unsigned i = 1; e != HF_OK && i <= n; i++)
		if (share_path(path, dir, i, NULL) == HF_OK)
			(void)!hf_file_delete(path, NULL);
	return e;
}

static void print_shares(const struct hf_share *shares, unsigned n)
{
	char text[HF_SHARE_TEXT_MAX];

	printf("\nshares of the root seed, shown this once:\n\n");
	for (unsigned i = 0; i < n; i++) {
		hf_share_emit(text, &shares[i]);
		printf("  %u  %s\n", i + 1, text);
	}
	hf_wipe(text, sizeof(text));
}

static void warn(const struct hf_domain_spec *spec, const char *shares_dir)
{
	fprintf(stderr,
		"\nAny %u of the %u shares open the root seed, and with it every key of the "
		"domain; "
		"fewer tell nothing.\n"
		"Give each to another custodian and keep none on this machine%s%s.\n"
		"Without %u of them%s the domain cannot be started again: nobody can make new "
		"ones.\n",
		spec->threshold, spec->n_shares, shares_dir == NULL ? "" : ": move them out of ",
		shares_dir == NULL ? "" : shares_dir, spec->threshold,
		spec->passphrase == NULL ? "" : " or the passphrase");
	if (spec->passphrase != NULL)
		fprintf(stderr, "The passphrase slot is for demonstrations and tests: who has it "
				"and root.slots has the domain.\n");
}

static hf_err print_domain(
	const struct hf_env *env, const struct hf_domain_spec *spec, struct hf_errinfo *ei)
{
	struct hf_party hub;
	uint8_t digest[HF_SM3_LEN];
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(path, spec->dir, "hub", ei));
	HF_TRY(hf_party_open(&hub, env, path, ei));
	hf_cert_fingerprint(digest, &hub.root_ca);
	printf("domain      %s, level %d\n", spec->name, (int)spec->level);
	printf("hub         %s (%s)\n", path, spec->hub);
	printf("publisher   %s/publisher", spec->dir);
	for (unsigned i = 2; i <= spec->n_publishers; i++)
		printf(" publisher-%u", i);
	printf("\nroot CA     SM3 ");
	for (size_t i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	printf("\n");
	hf_party_clear(&hub);
	return HF_OK;
}

/* Numbers and names of the command line; the use case checks them. */
static hf_err read_spec(
	struct hf_domain_spec *spec, const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint64_t publishers = 1;
	uint64_t shares = SHARES;
	uint64_t threshold = THRESHOLD;
	uint64_t level = HF_L1;
	const char *hub = hufu_arg(a, "hub");

	spec->dir = a->arg[0];
	spec->name = hufu_arg(a, "name");
	spec->hub = hub == NULL ? "hub" : hub;
	if (spec->name == NULL)
		return hf_fail(
			ei, HF_ERR_ARG, "--name is missing: what shall the domain be called?");
	HF_TRY(hufu_arg_u64(a, "publishers", 1, 1, HF_DOMAIN_PUBLISHERS_MAX, &publishers, ei));
	HF_TRY(hufu_arg_u64(a, "shares", SHARES, 2, HF_SHARES_MAX, &shares, ei));
	HF_TRY(hufu_arg_u64(a, "threshold", shares < THRESHOLD ? shares : THRESHOLD, 2, shares,
		&threshold, ei));
	HF_TRY(hufu_arg_u64(a, "level", HF_L1, HF_L1, HF_L3, &level, ei));
	spec->n_publishers = (unsigned)publishers;
	spec->n_shares = (uint8_t)shares;
	spec->threshold = (uint8_t)threshold;
	spec->level = (enum hf_level)level;
	return HF_OK;
}

static hf_err make(const struct hf_env *env, struct hf_domain_spec *spec, const struct hufu_args *a,
	struct hf_errinfo *ei)
{
	const char *shares_dir = hufu_arg(a, "shares-dir");
	const char *passphrase_file = hufu_arg(a, "passphrase-file");
	struct hf_share shares[HF_SHARES_MAX];
	struct hf_buf passphrase;
	struct hf_file_stat st;
	bool was_there = shares_dir != NULL && hf_file_stat(&st, shares_dir, NULL) == HF_OK;
	hf_err e = HF_OK;

	hf_buf_init(&passphrase, env->mem, HUFU_PASSPHRASE_MAX);
	if (passphrase_file != NULL) {
		e = hufu_passphrase_load(&passphrase, passphrase_file, ei);
		spec->passphrase = passphrase.p;
		spec->passphrase_len = passphrase.len;
		if (e == HF_OK && passphrase.len < HF_PASSPHRASE_MIN)
			e = hf_fail(ei, HF_ERR_ARG, "%s: a passphrase has at least %d bytes",
				passphrase_file, HF_PASSPHRASE_MIN);
	}
	if (e == HF_OK)
		e = check_way_out(shares_dir, spec->n_shares, ei);
	if (e == HF_OK)
		e = hf_domain_init(env, spec, shares, ei);
	if (e == HF_OK && shares_dir != NULL) {
		e = write_shares(shares_dir, shares, spec->n_shares, ei);
		if (e != HF_OK)
			(void)!hf_dir_delete_all(env->mem, spec->dir, NULL);
	}
	if (e == HF_OK) {
		e = print_domain(env, spec, ei);
		/* Whatever became of that, they are shown now or never. */
		if (shares_dir == NULL)
			print_shares(shares, spec->n_shares);
		(void)fflush(stdout);
		warn(spec, shares_dir);
	}
	if (e != HF_OK && shares_dir != NULL && !was_there)
		(void)!hf_dir_delete(shares_dir, NULL);
	hf_wipe(shares, sizeof(shares));
	hf_buf_clear(&passphrase);
	return e;
}

int hufu_run_domain_init(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_domain_spec spec = { .dir = NULL };
	struct hf_env env;
	hf_err e = read_spec(&spec, a, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = hufu_start(&env, ei);
	if (e == HF_OK) {
		e = make(&env, &spec, a, ei);
		hf_env_clear(&env);
	}
	return hufu_exit(e, ei);
}
