/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: bench_crypto [NAME]...    only the rows whose names begin so
 *
 * The module's algorithms beside those of Debian's libgcrypt and openssl. Before the sides of a row
 * are measured they must agree. Then they take turns, so that a change of the machine's pace meets
 * all of them, and the best of many short samples of processor time counts.
 */
/* uses: libgcrypt libcrypto */
#include <gcrypt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "crypto.h"
#include "crypto/module.h"

enum {
	SAMPLES = 21,
	OURS = CRYPTO_SIDES, /* index of ours behind the others */
};

static const struct crypto_family *const families[] = { &crypto_sm4, &crypto_sm3, &crypto_sm2 };

struct bench {
	struct hufu_speed speed;
	void *beside[HF_COUNT(families)];
	enum crypto_class class; /* the processor's */
	struct crypto_worker workers[CRYPTO_CLASSES];
	const char *const *wanted; /* beginnings of names; NULL at the end */
	size_t n_asked;            /* figures set for what was measured */
	size_t n_met;              /* by the ratio */
	size_t n_rate_met; /* by the rate itself, which is meant for a core of about 3.6 GHz */
};

/* One line of the table. */
struct line {
	size_t i; /* of the row */
	const struct hufu_speed_row *row;
	const struct crypto_peer *peer;
	const struct crypto_figure *figure;
	const struct crypto_worker *worker; /* NULL: this process measures ours */
	const char *class;
	size_t family;
};

static bool is_wanted(const struct bench *b, const char *name)
{
	for (size_t i = 0; b->wanted[i] != NULL; i++)
		if (strncmp(name, b->wanted[i], strlen(b->wanted[i])) == 0)
			return true;
	return b->wanted[0] == NULL;
}

/* Whose row it is; peer stays NULL if nobody else has it. */
static void find_peer(struct line *l)
{
	for (size_t f = 0; f < HF_COUNT(families); f++)
		for (size_t i = 0; i < families[f]->n_peers; i++) {
			const struct crypto_peer *p = &families[f]->peers[i];

			if (strcmp(p->name, l->row->name) == 0 &&
				(p->len == 0 || p->len == l->row->len)) {
				l->peer = p;
				l->family = f;
				return;
			}
		}
}

static const struct crypto_figure *find_figure(
	const struct hufu_speed_row *row, enum crypto_class class)
{
	for (size_t f = 0; f < HF_COUNT(families); f++)
		for (size_t i = 0; i < families[f]->n_figures; i++) {
			const struct crypto_figure *g = &families[f]->figures[i];

			if (strcmp(g->name, row->name) == 0 && g->len == row->len &&
				g->n == row->n && g->class == class)
				return g;
		}
	return NULL;
}

static void agree(struct hufu_speed *s, const struct line *l)
{
	static uint8_t ours[HUFU_SPEED_TEXT];
	size_t same = l->peer->same == CRYPTO_TEXT ? l->row->len : l->peer->same;

	bench_need(l->row->run(s, l->row), l->row->name);
	memcpy(ours, s->out, same);
	for (size_t i = 0; i < CRYPTO_SIDES; i++) {
		if (l->peer->sides[i] == NULL)
			continue;
		bench_need(l->peer->sides[i](s, l->row), l->row->name);
		bench_need(memcmp(ours, s->out, same) == 0, "the comparison of results");
	}
}

static double sample(struct hufu_speed *s, const struct line *l, size_t side)
{
	if (side < CRYPTO_SIDES)
		return hufu_speed_sample(l->peer->sides[side], s, l->row, 1);
	if (l->worker != NULL)
		return crypto_worker_sample(l->worker, l->i);
	return hufu_speed_sample(l->row->run, s, l->row, l->row->n);
}

static bool has_side(const struct line *l, size_t side)
{
	return side == OURS || (l->peer != NULL && l->peer->sides[side] != NULL);
}

static void measure(double best[CRYPTO_SIDES + 1], struct hufu_speed *s, const struct line *l)
{
	for (size_t n = 0; n < SAMPLES; n++)
		for (size_t side = 0; side <= OURS; side++) {
			double rate;

			if (!has_side(l, side))
				continue;
			rate = sample(s, l, side);
			bench_need(rate > 0, l->row->name);
			if (rate > best[side])
				best[side] = rate;
		}
}

static void show_head(void)
{
	printf("\n%-17s %11s %-4s %9s %9s %9s %9s %7s  %7s %9s\n", "one core", "", "", "hufu",
		"libgcrypt", "openssl", "P-256", "ratio", "to be", "(at rate)");
}

