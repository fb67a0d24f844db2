/* third_party.h — libpq's header, read before base/banned.h poisons words that one of its macros
 * (atooid, which nobody here uses) is made of. The room's meson.build names it. */
#include <libpq-fe.h>
