/* A map from addresses to whole numbers, by open addressing. */

#include "core.h"

/* Objects that were made one after another lie side by side, and are asked for in about this order. So neighbours keep their
   places beside each other, which the processor's caches reward; blocks of 64 KB are scattered. */
static size_t place(const void *key, size_t room) {
    uint64_t bits = (uint64_t)(uintptr_t)key >> 4;  /* objects lie 16 bytes apart */
    return (size_t)(bits + (bits >> 12) * 0x9E3779B97F4A7C15ull) & (room - 1);
}

int map_get(const Map *map, const void *key) {
    if (map->room == 0) return -1;
    for (size_t i = place(key, map->room);; i = (i + 1) & (map->room - 1)) {
        if (map->keys[i] == key) return map->values[i];
        if (map->keys[i] == NULL) return -1;
    }
}

static int enlarged(Map *map, size_t room) {
    Map larger = {NULL, NULL, room, 0};
    larger.keys = PyMem_Calloc(larger.room, sizeof *larger.keys);
    larger.values = PyMem_Malloc(larger.room * sizeof *larger.values);
    if (larger.keys == NULL || larger.values == NULL) {
        map_free(&larger);
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < map->room; i++) {
        if (map->keys[i] != NULL) map_put(&larger, map->keys[i], map->values[i]);
    }
    map_free(map);
    *map = larger;
    return 0;
}

int map_put(Map *map, const void *key, int value) {
    if (2 * map->used >= map->room && enlarged(map, map->room ? 4 * map->room : 64) < 0) return -1;
    size_t i = place(key, map->room);
    while (map->keys[i] != NULL && map->keys[i] != key) i = (i + 1) & (map->room - 1);
    map->used += map->keys[i] == NULL;
    map->keys[i] = key;
    map->values[i] = value;
    return 0;
}

int map_expect(Map *map, Py_ssize_t count) {
    size_t room = 64;
    while (room < 2 * (size_t)count + 2) room *= 2;
    return room > map->room ? enlarged(map, room) : 0;
}

void map_free(Map *map) {
    PyMem_Free((void *)map->keys);
    PyMem_Free(map->values);
    map->keys = NULL;
    map->values = NULL;
    map->room = map->used = 0;
}

int grown(void **array, int *room, int needed, size_t size) {
    if (needed <= *room) return 0;
    int more = *room < 32 ? 64 : 2 * *room;
    if (more < needed) more = needed;
    void *larger = PyMem_Realloc(*array, (size_t)more * size);
    if (larger == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *array = larger;
    *room = more;
    return 0;
}
