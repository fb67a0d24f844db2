/* gate_certificates.c — what the gate shows every visitor: names, issuer, days left; and where an
 * ACME authority is asked, when it is asked again and why it refused. */
#include "base/checked.h"
#include "config/config.h"
#include "crypto/x509.h"
#include "gate.h"
#include "os/file.h"

enum {
    FILE_MAX = 1 << 20,
    DAY_S = 24 * 3600,
    LATE = 10 /* a tenth of its life: the probe's word */
};

struct shown {
    const char *file;
    const struct rp_json *acme; /* what the acme role knows of the name; NULL = it knows nothing */
    struct rp_x509_facts facts;
    int64_t days;
    uint64_t failures, next_s;
};

static void print_facts(struct cli *cli, const struct shown *shown) {
    const struct rp_x509_facts *facts = &shown->facts;
    struct rp_time_text since = rp_time_print(facts->since_s),
                        until = rp_time_print(facts->until_s);
    printf("%s\n  %s %.*s\n  %s %.*s\n  %s %s – %s, %lld %s\n", shown->file,
           cli_say(cli, "noms      ", "names     "), RP_FMT(facts->names),
           cli_say(cli, "émetteur  ", "issuer    "), RP_FMT(facts->issuer),
           cli_say(cli, "valable   ", "valid     "), since.s, until.s, (long long)shown->days,
           cli_say(cli, "jours restants", "days left"));
    if (!shown->acme) {
        return;
    }
    struct rp_time_text next = rp_time_print((int64_t)shown->next_s);
    if (shown->failures == 0) {
        printf("  %s %s\n", cli_say(cli, "suivant   ", "next      "), next.s);
        return;
    }
    printf("  %s %llu × ; %s %s\n  %s %.*s\n", cli_say(cli, "échecs    ", "failures  "),
           (unsigned long long)shown->failures, cli_say(cli, "nouvel essai", "next try"), next.s,
           cli_say(cli, "raison    ", "reason    "),
           RP_FMT(rp_json_get_string(shown->acme, "reason")));
}

static void add_json(struct cli *cli, struct rp_json *list, const struct shown *shown) {
    const struct rp_x509_facts *facts = &shown->facts;
    struct rp_json *one = rp_json_add_object(cli->arena, list, NULL);
    struct rp_json *names = rp_json_add_array(cli->arena, one, "names");
    for (rp_view rest = facts->names; rest.p && rest.n > 0;) {
        rp_json_add_string(cli->arena, names, NULL, rp_view_cut(&rest, ' '));
    }
    rp_json_add_cstr(cli->arena, one, "file", shown->file);
    rp_json_add_string(cli->arena, one, "issuer", facts->issuer);
    rp_json_add_cstr(cli->arena, one, "since", rp_time_print(facts->since_s).s);
    rp_json_add_cstr(cli->arena, one, "until", rp_time_print(facts->until_s).s);
    rp_json_add_bool(cli->arena, one, "ended", shown->days < 0);
    rp_json_add_u64(cli->arena, one, "days_left", shown->days < 0 ? 0 : (uint64_t)shown->days);
    if (shown->acme) {
        rp_json_add_u64(cli->arena, one, "failures", shown->failures);
        rp_json_add_cstr(cli->arena, one, "next", rp_time_print((int64_t)shown->next_s).s);
        rp_json_add_string(cli->arena, one, "reason", rp_json_get_string(shown->acme, "reason"));
    }
}

/* *ret_late: it has ended, or less than a tenth of its life is left. */
static rp_err show(struct cli *cli, struct rp_json *list, struct shown *shown, bool *ret_late) {
    rp_view pem;
    struct rp_env env = rp_env_real();
    RP_TRY(rp_file_read(shown->file, FILE_MAX, cli->arena, &pem));
    RP_TRY(rp_x509_read(pem, cli->arena, &shown->facts));
    int64_t left_s = shown->facts.until_s - rp_env_now_s(&env);
    shown->days = left_s < 0 ? -1 : left_s / DAY_S;
    if (cli->json) {
        add_json(cli, list, shown);
    } else {
        print_facts(cli, shown);
    }
    *ret_late = *ret_late || left_s < (shown->facts.until_s - shown->facts.since_s) / LATE ||
                shown->failures > 1;
    return RP_OK;
}

static rp_err read_config(struct cli *cli, struct rp_config *ret_config, struct rp_diag *diag) {
    const char *file = cli->config ? cli->config : "rempart.yaml";
    rp_view text;
    RP_TRY(rp_file_read(file, FILE_MAX, cli->arena, &text));
    return rp_config_parse(text, cli->arena, ret_config, diag);
}

/* What the acme role knows of the name. */
static const struct rp_json *entry_of(const struct rp_json *state, const char *name) {
    const struct rp_json *names = state ? rp_json_get(state, "names") : NULL;
    for (const struct rp_json *it = names ? names->first : NULL; it; it = it->next) {
        if (rp_view_equal(rp_json_get_string(it, "name"), rp_view_from_cstr(name))) {
            return it;
        }
    }
    return NULL;
}

static rp_err show_all(struct cli *cli, const struct rp_config *config, struct rp_json *list,
                       bool *ret_late) {
    const char *names[RP_CONFIG_NAMES_MAX];
    size_t count = rp_config_acme_names(config, names);
    rp_view text;
    struct rp_json *state = NULL;
    if (count == 0) {
        struct shown shown = {.file =
                                  *config->certificate ? config->certificate : "gate/tls/leaf.pem"};
        return show(cli, list, &shown, ret_late);
    }
    if (rp_ok(rp_file_read("acme/state.json", FILE_MAX, cli->arena, &text))) {
        /* Without it the certificates are shown, and nothing is said of the next. */
        rp_ignore(rp_json_parse(text, RP_JSON_LIMITS, cli->arena, &state, NULL));
    }
    for (size_t i = 0; i < count; i++) {
        rp_view path = rp_arena_printf(cli->arena, "gate/acme/%s.pem", names[i]);
        if (!path.p) {
            return RP_ERR(NO_MEMORY);
        }
        bool there = rp_file_exists((const char *)path.p);
        struct shown shown = {.file = there ? (const char *)path.p : "gate/tls/leaf.pem",
                              .acme = entry_of(state, names[i])};
        if (shown.acme) {
            rp_json_get_u64(shown.acme, "failures", &shown.failures);
            rp_json_get_u64(shown.acme, "next_s", &shown.next_s);
        }
        if (!there && !cli->json) {
            printf("%s%s %s\n", names[i], cli_colon(cli),
                   cli_say(cli, "pas encore de certificat de l’autorité ; d’ici là :",
                           "no certificate of the authority yet; until then:"));
        }
        *ret_late = *ret_late || !there;
        RP_TRY(show(cli, list, &shown, ret_late));
    }
    return RP_OK;
}

/* 1 when one needs somebody. */
enum rp_exit cli_gate_certificates(struct cli *cli) {
    struct rp_diag diag = cli_diag(cli);
    struct rp_config config;
    struct rp_json *root = rp_json_object(cli->arena);
    struct rp_json *list = rp_json_add_array(cli->arena, root, "certificates");
    bool late = false;
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = read_config(cli, &config, &diag);
    }
    if (rp_ok(err)) {
        err = show_all(cli, &config, list, &late);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli_say(cli, "certificats", "certificates"), &diag);
    }
    if (cli->json) {
        cli_print_json(root);
    }
    return late ? RP_EXIT_FINDING : RP_EXIT_OK;
}
