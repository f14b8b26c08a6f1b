/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classifies handwritten digits with a model that never touches the disk in the clear: the SDK asks
 * the local node, checks and decrypts into memory, and this program computes.
 *
 *	digits --node DIR --model NAME TEST.safetensors [--learn OUT.safetensors]
 *	digits --file MODEL.safetensors TEST.safetensors
 *
 * Prints how many of the test's digits it gets right. --learn trains the last layer further on the
 * first half of the test's digits, as a device in the field would on what it saw, and writes the
 * change of that layer: a training increment for `hufu push`.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hufu/model.h>

enum { PIXELS = 64, HIDDEN_1 = 128, HIDDEN_2 = 64, CLASSES = 10, EPOCHS = 20, N_TEST = 450 };

struct net {
	const float *w1, *b1, *w2, *b2, *w3, *b3;
};

struct blob {
	const uint8_t *p;
	size_t len;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "digits: %s: %s\n", what, why);
	exit(1);
}

/* A tensor of a safetensors file by its name. The header was checked when the model was sealed. */
static const void *tensor(struct blob f, const char *name, size_t want_len)
{
	char key[64];
	char *head;
	const char *at;
	uint64_t head_len = 0;
	unsigned long from = 0;
	unsigned long to = 0;

	if (f.len < 8)
		die(name, "not a safetensors file");
	for (int i = 7; i >= 0; i--)
		head_len = head_len << 8 | f.p[i];
	if (head_len > f.len - 8)
		die(name, "not a safetensors file");
	head = calloc(1, (size_t)head_len + 1);
	if (head == NULL)
		die(name, "out of memory");
	memcpy(head, f.p + 8, (size_t)head_len);
	(void)snprintf(key, sizeof(key), "\"%s\":{", name);
	at = strstr(head, key);
	if (at != NULL)
		at = strstr(at, "\"data_offsets\":[");
	if (at == NULL || sscanf(at, "\"data_offsets\":[%lu,%lu]", &from, &to) != 2)
		die(name, "no such tensor");
	free(head);
	if (to < from || to - from != want_len || to > f.len - 8 - head_len)
		die(name, "has another shape than this program expects");
	return f.p + 8 + head_len + from;
}

static struct net net_of(struct blob model)
{
	return (struct net){
		.w1 = tensor(model, "fc1.weight", sizeof(float) * HIDDEN_1 * PIXELS),
		.b1 = tensor(model, "fc1.bias", sizeof(float) * HIDDEN_1),
		.w2 = tensor(model, "fc2.weight", sizeof(float) * HIDDEN_2 * HIDDEN_1),
		.b2 = tensor(model, "fc2.bias", sizeof(float) * HIDDEN_2),
		.w3 = tensor(model, "fc3.weight", sizeof(float) * CLASSES * HIDDEN_2),
		.b3 = tensor(model, "fc3.bias", sizeof(float) * CLASSES),
	};
}

/* out = w x + b, with ReLU where wanted. */
static void layer(float *out, size_t n_out, const float *w, const float *b, const float *x,
	size_t n_in, bool relu)
{
	for (size_t i = 0; i < n_out; i++) {
		float sum = b[i];

		for (size_t k = 0; k < n_in; k++)
			sum += w[i * n_in + k] * x[k];
		out[i] = relu && sum < 0 ? 0 : sum;
	}
}

/* The input of the last layer. */
static void features(const struct net *net, const uint8_t *pixels, float out[HIDDEN_2])
{
	float x[PIXELS];
	float h[HIDDEN_1];

	for (size_t i = 0; i < PIXELS; i++)
		x[i] = (float)pixels[i] / 16;
	layer(h, HIDDEN_1, net->w1, net->b1, x, PIXELS, true);
	layer(out, HIDDEN_2, net->w2, net->b2, h, HIDDEN_1, true);
}

static size_t count_right(
	const struct net *net, const uint8_t *pixels, const uint8_t *labels, size_t n)
{
	size_t n_right = 0;

	for (size_t i = 0; i < n; i++) {
		float h[HIDDEN_2];
		float score[CLASSES];
		size_t best = 0;

		features(net, pixels + i * PIXELS, h);
		layer(score, CLASSES, net->w3, net->b3, h, HIDDEN_2, false);
		for (size_t c = 1; c < CLASSES; c++)
			best = score[c] > score[best] ? c : best;
		n_right += best == labels[i];
	}
	return n_right;
}

/* One step of softmax regression on the last layer. */
static void step(float *w, float *b, const float *h, unsigned label, float rate)
{
	float p[CLASSES];
	float sum = 0;

	layer(p, CLASSES, w, b, h, HIDDEN_2, false);
	for (size_t c = 0; c < CLASSES; c++) {
		p[c] = expf(fminf(p[c], 60));
		sum += p[c];
	}
	for (size_t c = 0; c < CLASSES; c++) {
		float g = p[c] / sum - (c == label ? 1 : 0);

		b[c] -= rate * g;
		for (size_t k = 0; k < HIDDEN_2; k++)
			w[c * HIDDEN_2 + k] -= rate * g * h[k];
	}
}

