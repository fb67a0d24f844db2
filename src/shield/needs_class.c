/* needs_class.c — classes and escapes of PCRE2's syntax: which bytes they stand for. */
#include "base/checked.h"
#include "shield/needs_reader.h"
#include "shield/transform_parts.h"

/* ---- sets with a name ---- */

static void set_add(struct rp_byte_set *set, unsigned first, unsigned last) {
    for (unsigned byte = first; byte <= last; byte++) {
        set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
    }
}

static void set_add_all(struct rp_byte_set *set, const struct rp_byte_set *other, bool negated) {
    for (size_t word = 0; word < RP_COUNT_OF(set->bits); word++) {
        set->bits[word] |= negated ? ~other->bits[word] : other->bits[word];
    }
}

/* \d \w \s \h \v and their opposites; false when the letter is none of them. In UTF-less mode
 * PCRE2's tables are those of the C locale. */
bool rp_reader_class_letter(uint8_t letter, struct rp_byte_set *set) {
    struct rp_byte_set of = {{0}};
    switch (letter | 0x20) {
    case 'd':
        set_add(&of, '0', '9');
        break;
    case 'w':
        set_add(&of, '0', '9');
        set_add(&of, 'A', 'Z');
        set_add(&of, 'a', 'z');
        set_add(&of, '_', '_');
        break;
    case 's':
        set_add(&of, '\t', '\r');
        set_add(&of, ' ', ' ');
        break;
    case 'h':
        set_add(&of, '\t', '\t');
        set_add(&of, ' ', ' ');
        set_add(&of, 0xa0, 0xa0);
        break;
    case 'v':
        set_add(&of, '\n', '\r');
        set_add(&of, 0x85, 0x85);
        break;
    default:
        return false;
    }
    set_add_all(set, &of, (letter & 0x20) == 0);
    return true;
}

static bool posix_has(rp_view name, unsigned c, bool *ret_known) {
    bool alpha = c < 128 && rp_is_alpha((uint8_t)c);
    bool digit = c < 128 && rp_is_digit((uint8_t)c);
    bool graph = c > 0x20 && c < 0x7f;
    const struct {
        rp_view name;
        bool has;
    } classes[] = {
        {RP_VIEW("alpha"), alpha},
        {RP_VIEW("lower"), c >= 'a' && c <= 'z'},
        {RP_VIEW("upper"), c >= 'A' && c <= 'Z'},
        {RP_VIEW("alnum"), alpha || digit},
        {RP_VIEW("ascii"), c < 128},
        {RP_VIEW("blank"), c == ' ' || c == '\t'},
        {RP_VIEW("cntrl"), c < 0x20 || c == 0x7f},
        {RP_VIEW("digit"), digit},
        {RP_VIEW("graph"), graph},
        {RP_VIEW("print"), graph || c == ' '},
        {RP_VIEW("punct"), graph && !alpha && !digit},
        {RP_VIEW("space"), c == ' ' || (c >= '\t' && c <= '\r')},
        {RP_VIEW("word"), alpha || digit || c == '_'},
        {RP_VIEW("xdigit"), c < 128 && rp_is_hex((uint8_t)c)},
    };
    for (size_t i = 0; i < RP_COUNT_OF(classes); i++) {
        if (rp_view_equal(name, classes[i].name)) {
            return classes[i].has;
        }
    }
    *ret_known = false;
    return false;
}

/* [:name:] or [:^name:], the bracket being here. */
static void posix_class(struct rp_reader *r, struct rp_byte_set *set) {
    size_t start = r->at + 2;
    size_t end = start + rp_view_find(rp_view_from(r->pattern, start), RP_VIEW(":]"));
    rp_view name = rp_view_sub(r->pattern, start, end - start);
    bool negated = rp_view_starts(name, RP_VIEW("^"));
    name = rp_view_from(name, negated ? 1 : 0);
    struct rp_byte_set of = {{0}};
    for (unsigned c = 0; c < 256; c++) {
        if (posix_has(name, c, &r->understood)) {
            set_add(&of, c, c);
        }
    }
    set_add_all(set, &of, negated);
    r->at = end + 2;
}

/* ---- escapes ---- */

