/* witnessed.c — the log's head as a stranger sees it: it goes on from the one that was seen before,
 * and somebody else has cosigned it, lately.
 *
 * Nothing that core or the ledger say of themselves counts here: signatures and hashes do, and the
 * head of the last time, which hunt keeps in its own folder.
 */
#include "base/checked.h"
#include "hunt.h"
#include "ledger/witnessed_io.h"
#include "os/file.h"
#include "wire/json.h"

enum { ARENA = 256 * 1024, STATE_MAX = 16 * 1024, TRIES = 10, PAUSE_MS = 500, FUTURE_S = 300 };
static const char seen_file[] = "hunt/public.head";

struct look {
    const struct hunt *hunt;
    struct rp_arena *arena;
    struct rp_log *log;
    struct rp_observation *seen;
};

/* ---- the head that was seen before ---- */

/* False when it has concluded: what was seen once is no longer the beginning. */
static bool goes_on(struct look *look) {
    struct rp_tlog_note *note = rp_arena_alloc(look->arena, sizeof *note);
    struct rp_tlog_checkpoint before;
    rp_view bytes;
    rp_hash root;
    rp_err err =
        note ? rp_file_read(seen_file, RP_NOTE_MAX, look->arena, &bytes) : RP_ERR(NO_MEMORY);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return true;
    }
    if (rp_ok(err)) {
        err = rp_tlog_note_parse(bytes, look->arena, note);
    }
    if (rp_ok(err)) {
        err = rp_tlog_checkpoint_parse(note->text, &before);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(look->seen, "%s cannot be read: %s", seen_file, rp_err_text(err, RP_EN));
        return false;
    }
    err = rp_log_root_at(look->log, before.size, &root);
    bool same = rp_ok(err) && rp_view_equal(rp_view_of(root.b, sizeof root.b),
                                            rp_view_of(before.root, sizeof before.root));
    if (!same) {
        rp_probe_broken(
            look->seen, "the log of %llu entries does not continue the %llu that were seen before",
            (unsigned long long)rp_log_size(look->log), (unsigned long long)before.size);
    }
    return same;
}

/* ---- cosignatures ---- */

struct newest {
    rp_view name;
    int64_t time_s;
    size_t count;
};

/* False when it has concluded. */
static bool find_newest(struct look *look, const struct rp_witnessed *witnessed,
                        struct newest *newest) {
    const struct rp_config_list *list = &look->hunt->config->witnesses;
    for (size_t i = 0; i < list->count; i++) {
        struct rp_config_witness witness;
        struct rp_tlog_vkey key;
        struct rp_cosignature cosignature = {.time_s = 0};
        if (!rp_config_witness(rp_view_from_cstr(list->items[i]), &witness) ||
            !rp_ok(rp_vkey_parse_as(RP_VKEY_COSIGNER, witness.vkey, look->arena, &key))) {
            continue; /* the configuration was checked when it was read */
        }
        rp_err err = rp_cosignature_find(&witnessed->note, &key, &cosignature);
        if (rp_is(err, RP_E_BAD_SIGNATURE)) {
            rp_probe_broken(look->seen, "a line in the name of %.*s is not its own",
                            RP_FMT(key.name));
            return false;
        }
        newest->count += rp_ok(err);
        if (rp_ok(err) && cosignature.time_s > newest->time_s) {
            newest->time_s = cosignature.time_s;
            newest->name = key.name;
        }
    }
    return true;
}

/* The file appears with the first cosignature; a start is given some seconds for it. */
static rp_err read_witnessed(struct look *look, struct rp_witnessed **ret_witnessed,
                             struct rp_diag *diag) {
    rp_err err = rp_witnessed_read(look->log, look->arena, ret_witnessed, diag);
    for (unsigned i = 0; i < TRIES && rp_is(err, RP_E_NOT_FOUND); i++) {
        if (!rp_probe_wait(&look->hunt->stopping, PAUSE_MS)) {
            break;
        }
        err = rp_witnessed_read(look->log, look->arena, ret_witnessed, diag);
    }
    return err;
}

