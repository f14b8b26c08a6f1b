/* SPDX-License-Identifier: Apache-2.0 */
/* Releases that take from earlier ones: what is not sealed again, and that all of it opens. */
#include "svc_fixture.h"

#include "pkg/table.h"
#include "svc/base.h"

enum { TENSORS = 20, TENSOR = 150 << 10, HEAD_MAX = 4096, RELEASES = 4 };

static char names[RELEASES + 1][TEST_PATH_MAX]; /* bundles, by number of the release */

/* A model in bf16: a header of head_len bytes and TENSORS tensors. */
struct weights {
	size_t head_len;
	size_t len;
	uint8_t bytes[8 + HEAD_MAX + TENSORS * TENSOR];
};

static uint8_t *tensor_of(struct weights *w, size_t n)
{
	return w->bytes + 8 + w->head_len + n * TENSOR;
}

static void put_head(struct weights *w, size_t padding)
{
	char *at = (char *)w->bytes + 8;
	size_t n = 0;

	n += (size_t)snprintf(at + n, HEAD_MAX - n, "{");
	for (unsigned i = 0; i < TENSORS; i++)
		n += (size_t)snprintf(at + n, HEAD_MAX - n,
			"%s\"t%02u\":{\"dtype\":\"BF16\",\"shape\":[%u],\"data_offsets\":[%u,%u]}",
			i == 0 ? "" : ",", i, TENSOR / 2, i * TENSOR, (i + 1) * TENSOR);
	n += (size_t)snprintf(at + n, HEAD_MAX - n, "}");
	assert_true(n + padding < HEAD_MAX);
	memset(at + n, ' ', padding);
	w->head_len = n + padding;
	w->len = 8 + w->head_len + TENSORS * TENSOR;
	hf_put_le64(w->bytes, w->head_len);
}

static void fill_tensor(struct fix *f, struct weights *w, size_t n)
{
	uint8_t *p = tensor_of(w, n);

	assert_ok(hf_rng_fill(&f->env.rng, p, TENSOR));
	for (size_t i = 1; i < TENSOR; i += 2)
		p[i] = (uint8_t)(0x3c | (p[i] & p[i] >> 4 & 1));
}

static struct weights *weights_new(struct fix *f)
{
	struct weights *w = malloc(sizeof(*w));

	assert_non_null(w);
	put_head(w, 0);
	for (size_t i = 0; i < TENSORS; i++)
		fill_tensor(f, w, i);
	return w;
}

/* A fine-tune: the last bit of every fourth weight. */
static void tune(struct fix *f, struct weights *w)
{
	for (size_t n = 0; n < TENSORS; n++) {
		uint8_t *p = tensor_of(w, n);
		uint8_t random[TENSOR / 8];

		assert_ok(hf_rng_fill(&f->env.rng, random, sizeof(random)));
		for (size_t i = 0; i < TENSOR; i += 2)
			p[i] ^= (random[i / 8] >> i % 8 & 3) == 3;
	}
}

/* The spec of a release with the bundles of n earlier ones as base; bases is the storage. */
static void spec_of(
	struct fix_seal *s, struct fix *f, unsigned release, const char *const *bases, size_t n)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "r%u.hufu", release);
	fix_seal_init(s, f, name);
	fix_seal_add(s, f, "w.safetensors");
	s->spec.release = release;
	s->spec.floor = 0;
	s->spec.bases = bases;
	s->spec.n_bases = n;
	fix_path(names[release], f->tmp, name);
}

static void seal_as(struct fix *f, const struct weights *w, unsigned release, size_t n_bases,
	struct hf_seal_result *result)
{
	const char *bases[RELEASES];
	struct hf_errinfo ei = { .code = HF_OK };
	struct fix_seal s;

	test_file_put(test_path(f->tmp, "w.safetensors"), w->bytes, w->len);
	for (size_t i = 0; i < n_bases; i++)
		bases[i] = names[release - 1 - i];
	spec_of(&s, f, release, bases, n_bases);
	(void)unlink(s.out);
	if (hf_seal(&f->env, &s.spec, result, &ei) != HF_OK)
		fail_msg("%s", ei.text);
}

