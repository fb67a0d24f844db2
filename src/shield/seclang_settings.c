/* seclang_settings.c — SecRuleEngine and its sisters: one value each; what does nothing is noted.
 */
#include "base/assert.h"
#include "base/buf.h"
#include "base/id.h"
#include "shield/seclang_internal.h"

/* CRS counts on these, which are ModSecurity's recommended ones. */
void seclang_settings_default(struct rp_waf_settings *settings) {
    *settings = (struct rp_waf_settings){
        .mode = RP_WAF_OFF,
        .request_body_limit = 13107200,
        .request_body_no_files_limit = 131072,
        .response_body_limit = 524288,
        .request_limit_rejects = true,
        .json_depth_max = 512,
        .arguments_max = 1000,
        .argument_separator = '&',
        .collection_timeout_s = 3600,
    };
}

/* ---- values ---- */

struct choice {
    const char *word;
    unsigned value;
};

static rp_err choose(struct seclang *in, rp_view value, const struct choice *choices, size_t count,
                     unsigned *ret_value) {
    char words[80] = "";
    struct rp_buf list = rp_buf_new(sizeof words - 1);
    for (size_t i = 0; i < count; i++) {
        if (seclang_is_word(value, choices[i].word)) {
            *ret_value = choices[i].value;
            rp_buf_done(&list);
            return RP_OK;
        }
        rp_buf_printf(&list, "%s%s", i > 0 ? ", " : "", choices[i].word);
    }
    if (list.n > 0) {
        memcpy(words, list.p, list.n);
        words[list.n] = 0;
    }
    rp_buf_done(&list);
    return seclang_fail(in, value, RP_ERR(INVALID), "\"%.*s\": expected one of %s",
                        SECLANG_FMT(value), words);
}

static const struct choice on_off[] = {{"On", 1}, {"Off", 0}};
static const struct choice engine[] = {
    {"On", RP_WAF_ON}, {"Off", RP_WAF_OFF}, {"DetectionOnly", RP_WAF_DETECT}};
static const struct choice limit_action[] = {{"Reject", 1}, {"ProcessPartial", 0}};

static rp_err number(struct seclang *in, rp_view value, uint64_t min, uint64_t max,
                     uint64_t *ret_number) {
    uint64_t n = 0;
    if (!rp_view_to_u64(value, max, &n) || n < min) {
        return seclang_fail(in, value, RP_ERR(INVALID),
                            "\"%.*s\": expected a number from %llu to %llu", SECLANG_FMT(value),
                            (unsigned long long)min, (unsigned long long)max);
    }
    *ret_number = n;
    return RP_OK;
}

/* ---- one function a kind ---- */

static rp_err set_choice(struct seclang *in, rp_view name, rp_view value) {
    struct rp_waf_settings *to = &in->settings;
    unsigned chosen = 0;
    if (seclang_is_word(name, "SecRuleEngine")) {
        RP_TRY(choose(in, value, engine, RP_COUNT_OF(engine), &chosen));
        to->mode = (enum rp_waf_mode)chosen;
        return RP_OK;
    }
    bool limit = seclang_is_word(name, "SecRequestBodyLimitAction") ||
                 seclang_is_word(name, "SecResponseBodyLimitAction");
    RP_TRY(choose(in, value, limit ? limit_action : on_off, 2, &chosen));
    bool *flag = seclang_is_word(name, "SecRequestBodyAccess")        ? &to->request_body
                 : seclang_is_word(name, "SecResponseBodyAccess")     ? &to->response_body
                 : seclang_is_word(name, "SecRequestBodyLimitAction") ? &to->request_limit_rejects
                                                                      : &to->response_limit_rejects;
    *flag = chosen != 0;
    return RP_OK;
}

