// The Dirac-GAN of chapter 1.2: one number that the generator gives, one that is the discriminator's slope.
"use strict";

Live.dirac = (() => {
  const { sigmoid } = Live.math;

  // How hard the generator is pulled along ψ: −d/ds of the loss that it lowers.
  const pull = (s, minimax) => sigmoid(minimax ? s : -s);

  // The direction in which gradient descent moves (θ, ψ).
  function field([theta, psi], { r1, minimax }) {
    return [psi * pull(psi * theta, minimax), -theta * sigmoid(psi * theta) - r1 * psi];
  }

  // The chapter's `dirac`, from any start.
  function path(start, { simultaneous, momentum, r1, rate, minimax, steps }) {
    let [theta, psi] = start, speedTheta = 0, speedPsi = 0;
    const points = [[theta, psi]];
    for (let i = 0; i < steps; i++) {
      const slope = theta * sigmoid(psi * theta) + r1 * psi;
      speedPsi = momentum * speedPsi + (1 - momentum) * slope;
      const next = psi - rate * speedPsi, answered = simultaneous ? psi : next;
      speedTheta = momentum * speedTheta + (1 - momentum) * answered * pull(answered * theta, minimax);
      [theta, psi] = [theta + rate * speedTheta, next];
      points.push([theta, psi]);
    }
    return points;
  }

  return { field, path };
})();

