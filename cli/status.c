/* status.c — `rempart status`: what the supervisor and the ledger know, and the memory that the
 * kernel counts; one look at whether all is well. */
#include <time.h>

#include "base/checked.h"
#include "base/env.h"
#include "cli.h"
#include "os/file.h"
#include "os/memory.h"

enum { STATUS_MAX = 1 << 20, DAY_S = 86400, CERTIFICATE_WARN_DAYS = 14, AGE_TEXT = 64 };

/* ---- one line a role ---- */

/* 3d 4h, 5h 6m, 7m 8s; in French 3 j 4 h, 5 h 6 min, 7 min 8 s. */
static void print_age(const struct cli *cli, char out[static AGE_TEXT], int64_t seconds) {
    static const struct {
        int64_t big, small;
        const char *big_name[RP_LANG_COUNT], *small_name[RP_LANG_COUNT];
    } units[] = {{DAY_S, 3600, {" j", "d"}, {" h", "h"}},
                 {3600, 60, {" h", "h"}, {" min", "m"}},
                 {60, 1, {" min", "m"}, {" s", "s"}}};
    int64_t s = seconds < 0 ? 0 : seconds;
    for (size_t i = 0; i < RP_COUNT_OF(units); i++) {
        if (s >= units[i].big) {
            (void)snprintf(out, AGE_TEXT, "%lld%s %lld%s", (long long)(s / units[i].big),
                           units[i].big_name[cli->lang],
                           (long long)(s % units[i].big / units[i].small),
                           units[i].small_name[cli->lang]);
            return;
        }
    }
    (void)snprintf(out, AGE_TEXT, "%lld%s", (long long)s, cli_say(cli, " s", "s"));
}

/* What the supervisor calls its states, for people; programs read --json. */
static rp_view state_word(const struct cli *cli, rp_view state) {
    static const struct {
        const char *english, *french;
    } words[] = {{"ready", "prêt"},        {"starting", "démarre"}, {"waiting", "attend"},
                 {"stopping", "s’arrête"}, {"stopped", "arrêté"},   {"missing", "absent"},
                 {"idle", "pas démarré"},  {"off", "éteint"}};
    for (size_t i = 0; cli->lang == RP_FR && i < RP_COUNT_OF(words); i++) {
        if (rp_view_equal(state, rp_view_from_cstr(words[i].english))) {
            return rp_view_from_cstr(words[i].french);
        }
    }
    return state;
}

static void print_role(const struct cli *cli, const struct rp_json *role, uint64_t kib,
                       int64_t now_s) {
    uint64_t pid = 0, restarts = 0, since_s = 0;
    char age[AGE_TEXT];
    rp_json_get_u64(role, "pid", &pid);
    rp_json_get_u64(role, "restarts", &restarts);
    rp_json_get_u64(role, "since_s", &since_s);
    print_age(cli, age, now_s - (int64_t)since_s);
    rp_view last_end = rp_json_get_string(role, "last_end");
    rp_view state = state_word(cli, rp_json_get_string(role, "state"));
    size_t columns = rp_view_characters(state);
    printf("%-8.*s %.*s%*s pid %-7llu %-*s %s %-3llu ", RP_FMT(rp_json_get_string(role, "name")),
           RP_FMT(state), (int)(columns < 9 ? 9 - columns : 0), "", (unsigned long long)pid,
           cli->lang == RP_FR ? 12 : 8, age, cli_say(cli, "relances", "restarts"),
           (unsigned long long)restarts);
    if (kib) {
        printf("%5s %s", cli_tenths(cli, (double)kib / 1024).s, cli_say(cli, "Mio", "MiB"));
    } else {
        printf("%s", cli_say(cli, "mémoire non lisible", "memory not readable"));
    }
    if (restarts > 0 && last_end.n > 0) {
        printf("  (%s%s %.*s)", cli_say(cli, "dernière fin", "last end"), cli_colon(cli),
               RP_FMT(last_end));
    }
    printf("\n");
}

/* ---- the rest ---- */

static struct rp_json *read_json(struct cli *cli, const char *path, struct rp_diag *diag) {
    rp_view text = {NULL, 0};
    struct rp_json *json = NULL;
    bool good = rp_ok(rp_file_read(path, STATUS_MAX, cli->arena, &text)) &&
                rp_ok(rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &json, diag));
    return good ? json : NULL;
}