static rp_err set_number(struct seclang *in, rp_view name, rp_view value) {
    struct rp_waf_settings *to = &in->settings;
    uint64_t n = 0;
    if (seclang_is_word(name, "SecRequestBodyJsonDepthLimit")) {
        RP_TRY(number(in, value, 1, 10000, &n));
        to->json_depth_max = (unsigned)n;
        return RP_OK;
    }
    if (seclang_is_word(name, "SecCookieFormat")) {
        RP_TRY(number(in, value, 0, 1, &n));
        return n == 0 ? RP_OK
                      : seclang_fail(in, value, RP_ERR(UNSUPPORTED),
                                     "SecCookieFormat 1: cookies are read as browsers send them; "
                                     "expected 0");
    }
    RP_TRY(number(in, value, 1, SECLANG_LIMIT_MAX, &n));
    uint64_t *field = seclang_is_word(name, "SecRequestBodyLimit") ? &to->request_body_limit
                      : seclang_is_word(name, "SecRequestBodyNoFilesLimit")
                          ? &to->request_body_no_files_limit
                      : seclang_is_word(name, "SecResponseBodyLimit") ? &to->response_body_limit
                      : seclang_is_word(name, "SecArgumentsLimit")    ? &to->arguments_max
                                                                      : &to->collection_timeout_s;
    *field = n;
    return RP_OK;
}

static rp_err set_text(struct seclang *in, rp_view name, rp_view value) {
    if (seclang_is_word(name, "SecComponentSignature")) {
        in->settings.component = value;
        return RP_OK;
    }
    if (value.n != 1) {
        return seclang_fail(in, value, RP_ERR(INVALID),
                            "\"%.*s\": expected one character, such as &", SECLANG_FMT(value));
    }
    in->settings.argument_separator = value.p[0];
    return RP_OK;
}

static rp_err set_off(struct seclang *in, rp_view name, rp_view value) {
    unsigned chosen = 0;
    RP_TRY(choose(in, value, on_off, RP_COUNT_OF(on_off), &chosen));
    if (chosen) {
        return seclang_fail(in, value, RP_ERR(UNSUPPORTED),
                            "%.*s On: Rempart does not do this; expected Off", SECLANG_FMT(name));
    }
    return RP_OK;
}

/* ---- SecUnicodeMapFile ---- */

static bool hex_of(rp_view text, unsigned max, unsigned *ret_value) {
    unsigned value = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = rp_hex_digit(text.p[i]);
        if (digit < 0 || text.n > 4) {
            return false;
        }
        value = value << 4 | (unsigned)digit;
    }
    *ret_value = value;
    return text.n > 0 && value <= max;
}

static rp_err read_pairs(struct seclang *in, rp_view at, rp_view pairs, uint16_t *map) {
    rp_view rest = pairs;
    while (rest.p != NULL) {
        rp_view second = rp_view_cut(&rest, ' ');
        if (rp_view_trim(second).n == 0) {
            continue;
        }
        second = rp_view_trim(second);
        rp_view whole = second;
        rp_view first = rp_view_cut(&second, ':');
        unsigned from = 0, to = 0;
        if (!hex_of(first, 0xffff, &from) || !hex_of(second, 0xff, &to)) {
            return seclang_fail(in, at, RP_ERR(INVALID),
                                "\"%.*s\" in the map; expected hexadecimal code:byte",
                                SECLANG_FMT(whole));
        }
        map[from] = (uint16_t)to;
    }
    return RP_OK;
}

/* The file lists code pages: a line that begins with the number, then a line of pairs. */
static bool find_page(rp_view bytes, rp_view page, rp_view *ret_pairs) {
    rp_view rest = bytes;
    while (rest.p != NULL) {
        rp_view line = rp_view_trim(rp_view_cut(&rest, '\n'));
        size_t n = rp_view_find_byte(line, ' ');
        if (rp_view_equal(rp_view_sub(line, 0, n), page) && rest.p != NULL) {
            *ret_pairs = rp_view_trim(rp_view_cut(&rest, '\n'));
            return true;
        }
    }
    return false;
}

