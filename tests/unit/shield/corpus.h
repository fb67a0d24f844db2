/* corpus.h — the values of the Core Rule Set's own tests, and what mutations make of them.
 *
 * Each line as it stands, what follows its key, and that with its URL encoding off; sorted, none
 * twice. Everything lies in the arena.
 */
#ifndef RP_TESTS_SHIELD_CORPUS_H
#define RP_TESTS_SHIELD_CORPUS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "shield/transform.h"
#include "soup.h"
#include "unit.h"

enum { CORPUS_VALUES_MAX = 60000 };

struct corpus {
    struct rp_arena *arena;
    rp_view *values;
    size_t count;
};

static inline void corpus_add(struct corpus *c, rp_view text) {
    if (text.n >= 2 && c->count < CORPUS_VALUES_MAX) {
        c->values[c->count++] = text;
    }
}

static inline void corpus_add_line(struct corpus *c, rp_view line) {
    line = rp_view_trim(line);
    rp_view value = line;
    rp_view key = rp_view_cut(&value, ':');
    value = value.p != NULL ? rp_view_trim(value) : key;
    if (value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'')) {
        value = rp_view_sub(value, 1, value.n - 2);
    }
    rp_view decoded = {0};
    assert_ok(rp_transform_apply(RP_T_URL_DECODE_UNI, value, NULL, c->arena, &decoded));
    corpus_add(c, value);
    if (!rp_view_equal(decoded, value)) {
        corpus_add(c, decoded);
    }
}

static inline void corpus_add_file(struct corpus *c, const char *path) {
    size_t n = 0;
    uint8_t *bytes = unit_file(path, &n);
    rp_view rest = {0};
    assert_ok(rp_arena_copy(c->arena, rp_view_of(bytes, n), &rest));
    test_free(bytes);
    while (rest.p != NULL) {
        corpus_add_line(c, rp_view_cut(&rest, '\n'));
    }
}

static inline void corpus_add_folder(struct corpus *c, const char *path, unsigned depth) {
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char name[4096];
        struct stat at;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(name, &at) != 0) {
            continue;
        }
        if (S_ISDIR(at.st_mode) && depth < 4) {
            corpus_add_folder(c, name, depth + 1);
        } else if (S_ISREG(at.st_mode)) {
            corpus_add_file(c, name);
        }
    }
    closedir(folder);
}

static inline int corpus_by_bytes(const void *a, const void *b) {
    return rp_view_compare(*(const rp_view *)a, *(const rp_view *)b);
}

static inline struct corpus corpus_read(const char *path, struct rp_arena *arena) {
    struct corpus c = {arena, rp_arena_array(arena, CORPUS_VALUES_MAX, sizeof(rp_view)), 0};
    assert_non_null(c.values);
    corpus_add_folder(&c, path, 0);
    qsort(c.values, c.count, sizeof *c.values, corpus_by_bytes);
    size_t kept = 0;
    for (size_t i = 0; i < c.count; i++) {
        if (kept == 0 || !rp_view_equal(c.values[kept - 1], c.values[i])) {
            c.values[kept++] = c.values[i];
        }
    }
    c.count = kept;
    return c;
}

/* Two values cut and put together, and a byte changed. */
static inline rp_view corpus_mutated(const struct corpus *c, uint64_t *seed, uint8_t *bytes,
                                     size_t room) {
    rp_view a = c->values[soup_next(seed) % c->count];
    rp_view b = c->values[soup_next(seed) % c->count];
    size_t cut = soup_next(seed) % (a.n + 1);
    a = rp_view_sub(a, 0, RP_MIN(cut, room / 2));
    b = rp_view_sub(rp_view_from(b, soup_next(seed) % b.n), 0, room / 2);
    memcpy(bytes, a.p, a.n);
    memcpy(bytes + a.n, b.p, b.n);
    size_t n = a.n + b.n;
    bytes[soup_next(seed) % n] ^= (uint8_t)(soup_next(seed) % 2 == 0 ? 0x20 : 1);
    return rp_view_of(bytes, n);
}

#endif
