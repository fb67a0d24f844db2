/* register_example.c — rempart register example load|remove: the company that teaches. */
#include "base/assert.h"
#include "cli.h"
#include "os/file.h"
#include "register.h"
#include "wire/yaml.h"

enum { COMPANY_MAX = 256 * 1024 };

/* What is not in quotes and reads as a number, true or false is that. */
static struct rp_json *scalar_json(struct rp_arena *arena, const struct rp_yaml *yaml) {
    struct rp_json *json = NULL;
    if (!yaml->quoted && rp_ok(rp_json_parse(yaml->scalar, RP_JSON_LIMITS, arena, &json, NULL)) &&
        json->kind != RP_JSON_STRING) {
        return json;
    }
    json = rp_arena_alloc(arena, sizeof *json);
    if (json) {
        *json = (struct rp_json){.kind = RP_JSON_STRING, .string = yaml->scalar};
    }
    return json;
}

/* The reader of YAML bounds the depth to 16. */
static struct rp_json *json_of_yaml(struct rp_arena *arena, const struct rp_yaml *yaml) {
    if (yaml->kind == RP_YAML_SCALAR) {
        return scalar_json(arena, yaml);
    }
    bool mapping = yaml->kind == RP_YAML_MAPPING;
    struct rp_json *json = mapping ? rp_json_object(arena) : rp_json_array(arena);
    for (const struct rp_yaml *one = yaml->first; one; one = one->next) {
        rp_json_add(arena, json, mapping ? rp_arena_cstr(arena, one->key) : NULL,
                    json_of_yaml(arena, one));
    }
    return json;
}

static rp_err read_company(struct cli *cli, const char *path, struct rp_json **ret_json,
                           struct rp_diag *diag) {
    struct rp_yaml *yaml = NULL;
    rp_view text;
    RP_TRY(rp_file_read(path, COMPANY_MAX, cli->arena, &text));
    RP_TRY(rp_yaml_parse(text, cli->arena, &yaml, diag));
    *ret_json = json_of_yaml(cli->arena, yaml);
    return *ret_json ? RP_OK : RP_ERR(TOO_LARGE);
}

static enum rp_exit load(struct cli *cli) {
    struct rp_json *company = NULL, *answer = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_view path = rp_arena_printf(cli->arena, "%s/examples/company.yaml", cli_share_folder(cli));
    RP_ASSERT(path.p != NULL);
    rp_err err = read_company(cli, (const char *)path.p, &company, &diag);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, (const char *)path.p, &diag);
    }
    enum rp_exit code = cli_ask(cli, "POST", "/.rempart/api/v1/admin/example", company, &answer);
    uint64_t count = 0;
    if (code == RP_EXIT_OK && rp_json_get_u64(answer, "loaded", &count)) {
        printf(cli_say(cli,
                       "%llu fiches d’une entreprise fictive ; elles ne prouvent aucune promesse. "
                       "« rempart register example remove » les retire.\n",
                       "%llu records of a fictitious company; they prove no promise. "
                       "\"rempart register example remove\" takes them away.\n"),
               (unsigned long long)count);
    }
    return code;
}

static enum rp_exit take_away(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "DELETE", "/.rempart/api/v1/admin/example", NULL, &answer);
    uint64_t count = 0;
    if (code == RP_EXIT_OK && rp_json_get_u64(answer, "removed", &count)) {
        printf(cli_say(cli, "%llu fiches d’exemple retirées\n", "%llu example records removed\n"),
               (unsigned long long)count);
    }
    return code;
}

enum rp_exit cli_register_example(struct cli *cli) {
    bool loading = strcmp(cli->args[1], "load") == 0;
    if (!loading && strcmp(cli->args[1], "remove") != 0) {
        return cli_usage(cli, "example load|remove");
    }
    return loading ? load(cli) : take_away(cli);
}
