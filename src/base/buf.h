/* buf.h — bytes that grow up to a maximum named at their birth.
 *
 * Every answer, message and file that is put together is put together here. Appending past the
 * maximum sets a sticky failure instead of truncating: the caller checks once, at the end,
 * with rp_buf_err.
 *
 * One that wipes leaves nothing behind of what it held: not when it grows, is cleared, or is done.
 *
 * Owner: the caller; rp_buf_done frees. Threads: one at a time.
 */
#ifndef RP_BASE_BUF_H
#define RP_BASE_BUF_H

#include "base/err.h"

struct rp_buf {
    uint8_t *p;
    size_t n;
    size_t capacity;
    size_t max;
    bool failed;
    bool wipes;
};

struct rp_buf rp_buf_new(size_t max_bytes);        /* allocates nothing yet */
struct rp_buf rp_buf_new_wiping(size_t max_bytes); /* for what people type, and read */
/* Over n bytes of the caller's: for texts whose length is known, where nothing may fail. It never
 * allocates, and rp_buf_done has no business with it. */
struct rp_buf rp_buf_over(void *bytes, size_t n);
void rp_buf_done(struct rp_buf *buf);

void rp_buf_add(struct rp_buf *buf, rp_view v);
void rp_buf_add_cstr(struct rp_buf *buf, const char *s);
void rp_buf_add_byte(struct rp_buf *buf, uint8_t byte);
void rp_buf_add_u64(struct rp_buf *buf, uint64_t value); /* decimal */
void rp_buf_printf(struct rp_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* n writable bytes at the end, NULL (and failed) when they do not fit. */
uint8_t *rp_buf_extend(struct rp_buf *buf, size_t n);
/* Drops the first n bytes. */
void rp_buf_consume(struct rp_buf *buf, size_t n);
void rp_buf_clear(struct rp_buf *buf); /* keeps the memory, forgets the failure */

static inline rp_view rp_buf_view(const struct rp_buf *buf) {
    return rp_view_of(buf->p, buf->n);
}

/* RP_E_TOO_LARGE when anything did not fit. */
rp_err rp_buf_err(const struct rp_buf *buf);

#endif