static void write_increment(const char *path, const float *w, const float *b)
{
	static const char head[] = "{\"fc3.weight.delta\":{\"dtype\":\"F32\",\"shape\":[10,64],"
				   "\"data_offsets\":[0,2560]},"
				   "\"fc3.bias.delta\":{\"dtype\":\"F32\",\"shape\":[10],\"data_"
				   "offsets\":[2560,2600]}}   ";
	uint8_t len[8] = { 0 };
	FILE *f = fopen(path, "wb");

	if (f == NULL)
		die(path, strerror(errno));
	len[0] = (uint8_t)((sizeof(head) - 1) & 0xff);
	len[1] = (uint8_t)((sizeof(head) - 1) >> 8);
	if (fwrite(len, 8, 1, f) != 1 || fwrite(head, sizeof(head) - 1, 1, f) != 1 ||
		fwrite(w, sizeof(float), CLASSES * HIDDEN_2, f) != CLASSES * HIDDEN_2 ||
		fwrite(b, sizeof(float), CLASSES, f) != CLASSES || fclose(f) != 0)
		die(path, "write failed");
}

static void learn(const struct net *net, const uint8_t *pixels, const uint8_t *labels, size_t n,
	const char *out)
{
	float w[CLASSES * HIDDEN_2];
	float b[CLASSES];
	float h[HIDDEN_2];

	memcpy(w, net->w3, sizeof(w));
	memcpy(b, net->b3, sizeof(b));
	for (int epoch = 0; epoch < EPOCHS; epoch++)
		for (size_t i = 0; i < n; i++) {
			features(net, pixels + i * PIXELS, h);
			step(w, b, h, labels[i], 0.01f);
		}
	for (size_t i = 0; i < CLASSES * HIDDEN_2; i++)
		w[i] -= net->w3[i];
	for (size_t i = 0; i < CLASSES; i++)
		b[i] -= net->b3[i];
	write_increment(out, w, b);
}

/* The whole file, which also becomes *b; free() it. */
static uint8_t *load(struct blob *b, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	long len;

	if (f == NULL)
		die(path, strerror(errno));
	if (fseek(f, 0, SEEK_END) != 0 || (len = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0)
		die(path, "not a regular file");
	p = malloc((size_t)len + 1);
	if (p == NULL || fread(p, 1, (size_t)len, f) != (size_t)len)
		die(path, "read failed");
	(void)fclose(f);
	b->p = p;
	b->len = (size_t)len;
	return p;
}

struct options {
	const char *node;
	const char *model;
	const char *file;
	const char *test;
	const char *learn;
};

static struct options parse(int argc, char **argv)
{
	struct options o = { 0 };

	for (int i = 1; i < argc; i++) {
		const char **to = strcmp(argv[i], "--node") == 0    ? &o.node
				  : strcmp(argv[i], "--model") == 0 ? &o.model
				  : strcmp(argv[i], "--file") == 0  ? &o.file
				  : strcmp(argv[i], "--learn") == 0 ? &o.learn
								    : NULL;

		if (to != NULL && i + 1 < argc)
			*to = argv[++i];
		else if (to == NULL && argv[i][0] != '-' && o.test == NULL)
			o.test = argv[i];
		else
			die(argv[i], "usage: digits --node DIR --model NAME | --file MODEL  TEST "
				     "[--learn OUT]");
	}
	if (o.test == NULL || (o.model == NULL) == (o.file == NULL))
		die("usage", "digits --node DIR --model NAME | --file MODEL  TEST [--learn OUT]");
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct blob test = { 0 };
	struct blob model = { 0 };
	uint8_t *test_file = load(&test, o.test);
	uint8_t *model_file = NULL;
	struct hufu_model *opened = NULL;
	struct hufu_error why = { 0 };
	const void *bytes = NULL;
	struct net net;
	const uint8_t *pixels;
	const uint8_t *labels;

	if (o.file != NULL)
		model_file = load(&model, o.file);
	else if (hufu_model_open(&opened, o.node, o.model, 0, &why) != HUFU_OK)
		die(o.model, why.text);
	else if (hufu_model_file(opened, NULL, &bytes, &model.len, &why) != HUFU_OK)
		die(o.model, why.text);
	else
		model.p = bytes;
	net = net_of(model);
	pixels = tensor(test, "pixels", N_TEST * PIXELS);
	labels = tensor(test, "labels", N_TEST);
	printf("%zu of %d digits right\n", count_right(&net, pixels, labels, N_TEST), N_TEST);
	if (o.learn != NULL)
		learn(&net, pixels, labels, N_TEST / 2, o.learn);
	hufu_model_close(opened);
	free(model_file);
	free(test_file);
	return 0;
}
