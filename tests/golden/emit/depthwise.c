/* packed 0 scratch 11648 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
typedef float f32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x8 __attribute__((vector_size(64), aligned(8), may_alias));
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    #pragma omp single
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      for (long j0 = 0; j0 < 11; j0 += 1) {
        for (long k0 = 0; k0 < 11; k0 += 3) {
          for (long l0 = 0; l0 < 24; l0 += 8) {
            if (k0 + 3 <= 11) {
              {
                const f32x8 V0 = (((((j0 >= 1L) && (j0 < 10L)) && (k0 >= 1L)) && (k0 < 10L)) ? (f32x8)*(const f32x8 *)(a0 + j0*216L+k0*24L+l0-240) : (f32x8)((float)(0.0f) - (f32x8){0}));
                float *P0 = s0 + j0*264L+k0*24L+l0;
                *(f32x8 *)(P0 + 0) = V0;
                const f32x8 V1 = ((((j0 >= 1L) && (j0 < 10L)) && (k0+1 < 10L)) ? (f32x8)*(const f32x8 *)(a0 + j0*216L+k0*24L+l0-216) : (f32x8)((float)(0.0f) - (f32x8){0}));
                *(f32x8 *)(P0 + 24) = V1;
                const f32x8 V2 = ((((j0 >= 1L) && (j0 < 10L)) && (k0+2 < 10L)) ? (f32x8)*(const f32x8 *)(a0 + j0*216L+k0*24L+l0-192) : (f32x8)((float)(0.0f) - (f32x8){0}));
                *(f32x8 *)(P0 + 48) = V2;
              }
            }
            else {
              {
                const f32x8 V0 = (((((j0 >= 1L) && (j0 < 10L)) && (k0 >= 1L)) && (k0 < 10L)) ? (f32x8)*(const f32x8 *)(a0 + j0*216L+k0*24L+l0-240) : (f32x8)((float)(0.0f) - (f32x8){0}));
                float *P0 = s0 + j0*264L+k0*24L+l0;
                *(f32x8 *)(P0 + 0) = V0;
                const f32x8 V1 = ((((j0 >= 1L) && (j0 < 10L)) && (k0+1 < 10L)) ? (f32x8)*(const f32x8 *)(a0 + j0*216L+k0*24L+l0-216) : (f32x8)((float)(0.0f) - (f32x8){0}));
                *(f32x8 *)(P0 + 24) = V1;
              }
            }
          }
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1 = (const float *)args[1];
      float *restrict s1 = (float *)args[2];
      #pragma omp for schedule(static)
      for (long h0 = 0; h0 < 5; h0 += 1) {
        for (long g0 = 0; g0 < 24; g0 += 8) {
          f32x8 acc_0_0_0, acc_0_1_0, acc_0_2_0, acc_0_3_0, acc_0_4_0;
          {
            acc_0_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_1_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_2_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_3_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_4_0 = ((float)(0.0f) - (f32x8){0});
          }
          for (long kh1 = 0; kh1 < 3; kh1 += 1) {
            for (long kw1 = 0; kw1 < 3; kw1 += 1) {
              {
                const float *P0 = s0 + g0+h0*528L+kh1*264L+kw1*24L;
                const f32x8 V0 = *(const f32x8 *)(P0 + 0);
                const float *P1 = a1 + g0+kh1*72L+kw1*24L;
                const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                const f32x8 V2 = (V0 * V1);
                acc_0_0_0 = (acc_0_0_0 + V2);
                const f32x8 V3 = *(const f32x8 *)(P0 + 48);
                const f32x8 V4 = (V3 * V1);
                acc_0_1_0 = (acc_0_1_0 + V4);
                const f32x8 V5 = *(const f32x8 *)(P0 + 96);
                const f32x8 V6 = (V5 * V1);
                acc_0_2_0 = (acc_0_2_0 + V6);
                const f32x8 V7 = *(const f32x8 *)(P0 + 144);
                const f32x8 V8 = (V7 * V1);
                acc_0_3_0 = (acc_0_3_0 + V8);
                const f32x8 V9 = *(const f32x8 *)(P0 + 192);
                const f32x8 V10 = (V9 * V1);
                acc_0_4_0 = (acc_0_4_0 + V10);
              }
            }
          }
          {
            float *P0 = s1 + g0+h0*120L;
            *(f32x8 *)(P0 + 0) = acc_0_0_0;
            *(f32x8 *)(P0 + 24) = acc_0_1_0;
            *(f32x8 *)(P0 + 48) = acc_0_2_0;
            *(f32x8 *)(P0 + 72) = acc_0_3_0;
            *(f32x8 *)(P0 + 96) = acc_0_4_0;
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
