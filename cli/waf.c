/* waf.c — `rempart waf`: its words, and rules compiled; the others have their own files. */
#include "waf.h"

#include "base/assert.h"
#include "base/id.h"
#include "os/file.h"

static void print_notes(const struct cli *cli, const struct waf_rules *rules) {
    for (size_t i = 0; i < rules->note_count; i++) {
        const struct rp_waf_note *note = &rules->notes[i];
        fprintf(stderr, "%.*s:%u: %s%s %.*s\n", RP_FMT(note->file), note->line,
                cli_say(cli, "à noter", "note"), cli_colon(cli), RP_FMT(note->text));
    }
}

static void print_info(const struct cli *cli, const struct rp_waf *waf) {
    struct rp_waf_info info;
    char hex[2 * sizeof info.sha256 + 1];
    rp_waf_info(waf, &info);
    rp_hex_print(rp_view_of(info.sha256, sizeof info.sha256), hex);
    hex[sizeof hex - 1] = 0;
    if (cli->json) {
        struct rp_json *root = rp_json_object(cli->arena);
        rp_json_add_string(cli->arena, root, "component", info.component);
        rp_json_add_u64(cli->arena, root, "rules", info.rules);
        rp_json_add_u64(cli->arena, root, "expressions", info.expressions);
        rp_json_add_u64(cli->arena, root, "bytes", info.image_bytes);
        rp_json_add_cstr(cli->arena, root, "sha256", hex);
        cli_print_json(root);
        return;
    }
    printf("%.*s%s%zu %s, %zu %s, %zu %s, sha256 %s\n", RP_FMT(info.component),
           info.component.n > 0 ? ": " : "", info.rules, cli_say(cli, "règles", "rules"),
           info.expressions, cli_say(cli, "expressions", "expressions"), info.image_bytes,
           cli_say(cli, "octets", "bytes"), hex);
}

static enum rp_exit waf_compile(struct cli *cli) {
    struct waf_rules rules;
    if (!cli->output || cli->rules.count == 0) {
        return cli_usage(cli, cli_say(cli, "compile --rules FICHIER… -o IMAGE",
                                      "compile --rules FILE… -o IMAGE"));
    }
    enum rp_exit code = waf_rules_open(cli, WAF_READY, &rules);
    if (code != RP_EXIT_OK) {
        return code;
    }
    print_notes(cli, &rules);
    rp_err err = rp_file_replace(cli->output, 0644, rp_buf_view(&rules.image));
    code = rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->output, NULL);
    if (code == RP_EXIT_OK) {
        print_info(cli, rules.waf);
    }
    waf_rules_done(&rules);
    return code;
}

enum rp_exit cli_waf(struct cli *cli) {
    static const struct {
        const char *name;
        enum rp_exit (*run)(struct cli *cli);
    } commands[] = {
        {"compile", waf_compile}, {"exec", waf_exec},     {"test", waf_test},
        {"explain", waf_explain}, {"bench", waf_bench},   {"proposals", waf_proposals},
        {"accept", waf_accept},   {"reject", waf_reject}, {"exclusions", waf_exclusions},
        {"top", waf_top},         {"model", waf_model}};
    for (size_t i = 0; cli->arg_count > 0 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(cli->args[0], commands[i].name) == 0) {
            return commands[i].run(cli);
        }
    }
    return cli_usage(
        cli,
        "compile, exec, test, explain, bench, proposals, accept, reject, exclusions, top, model");
}
