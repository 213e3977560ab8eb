// Chapter 4.3: from a generator of typeset letters to one of handwritten digits, by mixing their weights.
"use strict";

Live.pieces.interpolate = async (body) => {
  const { nets, element, button, percent } = Live;
  const { letters, digits } = Live.data.pair;
  const kernels = await nets.unpack(letters);
  const source = { kernels, layers: letters.layers };
  const target = { kernels: await nets.unpack(digits, kernels), layers: digits.layers };

  const COLUMNS = 4, ROWS = 3, LATENT = 64;
  const canvas = element("canvas", {
    class: "live-pixels", width: 33 * COLUMNS - 1, height: 33 * ROWS - 1, role: "img", style: "width: 300px",
  });
  let seed = 1;

  function draw() {
    const net = nets.mixGenerators(source, target, way.value);
    for (let i = 0; i < COLUMNS * ROWS; i++) {
      const image = nets.generate(net, nets.normals(seed * 100 + i, LATENT));
      Live.paint(canvas, image, { left: 33 * (i % COLUMNS), top: 33 * Math.floor(i / COLUMNS) });
    }
  }
  function describe() {
    const moved = `${percent(way.value)} of the way from letters to digits`;
    canvas.setAttribute("aria-label", `Twelve images of a generator ${moved}`);
  }
  const change = () => (draw(), describe());

  const { way, play } = Live.walk(body, "From letters to digits", 4, draw, describe);
  body.append(
    element("div", { class: "live-panels" },
      canvas,
      element("div", {},
        element("div", { class: "live-controls" }, way.node),
        element("div", { class: "live-row" }, play.node, button("Other latent vectors", () => (seed++, change()))),
      ),
    ),
  );
  change();
};
