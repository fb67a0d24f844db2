#include "unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "wire/untar.h"

enum {
    OUT_BYTES = 64 * 1024,
    ARENA_BYTES = 64 << 20,
    KEPT_MAX = 2 << 20,
    MANIFEST_MAX = 16 << 20,
    PARTS_MAX = 65536,
    GZIP_WINDOW = 15 + 16,
    FOLDER_MAX = RP_TAR_NAME_MAX
};

struct part {
    rp_view name, content; /* content: of the folder's parts and the manifest only */
    uint64_t bytes;
    struct rp_sha256 digest;
};

struct unpack {
    char folder[FOLDER_MAX];
    z_stream zip;
    bool zipping, zip_ended;
    uint8_t out[OUT_BYTES];
    struct rp_untar tar;
    struct rp_arena *arena;
    struct part *parts;
    size_t count;
    struct rp_sha256_stream *sha; /* of the part that comes in now */
    struct rp_buf content;
    size_t kept;
    uint64_t records;
};

struct unpack *unpack_new(const char *folder) {
    struct unpack *unpack = calloc(1, sizeof *unpack);
    if (!unpack) {
        return NULL;
    }
    RP_ASSERT(strlen(folder) < sizeof unpack->folder);
    (void)snprintf(unpack->folder, sizeof unpack->folder, "%s", folder);
    unpack->content = rp_buf_new(MANIFEST_MAX);
    unpack->arena = rp_arena_new(ARENA_BYTES);
    unpack->parts = calloc(PARTS_MAX, sizeof *unpack->parts);
    unpack->zipping = inflateInit2(&unpack->zip, GZIP_WINDOW) == Z_OK;
    if (!unpack->arena || !unpack->parts || !unpack->zipping) {
        unpack_free(unpack);
        return NULL;
    }
    return unpack;
}

void unpack_free(struct unpack *unpack) {
    if (!unpack) {
        return;
    }
    if (unpack->zipping) {
        (void)inflateEnd(&unpack->zip);
    }
    rp_sha256_stream_free(unpack->sha);
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

static bool is_kept(const struct unpack *unpack, rp_view name) {
    return in_folder(unpack, name).p || rp_view_equal(name, RP_VIEW("manifest.json"));
}

static rp_err begin(struct unpack *unpack, const struct rp_tar_entry *entry) {
    if (unpack->count == PARTS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct part *part = &unpack->parts[unpack->count];
    part->bytes = entry->size;
    RP_TRY(rp_arena_copy(unpack->arena, entry->name, &part->name));
    return rp_sha256_stream_new(&unpack->sha);
}

static rp_err add(struct unpack *unpack, rp_view bytes) {
    rp_sha256_stream_add(unpack->sha, bytes);
    if (!is_kept(unpack, unpack->parts[unpack->count].name)) {
        return RP_OK;
    }
    rp_buf_add(&unpack->content, bytes);
    return rp_buf_err(&unpack->content);
}

static rp_err end(struct unpack *unpack) {
    struct part *part = &unpack->parts[unpack->count];
    part->digest = rp_sha256_stream_end(unpack->sha);
    rp_sha256_stream_free(unpack->sha);
    unpack->sha = NULL;
    if (is_kept(unpack, part->name)) {
        unpack->kept += in_folder(unpack, part->name).p ? unpack->content.n : 0;
        if (unpack->kept > KEPT_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(rp_arena_copy(unpack->arena, rp_buf_view(&unpack->content), &part->content));
        rp_buf_clear(&unpack->content);
    }
    unpack->count++;
    return RP_OK;
}

static rp_err untar(struct unpack *unpack, rp_view bytes) {
    for (;;) {
        struct rp_untar_step step;
        RP_TRY(rp_untar_step(&unpack->tar, &bytes, &step));
        switch (step.what) {
        case RP_UNTAR_MORE:
        case RP_UNTAR_END:
            return RP_OK;
        case RP_UNTAR_FILE:
            RP_TRY(begin(unpack, &step.entry));
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

rp_err unpack_take(void *ctx, rp_view piece) {
    struct unpack *unpack = ctx;
    unpack->zip.next_in = (Bytef *)(uintptr_t)piece.p;
    unpack->zip.avail_in = (uInt)piece.n;
    do {
        if (unpack->zip_ended) {
            return unpack->zip.avail_in == 0 ? RP_OK : RP_ERR(CORRUPT);
        }
        unpack->zip.next_out = unpack->out;
        unpack->zip.avail_out = OUT_BYTES;
        int result = inflate(&unpack->zip, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            return RP_ERR(CORRUPT);
        }
        unpack->zip_ended = result == Z_STREAM_END;
        RP_TRY(untar(unpack, rp_view_of(unpack->out, OUT_BYTES - unpack->zip.avail_out)));
    } while (unpack->zip.avail_in > 0 || unpack->zip.avail_out == 0);
    return RP_OK;
}

/* ---- the end ---- */

static bool is_as_said(const struct part *part, const struct rp_json *said) {
    char hex[2 * RP_SHA256];
    uint64_t bytes = 0;
    rp_hex_print(rp_view_of(part->digest.b, RP_SHA256), hex);
    return rp_view_equal(rp_json_get_string(said, "name"), part->name) &&
           rp_view_equal(rp_json_get_string(said, "sha256"), rp_view_of(hex, sizeof hex)) &&
           rp_json_get_u64(said, "bytes", &bytes) && bytes == part->bytes;
}

/* The manifest names the parts in their order, and comes last. */
rp_err unpack_end(struct unpack *unpack) {
    struct rp_json *manifest = NULL;
    if (!unpack->zip_ended || !rp_untar_ended(&unpack->tar) || unpack->count == 0) {
        return RP_ERR(CORRUPT);
    }
    const struct part *last = &unpack->parts[unpack->count - 1];
    if (!rp_view_equal(last->name, RP_VIEW("manifest.json")) ||
        !rp_ok(rp_json_parse(last->content, RP_JSON_LIMITS, unpack->arena, &manifest, NULL)) ||
        !rp_json_get_u64(manifest, "records", &unpack->records)) {
        return RP_ERR(CORRUPT);
    }
    const struct rp_json *files = rp_json_get(manifest, "files");
    const struct rp_json *said = files ? files->first : NULL;
    for (size_t i = 0; i + 1 < unpack->count; i++) {
        if (!said || !is_as_said(&unpack->parts[i], said)) {
            return RP_ERR(CORRUPT);
        }
        said = said->next;
    }
    return said ? RP_ERR(CORRUPT) : RP_OK;
}

uint64_t unpack_records(const struct unpack *unpack) {
    return unpack->records;
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
