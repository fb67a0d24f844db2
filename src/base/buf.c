#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"

struct rp_buf rp_buf_new(size_t max_bytes) {
    RP_ASSERT(max_bytes > 0);
    return (struct rp_buf){.max = max_bytes};
}

struct rp_buf rp_buf_new_wiping(size_t max_bytes) {
    struct rp_buf buf = rp_buf_new(max_bytes);
    buf.wipes = true;
    return buf;
}

/* Bytes that were written and are no longer among the first n: `written` in all. */
static void wipe(const struct rp_buf *buf, size_t written) {
    if (buf->wipes && written > buf->n) {
        explicit_bzero(buf->p + buf->n, written - buf->n);
    }
}

struct rp_buf rp_buf_over(void *bytes, size_t n) {
    RP_ASSERT(bytes != NULL && n > 0);
    return (struct rp_buf){.p = bytes, .capacity = n, .max = n};
}

void rp_buf_done(struct rp_buf *buf) {
    RP_ASSERT(buf != NULL);
    rp_buf_clear(buf);
    free(buf->p);
    *buf = (struct rp_buf){.max = buf->max, .wipes = buf->wipes};
}

/* As realloc, but of a buffer that wipes nothing stays where it was. */
static uint8_t *grow(const struct rp_buf *buf, size_t capacity) {
    if (!buf->wipes) {
        return realloc(buf->p, capacity);
    }
    uint8_t *p = malloc(capacity);
    if (p && buf->p) {
        memcpy(p, buf->p, buf->n);
        explicit_bzero(buf->p, buf->n);
        free(buf->p);
    }
    return p;
}

static bool reserve(struct rp_buf *buf, size_t n) {
    size_t need;
    if (buf->failed || !rp_add(buf->n, n, &need) || need > buf->max) {
        buf->failed = true;
        return false;
    }
    if (need <= buf->capacity) {
        return true;
    }
    size_t doubled = buf->capacity < 128 ? 256 : buf->capacity * 2;
    size_t capacity = RP_MIN(RP_MAX(need, doubled), buf->max);
    uint8_t *p = grow(buf, capacity);
    if (!p) {
        buf->failed = true;
        return false;
    }
    buf->p = p;
    buf->capacity = capacity;
    return true;
}

uint8_t *rp_buf_extend(struct rp_buf *buf, size_t n) {
    RP_ASSERT(buf != NULL);
    if (!reserve(buf, n)) {
        return NULL;
    }
    uint8_t *at = buf->p + buf->n;
    buf->n += n;
    RP_ASSERT(buf->n <= buf->capacity || n == 0);
    return at;
}

void rp_buf_add(struct rp_buf *buf, rp_view v) {
    if (v.n == 0) {
        return;
    }
    uint8_t *at = rp_buf_extend(buf, v.n);
    if (at) {
        memcpy(at, v.p, v.n);
    }
}

void rp_buf_add_cstr(struct rp_buf *buf, const char *s) {
    rp_buf_add(buf, rp_view_from_cstr(s));
}

void rp_buf_add_byte(struct rp_buf *buf, uint8_t byte) {
    rp_buf_add(buf, rp_view_of(&byte, 1));
}

void rp_buf_add_u64(struct rp_buf *buf, uint64_t value) {
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value);
    rp_buf_add(buf, rp_view_of(digits + at, sizeof digits - at));
}

void rp_buf_printf(struct rp_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    RP_ASSERT(n >= 0);
    /* vsnprintf writes a NUL: one byte more, given back at once. */
    uint8_t *at = rp_buf_extend(buf, (size_t)n + 1);
    if (at) {
        vsnprintf((char *)at, (size_t)n + 1, format, again);
        buf->n--;
    }
    va_end(again);
}

void rp_buf_consume(struct rp_buf *buf, size_t n) {
    RP_ASSERT(n <= buf->n);
    if (n == 0) {
        return;
    }
    const size_t written = buf->n;
    memmove(buf->p, buf->p + n, buf->n - n);
    buf->n -= n;
    wipe(buf, written);
}

void rp_buf_clear(struct rp_buf *buf) {
    RP_ASSERT(buf != NULL);
    const size_t written = buf->n;
    buf->n = 0;
    buf->failed = false;
    wipe(buf, written);
}

rp_err rp_buf_err(const struct rp_buf *buf) {
    RP_ASSERT(buf != NULL);
    return buf->failed ? RP_ERR(TOO_LARGE) : RP_OK;
}
