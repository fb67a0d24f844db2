/* schema_parse.c — one register out of one YAML document; what crosses registers comes later. */
#include "base/assert.h"
#include "base/buf.h"
#include "base/checked.h"
#include "register/schema_read.h"

static rp_err read_head(const struct rp_reading *r, const struct rp_yaml *root) {
    struct rp_register *reg = r->reg;
    uint64_t version = 0;
    RP_TRY(rp_schema_known_keys(
        r, root,
        "id number section version name one about title read write strict own promises "
        "retention closed locked fields states moves deadlines rules"));
    RP_TRY(rp_schema_needed(r, root, "id", &reg->id));
    rp_view shelf = rp_arena_printf(r->arena, "~%s", reg->id);
    if (!shelf.p) {
        return RP_ERR(TOO_LARGE);
    }
    reg->canary_shelf = (const char *)shelf.p;
    if (!rp_schema_is_id(rp_view_from_cstr(reg->id), '-')) {
        return rp_schema_wrong(r, root, "id: small letters and hyphens", NULL);
    }
    RP_TRY(rp_schema_needed(r, root, "number", &reg->number));
    RP_TRY(rp_schema_needed(r, root, "section", &reg->section));
    RP_TRY(rp_schema_needed(r, root, "title", &reg->title));
    RP_TRY(rp_schema_optional(r, root, "own", &reg->own));
    if (!rp_view_to_u64(rp_yaml_get_scalar(root, "version"), 1000000, &version) || version == 0) {
        return rp_schema_wrong(r, root, "version: a number from 1", NULL);
    }
    reg->version = (unsigned)version;
    RP_TRY(rp_schema_need_words(r, root, "name", &reg->name));
    RP_TRY(rp_schema_need_words(r, root, "one", &reg->one));
    RP_TRY(rp_schema_need_words(r, root, "about", &reg->about));
    RP_TRY(rp_schema_names(r, root, "read", &reg->read));
    RP_TRY(rp_schema_names(r, root, "write", &reg->write));
    RP_TRY(rp_schema_bool(r, root, "strict", &reg->strict));
    RP_TRY(rp_schema_names(r, root, "promises", &reg->promises));
    const struct rp_yaml *retention = rp_yaml_get(root, "retention");
    return retention ? rp_schema_span(r, retention, &reg->retention)
                     : rp_schema_wrong(r, root, "missing: retention", NULL);
}

/* Line by line what data hangs on: a later version may add lines, not take them away. */
static rp_err print_shape(const struct rp_reading *r) {
    struct rp_register *reg = r->reg;
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(65536);
    for (size_t i = 0; i < reg->state_count; i++) {
        rp_buf_printf(&out, "state %s\n", reg->states[i].id);
    }
    for (size_t i = 0; i < reg->field_count; i++) {
        const struct rp_field *f = &reg->fields[i];
        rp_buf_printf(&out, "field %s %s%s%s%s\n", f->id, rp_field_type_name(f->type),
                      f->sealed ? " sealed" : "", f->refers ? " to " : "",
                      f->refers ? f->refers : "");
        for (size_t c = 0; c < f->choice_count; c++) {
            rp_buf_printf(&out, "choice %s.%s\n", f->id, f->choices[c].id);
        }
    }
    RP_TRY(rp_buf_err(&out));
    return rp_schema_copy(r, rp_buf_view(&out), &reg->shape);
}

/* Closed: as the file says, else where no move leads elsewhere. */
static rp_err read_closed(const struct rp_reading *r, const struct rp_yaml *root) {
    struct rp_register *reg = r->reg;
    if (rp_yaml_get(root, "closed")) {
        return rp_schema_state_set(r, root, "closed", &reg->closed);
    }
    for (size_t i = 0; i < reg->state_count; i++) {
        reg->closed |= UINT32_C(1) << i;
    }
    for (size_t i = 0; i < reg->move_count; i++) {
        reg->closed &= ~(reg->moves[i].from & ~(UINT32_C(1) << reg->moves[i].to));
    }
    return RP_OK;
}

rp_err rp_register_parse(rp_view text, const char *file, struct rp_arena *arena,
                         struct rp_register *ret_register, struct rp_diag *diag) {
    RP_ASSERT(file != NULL && arena != NULL && ret_register != NULL);
    struct rp_yaml *root = NULL;
    struct rp_diag inner = {0};
    struct rp_register reg = {0};
    rp_err err = rp_yaml_parse(text, arena, &root, &inner);
    if (!rp_ok(err)) {
        return rp_fail_at(diag, err, inner.line, inner.column, "%s: %s", file, inner.text);
    }
    struct rp_reading r = {.file = file, .arena = arena, .diag = diag, .reg = &reg};
    RP_TRY(rp_schema_copy(&r, rp_view_from_cstr(file), &reg.file));
    RP_TRY(read_head(&r, root));
    RP_TRY(rp_schema_read_states(&r, rp_yaml_get(root, "states")));
    if (rp_yaml_get(root, "locked")) {
        RP_TRY(rp_schema_state_set(&r, root, "locked", &reg.locked));
    }
    RP_TRY(rp_schema_read_fields(&r, rp_yaml_get(root, "fields")));
    RP_TRY(rp_schema_read_moves(&r, rp_yaml_get(root, "moves")));
    RP_TRY(read_closed(&r, root));
    RP_TRY(rp_schema_read_deadlines(&r, rp_yaml_get(root, "deadlines")));
    RP_TRY(rp_schema_read_rules(&r, rp_yaml_get(root, "rules")));
    RP_TRY(print_shape(&r));
    *ret_register = reg;
    return RP_OK;
}
