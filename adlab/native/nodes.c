/* Nodes, each distinct one once: `Builder.cons`, `.constant` and `.finish` of adlab/graph/graph.py, without simplification. */

#include "core.h"
#include <string.h>

int nodes_init(Nodes *nodes, PyObject *names) {
    memset(nodes, 0, sizeof *nodes);
    nodes->constants = PyDict_New();
    nodes->inputs = nodes->count = (int)PyTuple_GET_SIZE(names);
    if (nodes->constants == NULL || grown((void **)&nodes->lines, &nodes->room, nodes->count + 1, sizeof(Line)) < 0) return -1;
    for (int i = 0; i < nodes->count; i++) {
        nodes->lines[i] = (Line){OP_INPUT, Py_NewRef(PyTuple_GET_ITEM(names, i)), 0, 0};
    }
    return 0;
}

void nodes_free(Nodes *nodes) {
    for (int i = 0; i < nodes->count; i++) Py_XDECREF(nodes->lines[i].parameter);
    PyMem_Free(nodes->lines);
    PyMem_Free(nodes->pool);
    PyMem_Free(nodes->table);
    Py_CLEAR(nodes->constants);
    map_free(&nodes->objects);
    memset(nodes, 0, sizeof *nodes);
}

/* The same for a*b and b*a, so that looking for both takes one walk through memory. */
static int hash_of(Operation *operation, const int *operands, int count, PyObject *parameter, uint32_t *hash) {
    uint64_t bits = (uint64_t)(uintptr_t)operation >> 4;
    for (int k = 0; k < count; k++) {
        uint64_t mixed = ((uint64_t)(uint32_t)operands[k] + 1) * 0x9E3779B97F4A7C15ull;
        bits += mixed ^ mixed >> 32;
    }
    if (parameter != NULL) {
        Py_hash_t its = PyObject_Hash(parameter);
        if (its == -1) return -1;
        bits ^= (uint64_t)its * 0xC2B2AE3D27D4EB4Full;
    }
    bits *= 0xC2B2AE3D27D4EB4Full;
    *hash = (uint32_t)(bits >> 32);
    return 0;
}

/* The position of exactly this line, or -1; -2 and an exception where parameters cannot be compared. `slot`: where it belongs. */
static int found(const Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter, uint32_t hash,
                 int *slot) {
    int mask = nodes->table_room - 1;
    for (int i = (int)(hash & (uint32_t)mask);; i = (i + 1) & mask) {
        int position = nodes->table[i].position;
        if (position < 0) {
            *slot = i;
            return -1;
        }
        if (nodes->table[i].hash != hash) continue;
        const Line *line = &nodes->lines[position];
        if (line->operation != operation || line->count != count || (line->parameter == NULL) != (parameter == NULL)
            || memcmp(&nodes->pool[line->first], operands, (size_t)count * sizeof(int)) != 0) continue;
        if (line->parameter != parameter) {
            int same = PyObject_RichCompareBool(line->parameter, parameter, Py_EQ);
            if (same < 0) return -2;
            if (!same) continue;
        }
        return position;
    }
}

