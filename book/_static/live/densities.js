// Two densities on a line, the best discriminator between them, and their distances (chapter 2.2).
"use strict";

Live.densities = (() => {
  const { softplus } = Live.math;
  // The chapter's grid and data. A density is a list of [share, mean, standard deviation].
  const LOW = -8, HIGH = 8, STEP = 0.01, COUNT = 1601;
  const REAL = { "one hill": [[1, 2, 0.5]], "two hills": [[0.5, -1.5, 0.4], [0.5, 1.5, 0.4]] };
  const at = (i) => LOW + STEP * i;

  // log p(x): the logarithm of the sum, so that nothing underflows far away from a hill.
  function logDensity(parts, x) {
    const logs = parts.map(([share, mean, spread]) =>
      Math.log(share / (spread * Math.sqrt(2 * Math.PI))) - 0.5 * ((x - mean) / spread) ** 2);
    const most = Math.max(...logs);
    return most + Math.log(logs.reduce((sum, v) => sum + Math.exp(v - most), 0));
  }

  // The best discriminator, p / (p + q), from its score log p − log q.
  const best = (parts, other, x) => 1 / (1 + Math.exp(logDensity(other, x) - logDensity(parts, x)));

  const logs = (parts) => Float64Array.from({ length: COUNT }, (_, i) => logDensity(parts, at(i)));

  // All distances, as sums over the grid. `p` and `q` are arrays of log densities.
  function distances(p, q) {
    let [js, klPQ, klQP, tv, w1, value, sumP, sumQ] = new Array(8).fill(0);
    for (let i = 0; i < COUNT; i++) {
      const a = Math.exp(p[i]) * STEP, b = Math.exp(q[i]) * STEP, score = p[i] - q[i];
      const logD = -softplus(-score), logOther = -softplus(score); // log D*, log(1 − D*)
      value += a * logD + b * logOther;
      js += 0.5 * (a * (logD + Math.LN2) + b * (logOther + Math.LN2)); // since D* = p / 2m
      klPQ += a * score;
      klQP -= b * score;
      tv += 0.5 * Math.abs(a - b);
      sumP += a;
      sumQ += b;
      w1 += STEP * Math.abs(sumP - sumQ); // on a line: the area between the distribution functions
    }
    return { js, klPQ, klQP, tv, w1, value };
  }

  return { LOW, HIGH, STEP, COUNT, REAL, at, logDensity, logs, best, distances };
})();

