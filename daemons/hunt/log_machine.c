/* log_machine.c — S113: tries, from the machine that has the log, what whoever took that machine
 * would try against the copy on the log machine; and looks that the copy follows.
 *
 * A canary is written into the operator's tree first. When the copy has it, there is a checkpoint
 * from before that the log itself signed, and that the copy must not go back to.
 */
#include <stdio.h>

#include "base/checked.h"
#include "hunt.h"
#include "ipc/ipc.h"
#include "ledger/note.h"
#include "ledger/origin.h"
#include "ledger/tiles.h"
#include "ledger/vault_message_io.h"
#include "os/file.h"

enum {
    DEADLINE_MS = 8000,
    LEDGER_MS = 4000,
    FOLLOW_TRIES = 40, /* twenty seconds */
    ANSWER_TRIES = 10,
    PAUSE_MS = 500,
    TREES_MAX = 1000,
    NOTE_ARENA = 32 * RP_NOTE_MAX,
    READ_NUMBER = 64, /* what a message that reads, or one that removes, could be */
    DELETE_NUMBER = 65
};

static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};

struct attack {
    struct hunt *hunt;
    struct rp_observation *seen;
    struct rp_ipc_client *vault;
    struct rp_buf request, reply;
    struct rp_arena *arena;
    rp_view note; /* the operator tree's checkpoint before the canary */
    struct rp_tlog_checkpoint before;
    uint64_t canary; /* its place */
    size_t trees;    /* whose copies were looked at */
    bool concluded;
};

/* ---- asking as a stranger ---- */

static rp_err ask(struct attack *attack, enum rp_vault_message what,
                  const struct rp_vault_request *request) {
    rp_buf_clear(&attack->request);
    rp_vault_request_pack(&attack->request, what, request);
    RP_TRY(rp_buf_err(&attack->request));
    return rp_ipc_call(attack->vault, (enum rp_ipc_message)what, rp_buf_view(&attack->request),
                       &attack->reply);
}

static rp_err ask_size(struct attack *attack, struct rp_tree tree, struct rp_vault_size *ret_size) {
    const struct rp_vault_request request = {.tree = tree};
    RP_TRY(ask(attack, RP_VAULT_SIZE, &request));
    return rp_vault_size_unpack(rp_buf_view(&attack->reply), ret_size);
}

/* ---- does the copy follow? ---- */

static rp_err read_head(struct attack *attack, const char *tree, rp_view *ret_note,
                        struct rp_tlog_checkpoint *ret_checkpoint) {
    char path[80];
    struct rp_tlog_note *note = rp_arena_alloc(attack->arena, sizeof *note);
    (void)snprintf(path, sizeof path, "ledger/%s/checkpoint", tree);
    RP_TRY(note ? rp_file_read(path, RP_NOTE_MAX, attack->arena, ret_note) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_tlog_note_parse(*ret_note, attack->arena, note));
    return rp_tlog_checkpoint_parse(note->text, ret_checkpoint);
}

static rp_err plant(struct attack *attack) {
    const struct rp_env *env = &attack->hunt->env;
    struct rp_ipc_client *ledger = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_LEDGER, LEDGER_MS);
    struct rp_event *event =
        rp_event_new(attack->arena, RP_EVENT_CANARY_OPERATOR, rp_env_now_ms(env), RP_ROLE_HUNT);
    rp_view bytes = {NULL, 0};
    uint64_t next = 0;
    rp_event_add_id(event, "mark", rp_env_new_id(env));
    rp_err err = ledger ? rp_event_print(event, &bytes) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = rp_ledger_append(ledger, operator_tree, (rp_id){{0}}, 0, &bytes, 1, &next);
    }
    rp_ipc_client_free(ledger);
    attack->canary = next - 1;
    return err;
}

/* Core hears it from the log machine; then there is nothing to wait for. */
static bool was_refused(struct attack *attack) {
    rp_view text = {NULL, 0}, word = RP_VIEW("\"state\":\"refused\"");
    return rp_ok(rp_file_read("run/vault-copy.json", RP_NOTE_MAX, attack->arena, &text)) &&
           rp_view_find(text, word) < text.n;
}

static bool follows(struct attack *attack) {
    struct rp_vault_size size = {.covered = 0};
    rp_err err = RP_OK;
    for (int i = 0; i < FOLLOW_TRIES; i++) {
        err = ask_size(attack, operator_tree, &size);
        if (rp_ok(err) && size.covered > attack->canary) {
            return true;
        }
        bool away = i >= ANSWER_TRIES && (!rp_ok(err) || was_refused(attack));
        if (away || !rp_probe_wait(&attack->hunt->stopping, PAUSE_MS)) {
            break;
        }
    }
    if (rp_ok(err)) {
        rp_probe_broken(attack->seen,
                        "the log machine has %llu entries of the operator's tree and does not take "
                        "the %llu that are here",
                        (unsigned long long)size.covered, (unsigned long long)attack->canary + 1);
    } else {
        rp_probe_broken(attack->seen, "the log machine does not answer: %s",
                        rp_err_text(err, RP_EN));
    }
    return false;
}

