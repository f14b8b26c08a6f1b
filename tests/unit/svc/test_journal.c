/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log on its disk: what is there stays, and nobody changes it unseen. */
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/endian.h"
#include "crash.h"
#include "crypto/module.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "svc/journal.h"
#include "tmp.h"

static const char log_id[] = "plant-7/gw-01/audit";
static const char segment[] = "seg/0000000000000000.seg";

static struct hf_env env;
static char top[TEST_PATH_MAX];
static char dir[TEST_PATH_MAX];
static unsigned n_dirs;
static struct hf_sm2_key key;
static struct hf_local_key local;
static struct hf_signer signer;
static struct hf_errinfo ei;

static int make(void **state)
{
	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	assert_ok(hf_env_init(&env, 0, NULL));
	assert_ok(hf_sm2_key_new(&key, &env.rng));
	local = (struct hf_local_key){ .key = &key, .rng = &env.rng };
	signer = hf_signer_local(&local);
	test_tmp_make(top);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	test_tmp_delete(top);
	hf_env_clear(&env);
	return 0;
}

/* Each test has a log of its own. */
static int begin(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.200s/log-%u", top, n_dirs++);
	return 0;
}

static struct hf_errinfo *fresh(void)
{
	ei = (struct hf_errinfo){ .code = HF_OK };
	return &ei;
}

static hf_err try_open(struct hf_journal *j)
{
	return hf_journal_open(j, &env, dir, log_id, &signer, fresh());
}

static void open_log(struct hf_journal *j)
{
	assert_ok(try_open(j));
}

static hf_err add(struct hf_journal *j, enum hf_audit_event event, const char *subject)
{
	const struct hf_audit_event_in in = {
		.event = event, .actor = "device:gw-01", .subject = subject
	};

	return hf_journal_add(j, &in, NULL, fresh());
}

static hf_err verify(struct hf_journal_report *report)
{
	*report = (struct hf_journal_report){ .n_records = 0 };
	return hf_journal_verify(&env, dir, log_id, &key.pub, NULL, NULL, report, fresh());
}

struct counting {
	uint16_t event;
	unsigned n;
	uint16_t boot_no;
};

static hf_err count(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	struct counting *c = ctx;

	(void)actor;
	(void)subject;
	c->n += r->event == c->event;
	c->boot_no = r->boot_no;
	return HF_OK;
}

static struct counting count_of(enum hf_audit_event event)
{
	struct counting c = { .event = (uint16_t)event };
	struct hf_journal_report report;

	assert_ok(hf_journal_verify(&env, dir, log_id, &key.pub, count, &c, &report, fresh()));
	return c;
}

/* A closed log of some batches and three heads. */
static void fill(void)
{
	struct hf_journal j;
	char name[32];

	open_log(&j);
	for (unsigned i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof(name), "key:%u", i);
		assert_ok(add(&j, HF_EV_KEY_GENERATE, name));
		assert_ok(add(&j, HF_EV_KEY_UNWRAP, name));
		if (i % 2 == 1)
			assert_ok(hf_journal_seal(&j, NULL));
	}
	hf_journal_close(&j);
}

static struct hf_buf load(const char *name)
{
	struct hf_buf b;

	hf_buf_init(&b, env.mem, 1 << 24);
	assert_ok(hf_file_load(&b, test_path(dir, name), NULL));
	return b;
}

static void store(const char *name, const uint8_t *bytes, size_t len)
{
	test_file_put(test_path(dir, name), bytes, len);
}

static void a_log_goes_on_where_it_ended(void **state)
{
	struct hf_journal_report first;
	struct hf_journal_report second;
	struct hf_journal j;
	struct counting c;

	(void)state;
	fill();
	assert_ok(verify(&first));
	assert_int_equal(first.head_size, first.n_records);
	assert_int_equal(first.n_heads, 4);
	assert_int_equal(count_of(HF_EV_KEY_GENERATE).n, 6);
	open_log(&j);
	assert_int_equal(j.found_size, first.n_records);
	assert_ok(add(&j, HF_EV_KEY_GENERATE, "key:7"));
	hf_journal_close(&j);
	assert_ok(verify(&second));
	assert_true(second.n_records > first.n_records);
	c = count_of(HF_EV_KEY_GENERATE);
	assert_int_equal(c.n, 7);
	assert_int_equal(c.boot_no, 2);
	assert_int_equal(count_of(HF_EV_AUDIT_OPEN).n, 2);
	assert_int_equal(count_of(HF_EV_AUDIT_CLOSE).n, 2);
}

