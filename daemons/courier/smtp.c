/* smtp.c — one mail to one mail server, by libcurl, with TLS wherever it leaves this machine. */
#include <curl/curl.h>

#include "base/assert.h"
#include "base/checked.h"
#include "courier.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "post.h"

enum {
    CREDENTIALS_MAX = 512,
    AUTHORITY_MAX = 1 << 20,
    CONNECT_MS = 20000,
    WHOLE_MS = 60000,
    URL_MAX = 1200
};

/* ---- the account ---- */

static bool take_line(rp_view *text, char out[static 256]) {
    rp_view line = rp_view_trim(rp_view_cut(text, '\n'));
    if (line.n == 0 || line.n >= 256 || rp_view_find_byte(line, 0) < line.n) {
        return false;
    }
    memcpy(out, line.p, line.n);
    out[line.n] = 0;
    return true;
}

/* Two lines: the user, the password. */
rp_err account_read(struct daemon *daemon, struct account *account) {
    const struct rp_config *config = &daemon->config;
    rp_view text = {NULL, 0};
    if (config->smtp_credentials[0]) {
        rp_err err = rp_file_read(config->smtp_credentials, CREDENTIALS_MAX, daemon->arena, &text);
        if (!rp_ok(err)) {
            return daemon_fail(daemon, err, config->smtp_credentials, NULL);
        }
        rp_view rest = text;
        bool good = take_line(&rest, account->user) && take_line(&rest, account->password);
        rp_wipe((void *)(uintptr_t)text.p, text.n);
        if (!good) {
            daemon_say(daemon, "%s: expected two lines, the user and the password",
                       config->smtp_credentials);
            return RP_ERR(INVALID);
        }
    }
    if (config->smtp_authority[0]) {
        rp_err err =
            rp_file_read(config->smtp_authority, AUTHORITY_MAX, daemon->arena, &account->authority);
        return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, config->smtp_authority, NULL);
    }
    return RP_OK;
}

/* ---- one mail ---- */

static bool is_loopback(rp_view url) {
    size_t slashes = rp_view_find(url, RP_VIEW("://"));
    rp_view host = rp_view_from(url, slashes + 3);
    return rp_view_starts(host, RP_VIEW("127.")) || rp_view_starts(host, RP_VIEW("[::1]")) ||
           rp_view_starts(host, RP_VIEW("localhost:")) || rp_view_equal(host, RP_VIEW("localhost"));
}

static size_t read_message(char *out, size_t size, size_t count, void *ctx) {
    rp_view *rest = ctx;
    size_t n = RP_MIN(size * count, rest->n);
    if (n > 0) {
        memcpy(out, rest->p, n);
    }
    *rest = rp_view_from(*rest, n);
    return n;
}

static void set_tls(CURL *curl, const struct rp_config *config, const struct account *account) {
    bool local = is_loopback(rp_view_from_cstr(config->smtp_url));
    curl_easy_setopt(curl, CURLOPT_USE_SSL, local ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (account->authority.n > 0) {
        struct curl_blob blob = {(void *)(uintptr_t)account->authority.p, account->authority.n,
                                 CURL_BLOB_COPY};
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    }
}

static void set_account(CURL *curl, const struct account *account) {
    if (account->user[0]) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, account->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, account->password);
    }
}

/* For good: the server knows this address or this mail and will not have it. What is wrong with
 * the account or the connection is the operator's to mend, and the mail waits. */
static enum outcome outcome_of(CURLcode result, long status) {
    if (result == CURLE_OK) {
        return OUTCOME_SENT;
    }
    bool about_the_mail = status >= 550 && status <= 559;
    return about_the_mail && result != CURLE_LOGIN_DENIED && result != CURLE_COULDNT_CONNECT
               ? OUTCOME_REFUSED
               : OUTCOME_LATER;
}

static struct answer perform(CURL *curl, const char *error) {
    struct answer answer = {.problem = ""};
    long status = 0;
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.outcome = outcome_of(result, status);
    if (result != CURLE_OK) {
        snprintf(answer.problem, sizeof answer.problem, "%.200s",
                 post_problem(curl, result, error));
    }
    return answer;
}

struct answer smtp_send(const struct daemon *daemon, const struct account *account, const char *to,
                        rp_view message) {
    const struct rp_config *config = &daemon->config;
    char url[URL_MAX], from[300], error[CURL_ERROR_SIZE] = "";
    rp_view rest = message;
    /* What stands behind the host is the name that we greet with. */
    int n = snprintf(url, sizeof url, "%s/%s", config->smtp_url, config->host);
    RP_ASSERT(n > 0 && (size_t)n < sizeof url);
    n = snprintf(from, sizeof from, "<%s>", config->smtp_from);
    RP_ASSERT(n > 0 && (size_t)n < sizeof from);
    CURL *curl = curl_easy_init();
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    if (!curl || !recipients) {
        curl_easy_cleanup(curl);
        curl_slist_free_all(recipients);
        return (struct answer){OUTCOME_LATER, "out of memory"};
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    post_by_dial(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
    set_tls(curl, config, account);
    set_account(curl, account);
    struct answer answer = perform(curl, error);
    curl_easy_cleanup(curl);
    curl_slist_free_all(recipients);
    return answer;
}
