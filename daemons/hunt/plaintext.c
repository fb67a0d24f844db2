/* plaintext.c — the hunt for planted plaintext, in every file that a thief of the disk would get,
 * and in every row of a PostgreSQL where that is the store.
 *
 * The outside probe plants markers through the API: 32 hexadecimal digits that stand nowhere else
 * in the world. The canaries' addresses and one-time-code seeds are hunted too. A needle counts as
 * it is, in base64 at each of its three alignments, and in UTF-16. One pass a file, whatever the
 * number of needles.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "os/file.h"
#include "promise/canary.h"
#include "store/inspect.h"
#include "wire/encode.h"

enum {
    NEEDLES_MAX = 2048,
    MARKERS_MAX = 200, /* the newest */
    MARKER_TEXT = 32,
    PLANTED_MAX = 1 << 20,
    CHUNK = 1 << 20,
    HEAD = 8, /* bytes of a needle that the filter looks at */
    FILTER_BITS = 16,
    NEEDLE_TEXT = 512
};

struct hunting {
    struct rp_observation *seen;
    struct rp_arena *arena;
    rp_view needles[NEEDLES_MAX];
    size_t needle_count, markers;
    uint16_t first_of[1 << FILTER_BITS]; /* needle + 1 that begins with these bytes, chained */
    uint16_t next_of[NEEDLES_MAX];
    uint8_t *chunk;
    uint64_t files, rows, bytes;
    bool concluded;
};

static uint32_t filter_of(const uint8_t *p) {
    uint64_t head;
    memcpy(&head, p, sizeof head);
    return (uint32_t)((head * 0x9e3779b97f4a7c15u) >> (64 - FILTER_BITS));
}

static void add_exact(struct hunting *hunting, rp_view needle) {
    rp_view kept;
    if (hunting->needle_count == NEEDLES_MAX || needle.n < HEAD || needle.n > NEEDLE_TEXT ||
        !rp_ok(rp_arena_copy(hunting->arena, needle, &kept))) {
        return;
    }
    size_t i = hunting->needle_count++;
    uint32_t slot = filter_of(kept.p);
    hunting->needles[i] = kept;
    hunting->next_of[i] = hunting->first_of[slot];
    hunting->first_of[slot] = (uint16_t)(i + 1);
}

/* base64 of the needle after 0, 1 or 2 other bytes, without the digits that those bytes touch. */
static void add_base64(struct hunting *hunting, rp_view needle) {
    static const size_t touched[] = {0, 2, 3};
    for (size_t shift = 0; shift < 3; shift++) {
        struct rp_buf bytes = rp_buf_new(NEEDLE_TEXT), text = rp_buf_new(2 * NEEDLE_TEXT);
        rp_buf_add(&bytes, rp_view_sub(RP_VIEW("xx"), 0, shift));
        rp_buf_add(&bytes, needle);
        /* Only whole groups of three: the last digits depend on what follows. */
        rp_base64_print(&text, rp_view_sub(rp_buf_view(&bytes), 0, bytes.n / 3 * 3));
        add_exact(hunting, rp_view_from(rp_buf_view(&text), touched[shift]));
        rp_buf_done(&bytes);
        rp_buf_done(&text);
    }
}

static void add_utf16(struct hunting *hunting, rp_view needle) {
    struct rp_buf wide = rp_buf_new(2 * NEEDLE_TEXT);
    for (size_t i = 0; i < needle.n; i++) {
        rp_buf_add_byte(&wide, needle.p[i]);
        rp_buf_add_byte(&wide, 0);
    }
    add_exact(hunting, rp_buf_view(&wide));
    rp_buf_done(&wide);
}

static void add_needle(struct hunting *hunting, rp_view needle) {
    add_exact(hunting, needle);
    add_base64(hunting, needle);
    add_utf16(hunting, needle);
}

