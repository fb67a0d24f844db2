/* clock_io.h — the machine's clocks, for whoever judges requests that strangers send. */
#ifndef RP_SHIELD_CLOCK_IO_H
#define RP_SHIELD_CLOCK_IO_H

#include "shield/shield.h"

extern const struct rp_waf_clock rp_waf_clock;

#endif
