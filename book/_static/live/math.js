// What the computing parts of several pieces share.
"use strict";

globalThis.Live ??= { pieces: {} }; // node has no page
Live.math = {
  softplus: (s) => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))),
  sigmoid: (s) => (1 + Math.tanh(s / 2)) / 2,

  // Random numbers that a seed repeats on every machine: mulberry32 for uniform ones, Box and Muller for normal ones.
  randomNumbers(seed) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  },
};
