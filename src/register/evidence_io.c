/* evidence_io.c — pieces of evidence in the system database. */
#include "register/evidence.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "register/save.h"

struct hex {
    char s[2 * RP_SHA256];
};

static struct hex hex_of(const struct rp_sha256 *sum) {
    struct hex hex;
    rp_hex_print(rp_view_of(sum->b, sizeof sum->b), hex.s);
    return hex;
}

static rp_view bytes_of(const struct rp_sha256 *sum) {
    return rp_view_of(sum->b, sizeof sum->b);
}

/* What a piece is sealed to: its file and its place in it, beside the record. */
static rp_view place_of(struct rp_arena *arena, const struct rp_sha256 *sum, uint64_t piece) {
    struct hex hex = hex_of(sum);
    return rp_arena_printf(arena, "register-file %.*s %llu", (int)sizeof hex.s, hex.s,
                           (unsigned long long)piece);
}

/* ---- which field names it ---- */

static rp_err check_named(struct rp_desk *desk, const struct rp_entry *record,
                          const struct rp_sha256 *sum) {
    struct hex hex = hex_of(sum);
    const struct rp_register *reg = record->facts.reg;
    for (size_t i = 0; i < reg->field_count; i++) {
        const struct rp_field *field = &reg->fields[i];
        rp_view value = field->type == RP_FIELD_FILE
                            ? rp_json_get_string(record->facts.open, field->id)
                            : (rp_view){NULL, 0};
        if (!rp_view_starts(value, rp_view_of(hex.s, sizeof hex.s))) {
            continue;
        }
        /*= S8: of a report on somebody's past the digest is kept, never a copy */
        return field->digest_only
                   ? rp_fail(desk->diag, RP_ERR(DENIED), "%s: %s", field->id,
                             desk->lang == RP_FR ? "l’empreinte seulement, aucune copie"
                                                 : "the digest only, no copy")
                   : RP_OK;
    }
    return rp_fail(desk->diag, RP_ERR(INVALID), "sha256: %s",
                   desk->lang == RP_FR ? "aucun champ de la fiche ne nomme ce fichier"
                                       : "no field of the record names this file");
}

/* ---- one piece ---- */

struct filing {
    struct rp_desk *desk;
    const struct rp_piece *piece;
    bool filed, other;
};

static rp_err put_piece(const struct filing *filing, const struct rp_entry *record) {
    const struct rp_piece *piece = filing->piece;
    struct rp_desk *desk = filing->desk;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_PIECE_MAX + 1024);
    rp_view place = place_of(desk->arena, &piece->sha256, piece->piece);
    RP_TRY(rp_entry_seal(desk, record->facts.id, place, piece->bytes, &sealed));
    struct rp_sha256 sum = rp_sha256_of(rp_buf_view(&sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "INSERT INTO register_piece (record, sha256, piece, sealed, sealed_sha256) "
                       "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (record, sha256, piece) "
                       "DO UPDATE SET sealed = ?4, sealed_sha256 = ?5",
                       &row));
    rp_row_bind_u64(row, 1, record->row);
    rp_row_bind_blob(row, 2, bytes_of(&piece->sha256));
    rp_row_bind_u64(row, 3, piece->piece);
    rp_row_bind_blob(row, 4, rp_buf_view(&sealed));
    rp_row_bind_blob(row, 5, bytes_of(&sum));
    return rp_row_run(row, NULL);
}

static rp_err count_pieces(struct rp_db *db, uint64_t record, const struct rp_sha256 *sum,
                           uint64_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT count(*) FROM register_piece WHERE record = ?1 AND sha256 = ?2",
                       &row));
    rp_row_bind_u64(row, 1, record);
    rp_row_bind_blob(row, 2, bytes_of(sum));
    RP_TRY(rp_row_first(row));
    *ret_count = rp_row_u64(row, 0);
    return RP_OK;
}

static rp_err read_pieces(struct rp_desk *desk, const struct rp_entry *record,
                          const struct rp_sha256 *sum, struct rp_buf *out) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    uint64_t at = 0;
    bool more = false;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT piece, sealed FROM register_piece WHERE record = ?1 "
                       "AND sha256 = ?2 ORDER BY piece",
                       &row));
    rp_row_bind_u64(row, 1, record->row);
    rp_row_bind_blob(row, 2, bytes_of(sum));
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        if (rp_row_u64(row, 0) != at) {
            return RP_ERR(CORRUPT);
        }
        rp_view place = place_of(desk->arena, sum, at);
        RP_TRY(rp_entry_open(desk, record->facts.id, place, rp_row_blob(row, 1), out));
        at++;
        RP_TRY(rp_row_next(row, &more));
    }
    return at > 0 ? rp_buf_err(out) : RP_ERR(NOT_FOUND);
}

static rp_err forget_pieces(struct rp_db *db, uint64_t record, const struct rp_sha256 *sum) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM register_piece WHERE record = ?1 AND sha256 = ?2", &row));
    rp_row_bind_u64(row, 1, record);
    rp_row_bind_blob(row, 2, bytes_of(sum));
    return rp_row_run(row, NULL);
}

/* The history and the log learn of it with the last piece, in the same transaction. */
static rp_err finish(struct filing *filing, const struct rp_entry *was) {
    const struct rp_piece *piece = filing->piece;
    struct rp_desk *desk = filing->desk;
    _cleanup_(rp_buf_done) struct rp_buf whole = rp_buf_new(RP_EVIDENCE_MAX);
    RP_TRY(read_pieces(desk, was, &piece->sha256, &whole));
    struct rp_sha256 sum = rp_sha256_of(rp_buf_view(&whole));
    if (!rp_view_equal(bytes_of(&sum), bytes_of(&piece->sha256))) {
        filing->other = true;
        return forget_pieces(desk->db, was->row, &piece->sha256);
    }
    struct hex hex = hex_of(&sum);
    struct rp_change change = {.filed = {rp_view_of(hex.s, sizeof hex.s), whole.n, piece->pieces}};
    struct rp_entry record;
    RP_TRY(rp_edit_inside(desk, was, &change, &record));
    filing->filed = true;
    return RP_OK;
}