static rp_err unicode_map(struct seclang *in, rp_view rest) {
    rp_view name, page, bytes, path, pairs;
    RP_TRY(seclang_value(in, &rest, "a file", &name));
    RP_TRY(seclang_value(in, &rest, "a code page, such as 20127", &page));
    RP_TRY(seclang_end_of_line(in, rest));
    rp_err err = in->loader->read(in->loader->ctx, in->line.file, name, in->arena, &bytes, &path);
    if (!rp_ok(err)) {
        return seclang_fail(in, name, err, "%.*s: cannot be read; expected it beside this file",
                            SECLANG_FMT(name));
    }
    if (!find_page(bytes, page, &pairs)) {
        return seclang_fail(in, page, RP_ERR(NOT_FOUND), "code page %.*s is not in %.*s",
                            SECLANG_FMT(page), SECLANG_FMT(name));
    }
    uint16_t *map = rp_arena_array(in->arena, 65536, sizeof *map);
    if (!map) {
        return RP_ERR(TOO_LARGE);
    }
    memset(map, 0xff, 65536 * sizeof *map);
    RP_TRY(read_pairs(in, page, pairs, map));
    in->settings.unicode_map = map;
    return RP_OK;
}

/* ---- SecResponseBodyMimeType ---- */

static rp_err mime_types(struct seclang *in, rp_view rest) {
    while (rest.n > 0) {
        rp_view value;
        RP_TRY(seclang_value(in, &rest, "a content type", &value));
        uint8_t *lower = rp_arena_alloc(in->arena, value.n);
        rp_view *added = seclang_add(in, &in->response_types, sizeof *added);
        if (!lower || !added) {
            return RP_ERR(TOO_LARGE);
        }
        for (size_t i = 0; i < value.n; i++) {
            bool upper = value.p[i] >= 'A' && value.p[i] <= 'Z';
            lower[i] = (uint8_t)(value.p[i] + (upper ? 'a' - 'A' : 0));
        }
        *added = rp_view_of(lower, value.n);
    }
    return RP_OK;
}

/* ---- which one ---- */

static const struct {
    const char *name;
    rp_err (*set)(struct seclang *in, rp_view name, rp_view value);
} settings[] = {
    {"SecRuleEngine", set_choice},
    {"SecRequestBodyAccess", set_choice},
    {"SecResponseBodyAccess", set_choice},
    {"SecRequestBodyLimitAction", set_choice},
    {"SecResponseBodyLimitAction", set_choice},
    {"SecRequestBodyLimit", set_number},
    {"SecRequestBodyNoFilesLimit", set_number},
    {"SecResponseBodyLimit", set_number},
    {"SecRequestBodyJsonDepthLimit", set_number},
    {"SecArgumentsLimit", set_number},
    {"SecCookieFormat", set_number},
    {"SecCollectionTimeout", set_number},
    {"SecArgumentSeparator", set_text},
    {"SecComponentSignature", set_text},
    {"SecXmlExternalEntity", set_off},
    {"SecParseXmlIntoArgs", set_off},
    {"SecContentInjection", set_off},
    {"SecStreamInBodyInspection", set_off},
    {"SecStreamOutBodyInspection", set_off},
    {"SecHashEngine", set_off},
    {"SecPdfProtect", set_off},
};

