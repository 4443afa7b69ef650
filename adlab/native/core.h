/* The shared declarations of the compiled core, a mirror of the readable Python that stands beside each name here.

   The core knows no rule and no table of its own. It gets classes, functions and the table's entries by `setup`, from
   `adlab/graph/quick.py`. What it does not know it asks of Python. Nothing that it computes differs in a single bit. */

#ifndef ADLAB_CORE_H
#define ADLAB_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* --- a map from addresses to whole numbers: what a dictionary keyed by id() is in Python (map.c) --------------------------- */

typedef struct {
    const void **keys;
    int *values;
    size_t room, used;  /* room is a power of two, or 0 */
} Map;

int map_get(const Map *map, const void *key);            /* -1 where the key is not in it */
int map_put(Map *map, const void *key, int value);       /* -1 and MemoryError where it cannot grow */
int map_expect(Map *map, Py_ssize_t count);              /* makes room for so many at once */
void map_free(Map *map);
int grown(void **array, int *room, int needed, size_t size);  /* makes room for `needed` items; -1 and MemoryError */

/* --- what is known of a primitive (table.c) -------------------------------------------------------------------------------- */

enum { ADD = 1, SUB, MUL, DIV, NEG, POWI, FUNCTION, PYTHON, CONSTANT_CODE };  /* `CODES` in adlab/graph/quick.py */

typedef struct Tape Tape;

enum { PULLED, WRITTEN, PUSHED, KINDS };  /* bar × partial, computed; the same to be written down; the partials, computed */

typedef struct {
    Tape *rule;                      /* for nodes without a parameter */
    Tape *small[32];                 /* for the parameters 0 … 31 */
    PyObject *others;                /* for all others: a dict from the parameter */
} Rules;

typedef struct {
    PyObject *primitive, *careful;   /* the entry of the table; its function of floats under IEEE rules */
    double (*function)(double);      /* for FUNCTION */
    int code, plain, vanishes;       /* plain: smooth everywhere, passes on to every operand, has no body */
    int arity;                       /* 0 where each node has its own number of operands */
    Rules rules[KINDS];
} Operation;

Operation *operation_of(PyObject *primitive);            /* made on first use; NULL and an exception if that fails */
Tape *rule_of(Operation *operation, PyObject *parameter, int kind);
int as_double(PyObject *constant, double *value);

extern PyObject *ADD_P, *SUB_P, *MUL_P, *DIV_P, *NEG_P, *POWI_P, *EXP_P, *SQRT_P, *POW_P, *CONSTANT_P, *INPUT_P;
extern PyObject *NODE, *HELPERS, *ZERO, *ONE, *MINUS_ONE;
extern Operation *OP_ADD, *OP_SUB, *OP_MUL, *OP_DIV, *OP_NEG, *OP_POWI, *OP_EXP, *OP_SQRT, *OP_POW, *OP_CONSTANT, *OP_INPUT;
PyObject *helper(const char *name);                      /* a borrowed function that Python has handed over */

/* --- nodes, each distinct one once: `Builder` in adlab/graph/graph.py (nodes.c) -------------------------------------------- */

typedef struct {
    Operation *operation;
    PyObject *parameter;             /* NULL for None */
    int first, count;                /* its operands: where they begin in the pool, and how many they are */
} Line;

typedef struct { int position; uint32_t hash; } Slot;

typedef struct {
    Line *lines;
    int *pool;                       /* all operands in a row */
    Slot *table;                     /* the lines by their hash; position -1 where free */
    int count, room, pooled, pool_room, table_room, inputs;
    int zero, one, minus;            /* the constants 0, 1 and -1 of a simplifying builder */
    PyObject *constants;             /* from the value of a constant to its position */
    Map objects;                     /* the same from the object that is its value, which is quicker */
} Nodes;

int nodes_init(Nodes *nodes, PyObject *names);
void nodes_free(Nodes *nodes);
int nodes_find(const Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter);
int nodes_cons(Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter);
int nodes_constant(Nodes *nodes, PyObject *value);
int nodes_on(Nodes *nodes, const Tape *tape);
int law(Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter);
Tape *nodes_finish(const Nodes *nodes, PyObject *names, const int *outputs, int count);
PyObject *line_node(const Line *line, const int *pool);

static inline int cons1(Nodes *nodes, Operation *operation, int a) {
    return a < 0 ? -1 : nodes_cons(nodes, operation, &a, 1, NULL);
}

static inline int cons2(Nodes *nodes, Operation *operation, int a, int b) {
    int operands[2] = {a, b};
    return a < 0 || b < 0 ? -1 : nodes_cons(nodes, operation, operands, 2, NULL);
}

/* --- a graph as flat arrays, and its sweep: adlab/arithmetic/numbers.py, adlab/autodiff/sweeps.py (tape.c, sweep.c) -------- */

