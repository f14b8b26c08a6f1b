/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worked examples of docs/formats/examples.txt: every object and every derivation of a package,
 * made from fixed random bytes, and read again from the document. An independent reading of the
 * same document is tests/e2e/test_formats.py.
 *
 * HUFU_WRITE_EXAMPLES=FILE writes the document anew; that is right only for a new format version.
 */
#include "world.h"

#include <ctype.h>

#include "base/hex.h"
#include "crypto/tree.h"
#include "keys/blob.h"
#include "pkg/receipt.h"
#include "pkg/table.h"

enum { EXAMPLES_MAX = 128, NAME_MAX_LEN = 48, LINE_HEX = 96, CODED_LEN = 514 };

struct example {
	char name[NAME_MAX_LEN];
	uint8_t *p;
	size_t len;
};

struct examples {
	struct example e[EXAMPLES_MAX];
	size_t n;
};

static void add(struct examples *x, const char *name, const void *p, size_t len)
{
	struct example *e = &x->e[x->n++];

	assert_true(x->n <= EXAMPLES_MAX);
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	e->p = malloc(len + 1);
	assert_non_null(e->p);
	memcpy(e->p, p, len);
	e->len = len;
}

static void add_u64(struct examples *x, const char *name, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	add(x, name, b, sizeof(b));
}

static void examples_free(struct examples *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->e[i].p);
	free(x);
}

static const struct example *find(const struct examples *x, const char *name)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->e[i].name, name) == 0)
			return &x->e[i];
	fail_msg("docs/formats/examples.txt has no example '%s'", name);
	return NULL;
}

static struct hf_bytes get(const struct examples *x, const char *name)
{
	const struct example *e = find(x, name);

	return (struct hf_bytes){ e->p, e->len };
}

/* A package small enough to print: 100 bytes of text and a model of two tensors. */
static struct world *small_world(void)
{
	static const char json[] =
		"{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
		"\"b\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[8,16]}}";
	struct world *w = world_new();

	free(w->model);
	w->model_len = 8 + sizeof(json) - 1 + 16;
	w->model = malloc(w->model_len);
	assert_non_null(w->model);
	hf_put_le64(w->model, sizeof(json) - 1);
	memcpy(w->model + 8, json, sizeof(json) - 1);
	for (size_t i = 0; i < 16; i++)
		w->model[w->model_len - 16 + i] = (uint8_t)(0xa0 + i);
	w->codec = HF_CODEC_ENCODE_NONE;
	world_seal(w);
	world_issue(w);
	return w;
}

static void add_trees(struct examples *x)
{
	static const size_t lens[] = { 0, 1, 4096, 4097, 65536, 65537, 1048577 };
	uint8_t *in = malloc(1048577);
	uint8_t digest[HF_SM3_LEN];
	char name[NAME_MAX_LEN];

	assert_non_null(in);
	for (size_t i = 0; i < 1048577; i++)
		in[i] = (uint8_t)(i % 251);
	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		hf_tree_sm3(digest, in, lens[i]);
		(void)snprintf(name, sizeof(name), "tree-sm3.%zu", lens[i]);
		add(x, name, digest, sizeof(digest));
	}
	free(in);
}

static void add_inputs(struct examples *x, struct world *w)
{
	static const char *const who[] = { "root-a", "root-b", "publisher-a", "publisher-b",
		"publisher-c", "director", "device", "foreign", "hub", "stranger" };
	uint8_t point[HF_SM2_POINT_LEN];
	char name[NAME_MAX_LEN];

	for (unsigned i = 0; i < N_WHO; i++) {
		(void)snprintf(name, sizeof(name), "private-key.%s", who[i]);
		add(x, name, w->keys[i].d, HF_SM2_LEN);
		hf_sm2_pub_emit(point, &w->keys[i].pub);
		(void)snprintf(name, sizeof(name), "public-key.%s", who[i]);
		add(x, name, point, sizeof(point));
	}
	add(x, "domain", w->manifest.domain, strlen(w->manifest.domain));
	add(x, "lineage", w->manifest.lineage, strlen(w->manifest.lineage));
	add_u64(x, "epoch", w->manifest.epoch);
	add_u64(x, "release", w->manifest.release);
	add(x, "k-dom", w->k_dom, HF_KDOM_LEN);
	add(x, "content-key", w->cek, HF_CEK_LEN);
	add(x, "salt", w->salt, HF_PKG_SALT_LEN);
}

