#include "wire/log_line.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/env.h"
#include "wire/http.h"

/* What comes behind the message, and the sign that it was cut. */
enum { TAIL_MAX = 160 };

static const rp_view replacement = {(const uint8_t *)"\xef\xbf\xbd", 3};
static const rp_view cut_here = {(const uint8_t *)"\xe2\x80\xa6", 3};

/* How the first bytes of v stand in the line: some as they are, or one byte as something else. */
static rp_view printed_as(rp_view v, uint8_t escaped[static 6], size_t *ret_used) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t c = v.p[0];
    *ret_used = 1;
    if (c == '"' || c == '\\') {
        escaped[0] = '\\';
        escaped[1] = c;
        return rp_view_of(escaped, 2);
    }
    if (c < 0x20 || c == 0x7f) {
        const uint8_t text[6] = {
            '\\', 'u', '0', '0', (uint8_t)digits[c >> 4], (uint8_t)digits[c & 15]};
        memcpy(escaped, text, sizeof text);
        return rp_view_of(escaped, sizeof text);
    }
    for (size_t n = 1; n <= 4 && n <= v.n; n++) { /* the one character that begins here */
        if (rp_utf8_valid(rp_view_sub(v, 0, n))) {
            *ret_used = n;
            return rp_view_sub(v, 0, n);
        }
    }
    return replacement;
}

/* Allocates nothing: nginx writes lines in signal handlers too. */
struct printing {
    uint8_t *out;
    size_t n;
};

static void add(struct printing *to, rp_view bytes) {
    RP_ASSERT(bytes.n <= RP_LOG_LINE_MAX - to->n);
    if (bytes.n > 0) {
        memcpy(to->out + to->n, bytes.p, bytes.n);
    }
    to->n += bytes.n;
}

static void add_message(struct printing *to, rp_view message) {
    while (message.n > 0) {
        uint8_t escaped[6];
        size_t used = 0;
        rp_view next = printed_as(message, escaped, &used);
        if (to->n + next.n > RP_LOG_LINE_MAX - TAIL_MAX) {
            add(to, cut_here);
            return;
        }
        add(to, next);
        message = rp_view_from(message, used);
    }
}

static void add_tail(struct printing *to, const struct rp_log_line *line) {
    char text[TAIL_MAX - 3];
    struct rp_time_text time = rp_time_print(line->time_ms / 1000);
    int n = snprintf(
        text, sizeof text, "\",\"pid\":%llu,\"role\":\"%s\",\"time\":\"%.19s.%03uZ\"}\n",
        (unsigned long long)line->pid, line->role, time.s, (unsigned)(line->time_ms % 1000));
    RP_ASSERT(n > 0 && (size_t)n < sizeof text);
    add(to, rp_view_of(text, (size_t)n));
}

size_t rp_log_line_print(const struct rp_log_line *line, uint8_t out[static RP_LOG_LINE_MAX]) {
    struct printing to = {out, 0};
    RP_ASSERT(line->level.n <= 16 && strlen(line->role) <= 32 && line->time_ms >= 0);
    add(&to, RP_VIEW("{\"level\":\""));
    add(&to, line->level);
    add(&to, RP_VIEW("\",\"message\":\""));
    add_message(&to, line->message);
    add_tail(&to, line);
    return to.n;
}

static bool is_level(rp_view word) {
    static const char *const levels[] = {"emerg", "alert",  "crit", "error",
                                         "warn",  "notice", "info", "debug"};
    for (size_t i = 0; i < RP_COUNT_OF(levels); i++) {
        if (rp_view_equal(word, rp_view_from_cstr(levels[i]))) {
            return true;
        }
    }
    return false;
}

void rp_log_line_of_nginx(rp_view text, struct rp_log_line *line) {
    enum { DATE = sizeof "2026/11/26 09:50:36 [" - 1 };
    rp_view rest = rp_view_trim(text);
    line->level = RP_VIEW("error");
    line->message = rest;
    if (rest.n <= DATE || rest.p[DATE - 1] != '[') {
        return;
    }
    rest = rp_view_from(rest, DATE);
    rp_view level = rp_view_cut(&rest, ']');
    rp_view pid = rp_view_trim(rp_view_cut(&rest, '#'));
    uint64_t number = 0;
    if (!is_level(level) || !rest.p || !rp_view_to_u64(pid, UINT32_MAX, &number)) {
        return;
    }
    (void)rp_view_cut(&rest, ':'); /* the thread */
    if (rest.p) {
        line->level = level;
        line->pid = number;
        line->message = rp_view_trim(rest);
    }
}
