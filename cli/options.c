/* options.c — what may follow a command, read into struct cli; which command takes which, its usage
 * says (usage.c). */
#include "cli.h"

/* --name VALUE and --name=VALUE; true when argument i was this option. */
static bool take_value(int argc, char **argv, int *i, const char *name, const char **ret_value) {
    size_t n = strlen(name);
    const char *argument = argv[*i];
    if (strncmp(argument, name, n) != 0) {
        return false;
    }
    if (argument[n] == '=') {
        *ret_value = argument + n + 1;
        return true;
    }
    if (argument[n] == 0 && *i + 1 < argc) {
        *ret_value = argv[++*i];
        return true;
    }
    return false;
}

/* --name VALUE… up to the next option; true when argument i was this option and had one. */
static bool take_values(int argc, char **argv, int *i, const char *name,
                        struct cli_values *values) {
    const char *one = NULL;
    if (!take_value(argc, argv, i, name, &one)) {
        return false;
    }
    for (;;) {
        if (values->count == RP_VALUES_MAX) {
            return false;
        }
        values->p[values->count++] = one;
        if (*i + 1 >= argc || argv[*i + 1][0] == '-') {
            return true;
        }
        one = argv[++*i];
    }
}

static bool take_flag(const char *argument, const char *name, bool *ret_flag) {
    if (strcmp(argument, name) != 0) {
        return false;
    }
    *ret_flag = true;
    return true;
}

bool cli_take_option(struct cli *cli, int argc, char **argv, int *i) {
    return take_flag(argv[*i], "--dry-run", &cli->dry_run) ||
           take_value(argc, argv, i, "--state", &cli->state) ||
           take_value(argc, argv, i, "--config", &cli->config) ||
           take_value(argc, argv, i, "--upstream", &cli->upstream) ||
           take_value(argc, argv, i, "--listen", &cli->listen) ||
           take_value(argc, argv, i, "--key", &cli->key) ||
           take_value(argc, argv, i, "--entry", &cli->entry) ||
           take_value(argc, argv, i, "--tenant", &cli->tenant) ||
           take_value(argc, argv, i, "--role", &cli->role) ||
           take_value(argc, argv, i, "--record", &cli->record) ||
           take_value(argc, argv, i, "--quiet", &cli->quiet) ||
           take_value(argc, argv, i, "--digest", &cli->digest) ||
           take_value(argc, argv, i, "--scopes", &cli->scopes) ||
           take_value(argc, argv, i, "--ca", &cli->ca) ||
           take_value(argc, argv, i, "--reason", &cli->reason) ||
           take_value(argc, argv, i, "--app", &cli->app) ||
           take_value(argc, argv, i, "--days", &cli->days) ||
           take_value(argc, argv, i, "--confirm", &cli->confirm) ||
           take_value(argc, argv, i, "--minutes", &cli->minutes) ||
           take_value(argc, argv, i, "--path", &cli->path) ||
           take_value(argc, argv, i, "--method", &cli->method) ||
           take_value(argc, argv, i, "--header", &cli->header) ||
           take_value(argc, argv, i, "--file", &cli->file) ||
           take_value(argc, argv, i, "--from", &cli->from) ||
           take_value(argc, argv, i, "--to", &cli->to) ||
           take_flag(argv[*i], "--json", &cli->json) ||
           take_flag(argv[*i], "--summary", &cli->summary) ||
           take_flag(argv[*i], "--sample", &cli->sample) ||
           take_flag(argv[*i], "--skip-bad", &cli->skip_bad) ||
           take_value(argc, argv, i, "--shares", &cli->shares) ||
           take_value(argc, argv, i, "--threshold", &cli->threshold) ||
           take_value(argc, argv, i, "--passphrase-file", &cli->passphrase_file) ||
           take_flag(argv[*i], "--force-older", &cli->force_older) ||
           take_flag(argv[*i], "--keep-ledger", &cli->keep_ledger) ||
           take_flag(argv[*i], "--renew", &cli->renew) ||
           take_values(argc, argv, i, "--rules", &cli->rules) ||
           take_values(argc, argv, i, "--tests", &cli->tests) ||
           take_values(argc, argv, i, "--witness", &cli->witnesses) ||
           take_value(argc, argv, i, "--image", &cli->image) ||
           take_value(argc, argv, i, "--output", &cli->output) ||
           take_value(argc, argv, i, "-o", &cli->output) ||
           take_value(argc, argv, i, "--request", &cli->request) ||
           take_value(argc, argv, i, "--response", &cli->response) ||
           take_value(argc, argv, i, "--url", &cli->url) ||
           take_value(argc, argv, i, "--log", &cli->log) ||
           take_value(argc, argv, i, "--by", &cli->by) ||
           take_value(argc, argv, i, "--since", &cli->since) ||
           take_value(argc, argv, i, "--lines", &cli->lines) ||
           take_value(argc, argv, i, "-n", &cli->lines) ||
           take_value(argc, argv, i, "--wait", &cli->wait) ||
           take_value(argc, argv, i, "--seconds", &cli->seconds);
}

bool cli_is_option(const char *arg) {
    return strncmp(arg, "--", 2) == 0 || strcmp(arg, "-o") == 0 || strcmp(arg, "-n") == 0;
}
