/* error.c — SQLSTATEs as our errors (PostgreSQL's manual, appendix A). */
#include "base/assert.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"

static const struct {
    const char *state; /* a whole one, or the two bytes of a class */
    rp_err err;
} meanings[] = {
    {"23505", {RP_E_DUPLICATE}},   /* unique_violation */
    {"55P03", {RP_E_BUSY}},        /* lock_not_available: lock_timeout */
    {"57014", {RP_E_BUSY}},        /* query_canceled: statement_timeout */
    {"40", {RP_E_BUSY}},           /* deadlock, serialization */
    {"53100", {RP_E_NO_SPACE}},    /* disk_full */
    {"53200", {RP_E_NO_MEMORY}},   /* out_of_memory */
    {"53", {RP_E_OVERLOAD}},       /* too_many_connections */
    {"54", {RP_E_TOO_LARGE}},      /* program_limit_exceeded */
    {"22", {RP_E_INVALID}},        /* data_exception */
    {"23", {RP_E_INVALID}},        /* the other constraints */
    {"25006", {RP_E_DENIED}},      /* read_only_sql_transaction */
    {"25P03", {RP_E_UNREACHABLE}}, /* idle_in_transaction_session_timeout */
    {"28", {RP_E_DENIED}},         /* invalid_authorization */
    {"42501", {RP_E_DENIED}},      /* insufficient_privilege, row level security */
    {"42704", {RP_E_DENIED}},      /* no tenant was said: current_tenant() fails */
    {"42", {RP_E_CORRUPT}},        /* our SQL is tested: a table or column is missing */
    {"57", {RP_E_UNREACHABLE}},    /* admin_shutdown, cannot_connect_now */
    {"58", {RP_E_IO}},             /* system_error */
    {"08", {RP_E_UNREACHABLE}},    /* connection_exception */
    {"XX001", {RP_E_CORRUPT}},     /* data_corrupted */
    {"XX002", {RP_E_CORRUPT}},     /* index_corrupted */
};

rp_err rp_pg_err(const struct rp_pg *pg, const PGresult *result) {
    if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD) {
        return RP_ERR(UNREACHABLE);
    }
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (state == NULL) {
        return result == NULL ? RP_ERR(NO_MEMORY) : RP_ERR(UNREACHABLE);
    }
    for (size_t i = 0; i < RP_COUNT_OF(meanings); i++) {
        if (rp_view_starts(rp_view_from_cstr(state), rp_view_from_cstr(meanings[i].state))) {
            return meanings[i].err;
        }
    }
    return RP_ERR(SYSTEM);
}

rp_view rp_pg_message(const struct rp_pg *pg, const PGresult *result) {
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    return rp_view_trim(rp_view_from_cstr(text ? text : PQerrorMessage(pg->conn)));
}
