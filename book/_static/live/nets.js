// The networks of the live pieces: the generator of helpers/models/gan.py and the ResNet-18 of helpers/models/resnet.py,
// forwards only. A map is {data, size, channels}: the channels of a place lie side by side in memory, so that the
// innermost loop of every layer walks through two arrays without a jump.
"use strict";

(() => {
  const map = (size, channels) => ({ data: new Float32Array(size * size * channels), size, channels });

  // --- weights -------------------------------------------------------------------------------------

  // helpers.book.live wrote whole numbers, deflated, in base64: a page that was opened from a file may load a script,
  // but no other data.
  async function unpack({ tensors, bytes }, base = {}) {
    const stream = new Blob([bytesOf(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const upper = planes.length / 2; // all lower bytes come first, then all upper ones
    const read = {};
    let at = 0;
    for (const { name, shape, step } of tensors) {
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      for (let i = 0; i < values.length; i++, at++) {
        const code = planes[at] + 256 * planes[upper + at];
        const whole = code & 1 ? -(code + 1) / 2 : code / 2; // 0, 1, 2, 3 … stand for 0, −1, 1, −2 …
        values[i] = whole * step + (base[name] ? base[name].data[i] : 0);
      }
      read[name] = { data: values, shape };
    }
    return read;
  }

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  // --- layers --------------------------------------------------------------------------------------

  // Each input cell lays down a multiple of the kernel, `stride` cells after its neighbour's; copies add where they overlap.
  function transposedConvolution(input, kernel, stride, padding) {
    const [side, , inputs, outputs] = kernel.shape;
    const output = map((input.size - 1) * stride - 2 * padding + side, outputs);
    const weights = kernel.data;
    const sums = output.data;
    for (let y = 0; y < input.size; y++) {
      for (let x = 0; x < input.size; x++) {
        for (let i = 0; i < inputs; i++) {
          const value = input.data[(y * input.size + x) * inputs + i];
          if (value === 0) continue; // behind a ReLU about half of them are
          for (let ky = 0; ky < side; ky++) {
            const toY = y * stride - padding + ky;
            if (toY < 0 || toY >= output.size) continue;
            for (let kx = 0; kx < side; kx++) {
              const toX = x * stride - padding + kx;
              if (toX < 0 || toX >= output.size) continue;
              const to = (toY * output.size + toX) * outputs;
              const from = ((ky * side + kx) * inputs + i) * outputs;
              for (let o = 0; o < outputs; o++) sums[to + o] += value * weights[from + o];
            }
          }
        }
      }
    }
    return output;
  }

  function convolution(input, kernel, stride) {
    const [side, , inputs, outputs] = kernel.shape;
    const padding = (side - 1) / 2;
    const output = map(Math.ceil(input.size / stride), outputs);
    const weights = kernel.data;
    const sums = output.data;
    for (let y = 0; y < output.size; y++) {
      for (let x = 0; x < output.size; x++) {
        const to = (y * output.size + x) * outputs;
        for (let ky = 0; ky < side; ky++) {
          const fromY = y * stride - padding + ky;
          if (fromY < 0 || fromY >= input.size) continue;
          for (let kx = 0; kx < side; kx++) {
            const fromX = x * stride - padding + kx;
            if (fromX < 0 || fromX >= input.size) continue;
            for (let i = 0; i < inputs; i++) {
              const value = input.data[(fromY * input.size + fromX) * inputs + i];
              if (value === 0) continue;
              const from = ((ky * side + kx) * inputs + i) * outputs;
              for (let o = 0; o < outputs; o++) sums[to + o] += value * weights[from + o];
            }
          }
        }
      }
    }
    return output;
  }

  // In place, as all that follows: what batch norm leaves of itself when its scale is part of the kernel is this bias.
  function addBias(x, bias) {
    for (let i = 0; i < x.data.length; i++) x.data[i] += bias[i % x.channels];
    return x;
  }

  function relu(x) {
    for (let i = 0; i < x.data.length; i++) if (x.data[i] < 0) x.data[i] = 0;
    return x;
  }

  function softmax(logits) {
    const highest = Math.max(...logits); // exp of a large number would overflow
    const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }

  // --- networks ------------------------------------------------------------------------------------

  // A latent vector → 32×32 values from −1 to 1. net: {kernels: {0: …, 1: …}, layers: [{stride, padding, bias}, …]}.
  function generate(net, latent) {
    let x = { data: Float32Array.from(latent), size: 1, channels: latent.length };
    net.layers.forEach(({ stride, padding, bias }, i) => {
      x = addBias(transposedConvolution(x, net.kernels[i], stride, padding), bias);
      if (i < net.layers.length - 1) relu(x);
    });
    return x.data.map(Math.tanh);
  }

  // The generator on the line from `a`, at t = 0, to `b`, at 1. Weights and statistics are mixed as they were trained, and
  // batch norm is folded afterwards: the middle of two folded kernels would be another network.
  function mixGenerators(a, b, t) {
    const lerp = (one, two) => one.map((value, i) => value + t * (two[i] - value));
    const kernels = {};
    const layers = a.layers.map((one, i) => {
      const two = b.layers[i];
      const { shape, data } = a.kernels[i];
      const weights = lerp(data, b.kernels[i].data);
      let bias = lerp(one.bias, two.bias);
      if (one.gain) {
        const [gain, mean, variance] = ["gain", "mean", "variance"].map((key) => lerp(one[key], two[key]));
        const scale = gain.map((value, o) => value / Math.sqrt(variance[o] + one.eps));
        for (let w = 0; w < weights.length; w++) weights[w] *= scale[w % scale.length];
        bias = bias.map((value, o) => value - mean[o] * scale[o]);
      }
      kernels[i] = { shape, data: weights };
      return { stride: one.stride, padding: one.padding, bias };
    });
    return { kernels, layers };
  }

  // An image of 32×32 values from 0 to 1 → the probabilities of the ten digits. net: {kernels, biases, mean, std}.
  function classify(net, image) {
    const layer = (x, name, stride = 1) => addBias(convolution(x, net.kernels[name], stride), net.biases[name]);
    const block = (x, name, stride) => {
      const output = layer(relu(layer(x, `${name}.conv1`, stride)), `${name}.conv2`);
      const past = net.kernels[`${name}.shortcut`] ? layer(x, `${name}.shortcut`, stride) : x;
      output.data.forEach((value, i) => (output.data[i] = value + past.data[i]));
      return relu(output);
    };
    const normalised = Float32Array.from(image, (value) => (value - net.mean) / net.std);
    let x = relu(layer({ data: normalised, size: Math.sqrt(image.length), channels: 1 }, "conv1", 2));
    for (const stage of [1, 2, 3, 4]) {
      x = block(x, `layer${stage}.0`, stage > 1 ? 2 : 1); // the first block of a stage halves the map
      x = block(x, `layer${stage}.1`, 1);
    }
    const { data: weights } = net.kernels.fc;
    const logits = net.biases.fc.slice();
    const places = x.size * x.size;
    x.data.forEach((value, i) => {
      const from = (i % x.channels) * logits.length; // the mean over the places, then the head
      for (let c = 0; c < logits.length; c++) logits[c] += (value / places) * weights[from + c];
    });
    return softmax(logits);
  }

  // --- the latent space ------------------------------------------------------------------------------

  // Along the great circle: the straight line leaves the shell on which a normal distribution has its samples.
  function slerp(a, b, t) {
    const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
    const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));
    if (Math.sin(angle) < 1e-4) return a.map((value, i) => (1 - t) * value + t * b[i]);
    return a.map((value, i) => (Math.sin((1 - t) * angle) * value + Math.sin(t * angle) * b[i]) / Math.sin(angle));
  }

  // Standard normal numbers that are the same for a seed on every machine.
  const normals = (seed, n) => Array.from({ length: n }, Live.math.randomNumbers(seed).normal);

  globalThis.Live ??= {}; // node has no page
  Live.nets = { unpack, bytesOf, generate, mixGenerators, classify, slerp, normals };
})();