/* Names that no certificate is got for, and why; false when one failed twice in a row. */
static bool print_certificates(struct cli *cli, struct rp_json *status) {
    struct rp_json *state = read_json(cli, "acme/state.json", NULL);
    const struct rp_json *names = state ? rp_json_get(state, "names") : NULL;
    struct rp_json *list = NULL;
    bool well = true;
    for (const struct rp_json *name = names ? names->first : NULL; name; name = name->next) {
        uint64_t failures = 0, next_s = 0;
        rp_json_get_u64(name, "failures", &failures);
        rp_json_get_u64(name, "next_s", &next_s);
        if (failures == 0) {
            continue;
        }
        well = well && failures < 2;
        struct rp_time_text next = rp_time_print((int64_t)next_s);
        rp_view who = rp_json_get_string(name, "name"), why = rp_json_get_string(name, "reason");
        if (!cli->json) {
            printf("%s %.*s%s %.*s (%s %s)\n",
                   cli_say(cli, "certificat non obtenu :", "certificate not obtained:"),
                   RP_FMT(who), cli_colon(cli), RP_FMT(why),
                   cli_say(cli, "nouvel essai", "next try"), next.s);
            continue;
        }
        list = list ? list : rp_json_add_array(cli->arena, status, "certificates_failing");
        struct rp_json *one = rp_json_add_object(cli->arena, list, NULL);
        rp_json_add_string(cli->arena, one, "name", who);
        rp_json_add_string(cli->arena, one, "reason", why);
        rp_json_add_u64(cli->arena, one, "failures", failures);
        rp_json_add_cstr(cli->arena, one, "next", next.s);
    }
    return well;
}

/* A clock that leapt, from run/clock.json, which is there while core doubts it. */
static bool print_clock(struct cli *cli, struct rp_json *status) {
    struct rp_json *clock = read_json(cli, "run/clock.json", NULL);
    if (!clock) {
        return true;
    }
    if (cli->json) {
        rp_json_add(cli->arena, status, "clock_doubted", clock);
        return false;
    }
    printf(cli_say(cli,
                   "horloge : elle a sauté de %.*s à %.*s ; rien n’est détruit (rempart register "
                   "retention --confirm AAAA-MM-JJ)\n",
                   "clock: it leapt from %.*s to %.*s; nothing is destroyed (rempart register "
                   "retention --confirm YYYY-MM-DD)\n"),
           RP_FMT(rp_json_get_string(clock, "believed_until")),
           RP_FMT(rp_json_get_string(clock, "doubted_at")));
    return false;
}

/* Daemons give their reasons in English; those that the tables know are put into French. */
static const char *reason_in(const struct cli *cli, rp_view reason) {
    const char *text = rp_arena_cstr(cli->arena, reason);
    if (!text) {
        return rp_err_text(RP_ERR(TOO_LARGE), cli->lang);
    }
    return cli->lang == RP_FR ? rp_french(text) : text;
}

/* What core says of the copy of the log that another machine, or this one, keeps. */
static bool print_copy(struct cli *cli, struct rp_json *status) {
    struct rp_json *copy = read_json(cli, "run/vault-copy.json", NULL);
    uint64_t behind_s = 0, entries = 0;
    if (!copy) {
        return true;
    }
    bool well = rp_view_equal(rp_json_get_string(copy, "state"), RP_VIEW("up_to_date"));
    rp_json_get_u64(copy, "behind_s", &behind_s);
    rp_json_get_u64(copy, "behind_entries", &entries);
    rp_view reason = rp_json_get_string(copy, "reason");
    if (cli->json) {
        rp_json_add(cli->arena, status, "log_copy", copy);
        return well;
    }
    printf("%s%s %llu s, %llu %s",
           cli_say(cli, "copie du journal, retard", "copy of the log, behind"), cli_colon(cli),
           (unsigned long long)behind_s, (unsigned long long)entries,
           cli_plural(cli, entries, cli_say(cli, "entrée", "entry"),
                      cli_say(cli, "entrées", "entries")));
    if (reason.n > 0) {
        printf(" (%s%s)", well ? "" : cli_say(cli, "! : ", "!: "), reason_in(cli, reason));
    }
    printf("\n");
    return well;
}

