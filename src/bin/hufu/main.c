/* SPDX-License-Identifier: Apache-2.0 */
/* The tool: finds the command, parses its options, runs it, says what went wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "cmd_crypto.h"
#include "cmd_tunnel.h"
#include "crypto/module.h"
#include "os/cpu.h"
#include "os/process.h"
#include "view.h"

static const struct hufu_opt opts_json[] = {
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_check_random[] = {
	{ "live", NULL, "test a generator of this machine, not a file" },
	{ "source", "module|system", "live: the module's generator, or what seeds it (module)" },
	{ "set", "SET", "full, factory, power-on, periodic or single (full)" },
	{ "samples", "N", "how many (full 1000, factory 50, power-on 20, periodic 20, single 1)" },
	{ "sample-bits", "N", "bits of each (1000000; periodic 20000, single 1024)" },
	{ "values", "FILE", "write every P and Q there, as CSV; it must not exist" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_domain_init[] = {
	{ "name", "NAME", "of the domain, as it stands in every certificate (required)" },
	{ "hub", "ID", "of the hub (hub)" },
	{ "publishers", "N", "parties that may sign releases, 1 to 8 (1)" },
	{ "shares", "N", "custodians of the root seed, 2 to 15 (5)" },
	{ "threshold", "M", "how many of them open it, 2 to N (3)" },
	{ "shares-dir", "DIR", "write the shares to files there, not to the terminal" },
	{ "passphrase-file", "FILE", "a passphrase opens it too: for demonstrations and tests" },
	{ "level", "1|2|3", "highest level of hub and publishers (1)" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_seal[] = {
	{ "as", "DIR", "folder of a publisher; again for a second signature (required)" },
	{ "lineage", "NAME", "which model this is a release of (required)" },
	{ "release", "N", "its counter, from 1, ever rising (required)" },
	{ "version", "TEXT", "what people call it" },
	{ "floor", "N", "once active, nothing below N may run (0)" },
	{ "level", "1|2|3", "protection level (1)" },
	{ "expires", "DAYS", "how long it may be used (365, or what the level allows)" },
	{ "epoch", "N", "of the lineage's key; a new one ends all sharing (1)" },
	{ "base", "BUNDLE",
		"an earlier release, whose chunks are not sealed again; once for each" },
	{ "no-dedupe", NULL, "share no chunk with any other release" },
	{ "no-compress", NULL, "seal the bytes as they are" },
	{ "out", "BUNDLE", "or -o: file to be written; it must not exist (required)" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_verify[] = {
	{ "root", "FILE|DIR", "trust root, or folder of a party that has one" },
	{ "base", "BUNDLE", "an earlier release that the bundle needs; once for each" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_open[] = {
	{ "as", "DIR", "folder of the hub or of its domain (required)" },
	{ "base", "BUNDLE", "an earlier release that the bundle needs; once for each" },
	{ "share", "FILE", "a custodian's share; once for each" },
	{ "passphrase-file", "FILE", "passphrase of the root seed" },
	{ "out", "DIR", "or -o: folder for the files (required)" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_show[] = {
	{ "chunks", NULL, "list the place of every chunk, too" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

#define OPT_NODE \
	{ \
		"node", "DIR", "data folder of the node ($HUFU_NODE, or /var/lib/hufu)" \
	}

static const struct hufu_opt opts_domain_token[] = {
	OPT_NODE,
	{ "device", "ID", "who may enrol with it (required)" },
	{ "role", "device|edge", "as what (required)" },
	{ "level", "1|2|3", "highest level of the new member (1)" },
	{ "expires", "HOURS", "how long it is good (24)" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_domain_revoke[] = {
	OPT_NODE,
	{ "reason", "REASON", "why, see hufu(1) (required)" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_publish[] = {
	{ "as", "DIR", "folder of the publisher; again for a second signature (required)" },
	{ "hub", "HOST:PORT", "where the hub listens (required)" },
	{ "lineage", "NAME", "files: which model this is a release of" },
	{ "release", "N", "files: its counter, from 1, ever rising" },
	{ "version", "TEXT", "files: what people call it" },
	{ "floor", "N", "files: once active, nothing below N may run (0)" },
	{ "level", "1|2|3", "files: protection level (1)" },
	{ "expires", "DAYS", "files: how long it may be used (365, or what the level allows)" },
	{ "epoch", "N", "files: of the lineage's key; a new one ends all sharing (1)" },
	{ "base", "BUNDLE", "files: an earlier release (those that were published from here)" },
	{ "no-base", NULL, "files: a release that stands alone, and nothing kept for the next" },
	{ "no-dedupe", NULL, "files: share no chunk with any other release" },
	{ "no-compress", NULL, "files: seal the bytes as they are" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_pull[] = {
	OPT_NODE,
	{ "wait", NULL, "until it is active, or cannot be" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_push[] = {
	OPT_NODE,
	{ "lineage", "NAME", "the model it belongs to" },
	{ "release", "N", "of that model (the one that is active here)" },
	{ "kind", "KIND", "increment, records or other (increment)" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_run[] = {
	OPT_NODE,
	{ "file", "NAME", "the file of the model that {} stands for (the first one)" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_status[] = {
	OPT_NODE,
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_uploads_list[] = {
	OPT_NODE,
	{ "device", "ID", "only what this device has sent" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

static const struct hufu_opt opts_uploads_open[] = {
	OPT_NODE,
	{ "share", "FILE", "a custodian's share; once for each" },
	{ "passphrase-file", "FILE", "passphrase of the root seed" },
	{ "out", "DIR", "or -o: folder for the files (required)" },
	{ "json", NULL, "print JSON" },
	{ NULL, NULL, NULL },
};

/* clang-format off */
static const struct hufu_cmd commands[] = {
	{ .name = "audit show", .usage = "DIR [--json]", .opts = opts_json,
	  .min_args = 1, .max_args = 1,
	  .summary = "print the audit records of a node",
	  .help = "DIR is the node's data folder; the node may be running. Records are shown as far as they\n"
		  "can be believed: the first one that was altered, removed or moved ends it with code 5.",
	  .run = hufu_run_audit_show },
	{ .name = "audit verify", .usage = "DIR [--json]", .opts = opts_json,
	  .min_args = 1, .max_args = 1,
	  .summary = "check the audit log of a node against its signed heads",
	  .run = hufu_run_audit_verify },
	{ .name = "bench crypto", .usage = "[--json] [NAME]...", .opts = opts_json,
	  .max_args = HUFU_ARGS_MAX,
	  .summary = "measure the ciphers on one core of this machine",
	  .help = "The best of many short runs of each row. With operands: the rows whose names begin so.\n"
		  "The environment variable HUFU_CPU (\"aes,avx2\", \"none\") rules kernels out.",
	  .run = hufu_run_bench_crypto },
	{ .name = "check random", .usage = "FILE|--live [OPTION]...", .opts = opts_check_random,
	  .max_args = 1,
	  .summary = "test a generator's output by GM/T 0005-2021",
	  .help = "FILE holds the samples one behind another, the first bit of a byte its highest; without\n"
		  "--samples as many as it has, but no more than the standard asks for. A live test that fails is\n"
		  "repeated once on fresh bits, as GM/T 0062 allows. Exit codes: 0 passed, 1 a test failed.",
	  .run = hufu_run_check_random },
	{ .name = "check vectors", .usage = "[--json] FILE...", .opts = opts_json,
	  .min_args = 1, .max_args = HUFU_ARGS_MAX,
	  .summary = "run files of test vectors against the ciphers that are built in",
	  .help = "Tells per file and algorithm how many cases passed, failed or were skipped, and why.\n"
		  "Exit codes: 0 some passed and none failed, 1 not so, 4 a file cannot be read.",
	  .run = hufu_run_check_vectors },
	{ .name = "crypto hmac", .usage = "[FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_hmac, .max_args = 1,
	  .summary = "HMAC-SM3 of a file or of standard input",
	  .help = "The key is the bytes of the file, of any length; --key-env takes hexadecimal.",
	  .run = hufu_run_crypto_hmac },
	{ .name = "crypto mac", .usage = "[FILE] --key-file FILE [--kind NAME] [OPTION]...",
	  .opts = hufu_opts_crypto_mac, .max_args = 1,
	  .summary = "CMAC, GMAC or another MAC of SM4 of a file or of standard input",
	  .help = "emac, retail and macdes have a key of 32 bytes, the others of 16.",
	  .run = hufu_run_crypto_mac },
	{ .name = "crypto sm2 decrypt", .usage = "[FILE] --key FILE [OPTION]...",
	  .opts = hufu_opts_crypto_sm2_decrypt, .max_args = 1,
	  .summary = "decrypt what was encrypted to an SM2 key",
	  .help = "Reads DER (GM/T 0009) and the raw form C1 C3 C2.",
	  .run = hufu_run_crypto_sm2_decrypt },
	{ .name = "crypto sm2 encrypt", .usage = "[FILE] --key FILE [OPTION]...",
	  .opts = hufu_opts_crypto_sm2_encrypt, .max_args = 1,
	  .summary = "encrypt 1 to 65536 bytes to an SM2 key",
	  .help = "For more, encrypt a key and with it the text (hufu crypto sm4-gcm).",
	  .run = hufu_run_crypto_sm2_encrypt },
	{ .name = "crypto sm2 exchange", .usage = "--initiator|--responder --key FILE --ephemeral FILE [OPTION]...",
	  .opts = hufu_opts_crypto_exchange, .max_args = 0,
	  .summary = "agree on a key with the holder of another SM2 key (GB/T 32918.3)",
	  .help = "Each side makes a pair for this exchange alone (hufu crypto sm2 keygen), sends its public keys,\n"
		  "runs this, and compares what --confirm-out of the other side wrote. Delete the pair afterwards.",
	  .run = hufu_run_crypto_exchange },
	{ .name = "crypto sm2 keygen", .usage = "-o FILE [OPTION]...",
	  .opts = hufu_opts_crypto_keygen, .max_args = 0,
	  .summary = "make an SM2 key pair",
	  .help = "PKCS#8 in PEM, encrypted with PBKDF2-HMAC-SM3 and SM4-CBC; mode 0600.",
	  .run = hufu_run_crypto_keygen },
	{ .name = "crypto sm2 pub", .usage = "--key FILE [OPTION]...",
	  .opts = hufu_opts_crypto_pub, .max_args = 0,
	  .summary = "write the public key of a private one, in PEM",
	  .run = hufu_run_crypto_pub },
	{ .name = "crypto sm2 sign", .usage = "[FILE] --key FILE [OPTION]...",
	  .opts = hufu_opts_crypto_sign, .max_args = 1,
	  .summary = "sign a file or standard input with an SM2 key",
	  .run = hufu_run_crypto_sign },
	{ .name = "crypto sm2 verify", .usage = "[FILE] --key FILE --signature FILE [OPTION]...",
	  .opts = hufu_opts_crypto_verify, .max_args = 1,
	  .summary = "check an SM2 signature",
	  .help = "Exit code 5 if it is not the signature of this text by this key. Whose key it is, is not asked.",
	  .run = hufu_run_crypto_verify },
	{ .name = "crypto sm3", .usage = "[FILE]... [OPTION]...",
	  .opts = hufu_opts_crypto_sm3, .max_args = HUFU_ARGS_MAX,
	  .summary = "SM3 digests of files or of standard input",
	  .help = "Prints what openssl sm3 prints.",
	  .run = hufu_run_crypto_sm3 },
	{ .name = "crypto sm4-bc", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_blocks, .min_args = 1, .max_args = 2,
	  .summary = "SM4-BC: block chaining",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-cbc", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_blocks, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CBC: cipher block chaining",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-ccm", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_aead, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CCM: authenticated, up to 64 MiB",
	  .help = "Use sm4-gcm unless a format asks for CCM.",
	  .run = hufu_run_crypto_ccm },
	{ .name = "crypto sm4-cfb", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CFB: cipher feedback of 128 bits",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-cfb1", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CFB1: cipher feedback of 1 bit, slow",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-cfb8", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CFB8: cipher feedback of 8 bits",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-ctr", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-CTR: counter",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-ecb", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_blocks, .min_args = 1, .max_args = 2,
	  .summary = "SM4-ECB: blocks one by one: equal ones are seen to be equal",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-gcm", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_aead, .min_args = 1, .max_args = 2,
	  .summary = "SM4-GCM: authenticated encryption of a text of any length",
	  .help = "Plaintext is not seen before the tag was checked: to standard output at most 64 MiB.",
	  .run = hufu_run_crypto_gcm },
	{ .name = "crypto sm4-hctr", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-HCTR: up to 64 MiB as one wide block",
	  .help = "The key is 32 bytes, of the cipher and of the hash; --iv is the tweak. Nothing authenticates it.",
	  .run = hufu_run_crypto_hctr },
	{ .name = "crypto sm4-ofb", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_stream, .min_args = 1, .max_args = 2,
	  .summary = "SM4-OFB: output feedback",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-ofbnlf", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_blocks, .min_args = 1, .max_args = 2,
	  .summary = "SM4-OFBNLF: output feedback with a non-linear function",
	  .help = "Nothing authenticates the text: use sm4-gcm unless a format asks for this one.",
	  .run = hufu_run_crypto_mode },
	{ .name = "crypto sm4-xts", .usage = "encrypt|decrypt [FILE] --key-file FILE [OPTION]...",
	  .opts = hufu_opts_crypto_xts, .min_args = 1, .max_args = 2,
	  .summary = "SM4-XTS: storage, by data units",
	  .help = "The key is 32 bytes. Without --unit-size the text is one unit of up to 16 MiB, --iv its tweak.\n"
		  "Nothing authenticates it.",
	  .run = hufu_run_crypto_xts },
	{ .name = "domain init", .usage = "DIR --name NAME [OPTION]...", .opts = opts_domain_init,
	  .min_args = 1, .max_args = 1,
	  .summary = "make a domain: root seed, CAs, trust root, hub and publishers",
	  .help = "DIR must not exist. Shares of the root seed are shown once, or written to --shares-dir.\n"
		  "DIR/hub is the data folder to start the hub with, DIR/publisher what hufu seal wants.",
	  .run = hufu_run_domain_init },
	{ .name = "domain revoke", .usage = "ID|SERIAL --reason REASON [--node DIR]",
	  .opts = opts_domain_revoke, .min_args = 1, .max_args = 1,
	  .summary = "revoke a device, or a certificate by its serial number, on the hub's machine",
	  .help = "Its certificates come onto the domain's revocation list for good; its links end within seconds.\n"
		  "REASON: unspecified, key-compromise, affiliation-changed, superseded, cessation or\n"
		  "privilege-withdrawn. To let the device in again, give it a new token.",
	  .run = hufu_run_domain_revoke },
	{ .name = "domain token", .usage = "--device ID --role device|edge [OPTION]...",
	  .opts = opts_domain_token,
	  .summary = "make an enrolment token, on the hub's machine",
	  .help = "Prints the token alone: it goes into the file that enrol: in the new node's hufud.yaml names.\n"
		  "It is bound to the first key that is used with it.",
	  .run = hufu_run_domain_token },
	{ .name = "open", .usage = "BUNDLE --as DIR -o DIR [OPTION]...", .opts = opts_open,
	  .min_args = 1, .max_args = 1,
	  .summary = "open a bundle with the key of the hub and write its files",
	  .help = "Checks everything, writes all files or none and never over another. Without --share and\n"
		  "--passphrase-file the passphrase is asked for. At level 3 plaintext stays in memory: refused.",
	  .run = hufu_run_open },
	{ .name = "policy show", .usage = "[--json]", .opts = opts_json,
	  .summary = "print the level table that every refusal names",
	  .run = hufu_run_policy_show },
	{ .name = "publish", .usage = "BUNDLE|FILE|DIR... --as DIR --hub HOST:PORT [OPTION]...",
	  .opts = opts_publish, .min_args = 1, .max_args = HUFU_ARGS_MAX,
	  .summary = "bring a release to the hub, which makes it the current one",
	  .help = "Files are sealed first, with the options of hufu seal. What the hub has already is not sent\n"
		  "again: after a failure the same command with the same bundle goes on where it was.",
	  .run = hufu_run_publish },
	{ .name = "pull", .usage = "NAME [--wait] [OPTION]...", .opts = opts_pull,
	  .min_args = 1, .max_args = 1,
	  .summary = "have the node of this machine bring a model",
	  .help = "The node goes on with it by itself, whether somebody waits or not, and keeps it current.",
	  .run = hufu_run_pull },
	{ .name = "push", .usage = "FILE|DIR... [--lineage NAME] [OPTION]...", .opts = opts_push,
	  .min_args = 1, .max_args = HUFU_ARGS_MAX,
	  .summary = "seal files to the hub and have the node send them",
	  .help = "On return the upload is durable in the node's outbox and needs the files no more.",
	  .run = hufu_run_push },
	{ .name = "run", .usage = "NAME [--file FILE] [OPTION]... -- CMD [ARG]... {} ...", .opts = opts_run,
	  .min_args = 1, .max_args = 1,
	  .summary = "run a command on a model that is opened in memory",
	  .help = "{} becomes a path of the model's file that only the command can open, {FILE} that of one of\n"
		  "several. Nothing is written to a disk. Signals are handed on; the exit code is the command's,\n"
		  "or 128 and the number of the signal that ended it.",
	  .run = hufu_run_run },
	{ .name = "seal", .usage = "FILE|DIR... --as DIR --lineage NAME --release N -o BUNDLE [OPTION]...",
	  .opts = opts_seal, .min_args = 1, .max_args = HUFU_ARGS_MAX,
	  .summary = "seal and sign files as one release, in one bundle",
	  .help = "Of a folder everything in it is sealed, by its path below the folder; formats of models are known\n"
		  "by content. The bundle holds everything a hub needs; with --base only what earlier ones do not.\n"
		  "Who was granted a release can open unchanged chunks of the next; --epoch or --no-dedupe ends that.",
	  .run = hufu_run_seal },
	{ .name = "selftest", .usage = "[--json]", .opts = opts_json, .runs_without_module = true,
	  .summary = "test the cryptographic module and report on it",
	  .help = "Integrity of this program, known answers of every algorithm with every kernel that this processor\n"
		  "can run, the entropy source, a pair of keys. Exit codes: 0 all passed, 8 the module is in its error\n"
		  "state and must not be used.",
	  .run = hufu_run_selftest },
	{ .name = "show", .usage = "FILE|DIR [--chunks] [--json]", .opts = opts_show,
	  .min_args = 1, .max_args = 1,
	  .summary = "print what a bundle, object, certificate, key file or model says",
	  .help = "Reads models (safetensors, GGUF, ONNX, TFLite), folders of them, bundles, each object of one,\n"
		  "certificates (PEM or DER) and what is public about key files. Checks no signature: that is\n"
		  "hufu verify.",
	  .run = hufu_run_show },
	{ .name = "status", .usage = "[--node DIR] [--json]", .opts = opts_status,
	  .summary = "print what the node of this machine says of itself",
	  .run = hufu_run_status },
	{ .name = "tunnel status", .usage = "SOCKET [--json]", .opts = opts_json,
	  .min_args = 1, .max_args = 1,
	  .summary = "print what a running tunnel says of itself",
	  .help = "SOCKET is what control: of its configuration names, or --control.",
	  .run = hufu_run_tunnel_status },
	{ .name = "tunnel", .usage = "FILE [--check] | --server|--client --accept WHERE --connect WHERE [OPTION]...",
	  .opts = hufu_opts_tunnel, .max_args = 1,
	  .summary = "carry any TCP service through SM links, as client or server side",
	  .help = "Runs all services of FILE, or one from the options, until SIGTERM; SIGHUP reads FILE again,\n"
		  "SIGUSR1 writes the numbers. In front of a web server, and on the machine of its users:\n"
		  "  hufu tunnel --server --accept 0.0.0.0:8443 --connect 127.0.0.1:80 --certificate gw.pem \\\n"
		  "      --key gw.key --roots ca.pem --allow 'cam-*'\n"
		  "  hufu tunnel --client --accept 127.0.0.1:8080 --connect gw.example:8443 \\\n"
		  "      --certificate cam-1.pem --key cam-1.key --roots ca.pem\n"
		  "See hufu-tunnel(1).",
	  .run = hufu_run_tunnel },
	{ .name = "uploads list", .usage = "[--node DIR] [--device ID] [--json]", .opts = opts_uploads_list,
	  .summary = "list what devices have sent to the hub of this machine",
	  .help = "DIR is the hub's data folder; the hub may be running.",
	  .run = hufu_run_uploads_list },
	{ .name = "uploads open", .usage = "UPLOAD|BUNDLE -o DIR [OPTION]...", .opts = opts_uploads_open,
	  .min_args = 1, .max_args = 1,
	  .summary = "open an upload with the key of the hub and write its files",
	  .help = "Checks that the device it names has signed it. Writes all files or none and never over another.\n"
		  "Without --share and --passphrase-file the passphrase is asked for.",
	  .run = hufu_run_uploads_open },
	{ .name = "verify", .usage = "BUNDLE [--root FILE|DIR] [--base BUNDLE]... [--json]", .opts = opts_verify,
	  .min_args = 1, .max_args = 1,
	  .summary = "check all of a bundle that can be checked without a key",
	  .help = "Trust root, signatures, every page and the digest of every chunk. Without --root the root in\n"
		  "the bundle is used: that proves integrity, but not who made it.",
	  .run = hufu_run_verify },
	{ .name = "version", .usage = "[--json]", .opts = opts_json,
	  .summary = "print the version, the chosen kernels and the self-test's state",
	  .run = hufu_run_version },
};
/* clang-format on */