static rp_err file_one(struct rp_db *db, void *ctx) {
    struct filing *filing = ctx;
    const struct rp_piece *piece = filing->piece;
    struct rp_desk *desk = filing->desk;
    struct rp_entry record;
    uint64_t count = 0;
    bool intact = false;
    struct hex hex = hex_of(&piece->sha256);
    RP_TRY(rp_entry_by_id(desk, piece->reg, piece->record, &record));
    RP_TRY(rp_desk_check_write(desk, piece->reg, &record));
    RP_TRY(check_named(desk, &record, &piece->sha256));
    RP_TRY(rp_evidence_is_filed(db, piece->record, rp_view_of(hex.s, sizeof hex.s), &count));
    if (count > 0) {
        RP_TRY(rp_evidence_is_intact(db, piece->record, rp_view_of(hex.s, sizeof hex.s), &intact));
        filing->filed = intact; /* here already, as it was */
        if (intact) {
            return RP_OK;
        }
    }
    RP_TRY(put_piece(filing, &record));
    RP_TRY(count_pieces(db, record.row, &piece->sha256, &count));
    return count == piece->pieces ? finish(filing, &record) : RP_OK;
}

rp_err rp_desk_file_piece(struct rp_desk *desk, const struct rp_piece *piece, bool *ret_filed) {
    RP_ASSERT(desk->key != NULL && ret_filed != NULL);
    if (piece->pieces == 0 || piece->pieces > RP_PIECES_MAX || piece->bytes.n > RP_PIECE_MAX) {
        return rp_fail(desk->diag, RP_ERR(TOO_LARGE), "%d x %d", RP_PIECES_MAX, RP_PIECE_MAX);
    }
    if (piece->piece >= piece->pieces || piece->bytes.n == 0) {
        return rp_fail(desk->diag, RP_ERR(INVALID), "piece");
    }
    struct filing filing = {.desk = desk, .piece = piece};
    RP_TRY(rp_db_transact(desk->db, file_one, &filing));
    if (filing.other) {
        return rp_fail(desk->diag, RP_ERR(INVALID), "sha256: %s",
                       desk->lang == RP_FR ? "le contenu reçu en a une autre"
                                           : "what came has another");
    }
    *ret_filed = filing.filed;
    return RP_OK;
}

rp_err rp_desk_read_file(struct rp_desk *desk, const struct rp_entry *record,
                         const struct rp_sha256 *sha256, struct rp_buf *out) {
    struct hex hex = hex_of(sha256);
    uint64_t pieces = 0;
    RP_TRY(
        rp_evidence_is_filed(desk->db, record->facts.id, rp_view_of(hex.s, sizeof hex.s), &pieces));
    if (pieces == 0) {
        return RP_ERR(NOT_FOUND);
    }
    rp_err err = read_pieces(desk, record, sha256, out);
    struct rp_sha256 sum = rp_sha256_of(rp_buf_view(out));
    bool good = rp_ok(err) && rp_view_equal(bytes_of(&sum), bytes_of(sha256));
    return good ? RP_OK : RP_ERR(CORRUPT);
}

/* ---- without a key ---- */

rp_err rp_evidence_is_filed(struct rp_db *db, rp_id record, rp_view hex, uint64_t *ret_pieces) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool found = false;
    RP_TRY(rp_db_query(db,
                       "SELECT json_extract(c.change, '$.filed.pieces') FROM register_record r "
                       "JOIN register_change c ON c.record = r.row WHERE r.id = ?1 "
                       "AND json_extract(c.change, '$.filed.sha256') = ?2 "
                       "ORDER BY c.version DESC LIMIT 1",
                       &row));
    rp_row_bind_id(row, 1, record);
    rp_row_bind_text(row, 2, hex);
    RP_TRY(rp_row_next(row, &found));
    *ret_pieces = found ? rp_row_u64(row, 0) : 0;
    return RP_OK;
}

rp_err rp_evidence_is_intact(struct rp_db *db, rp_id record, rp_view hex, bool *ret_intact) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    uint64_t pieces = 0, at = 0;
    bool more = false;
    struct rp_sha256 sum;
    if (!rp_hex_parse(rp_view_sub(hex, 0, 2 * RP_SHA256), sum.b, sizeof sum.b)) {
        return RP_ERR(INVALID);
    }
    RP_TRY(rp_evidence_is_filed(db, record, rp_view_sub(hex, 0, 2 * RP_SHA256), &pieces));
    RP_TRY(rp_db_query(db,
                       "SELECT p.piece, p.sealed, p.sealed_sha256 FROM register_record r "
                       "JOIN register_piece p ON p.record = r.row "
                       "WHERE r.id = ?1 AND p.sha256 = ?2 ORDER BY p.piece",
                       &row));
    rp_row_bind_id(row, 1, record);
    rp_row_bind_blob(row, 2, bytes_of(&sum));
    RP_TRY(rp_row_next(row, &more));
    while (more && pieces > 0) {
        struct rp_sha256 have = rp_sha256_of(rp_row_blob(row, 1));
        if (rp_row_u64(row, 0) != at || !rp_view_equal(bytes_of(&have), rp_row_blob(row, 2))) {
            break;
        }
        at++;
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_intact = at == pieces;
    return RP_OK;
}
