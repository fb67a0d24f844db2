/* needs_regex.c — PCRE2's syntax read as far as it says what a match must contain.
 *
 * Options do not matter: case is never told apart, a dot is anything, an anchor is nothing. What
 * cannot be known (a back reference) is anything; what is not understood makes the whole expression
 * one that is always asked. Groups nest by recursion, DEPTH_MAX deep.
 */
#include "base/checked.h"
#include "shield/needs_reader.h"
#include "shield/transform_parts.h"

enum { DEPTH_MAX = 60, NUMBER_MAX = 65535 };

/* Past the next `end`. */
static struct rp_part skip_past(struct rp_reader *r, uint8_t end, struct rp_part part) {
    size_t found = rp_view_find_byte(rp_view_from(r->pattern, r->at), end);
    if (r->at + found >= r->pattern.n) {
        return give_up(r);
    }
    r->at += found + 1;
    return part;
}

/* ---- atoms ---- */

static struct rp_part one_byte(struct rp_reader *r, uint8_t byte) {
    return rp_part_text(r->arena, rp_view_of(&byte, 1), &r->ok);
}

/* What is nothing itself hands a repetition on to what stands before it: too rare to be followed.
 */
static struct rp_part unless_repeated(struct rp_reader *r, struct rp_part part) {
    uint8_t next = peek(r, 0);
    bool repeated = next == '*' || next == '+' || next == '?' || next == '{';
    return repeated || r->extended ? give_up(r) : part;
}

/* \Q…\E, of which a repetition would mean the last byte only. */
static struct rp_part quoted(struct rp_reader *r) {
    rp_view rest = rp_view_from(r->pattern, r->at);
    size_t n = rp_view_find(rest, RP_VIEW("\\E"));
    struct rp_part part = rp_part_text(r->arena, rp_view_sub(rest, 0, n), &r->ok);
    r->at += RP_MIN(n + 2, rest.n);
    return unless_repeated(r, part);
}

/* \g…, \k…, \1: somewhere a name or a number in brackets, or digits. */
static struct rp_part reference(struct rp_reader *r) {
    uint8_t open = peek(r, 0);
    if (open == '{' || open == '<' || open == '\'') {
        r->at++;
        uint8_t close = open == '{' ? '}' : open == '<' ? '>' : '\'';
        return skip_past(r, close, rp_part_anything());
    }
    r->at += open == '-' || open == '+' ? 1 : 0;
    while (rp_is_digit(peek(r, 0))) {
        r->at++;
    }
    return rp_part_anything();
}

static struct rp_part escape(struct rp_reader *r) {
    if (r->at >= r->pattern.n) {
        return give_up(r);
    }
    uint8_t letter = r->pattern.p[r->at++];
    struct rp_byte_set set = {{0}};
    if (rp_reader_class_letter(letter, &set)) {
        return rp_part_class(r->arena, &set, &r->ok);
    }
    switch (letter) {
    case 'A':
    case 'B':
    case 'b':
    case 'G':
    case 'K':
    case 'Z':
    case 'z':
        return rp_part_empty();
    case 'E':
        return unless_repeated(r, rp_part_empty());
    case 'Q':
        return quoted(r);
    case 'g':
    case 'k':
        return reference(r);
    case 'C':
    case 'R':
    case 'X':
        return rp_part_anything();
    case 'N':
        return peek(r, 0) == '{' ? give_up(r) : rp_part_anything();
    case 'p':
    case 'P':
        if (take(r, "{")) {
            return skip_past(r, '}', rp_part_anything());
        }
        r->at++;
        return rp_part_anything();
    default:
        break;
    }
    if (letter >= '1' && letter <= '9') {
        return reference(r);
    }
    int byte = rp_reader_byte_escape(r, letter);
    return byte < 0 ? give_up(r) : one_byte(r, (uint8_t)byte);
}

/* ---- groups ---- */

static struct rp_part alternatives(struct rp_reader *r);

static struct rp_part group_body(struct rp_reader *r, bool counts) {
    bool extended = r->extended;
    struct rp_part part = alternatives(r);
    r->extended = extended;
    if (!take(r, ")")) {
        return give_up(r);
    }
    return counts ? part : rp_part_empty();
}