/* No tree is missing there, or shorter than it was here a moment ago. */
static rp_err look_at_tree(void *ctx, const char *name, bool is_folder) {
    struct attack *attack = ctx;
    struct rp_tree tree;
    struct rp_tlog_checkpoint here = {.size = 0};
    struct rp_vault_size there = {.covered = 0};
    rp_view note = {NULL, 0};
    if (attack->concluded || !is_folder || attack->trees == TREES_MAX ||
        !rp_tree_of_folder(rp_view_from_cstr(name), &tree)) {
        return RP_OK;
    }
    rp_arena_reset(attack->arena);
    if (rp_is(read_head(attack, name, &note, &here), RP_E_NOT_FOUND)) {
        return RP_OK; /* a tree that is being born */
    }
    for (int i = 0; i < FOLLOW_TRIES; i++) {
        RP_TRY(ask_size(attack, tree, &there));
        if (there.covered >= here.size) {
            attack->trees++;
            return RP_OK;
        }
        if (!rp_probe_wait(&attack->hunt->stopping, PAUSE_MS)) {
            return RP_ERR(CLOSED);
        }
    }
    attack->concluded = true;
    rp_probe_broken(attack->seen, "the log machine has %llu entries of %.40s, %llu are here",
                    (unsigned long long)there.covered, name, (unsigned long long)here.size);
    return RP_OK;
}

/* ---- what must be refused ---- */

/* False, and concluded, when it was not refused in one of two ways. */
static bool refused(struct attack *attack, const char *what, rp_err err, enum rp_code expected,
                    enum rp_code or_else) {
    if (rp_is(err, expected) || rp_is(err, or_else)) {
        return true;
    }
    attack->concluded = true;
    if (rp_ok(err) || !rp_err_retry(err)) {
        rp_probe_broken(attack->seen, "the log machine, asked to take %s: %s", what,
                        rp_ok(err) ? "took it" : rp_err_text(err, RP_EN));
    } else {
        rp_probe_unsure(attack->seen, "the log machine, asked to take %s: %s", what,
                        rp_err_text(err, RP_EN));
    }
    return false;
}

static bool try_entries(struct attack *attack) {
    static const char *const names[] = {RP_WORDS("another first entry"),
                                        RP_WORDS("an entry that leaves a gap"),
                                        RP_WORDS("the next entry from a stranger")};
    _cleanup_(rp_buf_done) struct rp_buf bundle = rp_buf_new(256);
    struct rp_vault_size size = {.entries = 0};
    rp_bundle_add(&bundle, RP_VIEW("{\"forged\":true}"));
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        rp_err err = ask_size(attack, operator_tree, &size);
        const struct rp_vault_request request = {.tree = operator_tree,
                                                 .at = i == 0   ? 0
                                                       : i == 1 ? size.entries + 100000
                                                                : size.entries,
                                                 .bytes = rp_buf_view(&bundle)};
        if (rp_ok(err)) {
            err = ask(attack, RP_VAULT_ENTRIES, &request);
        }
        if (!refused(attack, names[i], err, RP_E_CONFLICT, i == 2 ? RP_E_DENIED : RP_E_CONFLICT)) {
            return false;
        }
    }
    return true;
}

static bool try_head(struct attack *attack, const char *what, rp_view note, enum rp_code expected) {
    const struct rp_vault_request request = {.tree = operator_tree, .bytes = note};
    return refused(attack, what, ask(attack, RP_VAULT_HEAD, &request), expected, expected);
}

/* Of twice the size, under a key that was made for it. */
static rp_err forge(struct attack *attack, struct rp_buf *out) {
    struct rp_log_key key = {.secret = NULL};
    rp_hash root = rp_merkle_empty();
    RP_TRY(rp_ed25519_new(&attack->hunt->env, &key.secret));
    rp_err err = rp_ed25519_public(key.secret, key.public_key);
    if (rp_ok(err)) {
        err = rp_checkpoint_sign(&key, attack->before.origin, attack->before.size * 2, &root, out);
    }
    rp_secret_free(key.secret);
    return err;
}

/* The log's own signature under another root: the third line is the root. */
static rp_err alter(struct attack *attack, struct rp_buf *out) {
    rp_buf_add(out, attack->note);
    RP_TRY(rp_buf_err(out));
    rp_view rest = rp_buf_view(out);
    (void)rp_view_cut(&rest, '\n');
    (void)rp_view_cut(&rest, '\n');
    uint8_t *letter = out->p + (rest.p - out->p);
    *letter = *letter == 'A' ? 'B' : 'A';
    return RP_OK;
}

