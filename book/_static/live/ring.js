// A GAN on a ring of eight Gaussians that trains in the page (chapter 1.2).
//
// The same networks, losses, optimizer and criterion as helpers/experiments/ch1_2_ring.py: two hidden layers of 48,
// Adam, batches of 64, alternating steps. `Live.ring` computes and knows no page; the second half of the file draws.
"use strict";

Live.ring = (() => {
  const { softplus, sigmoid, randomNumbers } = Live.math;
  const MODES = 8, RADIUS = 2, SIGMA = 0.1, LATENT = 8, WIDTH = 48, BATCH = 64, LEAST = 0.03, BETA2 = 0.99;
  const CENTRES = Array.from({ length: MODES }, (_, i) => {
    const angle = (2 * Math.PI * i) / MODES;
    return [RADIUS * Math.cos(angle), RADIUS * Math.sin(angle)];
  });
  // What results/1-2-ring.json measured eight pairs of: rates of generator and discriminator, Adam's beta1, R1.
  const PRESETS = {
    collapse: { rateG: 5e-4, rateD: 5e-3, beta1: 0, r1: 0, loss: "non-saturating" },
    cured: { rateG: 5e-4, rateD: 5e-3, beta1: 0, r1: 0.1, loss: "non-saturating" },
  };

  function normals(count, random) {
    return Float64Array.from({ length: count }, random.normal);
  }

  function ring(n, random) {
    const x = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) {
      const [cx, cy] = CENTRES[Math.floor(MODES * random.uniform())];
      x[2 * i] = cx + SIGMA * random.normal();
      x[2 * i + 1] = cy + SIGMA * random.normal();
    }
    return x;
  }

  // C[i, j] += Σ A[i, k] B[k, j] over `inner` places k; C has n rows of m. The matrices lie in flat arrays: A[i, k] at
  // i·ai + k·ak, B[k, j] at k·bk + j·bj, so a transposed matrix needs no copy. Four columns at a time share what is
  // read of A.
  function addProduct(C, n, m, A, ai, ak, B, bk, bj, inner) {
    for (let i = 0; i < n; i++) {
      const start = i * ai, end = start + inner * ak;
      let j = 0;
      for (; j + 3 < m; j += 4) {
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (let a = start, b = j * bj; a < end; a += ak, b += bk) {
          const v = A[a];
          if (v === 0) continue; // what ReLU has stopped
          s0 += v * B[b];
          s1 += v * B[b + bj];
          s2 += v * B[b + 2 * bj];
          s3 += v * B[b + 3 * bj];
        }
        const c = i * m + j;
        C[c] += s0;
        C[c + 1] += s1;
        C[c + 2] += s2;
        C[c + 3] += s3;
      }
      for (; j < m; j++) {
        let s = 0;
        for (let a = start, b = j * bj; a < end; a += ak, b += bk) s += A[a] * B[b];
        C[i * m + j] += s;
      }
    }
  }

  // A network of linear layers with ReLU between them. All its numbers lie in one array, `values`; W[l] and b[l] are
  // windows on it, and so are the gradients' gW[l] and gb[l] on `slopes`. W[l] has a row for each output.
  class Network {
    constructor(sizes, random) {
      this.sizes = sizes;
      this.depth = sizes.length - 1;
      let total = 0;
      for (let l = 1; l < sizes.length; l++) total += (sizes[l - 1] + 1) * sizes[l];
      this.values = new Float64Array(total);
      this.slopes = new Float64Array(total);
      [this.W, this.b, this.gW, this.gb] = [[], [], [], []];
      let at = 0;
      for (let l = 1; l < sizes.length; l++) {
        const weights = sizes[l - 1] * sizes[l], bound = 1 / Math.sqrt(sizes[l - 1]); // PyTorch's first weights
        for (const [list, array] of [[this.W, this.values], [this.gW, this.slopes]])
          list[l] = array.subarray(at, at + weights);
        for (const [list, array] of [[this.b, this.values], [this.gb, this.slopes]])
          list[l] = array.subarray(at + weights, at + weights + sizes[l]);
        for (let i = at; i < at + weights + sizes[l]; i++) this.values[i] = bound * (2 * random.uniform() - 1);
        at += weights + sizes[l];
      }
    }

    // Arrays for a batch of n: a[l] what layer l gives, d[l] the gradient there before ReLU, t[l] a tangent (see
    // `penalty`).
    room(n) {
      const arrays = () => this.sizes.map((size) => new Float64Array(n * size));
      return { n, a: arrays(), d: arrays(), t: arrays() };
    }

    forward(x, room) {
      room.a[0] = x;
      for (let l = 1; l <= this.depth; l++) {
        const y = room.a[l], b = this.b[l];
        for (let i = 0; i < y.length; i += b.length) y.set(b, i);
        this.through(l, room.a[l - 1], y, room.n);
        if (l < this.depth) for (let i = 0; i < y.length; i++) if (y[i] < 0) y[i] = 0;
      }
      return room.a[this.depth];
    }

    // y += x Wᵀ, with the weights of layer l.
    through(l, x, y, n) {
      const inputs = this.sizes[l - 1];
      addProduct(y, n, this.sizes[l], x, inputs, 1, this.W[l], 1, inputs, inputs);
    }

    // The gradient for W of layer l: the products of what comes back to its outputs and what stands at its inputs,
    // added up over the batch.
    learn(l, back, x, n) {
      const inputs = this.sizes[l - 1], outputs = this.sizes[l];
      addProduct(this.gW[l], outputs, inputs, back, 1, outputs, x, inputs, 1, n);
    }

    // From the gradient at the scores, room.d[depth], back to the inputs, room.d[0]. With `learning`, the gradients of
    // weights and biases are added to `slopes`. Where ReLU gave 0, nothing comes back.
    backward(room, learning) {
      for (let l = this.depth; l >= 1; l--) {
        const inputs = this.sizes[l - 1], outputs = this.sizes[l];
        const x = room.a[l - 1], back = room.d[l], lower = room.d[l - 1].fill(0);
        addProduct(lower, room.n, inputs, back, outputs, 1, this.W[l], inputs, 1, outputs);
        if (l > 1) for (let i = 0; i < lower.length; i++) if (x[i] <= 0) lower[i] = 0;
        if (!learning) continue;
        this.learn(l, back, x, room.n);
        for (let i = 0; i < back.length; i++) this.gb[l][i % outputs] += back[i];
      }
      return room.d[0];
    }

    // R1: weight/2 times the mean of |g|², with g the gradient of the score at a real point. Adds the penalty's
    // gradient to `slopes`, and returns the penalty.
    //
    // How does |g|² depend on the weights? Write m for the 0s and 1s that say which units ReLU lets through. Then
    //   g = W1ᵀ m1 W2ᵀ m2 W3ᵀ.
    // A small change of the weights leaves m as it is, since ReLU is straight on both sides of its kink: no second
    // derivative appears, the biases do not matter, and g is linear in each W. With c = weight/n · g, held constant,
    // the penalty has the gradient of c·g = W3 m2 W2 m1 W1 c. So send c *forward* through the same layers, without
    // biases and with the same m: t0 = c, t1 = m1 W1 t0, t2 = m2 W2 t1. The gradient for W of a layer is the product
    // of what comes back to its output, d, and the tangent at its input, t. PyTorch's `create_graph=True` does the same.
    penalty(room, weight) {
      const { n, t } = room;
      room.d[this.depth].fill(1);
      const g = this.backward(room, false);
      let squares = 0;
      for (let i = 0; i < g.length; i++) {
        squares += g[i] * g[i];
        t[0][i] = (weight / n) * g[i];
      }
      for (let l = 1; l <= this.depth; l++) {
        this.learn(l, room.d[l], t[l - 1], n);
        this.through(l, t[l - 1], t[l].fill(0), n);
        if (l < this.depth) for (let i = 0; i < t[l].length; i++) if (room.a[l][i] <= 0) t[l][i] = 0;
      }
      return ((weight / 2) * squares) / n;
    }
  }

  class Adam {
    constructor(network) {
      this.network = network;
      this.mean = new Float64Array(network.values.length);
      this.square = new Float64Array(network.values.length);
      this.left1 = this.left2 = 1; // the products of the betas: how much of the zeros at the start is left
    }

    step(rate, beta1) {
      const { values, slopes } = this.network, { mean, square } = this;
      this.left1 *= beta1;
      this.left2 *= BETA2;
      for (let i = 0; i < values.length; i++) {
        mean[i] = beta1 * mean[i] + (1 - beta1) * slopes[i];
        square[i] = BETA2 * square[i] + (1 - BETA2) * slopes[i] * slopes[i];
        values[i] -= (rate * mean[i]) / (1 - this.left1) / (Math.sqrt(square[i] / (1 - this.left2)) + 1e-8);
      }
      slopes.fill(0);
    }
  }

  // What the generator lowers, and its derivative by the score. The discriminator's loss is the same in both.
  const GENERATOR = {
    "non-saturating": [(s) => softplus(-s), (s) => -sigmoid(-s)],
    minimax: [(s) => -softplus(s), (s) => -sigmoid(s)],
  };

  class Pair {
    constructor(seed = 1) {
      this.random = randomNumbers(seed);
      this.generator = new Network([LATENT, WIDTH, WIDTH, 2], this.random);
      this.discriminator = new Network([2, WIDTH, WIDTH, 1], this.random);
      this.adamG = new Adam(this.generator);
      this.adamD = new Adam(this.discriminator);
      this.shown = { z: normals(1000 * LATENT, this.random), room: this.generator.room(1000) };
      this.rooms = [this.generator.room(BATCH), this.discriminator.room(BATCH), this.discriminator.room(BATCH)];
      this.steps = 0;
    }

    // The discriminator's gradients, in its `slopes`; returns its loss (without the penalty).
    discriminatorSlopes(real, fake, r1) {
      const [, roomReal, roomFake] = this.rooms, D = this.discriminator;
      let loss = 0;
      for (const [x, room, sign] of [[real, roomReal, -1], [fake, roomFake, 1]]) {
        const scores = D.forward(x, room), d = room.d[D.depth];
        for (let i = 0; i < room.n; i++) {
          loss += softplus(sign * scores[i]) / room.n;
          d[i] = (sign * sigmoid(sign * scores[i])) / room.n;
        }
        D.backward(room, true);
      }
      if (r1) D.penalty(roomReal, r1);
      return loss;
    }

    // The generator's gradients, through the discriminator, which keeps its own `slopes` at zero.
    generatorSlopes(fake, kind) {
      const [roomG, , roomFake] = this.rooms, D = this.discriminator, [value, slope] = GENERATOR[kind];
      const scores = D.forward(fake, roomFake), d = roomFake.d[D.depth];
      let loss = 0;
      for (let i = 0; i < roomFake.n; i++) {
        loss += value(scores[i]) / roomFake.n;
        d[i] = slope(scores[i]) / roomFake.n;
      }
      roomG.d[this.generator.depth].set(D.backward(roomFake, false));
      this.generator.backward(roomG, true);
      return loss;
    }

    step(settings, real = ring(BATCH, this.random), z = normals(BATCH * LATENT, this.random)) {
      const fake = this.generator.forward(z, this.rooms[0]);
      const lossD = this.discriminatorSlopes(real, fake, settings.r1);
      this.adamD.step(settings.rateD, settings.beta1);
      const lossG = this.generatorSlopes(fake, settings.loss);
      this.adamG.step(settings.rateG, settings.beta1);
      this.steps++;
      return [lossD, lossG];
    }

    // Samples of a thousand z that stay the same, and how many modes they cover at which quality.
    look() {
      const samples = this.generator.forward(this.shown.z, this.shown.room);
      return { samples, ...coverage(samples) };
    }

    // D's probability for "real" on a grid of cells over [-edge, edge]², the first row on top.
    map(cells, edge) {
      if (!this.grid || this.grid.length !== 2 * cells * cells) {
        this.grid = new Float64Array(2 * cells * cells);
        this.gridRoom = this.discriminator.room(cells * cells);
      }
      for (let i = 0; i < cells * cells; i++) {
        this.grid[2 * i] = edge * ((2 * (i % cells) + 1) / cells - 1);
        this.grid[2 * i + 1] = edge * (1 - (2 * Math.floor(i / cells) + 1) / cells);
      }
      return this.discriminator.forward(this.grid, this.gridRoom).map(sigmoid);
    }
  }

  // A mode is covered if at least 3 % of the samples are nearest to it and within 3 σ; quality is the share within 3 σ
  // of any.
  function coverage(samples) {
    const n = samples.length / 2, hits = new Array(MODES).fill(0);
    for (let i = 0; i < n; i++) {
      let nearest = 0, least = Infinity;
      for (let m = 0; m < MODES; m++) {
        const distance = Math.hypot(samples[2 * i] - CENTRES[m][0], samples[2 * i + 1] - CENTRES[m][1]);
        if (distance < least) [nearest, least] = [m, distance];
      }
      if (least < 3 * SIGMA) hits[nearest]++;
    }
    const covered = hits.map((h) => h / n >= LEAST);
    return { covered, modes: covered.filter(Boolean).length, quality: hits.reduce((a, b) => a + b, 0) / n };
  }

  return { MODES, RADIUS, SIGMA, BATCH, LATENT, CENTRES, PRESETS, Network, Adam, Pair, ring, coverage };
})();

