// SPDX-License-Identifier: Apache-2.0
//
// Files: making one from text, reading its name, type, size and content, and the labels that outgoing requests read. A file is a reference
// to bytes in the run's heap; nothing here touches a disk.
#include "lib/inside.h"

static struct file *receiver(struct native_call *call)
{
    return call->args[0].file; // the row takes files only
}

// A label that was never set is empty text, not null.
static bool return_label(struct native_call *call, struct value label)
{
    return lib_return(call, label.type == VALUE_TEXT ? label : VALUE_TEXT_LITERAL(call->heap, ""));
}

static bool file_name(struct native_call *call)
{
    return return_label(call, receiver(call)->name);
}

static bool file_type(struct native_call *call)
{
    return return_label(call, receiver(call)->type);
}

static bool file_size(struct native_call *call)
{
    return lib_return_number(call, (int64_t)receiver(call)->bytes.len);
}

// Text of the file as UTF-8; bytes that are none become U+FFFD. A byte order mark is no content.
static bool file_content(struct native_call *call)
{
    struct view bytes = receiver(call)->bytes;
    if (view_starts(bytes, VIEW("\xEF\xBB\xBF"))) {
        bytes = view_from(bytes, 3);
    }
    return lib_return_text(call, bytes);
}

static bool set_label(struct native_call *call, struct value *label)
{
    struct value text;
    if (!lib_text(call, 1, &text)) {
        return false;
    }
    *label = text;
    return true;
}

static bool file_set_name(struct native_call *call)
{
    return set_label(call, &receiver(call)->name);
}

static bool file_set_type(struct native_call *call)
{
    return set_label(call, &receiver(call)->type);
}

static bool file_set_charset(struct native_call *call)
{
    return set_label(call, &receiver(call)->charset);
}

static bool file_set_param_name(struct native_call *call)
{
    return set_label(call, &receiver(call)->param_name);
}

static bool file_set_password(struct native_call *call)
{
    return set_label(call, &receiver(call)->password);
}

static const struct {
    const char *extension, *type;
} types[] = {
    {".txt", "text/plain"},
    {".csv", "text/csv"},
    {".html", "text/html"},
    {".htm", "text/html"},
    {".xml", "text/xml"},
    {".json", "application/json"},
    {".pdf", "application/pdf"},
    {".zip", "application/zip"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".svg", "image/svg+xml"},
    {".js", "text/javascript"},
    {".css", "text/css"},
    {".mjs", "text/javascript"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".ttf", "font/ttf"},
    {".otf", "font/otf"},
    {".wasm", "application/wasm"},
    {".md", "text/markdown"},
    {".eot", "application/vnd.ms-fontobject"},
    {".webm", "video/webm"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
};

struct view lib_file_type(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(types); i++) {
        struct view extension = view_of(types[i].extension);
        if (name.len >= extension.len && view_eq_nocase(view_from(name, name.len - extension.len), extension)) {
            return view_of(types[i].type);
        }
    }
    return VIEW("text/plain");
}

// A file that is already one takes the new name.
static bool file_from_text(struct native_call *call)
{
    struct view text, name = VIEW("file.txt");
    if (call->args[0].type == VALUE_FILE) {
        return (call->count < 2 || file_set_name(call)) && lib_return(call, call->args[0]);
    }
    if (!arg_text(call, 0, &text) || (call->count > 1 && !arg_text(call, 1, &name))) {
        return false;
    }
    lib_cost_bytes(call, text.len);
    struct value file = value_file(call->heap, text, name, lib_file_type(name));
    return file.type == VALUE_FILE ? lib_return(call, file) : lib_memory_fail(call);
}

#define SURE_8 "SURE builtins §8"

static const struct native rows[] = {
    {"toFile", LIB_PRINTS | NATIVE_FILE, 1, 2, 0, 4, file_from_text, "text.toFile(TEXT name) → FILE",
     "A file with the text as its content.", "info \"a,b\".toFile(\"a.csv\").getFileSize(); => 3", SURE_8},
    {"getFileName", NATIVE_FILE, 1, 1, 0, 1, file_name, "file.getFileName() → TEXT", "Its name.",
     "info \"x\".toFile(\"a.csv\").getFileName(); => a.csv", SURE_8},
    {"getFileType", NATIVE_FILE, 1, 1, 0, 1, file_type, "file.getFileType() → TEXT", "Its media type.",
     "info \"x\".toFile(\"a.csv\").getFileType(); => text/csv", SURE_8},
    {"getFileSize", NATIVE_FILE, 1, 1, 0, 1, file_size, "file.getFileSize() → NUMBER", "Its size in bytes.",
     "info \"abc\".toFile(\"a.txt\").getFileSize(); => 3", SURE_8},
    {"getFileContent", NATIVE_FILE, 1, 1, 0, 3, file_content, "file.getFileContent() → TEXT", "Its content, read as UTF-8 text.",
     "info \"abc\".toFile(\"a.txt\").getFileContent(); => abc", SURE_8},
    {"setFileName", NATIVE_FILE, 2, 2, 0, 1, file_set_name, "file.setFileName(TEXT name)", "Gives it another name.",
     "f = \"x\".toFile(\"a.txt\");\nf.setFileName(\"b.txt\");\ninfo f.getFileName(); => b.txt", SURE_8},
    {"setFileType", NATIVE_FILE, 2, 2, 0, 1, file_set_type, "file.setFileType(TEXT type)", "Gives it another type, used when it is sent.",
     "f = \"x\".toFile(\"a.txt\");\nf.setFileType(\"pdf\");\ninfo f.getFileType(); => pdf", SURE_8},
    {"setCharSet", NATIVE_FILE, 2, 2, 0, 1, file_set_charset, "file.setCharSet(TEXT charset)", "The character set named when it is sent.",
     "f = \"x\".toFile(\"a.txt\");\nf.setCharSet(\"UTF-8\");\ninfo f.getFileSize(); => 1", SURE_8},
    {"setParamName", NATIVE_FILE, 2, 2, 0, 1, file_set_param_name, "file.setParamName(TEXT name)", "The form field under which it is sent.",
     "f = \"x\".toFile(\"a.txt\");\nf.setParamName(\"file\");\ninfo f.getFileSize(); => 1", "LIKELY builtins §8"},
    {"setFilePassword", NATIVE_FILE, 2, 2, 0, 1, file_set_password, "file.setFilePassword(TEXT password)",
     "The password with which extract opens a protected archive.",
     "f = \"x\".toFile(\"a.txt\").compress();\nf.setFilePassword(\"secret\");\ninfo f.extract().size(); => 1",
     "LIKELY builtins §8; what it does GUESS"},
};

const struct lib_table lib_file_table = LIB_TABLE(rows);
