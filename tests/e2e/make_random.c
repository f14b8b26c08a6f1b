/* SPDX-License-Identifier: Apache-2.0 */
/* layer: random */
/*
 * make_random KIND SAMPLES: samples of a million bits on standard output, from a good generator
 * with a fixed seed, "good", or bent so that one test of GM/T 0005 must see it and most others need
 * not.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

enum {
	N = 1000000, /* bits of a sample */
	BLOCK = 10000,
	DELAY = 1000,
	LFSR_BLOCK = 1000,
	LFSR_LEN = 300,
	RUN_LIMIT = 12,
};

static uint64_t seed = 20211018;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned fair(void)
{
	return (unsigned)(next() >> 63);
}

/* True in so many of a thousand cases. */
static bool chance(unsigned of_1000)
{
	return next() % 1000 < of_1000;
}

static void good(uint8_t *b)
{
	for (size_t i = 0; i < N; i++)
		b[i] = (uint8_t)fair();
}

/* 1: a few ones more than zeros. */
static void monobit(uint8_t *b)
{
	for (size_t i = 0; i < N; i++)
		b[i] = chance(506);
}

/* 2: blocks with more ones and blocks with more zeros take turns. */
static void block_frequency(uint8_t *b)
{
	for (size_t i = 0; i < N; i++)
		b[i] = chance(i / BLOCK % 2 == 0 ? 515 : 485);
}

/* 3: of the bytes at whole places, one comes too often at the cost of its complement. */
static void poker(uint8_t *b)
{
	good(b);
	for (size_t i = 0; i < N; i += 8) {
		unsigned byte = 0;

		for (size_t j = 0; j < 8; j++)
			byte = byte << 1 | b[i + j];
		for (size_t j = 0; byte == 0x6a && j < 8; j++)
			b[i + j] ^= 1;
	}
}

/* 4: a bit leans towards the sum of the two before it. */
static void serial(uint8_t *b)
{
	good(b);
	for (size_t i = 2; i < N; i++)
		b[i] = (uint8_t)(b[i - 1] ^ b[i - 2] ^ chance(494));
}

/* 5: a bit differs from the one before too often. */
static void runs(uint8_t *b)
{
	good(b);
	for (size_t i = 1; i < N; i++)
		b[i] = b[i - 1] ^ chance(506);
}

/* 6: runs of 1 and of 3 more often, runs of 2 less often; their mean stays 2. */
static void run_lengths(uint8_t *b)
{
	unsigned value = fair();

	for (size_t i = 0; i < N; value ^= 1) {
		unsigned len = 1;

		while (fair() != 0)
			len++;
		if (len == 2 && chance(100))
			len = fair() != 0 ? 1 : 3;
		for (; len > 0 && i < N; len--)
			b[i++] = (uint8_t)value;
	}
}

/* 7: no long runs at all. */
static void longest_run(uint8_t *b)
{
	unsigned len = 0;

	good(b);
	for (size_t i = 1; i < N; i++) {
		len = b[i] == b[i - 1] ? len + 1 : 1;
		if (len <= RUN_LIMIT)
			continue;
		b[i] ^= 1;
		len = 1;
	}
}

/* 8: the sum of eight bits in a row leans to one side. */
static void derivative(uint8_t *b)
{
	good(b);
	for (size_t i = 7; i < N; i++) {
		unsigned sum = 0;

		for (size_t j = 1; j < 8; j++)
			sum ^= b[i - j];
		b[i] = (uint8_t)(sum ^ chance(494));
	}
}

/* 9: a bit leans towards the one 16 places before. */
static void autocorrelation(uint8_t *b)
{
	good(b);
	for (size_t i = 16; i < N; i++)
		b[i] = b[i - 16] ^ chance(494);
}

/* 10: in some matrices a row is the sum of two others. */
static void rank(uint8_t *b)
{
	good(b);
	for (size_t i = 0; i + 1024 <= N; i += 1024)
		for (size_t j = 0; i % 4096 == 0 && j < 32; j++)
			b[i + 31 * 32 + j] = b[i + j] ^ b[i + 32 + j];
}

/* 11: up in the first half, down in the second. */
static void cusum(uint8_t *b)
{
	for (size_t i = 0; i < N; i++)
		b[i] = chance(i < N / 2 ? 506 : 494);
}

/* 12: after one pattern of five bits a one too often, after its complement a zero. */
static void entropy(uint8_t *b)
{
	unsigned last = 0;

	for (size_t i = 0; i < N; i++) {
		b[i] = last == 0x16 ? chance(540) : last == 0x09 ? chance(460) : (uint8_t)fair();
		last = (last << 1 | b[i]) & 0x1f;
	}
}

/* 13: blocks that a register of 300 bits makes. */
static void complexity(uint8_t *b)
{
	uint8_t taps[LFSR_LEN];

	good(b);
	for (size_t i = 0; i < N; i += LFSR_BLOCK) {
		for (size_t j = 0; j < LFSR_LEN; j++)
			taps[j] = (uint8_t)fair();
		for (size_t k = i + LFSR_LEN; k < i + LFSR_BLOCK; k++) {
			b[k] = 0;
			for (size_t j = 0; j < LFSR_LEN; j++)
				b[k] ^= b[k - 1 - j] & taps[j];
		}
	}
}

/* 14: groups of seven bits come back soon. */
static void universal(uint8_t *b)
{
	good(b);
	for (size_t i = 14; i + 7 <= N; i += 7)
		if (chance(20))
			memcpy(b + i, b + i - 14, 7);
}

/* 15: a bit leans against the one a thousand places before, which gives every frequency a weight.
 */
static void fourier(uint8_t *b)
{
	good(b);
	for (size_t i = DELAY; i < N; i++)
		b[i] = (uint8_t)(b[i - DELAY] ^ chance(650));
}

static const struct {
	const char *name;
	void (*make)(uint8_t *b);
} kinds[] = {
	{ "good", good },
	{ "monobit-frequency", monobit },
	{ "block-frequency", block_frequency },
	{ "poker", poker },
	{ "serial", serial },
	{ "runs-total", runs },
	{ "runs-distribution", run_lengths },
	{ "longest-run", longest_run },
	{ "binary-derivative", derivative },
	{ "autocorrelation", autocorrelation },
	{ "matrix-rank", rank },
	{ "cumulative-sums", cusum },
	{ "approximate-entropy", entropy },
	{ "linear-complexity", complexity },
	{ "maurer-universal", universal },
	{ "discrete-fourier", fourier },
};

static bool write_sample(const uint8_t *b)
{
	for (size_t i = 0; i < N; i += 8) {
		int byte = 0;

		for (size_t j = 0; j < 8; j++)
			byte = byte << 1 | b[i + j];
		if (putchar(byte) == EOF)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static uint8_t b[N];

	for (size_t i = 0; argc == 3 && i < HF_COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, argv[1]) != 0)
			continue;
		for (long n = strtol(argv[2], NULL, 10); n > 0; n--) {
			kinds[i].make(b);
			if (!write_sample(b))
				return 1;
		}
		return fflush(stdout) == 0 ? 0 : 1;
	}
	(void)fputs("usage: make_random KIND SAMPLES\n", stderr);
	return 2;
}