Live.pieces.ring = (body) => {
  const { element, slider, choice, button, range, fixed, percent, calm } = Live;
  const { canvas, axes, ends, curve } = Live.plot;
  const { PRESETS, CENTRES, SIGMA, MODES } = Live.ring;
  const EDGE = 3, CELLS = 40, LENGTH = 5000, MEAN_OF = 50, DRAWN = 500;
  const RATES = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2];
  const WEIGHTS = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

  const REAL = Live.ring.ring(240, Live.math.randomNumbers(0));
  let pair, seen, losses, looks, sums;

  const settings = () => ({
    rateG: rateG.value, rateD: rateD.value, beta1: beta1.value, r1: r1.value, loss: loss.value,
  });
  const rateG = slider("Learning rate of G", RATES, 5e-4, () => {});
  const rateD = slider("Learning rate of D", RATES, 5e-3, () => {});
  const beta1 = slider("Adam's momentum β₁", range(0, 0.9, 0.1), 0, () => {});
  const r1 = slider("Weight of R1", WEIGHTS, 0, () => {});
  const loss = choice("Loss of G", ["non-saturating", "minimax"], "non-saturating", () => redraw());
  const seed = slider("Random start", range(1, 8, 1), 1, () => reset());

  function reset() {
    run.pause();
    pair = new Live.ring.Pair(seed.value);
    [losses, looks, sums] = [[], [], [0, 0]];
    look();
    say("Ready at step 0.");
  }

  function preset(name) {
    const wanted = PRESETS[name];
    for (const [key, control] of Object.entries({ rateG, rateD, beta1, r1, loss })) control.set(wanted[key]);
    reset();
    run.play();
  }

  function train() {
    const values = pair.step(settings());
    values.forEach((value, i) => (sums[i] += value / MEAN_OF));
    if (pair.steps % MEAN_OF === 0) {
      losses.push(sums);
      sums = [0, 0];
      const { modes, quality } = (seen = pair.look());
      looks.push([modes, quality]);
    }
  }

  function look() {
    seen = pair.look();
    redraw();
  }

  // As many steps as fit between two pictures. Where the reader wants less motion, there are few pictures.
  function turn() {
    const until = performance.now() + (calm() ? 1000 : 50);
    do train();
    while (performance.now() < until && pair.steps % LENGTH);
    look();
    if (pair.steps % LENGTH === 0) run.pause();
  }
  const turned = (playing) => say(playing ? "Training." : `Stopped at step ${steps()}: ${inWords()}.`);
  const run = Live.player(body, turn, { name: "Start", auto: false, turned });
  const once = button("One step", () => {
    run.pause();
    train();
    look();
    say(`Step ${steps()}: ${inWords()}.`);
  });
  const steps = () => pair.steps.toLocaleString("en");
  const inWords = () => `${seen.modes} of ${MODES} modes covered, quality ${percent(seen.quality)}`;

  // --- pictures ---
  const plane = canvas(() => 1, drawPlane);
  const curves = canvas(() => 1, drawCurves);

  // The discriminator's opinion as a small picture, a pixel a cell, which is drawn larger and smoothed.
  const ground = element("canvas", { width: CELLS, height: CELLS });
  function tint(colour) {
    const context = ground.getContext("2d"), image = context.createImageData(CELLS, CELLS);
    const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const hues = [parts(colour.blue), parts(colour.orange)];
    pair.map(CELLS, EDGE).forEach((probability, i) =>
      image.data.set([...hues[Number(probability > 0.5)], 230 * Math.abs(probability - 0.5)], 4 * i));
    context.putImageData(image, 0, 0);
  }

  function drawPlane(context, width, height, colour) {
    const side = Math.min(width, height), scale = side / (2 * EDGE);
    const X = (v) => (v + EDGE) * scale, Y = (v) => (EDGE - v) * scale;
    tint(colour);
    context.drawImage(ground, 0, 0, side, side);
    const dots = (points, count, hue, size) => {
      context.fillStyle = hue;
      for (let i = 0; i < count; i++)
        context.fillRect(X(points[2 * i]) - size / 2, Y(points[2 * i + 1]) - size / 2, size, size);
    };
    dots(REAL, REAL.length / 2, colour.green, 3);
    CENTRES.forEach(([x, y], i) => {
      context.lineWidth = seen.covered[i] ? 2.5 : 1;
      context.strokeStyle = colour.text;
      context.beginPath();
      context.arc(X(x), Y(y), 3 * SIGMA * scale, 0, 2 * Math.PI);
      context.stroke();
    });
    dots(seen.samples, DRAWN, colour.text, 2);
  }

  function drawCurves(context, width, height, colour) {
    const last = LENGTH * Math.max(1, Math.ceil(pair.steps / LENGTH));
    const plot = { x: [0, last], xticks: [0, last / 2, last] };
    const left = 34, right = width - 60, half = (height - 110) / 2;
    const lowest = loss.value === "minimax" ? -2 : 0;
    const first = axes(context, colour, {
      ...plot, box: [left, 24, right - left, half], y: [lowest, 3], yticks: range(lowest, 3, 1), xticks: [],
      title: "losses (dotted: D undecided)",
    });
    const rest = [2 * Math.log(2), loss.value === "minimax" ? -Math.log(2) : Math.log(2)];
    ends(context, ["orange", "blue"].flatMap((hue, i) => {
      curve(context, first, [[0, rest[i]], [last, rest[i]]], colour[hue], [2, 4]);
      return named(context, first, losses.map((row) => row[i]), colour[hue], "DG"[i]);
    }));
    const second = axes(context, colour, {
      ...plot, box: [left, 64 + half, right - left, half], y: [0, 8.4], yticks: [0, 2, 4, 6, 8], xlabel: "step",
      title: "modes covered, and quality in eighths",
    });
    ends(context, [
      ...named(context, second, looks.map(([modes]) => modes), colour.text, "modes"),
      ...named(context, second, looks.map(([, quality]) => 8 * quality), colour.green, "quality"),
    ]);
  }

  // Draws a curve, and returns its name and where it ends.
  function named(context, place, values, colour, name) {
    if (!values.length) return [];
    const points = values.map((value, i) => [MEAN_OF * (i + 1), value]), [x, y] = points[points.length - 1];
    curve(context, place, points, colour);
    return [[name, place.X(x), Math.min(Math.max(place.Y(y), place.top + 4), place.bottom - 4), colour]];
  }

  const told = Live.numbers("step", "modes covered", "quality", "loss of D", "loss of G");
  function redraw() {
    const recent = losses.length ? losses[losses.length - 1].map((v) => fixed(v, 2)) : ["–", "–"];
    told.set(steps(), `${seen.modes} of ${MODES}`, percent(seen.quality), ...recent);
    plane.describe(
      "A plane with eight circles around the modes of the data, samples as dots and the discriminator's opinion as a " +
      `tint. Step ${steps()}: ${inWords()}.`);
    curves.describe(`Losses of D and G, modes covered and quality over ${steps()} steps.`);
    plane.redraw();
    curves.redraw();
  }

  const status = element("p", { class: "live-status", role: "status" });
  const say = (text) => (status.textContent = text);

  body.append(
    element("div", { class: "live-row" }, run.node, once, button("Reset", reset),
      button("Preset: collapse", () => preset("collapse")), button("Preset: cured", () => preset("cured"))),
    element("div", { class: "live-controls" }, ...[rateG, rateD, beta1, r1, loss, seed].map((c) => c.node)),
    element("div", { class: "live-panels" }, plane.node, curves.node), told.node, status);
  reset();
};
