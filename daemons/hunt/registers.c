/* registers.c — what the registers say of themselves, read as they lie, without any key.
 *
 * A rule of src/register/rules.def counts the records that it is about, and those that are not as
 * it demands. Sealed fields stay closed: names play no part. Too few records prove nothing.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "register/desk.h"

enum { ARENA_BYTES = 96 * 1024 * 1024, NAMED_MAX = 5 };

struct rule {
    const char *reg, *where, *must;
    size_t least;
    const char *words;
};

struct judging {
    const struct rp_expr *where, *must;
    struct rp_asking asking;
    size_t count, wrong, examples;
    uint64_t first[NAMED_MAX];
};

static rp_err judge_one(void *ctx, const struct rp_facts *facts) {
    struct judging *judging = ctx;
    bool about = false, good = false;
    if (facts->example) {
        judging->examples++; /* the company that teaches proves nothing about this one */
        return RP_OK;
    }
    RP_TRY(rp_expr_true(judging->where, facts, &judging->asking, &about));
    if (!about) {
        return RP_OK;
    }
    judging->count++;
    RP_TRY(rp_expr_true(judging->must, facts, &judging->asking, &good));
    if (!good) {
        if (judging->wrong < NAMED_MAX) {
            judging->first[judging->wrong] = facts->number;
        }
        judging->wrong++;
    }
    return RP_OK;
}

static rp_err read_expr(const struct rp_registers *all, const struct rp_register *reg,
                        const char *text, struct rp_arena *arena, const struct rp_expr **ret_expr) {
    struct rp_expr *expr = NULL;
    RP_TRY(rp_expr_parse(rp_view_from_cstr(text), arena, &expr, NULL));
    RP_TRY(rp_expr_check(expr, reg, all, NULL));
    *ret_expr = expr;
    return RP_OK;
}

static rp_err judge_all(struct rp_desk *desk, const struct rule *rule, struct judging *judging) {
    const struct rp_register *reg = rp_register_find(desk->registers, rp_view_from_cstr(rule->reg));
    if (!reg) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(read_expr(desk->registers, reg, rule->where, desk->arena, &judging->where));
    RP_TRY(read_expr(desk->registers, reg, rule->must, desk->arena, &judging->must));
    judging->asking = rp_desk_asking(desk);
    return judging->asking.each(desk, reg, NULL, (rp_view){NULL, 0}, judge_one, judging);
}

static void conclude(const struct rule *rule, const struct judging *judging,
                     struct rp_observation *seen) {
    if (judging->wrong > 0) {
        rp_probe_broken(seen, "%zu of %zu records of \"%s\" are not as demanded, first number %llu",
                        judging->wrong, judging->count, rule->reg,
                        (unsigned long long)judging->first[0]);
    } else if (judging->count < rule->least) {
        rp_probe_not_met(seen, "the register \"%s\" needs %s: it holds %zu%s", rule->reg,
                         rule->words, judging->count,
                         judging->examples ? ", the example company's not counted" : "");
    } else {
        rp_probe_holds(seen, "%zu records of \"%s\", each as demanded", judging->count, rule->reg);
    }
}

static void judge(const struct hunt *hunt, const struct rule *rule, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct judging judging = {0};
    rp_err err = arena ? rp_inspect_open("db/system.db", &desk.db) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = judge_all(&desk, rule, &judging);
    }
    rp_inspect_close(desk.db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the register \"%s\" cannot be read: %s", rule->reg,
                        rp_err_text(err, RP_EN));
        return;
    }
    conclude(rule, &judging, seen);
}

/* ---- what the published schemas say is sealed ---- */

struct mapping {
    uint64_t rows, open;
    struct rp_id_text first;
    const char *field;
};

static rp_err look_for_open(void *ctx, const struct rp_facts *facts) {
    struct mapping *mapping = ctx;
    mapping->rows++;
    for (size_t i = 0; i < facts->reg->field_count; i++) {
        const struct rp_field *field = &facts->reg->fields[i];
        if (field->sealed && rp_json_get(facts->open, field->id)) {
            if (mapping->open == 0) {
                mapping->first = facts->id_text;
                mapping->field = field->id;
            }
            mapping->open++;
        }
    }
    return RP_OK;
}

/* A register at a time, so that one of them is all that memory has to hold. */
static rp_err map_registers(struct rp_desk *desk, struct mapping *mapping) {
    for (size_t i = 0; i < desk->registers->count; i++) {
        struct rp_asking asking = rp_desk_asking(desk);
        RP_TRY(asking.each(desk, &desk->registers->list[i], NULL, (rp_view){NULL, 0}, look_for_open,
                           mapping));
        rp_arena_reset(desk->arena);
    }
    return RP_OK;
}

/*= S83: what the map says is sealed lies sealed */
void hunt_field_map(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct mapping mapping = {.rows = 0};
    rp_err err = arena ? rp_inspect_open("db/system.db", &desk.db) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = map_registers(&desk, &mapping);
    }
    rp_inspect_close(desk.db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the registers cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (mapping.open > 0) {
        rp_probe_broken(seen, "%llu sealed fields lie open, first \"%s\" of record %s",
                        (unsigned long long)mapping.open, mapping.field, mapping.first.s);
    } else if (mapping.rows == 0) {
        rp_probe_not_met(seen, "the registers are empty");
    } else {
        rp_probe_holds(seen, "%llu records, each as the published map says",
                       (unsigned long long)mapping.rows);
    }
}

/* ---- who has a second factor ---- */

static rp_err count_factors(struct rp_db *db, uint64_t *ret_people, uint64_t *ret_tenants,
                            uint64_t *ret_with) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*), count(DISTINCT tenant), "
                       "coalesce(sum(totp_sealed IS NOT NULL), 0) FROM person",
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
    rp_err err = rp_inspect_open("db/system.db", &db);
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
    (void)ctx;
    struct rp_db *db = NULL;
    uint64_t checks = 0, copies = 0;
    rp_err err = rp_inspect_open("db/system.db", &db);
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

#define RP_STATE_RULE(name, probe, reg, where, must, least, words)                                 \
    void hunt_rule_##name(void *ctx, struct rp_observation *seen) {                                \
        static const struct rule rule = {reg, where, must, least, words};                          \
        judge(ctx, &rule, seen);                                                                   \
    }
#include "register/rules.def"
#undef RP_STATE_RULE
