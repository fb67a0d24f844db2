/* schema_io.c — the folder of registers, read at start. */
#include "base/assert.h"
#include "os/file.h"
#include "register/schema.h"

enum { FILE_MAX = 128 * 1024 };

struct loading {
    const char *folder;
    struct rp_arena *arena;
    struct rp_registers out;
    struct rp_diag *diag;
};

static rp_err load_one(void *ctx, const char *name, bool is_folder) {
    struct loading *loading = ctx;
    if (is_folder || !rp_view_ends(rp_view_from_cstr(name), RP_VIEW(".yaml"))) {
        return RP_OK;
    }
    if (loading->out.count == RP_REGISTERS_MAX) {
        return rp_fail(loading->diag, RP_ERR(TOO_LARGE), "more than %d registers",
                       RP_REGISTERS_MAX);
    }
    rp_view path = rp_arena_printf(loading->arena, "%s/%s", loading->folder, name);
    rp_view text = {NULL, 0};
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = rp_file_read((const char *)path.p, FILE_MAX, loading->arena, &text);
    if (!rp_ok(err)) {
        return rp_fail(loading->diag, err, "%s", (const char *)path.p);
    }
    struct rp_register reg;
    RP_TRY(rp_register_parse(text, (const char *)path.p, loading->arena, &reg, loading->diag));
    if (rp_register_find(&loading->out, rp_view_from_cstr(reg.id))) {
        return rp_fail(loading->diag, RP_ERR(DUPLICATE), "%s: another file has this id",
                       (const char *)path.p);
    }
    loading->out.list[loading->out.count++] = reg;
    return RP_OK;
}

rp_err rp_registers_load(const char *folder, struct rp_arena *arena,
                         struct rp_registers *ret_registers, struct rp_diag *diag) {
    RP_ASSERT(folder != NULL && ret_registers != NULL);
    struct loading loading = {.folder = folder, .arena = arena, .diag = diag};
    loading.out.list = rp_arena_array(arena, RP_REGISTERS_MAX, sizeof *loading.out.list);
    if (!loading.out.list) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_folder_each(folder, load_one, &loading));
    RP_TRY(rp_registers_check(&loading.out, arena, diag));
    *ret_registers = loading.out;
    return RP_OK;
}
