/* status.c — `rempart status`: what the supervisor knows, and the memory that the kernel counts. */
#include "cli.h"
#include "os/file.h"

enum { STATUS_MAX = 1 << 20 };

/* Proportional set size in KiB from /proc/PID/smaps_rollup; 0 when it cannot be read. */
static uint64_t pss_kib(struct cli *cli, uint64_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%llu/smaps_rollup", (unsigned long long)pid);
    rp_view text = {NULL, 0};
    if (!rp_ok(rp_file_read(path, 65536, cli->arena, &text))) {
        return 0;
    }
    rp_view rest = rp_view_from(text, rp_view_find(text, RP_VIEW("\nPss:")) + 5);
    rp_view line = rp_view_trim(rp_view_cut(&rest, '\n'));
    uint64_t kib = 0;
    return rp_view_to_u64(rp_view_cut(&line, ' '), UINT64_MAX, &kib) ? kib : 0;
}

static void print_role(const struct cli *cli, const struct rp_json *role, uint64_t kib) {
    uint64_t pid = 0, restarts = 0;
    rp_json_get_u64(role, "pid", &pid);
    rp_json_get_u64(role, "restarts", &restarts);
    printf("%-8.*s %-9.*s pid %-7llu %s %-3llu ", RP_FMT(rp_json_get_string(role, "name")),
           RP_FMT(rp_json_get_string(role, "state")), (unsigned long long)pid,
           cli_say(cli, "relances", "restarts"), (unsigned long long)restarts);
    if (kib) {
        printf("%5.1f MiB\n", (double)kib / 1024);
    } else {
        printf("%s\n", cli_say(cli, "mémoire non lisible", "memory not readable"));
    }
}

enum rp_exit cli_status(struct cli *cli) {
    rp_err err = cli_enter_state(cli);
    rp_view text = {NULL, 0};
    if (rp_ok(err)) {
        err = rp_file_read("run/status.json", STATUS_MAX, cli->arena, &text);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, RP_ERR(UNREACHABLE), cli->state, NULL);
    }
    struct rp_json *status = NULL;
    struct rp_diag diag = {0};
    err = rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &status, &diag);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, "run/status.json", &diag);
    }
    const struct rp_json *roles = rp_json_get(status, "roles");
    uint64_t total = 0;
    bool all_up = roles != NULL;
    for (struct rp_json *role = roles ? roles->first : NULL; role; role = role->next) {
        uint64_t pid = 0;
        uint64_t kib = rp_json_get_u64(role, "pid", &pid) && pid ? pss_kib(cli, pid) : 0;
        total += kib;
        all_up = all_up && rp_view_equal(rp_json_get_string(role, "state"), RP_VIEW("ready"));
        if (cli->json) {
            rp_json_add_u64(cli->arena, role, "pss_kib", kib);
        } else {
            print_role(cli, role, kib);
        }
    }
    if (cli->json) {
        rp_json_add_u64(cli->arena, status, "pss_kib", total);
        cli_print_json(status);
    } else {
        printf("%s: %.1f MiB\n", cli_say(cli, "en tout", "in all"), (double)total / 1024);
    }
    return all_up ? RP_EXIT_OK : RP_EXIT_FINDING;
}
