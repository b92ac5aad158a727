/* SPDX-License-Identifier: MIT */
/*
 * id.c - ids that sort by time, and Crockford's base32
 *
 * The text of an id is that of a ULID: 128 bits in 26 characters with two
 * zero bits in front, so the first character is 0 to 7 and text sorts like
 * bytes.  Bare base32 has its zero bits behind, as RFC 4648 does it.
 * Reading is strict: the letters I, L and O, which Crockford would take for
 * digits, and bits that must be zero and are not, are refused, so that but
 * for case a value has one text.
 * TESTS  tests/unit/test_id.c
 */
#include "base/id.h"

#include "base/panic.h"

#define ID_CHARS 26
#define ID_LEAD_BITS 2 /* 26 * 5 - 128 */
#define PREFIX_LEN 4
#define TIME_BYTES 6
#define TIME_MAX_MS ((INT64_C(1) << 48) - 1)

static const char base32_chars[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static const char prefixes[ID_NKINDS][PREFIX_LEN + 1] = {
	[ID_EVENT] = "evt_",   [ID_MESSAGE] = "msg_",     [ID_CONVERSATION] = "cnv_",
	[ID_CONTACT] = "ctc_", [ID_DESTINATION] = "dst_", [ID_KEY] = "key_",
	[ID_BATCH] = "bat_",
};

/* Count the 16 bytes up by one, as one big-endian number. */
static void count_up(struct id *id)
{
	size_t i = ID_BYTES;

	while (i > 0 && ++id->bytes[--i] == 0)
		continue;
}

void id_make(struct id_maker *m, const struct clock *c, struct rnd *r, struct id *out)
{
	int64_t now = clock_wall_ms(c);

	if (now < 0)
		now = 0;
	if (now > TIME_MAX_MS)
		now = TIME_MAX_MS;
	if (now <= id_time_ms(&m->last)) {
		count_up(&m->last); /* the same millisecond, or the clock went back */
	} else {
		for (size_t i = 0; i < TIME_BYTES; i++)
			m->last.bytes[i] = (uint8_t)(now >> (40 - 8 * i));
		rnd_bytes(r, m->last.bytes + TIME_BYTES, ID_BYTES - TIME_BYTES);
	}
	*out = m->last;
}

/* `bits`: how many zero bits stand in front. */
static size_t encode(const uint8_t *in, size_t len, unsigned bits, char *out)
{
	uint32_t held = 0; /* the low `bits` bits of it wait to be written */
	char *start = out;

	for (size_t i = 0; i < len; i++) {
		held = held << 8 | in[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = base32_chars[held >> (bits - 5) & 31];
	}
	if (bits > 0)
		*out++ = base32_chars[held << (5 - bits) & 31];
	*out = '\0';
	return (size_t)(out - start);
}

static int base32_value(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - ('a' - 'A'));
	at = memchr(base32_chars, c, sizeof(base32_chars) - 1);
	return at == NULL ? -1 : (int)(at - base32_chars);
}

/* text.len is right for len bytes with `lead` zero bits in front. */
static bool decode(struct str text, unsigned lead, uint8_t *out, size_t len)
{
	uint32_t held = 0;
	unsigned bits = 0;
	size_t done = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = base32_value(text.ptr[i]);

		if (value < 0 || (i == 0 && lead > 0 && value >> (5 - lead) != 0))
			return false;
		held = held << 5 | (uint32_t)value;
		bits += i == 0 ? 5 - lead : 5;
		if (bits >= 8 && done < len) {
			bits -= 8;
			out[done++] = (uint8_t)(held >> bits);
		}
	}
	return (held & (BIT(bits) - 1)) == 0; /* the bits behind the last byte */
}

void id_text(enum id_kind kind, const struct id *id, char out[ID_TEXT_MAX])
{
	ASSERT((size_t)kind < ID_NKINDS);
	memcpy(out, prefixes[kind], PREFIX_LEN);
	(void)encode(id->bytes, ID_BYTES, ID_LEAD_BITS, out + PREFIX_LEN);
}

bool id_parse(enum id_kind kind, struct str text, struct id *out)
{
	struct id id = { { 0 } };

	ASSERT((size_t)kind < ID_NKINDS);
	if (text.len != PREFIX_LEN + ID_CHARS ||
	    !str_eq_nocase(str_slice(text, 0, PREFIX_LEN), str_from(prefixes[kind])) ||
	    !decode(str_slice(text, PREFIX_LEN, text.len), ID_LEAD_BITS, id.bytes, ID_BYTES))
		return false;
	*out = id;
	return true;
}

bool id_kind_of(struct str text, enum id_kind *out)
{
	struct id ignored;

	for (size_t kind = 0; kind < ID_NKINDS; kind++) {
		if (id_parse((enum id_kind)kind, text, &ignored)) {
			*out = (enum id_kind)kind;
			return true;
		}
	}
	return false;
}

int64_t id_time_ms(const struct id *id)
{
	int64_t ms = 0;

	for (size_t i = 0; i < TIME_BYTES; i++)
		ms = ms << 8 | id->bytes[i];
	return ms;
}

bool id_eq(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, ID_BYTES) == 0;
}

size_t base32_encode(const void *bytes, size_t len, char *out)
{
	return encode(bytes, len, 0, out);
}

bool base32_decode(struct str text, void *out, size_t out_len)
{
	/* Compared this way round, a silly out_len cannot overflow. */
	if (text.len / 8 != out_len / 5 || text.len % 8 != (out_len % 5 * 8 + 4) / 5)
		return false;
	return decode(text, 0, out, out_len);
}
