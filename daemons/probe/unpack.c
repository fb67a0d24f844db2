#include "unpack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "spaces/archive_reader.h"

enum {
    ARENA_BYTES = 64 << 20,
    KEPT_MAX = 2 << 20,
    PARTS_MAX = 65536,
    FOLDER_MAX = RP_TAR_NAME_MAX
};

/* A part of the folder. */
struct part {
    rp_view name, content;
};

struct unpack {
    char folder[FOLDER_MAX];
    struct rp_archive_reader *reader;
    struct rp_arena *arena;
    struct part *parts;
    size_t count;
    bool keeping; /* the part that comes in now is of the folder */
    bool ended;
    struct rp_buf content; /* of that part */
    size_t kept;
};

struct unpack *unpack_new(const char *folder) {
    struct unpack *unpack = calloc(1, sizeof *unpack);
    if (!unpack) {
        return NULL;
    }
    RP_ASSERT(strlen(folder) < sizeof unpack->folder);
    (void)snprintf(unpack->folder, sizeof unpack->folder, "%s", folder);
    unpack->content = rp_buf_new(KEPT_MAX);
    unpack->arena = rp_arena_new(ARENA_BYTES);
    unpack->parts = calloc(PARTS_MAX, sizeof *unpack->parts);
    if (!unpack->arena || !unpack->parts || !rp_ok(rp_archive_reader_new(&unpack->reader))) {
        unpack_free(unpack);
        return NULL;
    }
    return unpack;
}

void unpack_free(struct unpack *unpack) {
    if (!unpack) {
        return;
    }
    rp_archive_reader_free(unpack->reader);
    rp_buf_done(&unpack->content);
    rp_arena_free(unpack->arena);
    free(unpack->parts);
    free(unpack);
}

/* ---- parts ---- */

/* "records/FOLDER/…" and "files/FOLDER/…": what is behind the folder, p == NULL elsewhere. */
static rp_view in_folder(const struct unpack *unpack, rp_view name) {
    rp_view kind = rp_view_cut(&name, '/');
    rp_view folder = rp_view_from_cstr(unpack->folder);
    bool ours =
        (rp_view_equal(kind, RP_VIEW("records")) || rp_view_equal(kind, RP_VIEW("files"))) &&
        rp_view_starts(name, folder) && name.n > folder.n && name.p[folder.n] == '/';
    return ours ? rp_view_from(name, folder.n + 1) : (rp_view){NULL, 0};
}

static rp_err begin(struct unpack *unpack, rp_view name) {
    unpack->keeping = in_folder(unpack, name).p != NULL;
    if (!unpack->keeping) {
        return RP_OK;
    }
    return unpack->count < PARTS_MAX
               ? rp_arena_copy(unpack->arena, name, &unpack->parts[unpack->count].name)
               : RP_ERR(TOO_LARGE);
}

static rp_err add(struct unpack *unpack, rp_view bytes) {
    if (!unpack->keeping) {
        return RP_OK;
    }
    rp_buf_add(&unpack->content, bytes);
    return rp_buf_err(&unpack->content);
}

static rp_err end(struct unpack *unpack) {
    if (!unpack->keeping) {
        return RP_OK;
    }
    unpack->kept += unpack->content.n;
    if (unpack->kept > KEPT_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_arena_copy(unpack->arena, rp_buf_view(&unpack->content),
                         &unpack->parts[unpack->count++].content));
    rp_buf_clear(&unpack->content);
    return RP_OK;
}

rp_err unpack_take(void *ctx, rp_view piece) {
    struct unpack *unpack = ctx;
    for (;;) {
        struct rp_untar_step step;
        RP_TRY(rp_archive_reader_step(unpack->reader, &piece, &step, NULL));
        switch (step.what) {
        case RP_UNTAR_MORE:
            return RP_OK;
        case RP_UNTAR_END:
            unpack->ended = true;
            return RP_OK;
        case RP_UNTAR_FILE:
            RP_TRY(begin(unpack, step.entry.name));
            break;
        case RP_UNTAR_BYTES:
            RP_TRY(add(unpack, step.bytes));
            break;
        case RP_UNTAR_CLOSE:
            RP_TRY(end(unpack));
            break;
        }
    }
}

/* ---- the end, and what was kept ---- */

rp_err unpack_end(struct unpack *unpack) {
    return unpack->ended ? RP_OK : RP_ERR(CORRUPT);
}

uint64_t unpack_records(const struct unpack *unpack) {
    const struct rp_manifest *manifest = rp_archive_reader_manifest(unpack->reader);
    return manifest ? manifest->records : 0;
}

const struct rp_json *unpack_line(struct unpack *unpack, rp_id id) {
    struct rp_id_text hex = rp_id_print(id);
    for (size_t i = 0; i < unpack->count; i++) {
        const struct part *part = &unpack->parts[i];
        rp_view rest = part->content;
        if (!rp_view_ends(part->name, RP_VIEW(".jsonl"))) {
            continue;
        }
        while (rest.n > 0) {
            rp_view line = rp_view_cut(&rest, '\n');
            struct rp_json *said = NULL;
            if (line.n > 0 &&
                rp_ok(rp_json_parse(line, RP_JSON_LIMITS, unpack->arena, &said, NULL)) &&
                rp_view_equal(rp_json_get_string(said, "id"), rp_view_of(hex.s, RP_ID_TEXT))) {
                return said;
            }
        }
    }
    return NULL;
}

rp_view unpack_file(const struct unpack *unpack, rp_id id) {
    struct rp_id_text hex = rp_id_print(id);
    for (size_t i = 0; i < unpack->count; i++) {
        if (rp_view_equal(in_folder(unpack, unpack->parts[i].name),
                          rp_view_of(hex.s, RP_ID_TEXT))) {
            return unpack->parts[i].content;
        }
    }
    return (rp_view){NULL, 0};
}
