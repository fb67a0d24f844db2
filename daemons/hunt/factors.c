/* factors.c — who has a second factor, counted in the people's own rows. */
#include "base/checked.h"
#include "hunt.h"

static rp_err count_factors(struct rp_db *db, uint64_t *ret_people, uint64_t *ret_tenants,
                            uint64_t *ret_with) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*), count(DISTINCT tenant), "
                       "count(totp_sealed) FROM person",
                       &row));
    RP_TRY(rp_row_first(row));
    *ret_people = rp_row_u64(row, 0);
    *ret_tenants = rp_row_u64(row, 1);
    *ret_with = rp_row_u64(row, 2);
    return RP_OK;
}

/*= S171: where a second factor is demanded, everybody has one */
void hunt_mfa_share(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_db *db = NULL;
    uint64_t people = 0, tenants = 0, with = 0;
    rp_err err = rp_inspect_system(hunt->config->store, &db);
    if (rp_ok(err)) {
        err = count_factors(db, &people, &tenants, &with);
    }
    rp_inspect_close(db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the people cannot be counted: %s", rp_err_text(err, RP_EN));
    } else if (people == 0) {
        rp_probe_not_met(seen, "nobody has an access yet");
    } else if (hunt->second_factor && with < people) {
        rp_probe_broken(seen, "%llu of %llu people have no second factor, which is demanded",
                        (unsigned long long)(people - with), (unsigned long long)people);
    } else {
        rp_probe_holds(seen, "%llu of %llu people in %llu organisations have a second factor",
                       (unsigned long long)with, (unsigned long long)people,
                       (unsigned long long)tenants);
    }
}
