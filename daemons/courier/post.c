#include "post.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "daemon.h"

enum { SKIPPED_MAX = 65536 };

struct calling {
    const struct post *post;
    size_t skipped;
};

static CURLproxycode dial_answer(CURL *curl) {
    long code = CURLPX_OK;
    curl_easy_getinfo(curl, CURLINFO_PROXY_ERROR, &code);
    return (CURLproxycode)code;
}

void post_by_dial(CURL *curl) {
    curl_easy_setopt(curl, CURLOPT_PROXY, DAEMON_DIAL_PROXY);
    curl_easy_setopt(curl, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
}

const char *post_problem(CURL *curl, CURLcode result, const char *error) {
    switch ((int)dial_answer(curl)) {
    case CURLPX_REPLY_NOT_ALLOWED:
        return "no setting names this address, or it is a private or local one";
    case CURLPX_REPLY_HOST_UNREACHABLE:
        return "Could not resolve host: no such name";
    case CURLPX_REPLY_CONNECTION_REFUSED:
        return "Connection refused: nobody listens there, or no way leads there";
    case CURLPX_REPLY_TTL_EXPIRED:
        return "no answer in time";
    default:
        return error[0] ? error : curl_easy_strerror(result);
    }
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
    post_by_dial(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, post->connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, post->whole_ms);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "rempart");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)post->body.p);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)post->body.n);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
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
    posted.refused = dial_answer(curl) == CURLPX_REPLY_NOT_ALLOWED;
    posted.whole = result == CURLE_OK;
    if (!posted.whole) {
        (void)snprintf(posted.problem, sizeof posted.problem, "%.200s",
                       post_problem(curl, result, error));
    }
    curl_easy_cleanup(curl);
    return posted;
}
