/* packed 0 scratch 640 bytes */
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
typedef float f32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x16 __attribute__((vector_size(128), aligned(8), may_alias));
static inline f32x16 abs_f32x16(f32x16 a) { return (f32x16)((u32x16)a & ~0x80000000u); }
static inline f32x16 scale_f32x16(f32x16 p, f32x16 n) {
#if defined(__AVX512F__)
  f32x16 y;
  __asm__("vscalefps %2, %1, %0" : "=v"(y) : "v"(p), "v"(n));
  return y;
#else
  const u32x16 both = (u32x16)(n + 12583166.0f), half = both >> 1;
  return p * (f32x16)(half << 23) * (f32x16)((both - half) << 23);
#endif
}
static inline f32x16 raise_f32x16(f32x16 a, f32x16 less) {
  const f32x16 n = (a * 1.4426950408889634f + 12583166.0f) - 12583166.0f;
  const f32x16 r = a - n * 0.693145751953125f - n * 1.4286068203094173e-06f - less;
  return scale_f32x16(1 + (r + r * r * (0.5f + r * (0.16666578f + r * (0.041666556f + r * (0.008363173f + r * (0.0013926176f)))))), n);
}
static inline f32x16 fill_f32x16(float a) { return a - (f32x16){0}; }
static inline f32x16 pick_f32x16(i32x16 c, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & c) + ((i32x16)b & ~c)); }
static inline f32x16 clamp_f32x16(f32x16 a, float low, float high) {
#if defined(__AVX512F__)
  f32x16 y;
  __asm__("vmaxps %1, %2, %0" : "=v"(y) : "v"(a), "v"(fill_f32x16(low)));
  __asm__("vminps %1, %2, %0" : "=v"(y) : "v"(y), "v"(fill_f32x16(high)));
  return y;
#else
  const f32x16 least = pick_f32x16(a < low, fill_f32x16(low), a);
  return pick_f32x16(least > high, fill_f32x16(high), least);
#endif
}
static f32x16 power_f32x16(f32x16 a) { return raise_f32x16(clamp_f32x16(a, -104.0f, 89.0f), fill_f32x16(0)); }
static inline f32x16 copysign_f32x16(f32x16 a, f32x16 b) { return (f32x16)((u32x16)a | ((u32x16)b & 0x80000000u)); }
static f32x16 tanh_f32x16(f32x16 a) {
  const f32x16 x = abs_f32x16(a), z = x * x;
  const f32x16 near = x + x * z * (-0.3333333f + z * (0.13333113f + z * (-0.05390943f + z * (0.021309389f + z * (-0.0066102277f))))), far = 1 - 2 / (power_f32x16(x + x) + 1);
  return copysign_f32x16(pick_f32x16(x < 0.55f, near, far), a);
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  char *tile = (char *)scratch + 0L;
  {
    const float *restrict a0 = (const float *)args[0];
    const float *restrict a1 = (const float *)args[1];
    float *restrict s0 = (float *)args[2];
    for (long i1 = 0; i1 < 20; i1 += 10) {
      for (long j1 = 0; j1 < 20; j1 += 16) {
        for (long k0 = 0; k0 < 24; k0 += 7) {
          for (long i2 = i1; i2 < i1 + 10; i2 += 5) {
            for (long j2 = j1; j2 < (j1 + 16 < 20 ? j1 + 16 : 20); j2 += 8) {
              if (j2 + 8 <= 20) {
                f32x4 acc_0_0, acc_0_1, acc_1_0, acc_1_1, acc_2_0, acc_2_1, acc_3_0, acc_3_1, acc_4_0, acc_4_1;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x4){0});
                    acc_0_1 = ((float)(0.0f) - (f32x4){0});
                    acc_1_0 = ((float)(0.0f) - (f32x4){0});
                    acc_1_1 = ((float)(0.0f) - (f32x4){0});
                    acc_2_0 = ((float)(0.0f) - (f32x4){0});
                    acc_2_1 = ((float)(0.0f) - (f32x4){0});
                    acc_3_0 = ((float)(0.0f) - (f32x4){0});
                    acc_3_1 = ((float)(0.0f) - (f32x4){0});
                    acc_4_0 = ((float)(0.0f) - (f32x4){0});
                    acc_4_1 = ((float)(0.0f) - (f32x4){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + -i1*16L+i2*16L-j1+j2;
                    acc_0_0 = *(f32x4 *)(M + 0);
                    acc_0_1 = *(f32x4 *)(M + 4);
                    acc_1_0 = *(f32x4 *)(M + 16);
                    acc_1_1 = *(f32x4 *)(M + 20);
                    acc_2_0 = *(f32x4 *)(M + 32);
                    acc_2_1 = *(f32x4 *)(M + 36);
                    acc_3_0 = *(f32x4 *)(M + 48);
                    acc_3_1 = *(f32x4 *)(M + 52);
                    acc_4_0 = *(f32x4 *)(M + 64);
                    acc_4_1 = *(f32x4 *)(M + 68);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 7 < 24 ? k0 + 7 : 24); k1 += 1) {
                  {
                    const float *P0 = a0 + i2*24L+k1;
                    const float V0 = P0[0];
                    const float *P1 = a1 + j2+k1*20L;
                    const f32x4 V1 = *(const f32x4 *)(P1 + 0);
                    const f32x4 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const f32x4 V3 = *(const f32x4 *)(P1 + 4);
                    const f32x4 V4 = (V0 * V3);
                    acc_0_1 = (acc_0_1 + V4);
                    const float V5 = P0[24];
                    const f32x4 V6 = (V5 * V1);
                    acc_1_0 = (acc_1_0 + V6);
                    const f32x4 V7 = (V5 * V3);
                    acc_1_1 = (acc_1_1 + V7);
                    const float V8 = P0[48];
                    const f32x4 V9 = (V8 * V1);
                    acc_2_0 = (acc_2_0 + V9);
                    const f32x4 V10 = (V8 * V3);
                    acc_2_1 = (acc_2_1 + V10);
                    const float V11 = P0[72];
                    const f32x4 V12 = (V11 * V1);
                    acc_3_0 = (acc_3_0 + V12);
                    const f32x4 V13 = (V11 * V3);
                    acc_3_1 = (acc_3_1 + V13);
                    const float V14 = P0[96];
                    const f32x4 V15 = (V14 * V1);
                    acc_4_0 = (acc_4_0 + V15);
                    const f32x4 V16 = (V14 * V3);
                    acc_4_1 = (acc_4_1 + V16);
                  }
                }
                if (k0 + 7 >= 24) {
                  {
                    float *P0 = s0 + i2*20L+j2;
                    *(f32x4 *)(P0 + 0) = acc_0_0;
                    *(f32x4 *)(P0 + 4) = acc_0_1;
                    *(f32x4 *)(P0 + 20) = acc_1_0;
                    *(f32x4 *)(P0 + 24) = acc_1_1;
                    *(f32x4 *)(P0 + 40) = acc_2_0;
                    *(f32x4 *)(P0 + 44) = acc_2_1;
                    *(f32x4 *)(P0 + 60) = acc_3_0;
                    *(f32x4 *)(P0 + 64) = acc_3_1;
                    *(f32x4 *)(P0 + 80) = acc_4_0;
                    *(f32x4 *)(P0 + 84) = acc_4_1;
                  }
                }
                else {
                  {
                    float *M = (float *)tile + -i1*16L+i2*16L-j1+j2;
                    *(f32x4 *)(M + 0) = acc_0_0;
                    *(f32x4 *)(M + 4) = acc_0_1;
                    *(f32x4 *)(M + 16) = acc_1_0;
                    *(f32x4 *)(M + 20) = acc_1_1;
                    *(f32x4 *)(M + 32) = acc_2_0;
                    *(f32x4 *)(M + 36) = acc_2_1;
                    *(f32x4 *)(M + 48) = acc_3_0;
                    *(f32x4 *)(M + 52) = acc_3_1;
                    *(f32x4 *)(M + 64) = acc_4_0;
                    *(f32x4 *)(M + 68) = acc_4_1;
                  }
                }
              }
              else {
                f32x4 acc_0_0, acc_1_0, acc_2_0, acc_3_0, acc_4_0;
                if (k0 == 0) {
                  {
                    acc_0_0 = ((float)(0.0f) - (f32x4){0});
                    acc_1_0 = ((float)(0.0f) - (f32x4){0});
                    acc_2_0 = ((float)(0.0f) - (f32x4){0});
                    acc_3_0 = ((float)(0.0f) - (f32x4){0});
                    acc_4_0 = ((float)(0.0f) - (f32x4){0});
                  }
                }
                else {
                  {
                    float *M = (float *)tile + -i1*16L+i2*16L-j1+j2;
                    acc_0_0 = *(f32x4 *)(M + 0);
                    acc_1_0 = *(f32x4 *)(M + 16);
                    acc_2_0 = *(f32x4 *)(M + 32);
                    acc_3_0 = *(f32x4 *)(M + 48);
                    acc_4_0 = *(f32x4 *)(M + 64);
                  }
                }
                for (long k1 = k0; k1 < (k0 + 7 < 24 ? k0 + 7 : 24); k1 += 1) {
                  {
                    const float *P0 = a0 + i2*24L+k1;
                    const float V0 = P0[0];
                    const float *P1 = a1 + j2+k1*20L;
                    const f32x4 V1 = *(const f32x4 *)(P1 + 0);
                    const f32x4 V2 = (V0 * V1);
                    acc_0_0 = (acc_0_0 + V2);
                    const float V3 = P0[24];
                    const f32x4 V4 = (V3 * V1);
                    acc_1_0 = (acc_1_0 + V4);
                    const float V5 = P0[48];
                    const f32x4 V6 = (V5 * V1);
                    acc_2_0 = (acc_2_0 + V6);
                    const float V7 = P0[72];
                    const f32x4 V8 = (V7 * V1);
                    acc_3_0 = (acc_3_0 + V8);
                    const float V9 = P0[96];
                    const f32x4 V10 = (V9 * V1);
                    acc_4_0 = (acc_4_0 + V10);
                  }
                }
                if (k0 + 7 >= 24) {
                  {
                    float *P0 = s0 + i2*20L+j2;
                    *(f32x4 *)(P0 + 0) = acc_0_0;
                    *(f32x4 *)(P0 + 20) = acc_1_0;
                    *(f32x4 *)(P0 + 40) = acc_2_0;
                    *(f32x4 *)(P0 + 60) = acc_3_0;
                    *(f32x4 *)(P0 + 80) = acc_4_0;
                  }
                }
                else {
                  {
                    float *M = (float *)tile + -i1*16L+i2*16L-j1+j2;
                    *(f32x4 *)(M + 0) = acc_0_0;
                    *(f32x4 *)(M + 16) = acc_1_0;
                    *(f32x4 *)(M + 32) = acc_2_0;
                    *(f32x4 *)(M + 48) = acc_3_0;
                    *(f32x4 *)(M + 64) = acc_4_0;
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  {
    const float *restrict s0 = (const float *)args[2];
    float *restrict s1 = (float *)args[3];
    for (long i0 = 0; i0 < 20; i0 += 1) {
      for (long j0 = 0; j0 < 20; j0 += 16) {
        if (j0 + 16 <= 20) {
          {
            const float *P0 = s0 + i0*20L+j0;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = tanh_f32x16(V0);
            float *P1 = s1 + i0*20L+j0;
            *(f32x16 *)(P1 + 0) = V1;
          }
        }
        else {
          {
            const float *P0 = s0 + i0*20L+j0;
            f32x16 V0 = {0};
            __builtin_memcpy(&V0, P0 + 0, 16);
            const f32x16 V1 = tanh_f32x16(V0);
            float *P1 = s1 + i0*20L+j0;
            __builtin_memcpy(P1 + 0, &V1, 16);
          }
        }
      }
    }
  }
  {
    const float *restrict s0 = (const float *)args[2];
    float *restrict s2 = (float *)args[4];
    for (long i0 = 0; i0 < 20; i0 += 16) {
      for (long j0 = 0; j0 < 20; j0 += 4) {
        if (i0 + 16 <= 20) {
          {
            const float *P0 = s0 + i0+j0*20L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            float *P1 = s2 + i0*20L+j0;
            P1[0] = V0[0];
            P1[20] = V0[1];
            P1[40] = V0[2];
            P1[60] = V0[3];
            P1[80] = V0[4];
            P1[100] = V0[5];
            P1[120] = V0[6];
            P1[140] = V0[7];
            P1[160] = V0[8];
            P1[180] = V0[9];
            P1[200] = V0[10];
            P1[220] = V0[11];
            P1[240] = V0[12];
            P1[260] = V0[13];
            P1[280] = V0[14];
            P1[300] = V0[15];
            const f32x16 V1 = *(const f32x16 *)(P0 + 20);
            P1[1] = V1[0];
            P1[21] = V1[1];
            P1[41] = V1[2];
            P1[61] = V1[3];
            P1[81] = V1[4];
            P1[101] = V1[5];
            P1[121] = V1[6];
            P1[141] = V1[7];
            P1[161] = V1[8];
            P1[181] = V1[9];
            P1[201] = V1[10];
            P1[221] = V1[11];
            P1[241] = V1[12];
            P1[261] = V1[13];
            P1[281] = V1[14];
            P1[301] = V1[15];
            const f32x16 V2 = *(const f32x16 *)(P0 + 40);
            P1[2] = V2[0];
            P1[22] = V2[1];
            P1[42] = V2[2];
            P1[62] = V2[3];
            P1[82] = V2[4];
            P1[102] = V2[5];
            P1[122] = V2[6];
            P1[142] = V2[7];
            P1[162] = V2[8];
            P1[182] = V2[9];
            P1[202] = V2[10];
            P1[222] = V2[11];
            P1[242] = V2[12];
            P1[262] = V2[13];
            P1[282] = V2[14];
            P1[302] = V2[15];
            const f32x16 V3 = *(const f32x16 *)(P0 + 60);
            P1[3] = V3[0];
            P1[23] = V3[1];
            P1[43] = V3[2];
            P1[63] = V3[3];
            P1[83] = V3[4];
            P1[103] = V3[5];
            P1[123] = V3[6];
            P1[143] = V3[7];
            P1[163] = V3[8];
            P1[183] = V3[9];
            P1[203] = V3[10];
            P1[223] = V3[11];
            P1[243] = V3[12];
            P1[263] = V3[13];
            P1[283] = V3[14];
            P1[303] = V3[15];
          }
        }
        else {
          {
            const float *P0 = s0 + i0+j0*20L;
            f32x16 V0 = {0};
            __builtin_memcpy(&V0, P0 + 0, 16);
            float *P1 = s2 + i0*20L+j0;
            P1[0] = V0[0];
            P1[20] = V0[1];
            P1[40] = V0[2];
            P1[60] = V0[3];
            f32x16 V1 = {0};
            __builtin_memcpy(&V1, P0 + 20, 16);
            P1[1] = V1[0];
            P1[21] = V1[1];
            P1[41] = V1[2];
            P1[61] = V1[3];
            f32x16 V2 = {0};
            __builtin_memcpy(&V2, P0 + 40, 16);
            P1[2] = V2[0];
            P1[22] = V2[1];
            P1[42] = V2[2];
            P1[62] = V2[3];
            f32x16 V3 = {0};
            __builtin_memcpy(&V3, P0 + 60, 16);
            P1[3] = V3[0];
            P1[23] = V3[1];
            P1[43] = V3[2];
            P1[63] = V3[3];
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
