/* link.c — `rempart link`: this machine's key among machines, and what runs on another. */
#include <time.h>

#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"
#include "key_io.h"
#include "os/file.h"
#include "reasons.h"

enum { STATUS_MAX = 1 << 20 };

static struct rp_json *read_json(const struct cli *cli, const char *path) {
    rp_view text = {NULL, 0};
    struct rp_json *json = NULL;
    bool good = rp_ok(rp_file_read(path, STATUS_MAX, cli->arena, &text)) &&
                rp_ok(rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &json, NULL));
    return good ? json : NULL;
}

/* ---- the key ---- */

static enum rp_exit print_key(struct cli *cli) {
    char text[RP_FINGERPRINT_TEXT];
    struct rp_env env = rp_env_real();
    struct rp_tls_key *key = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_folder_make(cli->state, 0755);
    if (rp_ok(err)) {
        err = cli_enter_state(cli);
    }
    if (rp_ok(err)) {
        err = rp_crypto_start();
    }
    if (rp_ok(err)) {
        err = link_key_load(&env, cli->arena, &key, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "link/key.pem", &diag);
    }
    struct rp_sha256 fingerprint = rp_tls_key_fingerprint(key);
    rp_tls_key_free(key);
    rp_fingerprint_print(&fingerprint, text);
    if (cli->json) {
        struct rp_json *json = rp_json_object(cli->arena);
        rp_json_add_cstr(cli->arena, json, "key", text);
        cli_print_json(json);
    } else {
        printf("%s\n", text);
    }
    return RP_EXIT_OK;
}

enum rp_exit cli_link(struct cli *cli) {
    if (cli->arg_count == 1 && strcmp(cli->args[0], "key") == 0) {
        return print_key(cli);
    }
    return cli_usage_words(cli);
}

/* ---- what the link says of itself ---- */

/* "2026-11-26T13:00:00Z" of a direction, and whether it stands. */
static bool is_up(const struct rp_json *machine, const char *direction, uint64_t *ret_since_s,
                  rp_view *ret_error) {
    const struct rp_json *standing = rp_json_get(machine, direction);
    bool up = false;
    if (standing) {
        rp_json_get_bool(standing, "up", &up);
        rp_json_get_u64(standing, "since_s", ret_since_s);
        *ret_error = rp_json_get_string(standing, "last_error");
    }
    return up;
}

static void print_direction(const struct cli *cli, const struct rp_json *machine,
                            const char *direction, const char *what) {
    uint64_t since_s = 0;
    rp_view error = {NULL, 0};
    bool up = is_up(machine, direction, &since_s, &error);
    printf("  %-12s %s %s %s", what,
           up ? cli_say(cli, "établie", "up") : cli_say(cli, "rompue", "down"),
           cli_say(cli, "depuis", "since"), rp_time_print((int64_t)since_s).s);
    if (error.n > 0) {
        const char *why = link_why_in(error, cli->lang);
        rp_view text = why ? rp_view_from_cstr(why) : error;
        printf("  (%s%s %.*s)", cli_say(cli, "dernière erreur", "last error"), cli_colon(cli),
               RP_FMT(text));
    }
    printf("\n");
}

bool cli_print_links(struct cli *cli, struct rp_json *status) {
    struct rp_json *link =
        rp_json_get(status, "elsewhere") ? read_json(cli, "run/link.json") : NULL;
    const struct rp_json *machines = link ? rp_json_get(link, "machines") : NULL;
    bool well = true;
    if (link && cli->json) {
        rp_json_add(cli->arena, status, "link", link);
    }
    for (const struct rp_json *machine = machines ? machines->first : NULL; machine;
         machine = machine->next) {
        uint64_t since_s = 0, port = 0;
        rp_view error = {NULL, 0};
        well = is_up(machine, "asks", &since_s, &error) && well;
        if (cli->json) {
            continue;
        }
        rp_json_get_u64(machine, "port", &port);
        printf("%s %.*s, %.*s, port %llu\n", cli_say(cli, "machine", "machine"),
               RP_FMT(rp_json_get_string(machine, "name")),
               RP_FMT(rp_json_get_string(machine, "address")), (unsigned long long)port);
        print_direction(cli, machine, "asks", cli_say(cli, "vers elle", "asked"));
        print_direction(cli, machine, "answers", cli_say(cli, "d’elle", "asks"));
    }
    return well;
}

/* ---- what runs there ---- */

static bool runs(const struct rp_json *machine, const char *role) {
    const struct rp_json *roles = rp_json_get(machine, "runs");
    for (const struct rp_json *one = roles ? roles->first : NULL; one; one = one->next) {
        if (rp_view_equal(one->string, rp_view_from_cstr(role))) {
            return true;
        }
    }
    return false;
}

bool cli_runs_elsewhere(const struct cli *cli, const char *role, rp_view *ret_machine) {
    struct rp_json *status = read_json(cli, "run/status.json");
    const struct rp_json *machines = status ? rp_json_get(status, "elsewhere") : NULL;
    for (const struct rp_json *machine = machines ? machines->first : NULL; machine;
         machine = machine->next) {
        if (runs(machine, role)) {
            *ret_machine = rp_json_get_string(machine, "machine");
            return true;
        }
    }
    return false;
}