static int enlarged(Nodes *nodes) {
    int larger = nodes->table_room ? 2 * nodes->table_room : 64;
    Slot *table = PyMem_Malloc((size_t)larger * sizeof *table);
    if (table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(table, 0xff, (size_t)larger * sizeof *table);
    for (int old = 0; old < nodes->table_room; old++) {
        if (nodes->table[old].position < 0) continue;
        int i = (int)(nodes->table[old].hash & (uint32_t)(larger - 1));
        while (table[i].position >= 0) i = (i + 1) & (larger - 1);
        table[i] = nodes->table[old];
    }
    PyMem_Free(nodes->table);
    nodes->table = table;
    nodes->table_room = larger;
    return 0;
}

int nodes_find(const Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter) {
    uint32_t hash;
    int slot;
    if (hash_of(operation, operands, count, parameter, &hash) < 0) return -2;
    return nodes->table_room == 0 ? -1 : found(nodes, operation, operands, count, parameter, hash, &slot);
}

static int appended(Nodes *nodes, Line line) {
    if (grown((void **)&nodes->lines, &nodes->room, nodes->count + 1, sizeof(Line)) < 0) return -1;
    Py_XINCREF(line.parameter);
    nodes->lines[nodes->count] = line;
    return nodes->count++;
}

int nodes_cons(Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter) {
    uint32_t hash;
    int slot = 0;
    if (hash_of(operation, operands, count, parameter, &hash) < 0) return -1;
    if (2 * nodes->count >= nodes->table_room && enlarged(nodes) < 0) return -1;
    int known = found(nodes, operation, operands, count, parameter, hash, &slot);
    if (known != -1) return known == -2 ? -1 : known;
    if (grown((void **)&nodes->pool, &nodes->pool_room, nodes->pooled + count, sizeof(int)) < 0) return -1;
    memcpy(&nodes->pool[nodes->pooled], operands, (size_t)count * sizeof(int));
    int position = appended(nodes, (Line){operation, parameter, nodes->pooled, count});
    if (position < 0) return -1;
    nodes->pooled += count;
    nodes->table[slot] = (Slot){position, hash};
    return position;
}

/* A whole ratio is its numerator, and -0.0 is 0.0: a new reference. */
static PyObject *settled(PyObject *value) {
    if (PyFloat_Check(value) && PyFloat_AS_DOUBLE(value) == 0) return PyNumber_Add(value, ZERO);
    if (is_ratio(value)) {
        PyObject *below = PyObject_GetAttrString(value, "denominator");
        int whole = below == NULL ? -1 : PyObject_RichCompareBool(below, ONE, Py_EQ);
        Py_XDECREF(below);
        if (whole) return whole < 0 ? NULL : PyObject_GetAttrString(value, "numerator");
    }
    return Py_NewRef(value);
}

int nodes_constant(Nodes *nodes, PyObject *value) {
    int same = map_get(&nodes->objects, value);
    if (same >= 0) return same;
    PyObject *known = PyDict_GetItemWithError(nodes->constants, value);
    if (known != NULL) return (int)PyLong_AsLong(known);
    if (PyErr_Occurred()) return -1;
    PyObject *kept = PyLong_CheckExact(value) ? Py_NewRef(value) : settled(value);
    PyObject *place = kept == NULL ? NULL : PyLong_FromLong(nodes->count);
    int position = -1;
    if (place != NULL && PyDict_SetItem(nodes->constants, kept, place) == 0) {
        position = appended(nodes, (Line){OP_CONSTANT, kept, 0, 0});
    }
    if (position >= 0 && map_put(&nodes->objects, kept, position) < 0) position = -1;  /* the line keeps the object alive */
    Py_XDECREF(place);
    Py_XDECREF(kept);
    return position;
}

/* `Builder.on`: a simplifying builder that starts with everything that a graph computes. */
int nodes_on(Nodes *nodes, const Tape *tape) {
    memset(nodes, 0, sizeof *nodes);
    nodes->inputs = tape->inputs;
    if ((nodes->constants = PyDict_New()) == NULL) return -1;
    for (int i = 0; i < tape->count; i++) {
        const Line *line = &tape->lines[i];
        int place = i < tape->inputs ? appended(nodes, *line)
                    : line->count == 0 ? nodes_constant(nodes, line->parameter)
                                       : nodes_cons(nodes, line->operation, &tape->pool[line->first], line->count, line->parameter);
        if (place != i) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a graph with two nodes that are alike");
            return -1;
        }
    }
    nodes->zero = nodes_constant(nodes, ZERO);
    nodes->one = nodes_constant(nodes, ONE);
    nodes->minus = nodes_constant(nodes, MINUS_ONE);
    return nodes->zero < 0 || nodes->one < 0 || nodes->minus < 0 ? -1 : 0;
}

/* One line as a Node, a new reference. */
PyObject *line_node(const Line *line, const int *pool) {
    PyTypeObject *type = (PyTypeObject *)NODE;
    PyObject *operands = PyTuple_New(line->count), *node = operands == NULL ? NULL : type->tp_alloc(type, 3);
    if (node == NULL) {
        Py_XDECREF(operands);
        return NULL;
    }
    PyTuple_SET_ITEM(node, 0, Py_NewRef(line->operation->primitive));
    PyTuple_SET_ITEM(node, 1, operands);
    PyTuple_SET_ITEM(node, 2, Py_NewRef(line->parameter == NULL ? Py_None : line->parameter));
    for (int k = 0; k < line->count; k++) {
        PyObject *operand = PyLong_FromLong(pool[line->first + k]);
        if (operand == NULL) {
            Py_DECREF(node);
            return NULL;
        }
        PyTuple_SET_ITEM(operands, k, operand);
    }
    return node;
}

/* What the outputs need, as a tape: dead code is dropped. */
Tape *nodes_finish(const Nodes *nodes, PyObject *names, const int *outputs, int results) {
    int count = nodes->count, inputs = (int)PyTuple_GET_SIZE(names), kept = 0, pooled = 0;
    int *moved = PyMem_Calloc((size_t)count + 1, sizeof *moved);  /* first whether a line is needed, then its new place */
    if (moved == NULL) return (Tape *)PyErr_NoMemory();
    for (int k = 0; k < results; k++) moved[outputs[k]] = 1;
    for (int i = 0; i < inputs; i++) moved[i] = 1;
    for (int i = count - 1; i >= inputs; i--) {
        const Line *line = &nodes->lines[i];
        for (int k = 0; moved[i] && k < line->count; k++) moved[nodes->pool[line->first + k]] = 1;
    }
    for (int i = 0; i < count; i++) {
        if (moved[i]) kept++, pooled += nodes->lines[i].count;
    }
    Tape *tape = tape_new(kept, pooled, inputs, results);
    if (tape == NULL) {
        PyMem_Free(moved);
        return NULL;
    }
    int at = 0, filled = 0;
    for (int i = 0; i < count; i++) {
        if (!moved[i]) continue;
        Line line = nodes->lines[i];
        Py_XINCREF(line.parameter);
        for (int k = 0; k < line.count; k++) tape->pool[filled + k] = moved[nodes->pool[line.first + k]];
        line.first = filled;
        filled += line.count;
        tape->lines[at] = line;
        moved[i] = at++;
    }
    for (int k = 0; k < results; k++) tape->outputs[k] = moved[outputs[k]];
    PyMem_Free(moved);
    if (tape_ready(tape) < 0) Py_CLEAR(tape);
    return tape;
}
