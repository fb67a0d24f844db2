/* settings.h — every setting as a row: where it stands, what it may be, and its default.
 *
 * The table is config.def. The reader, the sample and whoever guesses what was meant go by it.
 */
#ifndef RP_CONFIG_SETTINGS_H
#define RP_CONFIG_SETTINGS_H

#include "config/config.h"

enum rp_setting_type { RP_SETTING_TEXT, RP_SETTING_NUMBER, RP_SETTING_CHOICE, RP_SETTING_LIST };

/* One row of config.def. In the table `minimum` holds the choices of a CHOICE. */
struct rp_setting {
    const char *section, *key; /* "" = at the top */
    enum rp_setting_type type;
    size_t offset; /* of the field in struct rp_config */
    const char *standard;
    uint64_t min, max;
    const char *choices;
    const char *text[RP_LANG_COUNT];
};

enum {
#define RP_SETTING(section, key, type, field, standard, minimum, maximum, fr, en)                  \
    RP_SETTING_OF_##field,
#include "config/config.def"
#undef RP_SETTING
    RP_SETTINGS /* how many there are */
};

extern const struct rp_setting rp_settings[RP_SETTINGS];

/* NULL when there is none. */
const struct rp_setting *rp_setting_named(const char *section, rp_view key);
/* The section as the table spells it; NULL when no setting is in it. */
const char *rp_section_named(rp_view name);
/* What says whether a text has the setting's form: NULL, or what it should have been. */
const char *(*rp_setting_form(const struct rp_setting *setting))(rp_view text);

#endif