/* The ratio decides; where it falls short, the rate that the table asks for may be there. */
static void show_verdict(struct bench *b, const struct line *l, const double best[])
{
	const struct crypto_figure *g = l->figure;
	double ratio;
	bool is_met;
	bool is_rate_met;

	if (g == NULL) {
		printf("\n");
		return;
	}
	ratio = best[OURS] / best[g->beside];
	is_met = ratio >= g->want / g->had;
	is_rate_met = hufu_speed_value(l->row, best[OURS]) >= g->want;
	b->n_asked++;
	b->n_met += is_met ? 1 : 0;
	b->n_rate_met += is_rate_met ? 1 : 0;
	printf(" %7.2f  %7.2f (%7.3f)  %s\n", ratio, g->want / g->had, g->want,
		is_met        ? "met"
		: is_rate_met ? "rate met, ratio not"
			      : "NOT MET");
}

static void show(struct bench *b, const struct line *l, const double best[])
{
	char size[32];

	hufu_speed_size_text(size, sizeof(size), l->row);
	printf("%-17s %11s %-4s %9.3f", l->row->name, size, hufu_speed_unit(l->row),
		hufu_speed_value(l->row, best[OURS]));
	for (size_t i = 0; i < CRYPTO_SIDES; i++)
		if (has_side(l, i))
			printf(" %9.3f", hufu_speed_value(l->row, best[i]));
		else
			printf(" %9s", "-");
	show_verdict(b, l, best);
	(void)fflush(stdout);
}

static void run(struct bench *b, struct line *l)
{
	double best[CRYPTO_SIDES + 1] = { 0 };

	find_peer(l);
	if (l->peer != NULL) {
		b->speed.beside = b->beside[l->family];
		agree(&b->speed, l);
	}
	bench_need(l->figure == NULL || has_side(l, l->figure->beside), "a figure's other side");
	measure(best, &b->speed, l);
	show(b, l, best);
}

static void run_all(struct bench *b)
{
	struct line l = { .i = 0 };

	show_head();
	for (; (l.row = hufu_speed_row_at(l.i)) != NULL; l.i++) {
		struct line now = l;

		if (!is_wanted(b, l.row->name))
			continue;
		now.figure = find_figure(l.row, b->class);
		run(b, &now);
	}
}

/* The rows that have a figure for a class below the processor's, with the kernels of that. */
static void run_forced(struct bench *b, enum crypto_class class)
{
	struct line l = { .worker = &b->workers[class] };
	bool is_first = true;

	for (; (l.row = hufu_speed_row_at(l.i)) != NULL; l.i++) {
		struct line now = l;

		now.figure = find_figure(l.row, class);
		if (now.figure == NULL || !is_wanted(b, l.row->name))
			continue;
		if (is_first)
			printf("as with a processor of class %s:\n", crypto_class_name(class));
		is_first = false;
		run(b, &now);
	}
}

/* A figure that no row has would never be seen. */
static void check_figures(void)
{
	for (size_t f = 0; f < HF_COUNT(families); f++)
		for (size_t i = 0; i < families[f]->n_figures; i++) {
			const struct crypto_figure *g = &families[f]->figures[i];
			const struct hufu_speed_row *row;
			size_t at = 0;

			do
				row = hufu_speed_row_at(at++);
			while (row != NULL && find_figure(row, g->class) != g);
			bench_need(row != NULL, g->name);
		}
}

int main(int argc, char **argv)
{
	static struct bench b;
	uint32_t cpu = bench_cpu();

	(void)argc;
	b.wanted = (const char *const *)argv + 1;
	b.class = crypto_class_of(cpu);
	for (int c = (int)b.class + 1; c < CRYPTO_CLASSES; c++)
		crypto_worker_start(&b.workers[c], crypto_class_cpu((enum crypto_class)c, cpu));
	bench_start(cpu);
	printf("class: %s\nbeside: libgcrypt %s, openssl %s\n", crypto_class_name(b.class),
		gcry_check_version(NULL), OpenSSL_version(OPENSSL_VERSION_STRING));
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	check_figures();
	bench_need(hufu_speed_init(&b.speed) == HF_OK, "the making of keys");
	for (size_t f = 0; f < HF_COUNT(families); f++)
		b.beside[f] = families[f]->start(&b.speed);
	run_all(&b);
	for (int c = (int)b.class + 1; c < CRYPTO_CLASSES; c++)
		run_forced(&b, (enum crypto_class)c);
	printf("%zu figures: %zu met by the ratio, %zu by the rate\n", b.n_asked, b.n_met,
		b.n_rate_met);
	hufu_speed_clear(&b.speed);
	return 0;
}