static void class_s_is_there_at_once_and_class_a_soon(void **state)
{
	struct hf_journal_report report;
	struct hf_journal j;
	uint64_t due;

	(void)state;
	open_log(&j);
	assert_ok(add(&j, HF_EV_KEY_GENERATE, "key:sign"));
	assert_int_equal(count_of(HF_EV_KEY_GENERATE).n, 1); /* read beside the writer */
	assert_ok(add(&j, HF_EV_KEY_UNWRAP, "key:sign"));
	assert_int_equal(count_of(HF_EV_KEY_UNWRAP).n, 0);
	due = hf_journal_deadline(&j);
	assert_true(due <= hf_clock_mono_ms() + HF_AUDIT_COMMIT_MS);
	while (hf_clock_mono_ms() < due)
		hf_clock_sleep_ms(1);
	assert_ok(hf_journal_tick(&j, NULL));
	assert_int_equal(count_of(HF_EV_KEY_UNWRAP).n, 1);
	/* then nothing is due but a head */
	due = hf_journal_deadline(&j);
	assert_true(due > hf_clock_mono_ms() + 1000 && due != UINT64_MAX);
	assert_ok(verify(&report));
	assert_int_equal(report.n_heads, 0);
	assert_ok(hf_journal_seal(&j, NULL));
	assert_int_equal(hf_journal_deadline(&j), UINT64_MAX);
	hf_journal_close(&j);
}

static void a_full_batch_makes_room_by_itself(void **state)
{
	struct hf_journal j;

	(void)state;
	open_log(&j);
	for (unsigned i = 0; i < 3 * HF_BATCH_RECORDS_MAX; i++)
		assert_ok(add(&j, HF_EV_SIGN, "key:sign"));
	hf_journal_close(&j);
	assert_int_equal(count_of(HF_EV_SIGN).n, 3 * HF_BATCH_RECORDS_MAX);
}

static void more_names_than_numbers_start_over(void **state)
{
	struct hf_journal j;
	char name[32];

	(void)state;
	open_log(&j);
	for (unsigned i = 0; i < 3 * HF_AUDIT_NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "key:%u", i);
		assert_ok(add(&j, HF_EV_SIGN, name));
	}
	hf_journal_close(&j);
	assert_int_equal(count_of(HF_EV_SIGN).n, 3 * HF_AUDIT_NAMES_MAX);
}

static void what_cannot_be_recorded_is_refused(void **state)
{
	struct hf_audit_event_in in = { .event = (enum hf_audit_event)0x7777 };
	char name[HF_AUDIT_NAME_MAX + 1];
	uint8_t attrs[HF_RECORD_MAX] = { 0 };
	struct hf_journal j;
	struct hf_journal none = { .env = NULL };

	(void)state;
	open_log(&j);
	assert_err(hf_journal_add(&j, &in, NULL, fresh()), HF_ERR_ARG);
	memset(name, 'x', HF_AUDIT_NAME_MAX);
	name[HF_AUDIT_NAME_MAX] = '\0';
	assert_err(add(&j, HF_EV_SIGN, name), HF_ERR_LIMIT);
	assert_err(add(&j, HF_EV_KEY_GENERATE, name), HF_ERR_LIMIT);
	in.event = HF_EV_SIGN;
	in.attrs = attrs;
	in.attrs_len = sizeof(attrs);
	assert_err(hf_journal_add(&j, &in, NULL, fresh()), HF_ERR_LIMIT);
	assert_err(add(&none, HF_EV_SIGN, NULL), HF_ERR_STATE);
	assert_ok(add(&j, HF_EV_SIGN, "key:sign")); /* and goes on */
	hf_journal_close(&j);
	hf_journal_close(&j);
	assert_int_equal(count_of(HF_EV_SIGN).n, 1);
}

