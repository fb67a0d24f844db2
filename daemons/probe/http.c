#include "http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum {
    HEAD_MAX = 64 * 1024,
    BODY_MAX = 4 << 20,
    ARENA_MAX = 8 << 20,
    TRUST_MAX = 1 << 20,
    SECONDS = 10,
    LONG_SECONDS = 60
};

struct http {
    CURL *curl;
    struct curl_slist *resolve;
    char origin[300];
    char address[64];
    uint16_t port;
    const char *ca_file; /* NULL: the system's */
};

static size_t receive(char *bytes, size_t size, size_t n, void *ctx) {
    rp_buf_add(ctx, rp_view_of(bytes, size * n));
    return rp_ok(rp_buf_err(ctx)) ? size * n : 0;
}

struct http *http_new(const char *host, const char *address, uint16_t port, const char *ca_file) {
    struct http *http = calloc(1, sizeof *http);
    CURL *curl = curl_easy_init();
    if (!http || !curl) {
        free(http);
        curl_easy_cleanup(curl);
        return NULL;
    }
    char resolve[400];
    snprintf(resolve, sizeof resolve, "%s:%u:%s", host, port, address);
    snprintf(http->origin, sizeof http->origin, "https://%s:%u", host, port);
    snprintf(http->address, sizeof http->address, "%s", address);
    http->port = port;
    http->ca_file = ca_file;
    http->curl = curl;
    http->resolve = curl_slist_append(NULL, resolve);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, http->resolve);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    /* Over HTTP/2 nginx ends the connection at a header that is too long, without an answer. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rempart-probe");
    if (ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
    return http;
}

/* curl asks at least once a second. */
static int is_stopping(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    return atomic_load((const atomic_bool *)ctx);
}

void http_end_early(struct http *http, const atomic_bool *stopping) {
    curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, is_stopping);
    curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stopping);
    curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
}

static const char local_authority[] = "gate/tls/ca.pem", both[] = "probe/trust.pem";

const char *http_ca_file(const struct rp_config *config) {
    if (*config->certificate || !rp_file_exists(local_authority)) {
        return NULL;
    }
    return *config->acme_directory && rp_file_exists(both) ? both : local_authority;
}

rp_err http_trust_both(void) {
    static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(2 * TRUST_MAX);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(2 * TRUST_MAX);
    rp_view local, others;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read(local_authority, TRUST_MAX, arena, &local));
    RP_TRY(rp_file_read(system_authorities, TRUST_MAX, arena, &others));
    rp_buf_add(&text, local);
    rp_buf_add(&text, others);
    RP_TRY(rp_buf_err(&text));
    return rp_file_replace(both, 0640, rp_buf_view(&text));
}

void http_free(struct http *http) {
    if (http) {
        curl_easy_cleanup(http->curl);
        curl_slist_free_all(http->resolve);
        free(http);
    }
}

void http_forget_cookies(struct http *http) {
    curl_easy_setopt(http->curl, CURLOPT_COOKIELIST, "ALL");
}

struct http *http_twin(struct http *http) {
    struct http *twin = calloc(1, sizeof *twin);
    CURL *curl = curl_easy_duphandle(http->curl);
    struct curl_slist *cookies = NULL;
    if (!twin || !curl) {
        free(twin);
        curl_easy_cleanup(curl);
        return NULL;
    }
    *twin = *http;
    twin->curl = curl;
    twin->resolve = NULL; /* the first one's, which stays */
    curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
    curl_easy_getinfo(http->curl, CURLINFO_COOKIELIST, &cookies);
    for (const struct curl_slist *line = cookies; line; line = line->next) {
        curl_easy_setopt(curl, CURLOPT_COOKIELIST, line->data);
    }
    curl_slist_free_all(cookies);
    return twin;
}

void *http_handle(struct http *http) {
    return http->curl;
}