/* A witness that remembers another history signs nothing, so that here its word is core's: it can
 * make this part red, and never green. */
static bool nobody_diverged(struct look *look) {
    struct rp_json *root = NULL;
    rp_view text;
    if (!rp_ok(rp_file_read("run/witnesses.json", STATE_MAX, look->arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, look->arena, &root, NULL))) {
        return true;
    }
    const struct rp_json *list = rp_json_get(root, "witnesses");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "state"), RP_VIEW("diverged"))) {
            const char *why = rp_arena_cstr(look->arena, rp_json_get_string(one, "problem"));
            rp_probe_broken(look->seen, "%.*s refuses this log: %s",
                            RP_FMT(rp_json_get_string(one, "name")), why ? why : "?");
            return false;
        }
    }
    return true;
}

static void conclude(struct look *look, const struct rp_witnessed *witnessed,
                     const struct newest *newest) {
    int64_t now_s = rp_env_now_s(&look->hunt->env), age_s = now_s - newest->time_s;
    unsigned long long size = witnessed->head.size, all = rp_log_size(look->log);
    if (newest->count == 0) {
        rp_probe_broken(look->seen, "no line of a configured witness under the cosigned head");
    } else if (age_s > (int64_t)look->hunt->config->witness_age || age_s < -FUTURE_S) {
        rp_probe_broken(look->seen, "the newest cosignature, by %.*s, is of %s",
                        RP_FMT(newest->name), rp_time_print(newest->time_s).s);
    } else {
        rp_probe_holds(look->seen, "%zu of %zu witnesses; %.*s at %s; %llu of %llu entries",
                       newest->count, look->hunt->config->witnesses.count, RP_FMT(newest->name),
                       rp_time_print(newest->time_s).s, size, all);
    }
}

static void judge(struct look *look) {
    struct rp_witnessed *witnessed = NULL;
    struct rp_diag french = {.french = true}, diag = {.also = &french};
    struct newest newest = {.time_s = -1};
    if (look->hunt->config->witnesses.count == 0) {
        rp_probe_not_met(look->seen, "no witness is configured: ledger.witnesses names those who "
                                     "cosign the log's head");
        return;
    }
    if (!nobody_diverged(look)) {
        return;
    }
    rp_err err = read_witnessed(look, &witnessed, &diag);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        rp_probe_broken(look->seen, "no witness has cosigned this log yet");
    } else if (rp_is(err, RP_E_CORRUPT)) {
        rp_probe_broken_as(look->seen, diag.text, french.text);
    } else if (!rp_ok(err)) {
        rp_probe_unsure(look->seen, "the cosigned head cannot be read: %s",
                        rp_err_text(err, RP_EN));
    } else if (find_newest(look, witnessed, &newest)) {
        conclude(look, witnessed, &newest);
    }
}

/*= S113: the log only grows, and somebody else says so */
void hunt_witnessed(void *ctx, struct rp_observation *seen) {
    struct look look = {.hunt = ctx, .seen = seen, .arena = rp_arena_new(ARENA)};
    struct rp_diag french = {.french = true}, diag = {.also = &french};
    rp_err err = look.arena ? rp_log_open("ledger/public", (rp_view){NULL, 0}, &look.log, &diag)
                            : RP_ERR(NO_MEMORY);
    if (rp_is(err, RP_E_CORRUPT)) {
        rp_probe_broken_as(seen, diag.text, french.text);
    } else if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the log cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (goes_on(&look)) {
        judge(&look);
        /* What cannot be kept now is compared with the older one next time. */
        rp_ignore(rp_file_replace(seen_file, 0640, rp_log_note(look.log)));
    }
    rp_log_free(look.log);
    rp_arena_free(look.arena);
}