static void two_writers_are_one_too_many(void **state)
{
	struct hf_journal a;
	struct hf_journal b;

	(void)state;
	open_log(&a);
	assert_err(try_open(&b), HF_ERR_AGAIN);
	hf_journal_close(&a);
	open_log(&b);
	hf_journal_close(&b);
}

/* Neither reading nor starting believes it, and starting changes nothing. */
static void assert_refused(void)
{
	struct hf_journal_report report;
	struct hf_buf before = load(segment);
	struct hf_buf after;
	struct hf_journal j;

	assert_err(verify(&report), HF_ERR_AUTH);
	assert_true(strlen(ei.text) > 0);
	assert_err(try_open(&j), HF_ERR_AUTH);
	after = load(segment);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.p, after.p, before.len);
	hf_buf_clear(&before);
	hf_buf_clear(&after);
}

static void every_altered_byte_of_the_records_is_found(void **state)
{
	struct hf_buf b;

	(void)state;
	fill();
	b = load(segment);
	for (size_t i = 0; i < b.len; i++) {
		b.p[i] ^= 0x01;
		store(segment, b.p, b.len);
		if (i % 64 == 0) {
			assert_refused();
		} else {
			struct hf_journal_report report;

			assert_err(verify(&report), HF_ERR_AUTH);
		}
		b.p[i] ^= 0x01;
	}
	hf_buf_clear(&b);
}

/* Start of the last note: behind the last but five newlines. */
static size_t last_note(const struct hf_buf *b)
{
	unsigned lines = 0;

	for (size_t i = b->len; i > 0; i--)
		if (b->p[i - 1] == '\n' && ++lines == 6)
			return i;
	return 0;
}

static void every_altered_byte_of_the_heads_is_found(void **state)
{
	struct hf_journal_report good;
	struct hf_journal_report report;
	struct hf_buf b;
	size_t last;

	(void)state;
	fill();
	assert_ok(verify(&good));
	b = load("heads");
	last = last_note(&b);
	for (size_t i = 0; i < b.len; i++) {
		bool is_newline = b.p[i] == '\n';

		b.p[i] ^= 0x01;
		store("heads", b.p, b.len);
		if (is_newline && i >= last) {
			/* looks torn: then it is no head, and the one before still holds */
			assert_ok(verify(&report));
			assert_int_equal(report.n_heads, good.n_heads - 1);
		} else {
			assert_err(verify(&report), HF_ERR_AUTH);
		}
		b.p[i] ^= 0x01;
	}
	hf_buf_clear(&b);
}

/* Where frames begin; the last entry is the end. */
static size_t frames_of(const struct hf_buf *b, size_t at[64])
{
	size_t n = 0;
	size_t i = HF_SEGLOG_HEAD_LEN;

	for (; i < b->len; i += HF_SEGLOG_FRAME_LEN + hf_get_be32(b->p + i)) {
		assert_true(n < 63);
		at[n++] = i;
	}
	assert_int_equal(i, b->len);
	at[n] = i;
	return n;
}

static void put_frame(struct hf_buf *out, const struct hf_buf *b, const size_t *at, size_t i)
{
	assert_ok(hf_buf_put(out, b->p + at[i], at[i + 1] - at[i]));
}

static void removed_repeated_reordered_and_cut_batches_are_found(void **state)
{
	struct hf_buf out;
	struct hf_buf b;
	size_t at[64];
	size_t n;

	(void)state;
	fill();
	b = load(segment);
	n = frames_of(&b, at);
	assert_true(n > 6);
	hf_buf_init(&out, env.mem, 1 << 24);
	for (size_t i = 0; i < n; i++) {
		for (int how = 0; how < 3; how++) {
			hf_buf_reset(&out);
			assert_ok(hf_buf_put(&out, b.p, HF_SEGLOG_HEAD_LEN));
			for (size_t k = 0; k < n; k++) {
				if (how == 0 && k == i)
					continue;                      /* removed */
				if (how == 2 && k == i && i + 1 < n) { /* exchanged */
					put_frame(&out, &b, at, ++k);
					put_frame(&out, &b, at, k - 1);
					continue;
				}
				put_frame(&out, &b, at, k);
				if (how == 1 && k == i)
					put_frame(&out, &b, at, k); /* repeated */
			}
			if (how == 2 && i + 1 == n)
				continue;
			store(segment, out.p, out.len);
			assert_refused();
		}
		store(segment, b.p, at[i]); /* cut */
		assert_refused();
	}
	store(segment, b.p, b.len);
	assert_int_equal(unlink(test_path(dir, segment)), 0);
	{
		struct hf_journal_report report;
		struct hf_journal j;

		assert_err(verify(&report), HF_ERR_AUTH); /* heads, and no records at all */
		assert_err(try_open(&j), HF_ERR_AUTH);
	}
	hf_buf_clear(&out);
	hf_buf_clear(&b);
}

