/* export.c — an organisation's data are its own: a canary takes everything out, finds what it put
 * in, labels and all, and puts it into another organisation, where it must be the same again. */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "probe.h"
#include "unpack.h"

static const char export_path[] = "/.rempart/id/export";

enum { PATH_BYTES = 160, MARKER_BYTES = 16, TRIES = 2, AGAIN_MS = 2000, PIECES = 5 };

/* What is put in: a record of each label, and a file. */
struct piece {
    bool is_file;
    const char *label;
    rp_view content; /* a document as canonical JSON, or bytes */
    rp_id id;
};

/* A canary's pieces, in a collection of their own. */
struct trove {
    struct probe *probe;
    struct canary_session *canary;
    struct rp_observation *seen;
    struct rp_arena *arena;
    const char *collection;
    char proof[CANARY_PROOF];
    struct piece pieces[PIECES];
    uint64_t records; /* of the whole export */
};

/* ---- in ---- */

static const char *kind_of(const struct piece *piece) {
    return piece->is_file ? "files" : "spaces";
}

static bool put(struct trove *trove, struct piece *piece) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "/.rempart/api/v1/%s/%s?label=%s%s", kind_of(piece),
                   trove->collection, piece->label, piece->is_file ? "&name=canary.bin" : "");
    const struct canary_call call = {"POST", path, trove->proof, piece->content};
    if (rp_ok(canary_api(trove->probe, trove->canary, &call, &answer)) && answer.status == 201 &&
        rp_id_parse(rp_json_get_string(http_json(&answer), "id"), &piece->id)) {
        return true;
    }
    rp_probe_unsure(trove->seen, "a canary could not write into its own tenant (status %ld)",
                    answer.status);
    return false;
}

static bool put_all(struct trove *trove) {
    if (!canary_proof(trove->probe, trove->canary, trove->seen, trove->proof)) {
        return false;
    }
    for (size_t i = 0; i < PIECES; i++) {
        if (!put(trove, &trove->pieces[i])) {
            return false;
        }
    }
    return true;
}

/* What cannot be taken away now is in the way of nobody. */
static void take_away(struct trove *trove) {
    for (size_t i = 0; i < PIECES; i++) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        const struct piece *piece = &trove->pieces[i];
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "/.rempart/api/v1/%s/%s/%s", kind_of(piece),
                       trove->collection, rp_id_print(piece->id).s);
        const struct canary_call call = {"DELETE", path, trove->proof, {NULL, 0}};
        if (!rp_id_is_none(piece->id)) {
            rp_ignore(canary_api(trove->probe, trove->canary, &call, &answer));
        }
    }
}

/* ---- out ---- */

/* The page's form, as the administrator sends it; the archive goes into `unpack`. */
static rp_err ask_export(struct trove *trove, struct unpack *unpack, struct http_answer *answer) {
    struct http *http = trove->canary->http;
    const struct http_request page = {.method = "GET", .path = export_path};
    RP_TRY(http_ask(http, &page, answer));
    if (answer->status != 200) {
        return RP_ERR(DENIED);
    }
    _cleanup_(rp_buf_done) struct rp_buf form = rp_buf_new(8192);
    http_hidden_fields(answer, &form);
    RP_TRY(rp_buf_err(&form));
    const struct http_request request = {.method = "POST",
                                         .path = export_path,
                                         .content_type = "application/x-www-form-urlencoded",
                                         .body = rp_buf_view(&form),
                                         .take = unpack_take,
                                         .take_ctx = unpack};
    RP_TRY(http_ask(http, &request, answer));
    return answer->status == 200 ? unpack_end(unpack) : RP_ERR(DENIED);
}

/* Whole, or NULL: then it has concluded. What breaks off once may be a restart, twice is not. */
static struct unpack *export_all(struct trove *trove) {
    char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "canary/%s", trove->collection);
    for (int i = 0; i < TRIES; i++) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        struct unpack *unpack = unpack_new(folder);
        rp_err err = unpack ? ask_export(trove, unpack, &answer) : RP_ERR(NO_MEMORY);
        if (rp_ok(err)) {
            trove->records = unpack_records(unpack);
            return unpack;
        }
        unpack_free(unpack);
        if (answer.status != 200 && (answer.status < 400 || answer.status >= 429)) {
            rp_probe_unsure(trove->seen, "the export gave no answer (status %ld)", answer.status);
            return NULL;
        }
        if (answer.status != 200) {
            rp_probe_broken(trove->seen, "an administrator asked for everything and got %ld",
                            answer.status);
            return NULL;
        }
        rp_probe_broken(trove->seen, "the export is not whole: %s", rp_err_text(err, RP_EN));
        (void)rp_probe_wait(&trove->probe->stopping, AGAIN_MS);
    }
    return NULL;
}

/* ---- the same? ---- */

static bool same_content(struct trove *trove, const struct piece *piece, struct unpack *unpack,
                         const struct rp_json *line) {
    if (piece->is_file) {
        return rp_view_equal(unpack_file(unpack, piece->id), piece->content);
    }
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(4096);
    rp_view copy = {NULL, 0};
    return rp_ok(rp_json_print(rp_json_get(line, "document"), &text)) &&
           rp_ok(rp_arena_copy(trove->arena, rp_buf_view(&text), &copy)) &&
           rp_view_equal(copy, piece->content);
}