static void add_chunks(struct examples *x, struct world *w)
{
	struct hf_pkg_reader *r = world_reader(w, false);
	const uint8_t *plain[] = { w->config, w->model };
	struct hf_chunk chunk;
	struct hf_place place;
	char name[NAME_MAX_LEN];

	/* The text, the head of the model, its two tensors together. */
	assert_int_equal(w->body.n_chunks, 3);
	for (uint64_t i = 0; i < 3; i++) {
		struct stored *pack;

		assert_ok(hf_pkg_reader_chunk(r, i, &chunk, &place, NULL));
		pack = world_find(w, HF_OBJECT_PACK, place.pack_id);
		(void)snprintf(name, sizeof(name), "chunk.%u.plain", (unsigned)i);
		add(x, name, plain[chunk.file] + chunk.offset, chunk.plain_len);
		(void)snprintf(name, sizeof(name), "chunk.%u.key", (unsigned)i);
		add(x, name, chunk.key, sizeof(chunk.key));
		(void)snprintf(name, sizeof(name), "chunk.%u.nonce", (unsigned)i);
		add(x, name, chunk.nonce, sizeof(chunk.nonce));
		(void)snprintf(name, sizeof(name), "chunk.%u.sealed", (unsigned)i);
		add(x, name, pack->bytes + place.offset, place.len);
		(void)snprintf(name, sizeof(name), "chunk.%u.cid", (unsigned)i);
		add(x, name, place.cid, sizeof(place.cid));
	}
	hf_pkg_reader_free(r);
}

static void add_package(struct examples *x, struct world *w)
{
	add(x, "domain-id", w->scope.domain_id, HF_SM3_LEN);
	add(x, "commitment", w->body.commitment, HF_SM3_LEN);
	add(x, "table-root", w->body.table_root, HF_SM3_LEN);
	add(x, "pack.name", world_first(w, HF_OBJECT_PACK)->name, HF_SM3_LEN);
	add(x, "pack", world_first(w, HF_OBJECT_PACK)->bytes, world_first(w, HF_OBJECT_PACK)->len);
	add(x, "table.name", world_first(w, HF_OBJECT_TABLE)->name, HF_SM3_LEN);
	add(x, "table", world_first(w, HF_OBJECT_TABLE)->bytes,
		world_first(w, HF_OBJECT_TABLE)->len);
	add(x, "index.name", world_first(w, HF_OBJECT_INDEX)->name, HF_SM3_LEN);
	add(x, "index", world_first(w, HF_OBJECT_INDEX)->bytes,
		world_first(w, HF_OBJECT_INDEX)->len);
}

/* Signs content (and clears it) and keeps the object. */
static void add_signed(struct examples *x, struct world *w, const char *name, enum hf_object kind,
	struct hf_buf *content, enum who by)
{
	struct hf_buf object;

	hf_buf_init(&object, &test_mem, 1 << 20);
	world_sign(w, &object, kind, content, &by, 1);
	add(x, name, object.p, object.len);
	hf_buf_clear(&object);
}

static void add_deposit(struct examples *x, struct world *w)
{
	struct hf_cms_party to = { .pub = w->keys[HUB].pub };
	struct hf_grant_context context = w->grant;
	struct hf_deposit_keys keys;
	struct hf_buf content;

	(void)snprintf(context.recipient, sizeof(context.recipient), "hub-1");
	context.may_travel = false;
	memset(context.cert, 0xb1, HF_SM3_LEN);
	hf_deposit_keys_init(&keys, &test_mem);
	memcpy(keys.cek, w->cek, HF_CEK_LEN);
	memcpy(keys.k_dom, w->k_dom, HF_KDOM_LEN);
	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_deposit_emit(&content, &context, &keys, &to, &w->rng, NULL));
	add_signed(x, w, "deposit", HF_OBJECT_DEPOSIT, &content, PUB_A);
	hf_deposit_keys_clear(&keys);
}

