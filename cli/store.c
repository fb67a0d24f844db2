/* store.c — rempart store copy: the databases, from files into a PostgreSQL or back.
 *
 * The suite is stopped meanwhile. What was copied stays where it was, so that an operator goes back
 * by the configuration alone; but files beside a PostgreSQL keep core from starting, so those are
 * put away once all of it is there.
 */
#include <stdio.h>
#include <unistd.h>

#include "backup.h"
#include "base/checked.h"
#include "cli.h"
#include "os/batch.h"
#include "os/file.h"
#include "store/copy.h"

static const char kept_name[] = "db/system.db.copied";

static void say_progress(void *ctx, const struct rp_copying *copying) {
    const struct cli *cli = ctx;
    if (!cli->json && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%llu %s, %llu %s", (unsigned long long)copying->databases,
                cli_plural(cli, copying->databases, cli_say(cli, "base", "database"),
                           cli_say(cli, "bases", "databases")),
                (unsigned long long)copying->rows,
                cli_plural(cli, copying->rows, cli_say(cli, "ligne", "row"),
                           cli_say(cli, "lignes", "rows")));
    }
}

static bool is_files(const char *url) {
    return strcmp(url, "sqlite:") == 0;
}

/* The next start is on the other store. */
static rp_err put_away(const char *from) {
    return is_files(from) ? rp_batch_rename("db/system.db", kept_name) : RP_OK;
}

static rp_err copy(struct cli *cli, struct rp_copying *copying, struct rp_diag *diag) {
    RP_TRY(cli_check_stopped(cli, cli->state, diag));
    if (chdir(cli->state) != 0) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "%s", cli->state);
    }
    RP_TRY(rp_store_copy_all(cli->from, cli->to, copying, diag));
    RP_TRY(put_away(cli->from));
    return is_files(cli->to) ? backup_folder_give_to_roles() : RP_OK;
}

static void tell(const struct cli *cli, const struct rp_copying *copying) {
    unsigned long long databases = copying->databases, rows = copying->rows;
    if (cli->json) {
        printf("{\"databases\":%llu,\"rows\":%llu}\n", databases, rows);
        return;
    }
    fprintf(stderr, isatty(STDERR_FILENO) ? "\n" : "");
    printf(cli_say(cli, "%llu bases et %llu lignes sont dans %s\n",
                   "%llu databases and %llu rows are in %s\n"),
           databases, rows, cli->to);
    printf(cli_say(cli, "ensuite : store: \"%s\" dans rempart.yaml, puis rempart up --state %s\n",
                   "next: store: \"%s\" in rempart.yaml, then rempart up --state %s\n"),
           cli->to, cli->state);
    if (is_files(cli->from)) {
        printf(cli_say(cli, "l’ancienne base reste là : %s/%s\n",
                       "the former database stays there: %s/%s\n"),
               cli->state, kept_name);
    }
}

enum rp_exit cli_store(struct cli *cli) {
    struct rp_copying copying = {.each = say_progress, .ctx = cli};
    struct rp_diag diag = cli_diag(cli);
    if (cli->arg_count != 1 || strcmp(cli->args[0], "copy") != 0 || !cli->from || !cli->to) {
        return cli_usage_words(cli);
    }
    rp_err err = copy(cli, &copying, &diag);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli_say(cli, "aucune copie", "no copy"), &diag);
    }
    tell(cli, &copying);
    return RP_EXIT_OK;
}
