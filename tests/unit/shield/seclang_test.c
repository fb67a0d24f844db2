/* What the reader makes of rule texts, and of Debian's whole Core Rule Set. */
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "memory_loader.h"
#include "shield/compile_io.h"
#include "unit.h"

struct world {
    struct rp_arena *arena;
    struct rp_waf_ruleset set;
    struct rp_waf_place place;
    struct rp_diag diag;
};

static const struct memory_file beside[] = {
    {"main.conf", RP_VIEW_INIT("")},
    {"words.data", RP_VIEW_INIT("# comment\none \n\n  two\r\nthree")},
    {"nets.data", RP_VIEW_INIT("192.0.2.0/24\n 2001:db8::/32 \n")},
    {"more.conf", RP_VIEW_INIT("SecAction \"id:77,phase:1,pass,nolog\"\n")},
    {"circle.conf", RP_VIEW_INIT("Include circle.conf\n")},
    {"open.conf", RP_VIEW_INIT("SecRule ARGS x \"id:78,chain\"\n")},
    {"unicode", RP_VIEW_INIT("1250 (x)\n00a1:21\n\n20127 (US-ASCII)\n00a0:20 00c0:41 \n")},
};

static rp_err read_text(struct world *world, const char *text) {
    struct memory_file files[RP_COUNT_OF(beside)];
    memcpy(files, beside, sizeof beside);
    files[0].bytes = rp_view_from_cstr(text);
    struct memory_files all = {files, RP_COUNT_OF(files)};
    struct rp_waf_loader loader = memory_loader(&all);
    rp_view name = RP_VIEW("main.conf");
    rp_arena_free(world->arena);
    *world = (struct world){.arena = rp_arena_new((size_t)64 << 20)};
    return rp_seclang_read(&loader, &name, 1, world->arena, &world->set, &world->place,
                           &world->diag);
}

static const struct rp_waf_rule *rule_of(struct world *world, const char *text) {
    rp_err err = read_text(world, text);
    if (!rp_ok(err)) {
        print_error("%u:%u %s\n", world->diag.line, world->diag.column, world->diag.text);
    }
    assert_ok(err);
    assert_true(world->set.rule_count > 0);
    return &world->set.rules[0];
}

static rp_view literal(const struct rp_waf_text *text) {
    assert_int_equal(text->count, 1);
    assert_true(text->pieces[0].literal);
    return text->pieces[0].text;
}

static void test_quotes_keep_backslashes(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule =
        rule_of(&world, "SecRule ARGS \"@rx a\\\"b\\\\c\\d\" \"id:1,msg:'it\\'s, \\\"x\\\"'\"");
    assert_view(literal(&rule->argument), "a\"b\\\\c\\d");
    assert_view(literal(&rule->message), "it's, \"x\"");
    rule = rule_of(&world, "SecRule ARGS \"a\\\\\" \"id:1\"");
    assert_view(literal(&rule->argument), "a\\\\");
    rp_arena_free(world.arena);
}

static void test_lines_are_joined(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule = rule_of(
        &world,
        "# SecRule A \\\n  off\n\nSecRule ARGS \\\r\n  \"@rx a\" \\\n  \"id:1,\\\n  phase:1,"
        "msg:'one \\\ntwo'\"\n");
    assert_int_equal(world.set.rule_count, 1);
    assert_int_equal(rule->line, 4);
    assert_int_equal(rule->phase, 1);
    assert_view(literal(&rule->message), "one two");
    rp_arena_free(world.arena);
}

static void test_targets(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule =
        rule_of(&world, "SecRule \"args|!ARGS:Comment|&REQUEST_HEADERS:Host|TX:/^A|B/|ARGS:'/x|y/'|"
                        "XML:/*|XML://@*\" \"@eq 0\" \"id:1\"");
    const struct rp_waf_target *t = rule->targets;
    assert_int_equal(rule->target_count, 7);
    assert_int_equal(t[0].variable, RP_VAR_ARGS);
    assert_int_equal(t[0].select, RP_SELECT_ALL);
    assert_true(t[1].exclude);
    assert_view(t[1].selector, "Comment");
    assert_true(t[2].count);
    assert_int_equal(t[3].select, RP_SELECT_REGEX);
    assert_view(t[3].selector, "^A|B");
    assert_view(t[4].selector, "x|y");
    assert_int_equal(t[5].select, RP_SELECT_NAME);
    assert_view(t[5].selector, "/*");
    assert_view(t[6].selector, "//@*");
    rp_arena_free(world.arena);
}

