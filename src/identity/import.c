/* import.c — people of another system, with the passwords they have there: all of a file, or none.
 *
 * A hash of another program stands in the person's row as it came, until they sign in for the first
 * time (rp_identity_renew_password). Seeds of one-time codes are sealed like our own.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "crypto/foreign.h"
#include "identity/invitation.h"
#include "identity/members.h"
#include "identity/people_file.h"

struct address {
    struct rp_sha256 hash;
    struct rp_people_line *line;
};

struct importing {
    struct rp_identity *identity;
    struct rp_people_import *import;
    struct address *addresses; /* of the lines that are not refused, in the order of the file */
    size_t count;
    bool judged; /* rolled back because it was asked for, not because something failed */
};

static rp_err refuse(struct importing *importing, struct rp_people_line *line,
                     enum rp_people_fault fault) {
    rp_people_refuse(importing->import->file, line, fault);
    return RP_OK;
}

/* ---- the same address twice ---- */

static int by_address(const void *a, const void *b) {
    const struct address *one = a, *other = b;
    int order = rp_view_compare(rp_hash_view(&one->hash), rp_hash_view(&other->hash));
    if (order != 0) {
        return order;
    }
    return one->line < other->line ? -1 : 1; /* lines stand in one array */
}

static void refuse_twice(struct importing *importing) {
    qsort(importing->addresses, importing->count, sizeof *importing->addresses, by_address);
    for (size_t i = 1; i < importing->count; i++) {
        const struct address *before = &importing->addresses[i - 1];
        const struct address *here = &importing->addresses[i];
        if (rp_view_equal(rp_hash_view(&before->hash), rp_hash_view(&here->hash))) {
            rp_people_refuse(importing->import->file, here->line, RP_FAULT_TWICE);
        }
    }
}

static rp_err find_addresses(struct importing *importing) {
    struct rp_people_file *file = importing->import->file;
    for (size_t i = 0; i < file->count; i++) {
        struct rp_people_line *line = &file->lines[i];
        if (line->fault != RP_FAULT_NONE) {
            continue;
        }
        struct address *address = &importing->addresses[importing->count++];
        address->line = line;
        RP_TRY(rp_identity_address(importing->identity, line->email, &address->hash));
    }
    refuse_twice(importing);
    return RP_OK;
}

/* ---- one person ---- */

static rp_err find_person(struct importing *importing, const struct address *address,
                          enum rp_people_fault *ret_fault) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(importing->identity->db,
                       "SELECT count(membership.tenant) FROM person LEFT JOIN membership "
                       "ON membership.person = person.id AND membership.tenant = ?2 "
                       "WHERE address = ?1 GROUP BY person.id",
                       &row));
    rp_row_bind_blob(row, 1, rp_hash_view(&address->hash));
    rp_row_bind_id(row, 2, importing->import->tenant);
    rp_err err = rp_row_first(row);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_fault = RP_FAULT_NONE;
        return RP_OK;
    }
    RP_TRY(err);
    *ret_fault = rp_row_u64(row, 0) > 0 ? RP_FAULT_HERE : RP_FAULT_ELSEWHERE;
    return RP_OK;
}

static rp_err seal_seed(struct importing *importing, struct rp_people_line *line, rp_id person,
                        struct rp_buf *sealed) {
    const struct rp_place place = {"totp", importing->import->tenant, person};
    _cleanup_(rp_secret_freep) struct rp_secret *seed = NULL;
    if (line->seed_n == 0) {
        return RP_OK;
    }
    RP_TRY(rp_secret_new_take(line->seed, line->seed_n, &seed));
    return rp_identity_seal_secret(importing->identity, &place, seed, sealed);
}

static rp_err emit_imported(struct importing *importing, const struct invitation *person,
                            const struct rp_people_line *line) {
    struct rp_identity *identity = importing->identity;
    struct rp_foreign foreign;
    RP_TRY(rp_foreign_parse(line->password, &foreign));
    struct rp_event *event = rp_identity_event(identity, RP_EVENT_PERSON_IMPORTED);
    rp_event_add_id(event, "tenant", person->tenant);
    rp_event_add_id(event, "person", person->person);
    rp_event_add_text(event, "password", rp_view_from_cstr(rp_foreign_name(foreign.kind)));
    rp_event_add_text(event, "factor", line->seed_n > 0 ? RP_VIEW("totp") : RP_VIEW("none"));
    RP_TRY(rp_db_emit(identity->db, event));
    return rp_emit_roles(identity, RP_EVENT_ROLE_GRANTED, person);
}

/* An open invitation to the same address has become idle. */
static rp_err drop_invitation(struct importing *importing, const struct address *address) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(importing->identity->db,
                       "DELETE FROM invitation "
                       "WHERE tenant = ?1 AND address = ?2 AND used_ms IS NULL",
                       &row));
    rp_row_bind_id(row, 1, importing->import->tenant);
    rp_row_bind_blob(row, 2, rp_hash_view(&address->hash));
    return rp_row_run(row, NULL);
}

