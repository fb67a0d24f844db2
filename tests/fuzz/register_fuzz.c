/* Any text is a register or is refused with its place; a register that is read refers within
 * itself without end, and each of its expressions reads again. */
#include "fuzz.h"
#include "register/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rp_arena *arena = rp_arena_new(4 << 20);
    FUZZ_CHECK(arena != NULL);
    struct rp_register reg;
    struct rp_diag diag = {0};
    rp_view text = rp_view_of(data, size);
    if (rp_ok(rp_register_parse(text, "fuzz.yaml", arena, &reg, &diag))) {
        FUZZ_CHECK(reg.state_count > 0 && reg.state_count <= RP_STATES_MAX);
        FUZZ_CHECK(reg.field_count > 0 && reg.field_count <= RP_FIELDS_MAX);
        for (size_t i = 0; i < reg.move_count; i++) {
            FUZZ_CHECK(reg.moves[i].to < reg.state_count && reg.moves[i].from != 0);
        }
    } else {
        FUZZ_CHECK(diag.text[0] != 0 || diag.line > 0);
    }
    struct rp_expr *expr = NULL;
    struct rp_diag where = {0};
    rp_err err = rp_expr_parse(text, arena, &expr, &where);
    if (rp_is(err, RP_E_SYNTAX)) {
        FUZZ_CHECK(where.column >= 1 && where.column <= size + 1);
    }
    rp_arena_free(arena);
    return 0;
}