static void another_name_or_key_is_refused(void **state)
{
	struct hf_journal_report report;
	struct hf_sm2_key other;

	(void)state;
	fill();
	assert_err(hf_journal_verify(
			   &env, dir, "plant-7/gw-02/audit", &key.pub, NULL, NULL, &report, NULL),
		HF_ERR_AUTH);
	assert_ok(hf_sm2_key_new(&other, &env.rng));
	assert_err(hf_journal_verify(&env, dir, log_id, &other.pub, NULL, NULL, &report, NULL),
		HF_ERR_AUTH);
	assert_ok(verify(&report));
}

static void no_log_is_not_found(void **state)
{
	struct hf_journal_report report;

	(void)state;
	assert_err(verify(&report), HF_ERR_NOT_FOUND);
}

static hf_err reopen(struct hf_journal *j, const struct hf_journal_known *known)
{
	return hf_journal_reopen(j, &env, dir, log_id, &signer, known, fresh());
}

static void a_log_with_fewer_records_than_known_is_refused(void **state)
{
	struct hf_journal_known known = { .size = 0 };
	struct hf_journal_report report;
	struct hf_journal j;

	(void)state;
	fill();
	assert_ok(verify(&report));
	known.size = report.n_records + 1;
	assert_err(reopen(&j, &known), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, "cut"));
	known.size = report.n_records;
	assert_ok(reopen(&j, &known));
	hf_journal_close(&j);
	begin(NULL); /* gone altogether */
	known.size = 1;
	assert_err(reopen(&j, &known), HF_ERR_AUTH);
}

/* Nobody signs it, and it stays as it is. */
static void assert_refused_as_known(const struct hf_journal_known *known, const char *word)
{
	struct hf_journal_report report = { .n_records = 0 };
	struct hf_buf before = load(segment);
	struct hf_buf after;
	struct hf_journal j;

	assert_err(reopen(&j, known), HF_ERR_AUTH);
	assert_non_null(strstr(ei.text, word));
	assert_err(hf_journal_verify_known(&env, dir, log_id, &key.pub, known, &report, fresh()),
		HF_ERR_AUTH);
	after = load(segment);
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.p, before.p, after.len);
	hf_buf_clear(&before);
	hf_buf_clear(&after);
}

