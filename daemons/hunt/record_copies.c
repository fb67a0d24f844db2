/* record_copies.c — of a criminal record extract, no copy lies here. */
#include "base/checked.h"
#include "hunt.h"

/* Of a past that was looked into, only digests may lie here. */
static rp_err count_copies(struct rp_db *db, uint64_t *ret_checks, uint64_t *ret_copies) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT (SELECT count(*) FROM register_record "
                       "WHERE register = 'background-checks' AND example = 0), "
                       "(SELECT count(*) FROM register_piece p JOIN register_record r "
                       "ON r.row = p.record WHERE r.register = 'background-checks')",
                       &row));
    RP_TRY(rp_row_first(row));
    *ret_checks = rp_row_u64(row, 0);
    *ret_copies = rp_row_u64(row, 1);
    return RP_OK;
}

/*= S8: no copy of a criminal record extract */
void hunt_no_record_copy(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_db *db = NULL;
    uint64_t checks = 0, copies = 0;
    rp_err err = rp_inspect_system(hunt->config->store, &db);
    if (rp_ok(err)) {
        err = count_copies(db, &checks, &copies);
    }
    rp_inspect_close(db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the evidence cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (copies > 0) {
        rp_probe_broken(seen, "%llu pieces of files are kept with background checks",
                        (unsigned long long)copies);
    } else if (checks == 0) {
        rp_probe_not_met(seen, "the register \"background-checks\" is empty");
    } else {
        rp_probe_holds(seen, "%llu background checks, and no file with any of them",
                       (unsigned long long)checks);
    }
}
