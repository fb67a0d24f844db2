/* encryption_page.c — two public pages: how this installation encrypts, and what each service does.
 *
 * Both are made for each reader from what runs: the settings, the constants that the code is built
 * with, and the schemas of the registers.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "config/tls.h"
#include "crypto/password.h"
#include "keys/assertion.h"
#include "keys/client.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "web/trust.h"

enum { PAGE_MAX = 1 << 20, ROWS_MAX = 16, NAMES_MAX = 4096 };

typedef struct rp_template_encryption_rows page_row;
typedef struct rp_template_encrypted_data_services page_service;

struct rows {
    struct rp_request *request;
    page_row list[ROWS_MAX];
    size_t n;
};

static void add(struct rows *rows, enum rp_text_key what, rp_view how) {
    RP_ASSERT(rows->n < ROWS_MAX);
    rows->list[rows->n++] = (page_row){.what = rp_text(rows->request->lang, what), .how = how};
}

static void add_text(struct rows *rows, enum rp_text_key what, enum rp_text_key how) {
    add(rows, what, rp_text(rows->request->lang, how));
}

static enum rp_text_key certificate_of(const struct rp_config *config) {
    return *config->acme_directory ? RP_TEXT_encryption_cert_acme
           : *config->certificate  ? RP_TEXT_encryption_cert_own
                                   : RP_TEXT_encryption_cert_local;
}

static enum rp_text_key unseal_of(const struct rp_config *config) {
    return strcmp(config->unseal, "shares") == 0       ? RP_TEXT_encryption_unseal_shares
           : strcmp(config->unseal, "passphrase") == 0 ? RP_TEXT_encryption_unseal_phrase
                                                       : RP_TEXT_encryption_unseal_file;
}

/* In transit, then at rest, then what proves. */
static void fill_rows(struct rows *rows) {
    struct rp_arena *arena = rows->request->arena;
    const struct rp_config *config = rows->request->web->config;
    add(rows, RP_TEXT_encryption_transit, RP_VIEW(RP_TLS_PROTOCOLS));
    add(rows, RP_TEXT_encryption_ciphers,
        RP_VIEW("TLSv1.3: TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, "
                "TLS_AES_128_GCM_SHA256; TLSv1.2: " RP_TLS_CIPHERS));
    add(rows, RP_TEXT_encryption_exchange, RP_VIEW(RP_TLS_CURVES));
    add_text(rows, RP_TEXT_encryption_certificate, certificate_of(config));
    add_text(rows, RP_TEXT_encryption_mail,
             *config->smtp_url ? RP_TEXT_encryption_mail_tls : RP_TEXT_encryption_mail_none);
    add_text(rows, RP_TEXT_encryption_rest, RP_TEXT_encryption_rest_how);
    add(rows, RP_TEXT_encryption_lease,
        rp_arena_printf(arena, "%u s", (unsigned)(RP_LEASE_MS / 1000)));
    add_text(rows, RP_TEXT_encryption_unseal, unseal_of(config));
    add(rows, RP_TEXT_encryption_passwords,
        rp_arena_printf(arena, "argon2id, m=%u MiB, t=%u", (unsigned)RP_ARGON2_MIB,
                        (unsigned)RP_ARGON2_OPS));
    add_text(rows, RP_TEXT_encryption_backups, RP_TEXT_encryption_backups_how);
    add(rows, RP_TEXT_encryption_assertions,
        rp_arena_printf(arena, "ES256 (ECDSA P-256, SHA-256), %u s", (unsigned)RP_ASSERTION_S));
    add(rows, RP_TEXT_encryption_log, RP_VIEW("Ed25519, SHA-256 (C2SP tlog-tiles)"));
}

static rp_err finish(struct rp_request *request, enum rp_text_key title, struct rp_buf *body) {
    rp_page_finish(request, title, body, true);
    request->response.cache = "no-cache";
    return RP_OK;
}

/*= S87: how we encrypt, from what runs. */
rp_err rp_trust_encryption(struct rp_request *request) {
    int64_t now_ms = rp_request_now_ms(request);
    struct rows rows = {.request = request};
    fill_rows(&rows);
    struct rp_template_encryption page = {.generated = rp_page_time(request, now_ms),
                                          .generated_iso = rp_page_time_iso(request, now_ms)};
    page.rows.p = rows.list;
    page.rows.n = rows.n;
    struct rp_buf body = rp_buf_new(PAGE_MAX);
    rp_template_encryption_print(&body, request->lang, &page);
    return finish(request, RP_TEXT_encryption_title, &body);
}

/* ---- what each service encrypts ---- */

static void add_name(struct rp_buf *out, const struct rp_words *label, enum rp_lang lang) {
    rp_buf_add_cstr(out, out->n ? ", " : "");
    rp_buf_add_cstr(out, label->s[lang]);
}

/* The labels of a register's fields that are sealed, or of those that are not. */
static rp_view names_of(struct rp_request *request, const struct rp_register *reg, bool sealed) {
    struct rp_buf names = rp_buf_new(NAMES_MAX);
    rp_view copy = rp_text(request->lang, RP_TEXT_encrypted_nothing);
    for (size_t i = 0; i < reg->field_count; i++) {
        if (reg->fields[i].sealed == sealed) {
            add_name(&names, &reg->fields[i].label, request->lang);
        }
    }
    if (names.n > 0 && rp_ok(rp_buf_err(&names))) {
        rp_ignore(rp_arena_copy(request->arena, rp_buf_view(&names), &copy));
    }
    rp_buf_done(&names);
    return copy;
}

static page_service service(struct rp_request *request, rp_view name, enum rp_text_key sealed,
                            enum rp_text_key open) {
    return (page_service){.name = name,
                          .sealed = rp_text(request->lang, sealed),
                          .open = rp_text(request->lang, open)};
}

static size_t fill_services(struct rp_request *request, page_service *list) {
    const struct rp_web *web = request->web;
    size_t n = 0;
    list[n++] = service(request, rp_text(request->lang, RP_TEXT_encrypted_accounts),
                        RP_TEXT_encrypted_accounts_sealed, RP_TEXT_encrypted_accounts_open);
    for (size_t i = 0; i < web->config->app_count; i++) {
        list[n++] = service(request, rp_view_from_cstr(web->config->apps[i].name),
                            RP_TEXT_encrypted_space_sealed, RP_TEXT_encrypted_space_open);
    }
    for (size_t i = 0; i < web->registers->count; i++) {
        const struct rp_register *reg = &web->registers->list[i];
        list[n++] = (page_service){.name = rp_view_from_cstr(reg->name.s[request->lang]),
                                   .sealed = names_of(request, reg, true),
                                   .open = names_of(request, reg, false)};
    }
    return n;
}

/*= S87: what each service encrypts, from the schemas that it runs with. */
rp_err rp_trust_encrypted_data(struct rp_request *request) {
    int64_t now_ms = rp_request_now_ms(request);
    size_t most = 1 + RP_APPS_MAX + request->web->registers->count;
    page_service *list = rp_arena_array(request->arena, most, sizeof *list);
    if (!list) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_template_encrypted_data page = {.generated = rp_page_time(request, now_ms),
                                              .generated_iso = rp_page_time_iso(request, now_ms)};
    page.services.p = list;
    page.services.n = fill_services(request, list);
    struct rp_buf body = rp_buf_new(PAGE_MAX);
    rp_template_encrypted_data_print(&body, request->lang, &page);
    return finish(request, RP_TEXT_encrypted_title, &body);
}