static void test_phrases(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule = rule_of(&world, "SecRule ARGS \"@pm a|41 42|c  |d\" \"id:1\"");
    assert_int_equal(rule->phrase_count, 2);
    assert_view(rule->phrases[0], "aABc");
    assert_view(rule->phrases[1], "|d");
    rule = rule_of(&world, "SecRule ARGS \"!@pmf words.data\" \"id:1\"");
    assert_true(rule->negated);
    assert_int_equal(rule->phrase_count, 3);
    assert_view(rule->phrases[0], "one ");
    assert_view(rule->phrases[1], "  two");
    rule = rule_of(&world, "SecRule REMOTE_ADDR \"@ipMatchF nets.data\" \"id:1\"");
    assert_view(rule->phrases[1], "2001:db8::/32");
    rp_arena_free(world.arena);
}

static void test_setvars_and_macros(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule = rule_of(
        &world, "SecAction \"id:1,nolog,setvar:tx.a,setvar:!tx.b,setvar:'tx.c_%{matched_var_name}"
                "=+%{tx.x}',setvar:ip.d=-2,expirevar:ip.d=%{tx.t},expirevar:ip.e=60,"
                "initcol:ip=%{REMOTE_ADDR}_x\"");
    const struct rp_waf_setvar *set = rule->setvars;
    assert_int_equal(rule->setvar_count, 4);
    assert_view(literal(&set[0].value), "1");
    assert_int_equal(set[1].how, RP_ASSIGN_UNSET);
    assert_int_equal(set[2].how, RP_ASSIGN_ADD);
    assert_int_equal(set[2].name.count, 2);
    assert_int_equal(set[2].name.pieces[1].variable, RP_VAR_MATCHED_VAR_NAME);
    assert_view(set[2].value.pieces[0].text, "x");
    assert_int_equal(set[3].how, RP_ASSIGN_SUBTRACT);
    assert_int_equal(set[3].collection, RP_VAR_IP);
    assert_int_equal(rule->expires[0].seconds, 0);
    assert_int_equal(rule->expires[0].lifetime.pieces[0].variable, RP_VAR_TX);
    assert_int_equal(rule->expires[1].seconds, 60);
    assert_int_equal(rule->initcols[0].key.count, 2);
    assert_int_equal(rule->logging, 0);
    rp_arena_free(world.arena);
}

static void test_ctl(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule =
        rule_of(&world, "SecAction \"id:1,ctl:ruleRemoveTargetByTag=attack-sqli;XML://@*,"
                        "ctl:ruleRemoveTargetById=5-9;ARGS:/^x/,ctl:ruleEngine=Off\"");
    assert_int_equal(rule->ctl_count, 3);
    assert_view(rule->ctls[0].value, "attack-sqli");
    assert_int_equal(rule->ctls[0].target.variable, RP_VAR_XML);
    assert_int_equal(rule->ctls[1].id_first, 5);
    assert_int_equal(rule->ctls[1].id_last, 9);
    assert_int_equal(rule->ctls[1].target.select, RP_SELECT_REGEX);
    assert_int_equal(rule->ctls[2].kind, RP_CTL_RULE_ENGINE);
    rp_arena_free(world.arena);
}

static void test_defaults_and_chains(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule = rule_of(
        &world, "SecDefaultAction \"phase:1,nolog,auditlog,deny,status:418,t:lowercase\"\n"
                "SecRule ARGS a \"id:1,phase:1,t:trim,chain\"\nSecRule ARGS b \"t:none,t:length\"\n"
                "SecRule ARGS c \"id:2,phase:1,block,log\"\nSecRule ARGS d \"id:3\"\n");
    assert_int_equal(world.set.rule_count, 4);
    assert_int_equal(rule[0].disruption, RP_DISRUPT_DENY);
    assert_int_equal(rule[0].status, 418);
    assert_int_equal(rule[0].logging, RP_WAF_AUDITLOG);
    assert_int_equal(rule[0].transform_count, 2);
    assert_int_equal(rule[0].transforms[0], RP_T_LOWERCASE);
    assert_true(rule[0].chained);
    assert_int_equal(rule[1].phase, 1);
    assert_int_equal(rule[1].disruption, RP_DISRUPT_NONE);
    assert_int_equal(rule[1].transform_count, 1);
    assert_int_equal(rule[2].disruption, RP_DISRUPT_BLOCK);
    assert_int_equal(rule[2].logging, RP_WAF_LOG | RP_WAF_AUDITLOG);
    assert_int_equal(rule[3].disruption, RP_DISRUPT_PASS);
    assert_int_equal(rule[3].phase, 2);
    rp_arena_free(world.arena);
}

