// SPDX-License-Identifier: Apache-2.0
// OAuth scopes (spec/crm-api.md §6): words of a service, a path and an operation, "ZohoCRM.modules.Leads.READ". A granted scope covers
// every needed one below its path whose operation it covers. Upper and lower case are one, as in Zoho's pages.
#include "auth/auth.h"

// The last word and what stands before it.
static struct view cut_operation(struct view scope, struct view *ret_path)
{
    size_t dot = scope.len;
    while (dot > 0 && scope.data[dot - 1] != '.') {
        dot--;
    }
    *ret_path = view_slice(scope, 0, dot ? dot - 1 : 0);
    return view_from(scope, dot);
}

static bool covers_operation(struct view granted, struct view needed)
{
    if (view_eq_nocase(granted, VIEW("ALL")) || view_eq_nocase(granted, needed)) {
        return true;
    }
    return view_eq_nocase(granted, VIEW("WRITE")) && (view_eq_nocase(needed, VIEW("CREATE")) || view_eq_nocase(needed, VIEW("UPDATE")));
}

static bool covers(struct view granted, struct view needed)
{
    struct view granted_path, needed_path;
    struct view operation = cut_operation(granted, &granted_path), wanted = cut_operation(needed, &needed_path);
    return granted_path.len > 0 && view_starts_nocase(needed_path, granted_path) &&
           (needed_path.len == granted_path.len || needed_path.data[granted_path.len] == '.') && covers_operation(operation, wanted);
}

bool auth_scope_covers(const char *scopes, struct view needed)
{
    for (struct view rest = view_of(scopes); rest.len > 0;) {
        if (covers(view_cut(&rest, ' '), needed)) {
            return true;
        }
    }
    return scopes == NULL;
}