Live.pieces.densities = (body) => {
  const { element, slider, choice, range, fixed, percent } = Live;
  const { canvas, axes, write, disc, inside, curve, ends } = Live.plot;
  const { REAL, COUNT, at, logs, best, distances } = Live.densities;
  const X = [-5, 5], TICKS = [-4, -2, 0, 2, 4];
  let p, q, now, along;

  const real = choice("Data", Object.keys(REAL), "one hill", update);
  const mean = slider("Mean of the fakes", range(-4, 4, 0.1), 0, update, (v) => fixed(v, 1));
  const spread = slider("Standard deviation", range(0.1, 2, 0.05), 1, update, (v) => fixed(v, 2));

  const fakes = (m = mean.value) => [[1, m, spread.value]];
  const told = Live.numbers(
    "Jensen–Shannon", "V(D*, G)", "KL(data ‖ fakes)", "KL(fakes ‖ data)", "total variation", "Wasserstein-1");

  function update() {
    p = logs(REAL[real.value]);
    q = logs(fakes());
    now = distances(p, q);
    along = range(-4, 4, 0.2).map((m) => [m, distances(p, logs(fakes(m)))]);
    const big = (v) => (v < 100 ? v.toFixed(2) : v.toFixed(0));
    told.set(
      now.js.toFixed(3), fixed(now.value, 3), big(now.klPQ), big(now.klQP), now.tv.toFixed(3), now.w1.toFixed(2));
    const where = `Fakes with mean ${fixed(mean.value, 1)} and standard deviation ${spread.value.toFixed(2)}`;
    density.describe(`${where} against the data, ${real.value}. They share ${percent(1 - now.tv)} of their area.`);
    discriminator.describe(
      `D* over x: ${[-2, 0, 2].map((x) => `${best(REAL[real.value], fakes(), x).toFixed(2)} at ${x}`).join(", ")}.`);
    shift.describe("Distances while the mean moves. Here: " +
      `Jensen–Shannon ${now.js.toFixed(3)}, of at most 0.693, and Wasserstein-1 ${now.w1.toFixed(2)}.`);
    for (const picture of [density, discriminator, shift]) picture.redraw();
  }

  // --- pictures ---
  const density = canvas(() => 0.62, drawDensities);
  const discriminator = canvas(() => 0.62, drawDiscriminator);
  const shift = canvas((width) => (width > 500 ? 0.36 : 0.62), drawShift);

  const box = (width, height) => [34, 24, width - 46, height - 66];
  const overGrid = (f) => Array.from({ length: COUNT }, (_, i) => [at(i), f(i)]);

  function drawDensities(context, width, height, colour) {
    const highest = Math.max(1, Math.ceil(1.05 * Math.max(...q.map(Math.exp))));
    const place = axes(context, colour, {
      box: box(width, height), x: X, y: [0, highest], xticks: TICKS, yticks: [0, highest / 2, highest], xlabel: "x",
      title: "densities (shaded: what they share)",
    });
    context.fillStyle = colour.muted;
    context.globalAlpha = 0.3;
    inside(context, place, () => {
      context.beginPath();
      context.moveTo(place.X(at(0)), place.bottom);
      for (let i = 0; i < COUNT; i++) context.lineTo(place.X(at(i)), place.Y(Math.exp(Math.min(p[i], q[i]))));
      context.lineTo(place.X(at(COUNT - 1)), place.bottom);
      context.fill();
    });
    context.globalAlpha = 1;
    curve(context, place, overGrid((i) => Math.exp(p[i])), colour.blue);
    curve(context, place, overGrid((i) => Math.exp(q[i])), colour.orange, [7, 3]);
    context.fillStyle = colour.blue;
    write(context, "data", place.left + 8, place.top + 14);
    context.fillStyle = colour.orange;
    write(context, "fakes, dashed", place.left + 42, place.top + 14);
  }

  // The curve is faint where hardly any draw falls: there nothing would teach a network.
  function drawDiscriminator(context, width, height, colour) {
    const place = axes(context, colour, {
      box: box(width, height), x: X, y: [-0.02, 1.02], xticks: TICKS, yticks: [0, 0.5, 1], xlabel: "x",
      title: "D* = p_data / (p_data + p_g)",
    });
    const d = (i) => 1 / (1 + Math.exp(q[i] - p[i])), common = (i) => Math.exp(p[i]) + Math.exp(q[i]) > 0.02;
    context.globalAlpha = 0.35;
    curve(context, place, overGrid(d), colour.green);
    context.globalAlpha = 1;
    let piece = [];
    for (let i = 0; i <= COUNT; i++)
      if (i < COUNT && common(i)) piece.push([at(i), d(i)]);
      else if (piece.length) {
        curve(context, place, piece, colour.green);
        piece = [];
      }
  }

  function drawShift(context, width, height, colour) {
    const [left, top, wide, high] = box(width, height);
    const place = axes(context, colour, {
      box: [left, top, wide - 24, high], x: [-4, 4], y: [0, 1.02], xticks: TICKS, yticks: [0, 0.5, 1],
      title: "distances as the mean moves", xlabel: "mean of the fakes",
    });
    const farthest = Math.ceil(Math.max(...along.map(([, d]) => d.w1)));
    const curves = [
      ["JS", "purple", [], (d) => d.js], ["TV", "blue", [2, 3], (d) => d.tv],
      [`W₁/${farthest}`, "orange", [7, 3], (d) => d.w1 / farthest],
    ];
    const names = [];
    for (const [name, hue, dash, read] of curves) {
      curve(context, place, along.map(([m, d]) => [m, read(d)]), colour[hue], dash);
      context.fillStyle = colour[hue];
      disc(context, place.X(mean.value), place.Y(read(now)), 5);
      names.push([name, place.right, place.Y(read(along[along.length - 1][1])), colour[hue]]);
    }
    ends(context, names);
  }

  body.append(
    element("div", { class: "live-controls" }, real.node, mean.node, spread.node),
    element("div", { class: "live-panels" }, density.node, discriminator.node, shift.node), told.node);
  update();
};