static void test_updates(void **state) {
    struct world world = {0};
    (void)state;
    const struct rp_waf_rule *rule = rule_of(
        &world,
        "SecRuleRemoveById 9 20-29\nSecRuleRemoveById 99\nSecRuleRemoveByTag "
        "gone\nSecRuleRemoveByMsg 'bye bye'\n"
        "SecRule ARGS a \"id:1,deny,tag:x,chain\"\nSecRule TX b \"t:none\"\n"
        "SecRule ARGS c \"id:2,tag:gone,chain\"\nSecRule ARGS d\n"
        "SecRule ARGS e \"id:3,msg:'bye bye'\"\nSecRule ARGS e \"id:25\"\n"
        "SecRuleUpdateTargetById 1 \"!ARGS:pw\"\nSecRuleUpdateTargetByTag x REQUEST_URI ARGS\n"
        "SecRuleUpdateActionById 1 \"pass,status:500\"\n"
        "SecRuleUpdateActionById 1:1 \"t:lowercase\"\n");
    assert_int_equal(world.set.rule_count, 2);
    assert_int_equal(rule[0].target_count, 2);
    assert_view(rule[0].targets[0].selector, "pw");
    assert_int_equal(rule[0].targets[1].variable, RP_VAR_REQUEST_URI);
    assert_int_equal(rule[0].disruption, RP_DISRUPT_PASS);
    assert_int_equal(rule[0].status, 500);
    assert_int_equal(rule[1].transform_count, 1);
    assert_int_equal(world.set.note_count, 1); /* nothing is 99 */
    rp_arena_free(world.arena);
}

static void test_settings(void **state) {
    struct world world = {0};
    (void)state;
    rule_of(&world, "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecRequestBodyLimit 99\n"
                    "SecRequestBodyLimitAction ProcessPartial\nSecArgumentSeparator &\n"
                    "SecResponseBodyMimeType Text/HTML text/xml\nSecUnicodeMapFile unicode 20127\n"
                    "SecComponentSignature \"OWASP_CRS/3.3.4\"\nSecAuditLog /x\nSecTmpDir /tmp\n"
                    "Include more.conf\nSecMarker \"END\"\n");
    const struct rp_waf_settings *s = &world.set.settings;
    assert_int_equal(s->mode, RP_WAF_DETECT);
    assert_true(s->request_body);
    assert_int_equal(s->request_body_limit, 99);
    assert_false(s->request_limit_rejects);
    assert_int_equal(s->response_type_count, 2);
    assert_view(s->response_types[0], "text/html");
    assert_int_equal(s->unicode_map[0xc0], 0x41);
    assert_int_equal(s->unicode_map[0xa1], 0xffff);
    assert_view(s->component, "OWASP_CRS/3.3.4");
    assert_int_equal(world.set.note_count, 2);
    assert_true(world.set.rules[1].marker);
    rp_arena_free(world.arena);
}