static void add_receipt(struct examples *x, struct world *w)
{
	struct hf_receipt r = { .domain = "plant-7",
		.device = "dev-1",
		.counter = 3,
		.action = HF_RECEIPT_ACTIVATED,
		.lineage = "digits",
		.release = 7,
		.has_grant = true,
		.time_s = NOW };
	struct hf_buf content;

	memcpy(r.manifest, w->entry.manifest, HF_SM3_LEN);
	hf_object_name(r.grant, w->grant_obj.p, w->grant_obj.len);
	memset(r.nonce, 0x4e, sizeof(r.nonce));
	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_receipt_emit(&content, &r, NULL));
	add_signed(x, w, "receipt", HF_OBJECT_RECEIPT, &content, DEVICE);
}

static void add_inventory(struct examples *x, struct world *w)
{
	struct hf_inventory_item item = {
		.lineage = "digits", .release = 7, .floor = 6, .is_active = true
	};
	struct hf_inventory inv = { .domain = "plant-7",
		.device = "dev-1",
		.time_s = NOW,
		.root_version = 1,
		.channel_serial = 100,
		.event = "rollback" };
	struct hf_buf content;
	struct hf_buf items;

	memcpy(item.manifest, w->entry.manifest, HF_SM3_LEN);
	memset(inv.nonce, 0x4f, sizeof(inv.nonce));
	hf_buf_init(&items, &test_mem, 1 << 20);
	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_inventory_item_put(&items, &item));
	inv.items = bytes_of(&items);
	assert_ok(hf_inventory_emit(&content, &inv, NULL));
	add_signed(x, w, "inventory", HF_OBJECT_INVENTORY, &content, DEVICE);
	hf_buf_clear(&items);
}

static void add_upload(struct examples *x, struct world *w)
{
	struct hf_cms_party to = { .pub = w->keys[HUB].pub };
	struct hf_upload u = { .domain = "plant-7",
		.device = "dev-1",
		.counter = 1,
		.kind = HF_UPLOAD_INCREMENT,
		.level = HF_L1,
		.created_s = NOW,
		.lineage = "digits",
		.release = 7,
		.recipient = "hub-1",
		.body = w->body };
	struct hf_buf content;
	struct hf_pkg_scope scope;

	memset(u.id, 0x1d, sizeof(u.id));
	memset(u.cert, 0xb1, sizeof(u.cert));
	hf_upload_scope(&scope, &u);
	add(x, "upload.domain-id", scope.domain_id, HF_SM3_LEN);
	hf_buf_init(&content, &test_mem, 1 << 20);
	assert_ok(hf_upload_emit(&content, &u, w->cek, &to, &w->rng, NULL));
	add_signed(x, w, "upload", HF_OBJECT_UPLOAD, &content, DEVICE);
}

static void add_bundle(struct examples *x, struct world *w)
{
	struct hf_buf bundle;
	uint8_t head[HF_BUNDLE_HEAD_MAX];
	uint8_t zeros[HF_BUNDLE_END_LEN] = { 0 };
	uint8_t start[HF_BUNDLE_START_LEN];
	uint8_t name[HF_SM3_LEN];

	hf_buf_init(&bundle, &test_mem, 1 << 20);
	hf_bundle_start_emit(start);
	assert_ok(hf_buf_put(&bundle, start, sizeof(start)));
	hf_object_name(name, w->root_obj.p, w->root_obj.len);
	assert_ok(hf_buf_put(
		&bundle, head, hf_bundle_head_emit(head, HF_OBJECT_ROOT, name, w->root_obj.len)));
	assert_ok(hf_buf_put(&bundle, w->root_obj.p, w->root_obj.len));
	assert_ok(hf_buf_put(&bundle, zeros, hf_bundle_padding(w->root_obj.len)));
	assert_ok(hf_buf_put(&bundle, zeros, sizeof(zeros)));
	hf_object_name(name, bundle.p, bundle.len);
	add(x, "bundle.sm3", name, sizeof(name));
	add_u64(x, "bundle.length", bundle.len);
	hf_buf_clear(&bundle);
}

