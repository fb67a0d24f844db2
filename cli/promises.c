/* promises.c — `rempart promises`: what the public page says, on a terminal; probes on demand, and
 * the wait for the first round of them.
 */
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "cli.h"
#include "ipc/ipc.h"

enum { PROBE_DEADLINE_MS = 120000, WAIT_MAX_S = 3600, LOOK_EVERY_S = 2, IDLE_MAX_S = 30 };

/* In the order in which they are counted; French as it stands behind a number, behind 1, and before
 * a promise. */
static const struct {
    const char *name, *several, *single, *one;
} statuses[] = {
    {"proven", "prouvées", "prouvée", "prouvée"},
    {"failing", "en échec", "en échec", "en échec"},
    {"stale", "à la preuve périmée", "à la preuve périmée", "périmée"},
    {"declared", "déclarées", "déclarée", "déclarée"},
    {"not-met", "non tenues ici", "non tenue ici", "non tenue"},
    {"not-built", "pas encore construites", "pas encore construite", "à construire"},
    {"not-applicable", "sans objet", "sans objet", "sans objet"},
};

/* For people; programs read --json. */
static rp_view status_word(const struct cli *cli, const struct rp_json *of) {
    rp_view status = rp_json_get_string(of, "status");
    for (size_t i = 0; cli->lang == RP_FR && i < RP_COUNT_OF(statuses); i++) {
        if (rp_view_equal(status, rp_view_from_cstr(statuses[i].name))) {
            return rp_view_from_cstr(statuses[i].one);
        }
    }
    return status;
}

static void print_status(const struct cli *cli, const struct rp_json *of, size_t width) {
    rp_view word = status_word(cli, of);
    size_t columns = rp_view_characters(word);
    printf("%.*s%*s", RP_FMT(word), (int)(columns < width ? width - columns : 1), "");
}

static bool holds_sentence(const struct rp_json *promise, rp_view name) {
    const struct rp_json *sentences = rp_json_get(promise, "sentences");
    for (const struct rp_json *s = sentences ? sentences->first : NULL; s; s = s->next) {
        if (rp_view_equal(s->string, name)) {
            return true;
        }
    }
    return false;
}

/* The part of this id, or with this probe. */
static const struct rp_json *find_part(const struct rp_json *promise, rp_view name) {
    const struct rp_json *parts = rp_json_get(promise, "parts");
    for (const struct rp_json *p = parts ? parts->first : NULL; p; p = p->next) {
        if (rp_view_equal(rp_json_get_string(p, "id"), name) ||
            rp_view_equal(rp_json_get_string(p, "probe"), name)) {
            return p;
        }
    }
    return NULL;
}

/* By its own id, by a sentence of it, or by one of its parts. */
static const struct rp_json *find_promise(const struct rp_json *trust, const char *id) {
    rp_view name = rp_view_from_cstr(id);
    const struct rp_json *promises = rp_json_get(trust, "promises");
    for (const struct rp_json *p = promises ? promises->first : NULL; p; p = p->next) {
        if (rp_view_equal(rp_json_get_string(p, "id"), name) || holds_sentence(p, name) ||
            find_part(p, name)) {
            return p;
        }
    }
    return NULL;
}

static void print_line(const struct cli *cli, const struct rp_json *promise) {
    print_status(cli, promise, 13);
    printf("%.*s  ", RP_FMT(rp_json_get_string(promise, "id")));
    const struct rp_json *sentences = rp_json_get(promise, "sentences");
    for (const struct rp_json *s = sentences ? sentences->first : NULL; s; s = s->next) {
        printf("%s%.*s", s == sentences->first ? "(" : " ", RP_FMT(s->string));
    }
    printf(")\n");
}

/* Stale since it was never run: after a start, until its turn has come. */
static bool never_ran(const struct rp_json *part) {
    return rp_json_get_string(part, "observed_at").n == 0 &&
           rp_view_equal(rp_json_get_string(part, "status"), RP_VIEW("stale"));
}

struct round {
    size_t run, to_come;
};

static struct round count_round(const struct rp_json *trust) {
    struct round round = {0, 0};
    const struct rp_json *promises = rp_json_get(trust, "promises");
    for (const struct rp_json *p = promises ? promises->first : NULL; p; p = p->next) {
        const struct rp_json *parts = rp_json_get(p, "parts");
        for (const struct rp_json *part = parts ? parts->first : NULL; part; part = part->next) {
            round.run += rp_json_get_string(part, "observed_at").n > 0;
            round.to_come += never_ran(part);
        }
    }
    return round;
}

static void print_part(const struct cli *cli, const struct rp_json *part) {
    rp_view seen_at = rp_json_get_string(part, "observed_at");
    rp_view detail = rp_json_get_string(part, cli_say(cli, "detail_fr", "detail"));
    printf("  %.*s %-24.*s ", RP_FMT(rp_json_get_string(part, "grade")),
           RP_FMT(rp_json_get_string(part, "probe")));
    print_status(cli, part, 11);
    printf("%.*s\n", RP_FMT(seen_at));
    if (detail.n > 0) {
        printf("      %.*s\n", RP_FMT(detail));
    } else if (never_ran(part)) {
        printf("      %s\n", cli_say(cli, "pas encore éprouvée ; maintenant : rempart promises run",
                                     "not looked at yet; now: rempart promises run"));
    }
}

