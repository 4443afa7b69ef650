/* A graph as flat arrays of codes, operands and constants. `adlab/graph/graph.py` says what its lines mean. */

#include "core.h"
#include <float.h>
#include <math.h>

Tape *tape_new(int count, int pooled, int inputs, int results) {
    Tape *tape = PyObject_New(Tape, &TapeType);
    if (tape == NULL) return NULL;
    tape->lines = PyMem_Calloc((size_t)count + 1, sizeof(Line));
    tape->pool = PyMem_Calloc((size_t)pooled + 1, sizeof(int));
    tape->outputs = PyMem_Calloc((size_t)results + 1, sizeof(int));
    tape->active = PyMem_Calloc((size_t)count + 1, 1);
    tape->fixed = NULL;
    tape->count = count, tape->inputs = inputs, tape->results = results, tape->fixes = 0;
    tape->plain = 1, tape->steady = -1, tape->cubes = 0;
    if (tape->lines == NULL || tape->pool == NULL || tape->outputs == NULL || tape->active == NULL) {
        PyErr_NoMemory();
        Py_CLEAR(tape);
    }
    return tape;
}

static void tape_dealloc(PyObject *self) {
    Tape *tape = (Tape *)self;
    for (int i = 0; tape->lines != NULL && i < tape->count; i++) Py_XDECREF(tape->lines[i].parameter);
    PyMem_Free(tape->lines);
    PyMem_Free(tape->pool);
    PyMem_Free(tape->outputs);
    PyMem_Free(tape->active);
    PyMem_Free(tape->fixed);
    PyObject_Free(self);
}

