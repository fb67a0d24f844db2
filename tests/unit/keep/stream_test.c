/* Chunks: what goes in comes out, of any size; what is altered, moved, left out or added does not.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "keep/reader_io.h"
#include "keep/writer_io.h"
#include "os/batch.h"
#include "os/file.h"

static struct unit_world world = {.now_ns = 1};
static const char head[] = "the head that chunks are bound to";

struct place {
    struct rp_env env;
    struct rp_secret *key;
    char *folder;
    char path[256];
    int fd;
};

static void start(struct place *p) {
    *p = (struct place){.env = unit_env(&world), .folder = unit_dir_new(), .fd = -1};
    snprintf(p->path, sizeof p->path, "%s/backup", p->folder);
    assert_ok(rp_crypto_start());
    assert_ok(rp_secret_new_random(&p->env, RP_AEAD_KEY, &p->key));
    assert_ok(rp_file_open_rw(p->path, 0600, &p->fd));
}

static void finish(struct place *p) {
    rp_fd_done(&p->fd);
    rp_secret_free(p->key);
    unit_dir_remove(p->folder);
}

static uint8_t byte_at(size_t i, bool random) {
    return random ? (uint8_t)((i * 2654435761u) >> 13) ^ (uint8_t)(i >> 7) : (uint8_t)(i / 1000);
}

static void write_bytes(struct place *p, size_t n, bool random, size_t piece) {
    struct rp_keep_writer *writer = NULL;
    uint8_t *bytes = malloc(n + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = byte_at(i, random);
    }
    assert_ok(rp_keep_writer_new(&p->env, p->fd, RP_VIEW("the head that chunks are bound to"),
                                 p->key, &writer));
    for (size_t at = 0; at < n; at += piece) {
        assert_ok(rp_keep_write(writer, rp_view_of(bytes + at, at + piece < n ? piece : n - at)));
    }
    assert_ok(rp_keep_writer_end(writer));
    uint64_t size = 0;
    assert_ok(rp_file_size(p->fd, &size));
    assert_int_equal(size, rp_keep_writer_bytes(writer));
    rp_keep_writer_free(writer);
    free(bytes);
}

/* All of it, or the first error. */
static rp_err read_all(struct place *p, size_t *ret_n, bool random, struct rp_diag *diag) {
    struct rp_keep_reader *reader = NULL;
    rp_view bytes = {NULL, 0};
    *ret_n = 0;
    RP_TRY(
        rp_keep_reader_new(p->fd, RP_VIEW("the head that chunks are bound to"), p->key, &reader));
    rp_err err = rp_keep_read(reader, &bytes, diag);
    while (rp_ok(err) && bytes.n > 0) {
        for (size_t i = 0; i < bytes.n; i++) {
            assert_int_equal(bytes.p[i], byte_at(*ret_n + i, random));
        }
        *ret_n += bytes.n;
        err = rp_keep_read(reader, &bytes, diag);
    }
    rp_keep_reader_free(reader);
    return err;
}

static void any_size_comes_back(void **state) {
    static const size_t sizes[] = {
        0, 1, 511, RP_KEEP_CHUNK - 1, RP_KEEP_CHUNK, RP_KEEP_CHUNK + 1, 3 * RP_KEEP_CHUNK + 17};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int random = 0; random < 2; random++) {
            struct place p;
            size_t n = 0;
            uint64_t size = 0;
            start(&p);
            write_bytes(&p, sizes[i], random, 8191);
            assert_ok(read_all(&p, &n, random, NULL));
            assert_int_equal(n, sizes[i]);
            assert_ok(rp_file_size(p.fd, &size));
            /* What shrinks does; what does not costs next to nothing. */
            assert_true(random ? size <= sizes[i] + sizes[i] / 500 + 200
                               : size <= sizes[i] / 50 + 200);
            finish(&p);
        }
    }
}