static rp_err take_over(struct importing *importing, const struct address *address) {
    struct rp_identity *identity = importing->identity;
    struct rp_people_line *line = address->line;
    struct rp_email normal;
    struct invitation person = {.tenant = importing->import->tenant,
                                .person = rp_env_new_id(identity->env),
                                .roles = line->roles,
                                .address = address->hash};
    const struct rp_place place = {"email", person.tenant, person.person};
    _cleanup_(rp_buf_done) struct rp_buf email = rp_buf_new(RP_SEALED_MAX);
    _cleanup_(rp_buf_done) struct rp_buf seed = rp_buf_new(RP_SEALED_MAX);
    RP_TRY(rp_email_normalise(line->email, &normal));
    RP_TRY(rp_identity_seal(identity, &place, rp_view_from_cstr(normal.s), &email));
    RP_TRY(seal_seed(importing, line, person.person, &seed));
    person.email_sealed = rp_buf_view(&email);
    const struct person_row row = {.invitation = &person,
                                   .password = line->password,
                                   .seed_sealed = rp_buf_view(&seed),
                                   .lang = line->lang};
    RP_TRY(drop_invitation(importing, address));
    RP_TRY(rp_person_insert(identity, &row));
    line->person = person.person;
    importing->import->imported++;
    return emit_imported(importing, &person, line);
}

static rp_err invite(struct importing *importing, const struct address *address) {
    struct rp_identity *identity = importing->identity;
    struct rp_people_line *line = address->line;
    static const rp_id nobody;
    struct invite_draft draft;
    rp_err err = rp_invite_prepare(identity, importing->import->tenant, line->email, line->roles,
                                   nobody, &line->lang, &draft);
    if (rp_ok(err)) {
        err = rp_invite_put(identity->db, &draft);
    }
    if (rp_ok(err)) {
        line->person = draft.invitation.person;
        line->invited = true;
        importing->import->invited++;
    }
    _Static_assert(sizeof line->link_token == sizeof draft.token.s, "a token fits");
    if (rp_ok(err) && !identity->options.origin) {
        memcpy(line->link_token, draft.token.s, sizeof line->link_token);
    }
    rp_wipe(&draft, sizeof draft);
    return err;
}

static rp_err do_line(struct importing *importing, const struct address *address) {
    const struct rp_people_line *line = address->line;
    enum rp_people_fault fault = RP_FAULT_NONE;
    RP_TRY(find_person(importing, address, &fault));
    /* Elsewhere they have a password already; invited, they join with it. */
    bool joins = fault == RP_FAULT_ELSEWHERE && line->password.n == 0;
    if (fault != RP_FAULT_NONE && !joins) {
        return refuse(importing, address->line, fault);
    }
    /* Whom nobody has checked is never an operator: this account is new. */
    rp_err err = rp_identity_clear(importing->identity, (rp_id){{0}}, line->roles, 0);
    if (rp_is(err, RP_E_UNCLEARED)) {
        return refuse(importing, address->line, RP_FAULT_UNCLEARED);
    }
    RP_TRY(err);
    bool whole = line->seed_n > 0 || !importing->identity->options.second_factor_required;
    return line->password.n > 0 && whole ? take_over(importing, address)
                                         : invite(importing, address);
}

/* ---- all of them ---- */

static void count_refused(struct rp_people_import *import) {
    for (size_t i = 0; i < import->file->count; i++) {
        import->refused += import->file->lines[i].fault != RP_FAULT_NONE;
    }
}

static rp_err do_import(struct rp_db *db, void *ctx) {
    struct importing *importing = ctx;
    struct rp_people_import *import = importing->import;
    (void)db;
    for (size_t i = 0; i < importing->count; i++) {
        if (importing->addresses[i].line->fault == RP_FAULT_NONE) {
            RP_TRY(do_line(importing, &importing->addresses[i]));
        }
    }
    count_refused(import);
    import->applied = !import->dry_run && (import->refused == 0 || import->skip_bad);
    importing->judged = true;
    return import->applied ? RP_OK : RP_ERR(CONFLICT);
}

static void free_addresses(struct address **addresses) {
    free(*addresses);
}

rp_err rp_identity_import(struct rp_identity *identity, struct rp_people_import *import) {
    RP_ASSERT(identity != NULL && import != NULL && import->file != NULL);
    char name[129];
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_name(identity, import->tenant, name));
    if (rp_id_equal(import->tenant, identity->home)) {
        return RP_ERR(NOT_FOUND);
    }
    _cleanup_(free_addresses) struct address *addresses =
        calloc(import->file->count + 1, sizeof *addresses);
    struct importing importing = {.identity = identity, .import = import, .addresses = addresses};
    if (!addresses) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(find_addresses(&importing));
    RP_TRY(rp_identity_tenant_key(identity, import->tenant, &key)); /* before the lock */
    rp_err err = rp_db_transact(identity->db, do_import, &importing);
    return importing.judged && !import->applied ? RP_OK : err;
}
