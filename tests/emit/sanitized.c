/* Runs one kernel on operands of exactly their size, element-aligned and no better, and writes its outputs.
   argv[1]: a directory with `job` (numbers), in0, in1, ...; out0, out1, ... are written there. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int32_t ansord_run(void *const *args, const void *packed, void *scratch);
__attribute__((weak)) int32_t ansord_pack(const void *const *constants, void *packed);

static FILE *opened(const char *directory, const char *name, int number, const char *mode) {
  char path[4096];
  if (number < 0) snprintf(path, sizeof path, "%s/%s", directory, name);
  else snprintf(path, sizeof path, "%s/%s%d", directory, name, number);
  FILE *file = fopen(path, mode);
  if (!file) { perror(path); exit(2); }
  return file;
}

static void *own(long bytes) {
  unsigned char *made = bytes ? aligned_alloc(64, bytes) : NULL;
  for (long i = 0; i < bytes; i++) made[i] = 0xA5;
  return made;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  FILE *job = opened(argv[1], "job", -1, "r");
  int inputs, outputs;
  long packed_bytes, scratch_bytes;
  if (fscanf(job, "%d %d %ld %ld", &inputs, &outputs, &packed_bytes, &scratch_bytes) != 4) return 2;
  void *args[512];
  const void *constants[512];
  long bytes[512], item, constant;
  int held = 0;
  for (int n = 0; n < inputs + outputs; n++) {
    if (fscanf(job, "%ld %ld %ld", &bytes[n], &item, &constant) != 3) return 2;
    args[n] = (char *)malloc(bytes[n] + item) + item;
    if (constant) constants[held++] = args[n];
    if (n < inputs) {
      FILE *file = opened(argv[1], "in", n, "rb");
      if ((long)fread(args[n], 1, bytes[n], file) != bytes[n]) return 2;
      fclose(file);
    }
  }
  void *packed = own(packed_bytes), *scratch = own(scratch_bytes);
  if (packed_bytes && ansord_pack(constants, packed)) return 3;
  if (ansord_run(args, packed, scratch)) return 4;
  for (int n = 0; n < outputs; n++) {
    FILE *file = opened(argv[1], "out", n, "wb");
    fwrite(args[inputs + n], 1, bytes[inputs + n], file);
    fclose(file);
  }
  return 0;
}
