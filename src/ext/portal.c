// SPDX-License-Identifier: Apache-2.0
// Which installed extensions belong to a portal: `vcrm_<portal>` is one of the spellings in which scripts ask for a key (spec/platform.md
// §2). The portal stands in the manifest that is kept with the installation.
#include "ext/inside.h"

bool ext_portal_tx(struct tx *tx, struct view portal, void (*each)(void *arg, struct view namespace), void *arg, struct fail *fail)
{
    struct rows *rows;
    struct heap heap;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT namespace, manifest FROM ext_installed ORDER BY namespace", NULL, 0, &rows, fail)) {
        return false;
    }
    heap_init(&heap, EXT_PACKAGE_BYTES_MAX, NULL);
    while (rows_next(rows, fail)) {
        struct fail ignored;
        struct value manifest = value_null();
        bool read = json_read(&heap, rows_text(rows, 1), &manifest, &ignored);
        const struct map *map = read ? value_as_map(manifest) : NULL;
        if (map && view_eq_nocase(value_view_or(map_get_text(map, VIEW("portal")), VIEW("")), portal)) {
            each(arg, rows_text(rows, 0));
        }
        heap_reset(&heap);
    }
    heap_free(&heap);
    rows_close(rows);
    return fail->code == FAIL_NONE;
}
