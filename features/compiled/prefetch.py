"""Ask the processor for a record of an array before it is needed. Users come in any order, so a pass would wait for each one's state."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numba.np.arrayobj import make_array

LINE_BYTES = 64
_FOR_WRITE, _KEEP, _DATA = 1, 3, 1


def _typed(_typing: Any, array: Any, _row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        held = make_array(kind)(context, builder, args[0])  # type: ignore[no-untyped-call]  # numba has no types there
        first = cgutils.get_item_pointer(context, builder, kind, held, [args[1]])  # type: ignore[no-untyped-call]
        byte = builder.bitcast(first, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        call = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte.type], ir.FunctionType(ir.VoidType(), [byte.type, number, number, number])
        )
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        # A row may begin in the middle of a cache line, and so reach into one more.
        for at in sorted({*range(0, size, LINE_BYTES), size - 1}):
            line = builder.gep(byte, [ir.IntType(64)(at)])
            builder.call(call, [line, number(_FOR_WRITE), number(_KEEP), number(_DATA)])
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


prefetch: Any = intrinsic(_typed)
"""``prefetch(array, row)`` in a compiled pass: fetch all cache lines of one row of a one-dimensional array of records or of numbers. To ask for
a row that does not exist does no harm."""
