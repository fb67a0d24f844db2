/* memory_rules.h — a rule set that is a literal, compiled and opened; fails the test otherwise. */
#ifndef RP_TESTS_MEMORY_RULES_H
#define RP_TESTS_MEMORY_RULES_H

#include "memory_loader.h"
#include "shield/shield.h"
#include "unit.h"

struct rules {
    struct rp_buf image;
    struct rp_waf *waf;
};

static inline struct rules open_rules(const char *text) {
    struct rules rules = {.image = rp_buf_new(16 << 20)};
    struct memory_file file = {"main.conf", rp_view_from_cstr(text)};
    struct memory_files files = {&file, 1};
    struct rp_waf_loader loader = memory_loader(&files);
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_waf_ruleset set;
    struct rp_waf_place place = {0};
    struct rp_diag diag = {0};
    rp_view name = RP_VIEW("main.conf");
    if (!rp_ok(rp_seclang_read(&loader, &name, 1, arena, &set, &place, &diag))) {
        fail_msg("line %u: %s", diag.line, diag.text);
    }
    assert_ok(rp_waf_compile(&set, arena, &rules.image, &place, &diag));
    assert_ok(rp_waf_open(rp_buf_view(&rules.image), &rules.waf, &diag));
    rp_arena_free(arena);
    return rules;
}

static inline void close_rules(struct rules *rules) {
    rp_waf_close(rules->waf);
    rp_buf_done(&rules->image);
}

#endif