Live.pieces.dirac = (body) => {
  const { element, slider, choice, button, range, fixed } = Live;
  const { canvas, axes, write, stroke, disc, inside, curve } = Live.plot;
  const EDGES = [1.5, 2, 3, 5, 8, 13, 20, 50, 100, 1000];
  let points, edge, dragging = false;

  const changed = () => update(), signed = (value) => fixed(value, 1);
  const order = choice("Order", ["alternating", "simultaneous"], "alternating", changed);
  const loss = choice("Loss of G", ["non-saturating", "minimax"], "non-saturating", changed);
  const rate = slider("Learning rate", [0.05, 0.1, 0.2, 0.3, 0.5, 1], 0.2, changed);
  const momentum = slider("Momentum", range(0, 0.9, 0.1), 0, changed);
  const r1 = slider("Weight of R1", [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2], 0, changed);
  const steps = slider("Steps", [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000], 500, changed);
  const theta = slider("Start: θ", range(-3, 3, 0.1), 1, changed, signed);
  const psi = slider("Start: ψ", range(-3, 3, 0.1), 0, changed, signed);

  const options = () => ({
    simultaneous: order.value === "simultaneous", minimax: loss.value === "minimax", rate: rate.value,
    momentum: momentum.value, r1: r1.value, steps: steps.value,
  });

  // --- pictures ---
  const plane = canvas(() => 1, drawPlane, { tabindex: 0, "aria-describedby": "dirac-keys" });
  const course = canvas(() => 1, drawCourse);
  let place; // where the axes of the plane are, for the pointer

  function drawPlane(context, width, height, colour) {
    place = axes(context, colour, {
      box: [38, 24, width - 50, height - 66], x: [-edge, edge], y: [-edge, edge],
      xticks: [-edge, 0, edge], yticks: [-edge, 0, edge], title: "ψ, the discriminator", xlabel: "θ, the sample",
    });
    inside(context, place, () => {
      drawField(context, colour);
      drawPath(context, colour);
    });
    const [x, y] = [place.X(0), place.Y(0)];
    context.strokeStyle = colour.orange;
    context.lineWidth = 2;
    stroke(context, [[x - 7, y], [x + 7, y]]);
    stroke(context, [[x, y - 7], [x, y + 7]]);
    const [u, v] = [place.X(points[0][0]), place.Y(points[0][1])];
    context.fillStyle = colour.orange;
    disc(context, u, v, 8);
    write(context, "start", u + 12, v - 6, "left", colour.ground);
  }

  function drawField(context, colour) {
    const cells = 15, gap = (2 * edge) / cells, arrows = [];
    for (let i = 0; i < cells; i++)
      for (let j = 0; j < cells; j++) {
        const at = [-edge + gap * (i + 0.5), -edge + gap * (j + 0.5)];
        arrows.push([at, Live.dirac.field(at, options())]);
      }
    const longest = Math.max(...arrows.map(([, d]) => Math.hypot(...d)));
    context.strokeStyle = colour.muted;
    context.globalAlpha = 0.75;
    context.lineWidth = 1;
    for (const [[x, y], d] of arrows) {
      const length = Math.hypot(...d);
      if (!length) continue;
      const size = (0.85 * place.width / cells) * Math.sqrt(length / longest); // short ones stay visible
      const [ux, uy] = [d[0] / length, -d[1] / length];
      const [x0, y0] = [place.X(x) - (ux * size) / 2, place.Y(y) - (uy * size) / 2];
      const [x1, y1] = [x0 + ux * size, y0 + uy * size], head = 0.3 * size;
      stroke(context, [[x0, y0], [x1, y1]]);
      stroke(context, [
        [x1 - head * (ux - 0.6 * uy), y1 - head * (uy + 0.6 * ux)], [x1, y1],
        [x1 - head * (ux + 0.6 * uy), y1 - head * (uy - 0.6 * ux)],
      ]);
    }
    context.globalAlpha = 1;
  }

  function drawPath(context, colour) {
    const seen = points.map(([x, y]) => [place.X(x), place.Y(y)]);
    context.strokeStyle = context.fillStyle = colour.blue;
    context.globalAlpha = 0.6;
    context.lineWidth = 1;
    stroke(context, seen);
    context.globalAlpha = 1;
    for (const [x, y] of seen) context.fillRect(x - 1.5, y - 1.5, 3, 3);
    const [x, y] = seen[seen.length - 1];
    context.fillStyle = colour.green;
    disc(context, x, y, 6);
    write(context, "end", x + 10, y + 14, "left", colour.ground);
  }

  function drawCourse(context, width, height, colour) {
    const last = points.length - 1;
    const at = axes(context, colour, {
      box: [44, 24, width - 64, height - 66], x: [0, last], y: [-8, 2], xticks: last > 1 ? [0, last / 2, last] : [0, 1],
      yticks: [-8, -6, -4, -2, 0, 2], title: "distance to the balance", xlabel: "step",
      show: power,
    });
    curve(context, at, points.map((point, i) => [i, Math.log10(Math.hypot(...point) + 1e-30)]), colour.blue);
  }

  function power(v) {
    return v === 0 ? "1" : `10${[...String(v)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;
  }

  const distance = (p) => Number(Math.hypot(...p).toPrecision(2)).toString().replace("e-", " · 10^−");
  const told = Live.numbers("distance at the start", "at the end", "θ at the end", "ψ at the end");

  function update() {
    points = Live.dirac.path([theta.value, psi.value], options());
    const reach = 1.1 * Math.max(...points.map((p) => Math.max(Math.abs(p[0]), Math.abs(p[1]))));
    if (!dragging) edge = EDGES.find((e) => e >= reach) || EDGES[EDGES.length - 1];
    const end = points[points.length - 1], from = distance(points[0]), to = distance(end);
    told.set(from, to, ...end.map((v) => fixed(v, 2)));
    plane.describe(
      `Plane of θ and ψ with the directions of descent as arrows. The path starts at θ ${signed(theta.value)}, ` +
      `ψ ${signed(psi.value)}; after ${points.length - 1} steps its distance to the balance is ${to}.`);
    course.describe(`Distance to the balance over the steps, on a logarithmic axis: from ${from} to ${to}.`);
    plane.redraw();
    course.redraw();
  }

  // --- the start, by pointer and by arrow keys ---
  function startAt(x, y) {
    theta.set(x);
    psi.set(y);
    update();
  }

  function point(event) {
    const box = plane.node.getBoundingClientRect();
    startAt(
      ((event.clientX - box.left - place.left) / place.width * 2 - 1) * edge,
      (1 - (event.clientY - box.top - place.top) / place.height * 2) * edge);
  }

  plane.node.addEventListener("pointerdown", (event) => {
    dragging = true;
    plane.node.setPointerCapture(event.pointerId);
    point(event);
  });
  plane.node.addEventListener("pointermove", (event) => dragging && point(event));
  for (const name of ["pointerup", "pointercancel"])
    plane.node.addEventListener(name, () => {
      dragging = false;
      update();
    });
  plane.node.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!move) return;
    event.preventDefault();
    startAt(theta.value + move[0], psi.value + move[1]);
  });

  const controls = { order, loss, rate, momentum, r1, steps, theta, psi };
  const example = (name, wanted) =>
    button(name, () => {
      const usual = {
        order: "alternating", loss: "non-saturating", rate: 0.2, momentum: 0, r1: 0, steps: 500, theta: 1, psi: 0,
      };
      for (const [key, value] of Object.entries({ ...usual, ...wanted })) controls[key].set(value);
      update();
    });

  body.append(
    element("div", { class: "live-row" },
      example("alternating", {}), example("simultaneous", { order: "simultaneous" }), example("R1", { r1: 1 }),
      example("momentum 0.9", { momentum: 0.9 }), example("momentum 0.9 and R1", { momentum: 0.9, r1: 1 })),
    element("div", { class: "live-controls" }, ...Object.values(controls).map((control) => control.node)),
    element("div", { class: "live-panels" }, plane.node, course.node), told.node);
  update();
};
