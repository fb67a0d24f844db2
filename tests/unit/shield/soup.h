/* soup.h — values that trip decoders up: the same ones for the same seed, on every machine. */
#ifndef RP_TESTS_SHIELD_SOUP_H
#define RP_TESTS_SHIELD_SOUP_H

#include "base/checked.h"
#include "base/view.h"

static inline uint64_t soup_next(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Up to `room` bytes of fragments, each one a beginning, a middle or an end of something. */
static inline rp_view soup_value(uint64_t *state, uint8_t *bytes, size_t room) {
#define F(text) RP_VIEW_INIT(text)
    static const rp_view fragments[] = {
        F("%"),
        F("%u"),
        F("%U"),
        F("%41"),
        F("%2f"),
        F("%ff"),
        F("%uff21"),
        F("%u0041"),
        F("%4"),
        F("%zz"),
        F("+"),
        F("\\"),
        F("\\x"),
        F("\\x41"),
        F("\\u"),
        F("\\uFF1c"),
        F("\\0"),
        F("\\12"),
        F("\\377"),
        F("\\400"),
        F("\\n"),
        F("\\a"),
        F("\\\n"),
        F("\\00ff41 "),
        F("\\1ff41"),
        F("\\00061"),
        F("&"),
        F("&#"),
        F("&#x"),
        F("&#x3c;"),
        F("&#60"),
        F("&lt"),
        F("&LT;"),
        F("&quot;"),
        F("&nbsp"),
        F("&amp;"),
        F("&foo;"),
        F("&#99999999999999999999;"),
        F("0x"),
        F("0X41"),
        F("0x414243"),
        F("0"),
        F("x"),
        F("/*"),
        F("*/"),
        F("<!--"),
        F("-->"),
        F("--"),
        F("#"),
        F("-"),
        F("/"),
        F("//"),
        F("."),
        F(".."),
        F("/../"),
        F("/./"),
        F("../"),
        F("\\..\\"),
        F("a/b"),
        F("\\\\"),
        F(" "),
        F("  "),
        F("\t"),
        F("\r\n"),
        F("\v\f"),
        F("\0"),
        F("\xa0"),
        F("\xc3\xa9"),
        F("\xc2\xa0"),
        F("\xe2\x82\xac"),
        F("\xf0\x9f\x98\x80"),
        F("\xc3"),
        F("\xe2\x82"),
        F("\xf5\x80\x80\x80"),
        F("\xed\xa0\x80"),
        F("\xc0\xaf"),
        F("\x80"),
        F("\xf0\x8d\xa0\x80"),
        F("\xff"),
        F("="),
        F("=="),
        F("YWJj"),
        F("YQ=="),
        F("A"),
        F("Zz"),
        F("9"),
        F("select"),
        F("SELECT"),
        F("\""),
        F("'"),
        F("^"),
        F(","),
        F(";"),
        F("("),
        F("<script>"),
        F("abc"),
    };
#undef F
    size_t n = 0;
    size_t wanted = soup_next(state) % 12;
    for (size_t i = 0; i < wanted; i++) {
        uint8_t chance = (uint8_t)soup_next(state);
        rp_view piece = fragments[soup_next(state) % RP_COUNT_OF(fragments)];
        piece = chance < 30 ? rp_view_of(&chance, 1) : piece;
        if (piece.n <= room - n) {
            memcpy(bytes + n, piece.p, piece.n);
            n += piece.n;
        }
    }
    return rp_view_of(bytes, n);
}

#endif
