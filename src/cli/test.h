// SPDX-License-Identifier: Apache-2.0
//
// Inside header of `sluice test` (docs/testing.md). A test file is {"tests": [TEST…]}; its other members are what every test in it starts
// with. test_file.c reads and checks one, test_run.c runs one test on a CRM of its own and leaves what came as one value, test_answer.c
// answers its outgoing requests, test_match.c holds it against the expectation, test_accept.c writes it into the file, test_print.c tells.
#pragma once

#include "cli/cli.h"
#include "out/out.h"
#include "web/web.h"

enum {
    TEST_FILE_BYTES_MAX = 4 << 20,
    TEST_FILES_MAX = 10000, // found below the paths of one command
    TEST_TESTS_MAX = 1000, // in a file
    TEST_DEPTH_MAX = 40, // of a test file
    TEST_HEAP_BYTES_MAX = 512 << 20, // of one test and what came
    TEST_RECORDS_MAX = 2000, // looked at in a module
    TEST_UNORDERED_MAX = 200, // expected items of a list in any order
    TEST_REQUESTS_MAX = 1000, // outgoing ones of a test
    TEST_DIFFERENCES_MAX = 50, // told of a test
    TEST_ERRORS_MAX = 20, // told of a file
};

// ---- places -------------------------------------------------------------------------------------

// A path from a file's root, made of frames on the stack or in a heap; NULL is the root.
struct test_path {
    const struct test_path *parent;
    struct view key; // of a member
    int index; // of an item, -1 for a member
};
#define TEST_MEMBER(above, name) (&(struct test_path){.parent = (above), .key = (name), .index = -1})
#define TEST_ITEM(above, number) (&(struct test_path){.parent = (above), .index = (int)(number)})
struct test_place {
    size_t key_start; // of a member's name; else of the value
    size_t start, end; // of the value, in bytes
    int line, column; // of key_start, from 1
};
bool test_place_find(struct view text, const struct test_path *path, struct test_place *ret_place); // false: there is no such value
void test_path_print(struct buffer *out, const struct test_path *path); // tests[0].expect.status
const struct test_path *test_path_keep(struct heap *heap, const struct test_path *path); // views are shared

// ---- files --------------------------------------------------------------------------------------

struct test_file {
    const char *path; // as it is shown
    FILE *errors;
    char *folder; // where @FILE is looked for: empty, or ending in a slash
    char *data;
    struct view text;
    struct heap heap; // of the values, constant while tests run
    const struct map *root;
    const struct list *tests;
};
// Prints what is wrong with it to `errors`, a line each (FILE:LINE:COLUMN: error: …).
bool test_file_read(struct test_file *file, const char *path, FILE *errors);
void test_file_free(struct test_file *file);
void test_file_error(const struct test_file *file, const struct test_path *path, const char *format, ...) BASE_PRINTF(3, 4);

struct test_case {
    const struct test_file *file;
    int index;
    const struct map *own;
    struct view name;
};
struct test_case test_case_at(const struct test_file *file, int index);
// A member of the test, else of its file; null if absent. *ret_path is kept in `heap`.
struct value test_case_member(const struct test_case *test, struct view name, struct heap *heap, const struct test_path **ret_path);

// ---- matching -----------------------------------------------------------------------------------

struct test_difference {
    const struct test_path *path;
    struct value expected, got;
    bool absent; // nothing is there to compare with
    bool fixed; // --accept cannot write it
    const char *text; // what is wrong when it is not plain from the two, else NULL
};
struct test_check {
    struct heap *heap;
    struct test_difference *items; // TEST_DIFFERENCES_MAX
    int count; // also of those that found no room
    bool silent; // count only
};
void test_check_note(struct test_check *check, const struct test_difference *difference);
// Holds `got` against an expectation: maps name members that must match, lists all items (in any order: `unordered`, for lists right here
// and one level down), a map of $words is what they say, anything else must be equal. Text that holds JSON is read where a map or a list is
// expected.
bool test_match(struct test_check *check, const struct test_path *path, struct value expected, struct value got, bool absent, bool unordered);
bool test_match_url(struct view pattern, struct view url); // * stands for anything; without a ? the query is left out
// Is it {"$word": …}? Its first unknown word otherwise.
bool test_is_matcher(const struct map *map);
extern const char *const test_matcher_words[]; // ends with NULL

