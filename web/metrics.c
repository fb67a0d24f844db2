/* metrics.c — /metrics: what runs here as numbers, in Prometheus' text format 0.0.4.
 *
 * Core knows sessions, outboxes and promises; run/ledger.json and run/status.json tell the rest.
 * Numbers from those are printed anew, never copied: a file that is missing or broken takes its
 * part away and nothing else. No name of a tenant, a person, a path or an address stands here.
 * Reached through the gate's own listener on loopback (gate.metrics_port), and by nobody else.
 */
#include <inttypes.h>

#include "base/assert.h"
#include "base/checked.h"
#include "identity/session_table.h"
#include "os/file.h"
#include "web/handlers.h"
#include "web/trust.h"

enum { FILE_MAX = 128 * 1024 };

/* # HELP and # TYPE; the samples follow. */
static void family(struct rp_buf *out, const char *name, const char *type, const char *help) {
    rp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct rp_buf *out, const char *name, const char *type, const char *help,
                uint64_t value) {
    family(out, name, type, help);
    rp_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static const struct rp_json *read_file(struct rp_request *request, const char *path) {
    rp_view text = {NULL, 0};
    struct rp_json *json = NULL;
    bool good = rp_ok(rp_file_read(path, FILE_MAX, request->arena, &text)) &&
                rp_ok(rp_json_parse(text, RP_JSON_LIMITS, request->arena, &json, NULL));
    return good ? json : NULL;
}

/* A label's value out of a file: small letters, digits and _ only, or it is passed over. */
static bool is_label(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) {
            return false;
        }
    }
    return v.n > 0 && v.n <= 32;
}

/* ---- what the ledger counted ---- */

static void add_group(struct rp_buf *out, const struct rp_json *file, const char *member,
                      const char *name, const char *label, const char *help) {
    const struct rp_json *group = rp_json_get(file, member);
    family(out, name, "counter", help);
    for (const struct rp_json *it = group ? group->first : NULL; it; it = it->next) {
        const char *key = it->key.n < 33 ? (const char *)it->key.p : NULL;
        uint64_t value = 0;
        char text[33] = {0};
        if (key && is_label(it->key)) {
            memcpy(text, it->key.p, it->key.n);
            if (rp_json_get_u64(group, text, &value)) {
                rp_buf_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, text, value);
            }
        }
    }
}

