// SPDX-License-Identifier: Apache-2.0
//
// Images of memory data bases: making an org's tables and standard modules takes most of the time of a short test, and is the same every
// time. The first store of a process that uses images makes its data bases and keeps their bytes; the next begin with copies of them.
#include "store/inside.h"

#include <stdlib.h>

enum { IMAGES_MAX = 64, IMAGE_BYTES_MAX = 64 << 20 };

struct store_images {
    struct table images; // name → struct buffer
};

struct store_images *store_images_new(void)
{
    struct store_images *images = calloc(1, sizeof *images);
    if (images) {
        table_init(&images->images, IMAGES_MAX, false);
    }
    return images;
}

void store_images_free(struct store_images *images)
{
    size_t cursor = 0;
    struct view name;
    void *image;
    if (!images) {
        return;
    }
    while (table_next(&images->images, &cursor, &name, &image)) {
        buffer_free(image);
        free(image);
    }
    table_free(&images->images);
    free(images);
}

void store_use_images(struct store *store, struct store_images *images)
{
    store->images = images;
}

// Jobs of one store may ask at the same time.
struct view image_find(struct store *store, const char *name)
{
    if (!store->images) {
        return VIEW("");
    }
    pthread_mutex_lock(&store->lock);
    const struct buffer *image = table_get(&store->images->images, view_of(name));
    pthread_mutex_unlock(&store->lock);
    return image ? buffer_view(image) : VIEW("");
}

// What cannot be kept is made again by the next store.
void image_keep(struct store *store, const char *name, struct tx *tx)
{
    struct buffer *image = store->images && store->engine->image && !image_find(store, name).len ? calloc(1, sizeof *image) : NULL;
    struct fail ignored;
    if (!image) {
        return;
    }
    buffer_init(image, IMAGE_BYTES_MAX);
    pthread_mutex_lock(&store->lock);
    bool kept = store->engine->image(tx, image, &ignored) && !image->failed && table_put(&store->images->images, view_of(name), image);
    pthread_mutex_unlock(&store->lock);
    if (!kept) {
        buffer_free(image);
        free(image);
    }
}
