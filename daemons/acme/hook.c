/* hook.c — the file that the authority looks for at http://NAME/.well-known/acme-challenge/TOKEN.
 *
 * Token and content come from the authority: a token that is more than base64url is refused, so
 * that its name can be nothing but a file of that folder.
 */
#include <stdio.h>

#include "acme.h"
#include "base/checked.h"
#include "os/file.h"

enum { TOKEN_MIN = 8, TOKEN_MAX = 200, CONTENT_MAX = 400 };

static bool is_base64url(rp_view text, const char *also) {
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || (*also && c == (uint8_t)*also);
        if (!good) {
            return false;
        }
    }
    return true;
}

bool hook_is_asked(int argc, char **argv) {
    return argc == 6 && (strcmp(argv[1], "begin") == 0 || strcmp(argv[1], "done") == 0 ||
                         strcmp(argv[1], "failed") == 0);
}

/* Another kind of challenge is declined, and uacme tries the next that the authority offers. */
int hook_run(char **argv) {
    rp_view token = rp_view_from_cstr(argv[4]), content = rp_view_from_cstr(argv[5]);
    char path[sizeof "acme/challenges/" + TOKEN_MAX];
    bool good = strcmp(argv[2], "http-01") == 0 && token.n >= TOKEN_MIN && token.n <= TOKEN_MAX &&
                is_base64url(token, "") && content.n > token.n && content.n <= CONTENT_MAX &&
                is_base64url(content, ".");
    if (!good) {
        return 1;
    }
    snprintf(path, sizeof path, "acme/challenges/%s", argv[4]);
    rp_err err =
        strcmp(argv[1], "begin") == 0 ? rp_file_replace(path, 0644, content) : rp_file_remove(path);
    return rp_ok(err) ? 0 : 1;
}
