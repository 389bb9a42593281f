"""Inside a sandbox: use the GPU through the driver's own library, and see that it is the only one."""

import ctypes
import sys

HELLO = "hello\n"
WORDS = 1 << 20
VALUE = 0x5A5A5A5A


def check(library: ctypes.CDLL, name: str, *arguments: object) -> None:
    """Make one call of the driver's library, or end with its name and error number."""
    error = getattr(library, name)(*arguments)
    if error:
        print(f"{name} gives error {error}")
        sys.exit(1)


def main() -> None:
    """Have the GPU write a pattern into its memory and read it back; print "ok 1" for one GPU that works."""
    print(HELLO, end="", flush=True)
    sys.stdin.readline()
    cuda = ctypes.CDLL("libcuda.so.1")
    count, device, context = ctypes.c_int(), ctypes.c_int(), ctypes.c_void_p()
    memory, first = ctypes.c_uint64(), ctypes.c_uint32()
    check(cuda, "cuInit", 0)
    check(cuda, "cuDeviceGetCount", ctypes.byref(count))
    check(cuda, "cuDeviceGet", ctypes.byref(device), 0)
    check(cuda, "cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    check(cuda, "cuCtxSetCurrent", context)
    check(cuda, "cuMemAlloc_v2", ctypes.byref(memory), ctypes.c_size_t(4 * WORDS))
    check(cuda, "cuMemsetD32_v2", memory, ctypes.c_uint32(VALUE), ctypes.c_size_t(WORDS))
    check(cuda, "cuCtxSynchronize")
    check(cuda, "cuMemcpyDtoH_v2", ctypes.byref(first), memory, ctypes.c_size_t(4))
    print(f"{'ok' if first.value == VALUE else 'wrong memory'} {count.value}")


if __name__ == "__main__":
    main()
