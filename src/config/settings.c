/* settings.c — config.def as a table, and the form that each text must have. */
#include <stddef.h>

#include "base/checked.h"
#include "config/check.h"
#include "config/settings.h"

/* A literal is char[] or const char[], as the compiler and its warnings have it. */
#define NUMBER_OF(value) _Generic((value), char * : 0, const char * : 0, default : (value))
#define CHOICES_OF(value)                                                                          \
    _Generic((value), char * : (value), const char * : (value), default : NULL)

const struct rp_setting rp_settings[] = {
#define RP_SETTING(section, key, type, field, standard, minimum, maximum, fr, en)                  \
    {(section),                                                                                    \
     (key),                                                                                        \
     RP_SETTING_##type,                                                                            \
     offsetof(struct rp_config, field),                                                            \
     (standard),                                                                                   \
     NUMBER_OF(minimum),                                                                           \
     (maximum),                                                                                    \
     CHOICES_OF(minimum),                                                                          \
     {[RP_FR] = (fr), [RP_EN] = (en)}},
#include "config/config.def"
#undef RP_SETTING
};

/* The texts with a form of their own; the others are one line of text. */
static const struct {
    const char *key;
    const char *(*check)(rp_view text);
    const char *section; /* NULL = any */
} forms[] = {
    {"host", rp_config_check_host, NULL},
    {"address", rp_config_check_address, NULL},
    {"certificate", rp_config_check_path, NULL},
    {"certificate_key", rp_config_check_path, NULL},
    {"store", rp_config_check_store, NULL},
    {"bounty_url", rp_config_check_url, NULL},
    {"trusted_proxies", rp_config_check_network, NULL},
    {"client_address", rp_config_check_client_address, NULL},
    {"url", rp_config_check_smtp, NULL},
    {"quiet", rp_config_check_quiet, "notify"},
    {"digest", rp_config_check_clock, "notify"},
    {"from", rp_config_check_mail_address, NULL},
    {"breached_list", rp_config_check_path, NULL},
    {"credentials", rp_config_check_path, NULL},
    {"authority", rp_config_check_path, NULL},
    {"directory", rp_config_check_directory, "acme"},
    {"contact", rp_config_check_mail_or_none, "acme"},
    {"eab_credentials", rp_config_check_path, "acme"},
    {"file", rp_config_check_log_file, "log"},
    {"names", rp_config_check_host, "acme"},
    {"declared_ports", rp_config_check_declared_port, NULL},
    {"runs", rp_config_check_role, NULL},
    {"log", rp_config_check_log_key, "vault"},
    {"listen", rp_config_check_endpoint, "link"},
    {"witnesses", rp_config_check_witness, "ledger"},
    {"witness_authority", rp_config_check_path, "ledger"},
    {"logs", rp_config_check_witness_log, "witness"},
    {"domains", rp_config_check_name, "watch"},
    {"honest", rp_config_check_name, "watch"},
};

static bool is_key(const struct rp_setting *setting, const char *section, rp_view key) {
    return strcmp(setting->section, section) == 0 &&
           rp_view_equal(key, rp_view_from_cstr(setting->key));
}

const struct rp_setting *rp_setting_named(const char *section, rp_view key) {
    for (size_t i = 0; i < RP_SETTINGS; i++) {
        if (is_key(&rp_settings[i], section, key)) {
            return &rp_settings[i];
        }
    }
    return NULL;
}

/* The section as the table spells it; NULL when no setting is in it. */
const char *rp_section_named(rp_view name) {
    for (size_t i = 0; i < RP_SETTINGS; i++) {
        if (name.n > 0 && rp_view_equal(name, rp_view_from_cstr(rp_settings[i].section))) {
            return rp_settings[i].section;
        }
    }
    return NULL;
}

const char *(*rp_setting_form(const struct rp_setting *setting))(rp_view) {
    for (size_t i = 0; i < RP_COUNT_OF(forms); i++) {
        bool here = !forms[i].section || strcmp(forms[i].section, setting->section) == 0;
        if (here && strcmp(forms[i].key, setting->key) == 0) {
            return forms[i].check;
        }
    }
    return rp_config_check_line;
}
