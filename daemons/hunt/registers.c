/* registers.c — what the registers say of themselves, read as they lie, without any key.
 *
 * A rule of src/register/rules.def counts the records that it is about, and those that are not as
 * it demands. Sealed fields stay closed: names play no part. Too few records prove nothing.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "register/desk.h"

enum { ARENA_BYTES = 8 * 1024 * 1024, NAMED_MAX = 5 };

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
        rp_probe_not_met(seen, "the register \"%s\" needs %s, and has %s%s", rule->reg, rule->words,
                         judging->count ? "too few" : "none",
                         judging->examples ? " (the example company's records prove nothing)" : "");
    } else {
        rp_probe_holds(seen, "%zu records of \"%s\", each as demanded", judging->count, rule->reg);
    }
}

static void judge(const struct hunt *hunt, const struct rule *rule, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct judging judging = {0};
    rp_err err = arena ? rp_inspect_system(hunt->config->store, &desk.db) : RP_ERR(NO_MEMORY);
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

#define RP_STATE_RULE(name, probe, reg, where, must, least, words)                                 \
    void hunt_rule_##name(void *ctx, struct rp_observation *seen) {                                \
        static const struct rule rule = {reg, where, must, least, words};                          \
        judge(ctx, &rule, seen);                                                                   \
    }
#include "register/rules.def"
#undef RP_STATE_RULE