/* Converts the constants, and notes which lines depend on an input (`Graph.active`). */
int tape_ready(Tape *tape) {
    int fixes = 0, i;
    for (i = tape->inputs; i < tape->count; i++) fixes += tape->lines[i].count == 0;
    tape->fixed = PyMem_Calloc((size_t)fixes + 1, sizeof(double));
    if (tape->fixed == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (i = 0; i < tape->inputs; i++) tape->active[i] = 1;
    for (; i < tape->count; i++) {
        Line *line = &tape->lines[i];
        tape->plain &= line->operation->plain;
        if (line->count == 0) {
            if (as_double(line->parameter, &tape->fixed[tape->fixes]) < 0) return -1;
            line->first = tape->fixes++;
        }
        for (int k = 0; k < line->count; k++) tape->active[i] |= tape->active[tape->pool[line->first + k]];
    }
    return 0;
}

/* --- one line ------------------------------------------------------------------------------------------------------------- */

/* A function that Python has: `Primitive.value`. */
static int by_python(const Line *line, const int *operands, double *values, double *result) {
    PyObject *given[16];
    int count = line->count, made = 0, done = -1;
    if (count > 14) return 0;
    for (; made < count; made++) {
        if ((given[made] = PyFloat_FromDouble(values[operands[made]])) == NULL) break;
    }
    if (made == count) {
        if (line->parameter != NULL) given[count] = line->parameter;
        PyObject *found = PyObject_Vectorcall(line->operation->careful, given, (size_t)(count + (line->parameter != NULL)), NULL);
        if (found != NULL) {
            *result = PyFloat_AsDouble(found);
            done = *result == -1.0 && PyErr_Occurred() ? -1 : PyFloat_Check(found) && isfinite(*result);
            Py_DECREF(found);
        }
    }
    while (made > 0) Py_DECREF(given[--made]);
    return done;
}

/* The value of one line: `Floats.apply` and `.constant` in adlab/arithmetic/floats.py. Where Python's own function would raise,
   and where a result is not finite, the core leaves the point to Python: it knows what that means, and says so. */
int tape_line(const Tape *tape, int i, double *values) {
    const Line *line = &tape->lines[i];
    if (line->count == 0) {
        values[i] = tape->fixed[line->first];
        return 1;
    }
    const int *operands = &tape->pool[line->first];
    double a = values[operands[0]], result;
    switch (line->operation->code) {
        case ADD: values[i] = a + values[operands[1]]; return 1;
        case SUB: values[i] = a - values[operands[1]]; return 1;
        case MUL: values[i] = a * values[operands[1]]; return 1;
        case NEG: values[i] = -a; return 1;
        case DIV:
            if (values[operands[1]] == 0) return 0;  /* Python raises ZeroDivisionError */
            values[i] = a / values[operands[1]];
            return 1;
        case POWI: {  /* `power_integer` in adlab/primitives/numerics.py; in a compiled rule `_POWERS` of straight_line.py */
            double exponent = PyLong_AsDouble(line->parameter);
            if (exponent == -1.0 && PyErr_Occurred()) return -1;
            result = exponent == 2 ? a * a : exponent == 3 && tape->cubes ? a * a * a : pow(a, exponent);
            break;
        }
        case FUNCTION: result = line->operation->function(a); break;
        default: {
            int done = by_python(line, operands, values, &result);
            if (done != 1) return done;
        }
    }
    values[i] = result;
    return isfinite(result);
}

/* `steady` in adlab/arithmetic/domain.py: whether what the constants alone decide is in binary64's range. */
static int steady(Tape *tape) {
    double *values = PyMem_Malloc(((size_t)tape->count + 1) * sizeof *values);
    if (values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int good = 1;
    for (int i = tape->inputs; good == 1 && i < tape->count; i++) {
        const Line *line = &tape->lines[i];
        if (tape->active[i]) continue;
        good = tape_line(tape, i, values);
        if (good != 1) break;
        double size = fabs(values[i]);
        int met = 1;  /* whether no operand, or not the constant itself, is 0 */
        for (int k = 0; k < line->count; k++) met &= values[tape->pool[line->first + k]] != 0;
        if (size == 0 && line->count == 0) met = PyObject_IsTrue(line->parameter);
        if (met < 0) good = -1;
        else if (size == 0) good = !(met && !(line->count > 0 && line->operation->vanishes));
        else good = size >= DBL_MIN && size <= DBL_MAX;
    }
    PyMem_Free(values);
    return good;
}

static PyObject *tape_steady(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    Tape *tape = (Tape *)self;
    if (tape->steady < 0 && (tape->steady = steady(tape)) < 0) return NULL;
    return PyBool_FromLong(tape->steady);
}

/* --- to and from Python's nodes ------------------------------------------------------------------------------------------- */

static PyObject *tape_nodes(PyObject *self, void *Py_UNUSED(closure)) {
    Tape *tape = (Tape *)self;
    PyObject *nodes = PyTuple_New(tape->count);
    int collects = PyGC_Disable();
    for (int i = 0; nodes != NULL && i < tape->count; i++) {
        PyObject *node = line_node(&tape->lines[i], tape->pool);
        if (node == NULL) {
            Py_CLEAR(nodes);
        } else {
            PyTuple_SET_ITEM(nodes, i, node);
        }
    }
    if (collects) PyGC_Enable();
    return nodes;
}

static PyObject *tape_outputs(PyObject *self, void *Py_UNUSED(closure)) {
    Tape *tape = (Tape *)self;
    PyObject *outputs = PyTuple_New(tape->results);
    for (int k = 0; outputs != NULL && k < tape->results; k++) {
        PyObject *output = PyLong_FromLong(tape->outputs[k]);
        if (output == NULL) {
            Py_CLEAR(outputs);
        } else {
            PyTuple_SET_ITEM(outputs, k, output);
        }
    }
    return outputs;
}

static Py_ssize_t tape_length(PyObject *self) {
    return ((Tape *)self)->count;
}

static PySequenceMethods sequence = {.sq_length = tape_length};

static PyObject *tape_plain(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((Tape *)self)->plain);
}

/* One line from a Node. A line whose value is `known` becomes that constant. */
static int filled(Tape *tape, int i, PyObject *node, PyObject *known, int *pooled) {
    PyObject *operands = PyTuple_GET_ITEM(node, 1), *parameter = PyTuple_GET_ITEM(node, 2), *key, *value;
    Line *line = &tape->lines[i];
    if ((key = PyLong_FromLong(i)) == NULL) return -1;
    value = i < tape->inputs ? NULL : PyDict_GetItemWithError(known, key);
    Py_DECREF(key);
    if (value == NULL && PyErr_Occurred()) return -1;
    line->operation = value != NULL ? OP_CONSTANT : operation_of(PyTuple_GET_ITEM(node, 0));
    if (line->operation == NULL) return -1;
    if (value != NULL) parameter = value;
    line->parameter = parameter == Py_None ? NULL : Py_NewRef(parameter);
    line->first = *pooled;
    line->count = value != NULL ? 0 : (int)PyTuple_GET_SIZE(operands);
    if (line->operation->arity && line->count && line->count != line->operation->arity) {
        PyErr_SetString(PyExc_ValueError, "an operation with a wrong number of operands");
        return -1;
    }
    for (int k = 0; k < line->count; k++) {
        long operand = PyLong_AsLong(PyTuple_GET_ITEM(operands, k));
        if (operand < 0 || operand >= i) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "an operand comes before its operation");
            return -1;
        }
        tape->pool[(*pooled)++] = (int)operand;
    }
    return 0;
}

