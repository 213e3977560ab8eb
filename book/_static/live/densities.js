// Two densities on a line, the best discriminator between them, and their distances (chapter 2.2).
"use strict";

const Densities = (() => {
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

  const softplus = (s) => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));

  return { LOW, HIGH, STEP, COUNT, REAL, at, logDensity, logs, best, distances };
})();

if (typeof module !== "undefined") module.exports = Densities;

if (typeof document !== "undefined")
  LiveKit.mount("densities", (body) => {
    const { element, slider, choice, range, write, stroke, inside } = LiveKit;
    const { REAL, COUNT, at } = Densities;
    const X = [-5, 5], TICKS = [-4, -2, 0, 2, 4];
    let p, q, now, along;

    const real = choice("Data", Object.keys(REAL), "one hill", update);
    const mean = slider("Mean of the fakes", range(-4, 4, 0.1), 0, update, (v) => signed(v, 1));
    const spread = slider("Standard deviation", range(0.1, 2, 0.05), 1, update, (v) => v.toFixed(2));

    function signed(value, digits) {
      return (value.toFixed(digits) * 1 || 0).toFixed(digits).replace("-", "−");
    }

    const fakes = (m = mean.value) => [[1, m, spread.value]];
    const told = LiveKit.numbers(
      "Jensen–Shannon", "V(D*, G)", "KL(data ‖ fakes)", "KL(fakes ‖ data)", "total variation", "Wasserstein-1");

    function update() {
      p = Densities.logs(REAL[real.value]);
      q = Densities.logs(fakes());
      now = Densities.distances(p, q);
      along = range(-4, 4, 0.2).map((m) => [m, Densities.distances(p, Densities.logs(fakes(m)))]);
      const big = (v) => (v < 100 ? v.toFixed(2) : v.toFixed(0));
      told.set(now.js.toFixed(3), signed(now.value, 3), big(now.klPQ), big(now.klQP), now.tv.toFixed(3), now.w1.toFixed(2));
      const where = `Fakes with mean ${signed(mean.value, 1)} and standard deviation ${spread.value.toFixed(2)}`;
      density.describe(`${where} against the data, ${real.value}. They share ${Math.round(100 * (1 - now.tv))} % of their area.`);
      discriminator.describe(
        `D* over x: ${[-2, 0, 2].map((x) => `${Densities.best(REAL[real.value], fakes(), x).toFixed(2)} at ${x}`).join(", ")}.`);
      shift.describe(`Distances while the mean moves. Here: Jensen–Shannon ${now.js.toFixed(3)}, of at most 0.693, and
        Wasserstein-1 ${now.w1.toFixed(2)}.`.replace(/\s+/g, " "));
      for (const picture of [density, discriminator, shift]) picture.redraw();
    }

    // --- pictures ---
    const density = LiveKit.canvas(() => 0.62, "", drawDensities);
    const discriminator = LiveKit.canvas(() => 0.62, "", drawDiscriminator);
    const shift = LiveKit.canvas((width) => (width > 500 ? 0.36 : 0.62), "", drawShift);
    const show = (v) => String(v).replace("-", "−");

    function line(context, place, values, colour, dash = []) {
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.setLineDash(dash);
      inside(context, place, () => stroke(context, values.map(([x, y]) => [place.X(x), place.Y(y)])));
      context.setLineDash([]);
    }

    const box = (width, height) => [34, 24, width - 46, height - 66];
    const overGrid = (f) => Array.from({ length: COUNT }, (_, i) => [at(i), f(i)]);

    function drawDensities(context, width, height, colour) {
      const highest = Math.max(1, Math.ceil(1.05 * Math.max(...q.map(Math.exp))));
      const place = LiveKit.axes(context, colour, {
        box: box(width, height), x: X, y: [0, highest], xticks: TICKS, yticks: [0, highest / 2, highest], xlabel: "x",
        title: "densities (shaded: what they share)", show,
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
      line(context, place, overGrid((i) => Math.exp(p[i])), colour.blue);
      line(context, place, overGrid((i) => Math.exp(q[i])), colour.orange, [7, 3]);
      context.fillStyle = colour.blue;
      write(context, "data", place.left + 8, place.top + 14);
      context.fillStyle = colour.orange;
      write(context, "fakes, dashed", place.left + 42, place.top + 14);
    }

    // The curve is faint where hardly any draw falls: there nothing would teach a network.
    function drawDiscriminator(context, width, height, colour) {
      const place = LiveKit.axes(context, colour, {
        box: box(width, height), x: X, y: [-0.02, 1.02], xticks: TICKS, yticks: [0, 0.5, 1], xlabel: "x",
        title: "D* = p_data / (p_data + p_g)", show,
      });
      const d = (i) => 1 / (1 + Math.exp(q[i] - p[i])), common = (i) => Math.exp(p[i]) + Math.exp(q[i]) > 0.02;
      context.globalAlpha = 0.35;
      line(context, place, overGrid(d), colour.green);
      context.globalAlpha = 1;
      let piece = [];
      for (let i = 0; i <= COUNT; i++)
        if (i < COUNT && common(i)) piece.push([at(i), d(i)]);
        else if (piece.length) {
          line(context, place, piece, colour.green);
          piece = [];
        }
    }

    function drawShift(context, width, height, colour) {
      const [left, top, wide, high] = box(width, height);
      const place = LiveKit.axes(context, colour, {
        box: [left, top, wide - 24, high], x: [-4, 4], y: [0, 1.02], xticks: TICKS, yticks: [0, 0.5, 1], xlabel: "mean of the fakes",
        title: "distances as the mean moves", show,
      });
      const farthest = Math.ceil(Math.max(...along.map(([, d]) => d.w1)));
      const curves = [
        ["JS", "purple", [], (d) => d.js], ["TV", "blue", [2, 3], (d) => d.tv], [`W₁/${farthest}`, "orange", [7, 3], (d) => d.w1 / farthest],
      ];
      const names = [];
      for (const [name, hue, dash, read] of curves) {
        line(context, place, along.map(([m, d]) => [m, read(d)]), colour[hue], dash);
        context.fillStyle = colour[hue];
        context.beginPath();
        context.arc(place.X(mean.value), place.Y(read(now)), 5, 0, 2 * Math.PI);
        context.fill();
        names.push([name, place.right, place.Y(read(along[along.length - 1][1])), colour[hue]]);
      }
      LiveKit.ends(context, names);
    }

    body.append(
      element("div", { class: "live-controls" }, real.node, mean.node, spread.node),
      element("div", { class: "live-panels" }, density.node, discriminator.node, shift.node), told.node,
      element("p", { class: "live-caption" },
        "D* is faint where hardly any draw falls. In the last picture the dots are where the mean stands now; " +
        "Jensen–Shannon cannot pass log 2 = 0.69, total variation not 1, Wasserstein-1 goes on growing."));
    update();
  });