static bool try_heads(struct attack *attack) {
    _cleanup_(rp_buf_done) struct rp_buf forged = rp_buf_new(RP_NOTE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf altered = rp_buf_new(RP_NOTE_MAX);
    if (!rp_ok(forge(attack, &forged)) || !rp_ok(alter(attack, &altered))) {
        rp_probe_unsure(attack->seen, "no checkpoint can be forged here");
        return false;
    }
    return try_head(attack, RP_WORDS("a checkpoint of another key"), rp_buf_view(&forged),
                    RP_E_BAD_SIGNATURE) &&
           try_head(attack, RP_WORDS("a checkpoint with another root"), rp_buf_view(&altered),
                    RP_E_BAD_SIGNATURE) &&
           try_head(attack, RP_WORDS("an older checkpoint"), attack->note, RP_E_REPLAYED);
}

static bool try_the_rest(struct attack *attack) {
    const struct rp_vault_request segment = {.at = 1, .total = 4, .bytes = RP_VIEW("evil")};
    return refused(attack, RP_WORDS("an access segment that no entry names"),
                   ask(attack, RP_VAULT_SEGMENT, &segment), RP_E_NOT_FOUND, RP_E_DUPLICATE) &&
           refused(attack, RP_WORDS("a request to read"),
                   rp_ipc_try_unlisted(attack->vault, READ_NUMBER), RP_E_CLOSED, RP_E_PROTOCOL) &&
           refused(attack, RP_WORDS("a request to delete"),
                   rp_ipc_try_unlisted(attack->vault, DELETE_NUMBER), RP_E_CLOSED, RP_E_PROTOCOL);
}

/* ---- all of it ---- */

static void conclude(struct attack *attack) {
    const struct machine_mark *here = &attack->hunt->machine;
    rp_err err =
        rp_ipc_call(attack->vault, RP_IPC_HUNT_VAULT_PLACE, (rp_view){NULL, 0}, &attack->reply);
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&attack->reply));
    rp_view mark = rp_unpack_bytes(&in, RP_SHA256);
    if (!rp_ok(err) || !here->known || mark.n != RP_SHA256) {
        rp_probe_unsure(attack->seen, "which machine keeps the copy cannot be told: %s",
                        here->known ? rp_err_text(err, RP_EN) : "no /etc/machine-id here");
    } else if (rp_view_equal(mark, rp_view_of(here->hash.b, RP_SHA256))) {
        rp_probe_not_met(
            attack->seen,
            "The copy refuses what it must, on the machine of the log itself: it takes "
            "a machine of its own (runs: [vault]).");
    } else {
        rp_probe_holds(attack->seen,
                       "another machine has every entry of %zu trees, the newest written for this; "
                       "asked to replace, skip, go back, take another root or key, read or delete, "
                       "it refused ten times",
                       attack->trees);
    }
}

static void attack_it(struct attack *attack) {
    rp_err err = read_head(attack, "operator", &attack->note, &attack->before);
    if (rp_ok(err)) {
        err = plant(attack);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(attack->seen, "the log takes no canary: %s", rp_err_text(err, RP_EN));
        return;
    }
    if (!follows(attack) || !try_entries(attack) || !try_heads(attack) || !try_the_rest(attack)) {
        return;
    }
    err = rp_folder_each("ledger", look_at_tree, attack);
    if (!rp_ok(err)) {
        rp_probe_unsure(attack->seen, "the trees cannot be compared: %s", rp_err_text(err, RP_EN));
    } else if (!attack->concluded) {
        conclude(attack);
    }
}

/*= S113: whoever holds the log's machine can neither rewrite nor remove what was logged. */
void hunt_tamper_refused(void *ctx, struct rp_observation *seen) {
    struct hunt *hunt = ctx;
    if (!rp_config_has_vault(hunt->config)) {
        rp_probe_not_met(seen, "No machine keeps a copy of the log: it takes one of its own, with "
                               "runs: [vault].");
        return;
    }
    struct attack attack = {.hunt = hunt,
                            .seen = seen,
                            .request = rp_buf_new(RP_NOTE_MAX + 1024),
                            .reply = rp_buf_new(256),
                            .arena = rp_arena_new(NOTE_ARENA),
                            .vault = rp_ipc_client_new(RP_ROLE_HUNT, RP_ROLE_VAULT, DEADLINE_MS)};
    if (attack.arena && attack.vault) {
        attack_it(&attack);
    } else {
        rp_probe_unsure(seen, "out of memory");
    }
    rp_ipc_client_free(attack.vault);
    rp_arena_free(attack.arena);
    rp_buf_done(&attack.request);
    rp_buf_done(&attack.reply);
}
