/* people_import_api.c — a file of people from another system, by the machine's owner. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/members.h"
#include "identity/people_file.h"
#include "web/handlers.h"

static void show_line(struct rp_request *request, const struct rp_people_line *line,
                      struct rp_json *lines) {
    struct rp_json *json = rp_json_add_object(request->arena, lines, NULL);
    bool refused = line->fault != RP_FAULT_NONE;
    rp_json_add_u64(request->arena, json, "line", line->number);
    rp_json_add_cstr(request->arena, json, "does",
                     refused         ? "refused"
                     : line->invited ? "invited"
                                     : "imported");
    if (refused) {
        rp_json_add_cstr(request->arena, json, "detail",
                         rp_people_fault_text(line->fault, request->lang));
        if (line->column > 0) {
            rp_json_add_u64(request->arena, json, "column", line->column);
        }
        return;
    }
    rp_json_add_string(request->arena, json, "email", line->email);
}

/* What is only of use once it stands. */
static void show_made(struct rp_request *request, const struct rp_people_line *line,
                      struct rp_json *json) {
    rp_json_add_cstr(request->arena, json, "id", rp_id_print(line->person).s);
    if (line->link_token[0]) {
        struct rp_token token;
        memcpy(token.s, line->link_token, sizeof token.s);
        rp_json_add_string(request->arena, json, "link",
                           rp_enrol_link(request->web, request->arena, &token));
        rp_wipe(&token, sizeof token);
    }
}

static rp_err send_report(struct rp_request *request, const struct rp_people_import *import) {
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_bool(request->arena, root, "applied", import->applied);
    rp_json_add_bool(request->arena, root, "dry_run", import->dry_run);
    rp_json_add_u64(request->arena, root, "imported", import->imported);
    rp_json_add_u64(request->arena, root, "invited", import->invited);
    rp_json_add_u64(request->arena, root, "refused", import->refused);
    struct rp_json *lines = rp_json_add_array(request->arena, root, "lines");
    for (size_t i = 0; i < import->file->count; i++) {
        const struct rp_people_line *line = &import->file->lines[i];
        show_line(request, line, lines);
        if (import->applied && line->fault == RP_FAULT_NONE && lines) {
            show_made(request, line, lines->last);
        }
    }
    return rp_api_send(request, import->applied || import->dry_run ? 200 : 422, root);
}

/* An answer has no place for line and column but its text. */
static rp_err tell_file_fault(struct rp_request *request, rp_err err, const struct rp_diag *why) {
    if (why->line == 0) {
        return rp_fail(&request->diag, err, "%s", why->text);
    }
    return rp_fail(&request->diag, err,
                   request->lang == RP_FR ? "ligne %u, colonne %u : %s" : "line %u, column %u: %s",
                   why->line, why->column, why->text);
}

/* text/csv or application/json; ?tenant=ID&dry_run=true&skip_bad=true */
rp_err rp_admin_people_import(struct rp_request *request) {
    struct rp_people_file file = {.count = 0};
    struct rp_people_import import = {.file = &file};
    rp_view body = request->fcgi->body;
    if (!rp_id_parse(rp_request_query(request, "tenant"), &import.tenant)) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "tenant: the id that \"rempart tenant list\" prints");
    }
    RP_TRY(rp_request_flag(request, "dry_run", &import.dry_run));
    RP_TRY(rp_request_flag(request, "skip_bad", &import.skip_bad));
    bool csv = rp_view_starts(rp_request_param(request, "CONTENT_TYPE"), RP_VIEW("text/csv"));
    struct rp_diag why = {.french = request->diag.french};
    rp_err err = (csv ? rp_people_read_csv : rp_people_read_json)(body, request->lang,
                                                                  request->arena, &file, &why);
    if (!rp_ok(err)) {
        return tell_file_fault(request, err, &why);
    }
    err = rp_identity_import(request->thread->identity, &import);
    rp_people_wipe(&file);
    RP_TRY(err);
    return send_report(request, &import);
}