static bool all_there(struct trove *trove, struct unpack *unpack) {
    for (size_t i = 0; i < PIECES; i++) {
        const struct piece *piece = &trove->pieces[i];
        const char *what = piece->is_file ? RP_WORDS("file") : RP_WORDS("record");
        const struct rp_json *line = unpack_line(unpack, piece->id);
        if (!line || !same_content(trove, piece, unpack, line)) {
            rp_probe_broken(
                trove->seen,
                line ? "a %s is another one in the export" : "a %s is missing in the export", what);
            return false;
        }
        rp_view label = rp_json_get_string(line, "label");
        if (!rp_view_equal(label, rp_view_from_cstr(piece->label))) {
            rp_probe_broken(trove->seen, "a %s labelled %s is exported as %.*s", what, piece->label,
                            RP_FMT(label));
            return false;
        }
    }
    return true;
}

/* ---- a trove to begin with, and one made of what came out ---- */

static bool fill(struct trove *trove) {
    static const char *const labels[PIECES] = {"public", "internal", "personal", "sensitive",
                                               "sensitive"};
    for (size_t i = 0; i < PIECES; i++) {
        struct piece *piece = &trove->pieces[i];
        uint8_t random[MARKER_BYTES];
        char hex[2 * MARKER_BYTES + 1] = {0};
        trove->probe->env.fill_random(trove->probe->env.ctx, random, sizeof random);
        rp_hex_print(rp_view_of(random, sizeof random), hex);
        *piece = (struct piece){.is_file = i == PIECES - 1, .label = labels[i]};
        piece->content = piece->is_file ? rp_arena_printf(trove->arena, "file\n%s\n", hex)
                                        : rp_arena_printf(trove->arena, "{\"canary\":\"%s\"}", hex);
        if (!piece->content.p) {
            rp_probe_unsure(trove->seen, "out of memory");
            return false;
        }
    }
    return true;
}

/* The labels and contents as the archive has them, not as they were put in. */
static bool fill_from(struct trove *trove, const struct trove *first, struct unpack *unpack) {
    for (size_t i = 0; i < PIECES; i++) {
        const struct piece *from = &first->pieces[i];
        const struct rp_json *line = unpack_line(unpack, from->id);
        _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(4096);
        rp_err err = from->is_file ? RP_OK : rp_json_print(rp_json_get(line, "document"), &text);
        rp_view content = from->is_file ? unpack_file(unpack, from->id) : rp_buf_view(&text);
        trove->pieces[i] =
            (struct piece){.is_file = from->is_file,
                           .label = rp_arena_cstr(trove->arena, rp_json_get_string(line, "label"))};
        if (!rp_ok(err) || !trove->pieces[i].label ||
            !rp_ok(rp_arena_copy(trove->arena, content, &trove->pieces[i].content))) {
            rp_probe_unsure(trove->seen, "out of memory");
            return false;
        }
    }
    return true;
}

/* ---- the probes ---- */

/* Puts in, takes out, and judges what came; whatever was said, nothing stays. */
static void take_out(struct probe *probe, struct rp_observation *seen, const char *collection,
                     void (*judge)(struct trove *trove, struct unpack *unpack)) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(1 << 20);
    struct trove trove = {.probe = probe,
                          .canary = &probe->people[0],
                          .seen = seen,
                          .arena = arena,
                          .collection = collection};
    if (!arena) {
        rp_probe_unsure(seen, "out of memory");
        return;
    }
    struct unpack *unpack = fill(&trove) && put_all(&trove) ? export_all(&trove) : NULL;
    if (unpack && all_there(&trove, unpack)) {
        judge(&trove, unpack);
    }
    take_away(&trove);
    unpack_free(unpack);
}

static void labels_came(struct trove *trove, struct unpack *unpack) {
    (void)unpack; /* all_there has compared them */
    rp_probe_holds(trove->seen, "records labelled public, internal, personal and sensitive, and a "
                                "sensitive file, came out of the export with their labels");
}

/*= S174: what has a label keeps it, out of the house too */
void probe_customer_labels_kept(void *ctx, struct rp_observation *seen) {
    take_out(ctx, seen, "canary-labels", labels_came);
}

/* Into the second canary's organisation, and out of it again. */
static void reimport(struct trove *first, struct unpack *unpack) {
    struct probe *probe = first->probe;
    struct trove second = {.probe = probe,
                           .canary = &probe->people[1],
                           .seen = first->seen,
                           .arena = first->arena,
                           .collection = "canary-import"};
    struct unpack *again =
        fill_from(&second, first, unpack) && put_all(&second) ? export_all(&second) : NULL;
    if (again && all_there(&second, again)) {
        rp_probe_holds(first->seen,
                       "an organisation's %llu records came out, each part as the manifest says; "
                       "%d of them went into another organisation and came out of it the same",
                       (unsigned long long)first->records, PIECES);
    }
    take_away(&second);
    unpack_free(again);
}

/*= S70: an organisation takes its data out at any time, whole, and in a form that serves elsewhere
 */
void probe_tenant_export_reimport(void *ctx, struct rp_observation *seen) {
    take_out(ctx, seen, "canary-export", reimport);
}
