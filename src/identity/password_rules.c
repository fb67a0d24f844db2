/* password_rules.c — which passwords are refused at the door (S170).
 *
 * Long enough; not made of the address or of a usual word with a little around it; not a run
 * along the alphabet or the keyboard's digits; not one short piece repeated; and not soon guessed
 * by who knows how people choose.
 */
#include "identity/internal.h"

#include <zxcvbn.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/secret.h"
#include "identity/breached.h"

/* Guesses that a password has to outlast, as a power of two: 2^34 is more than ten thousand
 * million. What lies behind the first JUDGED_MAX bytes can only make it longer. */
enum { GUESSES_LOG2 = 34, JUDGED_MAX = 100 };
enum { LENGTH_MIN = 12, OWN_MIN = 8, DISTINCT_MIN = 5, PERIOD_MAX = 4, WORD_MIN = 4 };

/* What people type most, in the two languages of this program; lower case. */
static const rp_view usual_words[] = {
#define W(word) RP_VIEW_INIT(word)
    W("password"),    W("passw0rd"),       W("p@ssw0rd"),  W("motdepasse"), W("mot de passe"),
    W("azerty"),      W("azertyuiop"),     W("qwerty"),    W("qwertyuiop"), W("qsdfghjklm"),
    W("asdfghjkl"),   W("wxcvbn"),         W("zxcvbn"),    W("1q2w3e4r"),   W("1qaz2wsx"),
    W("letmein"),     W("welcome"),        W("bienvenue"), W("bonjour"),    W("changeme"),
    W("administrat"), W("administrateur"), W("iloveyou"),  W("jetaime"),    W("soleil"),
    W("sunshine"),    W("football"),       W("baseball"),  W("monkey"),     W("dragon"),
    W("princess"),    W("princesse"),      W("chocolat"),  W("doudou"),     W("loulou"),
    W("marseille"),   W("superman"),       W("batman"),    W("pokemon"),    W("starwars"),
    W("trustno1"),    W("whatever"),       W("freedom"),   W("master"),     W("shadow"),
    W("michael"),     W("nicolas"),        W("secret"),    W("rempart"),    W("internet"),
#undef W
};

static size_t find_nocase(rp_view v, rp_view word) {
    for (size_t i = 0; i + word.n <= v.n; i++) {
        if (rp_view_equal_nocase(rp_view_sub(v, i, word.n), word)) {
            return i;
        }
    }
    return v.n;
}

/* Is little left once the word is taken out, however often it stands there? */
static bool leans_on(rp_view password, rp_view word) {
    size_t own = 0, at = 0;
    if (word.n < WORD_MIN || find_nocase(password, word) == password.n) {
        return false;
    }
    while (at < password.n) {
        rp_view rest = rp_view_from(password, at);
        if (rest.n >= word.n && rp_view_equal_nocase(rp_view_sub(rest, 0, word.n), word)) {
            at += word.n;
        } else {
            own++;
            at++;
        }
    }
    return own < OWN_MIN;
}

static bool has_few_letters(rp_view v) {
    bool seen[256] = {false};
    size_t distinct = 0;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = rp_lower(v.p[i]);
        distinct += !seen[c];
        seen[c] = true;
    }
    return distinct < DISTINCT_MIN;
}

/* abcdefgh, 87654321, aaaabbbb: most neighbours are a step or less apart. */
static bool is_a_run(rp_view v) {
    size_t near = 0;
    for (size_t i = 1; i < v.n; i++) {
        int step = rp_lower(v.p[i]) - rp_lower(v.p[i - 1]);
        near += step >= -1 && step <= 1;
    }
    return near * 3 > v.n * 2;
}

static bool repeats(rp_view v) {
    for (size_t period = 1; period <= PERIOD_MAX; period++) {
        size_t same = 0;
        for (size_t i = period; i < v.n; i++) {
            same += rp_lower(v.p[i]) == rp_lower(v.p[i - period]);
        }
        if (same == v.n - period) {
            return true;
        }
    }
    return false;
}

static bool leans_on_any(rp_view password, rp_view email) {
    rp_view rest = email;
    rp_view name = rp_view_cut(&rest, '@');
    rp_view domain = rp_view_cut(&rest, '.');
    if (leans_on(password, email) || leans_on(password, name) || leans_on(password, domain)) {
        return true;
    }
    for (size_t i = 0; i < RP_COUNT_OF(usual_words); i++) {
        if (leans_on(password, usual_words[i])) {
            return true;
        }
    }
    return false;
}

/* How soon would somebody guess it who tries words, names, dates, keyboard walks and leaked
 * passwords first, and what they know of this person? zxcvbn's estimate. */
static bool is_guessable(rp_view password, rp_view email) {
    char judged[JUDGED_MAX + 1], address[RP_EMAIL_MAX + 1];
    size_t n = RP_MIN(password.n, (size_t)JUDGED_MAX), m = RP_MIN(email.n, (size_t)RP_EMAIL_MAX);
    memcpy(judged, password.p, n);
    judged[n] = 0;
    if (m > 0) {
        memcpy(address, email.p, m);
    }
    address[m] = 0;
    const char *known[] = {address, "rempart", NULL};
    double bits = ZxcvbnMatch(judged, known, NULL);
    rp_wipe(judged, sizeof judged);
    return bits < GUESSES_LOG2;
}

/*= S169, S170 */ /* a weak password is refused when it is chosen */
rp_err rp_identity_check_password(rp_view password, rp_view email) {
    if (password.n > RP_PASSWORD_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    if (password.n < LENGTH_MIN || has_few_letters(password) || is_a_run(password) ||
        repeats(password) || leans_on_any(password, rp_view_trim(email)) ||
        is_guessable(password, rp_view_trim(email))) {
        return RP_ERR(WEAK);
    }
    return RP_OK;
}

rp_err rp_identity_judge_password(struct rp_identity *identity, rp_view password, rp_view email) {
    bool leaked = false;
    RP_ASSERT(identity != NULL);
    RP_TRY(rp_identity_check_password(password, email));
    RP_TRY(rp_breached_has(identity->options.breached, password, &leaked));
    return leaked ? RP_ERR(LEAKED) : RP_OK;
}
