/* packed 0 scratch 0 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
typedef float f32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double f64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x4 __attribute__((vector_size(4), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x4 __attribute__((vector_size(4), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef float f32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float f32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x16 __attribute__((vector_size(128), aligned(8), may_alias));
static inline float fold_add_f32x16(f32x16 a) {
  const f32x8 a8 = (f32x8)__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7) + (f32x8)__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  const f32x4 a4 = (f32x4)__builtin_shufflevector(a8, a8, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a8, a8, 4, 5, 6, 7);
  const f32x4 a2 = (f32x4)__builtin_shufflevector(a4, a4, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a4, a4, 2, 3, 0, 1);
  const f32x4 a1 = (f32x4)__builtin_shufflevector(a2, a2, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a2, a2, 1, 2, 3, 0);
  return a1[0];
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      float *restrict s2 = (float *)args[2];
      #pragma omp for collapse(2) schedule(static)
      for (long b10 = 0; b10 < 2; b10 += 1)
        for (long i0 = 0; i0 < 24; i0 += 8) {
          for (long j0 = 0; j0 < 24; j0 += 6) {
            for (long i2 = i0; i2 < i0 + 8; i2 += 4) {
              for (long j2 = j0; j2 < j0 + 6; j2 += 3) {
                f32x16 acc_0_0_0_0, acc_0_0_1_0, acc_0_0_2_0, acc_0_1_0_0, acc_0_1_1_0, acc_0_1_2_0, acc_0_2_0_0, acc_0_2_1_0, acc_0_2_2_0, acc_0_3_0_0, acc_0_3_1_0, acc_0_3_2_0;
                {
                  acc_0_0_0_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_0_1_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_0_2_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_1_0_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_1_1_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_1_2_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_2_0_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_2_1_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_2_2_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_3_0_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_3_1_0 = ((float)(0.0f) - (f32x16){0});
                  acc_0_3_2_0 = ((float)(0.0f) - (f32x16){0});
                }
                {
                  const float *P0 = a0 + b10*16L+i2*32L;
                  f32x16 V0 = *(const f32x16 *)(P0 + 0); PIN(V0);
                  const float *P1 = a1 + b10*16L+j2*32L;
                  f32x16 V1 = *(const f32x16 *)(P1 + 0); PIN(V1);
                  const f32x16 V2 = (V0 * V1);
                  acc_0_0_0_0 = (acc_0_0_0_0 + V2);
                  f32x16 V3 = *(const f32x16 *)(P1 + 32); PIN(V3);
                  const f32x16 V4 = (V0 * V3);
                  acc_0_0_1_0 = (acc_0_0_1_0 + V4);
                  f32x16 V5 = *(const f32x16 *)(P1 + 64); PIN(V5);
                  const f32x16 V6 = (V0 * V5);
                  acc_0_0_2_0 = (acc_0_0_2_0 + V6);
                  f32x16 V7 = *(const f32x16 *)(P0 + 32); PIN(V7);
                  const f32x16 V8 = (V7 * V1);
                  acc_0_1_0_0 = (acc_0_1_0_0 + V8);
                  const f32x16 V9 = (V7 * V3);
                  acc_0_1_1_0 = (acc_0_1_1_0 + V9);
                  const f32x16 V10 = (V7 * V5);
                  acc_0_1_2_0 = (acc_0_1_2_0 + V10);
                  f32x16 V11 = *(const f32x16 *)(P0 + 64); PIN(V11);
                  const f32x16 V12 = (V11 * V1);
                  acc_0_2_0_0 = (acc_0_2_0_0 + V12);
                  const f32x16 V13 = (V11 * V3);
                  acc_0_2_1_0 = (acc_0_2_1_0 + V13);
                  const f32x16 V14 = (V11 * V5);
                  acc_0_2_2_0 = (acc_0_2_2_0 + V14);
                  f32x16 V15 = *(const f32x16 *)(P0 + 96); PIN(V15);
                  const f32x16 V16 = (V15 * V1);
                  acc_0_3_0_0 = (acc_0_3_0_0 + V16);
                  const f32x16 V17 = (V15 * V3);
                  acc_0_3_1_0 = (acc_0_3_1_0 + V17);
                  const f32x16 V18 = (V15 * V5);
                  acc_0_3_2_0 = (acc_0_3_2_0 + V18);
                }
                {
                  float *P0 = s2 + b10*576L+i2*24L+j2;
                  P0[0] = fold_add_f32x16(acc_0_0_0_0);
                  P0[1] = fold_add_f32x16(acc_0_0_1_0);
                  P0[2] = fold_add_f32x16(acc_0_0_2_0);
                  P0[24] = fold_add_f32x16(acc_0_1_0_0);
                  P0[25] = fold_add_f32x16(acc_0_1_1_0);
                  P0[26] = fold_add_f32x16(acc_0_1_2_0);
                  P0[48] = fold_add_f32x16(acc_0_2_0_0);
                  P0[49] = fold_add_f32x16(acc_0_2_1_0);
                  P0[50] = fold_add_f32x16(acc_0_2_2_0);
                  P0[72] = fold_add_f32x16(acc_0_3_0_0);
                  P0[73] = fold_add_f32x16(acc_0_3_1_0);
                  P0[74] = fold_add_f32x16(acc_0_3_2_0);
                }
              }
            }
          }
        }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
