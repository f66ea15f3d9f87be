/* packed 3456 scratch 1280 bytes */
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
    char *tile = (char *)scratch + 0L + omp_get_thread_num() * 640L;
    {
      float *restrict s0 = (float *)(tile + 0L);
      const float *restrict a1 = (const float *)args[1];
      float *restrict s2 = (float *)args[2];
      const float *restrict a1_s1_0 = (const float *)((char *)packed + 0L);
      #pragma omp for schedule(static)
      for (long h0 = 0; h0 < 8; h0 += 1) {
        const long j_s0 = h0*2L < 14 ? h0*2L : 14;
        {
          const float *restrict a0 = (const float *)args[0];
          for (long j0_s0 = 0; j0_s0 < 3; j0_s0 += 1) {
            for (long k0_s0 = 0; k0_s0 < 17; k0_s0 += 3) {
              for (long l0_s0 = 0; l0_s0 < 3; l0_s0 += 1) {
                if (k0_s0 + 3 <= 17) {
                  {
                    const float V0 = (((j0_s0+j_s0 >= 1L) && (k0_s0 >= 1L)) ? a0[j0_s0*48L+j_s0*48L+k0_s0*3L+l0_s0-51] : 0.0f);
                    float *P0 = s0 + j0_s0*51L+k0_s0*3L+l0_s0;
                    P0[0] = V0;
                    if ((j0_s0+j_s0 >= 1L)) {
                      const float *P1 = a0 + j0_s0*48L+j_s0*48L+k0_s0*3L+l0_s0;
                      const float V1 = P1[-48];
                      P0[3] = V1;
                      const float V2 = P1[-45];
                      P0[6] = V2;
                    }
                    else {
                      P0[3] = 0.0f;
                      P0[6] = 0.0f;
                    }
                  }
                }
                else {
                  {
                    const float V0 = (((j0_s0+j_s0 >= 1L) && (k0_s0 >= 1L)) ? a0[j0_s0*48L+j_s0*48L+k0_s0*3L+l0_s0-51] : 0.0f);
                    float *P0 = s0 + j0_s0*51L+k0_s0*3L+l0_s0;
                    P0[0] = V0;
                    const float V1 = ((j0_s0+j_s0 >= 1L) ? a0[j0_s0*48L+j_s0*48L+k0_s0*3L+l0_s0-48] : 0.0f);
                    P0[3] = V1;
                  }
                }
              }
            }
          }
        }
        for (long w1 = 0; w1 < 8; w1 += 4) {
          f32x16 acc_0_0_0, acc_0_0_1, acc_0_1_0, acc_0_1_1, acc_0_2_0, acc_0_2_1, acc_0_3_0, acc_0_3_1;
          {
            acc_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_0_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_3_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_3_1 = ((float)(0.0f) - (f32x16){0});
          }
          for (long kh1 = 0; kh1 < 3; kh1 += 1) {
            for (long kw1 = 0; kw1 < 3; kw1 += 1) {
              {
                const float *P0 = s0 + h0*102L-j_s0*51L+kh1*51L+kw1*3L+w1*6L;
                const float V0 = P0[0];
                const float *P1 = a1_s1_0 + kh1*288L+kw1*96L;
                f32x16 V1 = *(const f32x16 *)(P1 + 0); PIN(V1);
                const f32x16 V2 = (V0 * V1);
                acc_0_0_0 = (acc_0_0_0 + V2);
                f32x16 V3 = *(const f32x16 *)(P1 + 16); PIN(V3);
                const f32x16 V4 = (V0 * V3);
                acc_0_0_1 = (acc_0_0_1 + V4);
                const float V5 = P0[6];
                const f32x16 V6 = (V5 * V1);
                acc_0_1_0 = (acc_0_1_0 + V6);
                const f32x16 V7 = (V5 * V3);
                acc_0_1_1 = (acc_0_1_1 + V7);
                const float V8 = P0[12];
                const f32x16 V9 = (V8 * V1);
                acc_0_2_0 = (acc_0_2_0 + V9);
                const f32x16 V10 = (V8 * V3);
                acc_0_2_1 = (acc_0_2_1 + V10);
                const float V11 = P0[18];
                const f32x16 V12 = (V11 * V1);
                acc_0_3_0 = (acc_0_3_0 + V12);
                const f32x16 V13 = (V11 * V3);
                acc_0_3_1 = (acc_0_3_1 + V13);
                const float V14 = P0[1];
                f32x16 V15 = *(const f32x16 *)(P1 + 32); PIN(V15);
                const f32x16 V16 = (V14 * V15);
                acc_0_0_0 = (acc_0_0_0 + V16);
                f32x16 V17 = *(const f32x16 *)(P1 + 48); PIN(V17);
                const f32x16 V18 = (V14 * V17);
                acc_0_0_1 = (acc_0_0_1 + V18);
                const float V19 = P0[7];
                const f32x16 V20 = (V19 * V15);
                acc_0_1_0 = (acc_0_1_0 + V20);
                const f32x16 V21 = (V19 * V17);
                acc_0_1_1 = (acc_0_1_1 + V21);
                const float V22 = P0[13];
                const f32x16 V23 = (V22 * V15);
                acc_0_2_0 = (acc_0_2_0 + V23);
                const f32x16 V24 = (V22 * V17);
                acc_0_2_1 = (acc_0_2_1 + V24);
                const float V25 = P0[19];
                const f32x16 V26 = (V25 * V15);
                acc_0_3_0 = (acc_0_3_0 + V26);
                const f32x16 V27 = (V25 * V17);
                acc_0_3_1 = (acc_0_3_1 + V27);
                const float V28 = P0[2];
                f32x16 V29 = *(const f32x16 *)(P1 + 64); PIN(V29);
                const f32x16 V30 = (V28 * V29);
                acc_0_0_0 = (acc_0_0_0 + V30);
                f32x16 V31 = *(const f32x16 *)(P1 + 80); PIN(V31);
                const f32x16 V32 = (V28 * V31);
                acc_0_0_1 = (acc_0_0_1 + V32);
                const float V33 = P0[8];
                const f32x16 V34 = (V33 * V29);
                acc_0_1_0 = (acc_0_1_0 + V34);
                const f32x16 V35 = (V33 * V31);
                acc_0_1_1 = (acc_0_1_1 + V35);
                const float V36 = P0[14];
                const f32x16 V37 = (V36 * V29);
                acc_0_2_0 = (acc_0_2_0 + V37);
                const f32x16 V38 = (V36 * V31);
                acc_0_2_1 = (acc_0_2_1 + V38);
                const float V39 = P0[20];
                const f32x16 V40 = (V39 * V29);
                acc_0_3_0 = (acc_0_3_0 + V40);
                const f32x16 V41 = (V39 * V31);
                acc_0_3_1 = (acc_0_3_1 + V41);
              }
            }
          }
          {
            const f32x16 V0 = relu_f32x16(acc_0_0_0);
            float *P0 = s2 + h0*256L+w1*32L;
            *(f32x16 *)(P0 + 0) = V0;
            const f32x16 V1 = relu_f32x16(acc_0_0_1);
            *(f32x16 *)(P0 + 16) = V1;
            const f32x16 V2 = relu_f32x16(acc_0_1_0);
            *(f32x16 *)(P0 + 32) = V2;
            const f32x16 V3 = relu_f32x16(acc_0_1_1);
            *(f32x16 *)(P0 + 48) = V3;
            const f32x16 V4 = relu_f32x16(acc_0_2_0);
            *(f32x16 *)(P0 + 64) = V4;
            const f32x16 V5 = relu_f32x16(acc_0_2_1);
            *(f32x16 *)(P0 + 80) = V5;
            const f32x16 V6 = relu_f32x16(acc_0_3_0);
            *(f32x16 *)(P0 + 96) = V6;
            const f32x16 V7 = relu_f32x16(acc_0_3_1);
            *(f32x16 *)(P0 + 112) = V7;
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
    for (long o_block = 0; o_block < 1; o_block++)
      for (long kh_chunk = 0; kh_chunk < 1; kh_chunk++)
        for (long kw_chunk = 0; kw_chunk < 1; kw_chunk++)
          for (long c_chunk = 0; c_chunk < 1; c_chunk++)
            for (long kh_step = 0; kh_step < 3; kh_step++)
              for (long kw_step = 0; kw_step < 3; kw_step++)
                for (long c_step = 0; c_step < 3; c_step++)
                  {
                    const long o = o_block*32L;
                    const long kh = kh_chunk*3L + kh_step;
                    const long kw = kw_chunk*3L + kw_step;
                    const long c = c_chunk*3L + c_step;
                    float *restrict to = into + o_block*864L + kh_chunk*864L + kw_chunk*864L + c_chunk*864L + kh_step*288L + kw_step*96L + c_step*32L;
                    const long filled = 1 ? (o + 32 <= 32 ? 32 : 32 - o) : 0;
                    const float *at = from + c*32L+kh*288L+kw*96L+o;
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
