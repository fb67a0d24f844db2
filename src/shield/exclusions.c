#include "shield/exclusions.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "shield/path_shape.h"

enum { MAGIC = 0x58455052 /* "RPEX" */, VERSION = 1 };

/* "ARGS:q" as a target. False when there is no such variable, or a scalar is given a name. */
static bool read_variable(rp_view text, struct rp_waf_target *ret_target) {
    size_t colon = rp_view_find_byte(text, ':');
    enum rp_waf_variable variable = rp_waf_variable_named(rp_view_sub(text, 0, colon));
    bool named = colon < text.n;
    if (variable == RP_VAR_COUNT || (named && colon + 1 == text.n)) {
        return false;
    }
    *ret_target = (struct rp_waf_target){.variable = variable,
                                         .select = named ? RP_SELECT_NAME : RP_SELECT_ALL,
                                         .selector = rp_view_from(text, colon + named)};
    return !named || rp_waf_variable_shape(variable) != RP_SHAPE_SCALAR;
}

rp_err rp_exclusion_check(const struct rp_exclusion *exclusion, struct rp_diag *diag) {
    struct rp_waf_target target;
    if (exclusion->rule == 0) {
        return rp_fail(diag, RP_ERR(INVALID), "an exclusion names a rule");
    }
    if (exclusion->app.n == 0 || exclusion->app.n > RP_EXCLUSION_APP_MAX) {
        return rp_fail(diag, RP_ERR(INVALID), "an exclusion belongs to an application");
    }
    if (exclusion->variable.n > RP_EXCLUSION_VARIABLE_MAX ||
        (exclusion->variable.n > 0 && !read_variable(exclusion->variable, &target))) {
        return rp_fail(diag, RP_ERR(INVALID), "no variable of the rules is called \"%.*s\"",
                       RP_FMT(rp_view_sub(exclusion->variable, 0, 64)));
    }
    if (!rp_path_shape_is_good(exclusion->path)) {
        return rp_fail(diag, RP_ERR(INVALID), "a path begins with / and holds plain segments or *");
    }
    return RP_OK;
}

void rp_exclusions_init(struct rp_exclusion_table *table) {
    RP_ASSERT(table != NULL);
    memset(table, 0, sizeof *table);
    table->magic = MAGIC;
    table->version = VERSION;
    table->row_bytes = sizeof table->rows[0];
}

static void put(uint8_t *field, uint8_t *len, rp_view text) {
    if (text.n > 0) {
        memcpy(field, text.p, text.n);
    }
    *len = (uint8_t)text.n;
}

rp_err rp_exclusions_add(struct rp_exclusion_table *table, const struct rp_exclusion *exclusion) {
    if (table->count == RP_EXCLUSIONS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_exclusion_check(exclusion, NULL));
    struct rp_exclusion_row *row = &table->rows[table->count++];
    row->rule = exclusion->rule;
    put(row->app, &row->app_len, exclusion->app);
    put(row->variable, &row->variable_len, exclusion->variable);
    put(row->path, &row->path_len, exclusion->path);
    return RP_OK;
}

static struct rp_sha256 hash_of(const struct rp_exclusion_table *table) {
    return rp_sha256_of(rp_view_of(table->rows, sizeof table->rows));
}

void rp_exclusions_seal(struct rp_exclusion_table *table) {
    struct rp_sha256 hash = hash_of(table);
    memcpy(table->sha256, hash.b, sizeof table->sha256);
}

struct rp_exclusion rp_exclusions_at(const struct rp_exclusion_table *table, size_t index) {
    RP_ASSERT(index < table->count);
    const struct rp_exclusion_row *row = &table->rows[index];
    return (struct rp_exclusion){.rule = row->rule,
                                 .app = rp_view_of(row->app, row->app_len),
                                 .variable = rp_view_of(row->variable, row->variable_len),
                                 .path = rp_view_of(row->path, row->path_len)};
}

static bool lengths_fit(const struct rp_exclusion_row *row) {
    return row->app_len <= sizeof row->app && row->variable_len <= sizeof row->variable &&
           row->path_len <= sizeof row->path;
}

rp_err rp_exclusions_check(const void *memory, size_t n) {
    const struct rp_exclusion_table *table = memory;
    if (!table || n != sizeof *table || table->magic != MAGIC || table->version != VERSION ||
        table->row_bytes != sizeof table->rows[0] || table->count > RP_EXCLUSIONS_MAX) {
        return RP_ERR(CORRUPT);
    }
    struct rp_sha256 hash = hash_of(table);
    bool good = rp_view_equal(rp_view_of(hash.b, sizeof hash.b),
                              rp_view_of(table->sha256, sizeof table->sha256));
    for (size_t i = 0; good && i < table->count; i++) {
        good = lengths_fit(&table->rows[i]);
        if (good) {
            struct rp_exclusion exclusion = rp_exclusions_at(table, i);
            good = rp_ok(rp_exclusion_check(&exclusion, NULL));
        }
    }
    return good ? RP_OK : RP_ERR(CORRUPT);
}

/* ---- one request ---- */

static bool is_here(const struct rp_exclusion *exclusion, rp_view app, rp_view path) {
    return rp_view_equal(exclusion->app, app) && rp_path_shape_fits(exclusion->path, path);
}

/* The table may be replaced while the request is still judged: its text is copied. */
static rp_err ctl_of(const struct rp_exclusion *exclusion, struct rp_arena *arena,
                     struct rp_waf_ctl *ret_ctl) {
    rp_view variable;
    struct rp_waf_ctl ctl = {
        .kind = RP_CTL_RULE_REMOVE_BY_ID, .id_first = exclusion->rule, .id_last = exclusion->rule};
    if (exclusion->variable.n > 0) {
        ctl.kind = RP_CTL_RULE_REMOVE_TARGET_BY_ID;
        RP_TRY(rp_arena_copy(arena, exclusion->variable, &variable));
        ctl.has_target = read_variable(variable, &ctl.target);
        RP_ASSERT(ctl.has_target); /* the table was checked */
    }
    *ret_ctl = ctl;
    return RP_OK;
}

rp_err rp_exclusions_for(const struct rp_exclusion_table *table, rp_view app, rp_view path,
                         struct rp_arena *arena, const struct rp_waf_ctl **ret_ctls,
                         size_t *ret_count) {
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct rp_exclusion exclusion = rp_exclusions_at(table, i);
        count += is_here(&exclusion, app, path);
    }
    struct rp_waf_ctl *ctls = count > 0 ? rp_arena_array(arena, count, sizeof *ctls) : NULL;
    if (count > 0 && !ctls) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0;
    for (size_t i = 0; i < table->count && n < count; i++) {
        struct rp_exclusion exclusion = rp_exclusions_at(table, i);
        if (is_here(&exclusion, app, path)) {
            RP_TRY(ctl_of(&exclusion, arena, &ctls[n++]));
        }
    }
    *ret_ctls = ctls;
    *ret_count = n;
    return RP_OK;
}
