/* reader.h — which language the person at this terminal reads.
 *
 * LC_ALL, LC_MESSAGES, LANG: the first that says anything decides, as in every other program. What
 * is not French is English.
 */
#ifndef RP_BASE_READER_H
#define RP_BASE_READER_H

#include "base/err.h"

enum rp_lang rp_reader_language(void);

#endif
