/* An export as an import reads it: the same verdict and the same parts whether it comes at once or
 * in crumbs, and whatever a page holds, a line is refused or is what it says. */
#include "gzip.h"
#include "spaces/archive_reader.h"
#include "spaces/import_line.h"

enum { PAGE_MAX = 64 * 1024, ARENA = 8 << 20 };
static const int64_t LATEST_MS = INT64_C(4000000000000);

static void read_line(rp_view text, const struct rp_space_import_part *part,
                      struct rp_arena *arena) {
    struct rp_space_import_line line;
    rp_arena_reset(arena);
    if (rp_space_import_line_parse(text, part, LATEST_MS, arena, &line) != RP_IMPORT_GOOD) {
        return;
    }
    FUZZ_CHECK(line.record.version > 0 && !rp_id_is_none(line.record.id));
    FUZZ_CHECK(line.record.label > RP_LABEL_NONE && line.record.label < RP_LABEL_COUNT);
    FUZZ_CHECK(line.record.changed_ms > 0 && line.record.changed_ms <= LATEST_MS);
    FUZZ_CHECK(line.record.trashed_ms >= 0 && line.record.trashed_ms <= LATEST_MS);
    if (part->kind == RP_IMPORT_FILES) {
        FUZZ_CHECK(line.size <= RP_FILE_MAX && line.name.n > 0 && line.type.n > 0);
    } else {
        FUZZ_CHECK(line.record.document.n > 0 && line.record.document.n <= RP_RECORD_MAX);
    }
}

struct told {
    uint64_t sum;
    bool page;
    struct rp_space_import_part part;
    struct rp_buf lines;
    struct rp_arena *arena;
};

static void tell(struct told *told, const struct rp_untar_step *step) {
    if (step->what == RP_UNTAR_FILE) {
        told->page = rp_space_import_part_parse(step->entry.name, &told->part) &&
                     told->part.kind != RP_IMPORT_BYTES;
        rp_buf_clear(&told->lines);
        told->sum = told->sum * 31 + step->entry.size;
    }
    for (size_t i = 0; i < step->bytes.n; i++) {
        told->sum = told->sum * 31 + step->bytes.p[i];
    }
    if (told->page) {
        rp_buf_add(&told->lines, step->bytes);
    }
    if (step->what == RP_UNTAR_CLOSE && told->page) {
        for (rp_view rest = rp_buf_view(&told->lines); rest.n > 0;) {
            read_line(rp_view_cut(&rest, '\n'), &told->part, told->arena);
        }
    }
}

/* Whether it was whole, with a number for all that it held. */
static bool read_in(const uint8_t *data, size_t n, size_t piece, uint64_t *ret_sum) {
    struct rp_archive_reader *reader = NULL;
    struct told told = {.sum = 1, .lines = rp_buf_new(PAGE_MAX), .arena = rp_arena_new(ARENA)};
    bool good = true, ended = false;
    FUZZ_CHECK(told.arena && rp_ok(rp_archive_reader_new(&reader)));
    for (size_t at = 0; good && at < n; at += piece) {
        rp_view rest = rp_view_of(data + at, at + piece < n ? piece : n - at);
        struct rp_untar_step step = {.what = RP_UNTAR_FILE};
        while (good && step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END) {
            step = (struct rp_untar_step){.what = RP_UNTAR_MORE};
            good = rp_ok(rp_archive_reader_step(reader, &rest, &step, NULL));
            FUZZ_CHECK(!good || step.what != RP_UNTAR_MORE || rest.n == 0);
            if (good) {
                tell(&told, &step);
                ended = step.what == RP_UNTAR_END;
            }
        }
    }
    FUZZ_CHECK(!(good && ended) || rp_archive_reader_manifest(reader) != NULL);
    *ret_sum = told.sum;
    rp_archive_reader_free(reader);
    rp_buf_done(&told.lines);
    rp_arena_free(told.arena);
    return good && ended;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static uint8_t zipped[FUZZ_ZIPPED_MAX];
    uint64_t whole = 0, crumbs = 0;
    rp_view in = fuzz_zipped(data, n, zipped);
    if (!in.p) {
        return 0;
    }
    bool at_once = read_in(in.p, in.n, in.n ? in.n : 1, &whole);
    bool slowly = read_in(in.p, in.n, 7, &crumbs);
    FUZZ_CHECK(at_once == slowly && (!at_once || whole == crumbs));
    return 0;
}
