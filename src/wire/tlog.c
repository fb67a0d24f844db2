/* tlog.c — notes, checkpoints, keys and proofs, as lines of text. */
#include "wire/tlog.h"

#include "base/assert.h"
#include "base/id.h"
#include "wire/encode.h"
#include "wire/http.h"

/* The line up to the next newline, which is dropped; false when there is none. */
static bool take_line(rp_view *v, rp_view *ret_line) {
    size_t at = rp_view_find_byte(*v, '\n');
    if (at == v->n) {
        return false;
    }
    *ret_line = rp_view_sub(*v, 0, at);
    *v = rp_view_from(*v, at + 1);
    return true;
}

/* ---- hashes in base64: 43 letters and one '=' ---- */

static rp_err parse_hash(rp_view text, uint8_t hash[static RP_TLOG_HASH]) {
    if (text.n != 44) {
        return RP_ERR(SYNTAX);
    }
    struct rp_buf bytes = rp_buf_new(RP_TLOG_HASH + 1);
    rp_err err = rp_base64_parse(text, &bytes);
    if (rp_ok(err) && bytes.n != RP_TLOG_HASH) {
        err = RP_ERR(SYNTAX);
    }
    if (rp_ok(err)) {
        memcpy(hash, bytes.p, RP_TLOG_HASH);
    }
    rp_buf_done(&bytes);
    return rp_is(err, RP_E_INVALID) ? RP_ERR(SYNTAX) : err;
}

static void print_hash_line(struct rp_buf *out, const uint8_t hash[static RP_TLOG_HASH]) {
    rp_base64_print(out, rp_view_of(hash, RP_TLOG_HASH));
    rp_buf_add_byte(out, '\n');
}

static rp_err decode(rp_view text, struct rp_arena *arena, rp_view *ret_bytes) {
    rp_err err = rp_base64_decode(text, arena, ret_bytes);
    return rp_is(err, RP_E_INVALID) ? RP_ERR(SYNTAX) : err;
}

/* ---- signed notes (C2SP signed-note): text, a blank line, signature lines ---- */

static const rp_view dash = RP_VIEW_INIT("\xE2\x80\x94 "); /* "— " */

/* Unicode's spaces beyond ASCII, which the reference implementation refuses in names. */
static bool is_wide_space(rp_view v) {
    static const rp_view spaces[] = {RP_VIEW_INIT("\xC2\x85"),     RP_VIEW_INIT("\xC2\xA0"),
                                     RP_VIEW_INIT("\xE1\x9A\x80"), RP_VIEW_INIT("\xE2\x80\xA8"),
                                     RP_VIEW_INIT("\xE2\x80\xA9"), RP_VIEW_INIT("\xE2\x80\xAF"),
                                     RP_VIEW_INIT("\xE2\x81\x9F"), RP_VIEW_INIT("\xE3\x80\x80")};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        if (rp_view_starts(v, spaces[i])) {
            return true;
        }
    }
    return v.n >= 3 && v.p[0] == 0xE2 && v.p[1] == 0x80 && v.p[2] >= 0x80 && v.p[2] <= 0x8A;
}

/* A key's name: not empty, well-formed, without spaces and '+'. */
static bool is_name(rp_view name) {
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] == '+' || is_wide_space(rp_view_from(name, i))) {
            return false;
        }
    }
    return name.n > 0 && rp_utf8_valid(name);
}

/* Well-formed UTF-8 without control characters but newlines. */
static bool is_note_text(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < ' ' && v.p[i] != '\n') {
            return false;
        }
    }
    return rp_utf8_valid(v);
}