/* (?i) for the rest of the group, (?i:…) for its own. */
static struct rp_part options(struct rp_reader *r) {
    bool on = true;
    bool extended = r->extended;
    while (more(r)) {
        uint8_t c = r->pattern.p[r->at++];
        if (c == ')') {
            r->extended = extended;
            return rp_part_empty();
        }
        if (c == ':') {
            bool before = r->extended;
            r->extended = extended;
            struct rp_part part = group_body(r, true);
            r->extended = before;
            return part;
        }
        bool twice = c == 'x' && peek(r, 0) == 'x';
        extended = c == 'x' ? on : c == '^' ? false : extended;
        on = c == '-' ? false : on;
        if (twice || rp_view_find_byte(RP_VIEW("imsxnJU^-"), c) == 9) {
            return give_up(r);
        }
    }
    return give_up(r);
}

/* After "(?". */
static struct rp_part special_group(struct rp_reader *r) {
    if (take(r, "#")) {
        struct rp_part nothing = skip_past(r, ')', rp_part_empty());
        return unless_repeated(r, nothing);
    }
    if (take(r, "=") || take(r, "!") || take(r, "<=") || take(r, "<!") || take(r, "*") ||
        take(r, "<*")) {
        return group_body(r, false); /* looks, and takes nothing */
    }
    if (take(r, ":") || take(r, "|") || take(r, ">")) {
        return group_body(r, true);
    }
    if (take(r, "P=") || take(r, "P>") || take(r, "&") || take(r, "R")) {
        return skip_past(r, ')', rp_part_anything());
    }
    if (take(r, "P<") || take(r, "<") || take(r, "'")) {
        uint8_t close = r->pattern.p[r->at - 1] == '<' ? '>' : '\'';
        skip_past(r, close, rp_part_empty());
        return r->understood ? group_body(r, true) : rp_part_anything();
    }
    uint8_t c = peek(r, 0);
    bool sign = c == '+' || c == '-';
    if (rp_is_digit(c) || (sign && rp_is_digit(peek(r, 1)))) {
        return skip_past(r, ')', rp_part_anything()); /* a group called again */
    }
    return options(r); /* conditions and call-outs are refused there */
}

static struct rp_part group(struct rp_reader *r) {
    if (r->depth >= DEPTH_MAX || peek(r, 0) == '*') {
        return give_up(r);
    }
    r->depth++;
    struct rp_part part = take(r, "?") ? special_group(r) : group_body(r, true);
    r->depth--;
    return part;
}

static struct rp_part atom(struct rp_reader *r) {
    uint8_t c = r->pattern.p[r->at++];
    switch (c) {
    case '(':
        return group(r);
    case '[':
        /* [[:<:]] and [[:>:]] are the ends of a word. */
        return take(r, "[:<:]]") || take(r, "[:>:]]") ? rp_part_empty() : rp_reader_class(r);
    case '\\':
        return escape(r);
    case '.':
        return rp_part_anything();
    case '^':
    case '$':
        return rp_part_empty();
    case '*':
    case '+':
    case '?':
        return give_up(r);
    default:
        return one_byte(r, c);
    }
}

/* ---- repetitions and sequences ---- */

/* To PCRE2 the next-line control is white space here, as Unicode says, and nowhere else. */
static bool is_skipped(uint8_t c) {
    const uint8_t next_line = 0x85;
    return rp_is_space(c) || c == '#' || c == next_line;
}

static void skip_extended(struct rp_reader *r) {
    while (r->extended && more(r) && is_skipped(peek(r, 0))) {
        if (peek(r, 0) == '#') {
            size_t line = rp_view_find_byte(rp_view_from(r->pattern, r->at), '\n');
            r->at += line;
        } else {
            r->at++;
        }
    }
}

static bool number(struct rp_reader *r, unsigned *ret_number) {
    unsigned value = 0;
    size_t start = r->at;
    while (rp_is_digit(peek(r, 0)) && value <= NUMBER_MAX) {
        value = value * 10 + (unsigned)(r->pattern.p[r->at++] - '0');
    }
    *ret_number = value;
    return r->at > start && value <= NUMBER_MAX;
}

/* {n}, {n,}, {n,m}. False: a brace that stands for itself; versions differ about {,m} and about
 * spaces, so those are not understood. */
static bool braces(struct rp_reader *r, unsigned *ret_least, unsigned *ret_most) {
    size_t start = r->at;
    r->at++;
    bool is_count = number(r, ret_least);
    *ret_most = *ret_least;
    if (is_count && take(r, ",")) {
        *ret_most = RP_REPEAT_FOREVER;
        is_count = peek(r, 0) == '}' || (number(r, ret_most) && *ret_most >= *ret_least);
    }
    if (is_count && take(r, "}")) {
        return true;
    }
    r->at = start + 1;
    while (rp_is_digit(peek(r, 0)) || peek(r, 0) == ',' || rp_is_space(peek(r, 0))) {
        r->at++;
    }
    r->understood = r->understood && peek(r, 0) != '}';
    r->at = start;
    return false;
}

