/* libmodsecurity takes or refuses the same rule texts; where the two differ, the table says why. */
#include <modsecurity/modsecurity.h>
#include <modsecurity/rules_set.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "memory_loader.h"
#include "unit.h"

#define RULE(operator) "SecRule ARGS \"" operator"\" \"id:1\""
#define ACTIONS(list) "SecAction \"" list "\""

static const struct {
    const char *text;
    bool ours, theirs;
    const char *why; /* they differ */
} cases[] = {
    {RULE("@rx a"), true, true, NULL},
    {RULE("a\\\"b"), true, true, NULL},
    {RULE("!@streq x"), true, true, NULL},
    {RULE("! @streq x"), true, true, NULL},
    {RULE("@streq"), true, false, "an empty text, as in ModSecurity 2"},
    {RULE("@pm"), false, false, NULL},
    {RULE("@eq"), false, false, NULL},
    {RULE("@pm a|41|b c"), true, true, NULL},
    {RULE("@ipMatch 192.0.2.0/24"), true, true, NULL},
    {RULE("@ipMatch 1.2.3.400"), false, false, NULL},
    {RULE("@ipMatch 1.2.3.4/33"), false, false, NULL},
    {RULE("@validateByteRange 1-255"), true, true, NULL},
    {RULE("@rbl x.y"), true, true, NULL},
    {RULE("@inspectFile /none"), false, false, NULL},
    {RULE("@fuzzyHash /none 1"), false, false, NULL},
    {RULE("@streq %{tx.a}"), true, true, NULL},
    {RULE("@streq %{foo.x}"), false, false, NULL},
    {RULE(""), false, false, NULL},
    {RULE("@unknown x"), false, true, "read as an expression there; a typing error here"},
    {RULE("@eq abc"), true, true, NULL},
    {"SecRule ENV:PATH x \"id:1\"", false, true, "a program's environment is nobody's business"},
    {ACTIONS("id:1,msg:'%{ENV.PATH}'"), false, true,
     "a program's environment is nobody's business"},
    {RULE("@validateByteRange 1-300"), false, true, "bytes end at 255"},
    {RULE("@validateByteRange 9-2"), false, true, "a range that holds nothing"},
    {RULE("@geoLookup"), true, true, NULL},
    {"SecRule ARGS|REQUEST_URI x \"id:1\"", true, true, NULL},
    {"SecRule ARGS:a,ARGS:b x \"id:1\"", true, true, NULL},
    {"SecRule \"ARGS | TX\" x \"id:1\"", false, false, NULL},
    {"SecRule \"ARGS:'/a|b/'|TX\" x \"id:1\"", true, true, NULL},
    {"SecRule ARGS:/a|b/ x \"id:1\"", true, false, "the slashes say where it ends"},
    {"SecRule FOO x \"id:1\"", false, false, NULL},
    {"SecRule REQUEST_URI:x x \"id:1\"", false, false, NULL},
    {"SecRule XML:/foo \"@rx x\" \"id:1\"", false, true, "no XPath here"},
    {"SecRule ARGS x \"id:1\" y", false, false, NULL},
    {"SecRule ARGS \"@streq x\ny\" \"id:1\"", false, true, "a forgotten quote swallows rules"},
    {"SecRule ARGS x \"id:1,chain\"", false, true, "half a chain never runs"},
    {"SecRule ARGS x \"id:1,chain\"\nSecRule ARGS x \"deny\"", false, false, NULL},
    {"SecRule ARGS x \"id:1\"\nSecRule ARGS x \"id:1\"", false, false, NULL},
    {"SecRule ARGS x \\\n# in between\n \"id:1\"", false, false, NULL},
    {ACTIONS("id:1,phase:1,pass,nolog"), true, true, NULL},
    {ACTIONS("id:1, phase:1 , pass"), true, true, NULL},
    {ACTIONS("id:'1',phase:request"), true, true, NULL},
    {ACTIONS("id:1,"), false, false, NULL},
    {ACTIONS("id:1,,pass"), false, false, NULL},
    {ACTIONS("id:1,foo"), false, false, NULL},
    {ACTIONS("id:1,phase:6"), false, false, NULL},
    {ACTIONS("id:1,severity:CRITICAL"), true, true, NULL},
    {ACTIONS("id:1,severity:foo"), false, false, NULL},
    {ACTIONS("id:1,severity:9"), false, true, "severities end at 7"},
    {ACTIONS("id:1,t:none,t:normalisePath"), true, true, NULL},
    {ACTIONS("id:1,t:foo"), false, false, NULL},
    {ACTIONS("id:1,setvar:tx.a"), true, true, NULL},
    {ACTIONS("id:1,setvar:'tx.a=+%{tx.b}'"), true, true, NULL},
    {ACTIONS("id:1,setvar:foo.a=1"), false, false, NULL},
    {ACTIONS("id:1,setvar:a=1"), false, false, NULL},
    {ACTIONS("id:1,ctl:foo=bar"), false, false, NULL},
    {ACTIONS("id:1,ctl:ruleRemoveTargetById=1-5;ARGS:x"), true, true, NULL},
    {ACTIONS("id:1,phase:1,ctl:requestBodyLimit=1048576"), true, false, "ModSecurity 2 has it"},
    {ACTIONS("id:1,phase:3,ctl:responseBodyLimit=1048576"), true, false, "ModSecurity 2 has it"},
    {ACTIONS("id:1,ctl:debugLogLevel=3"), true, false, "ModSecurity 2 has it"},
    {ACTIONS("id:1,ctl:hashEngine=Off"), true, false, "ModSecurity 2 has it"},
    {ACTIONS("id:1,ctl:parseXmlIntoArgs=Off"), true, false, "the releases after have it"},
    {ACTIONS("id:1,ctl:ruleRemoveTargetByTag=a;XML://@*"), true, false, "CRS 4.25.1 needs it"},
    {ACTIONS("id:1,allow:phase"), true, true, NULL},
    {ACTIONS("id:1,allow:foo"), false, false, NULL},
    {ACTIONS("id:1,skipAfter:END"), true, true, NULL},
    {ACTIONS("id:1,proxy:http://x"), false, false, NULL},
    {ACTIONS("id:1,exec:/bin/true"), false, false, NULL},
    {ACTIONS("id:1,deprecatevar:session.x=1/2"), false, false, NULL},
    {ACTIONS("phase:1,pass"), false, true, "a rule without an id cannot be named"},
    {"SecFoo On", false, false, NULL},
    {"SecRuleEngine Maybe", false, false, NULL},
    {"SecMarker", false, false, NULL},
    {"SecRuleRemoveById 1-3,5", true, true, NULL},
    {"SecRuleRemoveById foo", false, false, NULL},
    {"SecRuleUpdateTargetById 1 \"!ARGS:x\"", true, true, NULL},
    {"SecRuleUpdateActionById 1:1 \"pass\"", true, true, NULL},
    {"SecDefaultAction \"phase:2,log,deny\"\nSecDefaultAction \"phase:2,pass\"", false, false,
     NULL},
};

static bool ours(const char *text) {
    struct memory_file file = {"main.conf", rp_view_from_cstr(text)};
    struct memory_files files = {&file, 1};
    struct rp_waf_loader loader = memory_loader(&files);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_waf_ruleset set;
    struct rp_waf_place place;
    struct rp_diag diag;
    rp_view name = RP_VIEW("main.conf");
    bool taken = rp_ok(rp_seclang_read(&loader, &name, 1, arena, &set, &place, &diag));
    rp_arena_free(arena);
    return taken;
}

/* In a process of its own: after an error its scanner stays in the middle of a rule. */
static bool theirs(const char *text) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const char *problem = NULL;
        int count = msc_rules_add(msc_create_rules_set(), text, &problem);
        _exit(count >= 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 0;
}

static void test_same_texts(void **state) {
    size_t wrong = 0;
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        bool us = ours(cases[i].text), them = theirs(cases[i].text);
        if (us != cases[i].ours || them != cases[i].theirs) {
            print_error("%s\n  here %d, libmodsecurity %d\n", cases[i].text, us, them);
        }
        assert_int_equal(cases[i].ours != cases[i].theirs, cases[i].why != NULL);
        wrong += us != cases[i].ours || them != cases[i].theirs;
    }
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
