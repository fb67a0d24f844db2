/* People read from a table or from JSON: each line is whole or has its reason, and what is not
 * refused has an address, roles, a hash that verifies within its bounds, a seed of allowed size. */
#include "crypto/foreign.h"
#include "fuzz.h"
#include "identity/internal.h"
#include "identity/people_file.h"

static void check(const struct rp_people_file *file) {
    FUZZ_CHECK(file->count <= RP_PEOPLE_MAX);
    for (size_t i = 0; i < file->count; i++) {
        const struct rp_people_line *line = &file->lines[i];
        struct rp_email email;
        struct rp_foreign foreign;
        FUZZ_CHECK(line->number > 0 && line->fault < RP_FAULT_COUNT && line->column <= 6);
        if (line->fault != RP_FAULT_NONE) {
            FUZZ_CHECK(rp_people_fault_text(line->fault, RP_FR)[0] != 0);
            continue;
        }
        FUZZ_CHECK(rp_ok(rp_email_normalise(line->email, &email)));
        FUZZ_CHECK(line->roles != 0 && (line->roles & ~(unsigned)RP_ROLES_ALL) == 0);
        FUZZ_CHECK(line->password.n == 0 || rp_ok(rp_foreign_parse(line->password, &foreign)));
        FUZZ_CHECK(line->seed_n == 0 || line->password.n > 0);
        FUZZ_CHECK(line->seed_n == 0 || (line->seed_n >= 10 && line->seed_n <= RP_PEOPLE_SEED_MAX));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_people_file file;
    struct rp_diag diag = {0};
    rp_err err = rp_people_read_csv(rp_view_of(data, n), RP_FR, arena, &file, &diag);
    if (rp_ok(err)) {
        check(&file);
        rp_people_wipe(&file);
    } else {
        FUZZ_CHECK(diag.text[0] != 0 && diag.line > 0);
    }
    if (rp_ok(rp_people_read_json(rp_view_of(data, n), RP_EN, arena, &file, NULL))) {
        check(&file);
        rp_people_wipe(&file);
    }
    rp_arena_free(arena);
    return 0;
}
