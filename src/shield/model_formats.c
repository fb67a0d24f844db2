/* model_formats.c — the formats of texts, as RFC 3339, 9562, 3986, 4648 and 5321 have them, and the
 * grammar of a number. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/model_internal.h"
#include "wire/ip.h"
#include "wire/number.h"

enum rp_model_format rp_model_format_named(rp_view word) {
    static const struct {
        const char *word;
        enum rp_model_format format;
    } formats[] = {
        {"uuid", RP_FORMAT_UUID},
        {"date", RP_FORMAT_DATE},
        {"date-time", RP_FORMAT_DATE_TIME},
        {"email", RP_FORMAT_EMAIL},
        {"ipv4", RP_FORMAT_IPV4},
        {"ipv6", RP_FORMAT_IPV6},
        {"uri", RP_FORMAT_URI},
        {"byte", RP_FORMAT_BYTE},
        {"int32", RP_FORMAT_INT32},
        {"int64", RP_FORMAT_INT64},
        {"password", RP_FORMAT_NONE},
        {"binary", RP_FORMAT_NONE},
        {"float", RP_FORMAT_NONE},
        {"double", RP_FORMAT_NONE},
    };
    for (size_t i = 0; i < RP_COUNT_OF(formats); i++) {
        if (rp_view_equal(word, rp_view_from_cstr(formats[i].word))) {
            return formats[i].format;
        }
    }
    return RP_FORMAT_COUNT;
}

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static size_t digits(rp_view text, size_t from) {
    size_t n = from;
    while (n < text.n && is_digit(text.p[n])) {
        n++;
    }
    return n - from;
}

/* RFC 8259: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
bool rp_model_number(rp_view text, double *ret_number) {
    size_t at = text.n > 0 && text.p[0] == '-', n = digits(text, at);
    if (n == 0 || (n > 1 && text.p[at] == '0')) {
        return false;
    }
    at += n;
    if (at < text.n && text.p[at] == '.') {
        n = digits(text, at + 1);
        at += n > 0 ? n + 1 : 0;
    }
    if (at + 1 < text.n && rp_lower(text.p[at]) == 'e') {
        size_t sign = text.p[at + 1] == '+' || text.p[at + 1] == '-';
        n = digits(text, at + 1 + sign);
        at += n > 0 ? 1 + sign + n : 0;
    }
    return at == text.n && rp_ok(rp_number_parse(text, ret_number));
}

/* A mask: 9 a digit, h a hexadecimal one, all else itself. */
static bool has_form(rp_view text, const char *mask) {
    rp_view form = rp_view_from_cstr(mask);
    bool good = text.n == form.n;
    for (size_t i = 0; good && i < text.n; i++) {
        uint8_t c = text.p[i], low = rp_lower(c);
        good = form.p[i] == '9'   ? is_digit(c)
               : form.p[i] == 'h' ? is_digit(c) || (low >= 'a' && low <= 'f')
                                  : c == form.p[i];
    }
    return good;
}

static unsigned number_at(rp_view text, size_t at, size_t n) {
    unsigned value = 0;
    for (size_t i = at; i < at + n; i++) {
        value = value * 10 + (unsigned)(text.p[i] - '0');
    }
    return value;
}

static bool is_date(rp_view text) {
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!has_form(text, "9999-99-99")) {
        return false;
    }
    unsigned year = number_at(text, 0, 4), month = number_at(text, 5, 2);
    unsigned day = number_at(text, 8, 2);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (leap && month == 2 ? 1 : 0);
}

static bool is_clock(rp_view text) {
    return has_form(text, "99:99:99") && number_at(text, 0, 2) < 24 && number_at(text, 3, 2) < 60 &&
           number_at(text, 6, 2) <= 60;
}

static bool is_offset(rp_view text) {
    return rp_view_equal(text, RP_VIEW("Z")) || rp_view_equal(text, RP_VIEW("z")) ||
           ((has_form(text, "+99:99") || has_form(text, "-99:99")) && number_at(text, 1, 2) < 24 &&
            number_at(text, 4, 2) < 60);
}

static bool is_date_time(rp_view text) {
    if (text.n < 20 || !is_date(rp_view_sub(text, 0, 10)) || rp_lower(text.p[10]) != 't' ||
        !is_clock(rp_view_sub(text, 11, 8))) {
        return false;
    }
    rp_view rest = rp_view_from(text, 19);
    size_t n = rest.p[0] == '.' ? digits(rest, 1) : 0;
    return is_offset(n > 0 ? rp_view_from(rest, n + 1) : rest);
}

static bool is_host_byte(uint8_t c) {
    uint8_t low = rp_lower(c);
    return is_digit(c) || (low >= 'a' && low <= 'z') || c == '-' || c == '.';
}

static bool is_email(rp_view text) {
    size_t at = rp_view_find_byte(text, '@');
    rp_view host = rp_view_from(text, RP_MIN(at + 1, text.n));
    bool good = at > 0 && at <= 64 && host.n > 0 && host.n <= 253 && text.p[0] != '.' &&
                host.p[0] != '.' && host.p[0] != '-' && host.p[host.n - 1] != '.';
    for (size_t i = 0; good && i < at; i++) {
        good = text.p[i] > ' ' && text.p[i] != 0x7f && !strchr("\"(),:;<>[\\]", text.p[i]);
    }
    for (size_t i = 0; good && i < host.n; i++) {
        good = is_host_byte(host.p[i]) || host.p[i] >= 0x80;
    }
    return good;
}

static bool is_uri(rp_view text) {
    size_t colon = rp_view_find_byte(text, ':');
    bool good = colon > 0 && colon < text.n;
    for (size_t i = 0; good && i < text.n; i++) {
        uint8_t c = text.p[i], low = rp_lower(c);
        bool letter = low >= 'a' && low <= 'z';
        bool scheme = letter || (i > 0 && (is_digit(c) || c == '+' || c == '-' || c == '.'));
        good = i < colon ? scheme : c > ' ' && c < 0x7f && !strchr("\"<>\\^`{|}", c);
    }
    return good;
}

static bool is_base64(rp_view text) {
    size_t padding = rp_view_ends(text, RP_VIEW("==")) ? 2 : rp_view_ends(text, RP_VIEW("="));
    bool good = text.n % 4 == 0;
    for (size_t i = 0; good && i + padding < text.n; i++) {
        uint8_t c = text.p[i], low = rp_lower(c);
        good = is_digit(c) || (low >= 'a' && low <= 'z') || c == '+' || c == '/';
    }
    return good;
}

static bool is_address(rp_view text, bool v6) {
    struct rp_ip ip;
    bool colon = rp_view_find_byte(text, ':') < text.n;
    return colon == v6 && rp_ok(rp_ip_parse(text, &ip));
}

bool rp_model_has_format(rp_view text, enum rp_model_format format) {
    switch (format) {
    case RP_FORMAT_NONE:
    case RP_FORMAT_INT32: /* of numbers, which have their range */
    case RP_FORMAT_INT64:
    case RP_FORMAT_COUNT:
        return true;
    case RP_FORMAT_UUID:
        return has_form(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh");
    case RP_FORMAT_DATE:
        return is_date(text);
    case RP_FORMAT_DATE_TIME:
        return is_date_time(text);
    case RP_FORMAT_EMAIL:
        return is_email(text);
    case RP_FORMAT_IPV4:
        return is_address(text, false);
    case RP_FORMAT_IPV6:
        return is_address(text, true);
    case RP_FORMAT_URI:
        return is_uri(text);
    case RP_FORMAT_BYTE:
        return is_base64(text);
    }
    RP_UNREACHABLE();
}