/* The bundle of a release with packs and pages of earlier ones put beside. */
static void put_together(struct fix *f, struct box *b, unsigned release, size_t n_earlier)
{
	struct box other;

	box_load(b, f, names[release]);
	for (size_t i = 1; i <= n_earlier; i++) {
		box_load(&other, f, names[release - i]);
		for (size_t k = 0; k < other.n; k++)
			if (other.m[k].kind == HF_OBJECT_PACK)
				(void)box_add(b, HF_OBJECT_PACK, other.m[k].name, other.m[k].bytes,
					other.m[k].len);
		box_free(&other);
	}
	box_save(b, test_path(f->tmp, "together.hufu"));
}

static void assert_opens(struct fix *f, unsigned release, size_t n_earlier)
{
	struct hf_errinfo ei = { .code = HF_OK };
	char dir[TEST_PATH_MAX];
	struct box b;

	fix_path(dir, f->tmp, "opened");
	put_together(f, &b, release, n_earlier);
	box_free(&b);
	if (fix_open(f, test_path(f->tmp, "together.hufu"), dir, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	fix_assert_same(test_path(f->tmp, "w.safetensors"), test_path(dir, "w.safetensors"));
	assert_ok(fix_verify(f, test_path(f->tmp, "together.hufu"), NULL));
	test_tmp_delete(dir);
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

static void load_manifest(struct fix *f, unsigned release, struct box *b, struct hf_manifest *m)
{
	const struct box_member *object;
	struct hf_bytes content;

	box_load(b, f, names[release]);
	object = box_find(b, HF_OBJECT_MANIFEST);
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST,
		(struct hf_bytes){ object->bytes, object->len }, NULL));
	assert_ok(hf_manifest_parse(m, content, NULL));
}

static void unchanged_tensors_are_not_sealed_again(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct hf_seal_result first;
	struct hf_seal_result r;
	struct hf_pkg_step step;
	struct hf_manifest m;
	struct hf_bytes steps;
	struct box b;

	seal_as(f, w, 1, 0, &first);
	assert_false(first.has_base);
	assert_int_equal(first.totals.known_len, 0);
	assert_true(first.totals.new_len < w->len * 8 / 10);
	fill_tensor(f, w, 7);
	seal_as(f, w, 2, 1, &r);
	assert_true(r.has_base);
	assert_true(r.totals.new_len < first.totals.new_len * 6 / 100);
	assert_int_equal(r.totals.known_len + r.totals.new_len, r.sealed_len);
	assert_true(r.packs_len > first.totals.new_len);
	assert_true(size_of(names[2]) < size_of(names[1]) / 5);
	assert_opens(f, 2, 1);
	/* Nothing at all has changed. */
	seal_as(f, w, 3, 2, &r);
	assert_int_equal(r.totals.new_len, 0);
	assert_opens(f, 3, 2);
	load_manifest(f, 3, &b, &m);
	assert_true(m.body.bases.has);
	assert_int_equal(m.body.bases.n_chunks, 0);
	assert_int_equal(m.body.bases.n_steps, 2);
	steps = m.body.bases.steps;
	assert_ok(hf_pkg_step_take(&step, &steps));
	assert_int_equal(step.release, 2);
	assert_int_equal(step.bytes, 0);
	assert_ok(hf_pkg_step_take(&step, &steps));
	assert_int_equal(step.release, 1);
	assert_true(step.bytes > 0 && step.bytes < first.totals.new_len * 6 / 100);
	assert_err(hf_pkg_step_take(&step, &steps), HF_ERR_NOT_FOUND);
	box_free(&b);
	free(w);
}

static void a_fine_tune_is_sealed_as_its_difference(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct hf_seal_result first;
	struct hf_seal_result r;
	struct hf_manifest m;
	struct box b;

	seal_as(f, w, 1, 0, &first);
	tune(f, w);
	seal_as(f, w, 2, 1, &r);
	assert_true(r.totals.new_len < first.totals.new_len / 3);
	assert_opens(f, 2, 1);
	load_manifest(f, 2, &b, &m);
	assert_true(m.body.bases.n_chunks >= TENSORS);
	box_free(&b);
	/* The third one goes back to the first: chains have two links. */
	tune(f, w);
	seal_as(f, w, 3, 2, &r);
	assert_true(r.totals.new_len < first.totals.new_len / 2);
	assert_opens(f, 3, 2);
	/* What is XORed stays so where nothing changes, with its base. */
	fill_tensor(f, w, 3);
	seal_as(f, w, 4, 3, &r);
	assert_true(r.totals.new_len < first.totals.new_len * 7 / 100);
	assert_opens(f, 4, 3);
	free(w);
}

static void tensors_behind_a_header_that_grew_are_found(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct weights *moved = weights_new(f);
	struct hf_seal_result r;

	seal_as(f, w, 1, 0, &r);
	put_head(moved, 777);
	/* And the tensors in another order: found by their ids. */
	for (size_t i = 0; i < TENSORS; i++)
		memcpy(tensor_of(moved, (i + 5) % TENSORS), tensor_of(w, i), TENSOR);
	seal_as(f, moved, 2, 1, &r);
	assert_true(r.totals.new_len <= 8 + HEAD_MAX);
	assert_opens(f, 2, 1);
	/* In order, and each a little tuned: found by their places. */
	for (size_t i = 0; i < TENSORS; i++)
		memcpy(tensor_of(moved, i), tensor_of(w, i), TENSOR);
	tune(f, moved);
	seal_as(f, moved, 2, 1, &r);
	assert_true(r.totals.new_len < w->len / 4);
	assert_opens(f, 2, 1);
	free(w);
	free(moved);
}

static void the_same_model_sealed_alone_is_another_name_for_it(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct hf_seal_result r;

	seal_as(f, w, 1, 0, &r);
	seal_as(f, w, 2, 0, &r);
	assert_false(r.has_base);
	assert_int_equal(r.packs_len, r.totals.new_len);
	assert_opens(f, 2, 0);
	free(w);
}

static void refused(
	struct fix *f, const struct hf_seal_spec *spec, hf_err expected, const char *text)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_seal_result r;
	hf_err e = hf_seal(&f->env, spec, &r, &ei);

	if (e != expected)
		print_error("%s: %s\n", hf_err_name(e), ei.text);
	assert_int_equal(e, expected);
	if (strstr(ei.text, text) == NULL)
		fail_msg("%s", ei.text);
	assert_false(fix_exists(spec->out));
}

