"""Parts of the scanner's compiled functions that several of them need."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

WHOLE = ir.IntType(64)


def load(builder, place, vector):
    """Emit a load of a vector from anywhere."""
    return builder.load(builder.bitcast(place, vector.as_pointer()), align=1)


@intrinsic
def past(typing_context, address, count):
    """The address so many elements further."""

    def emit(context, builder, signature, arguments):
        return builder.gep(arguments[0], [arguments[1]])

    return address(address, types.int64), emit
