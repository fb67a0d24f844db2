#include "post.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/outward.h"

enum { SKIPPED_MAX = 65536 };

struct calling {
    const struct post *post;
    bool refused;
    size_t skipped;
};

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    struct calling *calling = ctx;
    int fd = -1;
    (void)purpose;
    rp_err err =
        rp_outward_socket(&address->addr, address->addrlen, calling->post->also_private, &fd);
    calling->refused = calling->refused || rp_is(err, RP_E_DENIED);
    return rp_ok(err) ? fd : CURL_SOCKET_BAD;
}

/* More than is wanted ends the call. */
static size_t take(char *bytes, size_t size, size_t count, void *ctx) {
    struct calling *calling = ctx;
    struct rp_buf *answer = calling->post->answer;
    if (answer) {
        rp_buf_add(answer, rp_view_of(bytes, size * count));
        return rp_ok(rp_buf_err(answer)) ? size * count : 0;
    }
    calling->skipped += size * count;
    return calling->skipped <= SKIPPED_MAX ? size * count : 0;
}

static int look(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up) {
    const struct calling *calling = ctx;
    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return calling->post->gives_up && atomic_load(calling->post->gives_up);
}

static void set(CURL *curl, const struct post *post, struct calling *calling) {
    curl_easy_setopt(curl, CURLOPT_URL, post->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, post->connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, post->whole_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rempart");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)post->body.p);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)post->body.n);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, calling);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, calling);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, calling);
    if (post->authority.n > 0) {
        struct curl_blob blob = {(void *)(uintptr_t)post->authority.p, post->authority.n,
                                 CURL_BLOB_COPY};
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    }
}

struct posted post_send(const struct post *post) {
    struct posted posted = {.whole = false};
    struct calling calling = {.post = post};
    char error[CURL_ERROR_SIZE] = "";
    const char *type = NULL;
    CURL *curl = curl_easy_init();
    if (!curl) {
        (void)snprintf(posted.problem, sizeof posted.problem, "out of memory");
        return posted;
    }
    set(curl, post, &calling);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &posted.status);
    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type &&
        strlen(type) < sizeof posted.type) {
        memcpy(posted.type, type, strlen(type) + 1);
    }
    posted.refused = calling.refused;
    posted.whole = result == CURLE_OK;
    if (!posted.whole) {
        (void)snprintf(posted.problem, sizeof posted.problem, "%.200s",
                       error[0] ? error : curl_easy_strerror(result));
    }
    curl_easy_cleanup(curl);
    return posted;
}
