/* Debian's User-mode Linux 6.12 sets the extended registers of its processes in 2,696 bytes, as many as processors up to AVX-512 have.
   Where a processor has more (AMX), the kernel below takes all of them or none (EFAULT), so the rest is added as it is. */

struct part {
    void *start;
    unsigned long length;
};

enum { GETREGSET = 0x4204, SETREGSET = 0x4205, EXTENDED = 0x202 };

extern void *dlsym(void *handle, const char *name);
extern void *memcpy(void *to, const void *from, unsigned long length);

static char all[1 << 16];

long ptrace(int request, int process, void *which, void *data) {
    static long (*next)(int, int, void *, void *);
    struct part *given = data, whole = {all, sizeof all};

    if (!next)
        next = (long (*)(int, int, void *, void *))dlsym((void *)-1L, "ptrace");
    if (request == SETREGSET && which == (void *)EXTENDED && !next(GETREGSET, process, which, &whole) && whole.length > given->length) {
        memcpy(all, given->start, given->length);
        return next(request, process, which, &whole);
    }
    return next(request, process, which, data);
}
