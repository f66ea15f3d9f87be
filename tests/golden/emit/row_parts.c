/* packed 0 scratch 1728 bytes */
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
static inline f32x16 fill_f32x16(float a) { return a - (f32x16){0}; }
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
static inline f32x16 exp_f32x16(f32x16 a) {
#if defined(__AVX512DQ__)
  const f32x16 t = a * 1.4426950408889634f + 786432.0f, n = t - 786432.0f, roots = {1.0f, 1.0442737824274138f, 1.0905077326652577f, 1.1387886347566916f, 1.189207115002721f, 1.241857812073484f, 1.2968395546510096f, 1.3542555469368927f, 1.4142135623730951f, 1.4768261459394993f, 1.5422108254079407f, 1.6104903319492543f, 1.681792830507429f, 1.7562521603732995f, 1.8340080864093424f, 1.9152065613971474f};
  f32x16 root, r = a - n * 0.693145751953125f - n * 1.4286068203094173e-06f;
  __asm__("vrangeps $2, %2, %1, %0" : "=v"(r) : "v"(r), "v"(fill_f32x16(0.022f)));
  __asm__("vpermps %2, %1, %0" : "=v"(root) : "v"(t), "v"(roots));
  return scale_f32x16(root + root * (r + r * r * (0.5000098f + r * (0.1666696f))), n);
#else
  return power_f32x16(a);
#endif
}
static inline float fold_add_f32x8(f32x8 a) {
  const f32x4 a4 = (f32x4)__builtin_shufflevector(a, a, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a, a, 4, 5, 6, 7);
  const f32x4 a2 = (f32x4)__builtin_shufflevector(a4, a4, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a4, a4, 2, 3, 0, 1);
  const f32x4 a1 = (f32x4)__builtin_shufflevector(a2, a2, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a2, a2, 1, 2, 3, 0);
  return a1[0];
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    char *tile = (char *)scratch + 1600L + omp_get_thread_num() * 64L;
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      #pragma omp for schedule(static)
      for (long i0 = 0; i0 < 4; i0 += 1) {
        for (long j0 = 0; j0 < 96; j0 += 48) {
          {
            const float *P0 = a0 + i0*96L+j0;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = exp_f32x16(V0);
            float *P1 = s0 + i0*96L+j0;
            *(f32x16 *)(P1 + 0) = V1;
            const f32x16 V2 = *(const f32x16 *)(P0 + 16);
            const f32x16 V3 = exp_f32x16(V2);
            *(f32x16 *)(P1 + 16) = V3;
            const f32x16 V4 = *(const f32x16 *)(P0 + 32);
            const f32x16 V5 = exp_f32x16(V4);
            *(f32x16 *)(P1 + 32) = V5;
          }
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      float *restrict s1r = (float *)((char *)scratch + 1536L);
      #pragma omp for collapse(2) schedule(static)
      for (long f0 = 0; f0 < 2; f0 += 1)
        for (long i0 = 0; i0 < 4; i0 += 1) {
          f32x8 acc_0_0_0, acc_0_0_1;
          {
            acc_0_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_0_1 = ((float)(0.0f) - (f32x8){0});
          }
          for (long j1 = 0; j1 < 48; j1 += 16) {
            {
              const float *P0 = s0 + f0*48L+i0*96L+j1;
              const f32x8 V0 = *(const f32x8 *)(P0 + 0);
              acc_0_0_0 = (acc_0_0_0 + V0);
              const f32x8 V1 = *(const f32x8 *)(P0 + 8);
              acc_0_0_1 = (acc_0_0_1 + V1);
            }
          }
          {
            float *P0 = s1r + f0*4L+i0;
            P0[0] = fold_add_f32x8((acc_0_0_0 + acc_0_0_1));
          }
        }
    }
    {
      float *restrict s1 = (float *)(tile + 0L);
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      float *restrict s2 = (float *)args[1];
      #pragma omp for schedule(static)
      for (long i0 = 0; i0 < 4; i0 += 1) {
        for (long j0 = 0; j0 < 96; j0 += 48) {
          const long i_s1 = i0 < 3 ? i0 : 3;
          {
            const float *restrict s1r = (const float *)((char *)scratch + 1536L);
            float acc_0;
            {
              acc_0 = 0.0f;
            }
            {
              const float *P0 = s1r + i_s1;
              const float V0 = P0[0];
              acc_0 = (acc_0 + V0);
              const float V1 = P0[4];
              acc_0 = (acc_0 + V1);
            }
            {
              s1[0] = acc_0;
            }
          }
          {
            const float *P0 = s0 + i0*96L+j0;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const float *P1 = s1 + i0-i_s1;
            const float V1 = P1[0];
            const f32x16 V2 = (V0 / V1);
            float *P2 = s2 + i0*96L+j0;
            *(f32x16 *)(P2 + 0) = V2;
            const f32x16 V3 = *(const f32x16 *)(P0 + 16);
            const f32x16 V4 = (V3 / V1);
            *(f32x16 *)(P2 + 16) = V4;
            const f32x16 V5 = *(const f32x16 *)(P0 + 32);
            const f32x16 V6 = (V5 / V1);
            *(f32x16 *)(P2 + 32) = V6;
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
