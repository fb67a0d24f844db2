/* sample.c — every setting with its meaning and its default, as `rempart check --sample` prints. */
#include "base/assert.h"
#include "config/internal.h"
#include "config/settings.h"

static void print_limits(struct rp_buf *out, const struct rp_setting *setting) {
    if (setting->type == RP_SETTING_NUMBER) {
        rp_buf_printf(out, " (%llu-%llu)", (unsigned long long)setting->min,
                      (unsigned long long)setting->max);
    }
}

static void print_setting(struct rp_buf *out, const struct rp_setting *setting, enum rp_lang lang) {
    const char *indent = *setting->section == '\0' ? "" : "  ";
    bool quoted = setting->type == RP_SETTING_TEXT;
    const char *standard = setting->type == RP_SETTING_LIST ? "[]" : setting->standard;
    rp_buf_printf(out, "%s# %s", indent, setting->text[lang]);
    print_limits(out, setting);
    rp_buf_printf(out, "\n%s%s: %s%s%s\n", indent, setting->key, quoted ? "\"" : "", standard,
                  quoted ? "\"" : "");
}

/* Applications have no default, so their sample is a comment. */
static void print_apps(struct rp_buf *out, enum rp_lang lang) {
    static const char *const intro[RP_LANG_COUNT] = {
        [RP_FR] = "Les applications derrière la porte ; chacune a son hôte, une seule peut s’en "
                  "passer.",
        [RP_EN] = "The applications behind the gate; each has a host of its own, one may do "
                  "without."};
    rp_buf_printf(out, "# %s\n", intro[lang]);
    rp_buf_add_cstr(out, "#apps:\n"
                         "#  - name: notes\n"
                         "#    host: notes.example.com\n"
                         "#    upstream: http://127.0.0.1:3000\n"
                         "#    sign_in: required        # none | optional | required\n"
                         "#    paths:\n"
                         "#      - {path: /public/, sign_in: none}\n"
                         "#    identity_headers:\n"
                         "#      X-Remote-User: subject # subject | email | tenant | roles\n");
}

static void print_webhooks(struct rp_buf *out, enum rp_lang lang) {
    static const char *const intro[RP_LANG_COUNT] = {
        [RP_FR] = "Vos programmes qui apprennent les événements du journal de l’exploitant, 16 au "
                  "plus. secret : fichier d’une ligne, whsec_ et 24 à 64 octets en base64.",
        [RP_EN] = "Your own programs that learn of events of the operator's log, 16 at most. "
                  "secret: a file of one line, whsec_ and 24 to 64 bytes in base64."};
    rp_buf_printf(out, "# %s\n", intro[lang]);
    rp_buf_add_cstr(out, "#webhooks:\n"
                         "#  - name: ops\n"
                         "#    endpoint: https://ops.example.com/rempart\n"
                         "#    secret: /etc/rempart/ops-secret\n"
                         "#    events: [register.due, \"certificate.*\", webhook.paused]\n"
                         "#    authority: \"\"          # PEM; empty = the system's\n"
                         "#    private: false         # true: private and local addresses too\n");
}

static bool first_of_section(size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (strcmp(rp_settings[j].section, rp_settings[i].section) == 0) {
            return false;
        }
    }
    return true;
}

void rp_config_print_sample(struct rp_buf *out, enum rp_lang lang) {
    RP_ASSERT(lang < RP_LANG_COUNT);
    rp_buf_add_cstr(out, "# rempart.yaml\n");
    for (size_t i = 0; i < RP_SETTINGS; i++) {
        if (!first_of_section(i)) {
            continue;
        }
        const char *section = rp_settings[i].section;
        if (*section != '\0') {
            rp_buf_printf(out, "%s:\n", section);
        }
        for (size_t j = i; j < RP_SETTINGS; j++) {
            if (strcmp(rp_settings[j].section, section) == 0) {
                print_setting(out, &rp_settings[j], lang);
            }
        }
        if (strcmp(section, "link") == 0) {
            rp_config_print_peers(out, lang);
        }
    }
    print_apps(out, lang);
    print_webhooks(out, lang);
}