static unsigned octal_digits(struct rp_reader *r, unsigned most) {
    unsigned value = 0;
    for (unsigned i = 0; i < most && rp_is_octal(peek(r, 0)); i++) {
        value = value * 8 + (unsigned)(r->pattern.p[r->at++] - '0');
    }
    return value;
}

/* {…} or up to two digits: \x's number. */
static unsigned hex_escape(struct rp_reader *r) {
    unsigned value = 0;
    bool braces = take(r, "{");
    for (unsigned i = 0; (braces || i < 2) && rp_is_hex(peek(r, 0)) && value <= 0xff; i++) {
        value = value * 16 + rp_hex_value(r->pattern.p[r->at++]);
    }
    r->understood = r->understood && value <= 0xff && (!braces || take(r, "}"));
    return value & 0xff;
}

static unsigned octal_braces(struct rp_reader *r) {
    bool braces = take(r, "{");
    unsigned value = octal_digits(r, 4);
    r->understood = r->understood && braces && value <= 0xff && take(r, "}");
    return value & 0xff;
}

/* An escape that is one byte, its letter being taken; -1 when it is something else. */
int rp_reader_byte_escape(struct rp_reader *r, uint8_t letter) {
    static const char letters[] = "aefnrt";
    static const uint8_t bytes[] = {7, 0x1b, '\f', '\n', '\r', '\t'};
    for (size_t i = 0; letters[i] != 0; i++) {
        if (letter == (uint8_t)letters[i]) {
            return bytes[i];
        }
    }
    switch (letter) {
    case '0':
        return (int)octal_digits(r, 2);
    case 'x':
        return (int)hex_escape(r);
    case 'o':
        return (int)octal_braces(r);
    case 'c': {
        uint8_t c = peek(r, 0);
        r->at++;
        r->understood = r->understood && c >= 0x20 && c < 0x7f;
        return (c >= 'a' && c <= 'z' ? c - 0x20 : c) ^ 0x40;
    }
    default:
        return rp_is_alpha(letter) || rp_is_digit(letter) ? -1 : letter;
    }
}

/* One member of a class: a byte, or (-1) a set that was added. */
static int class_member(struct rp_reader *r, struct rp_byte_set *set) {
    uint8_t c = r->pattern.p[r->at++];
    if (c == '[' && (peek(r, 0) == '.' || peek(r, 0) == '=')) {
        give_up(r);
        return -1;
    }
    if (c == '[' && peek(r, 0) == ':' &&
        rp_view_find(rp_view_from(r->pattern, r->at), RP_VIEW(":]")) < r->pattern.n - r->at) {
        r->at--;
        posix_class(r, set);
        return -1;
    }
    if (c != '\\') {
        return c;
    }
    uint8_t letter = peek(r, 0);
    r->at++;
    if (rp_reader_class_letter(letter, set)) {
        return -1;
    }
    if (letter == 'b') {
        return '\b';
    }
    if (rp_is_octal(letter)) {
        r->at--;
        return (int)(octal_digits(r, 3) & 0xff);
    }
    int byte = rp_reader_byte_escape(r, letter);
    r->understood = r->understood && byte >= 0; /* \Q \E \p and their like are rare in here */
    return byte;
}

/* […], the bracket being taken. */
struct rp_part rp_reader_class(struct rp_reader *r) {
    struct rp_byte_set set = {{0}};
    bool negated = take(r, "^");
    bool first = true;
    while (more(r) && (first || peek(r, 0) != ']')) {
        first = false;
        int low = class_member(r, &set);
        int high = low;
        if (low >= 0 && peek(r, 0) == '-' && peek(r, 1) != ']' && r->at + 1 < r->pattern.n) {
            r->at++;
            struct rp_byte_set ignored = {{0}};
            high = class_member(r, &ignored);
            r->understood = r->understood && high >= low; /* also a-\d, which is odd */
        }
        if (low >= 0 && r->understood) {
            set_add(&set, (unsigned)low, (unsigned)high);
        }
    }
    if (!more(r) || !take(r, "]")) {
        return give_up(r);
    }
    if (negated) {
        /* Without regard to case, [^a] is anything but a and A; with it, A is in: take it as in. */
        struct rp_byte_set opposite = {{0}};
        set_add_all(&opposite, &set, true);
        set = opposite;
    }
    return rp_part_class(r->arena, &set, &r->ok);
}