const struct hufu_cmd *hufu_cmd_table(size_t *n)
{
	*n = HF_COUNT(commands);
	return commands;
}

int hufu_exit(hf_err e, struct hf_errinfo *ei)
{
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s", hf_err_text(e));
	return hf_err_exit(e);
}

hf_err hufu_start(struct hf_env *env, struct hf_errinfo *ei)
{
	unsigned n = hf_os_cpu_count();

	HF_TRY(hf_process_harden(ei));
	return hf_env_init(env, n > 1 ? n : 0, ei);
}

/* How many of argv's first words are the command's name; 0 if they are not. */
static int match(const char *name, int argc, char **argv)
{
	int words = 0;

	while (words < argc) {
		size_t len = strlen(argv[words]);

		if (strncmp(name, argv[words], len) != 0)
			return 0;
		words++;
		if (name[len] == '\0')
			return words;
		if (name[len] != ' ')
			return 0;
		name += len + 1;
	}
	return 0;
}

const struct hufu_cmd *hufu_cmd_find(int argc, char **argv, int *n_words)
{
	for (size_t i = 0; i < HF_COUNT(commands); i++) {
		*n_words = match(commands[i].name, argc, argv);
		if (*n_words > 0)
			return &commands[i];
	}
	return NULL;
}

static bool is_in_group(const struct hufu_cmd *cmd, const char *word)
{
	size_t len = strlen(word);

	return strncmp(cmd->name, word, len) == 0 && cmd->name[len] == ' ';
}

