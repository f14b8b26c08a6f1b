/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the product light enough for the small end of a deployment? One operation of each kind, and
 * sealing a file, beside two plain implementations (light.h). Limits, each row PASS or FAIL: one
 * operation takes at most 100 ms, and at least 40 % less processor time, or memory, than each of
 * the plain ones. Where instructions are counted instead of time, the first limit is 100 million of
 * them, 100 ms of a core at 1 GHz that completes one in a cycle, and SM3 of one stream is to take
 * no more of them than libgcrypt (docs/decisions/0006).
 */
/* uses: libgcrypt */
/* counted: under qemu-user */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "crypto/drbg.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "light.h"
#include "os/cpu.h"
#include "os/entropy.h"
#include "stopwatch.h"

enum {
	SIDES = 3,
	SM3_AT = 4, /* among the operations */
	RUNS = 15,  /* of which the best counts; two where instructions are counted */
	FILE_LEN = 16 << 20,
	COUNTED_LEN = 4 << 20, /* an emulated processor is slow */
};

static const double limit = 100;                        /* ms, or millions of instructions */
static const double parts[SIDES] = { 0, 0.6, 0.6 };     /* of each plain implementation */
static const double sm3_parts[SIDES] = { 0, 1.0, 0.6 }; /* docs/decisions/0006 */

static const struct light_side *const sides[SIDES] = { &light_ours, &light_gcrypt, &light_base };

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

static void prepare(struct light *l, struct hf_drbg *drbg)
{
	struct hf_rng entropy = hf_os_rng();
	uint32_t cpu;

	need(hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), NULL) == HF_OK, "reading HUFU_CPU");
	need(hf_module_start(cpu) == HF_OK, "the module's self-test");
	l->in = malloc(LIGHT_TEXT);
	l->out = malloc(LIGHT_TEXT);
	need(l->in != NULL && l->out != NULL, "getting memory");
	for (size_t i = 0; i < sizeof(l->key); i++)
		l->key[i] = (uint8_t)(i * 5 + 1);
	need(hf_drbg_init(drbg, &entropy, NULL, NULL, "light", 5) == HF_OK, "our generator");
	l->rng = hf_drbg_rng(drbg);
	need(hf_sm2_key_new(&l->sm2, &l->rng) == HF_OK, "making a key");
	need(hf_rng_fill(&l->rng, l->k, sizeof(l->k)) == HF_OK, "our generator");
	l->k[0] &= 0x7f; /* surely below n */
	need(hf_sm2_encrypt(l->cipher, &l->sm2.pub, l->k, LIGHT_SECRET, &l->rng) == HF_OK,
		"encrypting");
}

/* What every side makes of the same must be the same, and what it signs must hold. */
static void agree(struct light *l)
{
	uint8_t first[3][32];

	for (size_t i = 0; i < SIDES; i++) {
		const struct light_side *s = sides[i];
		uint8_t *all[3] = { l->digest, l->tag, l->secret };
		static const size_t lens[3] = { 32, 16, LIGHT_SECRET };

		need(s->sm3(l) && s->gcm(l) && s->decrypt(l), s->name);
		for (size_t j = 0; j < 3; j++) {
			if (i == 0)
				memcpy(first[j], all[j], lens[j]);
			need(memcmp(first[j], all[j], lens[j]) == 0, "the comparison of results");
		}
		need(s->sign(l), s->name);
		for (size_t j = 0; j < SIDES; j++)
			need(sides[j]->verify(l), sides[j]->name);
		l->sig.s[31] ^= 1;
		need(!s->verify(l), "refusing a wrong signature");
		l->sig.s[31] ^= 1;
	}
}

/* Prints a row; true if it keeps the limits. most 0: only the parts are limited. */
static bool show(const char *what, const char *unit, const double v[SIDES], double most,
	const double part[SIDES])
{
	bool ok = true;

	printf("%-16s", what);
	for (size_t i = 0; i < SIDES; i++)
		printf(" %17.3f", v[i]);
	printf(" %-14s", unit);
	for (size_t i = 1; i < SIDES; i++) {
		bool is_light = (most <= 0 || v[0] <= most) && v[0] <= part[i] * v[i];

		printf("  %5.2f %s", v[0] / v[i], is_light ? "PASS" : "FAIL");
		ok &= is_light;
	}
	printf("\n");
	return ok;
}

static bool operation(struct light *l, const char *what, size_t at)
{
	double best[SIDES] = { 0 };

	for (int run = 0; run < (stopwatch_counts() ? 2 : RUNS); run++)
		for (size_t i = 0; i < SIDES; i++) {
			light_fn *const fns[] = { sides[i]->sign, sides[i]->verify,
				sides[i]->decrypt, sides[i]->gcm, sides[i]->sm3, sides[i]->tree };
			double from = stopwatch();
			double took;

			need(fns[at](l), what);
			took = stopwatch() - from;
			if (run == 0 || took < best[i])
				best[i] = took;
		}
	return show(what, stopwatch_unit(), best, limit,
		at == SM3_AT && stopwatch_counts() ? sm3_parts : parts);
}

