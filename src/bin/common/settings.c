/* SPDX-License-Identifier: Apache-2.0 */
/* The one reader of quantities: decimal, with a unit where it is a time or a size. */
#include "bin/common/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/checked.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit no_unit[] = { { "", 1 }, { NULL, 0 } };

static const struct unit times[] = { { "ms", 1 }, { "s", SECOND_MS }, { "min", MINUTE_MS },
	{ "h", HOUR_MS }, { "d", DAY_MS }, { NULL, 0 } };

static const struct unit sizes[] = { { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 },
	{ "GiB", UINT64_C(1) << 30 }, { "TiB", UINT64_C(1) << 40 }, { NULL, 0 } };

static const struct unit *const units_of[] = {
	[YAML_TEXT] = no_unit,
	[YAML_NUMBER] = no_unit,
	[YAML_TIME] = times,
	[YAML_SIZE] = sizes,
};

void settings_init(struct settings *s, const struct yaml_schema *schema, const char *path,
	const char *text, size_t text_len, struct hf_errinfo *ei)
{
	*s = (struct settings){ .text = { schema, path, text, text_len }, .ei = ei };
}

void settings_enter(struct settings *s, const char *list, size_t i)
{
	s->entry[0] = '\0';
	if (list != NULL)
		(void)snprintf(s->entry, sizeof(s->entry), "%.64s[%zu]", list, i + 1);
}

static void whole_key(char out[SETTINGS_KEY_MAX], const struct settings *s, const char *key)
{
	bool has_both = s->entry[0] != '\0' && key[0] != '\0';

	(void)snprintf(out, SETTINGS_KEY_MAX, "%.40s%s%.48s", s->entry, has_both ? "." : "", key);
}

hf_err settings_refuse(const struct settings *s, const char *key, const char *what)
{
	char whole[SETTINGS_KEY_MAX];

	whole_key(whole, s, key);
	return yaml_refuse(&s->text, whole, what, s->ei);
}

hf_err settings_refuse_value(const struct settings *s, const char *key, const char *value)
{
	char what[160];

	(void)snprintf(what, sizeof(what), "'%.100s' is not allowed here", value);
	return settings_refuse(s, key, what);
}

hf_err settings_no_memory(const struct settings *s)
{
	return hf_fail(s->ei, HF_ERR_NO_MEMORY, "%s: out of memory", s->text.path);
}

/* The digits that text begins with; NULL: none, or too many, or a zero in front. */
static const char *digits(uint64_t *out, const char *text)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && isdigit((unsigned char)text[1])))
		return NULL;
	for (; isdigit((unsigned char)*text); text++)
		if (hf_mul_u64(&n, n, 10) != HF_OK ||
			hf_add_u64(&n, n, (uint64_t)(*text - '0')) != HF_OK)
			return NULL;
	*out = n;
	return text;
}

bool settings_number_parse(uint64_t *out, const char *text, uint64_t max)
{
	uint64_t n = 0;
	const char *end = digits(&n, text);

	if (end == NULL || *end != '\0' || n > max)
		return false;
	*out = n;
	return true;
}

/* "10 GiB", "72h": a number, blanks or none, a unit. */
static bool quantity_parse(uint64_t *out, const char *text, const struct unit *u)
{
	uint64_t n = 0;
	const char *unit = digits(&n, text);

	if (unit == NULL)
		return false;
	if (u->name[0] != '\0')
		unit += strspn(unit, " ");
	for (; u->name != NULL; u++)
		if (strcmp(u->name, unit) == 0)
			return hf_mul_u64(out, n, u->factor) == HF_OK;
	return false;
}

hf_err settings_u64(const struct settings *s, uint64_t *out, const char *key, const char *text)
{
	char whole[SETTINGS_KEY_MAX];
	const struct yaml_setting *row;
	uint64_t n = 0;

	if (text == NULL)
		return HF_OK;
	whole_key(whole, s, key);
	row = yaml_setting_at(s->text.schema, whole);
	if (row == NULL || row->kind == YAML_TEXT)
		return hf_fail(s->ei, HF_ERR_INTERNAL, "%s: has no bounds", whole);
	if (row->word != NULL && strcmp(row->word, text) == 0) {
		*out = row->word_is;
		return HF_OK;
	}
	if (!quantity_parse(&n, text, units_of[row->kind]) || n < row->min || n > row->max)
		return settings_refuse_value(s, key, text);
	*out = n;
	return HF_OK;
}

hf_err settings_u32(const struct settings *s, uint32_t *out, const char *key, const char *text)
{
	uint64_t n = *out;

	HF_TRY(settings_u64(s, &n, key, text));
	if (n > UINT32_MAX)
		return settings_refuse_value(s, key, text);
	*out = (uint32_t)n;
	return HF_OK;
}

hf_err settings_u16(const struct settings *s, uint16_t *out, const char *key, const char *text)
{
	uint64_t n = *out;

	HF_TRY(settings_u64(s, &n, key, text));
	if (n > UINT16_MAX)
		return settings_refuse_value(s, key, text);
	*out = (uint16_t)n;
	return HF_OK;
}

hf_err settings_path(
	const struct settings *s, char out[HF_PATH_MAX], const char *key, const char *text)
{
	const char *file = s->text.path;
	const char *slash = strrchr(file, '/');
	int folder_len = slash == NULL ? 0 : (int)(slash - file) + 1;
	char dir[HF_PATH_MAX] = "";
	int n;

	if (text[0] == '/') {
		n = snprintf(out, HF_PATH_MAX, "%s", text);
	} else {
		if (file[0] != '/' && getcwd(dir, sizeof(dir)) == NULL)
			return settings_refuse(s, key, "relative, and there is no working folder");
		n = snprintf(out, HF_PATH_MAX, "%s%s%.*s%s", dir, dir[0] != '\0' ? "/" : "",
			folder_len, file, text);
	}
	return n < 0 || n >= HF_PATH_MAX ? settings_refuse(s, key, "the path is too long") : HF_OK;
}