static bool repetition(struct rp_reader *r, unsigned *ret_least, unsigned *ret_most) {
    *ret_least = 0;
    *ret_most = RP_REPEAT_FOREVER;
    switch (peek(r, 0)) {
    case '*':
        r->at++;
        break;
    case '+':
        *ret_least = 1;
        r->at++;
        break;
    case '?':
        *ret_most = 1;
        r->at++;
        break;
    case '{':
        if (!braces(r, ret_least, ret_most)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (peek(r, 0) == '?' || peek(r, 0) == '+') { /* lazy, or possessive */
        r->at++;
    }
    return true;
}

static struct rp_part sequence(struct rp_reader *r) {
    struct rp_part whole = rp_part_empty();
    struct rp_clause_list clauses;
    rp_clause_list_start(&clauses);
    for (skip_extended(r); more(r) && peek(r, 0) != '|' && peek(r, 0) != ')'; skip_extended(r)) {
        struct rp_part part = atom(r);
        struct rp_part once = part;
        bool required = true;
        unsigned least = 0;
        unsigned most = 0;
        skip_extended(r);
        while (more(r) && repetition(r, &least, &most)) {
            part = rp_part_repeat(r->arena, &part, least, most, &r->ok);
            required = required && least > 0;
            skip_extended(r);
        }
        whole = rp_part_join(r->arena, &whole, &part, &r->ok);
        if (required) {
            rp_clause_list_then(&clauses, &once);
        }
    }
    whole.clauses = rp_clause_list_keep(&clauses, r->arena, &r->ok);
    return whole;
}

/* Halves with halves, so that a list of thousands is not copied thousands of times. */
static struct rp_part any_of(struct rp_reader *r, const struct rp_part *parts, size_t n) {
    if (n == 1) {
        return parts[0];
    }
    struct rp_part left = any_of(r, parts, n / 2);
    struct rp_part right = any_of(r, parts + n / 2, n - n / 2);
    return rp_part_either(r->arena, &left, &right, &r->ok);
}

/* Room for twice as many. */
static struct rp_part *grown(struct rp_reader *r, const struct rp_part *parts, size_t n) {
    struct rp_part *larger = rp_arena_array(r->arena, 2 * n, sizeof *larger);
    if (larger == NULL) {
        r->ok = false;
        give_up(r);
        return NULL;
    }
    memcpy(larger, parts, n * sizeof *parts);
    return larger;
}

static struct rp_part alternatives(struct rp_reader *r) {
    struct rp_part first = sequence(r);
    struct rp_part *parts = &first;
    size_t n = 1;
    while (more(r) && take(r, "|")) {
        if ((n & (n - 1)) == 0) { /* full: 1, 2, 4, 8, … */
            parts = grown(r, parts, n);
        }
        if (parts == NULL) {
            return rp_part_anything();
        }
        parts[n++] = sequence(r);
    }
    struct rp_part whole = any_of(r, parts, n);
    if (n > 1) {
        struct rp_clause_list clauses = {.n = 0};
        for (size_t i = 0; i < n; i++) {
            rp_clause_list_either(&clauses, &parts[i]);
        }
        whole.clauses = rp_clause_list_keep(&clauses, r->arena, &r->ok);
    }
    return whole;
}

/* The whole expression; anything when it is not understood. Fails: TOO_LARGE. */
static rp_err read_pattern(rp_view pattern, struct rp_arena *arena, struct rp_part *ret_part) {
    struct rp_reader r = {.pattern = pattern, .arena = arena, .ok = true, .understood = true};
    struct rp_part part = alternatives(&r);
    bool whole = r.understood && r.at == pattern.n;
    *ret_part = whole ? part : rp_part_anything();
    return r.ok ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_literals_of_pattern(rp_view pattern, struct rp_arena *arena, struct rp_needs *ret_needs) {
    struct rp_part part;
    RP_TRY(read_pattern(pattern, arena, &part));
    bool ok = true;
    struct rp_needs needs = rp_part_needs(arena, &part, &ok);
    if (!ok) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_needs = needs;
    return RP_OK;
}

rp_err rp_clauses_of_pattern(rp_view pattern, struct rp_arena *arena,
                             struct rp_clauses *ret_clauses) {
    struct rp_part part;
    RP_TRY(read_pattern(pattern, arena, &part));
    struct rp_clause_list list = {.n = 0};
    rp_clause_list_either(&list, &part);
    bool ok = true;
    struct rp_clauses clauses = rp_clause_list_keep(&list, arena, &ok);
    if (!ok) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_clauses = clauses;
    return RP_OK;
}
