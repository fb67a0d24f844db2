/* exclusions.h — rules that are not asked at one place: what somebody accepted because honest
 * people met them there.
 *
 * core writes run/exclusions.tab whole and puts it in place (exclusions_io.h); a worker copies it,
 * checks the copy once, and keeps the last good one. Each row is as narrow as what was seen: one
 * rule, one variable, one shape of path, one application. A request is given those of its place as
 * ctl:ruleRemoveTargetById (or ctl:ruleRemoveById, where the rule looks at no variable by name).
 *
 * Pure. Promises: S58.
 */
#ifndef RP_SHIELD_EXCLUSIONS_H
#define RP_SHIELD_EXCLUSIONS_H

#include "base/arena.h"
#include "shield/seclang.h"

enum {
    RP_EXCLUSIONS_MAX = 1024,
    RP_EXCLUSION_APP_MAX = 32,
    RP_EXCLUSION_VARIABLE_MAX = 64,
    RP_EXCLUSION_PATH_MAX = 128
};

struct rp_exclusion {
    uint32_t rule;
    rp_view app;
    rp_view variable; /* "ARGS:q", "REQUEST_BODY"; "" = the whole rule */
    rp_view path;     /* a shape (path_shape.h) */
};

/* INVALID (and why) for a row that could not be applied as it says. */
rp_err rp_exclusion_check(const struct rp_exclusion *exclusion, struct rp_diag *diag);

struct rp_exclusion_table {
    uint32_t magic, version;
    uint32_t count, row_bytes;
    uint8_t sha256[32]; /* of the rows */
    struct rp_exclusion_row {
        uint32_t rule;
        uint8_t app_len, variable_len, path_len, unused;
        uint8_t app[RP_EXCLUSION_APP_MAX];
        uint8_t variable[RP_EXCLUSION_VARIABLE_MAX];
        uint8_t path[RP_EXCLUSION_PATH_MAX];
    } rows[RP_EXCLUSIONS_MAX];
};

void rp_exclusions_init(struct rp_exclusion_table *table);
/* TOO_LARGE when it is full; INVALID. */
rp_err rp_exclusions_add(struct rp_exclusion_table *table, const struct rp_exclusion *exclusion);
void rp_exclusions_seal(struct rp_exclusion_table *table);
/* CORRUPT unless it is a table of this version whose every row is good. */
rp_err rp_exclusions_check(const void *table, size_t n);
struct rp_exclusion rp_exclusions_at(const struct rp_exclusion_table *table, size_t index);

/* Those that hold at this place, for rp_waf_site. TOO_LARGE. */
rp_err rp_exclusions_for(const struct rp_exclusion_table *table, rp_view app, rp_view path,
                         struct rp_arena *arena, const struct rp_waf_ctl **ret_ctls,
                         size_t *ret_count);

#endif
