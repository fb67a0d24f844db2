#include "told.h"

#include <time.h>

#include "base/checked.h"

static const char our_words[] = "uacme: ";
static const char problem_type[] = "urn:ietf:params:acme:error:";

/* Printable ASCII in one line; a JSON string's escapes are undone as far as that goes. */
static void keep(char *out, size_t max, rp_view text) {
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 1 < max; i++) {
        uint8_t c = text.p[i];
        if (c == '\\' && i + 1 < text.n) {
            c = text.p[++i];
            if (c == 'u') {
                i += RP_MIN((size_t)4, text.n - 1 - i);
                c = '?';
            } else if (c == 'n' || c == 't' || c == 'r') {
                c = ' ';
            }
        }
        out[n++] = (char)(c < ' ' || c > '~' ? '?' : c);
    }
    out[n] = '\0';
}

/* "    "detail": "…"," of a body that uacme prints member by member. */
static bool member(rp_view line, const char *name, rp_view *ret_value) {
    rp_view rest = rp_view_trim(line);
    rp_view key = rp_view_from_cstr(name);
    if (!rp_view_starts(rest, key)) {
        return false;
    }
    rest = rp_view_from(rest, key.n);
    if (rp_view_ends(rest, RP_VIEW(","))) {
        rest = rp_view_sub(rest, 0, rest.n - 1);
    }
    if (rest.n > 0 && rest.p[rest.n - 1] == '"') {
        rest = rp_view_sub(rest, 0, rest.n - 1);
    }
    *ret_value = rest;
    return true;
}

static bool has(rp_view line, const char *words) {
    return rp_view_find(line, rp_view_from_cstr(words)) < line.n;
}

/* RFC 9110, 10.2.3: seconds, or a date. */
static int64_t read_wait(rp_view value, int64_t now_s) {
    uint64_t seconds = 0;
    if (rp_view_to_u64(value, UINT64_MAX, &seconds)) {
        return (int64_t)RP_MIN(seconds, (uint64_t)TOLD_WAIT_MAX_S);
    }
    char text[40] = "";
    struct tm utc = {0};
    memcpy(text, value.p, RP_MIN(value.n, sizeof text - 1));
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc)) {
        return 0;
    }
    int64_t date_s = (int64_t)timegm(&utc);
    return date_s > now_s ? RP_MIN(date_s - now_s, (int64_t)TOLD_WAIT_MAX_S) : 0;
}

static void read_head(struct told *told, rp_view line, int64_t now_s) {
    rp_view name = rp_view_cut(&line, ':');
    if (rp_view_equal_nocase(name, RP_VIEW("retry-after")) && line.p) {
        told->wait_s = read_wait(rp_view_trim(line), now_s);
    }
}

/* A new answer: what the one before said no longer counts. */
static void begin_answer(struct told *told) {
    told->detail[0] = told->type[0] = told->trouble[0] = '\0';
    told->wait_s = 0;
}

static void read_own_words(struct told *told, rp_view line) {
    rp_view words = rp_view_from(line, sizeof our_words - 1);
    if (has(words, "HTTP headers")) {
        begin_answer(told);
        told->in_head = true;
    } else if (has(words, "payload=") || has(words, "key_auth=") || has(words, "running ")) {
        return; /* signatures, and what proves that a name is ours */
    } else if (has(words, "lready exists")) {
        told->exists = true;
    } else if (has(words, " failed: ")) {
        keep(told->trouble, sizeof told->trouble, words);
    } else if (has(words, "failed") || has(words, "timeout") || has(words, "invalid") ||
               has(words, "not ")) {
        keep(told->last, sizeof told->last, words);
    }
}

static void read_line(struct told *told, rp_view line, int64_t now_s) {
    rp_view value;
    if (rp_view_ends(line, RP_VIEW("\r"))) {
        line = rp_view_sub(line, 0, line.n - 1);
    }
    if (rp_view_starts(line, rp_view_from_cstr(our_words))) {
        told->in_head = false;
        read_own_words(told, line);
    } else if (told->in_head) {
        told->in_head = line.n > 0;
        read_head(told, line, now_s);
    } else if (member(line, "\"detail\": \"", &value)) {
        keep(told->detail, sizeof told->detail, value);
    } else if (member(line, "\"type\": \"", &value) &&
               rp_view_starts(value, rp_view_from_cstr(problem_type))) {
        keep(told->type, sizeof told->type, rp_view_from(value, sizeof problem_type - 1));
    }
}

/* The rest of a line that is too long is passed over: nothing that is kept stands so far back. */
void told_feed(struct told *told, rp_view text, int64_t now_s) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            told_end(told, now_s);
        } else if (told->line_n < sizeof told->line) {
            told->line[told->line_n++] = (char)text.p[i];
        }
    }
}

void told_end(struct told *told, int64_t now_s) {
    read_line(told, rp_view_of(told->line, told->line_n), now_s);
    told->line_n = 0;
}

const char *told_reason(const struct told *told) {
    return told->detail[0]    ? told->detail
           : told->trouble[0] ? told->trouble
           : told->last[0]    ? told->last
           : told->type[0]    ? told->type
                              : "uacme ended without a word";
}