static void a_log_that_is_not_that_of_the_known_head_is_refused(void **state)
{
	struct hf_journal_known known = { .size = 0 };
	struct hf_journal_known middle;
	struct hf_journal_report report;
	struct hf_journal j;
	struct hf_buf heads;
	size_t first_len;

	(void)state;
	open_log(&j);
	assert_ok(add(&j, HF_EV_KEY_GENERATE, "key:a"));
	assert_ok(hf_journal_seal(&j, NULL));
	middle = (struct hf_journal_known){ .size = j.durable_size, .head_size = j.head_size };
	memcpy(middle.head_root, j.head_root, sizeof(middle.head_root));
	assert_ok(add(&j, HF_EV_KEY_GENERATE, "key:b"));
	hf_journal_finish(&j);
	known = (struct hf_journal_known){ .size = j.durable_size, .head_size = j.head_size };
	memcpy(known.head_root, j.head_root, sizeof(known.head_root));
	hf_journal_close(&j);

	/* cut back to an older head, then without any: as after a rewrite */
	heads = load("heads");
	for (first_len = 0; first_len < heads.len; first_len++)
		if (first_len > 1 && heads.p[first_len - 1] == '\n' &&
			memcmp(heads.p + first_len, log_id, sizeof(log_id) - 1) == 0 &&
			heads.p[first_len - 2] != '\n' && first_len > 100)
			break;
	assert_true(first_len < heads.len);
	store("heads", heads.p, first_len);
	assert_refused_as_known(&known, "heads were removed");
	assert_int_equal(unlink(test_path(dir, "heads")), 0);
	assert_refused_as_known(&known, "heads were removed");
	assert_refused_as_known(&middle, "heads were removed");
	/* one between was thinned out: those behind it speak for it */
	store("heads", heads.p + first_len, heads.len - first_len);
	assert_ok(hf_journal_verify_known(&env, dir, log_id, &key.pub, &middle, &report, fresh()));
	/* another root at that size, with the same head there and without */
	middle.head_root[0] ^= 1;
	assert_refused_as_known(&middle, "rewritten");
	store("heads", heads.p, heads.len);
	assert_refused_as_known(&middle, "rewritten");
	middle.head_root[0] ^= 1;
	middle.head_size--;
	assert_refused_as_known(&middle, "rewritten");
	hf_buf_clear(&heads);
	assert_ok(reopen(&j, &known));
	hf_journal_close(&j);
}

static void a_torn_end_is_cut_off_and_recorded(void **state)
{
	static const uint8_t torn[100] = { 0, 0, 0, 200, 1, 2, 3 };
	struct hf_journal_report before;
	struct hf_journal_report after;
	struct hf_journal j;
	struct hf_buf heads;
	struct hf_buf b;

	(void)state;
	fill();
	assert_ok(verify(&before));
	b = load(segment);
	assert_ok(hf_buf_put(&b, torn, sizeof(torn)));
	store(segment, b.p, b.len);
	heads = load("heads");
	assert_ok(hf_buf_put(&heads, "plant-7/gw-01/audit\n99", 22));
	store("heads", heads.p, heads.len);
	assert_ok(verify(&after)); /* reading passes over it */
	assert_int_equal(after.n_records, before.n_records);
	open_log(&j);
	hf_journal_close(&j);
	assert_int_equal(count_of(HF_EV_AUDIT_RECOVERED).n, 1);
	assert_ok(verify(&after));
	assert_int_equal(after.head_size, after.n_records);
	open_log(&j); /* once is enough */
	hf_journal_close(&j);
	assert_int_equal(count_of(HF_EV_AUDIT_RECOVERED).n, 1);
	hf_buf_clear(&heads);
	hf_buf_clear(&b);
}

/*
 * A log of batches with a head each, as many as their file holds, written without waiting for the
 * disk. Gives their number.
 */
static unsigned write_many_heads(void)
{
	unsigned n = 0;

	const struct hf_audit_now now = { .time_ns = 1, .boot_ns = 1 };
	const struct hf_audit_event_in in = { .event = HF_EV_SIGN };
	char seg[TEST_PATH_MAX + 8];
	const struct hf_seglog_config config = { seg, HF_JOURNAL_SEGMENT_LEN, false };
	struct hf_audit_head head = { .size = 0 };
	struct hf_seglog_torn torn;
	struct hf_seglog *log = NULL;
	struct hf_audit_log writer;
	struct hf_buf notes;

	(void)snprintf(seg, sizeof(seg), "%s/seg", dir);
	memcpy(head.id, log_id, sizeof(log_id));
	hf_buf_init(&notes, env.mem, HF_JOURNAL_HEADS_MAX);
	assert_ok(hf_seglog_new(&log, env.mem, &config, &torn, NULL));
	assert_ok(hf_audit_log_init(&writer, env.mem, log_id, 1));
	for (;; n++) {
		uint8_t note[HF_AUDIT_HEAD_MAX];
		const uint8_t *batch;
		uint64_t number;
		size_t len;

		assert_ok(hf_audit_log_add(&writer, &now, &in, NULL));
		assert_ok(hf_audit_log_cut(&writer, &now, 0, &batch, &len));
		assert_ok(hf_seglog_append(log, &number, batch, len, NULL));
		head.size = writer.next_seq;
		hf_merkle_root(&writer.tree, head.root);
		assert_ok(hf_audit_head_emit(note, &len, &head, &signer));
		if (notes.len + len > HF_JOURNAL_HEADS_MAX)
			break;
		assert_ok(hf_buf_put(&notes, note, len));
	}
	store("heads", notes.p, notes.len);
	hf_buf_clear(&notes);
	hf_audit_log_clear(&writer);
	hf_seglog_free(log);
	return n;
}

