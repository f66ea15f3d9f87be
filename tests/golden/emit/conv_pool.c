/* packed 1728 scratch 5312 bytes */
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
static inline f32x16 maximum_f32x16(f32x16 a, f32x16 b) {
#if defined(__AVX512F__)
  f32x16 y = b;
  unsigned short numbers;
  __asm__("vcmpordps %2, %2, %1\n\tvmaxps %3, %2, %0%{%1%}"
          : "+v"(y), "=&Yk"(numbers) : "v"(b), "v"(a));
  return y;
#elif 0
  f32x16 y;
  __asm__("vmaxps %2, %1, %0" : "=x"(y) : "x"(b), "x"(a));
  return pick_f32x16(b != b, b, y);
#else
  return pick_f32x16((a > b) | (a != a), a, b);
#endif
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      #pragma omp for schedule(static)
      for (long j0 = 0; j0 < 10; j0 += 1) {
        for (long k0 = 0; k0 < 10; k0 += 5) {
          for (long l0 = 0; l0 < 3; l0 += 1) {
            {
              const float V0 = (((((j0 >= 1L) && (j0 < 9L)) && (k0 >= 1L)) && (k0 < 9L)) ? a0[j0*24L+k0*3L+l0-27] : 0.0f);
              float *P0 = s0 + j0*30L+k0*3L+l0;
              P0[0] = V0;
              const float V1 = ((((j0 >= 1L) && (j0 < 9L)) && (k0+1 < 9L)) ? a0[j0*24L+k0*3L+l0-24] : 0.0f);
              P0[3] = V1;
              const float V2 = ((((j0 >= 1L) && (j0 < 9L)) && (k0+2 < 9L)) ? a0[j0*24L+k0*3L+l0-21] : 0.0f);
              P0[6] = V2;
              const float V3 = ((((j0 >= 1L) && (j0 < 9L)) && (k0+3 < 9L)) ? a0[j0*24L+k0*3L+l0-18] : 0.0f);
              P0[9] = V3;
              const float V4 = ((((j0 >= 1L) && (j0 < 9L)) && (k0+4 < 9L)) ? a0[j0*24L+k0*3L+l0-15] : 0.0f);
              P0[12] = V4;
            }
          }
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1 = (const float *)args[1];
      float *restrict s1 = (float *)((char *)scratch + 1216L);
      const float *restrict a1_s1_0 = (const float *)((char *)packed + 0L);
      #pragma omp for schedule(static)
      for (long h0 = 0; h0 < 8; h0 += 1) {
        for (long w0 = 0; w0 < 8; w0 += 4) {
          f32x16 acc_0_0_0, acc_0_1_0, acc_0_2_0, acc_0_3_0;
          {
            acc_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_3_0 = ((float)(0.0f) - (f32x16){0});
          }
          for (long kh1 = 0; kh1 < 3; kh1 += 1) {
            for (long kw1 = 0; kw1 < 3; kw1 += 1) {
              for (long c1 = 0; c1 < 3; c1 += 1) {
                {
                  const float *P0 = s0 + c1+h0*30L+kh1*30L+kw1*3L+w0*3L;
                  const float V0 = P0[0];
                  const float *P1 = a1_s1_0 + c1*16L+kh1*144L+kw1*48L;
                  const f32x16 V1 = *(const f32x16 *)(P1 + 0);
                  const f32x16 V2 = (V0 * V1);
                  acc_0_0_0 = (acc_0_0_0 + V2);
                  const float V3 = P0[3];
                  const f32x16 V4 = (V3 * V1);
                  acc_0_1_0 = (acc_0_1_0 + V4);
                  const float V5 = P0[6];
                  const f32x16 V6 = (V5 * V1);
                  acc_0_2_0 = (acc_0_2_0 + V6);
                  const float V7 = P0[9];
                  const f32x16 V8 = (V7 * V1);
                  acc_0_3_0 = (acc_0_3_0 + V8);
                }
              }
            }
          }
          {
            float *P0 = s1 + h0*128L+w0*16L;
            *(f32x16 *)(P0 + 0) = acc_0_0_0;
            *(f32x16 *)(P0 + 16) = acc_0_1_0;
            *(f32x16 *)(P0 + 32) = acc_0_2_0;
            *(f32x16 *)(P0 + 48) = acc_0_3_0;
          }
        }
      }
    }
    {
      const float *restrict s1 = (const float *)((char *)scratch + 1216L);
      float *restrict s3 = (float *)args[2];
      #pragma omp for schedule(static)
      for (long h0 = 0; h0 < 4; h0 += 1) {
        for (long w0 = 0; w0 < 4; w0 += 2) {
          f32x16 acc_0_0_0, acc_0_1_0;
          {
            acc_0_0_0 = ((float)(-__builtin_inff()) - (f32x16){0});
            acc_0_1_0 = ((float)(-__builtin_inff()) - (f32x16){0});
          }
          {
            const float *P0 = s1 + h0*256L+w0*32L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = relu_f32x16(V0);
            acc_0_0_0 = maximum_f32x16(acc_0_0_0, V1);
            const f32x16 V2 = *(const f32x16 *)(P0 + 32);
            const f32x16 V3 = relu_f32x16(V2);
            acc_0_1_0 = maximum_f32x16(acc_0_1_0, V3);
            const f32x16 V4 = *(const f32x16 *)(P0 + 16);
            const f32x16 V5 = relu_f32x16(V4);
            acc_0_0_0 = maximum_f32x16(acc_0_0_0, V5);
            const f32x16 V6 = *(const f32x16 *)(P0 + 48);
            const f32x16 V7 = relu_f32x16(V6);
            acc_0_1_0 = maximum_f32x16(acc_0_1_0, V7);
            const f32x16 V8 = *(const f32x16 *)(P0 + 128);
            const f32x16 V9 = relu_f32x16(V8);
            acc_0_0_0 = maximum_f32x16(acc_0_0_0, V9);
            const f32x16 V10 = *(const f32x16 *)(P0 + 160);
            const f32x16 V11 = relu_f32x16(V10);
            acc_0_1_0 = maximum_f32x16(acc_0_1_0, V11);
            const f32x16 V12 = *(const f32x16 *)(P0 + 144);
            const f32x16 V13 = relu_f32x16(V12);
            acc_0_0_0 = maximum_f32x16(acc_0_0_0, V13);
            const f32x16 V14 = *(const f32x16 *)(P0 + 176);
            const f32x16 V15 = relu_f32x16(V14);
            acc_0_1_0 = maximum_f32x16(acc_0_1_0, V15);
          }
          {
            float *P0 = s3 + h0*64L+w0*16L;
            *(f32x16 *)(P0 + 0) = acc_0_0_0;
            *(f32x16 *)(P0 + 16) = acc_0_1_0;
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
                    const long o = o_block*16L;
                    const long kh = kh_chunk*3L + kh_step;
                    const long kw = kw_chunk*3L + kw_step;
                    const long c = c_chunk*3L + c_step;
                    float *restrict to = into + o_block*432L + kh_chunk*432L + kw_chunk*432L + c_chunk*432L + kh_step*144L + kw_step*48L + c_step*16L;
                    const long filled = 1 ? (o + 16 <= 16 ? 16 : 16 - o) : 0;
                    const float *at = from + c*16L+kh*144L+kw*48L+o;
                    if (filled == 16) __builtin_memcpy(to, at, 64);
                    else
                    {
                      for (long i = 0; i < filled; i++) to[i] = at[i*1L];
                      for (long i = filled; i < 16; i++) to[i] = 0;
                    }
                  }
  }
  return 0;
}
