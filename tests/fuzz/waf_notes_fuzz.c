/* Any bytes as the firewall's tables: exclusions, checksum mended, are refused or applied without
 * harm; notes of a worker that went mad are notes in their bounds, or none. Any path has a shape
 * that fits it, or none. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "fuzz.h"
#include "shield/exclusions.h"
#include "shield/model.h"
#include "shield/notes.h"
#include "shield/path_shape.h"
#include "shield/sample.h"
#include "shield/sent.h"

static void as_exclusions(rp_view bytes) {
    struct rp_exclusion_table *table = calloc(1, sizeof *table);
    RP_ASSERT(table != NULL);
    rp_exclusions_init(table);
    memcpy(table->rows, bytes.p, bytes.n < sizeof table->rows ? bytes.n : sizeof table->rows);
    table->count = bytes.n > 0 ? bytes.p[0] % 4 : 0;
    rp_exclusions_seal(table);
    struct rp_arena *arena = rp_arena_new(1 << 16);
    const struct rp_waf_ctl *ctls = NULL;
    size_t count = 0;
    if (rp_ok(rp_exclusions_check(table, sizeof *table))) {
        for (size_t i = 0; i < table->count; i++) {
            struct rp_exclusion one = rp_exclusions_at(table, i);
            FUZZ_CHECK(one.rule > 0 && one.app.n > 0 && rp_path_shape_is_good(one.path));
            FUZZ_CHECK(rp_ok(rp_exclusions_for(table, one.app, one.path, arena, &ctls, &count)));
            FUZZ_CHECK(count >= 1 || rp_view_find(one.path, RP_VIEW("//")) < one.path.n);
        }
    }
    rp_arena_free(arena);
    free(table);
}

static void as_notes(rp_view bytes) {
    static const uint8_t salt[RP_NOTES_SALT] = {1};
    uint8_t *table = calloc(1, rp_notes_bytes());
    RP_ASSERT(table != NULL);
    rp_notes_init(table, salt);
    memcpy(table + 64, bytes.p, bytes.n);
    struct rp_note note, other;
    struct rp_sent sent;
    for (size_t i = 0; i < 4; i++) {
        if (rp_notes_get(table, i, 0, &note)) {
            FUZZ_CHECK(rp_note_path(&note).n <= sizeof note.path &&
                       rp_note_name(&note).n <= sizeof note.name);
            other = note;
            rp_note_merge(&note, &other);
            FUZZ_CHECK(note.people <= RP_NOTE_PEOPLE);
        }
    }
    memset(table + 64, 0, bytes.n); /* and the same bytes as rows of what was sent */
    size_t rows = rp_notes_bytes() - RP_SENT_ROWS * (sizeof(struct rp_sent) + sizeof(uint64_t)) -
                  RP_NOTES_ALARMS * sizeof(uint64_t);
    memcpy(table + rows, bytes.p, bytes.n);
    for (size_t i = 0; i < 4; i++) {
        if (rp_sent_get(table, i, 0, &sent)) {
            FUZZ_CHECK(sent.name_len <= sizeof sent.name &&
                       rp_path_shape_is_good(rp_sent_path(&sent)));
        }
    }
    free(table);
}

/* Any rows of what was sent, cut out of the bytes: whatever they say is a file of OpenAPI that is
 * read, or one without paths. */
static void as_sent(rp_view bytes) {
    static const uint8_t salt[RP_NOTES_SALT] = {1};
    static const char *const methods[] = {"GET", "POST", "ODD"};
    struct rp_sent *rows = calloc(RP_SENT_ROWS, sizeof *rows);
    uint8_t *table = calloc(1, rp_notes_bytes());
    RP_ASSERT(rows != NULL && table != NULL);
    rp_notes_init(table, salt);
    while (bytes.n >= 4) {
        uint8_t what = bytes.p[0], length = bytes.p[1], value = bytes.p[2];
        rp_view rest = rp_view_from(bytes, 3), name = rp_view_sub(rest, 0, length % 24);
        uint8_t way[RP_NOTE_NAME_MAX];
        size_t n = 0;
        struct rp_sent_seen seen = {.place = what % RP_SENT_PLACE_COUNT,
                                    .app = RP_VIEW("app"),
                                    .method = rp_view_from_cstr(methods[what / 8 % 3]),
                                    .path = what & 64 ? RP_VIEW("/a/*/b") : RP_VIEW("/a"),
                                    .name = name,
                                    .value = rp_view_from(rest, name.n)};
        if (seen.place == RP_SENT_JSON && rp_sent_json_name(name, way, &n)) {
            seen.name = rp_view_of(way, n);
        }
        if (seen.place == RP_SENT_SEGMENT) {
            seen.name = RP_VIEW("1");
        } else if (seen.place == RP_SENT_REQUEST) {
            seen.name = RP_VIEW("");
        } else if (seen.place == RP_SENT_TYPE && value & 1) {
            seen.name = RP_VIEW("application/json");
        }
        rp_sent_see(table, &seen);
        bytes = rp_view_from(rest, name.n);
    }
    struct rp_sent_all all = {.rows = rows};
    for (size_t i = 0; i < RP_SENT_ROWS; i++) {
        all.count += rp_sent_get(table, i, 0, &rows[all.count]);
    }
    struct rp_buf text = rp_buf_new(1 << 20);
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_model *model = NULL;
    struct rp_diag diag = {0};
    RP_ASSERT(arena != NULL);
    if (rp_ok(rp_sent_model(&all, RP_VIEW("app"), (struct rp_sent_least){1, 1}, RP_EN, &text)) &&
        rp_view_find(rp_buf_view(&text), RP_VIEW("\n  '/")) < text.n) {
        FUZZ_CHECK(rp_ok(rp_model_read(rp_buf_view(&text), arena, &model, &diag)));
        rp_model_done(model);
    }
    rp_arena_free(arena);
    rp_buf_done(&text);
    free(table);
    free(rows);
}

static void as_text(rp_view text) {
    uint8_t shape[RP_PATH_SHAPE_MAX], sample[RP_SAMPLE_MAX];
    size_t n = 0;
    if (rp_path_shape(text, shape, &n)) {
        FUZZ_CHECK(n <= sizeof shape && rp_path_shape_is_good(rp_view_of(shape, n)));
        FUZZ_CHECK(rp_path_shape_fits(rp_view_of(shape, n), text));
    }
    for (unsigned label = 0; label < RP_SAMPLE_LABEL_COUNT; label++) {
        n = rp_sample(text, (enum rp_sample_label)label, sample);
        FUZZ_CHECK(n <= sizeof sample);
        for (size_t i = 0; i < n; i++) {
            FUZZ_CHECK(sample[i] >= ' ' && sample[i] < 0x7f);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view bytes = rp_view_of(data, n < 4096 ? n : 4096);
    if (bytes.n > 0) {
        as_exclusions(bytes);
        as_notes(bytes);
        as_text(bytes);
        as_sent(bytes);
    }
    return 0;
}
