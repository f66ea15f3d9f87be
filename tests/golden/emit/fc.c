/* packed 0 scratch 0 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
typedef float f32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x16 __attribute__((vector_size(128), aligned(8), may_alias));
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      const float *restrict a2 = (const float *)args[2];
      float *restrict s1 = (float *)args[3];
      #pragma omp for schedule(static)
      for (long j0 = 0; j0 < 100; j0 += 48) {
        if (j0 + 48 <= 100) {
          f32x16 acc_0, acc_1, acc_2;
          {
            acc_0 = ((float)(0.0f) - (f32x16){0});
            acc_1 = ((float)(0.0f) - (f32x16){0});
            acc_2 = ((float)(0.0f) - (f32x16){0});
          }
          for (long k0 = 0; k0 < 256; k0 += 64) {
            #pragma GCC unroll 4
            for (long k1 = k0; k1 < k0 + 64; k1 += 1) {
              {
                const float *P0 = a0 + k1;
                const float V0 = P0[0];
                const float *P1 = a1 + j0+k1*100L;
                const f32x16 V1 = *(const f32x16 *)(P1 + 0);
                const f32x16 V2 = (V0 * V1);
                acc_0 = (acc_0 + V2);
                const f32x16 V3 = *(const f32x16 *)(P1 + 16);
                const f32x16 V4 = (V0 * V3);
                acc_1 = (acc_1 + V4);
                const f32x16 V5 = *(const f32x16 *)(P1 + 32);
                const f32x16 V6 = (V0 * V5);
                acc_2 = (acc_2 + V6);
              }
            }
          }
          {
            const float *P0 = a2 + j0;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = (acc_0 + V0);
            float *P1 = s1 + j0;
            *(f32x16 *)(P1 + 0) = V1;
            const f32x16 V2 = *(const f32x16 *)(P0 + 16);
            const f32x16 V3 = (acc_1 + V2);
            *(f32x16 *)(P1 + 16) = V3;
            const f32x16 V4 = *(const f32x16 *)(P0 + 32);
            const f32x16 V5 = (acc_2 + V4);
            *(f32x16 *)(P1 + 32) = V5;
          }
        }
        else {
          f32x16 acc_0;
          {
            acc_0 = ((float)(0.0f) - (f32x16){0});
          }
          for (long k0 = 0; k0 < 256; k0 += 64) {
            #pragma GCC unroll 4
            for (long k1 = k0; k1 < k0 + 64; k1 += 1) {
              {
                const float *P0 = a0 + k1;
                const float V0 = P0[0];
                const float *P1 = a1 + j0+k1*100L;
                f32x16 V1 = {0};
                __builtin_memcpy(&V1, P1 + 0, 16);
                const f32x16 V2 = (V0 * V1);
                acc_0 = (acc_0 + V2);
              }
            }
          }
          {
            const float *P0 = a2 + j0;
            f32x16 V0 = {0};
            __builtin_memcpy(&V0, P0 + 0, 16);
            const f32x16 V1 = (acc_0 + V0);
            float *P1 = s1 + j0;
            __builtin_memcpy(P1 + 0, &V1, 16);
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