// ---- running ------------------------------------------------------------------------------------

struct test_bench { // what all tests of one command share
    const struct cli_settings *settings;
    const char *extension; // folder; NULL: functions of the org alone
    struct store_images *images; // the data bases that a test begins with; the first one makes them
};
struct test_line { // of a run's log
    struct view function;
    int line;
    struct view text;
    bool outer; // of the run that the test called
};
struct test_run {
    const struct test_bench *bench;
    const struct test_case *test;
    struct heap heap; // of everything here
    struct map *came; // what an expectation may name; see docs/testing.md
    struct map *labels; // ${name} → text
    struct test_check check;
    struct host *host;
    struct web *web;
    struct identity owner; // of the test's org
    char namespace[EXT_NAME_MAX];
    // what the runs did
    struct test_line *lines;
    int line_count, line_room;
    struct list *requests, *mails;
    struct value outcome, error, statements, outgoing; // of the run that the test called; null until it ended
    bool installing; // what comes now is the install action's
    // answers
    struct list *answers; // filled in
    const struct test_path *answers_path;
    int *served; // how often each has answered
    bool network, clock_fixed;
    bool unusable; // the extension itself is broken: the other tests of the file would tell the same
    double duration_ms;
};
// Runs a test on a CRM of its own and holds it against its expectation: run->check tells what differs. Close in any case. On a fiber.
void test_run(struct test_run *run, const struct test_bench *bench, const struct test_case *test);
void test_run_close(struct test_run *run);
// Something that keeps the test from being run as it is written; never accepted.
void test_run_broken(struct test_run *run, const struct test_path *path, const char *format, ...) BASE_PRINTF(3, 4);
// A member of the test with its ${labels} filled in.
struct value test_run_member(struct test_run *run, const char *name, const struct test_path **ret_path);
struct value test_run_fill(struct test_run *run, struct value v);
// What a body, file or reply says: text as it is, "@FILE" the file's bytes, anything else its JSON. False: broken, told.
bool test_run_bytes(struct test_run *run, const struct test_path *path, struct value v, struct view *ret_bytes);
bool test_run_file(struct test_run *run, const struct test_path *path, struct view name, struct view *ret_bytes); // beside the test file
// The request of the test as an exchange for the dispatcher. False: broken, told.
bool test_request_fill(struct test_run *run, struct exchange *exchange);
// The name that the CRM knows: a module of the extension may be called without its namespace.
struct view test_module(struct test_run *run, const struct crm_session *session, struct view name);
void test_put(struct test_run *run, struct map *map, const char *name, struct value v);
struct map *test_map(struct test_run *run);
extern const struct host_answers test_answers; // its user is the run
void test_expect(struct test_run *run); // fills run->came and run->check

// ---- telling and accepting ----------------------------------------------------------------------

void test_print_failure(const struct test_run *run);
struct value test_print_value(const struct test_run *run, struct heap *heap); // of --json
// What came, with only those members of the items that the expectation speaks of (or, when it speaks of none, without what is empty).
struct value test_project(const struct test_run *run, struct value expected, struct value got);

struct test_edit {
    size_t start, end; // bytes of the file that give way
    char *text; // malloc'ed
};
struct test_edits { // of one file; zeroed to begin with
    struct test_edit *items;
    int count, room;
};
// Takes what came in place of what was expected. False: the test failed for something that no expectation can hold, and nothing is taken.
bool test_accept_add(struct test_edits *edits, const struct test_run *run);
// Writes the file anew; a file that changed meanwhile is left alone. Frees the edits.
bool test_accept_write(struct test_edits *edits, const struct test_file *file, struct fail *fail);
