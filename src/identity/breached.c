#include "identity/breached.h"

#include "base/assert.h"
#include "base/checked.h"

enum { HEX = 2 * RP_BREACHED_HASH, STEPS_MAX = 80, WINDOW = 2 * RP_BREACHED_LINE_MAX };

struct line {
    uint64_t start, end; /* end: where the next one begins */
    uint8_t hash[RP_BREACHED_HASH];
};

static int nibble(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = rp_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One line without its end. */
static rp_err read_line(rp_view text, uint8_t hash[static RP_BREACHED_HASH]) {
    if (text.n > 0 && text.p[text.n - 1] == '\r') {
        text.n--;
    }
    if (text.n < HEX || (text.n > HEX && (text.p[HEX] != ':' || text.n == HEX + 1))) {
        return RP_ERR(CORRUPT);
    }
    for (size_t i = 0; i < RP_BREACHED_HASH; i++) {
        int high = nibble(text.p[2 * i]), low = nibble(text.p[2 * i + 1]);
        if (high < 0 || low < 0) {
            return RP_ERR(CORRUPT);
        }
        hash[i] = (uint8_t)(high << 4 | low);
    }
    for (size_t i = HEX + 1; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return RP_ERR(CORRUPT);
        }
    }
    return RP_OK;
}

/* The line that the byte at `at` belongs to; its own end belongs to it. */
static rp_err line_at(const struct rp_breached *list, uint64_t at, struct line *ret_line) {
    uint8_t bytes[WINDOW];
    uint64_t from = at > RP_BREACHED_LINE_MAX ? at - RP_BREACHED_LINE_MAX : 0;
    size_t n = 0, here = (size_t)(at - from);
    RP_TRY(list->read(list->ctx, from, bytes, sizeof bytes, &n));
    if (here >= n) {
        return RP_ERR(CORRUPT);
    }
    size_t start = here;
    while (start > 0 && bytes[start - 1] != '\n') {
        start--;
    }
    if (start == 0 && from > 0) {
        return RP_ERR(CORRUPT); /* longer than a line can be */
    }
    size_t end = start + rp_view_find_byte(rp_view_of(bytes + start, n - start), '\n');
    bool whole = end < n;
    if ((!whole && from + n < list->size) || end - start > RP_BREACHED_LINE_MAX) {
        return RP_ERR(CORRUPT);
    }
    struct line line = {.start = from + start, .end = from + end + whole};
    RP_TRY(read_line(rp_view_of(bytes + start, end - start), line.hash));
    *ret_line = line;
    return RP_OK;
}

static int compare(const uint8_t a[static RP_BREACHED_HASH],
                   const uint8_t b[static RP_BREACHED_HASH]) {
    return rp_view_compare(rp_view_of(a, RP_BREACHED_HASH), rp_view_of(b, RP_BREACHED_HASH));
}

/* It goes on after it found the line, so that the number of readings tells nothing. */
rp_err rp_breached_find(const struct rp_breached *list, const uint8_t hash[static RP_BREACHED_HASH],
                        bool *ret_found) {
    uint64_t low = 0, high = list->size; /* both begin a line */
    bool found = false;
    for (unsigned steps = 0; low < high; steps++) {
        struct line line;
        if (steps == STEPS_MAX) {
            return RP_ERR(CORRUPT);
        }
        RP_TRY(line_at(list, low + (high - low) / 2, &line));
        if (line.start < low || line.end > high) {
            return RP_ERR(CORRUPT); /* the file changes while we read */
        }
        int order = compare(line.hash, hash);
        found = found || order == 0;
        if (order < 0) {
            low = line.end;
        } else {
            high = line.start;
        }
    }
    *ret_found = found;
    return RP_OK;
}

static rp_err wrong_at(struct rp_diag *diag, uint64_t at, const char *what) {
    return rp_fail(diag, RP_ERR(CORRUPT), "byte %llu: %s", (unsigned long long)at, what);
}

rp_err rp_breached_sample(const struct rp_breached *list, unsigned places, struct rp_diag *diag) {
    RP_ASSERT(list != NULL && places > 0);
    struct line before = {.end = 0};
    for (unsigned i = 0; i <= places && list->size > 0; i++) {
        uint64_t at = i == places ? list->size - 1 : list->size / places * i;
        struct line line;
        if (at < before.end) {
            continue;
        }
        if (!rp_ok(line_at(list, at, &line))) {
            return wrong_at(diag, at, "SHA-1:COUNT?");
        }
        if (i > 0 && compare(before.hash, line.hash) >= 0) {
            return wrong_at(diag, line.start, "not in the order of the hashes");
        }
        before = line;
    }
    return list->size > 0 ? RP_OK : rp_fail(diag, RP_ERR(CORRUPT), "empty");
}
