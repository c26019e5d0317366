// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over its corpus and regression folders without libFuzzer: `replay NAME FUZZ_DIR`. A crash or a sanitizer report ends
// it.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return 0;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    if (size < 0) { // a folder
        fclose(file);
        return 0;
    }
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1); // exact size: one byte over is seen by the sanitizer
    size_t got = data ? fread(data, 1, (size_t)size, file) : 0;
    fclose(file);
    if (data && got == (size_t)size) {
        LLVMFuzzerTestOneInput(data, got);
    }
    free(data);
    return 1;
}

static int replay_folder(const char *root, const char *kind, const char *name)
{
    char folder[1024], path[2048];
    int count = 0;
    snprintf(folder, sizeof folder, "%s/%s/%s", root, kind, name);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += replay_file(path);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: replay NAME FUZZ_DIR\n");
        return 2;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    int count = replay_folder(argv[2], "corpus", argv[1]) + replay_folder(argv[2], "regression", argv[1]);
    printf("1..1\n%s 1 - fuzz/%s replays %d files\n", count > 0 ? "ok" : "not ok", argv[1], count);
    return count > 0 ? 0 : 1;
}