static void what_cannot_be_a_base_is_refused(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	const char *bases[] = { names[1], names[2] };
	struct hf_seal_result r;
	struct fix_seal s;
	char keys[TEST_PATH_MAX];
	char away[TEST_PATH_MAX];

	seal_as(f, w, 1, 0, &r);
	fill_tensor(f, w, 1);
	seal_as(f, w, 2, 1, &r);
	spec_of(&s, f, 3, bases, 1);
	(void)unlink(s.out);
	s.spec.lineage = "letters";
	refused(f, &s.spec, HF_ERR_ARG, "is no base of release 3 of letters");
	s.spec.lineage = "digits";
	s.spec.epoch = 2;
	refused(f, &s.spec, HF_ERR_ARG, "is no base of");
	s.spec.epoch = 1;
	s.spec.no_dedupe = true;
	refused(f, &s.spec, HF_ERR_ARG, "has no base");
	s.spec.no_dedupe = false;
	s.spec.release = 1;
	refused(f, &s.spec, HF_ERR_ARG, "is no base of");
	s.spec.release = 3;
	/* The second release alone: most of its packs came with the first. */
	bases[0] = names[2];
	refused(f, &s.spec, HF_ERR_NOT_FOUND, "give the one of the release before it too");
	/* Another publisher has no key of it. */
	bases[0] = names[1];
	fix_path(keys, f->publisher, "releases");
	fix_path(away, f->publisher, "away");
	assert_int_equal(rename(keys, away), 0);
	refused(f, &s.spec, HF_ERR_NOT_FOUND, "has no content key of it");
	/* Where one may go without, one does. */
	s.spec.may_go_without = true;
	assert_ok(hf_seal(&f->env, &s.spec, &r, NULL));
	assert_false(r.has_base);
	assert_opens(f, 3, 0);
	assert_int_equal(unlink(s.out), 0);
	test_tmp_delete(keys);
	assert_int_equal(rename(away, keys), 0);
	free(w);
}

