// SPDX-License-Identifier: Apache-2.0
//
// lang: Deluge itself. Source text → AST (kept: check, fmt and editors need it) → register bytecode → VM. Knows no HTTP, no storage and no service
// names; natives and services are handed in as tables of rows, and the VM gives way through a function pointer. With value and base it links alone.
//
// Life of things: a `struct unit` is one compiled source file, immutable, shared between threads, freed by whoever compiled it when no run pins it.
// A `struct vm` belongs to one run: it borrows the run's heap and never outlives it.
#pragma once

#include "base/base.h"
#include "value/value.h"

// ---- natives: the narrow door between the language and everything else --------------------------

struct native;

// What a native sees. args[0] is the receiver for methods (both call shapes arrive alike). All values live in `heap`.
struct native_call {
    const struct native *native;
    struct heap *heap;
    const struct value *args; // already resolved (value_resolve), except that add/put/insert-like natives with NATIVE_FRESH see VALUE_FRESH
    int count;
    struct value *ret;        // null unless the native sets it
    struct fail *fail;        // code FAIL_SCRIPT unless the native says otherwise
    int64_t cost;             // a native adds what it did beyond its row's cost (bytes, elements), in instructions
    void *host;               // the embedder's pointer, for services; NULL when lang runs alone
    const volatile int *interrupt; // lang_interrupted: end soon (time limit, shutdown). Long loops poll it
    int line;                 // of the call in the script
};
typedef bool native_fn(struct native_call *call); // false = fail is set
// Set by another thread; NULL = never.
static inline bool lang_interrupted(const volatile int *interrupt)
{
    return BASE_UNLIKELY(interrupt != NULL && __atomic_load_n(interrupt, __ATOMIC_RELAXED) != 0);
}

// Receiver types, a bit each; 0 = a plain function ("ifnull", "zoho.crm.createRecord").
#define NATIVE_TYPE(type) (1u << (type))
enum {
    NATIVE_TEXT = NATIVE_TYPE(VALUE_TEXT),
    NATIVE_NUMBERS = NATIVE_TYPE(VALUE_NUMBER) | NATIVE_TYPE(VALUE_DECIMAL),
    NATIVE_DATES = NATIVE_TYPE(VALUE_DATE) | NATIVE_TYPE(VALUE_DATETIME),
    NATIVE_LIST = NATIVE_TYPE(VALUE_LIST) | NATIVE_TYPE(VALUE_FRESH),
    NATIVE_MAP = NATIVE_TYPE(VALUE_MAP) | NATIVE_TYPE(VALUE_FRESH),
    NATIVE_COLLECTION = NATIVE_TYPE(VALUE_COLLECTION),
    NATIVE_FILE = NATIVE_TYPE(VALUE_FILE),
    NATIVE_ANY = (1 << VALUE_TYPES) - 1, // null too: the row handles null receivers itself (isNull, ifnull, …)
};
enum native_flag {
    NATIVE_VARIABLE = 1, // written without parentheses: zoho.currentdate
    NATIVE_FRESH_ARGS = 2, // the receiver may arrive as VALUE_FRESH (add, put, …)
    NATIVE_TASK = 4,     // a bracket block: invokeurl [ … ]; one map argument with lower-case attribute names
    NATIVE_METHOD_ONLY = 8,
    NATIVE_SLOW = 16,    // may wait (services)
    NATIVE_PLAIN = 32,   // get, put, add: on a plain list or map it does what list_add, map_get and map_put do, and the VM may do that itself
};

struct native {
    const char *name;      // as documented: "subString", "zoho.crm.createRecord"; looked up without case
    uint32_t receivers;    // NATIVE_… bits of args[0], or 0
    uint8_t args_min, args_max; // receiver included
    uint8_t flags;
    uint16_t cost;         // instructions charged a call
    native_fn *fn;
    const char *signature; // "text.subString(NUMBER start, NUMBER end?) → TEXT"
    const char *doc;       // one or two sentences
    const char *example;   // "info \"abc\".subString(1);" → "bc": script, then " => ", then the expected log lines joined by \n; NULL = none
    const char *provenance; // "SURE builtins §2", "GUESS …"
};