static PyObject *tape_make(PyTypeObject *Py_UNUSED(type), PyObject *given, PyObject *Py_UNUSED(named)) {
    PyObject *nodes, *outputs, *known;
    int inputs, cubes, pooled = 0;
    if (!PyArg_ParseTuple(given, "iO!O!O!i", &inputs, &PyTuple_Type, &nodes, &PyTuple_Type, &outputs, &PyDict_Type, &known,
                          &cubes)) return NULL;
    int count = (int)PyTuple_GET_SIZE(nodes), results = (int)PyTuple_GET_SIZE(outputs);
    for (int i = 0; i < count; i++) {
        PyObject *node = PyTuple_GET_ITEM(nodes, i);
        if (!PyTuple_Check(node) || PyTuple_GET_SIZE(node) != 3 || !PyTuple_Check(PyTuple_GET_ITEM(node, 1))) {
            PyErr_SetString(PyExc_TypeError, "a node is a primitive, its operands and a parameter");
            return NULL;
        }
        pooled += (int)PyTuple_GET_SIZE(PyTuple_GET_ITEM(node, 1));
    }
    Tape *tape = inputs < 0 || inputs > count ? NULL : tape_new(count, pooled, inputs, results);
    if (tape == NULL) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "more inputs than nodes");
        return NULL;
    }
    tape->cubes = cubes;
    pooled = 0;
    for (int i = 0; i < count; i++) {
        if (filled(tape, i, PyTuple_GET_ITEM(nodes, i), known, &pooled) < 0) goto failed;
    }
    for (int k = 0; k < results; k++) {
        long output = PyLong_AsLong(PyTuple_GET_ITEM(outputs, k));
        if (output < 0 || output >= count) {
            if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "an output is a node");
            goto failed;
        }
        tape->outputs[k] = (int)output;
    }
    if (tape_ready(tape) == 0) return (PyObject *)tape;
failed:
    Py_DECREF(tape);
    return NULL;
}

static PyMethodDef methods[] = {
    {"jacobian", (PyCFunction)(void (*)(void))tape_jacobian, METH_FASTCALL,
     "All partials at a point, written row by row: both are buffers of doubles. False where Python must look closer."},
    {"product", tape_product, METH_VARARGS,
     "The Jacobian at a point times each column of a matrix, written row by row. False where Python must look closer."},
    {"derivative", tape_derivative, METH_O, "The program of all partials as a tape. None where Python must write it."},
    {"steady", tape_steady, METH_NOARGS, "Whether what the constants alone decide is in binary64's range."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"nodes", tape_nodes, NULL, "The lines as Nodes.", NULL},
    {"outputs", tape_outputs, NULL, "The positions of the outputs.", NULL},
    {"plain", tape_plain, NULL, "Whether every operation is smooth, and passes on to each of its operands.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject TapeType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "adlab.native._core.Tape",
    .tp_doc = "Tape(inputs, nodes, outputs, known, cubes): a graph as flat arrays.",
    .tp_basicsize = sizeof(Tape),
    .tp_dealloc = tape_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = tape_make,
    .tp_methods = methods,
    .tp_as_sequence = &sequence,
    .tp_getset = properties,
};