static void add_durations(struct rp_buf *out, const struct rp_json *file) {
    const struct rp_json *list = rp_json_get(file, "durations");
    uint64_t sum_us = 0, count = 0, end_us = 0;
    family(out, "rempart_request_duration_seconds", "histogram",
           "Time from a request's first byte to the last of its answer.");
    for (const struct rp_json *it = list ? list->first : NULL; it; it = it->next) {
        if (!rp_json_get_u64(it, "count", &count) || !rp_json_get_u64(it, "end_us", &end_us)) {
            return;
        }
        if (end_us > 0) {
            rp_buf_printf(out, "rempart_request_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                          (double)end_us / 1e6, count);
        }
    }
    (void)rp_json_get_u64(file, "duration_us", &sum_us);
    rp_buf_printf(out,
                  "rempart_request_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                  "rempart_request_duration_seconds_sum %.6f\n"
                  "rempart_request_duration_seconds_count %" PRIu64 "\n",
                  count, (double)sum_us / 1e6, count);
}

static void add_number(struct rp_buf *out, const struct rp_json *file, const char *member,
                       const char *name, const char *type, const char *help) {
    uint64_t value = 0;
    if (rp_json_get_u64(file, member, &value)) {
        one(out, name, type, help, value);
    }
}

static void add_ledger(struct rp_request *request, struct rp_buf *out) {
    const struct rp_json *file = read_file(request, "run/ledger.json");
    one(out, "rempart_ledger_up", "gauge", "1 while the ledger takes events.",
        !atomic_load(&request->web->ledger_down));
    if (!file) {
        return;
    }
    add_group(out, file, "outcomes", "rempart_requests_total", "outcome",
              "Requests that reached the gate.");
    add_group(out, file, "statuses", "rempart_responses_total", "class",
              "Answers by class of status.");
    add_group(out, file, "reasons", "rempart_refused_total", "reason",
              "Requests refused, by reason; rate and list are the limits and deny lists.");
    add_durations(out, file);
    add_number(out, file, "lost", "rempart_gate_records_lost_total", "counter",
               "Requests of which the record was lost because a ring was full.");
    add_number(out, file, "journal_bytes", "rempart_ledger_journal_bytes_total", "counter",
               "Bytes of events made durable since the ledger started.");
    add_number(out, file, "behind_bytes", "rempart_ledger_behind_bytes", "gauge",
               "Bytes of the journal that are not in signed trees yet.");
    add_number(out, file, "disk_free_bytes", "rempart_disk_free_bytes", "gauge",
               "Free bytes of the disk that holds the log.");
    add_number(out, file, "disk_free_percent", "rempart_disk_free_percent", "gauge",
               "Free share of that disk.");
}

/* Where a machine keeps a copy of the log. */
static void add_copy(struct rp_request *request, struct rp_buf *out) {
    const struct rp_json *file = read_file(request, "run/vault-copy.json");
    if (!file) {
        return;
    }
    one(out, "rempart_log_copy_refused", "gauge", "1 while the log machine refuses this log.",
        rp_view_equal(rp_json_get_string(file, "state"), RP_VIEW("refused")));
    add_number(out, file, "behind_s", "rempart_log_copy_behind_seconds", "gauge",
               "Seconds since the log machine had all of the log.");
    add_number(out, file, "behind_entries", "rempart_log_copy_behind_entries", "gauge",
               "Entries that it was found not to have.");
}

/* ---- what the supervisor knows ---- */

static void add_roles(struct rp_buf *out, const struct rp_json *roles, const char *member,
                      const char *name, const char *type, uint64_t factor, const char *help) {
    family(out, name, type, help);
    for (const struct rp_json *role = roles->first; role; role = role->next) {
        rp_view label = rp_json_get_string(role, "name");
        uint64_t value = 0;
        bool known = member ? rp_json_get_u64(role, member, &value) : true;
        if (!member) {
            value = rp_view_equal(rp_json_get_string(role, "state"), RP_VIEW("ready"));
        }
        if (known && is_label(label)) {
            rp_buf_printf(out, "%s{role=\"%.*s\"} %" PRIu64 "\n", name, RP_FMT(label),
                          value * factor);
        }
    }
}

/* Where roles run on another machine: does it answer? */
static void add_links(struct rp_request *request, struct rp_buf *out) {
    const struct rp_json *file = read_file(request, "run/link.json");
    const struct rp_json *machines = file ? rp_json_get(file, "machines") : NULL;
    if (!machines) {
        return;
    }
    family(out, "rempart_link_up", "gauge", "1 while the machine that roles here ask answers.");
    for (const struct rp_json *it = machines->first; it; it = it->next) {
        const struct rp_json *asks = rp_json_get(it, "asks");
        rp_view label = rp_json_get_string(it, "name");
        bool up = false;
        if (asks && is_label(label) && rp_json_get_bool(asks, "up", &up)) {
            rp_buf_printf(out, "rempart_link_up{machine=\"%.*s\"} %d\n", RP_FMT(label), up);
        }
    }
}

static void add_status(struct rp_request *request, struct rp_buf *out) {
    const struct rp_json *file = read_file(request, "run/status.json");
    const struct rp_json *roles = file ? rp_json_get(file, "roles") : NULL;
    rp_view version = file ? rp_json_get_string(file, "version") : (rp_view){NULL, 0};
    if (!roles) {
        return;
    }
    if (version.n > 0 && version.n < 32 && rp_view_find_byte(version, '"') == version.n) {
        family(out, "rempart_info", "gauge", "The release that runs.");
        rp_buf_printf(out, "rempart_info{version=\"%.*s\"} 1\n", RP_FMT(version));
    }
    add_number(out, file, "since_s", "rempart_start_time_seconds", "gauge",
               "When the supervisor started, in seconds since 1970.");
    add_number(out, file, "certificate_until_s", "rempart_certificate_expiry_seconds", "gauge",
               "Until when the gate's certificate is valid, in seconds since 1970.");
    add_roles(out, roles, NULL, "rempart_role_up", "gauge", 1, "1 while the role is ready.");
    add_roles(out, roles, "restarts", "rempart_role_restarts_total", "counter", 1,
              "How often the role was started again.");
    add_roles(out, roles, "since_s", "rempart_role_state_since_seconds", "gauge", 1,
              "Since when the role is in its state, in seconds since 1970.");
    add_roles(out, roles, "memory_kib", "rempart_role_memory_bytes", "gauge", 1024,
              "Proportional set size of the role's processes, looked at each ten seconds.");
    if (rp_json_get(file, "elsewhere")) {
        add_links(request, out);
    }
}

/* ---- what core knows ---- */

static rp_err add_own(struct rp_request *request, struct rp_buf *out) {
    struct rp_trust trust;
    struct rp_db *db = NULL;
    uint64_t acked = 0, last = 0;
    one(out, "rempart_sessions", "gauge", "Sessions that the gate lets through.",
        rp_session_table_count(request->web->sessions, rp_request_now_ms(request)));
    RP_TRY(rp_store_system(request->thread->store, &db, &request->diag));
    RP_TRY(rp_db_outbox_state(db, &acked, &last));
    one(out, "rempart_outbox_events", "gauge",
        "Events of the system database that the ledger does not have yet.", last - acked);
    one(out, "rempart_outbox_databases", "gauge",
        "Databases of which events may wait to be sent to the ledger.",
        atomic_load(&request->web->outbox_databases));
    RP_TRY(rp_trust_compute(request, &trust));
    family(out, "rempart_sentences", "gauge", "Sentences of the security page, by status.");
    for (unsigned i = 0; i < RP_STATUS_COUNT; i++) {
        rp_buf_printf(out, "rempart_sentences{status=\"%s\"} %zu\n",
                      rp_status_name((enum rp_status)i), trust.counts[i]);
    }
    return RP_OK;
}

rp_err rp_gate_metrics(struct rp_request *request) {
    struct rp_buf *out = &request->response.body;
    add_status(request, out);
    add_ledger(request, out);
    add_copy(request, out);
    RP_TRY(add_own(request, out));
    request->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return rp_buf_err(out);
}