/* 256 bf16 weights and an odd end; of the xor example some last bits are others. */
static void coded_plain(uint8_t plain[CODED_LEN], enum hf_codec_id id)
{
	for (unsigned i = 0; i < CODED_LEN; i++) {
		plain[i] = (uint8_t)(i % 2 == 0 ? i * i * 7 / 3 : 0x3c + i % 7 / 5);
		if (id == HF_CODEC_ZSTD)
			plain[i] = (uint8_t)('a' + i % 26);
		if (id == HF_CODEC_XOR_PLANES_ZSTD && i % 10 == 0)
			plain[i] ^= 1;
	}
}

/* One chunk under each codec that compresses; the last one against the one before. */
static void add_coded(struct examples *x, const struct world *w)
{
	static const char *const names[] = { "zstd", "planes", "xor" };
	uint8_t plain[CODED_LEN];
	uint8_t ct[CODED_LEN + HF_CHUNK_TAG_LEN];
	struct hf_chunk_base base = { .plain = plain };
	struct hf_chunk_keys keys;
	struct hf_encoded encoded;
	struct hf_codec codec;
	uint8_t before[CODED_LEN];
	char name[NAME_MAX_LEN];

	assert_ok(hf_chunk_keys_init(&keys, w->k_dom, &w->scope, NULL));
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_ENCODE, CODED_LEN));
	base.plain = before;
	for (unsigned i = 0; i < HF_COUNT(names); i++) {
		struct hf_sealed s = { .ct = ct, .ct_cap = sizeof(ct) };
		enum hf_codec_id id = (enum hf_codec_id)(HF_CODEC_ZSTD + i);

		coded_plain(plain, id);
		if (id == HF_CODEC_XOR_PLANES_ZSTD)
			s.base = &base;
		assert_ok(hf_chunk_seal(&s, &keys, &codec, plain, CODED_LEN));
		assert_int_equal(s.chunk.coding.id, id);
		memcpy(base.cid, s.cid, sizeof(base.cid));
		assert_ok(hf_codec_encode(
			&codec, &encoded, plain, CODED_LEN, s.base == NULL ? NULL : before));
#define ADD(what, p, len) \
	do { \
		(void)snprintf(name, sizeof(name), "coded.%s." what, names[i]); \
		add(x, name, p, len); \
	} while (0)
		ADD("plain", plain, CODED_LEN);
		ADD("width", &s.chunk.coding.width, 1);
		ADD("encoded", encoded.p, encoded.len);
		ADD("key", s.chunk.key, sizeof(s.chunk.key));
		ADD("nonce", s.chunk.nonce, sizeof(s.chunk.nonce));
		ADD("sealed", ct, s.ct_len);
		ADD("cid", s.cid, sizeof(s.cid));
#undef ADD
		memcpy(before, plain, CODED_LEN);
	}
	hf_codec_clear(&codec);
	hf_chunk_keys_clear(&keys);
}

static struct examples *made(void)
{
	struct examples *x = calloc(1, sizeof(*x));
	struct world *w = small_world();

	assert_non_null(x);
	add_trees(x);
	add_inputs(x, w);
	add_package(x, w);
	add_chunks(x, w);
	add(x, "root", w->root_obj.p, w->root_obj.len);
	add(x, "manifest", w->manifest_obj.p, w->manifest_obj.len);
	add(x, "channel", w->channel_obj.p, w->channel_obj.len);
	add(x, "grant", w->grant_obj.p, w->grant_obj.len);
	add_deposit(x, w);
	add_receipt(x, w);
	add_inventory(x, w);
	add_upload(x, w);
	add_bundle(x, w);
	add_coded(x, w);
	world_free(w);
	return x;
}

static void write_examples(const struct examples *x, const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "# SPDX-License-Identifier: Apache-2.0\n# Worked examples of the formats, made "
		   "from fixed random bytes by\n"
		   "# tests/unit/pkg/test_formats.c. name = hexadecimal; a line that begins with\n"
		   "# blanks goes on with the one before. The private keys are for these examples\n"
		   "# only. package.md says what each of them is.\n");
	for (size_t i = 0; i < x->n; i++) {
		fprintf(f, "\n%s =", x->e[i].name);
		for (size_t at = 0; at < x->e[i].len; at++)
			fprintf(f, "%s%02x", at % (LINE_HEX / 2) == 0 ? "\n  " : "", x->e[i].p[at]);
		fprintf(f, "\n");
	}
	assert_int_equal(fclose(f), 0);
}