static rp_err add_markers(struct hunting *hunting) {
    rp_view text = {NULL, 0};
    RP_TRY(rp_file_read("probe/planted", PLANTED_MAX, hunting->arena, &text));
    size_t line = MARKER_TEXT + 1;
    size_t count = RP_MIN(text.n / line, (size_t)MARKERS_MAX);
    rp_view newest = rp_view_from(text, text.n - count * line);
    for (size_t i = 0; i < count; i++) {
        add_needle(hunting, rp_view_sub(newest, i * line, MARKER_TEXT));
        hunting->markers++;
    }
    return hunting->markers ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err add_personal_data(struct hunting *hunting) {
    rp_view text = {NULL, 0};
    struct rp_canaries canaries;
    RP_TRY(rp_file_read("canary/credentials.json", 65536, hunting->arena, &text));
    RP_TRY(rp_canaries_parse(text, hunting->arena, &canaries));
    for (size_t i = 0; i < RP_CANARIES; i++) {
        add_needle(hunting, rp_view_from_cstr(canaries.people[i].email));
        add_needle(hunting, rp_view_from_cstr(canaries.people[i].seed));
        add_needle(hunting, rp_view_from_cstr(canaries.people[i].password));
    }
    return RP_OK;
}

/* The needle that stands at p, if one does. */
static bool needle_at(const struct hunting *hunting, const uint8_t *p, size_t left) {
    for (uint16_t i = hunting->first_of[filter_of(p)]; i; i = hunting->next_of[i - 1]) {
        rp_view needle = hunting->needles[i - 1];
        if (needle.n <= left && rp_view_equal(rp_view_of(p, needle.n), needle)) {
            return true;
        }
    }
    return false;
}

static bool search(const struct hunting *hunting, const uint8_t *p, size_t n) {
    for (size_t i = 0; i + HEAD <= n; i++) {
        if (needle_at(hunting, p + i, n - i)) {
            return true;
        }
    }
    return false;
}

/* Chunks overlap by the longest needle. */
static bool hunt_file(void *ctx, const char *path) {
    struct hunting *hunting = ctx;
    _cleanup_fd_ int fd = -1;
    uint64_t size = 0;
    rp_err err = rp_file_open(path, &fd);
    if (rp_ok(err)) {
        err = rp_file_size(fd, &size);
    }
    if (rp_is(err, RP_E_NOT_FOUND) || strcmp(path, "ledger/key") == 0) {
        return true; /* it went away while we walked; the log's own key is nobody's to read */
    }
    for (uint64_t at = 0; rp_ok(err) && at < size; at += CHUNK - 2 * NEEDLE_TEXT) {
        size_t n = (size_t)RP_MIN((uint64_t)CHUNK, size - at);
        err = rp_file_read_at(fd, at, hunting->chunk, n);
        if (rp_ok(err) && search(hunting, hunting->chunk, n)) {
            hunting->concluded = true;
            rp_probe_broken(hunting->seen, "planted plaintext stands in %.120s", path);
            return false;
        }
    }
    if (!rp_ok(err) && !rp_is(err, RP_E_CORRUPT)) { /* CORRUPT: it shrank while we read */
        hunting->concluded = true;
        rp_probe_unsure(hunting->seen, "%.120s cannot be read: %s", path, rp_err_text(err, RP_EN));
        return false;
    }
    hunting->files++;
    hunting->bytes += size;
    return true;
}

/* Where customers' data could lie. Not canary/ and probe/planted, where the needles are kept. */
static void hunt_everywhere(struct hunting *hunting) {
    static const char *const folders[] = {"db", "tenants", "ledger", "log", "apps"};
    for (size_t i = 0; i < RP_COUNT_OF(folders) && !hunting->concluded; i++) {
        rp_err err = hunt_each_file(folders[i], hunt_file, hunting);
        if (!rp_ok(err)) {
            hunting->concluded = true;
            rp_probe_unsure(hunting->seen, "%s cannot be walked: %s", folders[i],
                            rp_err_text(err, RP_EN));
        }
    }
}

static bool hunt_value(void *ctx, const struct rp_stored *one) {
    struct hunting *hunting = ctx;
    if (search(hunting, one->bytes.p, one->bytes.n)) {
        hunting->concluded = true;
        rp_probe_broken(hunting->seen, "planted plaintext stands in %.120s", one->table);
        return false;
    }
    hunting->bytes += one->bytes.n;
    return true;
}

/* What PostgreSQL's own files hold besides, its log and the space of deleted rows, is not ours to
 * read. */
static void hunt_rows(const char *store, struct hunting *hunting) {
    rp_err err = rp_inspect_each_value(store, hunt_value, hunting, &hunting->rows);
    if (!rp_ok(err)) {
        hunting->concluded = true;
        rp_probe_unsure(hunting->seen, "PostgreSQL's rows cannot be read (role USER_reader): %s",
                        rp_err_text(err, RP_EN));
    }
}

static void conclude(const struct hunting *hunting) {
    unsigned long long files = hunting->files, rows = hunting->rows, bytes = hunting->bytes;
    if (rows > 0) {
        rp_probe_holds(hunting->seen,
                       "%zu planted texts and the canaries' addresses, passwords and seeds: none "
                       "found in %llu files and %llu rows of PostgreSQL, %llu bytes",
                       hunting->markers, files, rows, bytes);
    } else {
        rp_probe_holds(hunting->seen,
                       "%zu planted texts and the canaries' addresses, passwords and seeds: none "
                       "found in %llu files, %llu bytes",
                       hunting->markers, files, bytes);
    }
}

/*= S82: sensitive data at rest is encrypted; what was planted is nowhere to be read. */
void hunt_plaintext(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct hunting *hunting = calloc(1, sizeof *hunting);
    if (hunting) {
        hunting->seen = seen;
        hunting->arena = rp_arena_new(8 << 20);
        hunting->chunk = malloc(CHUNK);
    }
    if (!hunting || !hunting->arena || !hunting->chunk) {
        rp_probe_unsure(seen, "out of memory");
    } else if (!rp_ok(add_markers(hunting)) || !rp_ok(add_personal_data(hunting))) {
        rp_probe_unsure(seen, "nothing has been planted yet");
    } else {
        hunt_everywhere(hunting);
        if (!hunting->concluded) {
            hunt_rows(hunt->config->store, hunting);
        }
        if (!hunting->concluded) {
            conclude(hunting);
        }
    }
    if (hunting) {
        rp_arena_free(hunting->arena);
        free(hunting->chunk);
    }
    free(hunting);
}
