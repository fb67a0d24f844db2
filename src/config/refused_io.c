#include "config/refused_io.h"

#include <stdio.h>

#include "base/checked.h"
#include "os/file.h"
#include "wire/json.h"

enum { NOTE_MAX = 8192 };

static const char note_file[] = "config.refused";

static rp_err print_note(const char *file, const struct rp_diag *diag, struct rp_arena *arena,
                         struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "file", file);
    rp_json_add_u64(arena, root, "line", diag->line);
    rp_json_add_u64(arena, root, "column", diag->column);
    rp_json_add_cstr(arena, root, "detail", diag->text);
    return rp_json_print(root, out);
}

void rp_config_note_refused(const char *file, const struct rp_diag *diag) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * NOTE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(NOTE_MAX);
    if (arena && rp_file_exists("ledger/key") && rp_ok(print_note(file, diag, arena, &out))) {
        rp_ignore(rp_file_replace(note_file, 0600, rp_buf_view(&out))); /* it was said aloud */
    }
}

static rp_err read_note(rp_view text, struct rp_arena *arena, struct rp_refused *ret_refused) {
    struct rp_json *root = NULL;
    uint64_t line = 0, column = 0;
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL));
    struct rp_refused refused = {.file = rp_arena_cstr(arena, rp_json_get_string(root, "file"))};
    rp_view detail = rp_json_get_string(root, "detail");
    if (!refused.file || !detail.p || !rp_json_get_u64(root, "line", &line) ||
        !rp_json_get_u64(root, "column", &column) || line > UINT32_MAX || column > UINT32_MAX) {
        return RP_ERR(CORRUPT);
    }
    rp_ignore(rp_fail_at(&refused.diag, RP_ERR(INVALID), (unsigned)line, (unsigned)column, "%.*s",
                         RP_FMT(detail)));
    *ret_refused = refused;
    return RP_OK;
}

rp_err rp_config_take_refused(struct rp_arena *arena, struct rp_refused *ret_refused) {
    rp_view text = {NULL, 0};
    rp_err err = rp_file_read(note_file, NOTE_MAX, arena, &text);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    rp_ignore(rp_file_remove(note_file)); /* told twice is better than not at all */
    return rp_ok(err) ? read_note(text, arena, ret_refused) : err;
}