/* In place: flips one byte, reads, and flips it back. */
static void assert_noticed(struct place *p, uint64_t at) {
    uint8_t byte;
    size_t n;
    struct rp_diag diag = {0};
    assert_ok(rp_file_read_at(p->fd, at, &byte, 1));
    byte ^= 0x10;
    assert_ok(rp_file_write_at(p->fd, at, rp_view_of(&byte, 1)));
    assert_err(read_all(p, &n, true, &diag), CORRUPT);
    assert_non_null(strstr(diag.text, "chunk"));
    byte ^= 0x10;
    assert_ok(rp_file_write_at(p->fd, at, rp_view_of(&byte, 1)));
}

static void every_kind_of_damage_is_noticed(void **state) {
    struct place p;
    uint64_t size = 0;
    size_t n = 0;
    const uint64_t begin = sizeof head - 1;
    (void)state;
    start(&p);
    write_bytes(&p, 2 * RP_KEEP_CHUNK + 9, true, 65536);
    assert_ok(rp_file_size(p.fd, &size));
    for (uint64_t at = begin; at < begin + 64; at++) {
        assert_noticed(&p, at);
    }
    for (uint64_t at = begin + 64; at < size; at += 99991) {
        assert_noticed(&p, at);
    }
    assert_noticed(&p, size - 1);
    assert_ok(read_all(&p, &n, true, NULL));
    /* Ends that are missing: in the middle of a chunk, behind one, all of it. */
    uint8_t frame[4];
    assert_ok(rp_file_read_at(p.fd, begin, frame, sizeof frame));
    uint64_t second = begin + 5 + ((uint64_t)frame[1] << 16 | (uint64_t)frame[2] << 8 | frame[3]);
    const uint64_t ends[] = {size - 1, size - 20, second + 3, second, begin + 2, begin};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        assert_ok(rp_file_cut(p.fd, ends[i]));
        assert_err(read_all(&p, &n, true, NULL), CORRUPT);
    }
    finish(&p);
}

/* A chunk with its frame. */
static rp_view frame_at(const uint8_t *at) {
    size_t n = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return rp_view_of(at, n + 5);
}

static void chunks_do_not_change_places_or_backups(void **state) {
    struct place p;
    size_t n = 0;
    uint64_t size = 0;
    (void)state;
    start(&p);
    write_bytes(&p, 3 * RP_KEEP_CHUNK, true, 65536);
    assert_ok(rp_file_size(p.fd, &size));
    /* Three chunks: the first two exchanged. */
    uint8_t *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    assert_ok(rp_file_read_at(p.fd, 0, bytes, (size_t)size));
    const size_t begin = sizeof head - 1;
    rp_view first = frame_at(bytes + begin), second = frame_at(bytes + begin + first.n);
    rp_view third = frame_at(bytes + begin + first.n + second.n);
    assert_int_equal(begin + first.n + second.n + third.n, size);
    assert_ok(rp_file_write_at(p.fd, begin, second));
    assert_ok(rp_file_write_at(p.fd, begin + second.n, first));
    assert_err(read_all(&p, &n, true, NULL), CORRUPT);
    /* The second left out. */
    assert_ok(rp_file_cut(p.fd, begin));
    assert_ok(rp_file_write_at(p.fd, begin, first));
    assert_ok(rp_file_write_at(p.fd, begin + first.n, third));
    assert_err(read_all(&p, &n, true, NULL), CORRUPT);
    /* As it was, but under another head. */
    assert_ok(rp_file_write_at(p.fd, 0, rp_view_of(bytes, (size_t)size)));
    assert_ok(read_all(&p, &n, true, NULL));
    struct rp_keep_reader *reader = NULL;
    rp_view view;
    assert_ok(
        rp_keep_reader_new(p.fd, RP_VIEW("the head that chunks are bounded to"), p.key, &reader));
    assert_err(rp_keep_read(reader, &view, NULL), CORRUPT);
    rp_keep_reader_free(reader);
    free(bytes);
    finish(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_size_comes_back),
        cmocka_unit_test(every_kind_of_damage_is_noticed),
        cmocka_unit_test(chunks_do_not_change_places_or_backups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