/* On the machine that keeps it. */
static void print_kept(struct cli *cli, struct rp_json *status) {
    struct rp_json *kept = read_json(cli, "run/vault.json", NULL);
    uint64_t trees = 0, entries = 0, refused = 0, last_s = 0;
    if (!kept) {
        return;
    }
    rp_json_get_u64(kept, "trees", &trees);
    rp_json_get_u64(kept, "entries", &entries);
    rp_json_get_u64(kept, "refused", &refused);
    rp_json_get_u64(kept, "last_s", &last_s);
    if (cli->json) {
        rp_json_add(cli->arena, status, "log_kept", kept);
        return;
    }
    printf(cli_say(cli,
                   "journal gardé ici : %llu entrées, %llu arbres, le dernier ajout %s ; %llu "
                   "refus (vault/journal/refused.jsonl)\n",
                   "log kept here: %llu entries, %llu trees, last grown %s; %llu refusals "
                   "(vault/journal/refused.jsonl)\n"),
           (unsigned long long)entries, (unsigned long long)trees,
           last_s ? rp_time_print((int64_t)last_s).s : "-", (unsigned long long)refused);
}

struct witness_state {
    rp_view name, word, why;
    uint64_t since_s, time_s, size;
    bool cosigned;
};

static struct witness_state read_witness(const struct rp_json *one) {
    struct witness_state witness = {.name = rp_json_get_string(one, "name"),
                                    .word = rp_json_get_string(one, "state"),
                                    .why = rp_json_get_string(one, "problem")};
    rp_json_get_u64(one, "since_s", &witness.since_s);
    rp_json_get_u64(one, "time_s", &witness.time_s);
    rp_json_get_u64(one, "size", &witness.size);
    witness.cosigned = rp_view_equal(witness.word, RP_VIEW("cosigned"));
    return witness;
}

static void add_witness(struct cli *cli, struct rp_json *list,
                        const struct witness_state *witness) {
    struct rp_json *one = rp_json_add_object(cli->arena, list, NULL);
    rp_json_add_string(cli->arena, one, "name", witness->name);
    rp_json_add_string(cli->arena, one, "state", witness->word);
    rp_json_add_cstr(cli->arena, one, "since", rp_time_print((int64_t)witness->since_s).s);
    rp_json_add_string(cli->arena, one, "problem", witness->why);
    if (witness->time_s > 0) {
        rp_json_add_u64(cli->arena, one, "size", witness->size);
        rp_json_add_cstr(cli->arena, one, "cosigned", rp_time_print((int64_t)witness->time_s).s);
    }
}

static void print_witness(const struct cli *cli, const struct witness_state *witness,
                          int64_t now_s) {
    char age[AGE_TEXT];
    print_age(cli, age, now_s - (int64_t)(witness->cosigned ? witness->time_s : witness->since_s));
    printf("%s %.*s%s %.*s", cli_say(cli, "témoin", "witness"), RP_FMT(witness->name),
           cli_colon(cli), RP_FMT(witness->word));
    if (witness->cosigned) {
        printf(cli_say(cli, ", %llu entrées, il y a %s\n", ", %llu entries, %s ago\n"),
               (unsigned long long)witness->size, age);
    } else {
        printf(" (!) %s (%s)\n", reason_in(cli, witness->why), age);
    }
}

/* Those that cosign our log, as core left it; false when one of them does not. */
static bool print_witnesses(struct cli *cli, struct rp_json *status, int64_t now_s) {
    struct rp_json *state = read_json(cli, "run/witnesses.json", NULL), *list = NULL;
    const struct rp_json *all = state ? rp_json_get(state, "witnesses") : NULL;
    bool well = true;
    for (const struct rp_json *one = all ? all->first : NULL; one; one = one->next) {
        struct witness_state witness = read_witness(one);
        well = well && (witness.cosigned || rp_view_equal(witness.word, RP_VIEW("new")));
        if (cli->json) {
            list = list ? list : rp_json_add_array(cli->arena, status, "witnesses");
            add_witness(cli, list, &witness);
        } else {
            print_witness(cli, &witness, now_s);
        }
    }
    return well;
}

