/* SPDX-License-Identifier: MIT */
/*
 * Scanning the fields of a line, without copying it and without a 0 at its end.
 * Each function takes what it is named after and moves on, or takes nothing and
 * returns false.
 */
#ifndef TRACES_SCAN_H
#define TRACES_SCAN_H

#include "qemu/osdep.h"

typedef struct Scan {
    const char *at, *end;
} Scan;

typedef struct Word {
    const char *text;
    size_t len;
} Word;

/* For tables of names, whose lengths are known then. */
#define WORD(literal) {literal, sizeof(literal) - 1}

static inline bool word_same(Word word, Word other)
{
    /* Most differ in their first character. */
    return word.len == other.len &&
           (!word.len || (*word.text == *other.text &&
                          !memcmp(word.text, other.text, word.len)));
}

static inline bool word_is(Word word, const char *text)
{
    return strlen(text) == word.len && !memcmp(word.text, text, word.len);
}

static inline bool word_begins(Word word, const char *text)
{
    size_t len = strlen(text);

    return len <= word.len && !memcmp(word.text, text, len);
}

static inline bool scan_is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static inline bool scan_is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Spaces and tabs; none is all right. */
static inline void scan_spaces(Scan *scan)
{
    const char *p = scan->at;

    while (scan->end - p >= 8 && !memcmp(p, "        ", 8)) {
        p += 8; /* columns */
    }
    while (p < scan->end && scan_is_space(*p)) {
        p++;
    }
    scan->at = p;
}

static inline bool scan_at_end(Scan *scan)
{
    scan_spaces(scan);
    return scan->at == scan->end;
}

static inline bool scan_char(Scan *scan, char c)
{
    if (scan->at < scan->end && *scan->at == c) {
        scan->at++;
        return true;
    }
    return false;
}

static inline bool scan_text(Scan *scan, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(scan->end - scan->at) >= len && !memcmp(scan->at, text, len)) {
        scan->at += len;
        return true;
    }
    return false;
}

enum { SCAN_SAFE_DIGITS = 19 }; /* which fit into 64 bits, whatever they are */

/* Digits; false also if the number needs more than 64 bits. */
static inline bool scan_u64(Scan *scan, uint64_t *value)
{
    const char *p = scan->at;
    const char *safe = scan->end - p > SCAN_SAFE_DIGITS ? p + SCAN_SAFE_DIGITS
                                                        : scan->end;
    uint64_t v = 0;
    unsigned digit;

    while (p < safe && (digit = (unsigned char)*p - '0') < 10) {
        v = v * 10 + digit;
        p++;
    }
    for (; unlikely(p == safe && p < scan->end) && scan_is_digit(*p);
         safe = ++p) {
        digit = *p - '0';
        if (v > (UINT64_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    if (p == scan->at) {
        return false;
    }
    scan->at = p;
    *value = v;
    return true;
}

static inline bool scan_i64(Scan *scan, int64_t *value)
{
    Scan ahead = *scan;
    bool minus = scan_char(&ahead, '-');
    uint64_t v;

    if (!scan_u64(&ahead, &v) || v > INT64_MAX) {
        return false;
    }
    *value = minus ? -(int64_t)v : (int64_t)v;
    *scan = ahead;
    return true;
}

static inline int scan_hex_digit(char c)
{
    unsigned letter = (unsigned char)(c | 0x20) - 'a';

    return scan_is_digit(c) ? c - '0' : letter < 6 ? (int)letter + 10 : -1;
}

/* "0x1f", "1f" or "(nil)". */
static inline bool scan_hex(Scan *scan, uint64_t *value)
{
    Scan ahead = *scan;
    const char *digits;
    uint64_t v = 0;
    int digit;

    if (scan_text(&ahead, "(nil)")) {
        *scan = ahead;
        *value = 0;
        return true;
    }
    scan_text(&ahead, "0x");
    digits = ahead.at;
    while (ahead.at < ahead.end && (digit = scan_hex_digit(*ahead.at)) >= 0) {
        v = v << 4 | digit;
        ahead.at++;
    }
    if (ahead.at == digits) {
        return false;
    }
    *scan = ahead;
    *value = v;
    return true;
}

/* The digits behind a point: their first @most, as if there were so many. */
static inline uint64_t scan_fraction(Scan *scan, unsigned most)
{
    static const uint64_t ten_to[] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
        1000000000,
    };
    const char *p = scan->at;
    const char *cut = scan->end - p > most ? p + most : scan->end;
    uint64_t value = 0;
    unsigned digit, n;

    while (p < cut && (digit = (unsigned char)*p - '0') < 10) {
        value = value * 10 + digit;
        p++;
    }
    n = p - scan->at;
    while (p < scan->end && scan_is_digit(*p)) {
        p++;
    }
    scan->at = p;
    return value * ten_to[most - n];
}

/*
 * "12.000345" in units of @unit nanoseconds, a power of ten; digits below the
 * nanosecond are dropped.  False if it is no number or too large.
 */
static inline bool scan_time(Scan *scan, uint64_t unit, int64_t *ns)
{
    Scan ahead = *scan;
    bool minus = scan_char(&ahead, '-');
    uint64_t whole = 0, rest = 0;

    if (!scan_u64(&ahead, &whole) || whole > INT64_MAX / unit - 1) {
        return false;
    }
    if (ahead.end - ahead.at > 1 && *ahead.at == '.' &&
        scan_is_digit(ahead.at[1])) {
        ahead.at++;
        rest = scan_fraction(&ahead, __builtin_ctzll(unit)); /* 2^n 5^n */
    }
    *ns = (int64_t)(whole * unit + rest);
    if (minus) {
        *ns = -*ns;
    }
    *scan = ahead;
    return true;
}

/* What stands before the next space or tab; spaces before it are skipped. */
static inline bool scan_word(Scan *scan, Word *word)
{
    scan_spaces(scan);
    word->text = scan->at;
    while (scan->at < scan->end && !scan_is_space(*scan->at)) {
        scan->at++;
    }
    word->len = scan->at - word->text;
    return word->len > 0;
}

/* What stands before @c, which is taken too; false if there is no @c. */
static inline bool scan_until(Scan *scan, char c, Word *word)
{
    const char *found = scan->at < scan->end
        ? memchr(scan->at, c, scan->end - scan->at) : NULL;

    if (!found) {
        return false;
    }
    *word = (Word){scan->at, found - scan->at};
    scan->at = found + 1;
    return true;
}

#endif
