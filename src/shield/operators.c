#include "shield/operators.h"

#include "base/checked.h"
#include "shield/transform_parts.h"

/* ---- words and encodings ---- */

bool rp_op_contains_word(rp_view value, rp_view word) {
    if (word.n == 0) {
        return true;
    }
    for (size_t from = 0; from < value.n; from++) {
        size_t at = from + rp_view_find(rp_view_from(value, from), word);
        if (at >= value.n) {
            return false;
        }
        bool free_before = at == 0 || !rp_is_alpha(value.p[at - 1]);
        bool free_after = at + word.n == value.n || !rp_is_alpha(value.p[at + word.n]);
        if (free_before && free_after) {
            return true;
        }
        from = at;
    }
    return false;
}

bool rp_op_invalid_url_encoding(rp_view value) {
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '%') {
            if (!rp_hex_at(value, i + 1, 2)) {
                return true;
            }
            i += 2;
        }
    }
    return false;
}

/* How many bytes the character that begins here has; 0 when it is none. */
static size_t utf8_character(rp_view value, size_t at) {
    uint8_t c = value.p[at];
    if (c < 0x80) {
        return 1;
    }
    size_t bytes = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (bytes == 0 || value.n - at < bytes) {
        return 0;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((value.p[at + i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    uint8_t second = value.p[at + 1];
    bool refused = (c == 0xe0 && second < 0xa0) || (c == 0xed && second >= 0xa0) ||
                   (c == 0xf0 && second < 0x90) || (c == 0xf4 && second >= 0x90);
    return refused ? 0 : bytes;
}

bool rp_op_invalid_utf8(rp_view value) {
    for (size_t i = 0; i < value.n;) {
        uint64_t eight = 0;
        if (value.n - i >= sizeof eight) {
            memcpy(&eight, value.p + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        size_t bytes = utf8_character(value, i);
        if (bytes == 0) {
            return true;
        }
        i += bytes;
    }
    return false;
}

/* ---- sets of bytes ---- */

static bool read_range(rp_view part, uint64_t *ret_first, uint64_t *ret_last) {
    rp_view high = part;
    rp_view low = rp_view_trim(rp_view_cut(&high, '-'));
    if (!rp_view_to_u64(low, 255, ret_first)) {
        return false;
    }
    *ret_last = *ret_first;
    return high.p == NULL ||
           (rp_view_to_u64(rp_view_trim(high), 255, ret_last) && *ret_first <= *ret_last);
}

rp_err rp_op_byte_range(rp_view list, struct rp_byte_set *ret_allowed, struct rp_diag *diag) {
    struct rp_byte_set allowed = {{0}};
    while (list.p != NULL && list.n > 0) {
        rp_view part = rp_view_cut(&list, ',');
        uint64_t first = 0;
        uint64_t last = 0;
        if (!read_range(part, &first, &last)) {
            return rp_fail(
                diag, RP_ERR(INVALID),
                "\"%.*s\" is no byte or range of bytes; expected 0 to 255, like 9,32-126",
                RP_FMT(part));
        }
        for (uint64_t byte = first; byte <= last; byte++) {
            allowed.bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
        }
    }
    *ret_allowed = allowed;
    return RP_OK;
}

bool rp_op_outside(const struct rp_byte_set *allowed, const struct rp_byte_set *present) {
    return ((present->bits[0] & ~allowed->bits[0]) | (present->bits[1] & ~allowed->bits[1]) |
            (present->bits[2] & ~allowed->bits[2]) | (present->bits[3] & ~allowed->bits[3])) != 0;
}

/* ---- numbers with a check ---- */

/* Luhn, from the last digit: every second one doubled, a two-digit product counted by its digits.
 */
bool rp_op_luhn(rp_view match) {
    unsigned sum = 0;
    unsigned digits = 0;
    for (size_t i = match.n; i > 0; i--) {
        if (rp_is_digit(match.p[i - 1])) {
            unsigned digit = (unsigned)(match.p[i - 1] - '0');
            digit = digits % 2 == 1 ? 2 * digit : digit;
            sum += digit > 9 ? digit - 9 : digit;
            digits++;
        }
    }
    return digits > 0 && sum % 10 == 0;
}

/* The first `room` digits; how many there are in all. */
static size_t digits_of(rp_view match, unsigned *digits, size_t room) {
    size_t n = 0;
    for (size_t i = 0; i < match.n; i++) {
        if (rp_is_digit(match.p[i])) {
            if (n < room) {
                digits[n] = (unsigned)(match.p[i] - '0');
            }
            n++;
        }
    }
    return n;
}

/* Neither all alike nor 123456789, no field zero, an area that was given out before 2011. */
bool rp_op_ssn(rp_view match) {
    unsigned d[9];
    if (digits_of(match, d, 9) != 9) {
        return false;
    }
    unsigned rising = 0;
    unsigned alike = 0;
    for (size_t i = 0; i < 8; i++) {
        rising += d[i] + 1 == d[i + 1] ? 1 : 0;
        alike += d[i] == d[i + 1] ? 1 : 0;
    }
    unsigned area = d[0] * 100 + d[1] * 10 + d[2];
    unsigned group = d[3] * 10 + d[4];
    unsigned serial = d[5] * 1000 + d[6] * 100 + d[7] * 10 + d[8];
    return rising < 8 && alike < 8 && area > 0 && area < 740 && area != 666 && group > 0 &&
           serial > 0;
}

/* A CPF's check digit over the n digits before it. */
static unsigned cpf_check(const unsigned *d, unsigned n) {
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += d[i] * (n + 1 - i);
    }
    return sum % 11 < 2 ? 0 : 11 - sum % 11;
}

bool rp_op_cpf(rp_view match) {
    unsigned d[11];
    /* A NUL ends it, and digits beyond the eleventh do not count. */
    rp_view text = rp_view_sub(match, 0, rp_view_find_byte(match, 0));
    if (digits_of(text, d, 11) < 11) {
        return false;
    }
    unsigned alike = 0;
    for (size_t i = 0; i < 10; i++) {
        alike += d[i] == d[i + 1] ? 1 : 0;
    }
    return alike < 10 && d[9] == cpf_check(d, 9) && d[10] == cpf_check(d, 10);
}

/* Three running digits, a check digit, a date of birth as DDMMYY; no date is looked for, but for
 * digits all alike or rising through nine. */
bool rp_op_svnr(rp_view match) {
    static const unsigned weights[10] = {3, 7, 9, 0, 5, 8, 4, 2, 1, 6};
    unsigned d[10], sum = 0, alike = 0, rising = 0;
    rp_view text = rp_view_sub(match, 0, rp_view_find_byte(match, 0));
    if (digits_of(text, d, 10) < 10) {
        return false;
    }
    for (size_t i = 0; i < 10; i++) {
        sum += d[i] * weights[i];
        alike += i > 0 && d[i] == d[i - 1] ? 1 : 0;
        rising += i > 0 && d[i] == (d[i - 1] + 1) % 10 ? 1 : 0;
    }
    bool listed = rising == 9 && d[0] < 2; /* 0123456789, 1234567890 */
    return alike < 9 && !listed && sum % 11 % 10 == d[3];
}
