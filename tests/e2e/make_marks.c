/* SPDX-License-Identifier: Apache-2.0 */
/* layer: os wmark */
/*
 * The engine of the forensic marks on numbers from standard input, with given bytes in the place of
 * the key streams; results in raw form or text on standard output. Little-endian machines only.
 *
 *   make_marks mark TYPE ALPHA N_S N_SITES ROWS COLS   site bytes, chips, tensor
 *       -> first weights (u64), the tensor with all variants 0, the tensor with all variants 1
 *   make_marks read VIEW N_S N_SITES                   variants 0, variants 1, leak, steps (float)
 *       -> noise, what each site says (double)
 *   make_marks trace N_SITES N NOISE N_REGISTERED      what sites say (double), classes, words
 *       -> coalition, rounds and who is named, as text; then each one's best log10 p
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/heap.h"
#include "wmark/mark_read.h"
#include "wmark/mark_sites.h"
#include "wmark/mark_trace.h"

static void need(bool ok, const char *what)
{
	if (!ok) {
		(void)fprintf(stderr, "make_marks: %s\n", what);
		exit(1);
	}
}

/* So many bytes of standard input. */
static void *input(size_t len)
{
	void *p = calloc(len + 1, 1);

	need(p != NULL && fread(p, 1, len, stdin) == len, "input ends too early");
	return p;
}

static void output(const void *p, size_t len)
{
	need(fwrite(p, 1, len, stdout) == len, "output failed");
}

static void mark(char **a)
{
	enum hf_mark_type type = (enum hf_mark_type)atoi(a[0]);
	size_t len = hf_mark_type_len(type);
	struct hf_mark_site s = {
		.type = type, .alpha = (uint32_t)atol(a[1]), .n = (uint32_t)atol(a[2])
	};
	size_t n_sites = strtoul(a[3], NULL, 10);
	size_t rows = strtoul(a[4], NULL, 10);
	size_t cols = strtoul(a[5], NULL, 10);
	uint8_t *site_bytes = input(4 * n_sites);
	uint8_t *chips = input((n_sites * s.n + 7) / 8);
	uint8_t *tensor = input(rows * cols * len);
	uint8_t *copy = calloc(rows * cols, len);
	uint64_t *first = calloc(n_sites, sizeof(*first));
	float *rms = calloc(rows, sizeof(*rms));

	need(copy != NULL && first != NULL && rms != NULL, "no memory");
	need(hf_mark_positions(first, site_bytes, n_sites, rows * cols, s.n) == HF_OK, "positions");
	output(first, n_sites * sizeof(*first));
	for (size_t r = 0; r < rows; r++)
		rms[r] = hf_mark_rms(type, tensor + r * cols * len, cols);
	s.cols = cols;
	s.row_rms = rms;
	s.chips = chips;
	for (unsigned v = 0; v < 2; v++) {
		memcpy(copy, tensor, rows * cols * len);
		for (size_t j = 0; j < n_sites; j++) {
			s.weights = tensor + first[j] * len;
			s.first = first[j];
			s.first_chip = j * s.n;
			hf_mark_variant(copy + first[j] * len, &s, v);
		}
		output(copy, rows * cols * len);
	}
	free(site_bytes);
	free(chips);
	free(tensor);
	free(copy);
	free(first);
	free(rms);
}

static void read_leak(char **a)
{
	struct hf_mark_suspect s = { .n_s = (uint32_t)atol(a[1]),
		.n_sites = strtoul(a[2], NULL, 10) };
	size_t len = s.n_s * s.n_sites * sizeof(float);
	float *in[4];
	struct hf_mark_reading r = { 0 };
	double *y = calloc(s.n_sites, sizeof(*y));
	double noise = NAN;
	hf_err e;

	for (size_t i = 0; i < 4; i++)
		in[i] = input(len);
	s.variant[0] = in[0];
	s.variant[1] = in[1];
	s.w = in[2];
	s.step = in[3];
	need(y != NULL && hf_mark_reading_init(&r, (enum hf_mark_view)atoi(a[0]), s.n_sites,
				  hf_os_mem()) == HF_OK,
		"no memory");
	need(hf_mark_reading_add(&r, &s) == HF_OK, "reading");
	e = hf_mark_reading_done(&r, y, &noise);
	need(e == (isnan(noise) ? HF_ERR_NOT_FOUND : HF_OK), "the end of the reading");
	output(&noise, sizeof(noise));
	output(y, s.n_sites * sizeof(*y));
	hf_mark_reading_clear(&r);
	for (size_t i = 0; i < 4; i++)
		free(in[i]);
	free(y);
}

static void trace(char **a)
{
	size_t n_sites = strtoul(a[0], NULL, 10);
	size_t n = strtoul(a[1], NULL, 10);
	double *y = input(n_sites * sizeof(*y));
	uint8_t *cls = input(n_sites);
	uint8_t *bits = input(n * hf_mark_word_len(n_sites));
	double *best = calloc(n, sizeof(*best));
	struct hf_mark_leak leak = { y, cls, n_sites, strtod(a[2], NULL) };
	struct hf_mark_words words = { bits, n, hf_mark_word_len(n_sites) };
	struct hf_mark_trace t;

	need(best != NULL, "no memory");
	need(hf_mark_trace(&t, best, &leak, &words, strtoul(a[3], NULL, 10),
		     HF_MARK_VIEWS * HF_MARK_ASSUMED * HF_MARK_ROUNDS, hf_os_mem()) == HF_OK,
		"trace");
	printf("%u %u %zu %.17g\n", t.coalition, t.n_rounds, t.n_named, t.log10_p_limit);
	for (size_t i = 0; i < t.n_named; i++)
		printf("%zu %u %u %.17g %.17g %s\n", t.named[i].who, t.named[i].round,
			t.named[i].assumed, t.named[i].log10_p, t.named[i].log10_p_family,
			hf_mark_verdict_text(t.named[i].verdict));
	for (size_t i = 0; i < n; i++)
		printf("%.17g\n", best[i]);
	free(y);
	free(cls);
	free(bits);
	free(best);
}

int main(int argc, char **argv)
{
	if (argc == 8 && strcmp(argv[1], "mark") == 0)
		mark(argv + 2);
	else if (argc == 5 && strcmp(argv[1], "read") == 0)
		read_leak(argv + 2);
	else if (argc == 6 && strcmp(argv[1], "trace") == 0)
		trace(argv + 2);
	else
		need(false, "usage: make_marks mark|read|trace ...");
	need(fflush(stdout) == 0, "output failed");
	return 0;
}