/* The program itself seals in a process of its own: what that took is what the system says. */
static void seal_apart(const char *self, const char *side, char *to, char *from, struct rusage *u)
{
	int status = 0;
	pid_t pid = fork();

	need(pid >= 0, "starting a process");
	if (pid == 0) {
		(void)execl(self, self, side, to, from, (char *)NULL);
		_exit(127);
	}
	while (wait4(pid, &status, 0, u) < 0)
		need(errno == EINTR, "waiting for a process");
	need(WIFEXITED(status) && WEXITSTATUS(status) == 0, "sealing");
}

static double ms_of(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static bool sealing(struct light *l, char *to, char *from)
{
	static const char *const names[SIDES] = { "0", "1", "2" };
	double cost[SIDES] = { 0 };
	double memory[SIDES] = { 0 };
	bool ok;

	for (int run = 0; run < (stopwatch_counts() ? 1 : 3); run++)
		for (size_t i = 0; i < SIDES; i++) {
			struct rusage u = { 0 };
			double took = stopwatch();

			if (stopwatch_counts()) {
				need(sides[i]->seal(l, to, from), "sealing");
				took = stopwatch() - took;
			} else {
				seal_apart("/proc/self/exe", names[i], to, from, &u);
				took = ms_of(u.ru_utime) + ms_of(u.ru_stime);
				memory[i] = (double)u.ru_maxrss / 1024;
			}
			if (run == 0 || took < cost[i])
				cost[i] = took;
		}
	ok = show(stopwatch_counts() ? "seal 4 MiB" : "seal 16 MiB", stopwatch_unit(), cost, 0,
		parts);
	if (!stopwatch_counts())
		ok &= show("  peak memory", "MiB", memory, 0, parts);
	return ok;
}

static bool make_file(const char *path, const struct light *l, size_t len)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL;

	for (size_t at = 0; ok && at < len; at += LIGHT_TEXT)
		ok = fwrite(l->in, LIGHT_TEXT, 1, f) == 1;
	return f != NULL && fclose(f) == 0 && ok;
}

static bool all_rows(struct light *l)
{
	static const char *const names[] = { "SM2 sign", "SM2 verify", "SM2 decrypt",
		"SM4-GCM 1 MiB", "SM3 1 MiB", "tree-SM3 1 MiB" };
	char dir[] = "/tmp/hufu-light-XXXXXX";
	char from[sizeof(dir) + 8];
	char to[sizeof(dir) + 8];
	bool ok = true;

	for (size_t i = 0; i < HF_COUNT(names); i++)
		ok &= operation(l, names[i], i);
	need(mkdtemp(dir) != NULL, "making a folder");
	(void)snprintf(from, sizeof(from), "%s/plain", dir);
	(void)snprintf(to, sizeof(to), "%s/sealed", dir);
	need(make_file(from, l, stopwatch_counts() ? COUNTED_LEN : FILE_LEN), "making a file");
	ok &= sealing(l, to, from);
	(void)unlink(from);
	(void)unlink(to);
	(void)rmdir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	struct light l = { .nonce = "hufu--light" };
	struct hf_drbg drbg;
	const char *version = light_gcrypt_start();
	char cpu[256];
	bool ok;

	prepare(&l, &drbg);
	light_gcrypt_keys(&l);
	if (argc == 4) /* seal_apart() */
		return sides[argv[1][0] - '0']->seal(&l, argv[2], argv[3]) ? 0 : 1;
	stopwatch_start();
	for (size_t i = 0; i < LIGHT_TEXT; i++)
		l.in[i] = (uint8_t)(i * 7 + (i >> 8));
	agree(&l);
	hf_os_cpu_text(cpu, sizeof(cpu), hf_module()->cpu);
	printf("processor: %s\nkernels: sm3 %s, sm4 %s, ghash %s; libgcrypt %s without hardware "
	       "features\n%-16s",
		cpu, hf_module()->sm3->name, hf_module()->sm4->name, hf_module()->ghash->name,
		version, "");
	for (size_t i = 0; i < SIDES; i++)
		printf(" %17s", sides[i]->name);
	printf(" %-14s  %-10s  %-10s\n", "", "to 2nd", "to 3rd");
	ok = all_rows(&l);
	hf_sm2_key_clear(&l.sm2);
	hf_drbg_clear(&drbg);
	free(l.in);
	free(l.out);
	return ok ? 0 : 1;
}
