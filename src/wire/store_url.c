#include "wire/store_url.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"

static bool is_name_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static bool keep_name(rp_view value, char *out, size_t max) {
    if (value.n == 0 || value.n >= max) {
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        if (!is_name_byte(value.p[i])) {
            return false;
        }
    }
    memcpy(out, value.p, value.n);
    out[value.n] = 0;
    return true;
}

/* An identifier that needs no quotes. */
static bool keep_schema(rp_view value, char *out) {
    if (value.n > RP_STORE_SCHEMA_MAX || !keep_name(value, out, RP_STORE_PART)) {
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i];
        if ((c >= 'A' && c <= 'Z') || c == '-' || c == '.' || (i == 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return true;
}

static bool keep_folder(rp_view value, char *out) {
    if (value.n < 2 || value.n >= RP_STORE_FOLDER || value.p[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        if (!is_name_byte(value.p[i]) && value.p[i] != '/') {
            return false;
        }
    }
    memcpy(out, value.p, value.n);
    out[value.n] = 0;
    return true;
}

static bool keep_port(rp_view value, char *out) {
    uint64_t port = 0;
    if (!rp_view_to_u64(value, 65535, &port) || port == 0) {
        return false;
    }
    return keep_name(value, out, sizeof((struct rp_store_url *)0)->port);
}

static rp_err take_setting(rp_view key, rp_view value, struct rp_store_url *url,
                           struct rp_diag *diag) {
    if (rp_view_equal(key, RP_VIEW("host"))) {
        return keep_folder(value, url->folder)
                   ? RP_OK
                   : rp_fail(diag, RP_ERR(INVALID),
                             "host: the folder of PostgreSQL's socket, such as "
                             "/var/run/postgresql, not \"%.*s\"",
                             RP_FMT(value));
    }
    if (rp_view_equal(key, RP_VIEW("port"))) {
        return keep_port(value, url->port)
                   ? RP_OK
                   : rp_fail(diag, RP_ERR(INVALID), "port: 1 to 65535, not \"%.*s\"",
                             RP_FMT(value));
    }
    if (rp_view_equal(key, RP_VIEW("schema"))) {
        return keep_schema(value, url->schema)
                   ? RP_OK
                   : rp_fail(diag, RP_ERR(INVALID),
                             "schema: small letters, digits and _, at most %d, not \"%.*s\"",
                             RP_STORE_SCHEMA_MAX, RP_FMT(value));
    }
    return rp_fail(diag, RP_ERR(INVALID), "\"%.*s\": only host, port and schema are known",
                   RP_FMT(key));
}

static rp_err take_settings(rp_view settings, struct rp_store_url *url, struct rp_diag *diag) {
    while (settings.p != NULL && settings.n > 0) {
        rp_view value = rp_view_cut(&settings, '&');
        rp_view key = rp_view_cut(&value, '=');
        RP_TRY(take_setting(key, value, url, diag));
    }
    return RP_OK;
}

static rp_err take_postgresql(rp_view rest, struct rp_store_url *url, struct rp_diag *diag) {
    rp_view settings = rest;
    rp_view address = rp_view_cut(&settings, '?');
    rp_view database = address;
    rp_view user = rp_view_cut(&database, '@');
    if (user.n == address.n || !keep_name(user, url->user, sizeof url->user)) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "a user's name before the @, and no password (peer authentication)");
    }
    if (database.n == 0 || database.p[0] != '/') {
        return rp_fail(diag, RP_ERR(INVALID),
                       "no host between @ and /: PostgreSQL is reached by its UNIX socket, "
                       "?host=/var/run/postgresql");
    }
    database = rp_view_from(database, 1);
    if (!keep_name(database, url->database, sizeof url->database)) {
        return rp_fail(diag, RP_ERR(INVALID), "a database's name after the /, not \"%.*s\"",
                       RP_FMT(database));
    }
    RP_TRY(take_settings(settings, url, diag));
    if (url->folder[0] == 0) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "host is missing: the folder of PostgreSQL's socket, "
                       "?host=/var/run/postgresql");
    }
    return RP_OK;
}

rp_err rp_store_url_parse(rp_view text, struct rp_store_url *ret_url, struct rp_diag *diag) {
    static const rp_view postgresql = RP_VIEW_INIT("postgresql://");
    struct rp_store_url out = {.schema = "rempart", .port = "5432"};
    if (rp_view_equal(text, RP_VIEW("sqlite:"))) {
        *ret_url = (struct rp_store_url){.files = true};
        return RP_OK;
    }
    if (!rp_view_starts(text, postgresql)) {
        return rp_fail(diag, RP_ERR(UNSUPPORTED),
                       "store: \"sqlite:\" or postgresql://USER@/DATABASE?host=/FOLDER, not "
                       "\"%.*s\"",
                       RP_FMT(text));
    }
    RP_TRY(take_postgresql(rp_view_from(text, postgresql.n), &out, diag));
    *ret_url = out;
    return RP_OK;
}