/* The commands that begin with this word. */
static bool print_group(FILE *out, const char *word)
{
	bool any = false;

	for (size_t i = 0; i < HF_COUNT(commands); i++) {
		if (is_in_group(&commands[i], word)) {
			fprintf(out, "%s  hufu %s %s\n", any ? "" : "usage:\n", commands[i].name,
				commands[i].usage);
			any = true;
		}
	}
	return any;
}

/* No command has these first words: says so, and which ones begin like them. */
static int no_command(int argc, char **argv)
{
	if (!print_group(stderr, argv[0]))
		hufu_line(stderr, "hufu: no command '%s'; 'hufu --help' lists them", argv[0]);
	else if (argc > 1)
		hufu_line(stderr, "hufu: no command '%s %s', but those above", argv[0], argv[1]);
	return HUFU_EXIT_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* What follows help: nothing, a command, or the first word of some. */
static int help(int argc, char **argv)
{
	int n_words = 0;
	const struct hufu_cmd *cmd = argc == 0 ? NULL : hufu_cmd_find(argc, argv, &n_words);

	if (argc == 0)
		hufu_help_all();
	else if (cmd != NULL)
		hufu_help_cmd(cmd);
	else if (!print_group(stdout, argv[0]))
		return no_command(argc, argv);
	return 0;
}

int main(int argc, char **argv)
{
	const struct hufu_cmd *cmd;
	struct hufu_args args;
	struct hf_errinfo ei = { .code = HF_OK };
	uint32_t cpu;
	int n_words = 0;
	int status;

	hf_process_begin();
	if (argc < 2) {
		hufu_help_all();
		return HUFU_EXIT_USAGE;
	}
	if (is_help(argv[1]))
		return help(argc - 2, argv + 2);
	if (strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	cmd = hufu_cmd_find(argc - 1, argv + 1, &n_words);
	if (cmd == NULL && argc == 3 && is_help(argv[2]))
		return help(1, argv + 1);
	if (cmd == NULL)
		return no_command(argc - 1, argv + 1);
	if (hufu_args_parse(&args, cmd, argc - 1 - n_words, argv + 1 + n_words, &ei) != HF_OK) {
		hufu_line(stderr, "hufu %s: %s", cmd->name, ei.text);
		return HUFU_EXIT_USAGE;
	}
	if (hufu_has(&args, "help")) {
		hufu_help_cmd(cmd);
		return 0;
	}
	cpu = hf_os_cpu();
	if (hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), &ei) != HF_OK) {
		hufu_line(stderr, "hufu: HUFU_CPU: %s", ei.text);
		return HUFU_EXIT_USAGE;
	}
	if (hf_module_start(cpu) != HF_OK && !cmd->runs_without_module) {
		fprintf(stderr, "hufu: the cryptographic module failed its self-test '%s'; %s\n",
			hf_module()->failed, hf_module_advice());
		return hf_err_exit(HF_ERR_SELF_TEST);
	}
	status = cmd->run(&args, &ei);
	hf_module_zeroize();
	if (ei.code != HF_OK)
		hufu_line(stderr, "hufu %s: %s [%s]", cmd->name, ei.text, hf_err_name(ei.code));
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "hufu %s: standard output: write failed\n", cmd->name);
		return status == 0 ? hf_err_exit(HF_ERR_IO) : status;
	}
	return status;
}
