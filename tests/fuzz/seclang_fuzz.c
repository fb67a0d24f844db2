/* Rule texts from anybody: refused with a reason, or rules that keep the header's promises. */
#include "fuzz.h"
#include "shield/seclang.h"

struct files {
    rp_view first;
};

/* Every other file is a few lines that suit as phrases, addresses, a map or nothing. */
static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct files *files = ctx;
    (void)arena;
    *ret_bytes = from.n == 0 ? files->first : RP_VIEW("20127 x\n00c0:41\n# 192.0.2.1\n");
    *ret_path = path;
    return path.n < 3 || from.n == 0 ? RP_OK : RP_ERR(NOT_FOUND);
}

static rp_err list(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count) {
    (void)ctx;
    (void)from;
    (void)pattern;
    (void)arena;
    *ret_paths = NULL;
    *ret_count = 0;
    return RP_OK;
}

static void check_text(const struct rp_waf_text *text) {
    for (size_t i = 0; i < text->count; i++) {
        FUZZ_CHECK(text->pieces[i].literal || text->pieces[i].variable < RP_VAR_COUNT);
    }
}

static void check_rule(const struct rp_waf_rule *rule, const struct rp_waf_rule *before) {
    bool first = !before || !before->chained;
    FUZZ_CHECK(first == (rule->id != 0));
    FUZZ_CHECK(rule->phase >= 1 && rule->phase <= 5 && rule->op < RP_OP_COUNT);
    FUZZ_CHECK(rule->unconditional == (rule->target_count == 0));
    FUZZ_CHECK(first == (rule->disruption != RP_DISRUPT_NONE));
    check_text(&rule->argument);
    check_text(&rule->message);
    check_text(&rule->log_data);
    for (size_t i = 0; i < rule->target_count; i++) {
        FUZZ_CHECK(rule->targets[i].variable < RP_VAR_COUNT);
        FUZZ_CHECK((rule->targets[i].select == RP_SELECT_ALL) ==
                   (rule->targets[i].selector.n == 0));
    }
    for (size_t i = 0; i < rule->setvar_count; i++) {
        check_text(&rule->setvars[i].name);
        check_text(&rule->setvars[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct files files = {rp_view_of(data, n)};
    struct rp_waf_loader loader = {.ctx = &files, .read = read_one, .glob = list};
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_waf_ruleset set;
    struct rp_waf_place place = {{NULL, 0}};
    struct rp_diag diag = {0};
    rp_view name = RP_VIEW("main.conf");
    if (rp_ok(rp_seclang_read(&loader, &name, 1, arena, &set, &place, &diag))) {
        for (size_t i = 0; i < set.rule_count; i++) {
            if (set.rules[i].marker) {
                FUZZ_CHECK(set.rules[i].label.p != NULL);
            } else {
                check_rule(&set.rules[i], i > 0 ? &set.rules[i - 1] : NULL);
            }
        }
        FUZZ_CHECK(set.rule_count == 0 || set.rules[set.rule_count - 1].marker ||
                   !set.rules[set.rule_count - 1].chained);
    }
    rp_arena_free(arena);
    return 0;
}
