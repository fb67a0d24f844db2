/* body.h — what the fuzzers of bodies share: a body read in one piece, cut in two, and byte by
 * byte gives the same, and keeps the header's bounds. */
#ifndef RP_TESTS_FUZZ_BODY_H
#define RP_TESTS_FUZZ_BODY_H

#include <stdlib.h>

#include "base/checked.h"
#include "fuzz.h"
#include "shield/body.h"

enum { BODY_ARENA = 32 << 20, BODY_BYTEWISE_MAX = 4096 };

/* Chunks of memory of their own, so that the sanitizer sees the first byte beyond each. */
struct body_chunks {
    uint8_t *p[BODY_BYTEWISE_MAX + 2];
    size_t n;
};

static inline void body_feed(struct body_chunks *chunks, struct rp_body *body, rp_view chunk) {
    if (chunk.n == 0) {
        return;
    }
    uint8_t *copy = malloc(chunk.n);
    RP_ASSERT(copy != NULL);
    memcpy(copy, chunk.p, chunk.n);
    chunks->p[chunks->n++] = copy;
    rp_ignore(rp_body_feed(body, rp_view_of(copy, chunk.n))); /* the end says the same */
}

static inline rp_err body_read(enum rp_body_kind kind, rp_view content_type, rp_view bytes,
                               const struct rp_body_limits *limits, size_t cut, size_t step,
                               struct rp_arena *arena, struct body_chunks *chunks,
                               const struct rp_body_result **ret_result) {
    struct rp_body *body = rp_body_new(kind, content_type, limits, arena);
    chunks->n = 0;
    if (!body) {
        return RP_ERR(TOO_LARGE);
    }
    body_feed(chunks, body, rp_view_sub(bytes, 0, cut));
    rp_view rest = rp_view_from(bytes, cut);
    while (rest.n > 0) {
        rp_view chunk = rp_view_sub(rest, 0, step > 0 ? step : rest.n);
        body_feed(chunks, body, chunk);
        rest = rp_view_from(rest, chunk.n);
    }
    return rp_body_end(body, ret_result);
}

static inline void body_check_pairs(const struct rp_waf_pairs *a, const struct rp_waf_pairs *b) {
    FUZZ_CHECK(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        FUZZ_CHECK(rp_view_equal(a->p[i].name, b->p[i].name));
        FUZZ_CHECK(rp_view_equal(a->p[i].value, b->p[i].value));
        FUZZ_CHECK(a->p[i].offset == b->p[i].offset);
    }
}

static inline void body_check_same(const struct rp_body_result *a, const struct rp_body_result *b) {
    body_check_pairs(&a->arguments, &b->arguments);
    body_check_pairs(&a->files, &b->files);
    body_check_pairs(&a->file_sizes, &b->file_sizes);
    body_check_pairs(&a->part_headers, &b->part_headers);
    body_check_pairs(&a->texts, &b->texts);
    body_check_pairs(&a->attributes, &b->attributes);
    FUZZ_CHECK(rp_view_equal(a->multipart_name, b->multipart_name));
    FUZZ_CHECK(rp_view_equal(a->multipart_filename, b->multipart_filename));
    FUZZ_CHECK(a->files_size == b->files_size && a->multipart == b->multipart);
    FUZZ_CHECK(a->error == b->error && strcmp(a->message, b->message) == 0);
    FUZZ_CHECK(a->urlencoded_error == b->urlencoded_error);
}

static inline void body_check_bounds(const struct rp_body_result *result, rp_view bytes,
                                     const struct rp_body_limits *limits) {
    FUZZ_CHECK(result->arguments.n <= limits->arguments_max);
    FUZZ_CHECK(result->file_sizes.n <= limits->files_max);
    FUZZ_CHECK(result->files_size <= bytes.n);
    FUZZ_CHECK(result->error == (result->message[0] != '\0'));
    for (size_t i = 0; i < result->arguments.n; i++) {
        FUZZ_CHECK(result->arguments.p[i].value.n <= bytes.n);
        FUZZ_CHECK(result->arguments.p[i].offset <= bytes.n);
    }
}

static inline void body_fuzz(enum rp_body_kind kind, rp_view content_type, rp_view bytes,
                             size_t cut) {
    static struct body_chunks whole_chunks, cut_chunks;
    struct rp_body_limits limits = RP_BODY_LIMITS;
    limits.depth_max = 20;
    limits.arguments_max = 50;
    limits.files_max = 3;
    const struct rp_body_result *whole = NULL, *other = NULL;
    struct rp_arena *arena = rp_arena_new(BODY_ARENA);
    bool read = rp_ok(
        body_read(kind, content_type, bytes, &limits, bytes.n, 0, arena, &whole_chunks, &whole));
    if (read) {
        body_check_bounds(whole, bytes, &limits);
    }
    for (int bytewise = 0; read && bytewise < 2; bytewise++) {
        struct rp_arena *second = rp_arena_new(BODY_ARENA);
        size_t step = bytewise && bytes.n <= BODY_BYTEWISE_MAX ? 1 : 0;
        if (rp_ok(body_read(kind, content_type, bytes, &limits, step ? 1 : cut, step, second,
                            &cut_chunks, &other))) {
            body_check_same(whole, other);
        }
        while (cut_chunks.n > 0) {
            free(cut_chunks.p[--cut_chunks.n]);
        }
        rp_arena_free(second);
    }
    while (whole_chunks.n > 0) {
        free(whole_chunks.p[--whole_chunks.n]);
    }
    rp_arena_free(arena);
}

#endif
