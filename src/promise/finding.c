#include "promise/finding.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

struct printing {
    enum rp_lang lang;
    char *text;
    size_t n;
    bool whole; /* nothing was left out */
    bool one;   /* the last number was one, as the language counts */
    va_list args;
};

static void add(struct printing *to, const char *bytes, size_t n) {
    size_t room = RP_FINDING_MAX - 1 - to->n;
    to->whole = to->whole && n <= room;
    memcpy(to->text + to->n, bytes, RP_MIN(n, room));
    to->n += RP_MIN(n, room);
}

static void add_number(struct printing *to, bool negative, uint64_t size) {
    char digits[24];
    int n =
        snprintf(digits, sizeof digits, "%s%llu", negative ? "-" : "", (unsigned long long)size);
    add(to, digits, (size_t)n);
    to->one = size == 1 || (size == 0 && to->lang == RP_FR);
}

static void add_signed(struct printing *to, int64_t value) {
    add_number(to, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* Tenths, which is all that a finding counts in parts. */
static void add_tenths(struct printing *to, double value) {
    RP_ASSERT(value >= 0 && value < 1e15);
    uint64_t tenths = (uint64_t)(value * 10 + 0.5);
    add_number(to, false, tenths / 10);
    add(to, to->lang == RP_FR ? "," : ".", 1);
    add_number(to, false, tenths % 10);
    to->one = false;
}

/* Words are whole: a piece of a text is somebody's name. */
static void add_string(struct printing *to, int precision, const char *string) {
    if (precision < 0) {
        const char *said = to->lang == RP_FR ? rp_french(string) : string;
        add(to, said, strlen(said));
    } else {
        add(to, string, strnlen(string, (size_t)precision));
    }
}

struct conversion {
    int precision; /* -1 = none */
    int longs;
    bool size;
    char letter;
};

/* What stands behind a '%'; a precision of `.*` is the next value. Returns what follows. */
static const char *read_conversion(struct printing *to, const char *at,
                                   struct conversion *ret_conversion) {
    struct conversion found = {.precision = -1};
    if (at[0] == '.' && at[1] == '*') {
        found.precision = va_arg(to->args, int);
        at += 2;
    } else if (at[0] == '.') {
        found.precision = 0;
        for (at++; *at >= '0' && *at <= '9'; at++) {
            found.precision = 10 * found.precision + (*at - '0');
        }
    }
    for (; *at == 'l' || *at == 'z'; at++) {
        found.longs += *at == 'l';
        found.size = found.size || *at == 'z';
    }
    found.letter = *at;
    *ret_conversion = found;
    return at + 1;
}

static int64_t take_signed(struct printing *to, int longs) {
    return longs > 1   ? va_arg(to->args, long long)
           : longs > 0 ? va_arg(to->args, long)
                       : va_arg(to->args, int);
}

static uint64_t take_unsigned(struct printing *to, const struct conversion *how) {
    return how->size        ? va_arg(to->args, size_t)
           : how->longs > 1 ? va_arg(to->args, unsigned long long)
           : how->longs > 0 ? va_arg(to->args, unsigned long)
                            : va_arg(to->args, unsigned);
}

static const char *add_value(struct printing *to, const char *at) {
    struct conversion how;
    at = read_conversion(to, at, &how);
    switch (how.letter) {
    case '%':
        add(to, "%", 1);
        break;
    case 's':
        add_string(to, how.precision, va_arg(to->args, const char *));
        break;
    case 'f':
        RP_ASSERT(how.precision == 1);
        add_tenths(to, va_arg(to->args, double));
        break;
    case 'd':
        add_signed(to, take_signed(to, how.longs));
        break;
    case 'u':
        add_number(to, false, take_unsigned(to, &how));
        break;
    default:
        RP_UNREACHABLE();
    }
    return at;
}

/* "one|more}", of which one is meant; returns what follows. */
static const char *add_form(struct printing *to, const char *at) {
    size_t one = strcspn(at, "|"), more = strcspn(at + one + 1, "}");
    RP_ASSERT(at[one] == '|' && at[one + 1 + more] == '}');
    add(to, to->one ? at : at + one + 1, to->one ? one : more);
    return at + one + 1 + more + 1;
}

void rp_finding_print(enum rp_lang lang, char ret_text[static RP_FINDING_MAX], const char *format,
                      va_list args) {
    static const char ellipsis[] = "…";
    struct printing to = {.lang = lang, .text = ret_text, .whole = true};
    va_copy(to.args, args);
    for (const char *at = lang == RP_FR ? rp_french(format) : format; *at;) {
        size_t plain = strcspn(at, "%{");
        add(&to, at, plain);
        at += plain;
        if (*at == '%') {
            at = add_value(&to, at + 1);
        } else if (*at == '{') {
            at = add_form(&to, at + 1);
        }
    }
    va_end(to.args);
    if (!to.whole) {
        to.n = RP_FINDING_MAX - sizeof ellipsis;
        while (((unsigned char)ret_text[to.n] & 0xc0) == 0x80) { /* inside of a letter */
            to.n--;
        }
        memcpy(ret_text + to.n, ellipsis, sizeof ellipsis - 1);
        to.n += sizeof ellipsis - 1;
    }
    ret_text[to.n] = 0;
}
