/* packed 24576 scratch 2048 bytes */
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
static inline f32x16 pick_f32x16(i32x16 c, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & c) + ((i32x16)b & ~c)); }
static inline f32x16 fill_f32x16(float a) { return a - (f32x16){0}; }
static inline f32x16 relu_f32x16(f32x16 a) { return pick_f32x16(a < 0, fill_f32x16(0), a); }
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    char *tile = (char *)scratch + 0L + omp_get_thread_num() * 1024L;
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      const float *restrict a2 = (const float *)args[2];
      float *restrict s2 = (float *)args[3];
      const float *restrict a1_s0_0 = (const float *)((char *)packed + 0L);
      #pragma omp for collapse(2) schedule(static)
      for (long j0 = 0; j0 < 48; j0 += 32)
        for (long i0 = 0; i0 < 64; i0 += 16) {
          for (long i1 = i0; i1 < i0 + 16; i1 += 8) {
            for (long k0 = 0; k0 < 96; k0 += 24) {
              for (long i2 = i1; i2 < i1 + 8; i2 += 4) {
                if (j0 + 32 <= 48) {
                  f32x16 acc_0_0, acc_0_1, acc_1_0, acc_1_1, acc_2_0, acc_2_1, acc_3_0, acc_3_1;
                  if (k0 == 0) {
                    {
                      acc_0_0 = ((float)(0.0f) - (f32x16){0});
                      acc_0_1 = ((float)(0.0f) - (f32x16){0});
                      acc_1_0 = ((float)(0.0f) - (f32x16){0});
                      acc_1_1 = ((float)(0.0f) - (f32x16){0});
                      acc_2_0 = ((float)(0.0f) - (f32x16){0});
                      acc_2_1 = ((float)(0.0f) - (f32x16){0});
                      acc_3_0 = ((float)(0.0f) - (f32x16){0});
                      acc_3_1 = ((float)(0.0f) - (f32x16){0});
                    }
                  }
                  else {
                    {
                      float *M = (float *)tile + -i1*32L+i2*32L;
                      acc_0_0 = *(f32x16 *)(M + 0);
                      acc_0_1 = *(f32x16 *)(M + 16);
                      acc_1_0 = *(f32x16 *)(M + 32);
                      acc_1_1 = *(f32x16 *)(M + 48);
                      acc_2_0 = *(f32x16 *)(M + 64);
                      acc_2_1 = *(f32x16 *)(M + 80);
                      acc_3_0 = *(f32x16 *)(M + 96);
                      acc_3_1 = *(f32x16 *)(M + 112);
                    }
                  }
                  #pragma GCC unroll 2
                  for (long k1 = k0; k1 < k0 + 24; k1 += 1) {
                    {
                      const float *P0 = a0 + i2*96L+k1;
                      const float V0 = P0[0];
                      const float *P1 = a1_s0_0 + j0*96L+k1*32L;
                      f32x16 V1 = *(const f32x16 *)(P1 + 0); PIN(V1);
                      const f32x16 V2 = (V0 * V1);
                      acc_0_0 = (acc_0_0 + V2);
                      f32x16 V3 = *(const f32x16 *)(P1 + 16); PIN(V3);
                      const f32x16 V4 = (V0 * V3);
                      acc_0_1 = (acc_0_1 + V4);
                      const float V5 = P0[96];
                      const f32x16 V6 = (V5 * V1);
                      acc_1_0 = (acc_1_0 + V6);
                      const f32x16 V7 = (V5 * V3);
                      acc_1_1 = (acc_1_1 + V7);
                      const float V8 = P0[192];
                      const f32x16 V9 = (V8 * V1);
                      acc_2_0 = (acc_2_0 + V9);
                      const f32x16 V10 = (V8 * V3);
                      acc_2_1 = (acc_2_1 + V10);
                      const float V11 = P0[288];
                      const f32x16 V12 = (V11 * V1);
                      acc_3_0 = (acc_3_0 + V12);
                      const f32x16 V13 = (V11 * V3);
                      acc_3_1 = (acc_3_1 + V13);
                    }
                  }
                  if (k0 + 24 >= 96) {
                    {
                      const float *P0 = a2 + j0;
                      const f32x16 V0 = *(const f32x16 *)(P0 + 0);
                      const f32x16 V1 = (acc_0_0 + V0);
                      const f32x16 V2 = relu_f32x16(V1);
                      float *P1 = s2 + i2*48L+j0;
                      *(f32x16 *)(P1 + 0) = V2;
                      const f32x16 V3 = *(const f32x16 *)(P0 + 16);
                      const f32x16 V4 = (acc_0_1 + V3);
                      const f32x16 V5 = relu_f32x16(V4);
                      *(f32x16 *)(P1 + 16) = V5;
                      const f32x16 V6 = (acc_1_0 + V0);
                      const f32x16 V7 = relu_f32x16(V6);
                      *(f32x16 *)(P1 + 48) = V7;
                      const f32x16 V8 = (acc_1_1 + V3);
                      const f32x16 V9 = relu_f32x16(V8);
                      *(f32x16 *)(P1 + 64) = V9;
                      const f32x16 V10 = (acc_2_0 + V0);
                      const f32x16 V11 = relu_f32x16(V10);
                      *(f32x16 *)(P1 + 96) = V11;
                      const f32x16 V12 = (acc_2_1 + V3);
                      const f32x16 V13 = relu_f32x16(V12);
                      *(f32x16 *)(P1 + 112) = V13;
                      const f32x16 V14 = (acc_3_0 + V0);
                      const f32x16 V15 = relu_f32x16(V14);
                      *(f32x16 *)(P1 + 144) = V15;
                      const f32x16 V16 = (acc_3_1 + V3);
                      const f32x16 V17 = relu_f32x16(V16);
                      *(f32x16 *)(P1 + 160) = V17;
                    }
                  }
                  else {
                    {
                      float *M = (float *)tile + -i1*32L+i2*32L;
                      *(f32x16 *)(M + 0) = acc_0_0;
                      *(f32x16 *)(M + 16) = acc_0_1;
                      *(f32x16 *)(M + 32) = acc_1_0;
                      *(f32x16 *)(M + 48) = acc_1_1;
                      *(f32x16 *)(M + 64) = acc_2_0;
                      *(f32x16 *)(M + 80) = acc_2_1;
                      *(f32x16 *)(M + 96) = acc_3_0;
                      *(f32x16 *)(M + 112) = acc_3_1;
                    }
                  }
                }
                else {
                  f32x16 acc_0_0, acc_1_0, acc_2_0, acc_3_0;
                  if (k0 == 0) {
                    {
                      acc_0_0 = ((float)(0.0f) - (f32x16){0});
                      acc_1_0 = ((float)(0.0f) - (f32x16){0});
                      acc_2_0 = ((float)(0.0f) - (f32x16){0});
                      acc_3_0 = ((float)(0.0f) - (f32x16){0});
                    }
                  }
                  else {
                    {
                      float *M = (float *)tile + -i1*32L+i2*32L;
                      acc_0_0 = *(f32x16 *)(M + 0);
                      acc_1_0 = *(f32x16 *)(M + 32);
                      acc_2_0 = *(f32x16 *)(M + 64);
                      acc_3_0 = *(f32x16 *)(M + 96);
                    }
                  }
                  #pragma GCC unroll 2
                  for (long k1 = k0; k1 < k0 + 24; k1 += 1) {
                    {
                      const float *P0 = a0 + i2*96L+k1;
                      const float V0 = P0[0];
                      const float *P1 = a1_s0_0 + j0*96L+k1*32L;
                      f32x16 V1 = *(const f32x16 *)(P1 + 0); PIN(V1);
                      const f32x16 V2 = (V0 * V1);
                      acc_0_0 = (acc_0_0 + V2);
                      const float V3 = P0[96];
                      const f32x16 V4 = (V3 * V1);
                      acc_1_0 = (acc_1_0 + V4);
                      const float V5 = P0[192];
                      const f32x16 V6 = (V5 * V1);
                      acc_2_0 = (acc_2_0 + V6);
                      const float V7 = P0[288];
                      const f32x16 V8 = (V7 * V1);
                      acc_3_0 = (acc_3_0 + V8);
                    }
                  }
                  if (k0 + 24 >= 96) {
                    {
                      const float *P0 = a2 + j0;
                      const f32x16 V0 = *(const f32x16 *)(P0 + 0);
                      const f32x16 V1 = (acc_0_0 + V0);
                      const f32x16 V2 = relu_f32x16(V1);
                      float *P1 = s2 + i2*48L+j0;
                      *(f32x16 *)(P1 + 0) = V2;
                      const f32x16 V3 = (acc_1_0 + V0);
                      const f32x16 V4 = relu_f32x16(V3);
                      *(f32x16 *)(P1 + 48) = V4;
                      const f32x16 V5 = (acc_2_0 + V0);
                      const f32x16 V6 = relu_f32x16(V5);
                      *(f32x16 *)(P1 + 96) = V6;
                      const f32x16 V7 = (acc_3_0 + V0);
                      const f32x16 V8 = relu_f32x16(V7);
                      *(f32x16 *)(P1 + 144) = V8;
                    }
                  }
                  else {
                    {
                      float *M = (float *)tile + -i1*32L+i2*32L;
                      *(f32x16 *)(M + 0) = acc_0_0;
                      *(f32x16 *)(M + 32) = acc_1_0;
                      *(f32x16 *)(M + 64) = acc_2_0;
                      *(f32x16 *)(M + 96) = acc_3_0;
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
__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {
  {
    const float *restrict from = (const float *)constants[0];
    float *restrict into = (float *)((char *)packed + 0L);
    for (long j_block = 0; j_block < 2; j_block++)
      for (long k_chunk = 0; k_chunk < 4; k_chunk++)
        for (long k_step = 0; k_step < 24; k_step++)
          {
            const long j = j_block*32L;
            const long k = k_chunk*24L + k_step;
            float *restrict to = into + j_block*3072L + k_chunk*768L + k_step*32L;
            const long filled = 1 ? (j + 32 <= 48 ? 32 : 48 - j) : 0;
            const float *at = from + j+k*48L;
            if (filled == 32) __builtin_memcpy(to, at, 128);
            else
            {
              for (long i = 0; i < filled; i++) to[i] = at[i*1L];
              for (long i = filled; i < 32; i++) to[i] = 0;
            }
          }
  }
  return 0;
}