static void heads_are_thinned_out_when_their_file_is_full(void **state)
{
	struct hf_journal_report before;
	struct hf_journal_report after;
	struct hf_journal j;
	unsigned n;

	(void)state;
	n = write_many_heads();
	assert_ok(verify(&before));
	assert_int_equal(before.n_heads, n);
	open_log(&j);
	hf_journal_close(&j); /* no room for its head */
	open_log(&j);
	hf_journal_close(&j);
	assert_ok(verify(&after));
	assert_int_equal(after.head_size, after.n_records);
	assert_true(after.n_heads <= n / 2 + 3 && after.n_heads >= n / 2);
}

/* On a disk of its own that is as good as full. */
static int on_a_full_disk(void *ctx)
{
	struct hf_journal_report report;
	struct hf_journal j;
	unsigned n = 0;
	hf_err e = HF_OK;
	int fd = -1;

	(void)ctx;
	if (!test_small_disk(top, 2048))
		return 77;
	open_log(&j);
	assert_ok(hf_file_open(
		&fd, test_path(top, "filler"), HF_FILE_WRITE | HF_FILE_CREATE, 0600, NULL));
	assert_ok(hf_file_reserve(fd, 1 << 20, NULL));
	while (n < 4000 && (e = add(&j, HF_EV_KEY_GENERATE, "key:sign")) == HF_OK)
		n++;
	assert_err(e, HF_ERR_FULL);
	assert_err(add(&j, HF_EV_SIGN, "key:sign"), HF_ERR_FULL);
	assert_non_null(strstr(ei.text, "full"));
	/* without the reserve, too: the disk itself says no */
	assert_ok(hf_file_resize(fd, 0, NULL));
	hf_file_close(&fd);
	assert_ok(add(&j, HF_EV_KEY_GENERATE, "key:sign"));
	hf_journal_close(&j);
	assert_ok(verify(&report));
	assert_int_equal(count_of(HF_EV_KEY_GENERATE).n, n + 1);
	return 0;
}

static void a_full_disk_refuses_and_loses_nothing(void **state)
{
	int end = test_child(on_a_full_disk, NULL);

	(void)state;
	if (end == 77)
		skip();
	assert_int_equal(end, 0);
}

/* From here on no file grows beyond len: no space in the middle of an append. */
static void limit_files(rlim_t len)
{
	const struct rlimit limit = { len, RLIM_INFINITY };

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int with_short_files(void *ctx)
{
	struct hf_journal j;
	unsigned n = 0;

	(void)ctx;
	open_log(&j);
	limit_files(3000);
	while (n < 100 && add(&j, HF_EV_KEY_GENERATE, "key:sign") == HF_OK)
		n++;
	if (n == 100 || j.failed != HF_OK)
		return 1;
	if (add(&j, HF_EV_SIGN, "key:sign") != HF_OK) /* may wait for space */
		return 2;
	/* neither the batch nor a head that is due ends the log: both are tried again */
	j.head_ms = hf_clock_mono_ms() - HF_JOURNAL_HEAD_MS;
	if (hf_journal_tick(&j, NULL) != HF_ERR_AGAIN || j.failed != HF_OK ||
		hf_journal_deadline(&j) == UINT64_MAX)
		return 3;
	limit_files(RLIM_INFINITY);
	if (count_of(HF_EV_KEY_GENERATE).n != n)
		return 4;
	if (add(&j, HF_EV_KEY_GENERATE, "key:enc") != HF_OK)
		return 5;
	hf_journal_close(&j);
	return count_of(HF_EV_KEY_GENERATE).n == n + 1 && count_of(HF_EV_SIGN).n == 1 ? 0 : 6;
}

static void a_record_without_room_leaves_no_trace(void **state)
{
	(void)state;
	assert_int_equal(test_child(with_short_files, NULL), 0);
}

static unsigned *n_acknowledged;

static int writes_some(void *ctx)
{
	struct hf_journal j;

	(void)ctx;
	if (try_open(&j) != HF_OK)
		return 1;
	for (int i = 0; i < 3; i++) {
		if (add(&j, HF_EV_KEY_GENERATE, "key:sign") != HF_OK)
			return 2;
		++*n_acknowledged;
		if (add(&j, HF_EV_SIGN, "key:sign") != HF_OK)
			return 3;
		if (i == 1 && hf_journal_seal(&j, NULL) != HF_OK)
			return 4;
	}
	hf_journal_close(&j);
	return 0;
}

static void crash(enum test_crash_how how)
{
	int made = 0;

	n_acknowledged = test_shared(sizeof(*n_acknowledged));
	for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
		struct hf_journal_report report;
		struct hf_journal j;

		made = test_crash_at(n, how, dir, writes_some, NULL);
		if (made == TEST_CRASH_UNABLE)
			skip();
		open_log(&j); /* whatever was left is good to go on with */
		hf_journal_close(&j);
		assert_ok(verify(&report));
		assert_true(count_of(HF_EV_KEY_GENERATE).n >= *n_acknowledged);
	}
}