static void print_whole(const struct cli *cli, const struct rp_json *promise) {
    print_line(cli, promise);
    const struct rp_json *text = rp_json_get(promise, "text");
    printf("  %.*s\n", RP_FMT(rp_json_get_string(text, cli->lang == RP_FR ? "fr" : "en")));
    const struct rp_json *parts = rp_json_get(promise, "parts");
    for (const struct rp_json *p = parts ? parts->first : NULL; p; p = p->next) {
        print_part(cli, p);
    }
}

static size_t count_sentences(const struct rp_json *trust, rp_view status) {
    size_t count = 0;
    const struct rp_json *promises = rp_json_get(trust, "promises");
    for (const struct rp_json *p = promises ? promises->first : NULL; p; p = p->next) {
        const struct rp_json *sentences = rp_json_get(p, "sentences");
        if (!status.p || rp_view_equal(rp_json_get_string(p, "status"), status)) {
            count += sentences ? sentences->count : 0;
        }
    }
    return count;
}

static void print_summary(const struct cli *cli, const struct rp_json *trust) {
    printf(cli->lang == RP_FR ? "%zu promesses sur %zu prouvées" : "%zu of %zu promises proven",
           count_sentences(trust, RP_VIEW("proven")), count_sentences(trust, (rp_view){NULL, 0}));
    for (size_t i = 1; i < RP_COUNT_OF(statuses); i++) {
        size_t n = count_sentences(trust, rp_view_from_cstr(statuses[i].name));
        if (n) {
            printf(", %zu %s", n,
                   cli_say(cli, cli_plural(cli, n, statuses[i].single, statuses[i].several),
                           statuses[i].name));
        }
    }
    printf("\n");
    struct round round = count_round(trust);
    if (round.to_come > 0) {
        printf(cli_say(cli,
                       "le premier tour des épreuves n’est pas fini : %zu faites, %zu à venir ; "
                       "d’ici là, leurs promesses comptent comme périmées\n",
                       "the first round of probes is not over: %zu run, %zu to come; until then "
                       "their promises count as stale\n"),
               round.run, round.to_come);
    }
}

/* The counts, each status with its own, 0 too. */
static void print_summary_json(struct cli *cli, const struct rp_json *trust) {
    struct round round = count_round(trust);
    struct rp_json *root = rp_json_object(cli->arena);
    struct rp_json *counts = rp_json_add_object(cli->arena, root, "sentences");
    for (size_t i = 0; i < RP_COUNT_OF(statuses); i++) {
        rp_json_add_u64(cli->arena, counts, statuses[i].name,
                        count_sentences(trust, rp_view_from_cstr(statuses[i].name)));
    }
    struct rp_json *probes = rp_json_add_object(cli->arena, root, "probes");
    rp_json_add_u64(cli->arena, probes, "run", round.run);
    rp_json_add_u64(cli->arena, probes, "to_come", round.to_come);
    cli_print_json(root);
}

/* Each part's probe lives in one of two roles; the one that does not know it answers NOT_FOUND. */
static rp_err run_part(rp_view part) {
    struct rp_buf request = rp_buf_new(256);
    struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    rp_pack_bytes(&request, part);
    rp_err err = rp_buf_err(&request);
    static const enum rp_role_id roles[] = {RP_ROLE_PROBE, RP_ROLE_HUNT};
    for (size_t i = 0; i < 2 && (rp_ok(err) || rp_is(err, RP_E_NOT_FOUND)); i++) {
        struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, roles[i], PROBE_DEADLINE_MS);
        _Static_assert((int)RP_IPC_CLI_PROBE_RUN == (int)RP_IPC_CLI_HUNT_RUN, "one call for both");
        err = client ? rp_ipc_call(client, RP_IPC_CLI_PROBE_RUN, rp_buf_view(&request), &reply)
                     : RP_ERR(NO_MEMORY);
        rp_ipc_client_free(client);
        if (rp_ok(err)) {
            break;
        }
    }
    rp_buf_done(&request);
    rp_buf_done(&reply);
    return err;
}

/* All parts that are built; or the one alone that was named. */
static rp_err run_parts(const struct rp_json *promise, const char *id) {
    const struct rp_json *one = find_part(promise, rp_view_from_cstr(id));
    if (one) {
        return run_part(rp_json_get_string(one, "id"));
    }
    const struct rp_json *parts = rp_json_get(promise, "parts");
    for (const struct rp_json *p = parts ? parts->first : NULL; p; p = p->next) {
        if (rp_view_equal(rp_json_get_string(p, "status"), RP_VIEW("not-built"))) {
            continue;
        }
        RP_TRY(run_part(rp_json_get_string(p, "id")));
    }
    return RP_OK;
}