static const struct {
    const char *text;
    enum rp_code err;
    unsigned line, column;
} bad[] = {
    {"SecFoo On", RP_E_UNKNOWN_KEY, 1, 1},
    {"SecRule", RP_E_SYNTAX, 1, 8},
    {"SecRule ARGS", RP_E_SYNTAX, 1, 13},
    {"SecRule ARGS \"x", RP_E_SYNTAX, 1, 14},
    {"SecRule ARGS \"x\"y \"id:1\"", RP_E_SYNTAX, 1, 17},
    {"SecRule ARGS x", RP_E_SYNTAX, 1, 1},
    {"SecRule ARGS x \"id:1\" y", RP_E_SYNTAX, 1, 23},
    {"SecRule FOO x \"id:1\"", RP_E_UNKNOWN_KEY, 1, 9},
    {"SecRule ARGS| x \"id:1\"", RP_E_UNKNOWN_KEY, 1, 14},
    {"SecRule REQUEST_URI:x x \"id:1\"", RP_E_INVALID, 1, 20},
    {"SecRule ARGS: x \"id:1\"", RP_E_SYNTAX, 1, 14},
    {"SecRule ARGS:/x x \"id:1\"", RP_E_SYNTAX, 1, 14},
    {"SecRule XML:/a/b x \"id:1\"", RP_E_UNSUPPORTED, 1, 13},
    {"SecRule STREAM_INPUT_BODY x \"id:1\"", RP_E_UNSUPPORTED, 1, 9},
    {"SecRule ARGS \"@foo x\" \"id:1\"", RP_E_UNKNOWN_KEY, 1, 16},
    {"SecRule ARGS \"@pm\" \"id:1\"", RP_E_SYNTAX, 1, 18},
    {"SecRule ARGS \"\" \"id:1\"", RP_E_SYNTAX, 1, 15},
    {"SecRule XML \"@rx x\" \"id:1\"", RP_E_UNSUPPORTED, 1, 9},
    {"SecRule ARGS|&XML \"@eq 0\" \"id:1\"", RP_E_UNSUPPORTED, 1, 14},
    {"SecCookieFormat 1", RP_E_UNSUPPORTED, 1, 17},
    {"SecRule ENV:PATH x \"id:1\"", RP_E_UNSUPPORTED, 1, 9},
    {"SecRule ARGS \"@streq %{ENV.PATH}\" \"id:1\"", RP_E_UNSUPPORTED, 1, 24},
    {"SecRule ARGS \"@inspectFile /x\" \"id:1\"", RP_E_UNSUPPORTED, 1, 16},
    {"SecRule ARGS \"@fuzzyHash /x 1\" \"id:1\"", RP_E_UNSUPPORTED, 1, 16},
    {"SecRule ARGS \"@pmFromFile none.data\" \"id:1\"", RP_E_NOT_FOUND, 1, 27},
    {"SecRule ARGS \"@pmFromFile https://x/y\" \"id:1\"", RP_E_UNSUPPORTED, 1, 27},
    {"SecRule ARGS \"@ipMatch 1.2.3.400\" \"id:1\"", RP_E_INVALID, 1, 24},
    {"SecRule ARGS \"@ipMatch 1.2.3.4/33\" \"id:1\"", RP_E_INVALID, 1, 24},
    {"SecRule ARGS \"@validateByteRange 9-2\" \"id:1\"", RP_E_INVALID, 1, 34},
    {"SecRule ARGS \"@validateByteRange 1-256\" \"id:1\"", RP_E_INVALID, 1, 34},
    {"SecRule ARGS \"@streq %{foo.x}\" \"id:1\"", RP_E_UNKNOWN_KEY, 1, 22},
    {"SecRule ARGS \"@streq %{REMOTE_ADDR.x}\" \"id:1\"", RP_E_INVALID, 1, 22},
    {"SecAction \"id:1,\"", RP_E_SYNTAX, 1, 16},
    {"SecAction \"id:1,,pass\"", RP_E_SYNTAX, 1, 17},
    {"SecAction \"id:1,foo\"", RP_E_UNKNOWN_KEY, 1, 17},
    {"SecAction \"id:0\"", RP_E_INVALID, 1, 12},
    {"SecAction \"id:x\"", RP_E_INVALID, 1, 12},
    {"SecAction \"id:1,phase:6\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,severity:9\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,status:99\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,t:foo\"", RP_E_UNKNOWN_KEY, 1, 17},
    {"SecAction \"id:1,pass:x\"", RP_E_SYNTAX, 1, 17},
    {"SecAction \"id:1,allow:foo\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,msg:'x\"", RP_E_SYNTAX, 1, 21},
    {"SecAction \"id:1,exec:/bin/true\"", RP_E_UNSUPPORTED, 1, 17},
    {"SecAction \"id:1,proxy:http://x\"", RP_E_UNSUPPORTED, 1, 17},
    {"SecAction \"id:1,deprecatevar:ip.x=1/2\"", RP_E_UNSUPPORTED, 1, 17},
    {"SecAction \"id:1,setvar:foo.a=1\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,setvar:tx.=1\"", RP_E_SYNTAX, 1, 17},
    {"SecAction \"id:1,setvar:!tx.a=1\"", RP_E_SYNTAX, 1, 17},
    {"SecAction \"id:1,expirevar:ip.a=soon\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:foo=bar\"", RP_E_UNKNOWN_KEY, 1, 17},
    {"SecAction \"id:1,ctl:ruleEngine=Maybe\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:requestBodyLimit=0\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:responseBodyLimit=1k\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:debugLogLevel=10\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:hashEngine=On\"", RP_E_INVALID, 1, 17},
    {"SecAction \"id:1,ctl:ruleRemoveById=x\"", RP_E_INVALID, 1, 36},
    {"SecAction \"id:1,ctl:ruleRemoveTargetById=1\"", RP_E_SYNTAX, 1, 17},
    {"SecAction \"id:1\"\nSecAction \\\n \"id:1\"", RP_E_DUPLICATE, 2, 1},
    {"SecRule ARGS x \"id:1,chain\"", RP_E_SYNTAX, 1, 1},
    {"SecRule ARGS x \"id:1,chain\"\nSecMarker x", RP_E_SYNTAX, 2, 1},
    {"SecRule ARGS x \"id:1,chain\"\nSecRule ARGS x \"deny\"", RP_E_INVALID, 2, 17},
    {"SecRule ARGS x \"id:1,chain\"\nSecRule ARGS x \"id:2\"", RP_E_INVALID, 2, 17},
    {"SecRule ARGS x \"id:1,chain\"\nSecRule ARGS x \"phase:1\"", RP_E_INVALID, 2, 17},
    {"Include open.conf\nSecRule ARGS x", RP_E_SYNTAX, 1, 1},
    {"Include none.conf", RP_E_NOT_FOUND, 1, 9},
    {"Include circle.conf", RP_E_TOO_LARGE, 1, 9},
    {"SecDefaultAction \"log,pass\"", RP_E_SYNTAX, 1, 19},
    {"SecDefaultAction \"phase:1,log\"", RP_E_SYNTAX, 1, 19},
    {"SecDefaultAction \"phase:1,pass\"\nSecDefaultAction \"phase:1,deny\"", RP_E_DUPLICATE, 2, 1},
    {"SecRuleEngine Maybe", RP_E_INVALID, 1, 15},
    {"SecRequestBodyLimit x", RP_E_INVALID, 1, 21},
    {"SecRuleScript x.lua", RP_E_UNSUPPORTED, 1, 1},
    {"SecUnicodeCodePage 20127", RP_E_UNSUPPORTED, 1, 1},
    {"SecCookieV0Separator ,", RP_E_UNSUPPORTED, 1, 1},
    {"SecPdfProtect On", RP_E_UNSUPPORTED, 1, 15},
    {"SecRuleRemoveById foo", RP_E_INVALID, 1, 19},
    {"SecRuleUpdateActionById 1 \"id:2\"", RP_E_INVALID, 1, 28},
    {"SecAction \"id:1\"\nSecRuleUpdateActionById 1:1 \"pass\"", RP_E_INVALID, 2, 1},
    {"# words \\\nSecAction \"id:1\"", RP_E_SYNTAX, 1, 9},
    {"SecAction \\", RP_E_SYNTAX, 1, 11},
    {"SecAction \"id:1,\\\n# off,\\\npass\"", RP_E_SYNTAX, 2, 1},
};

