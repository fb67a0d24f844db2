/* verify_witness.c — `rempart verify … --witness VKEY`: whether those whom the reader trusts have
 * cosigned this log, and when.
 */
#include "base/checked.h"
#include "cli.h"
#include "ledger/witnessed_io.h"
#include "os/file.h"

enum { ARENA = 128 * 1024, FOLDER = 480 };

/* One witness that was named, and what there is of it. */
struct found {
    rp_view name;
    rp_err err; /* NOT_FOUND: nothing; BAD_SIGNATURE: a line in its name that is not its own */
    int64_t time_s;
    uint64_t size;
};

static void say(struct cli *cli, struct rp_json *list, const struct found *found,
                uint64_t log_size) {
    bool good = rp_ok(found->err);
    if (list) {
        struct rp_json *one = rp_json_add_object(cli->arena, list, NULL);
        rp_json_add_string(cli->arena, one, "name", found->name);
        rp_json_add_bool(cli->arena, one, "cosigned", good);
        if (good) {
            rp_json_add_cstr(cli->arena, one, "time", rp_time_print(found->time_s).s);
            rp_json_add_u64(cli->arena, one, "size", found->size);
        } else {
            rp_json_add_cstr(cli->arena, one, "problem", rp_err_text(found->err, RP_EN));
        }
    } else if (good) {
        printf(cli_say(cli, "cosigné : %.*s, le %s, %llu entrées sur %llu\n",
                       "cosigned: %.*s, at %s, %llu of %llu entries\n"),
               RP_FMT(found->name), rp_time_print(found->time_s).s, (unsigned long long)found->size,
               (unsigned long long)log_size);
    } else {
        printf("%s %.*s%s %s\n", cli_say(cli, "PAS COSIGNÉ par", "NOT COSIGNED by"),
               RP_FMT(found->name), cli_colon(cli),
               rp_is(found->err, RP_E_NOT_FOUND)
                   ? cli_say(cli, "aucune ligne de sa clé", "no line by its key")
                   : rp_err_text(found->err, cli->lang));
    }
}

/* What a reader names but no key is: told, and nothing is verified by halves. */
static rp_err parse_key(struct cli *cli, const char *text, struct rp_arena *arena,
                        struct rp_tlog_vkey *ret_key) {
    rp_err err =
        rp_vkey_parse_as(RP_VKEY_COSIGNER, rp_view_trim(rp_view_from_cstr(text)), arena, ret_key);
    if (!rp_ok(err)) {
        fprintf(stderr, "rempart: --witness %s%s %s\n", text, cli_colon(cli),
                cli_say(cli, "ce n’est pas la clé d’un témoin (type 4)",
                        "not the key of a witness (type 4)"));
    }
    return err;
}

static rp_err check(struct cli *cli, struct rp_log *log, struct rp_arena *arena,
                    struct rp_json *list, bool *ret_all) {
    struct rp_witnessed *witnessed = NULL;
    struct rp_diag diag = cli_diag(cli);
    rp_err err = rp_witnessed_read(log, arena, &witnessed, &diag);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
        return err; /* rp_verify_folder said so before */
    }
    *ret_all = true;
    for (size_t i = 0; i < cli->witnesses.count; i++) {
        struct rp_tlog_vkey key;
        struct rp_cosignature cosignature = {.time_s = 0};
        RP_TRY(parse_key(cli, cli->witnesses.p[i], arena, &key));
        struct found found = {.name = key.name, .err = RP_ERR(NOT_FOUND)};
        if (witnessed) {
            found.err = rp_cosignature_find(&witnessed->note, &key, &cosignature);
            found.time_s = cosignature.time_s;
            found.size = witnessed->head.size;
        }
        *ret_all = *ret_all && rp_ok(found.err);
        say(cli, list, &found, rp_log_size(log));
    }
    return RP_OK;
}

rp_err cli_verify_witnesses(struct cli *cli, const char *folder, struct rp_json *list,
                            bool *ret_all) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    char path[FOLDER];
    struct rp_log *log = NULL;
    int n = snprintf(path, sizeof path, "%s/public", folder);
    RP_TRY(arena && n > 0 && (size_t)n < sizeof path ? RP_OK : RP_ERR(INVALID));
    RP_TRY(rp_log_open(rp_file_exists(path) ? path : folder, (rp_view){NULL, 0}, &log, NULL));
    rp_err err = check(cli, log, arena, list, ret_all);
    rp_log_free(log);
    return err;
}