static const struct {
    const char *name, *why;
} ignored[] = {
    {"SecAuditEngine", "Rempart has its own log"},
    {"SecAuditLog", "Rempart has its own log"},
    {"SecAuditLog2", "Rempart has its own log"},
    {"SecAuditLogDirMode", "Rempart has its own log"},
    {"SecAuditLogFileMode", "Rempart has its own log"},
    {"SecAuditLogFormat", "Rempart has its own log"},
    {"SecAuditLogParts", "Rempart has its own log"},
    {"SecAuditLogRelevantStatus", "Rempart has its own log"},
    {"SecAuditLogStorageDir", "Rempart has its own log"},
    {"SecAuditLogType", "Rempart has its own log"},
    {"SecCacheTransformations", "always on"},
    {"SecChrootDir", "the gate's business"},
    {"SecConnEngine", "connections are the gate's business"},
    {"SecConnReadStateLimit", "connections are the gate's business"},
    {"SecConnWriteStateLimit", "connections are the gate's business"},
    {"SecDataDir", "rules write no files"},
    {"SecDebugLog", "rempart waf exec and explain show what a rule does"},
    {"SecDebugLogLevel", "rempart waf exec and explain show what a rule does"},
    {"SecDisableBackendCompression", "the gate's business"},
    {"SecGeoLookupDb", "there is no database of places"},
    {"SecGsbLookupDb", "nobody is asked while a request waits"},
    {"SecGuardianLog", "Rempart has its own log"},
    {"SecHashKey", "no links are signed"},
    {"SecHashMethodPm", "no links are signed"},
    {"SecHashMethodRx", "no links are signed"},
    {"SecHashParam", "no links are signed"},
    {"SecHttpBlKey", "nobody is asked while a request waits"},
    {"SecInterceptOnError", "a rule over its budget is judged by the site"},
    {"SecPcreMatchLimit", "Rempart has its own budget of work for a request"},
    {"SecPcreMatchLimitRecursion", "Rempart has its own budget of work for a request"},
    {"SecPdfProtectMethod", "no documents are protected"},
    {"SecPdfProtectSecret", "no documents are protected"},
    {"SecPdfProtectTimeout", "no documents are protected"},
    {"SecPdfProtectTokenName", "no documents are protected"},
    {"SecReadStateLimit", "connections are the gate's business"},
    {"SecRemoteRulesFailAction", "no rules are fetched"},
    {"SecRequestBodyInMemoryLimit", "bodies are read as they come"},
    {"SecRuleInheritance", "a site has one rule set"},
    {"SecRulePerfTime", "rempart waf bench measures"},
    {"SecSensorId", "Rempart has its own log"},
    {"SecServerSignature", "the gate's business"},
    {"SecStatusEngine", "Rempart reports to nobody"},
    {"SecTmpDir", "bodies are not written to files"},
    {"SecTmpSaveUploadedFiles", "bodies are not written to files"},
    {"SecUploadDir", "bodies are not written to files"},
    {"SecUploadFileLimit", "bodies are not written to files"},
    {"SecUploadFileMode", "bodies are not written to files"},
    {"SecUploadKeepFiles", "bodies are not written to files"},
    {"SecWebAppId", "WEBAPPID stays empty"},
    {"SecWriteStateLimit", "connections are the gate's business"},
};

static rp_err note_ignored(struct seclang *in, rp_view name, bool *ret_known) {
    for (size_t i = 0; i < RP_COUNT_OF(ignored); i++) {
        if (seclang_is_word(name, ignored[i].name)) {
            *ret_known = true;
            return seclang_note(in, "%s: %s", ignored[i].name,
                                rp_diag_say(in->diag, ignored[i].why));
        }
    }
    *ret_known = false;
    return RP_OK;
}

rp_err seclang_setting(struct seclang *in, rp_view name, rp_view rest, bool *ret_known) {
    rp_view value;
    *ret_known = true;
    for (size_t i = 0; i < RP_COUNT_OF(settings); i++) {
        if (seclang_is_word(name, settings[i].name)) {
            RP_TRY(seclang_value(in, &rest, "a value", &value));
            RP_TRY(seclang_end_of_line(in, rest));
            return settings[i].set(in, name, value);
        }
    }
    if (seclang_is_word(name, "SecUnicodeMapFile")) {
        return unicode_map(in, rest);
    }
    if (seclang_is_word(name, "SecResponseBodyMimeType")) {
        return mime_types(in, rest);
    }
    if (seclang_is_word(name, "SecResponseBodyMimeTypesClear")) {
        in->response_types = (struct seclang_list){0};
        return seclang_end_of_line(in, rest);
    }
    return note_ignored(in, name, ret_known);
}
