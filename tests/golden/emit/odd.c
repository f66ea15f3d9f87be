/* packed 0 scratch 2816 bytes */
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
static inline void turn_f32(const float *at, long apart, float *to, long row) {
  const f32x4 r0 = *(const f32x4 *)(at + 0*apart);
  const f32x4 r1 = *(const f32x4 *)(at + 1*apart);
  const f32x4 r2 = *(const f32x4 *)(at + 2*apart);
  const f32x4 r3 = *(const f32x4 *)(at + 3*apart);
  const f32x4 low0 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5);
  const f32x4 high0 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const f32x4 low1 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5);
  const f32x4 high1 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  const f32x4 c0 = __builtin_shufflevector(low0, low1, 0, 1, 4, 5);
  const f32x4 c1 = __builtin_shufflevector(low0, low1, 2, 3, 6, 7);
  const f32x4 c2 = __builtin_shufflevector(high0, high1, 0, 1, 4, 5);
  const f32x4 c3 = __builtin_shufflevector(high0, high1, 2, 3, 6, 7);
  *(f32x4 *)(to + 0*row) = c0;
  *(f32x4 *)(to + 1*row) = c1;
  *(f32x4 *)(to + 2*row) = c2;
  *(f32x4 *)(to + 3*row) = c3;
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    char *tile = (char *)scratch + 2304L + omp_get_thread_num() * 256L;
    {
      const float *restrict from = (const float *)args[0];
      float *restrict into = (float *)((char *)scratch + 0L);
      #pragma omp for collapse(2) schedule(static)
      for (long i_block = 0; i_block < 2; i_block++)
        for (long k_chunk = 0; k_chunk < 3; k_chunk++)
          {
            const long i = i_block*4L;
            const long k = k_chunk*8L;
            float *restrict to = into + i_block*96L + k_chunk*32L;
            const long filled = 1 ? (i + 4 <= 7 ? 4 : 7 - i) : 0;
            const float *at = from + i*19L+k;
            const long deep = k + 8 <= 19 ? 8 : 19 - k;
            const long wide = filled & ~3L, high = deep & ~3L;
            for (long i = 0; i < wide; i += 4) for (long k = 0; k < high; k += 4)
              turn_f32(at + i*19L + k, 19L, to + k*4L + i, 4L);
            for (long k = 0; k < 8; k++) for (long i = k < high ? wide : 0; i < 4; i++)
              to[k*4L + i] = i < filled && k < deep ? at[i*19L + k] : 0;
          }
    }
    {
      const float *restrict from = (const float *)args[1];
      float *restrict into = (float *)((char *)scratch + 768L);
      #pragma omp for collapse(2) schedule(static)
      for (long j_block = 0; j_block < 2; j_block++)
        for (long k_chunk = 0; k_chunk < 3; k_chunk++)
          for (long k_step = 0; k_step < 8; k_step++)
            {
              const long j = j_block*8L;
              const long k = k_chunk*8L + k_step;
              float *restrict to = into + j_block*192L + k_chunk*64L + k_step*8L;
              const long filled = k < 19 ? (j + 8 <= 13 ? 8 : 13 - j) : 0;
              const float *at = from + j+k*13L;
              if (filled == 8) __builtin_memcpy(to, at, 32);
              else
              {
                for (long i = 0; i < filled; i++) to[i] = at[i*1L];
                for (long i = filled; i < 8; i++) to[i] = 0;
              }
            }
    }
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      float *restrict s0 = (float *)args[2];
      const float *restrict a0_s0_0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1_s0_1 = (const float *)((char *)scratch + 768L);
      #pragma omp for schedule(static)
      for (long j0 = 0; j0 < 13; j0 += 8) {
        for (long k0 = 0; k0 < 19; k0 += 8) {
          for (long i2 = 0; i2 < 7; i2 += 4) {
            if (i2 + 4 <= 7) {
              if (j0 + 8 <= 13) {
                f32x8 acc_0_0, acc_1_0, acc_2_0, acc_3_0;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x8){0});
                    acc_1_0 = ((float)(0.0f) - (f32x8){0});
                    acc_2_0 = ((float)(0.0f) - (f32x8){0});
                    acc_3_0 = ((float)(0.0f) - (f32x8){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    acc_0_0 = *(f32x8 *)(M + 0);
                    acc_1_0 = *(f32x8 *)(M + 8);
                    acc_2_0 = *(f32x8 *)(M + 16);
                    acc_3_0 = *(f32x8 *)(M + 24);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 8 < 19 ? k0 + 8 : 19); k1 += 1) {
                  {
                    const float *P0 = a0_s0_0 + i2*24L+k1*4L;
                    const float V0 = P0[0];
                    const float *P1 = a1_s0_1 + j0*24L+k1*8L;
                    const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                    const f32x8 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const float V3 = P0[1];
                    const f32x8 V4 = (V3 * V1);
                    acc_1_0 = (acc_1_0 + V4);
                    const float V5 = P0[2];
                    const f32x8 V6 = (V5 * V1);
                    acc_2_0 = (acc_2_0 + V6);
                    const float V7 = P0[3];
                    const f32x8 V8 = (V7 * V1);
                    acc_3_0 = (acc_3_0 + V8);
                  }
                }
                if (k0 + 8 >= 19) {
                  {
                    float *P0 = s0 + i2*13L+j0;
                    *(f32x8 *)(P0 + 0) = acc_0_0;
                    *(f32x8 *)(P0 + 13) = acc_1_0;
                    *(f32x8 *)(P0 + 26) = acc_2_0;
                    *(f32x8 *)(P0 + 39) = acc_3_0;
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    *(f32x8 *)(M + 0) = acc_0_0;
                    *(f32x8 *)(M + 8) = acc_1_0;
                    *(f32x8 *)(M + 16) = acc_2_0;
                    *(f32x8 *)(M + 24) = acc_3_0;
                  }
                }
              }
              else {
                f32x8 acc_0_0, acc_1_0, acc_2_0, acc_3_0;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x8){0});
                    acc_1_0 = ((float)(0.0f) - (f32x8){0});
                    acc_2_0 = ((float)(0.0f) - (f32x8){0});
                    acc_3_0 = ((float)(0.0f) - (f32x8){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    acc_0_0 = *(f32x8 *)(M + 0);
                    acc_1_0 = *(f32x8 *)(M + 8);
                    acc_2_0 = *(f32x8 *)(M + 16);
                    acc_3_0 = *(f32x8 *)(M + 24);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 8 < 19 ? k0 + 8 : 19); k1 += 1) {
                  {
                    const float *P0 = a0_s0_0 + i2*24L+k1*4L;
                    const float V0 = P0[0];
                    const float *P1 = a1_s0_1 + j0*24L+k1*8L;
                    const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                    const f32x8 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const float V3 = P0[1];
                    const f32x8 V4 = (V3 * V1);
                    acc_1_0 = (acc_1_0 + V4);
                    const float V5 = P0[2];
                    const f32x8 V6 = (V5 * V1);
                    acc_2_0 = (acc_2_0 + V6);
                    const float V7 = P0[3];
                    const f32x8 V8 = (V7 * V1);
                    acc_3_0 = (acc_3_0 + V8);
                  }
                }
                if (k0 + 8 >= 19) {
                  {
                    float *P0 = s0 + i2*13L+j0;
                    __builtin_memcpy(P0 + 0, &acc_0_0, 20);
                    __builtin_memcpy(P0 + 13, &acc_1_0, 20);
                    __builtin_memcpy(P0 + 26, &acc_2_0, 20);
                    __builtin_memcpy(P0 + 39, &acc_3_0, 20);
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    *(f32x8 *)(M + 0) = acc_0_0;
                    *(f32x8 *)(M + 8) = acc_1_0;
                    *(f32x8 *)(M + 16) = acc_2_0;
                    *(f32x8 *)(M + 24) = acc_3_0;
                  }
                }
              }
            }
            else {
              if (j0 + 8 <= 13) {
                f32x8 acc_0_0, acc_1_0, acc_2_0;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x8){0});
                    acc_1_0 = ((float)(0.0f) - (f32x8){0});
                    acc_2_0 = ((float)(0.0f) - (f32x8){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    acc_0_0 = *(f32x8 *)(M + 0);
                    acc_1_0 = *(f32x8 *)(M + 8);
                    acc_2_0 = *(f32x8 *)(M + 16);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 8 < 19 ? k0 + 8 : 19); k1 += 1) {
                  {
                    const float *P0 = a0_s0_0 + i2*24L+k1*4L;
                    const float V0 = P0[0];
                    const float *P1 = a1_s0_1 + j0*24L+k1*8L;
                    const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                    const f32x8 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const float V3 = P0[1];
                    const f32x8 V4 = (V3 * V1);
                    acc_1_0 = (acc_1_0 + V4);
                    const float V5 = P0[2];
                    const f32x8 V6 = (V5 * V1);
                    acc_2_0 = (acc_2_0 + V6);
                  }
                }
                if (k0 + 8 >= 19) {
                  {
                    float *P0 = s0 + i2*13L+j0;
                    *(f32x8 *)(P0 + 0) = acc_0_0;
                    *(f32x8 *)(P0 + 13) = acc_1_0;
                    *(f32x8 *)(P0 + 26) = acc_2_0;
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    *(f32x8 *)(M + 0) = acc_0_0;
                    *(f32x8 *)(M + 8) = acc_1_0;
                    *(f32x8 *)(M + 16) = acc_2_0;
                  }
                }
              }
              else {
                f32x8 acc_0_0, acc_1_0, acc_2_0;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x8){0});
                    acc_1_0 = ((float)(0.0f) - (f32x8){0});
                    acc_2_0 = ((float)(0.0f) - (f32x8){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    acc_0_0 = *(f32x8 *)(M + 0);
                    acc_1_0 = *(f32x8 *)(M + 8);
                    acc_2_0 = *(f32x8 *)(M + 16);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 8 < 19 ? k0 + 8 : 19); k1 += 1) {
                  {
                    const float *P0 = a0_s0_0 + i2*24L+k1*4L;
                    const float V0 = P0[0];
                    const float *P1 = a1_s0_1 + j0*24L+k1*8L;
                    const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                    const f32x8 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const float V3 = P0[1];
                    const f32x8 V4 = (V3 * V1);
                    acc_1_0 = (acc_1_0 + V4);
                    const float V5 = P0[2];
                    const f32x8 V6 = (V5 * V1);
                    acc_2_0 = (acc_2_0 + V6);
                  }
                }
                if (k0 + 8 >= 19) {
                  {
                    float *P0 = s0 + i2*13L+j0;
                    __builtin_memcpy(P0 + 0, &acc_0_0, 20);
                    __builtin_memcpy(P0 + 13, &acc_1_0, 20);
                    __builtin_memcpy(P0 + 26, &acc_2_0, 20);
                  }
                }
                else {
                  {
                    float *M = (float *)tile + i2*8L;
                    *(f32x8 *)(M + 0) = acc_0_0;
                    *(f32x8 *)(M + 8) = acc_1_0;
                    *(f32x8 *)(M + 16) = acc_2_0;
                  }
                }
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
