// SPDX-License-Identifier: Apache-2.0
// The table of limits as rows (host/limits.def), for settings, `--limit` and `docs limits`.
#include "host/inside.h"

const struct host_limit_row host_limits[HOST_LIMITS] = {
#define LIMIT(symbol, name, standard, lowest, highest, unit, text) [symbol] = {name, unit, text, standard, lowest, highest},
#include "host/limits.def"
#undef LIMIT
};

int64_t host_limit(const struct host *host, enum host_limit limit)
{
    return host->limits[limit];
}