static rp_err parse_signature(rp_view line, struct rp_arena *arena,
                              struct rp_tlog_signature *signature) {
    if (!rp_view_take(&line, dash)) {
        return RP_ERR(SYNTAX);
    }
    rp_view bytes = {NULL, 0};
    rp_view name = rp_view_cut(&line, ' ');
    if (!is_name(name)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(decode(line, arena, &bytes));
    if (bytes.n <= sizeof signature->key_id) {
        return RP_ERR(SYNTAX);
    }
    signature->name = name;
    memcpy(signature->key_id, bytes.p, sizeof signature->key_id);
    signature->bytes = rp_view_from(bytes, sizeof signature->key_id);
    return RP_OK;
}

/* The last blank line parts text and signatures; ret_at is where the signatures begin. */
static bool find_signatures(rp_view bytes, size_t *ret_at) {
    for (size_t at = bytes.n; at >= 2; at--) {
        if (bytes.p[at - 1] == '\n' && bytes.p[at - 2] == '\n') {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

rp_err rp_tlog_note_parse(rp_view bytes, struct rp_arena *arena, struct rp_tlog_note *ret_note) {
    RP_ASSERT(ret_note != NULL);
    size_t at;
    if (!is_note_text(bytes) || !find_signatures(bytes, &at)) {
        return RP_ERR(SYNTAX);
    }
    struct rp_tlog_note note = {.text = rp_view_sub(bytes, 0, at - 1)};
    rp_view rest = rp_view_from(bytes, at);
    do {
        rp_view line;
        if (!take_line(&rest, &line)) {
            return RP_ERR(SYNTAX);
        }
        if (note.signature_count == RP_TLOG_SIGNATURES_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(parse_signature(line, arena, &note.signatures[note.signature_count]));
        note.signature_count++;
    } while (rest.n > 0);
    *ret_note = note;
    return RP_OK;
}

/* key id ‖ bytes in base64; the two are joined first, since base64 does not add up. */
static void print_keyed(struct rp_buf *out, rp_view head, rp_view bytes) {
    struct rp_buf joined = rp_buf_new(out->max);
    rp_buf_add(&joined, head);
    rp_buf_add(&joined, bytes);
    rp_base64_print(out, rp_buf_view(&joined));
    out->failed = out->failed || joined.failed;
    rp_buf_done(&joined);
}

void rp_tlog_signature_print(struct rp_buf *out, rp_view name, const uint8_t key_id[static 4],
                             rp_view signature) {
    RP_ASSERT(is_name(name));
    RP_ASSERT(signature.n > 0);
    rp_buf_add(out, dash);
    rp_buf_add(out, name);
    rp_buf_add_byte(out, ' ');
    print_keyed(out, rp_view_of(key_id, 4), signature);
    rp_buf_add_byte(out, '\n');
}

/* ---- checkpoints (C2SP tlog-checkpoint): origin, size, root; no extension lines here ---- */

rp_err rp_tlog_checkpoint_parse(rp_view text, struct rp_tlog_checkpoint *ret_checkpoint) {
    RP_ASSERT(ret_checkpoint != NULL);
    struct rp_tlog_checkpoint checkpoint;
    rp_view size;
    rp_view root;
    if (!is_note_text(text) || !take_line(&text, &checkpoint.origin) || !take_line(&text, &size) ||
        !take_line(&text, &root) || text.n > 0 || checkpoint.origin.n == 0 ||
        !rp_view_to_u64(size, UINT64_MAX, &checkpoint.size)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(parse_hash(root, checkpoint.root));
    *ret_checkpoint = checkpoint;
    return RP_OK;
}

void rp_tlog_checkpoint_print(struct rp_buf *out, const struct rp_tlog_checkpoint *checkpoint) {
    RP_ASSERT(checkpoint->origin.n > 0);
    rp_buf_add(out, checkpoint->origin);
    rp_buf_add_byte(out, '\n');
    rp_buf_add_u64(out, checkpoint->size);
    rp_buf_add_byte(out, '\n');
    print_hash_line(out, checkpoint->root);
}

/* ---- verifier keys ---- */

rp_err rp_tlog_vkey_parse(rp_view text, struct rp_arena *arena, struct rp_tlog_vkey *ret_vkey) {
    RP_ASSERT(ret_vkey != NULL);
    struct rp_tlog_vkey vkey;
    rp_view bytes = {NULL, 0};
    vkey.name = rp_view_cut(&text, '+');
    rp_view id = rp_view_cut(&text, '+');
    if (!is_name(vkey.name) || !rp_hex_parse(id, vkey.key_id, sizeof vkey.key_id)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(decode(text, arena, &bytes));
    if (bytes.n < 2) {
        return RP_ERR(SYNTAX);
    }
    vkey.type = bytes.p[0];
    vkey.public_key = rp_view_from(bytes, 1);
    *ret_vkey = vkey;
    return RP_OK;
}

void rp_tlog_vkey_print(struct rp_buf *out, const struct rp_tlog_vkey *vkey) {
    RP_ASSERT(is_name(vkey->name));
    char id[8];
    rp_hex_print(rp_view_of(vkey->key_id, sizeof vkey->key_id), id);
    rp_buf_add(out, vkey->name);
    rp_buf_add_byte(out, '+');
    rp_buf_add(out, rp_view_of(id, sizeof id));
    rp_buf_add_byte(out, '+');
    print_keyed(out, rp_view_of(&vkey->type, 1), vkey->public_key);
}

/* ---- proofs (C2SP tlog-proof) ---- */

static const rp_view proof_header = RP_VIEW_INIT("c2sp.org/tlog-proof@v1");

/* Lines up to the blank one, each a hash. */
static rp_err parse_hashes(rp_view *v, uint8_t (*hashes)[RP_TLOG_HASH], size_t max,
                           size_t *ret_count) {
    for (size_t count = 0;; count++) {
        rp_view line;
        if (!take_line(v, &line)) {
            return RP_ERR(SYNTAX);
        }
        if (line.n == 0) {
            *ret_count = count;
            return RP_OK;
        }
        if (count == max) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(parse_hash(line, hashes[count]));
    }
}

static void print_hashes(struct rp_buf *out, const uint8_t (*hashes)[RP_TLOG_HASH], size_t count) {
    for (size_t i = 0; i < count; i++) {
        print_hash_line(out, hashes[i]);
    }
    rp_buf_add_byte(out, '\n');
}

static rp_err parse_proof(rp_view v, struct rp_arena *arena, struct rp_tlog_proof *proof) {
    rp_view line;
    if (!take_line(&v, &line) || !rp_view_equal(line, proof_header) || !take_line(&v, &line)) {
        return RP_ERR(SYNTAX);
    }
    if (rp_view_take(&line, RP_VIEW("extra "))) {
        RP_TRY(decode(line, arena, &proof->extra));
        if (proof->extra.n == 0 || !take_line(&v, &line)) {
            return RP_ERR(SYNTAX);
        }
    }
    if (!rp_view_take(&line, RP_VIEW("index ")) ||
        !rp_view_to_u64(line, UINT64_MAX, &proof->index)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(parse_hashes(&v, proof->hashes, RP_TLOG_PROOF_MAX, &proof->hash_count));
    proof->checkpoint = v;
    return v.n > 0 ? RP_OK : RP_ERR(SYNTAX);
}

rp_err rp_tlog_proof_parse(rp_view bytes, struct rp_arena *arena, struct rp_tlog_proof *ret_proof) {
    RP_ASSERT(ret_proof != NULL);
    struct rp_tlog_proof proof = {.hash_count = 0};
    RP_TRY(parse_proof(bytes, arena, &proof));
    *ret_proof = proof;
    return RP_OK;
}

void rp_tlog_proof_print(struct rp_buf *out, const struct rp_tlog_proof *proof) {
    RP_ASSERT(proof->hash_count <= RP_TLOG_PROOF_MAX);
    rp_buf_add(out, proof_header);
    rp_buf_add_byte(out, '\n');
    if (proof->extra.n > 0) {
        rp_buf_add_cstr(out, "extra ");
        rp_base64_print(out, proof->extra);
        rp_buf_add_byte(out, '\n');
    }
    rp_buf_add_cstr(out, "index ");
    rp_buf_add_u64(out, proof->index);
    rp_buf_add_byte(out, '\n');
    print_hashes(out, proof->hashes, proof->hash_count);
    rp_buf_add(out, proof->checkpoint);
}

/* ---- what a witness is asked (C2SP tlog-witness) ---- */

rp_err rp_tlog_add_parse(rp_view bytes, struct rp_tlog_add *ret_add) {
    RP_ASSERT(ret_add != NULL);
    struct rp_tlog_add add = {.hash_count = 0};
    rp_view line;
    if (!take_line(&bytes, &line) || !rp_view_take(&line, RP_VIEW("old ")) ||
        !rp_view_to_u64(line, UINT64_MAX, &add.old_size)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(parse_hashes(&bytes, add.hashes, RP_TLOG_ADD_HASHES_MAX, &add.hash_count));
    if (bytes.n == 0) {
        return RP_ERR(SYNTAX);
    }
    add.checkpoint = bytes;
    *ret_add = add;
    return RP_OK;
}

void rp_tlog_add_print(struct rp_buf *out, const struct rp_tlog_add *add) {
    RP_ASSERT(add->hash_count <= RP_TLOG_ADD_HASHES_MAX && add->checkpoint.n > 0);
    rp_buf_add_cstr(out, "old ");
    rp_buf_add_u64(out, add->old_size);
    rp_buf_add_byte(out, '\n');
    print_hashes(out, add->hashes, add->hash_count);
    rp_buf_add(out, add->checkpoint);
}
