#include "pages.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "gate_assets.h"
#include "wire/encode.h"

const struct gate_page gate_pages[] = {
#define RP_GATE_PAGE(status, code, retry, fr_title, fr_text, en_title, en_text)                    \
    {status, code, retry, {fr_title, en_title}, {fr_text, en_text}},
#include "pages.def"
#undef RP_GATE_PAGE
};
const size_t gate_page_count = RP_COUNT_OF(gate_pages);

static const char style[] =
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1.2em;"
    "color:#1d2733;background:#fff}h1{font-size:1.5em;font-weight:600}a{color:#0b5cad}"
    "p.s{color:#5b6775;font-size:.85em}@media(prefers-color-scheme:dark){body{color:#e3e8ee;"
    "background:#14191f}a{color:#7db8f5}p.s{color:#93a0ad}}";

static void add_link(struct rp_buf *out, const char *target, const char *text) {
    rp_buf_printf(out, "<p><a href=\"%s\">%s</a></p>\n", target, text);
}

static unsigned shown_status(const struct gate_page *page) {
    if (page->status == GATE_CHALLENGE) {
        return 503;
    }
    bool own = page->status == GATE_NO_CERTIFICATE || page->status == GATE_LISTED;
    return own ? 403 : page->status;
}

/* An empty href is the page itself: "try again" without knowing the address. */
static void add_way_on(struct rp_buf *out, const struct gate_page *page, enum rp_lang lang) {
    bool french = lang == RP_FR;
    if (page->status == 401) {
        add_link(out, "/.rempart/id/sign-in", french ? "Se connecter" : "Sign in");
    } else if (page->retry) {
        add_link(out, "", french ? "Réessayer" : "Try again");
    } else if (page->status != 421 && shown_status(page) == page->status) {
        add_link(out, "/", french ? "Retour à l’accueil" : "Back to the start page");
    }
}

/* What is shown while the script works, where it cannot keep its cookie, and without it. */
static void add_challenge(struct rp_buf *out, enum rp_lang lang) {
    static const struct {
        const char *working, *no_cookie, *no_script;
    } texts[RP_LANG_COUNT] = {
        {"Vérification en cours : une seconde environ, rien n’est envoyé à d’autres.",
         "Votre navigateur refuse les cookies de ce site. Autorisez-les, puis réessayez.",
         "Cette vérification demande JavaScript. Activez-le pour ce site, ou revenez plus tard : "
         "elle ne dure que le temps de l’affluence. Si vous avez un compte, connectez-vous : "
         "vous passerez sans elle."},
        {"Checking: about a second, and nothing is sent to anybody else.",
         "Your browser refuses this site’s cookies. Allow them, then try again.",
         "This check needs JavaScript. Allow it for this site, or come back later: it lasts only "
         "as long as the rush. If you have an account, sign in: you then pass without it."}};
    rp_buf_printf(out,
                  "<p id=\"working\" role=\"status\" hidden>%s</p>\n"
                  "<p id=\"no-cookie\" role=\"alert\" hidden>%s</p>\n"
                  "<noscript><p>%s</p></noscript>\n",
                  texts[lang].working, texts[lang].no_cookie, texts[lang].no_script);
    add_link(out, "/.rempart/id/sign-in", lang == RP_FR ? "Se connecter" : "Sign in");
    rp_buf_printf(out, "<script>%.*s</script>\n", RP_FMT(rp_asset_challenge_js));
}

void gate_page_script(struct rp_buf *out) {
    struct rp_sha256 hash = rp_sha256_of(rp_asset_challenge_js);
    rp_buf_add_cstr(out, "'sha256-");
    rp_base64_print(out, rp_view_of(hash.b, sizeof hash.b));
    rp_buf_add_byte(out, '\'');
}

void gate_page_html(struct rp_buf *out, const struct gate_page *page, enum rp_lang lang) {
    RP_ASSERT(page != NULL && lang < RP_LANG_COUNT);
    rp_buf_printf(out,
                  "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n"
                  "<p>%s</p>\n",
                  lang == RP_FR ? "fr" : "en", page->title[lang], style, page->title[lang],
                  page->text[lang]);
    add_way_on(out, page, lang);
    if (page->status == GATE_CHALLENGE) {
        add_challenge(out, lang);
    }
    rp_buf_printf(out, "<p class=\"s\">%u</p>\n</main>\n</body>\n</html>\n", shown_status(page));
}

void gate_page_json(struct rp_buf *out, const struct gate_page *page, enum rp_lang lang) {
    RP_ASSERT(page != NULL && lang < RP_LANG_COUNT);
    /* The texts are ours and hold nothing that JSON would escape: a test looks. */
    rp_buf_printf(out, "{\"code\":\"%s\",\"detail\":\"%s\",\"status\":%u,\"title\":\"%s\"}\n",
                  page->code, page->text[lang], shown_status(page), page->title[lang]);
}