static void an_altered_base_is_refused(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	const char *bases[] = { names[2] };
	struct box_member *pack;
	struct hf_seal_result r;
	struct fix_seal s;
	struct box b;

	seal_as(f, w, 1, 0, &r);
	spec_of(&s, f, 2, bases, 1);
	(void)unlink(s.out);
	fix_path(names[2], f->tmp, "altered.hufu");
	bases[0] = names[2];
	for (unsigned kind = 0; kind < 3; kind++) {
		static const enum hf_object kinds[] = { HF_OBJECT_PACK, HF_OBJECT_INDEX,
			HF_OBJECT_MANIFEST };

		box_load(&b, f, names[1]);
		pack = box_find(&b, kinds[kind]);
		pack->bytes[pack->len / 2] ^= 1;
		box_save(&b, names[2]);
		box_free(&b);
		assert_true(hf_seal(&f->env, &s.spec, &r, NULL) != HF_OK);
		assert_false(fix_exists(s.out));
	}
	free(w);
}

/* Opening an increment: every byte that it needs is checked, and nothing is given without. */
static void increments_refuse_altered_and_missing_bases(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct hf_seal_result r;
	struct box b;

	seal_as(f, w, 1, 0, &r);
	tune(f, w);
	seal_as(f, w, 2, 1, &r);
	/* Without the packs of the first. */
	fix_assert_refused(f, names[2], HF_ERR_NOT_FOUND);
	assert_err(fix_verify(f, names[2], NULL), HF_ERR_NOT_FOUND);
	/* With one of them altered. */
	put_together(f, &b, 2, 1);
	b.m[b.n - 1].bytes[b.m[b.n - 1].len / 2] ^= 1;
	box_save(&b, test_path(f->tmp, "together.hufu"));
	box_free(&b);
	fix_assert_refused(f, test_path(f->tmp, "together.hufu"), HF_ERR_AUTH);
	assert_err(fix_verify(f, test_path(f->tmp, "together.hufu"), NULL), HF_ERR_AUTH);
	free(w);
}

/* A publisher's manifest that says fewer base chunks: files end where they did. */
static void say_less(struct hf_manifest *m, void *ctx)
{
	m->body.bases.n_chunks = *(const uint64_t *)ctx;
}

static void a_manifest_that_miscounts_its_base_chunks_is_refused(void **state)
{
	struct fix *f = *state;
	struct weights *w = weights_new(f);
	struct hf_seal_result r;
	struct hf_bytes content;
	struct hf_manifest m;
	struct box b;
	uint64_t n[] = { 0, 1, 0, UINT64_MAX };

	seal_as(f, w, 1, 0, &r);
	tune(f, w);
	seal_as(f, w, 2, 1, &r);
	load_manifest(f, 2, &b, &m);
	n[2] = m.body.bases.n_chunks + 1;
	box_free(&b);
	for (size_t i = 0; i < HF_COUNT(n); i++) {
		const struct box_member *object;

		box_load(&b, f, names[2]);
		fix_reissue(f, &b, 1, say_less, &n[i]);
		object = box_find(&b, HF_OBJECT_MANIFEST);
		assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST,
			(struct hf_bytes){ object->bytes, object->len }, NULL));
		assert_err(hf_manifest_parse(&m, content, NULL), HF_ERR_FORMAT);
		box_free(&b);
	}
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_tensors_are_not_sealed_again),
		cmocka_unit_test(a_fine_tune_is_sealed_as_its_difference),
		cmocka_unit_test(tensors_behind_a_header_that_grew_are_found),
		cmocka_unit_test(the_same_model_sealed_alone_is_another_name_for_it),
		cmocka_unit_test(what_cannot_be_a_base_is_refused),
		cmocka_unit_test(an_altered_base_is_refused),
		cmocka_unit_test(increments_refuse_altered_and_missing_bases),
		cmocka_unit_test(a_manifest_that_miscounts_its_base_chunks_is_refused),
	};

	return cmocka_run_group_tests(tests, fix_group_setup, fix_group_teardown);
}