struct Tape {
    PyObject_HEAD
    Line *lines;
    int *pool, *outputs;
    double *fixed;                   /* the constants; `first` of a constant's line is its place here */
    unsigned char *active;           /* which lines depend on an input */
    int count, inputs, results, fixes;
    int plain;                       /* whether every operation is plain, so that a sweep of floats is all there is to it */
    int steady;                      /* whether what the constants alone decide is in binary64's range; -1 where not yet known */
    int cubes;                       /* whether a third power is two products, as in a compiled rule */
};

extern PyTypeObject TapeType, LoweringType, ViewType;
Tape *tape_new(int count, int pooled, int inputs, int results);
int tape_ready(Tape *tape);
int tape_line(const Tape *tape, int i, double *values);  /* 1 if done, 0 where Python must look closer, -1 for an exception */
int ancestors(const Tape *tape, int output, int *found, unsigned char *seen);
int doubles(PyObject *given, Py_buffer *view, int writable);  /* 1, or 0 where it is no row of doubles without gaps */
PyObject *tape_product(PyObject *self, PyObject *given);
PyObject *tape_derivative(PyObject *self, PyObject *value);
PyObject *tape_jacobian(PyObject *self, PyObject *const *given, Py_ssize_t count);

/* --- exact numbers: adlab/graph/exact.py (numbers.c) ----------------------------------------------------------------------- */

extern PyObject *HALF, *MINUS_HALF;
int number_is(PyObject *number, long value);             /* whether it is 0, 1 or -1, or this whole number; -1 for an exception */
int sign_of(PyObject *number);                           /* -1, 0, 1, or -2 for an exception */
int is_small(PyObject *number, long *value);
PyObject *combined(const char *name, PyObject *a, PyObject *b);
PyObject *negated(PyObject *number);
PyObject *reciprocal(PyObject *number);
PyObject *ratio_of(PyObject *node);
PyObject *decimal_of(PyObject *node);
int is_ratio(PyObject *number);
int fraction_as_double(PyObject *number, double *value);
int numbers_setup(void);

/* --- from SymPy's objects to nodes: adlab/graph/lowering.py and written.py (walk.c, lowering.c, written.c) ------------------ */

enum { OTHER, ADDITION, PRODUCT, POWER, INTEGER, UNARY, NOTHING, RATIO, DECIMAL };  /* as in adlab/graph/quick.py */

typedef struct {
    PyObject *node, *number;         /* the object, borrowed from `order`; the exact number it stands for, or NULL */
    int position, negative;          /* where its value, or that of its magnitude, is computed; -1 where it is not */
    char rounded, subtracted;
} Entry;

typedef struct {
    PyObject_HEAD
    Nodes nodes;
    Map map;                         /* from an object to its entry */
    Entry *entries;
    int count, room;
    PyObject *order, *python;        /* `python`: the Lowering of lowering.py that shares all this, once it is asked for */
    PyObject *make;                  /* makes that */
} Lowering;

typedef struct { int kind; Operation *operation; } Known;  /* what is known of a class */

Known known_class(PyTypeObject *type);
PyObject *operands_of(PyObject *node);                   /* node.args, a new reference */
int is_written(PyObject *node);
int is_divisor(PyObject *node);
PyObject *mark_of(PyObject *node);                       /* is_commutative of a sum, product or power, a new reference */

int lower_one(Lowering *self, PyObject *node);
int entry_of(Lowering *self, PyObject *node);            /* made if it is new; -1 for an exception */
int position_of(Lowering *self, int entry);
int lower_power(Lowering *self, PyObject *base, PyObject *exponent);
int written_sum(Lowering *self, PyObject *node, PyObject *operands);
int written_product(Lowering *self, PyObject *node, PyObject *operands);
PyObject *ask_python(Lowering *self, const char *method, PyObject *a, PyObject *b, PyObject *c);
void set_number(Entry *entry, PyObject *number);         /* takes the reference */

extern PyTypeObject *POW_TYPE, *MUL_TYPE, *ADD_TYPE, *EXP1_TYPE;
extern PyObject *NEGATIVE_ONE;                           /* S.NegativeOne */

PyObject *core_postorder(PyObject *module, PyObject *roots);
PyObject *core_lower(PyObject *module, PyObject *given);
PyObject *core_survey(PyObject *module, PyObject *order);
PyObject *core_by_name(PyObject *module, PyObject *given);
PyObject *core_holds(PyObject *module, PyObject *given);
PyObject *core_signed(PyObject *module, PyObject *given);
PyObject *core_floats(PyObject *module, PyObject *given);
PyObject *core_read_symbols(PyObject *module, PyObject *given);
PyObject *core_read_args(PyObject *module, PyObject *given);
int walk_init(void);
int walk_setup(PyObject *given);
int table_setup(PyObject *given);

#endif