static void append_hex(struct example *e, const char *text)
{
	size_t n = strcspn(text, "\n");

	assert_int_equal(n % 2, 0);
	e->p = realloc(e->p, e->len + n / 2 + 1);
	assert_non_null(e->p);
	for (size_t i = 0; i < n; i += 2) {
		unsigned byte = 0;

		assert_int_equal(sscanf(text + i, "%2x", &byte), 1);
		e->p[e->len++] = (uint8_t)byte;
	}
}

static struct examples *documented(void)
{
	struct examples *x = calloc(1, sizeof(*x));
	FILE *f = fopen(TEST_DATA "/../docs/formats/examples.txt", "r");
	char line[4096];

	assert_non_null(x);
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (line[0] == ' ') {
			assert_true(x->n > 0);
			append_hex(&x->e[x->n - 1], line + 2);
			continue;
		}
		assert_true(strstr(line, " =") != NULL && x->n < EXAMPLES_MAX);
		(void)snprintf(
			x->e[x->n].name, NAME_MAX_LEN, "%.*s", (int)strcspn(line, " "), line);
		x->n++;
	}
	(void)fclose(f);
	return x;
}

static void the_document_says_what_the_code_does(void **state)
{
	struct examples *is = made();
	struct examples *doc;
	const char *path = getenv("HUFU_WRITE_EXAMPLES");

	(void)state;
	if (path != NULL)
		write_examples(is, path);
	doc = documented();
	assert_int_equal(doc->n, is->n);
	for (size_t i = 0; i < is->n; i++) {
		assert_string_equal(doc->e[i].name, is->e[i].name);
		/* How well zstd packs is its version's affair; that it opens is tested below. */
		if (strncmp(is->e[i].name, "coded.", 6) == 0 &&
			strstr(is->e[i].name, ".plain") == NULL)
			continue;
		if (doc->e[i].len != is->e[i].len ||
			memcmp(doc->e[i].p, is->e[i].p, is->e[i].len) != 0)
			fail_msg("example '%s' is not what the code makes", is->e[i].name);
	}
	examples_free(doc);
	examples_free(is);
}

static struct hf_key_set one_key(const struct examples *x, const char *name)
{
	struct hf_bytes point = get(x, name);
	struct hf_sm2_pub pub;

	assert_ok(hf_sm2_pub_parse(&pub, point.p, point.len));
	return hf_key_set_one(&pub);
}

static struct hf_bytes opened(
	const struct examples *x, const char *name, enum hf_object kind, const char *by)
{
	struct hf_key_set set = one_key(x, by);
	struct hf_bytes content = { 0 };

	assert_ok(hf_object_open(&content, NULL, kind, get(x, name), &set, NULL));
	return content;
}

static void every_documented_object_is_read(void **state)
{
	struct examples *x = documented();
	struct hf_root root;
	struct hf_manifest manifest;
	struct hf_channel channel;
	struct hf_grant grant;
	struct hf_receipt receipt;
	struct hf_inventory inventory;
	struct hf_upload upload;
	struct hf_table_page table;

	(void)state;
	assert_ok(hf_root_open_first(&root, get(x, "root"), NULL));
	assert_ok(hf_manifest_parse(&manifest,
		opened(x, "manifest", HF_OBJECT_MANIFEST, "public-key.publisher-a"), NULL));
	assert_ok(hf_channel_parse(
		&channel, opened(x, "channel", HF_OBJECT_CHANNEL, "public-key.director"), NULL));
	assert_ok(hf_grant_parse(&grant, HF_OBJECT_GRANT,
		opened(x, "grant", HF_OBJECT_GRANT, "public-key.director"), NULL));
	assert_ok(hf_grant_parse(&grant, HF_OBJECT_DEPOSIT,
		opened(x, "deposit", HF_OBJECT_DEPOSIT, "public-key.publisher-a"), NULL));
	assert_ok(hf_receipt_parse(
		&receipt, opened(x, "receipt", HF_OBJECT_RECEIPT, "public-key.device"), NULL));
	assert_ok(hf_inventory_parse(&inventory,
		opened(x, "inventory", HF_OBJECT_INVENTORY, "public-key.device"), NULL));
	assert_ok(hf_upload_parse(
		&upload, opened(x, "upload", HF_OBJECT_UPLOAD, "public-key.device"), NULL));
	assert_ok(hf_table_page_parse(&table, get(x, "table").p, get(x, "table").len));
	assert_int_equal(table.n_entries, manifest.body.n_chunks);
	examples_free(x);
}