/* What does nothing here is taken, and told: a note each. */
static void test_noted(void **state) {
    static const char *const lines[] = {"SecChrootDir /srv",
                                        "SecHashKey abc KeyOnly",
                                        "SecHashParam crypt",
                                        "SecHashMethodRx HashHref \"x\"",
                                        "SecHashMethodPm HashHref \"x\"",
                                        "SecRemoteRulesFailAction Warn",
                                        "SecReadStateLimit 50",
                                        "SecWriteStateLimit 50",
                                        "SecPdfProtectMethod TokenRedirection",
                                        "SecRule ARGS \"@eq x\" \"id:1\"",
                                        "SecAction \"id:1,sanitizeArg:password\"",
                                        "SecAction \"id:1,sanitizeMatchedBytes\"",
                                        "SecRule DURATION \"@eq 1\" \"id:1\"",
                                        "SecRule WEBSERVER_ERROR_LOG \"@rx x\" \"id:1,phase:5\""};
    struct world world = {0};
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(lines); i++) {
        assert_ok(read_text(&world, lines[i]));
        assert_int_equal(world.set.note_count, 1);
    }
    rp_arena_free(world.arena);
}

static void test_refused(void **state) {
    struct world world = {0};
    (void)state;
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        rp_err err = read_text(&world, bad[i].text);
        bool good = rp_is(err, bad[i].err) && world.diag.line == bad[i].line &&
                    world.diag.column == bad[i].column && world.diag.text[0] != 0 &&
                    world.place.file.n > 0;
        if (!good) {
            print_error("%s\n  gave %s at %u:%u: %s\n", bad[i].text, rp_err_name(err),
                        world.diag.line, world.diag.column, world.diag.text);
        }
        assert_true(good);
    }
    rp_arena_free(world.arena);
}