struct http_answer http_answer_new(void) {
    struct http_answer answer = {.arena = rp_arena_new(ARENA_MAX),
                                 .head = rp_buf_new(HEAD_MAX),
                                 .body = rp_buf_new(BODY_MAX)};
    RP_ASSERT(answer.arena != NULL);
    return answer;
}

void http_answer_done(struct http_answer *answer) {
    rp_arena_free(answer->arena);
    rp_buf_done(&answer->head);
    rp_buf_done(&answer->body);
    answer->arena = NULL;
}

static struct curl_slist *headers_of(const struct http *http, const struct http_request *request) {
    char line[400];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    snprintf(line, sizeof line, "Origin: %s", http->origin);
    list = curl_slist_append(list, line);
    if (request->content_type) {
        snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
        list = curl_slist_append(list, line);
    }
    for (const char *const *header = request->headers; header && *header; header++) {
        list = curl_slist_append(list, *header);
    }
    return list;
}

struct taking {
    const struct http_request *request;
    rp_err err;
};

static size_t hand_on(char *bytes, size_t size, size_t n, void *ctx) {
    struct taking *taking = ctx;
    taking->err = taking->request->take(taking->request->take_ctx, rp_view_of(bytes, size * n));
    return rp_ok(taking->err) ? size * n : 0;
}

rp_err http_ask(struct http *http, const struct http_request *request, struct http_answer *answer) {
    RP_ASSERT(http != NULL && answer->arena != NULL);
    rp_view url = rp_arena_printf(answer->arena, "%s%s", http->origin, request->path);
    if (!url.p) {
        return RP_ERR(TOO_LARGE);
    }
    rp_buf_clear(&answer->head);
    rp_buf_clear(&answer->body);
    CURL *curl = http->curl;
    struct curl_slist *headers = headers_of(http, request);
    curl_easy_setopt(curl, CURLOPT_URL, (const char *)url.p);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body.n);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     request->content_type ? (const char *)request->body.p : NULL);
    if (!request->content_type) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    struct taking taking = {request, RP_OK};
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)(request->take ? LONG_SECONDS : SECONDS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, request->take ? hand_on : receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA,
                     request->take ? (void *)&taking : (void *)&answer->body);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer->head);
    CURLcode rc = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    RP_TRY(taking.err);
    if (rc != CURLE_OK) {
        return rc == CURLE_OPERATION_TIMEDOUT ? RP_ERR(TIMEOUT) : RP_ERR(UNREACHABLE);
    }
    return RP_OK;
}

/* A handshake and nothing more. */
static CURL *only_connect(const struct http *http, const char *name, const char *ca_file,
                          struct curl_slist *resolve) {
    CURL *curl = curl_easy_init();
    char url[320];
    if (!curl) {
        return NULL;
    }
    snprintf(url, sizeof url, "https://%.253s:%u", name, http->port);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    }
    return curl;
}

/* The first certificate of the chain is the gate's own. */
static rp_err leaf_of(CURL *curl, struct rp_arena *arena, rp_view *ret_pem) {
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
        info->num_of_certs < 1) {
        return RP_ERR(PROTOCOL);
    }
    for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next) {
        rp_view text = rp_view_from_cstr(line->data);
        if (rp_view_starts(text, RP_VIEW("Cert:"))) {
            return rp_arena_copy(arena, rp_view_from(text, 5), ret_pem);
        }
    }
    return RP_ERR(PROTOCOL);
}

rp_err http_certificate(const struct http *http, const char *name, bool in_public,
                        struct http_answer *answer, rp_view *ret_pem) {
    char at[400];
    snprintf(at, sizeof at, "%.253s:%u:%s", name, http->port, http->address);
    struct curl_slist *resolve = curl_slist_append(NULL, at);
    CURL *curl = only_connect(http, name, in_public ? NULL : http->ca_file, resolve);
    CURLcode rc = curl ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    rp_err err = rc == CURLE_OK                         ? leaf_of(curl, answer->arena, ret_pem)
                 : rc == CURLE_PEER_FAILED_VERIFICATION ? RP_ERR(UNAUTHENTICATED)
                                                        : RP_ERR(UNREACHABLE);
    curl_easy_cleanup(curl);
    curl_slist_free_all(resolve);
    return err;
}