// Rows of one name for different receivers are one group; the VM picks the row by the type of args[0].
// A row named "zoho.*" answers for tasks that no row has (zoho.desk.…, unknown bracket blocks): args[0] is the task's name. Without it they fail when run.
struct native_set;
struct native_set *native_set_new(void);
bool native_set_add(struct native_set *set, const struct native *rows, size_t count, struct fail *fail); // rows must outlive the set
void native_set_free(struct native_set *set);
size_t native_set_count(const struct native_set *set);                         // rows
const struct native *native_set_at(const struct native_set *set, size_t index); // in the order added
// Exact name without case (any row of the group), and the nearest name for "did you mean".
const struct native *native_set_find(const struct native_set *set, struct view name);
const struct native *native_set_nearest(const struct native_set *set, struct view name);
// How many letters differ, without case; as native_set_nearest judges it, and -1 where it would not suggest `other` for `name`.
int native_name_distance(struct view name, struct view other);
// What people write who come from other languages (or from a page that a machine invented), and the row they mean; "" where there is none, so that
// nothing is suggested by mere likeness. Asked by native_set_nearest before it compares letters; `words` must outlive the set.
struct native_word {
    const char *word, *name;
};
void native_set_words(struct native_set *set, const struct native_word *words, size_t count);

// Argument readers for natives: false (with Zoho's message set) when the argument has another type. Index 0 = receiver. Text that is a number is
// taken as a number where Zoho does; `arg_text` prints numbers, dates and so on as text.
bool arg_text(struct native_call *call, int index, struct view *ret_text);
bool arg_number(struct native_call *call, int index, int64_t *ret_number);
bool arg_decimal(struct native_call *call, int index, double *ret_number);
bool arg_bool(struct native_call *call, int index, bool *ret_bool);
bool arg_list(struct native_call *call, int index, struct list **ret_list);
bool arg_map(struct native_call *call, int index, struct map **ret_map);   // a map, or text that holds a JSON object
bool native_fail(struct native_call *call, const char *format, ...) BASE_PRINTF(2, 3); // sets FAIL_SCRIPT, returns false

// ---- compiling ----------------------------------------------------------------------------------

enum diagnostic_level { DIAGNOSTIC_ERROR, DIAGNOSTIC_WARNING };
struct diagnostic {
    enum diagnostic_level level;
    int line, column;  // from 1; column in UTF-16 units
    struct view text;  // Zoho's wording where one exists
    struct view hint;  // what to do, may be empty
};
enum { DIAGNOSTICS_MAX = 100, SOURCE_BYTES_MAX = 1024 * 1024, SOURCE_NESTING_MAX = 200 };
struct diagnostics {
    struct arena *arena;
    struct diagnostic items[DIAGNOSTICS_MAX];
    int count, errors;
};

struct lang_parameter {
    struct view name, type; // type as written; empty = any
};

struct lang_options {
    const struct native_set *natives;
    bool strict;             // Zoho's save checks are errors, extensions are refused
    const char *file;        // for messages
    struct view name;        // API name for a body without header, "ns.fn"
    const struct lang_parameter *parameters; // for a body without header: declared elsewhere; NULL = names read and never assigned are parameters
    int parameter_count;
    struct view return_type; // for a body without header; empty = decided by `return expr;`: string, else void
};

struct unit;          // a compiled file
struct lang_function; // one function of it

// Compiles a file of one or more functions, or a body. On errors: false, FAIL_COMPILE in fail (first error: line, column, text) and all findings in
// `diagnostics` (may be NULL). Needs a big stack: call it on a job or through loop_on_thread_stack.
bool lang_compile(struct view source, const struct lang_options *options, struct unit **ret_unit, struct diagnostics *diagnostics, struct fail *fail);
void unit_free(struct unit *unit);
int unit_function_count(const struct unit *unit);
const struct lang_function *unit_function(const struct unit *unit, int index); // in source order
const char *unit_file(const struct unit *unit);

struct lang_function_info {
    struct view name;        // "ns.fn", "fn", or options.name
    struct view return_type; // lower-case word
    bool has_header;
    const struct lang_parameter *parameters;
    int parameter_count;
    int line;
    bool reads_request_v2, reads_request_v1; // mentions crmAPIRequest / requestMap
    const struct unit *unit;
};
struct lang_function_info lang_function_info(const struct lang_function *function);