/* ---- Debian's Core Rule Set ---- */

static const struct rp_waf_rule *by_id(const struct rp_waf_ruleset *set, uint64_t id) {
    for (size_t i = 0; i < set->rule_count; i++) {
        if (set->rules[i].id == id) {
            return &set->rules[i];
        }
    }
    fail_msg("no rule %llu", (unsigned long long)id);
    return NULL;
}

static void check_crs(const struct rp_waf_ruleset *set) {
    size_t rules = 0, actions = 0, markers = 0;
    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rp_waf_rule *rule = &set->rules[i];
        bool rules_folder = rp_view_find(rule->file, RP_VIEW("/rules/")) < rule->file.n;
        markers += rule->marker;
        actions += rules_folder && rule->unconditional;
        rules += rules_folder && !rule->unconditional && !rule->marker;
    }
    assert_int_equal(rules, 790);
    assert_int_equal(actions, 9);
    assert_int_equal(markers, 40);
    assert_view(set->settings.component, "OWASP_CRS/3.3.4");
    const struct rp_waf_rule *rule = by_id(set, 942100);
    assert_int_equal(rule->op, RP_OP_DETECT_SQLI);
    assert_int_equal(rule->phase, 2);
    assert_int_equal(rule->disruption, RP_DISRUPT_BLOCK);
    assert_int_equal(rule->severity, 2);
    assert_true(rule->capture && rule->multi_match);
    rule = by_id(set, 920270);
    assert_int_equal(rule->op, RP_OP_VALIDATE_BYTE_RANGE);
    assert_view(literal(&rule->argument), "1-255");
    rule = by_id(set, 949110);
    assert_int_equal(rule->disruption, RP_DISRUPT_DENY);
    assert_int_equal(rule->op, RP_OP_GE);
    assert_int_equal(rule->argument.pieces[0].variable, RP_VAR_TX);
    rule = by_id(set, 901100);
    assert_int_equal(rule->setvar_count, 1);
}

static void test_debian_crs(void **state) {
    (void)state;
    static const char *const needed[] = {"/usr/share/modsecurity-crs/owasp-crs.load",
                                         "/etc/modsecurity/crs/crs-setup.conf"};
    if (access(needed[0], R_OK) != 0 || access(needed[1], R_OK) != 0) {
        print_message("Debian's modsecurity-crs is not installed\n");
        skip();
    }
    struct rp_waf_loader loader = rp_waf_disk_loader();
    struct world world = {.arena = rp_arena_new((size_t)256 << 20)};
    rp_view file = rp_view_from_cstr(needed[0]);
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    rp_err err =
        rp_seclang_read(&loader, &file, 1, world.arena, &world.set, &world.place, &world.diag);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    if (!rp_ok(err)) {
        print_error("%.*s:%u:%u %s\n", RP_FMT(world.place.file), world.diag.line, world.diag.column,
                    world.diag.text);
    }
    assert_ok(err);
    check_crs(&world.set);
    for (size_t i = 0; i < world.set.note_count; i++) {
        print_message("note: %.*s\n", RP_FMT(world.set.notes[i].text));
    }
    print_message("whole CRS in %ld us of a core, %zu bytes\n",
                  (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000,
                  rp_arena_used(world.arena));
    rp_arena_free(world.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_keep_backslashes),
        cmocka_unit_test(test_lines_are_joined),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_setvars_and_macros),
        cmocka_unit_test(test_ctl),
        cmocka_unit_test(test_defaults_and_chains),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_noted),
        cmocka_unit_test(test_debian_crs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