static enum rp_exit show(struct cli *cli, const struct rp_json *promise) {
    if (cli->json) {
        cli_print_json(promise);
    } else {
        print_whole(cli, promise);
    }
    return rp_view_equal(rp_json_get_string(promise, "status"), RP_VIEW("failing"))
               ? RP_EXIT_FINDING
               : RP_EXIT_OK;
}

static enum rp_exit show_all(struct cli *cli, const struct rp_json *trust) {
    if (cli->summary && cli->json) {
        print_summary_json(cli, trust);
    } else if (cli->summary) {
        print_summary(cli, trust);
    } else if (cli->json) {
        cli_print_json(trust);
    } else {
        const struct rp_json *promises = rp_json_get(trust, "promises");
        for (const struct rp_json *p = promises ? promises->first : NULL; p; p = p->next) {
            print_line(cli, p);
        }
        print_summary(cli, trust);
    }
    return count_sentences(trust, RP_VIEW("failing")) ? RP_EXIT_FINDING : RP_EXIT_OK;
}

static enum rp_exit unknown_promise(const struct cli *cli, const char *id) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_fail(&diag, RP_ERR(NOT_FOUND), "%.80s", id);
    return cli_fail(cli, err, cli_say(cli, "promesse", "promise"), &diag);
}

static rp_err ask_trust(struct cli *cli, struct rp_json **ret_trust, struct rp_diag *diag) {
    return cli_ask_core(cli, "GET", "/trust.json", (rp_view){NULL, 0}, ret_trust, diag);
}

/* What one look takes is given back before the next. */
static rp_err look_at_round(struct cli *cli, struct round *ret_round, struct rp_diag *diag) {
    struct rp_arena *whole = cli->arena;
    struct rp_json *trust = NULL;
    cli->arena = rp_arena_new((size_t)64 << 20);
    rp_err err = cli->arena ? ask_trust(cli, &trust, diag) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        *ret_round = count_round(trust);
    }
    rp_arena_free(cli->arena);
    cli->arena = whole;
    return err;
}

/* Until every probe was run once, or the seconds are over, or what is to come takes its time: some
 * begin minutes after the start. Somebody at a terminal sees it go on. */
static rp_err wait_for_round(struct cli *cli, uint64_t seconds, struct rp_diag *diag) {
    bool watched = isatty(STDERR_FILENO) == 1;
    struct round round = {0, 0};
    uint64_t idle = 0;
    for (uint64_t waited = 0;; waited += LOOK_EVERY_S) {
        size_t before = round.run;
        RP_TRY(look_at_round(cli, &round, diag));
        idle = round.run > before ? 0 : idle + LOOK_EVERY_S;
        if (watched) {
            fprintf(stderr,
                    cli_say(cli, "\rpremier tour des épreuves : %zu sur %zu ",
                            "\rfirst round of probes: %zu of %zu "),
                    round.run, round.run + round.to_come);
        }
        if (round.to_come == 0 || waited >= seconds || idle >= IDLE_MAX_S) {
            break;
        }
        struct timespec pause = {.tv_sec = LOOK_EVERY_S};
        (void)nanosleep(&pause, NULL); /* a signal ends us */
    }
    if (watched) {
        fputc('\n', stderr);
    }
    return RP_OK;
}

enum rp_exit cli_promises(struct cli *cli) {
    uint64_t seconds = 0;
    bool run = cli->arg_count > 0 && strcmp(cli->args[0], "run") == 0;
    if (cli->arg_count > (run ? 2u : 1u) || (run && cli->arg_count != 2)) {
        return cli_usage(
            cli, cli_say(cli, "arguments en trop ou en moins", "too many or too few arguments"));
    }
    if (cli->wait && (cli->arg_count > 0 ||
                      !rp_view_to_u64(rp_view_from_cstr(cli->wait), WAIT_MAX_S, &seconds))) {
        return cli_usage(cli, cli_say(cli, "--wait SECONDES, sans ID : de 0 à 3600",
                                      "--wait SECONDS, without ID: 0 to 3600"));
    }
    const char *id = run ? cli->args[1] : cli->arg_count ? cli->args[0] : NULL;
    struct rp_json *trust = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err) && cli->wait) {
        err = wait_for_round(cli, seconds, &diag);
    }
    if (rp_ok(err)) {
        err = ask_trust(cli, &trust, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, &diag);
    }
    if (!id) {
        return show_all(cli, trust);
    }
    const struct rp_json *promise = find_promise(trust, id);
    if (!promise) {
        return unknown_promise(cli, id);
    }
    if (run) {
        err = run_parts(promise, id);
        if (rp_ok(err)) {
            err = ask_trust(cli, &trust, &diag);
        }
        if (!rp_ok(err)) {
            return cli_fail(cli, err, id, &diag);
        }
        promise = find_promise(trust, id);
        RP_ASSERT(promise != NULL);
    }
    return show(cli, promise);
}