// ---- formatting ---------------------------------------------------------------------------------

// Adds the source in the canonical layout to `out`: the same tokens and comments with other blanks and line breaks, `;` and braces where they
// were left out. Formatting the result again changes nothing, and it compiles to the same code. With syntax errors: false, FAIL_COMPILE in fail
// and all findings in `diagnostics` (may be NULL); FAIL_LIMIT when the result would be over SOURCE_BYTES_MAX. Needs a big stack, as lang_compile.
bool lang_format(struct view source, struct buffer *out, struct diagnostics *diagnostics, struct fail *fail);

// ---- literals in calls --------------------------------------------------------------------------

struct lang_literal {
    struct view function; // as written, blanks removed: zoho.crm.getRecords
    int index;            // of the argument, from 0
    struct view text;     // the literal's; the argument is nothing else
    int line, column;
};
typedef void lang_literal_fn(void *arg, const struct lang_literal *literal);
// Visits the text literals that are whole arguments of functions whose path starts with `prefix` (without case). Literals with escapes are left
// out. The source must have compiled; of others it visits what it can read.
void lang_literals(struct view source, struct view prefix, lang_literal_fn *visit, void *arg);

struct lang_key {
    struct view function; // as in lang_literal
    struct view first;    // the call's first argument, a text literal
    int index;            // of the argument that the text belongs to
    bool criteria;        // the argument is this text, or a sum that begins with it; else the text is a key of the map that is the argument
    struct view text;
    int line, column;
};
typedef void lang_key_fn(void *arg, const struct lang_key *key);
// Visits texts and keys of maps that are arguments of calls as above, whose first argument is a text literal. The map may be a literal,
// or a variable that is filled by put alone and of which nothing else is made. Where the source leaves a doubt nothing is visited.
void lang_keys(struct view source, struct view prefix, lang_key_fn *visit, void *arg);

// ---- running ------------------------------------------------------------------------------------

struct lang_limits {
    int64_t statements_max; // executed statements, counted as spec/deluge-language.md §8.3
    int depth_max;          // calls inside calls
    int64_t slice;          // instructions between two calls of give_way
};

// What the VM asks of its embedder. Pointers may be NULL.
struct lang_host {
    void *user;
    bool (*give_way)(void *user, struct fail *fail); // after a slice; false = end the run with `fail` (time limit, cancelled)
    void (*info)(void *user, int line, struct value text); // one log line
    // A function outside the unit ("standalone.f", "ns.f"); NULL = unknown. The result stays valid for the run.
    const struct lang_function *(*find_function)(void *user, struct view name);
    const volatile int *interrupt;
};

struct vm;
struct vm *vm_new(struct heap *heap, const struct lang_host *host, const struct lang_limits *limits); // in the heap; NULL without memory
// Calls a function. `args` are converted to the declared types (a failure names the parameter). On an uncaught script error: false; fail has Zoho's
// message, file and line. FAIL_LIMIT for limits. Not re-entrant: a native never calls it for the VM it was called from.
bool vm_call(struct vm *vm, const struct lang_function *function, const struct value *args, int count, struct value *ret_value, struct fail *fail);
// crmAPIRequest, requestMap, input (PRODUCT "Language decisions"): parameters of that name of the function that vm_call enters have this value whatever
// is passed, and so has the name where a function reads it without declaring it. A script that hands one on to a helper decides what that gets.
bool vm_bind(struct vm *vm, struct view name, struct value value);
int64_t vm_statements(const struct vm *vm);
struct view vm_current_function(const struct vm *vm); // while it runs; after a failure the function in which it happened
// Every live value of the VM's stack, for the collector: at safe points only.
void vm_walk_roots(struct vm *vm, void (*visit)(void *arg, struct value *value), void *arg);
// Converts a value to a declared type as a call does ("int", "String", "map", …). FAIL_SCRIPT with Zoho's text if it cannot be.
bool lang_convert(struct heap *heap, struct value v, struct view type, struct value *ret_value, struct fail *fail);