/* False when something of it needs somebody. */
static bool print_facts(struct cli *cli, struct rp_json *status, int64_t now_s) {
    const struct rp_json *ledger = read_json(cli, "run/ledger.json", NULL);
    uint64_t since_s = 0, until_s = 0, reloads = 0, behind = 0, bytes = 0, percent = 0;
    char age[AGE_TEXT];
    rp_json_get_u64(status, "since_s", &since_s);
    rp_json_get_u64(status, "reloads", &reloads);
    bool has_certificate = rp_json_get_u64(status, "certificate_until_s", &until_s);
    int64_t days = ((int64_t)until_s - now_s) / DAY_S;
    bool has_ledger = ledger && rp_json_get_u64(ledger, "behind_bytes", &behind) &&
                      rp_json_get_u64(ledger, "disk_free_bytes", &bytes) &&
                      rp_json_get_u64(ledger, "disk_free_percent", &percent);
    if (cli->json) {
        rp_json_add_u64(cli->arena, status, "uptime_s", (uint64_t)now_s - since_s);
        if (has_certificate) {
            rp_json_add_u64(cli->arena, status, "certificate_days", days > 0 ? (uint64_t)days : 0);
        }
        if (has_ledger) {
            rp_json_add_u64(cli->arena, status, "ledger_behind_bytes", behind);
            rp_json_add_u64(cli->arena, status, "disk_free_bytes", bytes);
            rp_json_add_u64(cli->arena, status, "disk_free_percent", percent);
        }
        print_kept(cli, status);
        bool well = print_certificates(cli, status);
        well = print_copy(cli, status) && well;
        well = print_witnesses(cli, status, now_s) && well;
        return print_clock(cli, status) && well && (!has_certificate || days >= 0);
    }
    print_age(cli, age, now_s - (int64_t)since_s);
    printf("rempart %.*s, %s %s, %s %llu\n", RP_FMT(rp_json_get_string(status, "version")),
           cli_say(cli, "en marche depuis", "up"), age, cli_say(cli, "rechargements :", "reloads:"),
           (unsigned long long)reloads);
    if (has_certificate) {
        printf("%s %lld %s%s\n", cli_say(cli, "certificat :", "certificate:"), (long long)days,
               cli_plural(cli, (uint64_t)(days > 0 ? days : 0),
                          cli_say(cli, "jour restant", "day left"),
                          cli_say(cli, "jours restants", "days left")),
               days < CERTIFICATE_WARN_DAYS ? " (!)" : "");
    }
    bool well = print_certificates(cli, status);
    well = print_clock(cli, status) && well;
    well = print_copy(cli, status) && well;
    print_kept(cli, status);
    well = print_witnesses(cli, status, now_s) && well;
    if (has_ledger) {
        printf(cli_say(cli, "retard du journal : %llu Kio ; disque libre : %s Gio, %llu %%\n",
                       "log behind: %llu KiB; disk free: %s GiB, %llu %%\n"),
               (unsigned long long)(behind >> 10), cli_tenths(cli, (double)bytes / (1 << 30)).s,
               (unsigned long long)percent);
    }
    return well && (!has_certificate || days >= 0);
}

enum rp_exit cli_status(struct cli *cli) {
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err) && !rp_file_exists("run/status.json")) {
        err = RP_ERR(UNREACHABLE);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    struct rp_json *status = read_json(cli, "run/status.json", &diag);
    const struct rp_json *roles = status ? rp_json_get(status, "roles") : NULL;
    if (!roles) {
        return cli_fail(cli, RP_ERR(CORRUPT), "run/status.json", &diag);
    }
    uint64_t total = 0;
    bool well = true;
    int64_t now_s = (int64_t)time(NULL);
    for (struct rp_json *role = roles->first; role; role = role->next) {
        uint64_t pid = 0, kib = 0;
        if (rp_json_get_u64(role, "pid", &pid) && pid > 0) {
            rp_ignore(rp_process_memory((pid_t)pid, &kib)); /* shown as not readable */
        }
        total += kib;
        well = well && rp_view_equal(rp_json_get_string(role, "state"), RP_VIEW("ready"));
        if (cli->json) {
            rp_json_add_u64(cli->arena, role, "pss_kib", kib);
        } else {
            print_role(cli, role, kib, now_s);
        }
    }
    well = cli_print_links(cli, status) && well;
    well = print_facts(cli, status, now_s) && well;
    if (cli->json) {
        rp_json_add_u64(cli->arena, status, "pss_kib", total);
        cli_print_json(status);
    } else if (total > 0) { /* another user may see the roles, not their memory */
        printf(cli_say(cli, "en tout : %s Mio\n", "in all: %s MiB\n"),
               cli_tenths(cli, (double)total / 1024).s);
    }
    return well ? RP_EXIT_OK : RP_EXIT_FINDING;
}