static void killed_at_every_call_nothing_acknowledged_is_lost(void **state)
{
	(void)state;
	crash(TEST_KILL);
}

static void without_power_at_every_call_nothing_acknowledged_is_lost(void **state)
{
	(void)state;
	crash(TEST_POWER_CUT);
}

static void every_failed_allocation_is_an_error(void **state)
{
	const struct hf_mem *heap = env.mem;
	struct hf_journal j;
	hf_err e = HF_ERR_NO_MEMORY;

	(void)state;
	fill();
	env.mem = &test_mem;
	for (unsigned n = 1; e != HF_OK; n++) {
		assert_true(n < 200);
		test_mem_fail_at(n);
		e = try_open(&j);
		if (e == HF_OK)
			e = add(&j, HF_EV_KEY_GENERATE, "key:sign");
		test_mem_fail_at(0);
		hf_journal_close(&j);
		if (e != HF_OK)
			assert_err(e, HF_ERR_NO_MEMORY);
	}
	env.mem = heap;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_log_goes_on_where_it_ended, begin),
		cmocka_unit_test_setup(class_s_is_there_at_once_and_class_a_soon, begin),
		cmocka_unit_test_setup(a_full_batch_makes_room_by_itself, begin),
		cmocka_unit_test_setup(more_names_than_numbers_start_over, begin),
		cmocka_unit_test_setup(what_cannot_be_recorded_is_refused, begin),
		cmocka_unit_test_setup(two_writers_are_one_too_many, begin),
		cmocka_unit_test_setup(every_altered_byte_of_the_records_is_found, begin),
		cmocka_unit_test_setup(every_altered_byte_of_the_heads_is_found, begin),
		cmocka_unit_test_setup(removed_repeated_reordered_and_cut_batches_are_found, begin),
		cmocka_unit_test_setup(another_name_or_key_is_refused, begin),
		cmocka_unit_test_setup(no_log_is_not_found, begin),
		cmocka_unit_test_setup(a_log_with_fewer_records_than_known_is_refused, begin),
		cmocka_unit_test_setup(a_log_that_is_not_that_of_the_known_head_is_refused, begin),
		cmocka_unit_test_setup(a_torn_end_is_cut_off_and_recorded, begin),
		cmocka_unit_test_setup(heads_are_thinned_out_when_their_file_is_full, begin),
		cmocka_unit_test_setup(a_full_disk_refuses_and_loses_nothing, begin),
		cmocka_unit_test_setup(a_record_without_room_leaves_no_trace, begin),
		cmocka_unit_test_setup(killed_at_every_call_nothing_acknowledged_is_lost, begin),
		cmocka_unit_test_setup(
			without_power_at_every_call_nothing_acknowledged_is_lost, begin),
		cmocka_unit_test_setup(every_failed_allocation_is_an_error, begin),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