static struct hf_bytes coded(const struct examples *x, const char *codec, const char *what)
{
	char name[NAME_MAX_LEN];

	(void)snprintf(name, sizeof(name), "coded.%s.%s", codec, what);
	return get(x, name);
}

static void the_documented_codings_open(void **state)
{
	static const char *const names[] = { "zstd", "planes", "xor" };
	struct examples *x = documented();
	struct world *w = small_world();
	struct hf_codec codec;

	(void)state;
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_DECODE, CODED_LEN));
	for (unsigned i = 0; i < HF_COUNT(names); i++) {
		struct hf_bytes plain = coded(x, names[i], "plain");
		struct hf_bytes sealed = coded(x, names[i], "sealed");
		struct hf_chunk c = { .plain_len = (uint32_t)plain.len,
			.encoded_len = (uint32_t)sealed.len - HF_CHUNK_TAG_LEN,
			.coding = { (uint8_t)(HF_CODEC_ZSTD + i),
				coded(x, names[i], "width").p[0] },
			.base = i == 2 };
		struct hf_place place = { .len = (uint32_t)sealed.len };
		uint8_t out[CODED_LEN];
		struct hf_opening o = { .scope = &w->scope,
			.place = &place,
			.chunk = &c,
			.ct = sealed.p,
			.ct_len = sealed.len,
			.base = coded(x, "planes", "plain").p,
			.out = out,
			.out_cap = sizeof(out) };

		memcpy(c.key, coded(x, names[i], "key").p, sizeof(c.key));
		memcpy(c.nonce, coded(x, names[i], "nonce").p, sizeof(c.nonce));
		memcpy(place.cid, coded(x, names[i], "cid").p, sizeof(place.cid));
		assert_ok(hf_chunk_open(&o, &codec));
		assert_memory_equal(out, plain.p, plain.len);
		/* Under another width, codec or length the tag is another one. */
		c.coding.width = c.coding.width == 2 ? 4 : 2;
		assert_true(hf_chunk_open(&o, &codec) != HF_OK);
		c.coding = (struct hf_coding){ HF_CODEC_PLANES_ZSTD, 4 };
		assert_int_equal(hf_chunk_open(&o, &codec), HF_ERR_AUTH);
		o.base = NULL;
		c.base = 1;
		assert_int_equal(hf_chunk_open(&o, &codec), HF_ERR_ARG);
	}
	hf_codec_clear(&codec);
	world_free(w);
	examples_free(x);
}

/* Altering any byte of a signed object is seen. */
static void an_altered_byte_of_a_documented_object_is_refused(void **state)
{
	static const struct {
		const char *name;
		enum hf_object kind;
		const char *by;
	} rows[] = {
		{ "manifest", HF_OBJECT_MANIFEST, "public-key.publisher-a" },
		{ "channel", HF_OBJECT_CHANNEL, "public-key.director" },
		{ "grant", HF_OBJECT_GRANT, "public-key.director" },
		{ "deposit", HF_OBJECT_DEPOSIT, "public-key.publisher-a" },
		{ "receipt", HF_OBJECT_RECEIPT, "public-key.device" },
		{ "inventory", HF_OBJECT_INVENTORY, "public-key.device" },
		{ "upload", HF_OBJECT_UPLOAD, "public-key.device" },
	};
	struct examples *x = documented();

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		const struct example *e = find(x, rows[i].name);
		struct hf_key_set set = one_key(x, rows[i].by);
		struct hf_bytes content;

		for (size_t at = 0; at < e->len; at++) {
			e->p[at] ^= 0x10;
			assert_true(
				hf_object_open(&content, NULL, rows[i].kind,
					(struct hf_bytes){ e->p, e->len }, &set, NULL) != HF_OK);
			e->p[at] ^= 0x10;
		}
	}
	examples_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_says_what_the_code_does),
		cmocka_unit_test(every_documented_object_is_read),
		cmocka_unit_test(the_documented_codings_open),
		cmocka_unit_test(an_altered_byte_of_a_documented_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