static void set_blob(CURL *curl, CURLoption option, rp_view bytes) {
    struct curl_blob blob = {(void *)(uintptr_t)bytes.p, bytes.n, CURL_BLOB_COPY};
    curl_easy_setopt(curl, option, &blob);
}

static size_t forget(char *bytes, size_t size, size_t n, void *ctx) {
    (void)bytes;
    (void)ctx;
    return size * n;
}

rp_err http_with_certificate(const struct http *http, const char *name, rp_view cert, rp_view key,
                             long *ret_status) {
    char at[400];
    snprintf(at, sizeof at, "%.253s:%u:%s", name, http->port, http->address);
    struct curl_slist *resolve = curl_slist_append(NULL, at);
    CURL *curl = only_connect(http, name, http->ca_file, resolve);
    CURLcode rc = CURLE_OUT_OF_MEMORY;
    if (curl) {
        curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
        if (cert.n > 0) {
            set_blob(curl, CURLOPT_SSLCERT_BLOB, cert);
            set_blob(curl, CURLOPT_SSLKEY_BLOB, key);
        }
        rc = curl_easy_perform(curl);
    }
    if (rc == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(resolve);
    bool ended = rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR;
    return rc == CURLE_OK ? RP_OK : ended ? RP_ERR(DENIED) : RP_ERR(UNREACHABLE);
}

rp_view http_header(const struct http_answer *answer, const char *name, size_t n) {
    rp_view rest = rp_buf_view(&answer->head);
    rp_view wanted = rp_view_from_cstr(name);
    while (rest.p) {
        rp_view line = rp_view_cut(&rest, '\n');
        rp_view key = rp_view_cut(&line, ':');
        if (line.p && rp_view_equal_nocase(key, wanted) && n-- == 0) {
            return rp_view_trim(line);
        }
    }
    return (rp_view){NULL, 0};
}

bool http_has_field(struct http_answer *answer, const char *name) {
    rp_view html = rp_buf_view(&answer->body);
    rp_view attribute = rp_arena_printf(answer->arena, "name=\"%s\"", name);
    return attribute.p && rp_view_find(html, attribute) < html.n;
}

/* The value of name="…" inside one tag. */
static rp_view attribute_of(rp_view tag, rp_view name) {
    size_t at = rp_view_find(tag, name);
    rp_view rest = rp_view_from(tag, at + name.n);
    return at < tag.n ? rp_view_sub(rest, 0, rp_view_find_byte(rest, '"')) : (rp_view){NULL, 0};
}

void http_hidden_fields(struct http_answer *answer, struct rp_buf *form) {
    rp_view rest = rp_buf_view(&answer->body);
    for (;;) {
        rest = rp_view_from(rest, rp_view_find(rest, RP_VIEW("<input ")));
        if (rest.n == 0) {
            return;
        }
        rp_view tag = rp_view_sub(rest, 0, rp_view_find_byte(rest, '>'));
        rest = rp_view_from(rest, tag.n);
        rp_view name = attribute_of(tag, RP_VIEW("name=\""));
        if (rp_view_find(tag, RP_VIEW("type=\"hidden\"")) < tag.n && name.n) {
            rp_buf_add_cstr(form, form->n ? "&" : "");
            rp_url_encode(form, name);
            rp_buf_add_byte(form, '=');
            rp_url_encode(form, attribute_of(tag, RP_VIEW("value=\"")));
        }
    }
}

const struct rp_json *http_json(struct http_answer *answer) {
    struct rp_json *root = NULL;
    rp_err err =
        rp_json_parse(rp_buf_view(&answer->body), RP_JSON_LIMITS, answer->arena, &root, NULL);
    return rp_ok(err) ? root : NULL;
}
